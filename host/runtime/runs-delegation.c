/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who answers for what a run did: user, agent, tool, as the ledger has it, in order. Nothing of the
 * journal goes into it but where to look. */
#include "runs-delegation.h"

/* beyond this nobody reads it at once; the ledger has it all */
#define REEVE_RUNS_DELEGATION_MAX 10000

typedef struct
{
  const char *kind;
  const char *outcome; /* (nullable): any */
  const char *action;  /* (nullable): any */
  const char *name;    /* of the entry */
  const char *said;    /* its outcome */
} ReeveRunsDelegationRow;

/* the first that fits */
static const ReeveRunsDelegationRow reeve_runs_delegation_rows[] = {
  { "intent", NULL, NULL, "policy_check", "allowed" },
  { "refusal", NULL, NULL, "policy_check", "denied" },
  { "outcome", "succeeded", "model.call", "model_call", "executed" },
  { "outcome", "succeeded", "tool.call", "tool_call", "executed" },
  { "outcome", "succeeded", NULL, "execution_complete", "executed" },
  { "outcome", "blocked", "model.call", "model_call", "denied" },
  { "outcome", "blocked", "tool.call", "tool_call", "denied" },
  { "outcome", "blocked", NULL, "execution_complete", "denied" },
  { "outcome", "unknown", "model.call", "model_call", "unknown" },
  { "outcome", "unknown", "tool.call", "tool_call", "unknown" },
  { "outcome", "unknown", NULL, "execution_complete", "unknown" },
  { "outcome", NULL, "model.call", "model_call", "failed" },
  { "outcome", NULL, "tool.call", "tool_call", "failed" },
  { "outcome", NULL, NULL, "execution_complete", "failed" },
};

static gboolean
reeve_runs_delegation_is (JsonObject *record, const char *member, const char *wanted)
{
  return wanted == NULL || g_strcmp0 (reeve_json_get_string (record, member, ""), wanted) == 0;
}

static void
reeve_runs_delegation_set (JsonObject *entry, const char *member, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (entry, member, text);
  else
    json_object_set_null_member (entry, member);
}

static void
reeve_runs_delegation_copy (JsonObject *record, const char *name, JsonObject *entry)
{
  if (json_object_has_member (record, name))
    json_object_set_member (entry, name, json_node_ref (json_object_get_member (record, name)));
}

/* The row of a record; NULL for what is no step of a run. */
static const ReeveRunsDelegationRow *
reeve_runs_delegation_find (JsonObject *record)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_runs_delegation_rows); i++)
    {
      const ReeveRunsDelegationRow *row = &reeve_runs_delegation_rows[i];

      if (reeve_runs_delegation_is (record, "kind", row->kind)
          && reeve_runs_delegation_is (record, "outcome", row->outcome)
          && reeve_runs_delegation_is (record, "action", row->action))
        return row;
    }
  return NULL;
}

/* Adds the entry of one record; what it leaves out is the @chain's. */
static void
reeve_runs_delegation_add (JsonArray *entries, JsonObject *record, JsonObject *chain)
{
  static const char *const whole[] = { "delegated_user_id", "agent_id" };
  static const char *const copied[] = { "tool_name", "model",      "reason", "intent", "parent",
                                        "plugin_id", "latency_us", "time",   "hash",   NULL };
  JsonObject *actor = reeve_json_get_object (record, "actor");
  const char *user_id = actor != NULL ? reeve_json_get_string (actor, "id", NULL) : NULL;
  const ReeveRunsDelegationRow *row = reeve_runs_delegation_find (record);
  JsonObject *entry = NULL;

  if (row == NULL)
    return;
  entry = json_object_new ();
  json_object_set_int_member (entry, "sequence", reeve_json_get_int (record, "seq", 0));
  json_object_set_string_member (entry, "entry", row->name);
  json_object_set_string_member (entry, "action", reeve_json_get_string (record, "action", ""));
  json_object_set_string_member (entry, "outcome", row->said);
  reeve_runs_delegation_set (entry, "user_id", user_id);
  for (guint i = 0; i < G_N_ELEMENTS (whole); i++)
    reeve_runs_delegation_set (
        entry, whole[i],
        reeve_json_get_string (record, whole[i], reeve_json_get_string (chain, whole[i], NULL)));
  for (guint i = 0; copied[i] != NULL; i++)
    reeve_runs_delegation_copy (record, copied[i], entry);
  json_array_add_object_element (entries, entry);
}

/* Of records, newest first, those of the run's steps: what stands below its intent, or below
 * that of a step, where a plugin asked for it. Others may carry its name. */
static GPtrArray *
reeve_runs_delegation_pick (GPtrArray *records, guint64 first)
{
  GPtrArray *steps = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  g_autoptr (GHashTable) intents
      = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  gint64 whole = (gint64) first;

  g_hash_table_add (intents, g_memdup2 (&whole, sizeof whole));
  for (guint i = records->len; i > 0; i--)
    {
      JsonObject *record = records->pdata[i - 1];
      gint64 parent = reeve_json_get_int (record, "parent", 0);
      gint64 seq = reeve_json_get_int (record, "seq", 0);

      if (!g_hash_table_contains (intents, &parent))
        continue;
      g_ptr_array_add (steps, json_object_ref (record));
      if (g_strcmp0 (reeve_json_get_string (record, "kind", ""), "intent") == 0)
        g_hash_table_add (intents, g_memdup2 (&seq, sizeof seq));
    }
  return steps;
}

