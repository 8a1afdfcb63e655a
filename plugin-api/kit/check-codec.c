/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind llm, for codecs: requests they make, responses cut anywhere, responses that
 * are none. */
#include "check-codec.h"

#include <string.h>

#include "check-answer.h"
#include "check-samples.h"

static const char *const check_codec_tasks[] = { "chat", "embed", "models" };

static ReeveLlmRequest *
check_codec_request (ReeveLlmTask task, gboolean stream)
{
  static const char messages[] = "[{\"role\":\"system\",\"content\":\"Answer briefly.\"},"
                                 "{\"role\":\"user\",\"content\":\"At how many degrees is the "
                                 "\\\"seed\\\" dried? \\u00e9\\u4e2d\\n\"}]";
  static const char tools[] = "[{\"type\":\"function\",\"function\":{\"name\":\"calculate\","
                              "\"description\":\"adds\",\"parameters\":{\"type\":\"object\"}}}]";
  static const char *const texts[] = { "seed", "dry", NULL };
  ReeveLlmRequest *request = reeve_llm_request_new (task, "check-model");

  if (task == REEVE_LLM_TASK_CHAT)
    {
      g_autoptr (JsonNode) m = reeve_json_parse_strict (messages, strlen (messages), NULL);
      g_autoptr (JsonNode) t = reeve_json_parse_strict (tools, strlen (tools), NULL);

      reeve_llm_request_set_messages (request, json_node_get_array (m));
      reeve_llm_request_set_tools (request, json_node_get_array (t));
      reeve_llm_request_set_max_tokens (request, 64);
      reeve_llm_request_set_temperature (request, 0.25);
    }
  if (task == REEVE_LLM_TASK_EMBED)
    reeve_llm_request_set_input (request, texts);
  reeve_llm_request_set_stream (request, stream);
  return request;
}

static void
check_codec_expect_request (CheckReport *report, ReeveHttpRequest *http)
{
  const char *const *headers = reeve_http_request_get_headers (http);
  GBytes *body = reeve_http_request_get_body (http);
  gsize length = 0;
  const char *data = body != NULL ? g_bytes_get_data (body, &length) : NULL;

  check_report_expect (
      report, g_regex_match_simple ("^[A-Z]+$", reeve_http_request_get_method (http), 0, 0),
      "method '%s'", reeve_http_request_get_method (http));
  check_report_expect (
      report,
      g_regex_match_simple ("^https?://[^/\\s]+(/\\S*)?$", reeve_http_request_get_url (http), 0, 0),
      "'%s' is no absolute http or https address", reeve_http_request_get_url (http));
  for (guint i = 0; headers[i] != NULL; i += 2)
    {
      check_report_expect (
          report, strpbrk (headers[i], "\r\n:") == NULL && strpbrk (headers[i + 1], "\r\n") == NULL,
          "a header with a line break");
      if (g_ascii_strcasecmp (headers[i], "Content-Type") == 0
          && g_str_has_prefix (headers[i + 1], "application/json"))
        check_report_expect (report, reeve_json_scan (data, length, NULL), "the body is not JSON");
    }
}

static gboolean
check_codec_same_request (ReeveHttpRequest *a, ReeveHttpRequest *b)
{
  g_autoptr (GBytes) none = g_bytes_new_static ("", 0);
  GBytes *one = reeve_http_request_get_body (a) != NULL ? reeve_http_request_get_body (a) : none;
  GBytes *other = reeve_http_request_get_body (b) != NULL ? reeve_http_request_get_body (b) : none;

  return strcmp (reeve_http_request_get_url (a), reeve_http_request_get_url (b)) == 0
         && g_strv_equal (reeve_http_request_get_headers (a), reeve_http_request_get_headers (b))
         && g_bytes_equal (one, other);
}

static void
check_codec_encodes (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);

  for (guint i = 0; i < 4; i++)
    {
      ReeveLlmTask task = i < 2 ? REEVE_LLM_TASK_CHAT : (ReeveLlmTask) (i - 1);
      g_autoptr (ReeveLlmRequest) request = check_codec_request (task, i == 1);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveHttpRequest) http = NULL;
      g_autoptr (ReeveHttpRequest) again = NULL;

      check_report_begin (report, "codec: a request for %s%s", check_codec_tasks[task],
                          i == 1 ? ", piece by piece" : "");
      http = reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), request, &error);
      if (http != NULL)
        {
          check_codec_expect_request (report, http);
          again = reeve_llm_codec_encode (REEVE_LLM_CODEC (plugin), request, NULL);
          check_report_expect (report, again != NULL && check_codec_same_request (http, again),
                               "the same request became other bytes the second time");
        }
      else
        check_report_expect (report,
                             task != REEVE_LLM_TASK_CHAT
                                 && g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED),
                             "%s", error->message);
      check_report_end (report);
    }
}

/* Reads a response, cut into pieces of @step bytes, or pseudo-random ones for 0. FALSE with the
 * codec's error. */
