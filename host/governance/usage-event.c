/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which records are usage, and what of it they are. An outcome need not repeat what its intent
 * says: what it says itself counts more. */
#include "usage-event.h"

#include <string.h>

#include "money.h"

/* of what was recorded without one */
#define REEVE_USAGE_EVENT_CURRENCY "USD"

__extension__ typedef __int128 ReeveUsageWide;

struct _ReeveUsageIntent
{
  ReeveLedgerRecord record; /* its strings are of @chunk */
  GStringChunk *chunk;
};

static const char *const reeve_usage_series_names[REEVE_USAGE_N_SERIES]
    = { "model", "agent", "user", "workspace", "key", "department", "cost_center", "project" };

const char *
reeve_usage_series_name (ReeveUsageSeries series)
{
  g_return_val_if_fail ((guint) series < REEVE_USAGE_N_SERIES, "");
  return reeve_usage_series_names[series];
}

gboolean
reeve_usage_series_find (const char *name, ReeveUsageSeries *series)
{
  for (guint i = 0; i < REEVE_USAGE_N_SERIES; i++)
    if (strcmp (name, reeve_usage_series_names[i]) == 0)
      {
        *series = (ReeveUsageSeries) i;
        return TRUE;
      }
  return FALSE;
}

/**
 * reeve_usage_told_find:
 * @what: (nullable): what a report tells besides tokens
 * @counter: (out): where it is counted
 *
 * Returns: whether there is such a thing
 */
gboolean
reeve_usage_told_find (const char *what, ReeveUsageCounter *counter)
{
  static const struct
  {
    const char *name;
    ReeveUsageCounter counter;
  } rows[] = { { "tool_invocations", REEVE_USAGE_TOOL_CALLS },
               { "execution_duration_ms", REEVE_USAGE_RUN_TIME },
               { "executions", REEVE_USAGE_RUNS },
               { "api_calls", REEVE_USAGE_API_CALLS },
               { "rag_queries", REEVE_USAGE_RAG_QUERIES } };

  for (guint i = 0; what != NULL && i < G_N_ELEMENTS (rows); i++)
    if (strcmp (rows[i].name, what) == 0)
      {
        *counter = rows[i].counter;
        return TRUE;
      }
  return FALSE;
}

/* ---- intents ---- */

static const char *
reeve_usage_intent_keep (ReeveUsageIntent *self, const char *text)
{
  return text != NULL ? g_string_chunk_insert (self->chunk, text) : NULL;
}

/**
 * reeve_usage_intent_new:
 * @record: an intent
 *
 * Returns: (transfer full): what its outcome may need of it
 */
ReeveUsageIntent *
reeve_usage_intent_new (const ReeveLedgerRecord *record)
{
  ReeveUsageIntent *self = g_new0 (ReeveUsageIntent, 1);

  self->chunk = g_string_chunk_new (256);
  self->record = (ReeveLedgerRecord){
    .seq = record->seq,
    .time = record->time,
    .parent = record->parent,
    .action = reeve_usage_intent_keep (self, record->action),
    .actor_type = reeve_usage_intent_keep (self, record->actor_type),
    .actor_id = reeve_usage_intent_keep (self, record->actor_id),
    .key_id = reeve_usage_intent_keep (self, record->key_id),
    .agent_id = reeve_usage_intent_keep (self, record->agent_id),
    .delegated_user_id = reeve_usage_intent_keep (self, record->delegated_user_id),
    .run_id = reeve_usage_intent_keep (self, record->run_id),
    .tool_name = reeve_usage_intent_keep (self, record->tool_name),
    .model = reeve_usage_intent_keep (self, record->model),
    .workspace_id = reeve_usage_intent_keep (self, record->workspace_id),
    .door = reeve_usage_intent_keep (self, record->door),
    .reason = reeve_usage_intent_keep (self, record->reason),
    .currency = reeve_usage_intent_keep (self, record->currency),
    .session_id = reeve_usage_intent_keep (self, record->session_id),
    .department = reeve_usage_intent_keep (self, record->department),
    .cost_center = reeve_usage_intent_keep (self, record->cost_center),
    .project = reeve_usage_intent_keep (self, record->project),
    .input_tokens = record->input_tokens,
    .output_tokens = record->output_tokens,
    .cost = record->cost,
    .count = record->count,
  };
  return self;
}

