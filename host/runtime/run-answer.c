/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a run: its answer, the outcome of its intent, and the last entry, which comes in one
 * batch with the run's record and its turn of the conversation. */
#include "run-private.h"

#include "base/digests.h"
#include "base/times.h"
#include "governance/admission-records.h"
#include "governance/money.h"
#include "listing.h"

#define REEVE_RUN_ANSWER_ATTEMPTS 5 /* two turns of one conversation may end at once */

typedef struct
{
  ReeveRun *run;
  JsonObject *result;
  JsonObject *entry;
  guint64 last; /* sequence number of the outcome */
} ReeveRunAnswer;

static void
reeve_run_answer_free (ReeveRunAnswer *self)
{
  g_clear_pointer (&self->result, json_object_unref);
  g_clear_pointer (&self->entry, json_object_unref);
  g_object_unref (self->run);
  g_free (self);
}

/* ---- its parts ---- */

static JsonObject *
reeve_run_answer_call (JsonObject *entry)
{
  static const char *const members[]
      = { "call_id", "name", "arguments", "outcome", "is_error", NULL };
  JsonObject *call = json_object_new ();

  for (guint i = 0; members[i] != NULL; i++)
    {
      if (json_object_has_member (entry, members[i]))
        json_object_set_member (call, members[i],
                                json_node_ref (json_object_get_member (entry, members[i])));
    }
  return call;
}

static JsonObject *
reeve_run_answer_find_intent (ReeveRun *run, const char *call_id, guint before)
{
  for (guint i = before; i > 0; i--)
    {
      JsonObject *entry = reeve_journal_get_entry (run->journal, i - 1);

      if (g_strcmp0 (reeve_json_get_string (entry, "type", ""), REEVE_JOURNAL_TOOL_INTENT) == 0
          && g_strcmp0 (reeve_json_get_string (entry, "call_id", ""), call_id) == 0)
        return entry;
    }
  return NULL;
}

static JsonArray *
reeve_run_answer_calls (ReeveRun *run)
{
  JsonArray *calls = json_array_new ();

  for (guint i = 0; i < reeve_journal_get_length (run->journal); i++)
    {
      JsonObject *entry = reeve_journal_get_entry (run->journal, i);
      const char *type = reeve_json_get_string (entry, "type", "");
      JsonObject *intent = NULL;
      JsonObject *call = NULL;

      if (g_strcmp0 (type, REEVE_JOURNAL_TOOL_OUTCOME) != 0
          && g_strcmp0 (type, REEVE_JOURNAL_TOOL_REFUSED) != 0)
        continue;
      call = reeve_run_answer_call (entry);
      intent = reeve_run_answer_find_intent (run, reeve_json_get_string (entry, "call_id", ""), i);
      if (intent != NULL && json_object_has_member (intent, "arguments"))
        json_object_set_member (call, "arguments",
                                json_node_ref (json_object_get_member (intent, "arguments")));
      json_array_add_object_element (calls, call);
    }
  return calls;
}

/* Adds what one model call cost; FALSE: it is not known, or in another currency. */
static gboolean
reeve_run_answer_add_cost (JsonObject *usage, gint64 *sum, const char **currency)
{
  JsonObject *cost = reeve_json_get_object (usage, "cost");
  gint64 amount = 0;

  if (cost == NULL)
    return FALSE;
  if (*currency == NULL)
    *currency = reeve_json_get_string (cost, "currency", "");
  return g_strcmp0 (*currency, reeve_json_get_string (cost, "currency", "")) == 0
         && reeve_money_parse (reeve_json_get_string (cost, "amount", ""), 9, &amount, NULL)
         && !__builtin_add_overflow (*sum, amount, sum);
}

/* (transfer full) (nullable): of the whole run; one call of an unknown price makes it unknown */
static JsonObject *
reeve_run_answer_cost (ReeveRun *run)
{
  const char *currency = NULL;
  gint64 sum = 0;

  for (guint i = 0; i < reeve_journal_get_length (run->journal); i++)
    {
      JsonObject *entry = reeve_journal_get_entry (run->journal, i);
      JsonObject *usage = reeve_json_get_object (entry, "usage");

      if (usage != NULL && !reeve_run_answer_add_cost (usage, &sum, &currency))
        return NULL;
    }
  return currency != NULL ? reeve_money_show (sum, currency) : NULL;
}

static JsonObject *
reeve_run_answer_usage (ReeveRun *run)
{
  JsonObject *cost = reeve_run_answer_cost (run);
  JsonObject *usage = json_object_new ();
  gint64 input = reeve_journal_get_input_tokens (run->journal);
  gint64 output = reeve_journal_get_output_tokens (run->journal);

  json_object_set_int_member (usage, "input_tokens", input);
  json_object_set_int_member (usage, "output_tokens", output);
  json_object_set_int_member (usage, "total_tokens", input + output);
  if (cost != NULL)
    json_object_set_object_member (usage, "cost", cost);
  else
    json_object_set_null_member (usage, "cost");
  if (reeve_journal_is_usage_estimated (run->journal))
    json_object_set_boolean_member (usage, "estimated", TRUE);
  return usage;
}

