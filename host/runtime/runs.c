/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which runs are under way, how they begin, and how they are found again after a restart. */
#include "runs.h"

#include "listing.h"
#include "run-opening.h"
#include "run.h"
#include "runs-private.h"
#include "base/ids.h"
#include "base/log-task.h"

#define REEVE_RUNS_LEAVE_US (2 * G_USEC_PER_SEC)

/* how long the runs of a tenant may take to end */
#define REEVE_RUNS_END_WAIT (8 * G_USEC_PER_SEC)

G_DEFINE_FINAL_TYPE (ReeveRuns, reeve_runs, G_TYPE_OBJECT)

typedef struct
{
  ReeveAdmitted *admitted;
  ReeveCaller *caller;
  guint64 intent;
  ReeveRunRequest request; /* strings owned */
  ReeveRunEventFunc events;
  gpointer events_data;
  GDestroyNotify events_destroy;
  ReeveAgentHold *hold; /* nullable */
  JsonObject *started;
  JsonObject *record;
} ReeveRunsStart;

static void
reeve_runs_finalize (GObject *object)
{
  ReeveRuns *self = REEVE_RUNS (object);

  g_clear_pointer (&self->active, g_hash_table_unref);
  g_clear_pointer (&self->known, g_hash_table_unref);
  g_clear_pointer (&self->queue, reeve_run_queue_free);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_object (&self->agents);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (reeve_runs_parent_class)->finalize (object);
}

static void
reeve_runs_class_init (ReeveRunsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_runs_finalize;
}

static void
reeve_runs_init (ReeveRuns *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->active = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->queue = reeve_run_queue_new ();
  self->context = g_main_context_ref_thread_default ();
}

/**
 * reeve_runs_new:
 * @environment: what runs work with; copied
 * @agents: the agents
 *
 * Returns: (transfer full): without runs; call reeve_runs_recover() next
 */
ReeveRuns *
reeve_runs_new (const ReeveRunEnvironment *environment, ReeveAgents *agents)
{
  ReeveRuns *self = g_object_new (REEVE_TYPE_RUNS, NULL);

  self->env = *environment;
  self->agents = g_object_ref (agents);
  return self;
}

/* ---- the table of active runs ---- */

guint
reeve_runs_count (ReeveRuns *self, const char *tenant_id)
{
  GHashTableIter iter = { 0 };
  gpointer run = NULL;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->active);
  while (g_hash_table_iter_next (&iter, NULL, &run))
    {
      if (tenant_id == NULL || g_strcmp0 (reeve_run_get_tenant_id (run), tenant_id) == 0)
        n++;
    }
  return n;
}

/* Whether runs of a tenant may begin. Asked under the lock under which they are added: a run is
 * either refused, or there when those of a tenant that is no longer active are ended. */
static gboolean
reeve_runs_is_open (ReeveRuns *self, const char *tenant_id)
{
  ReeveTenantStatus status = self->env.tenants != NULL
                                 ? reeve_tenants_get_status (self->env.tenants, tenant_id)
                                 : REEVE_TENANT_ACTIVE;

  return status == REEVE_TENANT_ACTIVE || status == REEVE_TENANT_SUSPENDED;
}

gboolean
reeve_runs_add (ReeveRuns *self, ReeveRun *run, JsonObject *started, gboolean queued,
                gboolean *waits)
{
  gboolean added = FALSE;

  *waits = FALSE;
  g_mutex_lock (&self->lock);
  if (!self->stopping && reeve_runs_is_open (self, reeve_run_get_tenant_id (run))
      && !g_hash_table_contains (self->active, reeve_run_get_id (run)))
    added
        = g_hash_table_insert (self->active, g_strdup (reeve_run_get_id (run)), g_object_ref (run));
  if (added)
    *waits = reeve_runs_queue_enter_again (self, run, started, queued);
  g_mutex_unlock (&self->lock);
  return added;
}

