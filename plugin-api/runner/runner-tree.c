/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A path has 4,096 letters at most and a process some hundred descriptors: who fills a folder can
 * make one that nftw(3) does not get to the end of. So what is very deep is brought up to the top
 * before it is removed. Not all is: a process under Landlock's first version moves nothing. */
#include "runner-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNNER_TREE_DEPTH       32
#define RUNNER_TREE_OPEN        8   /* folders that are open at once while they are removed */
#define RUNNER_TREE_BLOCK_BYTES 512 /* of st_blocks: stat(2) */
#define RUNNER_TREE_FLAGS       (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static gboolean
runner_tree_is_self (const char *name)
{
  return strcmp (name, ".") == 0 || strcmp (name, "..") == 0;
}

/* Takes over @fd. (transfer full) (nullable) */
static DIR *
runner_tree_open (int fd)
{
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;

  if (folder == NULL && fd >= 0)
    close (fd);
  return folder;
}

static gboolean runner_tree_measure_in (int fd, guint depth, guint64 most, RunnerTreeSize *size);

/* Who fills it may remove it, or put something else there, meanwhile: that is nothing bad. */
static gboolean
runner_tree_measure_at (int folder, const char *name, guint depth, guint64 most,
                        RunnerTreeSize *size)
{
  int fd = openat (folder, name, RUNNER_TREE_FLAGS);

  if (fd < 0)
    return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
  return runner_tree_measure_in (fd, depth, most, size);
}

static gboolean
runner_tree_measure_in (int fd, guint depth, guint64 most, RunnerTreeSize *size)
{
  DIR *folder = runner_tree_open (fd);
  struct dirent *entry = NULL;
  gboolean good = folder != NULL;

  while (good && (entry = readdir (folder)) != NULL)
    {
      struct stat status = { 0 };

      if (runner_tree_is_self (entry->d_name)
          /* gone by now */
          || fstatat (dirfd (folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      size->bytes += (guint64) status.st_blocks * RUNNER_TREE_BLOCK_BYTES;
      good = ++size->files <= most;
      if (!good || !S_ISDIR (status.st_mode))
        continue;
      good = depth < RUNNER_TREE_DEPTH
             && runner_tree_measure_at (dirfd (folder), entry->d_name, depth + 1, most, size);
    }
  if (folder != NULL)
    closedir (folder);
  return good;
}

gboolean
runner_tree_measure (const char *path, guint64 most, RunnerTreeSize *size)
{
  int fd = open (path, RUNNER_TREE_FLAGS);

  *size = (RunnerTreeSize){ 0 };
  if (fd < 0)
    return errno == ENOENT;
  return runner_tree_measure_in (fd, 1, most, size);
}

/* Who owns a folder may open it again. A process that may change no mode does not try where nothing
 * needs it. */
static void
runner_tree_permit (int at, const char *name)
{
  struct stat status = { 0 };

  if (fstatat (at, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR (status.st_mode)
      && (status.st_mode & S_IRWXU) != S_IRWXU)
    fchmodat (at, name, S_IRWXU, 0);
}

/* Moves folder @name of @from to @top, by a name that is free there. */
static gboolean
runner_tree_hoist (int from, const char *name, int top, guint64 *last)
{
  char free_name[32];
  int code = 0;

  /* a folder that moves is written to */
  runner_tree_permit (from, name);
  do
    {
      g_snprintf (free_name, sizeof free_name, ".%" G_GUINT64_FORMAT, ++*last);
      code = renameat2 (from, name, top, free_name, 0) == 0 ? 0 : errno;
    }
  while (code == ENOTEMPTY || code == EEXIST || code == ENOTDIR);
  return code == 0;
}

/* Removes folder @name of @from with what is in it; what is deeper than a process has descriptors
 * for goes to @top first. FALSE: nothing went. */
static gboolean
runner_tree_empty (int from, const char *name, guint depth, int top, guint64 *last)
{
  DIR *folder = NULL;
  struct dirent *entry = NULL;
  gboolean moved = FALSE;

  runner_tree_permit (from, name);
  folder = runner_tree_open (openat (from, name, RUNNER_TREE_FLAGS));
  while (folder != NULL && (entry = readdir (folder)) != NULL)
    {
      if (!runner_tree_is_self (entry->d_name)
          && (unlinkat (dirfd (folder), entry->d_name, 0) == 0
              || (depth < RUNNER_TREE_OPEN
                      ? runner_tree_empty (dirfd (folder), entry->d_name, depth + 1, top, last)
                      : runner_tree_hoist (dirfd (folder), entry->d_name, top, last))))
        moved = TRUE;
    }
  if (folder != NULL)
    closedir (folder);
  return unlinkat (from, name, AT_REMOVEDIR) == 0 || moved;
}

/* Once over all that is there. FALSE: nothing went any more. */
static gboolean
runner_tree_pass (const char *path, int top, guint64 *last, gboolean *empty)
{
  DIR *folder = runner_tree_open (open (path, RUNNER_TREE_FLAGS));
  struct dirent *entry = NULL;
  gboolean moved = FALSE;

  *empty = folder != NULL;
  while (folder != NULL && (entry = readdir (folder)) != NULL)
    {
      if (runner_tree_is_self (entry->d_name))
        continue;
      *empty = FALSE;
      if (unlinkat (top, entry->d_name, 0) == 0
          || runner_tree_empty (top, entry->d_name, 1, top, last))
        moved = TRUE;
    }
  if (folder != NULL)
    closedir (folder);
  return moved;
}

gboolean
runner_tree_remove (const char *path)
{
  int top = -1;
  guint64 last = 0;
  gboolean empty = FALSE;

  runner_tree_permit (AT_FDCWD, path);
  top = open (path, RUNNER_TREE_FLAGS);
  if (top < 0)
    return unlink (path) == 0 || errno == ENOENT;
  while (!empty && runner_tree_pass (path, top, &last, &empty))
    continue;
  close (top);
  return rmdir (path) == 0;
}
