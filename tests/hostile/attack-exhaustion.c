/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* More of everything than one is given. Each stops by itself at a number that no runner may reach,
 * and gives it all back. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTACK_EXHAUSTION_PROCESSES 32
#define ATTACK_EXHAUSTION_THREADS   1500
#define ATTACK_EXHAUSTION_FDS       900
#define ATTACK_EXHAUSTION_LOCKS     2000
#define ATTACK_EXHAUSTION_FILES     300
#define ATTACK_EXHAUSTION_MEMORY    (4ul << 30)
#define ATTACK_EXHAUSTION_STACK     (64 * 1024)

static int
attack_exhaustion_fork (const AttackWorld *world)
{
  int code = 0;

  for (guint i = 0; i < ATTACK_EXHAUSTION_PROCESSES && code == 0; i++)
    {
      long child = syscall (SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

      if (child == 0)
        _exit (0);
      code = attack_result (child);
    }
  while (waitpid (-1, NULL, 0) > 0)
    continue;
  return code;
}

typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  gboolean over;
} AttackExhaustionGate;

static void *
attack_exhaustion_stay (void *data)
{
  AttackExhaustionGate *gate = data;

  pthread_mutex_lock (&gate->lock);
  while (!gate->over)
    pthread_cond_wait (&gate->changed, &gate->lock);
  pthread_mutex_unlock (&gate->lock);
  return NULL;
}

static int
attack_exhaustion_threads (const AttackWorld *world)
{
  AttackExhaustionGate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, FALSE };
  g_autofree pthread_t *threads = g_new0 (pthread_t, ATTACK_EXHAUSTION_THREADS);
  pthread_attr_t attributes;
  guint n = 0;
  int code = 0;

  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, ATTACK_EXHAUSTION_STACK);
  for (; n < ATTACK_EXHAUSTION_THREADS; n++)
    {
      code = pthread_create (&threads[n], &attributes, attack_exhaustion_stay, &gate);
      if (code != 0)
        break;
    }
  pthread_attr_destroy (&attributes);
  pthread_mutex_lock (&gate.lock);
  gate.over = TRUE;
  pthread_cond_broadcast (&gate.changed);
  pthread_mutex_unlock (&gate.lock);
  for (guint i = 0; i < n; i++)
    pthread_join (threads[i], NULL);
  return code;
}

static int
attack_exhaustion_memory (const AttackWorld *world)
{
  void *memory = mmap (NULL, ATTACK_EXHAUSTION_MEMORY, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  int code = errno;

  if (memory == MAP_FAILED)
    return code;
  munmap (memory, ATTACK_EXHAUSTION_MEMORY);
  return 0;
}

static int
attack_exhaustion_lock (const AttackWorld *world)
{
  static char page[4096];
  int code = attack_result (mlock (page, sizeof page));

  munlock (page, sizeof page);
  return code;
}

/* The kernel counts nobody's locks: each takes memory of its own. */
static int
attack_exhaustion_file_locks (const AttackWorld *world)
{
  int fd = open ("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
  struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1 };
  int code = fd < 0 ? ENODATA : 0;

  for (guint i = 0; i < ATTACK_EXHAUSTION_LOCKS && code == 0; i++)
    {
      lock.l_start = 2 * i;
      code = attack_result (fcntl (fd, i % 2 == 0 ? F_SETLK : F_OFD_SETLK, &lock));
    }
  if (fd >= 0)
    close (fd);
  return code;
}

static int
attack_exhaustion_fds (const AttackWorld *world)
{
  int fds[ATTACK_EXHAUSTION_FDS];
  guint n = 0;
  int code = 0;

  for (; n < ATTACK_EXHAUSTION_FDS && code == 0; n++)
    {
      fds[n] = dup (STDERR_FILENO);
      code = attack_result (fds[n]);
    }
  for (guint i = 0; i < n; i++)
    {
      if (fds[i] >= 0)
        close (fds[i]);
    }
  return code;
}

static int
attack_exhaustion_pipe (const AttackWorld *world)
{
  int ends[2] = { -1, -1 };
  int code = 0;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return errno;
  code = attack_result (fcntl (ends[0], F_SETPIPE_SZ, 1 << 20));
  close (ends[0]);
  close (ends[1]);
  return code;
}

/* @n files of @bytes each in a folder whose mode lets everybody in */
static int
attack_exhaustion_write (const AttackWorld *world, guint n, gsize bytes)
{
  g_autofree char *block = g_malloc0 (bytes);
  int code = 0;

  for (guint i = 0; i < n && code == 0; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s/many-%u", world->other, i);
      int fd = open (name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

      code = attack_result (fd >= 0 && bytes > 0 ? write (fd, block, bytes) : fd);
      if (fd >= 0)
        close (fd);
    }
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s/many-%u", world->other, i);

      unlink (name);
    }
  return code;
}

static int
attack_exhaustion_disk (const AttackWorld *world)
{
  return attack_exhaustion_write (world, 1, 8 << 20);
}

static int
attack_exhaustion_inodes (const AttackWorld *world)
{
  return attack_exhaustion_write (world, ATTACK_EXHAUSTION_FILES, 0);
}

/* ---- what a plugin may do ---- */

static int
attack_exhaustion_some (const AttackWorld *world)
{
  g_autofree char *memory = g_malloc (16 << 20);
  int fds[8];
  int code = 0;

  memset (memory, 's', 16 << 20);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = dup (STDERR_FILENO);
      code = code == 0 ? attack_result (fds[i]) : code;
    }
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      if (fds[i] >= 0)
        close (fds[i]);
    }
  return code;
}

const Attack attack_exhaustion[] = {
  { "fork-bomb", attack_exhaustion_fork },
  { "thread-bomb", attack_exhaustion_threads },
  { "much-memory", attack_exhaustion_memory },
  { "locked-memory", attack_exhaustion_lock },
  { "file-locks", attack_exhaustion_file_locks },
  { "many-fds", attack_exhaustion_fds },
  { "large-pipe", attack_exhaustion_pipe },
  { "much-disk", attack_exhaustion_disk },
  { "many-inodes", attack_exhaustion_inodes },
  { "some", attack_exhaustion_some },
  { NULL, NULL },
};
