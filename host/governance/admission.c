/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one gate: what it is set up with before the first request. The way through it is in
 * admission-begin.c, its stages in admission-stages.c, the right that it gives in admitted.c, and
 * the end of an effect in admission-settle.c. */
#include "admission-private.h"

#include <string.h>

/* longest name of a model in a record */
#define REEVE_ADMISSION_MODEL 128

G_DEFINE_FINAL_TYPE (ReeveAdmission, reeve_admission, G_TYPE_OBJECT)

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
 * reeve_admission_name_unknown:
 * @self: the gate
 * @text: a name of which nothing is known here
 *
 * Returns: (transfer full): what stands for it in records while this process lives, with its length
 * in bytes
 */
char *
reeve_admission_name_unknown (ReeveAdmission *self, const char *text)
{
  g_autofree char *told = reeve_admission_name_told (self, text);

  return g_strdup_printf ("%s_%" G_GSIZE_FORMAT, told, strlen (text));
}

/**
 * reeve_admission_set_known_models:
 * @self: the gate
 * @known: says what of a model's name is known here
 * @user_data: for @known; must outlive @self
 */
void
reeve_admission_set_known_models (ReeveAdmission *self, ReeveAdmissionKnown known,
                                  gpointer user_data)
{
  self->known = known;
  self->known_data = user_data;
}

/**
 * reeve_admission_is_model:
 * @model: (nullable): a text
 *
 * Returns: whether it can be the name of a model
 */
gboolean
reeve_admission_is_model (const char *model)
{
  return model != NULL && strlen (model) <= REEVE_ADMISSION_MODEL
         && model[strspn (model, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.:/+")] == '\0';
}

/**
 * reeve_admission_name_model:
 * @self: the gate
 * @model: (nullable): name of a model, as it was asked for
 *
 * A model that is configured, or has a price, is known by its name. Of another whoever asks may
 * have written anything: it has its provider, and a pseudonym.
 *
 * Returns: (transfer full) (nullable): what stands for it in records, where its name does not
 */
char *
reeve_admission_name_model (ReeveAdmission *self, const char *model)
{
  gsize known = 0;
  g_autofree char *told = NULL;

  if (model == NULL)
    return NULL;
  if (self->known != NULL)
    known = self->known (model, self->known_data);
  else if (reeve_admission_is_model (model))
    known = strlen (model);
  if (model[known] == '\0')
    return NULL;
  told = reeve_admission_name_unknown (self, model + known);
  return g_strdup_printf ("%.*s%s", (int) known, model, told);
}

/**
 * reeve_admission_name_report:
 * @self: the gate
 * @model: (nullable): name of a model, as usage of it is reported
 *
 * Returns: (transfer full) (nullable): what stands for it in records, where it cannot be a name
 */
char *
reeve_admission_name_report (ReeveAdmission *self, const char *model)
{
  return model == NULL || reeve_admission_is_model (model)
             ? NULL
             : reeve_admission_name_unknown (self, model);
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
 * reeve_admission_can_begin_run:
 * @self: the gate
 * @caller: who asks
 * @agent_id: (nullable): which agent is to run
 * @workspace_id: (nullable): where it lies, which the gate had not looked up
 * @model: (nullable): which it asks; the gate had not looked that up either
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_BUDGET_EXCEEDED, when the run could not ask its model once
 */
gboolean
reeve_admission_can_begin_run (ReeveAdmission *self, ReeveCaller *caller, const char *agent_id,
                               const char *workspace_id, const char *model, GError **error)
{
  const ReeveBudgetWho who = { .agent_id = agent_id,
                               .user_id = reeve_caller_get_user_id (caller),
                               .key_id = reeve_caller_get_key_id (caller),
                               .workspace_id = workspace_id };

  return self->budgets == NULL
         || reeve_budgets_can_begin_run (self->budgets, reeve_caller_get_tenant_id (caller), &who,
                                         model, error);
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
