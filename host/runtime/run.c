/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop of a run: decide, perform, append, decide. It holds no thread: each step ends in a
 * callback in the run's context. An effect's intent is durable in the ledger, then in the journal,
 * before the effect; its outcome is in the journal before the next decision. */
#include "run-opening.h"
#include "run-private.h"

#include "base/times.h"
#include "listing.h"
#include "run-events.h"

G_DEFINE_FINAL_TYPE (ReeveRun, reeve_run, G_TYPE_OBJECT)

typedef struct
{
  ReeveRun *run;
  GPtrArray *entries; /* JsonObject */
  ReeveRunNext next;
} ReeveRunAppend;

typedef struct
{
  ReeveRun *run;
  JsonObject *result;
  GError *error;
} ReeveRunEnd;

static void
reeve_run_finalize (GObject *object)
{
  ReeveRun *self = REEVE_RUN (object);

  if (self->timer != NULL)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
  g_clear_pointer (&self->caller, reeve_caller_unref);
  g_clear_pointer (&self->record, json_object_unref);
  g_clear_pointer (&self->hold, reeve_agent_book_release);
  g_clear_pointer (&self->journal, reeve_journal_free);
  g_clear_pointer (&self->citations, reeve_citations_free);
  g_clear_pointer (&self->followers, reeve_run_followers_free);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->log, reeve_log_context_unref);
  g_clear_pointer (&self->span, reeve_span_free);
  g_string_free (self->live_thought, TRUE);
  g_string_free (self->live_shown, TRUE);
  g_free (self->run_id);
  g_free (self->stream);
  g_strfreev (self->workspaces);
  G_OBJECT_CLASS (reeve_run_parent_class)->finalize (object);
}

static void
reeve_run_class_init (ReeveRunClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_run_finalize;
}

static void
reeve_run_init (ReeveRun *self)
{
  self->followers = reeve_run_followers_new ();
  self->cancellable = g_cancellable_new ();
  self->context = g_main_context_ref_thread_default ();
  self->entered = self->began = g_get_monotonic_time ();
  self->live_thought = g_string_new (NULL);
  self->live_shown = g_string_new (NULL);
}

/**
 * reeve_run_new:
 * @environment: what it works with
 * @caller: who asked
 * @admitted: (transfer full) (nullable): the intent of the whole run
 * @run_id: its id
 * @record: fields of its record
 * @journal: (transfer full): what was appended so far
 *
 * Returns: (transfer full): a run that has not gone on yet
 */
ReeveRun *
reeve_run_new (const ReeveRunEnvironment *environment, ReeveCaller *caller, ReeveAdmitted *admitted,
               const char *run_id, JsonObject *record, ReeveJournal *journal)
{
  ReeveRun *self = g_object_new (REEVE_TYPE_RUN, NULL);

  self->env = *environment;
  self->caller = reeve_caller_ref (caller);
  self->admitted = admitted;
  self->intent = admitted != NULL ? reeve_admitted_get_intent (admitted) : 0;
  self->run_id = g_strdup (run_id);
  self->stream = g_strconcat ("run/", run_id, NULL);
  self->record = json_object_ref (record);
  self->journal = journal;
  return self;
}

/**
 * reeve_run_take_hold:
 * @self: a run
 * @hold: (transfer full) (nullable): of its agent
 *
 * Without it the effects of an agent are refused.
 */
void
reeve_run_take_hold (ReeveRun *self, ReeveAgentHold *hold)
{
  self->hold = hold;
}

/**
 * reeve_run_get_id:
 * @self: a run
 *
 * Returns: (transfer none): its id
 */
const char *
reeve_run_get_id (ReeveRun *self)
{
  return self->run_id;
}

/**
 * reeve_run_get_tenant_id:
 * @self: a run
 *
 * Returns: (transfer none): the tenant it belongs to
 */
const char *
reeve_run_get_tenant_id (ReeveRun *self)
{
  return reeve_caller_get_tenant_id (self->caller);
}

/**
 * reeve_run_get_agent_id:
 * @self: a run
 *
 * Returns: (transfer none) (nullable): its agent; %NULL: the built-in assistant
 */
const char *
reeve_run_get_agent_id (ReeveRun *self)
{
  return reeve_json_get_string (self->record, "agent_id", NULL);
}

/**
 * reeve_run_get_user_id:
 * @self: a run
 *
 * Returns: (transfer none): who asked for it
 */
const char *
reeve_run_get_user_id (ReeveRun *self)
{
  return reeve_caller_get_user_id (self->caller);
}

/* ---- what effects have in common ---- */

