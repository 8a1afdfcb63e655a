/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May somebody do something? Answered by letting the user in as the host would, and asking. */
#include "overrides.h"

static JsonObject *
reeve_overrides_evaluate_answer (gboolean allowed, char *reason)
{
  JsonObject *answer = json_object_new ();

  json_object_set_boolean_member (answer, "allowed", allowed);
  json_object_set_string_member (answer, "reason", reason);
  g_free (reason);
  return answer;
}

/* What @caller would hear. */
static JsonObject *
reeve_overrides_evaluate_caller (ReeveOverrides *self, ReeveCaller *caller, const char *permission,
                                 const char *resource_type, const char *resource_id,
                                 const char *workspace_id)
{
  g_autofree char *override_id = NULL;

  switch (
      reeve_overrides_decide (self, caller, permission, resource_type, resource_id, &override_id))
    {
    case REEVE_OVERRIDE_DENY:
      return reeve_overrides_evaluate_answer (
          FALSE, g_strdup_printf ("permission %s is denied here (%s)", permission, override_id));
    case REEVE_OVERRIDE_ALLOW:
      return reeve_overrides_evaluate_answer (
          TRUE, g_strdup_printf ("permission %s is allowed here (%s)", permission, override_id));
    case REEVE_OVERRIDE_NONE:
    default:
      break;
    }
  if (reeve_caller_has_permission (caller, permission))
    return reeve_overrides_evaluate_answer (TRUE,
                                            g_strdup_printf ("permission %s is held", permission));
  if (reeve_caller_has_permission_in (caller, permission, workspace_id))
    return reeve_overrides_evaluate_answer (
        TRUE, g_strdup_printf ("permission %s is held in workspace %s, by the role there",
                               permission, workspace_id));
  return reeve_overrides_evaluate_answer (FALSE,
                                          g_strdup_printf ("permission %s is missing", permission));
}

/**
 * reeve_overrides_evaluate:
 * @self: overrides
 * @tenant_id: a tenant
 * @user_id: a user of it
 * @permission: a permission
 * @resource_type: (nullable): of a thing
 * @resource_id: (nullable): the thing
 * @workspace_id: (nullable): where it lies
 * @error: return location
 *
 * By all the user's roles and elevations, as they are now; a key may do less. A denial is logged as
 * `access.denied`.
 *
 * Returns: (transfer full): {allowed, reason}; %NULL with %REEVE_ERROR_INVALID_ARGUMENT for what is
 * no permission, or %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_overrides_evaluate (ReeveOverrides *self, const char *tenant_id, const char *user_id,
                          const char *permission, const char *resource_type,
                          const char *resource_id, const char *workspace_id, GError **error)
{
  g_autoptr (ReeveCaller) caller = NULL;
  g_autoptr (GError) refused = NULL;
  JsonObject *answer = NULL;

  if (reeve_roles_match (permission) == 0)
    {
      reeve_error_set_member (error, "/action", "there is no permission %s", permission);
      return NULL;
    }
  caller = reeve_overrides_let_in (self, tenant_id, user_id, &refused);
  if (caller == NULL && !g_error_matches (refused, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED))
    {
      g_propagate_error (error, g_steal_pointer (&refused));
      return NULL;
    }
  answer = caller != NULL ? reeve_overrides_evaluate_caller (
               self, caller, permission, resource_type, resource_id, workspace_id)
                          : reeve_overrides_evaluate_answer (FALSE, g_strdup (refused->message));
  if (!json_object_get_boolean_member (answer, "allowed"))
    g_message ("access.denied: user %s, action %s, on %s %s: %s", user_id, permission,
               resource_type != NULL ? resource_type : "nothing",
               resource_id != NULL ? resource_id : "in particular",
               json_object_get_string_member (answer, "reason"));
  return answer;
}
