/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Overwriting reaches the blocks where the file lies now. A journal, a snapshot or a flash
 * translation layer may hold older ones: what is in these files is sealed for that reason. */
#include "key-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#define REEVE_KEY_FOLDER_NEW ".new"

/**
 * reeve_key_folder_set_error:
 * @error: return location
 * @code: an errno value
 * @doing: what was being done
 * @path: to which file
 */
void
reeve_key_folder_set_error (GError **error, int code, const char *doing, const char *path)
{
  ReeveError ours = REEVE_ERROR_FAILED;

  if (code == ENOENT)
    ours = REEVE_ERROR_NOT_FOUND;
  else if (code == EEXIST)
    ours = REEVE_ERROR_ALREADY_EXISTS;
  else if (code == ENOSPC || code == EDQUOT || code == EROFS)
    ours = REEVE_ERROR_READ_ONLY;
  g_set_error (error, REEVE_ERROR, ours, "%s %s: %s", doing, path, g_strerror (code));
}

static int
reeve_key_folder_open (const char *path, int flags, GError **error)
{
  int fd = open (path, flags | O_CLOEXEC, 0600);

  if (fd < 0)
    reeve_key_folder_set_error (error, errno, "opening", path);
  return fd;
}

/* ---- reading ---- */

/* room for what a file says it holds and a byte, so that its end is seen; more than may be is not
 * asked for */
static gsize
reeve_key_folder_get_room (int fd, gsize max_size)
{
  struct stat found = { 0 };

  if (fstat (fd, &found) != 0 || !S_ISREG (found.st_mode))
    return max_size + 1;
  return MIN ((gsize) MAX (found.st_size, 0), max_size) + 1;
}

static GBytes *
reeve_key_folder_read_all (int fd, const char *path, gsize max_size, GError **error)
{
  gsize room = reeve_key_folder_get_room (fd, max_size);
  guint8 *buffer = g_malloc0 (room);
  gsize done = 0;
  ssize_t n = 1;

  while (n > 0 && done < room)
    {
      n = read (fd, buffer + done, room - done);
      if (n < 0 && errno == EINTR)
        n = 1;
      else if (n > 0)
        done += (gsize) n;
    }
  if (n >= 0 && done < room)
    return g_bytes_new_take (buffer, done);
  if (n < 0)
    reeve_key_folder_set_error (error, errno, "reading", path);
  else if (room > max_size)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                 "reading %s: larger than %" G_GSIZE_FORMAT " bytes", path, max_size);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "reading %s: it grows meanwhile", path);
  explicit_bzero (buffer, room);
  g_free (buffer);
  return NULL;
}

/**
 * reeve_key_folder_read:
 * @path: a file
 * @max_size: more bytes are an error
 * @error: return location
 *
 * Returns: (transfer full): its content; %NULL with %REEVE_ERROR_NOT_FOUND,
 * %REEVE_ERROR_TOO_LARGE or another error
 */
GBytes *
reeve_key_folder_read (const char *path, gsize max_size, GError **error)
{
  GBytes *bytes = NULL;
  struct stat status = { 0 };
  /* a pipe in its place keeps nobody waiting */
  int fd = reeve_key_folder_open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, error);

  if (fd < 0)
    return NULL;
  if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    bytes = reeve_key_folder_read_all (fd, path, max_size, error);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s: is no regular file", path);
  close (fd);
  return bytes;
}

static gboolean
reeve_key_folder_is_private (int fd, const char *path, GError **error)
{
  struct stat status = { 0 };

  if (fstat (fd, &status) != 0)
    {
      reeve_key_folder_set_error (error, errno, "looking at", path);
      return FALSE;
    }
  if (!S_ISREG (status.st_mode))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s: is no regular file", path);
  else if (status.st_uid != geteuid () && status.st_uid != 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                 "%s: belongs to user %u, not to this one (chown %u %s)", path, status.st_uid,
                 geteuid (), path);
  else if ((status.st_mode & 077) != 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                 "%s: others may read it, its mode is %04o (chmod 600 %s)", path,
                 status.st_mode & 07777, path);
  else
    return TRUE;
  return FALSE;
}

/**
 * reeve_key_folder_read_private:
 * @path: a file; a symbolic link is followed, what it leads to is judged
 * @max_size: more bytes are an error
 * @error: return location
 *
 * Returns: (transfer full): its content; %NULL as reeve_key_folder_read(), or with
 * %REEVE_ERROR_CONFIGURATION when others may read it or it belongs to somebody else
 */
GBytes *
reeve_key_folder_read_private (const char *path, gsize max_size, GError **error)
{
  GBytes *bytes = NULL;
  int fd = reeve_key_folder_open (path, O_RDONLY | O_NONBLOCK, error);

  if (fd < 0)
    return NULL;
  if (reeve_key_folder_is_private (fd, path, error))
    bytes = reeve_key_folder_read_all (fd, path, max_size, error);
  close (fd);
  return bytes;
}

/* ---- writing ---- */