static JsonObject *
reeve_run_answer_audit (ReeveRun *run, guint64 last)
{
  JsonObject *audit = json_object_new ();

  json_object_set_string_member (audit, "tenant_log", reeve_run_get_tenant_id (run));
  json_object_set_int_member (audit, "first", (gint64) run->intent);
  json_object_set_int_member (audit, "last", (gint64) (last != 0 ? last : run->intent));
  return audit;
}

static void
reeve_run_answer_copy (JsonObject *from, JsonObject *to, const char *member)
{
  const char *value = reeve_json_get_string (from, member, NULL);

  if (value != NULL)
    json_object_set_string_member (to, member, value);
}

static void
reeve_run_answer_fill_text (ReeveRunAnswer *self, const ReeveDecision *decision)
{
  ReeveRun *run = self->run;
  JsonObject *started = reeve_journal_get_started (run->journal);
  g_autofree char *suffix = NULL;
  g_autofree char *text = NULL;

  if (decision->error_code == NULL)
    suffix = reeve_citations_format (run->citations,
                                     reeve_json_get_string (started, "citation_style", NULL),
                                     reeve_json_get_boolean (started, "include_score", FALSE),
                                     reeve_json_get_boolean (started, "include_page", TRUE));
  text = g_strconcat (decision->answer, suffix, NULL);
  json_object_set_string_member (self->result, "answer", text);
  if (suffix != NULL)
    json_object_set_string_member (self->entry, "suffix", suffix);
}

static void
reeve_run_answer_fill (ReeveRunAnswer *self, const ReeveDecision *decision)
{
  ReeveRun *run = self->run;
  JsonObject *result = self->result;
  JsonObject *started = reeve_journal_get_started (run->journal);
  gboolean success = decision->error_code == NULL;

  json_object_set_string_member (result, "run_id", run->run_id);
  reeve_run_answer_copy (started, result, "session_id");
  reeve_run_answer_copy (started, result, "conversation_id");
  reeve_run_answer_copy (started, result, "agent_id");
  json_object_set_string_member (result, "status", decision->status);
  json_object_set_boolean_member (result, "success", success);
  reeve_run_answer_fill_text (self, decision);
  json_object_set_array_member (
      result, "citations", success ? reeve_citations_list (run->citations) : json_array_new ());
  json_object_set_array_member (result, "tool_calls", reeve_run_answer_calls (run));
  json_object_set_int_member (result, "steps", reeve_journal_get_steps (run->journal));
  json_object_set_object_member (result, "usage", reeve_run_answer_usage (run));
  json_object_set_int_member (result, "duration_ms",
                              reeve_run_get_duration (run) / G_TIME_SPAN_MILLISECOND);
  if (!success)
    json_object_set_object_member (
        result, "error", reeve_run_describe_error (decision->error_code, decision->error_message));
}

/* ---- the last batch ---- */

static JsonObject *
reeve_run_answer_record (ReeveRunAnswer *self)
{
  JsonObject *record = reeve_listing_dup (self->run->record);

  json_object_set_string_member (record, "status",
                                 reeve_json_get_string (self->result, "status", "failed"));
  json_object_set_int_member (record, "updated_at", reeve_times_now ());
  /* the record goes to the store's threads, while the run's own keeps the result: the counts of
   * objects are not atomic */
  json_object_set_object_member (record, "result", reeve_listing_dup (self->result));
  return record;
}

static gboolean
reeve_run_answer_add_turn (ReeveRunAnswer *self, ReeveBatch *batch, GError **error)
{
  ReeveRun *run = self->run;
  JsonObject *started = reeve_journal_get_started (run->journal);
  const char *conversation_id = reeve_json_get_string (started, "conversation_id", NULL);
  g_autoptr (GError) inner = NULL;

  if (conversation_id == NULL || !reeve_json_get_boolean (self->result, "success", FALSE))
    return TRUE;
  if (reeve_conversations_add_turn (run->env.conversations, batch, run->caller, conversation_id,
                                    reeve_json_get_string (started, "agent_id", NULL),
                                    reeve_json_get_string (started, "workspace_id", NULL),
                                    run->run_id, reeve_json_get_string (started, "mission", ""),
                                    reeve_json_get_string (self->result, "answer", ""), &inner))
    return TRUE;
  /* deleted meanwhile: the run ends without a place to note its turn */
  if (g_error_matches (inner, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&inner));
  return FALSE;
}