void
reeve_usage_intent_free (ReeveUsageIntent *self)
{
  g_string_chunk_free (self->chunk);
  g_free (self);
}

/* ---- events ---- */

static const char *
reeve_usage_event_choose (const char *own, const char *of_intent)
{
  return own != NULL && *own != '\0' ? own : of_intent;
}

/* A report may have been taken: what it told stands in its intent, and counts. */
static void
reeve_usage_event_join_report (ReeveLedgerRecord *joined, const ReeveLedgerRecord *of)
{
  joined->reason = of->reason;
  joined->currency = of->currency;
  joined->session_id = of->session_id;
  joined->department = of->department;
  joined->cost_center = of->cost_center;
  joined->project = of->project;
  joined->input_tokens = of->input_tokens;
  joined->output_tokens = of->output_tokens;
  joined->cost = of->cost;
  joined->count = of->count;
}

/* The outcome with what only its intent says. */
static ReeveLedgerRecord
reeve_usage_event_join (const ReeveLedgerRecord *record, const ReeveUsageIntent *intent)
{
  ReeveLedgerRecord joined = *record;
  const ReeveLedgerRecord *of = intent != NULL ? &intent->record : NULL;

  if (of == NULL)
    return joined;
  joined.action = reeve_usage_event_choose (record->action, of->action);
  joined.actor_type = reeve_usage_event_choose (record->actor_type, of->actor_type);
  joined.actor_id = reeve_usage_event_choose (record->actor_id, of->actor_id);
  joined.key_id = reeve_usage_event_choose (record->key_id, of->key_id);
  joined.agent_id = reeve_usage_event_choose (record->agent_id, of->agent_id);
  joined.delegated_user_id
      = reeve_usage_event_choose (record->delegated_user_id, of->delegated_user_id);
  joined.run_id = reeve_usage_event_choose (record->run_id, of->run_id);
  joined.tool_name = reeve_usage_event_choose (record->tool_name, of->tool_name);
  joined.model = reeve_usage_event_choose (record->model, of->model);
  joined.workspace_id = reeve_usage_event_choose (record->workspace_id, of->workspace_id);
  joined.door = reeve_usage_event_choose (record->door, of->door);
  joined.parent = record->parent != 0 ? record->parent : of->parent;
  if (record->outcome == REEVE_OUTCOME_UNKNOWN
      && g_strcmp0 (joined.action, REEVE_USAGE_ACTION_REPORT) == 0)
    reeve_usage_event_join_report (&joined, of);
  return joined;
}

static gboolean
reeve_usage_event_is_run (const char *action)
{
  static const char *const actions[] = { "agents.execute", "chat.create", NULL };

  return g_strv_contains (actions, action);
}

static void
reeve_usage_event_count_tokens (ReeveUsageEvent *self, const ReeveLedgerRecord *record)
{
  gint64 *n = self->row.n;

  n[REEVE_USAGE_INPUT] = record->input_tokens;
  n[REEVE_USAGE_OUTPUT] = record->output_tokens;
  if (record->estimated != 0)
    n[REEVE_USAGE_ESTIMATED] = record->input_tokens + record->output_tokens;
}

/* How what was recorded divides: as the price says now, which is as it said then but where it has
 * changed meanwhile; without one, as the tokens do. */
