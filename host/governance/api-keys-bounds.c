/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a new key may be: never more than who makes it, whom it is for, and the key it is made with.
 */
#include <string.h>

#include "api-keys-private.h"
#include "directory.h"
#include "roles.h"

static gboolean
reeve_api_keys_bounds_deny (GError **error, const char *text)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, text);
  return FALSE;
}

static gboolean
reeve_api_keys_bounds_check_user (ReeveCaller *caller, const char *user_id, GError **error)
{
  gboolean own
      = g_strcmp0 (user_id, reeve_caller_get_user_id (caller)) == 0
        && g_strcmp0 (reeve_caller_get_tenant_id (caller), reeve_caller_get_home_tenant_id (caller))
               == 0;

  return own || reeve_caller_has_permission (caller, "user:manage")
         || reeve_api_keys_bounds_deny (error, "permission user:manage is missing");
}

/* Every permission that a scope names must be the maker's, and not only for a time. @cap: what the
 * scopes leave. */
static gboolean
reeve_api_keys_bounds_check_scopes (ReeveCaller *caller, JsonObject *fields, ReevePermissions *cap,
                                    GError **error)
{
  g_auto (GStrv) scopes = reeve_directory_get_strings (fields, "scopes");

  *cap = json_object_has_member (fields, "scopes") ? 0 : reeve_roles_all ();
  for (guint i = 0; scopes[i] != NULL; i++)
    {
      ReevePermissions named = reeve_roles_match (scopes[i]);
      g_auto (GStrv) names = reeve_roles_names (named);

      if (named == 0)
        {
          reeve_error_set_member (error, "", "there is no permission %s", scopes[i]);
          reeve_error_prefix_member (error, "/scopes/%u", i);
          return FALSE;
        }
      for (guint k = 0; names[k] != NULL; k++)
        if ((reeve_roles_match (names[k]) & ~reeve_caller_get_lasting (caller)) != 0)
          {
            g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                         "permission %s is missing, so the scope %s cannot be given", names[k],
                         scopes[i]);
            return FALSE;
          }
      *cap |= named;
    }
  return TRUE;
}

/* The user's roles must cover the key's, and so must the caller's own as far as the scopes leave
 * them: else a weak key could make a strong one. */
static gboolean
reeve_api_keys_bounds_check_roles (ReeveCaller *caller, const ReeveUsersAccount *account,
                                   ReevePermissions all, ReevePermissions cap, GError **error)
{
  g_auto (GStrv) names = reeve_roles_names (all);

  for (guint i = 0; names[i] != NULL; i++)
    {
      ReevePermissions one = reeve_roles_match (names[i]);

      if ((account->permissions & one) != 0
          && ((cap & one) == 0 || (one & ~reeve_caller_get_lasting (caller)) == 0))
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                   "permission %s is missing, so a key cannot have it", names[i]);
      return FALSE;
    }
  return TRUE;
}

/**
 * reeve_api_keys_bounds_check:
 * @self: API keys
 * @caller: who makes the key
 * @fields: of its record: user_id, roles, scopes
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED that names the permission, or
 * %REEVE_ERROR_NOT_FOUND for the user, or %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
reeve_api_keys_bounds_check (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *fields,
                             GError **error)
{
  const char *user_id = reeve_json_get_string (fields, "user_id", "");
  g_auto (GStrv) roles = reeve_directory_get_strings (fields, "roles");
  ReeveUsersAccount account = { 0 };
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  ReevePermissions wanted = 0;
  ReevePermissions cap = 0;

  if (!reeve_api_keys_bounds_check_user (caller, user_id, error)
      || !reeve_role_book_check (book, tenant_id, (const char *const *) roles, error)
      || !reeve_role_book_union (book, tenant_id, (const char *const *) roles, &wanted, NULL, error)
      || !reeve_users_read (self->users, tenant_id, user_id, &account, error))
    return FALSE;
  if (account.deleted)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such user");
      return FALSE;
    }
  if (account.platform_admin && !reeve_caller_is_platform_admin (caller))
    return reeve_api_keys_bounds_deny (error,
                                       "only the platform admin makes keys of the platform admin");
  /* what is held for a time makes no key that stays */
  return reeve_users_reach_check (self->users, caller, user_id, reeve_caller_get_lasting (caller),
                                  "given a key", error)
         && reeve_api_keys_bounds_check_scopes (caller, fields, &cap, error)
         && reeve_api_keys_bounds_check_roles (caller, &account, wanted, cap, error);
}

/* ---- by means of a key ---- */

/* Is every address of @inner one of @outer? */
static gboolean
reeve_api_keys_bounds_contains (const char *outer, const char *inner)
{
  g_autoptr (GInetAddressMask) wide = g_inet_address_mask_new_from_string (outer, NULL);
  g_autoptr (GInetAddressMask) narrow = g_inet_address_mask_new_from_string (inner, NULL);

  return wide != NULL && narrow != NULL
         && g_inet_address_mask_get_family (wide) == g_inet_address_mask_get_family (narrow)
         && g_inet_address_mask_get_length (wide) <= g_inet_address_mask_get_length (narrow)
         && g_inet_address_mask_matches (wide, g_inet_address_mask_get_address (narrow));
}

