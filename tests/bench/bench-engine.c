/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models in a confined runner against the same ones in the host: an answer of a local one, and what
 * the codec of a remote one has to do for a chat (its request, and an answer whole or in events).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Microseconds of one. */
typedef double (*BenchFunc) (ReevePlugin *plugin, ReeveLlmRequest *request);

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

/* ---- a codec ---- */

#define EVENTS 32

static const char bench_whole[] = "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,"
                                  "\"model\":\"m\",\"choices\":[{\"index\":0,"
                                  "\"message\":{\"role\":\"assistant\",\"content\":\"The quarter "
                                  "was good, and the next one will be "
                                  "better.\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_"
                                  "tokens\":20,\"completion_tokens\":11,"
                                  "\"total_tokens\":31}}";
static const char bench_event[]
    = "data: "
      "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
      "\"choices\":[{"
      "\"index\":0,\"delta\":{\"content\":\" word\"},\"finish_reason\":null}]}\n\n";
static const char bench_end[]
    = "data: "
      "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
      "\"choices\":[{"
      "\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

static void
bench_feed (ReeveLlmDecoder *decoder, const char *text, guint *pieces)
{
  g_autoptr (GError) error = NULL;

  reeve_llm_decoder_feed (decoder, (const guint8 *) text, strlen (text), bench_on_delta, pieces,
                          &error);
  g_assert_no_error (error);
}

/* One chat's: what is sent, and what came. */
static double
bench_translate (ReevePlugin *plugin, ReeveLlmRequest *request)
{
  gboolean stream = reeve_llm_request_get_stream (request);
  gint64 start = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveHttpRequest) http
      = reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), request, &error);
  g_autoptr (ReeveLlmDecoder) decoder = reeve_llm_codec_decoder (REEVE_LLM_CODEC (plugin), request);
  g_autoptr (ReeveHttpResponse) head = reeve_http_response_new (200);
  guint pieces = 0;

  g_assert_no_error (error);
  reeve_http_response_add_header (head, "Content-Type",
                                  stream ? "text/event-stream" : "application/json");
  reeve_llm_decoder_begin (decoder, head, &error);
  g_assert_no_error (error);
  for (guint i = 0; stream && i < EVENTS; i++)
    bench_feed (decoder, bench_event, &pieces);
  bench_feed (decoder, stream ? bench_end : bench_whole, &pieces);
  reeve_llm_decoder_finish (decoder, bench_on_delta, &pieces, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (pieces, >, stream ? EVENTS : 0);
  return (double) (g_get_monotonic_time () - start);
}

/* ---- the two in turns ---- */

static void
bench_run (const char *what, BenchFunc func, ReevePlugin *here, ReevePlugin *there,
           ReeveLlmRequest *request)
{
  double times[2][ROUNDS] = { { 0 } };

  for (guint i = 0; i < ROUNDS; i++)
    {
      times[0][i] = func (here, request);
      times[1][i] = func (there, request);
    }
  qsort (times[0], ROUNDS, sizeof times[0][0], bench_compare);
  qsort (times[1], ROUNDS, sizeof times[1][0], bench_compare);
  printf (
      "%s: here %.0f us at best, %.0f in the middle; confined %.0f more, and %.0f: %.2f times\n",
      what, times[0][0], times[0][ROUNDS / 2], times[1][0] - times[0][0],
      times[1][ROUNDS / 2] - times[0][ROUNDS / 2], times[1][ROUNDS / 2] / times[0][ROUNDS / 2]);
}

static void
bench_engines (const char *program)
{
  g_autofree char *module = wire_fixture_find (program, "plugins/llm-extractive/llm-extractive.so");
  g_autoptr (ReevePlugin) here = wire_compare_make_here (module, "{}");
  g_autoptr (WireFixture) there
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, module, NULL, "{}");
  g_autoptr (ReeveLlmRequest) small = bench_make_request (1000);
  g_autoptr (ReeveLlmRequest) large = bench_make_request (16000);

  g_assert_no_error (there->error);
  bench_run ("a local answer to 1000 bytes", bench_generate, here, there->plugin, small);
  bench_run ("a local answer to 16000 bytes", bench_generate, here, there->plugin, large);
}

static void
bench_codecs (const char *program)
{
  static const char settings[] = "{\"base_url\":\"http://127.0.0.1:1/v1\"}";
  g_autofree char *module = wire_fixture_find (program, "plugins/llm-openai/llm-openai.so");
  g_autoptr (ReevePlugin) here = wire_compare_make_here (module, settings);
  g_autoptr (WireFixture) there
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, module, NULL, settings);
  g_autoptr (ReeveLlmRequest) request = bench_make_request (200);

  g_assert_no_error (there->error);
  bench_run ("a chat's codec", bench_translate, here, there->plugin, request);
  reeve_llm_request_set_stream (request, TRUE);
  bench_run ("a chat's codec, of 33 events", bench_translate, here, there->plugin, request);
}

int
main (int argc, char **argv)
{
  g_autofree char *runner = wire_fixture_find (argv[0], "plugin-api/runner/reeve-plugin-runner");

  (void) argc;
  g_setenv ("REEVE_PLUGIN_RUNNER", runner, FALSE);
  bench_engines (argv[0]);
  bench_codecs (argv[0]);
  return 0;
}
