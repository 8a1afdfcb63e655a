/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin's call of a model: the worst case is reserved of the grants before the gate reserves it
 * of the budgets, and what it took is settled in both. */
#include "plugin-calls-private.h"

#include <string.h>

#include "base/digests.h"
#include "governance/admission-records.h"
#include "governance/model-allow.h"
#include "model-meter.h"

#define REEVE_PLUGIN_MODEL_TOKENS   1024    /* of an answer, where the plugin does not say */
#define REEVE_PLUGIN_MODEL_MOST     1000000 /* the same, that it may say */
#define REEVE_PLUGIN_MODEL_LEAST    16      /* a shorter answer is none */
#define REEVE_PLUGIN_MODEL_MESSAGES 256

typedef struct
{
  ReevePluginJob job; /* first */
  ReeveLlmRequest *request;
  const char *first; /* the model that was wanted: provider/name */
  ReeveModelMeter meter;
  ReeveDelegation *below;
  ReeveModelResponse *response;
  ReeveSettlement settlement;
  char *given; /* (nullable): digest of what came of an answer that failed */
} ReevePluginModel;

/* ---- what is asked ---- */

static gboolean
reeve_plugin_calls_model_is_message (JsonNode *node)
{
  static const char *const roles[] = { "system", "user", "assistant", NULL };
  JsonObject *message = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  return message != NULL && g_strv_contains (roles, reeve_json_get_string (message, "role", ""))
         && reeve_json_get_string (message, "content", NULL) != NULL;
}

/* (transfer full) (nullable): only what a message is made of */
static JsonArray *
reeve_plugin_calls_model_read_messages (JsonObject *params, GError **error)
{
  JsonArray *given = reeve_json_get_array (params, "messages");
  guint length = given != NULL ? json_array_get_length (given) : 0;
  g_autoptr (JsonArray) messages = json_array_new ();

  if (length == 0 || length > REEVE_PLUGIN_MODEL_MESSAGES)
    {
      reeve_error_set_member (error, "/messages", "model.call: messages are 1 to %d messages",
                              REEVE_PLUGIN_MODEL_MESSAGES);
      return NULL;
    }
  for (guint i = 0; i < length; i++)
    {
      JsonNode *node = json_array_get_element (given, i);
      JsonObject *copy = NULL;

      if (!reeve_plugin_calls_model_is_message (node))
        {
          g_autofree char *pointer = g_strdup_printf ("/messages/%u", i);

          reeve_error_set_member (error, pointer,
                                  "model.call: a message has a role (system, user or assistant) "
                                  "and a content, which is a text");
          return NULL;
        }
      copy = json_object_new ();
      json_object_set_string_member (
          copy, "role", reeve_json_get_string (json_node_get_object (node), "role", NULL));
      json_object_set_string_member (
          copy, "content", reeve_json_get_string (json_node_get_object (node), "content", NULL));
      json_array_add_object_element (messages, copy);
    }
  return g_steal_pointer (&messages);
}

static gboolean
reeve_plugin_calls_model_read_numbers (JsonObject *params, ReeveLlmRequest *request, GError **error)
{
  JsonNode *heat = json_object_get_member (params, "temperature");
  gint64 tokens = json_object_has_member (params, "max_tokens")
                      ? reeve_json_get_int (params, "max_tokens", 0)
                      : REEVE_PLUGIN_MODEL_TOKENS;
  double temperature = -1;

  if (tokens < 1 || tokens > REEVE_PLUGIN_MODEL_MOST)
    {
      reeve_error_set_member (error, "/max_tokens", "model.call: max_tokens is 1 to %d",
                              REEVE_PLUGIN_MODEL_MOST);
      return FALSE;
    }
  reeve_llm_request_set_max_tokens (request, (guint) tokens);
  if (heat == NULL)
    return TRUE;
  if (JSON_NODE_HOLDS_VALUE (heat)
      && (json_node_get_value_type (heat) == G_TYPE_INT64
          || json_node_get_value_type (heat) == G_TYPE_DOUBLE))
    temperature = json_node_get_double (heat);
  if (!(temperature >= 0 && temperature <= 2))
    {
      reeve_error_set_member (error, "/temperature", "model.call: temperature is 0 to 2");
      return FALSE;
    }
  reeve_llm_request_set_temperature (request, temperature);
  return TRUE;
}

