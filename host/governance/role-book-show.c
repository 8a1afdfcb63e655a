/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles as they are shown: what each holds of its own, and all of it. */
#include "role-book-private.h"

#include <string.h>

#include "directory.h"

static void
reeve_role_book_show_held (JsonObject *shown, ReevePermissions held)
{
  g_auto (GStrv) names = reeve_roles_names (held);
  const char *level = reeve_roles_get_level (held);

  reeve_directory_set_strings (shown, "effective", (const char *const *) names);
  if (level != NULL)
    json_object_set_string_member (shown, "level", level);
  else
    json_object_set_null_member (shown, "level");
}

static JsonObject *
reeve_role_book_show_fixed (const char *role_id, const char *name, const char *description,
                            const char *const *permissions, const char *const *inherits)
{
  JsonObject *shown = json_object_new ();
  const ReeveRolesShipped *shipped = reeve_roles_find_shipped (role_id);

  json_object_set_string_member (shown, "role_id", role_id);
  json_object_set_string_member (shown, "name", name);
  json_object_set_string_member (shown, "description", description);
  reeve_directory_set_strings (shown, "permissions", permissions);
  reeve_directory_set_strings (shown, "inherits", inherits);
  json_object_set_null_member (shown, "tenant_id");
  json_object_set_boolean_member (shown, "is_system_role", shipped != NULL && shipped->system);
  json_object_set_boolean_member (shown, "is_editable", FALSE);
  json_object_set_boolean_member (shown, "assignable", strcmp (role_id, REEVE_ROLES_SUPER) != 0);
  json_object_set_object_member (shown, "metadata", json_object_new ());
  return shown;
}

static JsonObject *
reeve_role_book_show_shipped (const ReeveRolesShipped *role)
{
  ReevePermissions held = 0;
  g_auto (GStrv) permissions = NULL;
  g_auto (GStrv) inherits = g_strsplit (role->inherits != NULL ? role->inherits : "", " ", -1);
  JsonObject *shown = NULL;

  if (!reeve_roles_find (role->name, &held))
    held = reeve_roles_all ();
  permissions = role->permissions != NULL ? g_strsplit (role->permissions, " ", -1)
                                          : reeve_roles_names (held);
  shown = reeve_role_book_show_fixed (role->name, role->name, role->description,
                                      (const char *const *) permissions,
                                      (const char *const *) inherits);
  reeve_role_book_show_held (shown, held);
  return shown;
}

static JsonObject *
reeve_role_book_show_configured (ReeveRoleBook *self, const ReeveRoleBookConfigured *role)
{
  ReevePermissions held = 0;
  JsonObject *shown = reeve_role_book_show_fixed (
      role->role_id, role->role_id + strlen (REEVE_ROLE_BOOK_PREFIX), role->description,
      (const char *const *) role->permissions, (const char *const *) role->inherits);

  reeve_role_page_find (self->everywhere, role->role_id, &held, NULL);
  reeve_role_book_show_held (shown, held);
  return shown;
}

static JsonObject *
reeve_role_book_show_record (const char *tenant_id, ReeveRolePage *page, ReeveRecord *record)
{
  static const char *const members[]
      = { "name", "description", "permissions", "inherits", "metadata" };
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();
  ReevePermissions held = 0;

  json_object_set_string_member (shown, "role_id", reeve_record_get_id (record));
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (fields, shown, members[i]);
  json_object_set_string_member (shown, "tenant_id", tenant_id);
  json_object_set_boolean_member (shown, "is_system_role", FALSE);
  json_object_set_boolean_member (shown, "is_editable", TRUE);
  json_object_set_boolean_member (shown, "assignable", TRUE);
  reeve_role_page_find (page, reeve_record_get_id (record), &held, NULL);
  reeve_role_book_show_held (shown, held);
  reeve_directory_show_time (fields, shown, "created_at");
  reeve_directory_show_time (fields, shown, "updated_at");
  return shown;
}

/**
 * reeve_role_book_get:
 * @self: the book
 * @tenant_id: a tenant
 * @role_id: a role
 * @error: return location
 *
 * Returns: (transfer full): the role; %NULL with %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_role_book_get (ReeveRoleBook *self, const char *tenant_id, const char *role_id,
                     GError **error)
{
  const ReeveRolesShipped *shipped = reeve_roles_find_shipped (role_id);
  g_autoptr (ReeveRolePage) page = NULL;
  g_autoptr (ReeveRecord) record = NULL;

  if (shipped != NULL)
    return reeve_role_book_show_shipped (shipped);
  for (guint i = 0; i < self->configured->len; i++)
    {
      const ReeveRoleBookConfigured *role = g_ptr_array_index (self->configured, i);

      if (strcmp (role->role_id, role_id) == 0)
        return reeve_role_book_show_configured (self, role);
    }
  record = reeve_store_get (self->store, tenant_id, REEVE_STORE_ROLES, role_id, error);
  page = record != NULL ? reeve_role_book_open (self, tenant_id, error) : NULL;
  return page != NULL ? reeve_role_book_show_record (tenant_id, page, record) : NULL;
}

/**
 * reeve_role_book_list:
 * @self: the book
 * @tenant_id: a tenant
 * @error: return location
 *
 * Returns: (transfer full): all roles: the shipped ones, those of the configuration, the tenant's
 * own by age; %NULL with an error
 */
JsonArray *
reeve_role_book_list (ReeveRoleBook *self, const char *tenant_id, GError **error)
{
  g_autoptr (JsonArray) all = json_array_new ();
  g_autoptr (ReeveRolePage) page = reeve_role_book_open (self, tenant_id, error);
  g_autoptr (GPtrArray) records = NULL;

  if (page != NULL)
    records
        = reeve_directory_read_all (self->store, tenant_id, REEVE_STORE_ROLES, NULL, NULL, error);
  if (records == NULL)
    return NULL;
  for (guint i = 0; reeve_roles_get_shipped (i) != NULL; i++)
    json_array_add_object_element (all, reeve_role_book_show_shipped (reeve_roles_get_shipped (i)));
  for (guint i = 0; i < self->configured->len; i++)
    json_array_add_object_element (
        all, reeve_role_book_show_configured (self, g_ptr_array_index (self->configured, i)));
  for (guint i = 0; i < records->len; i++)
    json_array_add_object_element (
        all, reeve_role_book_show_record (tenant_id, page, g_ptr_array_index (records, i)));
  return g_steal_pointer (&all);
}
