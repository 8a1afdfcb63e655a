/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tool call of 100 bytes in a confined runner against a ping over a raw socket pair to another
 * thread, of the same run: a goal of 18 times at most. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire-fixture.h"

#define ROUNDS 5
#define PINGS  4000
#define CALLS  1000
#define SIZE   100

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

int
main (void)
{
  g_autofree char *module = wire_fixture_get_plugin ("tool-calculate");
  g_autoptr (WireFixture) fixture
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, module, NULL, "{}");
  int ends[2] = { -1, -1 };
  GThread *echo = NULL;
  double best = 0;

  g_assert_no_error (fixture->error);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  echo = g_thread_new ("echo", bench_echo, GINT_TO_POINTER (ends[1]));
  for (guint i = 0; i < ROUNDS; i++)
    {
      double ping = bench_pings (ends[0]);
      double call = bench_calls (REEVE_TOOL (fixture->plugin));

      printf ("ping %.1f us, sandboxed call %.1f us: %.1f times\n", ping, call, call / ping);
      best = i == 0 ? call / ping : MIN (best, call / ping);
    }
  shutdown (ends[0], SHUT_RDWR);
  g_thread_join (echo);
  close (ends[0]);
  close (ends[1]);
  printf ("sandboxed tool call of 100 bytes: %.1f times a raw ping (goal 18)\n", best);
  return 0;
}
