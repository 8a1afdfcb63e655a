/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* llm-openai: what it sends byte for byte, and what it reads of answers, whatever their pieces. */
#include <reeve-plugin-1.h>
#include <string.h>

#include "openai-sse.h"

extern const ReevePluginDescriptor reeve_plugin_descriptor;

static ReevePlugin *
make_plugin (const char *settings, GError **error)
{
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  g_autoptr (JsonNode) node = reeve_json_parse_strict (settings, strlen (settings), NULL);
  g_autoptr (ReevePlugin) plugin = g_object_new (reeve_plugin_descriptor.query_types ()[0], NULL);

  g_assert_nonnull (node);
  if (!reeve_plugin_setup (plugin, json_node_get_object (node), context, error))
    return NULL;
  return g_steal_pointer (&plugin);
}

static JsonNode *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  return node;
}

static char *
dup_body (ReeveHttpRequest *http)
{
  gsize length = 0;
  const char *data = g_bytes_get_data (reeve_http_request_get_body (http), &length);

  return g_strndup (data, length);
}

static const char *
find_header (ReeveHttpRequest *http, const char *name)
{
  const char *const *headers = reeve_http_request_get_headers (http);

  for (guint i = 0; headers[i] != NULL; i += 2)
    if (g_ascii_strcasecmp (headers[i], name) == 0)
      return headers[i + 1];
  return NULL;
}

static ReeveLlmRequest *
make_chat (const char *model, const char *messages, const char *tools)
{
  ReeveLlmRequest *request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, model);
  g_autoptr (JsonNode) list = parse (messages);
  g_autoptr (JsonNode) offered = tools != NULL ? parse (tools) : NULL;

  reeve_llm_request_set_messages (request, json_node_get_array (list));
  if (offered != NULL)
    reeve_llm_request_set_tools (request, json_node_get_array (offered));
  return request;
}

/* Events as text: "type|data" each on a line. */
static gboolean
collect_event (const char *type, const char *data, gsize length, gpointer user_data, GError **error)
{
  GString *out = user_data;

  g_string_append_printf (out, "%s|%.*s\n", type, (int) length, data);
  return TRUE;
}

