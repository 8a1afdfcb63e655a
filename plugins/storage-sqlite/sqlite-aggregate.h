/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Aggregates by groups and a time bucket. */
#pragma once

#include "sqlite-schema.h"

G_BEGIN_DECLS

ReeveQueryResult *sqlite_aggregate_run (SqliteConnection *connection,
                                        const SqliteCollection *collection, ReeveQuery *query,
                                        GError **error);

G_END_DECLS
