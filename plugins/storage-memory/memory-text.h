/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Full-text search by looking at every text. */
#pragma once

#include "memory-scope.h"

G_BEGIN_DECLS

GPtrArray *memory_text_search (MemoryScope *scope, const char *index, const char *query,
                               const char *const *groups, guint limit, GError **error);

G_END_DECLS
