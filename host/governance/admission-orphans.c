/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After a restart each open intent is either taken up by the room whose effect goes on, or gets the
 * outcome `unknown`: whether the effect happened cannot be known, and the ledger says so rather
 * than nothing. */
#include "admission-orphans.h"

#include "admission-records.h"

struct _ReeveAdmissionOrphans
{
  ReeveLedger *ledger;
  GMutex mutex;
  GHashTable *taken; /* "scope/seq": under the mutex */
};

/**
 * reeve_admission_orphans_new:
 * @ledger: a ledger
 *
 * Returns: (transfer full): the orphans of @ledger
 */
ReeveAdmissionOrphans *
reeve_admission_orphans_new (ReeveLedger *ledger)
{
  ReeveAdmissionOrphans *self = g_new0 (ReeveAdmissionOrphans, 1);

  self->ledger = g_object_ref (ledger);
  self->taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init (&self->mutex);
  return self;
}

/**
 * reeve_admission_orphans_free:
 * @self: orphans
 */
void
reeve_admission_orphans_free (ReeveAdmissionOrphans *self)
{
  g_object_unref (self->ledger);
  g_hash_table_unref (self->taken);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static char *
reeve_admission_orphans_name (const char *scope, guint64 intent)
{
  return g_strdup_printf ("%s/%" G_GUINT64_FORMAT, scope, intent);
}

/* Was @intent there when the ledger was opened, and has nobody taken it up? */
static gboolean
reeve_admission_orphans_has (ReeveAdmissionOrphans *self, const char *scope, guint64 intent)
{
  g_autofree char *name = reeve_admission_orphans_name (scope, intent);
  gboolean taken = FALSE;

  g_mutex_lock (&self->mutex);
  taken = g_hash_table_contains (self->taken, name);
  g_mutex_unlock (&self->mutex);
  return !taken && intent <= reeve_ledger_get_opening_size (self->ledger, scope);
}

/**
 * reeve_admission_orphans_take:
 * @self: orphans
 * @scope: whose log
 * @operation: what the intent must be of
 * @intent: its sequence number
 * @error: return location
 *
 * Takes up an intent: it will not be settled as unknown. Blocks.
 *
 * Returns: (transfer full): its record; %NULL with %REEVE_ERROR_CONFLICT when it is not open, taken
 * already or another operation's
 */
JsonObject *
reeve_admission_orphans_take (ReeveAdmissionOrphans *self, const char *scope, const char *operation,
                              guint64 intent, GError **error)
{
  g_autoptr (GPtrArray) open = reeve_ledger_list_open_intents (self->ledger, scope, error);

  if (open == NULL)
    return NULL;
  for (guint i = 0; i < open->len; i++)
    {
      JsonObject *found = g_ptr_array_index (open, i);

      if ((guint64) reeve_json_get_int (found, "seq", 0) != intent
          || g_strcmp0 (reeve_json_get_string (found, "action", NULL), operation) != 0
          || !reeve_admission_orphans_has (self, scope, intent))
        continue;
      g_mutex_lock (&self->mutex);
      g_hash_table_add (self->taken, reeve_admission_orphans_name (scope, intent));
      g_mutex_unlock (&self->mutex);
      return json_object_ref (found);
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "no intent %" G_GUINT64_FORMAT " of %s for %s waits for an outcome", intent, scope,
               operation);
  return NULL;
}

/* The outcome of one orphan; everything that says what it was is the intent's, but for what an
 * outcome leaves to it. */
static gboolean
reeve_admission_orphans_settle_one (ReeveAdmissionOrphans *self, const char *scope,
                                    JsonObject *intent, GError **error)
{
  JsonObject *actor = reeve_json_get_object (intent, "actor");
  JsonObject *resource = reeve_json_get_object (intent, "resource");
  g_autofree char *digest = reeve_admission_records_error_digest (
      reeve_error_get_name (REEVE_ERROR_UNKNOWN_OUTCOME), NULL);
  ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_OUTCOME,
    .scope = scope,
    .action = reeve_json_get_string (intent, "action", NULL),
    .actor_type = actor != NULL ? reeve_json_get_string (actor, "type", NULL) : NULL,
    .actor_id = actor != NULL ? reeve_json_get_string (actor, "id", NULL) : NULL,
    .key_id = reeve_json_get_string (intent, "key_id", NULL),
    .delegated_user_id = reeve_json_get_string (intent, "delegated_user_id", NULL),
    .agent_id = reeve_json_get_string (intent, "agent_id", NULL),
    .run_id = reeve_json_get_string (intent, "run_id", NULL),
    .resource_type = resource != NULL ? reeve_json_get_string (resource, "type", NULL) : NULL,
    .resource_id = resource != NULL ? reeve_json_get_string (resource, "id", NULL) : NULL,
    .tool_name = reeve_json_get_string (intent, "tool_name", NULL),
    .model = reeve_json_get_string (intent, "model", NULL),
    .parent = (guint64) reeve_json_get_int (intent, "parent", 0),
    .plugin_id = reeve_json_get_string (intent, "plugin_id", NULL),
    .intent = (guint64) reeve_json_get_int (intent, "seq", 0),
    .outcome = REEVE_OUTCOME_UNKNOWN,
    .reason = "host_restarted",
    .output_digest = digest,
    .door = "internal",
  };

  return reeve_ledger_append (self->ledger, &record, error) != 0;
}

static gboolean
reeve_admission_orphans_settle_scope (ReeveAdmissionOrphans *self, const char *scope,
                                      GError **error)
{
  g_autoptr (GPtrArray) open = reeve_ledger_list_open_intents (self->ledger, scope, error);

  if (open == NULL)
    return FALSE;
  for (guint i = 0; i < open->len; i++)
    {
      JsonObject *intent = g_ptr_array_index (open, i);

      if (reeve_admission_orphans_has (self, scope, (guint64) reeve_json_get_int (intent, "seq", 0))
          && !reeve_admission_orphans_settle_one (self, scope, intent, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * reeve_admission_orphans_settle:
 * @self: orphans
 * @error: return location
 *
 * Records the outcome `unknown` for all that nobody has taken up. Blocks.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_admission_orphans_settle (ReeveAdmissionOrphans *self, GError **error)
{
  g_auto (GStrv) scopes = reeve_ledger_list_scopes (self->ledger, error);

  if (scopes == NULL)
    return FALSE;
  for (guint i = 0; scopes[i] != NULL; i++)
    if (!reeve_admission_orphans_settle_scope (self, scopes[i], error))
      {
        g_prefix_error (error, "settling what was under way in %s: ", scopes[i]);
        return FALSE;
      }
  return TRUE;
}
