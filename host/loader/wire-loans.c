/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages of a memfd are in no limit of the runner's while it has not mapped them, so the host looks
 * whether it has them: the runner gets a description of the file that is open for writing (which
 * the seals refuse), and the host keeps one that is not. The kernel gives a lease for reading
 * (fcntl(2), F_SETLEASE) where nobody has the file open for writing: that is when all copies of
 * what was sent are closed, all mappings are gone, and none is in a socket. A process may have
 * opened it once more meanwhile, to be read or by its path alone (/proc/self/fd, O_PATH), of which
 * a lease says nothing: so the memory is cut to nothing then, whoever still has a descriptor. */
#include "wire-loans.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/wire-blob.h"

struct _ReeveWireLoan
{
  int fd;    /* to be sent; -1: it is not here any more */
  int watch; /* the host's */
  gsize size;
};

struct _ReeveWireLoans
{
  guint64 most;
  GMutex lock;
  GPtrArray *kept; /* with lock: ReeveWireLoan */
  guint told;      /* with lock: how many of them @all knows of */
  ReeveWireAllowance *all;
};

/* ---- one ---- */

#define REEVE_WIRE_LOAN_PATH_SIZE 32

static const char *
reeve_wire_loan_name (int fd, char path[REEVE_WIRE_LOAN_PATH_SIZE])
{
  g_snprintf (path, REEVE_WIRE_LOAN_PATH_SIZE, "/proc/self/fd/%d", fd);
  return path;
}

static int
reeve_wire_loan_open (int memory, int flags, GError **error)
{
  char path[REEVE_WIRE_LOAN_PATH_SIZE];
  int fd = open (reeve_wire_loan_name (memory, path), flags | O_CLOEXEC);

  if (fd < 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "a blob: %s: %s", path,
                 g_strerror (errno));
  return fd;
}

/**
 * reeve_wire_loan_new:
 * @bytes: what a runner is to have
 * @error: return location
 *
 * Returns: (transfer full) (nullable): sealed memory with a copy of that
 */
ReeveWireLoan *
reeve_wire_loan_new (GBytes *bytes, GError **error)
{
  g_autoptr (ReeveWireLoan) loan = g_new0 (ReeveWireLoan, 1);
  gconstpointer data = g_bytes_get_data (bytes, &loan->size);
  int memory = wire_blob_new (data, loan->size, error);

  loan->fd = memory >= 0 ? reeve_wire_loan_open (memory, O_RDWR, error) : -1;
  loan->watch = loan->fd >= 0 ? reeve_wire_loan_open (memory, O_RDONLY, error) : -1;
  /* nobody opens it again: who did so for writing would break a lease, and its signal, SIGIO, ends
   * a process that does not expect it; root may open anything, so another signal, that ends nobody
   */
  if (loan->watch >= 0 && (fchmod (memory, 0) != 0 || fcntl (loan->watch, F_SETSIG, SIGURG) != 0))
    g_warning ("a blob may be opened by others: %s", g_strerror (errno));
  if (memory >= 0)
    close (memory);
  return loan->watch >= 0 ? g_steal_pointer (&loan) : NULL;
}

void
reeve_wire_loan_free (ReeveWireLoan *loan)
{
  reeve_wire_loan_close (loan);
  if (loan->watch >= 0)
    close (loan->watch);
  g_free (loan);
}

int
reeve_wire_loan_get_fd (ReeveWireLoan *loan)
{
  return loan->fd;
}

int
reeve_wire_loan_take_fd (ReeveWireLoan *loan)
{
  int fd = loan->fd;

  loan->fd = -1;
  return fd;
}

void
reeve_wire_loan_close (ReeveWireLoan *loan)
{
  if (loan->fd >= 0)
    close (loan->fd);
  loan->fd = -1;
}