JsonObject *
reeve_run_new_entry (const char *type)
{
  JsonObject *entry = json_object_new ();

  json_object_set_string_member (entry, "type", type);
  json_object_set_int_member (entry, "time", reeve_times_now ());
  return entry;
}

void
reeve_run_describe (ReeveRun *self, ReeveAdmissionRequest *request)
{
  JsonObject *started = reeve_journal_get_started (self->journal);

  request->caller = self->caller;
  request->run_id = self->run_id;
  request->agent_id = reeve_json_get_string (started, "agent_id", NULL);
  request->delegated_user_id = reeve_json_get_string (started, "delegated_user_id", NULL);
  request->workspace_id = reeve_json_get_string (started, "workspace_id", NULL);
  request->parent = self->intent;
  request->trace_id = reeve_json_get_string (started, "trace_id", NULL);
  request->trace = self->traced ? &self->trace : NULL;
}

void
reeve_run_describe_context (ReeveRun *self, ReeveContextInfo *info)
{
  JsonObject *started = reeve_journal_get_started (self->journal);

  info->struct_size = sizeof *info;
  info->tenant_id = reeve_run_get_tenant_id (self);
  info->user_id = reeve_caller_get_user_id (self->caller);
  info->agent_id = reeve_json_get_string (started, "agent_id", NULL);
  info->run_id = self->run_id;
  reeve_run_trace_describe (self, info);
  info->roles = reeve_caller_get_roles (self->caller);
  if (self->workspaces == NULL)
    self->workspaces = reeve_run_opening_get_workspaces (started);
  info->workspaces = (const char *const *) self->workspaces;
  info->deadline = self->deadline;
}

/* What the journal says of an effect that ended with an error. */
const char *
reeve_run_classify (ReeveAdmitted *admitted, const GError *error)
{
  return reeve_admitted_judge (admitted, error) == REEVE_OUTCOME_UNKNOWN ? "unknown" : "failed";
}

gboolean
reeve_run_is_cut (ReeveRun *self, const GError *error)
{
  return self->leaving
         && (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED)
             || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

JsonObject *
reeve_run_describe_error (const char *code, const char *message)
{
  JsonObject *error = json_object_new ();

  json_object_set_string_member (error, "code", code);
  json_object_set_string_member (error, "message", message);
  return error;
}

/* ---- the journal ---- */

void
reeve_run_live_clear (ReeveRun *self)
{
  self->live_entry = 0;
  self->live_sent = 0;
  g_string_truncate (self->live_thought, 0);
  g_string_truncate (self->live_shown, 0);
}

static void
reeve_run_send_event (const char *name, JsonObject *data, gpointer user_data)
{
  reeve_run_followers_send (user_data, 0, name, data);
}

void
reeve_run_send_live (ReeveRun *self, const char *name, const char *text)
{
  gint64 offset = (gint64) (self->live_thought->len + self->live_shown->len);

  reeve_run_events_send_delta (self->run_id, name, text, self->live_entry, offset,
                               reeve_run_send_event, self->followers);
}

gboolean
reeve_run_take (ReeveRun *self, JsonObject *entry, GError **error)
{
  const char *type = reeve_json_get_string (entry, "type", "");
  gboolean answer = g_strcmp0 (type, REEVE_JOURNAL_MODEL_OUTCOME) == 0;

  if (!reeve_journal_add (self->journal, entry, error))
    return FALSE;
  /* pieces of an answer went out while the model spoke: of its outcome only what is missing is sent
   */
  reeve_run_events_send (self->run_id, entry, reeve_journal_get_length (self->journal),
                         answer ? self->live_sent : 0, reeve_run_send_event, self->followers);
  if (answer)
    reeve_run_live_clear (self);
  return TRUE;
}

static void
reeve_run_append_free (ReeveRunAppend *append)
{
  g_ptr_array_unref (append->entries);
  g_object_unref (append->run);
  g_free (append);
}

static void
reeve_run_on_appended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveRunAppend *append = user_data;
  g_autoptr (ReeveRun) self = g_object_ref (append->run);
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->log);
  ReeveRunNext next = append->next;
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveBatchResult) committed
      = reeve_store_commit_finish (REEVE_STORE (source), result, &error);
  gboolean ok = committed != NULL;

  for (guint i = 0; ok && i < append->entries->len; i++)
    ok = reeve_run_take (self, g_ptr_array_index (append->entries, i), &error);
  reeve_run_append_free (append);
  if (ok)
    next (self);
  else
    reeve_run_abort (self, error);
}

