/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Folders as somebody makes them who does not want them to go: deep, closed, with links out. */
#include "runner/runner-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#define DEEP 24 /* folders in one another: with such names no path is that long */
/* 200 letters */
#define TEN    "aaaaaaaaaa"
#define FIFTY  TEN TEN TEN TEN TEN
#define FOLDER FIFTY FIFTY FIFTY FIFTY

typedef struct
{
  const char *path;
  gint over;
} TreeChurn;

static char *
make_folder (void)
{
  char *path = g_dir_make_tmp ("tree.XXXXXX", NULL);

  g_assert_nonnull (path);
  return path;
}

/* Folders in one another, each with a file and mode @mode. */
static void
make_deep (const char *path, guint depth, mode_t mode)
{
  int at = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  g_assert_cmpint (at, >=, 0);
  for (guint i = 0; i < depth; i++)
    {
      int file = openat (at, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0000);
      int next = -1;

      g_assert_cmpint (file, >=, 0);
      close (file);
      g_assert_cmpint (mkdirat (at, FOLDER, 0700), ==, 0);
      next = openat (at, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      g_assert_cmpint (next, >=, 0);
      g_assert_cmpint (fchmod (at, mode), ==, 0);
      close (at);
      at = next;
    }
  close (at);
}

static void
test_remove (void)
{
  g_autofree char *kept = make_folder ();
  g_autofree char *kept_file = g_build_filename (kept, "file", NULL);
  g_autofree char *path = make_folder ();
  g_autofree char *link = g_build_filename (path, "link", NULL);
  g_autofree char *taken = g_build_filename (path, ".1", NULL);

  g_assert_true (g_file_set_contents (kept_file, "kept", 4, NULL));
  g_assert_cmpint (symlink (kept, link), ==, 0);
  /* a name that it would take itself */
  g_assert_true (g_file_set_contents (taken, "", 0, NULL));
  make_deep (path, DEEP, 0000);
  g_assert_true (runner_tree_remove (path));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (kept_file, G_FILE_TEST_EXISTS));
  g_assert_true (runner_tree_remove (path));
  /* of a link it is the link */
  g_assert_cmpint (symlink (kept, path), ==, 0);
  g_assert_true (runner_tree_remove (path));
  g_assert_true (g_file_test (kept_file, G_FILE_TEST_EXISTS));
  g_assert_true (runner_tree_remove (kept));
  g_assert_false (g_file_test (kept, G_FILE_TEST_EXISTS));
}

static void
test_measure (void)
{
  g_autofree char *path = make_folder ();
  g_autofree char *file = g_build_filename (path, "large", NULL);
  g_autofree char *block = g_malloc0 (1 << 20);
  RunnerTreeSize size = { 0 };

  g_assert_true (runner_tree_measure (path, 10, &size));
  g_assert_cmpuint (size.files, ==, 0);
  g_assert_cmpuint (size.bytes, ==, 0);
  memset (block, 'b', 1 << 20);
  g_assert_true (g_file_set_contents (file, block, 1 << 20, NULL));
  make_deep (path, 4, 0700);
  g_assert_true (runner_tree_measure (path, 10, &size));
  g_assert_cmpuint (size.files, ==, 9);
  g_assert_cmpuint (size.bytes, >=, 1 << 20);
  /* a file with nothing in it takes nothing */
  g_assert_cmpint (truncate (file, 0), ==, 0);
  g_assert_cmpint (truncate (file, (off_t) 1 << 40), ==, 0);
  g_assert_true (runner_tree_measure (path, 10, &size));
  g_assert_cmpuint (size.bytes, <, 1 << 20);
  g_assert_false (runner_tree_measure (path, 8, &size));
  g_assert_true (runner_tree_remove (path));
  g_assert_true (runner_tree_measure (path, 10, &size));
}

static void
test_measure_deep (void)
{
  g_autofree char *path = make_folder ();
  RunnerTreeSize size = { 0 };

  make_deep (path, 40, 0700);
  g_assert_false (runner_tree_measure (path, 1000, &size));
  g_assert_true (runner_tree_remove (path));
}

static gpointer
churn (gpointer data)
{
  TreeChurn *self = data;

  for (guint i = 0; g_atomic_int_get (&self->over) == 0; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/churned-%u", self->path, i % 64);

      if (g_mkdir (path, 0700) != 0)
        g_rmdir (path);
    }
  return NULL;
}

/* Folders that go while they are counted are no fault of who removes them. */
static void
test_measure_churned (void)
{
  g_autofree char *path = make_folder ();
  TreeChurn self = { .path = path };
  GThread *thread = g_thread_new ("churn", churn, &self);
  RunnerTreeSize size = { 0 };

  for (guint i = 0; i < 5000; i++)
    g_assert_true (runner_tree_measure (path, G_MAXUINT, &size));
  g_atomic_int_set (&self.over, 1);
  g_thread_join (thread);
  g_assert_true (runner_tree_remove (path));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tree/remove", test_remove);
  g_test_add_func ("/tree/measure", test_measure);
  g_test_add_func ("/tree/measure/deep", test_measure_deep);
  g_test_add_func ("/tree/measure/churned", test_measure_churned);
  return g_test_run ();
}