gint64
reeve_runs_get_most (ReeveRuns *self, const char *tenant_id)
{
  return self->env.tenants != NULL ? reeve_tenants_get_limit (self->env.tenants, tenant_id,
                                                              "max_concurrent_sessions", G_MAXINT64)
                                   : G_MAXINT64;
}

gboolean
reeve_runs_has_room (ReeveRuns *self, const char *tenant_id, gint64 most, GError **error)
{
  if ((gint64) reeve_runs_count (self, tenant_id) < most)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED,
               "the tenant has as many runs as max_concurrent_sessions allows: %" G_GINT64_FORMAT,
               most);
  return FALSE;
}

/* Adds a new run, unless its tenant has as many as it may have at a time, or its agent as many as
 * may go and wait. Looking and adding are one step, so that two at once do not both take the last
 * place. */
static gboolean
reeve_runs_add_new (ReeveRuns *self, ReeveRun *run, JsonObject *started, gboolean *waits,
                    GError **error)
{
  const char *tenant_id = reeve_run_get_tenant_id (run);
  gint64 limit = reeve_runs_get_most (self, tenant_id);
  gboolean stopping = FALSE;
  gboolean open = FALSE;
  gboolean room = FALSE;
  gboolean placed = FALSE;
  GError *full = NULL;

  g_mutex_lock (&self->lock);
  stopping = self->stopping;
  open = reeve_runs_is_open (self, tenant_id);
  room = !stopping && open && reeve_runs_has_room (self, tenant_id, limit, &full);
  placed = room && reeve_runs_queue_enter (self, run, started, waits, error);
  if (placed)
    g_hash_table_insert (self->active, g_strdup (reeve_run_get_id (run)), g_object_ref (run));
  g_mutex_unlock (&self->lock);
  if (stopping)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                         "the host is stopping: no new runs");
  else if (!open)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such tenant");
  else if (!room)
    g_propagate_error (error, full);
  return placed;
}

void
reeve_runs_forget (ReeveRuns *self, ReeveRun *run)
{
  g_autoptr (ReeveRun) held = g_object_ref (run);
  g_autoptr (GPtrArray) next = NULL;

  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->active, reeve_run_get_id (held));
  next = reeve_runs_queue_leave (self, held);
  /* those that wait are left to the next start */
  if (self->stopping)
    g_ptr_array_set_size (next, 0);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < next->len; i++)
    reeve_run_release (g_ptr_array_index (next, i));
  g_main_context_wakeup (self->context);
}

ReeveRun *
reeve_runs_find (ReeveRuns *self, const char *tenant_id, const char *run_id)
{
  ReeveRun *run = NULL;

  g_mutex_lock (&self->lock);
  run = g_hash_table_lookup (self->active, run_id);
  if (run != NULL && g_strcmp0 (reeve_run_get_tenant_id (run), tenant_id) == 0)
    g_object_ref (run);
  else
    run = NULL;
  g_mutex_unlock (&self->lock);
  return run;
}

gboolean
reeve_runs_wait (ReeveRuns *self, const char *run_id, gint64 timeout_us)
{
  gint64 end = g_get_monotonic_time () + timeout_us;
  gboolean gone = FALSE;

  g_mutex_lock (&self->lock);
  while (!(gone = !g_hash_table_contains (self->active, run_id))
         && g_cond_wait_until (&self->changed, &self->lock, end))
    continue;
  g_mutex_unlock (&self->lock);
  return gone;
}

/* (transfer full): runs of a tenant that are under way */
static GPtrArray *
reeve_runs_list_active (ReeveRuns *self, const char *tenant_id)
{
  GPtrArray *runs = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter = { 0 };
  gpointer run = NULL;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->active);
  while (g_hash_table_iter_next (&iter, NULL, &run))
    if (g_strcmp0 (reeve_run_get_tenant_id (run), tenant_id) == 0)
      g_ptr_array_add (runs, g_object_ref (run));
  g_mutex_unlock (&self->lock);
  return runs;
}