/* (transfer full) (nullable) */
static ReeveLlmRequest *
reeve_plugin_calls_model_read (ReevePluginAsk *ask, GError **error)
{
  g_autofree char *fallback = reeve_models_get_default (ask->calls->models);
  const char *model = json_object_has_member (ask->params, "model")
                          ? reeve_json_get_string (ask->params, "model", "")
                          : fallback;
  g_autoptr (JsonArray) messages = NULL;
  g_autoptr (ReeveLlmRequest) request = NULL;

  if (model == NULL || *model == '\0' || strlen (model) > 200)
    {
      reeve_error_set_member (error, "/model", "model.call: model is the name of a model");
      return NULL;
    }
  messages = reeve_plugin_calls_model_read_messages (ask->params, error);
  if (messages == NULL)
    return NULL;
  request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, model);
  reeve_llm_request_set_messages (request, messages);
  return reeve_plugin_calls_model_read_numbers (ask->params, request, error)
             ? g_steal_pointer (&request)
             : NULL;
}

/* ---- the grants ---- */

typedef struct
{
  ReeveModels *models;
  const char *full; /* provider/name */
} ReevePluginModelName;

/* ReevePluginAllows: by its whole name, by its provider's with a star, or by a name that is the
 * same model here */
static gboolean
reeve_plugin_calls_model_allows (const ReeveCapabilityTerms *terms, gpointer data)
{
  const ReevePluginModelName *name = data;
  gboolean allows = terms->models == NULL;

  for (guint i = 0; !allows && terms->models[i] != NULL; i++)
    {
      const char *one = terms->models[i];
      g_autofree char *provider = NULL;
      g_autofree char *short_name = NULL;

      if (reeve_capability_terms_covers_model (one, name->full))
        allows = TRUE;
      else if (strchr (one, '/') == NULL
               && reeve_models_resolve (name->models, one, &provider, &short_name, NULL))
        {
          g_autofree char *full = g_strconcat (provider, "/", short_name, NULL);

          allows = strcmp (full, name->full) == 0;
        }
    }
  return allows;
}

/* Reserves of the call's own grant and of those above; the answer may be as long as that leaves. */
static gboolean
reeve_plugin_calls_model_reserve (ReevePluginAsk *ask, ReeveLlmRequest *request,
                                  const ReevePluginClaim *claim, GError **error)
{
  ReeveAdmissionRequest worst = { 0 };
  gint64 least = 0;

  reeve_model_meter_bound (request, &worst);
  least = worst.reserve_input + MIN (worst.reserve_output, REEVE_PLUGIN_MODEL_LEAST);
  reeve_plugin_tokens_add_bounds (&ask->tokens, claim->bounds);
  for (ReeveDelegation *one = ask->above; one != NULL; one = reeve_delegation_get_above (one))
    reeve_plugin_tokens_add_bounds (&ask->tokens, reeve_delegation_get_bounds (one));
  if (!reeve_plugin_tokens_reserve (&ask->tokens, ask->calls->store, ask->info.tenant_id, least,
                                    worst.reserve_input + worst.reserve_output, error))
    {
      g_prefix_error (error, "model.call: ");
      return FALSE;
    }
  if (ask->tokens.length > 0)
    reeve_llm_request_set_max_tokens (request,
                                      (guint) (ask->tokens.reserved - worst.reserve_input));
  ask->held = worst.reserve_input + reeve_llm_request_get_max_tokens (request);
  ask->admission.estimated_tokens = reeve_delegation_hold_tokens (ask->above, ask->held);
  if (reeve_admission_has_budgets (ask->calls->admission, ask->info.tenant_id))
    reeve_model_meter_bound (request, &ask->admission);
  return TRUE;
}

/* ---- the call, on the thread ---- */

static void
reeve_plugin_calls_model_end (ReevePluginModel *self)
{
  g_autofree char *digest = self->response != NULL ? reeve_model_response_digest (self->response)
                                                   : g_strdup (self->given);
  g_autoptr (JsonNode) body
      = self->response != NULL ? json_node_init_string (json_node_alloc (), self->response->content)
                               : NULL;
  const GError *error = self->job.error;

  self->settlement.outcome = reeve_admitted_judge (self->job.admitted, error);
  self->settlement.reason = error != NULL ? reeve_admission_records_reason (error) : NULL;
  if (reeve_admitted_is_consumed (self->job.admitted))
    reeve_model_meter_settle (&self->meter, self->request, self->response, error,
                              &self->settlement);
  self->settlement.output_digest = digest;
  self->settlement.error = error;
  self->settlement.body = body;
  reeve_admission_settle_async (self->job.ask->calls->admission,
                                g_steal_pointer (&self->job.admitted), &self->settlement, NULL,
                                NULL);
  reeve_delegation_end (self->below);
  reeve_plugin_calls_job_done (&self->job);
}

