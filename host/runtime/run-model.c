/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One model call of a run: intent in the ledger, intent in the journal, the call, its outcome in
 * both. */
#include "run-private.h"

#include "base/digests.h"
#include "governance/admission-records.h"
#include "governance/model-allow.h"
#include "governance/money.h"
#include "model-meter.h"
#include "run-events.h"
#include "token-estimate.h"

#define REEVE_RUN_MODEL_LEAST 16 /* tokens: a shorter answer is none */

typedef struct
{
  ReeveRun *run;
  guint step;
  ReeveLlmRequest *request;
  ReeveModelPrepared *prepared; /* (nullable) */
  ReeveModelMeter meter;
  char *digest;
  ReeveAdmitted *admitted;
  guint64 intent;
  char *next;     /* (nullable): who is asked in its place */
  guint64 parent; /* the intent that one stands below, where this one has none */
} ReeveRunModel;

static void reeve_run_model_on_answer (GObject *source, GAsyncResult *result, gpointer user_data);

static void
reeve_run_model_free (ReeveRunModel *self)
{
  g_clear_pointer (&self->prepared, reeve_model_prepared_free);
  g_clear_pointer (&self->request, reeve_llm_request_unref);
  g_free (self->digest);
  g_free (self->next);
  g_object_unref (self->run);
  g_free (self);
}

static void
reeve_run_model_set_optional (JsonObject *entry, const char *member, const char *text)
{
  if (text != NULL && *text != '\0')
    json_object_set_string_member (entry, member, text);
}

static char *reeve_run_model_name (ReeveRun *run, const char *model);
static char *reeve_run_model_wanted (ReeveRun *run);

/* A model without a price has a usage without a cost. */
static JsonObject *
reeve_run_model_usage (ReeveRunModel *self, const ReeveSettlement *settlement)
{
  ReeveRun *run = self->run;
  g_autofree char *full = reeve_run_model_name (run, reeve_llm_request_get_model (self->request));
  ReevePrice price = { 0 };
  JsonObject *usage = json_object_new ();

  if (run->env.prices != NULL && reeve_prices_find (run->env.prices, full, &price))
    json_object_set_object_member (
        usage, "cost",
        reeve_money_show (
            reeve_prices_cost (&price, settlement->input_tokens, settlement->output_tokens),
            price.currency));

  json_object_set_int_member (usage, "input_tokens", settlement->input_tokens);
  json_object_set_int_member (usage, "output_tokens", settlement->output_tokens);
  if (settlement->estimated)
    json_object_set_boolean_member (usage, "estimated", TRUE);
  return usage;
}

/* The outcome entry of an answer that came. What the live stream left out of the markers is mapped
 * here at last. */
static JsonObject *
reeve_run_model_entry (ReeveRunModel *self, const ReeveModelResponse *response,
                       const ReeveSettlement *settlement)
{
  ReeveRun *run = self->run;
  JsonObject *entry = reeve_run_new_entry (REEVE_JOURNAL_MODEL_OUTCOME);
  g_autoptr (GString) shown = g_string_new (NULL);

  reeve_citations_restart (run->citations);
  reeve_citations_feed (run->citations, response->content, strlen (response->content), shown);
  reeve_citations_flush (run->citations, shown);
  json_object_set_int_member (entry, "step", self->step);
  json_object_set_int_member (entry, "intent_entry", run->live_entry);
  json_object_set_string_member (entry, "outcome", "succeeded");
  json_object_set_string_member (entry, "content", response->content);
  if (g_strcmp0 (shown->str, response->content) != 0)
    json_object_set_string_member (entry, "shown", shown->str);
  /* as it was streamed, so that a reader who resumes gets the same bytes */
  reeve_run_model_set_optional (
      entry, "thought", run->live_thought->len > 0 ? run->live_thought->str : response->thought);
  reeve_run_model_set_optional (entry, "finish_reason", response->finish_reason);
  reeve_run_model_set_optional (entry, "provider", response->provider);
  reeve_run_model_set_optional (entry, "model", response->model);
  if (response->tool_calls != NULL)
    json_object_set_array_member (entry, "tool_calls", json_array_ref (response->tool_calls));
  json_object_set_object_member (entry, "usage", reeve_run_model_usage (self, settlement));
  return entry;
}

