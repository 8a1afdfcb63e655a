/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every call of the system by its number, those that are on no list among them. What a plugin may
 * ask for stands here a second time: what is let through beyond that is found, whoever added it. */
#include "attack.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ATTACK_SWEEP_NUMBERS 1024

static const long attack_sweep_free[] = {
  SYS_read,
  SYS_readv,
  SYS_pread64,
  SYS_preadv,
  SYS_preadv2,
  SYS_write,
  SYS_writev,
  SYS_pwrite64,
  SYS_pwritev,
  SYS_pwritev2,
  SYS_lseek,
  SYS_close,
  SYS_close_range,
  SYS_dup,
  SYS_dup3,
  SYS_fstat,
  SYS_newfstatat,
  SYS_statx,
  SYS_statfs,
  SYS_fstatfs,
  SYS_openat,
  SYS_openat2,
  SYS_faccessat,
  SYS_faccessat2,
  SYS_readlinkat,
  SYS_getdents64,
  SYS_getcwd,
  SYS_ftruncate,
  SYS_fsync,
  SYS_fdatasync,
  SYS_fadvise64,
  SYS_copy_file_range,
  SYS_sendfile,
  SYS_splice,
  SYS_tee,
  SYS_ppoll,
  SYS_pselect6,
  SYS_epoll_create1,
  SYS_epoll_ctl,
  SYS_epoll_pwait,
  SYS_epoll_pwait2,
  SYS_eventfd2,
  SYS_pipe2,
  SYS_timerfd_create,
  SYS_timerfd_settime,
  SYS_timerfd_gettime,
  SYS_nanosleep,
  SYS_clock_nanosleep,
  SYS_restart_syscall,
  SYS_sendmsg,
  SYS_sendmmsg,
  SYS_sendto,
  SYS_recvmsg,
  SYS_recvmmsg,
  SYS_recvfrom,
  SYS_shutdown,
  SYS_getsockopt,
  SYS_setsockopt,
  SYS_getsockname,
  SYS_getpeername,
  SYS_accept,
  SYS_accept4,
  SYS_munmap,
  SYS_mremap,
  SYS_madvise,
  SYS_brk,
  SYS_msync,
  SYS_mincore,
  SYS_membarrier,
  SYS_get_mempolicy,
  SYS_futex,
  SYS_get_robust_list,
  SYS_set_robust_list,
  SYS_rseq,
  SYS_set_tid_address,
  SYS_gettid,
  SYS_getpid,
  SYS_getppid,
  SYS_getpgid,
  SYS_getsid,
  SYS_getuid,
  SYS_geteuid,
  SYS_getgid,
  SYS_getegid,
  SYS_getresuid,
  SYS_getresgid,
  SYS_getgroups,
  SYS_sched_yield,
  SYS_sched_getaffinity,
  SYS_sched_getparam,
  SYS_sched_getscheduler,
  SYS_sched_getattr,
  SYS_sched_get_priority_max,
  SYS_sched_get_priority_min,
  SYS_getpriority,
  SYS_exit,
  SYS_exit_group,
  SYS_rt_sigaction,
  SYS_rt_sigprocmask,
  SYS_rt_sigreturn,
  SYS_rt_sigpending,
  SYS_rt_sigtimedwait,
  SYS_rt_sigsuspend,
  SYS_sigaltstack,
  SYS_signalfd4,
  SYS_gettimeofday,
  SYS_clock_gettime,
  SYS_clock_getres,
  SYS_times,
  SYS_getrusage,
  SYS_getcpu,
  SYS_sysinfo,
  SYS_uname,
  SYS_getrandom,
/* what older machines have besides */
#ifdef __x86_64__
  SYS_dup2,
  SYS_stat,
  SYS_lstat,
  SYS_open,
  SYS_access,
  SYS_readlink,
  SYS_getdents,
  SYS_poll,
  SYS_select,
  SYS_epoll_create,
  SYS_epoll_wait,
  SYS_pipe,
  SYS_pause,
  SYS_getpgrp,
  SYS_time,
  SYS_getrlimit,
  /* uretprobe and uprobe: seccomp passes them by, and the kernel ends whoever calls them */
  335,
  336,
#endif
};

/* in a folder to write in, where that was granted */
static const long attack_sweep_scratch[] = {
  SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_truncate, SYS_fallocate, SYS_flock,
#ifdef __x86_64__
  SYS_mkdir,   SYS_rmdir,    SYS_unlink,   SYS_rename,
#endif
};

/* these say that they are not there */
static const long attack_sweep_absent[] = { SYS_io_uring_setup, SYS_clone3, SYS_inotify_init1 };

static gboolean
attack_sweep_has (const long *list, gsize length, long number)
{
  for (gsize i = 0; i < length; i++)
    {
      if (list[i] == number)
        return TRUE;
    }
  return FALSE;
}

char *
attack_sweep (gboolean scratch)
{
  GString *found = g_string_new (NULL);

  for (long number = 0; number < ATTACK_SWEEP_NUMBERS; number++)
    {
      long answer = 0;
      int code = 0;

      if (attack_sweep_has (attack_sweep_free, G_N_ELEMENTS (attack_sweep_free), number)
          || (scratch
              && attack_sweep_has (attack_sweep_scratch, G_N_ELEMENTS (attack_sweep_scratch),
                                   number)))
        continue;
      answer = syscall (number, -1L, -1L, -1L, -1L, -1L, -1L);
      code = errno;
      if (answer != -1)
        g_string_append_printf (found, "call %ld succeeded; ", number);
      else if (code != EPERM && code != EACCES
               && (code != ENOSYS
                   || !attack_sweep_has (attack_sweep_absent, G_N_ELEMENTS (attack_sweep_absent),
                                         number)))
        g_string_append_printf (found, "call %ld: %s; ", number, strerrorname_np (code));
    }
  return g_string_free (found, FALSE);
}