static gboolean
reeve_plugin_calls_model_on_delta (const ReeveLlmDelta *delta, gpointer data, GError **error)
{
  ReevePluginModel *self = data;

  reeve_model_meter_add (&self->meter, delta);
  return TRUE;
}

static void
reeve_plugin_calls_model_on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  ReevePluginModel *self = data;
  ReevePluginAsk *ask = self->job.ask;

  self->response = reeve_models_complete_finish (REEVE_MODELS (source), result, &self->job.error);
  self->given = reeve_models_dup_given (result);
  if (self->job.error != NULL)
    {
      ask->next
          = reeve_models_dup_next (ask->calls->models, result, self->first, ask->admission.model);
      ask->failed = reeve_admitted_get_intent (self->job.admitted);
    }
  reeve_plugin_calls_model_end (self);
}

static void
reeve_plugin_calls_model_on_admitted (GObject *source, GAsyncResult *result, gpointer data)
{
  ReevePluginModel *self = data;
  ReevePluginAsk *ask = self->job.ask;
  GError **error = &self->job.error;

  self->job.admitted = reeve_admission_begin_finish (REEVE_ADMISSION (source), result, error);
  if (self->job.admitted == NULL)
    {
      if (ask->failed != 0 && reeve_model_allow_refused (*error))
        ask->next = reeve_models_dup_behind (ask->calls->models, self->first, ask->admission.model);
      reeve_plugin_calls_job_done (&self->job);
      return;
    }
  if (g_cancellable_is_cancelled (ask->cancellable))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the call was cancelled");
  else
    reeve_model_meter_lower (self->request, reeve_admitted_get_granted (self->job.admitted), error);
  /* what was taken away while the intent was written is not done */
  if (*error == NULL)
    reeve_admitted_confirm (self->job.admitted, NULL, error);
  if (*error != NULL)
    reeve_plugin_calls_model_end (self);
  else
    reeve_models_complete_below_async (ask->calls->models, self->job.admitted, self->below,
                                       self->request, &ask->info, reeve_plugin_calls_model_on_delta,
                                       self, ask->cancellable, reeve_plugin_calls_model_on_answer,
                                       self);
}

static void
reeve_plugin_calls_model_begin (ReevePluginJob *job)
{
  reeve_admission_begin_async (job->ask->calls->admission, &job->ask->admission,
                               reeve_plugin_calls_model_on_admitted, job);
}

/* ---- one question ---- */

static JsonNode *
reeve_plugin_calls_model_show (ReevePluginModel *self)
{
  JsonObject *answer = json_object_new ();
  JsonObject *usage = json_object_new ();

  json_object_set_string_member (answer, "model", self->job.ask->admission.model);
  json_object_set_string_member (answer, "content", self->response->content);
  if (self->response->finish_reason != NULL)
    json_object_set_string_member (answer, "finish_reason", self->response->finish_reason);
  json_object_set_int_member (usage, "input_tokens", self->settlement.input_tokens);
  json_object_set_int_member (usage, "output_tokens", self->settlement.output_tokens);
  json_object_set_boolean_member (usage, "estimated", self->settlement.estimated);
  json_object_set_object_member (answer, "usage", usage);
  return reeve_plugin_calls_answer (answer);
}

/* What nobody knows counts as taken: of the execution it stays held. */
static void
reeve_plugin_calls_model_settle_grants (ReevePluginModel *self)
{
  ReevePluginAsk *ask = self->job.ask;
  gint64 taken = self->settlement.input_tokens + self->settlement.output_tokens;
  gboolean known = taken > 0 || self->settlement.outcome != REEVE_OUTCOME_UNKNOWN;

  if (!known)
    taken = ask->tokens.reserved;
  reeve_plugin_tokens_settle (&ask->tokens, ask->calls->store, ask->info.tenant_id, taken);
  reeve_delegation_note_tokens (ask->above, self->settlement.input_tokens,
                                self->settlement.output_tokens);
  if (known)
    reeve_delegation_hold_tokens (ask->above, -ask->held);
}