/**
 * reeve_runs_end_tenant:
 * @self: runs
 * @tenant_id: a tenant that is not active any more
 *
 * Ends its runs as reeve_runs_cancel() does and waits for them; for a few seconds, since what a
 * plugin does cannot always be cut short: it has no further effect then. Worker threads.
 */
void
reeve_runs_end_tenant (ReeveRuns *self, const char *tenant_id)
{
  gint64 end = g_get_monotonic_time () + REEVE_RUNS_END_WAIT;
  g_autoptr (GPtrArray) runs = reeve_runs_list_active (self, tenant_id);

  for (guint i = 0; i < runs->len; i++)
    reeve_run_interrupt (g_ptr_array_index (runs, i), "cancelled");
  for (guint i = 0; i < runs->len; i++)
    if (!reeve_runs_wait (self, reeve_run_get_id (g_ptr_array_index (runs, i)),
                          MAX (end - g_get_monotonic_time (), 0)))
      g_message ("run %s of tenant %s has not ended yet",
                 reeve_run_get_id (g_ptr_array_index (runs, i)), tenant_id);
}

/**
 * reeve_runs_get_active:
 * @self: runs
 * @tenant_id: (nullable): a tenant, or %NULL for all
 *
 * Returns: how many runs are under way
 */
guint
reeve_runs_get_active (ReeveRuns *self, const char *tenant_id)
{
  guint n = 0;

  g_mutex_lock (&self->lock);
  n = reeve_runs_count (self, tenant_id);
  g_mutex_unlock (&self->lock);
  return n;
}

static gboolean
reeve_runs_on_time_up (gpointer data)
{
  return G_SOURCE_REMOVE;
}

/* Those that were found at the start go on in the context of this very thread, so it is served
 * meanwhile; the end of each run wakes it up. */
static gboolean
reeve_runs_wait_for_all (ReeveRuns *self, gint64 timeout_us)
{
  gint64 end = g_get_monotonic_time () + timeout_us;
  g_autoptr (GSource) timer = g_timeout_source_new ((guint) (timeout_us / 1000) + 1);

  g_source_set_callback (timer, reeve_runs_on_time_up, NULL, NULL);
  g_source_attach (timer, self->context);
  while (reeve_runs_get_active (self, NULL) > 0 && g_get_monotonic_time () < end)
    g_main_context_iteration (self->context, TRUE);
  g_source_destroy (timer);
  return reeve_runs_get_active (self, NULL) == 0;
}

/* Those that wait have done nothing yet, and will not while the host stops. */
static void
reeve_runs_leave_queue (ReeveRuns *self)
{
  g_autoptr (GPtrArray) runs = g_ptr_array_new_with_free_func (g_object_unref);
  ReeveRunQueueState state = { 0 };
  GHashTableIter iter = { 0 };
  gpointer run = NULL;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->active);
  while (g_hash_table_iter_next (&iter, NULL, &run))
    if (reeve_runs_queue_find (self, run, &state))
      g_ptr_array_add (runs, g_object_ref (run));
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < runs->len; i++)
    reeve_run_leave (runs->pdata[i]);
}

static void
reeve_runs_leave_all (ReeveRuns *self)
{
  g_autoptr (GPtrArray) runs = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter = { 0 };
  gpointer run = NULL;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->active);
  while (g_hash_table_iter_next (&iter, NULL, &run))
    g_ptr_array_add (runs, g_object_ref (run));
  g_mutex_unlock (&self->lock);
  g_message ("%u runs are left to the next start", runs->len);
  for (guint i = 0; i < runs->len; i++)
    reeve_run_leave (runs->pdata[i]);
}

/**
 * reeve_runs_stop:
 * @self: runs
 * @timeout_us: how long those under way may take, in microseconds
 *
 * No new runs from now on. What is not done in time stays journaled where it stands, and whoever
 * waits for it is told so; the next start goes on from there. An effect that does not let itself be
 * cut is as it is when the process is killed. On the thread that @self was made on.
 */
