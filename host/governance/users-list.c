/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading users: one, some, all. One that was deleted is shown only to who asks for the deleted. */
#include "users-private.h"

#include <string.h>

#define REEVE_USERS_LIST_PAGE 50
/* pages that one call looks through for a role */
#define REEVE_USERS_LIST_PAGES 20

ReeveRecord *
reeve_users_read_record (ReeveUsers *self, const char *tenant_id, const char *user_id,
                         GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_USERS, user_id, error);

  if (record == NULL)
    return NULL;
  if (g_strcmp0 (reeve_json_get_string (reeve_record_get_fields (record), "status", NULL),
                 REEVE_USERS_DELETED)
      != 0)
    return g_steal_pointer (&record);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
               "reading from %s: there is no such record", REEVE_STORE_USERS);
  return NULL;
}

/**
 * reeve_users_get:
 * @self: users
 * @tenant_id: whose
 * @user_id: which
 * @error: return location
 *
 * Returns: (transfer full): the user; %NULL with %REEVE_ERROR_NOT_FOUND, also when it was deleted
 */
JsonObject *
reeve_users_get (ReeveUsers *self, const char *tenant_id, const char *user_id, GError **error)
{
  g_autoptr (ReeveRecord) record = reeve_users_read_record (self, tenant_id, user_id, error);

  return record != NULL ? reeve_users_show (record) : NULL;
}

/**
 * reeve_users_get_in_line:
 * @self: users
 * @tenant_id: whose
 * @user_id: which
 * @error: return location
 *
 * Returns: (transfer full): the user with `manager` and `subordinates`; %NULL with
 * %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_users_get_in_line (ReeveUsers *self, const char *tenant_id, const char *user_id,
                         GError **error)
{
  g_autoptr (JsonObject) shown = reeve_users_get (self, tenant_id, user_id, error);

  if (shown == NULL || !reeve_users_line_show (self, tenant_id, shown, error))
    return NULL;
  return g_steal_pointer (&shown);
}

void
reeve_users_list_filter_status (ReeveQuery *query, const char *status)
{
  static const char *const present[] = { REEVE_USERS_ACTIVE, REEVE_USERS_DISABLED };
  g_autoptr (JsonNode) node = NULL;
  JsonArray *words = NULL;

  if (status != NULL)
    {
      reeve_query_filter_string (query, "status", REEVE_FILTER_EQ, status);
      return;
    }
  words = json_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (present); i++)
    json_array_add_string_element (words, present[i]);
  node = json_node_new (JSON_NODE_ARRAY);
  json_node_take_array (node, words);
  reeve_query_filter (query, "status", REEVE_FILTER_IN, node);
}

/* One page of the store. */
static JsonObject *
reeve_users_list_page (ReeveUsers *self, const char *tenant_id, JsonObject *params, GError **error)
{
  static const struct
  {
    const char *parameter;
    const char *field;
    ReeveFilterOp op;
  } filters[] = { { "kind", "kind", REEVE_FILTER_EQ },
                  { "manager_id", "manager_id", REEVE_FILTER_EQ },
                  { "username", "username", REEVE_FILTER_PREFIX } };
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_USERS);

  for (guint i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      const char *value = reeve_json_get_string (params, filters[i].parameter, NULL);

      if (value != NULL)
        reeve_query_filter_string (query, filters[i].field, filters[i].op, value);
    }
  reeve_users_list_filter_status (query, reeve_json_get_string (params, "status", NULL));
  return reeve_directory_list (self->store, query, params, reeve_users_show, error);
}

/* Moves those of a page that have a role. */
static void
reeve_users_list_choose (JsonObject *page, const char *role, JsonArray *chosen)
{
  JsonArray *items = json_object_get_array_member (page, "items");

  for (guint i = 0; i < json_array_get_length (items); i++)
    {
      JsonObject *user = json_array_get_object_element (items, i);
      g_auto (GStrv) roles = reeve_directory_get_strings (user, "roles");

      if (g_strv_contains ((const char *const *) roles, role))
        json_array_add_object_element (chosen, json_object_ref (user));
    }
}

/* Roles are no field that the store can look for: pages are gone through, each only as long as what
 * is still missing, so that its cursor stands behind the last that was looked at. */
static JsonObject *
reeve_users_list_by_role (ReeveUsers *self, const char *tenant_id, JsonObject *params,
                          const char *role, GError **error)
{
  gint64 limit = reeve_json_get_int (params, "limit", REEVE_USERS_LIST_PAGE);
  g_autoptr (JsonObject) asked = reeve_directory_dup (params);
  g_autoptr (JsonObject) page = NULL;
  JsonArray *chosen = json_array_new ();
  const char *cursor = "";

  for (guint pages = 0; cursor != NULL && pages < REEVE_USERS_LIST_PAGES
                        && (gint64) json_array_get_length (chosen) < limit;
       pages++)
    {
      g_clear_pointer (&page, json_object_unref);
      json_object_set_int_member (asked, "limit", limit - json_array_get_length (chosen));
      page = reeve_users_list_page (self, tenant_id, asked, error);
      if (page == NULL)
        {
          json_array_unref (chosen);
          return NULL;
        }
      reeve_users_list_choose (page, role, chosen);
      cursor = reeve_json_get_string (page, "next_cursor", NULL);
      if (cursor != NULL)
        json_object_set_string_member (asked, "cursor", cursor);
    }
  json_object_set_array_member (page, "items", chosen);
  return g_steal_pointer (&page);
}

/**
 * reeve_users_list:
 * @self: users
 * @tenant_id: whose
 * @params: {limit?, cursor?, kind?, status?, role?, username? (a beginning), manager_id?}
 * @error: return location
 *
 * Without a status those that were deleted are left out. With a role a page may be short, even
 * empty, and still have a cursor.
 *
 * Returns: (transfer full): {items, next_cursor}; %NULL with an error
 */
JsonObject *
reeve_users_list (ReeveUsers *self, const char *tenant_id, JsonObject *params, GError **error)
{
  const char *role = reeve_json_get_string (params, "role", NULL);

  return role != NULL ? reeve_users_list_by_role (self, tenant_id, params, role, error)
                      : reeve_users_list_page (self, tenant_id, params, error);
}
