/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loaded before the C library (LD_PRELOAD): lets the n-th write, sync, truncation, rename or
 * creation below $REEVE_FAULT_ROOT fail, stop half way or end the process, and moves the wall
 * clock. What is to happen stands in a file that the test maps too: fault-control.h. */
#include "fault-control.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static FaultControl *control;
static char root[PATH_MAX];

__attribute__ ((constructor)) static void
fault_preload_load (void)
{
  const char *path = getenv ("REEVE_FAULT_FILE");
  const char *below = getenv ("REEVE_FAULT_ROOT");
  int fd = path != NULL ? open (path, O_RDWR | O_CLOEXEC) : -1;
  void *mapped = fd >= 0 ? mmap (NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                         : MAP_FAILED;

  if (fd >= 0)
    syscall (SYS_close, fd);
  if (mapped == MAP_FAILED || below == NULL)
    {
      fprintf (stderr, "fault-preload: REEVE_FAULT_FILE or REEVE_FAULT_ROOT is missing\n");
      _exit (125);
    }
  snprintf (root, sizeof root, "%s", below);
  control = mapped;
}

static void
fault_preload_die (void)
{
  kill (getpid (), SIGKILL);
  for (;;)
    pause ();
}

static int
fault_preload_errno (FaultKind kind)
{
  switch (kind)
    {
    case FAULT_READ_ONLY:
      return EROFS;
    case FAULT_IO:
      return EIO;
    case FAULT_NONE:
    case FAULT_FULL:
    case FAULT_SHORT:
    case FAULT_SPARE:
    case FAULT_KILL:
    case FAULT_KILL_HALF:
    default:
      return ENOSPC;
    }
}

/* FAULT_SPARE: the spare file cannot be made again, the rest finds room while it is gone. */
static int
fault_preload_has_room (const char *path, uint32_t call)
{
  return call != FAULT_ALLOCATE && strcmp (path, control->spare) != 0
         && strstr (path, control->may) != NULL && access (control->spare, F_OK) != 0;
}

/* Counts a call on @path. Returns what is to happen to it. */
static FaultKind
fault_preload_count (const char *path, uint32_t call)
{
  FaultKind kind = FAULT_NONE;
  uint32_t number = 0;

  if (control == NULL || (control->calls & call) == 0 || strncmp (path, root, strlen (root)) != 0
      || (control->path[0] != 0 && strstr (path, control->path) == NULL))
    return FAULT_NONE;
  number = __atomic_add_fetch (&control->seen, 1, __ATOMIC_SEQ_CST);
  kind = (FaultKind) control->kind;
  if (kind == FAULT_NONE || control->first == 0 || number < control->first || number > control->last
      || (kind == FAULT_SPARE && fault_preload_has_room (path, call)))
    return FAULT_NONE;
  __atomic_add_fetch (&control->failed, 1, __ATOMIC_SEQ_CST);
  snprintf (control->hit, sizeof control->hit, "%s", path + strlen (root));
  if (kind == FAULT_KILL)
    fault_preload_die ();
  return kind;
}

static FaultKind
fault_preload_count_fd (int fd, uint32_t call)
{
  char link[64];
  char path[PATH_MAX];
  ssize_t length = 0;

  if (control == NULL || (control->calls & call) == 0)
    return FAULT_NONE;
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  length = readlink (link, path, sizeof path - 1);
  if (length <= 0)
    return FAULT_NONE;
  path[length] = 0;
  return fault_preload_count (path, call);
}

static int
fault_preload_fail (FaultKind kind)
{
  errno = fault_preload_errno (kind);
  return -1;
}

/* ---- writing ---- */

/* @offset below 0: where the file stands */
static ssize_t
fault_preload_put (int fd, const void *data, size_t length, off_t offset)
{
  return offset < 0 ? syscall (SYS_write, fd, data, length)
                    : syscall (SYS_pwrite64, fd, data, length, offset);
}

static ssize_t
fault_preload_write (int fd, const void *data, size_t length, off_t offset)
{
  FaultKind kind = fault_preload_count_fd (fd, FAULT_WRITE);

  if (kind == FAULT_NONE)
    return fault_preload_put (fd, data, length, offset);
  if (kind == FAULT_KILL_HALF)
    {
      (void) fault_preload_put (fd, data, length / 2, offset);
      fault_preload_die ();
    }
  /* what is behind the half finds no room: the next call is one of the counted */
  if (kind == FAULT_SHORT && length > 1)
    {
      if (control->last == control->first)
        control->last++;
      return fault_preload_put (fd, data, length / 2, offset);
    }
  return fault_preload_fail (kind);
}

ssize_t
write (int fd, const void *data, size_t length)
{
  return fault_preload_write (fd, data, length, -1);
}

ssize_t
pwrite (int fd, const void *data, size_t length, off_t offset)
{
  return fault_preload_write (fd, data, length, offset);
}

ssize_t
pwrite64 (int fd, const void *data, size_t length, off64_t offset)
{
  return fault_preload_write (fd, data, length, offset);
}

/* ---- the rest ---- */

/* Waits as long as a slow disk does; what then becomes of it is counted afterwards. */
static void
fault_preload_stall (int fd)
{
  char link[64];
  char path[PATH_MAX];
  ssize_t length = 0;

  if (control == NULL || __atomic_load_n (&control->stalled, __ATOMIC_SEQ_CST) == 0)
    return;
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  length = readlink (link, path, sizeof path - 1);
  if (length <= 0)
    return;
  path[length] = 0;
  if (strncmp (path, root, strlen (root)) != 0 || strstr (path, control->path) == NULL)
    return;
  __atomic_add_fetch (&control->waiting, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n (&control->stalled, __ATOMIC_SEQ_CST) != 0)
    usleep (1000);
  __atomic_sub_fetch (&control->waiting, 1, __ATOMIC_SEQ_CST);
}

/* The result of a call that is no write: @kind decides whether it is made, and what comes after. */
static int
fault_preload_finish (FaultKind kind, long result)
{
  if (kind == FAULT_KILL_HALF)
    fault_preload_die ();
  return (int) result;
}

static int
fault_preload_is_refused (FaultKind kind)
{
  return kind != FAULT_NONE && kind != FAULT_KILL_HALF;
}

int
fsync (int fd)
{
  FaultKind kind = FAULT_NONE;

  fault_preload_stall (fd);
  kind = fault_preload_count_fd (fd, FAULT_SYNC);
  return fault_preload_is_refused (kind) ? fault_preload_fail (kind)
                                         : fault_preload_finish (kind, syscall (SYS_fsync, fd));
}

int
fdatasync (int fd)
{
  FaultKind kind = FAULT_NONE;

  fault_preload_stall (fd);
  kind = fault_preload_count_fd (fd, FAULT_SYNC);
  return fault_preload_is_refused (kind) ? fault_preload_fail (kind)
                                         : fault_preload_finish (kind, syscall (SYS_fdatasync, fd));
}

int
ftruncate (int fd, off_t size)
{
  FaultKind kind = fault_preload_count_fd (fd, FAULT_TRUNCATE);

  return fault_preload_is_refused (kind)
             ? fault_preload_fail (kind)
             : fault_preload_finish (kind, syscall (SYS_ftruncate, fd, size));
}

int
ftruncate64 (int fd, off64_t size)
{
  return ftruncate (fd, size);
}

int
rename (const char *from, const char *to)
{
  FaultKind kind = fault_preload_count (to, FAULT_RENAME);

  return fault_preload_is_refused (kind)
             ? fault_preload_fail (kind)
             : fault_preload_finish (kind, syscall (SYS_rename, from, to));
}

int
posix_fallocate (int fd, off_t offset, off_t length)
{
  int (*real) (int, off_t, off_t) = dlsym (RTLD_NEXT, "posix_fallocate");
  FaultKind kind = fault_preload_count_fd (fd, FAULT_ALLOCATE);

  if (fault_preload_is_refused (kind))
    return fault_preload_errno (kind);
  return fault_preload_finish (kind, real (fd, offset, length));
}

int
posix_fallocate64 (int fd, off64_t offset, off64_t length)
{
  return posix_fallocate (fd, offset, length);
}

int
mkdir (const char *path, mode_t mode)
{
  FaultKind kind = fault_preload_count (path, FAULT_CREATE);

  return fault_preload_is_refused (kind)
             ? fault_preload_fail (kind)
             : fault_preload_finish (kind, syscall (SYS_mkdir, path, mode));
}

static int
fault_preload_open (const char *path, int flags, mode_t mode)
{
  FaultKind kind = FAULT_NONE;

  if ((flags & O_CREAT) != 0 && access (path, F_OK) != 0)
    kind = fault_preload_count (path, FAULT_CREATE);
  return fault_preload_is_refused (kind)
             ? fault_preload_fail (kind)
             : fault_preload_finish (kind, syscall (SYS_openat, AT_FDCWD, path, flags, mode));
}

static mode_t
fault_preload_mode (int flags, va_list *arguments)
{
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? (mode_t) va_arg (*arguments, int) : 0;
}

int
open (const char *path, int flags, ...)
{
  va_list arguments;
  mode_t mode = 0;

  va_start (arguments, flags);
  mode = fault_preload_mode (flags, &arguments);
  va_end (arguments);
  return fault_preload_open (path, flags, mode);
}

int
open64 (const char *path, int flags, ...)
{
  va_list arguments;
  mode_t mode = 0;

  va_start (arguments, flags);
  mode = fault_preload_mode (flags, &arguments);
  va_end (arguments);
  return fault_preload_open (path, flags, mode);
}

/* ---- the wall clock ---- */

static int64_t
fault_preload_shift (void)
{
  return control != NULL ? __atomic_load_n (&control->clock_us, __ATOMIC_SEQ_CST) : 0;
}

int
clock_gettime (clockid_t clock, struct timespec *now)
{
  int result = (int) syscall (SYS_clock_gettime, clock, now);
  int64_t shift
      = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? fault_preload_shift () : 0;

  if (result == 0 && shift != 0)
    {
      int64_t us = (int64_t) now->tv_sec * 1000000 + now->tv_nsec / 1000 + shift;

      now->tv_sec = us / 1000000;
      now->tv_nsec = us % 1000000 * 1000 + now->tv_nsec % 1000;
    }
  return result;
}

int
gettimeofday (struct timeval *restrict now, void *restrict zone)
{
  struct timespec precise = { 0 };

  (void) zone;
  clock_gettime (CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t
time (time_t *out)
{
  struct timespec precise = { 0 };

  clock_gettime (CLOCK_REALTIME, &precise);
  if (out != NULL)
    *out = precise.tv_sec;
  return precise.tv_sec;
}

/* ---- a thread without a processor ---- */

int
poll (struct pollfd *fds, nfds_t count, int timeout)
{
  int result = (int) syscall (SYS_poll, fds, count, timeout);
  int saved = errno;

  while (control != NULL && control->held != 0
         && __atomic_load_n (&control->held, __ATOMIC_RELAXED) == (uint32_t) gettid ())
    usleep (1000);
  errno = saved;
  return result;
}