static gboolean
reeve_api_keys_bounds_inherit_addresses (JsonObject *own, JsonObject *fields, GError **error)
{
  g_auto (GStrv) outer = reeve_directory_get_strings (own, "ip_allow");
  g_auto (GStrv) inner = reeve_directory_get_strings (fields, "ip_allow");

  if (outer[0] == NULL)
    return TRUE;
  if (inner[0] == NULL)
    reeve_directory_copy (own, fields, "ip_allow");
  for (guint i = 0; inner[i] != NULL; i++)
    {
      gboolean inside = FALSE;

      for (guint k = 0; outer[k] != NULL && !inside; k++)
        inside = reeve_api_keys_bounds_contains (outer[k], inner[i]);
      if (!inside)
        return reeve_api_keys_bounds_deny (
            error, "a key is used from no other addresses than the key that makes it");
    }
  return TRUE;
}

static gboolean
reeve_api_keys_bounds_inherit_numbers (JsonObject *own, JsonObject *fields, GError **error)
{
  static const char *const members[] = { "expires_at", "rate_limit" };

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      gint64 bound = reeve_json_get_int (own, members[i], 0);
      gint64 wanted = reeve_json_get_int (fields, members[i], bound);

      if (bound == 0)
        continue;
      json_object_set_int_member (fields, members[i], wanted);
      if (wanted > bound)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                       "%s is beyond that of the key that makes this one", members[i]);
          return FALSE;
        }
    }
  return TRUE;
}

/* Of countries: what the key that is shown allows no more than, and denies, the new one does. */
static gboolean
reeve_api_keys_bounds_inherit_countries (JsonObject *own, JsonObject *fields, GError **error)
{
  g_auto (GStrv) outer = reeve_directory_get_strings (own, "countries_allow");
  g_auto (GStrv) inner = reeve_directory_get_strings (fields, "countries_allow");
  g_auto (GStrv) denied = reeve_directory_get_strings (own, "countries_deny");
  g_auto (GStrv) also = reeve_directory_get_strings (fields, "countries_deny");
  g_autoptr (GStrvBuilder) all = g_strv_builder_new ();
  g_auto (GStrv) together = NULL;

  if (outer[0] != NULL && inner[0] == NULL)
    reeve_directory_copy (own, fields, "countries_allow");
  for (guint i = 0; outer[0] != NULL && inner[i] != NULL; i++)
    if (!g_strv_contains ((const char *const *) outer, inner[i]))
      return reeve_api_keys_bounds_deny (
          error, "a key is used from no other countries than the key that makes it");
  if (denied[0] == NULL)
    return TRUE;
  g_strv_builder_addv (all, (const char **) denied);
  for (guint i = 0; also[i] != NULL; i++)
    if (!g_strv_contains ((const char *const *) denied, also[i]))
      g_strv_builder_add (all, also[i]);
  together = g_strv_builder_end (all);
  reeve_directory_set_strings (fields, "countries_deny", (const char *const *) together);
  return TRUE;
}

/**
 * reeve_api_keys_bounds_inherit:
 * @self: API keys
 * @caller: who makes a key
 * @fields: of its record; what they leave open is taken from the key that was shown
 * @error: return location
 *
 * Else whoever got hold of a bounded key for a moment would make an unbounded one with it.
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED when they go beyond it
 */
gboolean
reeve_api_keys_bounds_inherit (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *fields,
                               GError **error)
{
  const char *const *scopes = reeve_caller_get_scopes (caller);
  const char *bound = reeve_caller_get_workspace_id (caller);
  const char *workspace_id = reeve_json_get_string (fields, "workspace_id", bound);
  g_autoptr (ReeveRecord) record = NULL;
  JsonObject *own = NULL;

  if (scopes != NULL && !json_object_has_member (fields, "scopes"))
    reeve_directory_set_strings (fields, "scopes", scopes);
  if (bound != NULL && g_strcmp0 (bound, workspace_id) != 0)
    return reeve_api_keys_bounds_deny (error, "a key of a workspace makes none beyond it");
  if (bound != NULL)
    json_object_set_string_member (fields, "workspace_id", bound);
  if (g_strcmp0 (reeve_caller_get_method (caller), "api_key") != 0
      || reeve_caller_get_key_id (caller) == NULL)
    return TRUE;
  record = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS,
                            reeve_caller_get_key_id (caller), error);
  if (record == NULL)
    return FALSE;
  own = reeve_record_get_fields (record);
  return reeve_api_keys_bounds_inherit_numbers (own, fields, error)
         && reeve_api_keys_bounds_inherit_addresses (own, fields, error)
         && reeve_api_keys_bounds_inherit_countries (own, fields, error);
}
