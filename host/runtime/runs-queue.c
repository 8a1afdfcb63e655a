/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many runs of an agent go at once, and whose turn is next. */
#include "runs-private.h"

#define REEVE_RUNS_QUEUE_SETTING "max_concurrent_runs"

static guint
reeve_runs_queue_get_own (JsonObject *definition)
{
  return (guint) CLAMP (reeve_json_get_int (definition, REEVE_RUNS_QUEUE_SETTING, 0), 0,
                        G_MAXINT32);
}

static guint
reeve_runs_queue_get_bound (ReeveRuns *self, const char *tenant_id)
{
  gint64 bound = self->env.tenants != NULL ? reeve_tenants_get_limit (self->env.tenants, tenant_id,
                                                                      REEVE_RUNS_QUEUE_SETTING, 0)
                                           : 0;

  return (guint) CLAMP (bound, 0, G_MAXINT32);
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
    .workspace_id = reeve_json_get_string (started, "workspace_id", NULL),
    .limit = reeve_runs_queue_get_own (started),
    .bound = reeve_runs_queue_get_bound (self, tenant_id),
    .length = (guint) CLAMP (self->env.queue_length, 0, G_MAXINT32),
    .now = g_get_monotonic_time (),
  };
  return ask->agent_id != NULL;
}

static void
reeve_runs_queue_refuse (ReeveRuns *self, const ReeveRunQueueAsk *ask, GError **error)
{
  gboolean own_is_stricter = ask->limit > 0 && (ask->bound == 0 || ask->limit <= ask->bound);
  guint own = 0;
  guint waiting = 0;
  guint wait = 0;
  GError *made = NULL;

  reeve_run_queue_describe (self->queue, ask, &own, &waiting, &wait);
  made = g_error_new (REEVE_ERROR, REEVE_ERROR_RATE_LIMITED,
                      "agent %s runs %u at once (" REEVE_RUNS_QUEUE_SETTING
                      " of %s), and its queue has no place: %u of %u wait, %u of them of this user",
                      ask->agent_id, own_is_stricter ? ask->limit : ask->bound,
                      own_is_stricter ? "its definition" : "the tenant", waiting, ask->length, own);
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
    reeve_runs_queue_refuse (self, &ask, error);
  return answer != REEVE_RUN_QUEUE_FULL;
}

static void
reeve_runs_queue_ask_for (ReeveRuns *self, ReeveCaller *caller, const char *agent_id,
                          ReeveRunQueueAsk *ask)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);

  *ask = (ReeveRunQueueAsk){
    .tenant_id = tenant_id,
    .agent_id = agent_id,
    .user_id = reeve_caller_get_user_id (caller),
    .bound = reeve_runs_queue_get_bound (self, tenant_id),
    .length = (guint) CLAMP (self->env.queue_length, 0, G_MAXINT32),
  };
}

/**
 * reeve_runs_has_place:
 * @self: runs
 * @caller: who would ask
 * @agent_id: an agent
 *
 * A look before anything is written, without I/O. What it does not know, it leaves to the queue
 * itself: also whether there is such an agent, and whether it is shown to the caller, to whom an
 * agent that he may not execute is never full.
 *
 * Returns: %FALSE when a run that came now would be refused
 */
gboolean
reeve_runs_has_place (ReeveRuns *self, ReeveCaller *caller, const char *agent_id)
{
  g_autofree char *workspace_id = NULL;
  const char *place = NULL;
  ReeveRunQueueAsk ask = { 0 };
  gboolean free = TRUE;

  reeve_runs_queue_ask_for (self, caller, agent_id, &ask);
  if (ask.user_id == NULL)
    return TRUE;
  g_mutex_lock (&self->lock);
  free = self->stopping || reeve_run_queue_has_place (self->queue, &ask, &place);
  workspace_id = g_strdup (place);
  g_mutex_unlock (&self->lock);
  return free
         || (self->env.workspaces != NULL
             && !reeve_workspaces_surely_enters (self->env.workspaces, caller, workspace_id));
}

/**
 * reeve_runs_refuse_place:
 * @self: runs
 * @caller: who asked
 * @agent_id: an agent of which reeve_runs_has_place() said no
 * @first: (out): whether it is the first refusal of the user since a run of his had a place
 * @error: return location
 *
 * Says what the queue itself would.
 */