/* Who takes the place of a model that failed, and what that stands below. */
static void
reeve_run_model_describe_next (ReeveRunModel *self, JsonObject *entry)
{
  JsonObject *fallback = NULL;

  if (self->next == NULL)
    return;
  fallback = json_object_new ();
  json_object_set_string_member (fallback, "model", self->next);
  json_object_set_int_member (fallback, "intent",
                              (gint64) (self->intent != 0 ? self->intent : self->parent));
  json_object_set_object_member (entry, "fallback", fallback);
}

static JsonObject *
reeve_run_model_failure (ReeveRunModel *self, const char *outcome, const GError *error)
{
  JsonObject *entry = reeve_run_new_entry (REEVE_JOURNAL_MODEL_OUTCOME);
  const char *code = reeve_admission_records_reason (error);
  g_autofree char *wanted = reeve_journal_get_fallback (self->run->journal) != NULL
                                ? reeve_run_model_wanted (self->run)
                                : NULL;
  g_autofree char *told
      = wanted != NULL ? g_strdup_printf ("in the place of %s: %s", wanted, error->message) : NULL;

  json_object_set_int_member (entry, "step", self->step);
  json_object_set_int_member (entry, "intent_entry", self->run->live_entry);
  json_object_set_string_member (entry, "outcome", outcome);
  json_object_set_object_member (
      entry, "error", reeve_run_describe_error (code, told != NULL ? told : error->message));
  reeve_run_model_describe_next (self, entry);
  return entry;
}

static JsonObject *
reeve_run_model_given_up (ReeveRunModel *self)
{
  JsonObject *entry = reeve_run_new_entry (REEVE_JOURNAL_GIVEN_UP);

  json_object_set_int_member (entry, "step", self->step);
  return entry;
}

/* ---- the answer ---- */

static gboolean
reeve_run_model_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  ReeveRunModel *self = user_data;
  ReeveRun *run = self->run;
  g_auto (ReeveLogScope) scope = reeve_log_scope (run->log);
  g_autoptr (GString) piece = NULL;
  gboolean thought = delta->kind == REEVE_LLM_DELTA_THOUGHT;

  reeve_model_meter_add (&self->meter, delta);
  if (delta->kind != REEVE_LLM_DELTA_TEXT && !thought)
    return TRUE;
  piece = g_string_new (NULL);
  if (thought)
    g_string_append_len (piece, delta->text, (gssize) delta->text_length);
  else
    reeve_citations_feed (run->citations, delta->text, delta->text_length, piece);
  if (piece->len == 0)
    return TRUE;
  /* a thought behind text cannot be placed again on resuming: it is left to the journal's whole
   * outcome */
  if (thought && run->live_shown->len > 0)
    return TRUE;
  g_string_append_len (thought ? run->live_thought : run->live_shown, piece->str,
                       (gssize) piece->len);
  run->live_sent = run->live_entry * REEVE_RUN_EVENTS_STRIDE
                   + (gint64) (run->live_thought->len + run->live_shown->len);
  if (!reeve_run_followers_is_empty (run->followers))
    reeve_run_send_live (run, thought ? "thought.delta" : "message.delta", piece->str);
  return TRUE;
}

/* How it ended, but for the digest of what came. */
static void
reeve_run_model_judge (ReeveRunModel *self, const ReeveModelResponse *response, const char *outcome,
                       const GError *error, ReeveSettlement *settlement)
{
  *settlement = (ReeveSettlement){ .outcome = REEVE_OUTCOME_SUCCEEDED, .error = error };
  if (response == NULL)
    {
      settlement->outcome
          = g_strcmp0 (outcome, "unknown") == 0 ? REEVE_OUTCOME_UNKNOWN : REEVE_OUTCOME_FAILED;
      settlement->reason
          = error->domain == REEVE_ERROR ? reeve_error_get_name (error->code) : "failed";
    }
  if (reeve_admitted_is_consumed (self->admitted))
    reeve_model_meter_settle (&self->meter, self->request, response, error, settlement);
}