static gint64
reeve_usage_event_divide (const ReeveLedgerRecord *record, const ReevePrice *price)
{
  gint64 input = price != NULL ? reeve_money_cost (record->input_tokens, price->input)
                               : record->input_tokens;
  gint64 output = price != NULL ? reeve_money_cost (record->output_tokens, price->output)
                                : record->output_tokens;
  ReeveUsageWide wide = (ReeveUsageWide) record->cost * input;

  if ((ReeveUsageWide) input + output == record->cost)
    return input;
  return input + output > 0 ? (gint64) (wide / ((ReeveUsageWide) input + output)) : 0;
}

/* What was paid stands in the record: a price that comes later, or changes, changes nothing of what
 * was. */
static void
reeve_usage_event_count_cost (ReeveUsageEvent *self, const ReeveLedgerRecord *record,
                              ReevePrices *prices)
{
  ReevePrice price = { 0 };
  gboolean known = reeve_prices_find (prices, record->model, &price);
  gint64 tokens = record->input_tokens + record->output_tokens;
  gint64 *n = self->row.n;

  n[REEVE_USAGE_COST] = record->cost;
  if (record->currency != NULL)
    self->row.currency = record->currency;
  else if (record->cost > 0) /* of before currencies were recorded */
    self->row.currency = known ? g_intern_string (price.currency) : REEVE_USAGE_EVENT_CURRENCY;
  else
    {
      n[REEVE_USAGE_UNPRICED_TOKENS] = tokens;
      self->priced = tokens > 0 ? REEVE_USAGE_PRICED_NO : REEVE_USAGE_PRICED_NOTHING;
      return;
    }
  self->priced = REEVE_USAGE_PRICED_YES;
  n[REEVE_USAGE_INPUT_COST] = reeve_usage_event_divide (record, known ? &price : NULL);
}

static void
reeve_usage_event_count_model (ReeveUsageEvent *self, const ReeveLedgerRecord *record,
                               ReevePrices *prices)
{
  gint64 *n = self->row.n;

  self->type = "model_call";
  n[REEVE_USAGE_MODEL_CALLS] = 1;
  n[REEVE_USAGE_MODEL_TIME] = record->latency_us;
  reeve_usage_event_count_tokens (self, record);
  reeve_usage_event_count_cost (self, record, prices);
  n[REEVE_USAGE_UNPRICED] = self->priced == REEVE_USAGE_PRICED_NO;
}

/* What it tells besides tokens and money, by its word. */
static void
reeve_usage_event_count_report (ReeveUsageEvent *self, const ReeveLedgerRecord *record,
                                ReevePrices *prices)
{
  gint64 *n = self->row.n;
  ReeveUsageCounter counter = REEVE_USAGE_REPORTS;

  self->type = "report";
  self->told = record->reason;
  if (record->outcome != REEVE_OUTCOME_SUCCEEDED && record->outcome != REEVE_OUTCOME_UNKNOWN)
    return;
  n[REEVE_USAGE_REPORTS] = 1;
  reeve_usage_event_count_tokens (self, record);
  reeve_usage_event_count_cost (self, record, prices);
  if (!reeve_usage_told_find (record->reason, &counter))
    return;
  self->amount = record->count;
  n[counter]
      += counter == REEVE_USAGE_RUN_TIME ? record->count * G_TIME_SPAN_MILLISECOND : record->count;
}

