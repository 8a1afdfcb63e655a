/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* High-water marks: whole, torn, forged, many. */
#include "keys-fixture.h"

#include <string.h>

static void
test_marks (KeysFixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 0);
  for (guint64 i = 1; i <= 1000; i++)
    {
      keys_fixture_set_mark (fixture, "acme", i, i % 500 == 0);
      keys_fixture_set_mark (fixture, "globex", 2 * i, FALSE);
    }
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 1000);
  keys_fixture_reopen (fixture);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 1000);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "globex"), ==, 2000);
  g_assert_true (reeve_store_keys_forget_mark (fixture->keys, "acme", NULL));
  g_assert_true (reeve_store_keys_forget_mark (fixture->keys, "acme", NULL));
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 0);
  keys_fixture_reopen (fixture);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 0);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "globex"), ==, 2000);
  /* the slot is used again */
  keys_fixture_set_mark (fixture, "initech", 5, TRUE);
  keys_fixture_reopen (fixture);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "initech"), ==, 5);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "globex"), ==, 2000);
}

/* whichever bytes of the last write are missing or wrong, the mark is the last or the one before */
static void
test_marks_torn (KeysFixture *fixture, gconstpointer data)
{
  gsize length = 0;
  g_autofree char *whole = NULL;

  keys_fixture_set_mark (fixture, "acme", 41, FALSE);
  keys_fixture_set_mark (fixture, "acme", 42, TRUE);
  whole = keys_fixture_read (fixture, "marks", &length);
  g_assert_cmpuint (length, ==, 256);
  /* generation 2 lies in the first half */
  for (gsize at = 0; at < 128; at += 9)
    {
      g_autofree char *torn = g_memdup2 (whole, length);

      memset (torn + at, 0xee, 128 - at);
      keys_fixture_write (fixture, "marks", torn, length);
      keys_fixture_reopen (fixture);
      g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 41);
    }
  /* nor does half a slot at the end of the file hurt */
  keys_fixture_write (fixture, "marks", whole, 128);
  keys_fixture_reopen (fixture);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 42);
}

/* a mark that somebody made up, or that belongs to another state */
static void
test_marks_forged (KeysFixture *fixture, gconstpointer data)
{
  gsize length = 0;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  keys_fixture_set_mark (fixture, "acme", 42, TRUE);
  text = keys_fixture_read (fixture, "marks", &length);
  text[128 + 16] = 1;
  keys_fixture_write (fixture, "marks", text, length);
  g_clear_object (&fixture->keys);
  g_assert_null (reeve_store_keys_open (fixture->folder, fixture->master, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "slot 0"));
  g_assert_true (reeve_store_keys_discard_marks (fixture->folder, NULL));
  keys_fixture_open (fixture);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 0);
}

/* 5,000 tenants: one descriptor, and a write costs no more than any small write */
static void
test_marks_many (KeysFixture *fixture, gconstpointer data)
{
  gint64 began = 0;
  double each = 0;

  for (guint i = 0; i < 5000; i++)
    {
      g_autofree char *scope = g_strdup_printf ("tenant-%u", i);

      keys_fixture_set_mark (fixture, scope, i + 1, FALSE);
    }
  began = g_get_monotonic_time ();
  for (guint i = 0; i < 20000; i++)
    keys_fixture_set_mark (fixture, "tenant-7", i, FALSE);
  each = (double) (g_get_monotonic_time () - began) / 20000;
  g_test_message ("%.2f us a mark", each);
  g_assert_cmpfloat (each, <, 200);
  keys_fixture_reopen (fixture);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "tenant-4999"), ==, 5000);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "tenant-7"), ==, 19999);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/store/marks/" name, KeysFixture, NULL, keys_fixture_set_up, func,                  \
              keys_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("marks", test_marks);
  ADD ("marks-torn", test_marks_torn);
  ADD ("marks-forged", test_marks_forged);
  ADD ("marks-many", test_marks_many);
  return g_test_run ();
}