static void
reeve_run_model_settle (ReeveRunModel *self, const ReeveModelResponse *response,
                        GAsyncResult *result, ReeveSettlement *settlement)
{
  g_autofree char *digest
      = response != NULL ? reeve_model_response_digest (response) : reeve_models_dup_given (result);
  g_autoptr (JsonNode) body
      = response != NULL ? json_node_init_string (json_node_alloc (), response->content) : NULL;

  settlement->output_digest = digest;
  settlement->body = body;
  reeve_admission_settle_async (self->run->env.admission, g_steal_pointer (&self->admitted),
                                settlement, NULL, NULL);
}

/* (transfer full) (nullable): who is asked in the place of a model that failed. Nobody where
 * readers have a word of it. */
static char *
reeve_run_model_find_next (ReeveRunModel *self, GAsyncResult *result)
{
  ReeveRun *run = self->run;
  g_autofree char *first = NULL;
  g_autofree char *failed = NULL;
  g_autofree char *wanted = reeve_run_model_wanted (run);

  if (self->meter.sent || wanted == NULL)
    return NULL;
  first = reeve_run_model_name (run, wanted);
  failed = reeve_run_model_name (run, reeve_llm_request_get_model (self->request));
  return reeve_models_dup_next (run->env.models, result, first, failed);
}

/* One that the tenant may not ask has its place taken, where it was to take another's. */
static void
reeve_run_model_skip (ReeveRunModel *self, const GError *error)
{
  ReeveRun *run = self->run;
  JsonObject *fallback = reeve_journal_get_fallback (run->journal);
  g_autofree char *wanted = fallback != NULL ? reeve_run_model_wanted (run) : NULL;
  g_autofree char *first = wanted != NULL ? reeve_run_model_name (run, wanted) : NULL;
  g_autofree char *refused
      = reeve_run_model_name (run, reeve_llm_request_get_model (self->request));

  if (first == NULL || !reeve_model_allow_refused (error))
    return;
  self->next = reeve_models_dup_behind (run->env.models, first, refused);
  self->parent = (guint64) reeve_json_get_int (fallback, "intent", 0);
}

static void
reeve_run_model_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveRunModel *self = user_data;
  g_autoptr (ReeveRun) run = g_object_ref (self->run);
  g_auto (ReeveLogScope) scope = reeve_log_scope (run->log);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveModelResponse) response
      = reeve_models_complete_finish (REEVE_MODELS (source), result, &error);
  const char *outcome = response == NULL ? reeve_run_classify (self->admitted, error) : "succeeded";
  gboolean cut = reeve_run_is_cut (run, error);
  ReeveSettlement settlement;
  JsonObject *entries[] = { NULL, NULL };

  reeve_run_model_judge (self, response, outcome, error, &settlement);
  if (response == NULL && !cut)
    self->next = reeve_run_model_find_next (self, result);
  if (response != NULL)
    entries[0] = reeve_run_model_entry (self, response, &settlement);
  else if (!cut)
    entries[0] = reeve_run_model_failure (self, outcome, error);
  else if (run->live_shown->len + run->live_thought->len == 0)
    entries[0] = reeve_run_model_given_up (self);
  if (response == NULL && entries[0] != NULL
      && settlement.input_tokens + settlement.output_tokens > 0)
    json_object_set_object_member (entries[0], "usage", reeve_run_model_usage (self, &settlement));
  reeve_run_model_settle (self, response, result, &settlement);
  reeve_run_model_free (self);
  /* of an answer that was cut, readers may have a part, which another answer does not go on from:
   * the call stays open in the journal, and is unknown */
  if (entries[0] != NULL)
    reeve_run_append (run, entries, reeve_run_advance);
  else
    reeve_run_advance (run);
}

