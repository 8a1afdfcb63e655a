/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openat2(2): the kernel resolves the whole path and follows nothing; what changes meanwhile fails
 * or is inside. A kernel without it serves nothing. */
#include "plugin-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define REEVE_PLUGIN_FOLDER_RESOLVE                                                                \
  (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)
#define REEVE_PLUGIN_FOLDER_TRIES 64 /* where something is renamed while it is resolved */

struct _ReevePluginFolder
{
  int fd;
  char *reserved; /* (nullable): as the kernel calls it */
};

gboolean
reeve_plugin_folder_is_path (const char *path, gboolean folder)
{
  g_auto (GStrv) names = NULL;

  if (*path == '\0')
    return folder;
  if (strlen (path) > REEVE_PLUGIN_FOLDER_PATH || !g_utf8_validate (path, -1, NULL))
    return FALSE;
  names = g_strsplit (path, "/", -1);
  for (guint i = 0; names[i] != NULL; i++)
    if (*names[i] == '\0' || strlen (names[i]) > 255 || strcmp (names[i], ".") == 0
        || strcmp (names[i], "..") == 0)
      return FALSE;
  return TRUE;
}

gboolean
reeve_plugin_folder_fail (const char *path, int code, GError **error)
{
  ReeveError word = REEVE_ERROR_FAILED;
  const char *why = g_strerror (code);

  if (code == ENOENT || code == ENOTDIR)
    word = REEVE_ERROR_NOT_FOUND;
  else if (code == EXDEV || code == ELOOP)
    {
      word = REEVE_ERROR_PERMISSION_DENIED;
      why = "leads out of the folder, through a link or onto another file system";
    }
  else if (code == EACCES || code == EPERM || code == EROFS)
    word = REEVE_ERROR_PERMISSION_DENIED;
  else if (code == EEXIST || code == ENOTEMPTY)
    word = REEVE_ERROR_ALREADY_EXISTS;
  else if (code == ENOSPC || code == EDQUOT)
    word = REEVE_ERROR_UNAVAILABLE;
  else if (code == EAGAIN)
    word = REEVE_ERROR_BUSY;
  else if (code == ENOSYS)
    word = REEVE_ERROR_UNSUPPORTED;
  g_set_error (error, REEVE_ERROR, (int) word, "\"%s\": %s", path, why);
  return FALSE;
}

/* (transfer full) (nullable): what the kernel calls it */
static char *
reeve_plugin_folder_name (int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);

  return g_file_read_link (link, NULL);
}

/* A second name that somebody gave to a file of the host's own, which its path does not tell: names
 * of a file are on one file system. */
static gboolean
reeve_plugin_folder_may_be_own (ReevePluginFolder *self, int fd)
{
  struct stat own = { 0 };
  struct stat status = { 0 };

  if (fstat (fd, &status) != 0)
    return TRUE;
  return S_ISREG (status.st_mode) && status.st_nlink > 1
         && (stat (self->reserved, &own) != 0
             || (own.st_dev == status.st_dev && own.st_uid == status.st_uid));
}

/* Nothing of the kernel's own, and nothing of the host's. */
static gboolean
reeve_plugin_folder_is_free (ReevePluginFolder *self, int fd)
{
  struct statfs file_system = { 0 };
  g_autofree char *name = NULL;
  gsize length = self->reserved != NULL ? strlen (self->reserved) : 0;

  if (fstatfs (fd, &file_system) != 0 || file_system.f_type == PROC_SUPER_MAGIC
      || file_system.f_type == SYSFS_MAGIC)
    return FALSE;
  if (length == 0)
    return TRUE;
  name = reeve_plugin_folder_name (fd);
  return name != NULL && !reeve_plugin_folder_may_be_own (self, fd)
         && (strncmp (name, self->reserved, length) != 0
             || (name[length] != '/' && name[length] != '\0'));
}

