/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin that misbehaves while it is loaded, in the way that its macro HOSTILE says. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#include "runner/runner-plan.h"

#include "attempts.h"

#define HOSTILE_NOTHING  0
#define HOSTILE_ATTEMPTS 1
#define HOSTILE_EXIT     2
#define HOSTILE_CRASH    3
#define HOSTILE_HANG     4
#define HOSTILE_CLAIM    5
#define HOSTILE_PRINT    6
#define HOSTILE_REFUSED  7
#define HOSTILE_FORK     8
#define HOSTILE_FLOOD    9
#define HOSTILE_SCRATCH  10
#define HOSTILE_PRETEND  11
#define HOSTILE_GIVE_UP  12
#define HOSTILE_LOCKS    13
#define HOSTILE_STILL    14
#define HOSTILE_HIDE     15

G_DECLARE_FINAL_TYPE (Hostile, hostile, HOSTILE, PLUGIN, ReevePlugin)

struct _Hostile
{
  ReevePlugin parent_instance;
};

G_DEFINE_FINAL_TYPE (Hostile, hostile, REEVE_TYPE_PLUGIN)

static void
hostile_class_init (HostileClass *klass)
{
}

static void
hostile_init (Hostile *self)
{
}

/* Maps code until that is refused: so long as the runner is not sealed. */
static void *
hostile_map_code (void *data)
{
  for (;;)
    {
      void *code = mmap (NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

      if (code == MAP_FAILED)
        break;
      munmap (code, 4096);
      usleep (1000);
    }
  fputs ("sealed\n", stderr);
  return data;
}

static void
hostile_claim (void)
{
  g_autoptr (RunnerReport) report = runner_report_new ();
  g_autoptr (GVariant) message = NULL;

  report->stage = RUNNER_STAGE_LOADED;
  report->layers = (RunnerLayers) (((1u << RUNNER_LAYERS_COUNT) - 1) & ~RUNNER_LAYERS_USER);
  report->plugin_id = g_strdup ("trusted");
  message = runner_report_to_variant (report);
  runner_plan_send (RUNNER_PLAN_CONTROL_FD, message);
  pause ();
}

/* Adds a filter that refuses nothing, says that this was the seal, and goes on loading. */
static void
hostile_pretend (void)
{
  struct sock_filter allow[] = { BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
  const struct sock_fprog filter = { .len = G_N_ELEMENTS (allow), .filter = allow };
  g_autoptr (RunnerReport) report = runner_report_new ();
  g_autoptr (GVariant) message = NULL;

  if (syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0)
    _exit (3);
  report->stage = RUNNER_STAGE_LOADED;
  report->layers = (RunnerLayers) ((1u << RUNNER_LAYERS_COUNT) - 1);
  /* where the host is no root it has none of its own */
  if (getuid () < 1879048192u)
    report->layers &= (RunnerLayers) ~RUNNER_LAYERS_USER;
  report->plugin_id = g_strdup ("hostile");
  report->version = g_strdup ("1.0.0");
  message = runner_report_to_variant (report);
  runner_plan_send (RUNNER_PLAN_CONTROL_FD, message);
  hostile_map_code (NULL);
  pause ();
}

/* Says what a runner says whose machine lacks a layer. */
static void
hostile_give_up (void)
{
  g_autoptr (RunnerReport) report = runner_report_new ();
  g_autoptr (GVariant) message = NULL;

  report->stage = RUNNER_STAGE_REFUSED;
  runner_report_note (report, RUNNER_LAYERS_SEALED, 0, "not today");
  message = runner_report_to_variant (report);
  runner_plan_send (RUNNER_PLAN_CONTROL_FD, message);
  pause ();
}

/* Makes refused calls and nothing else. */
static void *
hostile_flood (void *data)
{
  for (;;)
    {
      if (socket (AF_INET, SOCK_DGRAM, 0) >= 0)
        abort ();
    }
  return data;
}

static void
hostile_flood_all (void)
{
  pthread_t thread;

  for (guint i = 0; i < 8; i++)
    pthread_create (&thread, NULL, hostile_flood, NULL);
}

static void
hostile_go_on (int number)
{
  static const char text[] = "went on\n";

  (void) !write (STDERR_FILENO, text, sizeof text - 1);
}

/* How many ranges of @fd it gets to lock, in words, and how that ended. */
static void
hostile_lock_all (const char *name, int fd, int command)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
  guint n = 0;
  int code = 0;

  for (; n < 4096 && code == 0; n++)
    {
      lock.l_start = 2 * n;
      code = fcntl (fd, command, &lock) == 0 ? 0 : errno;
    }
  fprintf (stderr, "%s %s %d\n", name, n > 256 ? "many" : "none", code);
}

/* Twice, for what it had it gave back. */
static void
hostile_lock (void)
{
  for (guint i = 0; i < 2; i++)
    {
      int fd = open (RUNNER_PLAN_SCRATCH "/locked", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

      hostile_lock_all (i == 0 ? "locks" : "again", fd, F_SETLK);
      hostile_lock_all ("waits", fd, F_SETLKW);
      close (fd);
      g_usleep (100 * 1000);
    }
  hostile_lock_all ("apart", open (RUNNER_PLAN_SCRATCH "/locked", O_RDWR | O_CLOEXEC), F_OFD_SETLK);
}

static void
hostile_print (void)
{
  for (guint i = 0; i < 4096; i++)
    fputs ("\033[2Jxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
           stderr);
}

/* Code of what it writes, in either place. */
static void
hostile_run_from_scratch (void)
{
  fprintf (stderr, "scratch %d\n", attempts_run_from (RUNNER_PLAN_SCRATCH));
  fprintf (stderr, "scratch here %d\n", attempts_run_from (RUNNER_PLAN_FOLDER));
}

/* Fills files as soon as it may, which are then nothing but mapped. */
static void *
hostile_hide (void *data)
{
  const gsize bytes = 512 << 10;
  guint n = 0;

  while (n < 3)
    {
      int fd = open (RUNNER_PLAN_FOLDER "/hidden", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
      void *memory = fd >= 0 && ftruncate (fd, (off_t) bytes) == 0
                         ? mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                         : MAP_FAILED;

      if (memory != MAP_FAILED)
        {
          memset (memory, 'h', bytes);
          unlink (RUNNER_PLAN_FOLDER "/hidden");
          n++;
        }
      if (fd >= 0)
        close (fd);
      g_usleep (1000);
    }
  fputs ("hidden\n", stderr);
  for (;;)
    pause ();
  return data;
}

__attribute__ ((constructor)) static void
hostile_construct (void)
{
  pthread_t thread;

  if (getenv ("REEVE_HOSTILE_FREE") != NULL)
    return;
  switch (HOSTILE)
    {
    case HOSTILE_ATTEMPTS:
      attempts_make_all ();
      pthread_create (&thread, NULL, hostile_map_code, NULL);
      break;
    case HOSTILE_EXIT:
      _exit (0);
    case HOSTILE_CRASH:
      /* the first process of a PID namespace does not die of a signal that it sends itself */
      __builtin_trap ();
    case HOSTILE_HANG:
      for (;;)
        pause ();
    case HOSTILE_CLAIM:
      hostile_claim ();
      break;
    case HOSTILE_PRETEND:
      hostile_pretend ();
      break;
    case HOSTILE_GIVE_UP:
      hostile_give_up ();
      break;
    case HOSTILE_REFUSED:
      if (socket (AF_INET, SOCK_DGRAM, 0) >= 0 || pipe2 ((int[2]){ 0 }, 0) != 0)
        break;
      __builtin_trap ();
    case HOSTILE_FORK:
      if (fork () < 0)
        _exit (3);
      break;
    case HOSTILE_FLOOD:
      hostile_flood_all ();
      break;
    case HOSTILE_PRINT:
      hostile_print ();
      break;
    case HOSTILE_SCRATCH:
      hostile_run_from_scratch ();
      break;
    case HOSTILE_STILL:
      signal (SIGCONT, hostile_go_on);
      break;
    case HOSTILE_HIDE:
      pthread_create (&thread, NULL, hostile_hide, NULL);
      break;
    case HOSTILE_LOCKS:
      hostile_lock ();
      break;
    default:
      break;
    }
}

static const GType *
hostile_query_types (void)
{
  static GType types[2] = { G_TYPE_INVALID, G_TYPE_INVALID };

  types[0] = hostile_get_type ();
  return types;
}

REEVE_DEFINE_PLUGIN ("hostile", "1.0.0", hostile_query_types);
