/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one gate. The structure of a ReeveAdmitted is known here alone, and here alone one is made:
 * whoever holds one has been through every stage, and its intent is on the disk. */
/* layers: allow file-size: whatever can make or end a ReeveAdmitted must be here */
#include "admission.h"
#include "admission-span.h"

#include <string.h>

#include "base/log-task.h"

#include "admission-keep.h"
#include "admission-orphans.h"
#include "admission-records.h"
#include "admission-refusals.h"
#include "budgets.h"
#include "instruments.h"
#include "money.h"
#include "usage-event.h"

/* where a question's task keeps its span */
#define REEVE_ADMISSION_SPAN "reeve-span"
/* longest name of a model in a record */
#define REEVE_ADMISSION_MODEL 128

/* A stage of the gate; what a host has no checks for passes. */
typedef struct
{
  ReeveAdmissionStage stage;
  const char *word; /* label of metrics */
  const char *name;
  gboolean (*check) (ReeveAdmission *self, const ReeveAdmissionRequest *request, GError **error);
} ReeveAdmissionRow;

typedef struct
{
  ReeveAdmissionStage stage;
  const char *reason; /* (nullable): else that of the error */
  ReeveAdmissionCheck check;
  gpointer user_data;
} ReeveAdmissionAdded;

/* Who refused, and by which word. */
typedef struct
{
  ReeveAdmissionStage stage;
  const char *reason; /* (nullable): the check has none of its own, and the error's is taken */
} ReeveAdmissionRefused;

struct _ReeveAdmission
{
  GObject parent_instance;

  ReeveLedger *ledger;
  ReeveAdmissionCheck tool_check;
  gpointer tool_check_data;
  ReeveAdmissionGrant grant; /* (nullable) */
  gpointer grant_data;
  ReeveBudgets *budgets;       /* (nullable) */
  ReevePolicyAdviser *adviser; /* (nullable) */
  ReeveAdmissionQuestion question;
  gpointer question_data;
  GArray *added;
  ReeveTracer *tracer;     /* (nullable) */
  ReeveAdmissionKeep keep; /* its ledger is that of the gate */
  ReeveAdmissionOrphans *orphans;
  ReeveAdmissionRefusals *refusals;
  ReevePseudonyms pseudonyms;
  ReeveInstruments *instruments; /* (nullable): not owned */
};

struct _ReeveAdmitted
{
  ReeveAdmission *gate;          /* not owned: it outlives all rights */
  ReeveAdmissionRequest request; /* strings lie in @strings */
  GStringChunk *strings;
  guint64 intent;
  gint64 started;                /* monotonic µs */
  ReeveReservation *reservation; /* (nullable): no budget bounds it */
  int consumed;
  const char *refused; /* (nullable): the word of what took it away before the effect */
};

G_DEFINE_FINAL_TYPE (ReeveAdmission, reeve_admission, G_TYPE_OBJECT)

static gboolean reeve_admission_authorise (ReeveAdmission *self,
                                           const ReeveAdmissionRequest *request, GError **error);

/* The order of the house plan. The intent, the effect and the outcome are not checks: they are
 * written out in begin, in the caller and in settle. */
static const ReeveAdmissionRow reeve_admission_rows[] = {
  { REEVE_STAGE_AUTHORISE, "authorise", "authorising", reeve_admission_authorise },
  { REEVE_STAGE_RESERVE, "reserve", "reserving budget", NULL },
  { REEVE_STAGE_GUARD_INPUT, "guard_input", "guarding the input", NULL },
  { REEVE_STAGE_APPROVE, "approve", "asking for approval", NULL },
  { REEVE_STAGE_INTENT, "intent", "recording the intent", NULL },
  { REEVE_STAGE_EFFECT, "effect", "the effect", NULL },
  { REEVE_STAGE_GUARD_OUTPUT, "guard_output", "guarding the output", NULL },
  { REEVE_STAGE_SETTLE, "settle", "settling", NULL },
  { REEVE_STAGE_OUTCOME, "outcome", "recording the outcome", NULL },
};

static void
reeve_admission_finalize (GObject *object)
{
  ReeveAdmission *self = REEVE_ADMISSION (object);

  g_clear_object (&self->ledger);
  g_clear_object (&self->keep.values);
  g_clear_pointer (&self->keep.workers, reeve_workers_unref);
  g_clear_object (&self->budgets);
  g_clear_object (&self->adviser);
  g_array_unref (self->added);
  g_clear_pointer (&self->orphans, reeve_admission_orphans_free);
  g_clear_pointer (&self->refusals, reeve_admission_refusals_free);
  G_OBJECT_CLASS (reeve_admission_parent_class)->finalize (object);
}

static void
reeve_admission_class_init (ReeveAdmissionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_admission_finalize;
}

static void
reeve_admission_init (ReeveAdmission *self)
{
  self->added = g_array_new (FALSE, FALSE, sizeof (ReeveAdmissionAdded));
}

/**
 * reeve_admission_new:
 * @ledger: where everything is recorded
 *
 * Returns: (transfer full): the gate
 */
ReeveAdmission *
reeve_admission_new (ReeveLedger *ledger)
{
  ReeveAdmission *self = g_object_new (REEVE_TYPE_ADMISSION, NULL);

  self->ledger = g_object_ref (ledger);
  self->keep.ledger = ledger;
  self->orphans = reeve_admission_orphans_new (ledger);
  reeve_pseudonyms_init (&self->pseudonyms);
  self->refusals = reeve_admission_refusals_new (ledger, &self->pseudonyms);
  return self;
}

/**
 * reeve_admission_set_tool_check:
 * @self: the gate
 * @check: decides about tool calls, and about the tokens of model calls
 * @user_data: for @check; must outlive @self
 */
void
reeve_admission_set_tool_check (ReeveAdmission *self, ReeveAdmissionCheck check, gpointer user_data)
{
  self->tool_check = check;
  self->tool_check_data = user_data;
}

/**
 * reeve_admission_set_instruments:
 * @self: the gate
 * @instruments: (nullable): what counts; outlives @self
 */
void
reeve_admission_set_instruments (ReeveAdmission *self, ReeveInstruments *instruments)
{
  self->instruments = instruments;
}

/**
 * reeve_admission_set_grant:
 * @self: the gate
 * @grant: gives a permission that the caller lacks for one request alone
 * @user_data: for @grant; must outlive @self
 */