static void
test_sse (void)
{
  static const struct
  {
    const char *stream;
    const char *events;
  } cases[] = {
    { "data: a\n\ndata:b\n\n", "message|a\nmessage|b\n" },
    { "data: a\r\n\r\ndata: b\r\n\r\n", "message|a\nmessage|b\n" },
    { "data: a\r\rdata: b\r\r", "message|a\nmessage|b\n" },
    { ": ping\n\n: ping\n\ndata: a\n: between\ndata: b\n\n", "message|a\nb\n" },
    { "event: error\ndata: x\n\ndata: y\n\n", "error|x\nmessage|y\n" },
    { "\xef\xbb\xbf"
      "data: a\n\n",
      "message|a\n" },
    { "data\n\ndata:\n\n", "message|\nmessage|\n" },
    { "data:  two\n\n", "message| two\n" },
    { "id: 1\nretry: 5\nunknown: x\ndata: a\n\n", "message|a\n" },
    { "event: lost\n\ndata: a\n\n", "message|a\n" },
    { "data: no empty line", "message|no empty line\n" },
    { "data: no empty line\n", "message|no empty line\n" },
    { "\n\n\r\n", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize piece = 1; piece <= strlen (cases[i].stream); piece++)
      {
        g_autoptr (OpenaiSse) sse = openai_sse_new ();
        g_autoptr (GString) out = g_string_new (NULL);
        g_autoptr (GError) error = NULL;
        gsize length = strlen (cases[i].stream);

        for (gsize at = 0; at < length; at += piece)
          g_assert_true (openai_sse_feed (sse, (const guint8 *) cases[i].stream + at,
                                          MIN (piece, length - at), collect_event, out, &error));
        g_assert_true (openai_sse_finish (sse, collect_event, out, &error));
        g_assert_cmpstr (out->str, ==, cases[i].events);
      }
}

static void
test_sse_limit (void)
{
  g_autoptr (OpenaiSse) sse = openai_sse_new ();
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *much = g_strnfill (1024 * 1024, 'x');
  gboolean ok = openai_sse_feed (sse, (const guint8 *) "data: ", 6, collect_event, out, &error);
  guint n = 0;

  for (; ok && n < 10; n++)
    ok = openai_sse_feed (sse, (const guint8 *) much, 1024 * 1024, collect_event, out, &error);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
  g_assert_cmpuint (n, ==, 4);
}

static void
test_encode (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReevePlugin) plugin
      = make_plugin ("{\"base_url\":\"http://127.0.0.1:9000/v1/\",\"organization\":\"org\","
                     "\"headers\":{\"X-Team\":\"blue\"}}",
                     &error);
  g_autoptr (ReeveLlmRequest) request
      = make_chat ("m\"1", "[{\"role\":\"user\",\"content\":\"h\\u00e9\"}]",
                   "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":"
                   "\"object\"}}}]");
  g_autoptr (ReeveHttpRequest) http = NULL;
  g_autofree char *body = NULL;

  reeve_llm_request_set_stream (request, TRUE);
  reeve_llm_request_set_max_tokens (request, 77);
  reeve_llm_request_set_temperature (request, 0.5);
  http = reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), request, &error);
  g_assert_no_error (error);
  body = dup_body (http);
  g_assert_cmpstr (reeve_http_request_get_method (http), ==, "POST");
  g_assert_cmpstr (reeve_http_request_get_url (http), ==,
                   "http://127.0.0.1:9000/v1/chat/completions");
  g_assert_cmpstr (find_header (http, "content-type"), ==, "application/json");
  g_assert_cmpstr (find_header (http, "openai-organization"), ==, "org");
  g_assert_cmpstr (find_header (http, "x-team"), ==, "blue");
  g_assert_null (find_header (http, "authorization"));
  g_assert_false (reeve_http_request_get_idempotent (http));
  g_assert_cmpstr (
      body, ==,
      "{\"model\":\"m\\\"1\",\"messages\":[{\"content\":\"h\xc3\xa9\",\"role\":\"user\"}],"
      "\"tools\":[{\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}},"
      "\"type\":\"function\"}],\"max_tokens\":77,\"temperature\":0.5,\"stream\":true,"
      "\"stream_options\":{\"include_usage\":true}}");
}

static void
test_encode_others (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReevePlugin) plugin = make_plugin (
      "{\"base_url\":\"https://x.example/openai/deployments/D\",\"api_version\":\"2024-10-21\"}",
      &error);
  const char *const texts[] = { "a", "b\n", NULL };
  g_autoptr (ReeveLlmRequest) embed = reeve_llm_request_new (REEVE_LLM_TASK_EMBED, "e");
  g_autoptr (ReeveLlmRequest) models = reeve_llm_request_new (REEVE_LLM_TASK_MODELS, "");
  g_autoptr (ReeveLlmRequest) empty = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");
  g_autoptr (ReeveHttpRequest) http = NULL;
  g_autoptr (ReeveHttpRequest) list = NULL;
  g_autofree char *body = NULL;

  reeve_llm_request_set_input (embed, texts);
  http = reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), embed, &error);
  g_assert_no_error (error);
  body = dup_body (http);
  g_assert_cmpstr (reeve_http_request_get_url (http), ==,
                   "https://x.example/openai/deployments/D/embeddings?api-version=2024-10-21");
  g_assert_cmpstr (body, ==, "{\"input\":[\"a\",\"b\\n\"],\"model\":\"e\"}");
  list = reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), models, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (reeve_http_request_get_method (list), ==, "GET");
  g_assert_true (reeve_http_request_get_idempotent (list));
  g_assert_null (reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), empty, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
}

