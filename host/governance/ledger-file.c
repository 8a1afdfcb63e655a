/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File operations of the ledger: what they report done is on the disk. */
#include "ledger-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

/**
 * reeve_ledger_file_set_error:
 * @error: return location
 * @code: an errno value
 * @doing: what was being done, such as "writing"
 * @path: to which file
 *
 * Sets an error of our domain; what is missing is %REEVE_ERROR_NOT_FOUND, a full or read-only disk
 * %REEVE_ERROR_READ_ONLY, anything else %REEVE_ERROR_FAILED.
 */
void
reeve_ledger_file_set_error (GError **error, int code, const char *doing, const char *path)
{
  ReeveError ours = REEVE_ERROR_FAILED;

  if (code == ENOENT)
    ours = REEVE_ERROR_NOT_FOUND;
  else if (code == ENOSPC || code == EDQUOT || code == EROFS || code == EFBIG)
    ours = REEVE_ERROR_READ_ONLY;
  g_set_error (error, REEVE_ERROR, ours, "%s %s: %s", doing, path, g_strerror (code));
}

/* As reeve_ledger_file_set_error(), for a file of which only the descriptor is at hand. */
static void
reeve_ledger_file_set_fd_error (GError **error, int code, const char *doing, int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *path = g_file_read_link (link, NULL);

  reeve_ledger_file_set_error (error, code, doing, path != NULL ? path : "a ledger file");
}

/**
 * reeve_ledger_file_read_at:
 * @fd: a file
 * @buffer: (out caller-allocates): where the bytes go
 * @length: how many are wanted
 * @offset: from where
 * @error: return location
 *
 * Returns: bytes read, fewer than @length only at the end of the file; -1 with an error
 */
gssize
reeve_ledger_file_read_at (int fd, gpointer buffer, gsize length, guint64 offset, GError **error)
{
  gsize done = 0;

  while (done < length)
    {
      ssize_t n = pread (fd, (char *) buffer + done, length - done, (off_t) (offset + done));

      if (n == 0)
        break;
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          reeve_ledger_file_set_fd_error (error, errno, "reading", fd);
          return -1;
        }
      done += (gsize) n;
    }
  return (gssize) done;
}

/**
 * reeve_ledger_file_write_at:
 * @fd: a file
 * @data: bytes
 * @length: their number
 * @offset: where they go
 * @error: return location
 *
 * Writes all of @data; not durable before fdatasync().
 *
 * Returns: %FALSE with an error; some of the bytes may then be in the file
 */
gboolean
reeve_ledger_file_write_at (int fd, gconstpointer data, gsize length, guint64 offset,
                            GError **error)
{
  gsize done = 0;

  while (done < length)
    {
      ssize_t n = pwrite (fd, (const char *) data + done, length - done, (off_t) (offset + done));

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          reeve_ledger_file_set_fd_error (error, errno, "writing", fd);
          return FALSE;
        }
      done += (gsize) n;
    }
  return TRUE;
}

/**
 * reeve_ledger_file_open:
 * @path: a file
 * @flags: of open(), besides those that every file of a ledger is opened with
 * @mode: permissions of one that is made
 * @error: return location
 *
 * Opens a regular file and nothing else: a pipe, a device or a link that somebody has put in its
 * place neither keeps anybody waiting nor leads elsewhere.
 *
 * Returns: a descriptor, to be closed; -1 with %REEVE_ERROR_CORRUPT where it is no regular file, or
 * a file error
 */
