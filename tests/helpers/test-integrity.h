/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SQLite's own opinion of a store that is not encrypted, of its files alone. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

/* Finds nothing amiss in the file at @path; one that is not there is fine. */
static inline void
test_integrity_check (const char *path)
{
  sqlite3_stmt *statement = NULL;
  sqlite3 *db = NULL;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return;
  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, "PRAGMA integrity_check", -1, &statement, NULL), ==,
                   SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  g_assert_cmpstr ((const char *) sqlite3_column_text (statement, 0), ==, "ok");
  sqlite3_finalize (statement);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}
