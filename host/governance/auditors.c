/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who audits must not have made what he audits. Roles change, and tokens bring theirs along: what
 * counts is the bound that admission sets (authentication-admit.c); what is asked for and could
 * never hold is refused here, in words. */
#include "auditors.h"

#include "directory.h"

#define REEVE_AUDITORS_ROLE "auditor"

static gboolean
reeve_auditors_judge_one (ReeveRoleBook *book, const char *tenant_id, const char *role_id,
                          gboolean *audits, ReevePermissions *held, GError **error)
{
  const char *const one[] = { role_id, NULL };
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (!reeve_role_book_union (book, tenant_id, one, held, NULL, error)
      || !reeve_role_book_add_contained (book, tenant_id, one, names, error))
    return FALSE;
  *audits = (*held & ~reeve_roles_reading ()) == 0
            && g_ptr_array_find_with_equal_func (names, REEVE_AUDITORS_ROLE, g_str_equal, NULL);
  return TRUE;
}

/**
 * reeve_auditors_judge:
 * @book: (nullable): which roles there are
 * @tenant_id: a tenant
 * @roles: (nullable): of somebody in it
 * @audits: (out): whether one of them makes him an auditor: `auditor`, or one that contains it and
 * only reads
 * @held: (out): what they hold together
 * @error: return location
 *
 * Returns: %FALSE with what kept the book from being read
 */
gboolean
reeve_auditors_judge (ReeveRoleBook *book, const char *tenant_id, const char *const *roles,
                      gboolean *audits, ReevePermissions *held, GError **error)
{
  *audits = FALSE;
  *held = 0;
  for (guint i = 0; roles != NULL && roles[i] != NULL; i++)
    {
      gboolean one_audits = FALSE;
      ReevePermissions one_holds = 0;

      if (!reeve_auditors_judge_one (book, tenant_id, roles[i], &one_audits, &one_holds, error))
        return FALSE;
      *audits = *audits || one_audits;
      *held |= one_holds;
    }
  return TRUE;
}

/**
 * reeve_auditors_check:
 * @book: (nullable): which roles there are
 * @tenant_id: a tenant
 * @roles: the member `roles` of what was asked
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when they make an auditor who does more than
 * read
 */
gboolean
reeve_auditors_check (ReeveRoleBook *book, const char *tenant_id, const char *const *roles,
                      GError **error)
{
  gboolean audits = FALSE;
  ReevePermissions held = 0;
  g_auto (GStrv) writing = NULL;

  if (!reeve_auditors_judge (book, tenant_id, roles, &audits, &held, error))
    return FALSE;
  writing = reeve_roles_names (held & ~reeve_roles_reading ());
  if (!audits || writing[0] == NULL)
    return TRUE;
  reeve_error_set_member (error, "/roles",
                          "an auditor is given nothing but reading, and another role holds %s",
                          writing[0]);
  return FALSE;
}

/**
 * reeve_auditors_check_both:
 * @book: (nullable): which roles there are
 * @tenant_id: a tenant
 * @has: (nullable): roles of somebody
 * @given: (nullable): what he is given besides
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT when he audits by the ones and does more than read by
 * the others
 */
gboolean
reeve_auditors_check_both (ReeveRoleBook *book, const char *tenant_id, const char *const *has,
                           const char *const *given, GError **error)
{
  gboolean audits = FALSE;
  gboolean is_to_audit = FALSE;
  ReevePermissions held = 0;
  ReevePermissions added = 0;

  if (!reeve_auditors_judge (book, tenant_id, has, &audits, &held, error)
      || !reeve_auditors_judge (book, tenant_id, given, &is_to_audit, &added, error))
    return FALSE;
  held &= ~reeve_roles_reading ();
  added &= ~reeve_roles_reading ();
  if ((!audits || added == 0) && (!is_to_audit || held == 0))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                       audits && added != 0
                           ? "the user is an auditor, who is given nothing but reading"
                           : "the user does more than read, and so is made no auditor");
  return FALSE;
}

/**
 * reeve_auditors_read_places:
 * @store: the store
 * @tenant_id: whose
 * @user_id: a user of it
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the roles that he has in workspaces; %NULL with an error of
 * the store
 */
char **
reeve_auditors_read_places (ReeveStore *store, const char *tenant_id, const char *user_id,
                            GError **error)
{
  g_autoptr (GStrvBuilder) roles = g_strv_builder_new ();
  g_autoptr (GPtrArray) records = reeve_directory_read_all (
      store, tenant_id, REEVE_STORE_WORKSPACE_MEMBERS, "user_id", user_id, error);

  if (records == NULL)
    return NULL;
  for (guint i = 0; i < records->len; i++)
    {
      const char *role = reeve_json_get_string (
          reeve_record_get_fields (g_ptr_array_index (records, i)), "role", NULL);

      if (role != NULL)
        g_strv_builder_add (roles, role);
    }
  return g_strv_builder_end (roles);
}
