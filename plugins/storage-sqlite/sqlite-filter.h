/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters of a query as conditions with numbered parameters. */
#pragma once

#include "sqlite-schema.h"

G_BEGIN_DECLS

const SqliteField *sqlite_filter_find_field (const SqliteCollection *collection, const char *name,
                                             GError **error);
gboolean sqlite_filter_accepts (const SqliteField *field, JsonNode *value);
gboolean sqlite_filter_write (const SqliteCollection *collection, ReeveQuery *query, GString *sql,
                              GPtrArray *values, GError **error);
void sqlite_filter_bind (sqlite3_stmt *statement, GPtrArray *values);

G_END_DECLS