static void
test_settings (void)
{
  static const char *const bad[]
      = { "ftp://x/v1", "nonsense", "http://user:pw@x/v1", "http://x/v1?a=b", "http://", "" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *settings = g_strdup_printf ("{\"base_url\":\"%s\"}", bad[i]);

      g_assert_null (make_plugin (settings, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
    }
}

/* The caller's bytes stay as they are, but for what the host decides. */
static void
test_splice (void)
{
  static const struct
  {
    const char *raw;
    gboolean stream;
    guint bound;
    const char *sent;
  } cases[] = {
    { " {\"messages\" : [ ],\t\"model\":\"local/m\", \"x\":1.50e2}\n", FALSE, 0,
      " {\"messages\" : [ ],\t\"model\":\"m2\", \"x\":1.50e2}\n" },
    { "{\"model\":\"a\",\"stream\":true}", TRUE, 0,
      "{\"model\":\"m2\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}" },
    { "{\"stream_options\":{\"a\":1,\"include_usage\":false},\"model\":\"a\",\"stream\":true}",
      TRUE, 0,
      "{\"stream_options\":{\"a\":1,\"include_usage\":true},\"model\":\"m2\",\"stream\":true}" },
    { "{\"stream_options\":null,\"model\":\"a\",\"stream\":true}", TRUE, 0,
      "{\"stream_options\":{\"include_usage\":true},\"model\":\"m2\",\"stream\":true}" },
    { "{\"model\":\"a\",\"stream\":true}", FALSE, 0, "{\"model\":\"m2\",\"stream\":false}" },
    { "{\"model\":\"a\"}", FALSE, 100, "{\"model\":\"m2\",\"max_tokens\":100}" },
    { "{\"max_tokens\":50,\"model\":\"a\"}", FALSE, 100, "{\"max_tokens\":50,\"model\":\"m2\"}" },
    { "{\"max_tokens\":500,\"model\":\"a\"}", FALSE, 100, "{\"max_tokens\":100,\"model\":\"m2\"}" },
    { "{\"max_tokens\":5e9,\"model\":\"a\"}", FALSE, 100, "{\"max_tokens\":100,\"model\":\"m2\"}" },
    { "{\"max_tokens\":null,\"model\":\"a\"}", FALSE, 100,
      "{\"max_tokens\":100,\"model\":\"m2\"}" },
    { "{\"max_completion_tokens\":500,\"model\":\"a\"}", FALSE, 100,
      "{\"max_completion_tokens\":100,\"model\":\"m2\"}" },
    { "{\"model\":\"a\",\"u\":{\"model\":\"deep\",\"n\":\"}\"}}", TRUE, 9,
      "{\"model\":\"m2\",\"u\":{\"model\":\"deep\",\"n\":\"}\"},\"stream\":true,"
      "\"stream_options\":{\"include_usage\":true},\"max_tokens\":9}" },
  };
  g_autoptr (ReevePlugin) plugin = make_plugin ("{\"base_url\":\"http://h/v1\"}", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m2");
      g_autoptr (GBytes) raw = g_bytes_new_static (cases[i].raw, strlen (cases[i].raw));
      g_autoptr (ReeveHttpRequest) http = NULL;
      g_autofree char *body = NULL;

      reeve_llm_request_set_raw (request, raw);
      reeve_llm_request_set_stream (request, cases[i].stream);
      reeve_llm_request_set_max_tokens (request, cases[i].bound);
      http = reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), request, &error);
      g_assert_no_error (error);
      body = dup_body (http);
      g_assert_cmpstr (body, ==, cases[i].sent);
    }
}