void
reeve_admission_set_grant (ReeveAdmission *self, ReeveAdmissionGrant grant, gpointer user_data)
{
  self->grant = grant;
  self->grant_data = user_data;
}

/**
 * reeve_admission_set_budgets:
 * @self: the gate
 * @budgets: reserves and settles
 */
void
reeve_admission_set_budgets (ReeveAdmission *self, ReeveBudgets *budgets)
{
  self->budgets = g_object_ref (budgets);
}

/**
 * reeve_admission_set_kept_values:
 * @self: the gate
 * @values: where bodies and addresses are kept
 * @workers: on which threads
 */
void
reeve_admission_set_kept_values (ReeveAdmission *self, ReeveKeptValues *values,
                                 ReeveWorkers *workers)
{
  self->keep.values = g_object_ref (values);
  self->keep.workers = reeve_workers_ref (workers);
}

/**
 * reeve_admission_name_told:
 * @self: the gate
 * @text: what a caller wrote where an id is expected
 *
 * Returns: (transfer full): what stands for it in records while this process lives
 */
char *
reeve_admission_name_told (ReeveAdmission *self, const char *text)
{
  return reeve_pseudonyms_name (&self->pseudonyms, "told", text);
}

/**
 * reeve_admission_name_model:
 * @self: the gate
 * @model: (nullable): name of a model, as it was asked for
 *
 * Models have names of their services, which nobody here can list; but a text that cannot be one is
 * not written.
 *
 * Returns: (transfer full) (nullable): what stands for it in records, where it cannot be a name
 */
char *
reeve_admission_name_model (ReeveAdmission *self, const char *model)
{
  if (model == NULL
      || (strlen (model) <= REEVE_ADMISSION_MODEL
          && model[strspn (model, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.:/+")] == '\0'))
    return NULL;
  return reeve_admission_name_told (self, model);
}

/**
 * reeve_admission_keeps_bodies:
 * @self: the gate
 *
 * Returns: whether requests and settlements are to have a body
 */
gboolean
reeve_admission_keeps_bodies (ReeveAdmission *self)
{
  return reeve_admission_keep_has_bodies (&self->keep);
}

/**
 * reeve_admission_has_budgets:
 * @self: the gate
 * @tenant_id: a tenant
 *
 * Returns: whether model calls of this tenant must say what they may take
 */
gboolean
reeve_admission_has_budgets (ReeveAdmission *self, const char *tenant_id)
{
  return self->budgets != NULL && reeve_budgets_is_active (self->budgets, tenant_id);
}

/**
 * reeve_admission_set_adviser:
 * @self: the gate
 * @adviser: is asked about calls of tools
 * @question: what he is asked
 * @user_data: for @question; must outlive @self
 */
void
reeve_admission_set_adviser (ReeveAdmission *self, ReevePolicyAdviser *adviser,
                             ReeveAdmissionQuestion question, gpointer user_data)
{
  g_set_object (&self->adviser, adviser);
  self->question = question;
  self->question_data = user_data;
}

/**
 * reeve_admission_add_check:
 * @self: the gate
 * @stage: which stage
 * @check: asked there, behind those that are there already
 * @user_data: for @check; must outlive @self
 */
void
reeve_admission_add_check (ReeveAdmission *self, ReeveAdmissionStage stage,
                           ReeveAdmissionCheck check, gpointer user_data)
{
  reeve_admission_add_named_check (self, stage, NULL, check, user_data);
}

/**
 * reeve_admission_add_named_check:
 * @self: the gate
 * @stage: which stage
 * @reason: (nullable): word for the record when it refuses; lives as long as @self
 * @check: asked there, behind those that are there already
 * @user_data: for @check; must outlive @self
 */
void
reeve_admission_add_named_check (ReeveAdmission *self, ReeveAdmissionStage stage,
                                 const char *reason, ReeveAdmissionCheck check, gpointer user_data)
{
  ReeveAdmissionAdded added = { stage, reason, check, user_data };

  g_return_if_fail (stage != REEVE_STAGE_INTENT && stage != REEVE_STAGE_EFFECT
                    && stage != REEVE_STAGE_OUTCOME);
  g_array_append_val (self->added, added);
}

/**
 * reeve_admission_set_tracer:
 * @self: the gate
 * @tracer: (nullable): records what is asked; outlives @self
 */
void
reeve_admission_set_tracer (ReeveAdmission *self, ReeveTracer *tracer)
{
  self->tracer = tracer;
}

/* ---- stages ---- */

static gboolean
reeve_admission_authorise (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                           GError **error)
{
  if (request->caller == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                           "nobody is known to ask");
      return FALSE;
    }
  if (request->permission != NULL
      && !reeve_caller_has_permission_in (request->caller, request->permission,
                                          request->workspace_id)
      && (!request->narrowed
          || !reeve_caller_has_permission_somewhere (request->caller, request->permission))
      && (self->grant == NULL || !self->grant (request, self->grant_data)))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "permission %s is missing",
                   request->permission);
      return FALSE;
    }
  if (self->tool_check != NULL)
    return self->tool_check (request, NULL, self->tool_check_data, error);
  if (request->tool_name == NULL)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "the tool policy does not allow %s (policy_unset)", request->tool_name);
  return FALSE;
}

/* @refused: filled in where it refuses. */
static gboolean
reeve_admission_run_row (ReeveAdmission *self, const ReeveAdmissionRow *row,
                         const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                         ReeveAdmissionRefused *refused, GError **error)
{
  gboolean ok = row->check == NULL || row->check (self, request, error);

  for (guint i = 0; ok && i < self->added->len; i++)
    {
      const ReeveAdmissionAdded *added = &g_array_index (self->added, ReeveAdmissionAdded, i);

      if (added->stage != row->stage)
        continue;
      ok = added->check (request, settlement, added->user_data, error);
      if (!ok)
        refused->reason = added->reason;
    }
  if (ok)
    return TRUE;
  refused->stage = row->stage;
  reeve_span_set_string (request->span, "reeve.admission.stage", row->name);
  g_prefix_error (error, "%s: ", row->name);
  return FALSE;
}

