/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reason-act-observe loop as a pure function of the journal: same entries, same decision, on
 * any host, at any time. It includes nothing of stores, models, clocks or sockets; what time or
 * people do to a run stands in the journal as an entry. */
#include "decide.h"

#include <reeve-json.h>

#define REEVE_DECIDE_DEFAULT_ITERATIONS 15

static void
reeve_decide_finish (ReeveDecision *decision, const char *status, const char *answer)
{
  decision->kind = REEVE_DECISION_FINISH;
  decision->status = status;
  decision->answer = answer;
}

static void
reeve_decide_fail (ReeveDecision *decision, const char *status, const char *code, char *message)
{
  reeve_decide_finish (decision, status, "");
  decision->error_code = code;
  decision->error_message = message;
}

/* An effect whose intent stands in the journal without an outcome may or may not have happened. */
static gboolean
reeve_decide_lost (ReeveJournal *journal, ReeveDecision *decision)
{
  GPtrArray *calls = reeve_journal_get_calls (journal);

  if (reeve_journal_is_model_open (journal))
    {
      reeve_decide_fail (
          decision, "unknown", "unknown_outcome",
          g_strdup_printf ("model call %u was under way when the host stopped: whether "
                           "it was answered cannot be known",
                           reeve_journal_get_steps (journal)));
      return TRUE;
    }
  for (guint i = 0; i < calls->len; i++)
    {
      const ReeveJournalCall *call = g_ptr_array_index (calls, i);

      if (!call->attempted || call->result != NULL)
        continue;
      reeve_decide_fail (
          decision, "unknown", "unknown_outcome",
          g_strdup_printf ("tool \"%s\" was under way when the host stopped: whether "
                           "it ran cannot be known",
                           call->name));
      return TRUE;
    }
  return FALSE;
}

/* An effect that is known to be unknown ends the run so: going on would build on sand. */
static gboolean
reeve_decide_unknown (ReeveJournal *journal, ReeveDecision *decision)
{
  GPtrArray *calls = reeve_journal_get_calls (journal);

  for (guint i = 0; i < calls->len; i++)
    {
      const ReeveJournalCall *call = g_ptr_array_index (calls, i);

      if (call->result == NULL
          || g_strcmp0 (reeve_json_get_string (call->result, "outcome", ""), "unknown") != 0)
        continue;
      reeve_decide_fail (decision, "unknown", "unknown_outcome",
                         g_strdup_printf ("tool \"%s\": %s", call->name,
                                          reeve_json_get_string (call->result, "text", "")));
      return TRUE;
    }
  return FALSE;
}

static gboolean
reeve_decide_interrupted (ReeveJournal *journal, ReeveDecision *decision)
{
  const char *reason = reeve_journal_get_interruption (journal);

  if (reason == NULL)
    return FALSE;
  if (g_strcmp0 (reason, "timeout") == 0)
    reeve_decide_fail (decision, "failed", "timeout", g_strdup ("the run's time is up"));
  else if (g_strcmp0 (reason, "queue_timeout") == 0)
    reeve_decide_fail (decision, "failed", "queue_timeout",
                       g_strdup ("the run's turn has not come in the time that it may wait"));
  else
    reeve_decide_fail (decision, "cancelled", "cancelled", g_strdup ("the run was cancelled"));
  return TRUE;
}

static const ReeveJournalCall *
reeve_decide_next_call (ReeveJournal *journal)
{
  GPtrArray *calls = reeve_journal_get_calls (journal);

  for (guint i = 0; i < calls->len; i++)
    {
      const ReeveJournalCall *call = g_ptr_array_index (calls, i);

      if (call->result == NULL)
        return call;
    }
  return NULL;
}

static void
reeve_decide_after_failed_model (JsonObject *outcome, ReeveDecision *decision)
{
  JsonObject *failure = reeve_json_get_object (outcome, "error");
  const char *code = failure != NULL ? reeve_json_get_string (failure, "code", "failed") : "failed";
  const char *message = failure != NULL ? reeve_json_get_string (failure, "message", "") : "";
  gboolean unknown = g_strcmp0 (code, "unknown_outcome") == 0;

  reeve_decide_fail (decision, unknown ? "unknown" : "failed", code, g_strdup (message));
}

static guint
reeve_decide_max_iterations (ReeveJournal *journal)
{
  gint64 given = reeve_json_get_int (reeve_journal_get_started (journal), "max_iterations", 0);

  return given > 0 ? (guint) given : REEVE_DECIDE_DEFAULT_ITERATIONS;
}

static gboolean
reeve_decide_is_answer (JsonObject *outcome)
{
  return g_strcmp0 (reeve_json_get_string (outcome, "outcome", ""), "succeeded") == 0;
}

static void
reeve_decide_ask_model (ReeveJournal *journal, ReeveDecision *decision)
{
  decision->kind = REEVE_DECISION_CALL_MODEL;
  decision->step = reeve_journal_get_steps (journal) + 1;
}