static gboolean
check_codec_read (ReevePlugin *plugin, ReeveLlmRequest *request, ReeveHttpResponse *head,
                  GBytes *body, gsize step, CheckAnswer *answer, GError **error)
{
  g_autoptr (ReeveLlmDecoder) decoder = reeve_llm_codec_decoder (REEVE_LLM_CODEC (plugin), request);
  g_autoptr (GRand) rand = g_rand_new_with_seed (4711);
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (body, &length);

  if (decoder == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "it made no decoder");
      return FALSE;
    }
  if (!reeve_llm_decoder_begin (decoder, head, error))
    return FALSE;
  for (gsize at = 0; at < length;)
    {
      gsize wanted = step != 0 ? step : (gsize) g_rand_int_range (rand, 1, 48);
      gsize size = MIN (length - at, wanted);
      /* a copy of exactly that size, so that reading past it is seen */
      g_autofree guint8 *piece = g_memdup2 (data + at, size);

      if (!reeve_llm_decoder_feed (decoder, piece, size, check_answer_add, answer, error))
        return FALSE;
      at += size;
    }
  return reeve_llm_decoder_finish (decoder, check_answer_add, answer, error);
}

static void
check_codec_cut (CheckReport *report, ReevePlugin *plugin, CheckSamplesEntry *sample, gsize step,
                 char **expected)
{
  g_autoptr (ReeveLlmRequest) request = check_codec_request (sample->task, sample->stream);
  g_autoptr (CheckAnswer) answer = check_answer_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *got = NULL;

  check_codec_read (plugin, request, sample->head, sample->body, step, answer, &error);
  check_report_expect_error (report, error, "reading");
  check_report_expect (report, check_answer_get_fault (answer) == NULL, "%s",
                       check_answer_get_fault (answer));
  if (sample->error != NULL)
    check_report_expect (
        report, error != NULL && strcmp (reeve_error_get_name (error->code), sample->error) == 0,
        "%s was expected, it was %s", sample->error,
        error != NULL ? reeve_error_get_name (error->code) : "no error");
  else
    check_report_expect (report, error == NULL, "%s", error != NULL ? error->message : "");
  if (sample->error == NULL)
    check_report_expect (report, check_answer_get_n_pieces (answer) > 0, "it gave nothing");
  got = check_answer_describe (answer);
  if (*expected == NULL)
    *expected = g_steal_pointer (&got);
  else
    check_report_expect (report, strcmp (*expected, got) == 0,
                         "cut otherwise, the same bytes gave another answer");
}

static void
check_codec_torn (CheckReport *report, ReevePlugin *plugin, CheckSamplesEntry *sample)
{
  gsize length = g_bytes_get_size (sample->body);
  gsize step = MAX (length / 64, 1);

  for (gsize end = 0; end < length; end += step)
    {
      g_autoptr (ReeveLlmRequest) request = check_codec_request (sample->task, sample->stream);
      g_autoptr (CheckAnswer) answer = check_answer_new ();
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (sample->body, 0, end);
      g_autoptr (GError) error = NULL;
      gboolean whole = check_codec_read (plugin, request, sample->head, part, 0, answer, &error);

      check_report_expect_error (report, error, "reading a part");
      check_report_expect (report, !whole || end > length / 2,
                           "the first %zu of %zu bytes were taken for a whole answer", end, length);
    }
}

static void
check_codec_sample (CheckRun *run, ReevePlugin *plugin, CheckSamplesEntry *sample)
{
  static const gsize steps[] = { G_MAXSSIZE, 1, 2, 3, 7, 0 };
  CheckReport *report = check_run_get_report (run);
  g_autofree char *expected = NULL;

  check_report_begin (report, "codec: sample %s, whole and cut anywhere", sample->name);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    check_codec_cut (report, plugin, sample, steps[i], &expected);
  check_report_end (report);

  check_report_begin (report, "codec: sample %s, torn off", sample->name);
  check_codec_torn (report, plugin, sample);
  check_report_end (report);

  if (sample->error != NULL)
    return;
  check_report_begin (report, "codec: sample %s, stopped by the reader", sample->name);
  {
    g_autoptr (ReeveLlmRequest) request = check_codec_request (sample->task, sample->stream);
    g_autoptr (CheckAnswer) answer = check_answer_new ();
    g_autoptr (GError) error = NULL;

    check_answer_stop (answer);
    check_codec_read (plugin, request, sample->head, sample->body, 0, answer, &error);
    check_report_expect (report, g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED),
                         "the reader's error did not come back");
    check_report_expect (report, check_answer_get_n_pieces (answer) == 1,
                         "it went on after the reader had enough");
  }
  check_report_end (report);
}

static void
check_codec_samples (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);
  const CheckOptions *options = check_run_get_options (run);
  g_autofree char *folder = options->samples != NULL
                                ? g_strdup (options->samples)
                                : g_build_filename (options->folder, "samples", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) samples = NULL;

  check_report_begin (report, "codec: there are sample responses");
  samples = check_samples_load (folder, &error);
  check_report_expect (report, samples != NULL, "%s; give their folder with --samples",
                       error != NULL ? error->message : "");
  check_report_expect (report, samples == NULL || samples->len > 0, "no *.http in %s", folder);
  check_report_end (report);
  for (guint i = 0; samples != NULL && i < samples->len; i++)
    check_codec_sample (run, plugin, g_ptr_array_index (samples, i));
}

