/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of the system that widen what a process can do or reach, or that have let others out. Each
 * is the plain call: what a C library makes of it is no protection. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define ATTACK_KERNEL_X32 0x40000000

static int
attack_kernel_io_uring (const AttackWorld *world)
{
  char parameters[120] = { 0 };

  return attack_fd (syscall (SYS_io_uring_setup, 1, parameters));
}

static int
attack_kernel_unshare_now (const AttackWorld *world)
{
  return attack_result (unshare (CLONE_NEWUSER));
}

static int
attack_kernel_unshare (const AttackWorld *world)
{
  return attack_in_child (attack_kernel_unshare_now, world);
}

static int
attack_kernel_unshare_files (const AttackWorld *world)
{
  return attack_result (unshare (CLONE_FILES));
}

static int
attack_kernel_setns (const AttackWorld *world)
{
  int fd = open ("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
  int code = attack_result (setns (fd, 0));

  if (fd >= 0)
    close (fd);
  return code;
}

static int
attack_kernel_clone3 (const AttackWorld *world)
{
  /* struct clone_args: flags, four pointers, the signal at the end, and so on */
  guint64 arguments[8] = { 0, 0, 0, 0, SIGCHLD, 0, 0, 0 };

  return attack_child (syscall (SYS_clone3, arguments, sizeof arguments));
}

static int
attack_kernel_clone_user (const AttackWorld *world)
{
  return attack_child (syscall (SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

/* getpid() by the door of 32-bit programs */
static int
attack_kernel_int80 (const AttackWorld *world)
{
#ifdef __x86_64__
  long value = 20;

  __asm__ volatile("int $0x80" : "+a"(value) : : "memory", "r8", "r9", "r10", "r11");
  return value > 0 ? 0 : (int) -value;
#else
  return ENOSYS;
#endif
}

static int
attack_kernel_x32 (const AttackWorld *world)
{
  return attack_result (syscall (SYS_getpid | ATTACK_KERNEL_X32));
}

/* BPF_MAP_CREATE of an array of one */
static int
attack_kernel_bpf (const AttackWorld *world)
{
  guint32 attributes[32] = { 2, 4, 4, 1 };

  return attack_fd (syscall (SYS_bpf, 0, attributes, sizeof attributes));
}

static int
attack_kernel_keyctl (const AttackWorld *world)
{
  return attack_result (syscall (SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -2, 1));
}

static int
attack_kernel_add_key (const AttackWorld *world)
{
  return attack_result (syscall (SYS_add_key, "user", "reeve-hostile", "x", 1, -2));
}

static int
attack_kernel_userfaultfd (const AttackWorld *world)
{
  return attack_fd (syscall (SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
}

static int
attack_kernel_perf (const AttackWorld *world)
{
  struct perf_event_attr attributes = { .type = PERF_TYPE_SOFTWARE,
                                        .size = sizeof attributes,
                                        .config = PERF_COUNT_SW_TASK_CLOCK,
                                        .exclude_kernel = 1 };

  return attack_fd (syscall (SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static int
attack_kernel_personality (const AttackWorld *world)
{
  int now = personality (0xffffffff);
  int code = attack_result (now < 0 ? -1 : personality ((unsigned long) now | READ_IMPLIES_EXEC));

  personality ((unsigned long) now);
  return code;
}

/* A terminal of its own, and a character typed into it; where there is none, into what there is. */
static int
attack_kernel_tiocsti_now (const AttackWorld *world)
{
  int controller = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
  int terminal = -1;
  int code = 0;

  /* comes when the controller is closed */
  signal (SIGHUP, SIG_IGN);
  if (controller >= 0 && grantpt (controller) == 0 && unlockpt (controller) == 0 && setsid () > 0)
    terminal = open (ptsname (controller), O_RDWR | O_CLOEXEC);
  code = attack_result (ioctl (terminal >= 0 ? terminal : STDIN_FILENO, TIOCSTI, "x"));
  if (terminal >= 0)
    close (terminal);
  if (controller >= 0)
    close (controller);
  return code;
}

static int
attack_kernel_tiocsti (const AttackWorld *world)
{
  return attack_in_child (attack_kernel_tiocsti_now, world);
}

static int
attack_kernel_chroot (const AttackWorld *world)
{
  return attack_result (chroot ("/"));
}

static int
attack_kernel_hostname (const AttackWorld *world)
{
  char name[256] = "";

  if (gethostname (name, sizeof name - 1) != 0)
    return errno;
  return attack_result (sethostname (name, strlen (name)));
}

static int
attack_kernel_ldt (const AttackWorld *world)
{
#ifdef SYS_modify_ldt
  char entries[16] = { 0 };

  return attack_result (syscall (SYS_modify_ldt, 0, entries, sizeof entries));
#else
  return ENOSYS;
#endif
}

static int
attack_kernel_own_filter (const AttackWorld *world)
{
  guint32 action = 0x7fff0000; /* SECCOMP_RET_ALLOW */

  return attack_result (syscall (SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &action));
}

static int
attack_kernel_dumpable (const AttackWorld *world)
{
  return attack_result (prctl (PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
attack_kernel_outlive (const AttackWorld *world)
{
  return attack_result (prctl (PR_SET_PDEATHSIG, 0, 0, 0, 0));
}

static int
attack_kernel_limits (const AttackWorld *world)
{
  struct rlimit limit = { 0, 0 };

  getrlimit (RLIMIT_CORE, &limit);
  return attack_result (setrlimit (RLIMIT_CORE, &limit));
}

static int
attack_kernel_user (const AttackWorld *world)
{
  return attack_result (syscall (SYS_setresuid, -1, -1, -1));
}

static int
attack_kernel_owner (const AttackWorld *world)
{
  int ends[2] = { -1, -1 };
  int code = 0;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return errno;
  code = attack_result (fcntl (ends[0], F_SETOWN, (int) world->victim));
  close (ends[0]);
  close (ends[1]);
  return code;
}

static int
attack_kernel_timer (const AttackWorld *world)
{
  timer_t timer = NULL;
  int code = attack_result (timer_create (CLOCK_MONOTONIC, NULL, &timer));

  if (code == 0)
    timer_delete (timer);
  return code;
}

/* ---- what a plugin may do ---- */

static void *
attack_kernel_nothing (void *data)
{
  return data;
}

static int
attack_kernel_thread (const AttackWorld *world)
{
  pthread_t thread;
  int code = pthread_create (&thread, NULL, attack_kernel_nothing, NULL);

  if (code == 0)
    pthread_join (thread, NULL);
  return code;
}

static int
attack_kernel_wait (const AttackWorld *world)
{
  struct itimerspec soon = { .it_value = { 0, 1000 } };
  struct epoll_event event = { .events = EPOLLIN };
  int epoll = epoll_create1 (EPOLL_CLOEXEC);
  int timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC);
  int code = 0;

  if (epoll < 0 || timer < 0 || epoll_ctl (epoll, EPOLL_CTL_ADD, timer, &event) != 0
      || timerfd_settime (timer, 0, &soon, NULL) != 0 || epoll_wait (epoll, &event, 1, -1) != 1)
    code = errno;
  if (epoll >= 0)
    close (epoll);
  if (timer >= 0)
    close (timer);
  return code;
}

const Attack attack_kernel[] = {
  { "io-uring", attack_kernel_io_uring },
  { "unshare", attack_kernel_unshare },
  { "unshare-files", attack_kernel_unshare_files },
  { "setns", attack_kernel_setns },
  { "clone3", attack_kernel_clone3 },
  { "clone-user", attack_kernel_clone_user },
  { "int80", attack_kernel_int80 },
  { "x32", attack_kernel_x32 },
  { "bpf", attack_kernel_bpf },
  { "keyctl", attack_kernel_keyctl },
  { "add-key", attack_kernel_add_key },
  { "userfaultfd", attack_kernel_userfaultfd },
  { "perf", attack_kernel_perf },
  { "personality", attack_kernel_personality },
  { "tiocsti", attack_kernel_tiocsti },
  { "chroot", attack_kernel_chroot },
  { "hostname", attack_kernel_hostname },
  { "ldt", attack_kernel_ldt },
  { "own-filter", attack_kernel_own_filter },
  { "dumpable", attack_kernel_dumpable },
  { "outlive", attack_kernel_outlive },
  { "limits", attack_kernel_limits },
  { "user", attack_kernel_user },
  { "owner", attack_kernel_owner },
  { "timer", attack_kernel_timer },
  { "thread", attack_kernel_thread },
  { "wait", attack_kernel_wait },
  { NULL, NULL },
};
