/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mount_namespaces(7), pivot_root(2). What is shown is taken by descriptor before anything is
 * hidden, and put into a tmpfs of this process's own, read-only: /proc, /sys, /home, /etc are not
 * there. */
#include "runner-root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* what a linked program reads without being told: its loader's cache, time zones, devices */
static const char *const runner_root_system[] = {
  "/usr/lib",
  "/usr/lib32",
  "/usr/lib64",
  "/usr/libx32",
  "/usr/local/lib",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/etc/ld.so.cache",
  "/etc/localtime",
  "/dev/null",
  "/dev/zero",
  "/dev/urandom",
  "/usr/share/zoneinfo",
  "/usr/share/locale",
  "/app/lib",
};

char **
runner_root_list_readable (const RunnerPlan *plan)
{
  g_autoptr (GStrvBuilder) list = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (runner_root_system); i++)
    {
      if (access (runner_root_system[i], R_OK) == 0)
        g_strv_builder_add (list, runner_root_system[i]);
    }
  for (guint i = 0; plan->folders != NULL && plan->folders[i] != NULL; i++)
    g_strv_builder_add (list, plan->folders[i]);
  return g_strv_builder_end (list);
}

/* Makes the folders that lead to @path, and at its end a file or folder to mount on. */
static gboolean
runner_root_make_place (const char *root, const char *path, gboolean folder, char **place)
{
  g_autofree char *full = g_strconcat (root, path, NULL);
  g_autofree char *parent = g_path_get_dirname (full);
  int fd = -1;

  if (g_mkdir_with_parents (parent, 0755) != 0)
    return FALSE;
  if (folder)
    {
      if (mkdir (full, 0755) != 0 && errno != EEXIST)
        return FALSE;
    }
  else
    {
      fd = open (full, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0444);
      if (fd < 0)
        return FALSE;
      close (fd);
    }
  *place = g_steal_pointer (&full);
  return TRUE;
}

static gboolean
runner_root_lock (int tree, guint64 more)
{
  struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | more };

  return mount_setattr (tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes)
         == 0;
}

