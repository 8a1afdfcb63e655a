/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* seccomp(2), through libseccomp. An allow-list: what is not named answers EPERM, and what programs
 * try and live without answers what they expect. Paths are Landlock's business, and so is what may
 * be opened; here it is decided what a process may ask for at all. */
#include "runner-seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner-privileges.h"
#include "runner-refusals.h"
#include "runner-scratch.h"

/* by purpose; names that an architecture does not have are passed over */
static const char *const runner_seccomp_free[] = {
  /* what is open already, and reading what Landlock lets through */
  "read",
  "readv",
  "pread64",
  "preadv",
  "preadv2",
  "write",
  "writev",
  "pwrite64",
  "pwritev",
  "pwritev2",
  "lseek",
  "_llseek",
  "close",
  "close_range",
  "dup",
  "dup2",
  "dup3",
  "fstat",
  "fstat64",
  "newfstatat",
  "fstatat64",
  "stat",
  "stat64",
  "lstat",
  "lstat64",
  "statx",
  "statfs",
  "fstatfs",
  "open",
  "openat",
  "openat2",
  "access",
  "faccessat",
  "faccessat2",
  "readlink",
  "readlinkat",
  "getdents",
  "getdents64",
  "getcwd",
  "ftruncate",
  "ftruncate64",
  "fsync",
  "fdatasync",
  "fadvise64",
  "copy_file_range",
  "sendfile",
  "sendfile64",
  "splice",
  "tee",
  /* waiting */
  "poll",
  "ppoll",
  "select",
  "_newselect",
  "pselect6",
  "epoll_create",
  "epoll_create1",
  "epoll_ctl",
  "epoll_wait",
  "epoll_pwait",
  "epoll_pwait2",
  "eventfd2",
  "pipe",
  "pipe2",
  "timerfd_create",
  "timerfd_settime",
  "timerfd_gettime",
  "nanosleep",
  "clock_nanosleep",
  "pause",
  "restart_syscall",
  /* sockets that were handed over: none is made */
  "sendmsg",
  "sendmmsg",
  "sendto",
  "recvmsg",
  "recvmmsg",
  "recvfrom",
  "shutdown",
  "getsockopt",
  "setsockopt",
  "getsockname",
  "getpeername",
  "accept",
  "accept4",
  /* memory */
  "munmap",
  "mremap",
  "madvise",
  "brk",
  "msync",
  "mincore",
  "membarrier",
  "get_mempolicy",
  /* threads and signals of its own */
  "futex",
  "futex_time64",
  "get_robust_list",
  "set_robust_list",
  "rseq",
  "set_tid_address",
  "gettid",
  "getpid",
  "getppid",
  "getpgrp",
  "getpgid",
  "getsid",
  "getuid",
  "geteuid",
  "getgid",
  "getegid",
  "getresuid",
  "getresgid",
  "getgroups",
  "sched_yield",
  "sched_getaffinity",
  "sched_getparam",
  "sched_getscheduler",
  "sched_getattr",
  "sched_get_priority_max",
  "sched_get_priority_min",
  "getpriority",
  "exit",
  "exit_group",
  "rt_sigaction",
  "rt_sigprocmask",
  "rt_sigreturn",
  "rt_sigpending",
  "rt_sigtimedwait",
  "rt_sigsuspend",
  "sigreturn",
  "sigaltstack",
  "signalfd4",
  /* time, and where one is */
  "time",
  "gettimeofday",
  "clock_gettime",
  "clock_getres",
  "times",
  "getrusage",
  "getrlimit",
  "ugetrlimit",
  "getcpu",
  "sysinfo",
  "uname",
  "getrandom",
};

/* in a folder of its own, where there is one */
static const char *const runner_seccomp_scratch[] = {
  "rmdir",    "unlink",     "unlinkat",  "rename", "renameat",
  "truncate", "truncate64", "fallocate", "flock",
};

/* a call that is allowed where the bits @mask of its argument number @argument are one of @values
 */
typedef struct
{
  const char *call;
  guint argument;
  const gint64 *values;
  guint n_values;
  guint32 mask; /* 0: all: the kernel takes numbers of 32 bits for these, whatever stands above */
} RunnerSeccompChoice;

static const gint64 runner_seccomp_ioctls[] = { FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, TCGETS };
static const gint64 runner_seccomp_fcntls[]
    = { F_GETFD,         F_SETFD,     F_GETFL,     F_SETFL,     F_DUPFD,
        F_DUPFD_CLOEXEC, F_GET_SEALS, F_ADD_SEALS, F_GETPIPE_SZ };
