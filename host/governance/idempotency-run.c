/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run has a record of its own from its beginning to its end, so what a key's answer is can be
 * read there when nobody was left to keep it. */
#include "idempotency-run.h"

#include <reeve-plugin-1.h>
#include <string.h>

#include <reeve-json.h>

/**
 * reeve_idempotency_run_is_begun_by:
 * @operation: an operation
 *
 * Returns: whether it begins a run
 */
gboolean
reeve_idempotency_run_is_begun_by (const char *operation)
{
  static const char *const operations[] = { "agents.execute", "chat.create", NULL };

  return g_strv_contains (operations, operation);
}

/**
 * reeve_idempotency_run_read:
 * @store: where runs are
 * @scope: its tenant
 * @run_id: the run
 * @status: (out): of the answer
 * @absent: (out): it was never begun, so nothing was done
 * @error: return location
 *
 * Returns: (transfer full) (nullable): its answer; %NULL with %REEVE_ERROR_CONFLICT when it has not
 * ended
 */
JsonNode *
reeve_idempotency_run_read (ReeveStore *store, const char *scope, const char *run_id, guint *status,
                            gboolean *absent, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) record = reeve_store_get (store, scope, REEVE_STORE_RUNS, run_id, &local);
  JsonObject *fields = record != NULL ? reeve_record_get_fields (record) : NULL;
  JsonObject *result = fields != NULL ? reeve_json_get_object (fields, "result") : NULL;
  g_autofree char *text = NULL;

  *absent = g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  if (record == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  if (result == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "the request with this idempotency key began run %s, which is %s: ask for it by "
                   "its id",
                   run_id, reeve_json_get_string (fields, "status", "under way"));
      return NULL;
    }
  *status
      = strcmp (reeve_json_get_string (result, "status", ""), "waiting_approval") == 0 ? 202 : 200;
  /* as text: the members of a record are not for another thread */
  text = reeve_json_text (json_object_get_member (fields, "result"));
  return reeve_json_parse_strict (text, strlen (text), error);
}
