/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Folders of tests: removed with all in them, or copied. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

/* A new folder where a sync costs little, for tests in which the disk never really fails. */
static inline char *
test_tree_make_quick (void)
{
  char *folder = g_strdup ("/dev/shm/reeve-XXXXXX");

  if (g_mkdtemp (folder) != NULL)
    return folder;
  g_free (folder);
  folder = g_dir_make_tmp ("reeve-XXXXXX", NULL);
  g_assert_nonnull (folder);
  return folder;
}

/* Removes @path and all in it; what is not there is fine. */
static inline void
test_tree_remove (const char *path)
{
  /* g_dir_open would follow a link out of the tree */
  g_autoptr (GDir) folder
      = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      test_tree_remove (inner);
    }
  (void) g_remove (path);
}

/* Copies folder @from to @to. */
static inline void
test_tree_copy (const char *from, const char *to)
{
  g_autoptr (GDir) folder = g_dir_open (from, 0, NULL);
  const char *name = NULL;

  if (folder == NULL)
    {
      g_autofree char *bytes = NULL;
      gsize length = 0;

      g_assert_true (g_file_get_contents (from, &bytes, &length, NULL));
      g_assert_true (g_file_set_contents_full (to, bytes, (gssize) length, G_FILE_SET_CONTENTS_NONE,
                                               0600, NULL));
      return;
    }
  g_assert_cmpint (g_mkdir_with_parents (to, 0700), ==, 0);
  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *inner_from = g_build_filename (from, name, NULL);
      g_autofree char *inner_to = g_build_filename (to, name, NULL);

      test_tree_copy (inner_from, inner_to);
    }
}
