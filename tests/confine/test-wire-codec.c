/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codecs of models: the same module in the host and in a confined runner, and what becomes of
 * decoders over there. */
#include "wire-compare.h"

#include <string.h>

#define SETTINGS "{\"base_url\": \"http://h/v1/\", \"headers\": {\"X-Team\": \"blue\"}}"
#define EVENTS   "text/event-stream; charset=utf-8"

static const char stream_text[]
    = ": ping\n\n"
      "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\303\251llo\"}}]}\r\n\r\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" \\ud83d\\ude00\\n\"}}]}\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,"
      "\"prompt_tokens_details\":{\"cached_tokens\":2}}}\n\n"
      "data: [DONE]\n\n";

static const char stream_tools[]
    = "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":"
      "\"function\",\"function\":{\"name\":\"find\",\"arguments\":\"\"}}]}}]}\n\n"
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
      "\"{\\\"q\\\":\"}}]}}]}\n\n"
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
      "\"1}\"}},{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"go\",\"arguments\":\"{}\"}}]}}]"
      "}\n\n"
      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n"
      "data: [DONE]\n\n";

static const char whole_answer[]
    = "{\"id\":\"a\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
      "\"fine\",\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}"
      ",\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}";

/* ---- what is asked ---- */

static ReeveLlmRequest *
make_chat (const char *messages, const char *tools, gboolean stream)
{
  ReeveLlmRequest *request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m \"1\"");
  g_autoptr (JsonNode) list = wire_fixture_json (messages);
  g_autoptr (JsonNode) offered = tools != NULL ? wire_fixture_json (tools) : NULL;

  reeve_llm_request_set_messages (request, json_node_get_array (list));
  if (offered != NULL)
    reeve_llm_request_set_tools (request, json_node_get_array (offered));
  reeve_llm_request_set_stream (request, stream);
  return request;
}

static ReeveLlmRequest *
make_raw (const char *text, gboolean stream)
{
  ReeveLlmRequest *request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m2");
  g_autoptr (GBytes) raw = g_bytes_new (text, strlen (text));

  reeve_llm_request_set_raw (request, raw);
  reeve_llm_request_set_stream (request, stream);
  reeve_llm_request_set_max_tokens (request, 100);
  return request;
}

static void
encode_one (ReevePlugin *plugin, ReeveLlmRequest *request, GString *transcript)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveHttpRequest) http
      = reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), request, &error);
  g_autofree char *headers = NULL;
  GBytes *body = NULL;

  wire_compare_note_error (transcript, &error);
  if (http == NULL)
    return;
  headers = g_strjoinv ("|", (char **) reeve_http_request_get_headers (http));
  body = reeve_http_request_get_body (http);
  g_string_append_printf (
      transcript, "%s %s %s %d %u %" G_GSIZE_FORMAT " %.*s\n", reeve_http_request_get_method (http),
      reeve_http_request_get_url (http), headers, reeve_http_request_get_idempotent (http),
      reeve_http_request_get_timeout_ms (http), reeve_http_request_get_max_response (http),
      body != NULL ? (int) g_bytes_get_size (body) : 1,
      body != NULL ? (const char *) g_bytes_get_data (body, NULL) : "-");
}