/* Nobody writes to it, so nobody maps it who was handed it. */
static void
reeve_wire_loan_empty (const ReeveWireLoan *loan)
{
  char path[REEVE_WIRE_LOAN_PATH_SIZE];

  if (fchmod (loan->watch, S_IWUSR) != 0
      || truncate (reeve_wire_loan_name (loan->watch, path), 0) != 0)
    g_warning ("a blob is not let go: %s", g_strerror (errno));
}

/* Is it here again? Where the machine has no leases (fs.leases-enable) nobody can tell, and it is
 * left to whoever has it. */
static gboolean
reeve_wire_loan_is_back (const ReeveWireLoan *loan)
{
  if (fcntl (loan->watch, F_SETLEASE, F_RDLCK) != 0)
    return errno != EAGAIN;
  fcntl (loan->watch, F_SETLEASE, F_UNLCK);
  reeve_wire_loan_empty (loan);
  return TRUE;
}

/* ---- all ---- */

ReeveWireLoans *
reeve_wire_loans_new (guint64 bytes, ReeveWireAllowance *all)
{
  ReeveWireLoans *self = g_new0 (ReeveWireLoans, 1);

  self->most = bytes != 0 ? bytes : REEVE_WIRE_LOANS_BYTES;
  self->kept = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_wire_loan_free);
  g_mutex_init (&self->lock);
  self->all = reeve_wire_allowance_ref (all);
  reeve_wire_allowance_join (all);
  return self;
}

void
reeve_wire_loans_free (ReeveWireLoans *self)
{
  reeve_wire_allowance_leave (self->all, self->told);
  reeve_wire_allowance_unref (self->all);
  g_ptr_array_unref (self->kept);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Under the lock. */
static void
reeve_wire_loans_tell (ReeveWireLoans *self)
{
  reeve_wire_allowance_change (self->all, self->told, self->kept->len);
  self->told = self->kept->len;
}

/* Under the lock. Returns the bytes that are kept. */
static guint64
reeve_wire_loans_count (ReeveWireLoans *self)
{
  guint64 bytes = 0;

  for (guint i = self->kept->len; i > 0; i--)
    {
      const ReeveWireLoan *loan = g_ptr_array_index (self->kept, i - 1);

      if (reeve_wire_loan_is_back (loan))
        g_ptr_array_remove_index_fast (self->kept, i - 1);
      else
        bytes += loan->size;
    }
  reeve_wire_loans_tell (self);
  return bytes;
}

void
reeve_wire_loans_sweep (ReeveWireLoans *self)
{
  g_mutex_lock (&self->lock);
  reeve_wire_loans_count (self);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_wire_loans_check:
 * @self: what a runner keeps
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_TOO_LARGE where that is as much as it may
 */
gboolean
reeve_wire_loans_check (ReeveWireLoans *self, GError **error)
{
  guint64 bytes = 0;
  guint n = 0;
  guint all = 0;
  gboolean over = FALSE;

  g_mutex_lock (&self->lock);
  bytes = reeve_wire_loans_count (self);
  n = self->kept->len;
  over = reeve_wire_allowance_is_over (self->all, n, &all);
  g_mutex_unlock (&self->lock);
  if (bytes < self->most && n < REEVE_WIRE_LOANS_MOST && !over)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
               "it keeps %" G_GUINT64_FORMAT " bytes in %u pieces of the memory that it was handed "
               "(documents, requests, answers): %" G_GUINT64_FORMAT " bytes (its memory) and %d "
               "pieces are the most",
               bytes, n, self->most, REEVE_WIRE_LOANS_MOST);
  if (over)
    g_prefix_error (error,
                    "all plugins keep %u pieces, and %u are the most (of descriptors): ", all,
                    reeve_wire_allowance_get_most (self->all));
  return FALSE;
}

void
reeve_wire_loans_add (ReeveWireLoans *self, ReeveWireLoan *loan)
{
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->kept, loan);
  reeve_wire_loans_tell (self);
  g_mutex_unlock (&self->lock);
}
