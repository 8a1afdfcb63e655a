/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run has its name before its first record, and one that never is has none there. Whoever has run
 * an agent before is not looked after again: that would cost each run a read. */
#include "runs-private.h"

#define REEVE_RUNS_KNOWN_MAX 4096 /* beyond, all are looked up anew */

static char *
reeve_runs_known_name (ReeveCaller *caller, const char *agent_id)
{
  return g_strjoin ("\n", reeve_caller_get_tenant_id (caller), reeve_caller_get_user_id (caller),
                    agent_id, NULL);
}

/**
 * reeve_runs_knows:
 * @self: runs
 * @caller: who would ask
 * @agent_id: an agent
 *
 * Any thread; no I/O.
 *
 * Returns: whether it was there for @caller, and none was deleted here since
 */
gboolean
reeve_runs_knows (ReeveRuns *self, ReeveCaller *caller, const char *agent_id)
{
  g_autofree char *name = reeve_runs_known_name (caller, agent_id);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_hash_table_contains (self->known, name);
}

/**
 * reeve_runs_has_agent:
 * @self: runs
 * @caller: who would ask
 * @agent_id: an agent
 *
 * Blocks.
 *
 * Returns: %FALSE: it is not there for @caller, and a run of it would not begin; %TRUE also where
 * nobody can tell
 */
gboolean
reeve_runs_has_agent (ReeveRuns *self, ReeveCaller *caller, const char *agent_id)
{
  g_autofree char *name = reeve_runs_known_name (caller, agent_id);
  g_autoptr (GError) error = NULL;
  gboolean exists = TRUE;

  if (self->env.workspaces == NULL)
    return TRUE;
  if (!reeve_workspaces_exists (self->env.workspaces, caller, REEVE_STORE_AGENTS, agent_id, TRUE,
                                &exists, &error))
    return !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED)
           && !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NETWORK_DENIED)
           && !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_COUNTRY_DENIED);
  if (!exists)
    return FALSE;
  g_mutex_lock (&self->lock);
  if (g_hash_table_size (self->known) >= REEVE_RUNS_KNOWN_MAX)
    g_hash_table_remove_all (self->known);
  g_hash_table_add (self->known, g_steal_pointer (&name));
  g_mutex_unlock (&self->lock);
  return TRUE;
}

void
reeve_runs_forget_known (ReeveRuns *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_hash_table_remove_all (self->known);
}