void
reeve_runs_stop (ReeveRuns *self, gint64 timeout_us)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_mutex_unlock (&self->lock);
  reeve_runs_leave_queue (self);
  if (reeve_runs_wait_for_all (self, timeout_us))
    return;
  reeve_runs_leave_all (self);
  if (!reeve_runs_wait_for_all (self, REEVE_RUNS_LEAVE_US))
    g_message ("%u runs have an effect under way that cannot be cut",
               reeve_runs_get_active (self, NULL));
}

/* ---- execution ---- */

static void
reeve_runs_start_free (gpointer data)
{
  ReeveRunsStart *start = data;

  if (start->events_destroy != NULL)
    start->events_destroy (start->events_data);
  g_clear_pointer (&start->caller, reeve_caller_unref);
  g_clear_pointer (&start->hold, reeve_agent_book_release);
  g_clear_pointer (&start->started, json_object_unref);
  g_clear_pointer (&start->record, json_object_unref);
  g_clear_pointer (&start->request.context, json_object_unref);
  g_free ((char *) start->request.operation);
  g_free ((char *) start->request.run_id);
  g_free ((char *) start->request.agent_id);
  g_free ((char *) start->request.mission);
  g_free ((char *) start->request.session_id);
  g_free ((char *) start->request.conversation_id);
  g_free ((char *) start->request.trace_id);
  g_free ((char *) start->request.request_id);
  g_free ((char *) start->request.traceparent);
  g_free ((char *) start->request.tracestate);
  g_free ((char *) start->request.door);
  g_free (start);
}

static ReeveRunsStart *
reeve_runs_start_new (ReeveAdmitted *admitted, const ReeveRunRequest *request)
{
  ReeveRunsStart *start = g_new0 (ReeveRunsStart, 1);

  start->admitted = admitted;
  start->caller = reeve_caller_ref (reeve_admitted_get_caller (admitted));
  start->intent = reeve_admitted_get_intent (admitted);
  start->request = *request;
  start->request.operation = g_strdup (request->operation);
  start->request.run_id = g_strdup (request->run_id);
  start->request.agent_id = g_strdup (request->agent_id);
  start->request.mission = g_strdup (request->mission);
  start->request.session_id = g_strdup (request->session_id);
  start->request.conversation_id = g_strdup (request->conversation_id);
  start->request.trace_id = g_strdup (request->trace_id);
  start->request.request_id = g_strdup (request->request_id);
  start->request.traceparent = g_strdup (request->traceparent);
  start->request.tracestate = g_strdup (request->tracestate);
  start->request.door = g_strdup (request->door);
  if (request->context != NULL)
    json_object_ref (request->context);
  return start;
}

/* The word for the record. */
static const char *
reeve_runs_start_reason (ReeveRunsStart *start, const GError *error)
{
  if (error->code == REEVE_ERROR_CONFLICT && start->hold != NULL
      && !reeve_agent_book_is_active (start->hold))
    return "agent_inactive";
  return reeve_error_get_name (error->code);
}

static void
reeve_runs_refuse_start (ReeveRuns *self, GTask *task, GError *error)
{
  ReeveRunsStart *start = g_task_get_task_data (task);
  const ReeveSettlement settlement
      = { .outcome = g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED)
                         ? REEVE_OUTCOME_BLOCKED
                         : REEVE_OUTCOME_FAILED,
          .reason = reeve_runs_start_reason (start, error),
          .error = error };

  if (start->admitted != NULL)
    reeve_admission_settle_async (self->env.admission, g_steal_pointer (&start->admitted),
                                  &settlement, NULL, NULL);
  g_task_return_error (task, error);
}

