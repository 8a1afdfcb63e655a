/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths that plugins say of a granted folder: whatever is opened is a file in it, and what is no
 * path opens nothing even unchecked. */
/* covers: host/runtime/plugin-folder.c */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/plugin-folder.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static char *outside;
static ino_t inner[2];

static ino_t
put (const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (outside, name, NULL);
  struct stat status = { 0 };

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (stat (path, &status), ==, 0);
  return status.st_ino;
}

static void
link_to (const char *target, const char *name)
{
  g_autofree char *path = g_build_filename (outside, name, NULL);

  g_assert_cmpint (symlink (target, path), ==, 0);
}

/* granted/a, granted/d/b; and links that lead out */
static void
lay_out (void)
{
  g_autofree char *deep = NULL;

  outside = g_dir_make_tmp ("plugin-path.XXXXXX", NULL);
  g_assert_nonnull (outside);
  deep = g_build_filename (outside, "granted", "d", NULL);
  g_assert_cmpint (g_mkdir_with_parents (deep, 0700), ==, 0);
  put ("secret", "s");
  inner[0] = put ("granted/a", "a");
  inner[1] = put ("granted/d/b", "b");
  link_to ("../secret", "granted/l");
  link_to ("..", "granted/o");
  link_to ("/proc/self", "granted/p");
}

static void
remove_all (void)
{
  static const char *const names[]
      = { "granted/p", "granted/o", "granted/l", "granted/d/b", "granted/a", "secret",
          "granted/d", "granted",   "" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (outside, names[i], NULL);
      g_remove (path);
    }
  g_clear_pointer (&outside, g_free);
}

static void
must_be_inside (int fd)
{
  struct stat status = { 0 };

  if (fd < 0)
    return;
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  g_assert_true (status.st_ino == inner[0] || status.st_ino == inner[1]);
  close (fd);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *path = g_strndup (size > 0 ? (const char *) data : "", size);
  g_autofree char *granted = NULL;
  g_autoptr (ReevePluginFolder) folder = NULL;
  const char *name = NULL;
  int parent = -1;

  if (outside == NULL)
    {
      lay_out ();
      atexit (remove_all);
    }
  granted = g_build_filename (outside, "granted", NULL);
  folder = reeve_plugin_folder_new (granted, NULL, NULL);
  g_assert_true (folder != NULL);
  must_be_inside (reeve_plugin_folder_open_file (folder, path, NULL));
  if (!reeve_plugin_folder_is_path (path, FALSE))
    return 0;
  g_assert_true (g_utf8_validate (path, -1, NULL) && *path != '/' && *path != '\0');
  parent = reeve_plugin_folder_open_parent (folder, path, &name, NULL);
  if (parent >= 0)
    {
      g_assert_null (strchr (name, '/'));
      g_assert_cmpstr (name, !=, "..");
      close (parent);
    }
  return 0;
}
