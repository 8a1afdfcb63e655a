/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What else a process can do with memory that it was handed than close it: open it once more under
 * /proc/self/fd, to be read or by its path alone, of which a lease says nothing. */
#include "loader/wire-loans.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE   65536
#define PIECES 8 /* that all may keep together */

static ReeveWireLoan *
make (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (SIZE), SIZE);
  g_autoptr (GError) error = NULL;
  ReeveWireLoan *loan = reeve_wire_loan_new (bytes, &error);

  g_assert_no_error (error);
  return loan;
}

static int
reopen (int fd, int flags)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);

  return open (path, flags | O_CLOEXEC);
}

static off_t
get_size (int fd)
{
  struct stat status;

  g_assert_cmpint (fstat (fd, &status), ==, 0);
  return status.st_size;
}

/* As a process that has closed what it was handed, and kept @kept of it. */
static void
check_free (ReeveWireLoan *loan, int kept)
{
  g_autoptr (ReeveWireAllowance) all = reeve_wire_allowance_new (PIECES);
  g_autoptr (ReeveWireLoans) loans = reeve_wire_loans_new (SIZE, all);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (kept, >=, 0);
  g_assert_cmpint (get_size (kept), ==, SIZE);
  reeve_wire_loan_close (loan);
  reeve_wire_loans_add (loans, loan);
  g_assert_true (reeve_wire_loans_check (loans, &error));
  g_assert_no_error (error);
  g_assert_cmpint (get_size (kept), ==, 0);
  close (kept);
}

static void
test_path (void)
{
  ReeveWireLoan *loan = make ();

  check_free (loan, reopen (reeve_wire_loan_get_fd (loan), O_PATH));
}

/* Nobody but root may; and what root has is empty. */
static void
test_read (void)
{
  ReeveWireLoan *loan = make ();
  int fd = reopen (reeve_wire_loan_get_fd (loan), O_RDONLY);

  if (fd < 0)
    {
      g_assert_cmpint (errno, ==, EACCES);
      g_assert_cmpint (geteuid (), !=, 0);
      fd = reopen (reeve_wire_loan_get_fd (loan), O_PATH);
    }
  check_free (loan, fd);
}

/* The control: what is still mapped counts, and stays as it was. */
static void
test_mapped (void)
{
  g_autoptr (ReeveWireAllowance) all = reeve_wire_allowance_new (PIECES);
  g_autoptr (ReeveWireLoans) loans = reeve_wire_loans_new (SIZE, all);
  g_autoptr (GError) error = NULL;
  ReeveWireLoan *loan = make ();
  int fd = reeve_wire_loan_get_fd (loan);
  const char *bytes = mmap (NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);

  g_assert (bytes != MAP_FAILED);
  reeve_wire_loan_close (loan);
  reeve_wire_loans_add (loans, loan);
  g_assert_false (reeve_wire_loans_check (loans, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
  g_assert_cmpint (bytes[SIZE - 1], ==, 0);
  g_assert_cmpint (munmap ((void *) bytes, SIZE), ==, 0);
  g_assert_true (reeve_wire_loans_check (loans, NULL));
}

/* The host's own descriptor of what @fd is of. */
static int
find_watch (int fd)
{
  struct stat one;
  struct stat other;

  g_assert_cmpint (fstat (fd, &one), ==, 0);
  for (int other_fd = 3; other_fd < 1024; other_fd++)
    if (other_fd != fd && fstat (other_fd, &other) == 0 && one.st_dev == other.st_dev
        && one.st_ino == other.st_ino)
      return other_fd;
  return -1;
}

/* Whoever opens it to write while the host has its lease breaks that; the host is told by a signal,
 * and lives. */
static void
test_signal (void)
{
  g_autoptr (ReeveWireLoan) loan = make ();
  int watch = find_watch (reeve_wire_loan_get_fd (loan));
  int path = reopen (reeve_wire_loan_get_fd (loan), O_PATH);

  g_assert_cmpint (path, >=, 0);
  g_assert_cmpint (watch, >=, 0);
  reeve_wire_loan_close (loan);
  g_assert_cmpint (fchmod (watch, S_IRWXU), ==, 0);
  g_assert_cmpint (fcntl (watch, F_SETLEASE, F_RDLCK), ==, 0);
  g_assert_cmpint (reopen (path, O_RDWR | O_NONBLOCK), ==, -1);
  g_assert_cmpint (errno, ==, EWOULDBLOCK);
  g_assert_cmpint (fcntl (watch, F_SETLEASE, F_UNLCK), ==, 0);
  close (path);
}

/* @n more pieces, which are kept: by who has their descriptors */
static void
keep (ReeveWireLoans *loans, guint n, GArray *held)
{
  for (guint i = 0; i < n; i++)
    {
      ReeveWireLoan *loan = make ();
      int fd = reeve_wire_loan_take_fd (loan);

      g_array_append_val (held, fd);
      reeve_wire_loans_add (loans, loan);
    }
}

static void
let_go (GArray *held)
{
  for (guint i = 0; i < held->len; i++)
    close (g_array_index (held, int, i));
  g_array_set_size (held, 0);
}

/* Where all that there may be are kept, those get nothing more that keep an equal part of it. */
static void
test_together (void)
{
  g_autoptr (ReeveWireAllowance) all = reeve_wire_allowance_new (PIECES);
  g_autoptr (ReeveWireLoans) much = reeve_wire_loans_new (0, all);
  g_autoptr (ReeveWireLoans) little = reeve_wire_loans_new (0, all);
  g_autoptr (GArray) many = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GArray) few = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GError) error = NULL;

  keep (much, PIECES - 2, many);
  keep (little, 1, few);
  g_assert_true (reeve_wire_loans_check (much, &error));
  keep (little, 1, few);
  g_assert_false (reeve_wire_loans_check (much, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, "all plugins keep 8 pieces, and 8 are the most (of "
                                            "descriptors): it keeps 393216 bytes in 6 pieces"));
  g_clear_error (&error);
  /* up to its part */
  g_assert_true (reeve_wire_loans_check (little, &error));
  keep (little, 2, few);
  g_assert_false (reeve_wire_loans_check (little, &error));
  g_clear_error (&error);
  let_go (many);
  g_assert_true (reeve_wire_loans_check (much, &error));
  g_assert_true (reeve_wire_loans_check (little, &error));
  g_assert_no_error (error);
  /* who is gone keeps nothing, and one that is alone has all of it */
  keep (much, PIECES - 5, many);
  g_clear_pointer (&much, reeve_wire_loans_free);
  keep (little, PIECES - 5, few);
  g_assert_true (reeve_wire_loans_check (little, &error));
  g_assert_no_error (error);
  keep (little, 1, few);
  g_assert_false (reeve_wire_loans_check (little, &error));
  let_go (many);
  let_go (few);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/loans/path", test_path);
  g_test_add_func ("/wire/loans/read", test_read);
  g_test_add_func ("/wire/loans/mapped", test_mapped);
  g_test_add_func ("/wire/loans/signal", test_signal);
  g_test_add_func ("/wire/loans/together", test_together);
  return g_test_run ();
}
