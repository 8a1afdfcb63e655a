/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One table of families, in the order of their enumeration. What is merely looked at (queues,
 * memory) is not here: see operations/metrics-state.c. */
#include "instruments.h"

#include <string.h>

#include "ledger-record.h"

#define REEVE_INSTRUMENTS_MICROSECOND 1e-6
#define REEVE_INSTRUMENTS_NANO        1e-9
/* series of HTTP requests: routes, times statuses, times tenants */
#define REEVE_INSTRUMENTS_REQUESTS 8192

typedef enum
{
  REEVE_INSTRUMENTS_HTTP_REQUESTS,
  REEVE_INSTRUMENTS_HTTP_DURATION,
  REEVE_INSTRUMENTS_ENTRIES,
  REEVE_INSTRUMENTS_FAILED_LOGINS,
  REEVE_INSTRUMENTS_PERMISSION_DENIALS,
  REEVE_INSTRUMENTS_REFUSALS,
  REEVE_INSTRUMENTS_BUDGET_REFUSALS,
  REEVE_INSTRUMENTS_EXECUTIONS,
  REEVE_INSTRUMENTS_EXECUTION_DURATION,
  REEVE_INSTRUMENTS_EXECUTION_STEPS,
  REEVE_INSTRUMENTS_EXECUTION_TOKENS,
  REEVE_INSTRUMENTS_TOOLS,
  REEVE_INSTRUMENTS_TOOL_DURATION,
  REEVE_INSTRUMENTS_MODELS,
  REEVE_INSTRUMENTS_MODEL_DURATION,
  REEVE_INSTRUMENTS_MODEL_TOKENS,
  REEVE_INSTRUMENTS_MODEL_COST,
  REEVE_INSTRUMENTS_MODEL_UNPRICED,
  REEVE_INSTRUMENTS_MODEL_ERRORS,
  REEVE_INSTRUMENTS_AUDIT_EVENTS,
  REEVE_INSTRUMENTS_LEDGER_BYTES,
  REEVE_INSTRUMENTS_LEDGER_SYNC,
  REEVE_INSTRUMENTS_LEDGER_BATCH,
  REEVE_INSTRUMENTS_N
} ReeveInstrumentsFamily;

struct _ReeveInstruments
{
  ReeveMetrics *metrics;
  ReeveMetric *families[REEVE_INSTRUMENTS_N];
  ReeveServiceLevels *levels;
};

#define REEVE_INSTRUMENTS_LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define REEVE_INSTRUMENTS_BOUNDS(a)   .bounds = a, .n_bounds = G_N_ELEMENTS (a)

/* µs: 0.5, 1 and 2.5 s are among them, as others' dashboards expect */
static const gint64 reeve_instruments_times[]
    = { 1000,   2500,   5000,    10000,   25000,   50000,    100000,
        250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000 };
/* µs: of an execution or a model call, which take their time */
static const gint64 reeve_instruments_long_times[]
    = { 50000,   100000,   250000,   500000,   1000000,   2500000,
        5000000, 10000000, 30000000, 60000000, 300000000, 900000000 };
/* µs: of a disk */
static const gint64 reeve_instruments_short_times[]
    = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 500000, 1000000 };
static const gint64 reeve_instruments_steps[] = { 1, 2, 3, 5, 8, 13, 20, 50, 100 };
static const gint64 reeve_instruments_sizes[] = { 1, 2, 4, 8, 16, 32, 64, 128, 512, 2048, 8192 };

