/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* proc(5): what was removed has " (deleted)" behind its name, in fd/ as in maps. */
#include "runner-hidden.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REEVE_RUNNER_HIDDEN_READ  4096
#define REEVE_RUNNER_HIDDEN_BLOCK 512 /* of st_blocks: stat(3) */

static gboolean
reeve_runner_hidden_is_below (const char *name, const char *path)
{
  gsize length = strlen (path);

  return strncmp (name, path, length) == 0 && name[length] == '/'
         && g_str_has_suffix (name, " (deleted)");
}

/* @seen: inodes, of which each counts once */
static guint64
reeve_runner_hidden_measure_open (GPid pid, const char *path, GHashTable *seen)
{
  g_autofree char *folder = g_strdup_printf ("/proc/%d/fd", pid);
  g_autoptr (GDir) all = g_dir_open (folder, 0, NULL);
  const char *number = NULL;
  guint64 bytes = 0;

  while (all != NULL && (number = g_dir_read_name (all)) != NULL)
    {
      g_autofree char *link = g_build_filename (folder, number, NULL);
      g_autofree char *name = g_file_read_link (link, NULL);
      struct stat status = { 0 };
      guint64 inode = 0;

      if (name == NULL || !reeve_runner_hidden_is_below (name, path) || stat (link, &status) != 0
          || status.st_nlink != 0)
        continue;
      inode = status.st_ino;
      if (g_hash_table_add (seen, g_memdup2 (&inode, sizeof inode)))
        bytes += (guint64) status.st_blocks * REEVE_RUNNER_HIDDEN_BLOCK;
    }
  return bytes;
}

/* From its beginning. (transfer full) (nullable) */
static char *
reeve_runner_hidden_read (int fd)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char block[REEVE_RUNNER_HIDDEN_READ];
  gssize length = lseek (fd, 0, SEEK_SET) == 0 ? 1 : -1;

  while (length > 0)
    {
      length = read (fd, block, sizeof block);
      if (length > 0)
        g_string_append_len (text, block, length);
    }
  return length == 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

static guint64
reeve_runner_hidden_measure_mapped (GPid pid, int maps, const char *path, GHashTable *seen)
{
  g_autofree char *file = g_strdup_printf ("/proc/%d/maps", pid);
  g_autofree char *text = maps >= 0 ? reeve_runner_hidden_read (maps) : NULL;
  g_auto (GStrv) lines = NULL;
  guint64 bytes = 0;

  if (text == NULL && !g_file_get_contents (file, &text, NULL, NULL))
    return 0;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      guint64 from = 0;
      guint64 to = 0;
      guint64 inode = 0;
      int name = 0;

      /* start-end, protection, offset, device, inode, name */
      if (sscanf (lines[i],
                  "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x %*s %*s %*s "
                  "%" G_GINT64_MODIFIER "u %n",
                  &from, &to, &inode, &name)
              == 3
          && name > 0 && reeve_runner_hidden_is_below (lines[i] + name, path)
          && !g_hash_table_contains (seen, &inode))
        bytes += to - from;
    }
  return bytes;
}

/**
 * reeve_runner_hidden_measure:
 * @pid: of a process
 * @maps: what it has mapped, opened while the kernel let it be; -1: it is opened now
 * @path: of a folder that it may write in
 *
 * Returns: bytes that it holds of what was removed there
 */
guint64
reeve_runner_hidden_measure (GPid pid, int maps, const char *path)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  guint64 bytes = reeve_runner_hidden_measure_open (pid, path, seen);

  return bytes + reeve_runner_hidden_measure_mapped (pid, maps, path, seen);
}