static GBytes *
reeve_run_serialise (JsonObject *entry)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  char *text = NULL;

  json_node_set_object (node, entry);
  text = reeve_json_canonical (node);
  return g_bytes_new_take (text, strlen (text));
}

/* The first entry comes with the run's record: a run is either both or neither. One that has waited
 * goes with the entry that says so. */
static void
reeve_run_add_record (ReeveRun *self, ReeveBatch *batch)
{
  g_autoptr (JsonObject) record = reeve_listing_dup (self->record);

  if (reeve_journal_get_length (self->journal) == 0)
    reeve_batch_put (batch, REEVE_STORE_RUNS, self->run_id, record, REEVE_REVISION_ABSENT);
  else if (self->restated)
    reeve_batch_put (batch, REEVE_STORE_RUNS, self->run_id, record, REEVE_REVISION_ANY);
  self->restated = FALSE;
}

void
reeve_run_append (ReeveRun *self, JsonObject *const *entries, ReeveRunNext next)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (reeve_run_get_tenant_id (self));
  ReeveRunAppend *append = g_new0 (ReeveRunAppend, 1);
  gint64 length = reeve_journal_get_length (self->journal);

  append->run = g_object_ref (self);
  append->next = next;
  append->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  reeve_run_add_record (self, batch);
  for (guint i = 0; entries[i] != NULL; i++)
    {
      g_autoptr (GBytes) bytes = reeve_run_serialise (entries[i]);

      reeve_batch_append (batch, self->stream, bytes, length + i + 1);
      g_ptr_array_add (append->entries, entries[i]);
    }
  reeve_store_commit_async (self->env.store, batch, NULL, reeve_run_on_appended, append);
}

/* ---- the loop ---- */

static gboolean
reeve_run_tell_done (gpointer data)
{
  ReeveRunEnd *end = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (end->run->log);

  end->run->done (end->run, end->result, end->error, end->run->done_data);
  return G_SOURCE_REMOVE;
}

static void
reeve_run_end_free (gpointer data)
{
  ReeveRunEnd *end = data;

  g_clear_pointer (&end->result, json_object_unref);
  g_clear_error (&end->error);
  g_object_unref (end->run);
  g_free (end);
}

/* The one who started the run hears of its end behind the last event, which is on its way in the
 * same context. */
static void
reeve_run_close (ReeveRun *self, JsonObject *result, const GError *error)
{
  ReeveRunEnd *end = g_new0 (ReeveRunEnd, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  self->ended = TRUE;
  if (self->timer != NULL)
    g_source_destroy (self->timer);
  reeve_run_followers_end (self->followers, 0);
  reeve_run_trace_close (self, result, error);
  end->run = g_object_ref (self);
  end->result = result != NULL ? json_object_ref (result) : NULL;
  end->error = error != NULL ? g_error_copy (error) : NULL;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, reeve_run_tell_done, end, reeve_run_end_free);
  g_source_attach (source, self->context);
}

void
reeve_run_complete (ReeveRun *self, JsonObject *result)
{
  if (self->ended)
    return;
  g_info ("a run has ended: %s, after %" G_GINT64_FORMAT " ms",
          reeve_json_get_string (result, "status", "?"),
          reeve_json_get_int (result, "duration_ms", 0));
  reeve_run_close (self, result, NULL);
}

static void
reeve_run_fail_intent (ReeveRun *self, const GError *error)
{
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_UNKNOWN,
                                       .reason = reeve_error_get_name (error->code),
                                       .error = error,
                                       .waited_us = reeve_run_get_waited (self) };

  if (self->admitted != NULL)
    reeve_admission_settle_async (self->env.admission, g_steal_pointer (&self->admitted),
                                  &settlement, NULL, NULL);
}

/* The effect whose intent could not be journaled has not left, and will not. */
static void
reeve_run_drop_effect (ReeveRun *self)
{
  gpointer effect = g_steal_pointer (&self->effect);

  if (effect != NULL)
    self->drop (effect);
}

/* A record that could not be written ends the run as unknown, in the store too: a smaller last
 * entry often can be written where a larger one was refused. When even that fails, or the run never
 * began, it ends in memory and the next start takes it up. */
void
reeve_run_abort (ReeveRun *self, const GError *error)
{
  g_auto (ReeveDecision) decision
      = { .kind = REEVE_DECISION_FINISH, .status = "unknown", .answer = "" };
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->log);

  if (self->ended)
    return;
  g_warning ("run %s cannot be journaled any more: %s", self->run_id, error->message);
  reeve_run_drop_effect (self);
  if (self->aborting || reeve_journal_get_started (self->journal) == NULL)
    {
      reeve_run_fail_intent (self, error);
      reeve_run_close (self, NULL, error);
      return;
    }
  self->aborting = TRUE;
  decision.error_code = "journal_failed";
  decision.error_message = g_strdup (error->message);
  reeve_run_answer_finish (self, &decision);
}

