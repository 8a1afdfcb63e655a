/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One unchanged module in the host and in a confined runner, by kind: what is said of each call
 * must be the same on both sides. */
#include "loader/confined-instance.h"
#include "runner/runner-plan.h"
#include "runner/runner-tree.h"
#include "test-broker.h"
#include "wire-compare.h"
#include "wire/wire-llm.h"

#include <string.h>

/* ---- tools ---- */

static void
script_tool (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  static const char *const all[]
      = { "2 ^ 64", "1 / 0", "(", "0.1 + 0.2", "sqrt(2)", "1 \\u001f 1" };
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tools = reeve_tool_list (REEVE_TOOL (plugin), context, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < tools->len; i++)
    {
      ReeveToolInfo *info = g_ptr_array_index (tools, i);
      g_autofree char *schema = json_to_string (reeve_tool_info_get_parameters (info), FALSE);

      g_string_append_printf (transcript, "%s %s %s %d\n", reeve_tool_info_get_name (info),
                              reeve_tool_info_get_description (info), schema,
                              (int) reeve_tool_info_get_hints (info));
    }
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autofree char *json = g_strdup_printf ("{\"expression\": \"%s\"}", all[i]);
      g_autoptr (JsonNode) arguments = wire_fixture_json (json);
      g_autoptr (ReeveToolResult) result = reeve_tool_call (
          REEVE_TOOL (plugin), "calculate", json_node_get_object (arguments), context, &error);
      JsonNode *data = result != NULL ? reeve_tool_result_get_data (result) : NULL;
      g_autofree char *text = data != NULL ? json_to_string (data, FALSE) : NULL;

      if (result != NULL)
        g_string_append_printf (transcript, "%s %s %d\n", reeve_tool_result_get_text (result),
                                text != NULL ? text : "-", reeve_tool_result_get_is_error (result));
      wire_compare_note_error (transcript, &error);
    }
}

static void
test_tool (void)
{
  g_autofree char *path = wire_fixture_get_plugin ("tool-calculate");

  wire_compare (path, "{}", script_tool, NULL);
}

/* What goes over a connection, and who has none. */
static void
script_tcp (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  static const char *const all[] = { "connect", "connect-much", "connect-elsewhere", "connect" };
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (JsonNode) none = wire_fixture_json ("{}");
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autoptr (ReeveContext) context
          = wire_fixture_context (60000, i + 1 < G_N_ELEMENTS (all) ? broker : NULL, NULL);
      g_autoptr (ReeveToolResult) result = reeve_tool_call (
          REEVE_TOOL (plugin), all[i], json_node_get_object (none), context, &error);

      if (result != NULL)
        g_string_append_printf (transcript, "%s\n", reeve_tool_result_get_text (result));
      wire_compare_note_error (transcript, &error);
    }
  g_assert_nonnull (strstr (transcript->str, "heard tttt 11 0 1\n"));
  g_assert_nonnull (strstr (transcript->str, "heard tttt 3145734 0 1\n"));
  g_assert_nonnull (strstr (transcript->str, "db.example:5433 is not granted"));
}

static void
test_tcp (void)
{
  g_autofree char *path = wire_fixture_get_path ("wire-plugin.so");

  wire_compare (path, "{}", script_tcp, NULL);
}

/* In the host the call's folder is what is said to it, in a runner it is made there: this runs here
 * first. */
static void
script_scratch (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  gboolean *here = user_data;
  g_autoptr (JsonNode) none = wire_fixture_json ("{}");

  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *folder = *here ? g_dir_make_tmp ("scratch.XXXXXX", NULL) : NULL;
      g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
      g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveToolResult) result = NULL;

      if (i < 2)
        test_broker_give_scratch (TEST_BROKER (broker), *here ? folder : RUNNER_PLAN_SCRATCH);
      result = reeve_tool_call (REEVE_TOOL (plugin), "scratch", json_node_get_object (none),
                                context, &error);
      if (result != NULL)
        g_string_append_printf (transcript, "%s\n", reeve_tool_result_get_text (result));
      wire_compare_note_error (transcript, &error);
      if (folder != NULL)
        g_assert_true (runner_tree_remove (folder));
    }
  *here = FALSE;
  /* the second call finds nothing of the first one's, and who was granted nothing has nothing */
  g_assert_nonnull (strstr (transcript->str, "2097152 the same, empty, "));
  g_assert_nonnull (strstr (transcript->str, "not granted"));
}

static void
test_scratch (void)
{
  g_autofree char *path = wire_fixture_get_path ("wire-plugin.so");
  gboolean here = TRUE;

  if (wire_fixture_offers (RUNNER_LAYERS_PROFILE_HARDENED))
    wire_compare_with_scratch (path, TEST_BROKER_SCRATCH, script_scratch, &here);
  else
    g_test_message ("this machine has no namespaces: nobody gets a folder");
}

/* ---- extractors ---- */