static void
reeve_runs_on_ended (ReeveRun *run, JsonObject *result, const GError *error, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ReeveRuns *self = g_task_get_source_object (task);

  reeve_runs_forget (self, run);
  if (result != NULL)
    g_task_return_pointer (task, reeve_listing_dup (result), (GDestroyNotify) json_object_unref);
  else
    g_task_return_error (task, g_error_copy (error));
}

static void
reeve_runs_gather (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ReeveRuns *self = source;
  ReeveRunsStart *start = data;
  g_autoptr (GError) error = NULL;

  if (start->request.agent_id != NULL)
    start->hold = reeve_agents_hold (self->agents, reeve_caller_get_tenant_id (start->caller),
                                     start->request.agent_id);
  start->started = reeve_run_opening_new (&self->env, self->agents, start->caller, start->intent,
                                          &start->request, &start->record, &error);
  if (start->started == NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_task_return_boolean (task, TRUE);
}

static void
reeve_runs_begin (ReeveRuns *self, GTask *task)
{
  ReeveRunsStart *start = g_task_get_task_data (task);
  g_autofree char *run_id
      = start->request.run_id != NULL ? g_strdup (start->request.run_id) : reeve_ids_new ("run");
  g_autoptr (ReeveRun) run
      = reeve_run_new (&self->env, start->caller, g_steal_pointer (&start->admitted), run_id,
                       start->record, reeve_journal_new ());
  GError *error = NULL;
  gboolean waits = FALSE;

  if (!reeve_runs_add_new (self, run, start->started, &waits, &error))
    {
      reeve_run_dismiss (run, error);
      g_task_return_error (task, error);
      return;
    }
  if (waits)
    reeve_run_wait_for_turn (run, start->started);
  reeve_run_take_hold (run, g_steal_pointer (&start->hold));
  if (start->events != NULL)
    reeve_run_follow (run, g_task_get_context (task), 0, start->events, NULL, start->events_data,
                      g_steal_pointer (&start->events_destroy));
  reeve_run_start (run, start->started, reeve_runs_on_ended, g_object_ref (task));
}

static void
reeve_runs_on_gathered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ReeveRuns *self = REEVE_RUNS (source);
  GError *error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    reeve_runs_begin (self, task);
  else
    reeve_runs_refuse_start (self, task, error);
}

/**
 * reeve_runs_execute_async:
 * @self: runs
 * @admitted: (transfer full): the right to it
 * @request: what is asked; copied
 * @events: (nullable): receives events in the thread-default context
 * @events_data: closure of @events
 * @events_destroy: (nullable): frees it
 * @callback: called when the run has ended
 * @user_data: closure
 *
 * Starts a run and follows it to its end.
 */
void
reeve_runs_execute_async (ReeveRuns *self, ReeveAdmitted *admitted, const ReeveRunRequest *request,
                          ReeveRunEventFunc events, gpointer events_data,
                          GDestroyNotify events_destroy, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  GTask *task = reeve_log_task_new (self, NULL, callback, user_data);
  ReeveRunsStart *start = reeve_runs_start_new (admitted, request);
  g_autoptr (GTask) gather = NULL;

  reeve_admitted_consume (admitted, request->operation);
  start->events = events;
  start->events_data = events_data;
  start->events_destroy = events_destroy;
  g_task_set_source_tag (task, reeve_runs_execute_async);
  g_task_set_task_data (task, start, reeve_runs_start_free);
  gather = g_task_new (self, NULL, reeve_runs_on_gathered, task);
  g_task_set_source_tag (gather, reeve_runs_gather);
  g_task_set_task_data (gather, start, NULL);
  reeve_workers_run_task (self->env.workers, gather, reeve_runs_gather);
}

/**
 * reeve_runs_execute_finish:
 * @self: runs
 * @result: of reeve_runs_execute_async()
 * @error: return location; set only when the run did not start or could not be journaled
 *
 * Returns: (transfer full) (nullable): the answer
 */
JsonObject *
reeve_runs_execute_finish (ReeveRuns *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_runs_execute_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