static void
script_encode (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  static const char *const texts[] = { "a", "b\n\"", "", NULL };
  static const char *const raws[]
      = { " {\"messages\" : [ ],\t\"model\":\"local/m\", \"x\":1.50e2, \"max_tokens\":5e9}\n",
          "{\"stream_options\":null,\"model\":\"a\",\"stream\":true}", "{\"model\":\"a\"", "" };
  g_autofree char *large = g_strnfill (3 * 1024 * 1024, 'x');
  g_autofree char *long_text
      = g_strdup_printf ("[{\"role\": \"user\", \"content\": \"%s\"}]", large);
  g_autoptr (ReeveLlmRequest) chat
      = make_chat ("[{\"role\":\"user\",\"content\":\"h\\u00e9\\u0007\",\"n\":[0.1,1e300,-0,12]}]",
                   "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":"
                   "\"object\"}}}]",
                   TRUE);
  g_autoptr (ReeveLlmRequest) long_chat = make_chat (long_text, NULL, FALSE);
  g_autoptr (ReeveLlmRequest) embed = reeve_llm_request_new (REEVE_LLM_TASK_EMBED, "e");
  g_autoptr (ReeveLlmRequest) models = reeve_llm_request_new (REEVE_LLM_TASK_MODELS, "");
  g_autoptr (ReeveLlmRequest) empty = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");

  reeve_llm_request_set_max_tokens (chat, 77);
  reeve_llm_request_set_temperature (chat, 0.7);
  reeve_llm_request_set_input (embed, texts);
  encode_one (plugin, chat, transcript);
  encode_one (plugin, long_chat, transcript);
  encode_one (plugin, embed, transcript);
  encode_one (plugin, models, transcript);
  encode_one (plugin, empty, transcript);
  for (guint i = 0; i < G_N_ELEMENTS (raws); i++)
    {
      g_autoptr (ReeveLlmRequest) raw = make_raw (raws[i], i % 2 == 1);

      encode_one (plugin, raw, transcript);
    }
}

/* ---- what is answered ---- */

typedef struct
{
  GString *transcript;
  guint left; /* pieces until it has enough */
} Listener;

static gboolean
on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  Listener *self = user_data;

  g_string_append_printf (self->transcript, "%d %u %s[%.*s] %s %s", (int) delta->kind, delta->index,
                          delta->text != NULL ? "" : "none", (int) delta->text_length,
                          delta->text != NULL ? delta->text : "",
                          delta->id != NULL ? delta->id : "-",
                          delta->name != NULL ? delta->name : "-");
  if (delta->kind == REEVE_LLM_DELTA_USAGE)
    g_string_append_printf (
        self->transcript,
        " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
        delta->input_tokens, delta->output_tokens, delta->cached_tokens, delta->reasoning_tokens);
  for (gsize i = 0; i < delta->n_values; i++)
    g_string_append_printf (self->transcript, " %a", (double) delta->values[i]);
  g_string_append_c (self->transcript, '\n');
  if (--self->left > 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED, "it is enough");
  return FALSE;
}

/* (transfer full) (nullable): with its head read */
static ReeveLlmDecoder *
begin_one (ReevePlugin *plugin, ReeveLlmRequest *request, guint status, const char *type,
           GString *transcript)
{
  g_autoptr (ReeveLlmDecoder) decoder = reeve_llm_codec_decoder (REEVE_LLM_CODEC (plugin), request);
  g_autoptr (ReeveHttpResponse) head = reeve_http_response_new (status);
  g_autoptr (GError) error = NULL;

  reeve_http_response_add_header (head, "X-What", "latin \351 and \377");
  reeve_http_response_add_header (head, "Content-Type", type);
  if (reeve_llm_decoder_begin (decoder, head, &error))
    return g_steal_pointer (&decoder);
  wire_compare_note_error (transcript, &error);
  return NULL;
}

typedef struct
{
  ReeveLlmRequest *request;
  guint status;
  const char *type;
  const char *body;
  gsize length;
  gsize piece;
  guint enough; /* pieces of the answer */
} Answer;

static void
decode_one (ReevePlugin *plugin, const Answer *answer, GString *transcript)
{
  g_autoptr (ReeveLlmDecoder) decoder
      = begin_one (plugin, answer->request, answer->status, answer->type, transcript);
  Listener listener = { transcript, answer->enough };
  g_autoptr (GError) error = NULL;
  gboolean good = decoder != NULL;

  for (gsize at = 0; good && at < answer->length; at += answer->piece)
    good = reeve_llm_decoder_feed (decoder, (const guint8 *) answer->body + at,
                                   MIN (answer->piece, answer->length - at), on_delta, &listener,
                                   &error);
  if (good)
    good = reeve_llm_decoder_finish (decoder, on_delta, &listener, &error);
  g_string_append_printf (transcript, "done %d\n", good);
  wire_compare_note_error (transcript, &error);
}