/* Goes through the stages @from to before @to. */
static gboolean
reeve_admission_run_stages (ReeveAdmission *self, ReeveAdmissionStage from, ReeveAdmissionStage to,
                            const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                            ReeveAdmissionRefused *refused, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_admission_rows); i++)
    {
      const ReeveAdmissionRow *row = &reeve_admission_rows[i];

      if (row->stage >= from && row->stage < to
          && !reeve_admission_run_row (self, row, request, settlement, refused, error))
        return FALSE;
    }
  return TRUE;
}

/* The word of the record. */
static const char *
reeve_admission_get_reason (const ReeveAdmissionRefused *refused, const GError *error)
{
  return refused->reason != NULL ? refused->reason : reeve_admission_records_reason (error);
}

static void
reeve_admission_count_refusal (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                               const char *stage, const char *reason, const GError *error)
{
  reeve_instruments_note_refusal (
      self->instruments, stage, reason,
      request->caller != NULL ? reeve_caller_get_tenant_id (request->caller) : NULL, error);
}

/* What is done with: given as such, or as the arguments of a tool. */
static JsonNode *
reeve_admission_get_body (const ReeveAdmissionRequest *request)
{
  if (request->body != NULL)
    return json_node_ref (request->body);
  return request->tool_arguments != NULL
             ? json_node_init_object (json_node_alloc (), request->tool_arguments)
             : NULL;
}

/* What the record of @request leaves to be kept; TRUE: there is something that is not kept yet. */
static gboolean
reeve_admission_describe_kept (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                               const ReeveLedgerRecord *record, ReeveAdmissionKept *kept)
{
  g_autoptr (JsonNode) body
      = reeve_admission_keep_has_bodies (&self->keep) ? reeve_admission_get_body (request) : NULL;

  reeve_admission_keep_describe (&self->keep, request, body, record, kept);
  return reeve_admission_keep_waits (kept);
}

/* The event in the own log of who acts elsewhere; what it is done with is told there alone. */
static void
reeve_admission_note_home (ReeveAdmission *self, const ReeveAdmissionRequest *request)
{
  ReeveAdmissionRequest home = *request;

  if (reeve_admission_keep_has_bodies (&self->keep))
    home.input_digest = NULL;
  reeve_admission_records_note_home (self->ledger, &home);
}

/* Nobody waits for a refusal. */
static void
reeve_admission_on_refusal (guint64 seq, GError *error, gpointer data)
{
  g_clear_error (&error);
}

/* (transfer full) kept */
static void
reeve_admission_append_refusal (ReeveAdmission *self, ReeveLedgerRecord *record,
                                ReeveAdmissionKept *kept)
{
  if (reeve_admission_keep_waits (kept)
      && reeve_admission_keep_push (&self->keep, record, kept, FALSE, reeve_admission_on_refusal,
                                    NULL, NULL))
    return;
  reeve_admission_keep_apply (kept, record);
  reeve_ledger_append_async (self->ledger, record, NULL, NULL);
  reeve_admission_keep_clear (kept);
}

static void
reeve_admission_record_refusal (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                const char *reason)
{
  ReeveLedgerRecord record;
  ReeveAdmissionKept kept;

  reeve_admission_note_home (self, request);
  reeve_admission_records_fill (request, REEVE_LEDGER_REFUSAL, &record);
  record.outcome = REEVE_OUTCOME_BLOCKED;
  record.reason = reason;
  reeve_span_set_string (request->span, "reeve.admission.reason", reason);
  if (request->caller == NULL)
    {
      reeve_admission_refusals_add (self->refusals, &record, request->peer_address);
      return;
    }
  reeve_admission_describe_kept (self, request, &record, &kept);
  reeve_admission_append_refusal (self, &record, &kept);
}

/**
 * reeve_admission_refuse:
 * @self: the gate
 * @request: what was asked for; its caller may be %NULL
 * @reason: why it was refused
 *
 * Records a refusal; nobody waits for it.
 */
void
reeve_admission_refuse (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                        const GError *reason)
{
  const char *word = reeve_admission_records_reason (reason);

  reeve_admission_count_refusal (self, request, "door", word, reason);
  reeve_admission_record_refusal (self, request, word);
}

/* A stage of the gate refused. */
static void
reeve_admission_note_refused (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                              const ReeveAdmissionRefused *refused, const GError *error)
{
  const char *reason = reeve_admission_get_reason (refused, error);

  reeve_admission_count_refusal (self, request, reeve_admission_rows[refused->stage].word, reason,
                                 error);
  reeve_admission_record_refusal (self, request, reason);
}

/**
 * reeve_admission_flush_refusals:
 * @self: the gate
 *
 * Records the refusals that were counted since the last time; nobody waits for them.
 */
void
reeve_admission_flush_refusals (ReeveAdmission *self)
{
  reeve_admission_refusals_flush (self->refusals);
}

/* ---- the right to an effect ---- */

static const char *
reeve_admission_keep (GStringChunk *strings, const char *text)
{
  return text != NULL ? g_string_chunk_insert (strings, text) : NULL;
}

/* Copies @request to @kept, all strings of which lie in @strings. */
static void
reeve_admission_copy (const ReeveAdmissionRequest *request, GStringChunk *strings,
                      ReeveAdmissionRequest *kept)
{
  *kept = *request;
  kept->caller = reeve_caller_ref (request->caller);
  kept->operation = reeve_admission_keep (strings, request->operation);
  kept->permission = reeve_admission_keep (strings, request->permission);
  kept->resource_type = reeve_admission_keep (strings, request->resource_type);
  kept->resource_id = reeve_admission_keep (strings, request->resource_id);
  kept->resource_told = reeve_admission_keep (strings, request->resource_told);
  kept->agent_id = reeve_admission_keep (strings, request->agent_id);
  kept->delegated_user_id = reeve_admission_keep (strings, request->delegated_user_id);
  kept->run_id = reeve_admission_keep (strings, request->run_id);
  kept->tool_name = reeve_admission_keep (strings, request->tool_name);
  kept->agent_tools = NULL;
  kept->tool_arguments = NULL;
  kept->body = NULL;
  kept->sandbox_level = reeve_admission_keep (strings, request->sandbox_level);
  kept->workspace_id = reeve_admission_keep (strings, request->workspace_id);
  kept->model = reeve_admission_keep (strings, request->model);
  kept->model_told = reeve_admission_keep (strings, request->model_told);
  kept->report_model = reeve_admission_keep (strings, request->report_model);
  kept->input_digest = reeve_admission_keep (strings, request->input_digest);
  kept->trace_id = reeve_admission_keep (strings, request->trace_id);
  kept->trace = NULL;
  kept->advice = NULL;
  kept->door = NULL; /* the caller's */
  kept->peer_address = NULL;
}

