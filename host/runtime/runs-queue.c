/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many runs of an agent go at once, and whose turn is next. */
#include "runs-private.h"

#define REEVE_RUNS_QUEUE_SETTING "max_concurrent_runs"

/* The stricter of what its definition and its tenant say; 0: nothing bounds it. *owner (nullable):
 * whose setting it is */
static guint
reeve_runs_queue_get_limit (ReeveRuns *self, const char *tenant_id, JsonObject *started,
                            const char **owner)
{
  gint64 own = reeve_json_get_int (started, REEVE_RUNS_QUEUE_SETTING, 0);
  gint64 tenant = self->env.tenants != NULL ? reeve_tenants_get_limit (self->env.tenants, tenant_id,
                                                                       REEVE_RUNS_QUEUE_SETTING, 0)
                                            : 0;
  gboolean stricter = own > 0 && (tenant <= 0 || own <= tenant);

  if (owner != NULL)
    *owner = stricter ? "its definition" : "the tenant";
  return (guint) CLAMP (stricter ? own : tenant, 0, G_MAXINT32);
}

/* Strings are the run's. FALSE: it is of no agent, and nothing bounds it. */
static gboolean
reeve_runs_queue_ask (ReeveRuns *self, ReeveRun *run, JsonObject *started, ReeveRunQueueAsk *ask)
{
  const char *tenant_id = reeve_run_get_tenant_id (run);

  *ask = (ReeveRunQueueAsk){
    .tenant_id = tenant_id,
    .agent_id = reeve_run_get_agent_id (run),
    .user_id = reeve_run_get_user_id (run),
    .run_id = reeve_run_get_id (run),
    .limit = reeve_runs_queue_get_limit (self, tenant_id, started, NULL),
    .length = (guint) CLAMP (self->env.queue_length, 0, G_MAXINT32),
    .now = g_get_monotonic_time (),
  };
  return ask->agent_id != NULL;
}

static void
reeve_runs_queue_refuse (ReeveRuns *self, JsonObject *started, const ReeveRunQueueAsk *ask,
                         GError **error)
{
  const char *owner = NULL;
  guint limit = reeve_runs_queue_get_limit (self, ask->tenant_id, started, &owner);
  guint own = 0;
  guint waiting = 0;
  guint wait = 0;
  GError *made = NULL;

  reeve_run_queue_describe (self->queue, ask, &own, &waiting, &wait);
  made = g_error_new (REEVE_ERROR, REEVE_ERROR_RATE_LIMITED,
                      "agent %s runs %u at once (" REEVE_RUNS_QUEUE_SETTING
                      " of %s), and its queue has no place: %u of %u wait, %u of them of this user",
                      ask->agent_id, limit, owner, waiting, ask->length, own);
  reeve_error_set_wait (made, wait);
  g_propagate_error (error, made);
}

gboolean
reeve_runs_queue_enter (ReeveRuns *self, ReeveRun *run, JsonObject *started, gboolean *waits,
                        GError **error)
{
  ReeveRunQueueAsk ask = { 0 };
  ReeveRunQueueAnswer answer = REEVE_RUN_QUEUE_GO;

  if (reeve_runs_queue_ask (self, run, started, &ask))
    answer = reeve_run_queue_enter (self->queue, &ask);
  *waits = answer == REEVE_RUN_QUEUE_WAIT;
  if (answer == REEVE_RUN_QUEUE_FULL)
    reeve_runs_queue_refuse (self, started, &ask, error);
  return answer != REEVE_RUN_QUEUE_FULL;
}

gboolean
reeve_runs_queue_enter_again (ReeveRuns *self, ReeveRun *run, JsonObject *started, gboolean queued)
{
  ReeveRunQueueAsk ask = { 0 };

  if (!reeve_runs_queue_ask (self, run, started, &ask))
    return FALSE;
  /* it had a place before */
  ask.length = G_MAXUINT;
  if (queued)
    return reeve_run_queue_enter (self->queue, &ask) == REEVE_RUN_QUEUE_WAIT;
  reeve_run_queue_add_going (self->queue, &ask);
  return FALSE;
}

GPtrArray *
reeve_runs_queue_leave (ReeveRuns *self, ReeveRun *run)
{
  const char *agent_id = reeve_run_get_agent_id (run);
  GPtrArray *next = g_ptr_array_new_with_free_func (g_object_unref);
  g_auto (GStrv) ids
      = agent_id != NULL
            ? reeve_run_queue_leave (self->queue, reeve_run_get_tenant_id (run), agent_id,
                                     reeve_run_get_id (run), g_get_monotonic_time ())
            : NULL;

  for (guint i = 0; ids != NULL && ids[i] != NULL; i++)
    {
      ReeveRun *found = g_hash_table_lookup (self->active, ids[i]);

      if (found != NULL)
        g_ptr_array_add (next, g_object_ref (found));
    }
  return next;
}

gboolean
reeve_runs_queue_find (ReeveRuns *self, ReeveRun *run, ReeveRunQueueState *state)
{
  const char *agent_id = reeve_run_get_agent_id (run);

  return agent_id != NULL
         && reeve_run_queue_find (self->queue, reeve_run_get_tenant_id (run), agent_id,
                                  reeve_run_get_id (run), state);
}

void
reeve_runs_queue_show (ReeveRuns *self, const char *tenant_id, const char *run_id,
                       JsonObject *shown)
{
  g_autoptr (ReeveRun) run = reeve_runs_find (self, tenant_id, run_id);
  ReeveRunQueueState state = { 0 };
  JsonObject *queue = NULL;
  gboolean waits = FALSE;

  if (run == NULL)
    return;
  g_mutex_lock (&self->lock);
  waits = reeve_runs_queue_find (self, run, &state);
  g_mutex_unlock (&self->lock);
  if (!waits)
    return;
  queue = json_object_new ();
  json_object_set_int_member (queue, "place", state.place);
  json_object_set_int_member (queue, "waiting", state.waiting);
  json_object_set_int_member (queue, "running", state.going);
  json_object_set_int_member (queue, REEVE_RUNS_QUEUE_SETTING, state.limit);
  json_object_set_object_member (shown, "queue", queue);
}
