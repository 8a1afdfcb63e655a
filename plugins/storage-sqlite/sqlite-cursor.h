/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a page of a query ended. */
#pragma once

#include "sqlite-schema.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean absent; /* among the records without the field of the order */
  JsonNode *value; /* of that field; NULL when absent or ordered by the id */
  char *id;
} SqliteCursor;

char *sqlite_cursor_write (ReeveQuery *query, sqlite3_stmt *statement, gboolean absent);
SqliteCursor *sqlite_cursor_read (ReeveQuery *query, const SqliteField *order, GError **error);
void sqlite_cursor_free (SqliteCursor *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteCursor, sqlite_cursor_free)

G_END_DECLS
