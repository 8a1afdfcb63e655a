/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* High-water marks: whole, torn, forged, taken away, many. */
#include "keys-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define HALF 128
#define SLOT 256
#define MADE 16 /* slots at a time, behind the header */

/* ---- helpers ---- */

/* the marks are refused: for that reason, naming the file and what to do, and nothing is altered */
static void
refused (KeysFixture *fixture, const char *reason)
{
  g_autofree char *path = g_build_filename (fixture->folder, "marks", NULL);
  g_autoptr (GError) error = NULL;

  g_clear_object (&fixture->keys);
  g_assert_null (reeve_store_keys_open (fixture->folder, fixture->master, &error));
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, reason));
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, "reeve-host --accept-stores all"));
}

static void
refused_as (KeysFixture *fixture, const char *bytes, gsize length, const char *reason)
{
  gsize now = 0;
  g_autofree char *text = NULL;

  keys_fixture_write (fixture, "marks", bytes, length);
  refused (fixture, reason);
  text = keys_fixture_read (fixture, "marks", &now);
  g_assert_cmpmem (text, now, bytes, length);
}

static void
accept_all (KeysFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveStoreKeys) keys
      = reeve_store_keys_open_unmarked (fixture->folder, fixture->master, &error);

  g_assert_no_error (error);
  g_assert_true (reeve_store_keys_renew_marks (keys, &error));
  g_assert_no_error (error);
}

static void
set_many (KeysFixture *fixture, guint from, guint until)
{
  for (guint i = from; i < until; i++)
    {
      g_autofree char *scope = g_strdup_printf ("tenant-%u", i);

      keys_fixture_set_mark (fixture, scope, i + 1, FALSE);
    }
}

static void
check_many (KeysFixture *fixture, guint until)
{
  for (guint i = 0; i < until; i++)
    {
      g_autofree char *scope = g_strdup_printf ("tenant-%u", i);

      g_assert_cmpuint (keys_fixture_get_mark (fixture, scope), ==, i + 1);
    }
}

/* ---- tests ---- */

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
  g_assert_cmpuint (length, ==, SLOT * (1 + MADE));
  /* a first mark is in both halves of its slot, behind the header; the next is in the first one */
  for (gsize at = 0; at < HALF; at += 9)
    {
      g_autofree char *torn = g_memdup2 (whole, length);

      memset (torn + SLOT + at, 0xee, HALF - at);
      keys_fixture_write (fixture, "marks", torn, length);
      keys_fixture_reopen (fixture);
      g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 41);
    }
}

/* whatever a slot is from now on is in both of its halves: with one of them damaged it is not what
 * it was before */
static void
test_marks_half (KeysFixture *fixture, gconstpointer data)
{
  gsize length = 0;
  g_autofree char *whole = NULL;

  /* grown, one just marked, one just forgotten */
  set_many (fixture, 0, MADE + 1);
  g_assert_true (reeve_store_keys_forget_mark (fixture->keys, "tenant-3", NULL));
  whole = keys_fixture_read (fixture, "marks", &length);
  g_assert_cmpuint (length, ==, SLOT * (1 + 2 * MADE));
  for (gsize at = 0; at < length; at += HALF)
    {
      g_autofree char *damaged = g_memdup2 (whole, length);

      memset (damaged + at, 0, HALF);
      keys_fixture_write (fixture, "marks", damaged, length);
      keys_fixture_reopen (fixture);
      for (guint i = 0; i <= MADE; i++)
        {
          g_autofree char *scope = g_strdup_printf ("tenant-%u", i);

          g_assert_cmpuint (keys_fixture_get_mark (fixture, scope), ==, i == 3 ? 0 : i + 1);
        }
    }
}