static const ReeveMetricSetup reeve_instruments_setups[] = {
  [REEVE_INSTRUMENTS_HTTP_REQUESTS]
  = { "http_requests", "Requests that were answered over HTTP", NULL, REEVE_METRIC_COUNTER,
      REEVE_INSTRUMENTS_LABELS ("endpoint", "method", "status", "tenant_id"),
      REEVE_INSTRUMENTS_REQUESTS, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_HTTP_DURATION]
  = { "http_request_duration_seconds", "Time from the head of a request to the end of its answer",
      "seconds", REEVE_METRIC_HISTOGRAM,
      REEVE_INSTRUMENTS_LABELS ("endpoint", "method", "tenant_id"), REEVE_INSTRUMENTS_REQUESTS / 4,
      REEVE_INSTRUMENTS_MICROSECOND, REEVE_INSTRUMENTS_BOUNDS (reeve_instruments_times) },
  [REEVE_INSTRUMENTS_ENTRIES]
  = { "authenticated_requests",
      "Requests of callers that were let in, by how they showed who they are", NULL,
      REEVE_METRIC_COUNTER, REEVE_INSTRUMENTS_LABELS ("method", "tenant_id"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_FAILED_LOGINS]
  = { "failed_logins", "Credentials that were shown and were not good", NULL, REEVE_METRIC_COUNTER,
      REEVE_INSTRUMENTS_LABELS ("scheme"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_PERMISSION_DENIALS]
  = { "permission_denials", "Callers that were told they may not", NULL, REEVE_METRIC_COUNTER,
      REEVE_INSTRUMENTS_LABELS ("tenant_id"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_REFUSALS]
  = { "gate_refusals", "What the gate refused before any effect, by stage and reason", NULL,
      REEVE_METRIC_COUNTER, REEVE_INSTRUMENTS_LABELS ("stage", "reason", "tenant_id"), 0, 0, NULL,
      0 },
  [REEVE_INSTRUMENTS_BUDGET_REFUSALS]
  = { "budget_refusals", "What was refused because a budget is spent", NULL, REEVE_METRIC_COUNTER,
      REEVE_INSTRUMENTS_LABELS ("tenant_id"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_EXECUTIONS]
  = { "agent_executions", "Executions of agents and answers of the assistant that have ended", NULL,
      REEVE_METRIC_COUNTER, REEVE_INSTRUMENTS_LABELS ("outcome", "tenant_id"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_EXECUTION_DURATION]
  = { "agent_execution_duration_seconds",
      "Time from admission to outcome of an execution, but for what it waited for its turn",
      "seconds", REEVE_METRIC_HISTOGRAM, REEVE_INSTRUMENTS_LABELS ("tenant_id"), 0,
      REEVE_INSTRUMENTS_MICROSECOND, REEVE_INSTRUMENTS_BOUNDS (reeve_instruments_long_times) },
  [REEVE_INSTRUMENTS_EXECUTION_STEPS]
  = { "agent_execution_steps", "Model calls that an execution took", NULL, REEVE_METRIC_HISTOGRAM,
      REEVE_INSTRUMENTS_LABELS ("tenant_id"), 0, 0,
      REEVE_INSTRUMENTS_BOUNDS (reeve_instruments_steps) },
  [REEVE_INSTRUMENTS_EXECUTION_TOKENS]
  = { "agent_execution_tokens", "Tokens of executions, as their outcomes say", NULL,
      REEVE_METRIC_COUNTER, REEVE_INSTRUMENTS_LABELS ("direction", "tenant_id"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_TOOLS]
  = { "tool_executions", "Calls of tools that have ended", NULL, REEVE_METRIC_COUNTER,
      REEVE_INSTRUMENTS_LABELS ("tool", "outcome", "tenant_id"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_TOOL_DURATION]
  = { "tool_execution_duration_seconds", "Time from admission to outcome of a call of a tool",
      "seconds", REEVE_METRIC_HISTOGRAM, REEVE_INSTRUMENTS_LABELS ("tool"), 0,
      REEVE_INSTRUMENTS_MICROSECOND, REEVE_INSTRUMENTS_BOUNDS (reeve_instruments_times) },
  [REEVE_INSTRUMENTS_MODELS]
  = { "model_calls", "Calls of models that have ended", NULL, REEVE_METRIC_COUNTER,
      REEVE_INSTRUMENTS_LABELS ("model", "outcome", "tenant_id"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_MODEL_DURATION]
  = { "model_call_duration_seconds", "Time from admission to outcome of a call of a model",
      "seconds", REEVE_METRIC_HISTOGRAM, REEVE_INSTRUMENTS_LABELS ("model"), 0,
      REEVE_INSTRUMENTS_MICROSECOND, REEVE_INSTRUMENTS_BOUNDS (reeve_instruments_long_times) },
  [REEVE_INSTRUMENTS_MODEL_TOKENS]
  = { "model_tokens", "Tokens that went to models and came from them", NULL, REEVE_METRIC_COUNTER,
      REEVE_INSTRUMENTS_LABELS ("model", "direction", "tenant_id"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_MODEL_COST]
  = { "model_cost", "What calls of models cost, each currency by itself", NULL,
      REEVE_METRIC_COUNTER, REEVE_INSTRUMENTS_LABELS ("model", "currency", "tenant_id"), 0,
      REEVE_INSTRUMENTS_NANO, NULL, 0 },
  [REEVE_INSTRUMENTS_MODEL_UNPRICED]
  = { "model_unpriced_tokens", "Tokens of calls of models whose price was not known", NULL,
      REEVE_METRIC_COUNTER, REEVE_INSTRUMENTS_LABELS ("model", "tenant_id"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_MODEL_ERRORS]
  = { "model_errors", "Calls of models that failed, by reason", NULL, REEVE_METRIC_COUNTER,
      REEVE_INSTRUMENTS_LABELS ("model", "reason"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_AUDIT_EVENTS]
  = { "audit_events", "Records that are durable in the ledger", NULL, REEVE_METRIC_COUNTER,
      REEVE_INSTRUMENTS_LABELS ("kind", "tenant_id"), 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_LEDGER_BYTES]
  = { "ledger_record_bytes", "Bytes of the records that are durable in the ledger", "bytes",
      REEVE_METRIC_COUNTER, NULL, 0, 0, NULL, 0 },
  [REEVE_INSTRUMENTS_LEDGER_SYNC]
  = { "ledger_sync_duration_seconds", "Time in which a batch of records was written and synced",
      "seconds", REEVE_METRIC_HISTOGRAM, NULL, 0, REEVE_INSTRUMENTS_MICROSECOND,
      REEVE_INSTRUMENTS_BOUNDS (reeve_instruments_short_times) },
  [REEVE_INSTRUMENTS_LEDGER_BATCH]
  = { "ledger_batch_records", "Records that were synced together", NULL, REEVE_METRIC_HISTOGRAM,
      NULL, 0, 0, REEVE_INSTRUMENTS_BOUNDS (reeve_instruments_sizes) },
};

/**
 * reeve_instruments_new:
 * @metrics: a registry
 * @tenants: how many tenants are told apart; the others are "other"
 *
 * Adds the families to the registry.
 *
 * Returns: (transfer full): what counts in them
 */
ReeveInstruments *
reeve_instruments_new (ReeveMetrics *metrics, guint tenants)
{
  ReeveInstruments *self = g_new0 (ReeveInstruments, 1);

  self->metrics = reeve_metrics_ref (metrics);
  self->levels = reeve_service_levels_new (tenants, g_get_monotonic_time ());
  reeve_metrics_bound_label (metrics, "tenant_id", tenants);
  for (guint i = 0; i < REEVE_INSTRUMENTS_N; i++)
    self->families[i] = reeve_metrics_add (metrics, &reeve_instruments_setups[i]);
  return self;
}

void
reeve_instruments_free (ReeveInstruments *self)
{
  reeve_service_levels_free (self->levels);
  reeve_metrics_unref (self->metrics);
  g_free (self);
}

ReeveMetrics *
reeve_instruments_get_metrics (ReeveInstruments *self)
{
  return self->metrics;
}

ReeveServiceLevels *
reeve_instruments_get_levels (ReeveInstruments *self)
{
  return self->levels;
}

static void
reeve_instruments_count (ReeveInstruments *self, ReeveInstrumentsFamily family, gint64 n,
                         const char *const *values)
{
  reeve_metrics_count (self->families[family], MAX (n, 0), values);
}

static void
reeve_instruments_observe (ReeveInstruments *self, ReeveInstrumentsFamily family, gint64 value,
                           const char *const *values)
{
  reeve_metrics_observe (self->families[family], MAX (value, 0), values);
}

/* Clients may write what they like there. */
static const char *
reeve_instruments_get_method (const char *method)
{
  static const char *const known[]
      = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", NULL };

  return method != NULL && g_strv_contains (known, method) ? method : REEVE_METRICS_OTHER;
}

/**
 * reeve_instruments_note_request:
 * @self: (nullable): instruments
 * @request: one answer of the HTTP door
 */
void
reeve_instruments_note_request (ReeveInstruments *self, const ReeveInstrumentsRequest *request)
{
  const char *endpoint = request->endpoint != NULL ? request->endpoint : "unmatched";
  const char *method = reeve_instruments_get_method (request->method);
  char status[4] = "0";

  if (self == NULL)
    return;
  if (request->status >= 100 && request->status <= 599)
    g_snprintf (status, sizeof status, "%u", request->status);
  reeve_instruments_count (self, REEVE_INSTRUMENTS_HTTP_REQUESTS, 1,
                           REEVE_LABELS (endpoint, method, status, request->tenant_id));
  reeve_instruments_observe (self, REEVE_INSTRUMENTS_HTTP_DURATION, request->duration_us,
                             REEVE_LABELS (endpoint, method, request->tenant_id));
  if (!request->probe)
    reeve_service_levels_note (self->levels, request->tenant_id, request->status,
                               request->duration_us, g_get_monotonic_time ());
}

/**
 * reeve_instruments_note_entry:
 * @self: (nullable): instruments
 * @method: (nullable): how the caller showed who it is
 * @tenant_id: its tenant
 */
void
reeve_instruments_note_entry (ReeveInstruments *self, const char *method, const char *tenant_id)
{
  if (self != NULL)
    reeve_instruments_count (self, REEVE_INSTRUMENTS_ENTRIES, 1, REEVE_LABELS (method, tenant_id));
}

/**
 * reeve_instruments_note_failed_login:
 * @self: (nullable): instruments
 * @scheme: (nullable): of the credentials
 */
void
reeve_instruments_note_failed_login (ReeveInstruments *self, const char *scheme)
{
  if (self != NULL)
    reeve_instruments_count (self, REEVE_INSTRUMENTS_FAILED_LOGINS, 1, REEVE_LABELS (scheme));
}

/**
 * reeve_instruments_note_refusal:
 * @self: (nullable): instruments
 * @stage: which stage of the gate
 * @reason: word of the record
 * @tenant_id: (nullable): where
 * @error: what the caller is told
 */
void
reeve_instruments_note_refusal (ReeveInstruments *self, const char *stage, const char *reason,
                                const char *tenant_id, const GError *error)
{
  if (self == NULL)
    return;
  reeve_instruments_count (self, REEVE_INSTRUMENTS_REFUSALS, 1,
                           REEVE_LABELS (stage, reason, tenant_id));
  if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED))
    reeve_instruments_count (self, REEVE_INSTRUMENTS_BUDGET_REFUSALS, 1, REEVE_LABELS (tenant_id));
  if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED)
      || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CALLER_REVOKED)
      || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NETWORK_DENIED)
      || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_COUNTRY_DENIED))
    reeve_instruments_count (self, REEVE_INSTRUMENTS_PERMISSION_DENIALS, 1,
                             REEVE_LABELS (tenant_id));
}

static void
reeve_instruments_note_execution (ReeveInstruments *self, const ReeveLedgerRecord *record,
                                  const char *outcome, gint64 steps)
{
  const char *const where[] = { record->scope, NULL };

  reeve_instruments_count (self, REEVE_INSTRUMENTS_EXECUTIONS, 1,
                           REEVE_LABELS (outcome, record->scope));
  reeve_instruments_observe (self, REEVE_INSTRUMENTS_EXECUTION_DURATION, record->latency_us, where);
  reeve_instruments_observe (self, REEVE_INSTRUMENTS_EXECUTION_STEPS, steps, where);
  reeve_instruments_count (self, REEVE_INSTRUMENTS_EXECUTION_TOKENS, record->input_tokens,
                           REEVE_LABELS ("input", record->scope));
  reeve_instruments_count (self, REEVE_INSTRUMENTS_EXECUTION_TOKENS, record->output_tokens,
                           REEVE_LABELS ("output", record->scope));
}

static void
reeve_instruments_note_model (ReeveInstruments *self, const ReeveLedgerRecord *record,
                              const char *outcome)
{
  const char *model = record->model;

  reeve_instruments_count (self, REEVE_INSTRUMENTS_MODELS, 1,
                           REEVE_LABELS (model, outcome, record->scope));
  reeve_instruments_observe (self, REEVE_INSTRUMENTS_MODEL_DURATION, record->latency_us,
                             REEVE_LABELS (model));
  reeve_instruments_count (self, REEVE_INSTRUMENTS_MODEL_TOKENS, record->input_tokens,
                           REEVE_LABELS (model, "input", record->scope));
  reeve_instruments_count (self, REEVE_INSTRUMENTS_MODEL_TOKENS, record->output_tokens,
                           REEVE_LABELS (model, "output", record->scope));
  if (record->cost > 0)
    reeve_instruments_count (self, REEVE_INSTRUMENTS_MODEL_COST, record->cost,
                             REEVE_LABELS (model, record->currency, record->scope));
  if (record->currency == NULL && record->input_tokens + record->output_tokens > 0)
    reeve_instruments_count (self, REEVE_INSTRUMENTS_MODEL_UNPRICED,
                             record->input_tokens + record->output_tokens,
                             REEVE_LABELS (model, record->scope));
  if (record->outcome != REEVE_OUTCOME_SUCCEEDED)
    reeve_instruments_count (self, REEVE_INSTRUMENTS_MODEL_ERRORS, 1,
                             REEVE_LABELS (model, record->reason));
}

/**
 * reeve_instruments_note_outcome:
 * @self: (nullable): instruments
 * @record: of an outcome
 * @steps: of an execution: model calls that it took
 */
void
reeve_instruments_note_outcome (ReeveInstruments *self, const ReeveLedgerRecord *record,
                                gint64 steps)
{
  const char *outcome = reeve_ledger_record_outcome_name (record->outcome);

  if (self == NULL)
    return;
  if (strcmp (record->action, "agents.execute") == 0 || strcmp (record->action, "chat.create") == 0)
    reeve_instruments_note_execution (self, record, outcome, steps);
  else if (record->tool_name != NULL)
    {
      reeve_instruments_count (self, REEVE_INSTRUMENTS_TOOLS, 1,
                               REEVE_LABELS (record->tool_name, outcome, record->scope));
      reeve_instruments_observe (self, REEVE_INSTRUMENTS_TOOL_DURATION, record->latency_us,
                                 REEVE_LABELS (record->tool_name));
    }
  else if (record->model != NULL && strcmp (record->action, "usage.report") != 0)
    reeve_instruments_note_model (self, record, outcome);
}

/**
 * reeve_instruments_note_record:
 * @self: (nullable): instruments
 * @kind: of a record that is durable
 * @scope: whose log
 * @bytes: how long it is
 */
void
reeve_instruments_note_record (ReeveInstruments *self, ReeveLedgerKind kind, const char *scope,
                               gsize bytes)
{
  if (self == NULL)
    return;
  reeve_instruments_count (self, REEVE_INSTRUMENTS_AUDIT_EVENTS, 1,
                           REEVE_LABELS (reeve_ledger_record_kind_name (kind), scope));
  reeve_instruments_count (self, REEVE_INSTRUMENTS_LEDGER_BYTES, (gint64) bytes,
                           REEVE_LABELS (NULL));
}

/**
 * reeve_instruments_note_sync:
 * @self: (nullable): instruments
 * @duration_us: how long it took to write and sync a batch
 * @records: how many were in it
 */
void
reeve_instruments_note_sync (ReeveInstruments *self, gint64 duration_us, guint records)
{
  if (self == NULL)
    return;
  reeve_instruments_observe (self, REEVE_INSTRUMENTS_LEDGER_SYNC, duration_us, REEVE_LABELS (NULL));
  reeve_instruments_observe (self, REEVE_INSTRUMENTS_LEDGER_BATCH, records, REEVE_LABELS (NULL));
}