void
reeve_runs_refuse_place (ReeveRuns *self, ReeveCaller *caller, const char *agent_id,
                         gboolean *first, GError **error)
{
  const char *place = NULL;
  ReeveRunQueueAsk ask = { 0 };

  reeve_runs_queue_ask_for (self, caller, agent_id, &ask);
  g_mutex_lock (&self->lock);
  reeve_run_queue_has_place (self->queue, &ask, &place);
  *first = reeve_run_queue_note_refused (self->queue, &ask);
  reeve_runs_queue_refuse (self, &ask, error);
  g_mutex_unlock (&self->lock);
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

/* Under the lock: adds the runs of these ids. */
static void
reeve_runs_queue_collect (ReeveRuns *self, char **ids, GPtrArray *next)
{
  for (guint i = 0; ids != NULL && ids[i] != NULL; i++)
    {
      ReeveRun *found = g_hash_table_lookup (self->active, ids[i]);

      if (found != NULL)
        g_ptr_array_add (next, g_object_ref (found));
    }
}

GPtrArray *
reeve_runs_queue_leave (ReeveRuns *self, ReeveRun *run)
{
  const char *agent_id = reeve_run_get_agent_id (run);
  const char *tenant_id = reeve_run_get_tenant_id (run);
  GPtrArray *next = g_ptr_array_new_with_free_func (g_object_unref);
  g_auto (GStrv) ids = agent_id != NULL ? reeve_run_queue_leave (
                           self->queue, tenant_id, agent_id, reeve_run_get_id (run),
                           reeve_runs_queue_get_bound (self, tenant_id), g_get_monotonic_time ())
                                        : NULL;

  reeve_runs_queue_collect (self, ids, next);
  return next;
}

/* What the definition of an agent says now. FALSE: it cannot be read; as before. */
static gboolean
reeve_runs_queue_read_own (ReeveRuns *self, const char *tenant_id, const char *agent_id, guint *own)
{
  g_autoptr (GError) ignored = NULL;
  g_autoptr (JsonObject) definition
      = reeve_agents_get_definition (self->agents, tenant_id, agent_id, &ignored);

  if (definition != NULL)
    *own = reeve_runs_queue_get_own (definition);
  return definition != NULL;
}

/**
 * reeve_runs_review:
 * @self: runs
 * @tenant_id: a tenant, of which or of whose agents a setting may have changed
 *
 * Those that wait go at once where more may. Blocks.
 */
void
reeve_runs_review (ReeveRuns *self, const char *tenant_id)
{
  g_auto (GStrv) agents = NULL;

  g_mutex_lock (&self->lock);
  agents = reeve_run_queue_list_agents (self->queue, tenant_id);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; agents[i] != NULL; i++)
    {
      g_autoptr (GPtrArray) next = g_ptr_array_new_with_free_func (g_object_unref);
      g_auto (GStrv) ids = NULL;
      guint own = 0;
      gboolean known = reeve_runs_queue_read_own (self, tenant_id, agents[i], &own);

      g_mutex_lock (&self->lock);
      if (!self->stopping)
        ids = reeve_run_queue_review (self->queue, tenant_id, agents[i], known ? &own : NULL,
                                      reeve_runs_queue_get_bound (self, tenant_id),
                                      g_get_monotonic_time ());
      reeve_runs_queue_collect (self, ids, next);
      g_mutex_unlock (&self->lock);
      for (guint n = 0; n < next->len; n++)
        reeve_run_release (next->pdata[n]);
    }
}

gboolean
reeve_runs_queue_find (ReeveRuns *self, ReeveRun *run, ReeveRunQueueState *state)
{
  const char *agent_id = reeve_run_get_agent_id (run);

  return agent_id != NULL
         && reeve_run_queue_find (self->queue, reeve_run_get_tenant_id (run), agent_id,
                                  reeve_run_get_id (run), state);
}

/**
 * reeve_runs_get_waiting:
 * @self: runs
 * @tenant_id: a tenant
 *
 * Returns: how many of its runs wait for their turn
 */
guint
reeve_runs_get_waiting (ReeveRuns *self, const char *tenant_id)
{
  guint n = 0;

  g_mutex_lock (&self->lock);
  n = reeve_run_queue_get_waiting (self->queue, tenant_id);
  g_mutex_unlock (&self->lock);
  return n;
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

/* ---- asking before ---- */

static void
reeve_runs_look_set (JsonObject *shown, const char *member, gint64 limit, gint64 none)
{
  if (limit == none)
    json_object_set_null_member (shown, member);
  else
    json_object_set_int_member (shown, member, limit);
}

/* Under the lock: as reeve_runs_add_new() decides. */
static void
reeve_runs_look_locked (ReeveRuns *self, ReeveRunQueueAsk *ask, gint64 most, JsonObject *shown,
                        GError **refused)
{
  ReeveRunQueueState state = { 0 };
  ReeveRunQueueAnswer answer = reeve_run_queue_look (self->queue, ask, &state);

  reeve_runs_look_set (shown, REEVE_RUNS_QUEUE_SETTING, state.limit, 0);
  json_object_set_int_member (shown, "running", state.going);
  json_object_set_int_member (shown, "waiting", state.waiting);
  json_object_set_int_member (shown, "queue_length", ask->length);
  reeve_runs_look_set (shown, "place", answer == REEVE_RUN_QUEUE_WAIT ? state.place : 0, 0);
  reeve_runs_look_set (shown, "max_concurrent_sessions", most, G_MAXINT64);
  json_object_set_int_member (shown, "sessions", reeve_runs_count (self, ask->tenant_id));
  if (reeve_runs_has_room (self, ask->tenant_id, most, refused) && answer == REEVE_RUN_QUEUE_FULL)
    reeve_runs_queue_refuse (self, ask, refused);
}

/**
 * reeve_runs_look:
 * @self: runs
 * @tenant_id: a tenant
 * @agent_id: an agent of it
 * @user_id: (nullable): who would ask; %NULL: somebody who has none waiting
 * @refused: (out): what a run would be refused with that came now
 *
 * Nothing is counted, and nobody's turn changes. Blocks.
 *
 * Returns: (transfer full): {max_concurrent_runs, running, waiting, queue_length, place,
 * max_concurrent_sessions, sessions}; a limit that there is not is null, and so is the place of one
 * that would not wait
 */
JsonObject *
reeve_runs_look (ReeveRuns *self, const char *tenant_id, const char *agent_id, const char *user_id,
                 GError **refused)
{
  JsonObject *shown = json_object_new ();
  ReeveRunQueueAsk ask = {
    .tenant_id = tenant_id,
    .agent_id = agent_id,
    .user_id = user_id != NULL ? user_id : "",
    .bound = reeve_runs_queue_get_bound (self, tenant_id),
    .length = (guint) CLAMP (self->env.queue_length, 0, G_MAXINT32),
  };
  gint64 most = reeve_runs_get_most (self, tenant_id);

  (void) reeve_runs_queue_read_own (self, tenant_id, agent_id, &ask.limit);
  g_mutex_lock (&self->lock);
  reeve_runs_look_locked (self, &ask, most, shown, refused);
  g_mutex_unlock (&self->lock);
  return shown;
}