int
reeve_plugin_folder_create (int folder, const char *name, guint mode)
{
  struct open_how how = {
    .flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
    .mode = mode,
    .resolve = REEVE_PLUGIN_FOLDER_RESOLVE,
  };

  return (int) syscall (SYS_openat2, folder, name, &how, sizeof how);
}

int
reeve_plugin_folder_look (int folder, const char *name)
{
  struct open_how how = {
    .flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
    .resolve = REEVE_PLUGIN_FOLDER_RESOLVE,
  };

  return (int) syscall (SYS_openat2, folder, name, &how, sizeof how);
}

int
reeve_plugin_folder_create_nameless (int folder, guint mode)
{
  struct open_how how = {
    .flags = O_WRONLY | O_TMPFILE | O_CLOEXEC,
    .mode = mode,
    .resolve = REEVE_PLUGIN_FOLDER_RESOLVE,
  };

  return (int) syscall (SYS_openat2, folder, ".", &how, sizeof how);
}

/* open(2) says it so: by descriptor alone it takes a right of the kernel's. */
gboolean
reeve_plugin_folder_name_it (int folder, int fd, const char *name)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);

  return linkat (AT_FDCWD, link, folder, name, AT_SYMLINK_FOLLOW) == 0;
}

static int
reeve_plugin_folder_open (ReevePluginFolder *self, const char *path, int flags, GError **error)
{
  struct open_how how = {
    .flags = (guint64) (flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
    .resolve = REEVE_PLUGIN_FOLDER_RESOLVE,
  };
  int fd = -1;

  for (guint i = 0; i < REEVE_PLUGIN_FOLDER_TRIES && fd < 0 && (i == 0 || errno == EAGAIN); i++)
    fd = (int) syscall (SYS_openat2, self->fd, *path != '\0' ? path : ".", &how, sizeof how);
  if (fd < 0)
    {
      reeve_plugin_folder_fail (path, errno, error);
      return -1;
    }
  if (reeve_plugin_folder_is_free (self, fd))
    return fd;
  close (fd);
  reeve_plugin_folder_fail (path, EACCES, error);
  return -1;
}

/**
 * reeve_plugin_folder_new:
 * @path: of the folder, as the administrator wrote it: links in it are his
 * @reserved: (nullable): a folder of the host's own
 * @error: return location
 *
 * Returns: (transfer full) (nullable): it, opened
 */
ReevePluginFolder *
reeve_plugin_folder_new (const char *path, const char *reserved, GError **error)
{
  g_autoptr (ReevePluginFolder) self = g_new0 (ReevePluginFolder, 1);
  char *real = reserved != NULL ? realpath (reserved, NULL) : NULL;

  self->reserved = g_strdup (real);
  free (real);
  self->fd = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (self->fd >= 0 && reeve_plugin_folder_is_free (self, self->fd))
    return g_steal_pointer (&self);
  reeve_plugin_folder_fail (path, self->fd < 0 ? errno : EACCES, error);
  return NULL;
}

void
reeve_plugin_folder_free (ReevePluginFolder *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->reserved);
  g_free (self);
}

int
reeve_plugin_folder_open_file (ReevePluginFolder *self, const char *path, GError **error)
{
  struct stat status = { 0 };
  int fd = reeve_plugin_folder_open (self, path, O_RDONLY, error);

  if (fd < 0 || (fstat (fd, &status) == 0 && S_ISREG (status.st_mode)))
    return fd;
  close (fd);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "\"%s\" is no regular file", path);
  return -1;
}

int
reeve_plugin_folder_open_folder (ReevePluginFolder *self, const char *path, GError **error)
{
  return reeve_plugin_folder_open (self, path, O_RDONLY | O_DIRECTORY, error);
}

int
reeve_plugin_folder_open_parent (ReevePluginFolder *self, const char *path, const char **name,
                                 GError **error)
{
  const char *slash = strrchr (path, '/');
  g_autofree char *parent
      = slash != NULL ? g_strndup (path, (gsize) (slash - path)) : g_strdup ("");

  *name = slash != NULL ? slash + 1 : path;
  return reeve_plugin_folder_open_folder (self, parent, error);
}
