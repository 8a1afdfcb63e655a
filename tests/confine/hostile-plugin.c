/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin that misbehaves while it is loaded, in the way that its macro HOSTILE says. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
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
      for (guint i = 0; i < 4096; i++)
        fputs ("\033[2Jxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
               stderr);
      break;
    case HOSTILE_SCRATCH:
      fprintf (stderr, "scratch %d\n", attempts_run_from (RUNNER_PLAN_SCRATCH));
      fprintf (stderr, "scratch here %d\n", attempts_run_from (RUNNER_PLAN_FOLDER));
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