/* ---- before it ---- */

static void
reeve_run_model_send (ReeveRun *run)
{
  ReeveRunModel *self = g_steal_pointer (&run->effect);
  ReeveContextInfo info = { 0 };

  run->live_entry = reeve_journal_get_length (run->journal);
  reeve_run_describe_context (run, &info);
  reeve_models_complete_prepared_async (
      run->env.models, self->admitted, g_steal_pointer (&self->prepared), self->request, &info,
      reeve_run_model_on_delta, self, run->cancellable, reeve_run_model_on_answer, self);
}

static JsonObject *
reeve_run_model_intent (ReeveRunModel *self)
{
  JsonObject *entry = reeve_run_new_entry (REEVE_JOURNAL_MODEL_INTENT);

  json_object_set_int_member (entry, "step", self->step);
  json_object_set_int_member (entry, "intent", (gint64) self->intent);
  json_object_set_string_member (entry, "model", reeve_llm_request_get_model (self->request));
  json_object_set_string_member (entry, "input_digest", self->digest);
  return entry;
}

/* A call that never left. */
static void
reeve_run_model_drop (gpointer data)
{
  ReeveRunModel *self = data;
  const ReeveSettlement settlement
      = { .outcome = REEVE_OUTCOME_FAILED, .reason = "journal_failed" };

  reeve_admission_settle_async (self->run->env.admission, g_steal_pointer (&self->admitted),
                                &settlement, NULL, NULL);
  reeve_run_model_free (self);
}

static void
reeve_run_model_on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveRunModel *self = user_data;
  g_autoptr (ReeveRun) run = g_object_ref (self->run);
  g_auto (ReeveLogScope) scope = reeve_log_scope (run->log);
  g_autoptr (GError) error = NULL;
  JsonObject *entries[] = { NULL, NULL, NULL };

  self->admitted = reeve_admission_begin_finish (REEVE_ADMISSION (source), result, &error);
  self->intent = self->admitted != NULL ? reeve_admitted_get_intent (self->admitted) : 0;
  if (self->admitted != NULL)
    reeve_model_meter_lower (self->request, reeve_admitted_get_granted (self->admitted), NULL);
  entries[0] = reeve_run_model_intent (self);
  if (self->admitted != NULL)
    {
      reeve_citations_restart (run->citations);
      reeve_run_live_clear (run);
      run->effect = self;
      run->drop = reeve_run_model_drop;
      reeve_run_append (run, entries, reeve_run_model_send);
      /* while the journal is written nobody waits for this thread */
      if (run->effect == self)
        self->prepared = reeve_models_prepare (run->env.models, self->request);
      return;
    }
  reeve_run_model_skip (self, error);
  entries[1] = reeve_run_model_failure (self, "failed", error);
  reeve_run_model_free (self);
  reeve_run_append (run, entries, reeve_run_advance);
}

/* (transfer full) (nullable): the model that the run is to ask, whoever else it may have to ask */
static char *
reeve_run_model_wanted (ReeveRun *run)
{
  const char *named
      = reeve_json_get_string (reeve_journal_get_started (run->journal), "model", NULL);

  return named != NULL ? g_strdup (named) : reeve_models_get_default (run->env.models);
}

