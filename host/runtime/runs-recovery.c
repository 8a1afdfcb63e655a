/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After a restart every unfinished run goes on from its journal: what was settled is not done
 * again, what was under way is unknown. Cancel and resume are here too, since they reach a run from
 * outside as well. */
#include "agents-identity.h"
#include "base/log.h"
#include "listing.h"
#include "run-opening.h"
#include "runs-private.h"

#define REEVE_RUNS_RECOVERY_WAIT (8 * G_USEC_PER_SEC) /* how long cancel waits for the end */

typedef struct
{
  ReeveRuns *runs;
  char *tenant_id;
  char *run_id;
  JsonObject *record;
  ReeveAgentHold *hold; /* nullable: no agent */
  ReeveJournal *journal;
  ReeveCaller *caller;
  ReeveAdmitted *admitted;
} ReeveRunsRecovery;

static void
reeve_runs_recovery_free (gpointer data)
{
  ReeveRunsRecovery *recovery = data;

  g_clear_pointer (&recovery->hold, reeve_agent_book_release);
  g_clear_pointer (&recovery->journal, reeve_journal_free);
  g_clear_pointer (&recovery->record, json_object_unref);
  g_clear_pointer (&recovery->caller, reeve_caller_unref);
  g_object_unref (recovery->runs);
  g_free (recovery->tenant_id);
  g_free (recovery->run_id);
  g_free (recovery);
}

static void
reeve_runs_recovery_on_ended (ReeveRun *run, JsonObject *result, const GError *error,
                              gpointer user_data)
{
  g_autoptr (ReeveRuns) self = user_data;

  g_message ("run %s, found unfinished, has ended: %s", reeve_run_get_id (run),
             result != NULL ? reeve_json_get_string (result, "status", "") : error->message);
  reeve_runs_forget (self, run);
}

static gboolean
reeve_runs_recovery_go_on (gpointer data)
{
  ReeveRunsRecovery *recovery = data;
  JsonObject *started = reeve_journal_get_started (recovery->journal);
  gboolean queued = reeve_journal_is_queued (recovery->journal);
  g_autoptr (ReeveRun) run = reeve_run_new (&recovery->runs->env, recovery->caller,
                                            g_steal_pointer (&recovery->admitted), recovery->run_id,
                                            recovery->record, g_steal_pointer (&recovery->journal));
  gboolean waits = FALSE;

  reeve_run_take_hold (run, g_steal_pointer (&recovery->hold));
  if (!reeve_runs_add (recovery->runs, run, started, queued, &waits))
    return G_SOURCE_REMOVE;
  if (waits)
    reeve_run_wait_for_turn (run, NULL);
  reeve_run_start (run, NULL, reeve_runs_recovery_on_ended, g_object_ref (recovery->runs));
  return G_SOURCE_REMOVE;
}

/* The intent of the whole run is open unless the host fell between its outcome and the run's last
 * entry. */
static gboolean
reeve_runs_recovery_readmit (ReeveRunsRecovery *recovery, JsonObject *started, GError **error)
{
  g_autoptr (GError) inner = NULL;

  recovery->admitted
      = reeve_admission_resume (recovery->runs->env.admission, recovery->caller,
                                reeve_json_get_string (started, "operation", "agents.execute"),
                                (guint64) reeve_json_get_int (started, "intent", 0), &inner);
  if (recovery->admitted != NULL || g_error_matches (inner, REEVE_ERROR, REEVE_ERROR_CONFLICT))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&inner));
  return FALSE;
}

/* Without them the run goes on, and its tools are denied. */
static void
reeve_runs_recovery_learn_policies (ReeveRuns *self, const char *tenant_id)
{
  g_autoptr (GError) error = NULL;

  if (self->env.policies != NULL && !reeve_policies_prepare (self->env.policies, tenant_id, &error))
    g_warning ("tools of tenant %s are denied: %s", tenant_id, error->message);
}

/* What would have been taken back of it is not kept over a restart: the record says it. */
static void
reeve_runs_recovery_check_delegate (ReeveRuns *self, ReeveCaller *caller, const char *tenant_id,
                                    JsonObject *started)
{
  const char *user_id = reeve_json_get_string (started, "delegated_user_id", NULL);

  if (user_id != NULL && !reeve_agents_identity_is_user_active (self->agents, tenant_id, user_id))
    reeve_caller_end (caller, 1);
}

static gboolean
reeve_runs_recovery_take_up (ReeveRuns *self, const char *tenant_id, ReeveRecord *record,
                             GError **error)
{
  g_autoptr (ReeveJournal) journal
      = reeve_runs_read_journal (self, tenant_id, reeve_record_get_id (record), error);
  ReeveRunsRecovery *recovery = NULL;
  JsonObject *started = NULL;

  if (journal == NULL)
    return FALSE;
  reeve_runs_recovery_learn_policies (self, tenant_id);
  started = reeve_journal_get_started (journal);
  if (started == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "run %s has a record and no journal",
                   reeve_record_get_id (record));
      return FALSE;
    }
  recovery = g_new0 (ReeveRunsRecovery, 1);
  recovery->runs = g_object_ref (self);
  recovery->tenant_id = g_strdup (tenant_id);
  recovery->run_id = g_strdup (reeve_record_get_id (record));
  /* goes to another thread: the members are shared by nodes, whose counts are atomic; those of
   * objects are not */
  recovery->record = reeve_listing_dup (reeve_record_get_fields (record));
  recovery->caller = reeve_run_opening_get_caller (&self->env, started);
  reeve_runs_recovery_check_delegate (self, recovery->caller, tenant_id, started);
  if (json_object_has_member (started, "agent_id"))
    recovery->hold = reeve_agents_hold (self->agents, tenant_id,
                                        reeve_json_get_string (started, "agent_id", ""));
  if (!reeve_runs_recovery_readmit (recovery, started, error))
    {
      reeve_runs_recovery_free (recovery);
      return FALSE;
    }
  recovery->journal = g_steal_pointer (&journal);
  g_main_context_invoke_full (self->context, G_PRIORITY_DEFAULT, reeve_runs_recovery_go_on,
                              recovery, reeve_runs_recovery_free);
  return TRUE;
}