int
reeve_ledger_file_open (const char *path, int flags, mode_t mode, GError **error)
{
  int fd = open (path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, mode);
  int code = fd < 0 ? errno : 0;
  struct stat status = { 0 };

  if (fd >= 0 && fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    return fd;
  if (fd >= 0)
    close (fd);
  /* the last three: a pipe or socket that is written, a link, a folder that is written */
  if (fd >= 0 || code == ENXIO || code == ELOOP || code == EISDIR)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s is no regular file", path);
  else
    reeve_ledger_file_set_error (error, code, "opening", path);
  return -1;
}

/**
 * reeve_ledger_file_read:
 * @path: a file
 * @max_size: more bytes than that are an error
 * @error: return location
 *
 * Returns: (transfer full): the content, or %NULL with %REEVE_ERROR_NOT_FOUND,
 * %REEVE_ERROR_TOO_LARGE or another error
 */
GBytes *
reeve_ledger_file_read (const char *path, gsize max_size, GError **error)
{
  g_autofree guint8 *buffer = NULL;
  struct stat status = { 0 };
  gssize size = 0;
  int fd = reeve_ledger_file_open (path, O_RDONLY, 0, error);

  if (fd < 0)
    return NULL;
  /* one byte more than it has, so that growing meanwhile shows */
  if (fstat (fd, &status) == 0 && status.st_size >= 0 && (guint64) status.st_size < max_size)
    max_size = (gsize) status.st_size;
  buffer = g_malloc (max_size + 1);
  size = reeve_ledger_file_read_at (fd, buffer, max_size + 1, 0, error);
  close (fd);
  if (size < 0)
    return NULL;
  if ((gsize) size > max_size)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "reading %s: larger than %" G_GSIZE_FORMAT " bytes", path, max_size);
      return NULL;
    }
  return g_bytes_new (buffer, (gsize) size);
}

/**
 * reeve_ledger_file_sync_folder:
 * @path: a folder
 * @error: return location
 *
 * Makes names that were added to or taken from @path durable.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_file_sync_folder (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok = FALSE;

  if (fd < 0)
    {
      reeve_ledger_file_set_error (error, errno, "opening", path);
      return FALSE;
    }
  ok = fsync (fd) == 0;
  if (!ok)
    reeve_ledger_file_set_error (error, errno, "syncing", path);
  close (fd);
  return ok;
}

/* Writes @data to `PATH.lock` and renames it to @path; both names may be there already. */
static gboolean
reeve_ledger_file_swap (const char *path, gconstpointer data, gsize length, mode_t mode,
                        gboolean durable, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".lock", NULL);
  gboolean ok = FALSE;
  int fd = -1;

  (void) g_unlink (temporary);
  fd = reeve_ledger_file_open (temporary, O_WRONLY | O_CREAT | O_EXCL, mode, error);
  if (fd < 0)
    return FALSE;
  ok = reeve_ledger_file_write_at (fd, data, length, 0, error);
  if (ok && durable && fsync (fd) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "syncing", temporary);
      ok = FALSE;
    }
  close (fd);
  if (ok && rename (temporary, path) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "replacing", path);
      ok = FALSE;
    }
  if (!ok)
    (void) g_unlink (temporary);
  return ok;
}

/**
 * reeve_ledger_file_save_cache:
 * @path: a file, there or not
 * @data: its new content
 * @length: bytes of it
 * @error: return location
 *
 * Replaces a file that can be made anew: whole or not at all, but not durably.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_file_save_cache (const char *path, gconstpointer data, gsize length, GError **error)
{
  return reeve_ledger_file_swap (path, data, length, 0644, FALSE, error);
}

/**
 * reeve_ledger_file_rewrite:
 * @path: a file, there or not
 * @data: its new content
 * @length: bytes of it
 * @error: return location
 *
 * As reeve_ledger_file_replace(), but the folder is not synced.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_file_rewrite (const char *path, gconstpointer data, gsize length, GError **error)
{
  return reeve_ledger_file_swap (path, data, length, 0644, TRUE, error);
}

/**
 * reeve_ledger_file_sync_all:
 * @folder: any folder
 *
 * Makes durable whatever was done on its file system: one wait for thousands of files.
 */
void
reeve_ledger_file_sync_all (const char *folder)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  (void) syncfs (fd);
  close (fd);
}

/**
 * reeve_ledger_file_replace:
 * @path: a file, there or not
 * @data: its new content
 * @length: bytes of it
 * @mode: its permissions
 * @error: return location
 *
 * Replaces a file as a whole and durably. The new content waits beside it as `PATH.lock`, a name
 * that no verification counts, so that a crash leaves the old file or the new one and nothing that
 * looks like damage.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_file_replace (const char *path, gconstpointer data, gsize length, mode_t mode,
                           GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  return reeve_ledger_file_swap (path, data, length, mode, TRUE, error)
         && reeve_ledger_file_sync_folder (folder, error);
}