/* A copy of the mount that @path lies on; -1 with errno. */
static int
runner_root_take (const char *path)
{
  gboolean device = g_str_has_prefix (path, "/dev/");
  int tree = open_tree (AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  int code = 0;

  if (tree < 0 || runner_root_lock (tree, device ? MOUNT_ATTR_NOEXEC : MOUNT_ATTR_NODEV))
    return tree;
  code = errno;
  close (tree);
  errno = code;
  return -1;
}

static gboolean
runner_root_put (int tree, const char *root, const char *path)
{
  g_autofree char *place = NULL;
  struct stat status = { 0 };
  gboolean put = fstat (tree, &status) == 0
                 && runner_root_make_place (root, path, S_ISDIR (status.st_mode), &place)
                 && move_mount (tree, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) == 0;
  int code = errno;

  close (tree);
  errno = code;
  return put;
}

/* A link of the old root, such as /lib -> usr/lib, is made again and not followed. */
static gboolean
runner_root_put_link (const char *root, const char *path, gboolean *link)
{
  char target[256];
  gssize length = readlink (path, target, sizeof target - 1);
  g_autofree char *place = g_strconcat (root, path, NULL);
  g_autofree char *parent = g_path_get_dirname (place);

  *link = length > 0 && strrchr (path, '/') == path;
  if (!*link)
    return TRUE;
  target[length] = '\0';
  return g_mkdir_with_parents (parent, 0755) == 0
         && (symlink (target, place) == 0 || errno == EEXIST);
}

/* What is under one that was put already is there. */
static gboolean
runner_root_is_under (char **list, guint before, const char *path)
{
  for (guint i = 0; i < before; i++)
    {
      gsize length = strlen (list[i]);

      if (g_str_has_prefix (path, list[i]) && (path[length] == '/' || path[length] == '\0'))
        return TRUE;
    }
  return FALSE;
}

/* The new root is a tmpfs over /proc, which nobody needs any more. */
#define RUNNER_ROOT_PLACE "/proc"

/* The module was opened before this namespace was: its mount cannot be taken, but its bytes can. */
static gboolean
runner_root_copy_module (int module_fd)
{
  struct stat status = { 0 };
  off_t at = 0;
  int fd
      = open (RUNNER_ROOT_PLACE RUNNER_ROOT_MODULE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  gboolean good = fd >= 0 && fstat (module_fd, &status) == 0;
  int code = 0;

  while (good && at < status.st_size)
    good = sendfile (fd, module_fd, &at, (gsize) (status.st_size - at)) > 0;
  code = errno;
  if (fd >= 0)
    close (fd);
  errno = code;
  return good;
}

static gboolean
runner_root_fill (const RunnerPlan *plan, char **list, const int *trees, int module_fd)
{
  for (guint i = 0; list[i] != NULL; i++)
    {
      gboolean link = FALSE;

      if (trees[i] < 0 && !runner_root_put_link (RUNNER_ROOT_PLACE, list[i], &link))
        return FALSE;
      if (trees[i] >= 0 && !runner_root_put (trees[i], RUNNER_ROOT_PLACE, list[i]))
        return FALSE;
    }
  /* what is mounted there comes behind */
  if (plan->scratch != 0 && mkdir (RUNNER_ROOT_PLACE RUNNER_PLAN_SCRATCH, 0700) != 0
      && errno != EEXIST)
    return FALSE;
  return module_fd < 0 || runner_root_copy_module (module_fd);
}

/* pivot_root(2) ("." over "."): the old root lies on the new one, and is let go. */
static const char *
runner_root_pivot (void)
{
  if (chdir (RUNNER_ROOT_PLACE) != 0)
    return "chdir ()";
  if (syscall (SYS_pivot_root, ".", ".") != 0)
    return "pivot_root ()";
  if (umount2 (".", MNT_DETACH) != 0)
    return "umount2 ()";
  if (mount (NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) != 0)
    return "mount (MS_RDONLY)";
  return chdir ("/") == 0 ? NULL : "chdir ()";
}

static const char *
runner_root_build (const RunnerPlan *plan, char **list, int *trees, int module_fd)
{
  if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return "mount (MS_PRIVATE)";
  for (guint i = 0; list[i] != NULL; i++)
    {
      struct stat status = { 0 };

      trees[i] = -1;
      if (runner_root_is_under (list, i, list[i])
          || (strrchr (list[i], '/') == list[i] && lstat (list[i], &status) == 0
              && S_ISLNK (status.st_mode)))
        continue;
      trees[i] = runner_root_take (list[i]);
      if (trees[i] < 0)
        return "open_tree ()";
    }
  if (mount ("tmpfs", RUNNER_ROOT_PLACE, "tmpfs", MS_NOSUID | MS_NODEV,
             "size=256m,nr_inodes=256,mode=0755")
      != 0)
    return "mount (tmpfs)";
  return runner_root_fill (plan, list, trees, module_fd) ? runner_root_pivot ()
                                                         : "filling the new root";
}

void
runner_root_enter (const RunnerPlan *plan, int module_fd, RunnerReport *report)
{
  g_auto (GStrv) list = runner_root_list_readable (plan);
  g_autofree int *trees = g_new (int, g_strv_length (list) + 1);
  const char *failed = NULL;

  if ((report->layers & RUNNER_LAYERS_MOUNT_NAMESPACE) == 0)
    {
      runner_report_note (report, RUNNER_LAYERS_ROOT, 0, "there is no mount namespace");
      return;
    }
  failed = runner_root_build (plan, list, trees, module_fd);
  if (failed == NULL)
    report->layers |= RUNNER_LAYERS_ROOT;
  else
    runner_report_note (report, RUNNER_LAYERS_ROOT, errno, failed);
}