static void
test_splice_refused (void)
{
  static const char *const cases[] = { "{}",
                                       "[]",
                                       "{\"model\":\"a\",\"model\":\"b\"}",
                                       "{\"model\":\"a\"",
                                       "{\"model\":\"a\"} x",
                                       "{\"model\":\"a\",\"stream\":true,\"stream_options\":7}",
                                       "" };
  g_autoptr (ReevePlugin) plugin = make_plugin ("{\"base_url\":\"http://h/v1\"}", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m2");
      g_autoptr (GBytes) raw = g_bytes_new_static (cases[i], strlen (cases[i]));

      reeve_llm_request_set_raw (request, raw);
      reeve_llm_request_set_stream (request, TRUE);
      g_assert_null (reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), request, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
    }
}

static gboolean
collect_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  static const char *const kinds[]
      = { "text", "thought", "call", "usage", "finish", "raw", "vector", "model" };
  GString *out = user_data;

  g_string_append (out, kinds[delta->kind]);
  if (delta->kind == REEVE_LLM_DELTA_TOOL_CALL)
    g_string_append_printf (out, "[%u %s %s]", delta->index, delta->id != NULL ? delta->id : "-",
                            delta->name != NULL ? delta->name : "-");
  if (delta->kind == REEVE_LLM_DELTA_USAGE)
    g_string_append_printf (out, "[%d %d %d %d]", (int) delta->input_tokens,
                            (int) delta->output_tokens, (int) delta->cached_tokens,
                            (int) delta->reasoning_tokens);
  if (delta->kind == REEVE_LLM_DELTA_MODEL)
    g_string_append_printf (out, "[%s]", delta->id);
  if (delta->kind == REEVE_LLM_DELTA_EMBEDDING)
    for (gsize i = 0; i < delta->n_values; i++)
      g_string_append_printf (out, "[%u %.2f]", delta->index, delta->values[i]);
  g_string_append_printf (out, " %.*s\n", (int) delta->text_length,
                          delta->text != NULL ? delta->text : "");
  return TRUE;
}

/* Runs a response through a decoder in pieces; what came of it, with the error's code at the end.
 */
