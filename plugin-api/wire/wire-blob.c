/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memfd_create(2): a runner makes none, so that it cannot grow one at the host's expense. */
#include "wire-blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define WIRE_BLOB_COPIED (64 * 1024)

static int
wire_blob_fail (int fd, const char *what, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "%s: %s", what, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

int
wire_blob_new (gconstpointer data, gsize length, GError **error)
{
  int fd = memfd_create ("blob", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0)
    return wire_blob_fail (fd, "memfd_create ()", error);
  for (gsize done = 0; done < length;)
    {
      gssize one = write (fd, (const guint8 *) data + done, length - done);

      if (one < 0 && errno != EINTR)
        return wire_blob_fail (fd, "writing a blob", error);
      done += one > 0 ? (gsize) one : 0;
    }
  /* it may be cut: by the host when it is over, and by whoever has it, who loses it */
  if (fcntl (fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return wire_blob_fail (fd, "sealing a blob", error);
  return fd;
}

int
wire_blob_new_open (gsize size, GError **error)
{
  int fd = memfd_create ("buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0)
    return wire_blob_fail (fd, "memfd_create ()", error);
  if (ftruncate (fd, (off_t) size) != 0 || fcntl (fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_GROW) != 0)
    return wire_blob_fail (fd, "making a buffer", error);
  return fd;
}

GBytes *
wire_blob_copy (int fd, gsize size, GError **error)
{
  g_autofree guint8 *data = g_try_malloc (size);

  if (data == NULL && size > 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "no memory for a buffer");
      return NULL;
    }
  for (gsize done = 0; done < size;)
    {
      gssize one = pread (fd, data + done, size - done, (off_t) done);

      if (one == 0 || (one < 0 && errno != EINTR))
        {
          /* whoever may write may also cut it */
          errno = one == 0 ? ENODATA : errno;
          wire_blob_fail (-1, "reading a buffer", error);
          return NULL;
        }
      done += one > 0 ? (gsize) one : 0;
    }
  return g_bytes_new_take (g_steal_pointer (&data), size);
}

GBytes *
wire_blob_map (int fd, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GMappedFile) file = NULL;
  GBytes *copy = NULL;
  gint64 size = lseek (fd, 0, SEEK_END);

  /* a mapping costs each thread of the process more than a copy of that */
  if (size >= 0 && size <= WIRE_BLOB_COPIED)
    {
      copy = wire_blob_copy (fd, (gsize) size, error);
      close (fd);
      return copy;
    }
  file = g_mapped_file_new_from_fd (fd, FALSE, &problem);
  close (fd);
  if (file != NULL)
    return g_mapped_file_get_bytes (file);
  if (g_error_matches (problem, G_FILE_ERROR, G_FILE_ERROR_NOMEM))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                 "no memory for a blob of %" G_GINT64_FORMAT " bytes", size);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "a blob: %s", problem->message);
  return NULL;
}
