/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory, descriptors and life of another process, and this one's own code. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* more than a runner may keep; smaller ones the runner's own code copies, and lets go */
#define ATTACK_MEMORY_PIECES 600
#define ATTACK_MEMORY_PIECE  (128 * 1024)

static int
attack_memory_mem (const AttackWorld *world)
{
  return attack_open_proc (world->victim, "mem", O_RDWR);
}

static int
attack_memory_maps (const AttackWorld *world)
{
  return attack_open_proc (world->victim, "maps", O_RDONLY);
}

static int
attack_memory_environ (const AttackWorld *world)
{
  return attack_open_proc (world->victim, "environ", O_RDONLY);
}

static int
attack_memory_command (const AttackWorld *world)
{
  return attack_open_proc (world->victim, "cmdline", O_RDONLY);
}

static int
attack_memory_fd_list (const AttackWorld *world)
{
  return attack_open_proc (world->victim, "fd", O_RDONLY | O_DIRECTORY);
}

static int
attack_memory_fd_open (const AttackWorld *world)
{
  return attack_open_proc (world->victim, "fd/0", O_RDONLY);
}

/* A link is read without opening it: no file is looked at, but a process. */
static int
attack_memory_fd_link (const AttackWorld *world)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/fd/0", world->victim);
  char target[16];

  return attack_result (readlink (path, target, sizeof target));
}

static int
attack_memory_vm_read (const AttackWorld *world)
{
  char byte = 0;
  struct iovec here = { &byte, 1 };
  struct iovec there = { GSIZE_TO_POINTER ((gsize) world->address), 1 };

  return attack_result (process_vm_readv ((pid_t) world->victim, &here, 1, &there, 1, 0));
}

static int
attack_memory_vm_write (const AttackWorld *world)
{
  char byte = 'v';
  struct iovec here = { &byte, 1 };
  struct iovec there = { GSIZE_TO_POINTER ((gsize) world->address), 1 };

  return attack_result (process_vm_writev ((pid_t) world->victim, &here, 1, &there, 1, 0));
}

/* Whoever attached ends, and lets go. */
static int
attack_memory_ptrace (const AttackWorld *world)
{
  int code = attack_result (ptrace (PTRACE_SEIZE, (pid_t) world->victim, NULL, NULL));

  if (code == 0)
    ptrace (PTRACE_DETACH, (pid_t) world->victim, NULL, NULL);
  return code;
}

static int
attack_memory_kill (const AttackWorld *world)
{
  return attack_result (kill ((pid_t) world->victim, 0));
}

static int
attack_memory_tgkill (const AttackWorld *world)
{
  return attack_result (syscall (SYS_tgkill, world->victim, world->victim, 0));
}

static int
attack_memory_queue (const AttackWorld *world)
{
  siginfo_t info = { .si_code = SI_QUEUE };

  return attack_result (syscall (SYS_rt_sigqueueinfo, world->victim, 0, &info));
}

static int
attack_memory_pidfd_signal (const AttackWorld *world)
{
  long fd = syscall (SYS_pidfd_open, world->victim, 0);
  int code = attack_result (syscall (SYS_pidfd_send_signal, fd, 0, NULL, 0));

  if (fd >= 0)
    close ((int) fd);
  return code;
}

static int
attack_memory_pidfd_open (const AttackWorld *world)
{
  return attack_fd (syscall (SYS_pidfd_open, world->victim, 0));
}

static int
attack_memory_pidfd_getfd (const AttackWorld *world)
{
  long fd = syscall (SYS_pidfd_open, world->victim, 0);
  int code = attack_fd (syscall (SYS_pidfd_getfd, fd, 0, 0));

  if (fd >= 0)
    close ((int) fd);
  return code;
}

static int
attack_memory_robust_list (const AttackWorld *world)
{
  void *head = NULL;
  gsize length = 0;

  return attack_result (syscall (SYS_get_robust_list, world->victim, &head, &length));
}

