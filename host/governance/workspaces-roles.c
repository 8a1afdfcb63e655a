/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles of members: what a role gives counts on what lies in that workspace, and on the workspace
 * itself; never beyond. */
#include <string.h>

#include "key-makers.h"
#include "workspaces-private.h"

/* What the role gives in a workspace. */
static gboolean
reeve_workspaces_roles_find (ReeveWorkspaces *self, const char *tenant_id, const char *role,
                             ReevePermissions *permissions, GPtrArray *grounds, GError **error)
{
  const char *const roles[] = { role, NULL };

  *permissions = 0;
  if (role == NULL)
    return TRUE;
  if (!reeve_role_book_union (reeve_users_get_role_book (self->users), tenant_id, roles,
                              permissions, grounds, error))
    return FALSE;
  *permissions &= reeve_caller_get_inside ();
  return TRUE;
}

/* One workspace: a credential that may do less than its user stays as weak as it was made. */
static gboolean
reeve_workspaces_roles_enter (ReeveWorkspaces *self, ReeveAuthenticationDraft *draft,
                              const char *workspace_id, const char *role, const char *const *makers,
                              GError **error)
{
  const char *const roles[] = { role, NULL };
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  ReevePermissions permissions = 0;

  if (!reeve_workspaces_roles_find (self, draft->tenant_id, role, &permissions, draft->grounds,
                                    error)
      || !reeve_role_book_add_contained (book, draft->tenant_id, roles, draft->marks, error))
    return FALSE;
  if (draft->whole && reeve_key_makers_may_have (self->users, draft, makers, permissions))
    reeve_authentication_draft_place (draft, workspace_id, permissions);
  return TRUE;
}

/**
 * reeve_workspaces_roles_step:
 * @draft: an identity on its way
 * @workspaces: a #ReeveWorkspaces
 * @error: return location
 *
 * A step of the way in, at %REEVE_ADMIT_PERMISSIONS.
 *
 * Returns: %FALSE with what kept it from finding out
 */
gboolean
reeve_workspaces_roles_step (ReeveAuthenticationDraft *draft, gpointer workspaces, GError **error)
{
  ReeveWorkspaces *self = workspaces;
  const char *user_id = reeve_identity_get_user_id (draft->identity);
  g_autoptr (ReeveWorkspaceBook) book = NULL;
  g_auto (GStrv) all = NULL;
  g_auto (GStrv) makers = NULL;
  gboolean asked = FALSE;

  if (!draft->known || user_id == NULL)
    return TRUE;
  book = reeve_workspaces_open_book (self, draft->tenant_id, error);
  if (book == NULL)
    return FALSE;
  all = reeve_workspace_book_list (book);
  for (guint i = 0; all[i] != NULL; i++)
    {
      const char *role = reeve_workspace_book_get_role (book, all[i], user_id);

      if (role == NULL)
        continue;
      if (!asked)
        makers = reeve_key_makers_read (self->store, draft);
      asked = TRUE;
      if (!reeve_workspaces_roles_enter (self, draft, all[i], role, (const char *const *) makers,
                                         error))
        return FALSE;
    }
  return TRUE;
}

/**
 * reeve_workspaces_roles_check:
 * @self: workspaces
 * @caller: who gives @role
 * @workspace_id: where
 * @role: (nullable): id of a role
 * @batch: what gives it: fails if the role is gone or another by then
 * @error: return location
 *
 * Nobody gives what he has not, or has for a time only, in that workspace.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT, or %REEVE_ERROR_PERMISSION_DENIED naming what
 * @caller lacks
 */
gboolean
reeve_workspaces_roles_check (ReeveWorkspaces *self, ReeveCaller *caller, const char *workspace_id,
                              const char *role, ReeveBatch *batch, GError **error)
{
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  const char *const roles[] = { role, NULL };
  ReevePermissions permissions = 0;
  g_auto (GStrv) lacking = NULL;

  if (role == NULL)
    return TRUE;
  if (!reeve_role_book_check_one (book, tenant_id, role, "/role", error)
      || !reeve_workspaces_roles_find (self, tenant_id, role, &permissions, NULL, error))
    return FALSE;
  lacking = reeve_roles_names (permissions & ~reeve_caller_get_lasting_in (caller, workspace_id));
  if (lacking[0] == NULL)
    return reeve_role_book_hold (book, tenant_id, roles, batch, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "permission %s is missing, so it cannot be given", lacking[0]);
  return FALSE;
}