static void
reeve_decide_step (ReeveJournal *journal, ReeveDecision *decision)
{
  JsonObject *outcome = reeve_journal_get_model_outcome (journal);
  guint limit = reeve_decide_max_iterations (journal);

  if (outcome != NULL && !reeve_decide_is_answer (outcome))
    {
      if (reeve_journal_get_fallback (journal) != NULL)
        reeve_decide_ask_model (journal, decision);
      else
        reeve_decide_after_failed_model (outcome, decision);
      return;
    }
  decision->call = reeve_decide_next_call (journal);
  if (decision->call != NULL)
    {
      decision->kind = REEVE_DECISION_CALL_TOOL;
      return;
    }
  if (outcome != NULL && reeve_journal_get_calls (journal)->len == 0)
    {
      const char *content = reeve_json_get_string (outcome, "content", "");

      reeve_decide_finish (decision, "succeeded",
                           reeve_json_get_string (outcome, "shown", content));
      return;
    }
  if (reeve_journal_get_steps (journal) >= limit)
    {
      reeve_decide_fail (decision, "failed", "max_iterations",
                         g_strdup_printf ("no answer after %u model calls", limit));
      return;
    }
  reeve_decide_ask_model (journal, decision);
}

/**
 * reeve_decide:
 * @journal: a journal with at least its first entry
 * @decision: (out caller-allocates): what to do next; clear it afterwards
 *
 * The next step of a run. Pure. An open intent is taken for lost, so call it only when nothing is
 * under way.
 */
void
reeve_decide (ReeveJournal *journal, ReeveDecision *decision)
{
  *decision = (ReeveDecision){ .kind = REEVE_DECISION_NOTHING, .answer = "" };
  if (reeve_journal_get_ended (journal) != NULL)
    return;
  if (reeve_decide_lost (journal, decision) || reeve_decide_unknown (journal, decision))
    return;
  if (reeve_decide_interrupted (journal, decision))
    return;
  if (reeve_journal_is_queued (journal))
    decision->kind = REEVE_DECISION_WAIT;
  else
    reeve_decide_step (journal, decision);
}

/**
 * reeve_decide_clear:
 * @decision: a decision
 *
 * Frees what it owns.
 */
void
reeve_decide_clear (ReeveDecision *decision)
{
  g_clear_pointer (&decision->error_message, g_free);
}

static void
reeve_decide_add_message (JsonArray *messages, const char *role, const char *content)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (messages, message);
}

static void
reeve_decide_add_answer (JsonArray *messages, JsonObject *outcome)
{
  JsonObject *message = json_object_new ();
  JsonArray *calls = reeve_json_get_array (outcome, "tool_calls");

  json_object_set_string_member (message, "role", "assistant");
  json_object_set_string_member (message, "content",
                                 reeve_json_get_string (outcome, "content", ""));
  if (calls != NULL && json_array_get_length (calls) > 0)
    json_object_set_member (message, "tool_calls",
                            json_node_ref (json_object_get_member (outcome, "tool_calls")));
  json_array_add_object_element (messages, message);
}

static void
reeve_decide_add_result (JsonArray *messages, JsonObject *result)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", "tool");
  json_object_set_string_member (message, "tool_call_id",
                                 reeve_json_get_string (result, "call_id", ""));
  json_object_set_string_member (message, "name", reeve_json_get_string (result, "name", ""));
  json_object_set_string_member (message, "content", reeve_json_get_string (result, "text", ""));
  json_array_add_object_element (messages, message);
}

static void
reeve_decide_add_opening (JsonArray *messages, JsonObject *started)
{
  JsonArray *history = reeve_json_get_array (started, "history");
  const char *prompt = reeve_json_get_string (started, "system_prompt", "");
  const char *context = reeve_json_get_string (started, "context_text", NULL);
  guint n = history != NULL ? json_array_get_length (history) : 0;

  if (*prompt != '\0')
    reeve_decide_add_message (messages, "system", prompt);
  for (guint i = 0; i < n; i++)
    json_array_add_element (messages, json_node_ref (json_array_get_element (history, i)));
  if (context != NULL)
    {
      g_autofree char *text = g_strconcat ("Context of the mission (JSON): ", context, NULL);

      reeve_decide_add_message (messages, "system", text);
    }
  reeve_decide_add_message (messages, "user", reeve_json_get_string (started, "mission", ""));
}

/**
 * reeve_decide_messages:
 * @journal: a journal with at least its first entry
 *
 * The conversation a model is given next, in the shape of OpenAI's chat completions.
 *
 * Returns: (transfer full): an array of messages
 */
JsonArray *
reeve_decide_messages (ReeveJournal *journal)
{
  JsonArray *messages = json_array_new ();

  reeve_decide_add_opening (messages, reeve_journal_get_started (journal));
  for (guint i = 1; i < reeve_journal_get_length (journal); i++)
    {
      JsonObject *entry = reeve_journal_get_entry (journal, i);
      const char *type = reeve_json_get_string (entry, "type", "");

      if (g_strcmp0 (type, REEVE_JOURNAL_MODEL_OUTCOME) == 0)
        {
          if (reeve_decide_is_answer (entry))
            reeve_decide_add_answer (messages, entry);
        }
      else if (g_strcmp0 (type, REEVE_JOURNAL_TOOL_OUTCOME) == 0
               || g_strcmp0 (type, REEVE_JOURNAL_TOOL_REFUSED) == 0)
        reeve_decide_add_result (messages, entry);
    }
  return messages;
}