static ReeveAdmitted *
reeve_admission_make (ReeveAdmission *self, const ReeveAdmissionRequest *request)
{
  ReeveAdmitted *admitted = g_new0 (ReeveAdmitted, 1);

  admitted->gate = self;
  admitted->strings = g_string_chunk_new (256);
  admitted->started = g_get_monotonic_time ();
  reeve_admission_copy (request, admitted->strings, &admitted->request);
  admitted->request.span = NULL;
  return admitted;
}

/* What is reserved still goes back: there is no intent. */
static void
reeve_admission_unmake (ReeveAdmitted *admitted)
{
  if (admitted->reservation != NULL)
    reeve_reservation_release (admitted->reservation);
  reeve_caller_unref (admitted->request.caller);
  g_string_chunk_free (admitted->strings);
  g_free (admitted);
}

/**
 * reeve_admitted_expect:
 * @self: the right to one effect
 * @operation: which effect this is
 * @name: (nullable): of the tool, the model or the resource that it is about
 * @arguments: (nullable): what it is done with
 *
 * Ends the process unless this is what was admitted. What the intent does not name is not compared.
 */
/* layers: allow prefix: the structure is known in this file alone */
void
reeve_admitted_expect (ReeveAdmitted *self, const char *operation, const char *name,
                       JsonObject *arguments)
{
  const ReeveAdmissionRequest *admitted = &self->request;
  const char *named = admitted->tool_name != NULL ? admitted->tool_name
                      : admitted->model != NULL   ? admitted->model
                                                  : admitted->resource_id;

  if (strcmp (admitted->operation, operation) != 0)
    g_error ("admission: %s was admitted, %s is being done", admitted->operation, operation);
  if (name != NULL && named != NULL && strcmp (named, name) != 0)
    g_error ("admission: %s of %s was admitted, it is being done to %s", operation, named, name);
  if (arguments != NULL && admitted->input_digest != NULL)
    {
      g_autofree char *digest = reeve_admission_records_digest (arguments);

      if (strcmp (admitted->input_digest, digest) != 0)
        g_error ("admission: %s was admitted with other arguments", operation);
    }
}

/**
 * reeve_admitted_consume:
 * @self: the right to one effect
 * @operation: which effect this is
 *
 * To be called at the point of effect. A second effect under one intent, or another one than was
 * admitted, would be an effect that nobody allowed and nothing records: the process ends instead.
 */
/* layers: allow prefix: the structure is known in this file alone */
void
reeve_admitted_consume (ReeveAdmitted *self, const char *operation)
{
  reeve_admitted_expect (self, operation, NULL, NULL);
  if (!g_atomic_int_compare_and_exchange (&self->consumed, 0, 1))
    g_error ("admission: intent %" G_GUINT64_FORMAT " (%s) is used a second time", self->intent,
             operation);
}

/**
 * reeve_admitted_consume_exactly:
 * @self: the right to one effect
 * @operation: which effect this is
 * @name: (nullable): as of reeve_admitted_expect()
 * @arguments: (nullable): as of reeve_admitted_expect()
 *
 * As reeve_admitted_consume(), for a function that knows more of its effect.
 */
/* layers: allow prefix: the structure is known in this file alone */
void
reeve_admitted_consume_exactly (ReeveAdmitted *self, const char *operation, const char *name,
                                JsonObject *arguments)
{
  reeve_admitted_expect (self, operation, name, arguments);
  reeve_admitted_consume (self, operation);
}

/**
 * reeve_admitted_confirm:
 * @self: the right to one effect
 * @tool_arguments: (nullable): of a tool call, as they were admitted
 * @error: return location
 *
 * Between the admission and the effect lies the disk, and often a queue. What was taken away in
 * that time is taken away here; rates are not counted again. Nothing is recorded now: the outcome
 * is `blocked`, whatever it is settled as.
 *
 * Returns: %FALSE with what the stage of authorisation refuses with
 */
