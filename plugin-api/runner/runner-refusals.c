/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table: the runner's filter answers by it, or the host does for the runner. */
#include "runner-refusals.h"

#include <errno.h>

const RunnerRefusal runner_refusals[RUNNER_REFUSALS_COUNT] = {
  { "socket", EACCES, FALSE },
  { "socketpair", EACCES, FALSE },
  { "connect", EACCES, FALSE },
  { "bind", EACCES, FALSE },
  { "listen", EACCES, FALSE },
  { "memfd_create", EACCES, FALSE },
  { "memfd_secret", EACCES, FALSE },
  { "execve", EACCES, FALSE },
  { "execveat", EACCES, FALSE },
  { "ptrace", EACCES, FALSE },
  { "io_uring_setup", ENOSYS, FALSE },
  { "clone3", ENOSYS, FALSE },
  { "pkey_mprotect", EACCES, FALSE },
  { "inotify_init1", ENOSYS, FALSE },
  { "mmap", EACCES, TRUE },
  { "mmap2", EACCES, TRUE },
  { "mprotect", EACCES, TRUE },
};

int
runner_refusals_get_code (const char *call)
{
  for (guint i = 0; call != NULL && i < G_N_ELEMENTS (runner_refusals); i++)
    {
      if (g_str_equal (runner_refusals[i].call, call))
        return runner_refusals[i].code;
    }
  return EPERM;
}
