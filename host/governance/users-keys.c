/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The API keys of a user who goes. */
#include "users-private.h"

#include "base/times.h"

/* Revokes those of a page that are not yet; *cursor: of the next page, NULL at the end. */
static gboolean
reeve_users_keys_revoke_page (ReeveUsers *self, ReeveAdmitted *admitted, const char *user_id,
                              char **cursor, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveQueryResult) found = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;
  GPtrArray *records = NULL;

  reeve_admitted_expect (admitted, "users.delete", user_id, NULL);
  reeve_query_filter_string (query, "tenant_id", REEVE_FILTER_EQ,
                             reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted)));
  reeve_query_filter_string (query, "user_id", REEVE_FILTER_EQ, user_id);
  reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
  reeve_query_cursor (query, *cursor);
  found = reeve_store_query (self->store, query, error);
  if (found == NULL)
    return FALSE;
  g_free (*cursor);
  *cursor = g_strdup (reeve_query_result_get_cursor (found));
  records = reeve_query_result_get_records (found);
  for (guint i = 0; i < records->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (records, i);
      g_autoptr (JsonObject) fields = reeve_directory_dup (reeve_record_get_fields (record));

      if (reeve_json_get_int (fields, "revoked_at", 0) != 0)
        continue;
      json_object_set_int_member (fields, "revoked_at", reeve_times_now ());
      reeve_batch_put (batch, REEVE_STORE_API_KEYS, reeve_record_get_id (record), fields,
                       REEVE_REVISION_ANY);
    }
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL;
}

/**
 * reeve_users_keys_revoke:
 * @self: users
 * @admitted: the right to `users.delete`, consumed by reeve_users_delete()
 * @user_id: who was deleted
 * @error: return location
 *
 * Revokes all of the user's API keys. They let nobody in already, since there is no such user: this
 * has them shown as what they are.
 *
 * Returns: %FALSE with an error of the store
 */
gboolean
reeve_users_keys_revoke (ReeveUsers *self, ReeveAdmitted *admitted, const char *user_id,
                         GError **error)
{
  g_autofree char *cursor = NULL;

  do
    if (!reeve_users_keys_revoke_page (self, admitted, user_id, &cursor, error))
      return FALSE;
  while (cursor != NULL);
  return TRUE;
}