/* the kernel keeps as many locks as one asks for, of any file that is open: only who writes files
 * gets them, and the host counts them. Those of an open file description the kernel lists without
 * their process (proc(5), locks): nobody could */
static const gint64 runner_seccomp_locks[] = { F_SETLK, F_SETLKW };
static const gint64 runner_seccomp_lock_questions[] = { F_GETLK };
static const gint64 runner_seccomp_prctls[]
    = { PR_SET_NAME,         PR_GET_NAME,     PR_GET_DUMPABLE, PR_GET_SECCOMP,
        PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ, PR_SET_VMA };
/* libseccomp asks what there is; how a filter comes is below */
static const gint64 runner_seccomp_operations[]
    = { SECCOMP_GET_ACTION_AVAIL, SECCOMP_GET_NOTIF_SIZES };

static const gint64 runner_seccomp_zero[] = { 0 };
static const gint64 runner_seccomp_owner[] = { S_IRWXU };

static const RunnerSeccompChoice runner_seccomp_choices[] = {
  { "ioctl", 1, runner_seccomp_ioctls, G_N_ELEMENTS (runner_seccomp_ioctls), 0 },
  { "fcntl", 1, runner_seccomp_fcntls, G_N_ELEMENTS (runner_seccomp_fcntls), 0 },
  { "fcntl64", 1, runner_seccomp_fcntls, G_N_ELEMENTS (runner_seccomp_fcntls), 0 },
  { "prctl", 0, runner_seccomp_prctls, G_N_ELEMENTS (runner_seccomp_prctls), 0 },
  { "seccomp", 0, runner_seccomp_operations, G_N_ELEMENTS (runner_seccomp_operations), 0 },
  /* a folder that it makes is its own to open */
  { "umask", 0, runner_seccomp_zero, 1, S_IRWXU },
};

/* in a folder of its own: no folder that cannot be looked into and cleared away, and nothing but a
 * name is exchanged (RENAME_WHITEOUT leaves a device) */
static const RunnerSeccompChoice runner_seccomp_scratch_choices[] = {
  { "mkdir", 1, runner_seccomp_owner, 1, S_IRWXU },
  { "mkdirat", 2, runner_seccomp_owner, 1, S_IRWXU },
  { "renameat2", 4, runner_seccomp_zero, 1, ~(guint32) (RENAME_NOREPLACE | RENAME_EXCHANGE) },
  { "fcntl", 1, runner_seccomp_lock_questions, 1, 0 },
  { "fcntl64", 1, runner_seccomp_lock_questions, 1, 0 },
};
/* where there is no host to count */
static const RunnerSeccompChoice runner_seccomp_lock_choices[] = {
  { "fcntl", 1, runner_seccomp_locks, G_N_ELEMENTS (runner_seccomp_locks), 0 },
  { "fcntl64", 1, runner_seccomp_locks, G_N_ELEMENTS (runner_seccomp_locks), 0 },
};

static int
runner_seccomp_add_free (scmp_filter_ctx filter, const char *const *names, guint n_names)
{
  for (guint i = 0; i < n_names; i++)
    {
      int number = seccomp_syscall_resolve_name (names[i]);
      int code = number >= 0 ? seccomp_rule_add (filter, SCMP_ACT_ALLOW, number, 0) : 0;

      if (code != 0)
        return code;
    }
  return 0;
}

/* What programs try and live without nobody needs to know of. @told: all else is the default. */
static int
runner_seccomp_add_refused (scmp_filter_ctx filter, gboolean told)
{
  int code = 0;

  for (guint i = 0; code == 0 && i < RUNNER_REFUSALS_COUNT; i++)
    {
      int number = seccomp_syscall_resolve_name (runner_refusals[i].call);

      if (number >= 0 && !runner_refusals[i].by_arguments
          && (!told || runner_refusals[i].code == ENOSYS))
        code = seccomp_rule_add (filter, SCMP_ACT_ERRNO ((guint) runner_refusals[i].code), number,
                                 0);
    }
  return code;
}

static int
runner_seccomp_add_choices (scmp_filter_ctx filter, guint32 action,
                            const RunnerSeccompChoice *choices, guint n_choices)
{
  for (guint i = 0; i < n_choices; i++)
    {
      const RunnerSeccompChoice *choice = &choices[i];
      guint64 mask = choice->mask != 0 ? choice->mask : 0xffffffffu;
      int number = seccomp_syscall_resolve_name (choice->call);

      for (guint j = 0; number >= 0 && j < choice->n_values; j++)
        {
          struct scmp_arg_cmp one
              = SCMP_CMP (choice->argument, SCMP_CMP_MASKED_EQ, mask, (guint64) choice->values[j]);
          int code = seccomp_rule_add_array (filter, action, number, 1, &one);

          if (code != 0)
            return code;
        }
    }
  return 0;
}

