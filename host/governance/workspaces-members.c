/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of a workspace: who belongs to it, and with which role. */
#include "workspaces-private.h"

#include "base/times.h"

#include "auditors.h"
#include "directory.h"
#include "elevations.h"

static char *
reeve_workspaces_members_get_id (const char *workspace_id, const char *user_id)
{
  return g_strconcat (workspace_id, ":", user_id, NULL);
}

static gboolean
reeve_workspaces_members_is_there (ReeveWorkspaces *self, const char *tenant_id, const char *id)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_WORKSPACE_MEMBERS, id, NULL);

  return record != NULL;
}

static JsonObject *
reeve_workspaces_members_refuse_twice (GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS,
                       "the user is a member of the workspace already");
  return NULL;
}

static JsonObject *
reeve_workspaces_members_show (ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  reeve_directory_copy (fields, shown, "workspace_id");
  reeve_directory_copy (fields, shown, "user_id");
  reeve_directory_copy (fields, shown, "role");
  reeve_directory_show_time (fields, shown, "created_at");
  return shown;
}

/* Who audits is given no work, not in a workspace either. */
static gboolean
reeve_workspaces_members_check_auditor (ReeveWorkspaces *self, const char *tenant_id,
                                        const char *user_id, const char *role, GError **error)
{
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  const char *const given[] = { role, NULL };
  g_autoptr (JsonObject) user = NULL;
  g_auto (GStrv) roles = NULL;
  g_auto (GStrv) elevated = NULL;

  if (role == NULL)
    return TRUE;
  user = reeve_users_get (self->users, tenant_id, user_id, error);
  if (user == NULL)
    return FALSE;
  roles = reeve_directory_get_strings (user, "roles");
  elevated = reeve_elevations_read_roles (self->store, tenant_id, user_id, error);
  return elevated != NULL
         && reeve_auditors_check_both (book, tenant_id, (const char *const *) roles, given, error)
         && reeve_auditors_check_both (book, tenant_id, (const char *const *) elevated, given,
                                       error);
}

/* Is the user there, and may he be given the role (nullable)? */
static gboolean
reeve_workspaces_members_check (ReeveWorkspaces *self, ReeveCaller *caller, const char *user_id,
                                JsonObject *params, ReeveBatch *batch, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  const char *role = reeve_json_get_string (params, "role", NULL);
  ReeveUsersAccount account = { 0 };

  if (!reeve_users_read (self->users, tenant_id, user_id, &account, error))
    return FALSE;
  if (account.deleted)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such user");
      return FALSE;
    }
  /* from now on nobody deletes him without having seen this */
  reeve_users_note_ties (batch, user_id);
  return reeve_workspaces_roles_check (
             self, caller, reeve_json_get_string (params, "workspace_id", ""), role, batch, error)
         && reeve_workspaces_members_check_auditor (self, tenant_id, user_id, role, error);
}

/**
 * reeve_workspaces_add_member:
 * @self: workspaces
 * @admitted: the right to `workspaces.add_member`
 * @params: {workspace_id, user_id, role?}
 * @error: return location
 *
 * Returns: (transfer full): the membership; %NULL with %REEVE_ERROR_NOT_FOUND (the user),
 * %REEVE_ERROR_ALREADY_EXISTS, %REEVE_ERROR_CONFLICT (an auditor), %REEVE_ERROR_INVALID_ARGUMENT,
 * %REEVE_ERROR_PERMISSION_DENIED (the role)
 */