/* layers: allow prefix: the structure is known in this file alone */
gboolean
reeve_admitted_confirm (ReeveAdmitted *self, JsonObject *tool_arguments, GError **error)
{
  ReeveAdmissionRequest request = self->request;
  g_autoptr (GError) local = NULL;
  ReeveAdmissionRefused refused = { 0 };

  request.tool_arguments = tool_arguments;
  request.confirming = TRUE;
  if (reeve_admission_run_row (self->gate, &reeve_admission_rows[REEVE_STAGE_AUTHORISE], &request,
                               NULL, &refused, &local))
    return TRUE;
  self->refused = reeve_admission_get_reason (&refused, local);
  reeve_admission_count_refusal (self->gate, &self->request, "confirm", self->refused, local);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/**
 * reeve_admitted_is_consumed:
 * @self: the right to one effect
 *
 * Returns: whether the effect was begun
 */
/* layers: allow prefix: the structure is known in this file alone */
gboolean
reeve_admitted_is_consumed (ReeveAdmitted *self)
{
  return g_atomic_int_get (&self->consumed) != 0;
}

/**
 * reeve_admitted_get_intent:
 * @self: the right to one effect
 *
 * Returns: sequence number of its intent
 */
/* layers: allow prefix: the structure is known in this file alone */
guint64
reeve_admitted_get_intent (ReeveAdmitted *self)
{
  return self->intent;
}

/**
 * reeve_admitted_get_granted:
 * @self: the right to a model call
 *
 * Returns: how many tokens its answer may have; 0 when no budget bounds it
 */
/* layers: allow prefix: the structure is known in this file alone */
gint64
reeve_admitted_get_granted (ReeveAdmitted *self)
{
  return self->reservation != NULL ? reeve_reservation_get_output (self->reservation) : 0;
}

/**
 * reeve_admitted_get_caller:
 * @self: the right to one effect
 *
 * Returns: (transfer none): who asked
 */
/* layers: allow prefix: the structure is known in this file alone */
ReeveCaller *
reeve_admitted_get_caller (ReeveAdmitted *self)
{
  return self->request.caller;
}

/**
 * reeve_admitted_leave:
 * @self: (transfer full): the right to one effect
 *
 * Lets go of it without an outcome, as the end of the process would.
 */
/* layers: allow prefix: the structure is known in this file alone */
void
reeve_admitted_leave (ReeveAdmitted *self)
{
  if (self->reservation != NULL)
    reeve_budgets_finish (self->gate->budgets, g_steal_pointer (&self->reservation), FALSE);
  reeve_admission_unmake (self);
}

/* ---- begin ---- */

/* The stages before the intent. What is reserved is given back when a later one refuses. */
static gboolean
reeve_admission_run_before (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                            ReeveReservation **reservation, ReeveAdmissionRefused *refused,
                            GError **error)
{
  if (!reeve_admission_run_stages (self, REEVE_STAGE_AUTHORISE, REEVE_STAGE_GUARD_INPUT, request,
                                   NULL, refused, error))
    return FALSE;
  if (self->budgets != NULL && !reeve_budgets_reserve (self->budgets, request, reservation, error))
    {
      refused->stage = REEVE_STAGE_RESERVE;
      reeve_span_set_string (request->span, "reeve.admission.stage",
                             reeve_admission_rows[REEVE_STAGE_RESERVE].name);
      g_prefix_error (error, "%s: ", reeve_admission_rows[REEVE_STAGE_RESERVE].name);
      return FALSE;
    }
  if (reeve_admission_run_stages (self, REEVE_STAGE_GUARD_INPUT, REEVE_STAGE_INTENT, request, NULL,
                                  refused, error))
    return TRUE;
  g_clear_pointer (reservation, reeve_reservation_release);
  return FALSE;
}

/* Is more of the platform's budget to be waited for? Nothing is recorded of it. */
static gboolean
reeve_admission_is_short (const ReeveAdmissionRequest *request, const GError *error)
{
  return error->domain == REEVE_BUDGET_SHORT && request->refills < REEVE_BUDGETS_REFILLS;
}

/* The same; a refusal is recorded. */
static gboolean
reeve_admission_enter (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                       ReeveReservation **reservation, GError **error)
{
  g_autoptr (GError) local = NULL;
  ReeveAdmissionRefused refused = { 0 };

  if (reeve_admission_run_before (self, request, reservation, &refused, &local))
    {
      reeve_admission_note_home (self, request);
      return TRUE;
    }
  if (!reeve_admission_is_short (request, local))
    reeve_admission_note_refused (self, request, &refused, local);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static void
reeve_admission_describe_intent (ReeveAdmission *self, ReeveAdmitted *admitted,
                                 const ReeveAdmissionRequest *request, ReeveLedgerRecord *record)
{
  reeve_admission_records_fill (request, REEVE_LEDGER_INTENT, record);
  if (self->budgets != NULL && strcmp (request->operation, REEVE_USAGE_ACTION_REPORT) == 0)
    reeve_budgets_describe_report (self->budgets, request, record);
  if (admitted->reservation == NULL)
    return;
  record->reserved_tokens = reeve_reservation_get_input (admitted->reservation)
                            + reeve_reservation_get_output (admitted->reservation);
  record->reserved_cost = reeve_reservation_get_cost (admitted->reservation);
  record->time = reeve_reservation_get_time (admitted->reservation);
}

static void
reeve_admission_number (ReeveAdmitted *admitted, guint64 intent)
{
  admitted->intent = intent;
  if (intent != 0 && admitted->reservation != NULL)
    reeve_reservation_number (admitted->reservation, intent);
}

/* Blocks: keeps what the intent names, then records it. */
static gboolean
reeve_admission_record_intent (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                               ReeveAdmitted *admitted, GError **error)
{
  ReeveLedgerRecord record;
  ReeveAdmissionKept kept;
  gboolean ok = TRUE;

  reeve_admission_describe_intent (self, admitted, request, &record);
  if (reeve_admission_describe_kept (self, request, &record, &kept))
    ok = reeve_admission_keep_store (&self->keep, &kept, error);
  reeve_admission_keep_apply (&kept, &record);
  if (ok)
    reeve_admission_number (admitted, reeve_ledger_append (self->ledger, &record, error));
  reeve_admission_keep_clear (&kept);
  return ok && admitted->intent != 0;
}

static ReeveAdmitted *
reeve_admission_begin_asked (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                             GError **error)
{
  ReeveAdmitted *admitted = NULL;
  ReeveReservation *reservation = NULL;
  ReeveAdmissionRequest last = *request;

  last.refills = REEVE_BUDGETS_REFILLS;
  if (!reeve_admission_enter (self, &last, &reservation, error))
    return NULL;
  admitted = reeve_admission_make (self, request);
  admitted->reservation = reservation;
  if (reeve_admission_record_intent (self, request, admitted, error))
    return admitted;
  g_prefix_error (error, "recording the intent: ");
  reeve_admission_unmake (admitted);
  return NULL;
}

/**
 * reeve_admission_begin:
 * @self: the gate
 * @request: what is to be done
 * @error: return location
 *
 * As reeve_admission_begin_async(), blocking; for worker threads.
 *
 * Returns: (transfer full): the right to it, or %NULL with an error
 */
ReeveAdmitted *
reeve_admission_begin (ReeveAdmission *self, const ReeveAdmissionRequest *request, GError **error)
{
  ReeveAdmissionRequest asked = *request;
  g_autoptr (GError) local = NULL;
  ReeveAdmitted *admitted = NULL;

  asked.span = reeve_admission_span_begin (self->tracer, request);
  admitted = reeve_admission_begin_asked (self, &asked, &local);
  reeve_admission_span_end (asked.span, local);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return admitted;
}

/* Any thread: the intent is recorded, or is not. */
static void
reeve_admission_end_intent (guint64 seq, GError *error, gpointer data)
{
  g_autoptr (GTask) task = data;
  ReeveAdmitted *admitted = g_task_get_task_data (task);

  reeve_admission_number (admitted, seq);
  if (admitted->intent != 0)
    {
      g_task_set_task_data (task, NULL, NULL);
      g_task_return_pointer (task, admitted, (GDestroyNotify) reeve_admission_unmake);
      return;
    }
  reeve_admission_unmake (admitted);
  g_prefix_error (&error, "recording the intent: ");
  g_task_return_error (task, error);
}

static void
reeve_admission_on_intent (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  guint64 seq = reeve_ledger_append_finish (REEVE_LEDGER (source), result, &error);

  reeve_admission_end_intent (seq, error, data);
}

/* (transfer full) task, kept */
static void
reeve_admission_append_intent (ReeveAdmission *self, ReeveLedgerRecord *record,
                               ReeveAdmissionKept *kept, GTask *task)
{
  GError *error = NULL;

  if (!reeve_admission_keep_waits (kept))
    {
      reeve_admission_keep_apply (kept, record);
      reeve_ledger_append_async (self->ledger, record, reeve_admission_on_intent, task);
      reeve_admission_keep_clear (kept);
    }
  else if (!reeve_admission_keep_push (&self->keep, record, kept, TRUE, reeve_admission_end_intent,
                                       task, &error))
    {
      reeve_admission_keep_clear (kept);
      reeve_admission_end_intent (0, error, task);
    }
}

/* ---- a request that waits ---- */

/* While its adviser thinks, or its tenant is given more of the platform's budget. */
typedef struct
{
  GTask *task;
  ReeveAdmissionRequest request;
  GStringChunk *strings;
  char **agent_tools;
  ReeveSpan *span; /* (nullable): of who is asked */
} ReeveAdmissionWaiting;

/* (transfer full) task */
static ReeveAdmissionWaiting *
reeve_admission_wait (const ReeveAdmissionRequest *request, GTask *task)
{
  ReeveAdmissionWaiting *waiting = g_new0 (ReeveAdmissionWaiting, 1);

  waiting->task = task;
  waiting->strings = g_string_chunk_new (256);
  reeve_admission_copy (request, waiting->strings, &waiting->request);
  waiting->agent_tools = g_strdupv ((char **) request->agent_tools);
  waiting->request.agent_tools = (const char *const *) waiting->agent_tools;
  if (request->tool_arguments != NULL)
    waiting->request.tool_arguments = json_object_ref (request->tool_arguments);
  if (request->body != NULL)
    waiting->request.body = json_node_ref (request->body);
  return waiting;
}

static void reeve_admission_proceed (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                     GTask *task);

/* (transfer full) waiting */
static void
reeve_admission_go_on (ReeveAdmission *self, ReeveAdmissionWaiting *waiting)
{
  reeve_admission_proceed (self, &waiting->request, g_steal_pointer (&waiting->task));
  reeve_caller_unref (waiting->request.caller);
  g_clear_pointer (&waiting->request.tool_arguments, json_object_unref);
  g_clear_pointer (&waiting->request.body, json_node_unref);
  g_strfreev (waiting->agent_tools);
  g_string_chunk_free (waiting->strings);
  g_free (waiting);
}

/* Others may have been quicker with what was given: then it waits again. */
static void
reeve_admission_on_refilled (GObject *source, GAsyncResult *result, gpointer data)
{
  ReeveAdmissionWaiting *waiting = data;
  ReeveAdmission *self = g_task_get_source_object (waiting->task);

  if (reeve_budgets_refill_finish (self->budgets, result))
    waiting->request.refills++;
  else
    waiting->request.refills = REEVE_BUDGETS_REFILLS;
  reeve_admission_go_on (self, waiting);
}

/* (transfer full) task: takes the request through the stages. */
static void
reeve_admission_proceed (ReeveAdmission *self, const ReeveAdmissionRequest *request, GTask *task)
{
  ReeveAdmitted *admitted = NULL;
  ReeveReservation *reservation = NULL;
  ReeveLedgerRecord record;
  ReeveAdmissionKept kept;
  GError *error = NULL;

  if (!reeve_admission_enter (self, request, &reservation, &error))
    {
      if (reeve_admission_is_short (request, error))
        {
          g_error_free (error);
          reeve_budgets_refill_async (self->budgets, request, reeve_admission_on_refilled,
                                      reeve_admission_wait (request, task));
          return;
        }
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  admitted = reeve_admission_make (self, request);
  admitted->reservation = reservation;
  g_task_set_task_data (task, admitted, NULL);
  reeve_admission_describe_intent (self, admitted, request, &record);
  /* what the adviser said, or that he was not reached */
  if (request->advice != NULL)
    record.reason = reeve_policy_advice_get_word (request->advice);
  reeve_admission_describe_kept (self, request, &record, &kept);
  reeve_admission_append_intent (self, &record, &kept, task);
}

/* ---- somebody is asked ---- */

static void
reeve_admission_on_advice (GObject *source, GAsyncResult *result, gpointer data)
{
  ReeveAdmissionWaiting *waiting = data;
  g_autoptr (ReevePolicyAdvice) advice
      = reeve_policy_adviser_ask_finish (REEVE_POLICY_ADVISER (source), result);

  reeve_admission_span_advised (waiting->span, advice);
  waiting->request.advice = advice;
  reeve_admission_go_on (g_task_get_source_object (waiting->task), waiting);
}

/* (transfer full) task. Nobody is asked about what is refused here anyway, and nothing is counted
 * for what the adviser may refuse. When he has answered everything is decided anew, by what holds
 * then. */
static void
reeve_admission_consult (ReeveAdmission *self, const ReeveAdmissionRequest *request, GTask *task)
{
  ReeveAdmissionRequest early = *request;
  ReeveAdmissionWaiting *waiting = NULL;
  g_autoptr (GBytes) question = NULL;
  ReeveAdmissionRefused refused = { 0 };
  g_autoptr (GError) error = NULL;

  early.confirming = TRUE;
  if (!reeve_admission_run_row (self, &reeve_admission_rows[REEVE_STAGE_AUTHORISE], &early, NULL,
                                &refused, &error))
    {
      reeve_admission_note_refused (self, request, &refused, error);
      g_task_return_error (task, g_steal_pointer (&error));
      g_object_unref (task);
      return;
    }
  question = self->question (request, self->question_data);
  if (question == NULL)
    {
      reeve_admission_proceed (self, request, task);
      return;
    }
  waiting = reeve_admission_wait (request, task);
  waiting->span = reeve_admission_span_consult (self->tracer, request);
  reeve_policy_adviser_ask_async (self->adviser, reeve_caller_get_tenant_id (request->caller),
                                  question, reeve_admission_on_advice, waiting);
}

/**
 * reeve_admission_begin_async:
 * @self: the gate
 * @request: what is to be done; copied
 * @callback: called in the caller's thread-default context when the intent is durable
 * @user_data: for @callback
 *
 * Takes a request through the stages. Any thread; does not block.
 */
void
reeve_admission_begin_async (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = reeve_log_task_new (self, NULL, callback, user_data);
  ReeveAdmissionRequest asked = *request;

  g_task_set_source_tag (task, reeve_admission_begin_async);
  asked.span = reeve_admission_span_begin (self->tracer, request);
  if (asked.span != NULL)
    g_object_set_data_full (G_OBJECT (task), REEVE_ADMISSION_SPAN, asked.span,
                            (GDestroyNotify) reeve_span_free);
  if (request->tool_name != NULL && self->adviser != NULL)
    reeve_admission_consult (self, &asked, task);
  else
    reeve_admission_proceed (self, &asked, task);
}

/**
 * reeve_admission_begin_finish:
 * @self: the gate
 * @result: what the callback got
 * @error: return location
 *
 * Returns: (transfer full): the right to the effect; %NULL with %REEVE_ERROR_PERMISSION_DENIED or
 * what else a stage refused with, or an error of the ledger
 */
ReeveAdmitted *
reeve_admission_begin_finish (ReeveAdmission *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_admission_begin_async), NULL);
  g_autoptr (GError) local = NULL;
  ReeveAdmitted *admitted = g_task_propagate_pointer (G_TASK (result), &local);
  ReeveSpan *span
      = self->tracer != NULL ? g_object_steal_data (G_OBJECT (result), REEVE_ADMISSION_SPAN) : NULL;

  reeve_admission_span_end (span, local);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return admitted;
}

/* ---- settle ---- */

/* Any thread: the outcome is recorded, or is not. (transfer full) (nullable) data: the task */
static void
reeve_admission_end_outcome (guint64 seq, GError *error, gpointer data)
{
  g_autoptr (GTask) task = data;
  ReeveAdmission *self = task != NULL ? g_task_get_source_object (task) : NULL;
  ReeveReservation *reservation = task != NULL ? g_task_get_task_data (task) : NULL;

  if (task == NULL)
    {
      g_clear_error (&error);
      return;
    }
  if (reservation != NULL)
    reeve_budgets_finish (self->budgets, reservation, seq != 0);
  if (seq != 0)
    g_task_return_int (task, (gssize) seq);
  else
    g_task_return_error (task, error);
}

static void
reeve_admission_on_outcome (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  guint64 seq = reeve_ledger_append_finish (REEVE_LEDGER (source), result, &error);

  reeve_admission_end_outcome (seq, error, data);
}

/* (transfer full) (nullable) task. What came out is kept where it can be: it has happened. */
static void
reeve_admission_append_outcome (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                JsonNode *body, ReeveLedgerRecord *record, GTask *task)
{
  ReeveAdmissionKept kept;

  reeve_admission_keep_describe (&self->keep, request, body, record, &kept);
  if (reeve_admission_keep_waits (&kept)
      && reeve_admission_keep_push (&self->keep, record, &kept, FALSE, reeve_admission_end_outcome,
                                    task, NULL))
    return;
  reeve_admission_keep_apply (&kept, record);
  reeve_ledger_append_async (self->ledger, record, task != NULL ? reeve_admission_on_outcome : NULL,
                             task);
  reeve_admission_keep_clear (&kept);
}

/**
 * reeve_admission_settle_async:
 * @self: the gate
 * @admitted: (transfer full): the right to an effect
 * @settlement: how it ended
 * @callback: (nullable): called when the outcome is durable; %NULL when nobody waits
 * @user_data: for @callback
 *
 * Ends an effect. When a check of what came out refuses, the outcome is `blocked` with its reason.
 * Any thread; does not block.
 */
void
reeve_admission_settle_async (ReeveAdmission *self, ReeveAdmitted *admitted,
                              const ReeveSettlement *settlement, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  ReeveAdmissionRefused refused = { 0 };
  ReeveLedgerRecord record;
  GTask *task = NULL;

  if (settlement->outcome == REEVE_OUTCOME_SUCCEEDED && !reeve_admitted_is_consumed (admitted))
    g_warning ("admission: %s succeeded, but intent %" G_GUINT64_FORMAT " was not consumed",
               admitted->request.operation, admitted->intent);
  reeve_admission_records_fill (&admitted->request, REEVE_LEDGER_OUTCOME, &record);
  /* long, and the intent has them */
  record.input_digest = NULL;
  record.trace_id = NULL;
  record.intent = admitted->intent;
  record.outcome = settlement->outcome;
  record.reason = settlement->reason;
  record.output_digest = settlement->output_digest;
  record.input_tokens = CLAMP (settlement->input_tokens, 0, REEVE_MONEY_RECORDED);
  record.output_tokens = CLAMP (settlement->output_tokens, 0, REEVE_MONEY_RECORDED);
  record.estimated = settlement->estimated;
  record.latency_us = g_get_monotonic_time () - admitted->started;
  if (settlement->delegated_user_id != NULL)
    reeve_admission_records_delegate (&record, settlement->delegated_user_id);
  if (!reeve_admission_run_stages (self, REEVE_STAGE_GUARD_OUTPUT, REEVE_STAGE_OUTCOME,
                                   &admitted->request, settlement, &refused, &error)
      || admitted->refused != NULL)
    {
      record.outcome = REEVE_OUTCOME_BLOCKED;
      record.reason = admitted->refused;
      if (error != NULL)
        {
          record.reason = reeve_admission_get_reason (&refused, error);
          reeve_admission_count_refusal (self, &admitted->request,
                                         reeve_admission_rows[refused.stage].word, record.reason,
                                         error);
        }
    }
  if (self->budgets != NULL)
    reeve_budgets_settle (self->budgets, admitted->reservation, &admitted->request, settlement,
                          reeve_admitted_is_consumed (admitted), &record);
  reeve_instruments_note_outcome (self->instruments, &record, settlement->steps);
  if (callback != NULL || admitted->reservation != NULL)
    {
      task = reeve_log_task_new (self, NULL, callback, user_data);
      g_task_set_source_tag (task, reeve_admission_settle_async);
      g_task_set_task_data (task, g_steal_pointer (&admitted->reservation), NULL);
    }
  reeve_admission_append_outcome (self, &admitted->request, settlement->body, &record, task);
  reeve_admission_unmake (admitted);
}

/**
 * reeve_admission_settle_finish:
 * @self: the gate
 * @result: what the callback got
 * @error: return location
 *
 * Returns: sequence number of the outcome, 0 with an error
 */
guint64
reeve_admission_settle_finish (ReeveAdmission *self, GAsyncResult *result, GError **error)
{
  gssize seq = 0;

  g_return_val_if_fail (g_task_is_valid (result, self), 0);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_admission_settle_async), 0);
  seq = g_task_propagate_int (G_TASK (result), error);
  return seq > 0 ? (guint64) seq : 0;
}

