/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The role book with the roles of the configuration, told to everybody who asks it; elevations and
 * overrides. */
#include "startup-roles.h"

gboolean
reeve_startup_roles_open (ReeveServices *services, char **faulty, GError **error)
{
  JsonNode *roles = reeve_config_get_json (services->config, "rbac.custom_roles");
  gboolean enabled = reeve_config_get_boolean (services->config, "rbac.enabled");

  services->role_book = reeve_role_book_new (services->store);
  if (!reeve_role_book_configure (services->role_book, enabled,
                                  reeve_config_get_string (services->config, "rbac.default_role"),
                                  roles != NULL ? json_node_get_array (roles) : NULL, faulty,
                                  error))
    return FALSE;
  if (!enabled)
    g_warning ("rbac.enabled is false: whoever is let in may do everything in the own tenant");
  reeve_users_set_role_book (services->users, services->role_book);
  reeve_authentication_set_role_book (services->authentication, services->role_book);
  services->elevations
      = reeve_elevations_new (services->store, services->users, services->authentication);
  services->overrides
      = reeve_overrides_new (services->store, services->users, services->authentication);
  reeve_admission_set_grant (services->admission, reeve_overrides_grant, services->overrides);
  reeve_admission_add_check (services->admission, REEVE_STAGE_AUTHORISE, reeve_overrides_check,
                             services->overrides);
  return TRUE;
}
