/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Aggregates by groups and a bucket. */
#pragma once

#include "memory-scope.h"

G_BEGIN_DECLS

ReeveQueryResult *memory_aggregate_run (MemoryScope *scope, ReeveQuery *query, GPtrArray *rows,
                                        GError **error);

G_END_DECLS
