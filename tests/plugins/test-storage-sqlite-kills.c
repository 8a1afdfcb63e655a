/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite killed while it makes, encrypts, rotates or drops a sealed store, and at any
 * moment while it writes one: it opens, what was acknowledged is there, and what was begun can be
 * done.
 *
 * what                                                     | CI                | long
 * killed at the n-th call of making, encrypting, rotating  | 12 of each, twice | every one, twice
 *   (both ways), dropping                                  |                   |
 * killed at random while writing and rotating              | 12                | 600
 */
#include "sqlite-guard.h"

#include "../helpers/fault-child.h"
#include "../helpers/sealed-store.h"
#include "../helpers/test-size.h"
#include "../helpers/test-tree.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCHES 30

typedef struct
{
  char *top;
  char *template; /* what each child begins with */
  char *work;
  FaultChild *child;
} Fixture;

/* @store in <folder>/state, its keys in <folder>/keys */
static void
use (SealedStore *store, const char *folder)
{
  g_autofree char *keys = g_build_filename (folder, "keys", NULL);

  *store = (SealedStore){ 0 };
  store->folder = g_build_filename (folder, "state", NULL);
  store->file = g_build_filename (store->folder, "tenants", "acme.db", NULL);
  g_assert_cmpint (g_mkdir_with_parents (keys, 0700), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (store->folder, 0700), ==, 0);
  store->keys = test_keys_new (keys);
}

static void
leave (SealedStore *store)
{
  sealed_store_close (store);
  g_clear_object (&store->keys);
  g_clear_pointer (&store->file, g_free);
  g_clear_pointer (&store->folder, g_free);
}

/* ---- children ---- */

static gpointer
rotate_on (gpointer data)
{
  SealedStore *store = data;

  for (guint i = 0;; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!reeve_storage_rotate (store->storage, "acme",
                                 i % 2 == 0 ? REEVE_ROTATION_COPY : REEVE_ROTATION_REWRITE, NULL,
                                 &error))
        g_error ("rotating: %s", error->message);
    }
  return NULL;
}

/* after each acknowledgement a line to the parent */
static void
write_on (SealedStore *store)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_storage_get_counter (store->storage, "acme", "n", &store->number, &error));
  g_thread_unref (g_thread_new ("rotate", rotate_on, store));
  while (sealed_store_write (store, &error))
    {
      g_autofree char *line = g_strdup_printf ("%" G_GINT64_FORMAT "\n", store->number);

      if (write (STDOUT_FILENO, line, strlen (line)) != (gssize) strlen (line))
        return;
    }
  g_error ("writing: %s", error->message);
}

static gboolean
do_one (SealedStore *store, const char *what, GError **error)
{
  ReeveStorageProtection protection = { 0 };

  if (g_str_equal (what, "make"))
    return reeve_storage_create_scope (store->storage, "acme", error);
  if (g_str_equal (what, "drop"))
    return reeve_storage_drop_scope (store->storage, "acme", error);
  if (g_str_equal (what, "encrypt"))
    return reeve_storage_get_protection (store->storage, "acme", &protection, error);
  return reeve_storage_rotate (
      store->storage, "acme",
      g_str_equal (what, "copy") ? REEVE_ROTATION_COPY : REEVE_ROTATION_REWRITE, NULL, error);
}

static int
run_child (const char *folder, const char *what)
{
  SealedStore store = { 0 };
  g_autoptr (GError) error = NULL;

  use (&store, folder);
  if (!sealed_store_try_open (&store, TRUE, &error))
    g_error ("opening: %s", error->message);
  if (g_str_equal (what, "write"))
    write_on (&store);
  else if (!do_one (&store, what, &error))
    g_error ("%s: %s", what, error->message);
  leave (&store);
  return 0;
}

/* ---- the parent ---- */

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  fixture->top = test_tree_make_quick ();
  fixture->template = g_build_filename (fixture->top, "template", NULL);
  fixture->work = g_build_filename (fixture->top, "work", NULL);
  fixture->child = fault_child_new (fixture->work);
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  fault_child_free (fixture->child);
  test_tree_remove (fixture->top);
  g_free (fixture->top);
  g_free (fixture->template);
  g_free (fixture->work);
}

static void
make_template (Fixture *fixture, const char *what)
{
  SealedStore store = { 0 };
  g_autoptr (GError) error = NULL;

  use (&store, fixture->template);
  if (!g_str_equal (what, "make"))
    {
      sealed_store_try_open (&store, !g_str_equal (what, "encrypt"), &error);
      g_assert_no_error (error);
      g_assert_true (reeve_storage_create_scope (store.storage, "acme", &error));
      sealed_store_write_many (&store, BATCHES);
    }
  leave (&store);
}

static void
check_after (SealedStore *store, const char *what)
{
  g_autofree char *copy = g_strconcat (store->file, ".copy", NULL);
  g_autoptr (GError) error = NULL;
  gboolean there = FALSE;

  sealed_store_open (store);
  there = reeve_storage_has_scope (store->storage, "acme");
  if (g_str_equal (what, "make") || g_str_equal (what, "drop"))
    {
      if (there && g_str_equal (what, "drop"))
        {
          sealed_store_check (store, BATCHES);
          g_assert_true (reeve_storage_drop_scope (store->storage, "acme", &error));
          there = FALSE;
        }
      if (!there)
        g_assert_true (reeve_storage_create_scope (store->storage, "acme", &error));
      g_assert_no_error (error);
      sealed_store_check (store, 0);
    }
  else
    {
      sealed_store_check (store, BATCHES);
      store->number = BATCHES;
    }
  g_assert_false (g_file_test (copy, G_FILE_TEST_EXISTS));
  sealed_store_write_many (store, 1);
  sealed_store_close (store);
  sealed_store_open (store);
  sealed_store_check (store, store->number);
}