static char *
decode (ReeveLlmRequest *request, guint status, const char *type, const char *body, gsize piece)
{
  g_autoptr (ReevePlugin) plugin = make_plugin ("{\"base_url\":\"http://h/v1\"}", NULL);
  g_autoptr (ReeveLlmDecoder) decoder = reeve_llm_codec_decoder (REEVE_LLM_CODEC (plugin), request);
  g_autoptr (ReeveHttpResponse) head = reeve_http_response_new (status);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  gsize length = strlen (body);
  gboolean ok = FALSE;

  reeve_http_response_add_header (head, "Content-Type", type);
  ok = reeve_llm_decoder_begin (decoder, head, &error);
  for (gsize at = 0; ok && at < length; at += piece)
    ok = reeve_llm_decoder_feed (decoder, (const guint8 *) body + at, MIN (piece, length - at),
                                 collect_delta, out, &error);
  if (ok)
    ok = reeve_llm_decoder_finish (decoder, collect_delta, out, &error);
  g_assert_true (ok == (error == NULL));
  if (error != NULL)
    {
      g_assert_true (error->domain == REEVE_ERROR);
      g_string_append_printf (out, "error %s\n", reeve_error_get_name ((ReeveError) error->code));
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

#define STREAM "text/event-stream; charset=utf-8"
#define JSON   "application/json"

/* status, media type and body of an answer, and what it means */
static const struct
{
  guint status;
  const char *type;
  const char *body;
  const char *deltas;
} decode_cases[] = {
  { 200, JSON,
    "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"hi\","
    "\"reasoning_content\":\"hm\"},"
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_"
    "tokens\":4,"
    "\"prompt_tokens_details\":{\"cached_tokens\":2},\"completion_tokens_details\":{\"reasoning_"
    "tokens\":1}}}",
    "thought hm\ntext hi\nusage[3 1 2 1] \nfinish stop\n" },
  { 200, JSON,
    "{\"choices\":[{\"index\":0,\"message\":{\"content\":null,\"tool_calls\":[{\"id\":\"c1\","
    "\"type\":\"function\","
    "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":\"c2\",\"type\":"
    "\"function\",\"function\":"
    "{\"name\":\"g\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}",
    "call[0 c1 f] {\"a\":1}\ncall[1 c2 g] {}\nfinish tool_calls\n" },
  { 200, JSON,
    "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"text\":\"b\"}"
    "]}}]}",
    "text a\ntext b\n" },
  { 200, JSON, "{\"choices\":[]}", "error upstream\n" },
  { 200, JSON, "{\"error\":{\"message\":\"x\",\"code\":\"rate_limit_exceeded\"}}",
    "error rate_limited\n" },
  { 200, JSON, "not json", "error upstream\n" },
  { 200, JSON, "", "error upstream\n" },
  { 200, STREAM,
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\\u00e9\"}}]}\n\n"
    "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"other\"}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\n"
    "data: [DONE]\n\ndata: {\"garbage after\n\n",
    "text h\xc3\xa9\nfinish length\nusage[5 2 -1 -1] \n" },
  { 200, STREAM,
    "data: "
    "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\","
    "\"function\":{\"name\":\"f\","
    "\"arguments\":\"\"}}]}}]}\r\n\r\n: comment\r\n\r\n"
    "data: "
    "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
    "\"arguments\":\"{}\"}}]}}]}\r\n\r\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\r\n\r\n",
    "call[0 c1 f] \ncall[0 - -] {}\nfinish tool_calls\n" },
  { 200, STREAM, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n",
    "text a\nerror upstream\n" },
  { 200, STREAM,
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: "
    "{\"error\":{\"message\":\"no\"}}\n\n",
    "text a\nerror upstream\n" },
  { 200, STREAM, "event: error\ndata: {\"message\":\"no\"}\n\n", "error upstream\n" },
  { 200, STREAM, "data: {broken\n\n", "error upstream\n" },
  { 200, STREAM, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":4000}]}}]}\n\n",
    "error upstream\n" },
  { 400, JSON, "{\"error\":{\"message\":\"bad\",\"code\":null}}", "error invalid_argument\n" },
  { 400, JSON, "{\"error\":{\"message\":\"x\",\"code\":\"context_length_exceeded\"}}",
    "error invalid_argument\n" },
  { 401, JSON, "{\"error\":{\"message\":\"Incorrect API key sk-123\"}}", "error configuration\n" },
  { 403, JSON, "", "error configuration\n" },
  { 404, JSON, "{\"error\":{\"code\":\"model_not_found\"}}", "error invalid_argument\n" },
  { 404, "text/html", "<html>no such page</html>", "error configuration\n" },
  { 302, JSON, "", "error configuration\n" },
  { 408, JSON, "{}", "error unavailable\n" },
  { 413, JSON, "{}", "error too_large\n" },
  { 429, JSON, "{\"error\":\"slow down\"}", "error rate_limited\n" },
  { 500, JSON, "{\"detail\":\"boom\"}", "error upstream\n" },
  { 503, JSON, "overloaded", "error unavailable\n" },
  { 529, JSON, "", "error unavailable\n" },
};

static void
test_decode (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (decode_cases); i++)
    for (gsize piece = 1; piece < 600; piece = piece * 3 + 1)
      {
        g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");
        g_autofree char *got = decode (request, decode_cases[i].status, decode_cases[i].type,
                                       decode_cases[i].body, piece);

        g_assert_cmpstr (got, ==, decode_cases[i].deltas);
      }
}

static void
test_decode_raw (void)
{
  static const char stream[]
      = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],  \"x\":1}\n\n"
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5}}\n\ndata: [DONE]\n\n";
  static const char shown[]
      = "raw {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],  \"x\":1}\ntext a\n"
        "raw {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\nfinish stop\n";
  static const char *const bodies[]
      = { "{\"model\":\"m\",\"stream\":true}",
          "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}" };

  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");
      g_autoptr (GBytes) raw = g_bytes_new_static (bodies[i], strlen (bodies[i]));
      g_autofree char *got = NULL;
      g_autofree char *wanted = g_strconcat (
          shown, i == 1 ? "raw {\"choices\":[],\"usage\":{\"prompt_tokens\":5}}\n" : "",
          "usage[5 -1 -1 -1] \n", NULL);

      reeve_llm_request_set_raw (request, raw);
      reeve_llm_request_set_stream (request, TRUE);
      got = decode (request, 200, STREAM, stream, 7);
      g_assert_cmpstr (got, ==, wanted);
    }
}

