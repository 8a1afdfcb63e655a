/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Full-text search. */
#pragma once

#include "sqlite-store.h"

G_BEGIN_DECLS

typedef struct
{
  const char *index;
  const char *query;
  const char *const *groups; /* nullable */
  guint limit;
} SqliteTextSearch;

/* (transfer full) of a row: group, key, text, data */
ReeveTextHit *sqlite_text_read_hit (sqlite3_stmt *statement, double score, GError **error);
GPtrArray *sqlite_text_search (SqliteStore *store, SqliteConnection *connection,
                               const SqliteTextSearch *search, GError **error);

G_END_DECLS
