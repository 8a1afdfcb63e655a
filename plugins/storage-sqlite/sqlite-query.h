/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers queries: the bounded language as prepared statements. */
#pragma once

#include "sqlite-schema.h"

G_BEGIN_DECLS

ReeveQueryResult *sqlite_query_run (SqliteConnection *connection, SqliteSchema *schema,
                                    ReeveQuery *query, GError **error);
JsonObject *sqlite_query_parse_object (const char *text, GError **error);

G_END_DECLS
