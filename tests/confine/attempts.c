/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each attempt is the plain call: what a C library makes of it is no protection. */
#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int
attempts_result (long value)
{
  int code = errno;

  if (value >= 0)
    return 0;
  return code;
}

static int
attempts_fd (int fd)
{
  int code = errno;

  if (fd < 0)
    return code;
  close (fd);
  return 0;
}

static int
attempts_passwd (void)
{
  return attempts_fd (open ("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int
attempts_environ (void)
{
  return attempts_fd (open ("/proc/self/environ", O_RDONLY | O_CLOEXEC));
}

static int
attempts_list_root (void)
{
  return attempts_fd (open ("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int
attempts_write_tmp (void)
{
  int code = attempts_fd (open ("/tmp/reeve-attempt", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

  unlink ("/tmp/reeve-attempt");
  return code;
}

int
attempts_run_from (const char *folder)
{
  char path[4096];
  int fd = -1;
  void *memory = MAP_FAILED;
  int code = 0;

  snprintf (path, sizeof path, "%s/reeve-attempt.so", folder);
  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0700);
  if (fd < 0)
    return errno;
  if (ftruncate (fd, 4096) == 0)
    memory = mmap (NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  code = memory == MAP_FAILED ? errno : 0;
  if (memory != MAP_FAILED)
    munmap (memory, 4096);
  close (fd);
  unlink (path);
  return code;
}

static int
attempts_truncate (void)
{
  return attempts_result (truncate ("/dev/null", 0)) == EINVAL ? 0 : errno;
}

/* of a pipe of its own */
static int
attempts_chmod (void)
{
  int ends[2] = { -1, -1 };
  int code = 0;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return errno;
  code = attempts_result (fchmod (ends[0], 0600));
  close (ends[0]);
  close (ends[1]);
  return code;
}

static int
attempts_tcp (void)
{
  return attempts_fd (socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
attempts_udp6 (void)
{
  return attempts_fd (socket (AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int
attempts_unix (void)
{
  return attempts_fd (socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
attempts_netlink (void)
{
  return attempts_fd (socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int
attempts_fork (void)
{
  long child = syscall (SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  int code = errno;

  if (child == 0)
    _exit (0);
  if (child < 0)
    return code;
  waitpid ((pid_t) child, NULL, 0);
  return 0;
}

/* in a child: what succeeds does not come back */
static int
attempts_exec (void)
{
  char *const arguments[] = { (char *) "true", NULL };
  long child = syscall (SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  int status = 0;

  if (child < 0)
    return attempts_result (execve ("/bin/true", arguments, NULL));
  if (child == 0)
    {
      execve ("/bin/true", arguments, NULL);
      _exit (1);
    }
  waitpid ((pid_t) child, &status, 0);
  return WIFEXITED (status) && WEXITSTATUS (status) == 0 ? 0 : EACCES;
}

static int
attempts_map (int protection)
{
  void *memory = mmap (NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int code = errno;

  if (memory == MAP_FAILED)
    return code;
  munmap (memory, 4096);
  return 0;
}

static int
attempts_write_and_execute (void)
{
  return attempts_map (PROT_READ | PROT_WRITE | PROT_EXEC);
}

static int
attempts_make_executable (void)
{
  void *memory = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int code = attempts_result (mprotect (memory, 4096, PROT_READ | PROT_EXEC));

  munmap (memory, 4096);
  return code;
}

static int
attempts_memfd (void)
{
  return attempts_fd ((int) syscall (SYS_memfd_create, "attempt", 0));
}

static int
attempts_ptrace (void)
{
  return attempts_result (ptrace (PTRACE_PEEKDATA, getpid (), NULL, NULL)) == ESRCH
             ? 0
             : attempts_result (-1);
}

static int
attempts_signal (void)
{
  return attempts_result (kill (getpid (), 0));
}

static int
attempts_unshare (void)
{
  return attempts_result (unshare (CLONE_FILES));
}

static int
attempts_io_uring (void)
{
  char parameters[120] = { 0 };

  return attempts_fd ((int) syscall (SYS_io_uring_setup, 1, parameters));
}

static int
attempts_keyctl (void)
{
  return attempts_result (syscall (SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -2, 0));
}

static int
attempts_personality (void)
{
  return attempts_result (personality (0xffffffff));
}

static int
attempts_raise_limit (void)
{
  struct rlimit limit = { 0, 0 };

  getrlimit (RLIMIT_CORE, &limit);
  return attempts_result (setrlimit (RLIMIT_CORE, &limit));
}

static int
attempts_dumpable (void)
{
  return attempts_result (prctl (PR_SET_DUMPABLE, 1, 0, 0, 0));
}

/* Who listens to a filter may let through what another one refuses. There is none here: it is asked
 * for all the same. */
static int
attempts_listener (void)
{
  int code = attempts_result (
      syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, NULL));

  return code == EFAULT ? 0 : code;
}

static void *
attempts_nothing (void *data)
{
  return data;
}

static int
attempts_thread (void)
{
  pthread_t thread;
  int code = pthread_create (&thread, NULL, attempts_nothing, NULL);

  if (code == 0)
    pthread_join (thread, NULL);
  return code;
}

static int
attempts_libraries (void)
{
  return attempts_fd (open ("/usr/lib", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int
attempts_null (void)
{
  return attempts_fd (open ("/dev/null", O_RDONLY | O_CLOEXEC));
}

const Attempt attempts[] = {
  { "passwd", attempts_passwd, EACCES, ENOENT },
  { "environ", attempts_environ, EACCES, ENOENT },
  { "list-etc", attempts_list_root, EACCES, EACCES },
  { "write-tmp", attempts_write_tmp, EACCES, ENOENT },
  { "truncate", attempts_truncate, EPERM, EPERM },
  { "chmod", attempts_chmod, EPERM, EPERM },
  { "tcp", attempts_tcp, EACCES, EACCES },
  { "udp6", attempts_udp6, EACCES, EACCES },
  { "unix", attempts_unix, EACCES, EACCES },
  { "netlink", attempts_netlink, EACCES, EACCES },
  { "fork", attempts_fork, EPERM, EPERM },
  { "exec", attempts_exec, EACCES, EACCES },
  { "write-and-execute", attempts_write_and_execute, EACCES, EACCES },
  { "make-executable", attempts_make_executable, EACCES, EACCES },
  { "memfd", attempts_memfd, EACCES, EACCES },
  { "ptrace", attempts_ptrace, EACCES, EACCES },
  { "signal", attempts_signal, EPERM, EPERM },
  { "unshare", attempts_unshare, EPERM, EPERM },
  { "io-uring", attempts_io_uring, ENOSYS, ENOSYS },
  { "keyctl", attempts_keyctl, EPERM, EPERM },
  { "personality", attempts_personality, EPERM, EPERM },
  { "set-limit", attempts_raise_limit, EPERM, EPERM },
  { "dumpable", attempts_dumpable, EPERM, EPERM },
  { "listener", attempts_listener, EPERM, EPERM },
  /* twins that are no attack: what every plugin may do */
  { "thread", attempts_thread, 0, 0 },
  { "libraries", attempts_libraries, 0, 0 },
  { "null-device", attempts_null, 0, 0 },
};

const guint n_attempts = G_N_ELEMENTS (attempts);

void
attempts_make_all (void)
{
  for (guint i = 0; i < n_attempts; i++)
    fprintf (stderr, "attempt %s %d\n", attempts[i].name, attempts[i].make ());
}
