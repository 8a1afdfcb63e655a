/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may lay hands on whom: nobody touches somebody who holds more, be it for a time. */
#include "users-private.h"

#include "elevations.h"

/* What the elevations of a user give now. */
static gboolean
reeve_users_reach_add_elevations (ReeveUsers *self, const char *tenant_id, const char *user_id,
                                  ReevePermissions *held, GError **error)
{
  g_autoptr (GPtrArray) active
      = reeve_elevations_read_active (self->store, tenant_id, user_id, error);

  if (active == NULL)
    return FALSE;
  for (guint i = 0; i < active->len; i++)
    {
      JsonObject *fields = reeve_record_get_fields (g_ptr_array_index (active, i));
      const char *const roles[] = { reeve_json_get_string (fields, "role", ""), NULL };
      ReevePermissions more = 0;

      if (!reeve_role_book_union (self->book, tenant_id, roles, &more, NULL, error))
        return FALSE;
      *held |= more;
    }
  return TRUE;
}

/* What he holds in workspaces, he who reaches him holds there as well. */
static gboolean
reeve_users_reach_check_members (ReeveUsers *self, ReeveCaller *caller, const char *user_id,
                                 ReevePermissions own, const char *what, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autoptr (GPtrArray) records = reeve_directory_read_all (
      self->store, tenant_id, REEVE_STORE_WORKSPACE_MEMBERS, "user_id", user_id, error);

  for (guint i = 0; records != NULL && i < records->len; i++)
    {
      JsonObject *fields = reeve_record_get_fields (g_ptr_array_index (records, i));
      const char *workspace_id = reeve_json_get_string (fields, "workspace_id", "");
      const char *const roles[] = { reeve_json_get_string (fields, "role", NULL), NULL };
      ReevePermissions held = 0;
      g_auto (GStrv) lacking = NULL;

      if (!reeve_role_book_union (self->book, tenant_id, roles, &held, NULL, error))
        return FALSE;
      lacking = reeve_roles_names (held & reeve_caller_get_inside ()
                                   & ~(own | reeve_caller_get_lasting_in (caller, workspace_id)));
      if (lacking[0] == NULL)
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                   "permission %s is missing, so who holds it in a workspace cannot be %s",
                   lacking[0], what);
      return FALSE;
    }
  return records != NULL;
}

/**
 * reeve_users_reach_check:
 * @self: users
 * @caller: who wants to do something to a user of the tenant it acts in
 * @user_id: to whom
 * @own: what @caller may use for it: all that it holds, or what it holds not only for a time
 * @what: for the error: what cannot be done to who holds it
 * @error: return location
 *
 * What the user holds is what his record says, what he is elevated to, and what his roles in
 * workspaces give there. Everybody reaches
 * himself.
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED that names the permission, or
 * %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_users_reach_check (ReeveUsers *self, ReeveCaller *caller, const char *user_id,
                         ReevePermissions own, const char *what, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  ReeveUsersAccount account = { 0 };
  g_auto (GStrv) lacking = NULL;

  if (g_strcmp0 (user_id, reeve_caller_get_user_id (caller)) == 0
      && g_strcmp0 (tenant_id, reeve_caller_get_home_tenant_id (caller)) == 0)
    return TRUE;
  if (!reeve_users_read (self, tenant_id, user_id, &account, error))
    return FALSE;
  if (account.platform_admin && !reeve_caller_is_platform_admin (caller))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                   "this is the platform admin: %s by nobody else", what);
      return FALSE;
    }
  if (reeve_caller_is_platform_admin (caller))
    return TRUE;
  if (!reeve_users_reach_add_elevations (self, tenant_id, user_id, &account.permissions, error))
    return FALSE;
  lacking = reeve_roles_names (account.permissions & ~own);
  if (lacking[0] == NULL)
    return reeve_users_reach_check_members (self, caller, user_id, own, what, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "permission %s is missing, so who holds it cannot be %s", lacking[0], what);
  return FALSE;
}
