/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room on the disk that is kept for when there is none. A full disk must not keep the host from
 * recording what happened, and what it lets people read must be recorded as well: when a record
 * finds no room, the reserve is given up for it. From then on nothing new is begun until the
 * reserve could be made again. */
#include "ledger-reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger-file.h"

/* a name that verification leaves out */
#define REEVE_LEDGER_RESERVE_FILE "reserve.lock"

struct _ReeveLedgerReserve
{
  char *path;
  gint used; /* atomic */
};

/**
 * reeve_ledger_reserve_new:
 * @folder: of all logs
 *
 * Returns: (transfer full): a reserve that counts as used until reeve_ledger_reserve_refill()
 */
ReeveLedgerReserve *
reeve_ledger_reserve_new (const char *folder)
{
  ReeveLedgerReserve *self = g_new0 (ReeveLedgerReserve, 1);

  self->path = g_build_filename (folder, REEVE_LEDGER_RESERVE_FILE, NULL);
  self->used = 1;
  return self;
}

/**
 * reeve_ledger_reserve_free:
 * @self: a reserve; its file stays
 */
void
reeve_ledger_reserve_free (ReeveLedgerReserve *self)
{
  g_free (self->path);
  g_free (self);
}

/**
 * reeve_ledger_reserve_is_used:
 * @self: a reserve
 *
 * Returns: whether the disk was found full and the reserve could not be made again since
 */
gboolean
reeve_ledger_reserve_is_used (ReeveLedgerReserve *self)
{
  return g_atomic_int_get (&self->used) != 0;
}

/**
 * reeve_ledger_reserve_release:
 * @self: a reserve
 *
 * Gives its room to whoever writes next.
 *
 * Returns: whether there was one to give
 */
gboolean
reeve_ledger_reserve_release (ReeveLedgerReserve *self)
{
  if (!g_atomic_int_compare_and_exchange (&self->used, 0, 1))
    return FALSE;
  return g_unlink (self->path) == 0;
}

/* Makes or completes the file: its blocks are there on return. */
static int
reeve_ledger_reserve_allocate (int fd)
{
  struct stat status = { 0 };

  if (fstat (fd, &status) == 0 && status.st_size == REEVE_LEDGER_RESERVE_SIZE
      && status.st_blocks >= REEVE_LEDGER_RESERVE_SIZE / 512)
    return 0;
  return posix_fallocate (fd, 0, REEVE_LEDGER_RESERVE_SIZE);
}

/**
 * reeve_ledger_reserve_refill:
 * @self: a reserve
 * @error: return location
 *
 * Makes it where it is not there. Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_READ_ONLY when there is no room for it
 */
gboolean
reeve_ledger_reserve_refill (ReeveLedgerReserve *self, GError **error)
{
  int fd = -1;
  int code = 0;

  if (!reeve_ledger_reserve_is_used (self))
    return TRUE;
  fd = open (self->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
  code = fd >= 0 ? reeve_ledger_reserve_allocate (fd) : errno;
  if (fd >= 0)
    close (fd);
  if (code == 0)
    {
      g_atomic_int_set (&self->used, 0);
      return TRUE;
    }
  /* half a reserve would only take room */
  (void) g_unlink (self->path);
  reeve_ledger_file_set_error (error, code, "reserving room in", self->path);
  return FALSE;
}