static gboolean
reeve_run_answer_commit (ReeveRunAnswer *self, GError **error)
{
  ReeveRun *run = self->run;
  g_autoptr (ReeveBatch) batch = reeve_batch_new (reeve_run_get_tenant_id (run));
  g_autoptr (JsonObject) record = reeve_run_answer_record (self);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;
  char *text = NULL;

  json_node_set_object (node, self->entry);
  text = reeve_json_canonical (node);
  bytes = g_bytes_new_take (text, strlen (text));
  reeve_batch_put (batch, REEVE_STORE_RUNS, run->run_id, record, REEVE_REVISION_ANY);
  reeve_batch_append (batch, run->stream, bytes,
                      run->aborting ? REEVE_REVISION_ANY
                                    : (gint64) reeve_journal_get_length (run->journal) + 1);
  if (!reeve_run_answer_add_turn (self, batch, error))
    return FALSE;
  result = reeve_store_commit (run->env.store, batch, error);
  return result != NULL;
}

static void
reeve_run_answer_work (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ReeveRunAnswer *self = data;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < REEVE_RUN_ANSWER_ATTEMPTS; i++)
    {
      g_clear_error (&error);
      if (reeve_run_answer_commit (self, &error))
        {
          g_task_return_boolean (task, TRUE);
          return;
        }
      if (!g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CONFLICT)
          && !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS))
        break;
    }
  g_task_return_error (task, g_steal_pointer (&error));
}

static void
reeve_run_answer_on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveRunAnswer *self = user_data;
  g_autoptr (ReeveRun) run = g_object_ref (self->run);
  g_auto (ReeveLogScope) scope = reeve_log_scope (run->log);
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error)
      && reeve_run_take (run, self->entry, &error))
    reeve_run_complete (run, self->result);
  else
    reeve_run_abort (run, error);
  reeve_run_answer_free (self);
}

/* @self goes with the callback, not with the task: the worker may be the last to let go of that,
 * and the objects are the run's by then. */
static void
reeve_run_answer_write (ReeveRunAnswer *self)
{
  g_autoptr (GTask) task = g_task_new (self->run, NULL, reeve_run_answer_on_committed, self);

  json_object_set_object_member (self->result, "audit",
                                 reeve_run_answer_audit (self->run, self->last));
  json_object_set_object_member (self->entry, "result", json_object_ref (self->result));
  g_task_set_source_tag (task, reeve_run_answer_write);
  g_task_set_task_data (task, self, NULL);
  reeve_workers_run_task (self->run->env.workers, task, reeve_run_answer_work);
}

/* ---- the outcome of the whole ---- */

static void
reeve_run_answer_on_settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveRunAnswer *self = user_data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->run->log);
  g_autoptr (GError) error = NULL;

  self->last = reeve_admission_settle_finish (REEVE_ADMISSION (source), result, &error);
  if (self->last == 0)
    {
      reeve_run_abort (self->run, error);
      reeve_run_answer_free (self);
      return;
    }
  reeve_run_answer_write (self);
}

static void
reeve_run_answer_settle (ReeveRunAnswer *self, const ReeveDecision *decision)
{
  ReeveRun *run = self->run;
  JsonObject *started = reeve_journal_get_started (run->journal);
  gboolean told = *decision->answer == '\0' && decision->error_code != NULL;
  g_autofree char *digest
      = told ? reeve_admission_records_error_digest (decision->error_code, decision->error_message)
             : reeve_digests_sha256_hex (decision->answer, strlen (decision->answer));
  g_autoptr (JsonNode) body = json_node_init_string (json_node_alloc (), decision->answer);
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED,
                                 .reason = decision->error_code,
                                 .output_digest = digest,
                                 .body = body };

  if (g_strcmp0 (decision->status, "unknown") == 0)
    settlement.outcome = REEVE_OUTCOME_UNKNOWN;
  else if (decision->error_code != NULL)
    settlement.outcome = REEVE_OUTCOME_FAILED;
  /* whom an agent acts for, where nobody is named, is who began it */
  settlement.delegated_user_id
      = reeve_json_get_string (started, "delegated_user_id",
                               reeve_json_get_string (started, "agent_id", NULL) != NULL
                                   ? reeve_caller_get_user_id (run->caller)
                                   : NULL);
  settlement.resource_id = reeve_json_get_string (started, "conversation_id", NULL);
  settlement.input_tokens = reeve_journal_get_input_tokens (run->journal);
  settlement.output_tokens = reeve_journal_get_output_tokens (run->journal);
  settlement.steps = reeve_journal_get_steps (run->journal);
  settlement.waited_us = reeve_run_get_waited (run);
  reeve_admission_settle_async (run->env.admission, g_steal_pointer (&run->admitted), &settlement,
                                reeve_run_answer_on_settled, self);
}

void
reeve_run_answer_finish (ReeveRun *run, const ReeveDecision *decision)
{
  ReeveRunAnswer *self = g_new0 (ReeveRunAnswer, 1);

  self->run = g_object_ref (run);
  self->result = json_object_new ();
  self->entry = reeve_run_new_entry (REEVE_JOURNAL_ENDED);
  reeve_run_answer_fill (self, decision);
  json_object_set_string_member (self->entry, "status", decision->status);
  if (run->admitted != NULL)
    reeve_run_answer_settle (self, decision);
  else
    reeve_run_answer_write (self);
}
