/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite on a disk that takes no more: an error, nothing half done, and work goes on when
 * there is room again. The limit is that of file sizes, in a process of its own. */
#include "sqlite-storage.h"
#include "../helpers/test-tree.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define LIMIT_BYTES (600 * 1024)

static const ReeveStep steps[] = {
  { REEVE_STEP_COLLECTION, "things",
    (const ReeveField[]){ { "name", REEVE_FIELD_TEXT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_TEXT, "notes", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration migrations[] = { { 1, "things", steps }, { 0, NULL, NULL } };

static gboolean
write_one (ReeveStorage *storage, gint64 n, GError **error)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autofree char *payload = g_strnfill (20000, 'x');
  g_autoptr (GBytes) bytes = g_bytes_new (payload, 20000);
  g_autoptr (ReeveBatchResult) result = NULL;

  reeve_batch_count (batch, "c", 1, 0, G_MAXINT64);
  reeve_batch_text_put (batch, "notes", "g", "k", NULL, "words", NULL);
  reeve_batch_append (batch, "s", bytes, n);
  result = reeve_storage_commit (storage, batch, error);
  return result != NULL;
}

static void
check (ReeveStorage *storage, gint64 want)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries
      = reeve_storage_read_stream (storage, "acme", "s", 0, G_MAXUINT, &error);
  gint64 value = -1;

  g_assert_no_error (error);
  g_assert_cmpint (entries->len, ==, want);
  g_assert_true (reeve_storage_get_counter (storage, "acme", "c", &value, &error));
  g_assert_cmpint (value, ==, want);
}

static void
limit_files (rlim_t bytes)
{
  struct rlimit limit = { 0 };

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = bytes;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static ReeveStorage *
open_storage (const char *folder)
{
  ReeveStorage *storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_storage_open (storage, folder, migrations, migrations, &error));
  g_assert_no_error (error);
  return storage;
}

static int
run_child (const char *folder)
{
  ReeveStorage *storage = open_storage (folder);
  gint64 n = 0;
  guint refused = 0;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_true (reeve_storage_create_scope (storage, "acme", NULL));
  limit_files (LIMIT_BYTES);
  for (guint i = 0; i < 200 && refused < 3; i++)
    {
      g_autoptr (GError) error = NULL;

      if (write_one (storage, n + 1, &error))
        n++;
      else
        refused++;
      g_assert_true (error == NULL || error->domain == REEVE_ERROR);
    }
  g_assert_cmpuint (refused, ==, 3);
  g_assert_cmpint (n, >=, 5);
  check (storage, n);
  limit_files (RLIM_INFINITY);
  for (guint i = 0; i < 5; i++)
    g_assert_true (write_one (storage, ++n, NULL));
  check (storage, n);
  g_object_unref (storage);
  storage = open_storage (folder);
  check (storage, n);
  g_object_unref (storage);
  return 0;
}

static void
test_full (void)
{
  g_autofree char *folder = g_dir_make_tmp ("reeve-full-XXXXXX", NULL);
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  const char *argv[] = { self, "--child", folder, NULL };
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status = -1;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                               &errors, &status, &error));
  g_assert_no_error (error);
  g_test_message ("%s", errors);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  test_tree_remove (folder);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    return run_child (argv[2]);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/storage-sqlite/full", test_full);
  return g_test_run ();
}
