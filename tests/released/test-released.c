/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugins as they were compiled against released versions of the interface: each is loaded in the
 * host and in a confined runner, all its interfaces are called, and both say the same. */
#include "wire-compare.h"

#include <string.h>

#include "test-broker.h"

static gboolean
on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  g_string_append_printf (user_data, "%d %.*s %" G_GINT64_FORMAT "\n", (int) delta->kind,
                          (int) delta->text_length, delta->text != NULL ? delta->text : "",
                          delta->kind == REEVE_LLM_DELTA_USAGE ? delta->output_tokens : 0);
  return TRUE;
}

static void
script_tool (ReevePlugin *plugin, GString *said)
{
  static const char *const names[] = { "who", "ask", "http", "fail" };
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
  g_autoptr (JsonNode) arguments = wire_fixture_json ("{\"word\": \"w\"}");
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tools = reeve_tool_list (REEVE_TOOL (plugin), context, &error);

  g_assert_no_error (error);
  g_string_append_printf (said, "%u tool: %s\n", tools->len,
                          reeve_tool_info_get_name (g_ptr_array_index (tools, 0)));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (ReeveToolResult) result = reeve_tool_call (
          REEVE_TOOL (plugin), names[i], json_node_get_object (arguments), context, &error);

      if (result != NULL)
        g_string_append_printf (
            said, "%s: %s %d %d\n", names[i], reeve_tool_result_get_text (result),
            reeve_tool_result_get_data (result) != NULL, reeve_tool_result_get_is_error (result));
      wire_compare_note_error (said, &error);
    }
}

static void
script_sink (ReevePlugin *plugin, GString *said)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (ReeveSinkBatch) batch = reeve_sink_batch_new ("t1");
  g_autoptr (GError) error = NULL;

  reeve_sink_batch_add (batch, "one", 1700000000000000, 1, "fine");
  reeve_sink_batch_add (batch, "two", 1700000000000001, 9, "bad");
  g_string_append_printf (said, "delivered %u\n",
                          reeve_sink_deliver (REEVE_SINK (plugin), batch, context, &error));
  wire_compare_note_error (said, &error);
}

static void
script_extractor (ReevePlugin *plugin, GString *said)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("a text", 6);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveExtract) extract = reeve_extractor_extract (
      REEVE_EXTRACTOR (plugin), bytes, "text/x-released", "a.file", context, &error);

  g_assert_no_error (error);
  g_string_append_printf (said, "%s of %s, %u pages: %s\n", reeve_extract_get_title (extract),
                          reeve_extractor_media_types (REEVE_EXTRACTOR (plugin))[0],
                          reeve_extract_get_n_pages (extract),
                          reeve_extract_get_page (extract, 0, NULL));
}

static void
script_models (ReevePlugin *plugin, GString *said)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "a-model");
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveHttpRequest) http
      = reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), request, &error);
  g_autoptr (ReeveLlmDecoder) decoder = reeve_llm_codec_decoder (REEVE_LLM_CODEC (plugin), request);
  g_autoptr (ReeveHttpResponse) head = reeve_http_response_new (200);

  g_assert_no_error (error);
  reeve_llm_engine_generate (REEVE_LLM_ENGINE (plugin), request, context, on_delta, said, &error);
  g_assert_no_error (error);
  g_string_append_printf (said, "%s %s\n", reeve_http_request_get_method (http),
                          reeve_http_request_get_url (http));
  reeve_http_response_add_header (head, "Content-Type", "text/plain");
  g_assert_true (reeve_llm_decoder_begin (decoder, head, &error));
  g_assert_true (
      reeve_llm_decoder_feed (decoder, (const guint8 *) "bytes\n", 6, on_delta, said, &error));
  g_assert_true (reeve_llm_decoder_finish (decoder, on_delta, said, &error));
  g_assert_no_error (error);
}

static void
script (ReevePlugin *plugin, GString *said, gpointer user_data)
{
  static const char expected[] = "1 tool: who\n"
                                 "who: hi t1 u1 r1 [operator,viewer] 1 0 0\n"
                                 "ask: hi t1 u1 r1 [operator,viewer] 1 1 0\n"
                                 "http: 207 0 1\n"
                                 "error rate_limited (7, -): slower\n"
                                 "delivered 1\n"
                                 "error invalid_argument (0, -): t1/two: bad\n"
                                 "a.file of text/x-released, 2 pages: a text\n"
                                 "0 a-model 0\n"
                                 "3  4\n"
                                 "POST https://model.example/v1\n"
                                 "0 bytes\n 0\n"
                                 "4 stop 0\n";

  script_tool (plugin, said);
  script_sink (plugin, said);
  script_extractor (plugin, said);
  script_models (plugin, said);
  g_assert_cmpstr (said->str, ==, expected);
}

static void
test_released (gconstpointer path)
{
  wire_compare (path, "{\"greeting\": \"hi\"}", script, NULL);
}

int
main (int argc, char **argv)
{
  g_autofree char *top
      = g_build_filename (g_getenv ("REEVE_SOURCE_DIR"), "tests", "released", NULL);
  g_autoptr (GDir) folder = g_dir_open (top, 0, NULL);
  const char *name = NULL;

  g_test_init (&argc, &argv, NULL);
  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *path = g_strdup_printf ("/released/%s", name);

      if (g_ascii_isdigit (*name))
        g_test_add_data_func_full (path, g_build_filename (top, name, "plugin.so", NULL),
                                   test_released, g_free);
    }
  return g_test_run ();
}