JsonObject *
reeve_workspaces_add_member (ReeveWorkspaces *self, ReeveAdmitted *admitted, JsonObject *params,
                             GError **error)
{
  const char *tenant_id = reeve_workspaces_get_tenant (admitted);
  const char *workspace_id = reeve_json_get_string (params, "workspace_id", "");
  const char *user_id = reeve_json_get_string (params, "user_id", "");
  g_autofree char *id = reeve_workspaces_members_get_id (workspace_id, user_id);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autoptr (ReeveRecord) record = NULL;
  g_autoptr (GError) local = NULL;

  if (!reeve_workspaces_members_check (self, reeve_admitted_get_caller (admitted), user_id, params,
                                       batch, error))
    return NULL;
  if (reeve_workspaces_members_is_there (self, tenant_id, id))
    return reeve_workspaces_members_refuse_twice (error);
  json_object_set_string_member (fields, "workspace_id", workspace_id);
  json_object_set_string_member (fields, "user_id", user_id);
  reeve_directory_copy (params, fields, "role");
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  reeve_workspaces_count (batch, workspace_id, 0);
  reeve_batch_put (batch, REEVE_STORE_WORKSPACE_MEMBERS, id, fields, REEVE_REVISION_ABSENT);
  if (!reeve_workspaces_commit (self, admitted, "workspaces.add_member", workspace_id, params,
                                batch, &local))
    {
      /* two at once */
      if (reeve_workspaces_members_is_there (self, tenant_id, id))
        return reeve_workspaces_members_refuse_twice (error);
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  record = reeve_record_new (id, 1, fields);
  return reeve_workspaces_members_show (record);
}

/* Does @to give less than @from (both nullable) in a workspace? */
static gboolean
reeve_workspaces_members_is_less (ReeveWorkspaces *self, const char *tenant_id, const char *from,
                                  const char *to)
{
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  const char *const before[] = { from, NULL };
  const char *const after[] = { to, NULL };
  ReevePermissions had = 0;
  ReevePermissions has = 0;

  return !reeve_role_book_union (book, tenant_id, before, &had, NULL, NULL)
         || !reeve_role_book_union (book, tenant_id, after, &has, NULL, NULL) || (had & ~has) != 0;
}

/**
 * reeve_workspaces_update_member:
 * @self: workspaces
 * @admitted: the right to `workspaces.update_member`
 * @params: {workspace_id, member_id, role}, role null for none
 * @error: return location
 *
 * Gives a member another role. Where it gives less than before, runs of his that are under way have
 * no further effects.
 *
 * Returns: (transfer full): the membership; %NULL with %REEVE_ERROR_NOT_FOUND when he is no member,
 * %REEVE_ERROR_CONFLICT (an auditor; somebody else changed it meanwhile),
 * %REEVE_ERROR_INVALID_ARGUMENT, %REEVE_ERROR_PERMISSION_DENIED (the role)
 */
JsonObject *
reeve_workspaces_update_member (ReeveWorkspaces *self, ReeveAdmitted *admitted, JsonObject *params,
                                GError **error)
{
  const char *tenant_id = reeve_workspaces_get_tenant (admitted);
  const char *workspace_id = reeve_json_get_string (params, "workspace_id", "");
  const char *user_id = reeve_json_get_string (params, "member_id", "");
  const char *role = reeve_json_get_string (params, "role", NULL);
  g_autofree char *id = reeve_workspaces_members_get_id (workspace_id, user_id);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_WORKSPACE_MEMBERS, id, error);
  g_autoptr (ReeveRecord) changed = NULL;
  g_autoptr (JsonObject) fields = NULL;
  const char *before = NULL;

  if (record == NULL
      || !reeve_workspaces_members_check (self, reeve_admitted_get_caller (admitted), user_id,
                                          params, batch, error))
    return NULL;
  before = reeve_json_get_string (reeve_record_get_fields (record), "role", NULL);
  fields = reeve_directory_dup (reeve_record_get_fields (record));
  json_object_remove_member (fields, "role");
  if (role != NULL)
    json_object_set_string_member (fields, "role", role);
  reeve_batch_put (batch, REEVE_STORE_WORKSPACE_MEMBERS, id, fields,
                   reeve_record_get_revision (record));
  if (!reeve_workspaces_commit (self, admitted, "workspaces.update_member", workspace_id, params,
                                batch, error))
    return NULL;
  if (reeve_workspaces_members_is_less (self, tenant_id, before, role))
    reeve_authentication_revoke_user (self->authentication, tenant_id, user_id);
  changed = reeve_record_new (id, 1, fields);
  return reeve_workspaces_members_show (changed);
}

/**
 * reeve_workspaces_remove_member:
 * @self: workspaces
 * @admitted: the right to `workspaces.remove_member`
 * @params: {workspace_id, member_id}
 * @error: return location
 *
 * From now on the user sees nothing of it, and runs of his have no further effects.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND when he is no member
 */
gboolean
reeve_workspaces_remove_member (ReeveWorkspaces *self, ReeveAdmitted *admitted, JsonObject *params,
                                GError **error)
{
  const char *tenant_id = reeve_workspaces_get_tenant (admitted);
  const char *workspace_id = reeve_json_get_string (params, "workspace_id", "");
  const char *user_id = reeve_json_get_string (params, "member_id", "");
  g_autofree char *id = reeve_workspaces_members_get_id (workspace_id, user_id);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_WORKSPACE_MEMBERS, id, error);

  if (record == NULL)
    return FALSE;
  reeve_batch_delete (batch, REEVE_STORE_WORKSPACE_MEMBERS, id, reeve_record_get_revision (record));
  if (!reeve_workspaces_commit (self, admitted, "workspaces.remove_member", workspace_id, params,
                                batch, error))
    return FALSE;
  reeve_authentication_revoke_user (self->authentication, tenant_id, user_id);
  return TRUE;
}

/**
 * reeve_workspaces_list_members:
 * @self: workspaces
 * @caller: who asks; sees the workspace
 * @params: {workspace_id, limit?, cursor?}
 * @error: return location
 *
 * Returns: (transfer full): {items, next_cursor}; %NULL with an error
 */
JsonObject *
reeve_workspaces_list_members (ReeveWorkspaces *self, ReeveCaller *caller, JsonObject *params,
                               GError **error)
{
  g_autoptr (ReeveQuery) query
      = reeve_query_new (reeve_caller_get_tenant_id (caller), REEVE_STORE_WORKSPACE_MEMBERS);

  reeve_query_filter_string (query, "workspace_id", REEVE_FILTER_EQ,
                             reeve_json_get_string (params, "workspace_id", ""));
  return reeve_directory_list (self->store, query, params, reeve_workspaces_members_show, error);
}
