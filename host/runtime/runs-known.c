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
 * @user_id: (out) (transfer full) (nullable): whom its record has it act for
 *
 * Any thread; no I/O.
 *
 * Returns: whether it was there for @caller, and none was changed or deleted here since
 */
gboolean
reeve_runs_knows (ReeveRuns *self, ReeveCaller *caller, const char *agent_id, char **user_id)
{
  g_autofree char *name = reeve_runs_known_name (caller, agent_id);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gpointer found = NULL;
  gboolean knows = g_hash_table_lookup_extended (self->known, name, NULL, &found);

  *user_id = g_strdup (found);
  return knows;
}

/* Blocks. FALSE: nobody can tell. */
static gboolean
reeve_runs_known_read (ReeveRuns *self, ReeveCaller *caller, const char *agent_id, char **user_id)
{
  g_autoptr (ReeveRecord) record = reeve_store_get (
      self->env.store, reeve_caller_get_tenant_id (caller), REEVE_STORE_AGENTS, agent_id, NULL);

  if (record == NULL)
    return FALSE;
  *user_id = g_strdup (
      reeve_json_get_string (reeve_record_get_fields (record), "delegated_user_id", NULL));
  return TRUE;
}

/* (transfer full) name */
static void
reeve_runs_known_add (ReeveRuns *self, char *name, const char *user_id, guint since)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (g_hash_table_size (self->known) >= REEVE_RUNS_KNOWN_MAX)
    g_hash_table_remove_all (self->known);
  /* what was read may be what was before a change */
  if (self->known_since == since)
    g_hash_table_insert (self->known, name, g_strdup (user_id));
  else
    g_free (name);
}

/**
 * reeve_runs_has_agent:
 * @self: runs
 * @caller: who would ask
 * @agent_id: an agent
 * @user_id: (out) (transfer full) (nullable): whom its record has it act for
 *
 * Blocks.
 *
 * Returns: %FALSE: it is not there for @caller, and a run of it would not begin; %TRUE also where
 * nobody can tell
 */
gboolean
reeve_runs_has_agent (ReeveRuns *self, ReeveCaller *caller, const char *agent_id, char **user_id)
{
  g_autofree char *name = reeve_runs_known_name (caller, agent_id);
  g_autoptr (GError) error = NULL;
  gboolean exists = TRUE;
  guint since = 0;

  *user_id = NULL;
  if (self->env.workspaces == NULL)
    return TRUE;
  g_mutex_lock (&self->lock);
  since = self->known_since;
  g_mutex_unlock (&self->lock);
  if (!reeve_workspaces_exists (self->env.workspaces, caller, REEVE_STORE_AGENTS, agent_id, TRUE,
                                &exists, &error))
    return !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED)
           && !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NETWORK_DENIED)
           && !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_COUNTRY_DENIED);
  if (!exists)
    return FALSE;
  if (reeve_runs_known_read (self, caller, agent_id, user_id))
    reeve_runs_known_add (self, g_steal_pointer (&name), *user_id, since);
  return TRUE;
}

void
reeve_runs_forget_known (ReeveRuns *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->known_since++;
  g_hash_table_remove_all (self->known);
}