/* What is done in a folder of its own. @told: the host is asked for locks. */
static int
runner_seccomp_add_scratch (scmp_filter_ctx filter, gboolean told)
{
  int code = runner_seccomp_add_free (filter, runner_seccomp_scratch,
                                      G_N_ELEMENTS (runner_seccomp_scratch));

  if (code == 0)
    code = runner_seccomp_add_choices (filter, SCMP_ACT_ALLOW, runner_seccomp_scratch_choices,
                                       G_N_ELEMENTS (runner_seccomp_scratch_choices));
  if (code == 0 && !told)
    code = runner_seccomp_add_choices (filter, SCMP_ACT_ERRNO (ENOLCK), runner_seccomp_lock_choices,
                                       G_N_ELEMENTS (runner_seccomp_lock_choices));
  return code;
}

/* Memory is written or executed, never both; what is mapped does not become executable. @told: for
 * what is mapped as code the host is asked, which lets that through until the seal: whatever says
 * that it is sealed, a constructor too, is. */
static int
runner_seccomp_add_memory (scmp_filter_ctx filter, gboolean told)
{
  const guint64 both = PROT_WRITE | PROT_EXEC;
  const guint64 ways[] = { 0, PROT_WRITE, PROT_EXEC }; /* the last one not where it is asked */
  const int maps[] = { SCMP_SYS (mmap), SCMP_SYS (mmap2) };
  int code = 0;

  for (guint i = 0; i < G_N_ELEMENTS (maps); i++)
    {
      for (guint j = 0; code == 0 && maps[i] >= 0 && j < G_N_ELEMENTS (ways) - told; j++)
        code = seccomp_rule_add (filter, SCMP_ACT_ALLOW, maps[i], 1,
                                 SCMP_A2 (SCMP_CMP_MASKED_EQ, both, ways[j]));
      if (code == 0 && maps[i] >= 0 && !told)
        code = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EACCES), maps[i], 1,
                                 SCMP_A2 (SCMP_CMP_MASKED_EQ, both, both));
    }
  if (code == 0)
    code = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (mprotect), 1,
                             SCMP_A2 (SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  if (code == 0 && !told)
    code = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EACCES), SCMP_SYS (mprotect), 1,
                             SCMP_A2 (SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
  return code;
}

/* @told: as above, for files alone. */
static int
runner_seccomp_add_any_memory (scmp_filter_ctx filter, gboolean told)
{
  const int maps[] = { SCMP_SYS (mmap), SCMP_SYS (mmap2) };
  int code = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (mprotect), 0);

  for (guint i = 0; code == 0 && i < G_N_ELEMENTS (maps); i++)
    {
      if (maps[i] < 0)
        continue;
      if (!told)
        code = seccomp_rule_add (filter, SCMP_ACT_ALLOW, maps[i], 0);
      else
        code = seccomp_rule_add (filter, SCMP_ACT_ALLOW, maps[i], 1,
                                 SCMP_A2 (SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
      if (code == 0 && told)
        code = seccomp_rule_add (filter, SCMP_ACT_ALLOW, maps[i], 1,
                                 SCMP_A3 (SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
    }
  return code;
}

/* A thread is made, no process; a signal goes to oneself alone; of limits one's own are read. */
static int
runner_seccomp_add_threads (scmp_filter_ctx filter)
{
  const guint64 apart = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER
                        | CLONE_NEWPID | CLONE_NEWNET;
  int code = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (clone), 1,
                               SCMP_A0 (SCMP_CMP_MASKED_EQ, CLONE_THREAD | apart, CLONE_THREAD));

  if (code == 0)
    code = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (tgkill), 1,
                             SCMP_A0 (SCMP_CMP_EQ, (guint64) getpid ()));
  if (code == 0)
    code
        = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (prlimit64), 2,
                            SCMP_A0 (SCMP_CMP_MASKED_EQ, 0xffffffffu, 0), SCMP_A2 (SCMP_CMP_EQ, 0));
  return code;
}

/* The second filter can only take away. None has a listener: who listens may let calls through that
 * this one would have refused, and of two the kernel asks the last. */
static int
runner_seccomp_add_filters (scmp_filter_ctx filter)
{
  return seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (seccomp), 2,
                           SCMP_A0 (SCMP_CMP_MASKED_EQ, 0xffffffffu, SECCOMP_SET_MODE_FILTER),
                           SCMP_A1 (SCMP_CMP_MASKED_EQ, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0));
}

