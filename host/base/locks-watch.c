/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What debug builds call in place of the functions of locks-calls.h and of GLib's locks: which
 * locks a thread holds is counted, and nothing that may wait or call back is done under one. */
#include <dlfcn.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gnutls/gnutls.h>
#include <reeve-plugin-1.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

/* more than one is rare, more than a few is a mistake */
#define REEVE_LOCKS_WATCH_MAX 8

typedef struct
{
  const GMutex *mutex;
  const char *place; /* in the program, behind the call */
} ReeveLocksWatchHeld;

static _Thread_local ReeveLocksWatchHeld reeve_locks_watch_held[REEVE_LOCKS_WATCH_MAX];
static _Thread_local guint reeve_locks_watch_count;

/* ---- what is held ---- */

/* A command that names file and line of the two places. */
static void
reeve_locks_watch_abort (const char *what, const char *here, const char *there)
{
  Dl_info info = { 0 };

  if (dladdr (here, &info) == 0)
    g_error ("%s under a lock", what);
  g_error (
      "%s under a lock: here, and where it was taken: addr2line -Cfpie %s 0x%" G_GINTPTR_MODIFIER
      "x 0x%" G_GINTPTR_MODIFIER "x",
      what, info.dli_fname, here - (const char *) info.dli_fbase - 1,
      there - (const char *) info.dli_fbase - 1);
}

static void
reeve_locks_watch_check (const char *what, const char *here)
{
  if (reeve_locks_watch_count > 0)
    reeve_locks_watch_abort (what, here, reeve_locks_watch_held[reeve_locks_watch_count - 1].place);
}

static void
reeve_locks_watch_add (const GMutex *mutex, const char *here)
{
  if (reeve_locks_watch_count == REEVE_LOCKS_WATCH_MAX)
    reeve_locks_watch_abort ("one lock more", here, reeve_locks_watch_held[0].place);
  reeve_locks_watch_held[reeve_locks_watch_count].mutex = mutex;
  reeve_locks_watch_held[reeve_locks_watch_count].place = here;
  reeve_locks_watch_count++;
}

static void
reeve_locks_watch_remove (const GMutex *mutex, const char *here)
{
  guint i = reeve_locks_watch_count;

  while (i > 0 && reeve_locks_watch_held[i - 1].mutex != mutex)
    i--;
  if (i == 0)
    reeve_locks_watch_abort ("giving back what this thread does not hold", here, here);
  reeve_locks_watch_count--;
  for (; i <= reeve_locks_watch_count; i++)
    reeve_locks_watch_held[i - 1] = reeve_locks_watch_held[i];
}

/* Waiting gives back one lock; another one would stay. */
static void
reeve_locks_watch_check_wait (const char *here)
{
  if (reeve_locks_watch_count > 1)
    reeve_locks_watch_abort ("waiting for a condition", here, reeve_locks_watch_held[0].place);
}

/* ---- GLib's locks ---- */

#define HERE ((const char *) __builtin_return_address (0))

void reeve_locks_watch_g_mutex_lock (GMutex *mutex);
void reeve_locks_watch_g_mutex_unlock (GMutex *mutex);
gboolean reeve_locks_watch_g_mutex_trylock (GMutex *mutex);
void reeve_locks_watch_g_cond_wait (GCond *cond, GMutex *mutex);
gboolean reeve_locks_watch_g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end);

void
reeve_locks_watch_g_mutex_lock (GMutex *mutex)
{
  g_mutex_lock (mutex);
  reeve_locks_watch_add (mutex, HERE);
}

gboolean
reeve_locks_watch_g_mutex_trylock (GMutex *mutex)
{
  if (!g_mutex_trylock (mutex))
    return FALSE;
  reeve_locks_watch_add (mutex, HERE);
  return TRUE;
}

void
reeve_locks_watch_g_mutex_unlock (GMutex *mutex)
{
  reeve_locks_watch_remove (mutex, HERE);
  g_mutex_unlock (mutex);
}

void
reeve_locks_watch_g_cond_wait (GCond *cond, GMutex *mutex)
{
  reeve_locks_watch_check_wait (HERE);
  g_cond_wait (cond, mutex);
}

gboolean
reeve_locks_watch_g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end)
{
  reeve_locks_watch_check_wait (HERE);
  return g_cond_wait_until (cond, mutex, end);
}

/* ---- what is checked ---- */

#define CALL(type, name, parameters, arguments)                                                    \
  type reeve_locks_watch_##name parameters;                                                        \
  type reeve_locks_watch_##name parameters                                                         \
  {                                                                                                \
    reeve_locks_watch_check (#name " ()", HERE);                                                   \
    return name arguments;                                                                         \
  }
#include "locks-calls.h"
CALL (ssize_t, pread, (int fd, void *data, size_t size, off_t offset), (fd, data, size, offset))
CALL (ssize_t, pwrite, (int fd, const void *data, size_t size, off_t offset),
      (fd, data, size, offset))
CALL (int, ftruncate, (int fd, off_t size), (fd, size))

void reeve_locks_watch_g_task_return_new_error (GTask *task, GQuark domain, int code,
                                                const char *format, ...) G_GNUC_PRINTF (4, 5);
int reeve_locks_watch_open (const char *path, int flags, ...);
int reeve_locks_watch_openat (int folder, const char *path, int flags, ...);

void
reeve_locks_watch_g_task_return_new_error (GTask *task, GQuark domain, int code, const char *format,
                                           ...)
{
  GError *error = NULL;
  va_list args;

  reeve_locks_watch_check ("g_task_return_new_error ()", HERE);
  va_start (args, format);
  error = g_error_new_valist (domain, code, format, args);
  va_end (args);
  g_task_return_error (task, error);
}

int
reeve_locks_watch_open (const char *path, int flags, ...)
{
  va_list args;
  mode_t mode = 0;

  reeve_locks_watch_check ("open ()", HERE);
  va_start (args, flags);
  if ((flags & (O_CREAT | __O_TMPFILE)) != 0)
    mode = va_arg (args, mode_t);
  va_end (args);
  return open (path, flags, mode);
}

int
reeve_locks_watch_openat (int folder, const char *path, int flags, ...)
{
  va_list args;
  mode_t mode = 0;

  reeve_locks_watch_check ("openat ()", HERE);
  va_start (args, flags);
  if ((flags & (O_CREAT | __O_TMPFILE)) != 0)
    mode = va_arg (args, mode_t);
  va_end (args);
  return openat (folder, path, flags, mode);
}