static void
test_decode_others (void)
{
  g_autoptr (ReeveLlmRequest) embed = reeve_llm_request_new (REEVE_LLM_TASK_EMBED, "e");
  g_autoptr (ReeveLlmRequest) models = reeve_llm_request_new (REEVE_LLM_TASK_MODELS, "");
  g_autofree char *vectors = decode (embed, 200, JSON,
                                     "{\"data\":[{\"index\":1,\"embedding\":[0.5,-1]},{\"index\":0,"
                                     "\"embedding\":\"AAAAPwAAgL8=\"}],"
                                     "\"usage\":{\"prompt_tokens\":4,\"total_tokens\":4}}",
                                     11);
  g_autofree char *list
      = decode (models, 200, JSON,
                "{\"object\":\"list\",\"data\":[{\"id\":\"a\"},{\"x\":1},{\"id\":\"b\"}]}", 5);
  g_autofree char *bad = decode (models, 200, JSON, "{\"object\":\"list\"}", 5);
  g_autofree char *none = decode (embed, 200, JSON, "{\"data\":[]}", 5);
  g_autofree char *astray
      = decode (embed, 200, JSON, "{\"data\":[{\"index\":3,\"embedding\":[1]}]}", 5);

  g_assert_cmpstr (vectors, ==,
                   "vector[1 0.50][1 -1.00] \nvector[0 0.50][0 -1.00] \nusage[4 -1 -1 -1] \n");
  g_assert_cmpstr (list, ==, "model[a] \nmodel[b] \n");
  g_assert_cmpstr (bad, ==, "error upstream\n");
  g_assert_cmpstr (none, ==, "error upstream\n");
  g_assert_cmpstr (astray, ==, "error upstream\n");
}

static void
test_no_key_in_errors (void)
{
  g_autoptr (ReevePlugin) plugin = make_plugin ("{\"base_url\":\"http://h/v1\"}", NULL);
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");
  g_autoptr (ReeveLlmDecoder) decoder = reeve_llm_codec_decoder (REEVE_LLM_CODEC (plugin), request);
  g_autoptr (ReeveHttpResponse) head = reeve_http_response_new (401);
  g_autoptr (GError) error = NULL;
  static const char body[] = "{\"error\":{\"message\":\"Incorrect API key provided: sk-123\"}}";

  reeve_llm_decoder_begin (decoder, head, NULL);
  reeve_llm_decoder_feed (decoder, (const guint8 *) body, strlen (body), collect_delta, NULL, NULL);
  g_assert_false (reeve_llm_decoder_finish (decoder, collect_delta, NULL, &error));
  g_assert_null (strstr (error->message, "sk-123"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai/sse", test_sse);
  g_test_add_func ("/openai/sse-limit", test_sse_limit);
  g_test_add_func ("/openai/encode", test_encode);
  g_test_add_func ("/openai/encode-others", test_encode_others);
  g_test_add_func ("/openai/settings", test_settings);
  g_test_add_func ("/openai/splice", test_splice);
  g_test_add_func ("/openai/splice-refused", test_splice_refused);
  g_test_add_func ("/openai/decode", test_decode);
  g_test_add_func ("/openai/decode-raw", test_decode_raw);
  g_test_add_func ("/openai/decode-others", test_decode_others);
  g_test_add_func ("/openai/no-key-in-errors", test_no_key_in_errors);
  return g_test_run ();
}