static void
reeve_usage_event_count (ReeveUsageEvent *self, const ReeveLedgerRecord *record,
                         ReevePrices *prices)
{
  gint64 *n = self->row.n;

  if (strcmp (record->action, "model.call") == 0)
    reeve_usage_event_count_model (self, record, prices);
  else if (strcmp (record->action, "tool.call") == 0)
    {
      self->type = "tool_call";
      n[REEVE_USAGE_TOOL_CALLS] = 1;
      n[REEVE_USAGE_RAG_QUERIES] = g_strcmp0 (record->tool_name, "semantic_search") == 0;
    }
  else if (reeve_usage_event_is_run (record->action))
    {
      self->type = "run";
      /* one that was refused after its intent never began */
      n[REEVE_USAGE_RUNS] = record->outcome != REEVE_OUTCOME_BLOCKED;
      n[REEVE_USAGE_RUN_TIME] = n[REEVE_USAGE_RUNS] > 0 ? record->latency_us : 0;
    }
  else if (strcmp (record->action, REEVE_USAGE_ACTION_REPORT) == 0)
    reeve_usage_event_count_report (self, record, prices);
  n[REEVE_USAGE_FAILED]
      = record->outcome == REEVE_OUTCOME_FAILED || record->outcome == REEVE_OUTCOME_UNKNOWN;
  n[REEVE_USAGE_REFUSED] = record->outcome == REEVE_OUTCOME_BLOCKED;
}

static const char *
reeve_usage_event_user (const ReeveLedgerRecord *record)
{
  if (record->delegated_user_id != NULL)
    return record->delegated_user_id;
  return g_strcmp0 (record->actor_type, "user") == 0 ? record->actor_id : NULL;
}

/**
 * reeve_usage_event_read:
 * @self: (out caller-allocates): what was used
 * @record: a record
 * @intent: (nullable): of an outcome
 * @prices: what models cost
 *
 * Tokens are those of model calls and reports: a run's outcome repeats what its calls took.
 *
 * Returns: whether it counts at all
 */
gboolean
reeve_usage_event_read (ReeveUsageEvent *self, const ReeveLedgerRecord *record,
                        const ReeveUsageIntent *intent, ReevePrices *prices)
{
  ReeveLedgerRecord joined = reeve_usage_event_join (record, intent);
  gint64 *n = self->row.n;

  *self = (ReeveUsageEvent){ .time = record->time,
                             .row = { .value = "", .model = "", .currency = "" } };
  if (record->kind == REEVE_LEDGER_INTENT || record->kind == REEVE_LEDGER_EVENT
      || joined.action == NULL)
    return FALSE;
  self->action = joined.action;
  self->run_id = joined.run_id;
  self->session_id = joined.session_id;
  self->tool_name = joined.tool_name;
  self->row.model = joined.model != NULL ? joined.model : "";
  self->values[REEVE_USAGE_BY_AGENT] = joined.agent_id;
  self->values[REEVE_USAGE_BY_USER] = reeve_usage_event_user (&joined);
  self->values[REEVE_USAGE_BY_WORKSPACE] = joined.workspace_id;
  self->values[REEVE_USAGE_BY_KEY] = joined.key_id;
  self->values[REEVE_USAGE_BY_DEPARTMENT] = joined.department;
  self->values[REEVE_USAGE_BY_COST_CENTER] = joined.cost_center;
  self->values[REEVE_USAGE_BY_PROJECT] = joined.project;
  if (record->kind == REEVE_LEDGER_OUTCOME)
    reeve_usage_event_count (self, &joined, prices);
  else if (record->kind == REEVE_LEDGER_READ)
    {
      self->values[REEVE_USAGE_BY_AGENT] = NULL; /* whom it was about, not who did it */
      n[REEVE_USAGE_RAG_QUERIES] = strcmp (joined.action, "documents.search") == 0;
    }
  else if (record->kind == REEVE_LEDGER_REFUSAL)
    n[REEVE_USAGE_REFUSED] = MAX (record->count, 1);
  if (joined.parent == 0 && g_strcmp0 (joined.door, "internal") != 0)
    n[REEVE_USAGE_API_CALLS] += record->kind == REEVE_LEDGER_REFUSAL ? MAX (record->count, 1) : 1;
  n[REEVE_USAGE_RECORDS] = 1;
  n[REEVE_USAGE_FIRST] = n[REEVE_USAGE_LAST] = (gint64) record->seq;
  return self->type != NULL || n[REEVE_USAGE_API_CALLS] > 0 || n[REEVE_USAGE_REFUSED] > 0;
}
