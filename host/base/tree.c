/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A path has 4,096 letters at most and a process some hundred descriptors: who fills a folder can
 * make one that nftw(3) does not get to the end of. So what is removed is brought up to the top
 * first, level by level. */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REEVE_TREE_DEPTH       32
#define REEVE_TREE_BLOCK_BYTES 512 /* of st_blocks: stat(2) */
#define REEVE_TREE_FLAGS       (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static gboolean
reeve_tree_is_self (const char *name)
{
  return strcmp (name, ".") == 0 || strcmp (name, "..") == 0;
}

/* Takes over @fd. (transfer full) (nullable) */
static DIR *
reeve_tree_open (int fd)
{
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;

  if (folder == NULL && fd >= 0)
    close (fd);
  return folder;
}

static gboolean
reeve_tree_measure_in (int fd, guint depth, guint64 most, ReeveTreeSize *size)
{
  DIR *folder = reeve_tree_open (fd);
  struct dirent *entry = NULL;
  gboolean good = folder != NULL;

  while (good && (entry = readdir (folder)) != NULL)
    {
      struct stat status = { 0 };

      if (reeve_tree_is_self (entry->d_name)
          /* gone by now */
          || fstatat (dirfd (folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      size->bytes += (guint64) status.st_blocks * REEVE_TREE_BLOCK_BYTES;
      good = ++size->files <= most;
      if (!good || !S_ISDIR (status.st_mode))
        continue;
      good = depth < REEVE_TREE_DEPTH
             && reeve_tree_measure_in (openat (dirfd (folder), entry->d_name, REEVE_TREE_FLAGS),
                                       depth + 1, most, size);
    }
  if (folder != NULL)
    closedir (folder);
  return good;
}

gboolean
reeve_tree_measure (const char *path, guint64 most, ReeveTreeSize *size)
{
  int fd = open (path, REEVE_TREE_FLAGS);

  *size = (ReeveTreeSize){ 0 };
  if (fd < 0)
    return errno == ENOENT;
  return reeve_tree_measure_in (fd, 1, most, size);
}

/* Moves folder @name of @from to @top, by a name that is free there. */
static gboolean
reeve_tree_hoist (int from, const char *name, int top, guint64 *last)
{
  char free_name[32];
  int code = 0;

  /* a folder that moves is written to */
  fchmodat (from, name, 0700, 0);
  do
    {
      g_snprintf (free_name, sizeof free_name, ".%" G_GUINT64_FORMAT, ++*last);
      code = renameat2 (from, name, top, free_name, 0) == 0 ? 0 : errno;
    }
  while (code == ENOTEMPTY || code == EEXIST || code == ENOTDIR);
  return code == 0;
}

/* Removes what is in folder @name of @top, but for its folders, which go to @top. */
static gboolean
reeve_tree_empty (int top, const char *name, guint64 *last)
{
  DIR *folder = NULL;
  struct dirent *entry = NULL;
  gboolean moved = FALSE;

  fchmodat (top, name, 0700, 0);
  folder = reeve_tree_open (openat (top, name, REEVE_TREE_FLAGS));
  while (folder != NULL && (entry = readdir (folder)) != NULL)
    {
      if (!reeve_tree_is_self (entry->d_name)
          && (unlinkat (dirfd (folder), entry->d_name, 0) == 0
              || reeve_tree_hoist (dirfd (folder), entry->d_name, top, last)))
        moved = TRUE;
    }
  if (folder != NULL)
    closedir (folder);
  return unlinkat (top, name, AT_REMOVEDIR) == 0 || moved;
}

/* Once over all that is there. FALSE: nothing went any more. */
static gboolean
reeve_tree_pass (const char *path, int top, guint64 *last, gboolean *empty)
{
  DIR *folder = reeve_tree_open (open (path, REEVE_TREE_FLAGS));
  struct dirent *entry = NULL;
  gboolean moved = FALSE;

  *empty = folder != NULL;
  while (folder != NULL && (entry = readdir (folder)) != NULL)
    {
      if (reeve_tree_is_self (entry->d_name))
        continue;
      *empty = FALSE;
      if (unlinkat (top, entry->d_name, 0) == 0 || reeve_tree_empty (top, entry->d_name, last))
        moved = TRUE;
    }
  if (folder != NULL)
    closedir (folder);
  return moved;
}

gboolean
reeve_tree_remove (const char *path)
{
  int top = open (path, REEVE_TREE_FLAGS);
  guint64 last = 0;
  gboolean empty = FALSE;

  if (top < 0)
    return unlink (path) == 0 || errno == ENOENT;
  fchmod (top, 0700);
  while (!empty && reeve_tree_pass (path, top, &last, &empty))
    continue;
  close (top);
  return rmdir (path) == 0;
}