/* a mark that somebody made up, or that belongs to another state */
static void
test_marks_forged (KeysFixture *fixture, gconstpointer data)
{
  gsize length = 0;
  g_autofree char *text = NULL;

  keys_fixture_set_mark (fixture, "acme", 42, TRUE);
  text = keys_fixture_read (fixture, "marks", &length);
  text[SLOT + 16] = 1;
  text[SLOT + HALF + 16] = 1;
  refused_as (fixture, text, length, "slot 1 was wiped, is damaged");
  accept_all (fixture);
  keys_fixture_open (fixture);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 0);
  /* what was there before is none of them any more */
  text[SLOT + 16] = 42;
  text[SLOT + HALF + 16] = 42;
  refused_as (fixture, text, length, "slot 0 is not its header");
}

/* emptied, cut at each slot and within, zeroed, gone: nothing of it passes for marks that never
 * were */
static void
test_marks_stripped (KeysFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "marks", NULL);
  gsize length = 0;
  g_autofree char *whole = NULL;
  g_autofree char *zeros = NULL;

  keys_fixture_set_mark (fixture, "acme", 42, TRUE);
  whole = keys_fixture_read (fixture, "marks", &length);
  zeros = g_malloc0 (length);
  refused_as (fixture, "", 0, "was emptied or cut off");
  refused_as (fixture, whole, 1, "was emptied or cut off");
  refused_as (fixture, whole, SLOT - 1, "was emptied or cut off");
  for (gsize slots = 1; slots <= MADE; slots++)
    {
      refused_as (fixture, whole, slots * SLOT, "was cut off: it had 17 slots");
      refused_as (fixture, whole, (slots + 1) * SLOT - 1, "was cut off: it had 17 slots");
    }
  refused_as (fixture, zeros, length, "slot 0 is not its header");
  for (guint slot = 0; slot <= MADE; slot++)
    {
      g_autofree char *wiped = g_memdup2 (whole, length);
      g_autofree char *reason = g_strdup_printf ("slot %u %s", slot, slot > 0 ? "was" : "is not");

      memset (wiped + (gsize) slot * SLOT, 0, SLOT);
      refused_as (fixture, wiped, length, reason);
    }
  g_assert_cmpint (g_unlink (path), ==, 0);
  refused (fixture, "marks");
  g_assert_false (keys_fixture_has (fixture, "marks"));
  /* of the version before there was no header: such a file cannot be told from a stripped one */
  whole[7] = '1';
  whole[HALF + 7] = '1';
  refused_as (fixture, whole, length, "by an older version");
}

/* each slot is what it is in its place alone */
static void
test_marks_swapped (KeysFixture *fixture, gconstpointer data)
{
  gsize length = 0;
  g_autofree char *whole = NULL;

  keys_fixture_set_mark (fixture, "acme", 42, TRUE);
  keys_fixture_set_mark (fixture, "globex", 7, TRUE);
  whole = keys_fixture_read (fixture, "marks", &length);
  for (guint i = 0; i < 4; i++)
    for (guint j = 0; j < i; j++)
      {
        g_autofree char *swapped = g_memdup2 (whole, length);

        memcpy (swapped + (gsize) i * SLOT, whole + (gsize) j * SLOT, SLOT);
        refused_as (fixture, swapped, length, "what belongs into another");
        memcpy (swapped + (gsize) j * SLOT, whole + (gsize) i * SLOT, SLOT);
        refused_as (fixture, swapped, length, j == 0 ? "slot 0" : "what belongs into another");
      }
}