/**
 * reeve_key_folder_sync:
 * @path: a folder
 * @error: return location
 *
 * Makes the names in it durable.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_key_folder_sync (const char *path, GError **error)
{
  int fd = reeve_key_folder_open (path, O_RDONLY | O_DIRECTORY, error);
  gboolean ok = FALSE;

  if (fd < 0)
    return FALSE;
  ok = fsync (fd) == 0;
  if (!ok)
    reeve_key_folder_set_error (error, errno, "syncing", path);
  close (fd);
  return ok;
}

static gboolean
reeve_key_folder_sync_around (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  return reeve_key_folder_sync (folder, error);
}

static gboolean
reeve_key_folder_write (int fd, gconstpointer data, gsize length)
{
  const guint8 *at = data;

  for (gsize done = 0; done < length;)
    {
      ssize_t n = pwrite (fd, at + done, length - done, (off_t) done);

      if (n < 0 && errno != EINTR)
        return FALSE;
      done += n > 0 ? (gsize) n : 0;
    }
  return fsync (fd) == 0;
}

/* Best effort: whoever fails to overwrite has replaced or removed it all the same. */
static void
reeve_key_folder_overwrite (int fd)
{
  static const guint8 zeros[4096] = { 0 };
  struct stat status = { 0 };

  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode) || status.st_nlink > 1)
    return;
  for (off_t at = 0; at < status.st_size; at += (off_t) sizeof zeros)
    if (pwrite (fd, zeros, MIN (sizeof zeros, (gsize) (status.st_size - at)), at) < 0)
      return;
  if (fdatasync (fd) == 0 && ftruncate (fd, 0) == 0)
    (void) fdatasync (fd);
}

/* A file beside @path with that content, durable; NULL on error. Somebody else does so at the same
 * time: %REEVE_ERROR_BUSY, for @path may not be there. */
static char *
reeve_key_folder_prepare (const char *path, gconstpointer data, gsize length, GError **error)
{
  g_autofree char *beside = g_strconcat (path, REEVE_KEY_FOLDER_NEW, NULL);
  g_autoptr (GError) local = NULL;
  gboolean ok = FALSE;
  int fd = -1;

  if (unlink (beside) != 0 && errno != ENOENT)
    {
      reeve_key_folder_set_error (error, errno, "removing", beside);
      return NULL;
    }
  fd = reeve_key_folder_open (beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, &local);
  if (fd < 0)
    {
      if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS))
        local->code = REEVE_ERROR_BUSY;
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  ok = fchmod (fd, 0600) == 0 && reeve_key_folder_write (fd, data, length);
  if (!ok)
    {
      reeve_key_folder_set_error (error, errno, "writing", beside);
      unlink (beside);
    }
  close (fd);
  return ok ? g_steal_pointer (&beside) : NULL;
}

/**
 * reeve_key_folder_replace:
 * @path: a file, there or not
 * @data: its new content
 * @length: bytes of it
 * @error: return location
 *
 * Returns: %FALSE with an error; then the file is as before
 */
gboolean
reeve_key_folder_replace (const char *path, gconstpointer data, gsize length, GError **error)
{
  g_autofree char *beside = reeve_key_folder_prepare (path, data, length, error);
  gboolean ok = FALSE;
  int old = -1;

  if (beside == NULL)
    return FALSE;
  old = open (path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  ok = rename (beside, path) == 0;
  if (!ok)
    {
      reeve_key_folder_set_error (error, errno, "replacing", path);
      unlink (beside);
    }
  ok = ok && reeve_key_folder_sync_around (path, error);
  if (old >= 0)
    {
      /* only now: before the new name is durable, a crash may bring the old one back */
      if (ok)
        reeve_key_folder_overwrite (old);
      close (old);
    }
  return ok;
}

/**
 * reeve_key_folder_create:
 * @path: a file that must not be there
 * @data: its content
 * @length: bytes of it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_ALREADY_EXISTS, %REEVE_ERROR_BUSY while somebody else makes it,
 * or another error
 */
gboolean
reeve_key_folder_create (const char *path, gconstpointer data, gsize length, GError **error)
{
  g_autofree char *beside = reeve_key_folder_prepare (path, data, length, error);
  gboolean ok = FALSE;

  if (beside == NULL)
    return FALSE;
  ok = link (beside, path) == 0;
  if (!ok)
    reeve_key_folder_set_error (error, errno, "making", path);
  unlink (beside);
  return ok && reeve_key_folder_sync_around (path, error);
}

/**
 * reeve_key_folder_shred:
 * @path: a file, there or not
 * @error: return location
 *
 * Returns: %FALSE with an error; then it may be there
 */
gboolean
reeve_key_folder_shred (const char *path, GError **error)
{
  int fd = open (path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

  if (fd >= 0)
    {
      reeve_key_folder_overwrite (fd);
      close (fd);
    }
  if (unlink (path) == 0)
    return reeve_key_folder_sync_around (path, error);
  if (errno == ENOENT)
    return TRUE;
  reeve_key_folder_set_error (error, errno, "removing", path);
  return FALSE;
}

/**
 * reeve_key_folder_make:
 * @path: a folder, there or not
 * @error: return location
 *
 * Makes it, durably, for this user alone.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_key_folder_make (const char *path, GError **error)
{
  if (mkdir (path, 0700) == 0)
    return reeve_key_folder_sync_around (path, error);
  if (errno == EEXIST && g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  reeve_key_folder_set_error (error, errno, "making", path);
  return FALSE;
}

/**
 * reeve_key_folder_clean:
 * @folder: a folder
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_key_folder_clean (const char *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  gboolean ok = TRUE;

  if (dir == NULL)
    return TRUE;
  for (const char *name = g_dir_read_name (dir); ok && name != NULL; name = g_dir_read_name (dir))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_str_has_suffix (name, REEVE_KEY_FOLDER_NEW))
        ok = reeve_key_folder_shred (path, error);
    }
  return ok;
}