static ReeveLlmRequest *
reeve_run_model_request (ReeveRun *run)
{
  JsonObject *started = reeve_journal_get_started (run->journal);
  JsonObject *fallback = reeve_journal_get_fallback (run->journal);
  g_autofree char *wanted = reeve_run_model_wanted (run);
  const char *model = fallback != NULL ? reeve_json_get_string (fallback, "model", wanted) : wanted;
  JsonArray *tools = reeve_json_get_array (started, "tool_definitions");
  g_autoptr (JsonArray) messages = reeve_decide_messages (run->journal);
  ReeveLlmRequest *request
      = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, model != NULL ? model : "");

  reeve_llm_request_set_messages (request, messages);
  if (tools != NULL && json_array_get_length (tools) > 0)
    reeve_llm_request_set_tools (request, tools);
  reeve_llm_request_set_max_tokens (request,
                                    (guint) reeve_json_get_int (started, "max_tokens", 4096));
  if (json_object_has_member (started, "temperature"))
    reeve_llm_request_set_temperature (request,
                                       json_object_get_double_member (started, "temperature"));
  reeve_llm_request_set_stream (request, reeve_json_get_boolean (started, "stream", FALSE));
  return request;
}

/* (transfer full): what goes to the model */
static JsonNode *
reeve_run_model_body (ReeveLlmRequest *request)
{
  return json_node_init_array (json_node_alloc (), reeve_llm_request_get_messages (request));
}

/* @length (out): of the text that goes to the model */
static char *
reeve_run_model_digest (JsonNode *body, gsize *length)
{
  g_autofree char *text = reeve_json_canonical (body);

  *length = strlen (text);
  return reeve_digests_sha256_hex (text, *length);
}

/* How many tokens the run will have taken when this call has its least answer; the answer may be as
 * long as the policy's limit of the execution leaves room for. */
static gint64
reeve_run_model_bound (ReeveRun *run, ReeveLlmRequest *request, const char *agent_id, gsize bytes)
{
  gint64 before
      = reeve_journal_get_bound_tokens (run->journal) + reeve_token_estimate_bytes (bytes);
  gint64 limit = 0;
  gint64 seconds = 0;

  if (run->env.policies != NULL)
    reeve_policies_get_limits (run->env.policies, reeve_run_get_tenant_id (run), agent_id, &limit,
                               &seconds);
  if (limit > before && limit - before < reeve_llm_request_get_max_tokens (request))
    reeve_llm_request_set_max_tokens (request, (guint) (limit - before));
  return before + REEVE_RUN_MODEL_LEAST;
}

/* (transfer full) (nullable): with its provider, as the ledger names models; one that nobody knows
 * fails later, by its own name */
static char *
reeve_run_model_name (ReeveRun *run, const char *model)
{
  g_autofree char *provider = NULL;
  g_autofree char *name = NULL;

  return reeve_models_resolve (run->env.models, model, &provider, &name, NULL)
             ? g_strconcat (provider, "/", name, NULL)
             : g_strdup (model);
}

void
reeve_run_model_call (ReeveRun *run, guint step)
{
  ReeveRunModel *self = g_new0 (ReeveRunModel, 1);
  ReeveAdmissionRequest admission = { .operation = "model.call", .permission = "agent:execute" };
  g_autofree char *full = NULL;
  g_autofree char *told = NULL;
  g_autoptr (JsonNode) body = NULL;
  gsize length = 0;

  self->run = g_object_ref (run);
  self->step = step;
  reeve_model_meter_init (&self->meter);
  self->request = reeve_run_model_request (run);
  body = reeve_run_model_body (self->request);
  self->digest = reeve_run_model_digest (body, &length);
  reeve_run_describe (run, &admission);
  if (reeve_journal_get_fallback (run->journal) != NULL)
    admission.parent = (guint64) reeve_json_get_int (reeve_journal_get_fallback (run->journal),
                                                     "intent", (gint64) admission.parent);
  full = reeve_run_model_name (run, reeve_llm_request_get_model (self->request));
  admission.model = full;
  told = reeve_admission_name_model (run->env.admission, full);
  admission.model_told = told;
  admission.estimated_tokens
      = reeve_run_model_bound (run, self->request, admission.agent_id, length);
  admission.input_digest = self->digest;
  admission.body = body;
  if (reeve_admission_has_budgets (run->env.admission, reeve_run_get_tenant_id (run)))
    reeve_model_meter_bound (self->request, &admission);
  reeve_admission_begin_async (run->env.admission, &admission, reeve_run_model_on_admitted, self);
}