/* ---- reads ---- */

/* Any thread: the read is recorded, or is not. */
static void
reeve_admission_end_read (guint64 seq, GError *error, gpointer data)
{
  g_autoptr (GTask) task = data;

  if (seq != 0)
    g_task_return_boolean (task, TRUE);
  else
    {
      g_prefix_error (&error, "recording the read: ");
      g_task_return_error (task, error);
    }
}

static void
reeve_admission_on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  guint64 seq = reeve_ledger_append_finish (REEVE_LEDGER (source), result, &error);

  reeve_admission_end_read (seq, error, data);
}

/* (transfer full) task. Where the address cannot be kept, the read is recorded without. */
static void
reeve_admission_append_read (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                             ReeveLedgerRecord *record, GTask *task)
{
  ReeveAdmissionKept kept;

  reeve_admission_keep_describe (&self->keep, request, NULL, record, &kept);
  if (reeve_admission_keep_waits (&kept)
      && reeve_admission_keep_push (&self->keep, record, &kept, FALSE, reeve_admission_end_read,
                                    task, NULL))
    return;
  reeve_admission_keep_apply (&kept, record);
  reeve_ledger_append_async (self->ledger, record, reeve_admission_on_read, task);
  reeve_admission_keep_clear (&kept);
}

/**
 * reeve_admission_allows_again:
 * @self: the gate
 * @request: what was asked for and answered before
 * @error: return location
 *
 * The stage of authorisation alone, by what holds now. What is refused by it is recorded by whoever
 * records the refusals of that door.
 *
 * Returns: %FALSE with what the stage refuses with
 */
