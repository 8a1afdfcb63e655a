/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each attempt is the plain call: what a C library makes of it is no protection. */
#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"

static int
attempts_list_root (void)
{
  return attack_open ("/etc", O_RDONLY | O_DIRECTORY);
}

static int
attempts_write_tmp (void)
{
  int code = attack_open ("/tmp/reeve-attempt", O_WRONLY | O_CREAT);

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
  return attack_result (truncate ("/dev/null", 0)) == EINVAL ? 0 : errno;
}

/* of a pipe of its own */
static int
attempts_chmod (void)
{
  int ends[2] = { -1, -1 };
  int code = 0;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return errno;
  code = attack_result (fchmod (ends[0], 0600));
  close (ends[0]);
  close (ends[1]);
  return code;
}

static int
attempts_tcp (void)
{
  return attack_fd (socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
attempts_udp6 (void)
{
  return attack_fd (socket (AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int
attempts_unix (void)
{
  return attack_fd (socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
attempts_ptrace (void)
{
  return attack_result (ptrace (PTRACE_PEEKDATA, getpid (), NULL, NULL)) == ESRCH
             ? 0
             : attack_result (-1);
}

/* Who listens to a filter may let through what another one refuses. There is none here: it is asked
 * for all the same. */
static int
attempts_listener (void)
{
  int code = attack_result (
      syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, NULL));

  return code == EFAULT ? 0 : code;
}

static int
attempts_null (void)
{
  return attack_open ("/dev/null", O_RDONLY);
}

const Attempt attempts[] = {
  { "passwd", NULL, EACCES, ENOENT },
  { "victim-environ", NULL, EACCES, ENOENT },
  { "list-etc", attempts_list_root, EACCES, EACCES },
  { "write-tmp", attempts_write_tmp, EACCES, ENOENT },
  { "truncate", attempts_truncate, EPERM, EPERM },
  { "chmod", attempts_chmod, EPERM, EPERM },
  { "tcp", attempts_tcp, EACCES, EACCES },
  { "udp6", attempts_udp6, EACCES, EACCES },
  { "unix", attempts_unix, EACCES, EACCES },
  { "netlink", NULL, EACCES, EACCES },
  { "fork", NULL, EPERM, EPERM },
  { "execve", NULL, EACCES, EACCES },
  { "write-and-execute", NULL, EACCES, EACCES },
  { "mprotect", NULL, EACCES, EACCES },
  { "memfd", NULL, EACCES, EACCES },
  { "ptrace", attempts_ptrace, EACCES, EACCES },
  { "kill", NULL, EPERM, EPERM },
  { "unshare-files", NULL, EPERM, EPERM },
  { "io-uring", NULL, ENOSYS, ENOSYS },
  { "keyctl", NULL, EPERM, EPERM },
  { "personality", NULL, EPERM, EPERM },
  { "limits", NULL, EPERM, EPERM },
  { "dumpable", NULL, EPERM, EPERM },
  { "listener", attempts_listener, EPERM, EPERM },
  /* twins that are no attack: what every plugin may do */
  { "thread", NULL, 0, 0 },
  { "libraries", NULL, 0, 0 },
  { "null-device", attempts_null, 0, 0 },
};

const guint n_attempts = G_N_ELEMENTS (attempts);

int
attempts_make (guint number)
{
  const Attack *const themes[]
      = { attack_files, attack_memory, attack_network, attack_code, attack_kernel };
  /* what others do to a victim it does to itself */
  const AttackWorld world = { .victim = getpid () };

  if (attempts[number].make != NULL)
    return attempts[number].make ();
  for (guint i = 0; i < G_N_ELEMENTS (themes); i++)
    for (const Attack *one = themes[i]; one->name != NULL; one++)
      if (strcmp (one->name, attempts[number].name) == 0)
        return one->make (&world);
  abort (); /* there is no such attack */
}

void
attempts_make_all (void)
{
  for (guint i = 0; i < n_attempts; i++)
    fprintf (stderr, "attempt %s %d\n", attempts[i].name, attempts_make (i));
}