static int
attack_memory_limits (const AttackWorld *world)
{
  struct rlimit limit = { 0, 0 };

  return attack_result (prlimit ((pid_t) world->victim, RLIMIT_CORE, NULL, &limit));
}

static int
attack_memory_priority (const AttackWorld *world)
{
  return attack_result (setpriority (PRIO_PROCESS, (id_t) world->victim, 0));
}

static int
attack_memory_shared (const AttackWorld *world)
{
  int id = shmget (IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  int code = attack_result (id);

  if (id >= 0)
    shmctl (id, IPC_RMID, NULL);
  return code;
}

/* By this file a page is written that may only be executed. */
static int
attack_memory_own (const AttackWorld *world)
{
  return attack_open ("/proc/self/mem", O_RDWR);
}

/* What comes from the host is memory that the host has made, and no limit of this process' address
 * space counts what is only held open: (transfer full) one answer of that kind. */
static GBytes *
attack_memory_be_answered (const AttackWorld *world, int *code)
{
  g_autoptr (GBytes) body = g_bytes_new_take (g_malloc0 (ATTACK_MEMORY_PIECE), ATTACK_MEMORY_PIECE);
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("PUT", "https://host.example/a");
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GError) error = NULL;

  reeve_http_request_set_body (request, "text/plain", body);
  response = reeve_context_http (world->context, request, &error);
  if (response != NULL)
    return g_bytes_ref (reeve_http_response_get_body (response));
  *code = g_error_matches (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE) ? EFBIG : EIO;
  return NULL;
}

static int
attack_memory_keep (const AttackWorld *world)
{
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  int code = 0;

  for (guint i = 0; i < ATTACK_MEMORY_PIECES && code == 0; i++)
    {
      GBytes *bytes = attack_memory_be_answered (world, &code);

      if (bytes != NULL)
        g_ptr_array_add (kept, bytes);
    }
  return code;
}

/* ---- what a plugin may do ---- */

/* As much of it, one piece after the other. */
static int
attack_memory_let_go (const AttackWorld *world)
{
  int code = 0;

  for (guint i = 0; i < ATTACK_MEMORY_PIECES && code == 0; i++)
    {
      g_autoptr (GBytes) bytes = attack_memory_be_answered (world, &code);
    }
  return code;
}

static int
attack_memory_own_signal (const AttackWorld *world)
{
  return pthread_kill (pthread_self (), SIGURG);
}

static int
attack_memory_own_limits (const AttackWorld *world)
{
  struct rlimit limit = { 0, 0 };

  return attack_result (getrlimit (RLIMIT_NOFILE, &limit));
}

const Attack attack_memory[] = {
  { "victim-mem", attack_memory_mem },
  { "victim-maps", attack_memory_maps },
  { "victim-environ", attack_memory_environ },
  { "victim-command", attack_memory_command },
  { "victim-fd-list", attack_memory_fd_list },
  { "victim-fd-open", attack_memory_fd_open },
  { "victim-fd-link", attack_memory_fd_link },
  { "vm-read", attack_memory_vm_read },
  { "vm-write", attack_memory_vm_write },
  { "ptrace", attack_memory_ptrace },
  { "kill", attack_memory_kill },
  { "tgkill", attack_memory_tgkill },
  { "queue-signal", attack_memory_queue },
  { "pidfd-open", attack_memory_pidfd_open },
  { "pidfd-signal", attack_memory_pidfd_signal },
  { "pidfd-getfd", attack_memory_pidfd_getfd },
  { "robust-list", attack_memory_robust_list },
  { "victim-limits", attack_memory_limits },
  { "victim-priority", attack_memory_priority },
  { "shared-memory", attack_memory_shared },
  { "own-mem", attack_memory_own },
  { "kept-memory", attack_memory_keep },
  { "let-go", attack_memory_let_go },
  { "own-signal", attack_memory_own_signal },
  { "own-limits", attack_memory_own_limits },
  { NULL, NULL },
};