gboolean
reeve_admission_allows_again (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                              GError **error)
{
  ReeveAdmissionRequest again = *request;
  ReeveAdmissionRefused refused = { 0 };

  again.confirming = TRUE;
  return reeve_admission_run_row (self, &reeve_admission_rows[REEVE_STAGE_AUTHORISE], &again, NULL,
                                  &refused, error);
}

/**
 * reeve_admission_read_async:
 * @self: the gate
 * @request: what is to be read
 * @callback: called in the caller's thread-default context when the record is durable
 * @user_data: for @callback
 *
 * Authorises a read and records it. Any thread; does not block.
 */
void
reeve_admission_read_async (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = reeve_log_task_new (self, NULL, callback, user_data);
  ReeveLedgerRecord record;
  ReeveAdmissionRefused refused = { 0 };
  GError *error = NULL;

  g_task_set_source_tag (task, reeve_admission_read_async);
  if (!reeve_admission_run_row (self, &reeve_admission_rows[REEVE_STAGE_AUTHORISE], request, NULL,
                                &refused, &error))
    {
      reeve_admission_note_refused (self, request, &refused, error);
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  reeve_admission_note_home (self, request);
  reeve_admission_records_fill (request, REEVE_LEDGER_READ, &record);
  record.outcome = REEVE_OUTCOME_SUCCEEDED;
  reeve_admission_append_read (self, request, &record, task);
}

/**
 * reeve_admission_read_finish:
 * @self: the gate
 * @result: what the callback got
 * @error: return location
 *
 * Returns: whether the answer may go out
 */
gboolean
reeve_admission_read_finish (ReeveAdmission *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_admission_read_async), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- after a restart ---- */

/**
 * reeve_admission_resume:
 * @self: the gate
 * @caller: who had asked
 * @operation: what had been admitted
 * @intent: its sequence number in the caller's tenant
 * @error: return location
 *
 * Takes up an intent of a host that ended before its outcome, for an effect that goes on. It counts
 * as consumed. Blocks.
 *
 * Returns: (transfer full): the right to settle it; %NULL with %REEVE_ERROR_CONFLICT when it is not
 * open, or is another operation's
 */
ReeveAdmitted *
reeve_admission_resume (ReeveAdmission *self, ReeveCaller *caller, const char *operation,
                        guint64 intent, GError **error)
{
  const char *scope = reeve_caller_get_tenant_id (caller);
  g_autoptr (JsonObject) found
      = reeve_admission_orphans_take (self->orphans, scope, operation, intent, error);
  ReeveAdmissionRequest request = { .caller = caller, .operation = operation };
  ReeveAdmitted *admitted = NULL;
  JsonObject *resource = NULL;

  if (found == NULL)
    return NULL;
  resource = reeve_json_get_object (found, "resource");
  request.agent_id = reeve_json_get_string (found, "agent_id", NULL);
  request.delegated_user_id = reeve_json_get_string (found, "delegated_user_id", NULL);
  request.run_id = reeve_json_get_string (found, "run_id", NULL);
  request.model = reeve_json_get_string (found, "model", NULL);
  request.tool_name = reeve_json_get_string (found, "tool_name", NULL);
  request.trace_id = reeve_json_get_string (found, "trace_id", NULL);
  /* one that is salted is that of no arguments */
  if (reeve_json_get_int (found, "kept", 0) == 0)
    request.input_digest = reeve_json_get_string (found, "input_digest", NULL);
  request.parent = (guint64) reeve_json_get_int (found, "parent", 0);
  if (resource != NULL)
    {
      request.resource_type = reeve_json_get_string (resource, "type", NULL);
      request.resource_id = reeve_json_get_string (resource, "id", NULL);
    }
  admitted = reeve_admission_make (self, &request);
  admitted->intent = intent;
  admitted->consumed = 1;
  return admitted;
}

/**
 * reeve_admission_recover:
 * @self: the gate
 * @error: return location
 *
 * Records the outcome `unknown` for every intent of an earlier host that was not resumed. Blocks.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_admission_recover (ReeveAdmission *self, GError **error)
{
  return reeve_admission_orphans_settle (self->orphans, error);
}
