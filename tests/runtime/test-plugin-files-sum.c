/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a folder holds, with what is on its way there, and what others do meanwhile. */
#include "runtime/plugin-files-sum.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "../helpers/test-tree.h"

typedef struct
{
  char *path;
  ReevePluginFolder *folder;
  ReevePluginFilesSum *sum;
  ReeveContext *context;
} Fixture;

static void
put (Fixture *self, const char *name, gsize size)
{
  g_autofree char *path = g_build_filename (self->path, name, NULL);
  g_autofree char *text = g_malloc0 (size + 1);

  g_assert_true (g_file_set_contents (path, text, (gssize) size, NULL));
}

static void
set_up (Fixture *self, gconstpointer data)
{
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autofree char *sub = NULL;

  self->path = g_dir_make_tmp ("files-sum.XXXXXX", NULL);
  g_assert_nonnull (self->path);
  sub = g_build_filename (self->path, "sub", NULL);
  g_assert_cmpint (g_mkdir (sub, 0700), ==, 0);
  put (self, "a", 100);
  put (self, "sub/b", 50);
  self->folder = reeve_plugin_folder_new (self->path, NULL, NULL);
  self->sum = reeve_plugin_files_sum_new ();
  self->context = reeve_context_new (&info, NULL, NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_clear_object (&self->context);
  reeve_plugin_files_sum_free (self->sum);
  reeve_plugin_folder_free (self->folder);
  test_tree_remove (self->path);
  g_free (self->path);
}

static void
expect (Fixture *self, gboolean anew, gint64 bytes, gint64 files)
{
  const ReeveCapabilityCaller caller = { .context = self->context };
  g_autoptr (GError) error = NULL;
  ReevePluginFilesAmount now = { 0 };

  g_assert_true (
      reeve_plugin_files_sum_get (self->sum, self->folder, "f", &caller, anew, &now, &error));
  g_assert_no_error (error);
  g_assert_cmpint (now.bytes, ==, bytes);
  g_assert_cmpint (now.files, ==, files);
}

static void
test_taking (Fixture *self, gconstpointer data)
{
  const ReevePluginFilesAmount limit = { 200, 5 };
  const ReevePluginFilesAmount fifty = { 50, 1 };
  const ReevePluginFilesAmount one = { 1, 0 };
  const ReevePluginFilesAmount name = { 0, 1 };
  const ReevePluginFilesAmount less = { -100, -1 };

  expect (self, FALSE, 150, 3);
  g_assert_true (reeve_plugin_files_sum_take (self->sum, "f", &fifty, &limit));
  /* what is on its way counts, and nothing goes beyond */
  expect (self, FALSE, 200, 4);
  g_assert_false (reeve_plugin_files_sum_take (self->sum, "f", &one, &limit));
  g_assert_true (reeve_plugin_files_sum_take (self->sum, "f", &name, &limit));
  g_assert_false (reeve_plugin_files_sum_take (self->sum, "f", &name, &limit));
  /* less is always allowed */
  g_assert_true (reeve_plugin_files_sum_take (self->sum, "f", &less, &limit));
  reeve_plugin_files_sum_settle (self->sum, "f", &less, TRUE);
  reeve_plugin_files_sum_settle (self->sum, "f", &name, FALSE);
  reeve_plugin_files_sum_settle (self->sum, "f", &fifty, TRUE);
  expect (self, FALSE, 100, 3);
  /* nothing of it was really done */
  expect (self, TRUE, 150, 3);
}

static void
test_others (Fixture *self, gconstpointer data)
{
  expect (self, FALSE, 150, 3);
  put (self, "c", 10);
  expect (self, FALSE, 150, 3);
  expect (self, TRUE, 160, 4);
}

/* Whoever gave the call up does not walk on. */
static void
test_given_up (Fixture *self, gconstpointer data)
{
  const ReeveContextInfo info
      = { .struct_size = sizeof info, .deadline = g_get_monotonic_time () - 1 };
  g_autoptr (ReeveContext) late = reeve_context_new (&info, NULL, NULL);
  const ReeveCapabilityCaller caller = { .context = late };
  g_autoptr (GError) error = NULL;
  ReevePluginFilesAmount now = { 0 };

  g_assert_false (
      reeve_plugin_files_sum_get (self->sum, self->folder, "f", &caller, FALSE, &now, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  expect (self, FALSE, 150, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/plugin-files-sum/taking", Fixture, NULL, set_up, test_taking, tear_down);
  g_test_add ("/plugin-files-sum/others", Fixture, NULL, set_up, test_others, tear_down);
  g_test_add ("/plugin-files-sum/given-up", Fixture, NULL, set_up, test_given_up, tear_down);
  return g_test_run ();
}