/* what was true once: as a whole it passes, which docs/encryption.md says; parts of it do not */
static void
test_marks_old (KeysFixture *fixture, gconstpointer data)
{
  gsize old_length = 0;
  gsize length = 0;
  g_autofree char *old = NULL;
  g_autofree char *whole = NULL;
  g_autofree char *mixed = NULL;

  set_many (fixture, 0, 2);
  old = keys_fixture_read (fixture, "marks", &old_length);
  keys_fixture_set_mark (fixture, "tenant-1", 100, FALSE);
  keys_fixture_set_mark (fixture, "tenant-1", 101, FALSE);
  set_many (fixture, 2, MADE + 3);
  whole = keys_fixture_read (fixture, "marks", &length);
  /* the header of then with the marks of now */
  mixed = g_memdup2 (whole, length);
  memcpy (mixed, old, SLOT);
  refused_as (fixture, mixed, length, "slot 0 is of an older state");
  /* a slot of then, whose scope has another one now */
  keys_fixture_write (fixture, "marks", whole, length);
  keys_fixture_open (fixture);
  g_assert_true (reeve_store_keys_forget_mark (fixture->keys, "tenant-0", NULL));
  keys_fixture_set_mark (fixture, "initech", 5, FALSE);
  keys_fixture_set_mark (fixture, "tenant-0", 9, FALSE);
  g_free (mixed);
  mixed = keys_fixture_read (fixture, "marks", &length);
  memcpy (mixed + SLOT, old + SLOT, SLOT);
  refused_as (fixture, mixed, length, "is of an older state");
  /* all of then */
  keys_fixture_write (fixture, "marks", old, old_length);
  keys_fixture_open (fixture);
  check_many (fixture, 2);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "tenant-2"), ==, 0);
}

/* a crash while it grew: slots behind those that the header counts are nothing */
static void
test_marks_grown_by_half (KeysFixture *fixture, gconstpointer data)
{
  gsize length = 0;
  g_autofree char *whole = NULL;
  g_autofree char *longer = NULL;

  set_many (fixture, 0, MADE);
  whole = keys_fixture_read (fixture, "marks", &length);
  g_assert_cmpuint (length, ==, SLOT * (1 + MADE));
  longer = g_malloc (length + 3 * SLOT);
  memset (longer, 0xee, length + 3 * SLOT);
  memcpy (longer, whole, length);
  for (gsize more = 0; more <= 3 * SLOT; more += 37)
    {
      keys_fixture_write (fixture, "marks", longer, length + more);
      keys_fixture_reopen (fixture);
      check_many (fixture, MADE);
    }
  set_many (fixture, MADE, 3 * MADE);
  keys_fixture_reopen (fixture);
  check_many (fixture, 3 * MADE);
}

/* --accept-stores all that was cut off, after each of its steps: done again, it is done */
static void
test_marks_accepted_by_half (KeysFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "marks", NULL);
  g_autofree char *key = g_build_filename (fixture->folder, "marks.key", NULL);

  keys_fixture_set_mark (fixture, "acme", 42, TRUE);
  g_clear_object (&fixture->keys);
  g_assert_cmpint (g_unlink (path), ==, 0);
  refused (fixture, "marks");
  accept_all (fixture);
  g_assert_cmpint (g_unlink (path), ==, 0);
  refused (fixture, "marks");
  /* its key may be what was lost */
  g_assert_cmpint (g_unlink (key), ==, 0);
  accept_all (fixture);
  keys_fixture_open (fixture);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 0);
  keys_fixture_set_mark (fixture, "acme", 1, TRUE);
  keys_fixture_reopen (fixture);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 1);
}

typedef struct
{
  KeysFixture *fixture;
  guint number;
} Writer;

static gpointer
writer_run (gpointer data)
{
  const Writer *writer = data;

  set_many (writer->fixture, writer->number * 50, writer->number * 50 + 50);
  return NULL;
}

/* many at once: it grows for one of them, and the others wait */
static void
test_marks_threads (KeysFixture *fixture, gconstpointer data)
{
  Writer writers[4] = { { 0 } };
  GThread *threads[4] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      writers[i] = (Writer){ fixture, i };
      threads[i] = g_thread_new ("writer", writer_run, &writers[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  check_many (fixture, 200);
  keys_fixture_reopen (fixture);
  check_many (fixture, 200);
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
  ADD ("marks-half", test_marks_half);
  ADD ("marks-forged", test_marks_forged);
  ADD ("marks-stripped", test_marks_stripped);
  ADD ("marks-swapped", test_marks_swapped);
  ADD ("marks-old", test_marks_old);
  ADD ("marks-grown-by-half", test_marks_grown_by_half);
  ADD ("marks-accepted-by-half", test_marks_accepted_by_half);
  ADD ("marks-threads", test_marks_threads);
  ADD ("marks-many", test_marks_many);
  return g_test_run ();
}