static JsonNode *
reeve_plugin_calls_model_perform (ReevePluginAsk *ask, ReeveLlmRequest *request, const char *first,
                                  const ReevePluginClaim *claim, GError **error)
{
  g_autoptr (ReeveDelegation) below = reeve_delegation_new (&ask->admission, ask->above);
  ReevePluginModel self = { .job = { .ask = ask, .begin = reeve_plugin_calls_model_begin },
                            .request = request,
                            .first = first,
                            .below = below };
  JsonNode *answer = NULL;

  reeve_delegation_limit (below, claim->left, NULL);
  reeve_model_meter_init (&self.meter);
  if (reeve_plugin_calls_job_run (&self.job, error))
    answer = reeve_plugin_calls_model_show (&self);
  else
    g_prefix_error (error, "model.call: ");
  reeve_plugin_calls_model_settle_grants (&self);
  g_clear_pointer (&self.response, reeve_model_response_free);
  g_clear_pointer (&self.given, g_free);
  return answer;
}

/* The model is known: what is refused from here on is recorded. */
static JsonNode *
reeve_plugin_calls_model_run (ReevePluginAsk *ask, ReeveLlmRequest *request, const char *full,
                              const char *first, GError **error)
{
  ReevePluginModelName name = { ask->calls->models, full };
  g_autoptr (JsonNode) messages
      = json_node_init_array (json_node_alloc (), reeve_llm_request_get_messages (request));
  g_autofree char *text = reeve_json_canonical (messages);
  /* the request goes to another thread, and counts of arrays are not atomic */
  g_autoptr (JsonNode) body = json_node_copy (messages);
  g_autofree char *digest = reeve_digests_sha256_hex (text, strlen (text));
  g_autofree char *told = reeve_admission_name_model (ask->calls->admission, full);
  g_autofree char *what = g_strdup_printf ("model \"%s\"", full);
  ReevePluginClaim claim = { 0 };
  GError *problem = NULL;
  JsonNode *answer = NULL;

  ask->admission.permission = "agent:execute";
  ask->admission.resource_type = "model";
  ask->admission.agent_tools = NULL;
  ask->admission.model = full;
  ask->admission.model_told = told;
  ask->admission.input_digest = digest;
  ask->admission.body = body;
  if (reeve_plugin_calls_claim (ask, what, reeve_plugin_calls_model_allows, &name, &claim, &problem)
      && reeve_plugin_calls_model_reserve (ask, request, &claim, &problem))
    answer = reeve_plugin_calls_model_perform (ask, request, first, &claim, error);
  else
    reeve_plugin_calls_refuse (ask, problem, error);
  reeve_plugin_calls_claim_clear (&claim);
  return answer;
}

/* In the place of one that failed: what it had reserved is given back, and all of it is asked for
 * anew: the grants, the gate and its budgets. */
static JsonNode *
reeve_plugin_calls_model_turn (ReevePluginAsk *ask, ReeveLlmRequest *request, const char *first,
                               guint max_tokens, GError **error)
{
  g_autofree char *full = g_steal_pointer (&ask->next);
  g_autoptr (ReeveLlmRequest) other = reeve_models_readdress (request, full, max_tokens);
  JsonNode *answer = NULL;

  ask->tokens = (ReevePluginTokens){ 0 };
  ask->held = 0;
  reeve_delegation_describe (ask->above, &ask->admission);
  ask->admission.parent = ask->failed;
  answer = reeve_plugin_calls_model_run (ask, other, full, first, error);
  if (answer == NULL)
    g_prefix_error (error, "in the place of %s: ", first);
  return answer;
}

/* ReeveCapabilityFunc of `model.call`, within a call. */
JsonNode *
reeve_plugin_calls_ask_model (ReevePluginAsk *ask, GError **error)
{
  g_autoptr (ReeveLlmRequest) request = reeve_plugin_calls_model_read (ask, error);
  guint max_tokens = request != NULL ? reeve_llm_request_get_max_tokens (request) : 0;
  g_autofree char *provider = NULL;
  g_autofree char *name = NULL;
  g_autofree char *full = NULL;
  g_autoptr (GError) problem = NULL;
  JsonNode *answer = NULL;

  if (request == NULL
      || !reeve_models_resolve (ask->calls->models, reeve_llm_request_get_model (request),
                                &provider, &name, error))
    return NULL;
  full = g_strconcat (provider, "/", name, NULL);
  answer = reeve_plugin_calls_model_run (ask, request, full, full, &problem);
  while (answer == NULL && ask->next != NULL)
    {
      g_clear_error (&problem);
      answer = reeve_plugin_calls_model_turn (ask, request, full, max_tokens, &problem);
    }
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  return answer;
}
