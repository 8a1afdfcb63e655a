/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reporting line. A user names his manager; whoever stands under whom is found by that name.
 * That nobody stands under himself is a condition of the batch that names a manager: every record
 * on the way up is as it was when it was looked at. */
#include "users-private.h"

#include <string.h>

#define REEVE_USERS_LINE_DEPTH 64
/* subordinates that are shown with a user */
#define REEVE_USERS_LINE_SHOWN 100

/**
 * reeve_users_line_check:
 * @self: users
 * @tenant_id: whose
 * @user_id: (nullable): whose manager it is to be; %NULL for one that is being made
 * @manager_id: of the same tenant
 * @batch: gets the conditions under which this holds
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND when there is no such user, %REEVE_ERROR_CONFLICT
 * when the line would be a circle or too long
 */
gboolean
reeve_users_line_check (ReeveUsers *self, const char *tenant_id, const char *user_id,
                        const char *manager_id, ReeveBatch *batch, GError **error)
{
  g_autofree char *next = g_strdup (manager_id);

  for (guint depth = 0; next != NULL; depth++)
    {
      g_autoptr (ReeveRecord) record = NULL;

      if (g_strcmp0 (next, user_id) == 0 || depth >= REEVE_USERS_LINE_DEPTH)
        {
          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                               depth < REEVE_USERS_LINE_DEPTH
                                   ? "manager_id: nobody is his own manager, over however many"
                                   : "manager_id: the line of managers would be too long");
          return FALSE;
        }
      record = reeve_users_read_record (self, tenant_id, next, error);
      if (record == NULL)
        {
          g_prefix_error (error, "manager_id: ");
          return FALSE;
        }
      reeve_batch_check (batch, REEVE_STORE_USERS, next, reeve_record_get_revision (record));
      g_free (next);
      next
          = g_strdup (reeve_json_get_string (reeve_record_get_fields (record), "manager_id", NULL));
    }
  return TRUE;
}

/* (transfer full): a page of those whose manager that is */
static ReeveQueryResult *
reeve_users_line_find (ReeveUsers *self, const char *tenant_id, const char *manager_id, guint limit,
                       GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_USERS);

  reeve_query_filter_string (query, "manager_id", REEVE_FILTER_EQ, manager_id);
  reeve_query_order (query, "created_at", FALSE);
  reeve_query_limit (query, limit);
  return reeve_store_query (self->store, query, error);
}

/**
 * reeve_users_line_release:
 * @self: users
 * @tenant_id: whose
 * @manager_id: who goes
 * @batch: that lets him go
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT when there are more than one batch can change
 */
gboolean
reeve_users_line_release (ReeveUsers *self, const char *tenant_id, const char *manager_id,
                          ReeveBatch *batch, GError **error)
{
  g_autoptr (ReeveQueryResult) found
      = reeve_users_line_find (self, tenant_id, manager_id, REEVE_QUERY_MAX_LIMIT, error);
  GPtrArray *records = found != NULL ? reeve_query_result_get_records (found) : NULL;

  if (records == NULL)
    return FALSE;
  if (reeve_query_result_get_cursor (found) != NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "more than %d users stand under this one: give them another manager first",
                   REEVE_QUERY_MAX_LIMIT);
      return FALSE;
    }
  for (guint i = 0; i < records->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (records, i);
      g_autoptr (JsonObject) fields = reeve_directory_dup (reeve_record_get_fields (record));

      json_object_remove_member (fields, "manager_id");
      reeve_batch_put (batch, REEVE_STORE_USERS, reeve_record_get_id (record), fields,
                       reeve_record_get_revision (record));
    }
  return TRUE;
}

static JsonObject *
reeve_users_line_name (ReeveRecord *record)
{
  JsonObject *named = json_object_new ();

  json_object_set_string_member (named, "user_id", reeve_record_get_id (record));
  reeve_directory_copy (reeve_record_get_fields (record), named, "username");
  return named;
}

/**
 * reeve_users_line_show:
 * @self: users
 * @tenant_id: whose
 * @shown: a user as shown outside; gets `manager`, null for none, and the first `subordinates`
 * @error: return location
 *
 * Returns: %FALSE with an error of the store
 */
gboolean
reeve_users_line_show (ReeveUsers *self, const char *tenant_id, JsonObject *shown, GError **error)
{
  const char *user_id = reeve_json_get_string (shown, "user_id", "");
  const char *manager_id = reeve_json_get_string (shown, "manager_id", NULL);
  g_autoptr (ReeveRecord) manager
      = manager_id != NULL ? reeve_users_read_record (self, tenant_id, manager_id, NULL) : NULL;
  g_autoptr (ReeveQueryResult) found
      = reeve_users_line_find (self, tenant_id, user_id, REEVE_USERS_LINE_SHOWN, error);
  GPtrArray *records = found != NULL ? reeve_query_result_get_records (found) : NULL;
  JsonArray *subordinates = NULL;

  if (records == NULL)
    return FALSE;
  if (manager != NULL)
    json_object_set_object_member (shown, "manager", reeve_users_line_name (manager));
  else
    json_object_set_null_member (shown, "manager");
  subordinates = json_array_new ();
  for (guint i = 0; i < records->len; i++)
    json_array_add_object_element (subordinates,
                                   reeve_users_line_name (g_ptr_array_index (records, i)));
  json_object_set_array_member (shown, "subordinates", subordinates);
  return TRUE;
}