static void
extract_one (ReevePlugin *plugin, GBytes *bytes, const char *type, GString *transcript)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (0, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveExtract) extract = reeve_extractor_extract (REEVE_EXTRACTOR (plugin), bytes, type,
                                                              "a file.txt", context, &error);

  wire_compare_note_error (transcript, &error);
  if (extract == NULL)
    return;
  g_string_append_printf (
      transcript, "title %s\n",
      reeve_extract_get_title (extract) != NULL ? reeve_extract_get_title (extract) : "-");
  for (guint i = 0; i < reeve_extract_get_n_pages (extract); i++)
    {
      guint number = 0;
      const char *text = reeve_extract_get_page (extract, i, &number);
      g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);

      g_string_append_printf (transcript, "page %u %" G_GSIZE_FORMAT " %s\n", number, strlen (text),
                              digest);
    }
}

static void
script_extractor (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  static const char text[] = "# A title\n\nSome text, f\303\274r now.\f\nAnother page.\n";
  const char *const *types = reeve_extractor_media_types (REEVE_EXTRACTOR (plugin));
  g_autofree char *all = g_strjoinv (" ", (char **) types);
  g_autoptr (GBytes) small = g_bytes_new_static (text, sizeof text - 1);
  g_autoptr (GBytes) controls = g_bytes_new_static ("a\001b\037c\177d\n", 8);
  g_autoptr (GBytes) broken = g_bytes_new_static ("\377\376\000", 3);
  g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);

  g_string_append_printf (transcript, "%s\n", all);
  for (guint i = 0; types[i] != NULL; i++)
    extract_one (plugin, small, types[i], transcript);
  extract_one (plugin, controls, "text/plain", transcript);
  extract_one (plugin, broken, "text/plain", transcript);
  extract_one (plugin, empty, "text/plain", transcript);
  extract_one (plugin, small, "application/pdf", transcript);
}

/* 100 MiB there and back */
static void
script_blob (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  const gsize size = 100 * 1024 * 1024;
  char *data = g_malloc (size);
  g_autoptr (GBytes) bytes = NULL;

  memset (data, 'x', size);
  for (gsize i = 79; i < size; i += 80)
    data[i] = '\n';
  bytes = g_bytes_new_take (data, size);
  extract_one (plugin, bytes, "text/plain", transcript);
  g_assert_nonnull (strstr (transcript->str, "page 1 104857600 "));
}

static void
test_extractor (void)
{
  g_autofree char *path = wire_fixture_get_plugin ("extractor-text");
  g_autofree char *echo = wire_fixture_get_path ("wire-sink.so");

  wire_compare (path, "{}", script_extractor, NULL);
  wire_compare (echo, "{}", script_blob, NULL);
}

/* Pages take memory of the host's, with text or without: so many are taken and no more. */
static void
test_pages (void)
{
  g_autofree char *echo = wire_fixture_get_path ("wire-sink.so");
  g_autoptr (WireFixture) fixture
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, echo, NULL, "{}");

  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_strnfill (100001, ' '), 100001);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveExtract) extract = NULL;

  g_assert_no_error (fixture->error);
  extract = reeve_extractor_extract (REEVE_EXTRACTOR (fixture->plugin), bytes, "text/plain",
                                     "pages", context, &error);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, "more than 100000 pages"));
}

/* ---- engines ---- */

typedef struct
{
  GString *transcript;
  guint left; /* pieces until it has enough */
} Listener;

static gboolean
on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  Listener *self = user_data;

  g_string_append_printf (
      self->transcript, "%d %u %.*s %s %s %" G_GINT64_FORMAT "\n", (int) delta->kind, delta->index,
      (int) delta->text_length, delta->text != NULL ? delta->text : "",
      delta->id != NULL ? delta->id : "-", delta->name != NULL ? delta->name : "-",
      delta->kind == REEVE_LLM_DELTA_USAGE ? delta->output_tokens : 0);
  if (--self->left > 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED, "it is enough");
  return FALSE;
}

static void
generate_one (ReevePlugin *plugin, const char *model, gboolean stream, guint pieces,
              GString *transcript)
{
  static const char words[]
      = "[{\"role\": \"system\", \"content\": \"Pumps are serviced every 90 days. Valves are "
        "red.\"},"
        " {\"role\": \"user\", \"content\": \"How often are pumps serviced?\"}]";
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, model);
  g_autoptr (JsonNode) messages = wire_fixture_json (words);
  g_autoptr (GError) error = NULL;
  Listener listener = { transcript, pieces };

  reeve_llm_request_set_messages (request, json_node_get_array (messages));
  reeve_llm_request_set_stream (request, stream);
  reeve_llm_request_set_max_tokens (request, 200);
  g_string_append_printf (transcript, "done %d\n",
                          reeve_llm_engine_generate (REEVE_LLM_ENGINE (plugin), request, context,
                                                     on_delta, &listener, &error));
  wire_compare_note_error (transcript, &error);
}

