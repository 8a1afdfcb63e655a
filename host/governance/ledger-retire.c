/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Retention of a log. What the platform's log says of other logs and of the signing key is needed
 * for as long as they are: before such a record goes, the base counts it, or it is said again. */
#include "ledger-retire.h"

#include <string.h>

#include "ledger-private.h"
#include "ledger-verify-private.h"

#define REEVE_LEDGER_RETIRE_AGAIN "said_again"

/* What is to be kept of the platform's records that go. */
typedef struct
{
  ReeveLedgerKey *key;
  guint keys;
  gboolean bad;
  GHashTable *created; /* scopes */
} ReeveLedgerRetireScan;

/**
 * reeve_ledger_get_folder:
 * @self: a ledger
 *
 * Returns: (transfer none): folder of all logs
 */
const char *
reeve_ledger_get_folder (ReeveLedger *self)
{
  return self->folder;
}

/**
 * reeve_ledger_get_base:
 * @self: a ledger
 * @scope: whose log
 *
 * Returns: number of the last record that retention dropped; 0 when all are there
 */
guint64
reeve_ledger_get_base (ReeveLedger *self, const char *scope)
{
  ReeveLedgerLog *log = reeve_ledger_need_log (self, scope, NULL);

  return log != NULL ? reeve_ledger_log_get_base (log) : 0;
}

/**
 * reeve_ledger_plan_retirement:
 * @self: an open ledger
 * @scope: whose log
 * @horizon: what is older may go, µs
 * @limit: no record behind that
 * @plan: (out caller-allocates): what may go
 * @error: return location
 *
 * See reeve_ledger_log_plan_retire().
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND or an error of reading
 */
gboolean
reeve_ledger_plan_retirement (ReeveLedger *self, const char *scope, gint64 horizon, guint64 limit,
                              ReeveLedgerRetirement *plan, GError **error)
{
  ReeveLedgerLog *log = reeve_ledger_need_log (self, scope, error);

  *plan = (ReeveLedgerRetirement){ 0 };
  if (log == NULL)
    return FALSE;
  plan->first = reeve_ledger_log_get_base (log) + 1;
  return reeve_ledger_log_plan_retire (log, horizon, limit, &plan->last, error);
}

/**
 * reeve_ledger_name_retirement:
 * @scope: whose log
 * @plan: what goes
 *
 * Returns: (transfer full): the name under which the gate is asked
 */
char *
reeve_ledger_name_retirement (const char *scope, const ReeveLedgerRetirement *plan)
{
  return g_strdup_printf ("%s/%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, scope, plan->first,
                          plan->last);
}

static void
reeve_ledger_retire_note (guint64 seq G_GNUC_UNUSED, const ReeveLedgerEntry *entry,
                          gpointer user_data)
{
  ReeveLedgerRetireScan *scan = user_data;
  char *made = reeve_ledger_verify_get_event (entry, REEVE_LEDGER_ACTION_CREATED);
  g_autofree char *ended = reeve_ledger_verify_get_event (entry, REEVE_LEDGER_ACTION_ENDED);
  g_autofree char *statement
      = reeve_ledger_verify_get_event (entry, REEVE_LEDGER_ACTION_KEY_ROTATED);

  if (made != NULL)
    g_hash_table_add (scan->created, made);
  if (ended != NULL)
    g_hash_table_remove (scan->created, ended);
  if (statement != NULL && !reeve_ledger_key_next_check (scan->key, &scan->keys, statement))
    scan->bad = TRUE;
}

/* Logs that are there, and whose making is on record in what goes. */
static gboolean
reeve_ledger_retire_say_again (ReeveLedger *self, GHashTable *created, GError **error)
{
  GHashTableIter iter;
  gpointer scope = NULL;

  g_hash_table_iter_init (&iter, created);
  while (g_hash_table_iter_next (&iter, &scope, NULL))
    {
      const ReeveLedgerRecord record = { .kind = REEVE_LEDGER_EVENT,
                                         .scope = REEVE_SCOPE_PLATFORM,
                                         .action = REEVE_LEDGER_ACTION_CREATED,
                                         .actor_type = "system",
                                         .resource_type = "ledger",
                                         .resource_id = scope,
                                         .reason = REEVE_LEDGER_RETIRE_AGAIN,
                                         .outcome = REEVE_OUTCOME_SUCCEEDED,
                                         .door = "internal" };

      if (reeve_ledger_need_log (self, scope, NULL) != NULL
          && reeve_ledger_append (self, &record, error) == 0)
        return FALSE;
    }
  return TRUE;
}

/* *keys (out): changes of the signing key up to the end of what goes */
static gboolean
reeve_ledger_retire_keep_facts (ReeveLedger *self, ReeveLedgerLog *log,
                                const ReeveLedgerRetirement *plan, guint *keys, GError **error)
{
  g_autofree ReeveLedgerBase *base = reeve_ledger_log_dup_base (log);
  g_autoptr (GHashTable) created = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  ReeveLedgerRetireScan scan
      = { .key = self->key, .keys = base != NULL ? base->keys : 0, .created = created };

  if (!reeve_ledger_log_scan (log, plan->first, plan->last + 1 - plan->first,
                              reeve_ledger_retire_note, &scan, error))
    return FALSE;
  *keys = scan.keys;
  if (!scan.bad)
    return reeve_ledger_retire_say_again (self, created, error);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "a change of the key is not signed by both keys");
  return FALSE;
}

/**
 * reeve_ledger_retire:
 * @self: an open ledger
 * @admitted: the right to drop what @plan says
 * @scope: whose log
 * @plan: what goes
 * @rule: what asks for it, no spaces
 * @error: return location
 *
 * Drops records: see reeve_ledger_log_retire(). Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT when the log has moved since it was planned, or an
 * error of the disk
 */
gboolean
reeve_ledger_retire (ReeveLedger *self, ReeveAdmitted *admitted, const char *scope,
                     const ReeveLedgerRetirement *plan, const char *rule, GError **error)
{
  g_autofree char *name = reeve_ledger_name_retirement (scope, plan);
  ReeveLedgerLog *log = reeve_ledger_need_log (self, scope, error);
  guint keys = 0;

  if (log == NULL)
    return FALSE;
  reeve_admitted_consume_exactly (admitted, REEVE_LEDGER_RETIRE_OPERATION, name, NULL);
  if (plan->last < plan->first || plan->first != reeve_ledger_log_get_base (log) + 1)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the log of %s has moved since",
                   scope);
      return FALSE;
    }
  if (strcmp (scope, REEVE_SCOPE_PLATFORM) == 0
      && !reeve_ledger_retire_keep_facts (self, log, plan, &keys, error))
    return FALSE;
  return reeve_ledger_log_retire (log, plan->last, keys, rule, g_get_real_time (), error);
}