/* Its intent stays open in the ledger, its record says `running`: the next start finds both. */
static void
reeve_run_part (ReeveRun *self)
{
  g_autoptr (GError) error
      = g_error_new (REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                     "the host is stopping: run %s goes on when it starts again", self->run_id);

  g_clear_pointer (&self->admitted, reeve_admitted_leave);
  reeve_run_close (self, NULL, error);
}

static void
reeve_run_perform (ReeveRun *self, const ReeveDecision *decision)
{
  switch (decision->kind)
    {
    case REEVE_DECISION_CALL_MODEL:
      reeve_run_model_call (self, decision->step);
      break;
    case REEVE_DECISION_CALL_TOOL:
      reeve_run_tool_call (self, decision->call);
      break;
    case REEVE_DECISION_FINISH:
      reeve_run_answer_finish (self, decision);
      break;
    case REEVE_DECISION_WAIT:
      reeve_run_take_turn (self);
      break;
    case REEVE_DECISION_NOTHING:
    default:
      reeve_run_complete (
          self, reeve_json_get_object (reeve_journal_get_ended (self->journal), "result"));
      break;
    }
}

void
reeve_run_advance (ReeveRun *self)
{
  g_auto (ReeveDecision) decision = { 0 };

  if (self->ended)
    return;
  if (self->interruption != NULL && reeve_journal_get_interruption (self->journal) == NULL
      && reeve_journal_get_ended (self->journal) == NULL)
    {
      JsonObject *entry = reeve_run_new_entry (REEVE_JOURNAL_INTERRUPTED);
      JsonObject *const entries[] = { entry, NULL };

      json_object_set_string_member (entry, "reason", self->interruption);
      reeve_run_append (self, entries, reeve_run_advance);
      return;
    }
  if (self->leaving)
    {
      reeve_run_part (self);
      return;
    }
  reeve_decide (self->journal, &decision);
  reeve_run_perform (self, &decision);
}

/* Passages that were found before a restart keep their numbers. */
static void
reeve_run_recall (ReeveRun *self, JsonObject *started)
{
  self->citations = reeve_citations_new (
      (guint) CLAMP (reeve_json_get_int (started, "max_citations", 10), 0, 100));
  for (guint i = 0; i < reeve_journal_get_length (self->journal); i++)
    {
      JsonObject *entry = reeve_journal_get_entry (self->journal, i);

      if (g_strcmp0 (reeve_json_get_string (entry, "type", ""), REEVE_JOURNAL_TOOL_OUTCOME) == 0)
        g_free (reeve_citations_add (self->citations, json_object_get_member (entry, "data")));
    }
}

/* The answer before a restart is mapped again, so that its citations are known. */
static void
reeve_run_recall_answer (ReeveRun *self)
{
  JsonObject *outcome = reeve_journal_get_model_outcome (self->journal);
  const char *content = outcome != NULL ? reeve_json_get_string (outcome, "content", "") : "";
  g_autoptr (GString) ignored = g_string_new (NULL);

  reeve_citations_feed (self->citations, content, strlen (content), ignored);
}

/**
 * reeve_run_start:
 * @self: a run
 * @started: its first entry; ignored when the journal holds one
 * @done: called once when it has ended
 * @user_data: closure
 *
 * Goes on from where the journal stands.
 */
void
reeve_run_start (ReeveRun *self, JsonObject *started, ReeveRunDone done, gpointer user_data)
{
  JsonObject *const entries[] = { started, NULL };
  JsonObject *first = reeve_journal_get_started (self->journal);
  g_auto (ReeveLogScope) scope = { NULL };

  reeve_run_trace_open (self, first != NULL ? first : started);
  scope = reeve_log_scope (self->log);
  self->done = done;
  self->done_data = user_data;
  if (self->intent == 0 && first != NULL)
    self->intent = (guint64) reeve_json_get_int (first, "intent", 0);
  reeve_run_recall (self, first != NULL ? first : started);
  if (self->waiting)
    reeve_run_arm_turn (self);
  else
    reeve_run_arm (self, first != NULL ? first : started);
  if (first != NULL)
    {
      reeve_run_recall_turn (self);
      reeve_run_recall_answer (self);
      reeve_run_advance (self);
      return;
    }
  json_object_ref (started);
  reeve_run_append (self, entries, reeve_run_advance);
}
