/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tool call of 100 bytes in a confined runner against a ping over a raw socket pair to another
 * thread, of the same run: a goal of 18 times at most. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire-fixture.h"

#define ROUNDS 60
#define PINGS  100
#define CALLS  50
#define SIZE   100

/* What one round trip took, by rounds. */
typedef struct
{
  double times[ROUNDS]; /* microseconds */
  double cpu;           /* of this process and of the runner, a round trip */
} Bench;

static gpointer
bench_echo (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  char bytes[SIZE];

  while (recv (fd, bytes, sizeof bytes, MSG_WAITALL) == SIZE)
    g_assert_cmpint (send (fd, bytes, sizeof bytes, MSG_NOSIGNAL), ==, SIZE);
  return NULL;
}

static double
bench_pings (int fd)
{
  char bytes[SIZE] = "";
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < PINGS; i++)
    {
      g_assert_cmpint (send (fd, bytes, sizeof bytes, MSG_NOSIGNAL), ==, SIZE);
      g_assert_cmpint (recv (fd, bytes, sizeof bytes, MSG_WAITALL), ==, SIZE);
    }
  return (double) (g_get_monotonic_time () - start) / PINGS;
}

static double
bench_calls (ReeveTool *tool)
{
  /* with its spaces the text of the arguments has 100 bytes */
  g_autofree char *json = g_strdup_printf ("{\"expression\":\"%-83s\"}", "6 * 7");
  g_autoptr (JsonNode) arguments = wire_fixture_json (json);
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < CALLS; i++)
    {
      g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveToolResult) result
          = reeve_tool_call (tool, "calculate", json_node_get_object (arguments), context, &error);

      g_assert_no_error (error);
    }
  return (double) (g_get_monotonic_time () - start) / CALLS;
}

/* Of this process and what it has started and waited for: the runner is in it once it is gone. */
static double
bench_get_cpu (int who)
{
  struct rusage usage = { 0 };

  getrusage (who, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int
bench_compare (gconstpointer one, gconstpointer other)
{
  const double left = *(const double *) one;
  const double right = *(const double *) other;

  return (left > right) - (left < right);
}

/* Rounds of either kind take turns, so that whatever else runs here slows both down. */
static void
bench_run (WireFixture *fixture, int fd, Bench *ping, Bench *call)
{
  for (guint i = 0; i < ROUNDS; i++)
    {
      double start = bench_get_cpu (RUSAGE_SELF);
      double between = 0;

      ping->times[i] = bench_pings (fd);
      between = bench_get_cpu (RUSAGE_SELF);
      call->times[i] = bench_calls (REEVE_TOOL (fixture->plugin));
      ping->cpu += (between - start) / (PINGS * ROUNDS);
      call->cpu += (bench_get_cpu (RUSAGE_SELF) - between) / (CALLS * ROUNDS);
    }
}

static void
bench_report (Bench *ping, Bench *call)
{
  double ratios[ROUNDS] = { 0 };

  for (guint i = 0; i < ROUNDS; i++)
    ratios[i] = call->times[i] / ping->times[i];
  qsort (ratios, ROUNDS, sizeof *ratios, bench_compare);
  qsort (ping->times, ROUNDS, sizeof *ping->times, bench_compare);
  qsort (call->times, ROUNDS, sizeof *call->times, bench_compare);
  printf ("ping: %.1f us at best, %.1f in the middle, %.1f of processor\n", ping->times[0],
          ping->times[ROUNDS / 2], ping->cpu);
  printf ("sandboxed call: %.1f us at best, %.1f in the middle, %.1f of the host's processor and "
          "%.1f of the runner's\n",
          call->times[0], call->times[ROUNDS / 2], call->cpu,
          bench_get_cpu (RUSAGE_CHILDREN) / (CALLS * ROUNDS));
  printf (
      "sandboxed tool call of 100 bytes: %.1f times a raw ping [%.1f - %.1f], best to best %.1f "
      "(goal 18)\n",
      ratios[ROUNDS / 2], ratios[0], ratios[ROUNDS - 1], call->times[0] / ping->times[0]);
}

int
main (int argc, char **argv)
{
  g_autofree char *module = wire_fixture_find (argv[0], "plugins/tool-calculate/tool-calculate.so");
  g_autofree char *runner = wire_fixture_find (argv[0], "plugin-api/runner/reeve-plugin-runner");
  g_autoptr (WireFixture) fixture = NULL;
  Bench ping = { .cpu = 0 };
  Bench call = { .cpu = 0 };
  int ends[2] = { -1, -1 };
  GThread *echo = NULL;

  (void) argc;
  g_setenv ("REEVE_PLUGIN_RUNNER", runner, FALSE);
  fixture = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, module, NULL, "{}");
  g_assert_no_error (fixture->error);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  echo = g_thread_new ("echo", bench_echo, GINT_TO_POINTER (ends[1]));
  bench_pings (ends[0]);
  bench_calls (REEVE_TOOL (fixture->plugin));
  bench_run (fixture, ends[0], &ping, &call);
  shutdown (ends[0], SHUT_RDWR);
  g_thread_join (echo);
  close (ends[0]);
  close (ends[1]);
  /* its processor's time is known when it is gone */
  g_clear_pointer (&fixture, wire_fixture_free);
  bench_report (&ping, &call);
  return 0;
}
