/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In a debug build the compiler puts this before every file of host/ (-include, see meson.build):
 * each lock taken there is counted, and each call that must not happen under one is checked first,
 * so that a lock held across I/O, a plugin call or a callback ends the program at once, with the
 * place. Nothing in the code has to remember it, and other builds know nothing of it. */
#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#define REEVE_LOCKS_WATCH_PRAGMA(text) _Pragma (#text)
#define REEVE_LOCKS_WATCH_RENAME(name)                                                             \
  REEVE_LOCKS_WATCH_PRAGMA (redefine_extname name reeve_locks_watch_##name)
#define CALL(type, name, parameters, arguments) REEVE_LOCKS_WATCH_RENAME (name)
#include "base/locks-calls.h"
#undef CALL

REEVE_LOCKS_WATCH_RENAME (g_mutex_lock)
REEVE_LOCKS_WATCH_RENAME (g_mutex_trylock)
REEVE_LOCKS_WATCH_RENAME (g_mutex_unlock)
REEVE_LOCKS_WATCH_RENAME (g_cond_wait)
REEVE_LOCKS_WATCH_RENAME (g_cond_wait_until)
REEVE_LOCKS_WATCH_RENAME (g_task_return_new_error)

/* These have another name in the library already (large files), which a pragma cannot change; so
 * their headers come first, and the words themselves are replaced. */
#define open      reeve_locks_watch_open
#define openat    reeve_locks_watch_openat
#define pread     reeve_locks_watch_pread
#define pwrite    reeve_locks_watch_pwrite
#define ftruncate reeve_locks_watch_ftruncate

int reeve_locks_watch_open (const char *path, int flags, ...);
int reeve_locks_watch_openat (int folder, const char *path, int flags, ...);
ssize_t reeve_locks_watch_pread (int fd, void *data, size_t size, off_t offset);
ssize_t reeve_locks_watch_pwrite (int fd, const void *data, size_t size, off_t offset);
int reeve_locks_watch_ftruncate (int fd, off_t size);