static void
script_decode (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  static const struct
  {
    guint status;
    const char *type;
    const char *body;
    gsize piece;
    guint enough;
  } cases[] = {
    { 200, EVENTS, stream_text, 1, 1000 },
    { 200, EVENTS, stream_text, 37, 1000 },
    { 200, EVENTS, stream_text, 65536, 1000 },
    { 200, EVENTS, stream_text, 65536, 2 }, /* cancelled midway by whoever takes the pieces */
    { 200, EVENTS, stream_tools, 50, 1000 },
    { 200, "application/json", whole_answer, 50, 1000 },
    { 200, "application/json", "{\"error\":{\"message\":\"no\"}}", 50, 1000 },
    { 200, "application/json", "[", 50, 1000 },
    { 200, "application/json", "", 50, 1000 },
    { 200, EVENTS, "data: {\"choices\":[{\"delta\":{\"content\":\"cut\"}}]}\n\n", 500, 1000 },
    { 200, EVENTS, "data: {\"error\":{\"message\":\"later\",\"type\":\"rate_limit_error\"}}\n\n",
      500, 1000 },
    { 200, EVENTS, "data: \377\376\n\n", 500, 1000 },
    { 400, "application/json",
      "{\"error\":{\"message\":\"maximum context length\\n\\u0001\\u0085 \\u00e9\"}}", 9, 1000 },
    { 401, "application/json", "{}", 9, 1000 },
    { 404, "text/html", "<html>\377 not here", 9, 1000 },
    { 429, "application/json", "{\"error\":{\"message\":\"slow down\"}}", 9, 1000 },
    { 503, "text/plain", "", 9, 1000 },
    { 302, "text/plain", "there", 9, 1000 },
  };
  g_autoptr (ReeveLlmRequest) usual
      = make_chat ("[{\"role\":\"user\",\"content\":\"hi\"}]", NULL, TRUE);
  g_autoptr (ReeveLlmRequest) raw = make_raw ("{\"model\":\"a\",\"stream\":true}", TRUE);

  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++)
    {
      const guint at = i / 2;
      const Answer answer
          = { i % 2 == 0 ? usual : raw, cases[at].status, cases[at].type,  cases[at].body,
              strlen (cases[at].body),  cases[at].piece,  cases[at].enough };

      g_string_append_printf (transcript, "case %u\n", i);
      decode_one (plugin, &answer, transcript);
    }
}

/* Bytes that nobody sends by mistake: good answers with some of them changed. */
static void
script_hostile (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  static const char *const models[] = { stream_text, stream_tools, whole_answer };
  g_autoptr (GRand) rand = g_rand_new_with_seed (GPOINTER_TO_UINT (user_data));
  g_autoptr (ReeveLlmRequest) raw = make_raw ("{\"model\":\"a\",\"stream\":true}", TRUE);

  for (guint i = 0; i < 90; i++)
    {
      g_autofree char *body = g_strdup (models[i % G_N_ELEMENTS (models)]);
      Answer answer = { raw,  200,           i % 3 == 2 ? "application/json" : EVENTS,
                        body, strlen (body), 1 + (gsize) g_rand_int_range (rand, 0, 400),
                        1000 };

      for (int change = g_rand_int_range (rand, 1, 6); change > 0; change--)
        body[g_rand_int_range (rand, 0, (gint32) answer.length)] = (char) g_rand_int (rand);
      if (i % 5 == 0)
        answer.length = (gsize) g_rand_int_range (rand, 0, (gint32) answer.length);
      g_string_append_printf (transcript, "hostile %u\n", i);
      decode_one (plugin, &answer, transcript);
    }
}

