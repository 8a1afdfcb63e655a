/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind llm, for engines: conversations right and wrong, readers that stop, calls that
 * ended. */
#include "check-engine.h"

#include <string.h>

#include "check-answer.h"

static const struct
{
  const char *name;
  const char *messages; /* JSON */
  gboolean right;       /* must be answered */
} check_engine_cases[] = {
  { "a question", "[{\"role\":\"user\",\"content\":\"At how many degrees is seed dried?\"}]",
    TRUE },
  { "a conversation",
    "[{\"role\":\"system\",\"content\":\"Answer "
    "briefly.\"},{\"role\":\"user\",\"content\":\"Hello\"},"
    "{\"role\":\"assistant\",\"content\":\"Good day.\"},{\"role\":\"user\",\"content\":\"Who are "
    "you?\"}]",
    TRUE },
  { "a tool's result",
    "[{\"role\":\"user\",\"content\":\"2+2?\"},{\"role\":\"assistant\",\"content\":null,\"tool_"
    "calls\":[{\"id\":\"c1\","
    "\"type\":\"function\",\"function\":{\"name\":\"calculate\",\"arguments\":\"{}\"}}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"4\"}]",
    TRUE },
  { "parts", "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hello\"}]}]", FALSE },
  { "no messages", "[]", FALSE },
  { "an empty message", "[{}]", FALSE },
  { "no content", "[{\"role\":\"user\",\"content\":null}]", FALSE },
  { "content that is a number", "[{\"role\":\"user\",\"content\":7}]", FALSE },
  { "an unknown role", "[{\"role\":\"oracle\",\"content\":\"x\"}]", FALSE },
  { "messages that are no objects", "[null,1,\"x\",[]]", FALSE },
  { "tool calls that are none",
    "[{\"role\":\"assistant\",\"tool_calls\":{}},{\"role\":\"tool\",\"content\":\"x\"}]", FALSE },
};

static ReeveLlmRequest *
check_engine_request (const char *messages)
{
  ReeveLlmRequest *request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "check-model");
  g_autoptr (JsonNode) node = reeve_json_parse_strict (messages, strlen (messages), NULL);

  reeve_llm_request_set_messages (request, json_node_get_array (node));
  reeve_llm_request_set_max_tokens (request, 64);
  return request;
}

static void
check_engine_case (CheckRun *run, ReevePlugin *plugin, const char *name, const char *messages,
                   gboolean right)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (ReeveContext) context = check_run_new_context (run, plugin, NULL);
  g_autoptr (ReeveLlmRequest) request = check_engine_request (messages);
  g_autoptr (CheckAnswer) answer = check_answer_new ();
  g_autoptr (GError) error = NULL;
  gboolean done = FALSE;

  check_report_begin (report, "engine: %s", name);
  done = reeve_llm_engine_generate (REEVE_LLM_ENGINE (plugin), request, context, check_answer_add,
                                    answer, &error);
  check_report_expect_error (report, error, "the call");
  check_report_expect (report, done || !right, "%s", error != NULL ? error->message : "");
  check_report_expect (report, !done || check_answer_get_n_pieces (answer) > 0, "it gave nothing");
  check_report_expect (report, check_answer_get_fault (answer) == NULL, "%s",
                       check_answer_get_fault (answer));
  check_report_end (report);
}

static void
check_engine_large (CheckRun *run, ReevePlugin *plugin)
{
  g_autoptr (GString) text = g_string_new ("[{\"role\":\"user\",\"content\":\"");

  for (guint i = 0; i < 20000; i++)
    g_string_append (text, "Dry the seed at 43 degrees. ");
  g_string_append (text, "\"}]");
  check_engine_case (run, plugin, "a long question", text->str, FALSE);
}

static void
check_engine_tasks (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);
  static const char *const texts[] = { "seed", "", "dry", NULL };
  static const ReeveLlmTask tasks[] = { REEVE_LLM_TASK_EMBED, REEVE_LLM_TASK_MODELS };

  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      g_autoptr (ReeveContext) context = check_run_new_context (run, plugin, NULL);
      g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (tasks[i], "check-model");
      g_autoptr (CheckAnswer) answer = check_answer_new ();
      g_autoptr (GError) error = NULL;

      reeve_llm_request_set_input (request, texts);
      check_report_begin (report, "engine: %s, or unsupported",
                          i == 0 ? "embeds" : "lists its models");
      if (!reeve_llm_engine_generate (REEVE_LLM_ENGINE (plugin), request, context, check_answer_add,
                                      answer, &error))
        check_report_expect (report, g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED),
                             "%s", error->message);
      check_report_expect (report, check_answer_get_fault (answer) == NULL, "%s",
                           check_answer_get_fault (answer));
      check_report_end (report);
    }
}

static void
check_engine_stopped (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (ReeveContext) context = check_run_new_context (run, plugin, NULL);
  g_autoptr (ReeveLlmRequest) request = check_engine_request (check_engine_cases[0].messages);
  g_autoptr (CheckAnswer) answer = check_answer_new ();
  g_autoptr (GError) error = NULL;

  check_report_begin (report, "engine: stopped by the reader");
  check_answer_stop (answer);
  reeve_llm_engine_generate (REEVE_LLM_ENGINE (plugin), request, context, check_answer_add, answer,
                             &error);
  check_report_expect (report, g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED),
                       "the reader's error did not come back");
  check_report_expect (report, check_answer_get_n_pieces (answer) == 1,
                       "it went on after the reader had enough");
  check_report_end (report);
}

static void
check_engine_ended (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveContext) context = check_run_new_context (run, plugin, cancellable);
  g_autoptr (ReeveLlmRequest) request = check_engine_request (check_engine_cases[0].messages);
  g_autoptr (CheckAnswer) answer = check_answer_new ();
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();

  check_report_begin (report, "engine: a call that was cancelled returns at once");
  g_cancellable_cancel (cancellable);
  reeve_llm_engine_generate (REEVE_LLM_ENGINE (plugin), request, context, check_answer_add, answer,
                             &error);
  check_report_expect_error (report, error, "the call");
  check_report_expect (report, g_get_monotonic_time () - start < 2 * G_USEC_PER_SEC,
                       "it took more than two seconds");
  check_report_end (report);
}

typedef struct
{
  CheckRun *run;
  ReevePlugin *plugin;
} CheckEngineShared;

static gpointer
check_engine_thread (gpointer data)
{
  CheckEngineShared *shared = data;
  g_autoptr (ReeveContext) context = check_run_new_context (shared->run, shared->plugin, NULL);
  g_autoptr (ReeveLlmRequest) request = check_engine_request (check_engine_cases[0].messages);
  g_autoptr (CheckAnswer) answer = check_answer_new ();

  reeve_llm_engine_generate (REEVE_LLM_ENGINE (shared->plugin), request, context, check_answer_add,
                             answer, NULL);
  return NULL;
}

void
check_engine_run (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);
  CheckEngineShared shared = { run, plugin };

  for (guint i = 0; i < G_N_ELEMENTS (check_engine_cases); i++)
    check_engine_case (run, plugin, check_engine_cases[i].name, check_engine_cases[i].messages,
                       check_engine_cases[i].right);
  check_engine_large (run, plugin);
  check_engine_tasks (run, plugin);
  check_engine_stopped (run, plugin);
  check_engine_ended (run, plugin);
  check_report_begin (report, "engine: four threads at once");
  check_run_parallel (check_engine_thread, &shared);
  check_report_end (report);
}