/* Loads what @build adds to a new filter, for all threads. */
static int
runner_seccomp_load_filter (scmp_filter_ctx filter)
{
  int code = seccomp_attr_set (filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

  if (code == 0)
    code = seccomp_attr_set (filter, SCMP_FLTATR_CTL_TSYNC, 1);
  /* was done, and noted, by itself */
  if (code == 0)
    code = seccomp_attr_set (filter, SCMP_FLTATR_CTL_NNP, 0);
  if (code == 0)
    code = seccomp_load (filter);
  return code;
}

/* libseccomp asks for a listener only where single calls are told of: here it is the default that
 * is. For all threads, as the others. */
static int
runner_seccomp_load_told (scmp_filter_ctx filter, int *listener)
{
  int file = memfd_create ("filter", MFD_CLOEXEC);
  int code = file < 0 ? -errno
                      : seccomp_attr_set (filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  g_autofree struct sock_filter *program = NULL;
  struct sock_fprog all = { 0 };
  gssize length = 0;

  if (code == 0)
    code = seccomp_export_bpf (filter, file);
  length = code == 0 ? lseek (file, 0, SEEK_END) : 0;
  if (length > 0)
    {
      program = g_malloc ((gsize) length);
      all = (struct sock_fprog){ .len = (unsigned short) ((gsize) length / sizeof *program),
                                 .filter = program };
      if (pread (file, program, (gsize) length, 0) != length)
        code = -EIO;
    }
  if (file >= 0)
    close (file);
  if (code != 0)
    return code;
  *listener = (int) syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                             SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH
                                 | SECCOMP_FILTER_FLAG_NEW_LISTENER,
                             &all);
  return *listener < 0 ? -errno : 0;
}

/* @scratch: it has a folder to write in. @listener: (out): what is refused the host is told, and
 * answers. (nullable): the filter refuses. An errno, negative */
static int
runner_seccomp_try (gboolean jit, gboolean scratch, int *listener)
{
  gboolean told = listener != NULL;
  scmp_filter_ctx filter = seccomp_init (told ? SCMP_ACT_NOTIFY : SCMP_ACT_ERRNO (EPERM));
  int code = filter != NULL ? 0 : -ENOMEM;

  if (code == 0)
    code
        = runner_seccomp_add_free (filter, runner_seccomp_free, G_N_ELEMENTS (runner_seccomp_free));
  if (code == 0)
    code = runner_seccomp_add_refused (filter, told);
  if (code == 0)
    code = runner_seccomp_add_choices (filter, SCMP_ACT_ALLOW, runner_seccomp_choices,
                                       G_N_ELEMENTS (runner_seccomp_choices));
  if (code == 0 && scratch)
    code = runner_seccomp_add_scratch (filter, told);
  if (code == 0)
    code = jit ? runner_seccomp_add_any_memory (filter, told)
               : runner_seccomp_add_memory (filter, told);
  if (code == 0)
    code = runner_seccomp_add_threads (filter);
  if (code == 0)
    code = runner_seccomp_add_filters (filter);
  if (code == 0)
    code = told ? runner_seccomp_load_told (filter, listener) : runner_seccomp_load_filter (filter);
  if (filter != NULL)
    seccomp_release (filter);
  return code;
}

void
runner_seccomp_allow (gboolean jit, RunnerReport *report)
{
  gboolean scratch = runner_scratch_get_path (report) != NULL;
  int code = runner_seccomp_try (jit, scratch, &report->passed);

  /* older than Linux 5.7, or somebody outside listens already, and there can be one: the same calls
   * are refused, and nobody learns which */
  if (code != 0)
    code = runner_seccomp_try (jit, scratch, NULL);
  if (code == 0)
    report->layers |= RUNNER_LAYERS_SECCOMP;
  else
    runner_report_note (report, RUNNER_LAYERS_SECCOMP, -code, "seccomp ()");
}

void
runner_seccomp_seal (gboolean jit, RunnerReport *report)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
  int code = filter != NULL ? 0 : -ENOMEM;

  if (code == 0)
    code = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EACCES), SCMP_SYS (mmap), jit ? 2 : 1,
                             SCMP_A2 (SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC),
                             SCMP_A3 (SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
  if (code == 0)
    code = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EACCES), SCMP_SYS (seccomp), 0);
  if (code == 0)
    code = runner_seccomp_load_filter (filter);
  if (code == 0 && jit)
    runner_report_note (report, RUNNER_LAYERS_SEALED, 0, RUNNER_PRIVILEGES_JIT);
  else if (code == 0)
    report->layers |= RUNNER_LAYERS_SEALED;
  else
    runner_report_note (report, RUNNER_LAYERS_SEALED, -code, "seccomp ()");
  if (filter != NULL)
    seccomp_release (filter);
}