/* More than a message holds at once, and an answer of many vectors. */
static void
script_large (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  g_autoptr (ReeveLlmRequest) embed = reeve_llm_request_new (REEVE_LLM_TASK_EMBED, "e");
  g_autoptr (ReeveLlmRequest) chat
      = make_chat ("[{\"role\":\"user\",\"content\":\"hi\"}]", NULL, TRUE);
  g_autoptr (GString) body = g_string_new ("{\"data\":[");
  g_autoptr (GString) events = g_string_new (NULL);
  Answer answer = { embed, 200, "application/json", NULL, 0, G_MAXSIZE, 100000 };

  for (guint i = 0; i < 200; i++)
    {
      g_string_append_printf (body, "%s{\"index\":%u,\"embedding\":[", i > 0 ? "," : "", i);
      for (guint j = 0; j < 256; j++)
        g_string_append_printf (body, "%s%.17g", j > 0 ? "," : "", (i + 1) / (j + 1.0) - 0.5);
      g_string_append (body, "]}");
    }
  g_string_append (body, "]}");
  for (guint i = 0; i < 20000; i++)
    g_string_append_printf (events, "data: {\"choices\":[{\"delta\":{\"content\":\"%u \"}}]}\n\n",
                            i);
  g_string_append (events, "data: [DONE]\n\n");
  g_assert_cmpuint (body->len, >, 900 * 1024);
  answer.body = body->str;
  answer.length = answer.piece = body->len;
  decode_one (plugin, &answer, transcript);
  answer = (Answer){ chat, 200, EVENTS, events->str, events->len, events->len, 100000 };
  decode_one (plugin, &answer, transcript);
}

/* Several responses at once, one of which nobody wants any more in its midst. */
static void
script_several (ReevePlugin *plugin, GString *transcript, gpointer user_data)
{
  g_autoptr (ReeveLlmRequest) chat
      = make_chat ("[{\"role\":\"user\",\"content\":\"hi\"}]", NULL, TRUE);
  ReeveLlmDecoder *all[3] = { NULL };
  Listener listener = { transcript, 1000 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    all[i] = begin_one (plugin, chat, 200, EVENTS, transcript);
  for (gsize at = 0; at + 1 < sizeof stream_text; at += 97)
    {
      for (guint i = 0; i < G_N_ELEMENTS (all); i++)
        {
          gsize length = MIN (97, sizeof stream_text - 1 - at);

          if (i == 1 && at > 200)
            g_clear_object (&all[i]);
          else if (all[i] != NULL)
            reeve_llm_decoder_feed (all[i], (const guint8 *) stream_text + at, length, on_delta,
                                    &listener, &error);
          g_assert_no_error (error);
        }
    }
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      if (all[i] != NULL)
        reeve_llm_decoder_finish (all[i], on_delta, &listener, &error);
      wire_compare_note_error (transcript, &error);
      g_clear_object (&all[i]);
    }
}

static void
test_same (gconstpointer script)
{
  g_autofree char *path = wire_fixture_get_plugin ("llm-openai");

  wire_compare (path, SETTINGS, *(const WireCompareScript *) script, GUINT_TO_POINTER (6u));
}

/* ---- decoders over there ---- */

static WireFixture *
new_decoders (void)
{
  g_autofree char *module = wire_fixture_get_path ("wire-decoders.so");
  WireFixture *fixture = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, module, NULL, "{}");

  g_assert_no_error (fixture->error);
  g_assert_true (REEVE_IS_LLM_CODEC (fixture->plugin));
  return fixture;
}

static char *
ask_count (WireFixture *fixture, ReeveLlmRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveHttpRequest) http
      = reeve_llm_codec_encode (REEVE_LLM_CODEC (fixture->plugin), request, &error);

  g_assert_no_error (error);
  return g_strdup (reeve_http_request_get_url (http));
}

/* What nobody waits for may take a while. */
static void
wait_for_none (WireFixture *fixture, ReeveLlmRequest *request)
{
  for (;;)
    {
      g_autofree char *url = ask_count (fixture, request);

      if (strcmp (url, "http://decoders/0") == 0)
        return;
      g_usleep (1000);
    }
}