/* it can be done after all, and nothing of the older keys is left */
static void
check_rotation (SealedStore *store, const char *what)
{
  ReeveStorageProtection protection = { 0 };
  g_autofree char *copy = g_strconcat (store->file, ".copy", NULL);
  g_autoptr (GError) error = NULL;
  guint64 others = 1;

  do_one (store, what, &error);
  g_assert_no_error (error);
  sealed_store_get_protection (store, &protection);
  g_assert_true (sqlite_guard_count_others (store->file, protection.key_id, &others, &error));
  g_assert_cmpuint (others, ==, 0);
  g_assert_false (g_file_test (copy, G_FILE_TEST_EXISTS));
  sealed_store_check (store, store->number);
}

/* FALSE: it was done before that many calls */
static gboolean
kill_at (Fixture *fixture, const char *what, FaultKind kind, guint call)
{
  const char *arguments[] = { "--child", fixture->work, what, NULL };
  g_autofree char *text = NULL;
  g_autofree char *errors = NULL;
  SealedStore store = { 0 };
  int status = 0;

  test_tree_remove (fixture->work);
  test_tree_copy (fixture->template, fixture->work);
  /* half a write only in stores: how the host writes its keys is its own matter */
  fault_child_arm (fixture->child, kind, FAULT_ALL, kind == FAULT_KILL_HALF ? "/state/" : NULL,
                   call, call);
  text = fault_child_run (fixture->child, arguments, &status, &errors);
  if (call > 0 && fault_child_get_control (fixture->child)->failed == 0)
    return FALSE;
  g_test_message ("%s, kind %d, call %u: %s %s", what, kind, call,
                  fault_child_get_control (fixture->child)->hit, errors);
  if (call == 0)
    g_assert_cmpint (status, ==, 0);
  else
    g_assert_true (WIFSIGNALED (status));
  use (&store, fixture->work);
  check_after (&store, what);
  if (g_str_equal (what, "copy") || g_str_equal (what, "rewrite"))
    check_rotation (&store, what);
  leave (&store);
  return TRUE;
}

static void
test_steps (Fixture *fixture, gconstpointer data)
{
  static const FaultKind kinds[] = { FAULT_KILL, FAULT_KILL_HALF };
  const char *what = data;

  make_template (fixture, what);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      guint calls = 0;
      guint stride = 0;

      /* not killed: how many there are */
      g_assert_true (kill_at (fixture, what, kinds[i], 0));
      calls = fault_child_get_control (fixture->child)->seen;
      g_assert_cmpuint (calls, >, 2);
      stride = MAX (1, calls / test_size (12, G_MAXUINT));
      for (guint n = 1 + i; n <= calls; n += stride)
        if (!kill_at (fixture, what, kinds[i], n))
          break;
    }
}

static void
test_random (Fixture *fixture, gconstpointer data)
{
  const char *arguments[] = { "--child", fixture->template, "write", NULL };
  g_autoptr (FaultChild) child = fault_child_new (NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);
  guint rounds = test_size (12, 600);
  SealedStore store = { 0 };

  make_template (fixture, "copy");
  for (guint i = 0; i < rounds; i++)
    {
      guint delay = (guint) g_rand_int_range (rand, 0, 60000);
      g_autofree char *text = fault_child_run_and_kill (child, arguments, delay);
      g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
      guint n = g_strv_length (lines);
      /* the last line may be torn */
      gint64 acknowledged = n >= 2 ? g_ascii_strtoll (lines[n - 2], NULL, 10) : 0;
      g_autoptr (GError) error = NULL;
      gint64 value = 0;

      use (&store, fixture->template);
      sealed_store_open (&store);
      g_assert_true (reeve_storage_get_counter (store.storage, "acme", "n", &value, &error));
      g_assert_no_error (error);
      g_assert_cmpint (value, >=, acknowledged);
      sealed_store_check (&store, value);
      leave (&store);
    }
  use (&store, fixture->template);
  sealed_store_open (&store);
  g_assert_true (reeve_storage_get_counter (store.storage, "acme", "n", &store.number, NULL));
  check_rotation (&store, "copy");
  leave (&store);
}

int
main (int argc, char **argv)
{
  static const char *const steps[] = { "make", "encrypt", "copy", "rewrite", "drop" };

  if (argc == 4 && g_str_equal (argv[1], "--child"))
    return run_child (argv[2], argv[3]);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autofree char *path = g_strconcat ("/storage-sqlite/kills/", steps[i], NULL);

      g_test_add (path, Fixture, steps[i], fixture_set_up, test_steps, fixture_tear_down);
    }
  g_test_add ("/storage-sqlite/kills/random", Fixture, NULL, fixture_set_up, test_random,
              fixture_tear_down);
  return g_test_run ();
}