/* A run whose journal cannot be read is left as it is, visibly: it must not keep the host from
 * starting. */
static gboolean
reeve_runs_recovery_status (ReeveRuns *self, const char *tenant_id, const char *status,
                            GError **error)
{
  g_autofree char *cursor = NULL;

  do
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_RUNS);
      g_autoptr (ReeveQueryResult) result = NULL;
      GPtrArray *records = NULL;

      reeve_query_filter_string (query, "status", REEVE_FILTER_EQ, status);
      reeve_query_order (query, "created_at", FALSE);
      reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
      reeve_query_cursor (query, cursor);
      result = reeve_store_query (self->env.store, query, error);
      if (result == NULL)
        return FALSE;
      records = reeve_query_result_get_records (result);
      for (guint i = 0; i < records->len; i++)
        {
          g_autoptr (GError) inner = NULL;

          if (!reeve_runs_recovery_take_up (self, tenant_id, g_ptr_array_index (records, i),
                                            &inner))
            g_warning ("tenant %s: %s", tenant_id, inner->message);
        }
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
    }
  while (cursor != NULL);
  return TRUE;
}

/* Those that go first: the places of others are what they leave. */
static gboolean
reeve_runs_recovery_scope (ReeveRuns *self, const char *tenant_id, GError **error)
{
  return reeve_runs_recovery_status (self, tenant_id, "running", error)
         && reeve_runs_recovery_status (self, tenant_id, "queued", error);
}

/**
 * reeve_runs_recover:
 * @self: runs
 * @error: return location
 *
 * Takes up every unfinished run of every tenant. Those that go on do so in the context @self was
 * made in.
 *
 * Returns: %FALSE when the tenants cannot be listed; one whose store cannot be read is left as it
 * is
 */
gboolean
reeve_runs_recover (ReeveRuns *self, GError **error)
{
  g_auto (GStrv) scopes = reeve_store_list_scopes (self->env.store, error);

  if (scopes == NULL)
    return FALSE;
  for (guint i = 0; scopes[i] != NULL; i++)
    {
      g_auto (ReeveLogScope) about = reeve_log_scope_tenant (scopes[i]);
      g_autoptr (GError) damage = NULL;

      /* one tenant's damaged store keeps nobody else's host from starting */
      if (!reeve_runs_recovery_scope (self, scopes[i], &damage))
        g_warning ("the store of tenant %s cannot be used: %s", scopes[i], damage->message);
    }
  return TRUE;
}

static gboolean
reeve_runs_recovery_check_open (ReeveRecord *record, GError **error)
{
  const char *status = reeve_json_get_string (reeve_record_get_fields (record), "status", "");

  if (g_strcmp0 (status, "running") == 0 || g_strcmp0 (status, "queued") == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the run has ended: it is %s", status);
  return FALSE;
}

/**
 * reeve_runs_cancel:
 * @self: runs
 * @admitted: the right to `runs.cancel`
 * @run_id: a run
 * @error: return location
 *
 * Ends a run and waits until it has ended.
 *
 * Returns: (transfer full) (nullable): the run; %REEVE_ERROR_CONFLICT when it had ended
 */
JsonObject *
reeve_runs_cancel (ReeveRuns *self, ReeveAdmitted *admitted, const char *run_id, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->env.store, tenant_id, REEVE_STORE_RUNS, run_id, error);
  g_autoptr (ReeveRun) run = NULL;

  if (record == NULL || !reeve_runs_recovery_check_open (record, error))
    return NULL;
  run = reeve_runs_find (self, tenant_id, run_id);
  if (run == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "the run is not under way on this host; resume it first");
      return NULL;
    }
  reeve_admitted_consume_exactly (admitted, "runs.cancel", run_id, NULL);
  reeve_run_interrupt (run, "cancelled");
  if (!reeve_runs_wait (self, run_id, REEVE_RUNS_RECOVERY_WAIT))
    g_message ("run %s is being cancelled, its effect under way has not ended yet", run_id);
  return reeve_runs_get (self, tenant_id, run_id, error);
}

/**
 * reeve_runs_resume:
 * @self: runs
 * @admitted: the right to `runs.resume`
 * @run_id: a run
 * @error: return location
 *
 * Takes up a run that is unfinished and not under way.
 *
 * Returns: (transfer full) (nullable): the run; %REEVE_ERROR_CONFLICT when it has ended or is under
 * way
 */
JsonObject *
reeve_runs_resume (ReeveRuns *self, ReeveAdmitted *admitted, const char *run_id, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->env.store, tenant_id, REEVE_STORE_RUNS, run_id, error);
  g_autoptr (ReeveRun) run = NULL;

  if (record == NULL || !reeve_runs_recovery_check_open (record, error))
    return NULL;
  run = reeve_runs_find (self, tenant_id, run_id);
  if (run != NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the run is under way");
      return NULL;
    }
  reeve_admitted_consume_exactly (admitted, "runs.resume", run_id, NULL);
  if (!reeve_runs_recovery_take_up (self, tenant_id, record, error))
    return NULL;
  return reeve_runs_get (self, tenant_id, run_id, error);
}