/* Records of the run's steps between its intent and its outcome (0: up to now), oldest first. */
static GPtrArray *
reeve_runs_delegation_read (ReeveLedger *ledger, const char *tenant_id, const char *run_id,
                            guint64 first, guint64 last, GError **error)
{
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  ReeveLedgerFilter filter = { .run_id = run_id, .after = first, .before = last, .limit = 500 };

  do
    {
      guint64 next = 0;
      g_autoptr (GPtrArray) records = reeve_ledger_list (ledger, tenant_id, &filter, &next, error);

      if (records == NULL)
        return NULL;
      for (guint i = 0; i < records->len; i++)
        if (reeve_json_get_int (records->pdata[i], "parent", 0) >= (gint64) first)
          g_ptr_array_add (steps, json_object_ref (records->pdata[i]));
      filter.before = next;
    }
  while (filter.before != 0 && steps->len < REEVE_RUNS_DELEGATION_MAX);
  if (filter.before == 0)
    return reeve_runs_delegation_pick (steps, first);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                       "the run has too many steps to be shown together: ask the ledger");
  return NULL;
}

/* The intent or the outcome of the whole; what the ledger does not have any more is left out. */
static gboolean
reeve_runs_delegation_add_whole (ReeveLedger *ledger, const char *tenant_id, guint64 seq,
                                 JsonArray *entries, JsonObject *chain, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonObject) record
      = seq != 0 ? reeve_ledger_get (ledger, tenant_id, seq, &local) : NULL;

  if (local != NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (record != NULL)
    reeve_runs_delegation_add (entries, record, chain);
  return TRUE;
}

/* What the run's first entry says of it. */
static JsonObject *
reeve_runs_delegation_begin (JsonObject *run, JsonObject *started)
{
  JsonObject *chain = json_object_new ();
  const char *user_id = reeve_json_get_string (run, "user_id", NULL);

  json_object_set_string_member (chain, "run_id", reeve_json_get_string (run, "run_id", ""));
  reeve_runs_delegation_set (chain, "user_id", user_id);
  reeve_runs_delegation_set (chain, "delegated_user_id",
                             reeve_json_get_string (started, "delegated_user_id", user_id));
  reeve_runs_delegation_set (chain, "agent_id", reeve_json_get_string (started, "agent_id", NULL));
  return chain;
}

/**
 * reeve_runs_delegation_get:
 * @self: runs
 * @ledger: where they are recorded
 * @tenant_id: a tenant
 * @run_id: a run of it
 * @error: return location
 *
 * The chain of those who answer for a run, as far as it has come. Blocks.
 *
 * Returns: (transfer full) (nullable): {run_id, user_id, delegated_user_id, agent_id, entries[]},
 * in the order of the ledger
 */
JsonObject *
reeve_runs_delegation_get (ReeveRuns *self, ReeveLedger *ledger, const char *tenant_id,
                           const char *run_id, GError **error)
{
  g_autoptr (JsonObject) run = reeve_runs_get (self, tenant_id, run_id, error);
  JsonArray *journal = run != NULL ? reeve_json_get_array (run, "journal") : NULL;
  JsonObject *audit = run != NULL ? reeve_json_get_object (run, "audit") : NULL;
  JsonObject *started = journal != NULL && json_array_get_length (journal) > 0
                            ? json_array_get_object_element (journal, 0)
                            : NULL;
  guint64 last = audit != NULL ? (guint64) reeve_json_get_int (audit, "last", 0) : 0;
  guint64 first = started != NULL ? (guint64) reeve_json_get_int (started, "intent", 0) : 0;
  g_autoptr (JsonObject) chain = NULL;
  g_autoptr (GPtrArray) steps = NULL;
  JsonArray *entries = NULL;

  if (run == NULL)
    return NULL;
  if (started == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the run has no journal");
      return NULL;
    }
  steps = reeve_runs_delegation_read (ledger, tenant_id, run_id, first, last, error);
  if (steps == NULL)
    return NULL;
  chain = reeve_runs_delegation_begin (run, started);
  entries = json_array_new ();
  json_object_set_array_member (chain, "entries", entries);
  if (!reeve_runs_delegation_add_whole (ledger, tenant_id, first, entries, chain, error))
    return NULL;
  for (guint i = 0; i < steps->len; i++)
    reeve_runs_delegation_add (entries, steps->pdata[i], chain);
  /* one that ended before its intent was taken up again has no outcome of its own */
  if (last > first
      && !reeve_runs_delegation_add_whole (ledger, tenant_id, last, entries, chain, error))
    return NULL;
  return g_steal_pointer (&chain);
}
