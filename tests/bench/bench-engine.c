/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An answer of a local model in a confined runner against the same one in the host: what its
 * request, its pieces and its process of its own cost. */
#include <stdio.h>
#include <stdlib.h>

#include "wire-compare.h"
#include "wire-fixture.h"

#define ROUNDS 300

static gboolean
bench_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  guint *pieces = user_data;

  (*pieces)++;
  return TRUE;
}

static double
bench_generate (ReevePlugin *plugin, ReeveLlmRequest *request)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  guint pieces = 0;

  reeve_llm_engine_generate (REEVE_LLM_ENGINE (plugin), request, context, bench_on_delta, &pieces,
                             &error);
  g_assert_no_error (error);
  g_assert_cmpuint (pieces, >, 0);
  return (double) (g_get_monotonic_time () - start);
}

static int
bench_compare (gconstpointer one, gconstpointer other)
{
  const double left = *(const double *) one;
  const double right = *(const double *) other;

  return (left > right) - (left < right);
}

/* (transfer full): one of about @size bytes */
static ReeveLlmRequest *
bench_make_request (gsize size)
{
  g_autoptr (GString) text = g_string_new ("[{\"role\":\"system\",\"content\":\"");
  g_autoptr (JsonNode) messages = NULL;
  ReeveLlmRequest *request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "extractive");

  while (text->len < size)
    g_string_append (text, "Pumps are serviced every 90 days. Valves are red. ");
  g_string_append (text, "\"},{\"role\":\"user\",\"content\":\"How often are pumps serviced?\"}]");
  messages = wire_fixture_json (text->str);
  reeve_llm_request_set_messages (request, json_node_get_array (messages));
  return request;
}

static void
bench_run (ReevePlugin *here, ReevePlugin *there, gsize size)
{
  g_autoptr (ReeveLlmRequest) request = bench_make_request (size);
  double times[2][ROUNDS] = { { 0 } };

  for (guint i = 0; i < ROUNDS; i++)
    {
      times[0][i] = bench_generate (here, request);
      times[1][i] = bench_generate (there, request);
    }
  qsort (times[0], ROUNDS, sizeof times[0][0], bench_compare);
  qsort (times[1], ROUNDS, sizeof times[1][0], bench_compare);
  printf ("a request of %zu bytes: here %.0f us at best, %.0f in the middle; confined %.0f more, "
          "and %.0f\n",
          size, times[0][0], times[0][ROUNDS / 2], times[1][0] - times[0][0],
          times[1][ROUNDS / 2] - times[0][ROUNDS / 2]);
}

int
main (int argc, char **argv)
{
  g_autofree char *module = wire_fixture_find (argv[0], "plugins/llm-extractive/llm-extractive.so");
  g_autofree char *runner = wire_fixture_find (argv[0], "plugin-api/runner/reeve-plugin-runner");
  g_autoptr (ReevePlugin) here = NULL;
  g_autoptr (WireFixture) fixture = NULL;

  g_setenv ("REEVE_PLUGIN_RUNNER", runner, FALSE);
  here = wire_compare_make_here (module, "{}");
  fixture = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, module, NULL, "{}");
  g_assert_no_error (fixture->error);
  bench_run (here, fixture->plugin, 1000);
  bench_run (here, fixture->plugin, 16000);
  return 0;
}