static void
check_codec_statuses (CheckRun *run, ReevePlugin *plugin)
{
  static const struct
  {
    guint status;
    ReeveError code;
    ReeveError other;
  } answers[] = {
    { 400, REEVE_ERROR_INVALID_ARGUMENT, REEVE_ERROR_UPSTREAM },
    { 401, REEVE_ERROR_CONFIGURATION, REEVE_ERROR_CONFIGURATION },
    { 403, REEVE_ERROR_CONFIGURATION, REEVE_ERROR_CONFIGURATION },
    { 429, REEVE_ERROR_RATE_LIMITED, REEVE_ERROR_RATE_LIMITED },
    { 500, REEVE_ERROR_UPSTREAM, REEVE_ERROR_UNAVAILABLE },
    { 503, REEVE_ERROR_UPSTREAM, REEVE_ERROR_UNAVAILABLE },
  };
  CheckReport *report = check_run_get_report (run);

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (ReeveLlmRequest) request = check_codec_request (REEVE_LLM_TASK_CHAT, i % 2 == 0);
      g_autoptr (ReeveHttpResponse) head = reeve_http_response_new (answers[i].status);
      g_autoptr (GBytes) body = g_bytes_new_static ("<html>", 6);
      g_autoptr (CheckAnswer) answer = check_answer_new ();
      g_autoptr (GError) error = NULL;

      check_report_begin (report, "codec: status %u becomes %s", answers[i].status,
                          reeve_error_get_name (answers[i].code));
      check_codec_read (plugin, request, head, body, 0, answer, &error);
      check_report_expect (report,
                           g_error_matches (error, REEVE_ERROR, (int) answers[i].code)
                               || g_error_matches (error, REEVE_ERROR, (int) answers[i].other),
                           "it became %s", error != NULL ? error->message : "no error");
      check_report_end (report);
    }
}

static void
check_codec_hostile (CheckRun *run, ReevePlugin *plugin)
{
  static const struct
  {
    const char *name;
    const char *text;
    guint times;
  } bodies[] = {
    { "nothing", "", 0 },
    { "controls", "\x01\x1b", 1000 },
    { "a page", "<!DOCTYPE html><html>", 10 },
    { "open brackets", "[", 100000 },
    { "an event without end", "data: {\"choices\":[{\"delta\":{\"content\":\"", 1 },
    { "a line without end", "data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 100000 },
    { "events that are not JSON", "data: {]\n\n", 1000 },
    { "a number", "42", 1 },
    { "not UTF-8", "data: {\"a\":\"\xff\xc0\"}\n\n", 10 },
  };
  CheckReport *report = check_run_get_report (run);

  for (guint i = 0; i < 2 * G_N_ELEMENTS (bodies); i++)
    {
      gboolean stream = i % 2 == 0;
      g_autoptr (ReeveLlmRequest) request = check_codec_request (REEVE_LLM_TASK_CHAT, stream);
      g_autoptr (ReeveHttpResponse) head = reeve_http_response_new (200);
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GBytes) body = NULL;
      g_autoptr (CheckAnswer) answer = check_answer_new ();
      g_autoptr (GError) error = NULL;

      for (guint t = 0; t < bodies[i / 2].times; t++)
        g_string_append (text, bodies[i / 2].text);
      body = g_bytes_new (text->str, text->len);
      reeve_http_response_add_header (head, "Content-Type",
                                      stream ? "text/event-stream" : "application/json");
      check_report_begin (report, "codec: %s instead of %s", bodies[i / 2].name,
                          stream ? "events" : "an answer");
      check_codec_read (plugin, request, head, body, 0, answer, &error);
      check_report_expect_error (report, error, "reading");
      check_report_expect (report, error != NULL, "it took that for an answer");
      check_report_expect (report, check_answer_get_fault (answer) == NULL, "%s",
                           check_answer_get_fault (answer));
      check_report_end (report);
    }
}

static gpointer
check_codec_thread (gpointer data)
{
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (ReeveLlmRequest) request = check_codec_request (REEVE_LLM_TASK_CHAT, i % 2);
      g_autoptr (ReeveHttpRequest) http = reeve_llm_codec_encode (data, request, NULL);
      g_autoptr (ReeveLlmDecoder) decoder = reeve_llm_codec_decoder (data, request);
    }
  return NULL;
}

void
check_codec_run (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);

  check_codec_encodes (run, plugin);
  check_codec_samples (run, plugin);
  check_codec_statuses (run, plugin);
  check_codec_hostile (run, plugin);
  check_report_begin (report, "codec: four threads at once");
  check_run_parallel (check_codec_thread, plugin);
  check_report_end (report);
}