static void
script_engine (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  for (gboolean stream = FALSE; stream <= TRUE; stream++)
    {
      generate_one (plugin, "extractive", stream, 10000, transcript);
      generate_one (plugin, "extractive", stream, 1, transcript);
      generate_one (plugin, "extractive", stream, 10000, transcript);
    }
}

static void
test_engine (void)
{
  g_autofree char *path = wire_fixture_get_plugin ("llm-extractive");

  wire_compare (path, "{}", script_engine, NULL);
}

/* What a message holds, what it does not, and the two sides of that; an answer that nobody wants
 * any more, in either form. */
static void
script_answers (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  static const char *const models[] = { "0", "1", "600", "690", "800", "3000", "0 fail" };

  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    generate_one (plugin, models[i], FALSE, 10000, transcript);
  generate_one (plugin, "600", FALSE, 2, transcript);
  generate_one (plugin, "3000", FALSE, 2000, transcript);
  generate_one (plugin, "3000", TRUE, 10000, transcript);
}

static void
test_answers (void)
{
  g_autofree char *path = wire_fixture_get_path ("wire-engine.so");

  wire_compare (path, "{}", script_answers, NULL);
}

/* What was written ahead is what goes over the wire, in either form; of who has no process of its
 * own behind it nothing is written. */
static void
test_written_ahead (void)
{
  g_autofree char *path = wire_fixture_get_path ("wire-engine.so");
  g_autoptr (WireFixture) fixture
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, path, NULL, "{}");
  ReeveLlmEngine *engine = REEVE_LLM_ENGINE (fixture->plugin);
  g_autoptr (ReeveLlmRequest) written = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "3");
  char *json = wire_llm_request_to_text (written);
  g_autoptr (GBytes) text = g_bytes_new_take (json, strlen (json));

  for (gboolean stream = FALSE; stream <= TRUE; stream++)
    {
      g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
      g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "0 fail");
      g_autoptr (GString) transcript = g_string_new (NULL);
      g_autoptr (GError) error = NULL;
      Listener listener = { transcript, 10000 };
      gboolean done = FALSE;

      reeve_llm_request_set_stream (request, stream);
      done = reeve_wire_engine_generate_text (engine, request, text, context, on_delta, &listener,
                                              &error);
      g_assert_no_error (error);
      g_assert_true (done);
      g_assert_true (g_str_has_prefix (transcript->str, "0 0 a"));
    }
  g_assert_null (reeve_confined_kinds_write_request (engine, written));
}

/* What was said before an engine failed is no answer: where nobody reads along it is not handed
 * over. */
static void
test_failed_answer (void)
{
  g_autofree char *path = wire_fixture_get_path ("wire-engine.so");
  g_autoptr (WireFixture) fixture
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, path, NULL, "{}");
  g_autoptr (GString) transcript = g_string_new (NULL);

  generate_one (fixture->plugin, "3000 fail", FALSE, 10000, transcript);
  g_assert_true (g_str_has_prefix (transcript->str, "0 0 a"));
  g_string_truncate (transcript, 0);
  generate_one (fixture->plugin, "3 fail", FALSE, 10000, transcript);
  g_assert_cmpstr (transcript->str, ==, "done 0\nerror rate_limited (0, -): no more today\n");
}

/* ---- sinks ---- */

static void
script_sink (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);

  for (guint count = 0; count < 5; count++)
    {
      g_autoptr (ReeveSinkBatch) batch = reeve_sink_batch_new ("t1");
      g_autoptr (GError) error = NULL;

      for (guint i = 0; i < count; i++)
        reeve_sink_batch_add (batch, "id", 1700000000000000 + i, 1 + i,
                              i == 3 ? "refuse \"this\"" : "fine");
      g_string_append_printf (transcript, "%u of %u\n",
                              reeve_sink_deliver (REEVE_SINK (plugin), batch, context, &error),
                              count);
      wire_compare_note_error (transcript, &error);
    }
}

static void
test_sink (void)
{
  g_autofree char *path = wire_fixture_get_path ("wire-sink.so");

  wire_compare (path, "{}", script_sink, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/kinds/tool", test_tool);
  g_test_add_func ("/wire/kinds/tcp", test_tcp);
  g_test_add_func ("/wire/kinds/scratch", test_scratch);
  g_test_add_func ("/wire/kinds/extractor", test_extractor);
  g_test_add_func ("/wire/kinds/pages", test_pages);
  g_test_add_func ("/wire/kinds/engine", test_engine);
  g_test_add_func ("/wire/kinds/written-ahead", test_written_ahead);
  g_test_add_func ("/wire/kinds/answers", test_answers);
  g_test_add_func ("/wire/kinds/failed-answer", test_failed_answer);
  g_test_add_func ("/wire/kinds/sink", test_sink);
  return g_test_run ();
}
