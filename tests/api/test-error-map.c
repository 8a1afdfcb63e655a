/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every error code has a row, and no row tells about the inside. */
#include "api/error-map.h"

#include <string.h>

#include "base/error-detail.h"
#include "operations/openai-wire.h"

static void
test_rows (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (gint code = REEVE_ERROR_FAILED; code <= REEVE_ERROR_CAPABILITY_REVOKED; code++)
    {
      const ReeveErrorMap *map = reeve_error_map_get ((ReeveError) code);
      g_autofree char *word = g_strdup (map->slug);

      g_assert_cmpuint (map->status, >=, 400);
      g_assert_cmpuint (map->status, <, 600);
      g_assert_true (g_str_has_prefix (map->dbus, "io.reeve.Error."));
      g_assert_true (g_hash_table_add (names, (gpointer) map->dbus));
      g_assert_nonnull (map->title);
      /* one word at every door: that of records */
      g_strdelimit (word, "-", '_');
      g_assert_cmpstr (word, ==, reeve_error_get_name ((ReeveError) code));
      g_assert_nonnull (map->openai);
      g_assert_cmpint (map->exit, >=, 1);
      g_assert_cmpint (map->exit, <=, 5);
    }
}

/* Whoever knows no more than the status or the name ends as whoever knows the code. */
static void
test_exits (void)
{
  for (guint code = 0; code < 64; code++)
    {
      const ReeveErrorMap *map = reeve_error_map_get ((ReeveError) code);

      g_assert_cmpint (reeve_error_map_exit_of_status (map->status), ==, map->exit);
      g_assert_cmpint (reeve_error_map_exit_of_name (map->dbus), ==, map->exit);
    }
  g_assert_cmpint (reeve_error_map_exit_of_status (418), ==, 1);
  g_assert_cmpint (reeve_error_map_exit_of_name ("io.reeve.Error.Newer"), ==, 1);
  g_assert_cmpint (reeve_error_map_exit_of_name ("org.freedesktop.DBus.Error.NoReply"), ==, -1);
}

static void
test_unknown (void)
{
  g_assert_true (reeve_error_map_get ((ReeveError) 10000)
                 == reeve_error_map_get (REEVE_ERROR_FAILED));
  g_assert_true (reeve_error_map_get ((ReeveError) -1) == reeve_error_map_get (REEVE_ERROR_FAILED));
}

static void
test_foreign (void)
{
  g_autoptr (GError) foreign = g_error_new_literal (G_FILE_ERROR, G_FILE_ERROR_IO, "/secret/path");
  g_autoptr (GError) inside
      = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CORRUPT, "/secret/path");
  g_autoptr (GError) plain
      = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CONFLICT, "it has ended");

  g_autoptr (GError) disk
      = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_READ_ONLY, "/secret/path");

  /* it warns */
  g_log_set_always_fatal ((GLogLevelFlags) (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK));
  g_assert_cmpuint (reeve_error_map_lookup (foreign)->status, ==, 500);
  g_assert_null (g_strstr_len (reeve_error_detail_get (foreign), -1, "secret"));
  g_assert_null (g_strstr_len (reeve_error_detail_get (inside), -1, "secret"));
  g_assert_null (g_strstr_len (reeve_error_detail_get (disk), -1, "secret"));
  g_assert_nonnull (g_strstr_len (reeve_error_detail_get (disk), -1, "disk is full"));
  g_assert_cmpstr (reeve_error_detail_get (plain), ==, "it has ended");
  g_assert_cmpstr (reeve_error_detail_get_code (foreign), ==, "failed");
  g_assert_cmpstr (reeve_error_detail_get_code (plain), ==, "conflict");
}

/* in the middle of a stream too */
static void
test_chunk (void)
{
  g_autoptr (GError) inside
      = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CORRUPT, "/secret/path");
  g_autoptr (GBytes) chunk = reeve_openai_wire_error_chunk (inside);
  g_autofree char *text = g_strndup (g_bytes_get_data (chunk, NULL), g_bytes_get_size (chunk));

  g_assert_null (strstr (text, "secret"));
  g_assert_nonnull (strstr (text, "\"code\":\"corrupt\""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error-map/rows", test_rows);
  g_test_add_func ("/error-map/exits", test_exits);
  g_test_add_func ("/error-map/unknown", test_unknown);
  g_test_add_func ("/error-map/foreign", test_foreign);
  g_test_add_func ("/error-map/chunk", test_chunk);
  return g_test_run ();
}