static void
test_forgotten (void)
{
  g_autoptr (WireFixture) fixture = new_decoders ();
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");
  g_autoptr (GString) said = g_string_new (NULL);
  const Answer ended = { request, 200, "a/b", "word", 4, 2, 1000 };
  const Answer refused = { request, 418, "a/b", "word", 4, 2, 1000 };
  const Answer left = { request, 200, "a/b", "flood", 5, 5, 3 };
  const Answer bad = { request, 200, "a/b", "\377", 1, 1, 1000 };
  ReeveLlmDecoder *decoder = begin_one (fixture->plugin, request, 200, "a/b", said);
  g_autofree char *url = ask_count (fixture, request);

  g_assert_cmpstr (url, ==, "http://decoders/1");
  g_object_unref (decoder);
  wait_for_none (fixture, request);
  decode_one (fixture->plugin, &ended, said);
  decode_one (fixture->plugin, &refused, said);
  decode_one (fixture->plugin, &left, said);
  decode_one (fixture->plugin, &bad, said);
  wait_for_none (fixture, request);
  g_assert_cmpstr (
      said->str, ==,
      "0 0 [wo] - -\n0 0 [rd] - -\n4 0 [] - -\ndone 1\n"
      "error upstream (0, -): status 418, latin \357\277\275 and \357\277\275\ndone 0\n"
      "0 0 [flood] - -\n0 0 [flood] - -\n0 0 [flood] - -\ndone 0\n"
      "error budget_exceeded (0, -): it is enough\ndone 0\n"
      "error plugin (0, -): a piece of an answer: its text is not UTF-8\n");
}

/* What cannot complete anything is no round trip: the echo shows what came at once. */
static void
test_gathered (void)
{
  g_autoptr (WireFixture) fixture = new_decoders ();
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");
  g_autoptr (GString) said = g_string_new (NULL);
  const Answer whole = { request, 200, "Application/JSON; charset=utf-8", "a\nbcd", 5, 2, 1000 };
  const Answer lines = { request, 200, EVENTS, "ab\ncdefg\nh", 10, 1, 1000 };

  decode_one (fixture->plugin, &whole, said);
  decode_one (fixture->plugin, &lines, said);
  g_assert_cmpstr (said->str, ==,
                   "0 0 [a\nbcd] - -\n4 0 [] - -\ndone 1\n"
                   "0 0 [ab\n] - -\n0 0 [cdefg\n] - -\n0 0 [h] - -\n4 0 [] - -\ndone 1\n");
}

static void
test_without_head (void)
{
  g_autoptr (WireFixture) fixture = new_decoders ();
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");
  g_autoptr (ReeveLlmDecoder) decoder
      = reeve_llm_codec_decoder (REEVE_LLM_CODEC (fixture->plugin), request);
  Listener listener = { NULL, 1 };
  g_autoptr (GError) error = NULL;

  g_assert_false (
      reeve_llm_decoder_feed (decoder, (const guint8 *) "a", 1, on_delta, &listener, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_clear_error (&error);
  g_assert_false (reeve_llm_decoder_finish (decoder, on_delta, &listener, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
}

/* The runner ends in the midst of a response: the response fails, and so does all that follows. */
static void
test_crash (void)
{
  g_autoptr (WireFixture) fixture = new_decoders ();
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");
  g_autoptr (GString) said = g_string_new (NULL);
  g_autoptr (ReeveLlmDecoder) decoder = begin_one (fixture->plugin, request, 200, "a/b", said);
  Listener listener = { said, 1000 };
  g_autoptr (GError) error = NULL;

  g_assert_false (
      reeve_llm_decoder_feed (decoder, (const guint8 *) "crash", 5, on_delta, &listener, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_nonnull (strstr (error->message, "its runner was killed by signal 4"));
  g_clear_error (&error);
  g_assert_null (reeve_llm_codec_encode (REEVE_LLM_CODEC (fixture->plugin), request, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    WireCompareScript script;
  } same[] = {
    { "/wire/codec/encode", script_encode },   { "/wire/codec/decode", script_decode },
    { "/wire/codec/hostile", script_hostile }, { "/wire/codec/large", script_large },
    { "/wire/codec/several", script_several },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (same); i++)
    g_test_add_data_func (same[i].name, &same[i].script, test_same);
  g_test_add_func ("/wire/codec/forgotten", test_forgotten);
  g_test_add_func ("/wire/codec/gathered", test_gathered);
  g_test_add_func ("/wire/codec/without-head", test_without_head);
  g_test_add_func ("/wire/codec/crash", test_crash);
  return g_test_run ();
}
