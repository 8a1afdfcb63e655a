/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the first start makes. Each step looks whether it is done already, so that a start that was
 * cut short is finished by the next; the key is written down before its record is made, so that no
 * record is ever of a key nobody has. */
#include "bootstrap.h"

#include <string.h>

#include "base/ids.h"

#include "directory.h"
#include "ledger-file.h"

#define REEVE_BOOTSTRAP_USERNAME "admin"
#define REEVE_BOOTSTRAP_KEY_NAME "bootstrap"
#define REEVE_BOOTSTRAP_KEY_MAX  256

/* a step's work, under its own admission; (transfer full) what it made */
typedef JsonObject *(*ReeveBootstrapStep) (const ReeveBootstrap *self, ReeveAdmitted *admitted,
                                           JsonObject *params, GError **error);

/**
 * reeve_bootstrap_make_caller:
 *
 * What the host does on its own, or at its command line, goes through the gate as this caller, and
 * is in the log of tenant `default`, where the platform's admins are at home.
 *
 * Returns: (transfer full): the host itself
 */
ReeveCaller *
reeve_bootstrap_make_caller (void)
{
  static const char *const roles[] = { "admin", NULL };
  g_autoptr (ReeveIdentity) identity
      = reeve_identity_new (REEVE_TENANTS_DEFAULT, "host", roles, "internal");

  return reeve_caller_new (identity, REEVE_TENANTS_DEFAULT, TRUE, reeve_roles_all (), "internal",
                           NULL);
}

/* Takes one step through the gate: what the host does on its own is recorded like everything else.
 */
static JsonObject *
reeve_bootstrap_run_step (const ReeveBootstrap *self, const char *operation, JsonObject *params,
                          ReeveBootstrapStep step, GError **error)
{
  g_autoptr (ReeveCaller) caller = reeve_bootstrap_make_caller ();
  ReeveAdmissionRequest request = { .caller = caller, .operation = operation };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = reeve_admission_begin (self->admission, &request, error);
  g_autoptr (GError) local = NULL;
  JsonObject *made = NULL;

  if (admitted == NULL)
    return NULL;
  made = step (self, admitted, params, &local);
  if (made == NULL)
    {
      settlement.outcome = REEVE_OUTCOME_FAILED;
      settlement.reason = reeve_error_get_name (
          local->domain == REEVE_ERROR ? (ReeveError) local->code : REEVE_ERROR_FAILED);
    }
  reeve_admission_settle_async (self->admission, admitted, &settlement, NULL, NULL);
  if (made == NULL)
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "first start, %s: ", operation);
  return made;
}

/* Is the thing there? %FALSE in @found when reading says that it is not. */
static gboolean
reeve_bootstrap_take (JsonObject *object, GError *local, JsonObject **found, GError **error)
{
  *found = object;
  if (object != NULL || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_clear_error (&local);
      return TRUE;
    }
  g_propagate_error (error, local);
  return FALSE;
}

static JsonObject *
reeve_bootstrap_step_tenant (const ReeveBootstrap *self, ReeveAdmitted *admitted,
                             JsonObject *params, GError **error)
{
  return reeve_tenants_create (self->tenants, admitted, params, error);
}

static gboolean
reeve_bootstrap_tenant (const ReeveBootstrap *self, GError **error)
{
  g_autoptr (JsonObject) found = NULL;
  g_autoptr (JsonObject) params = NULL;
  g_autoptr (JsonObject) made = NULL;
  GError *local = NULL;
  JsonObject *tenant = reeve_tenants_get (self->tenants, REEVE_TENANTS_DEFAULT, &local);

  if (!reeve_bootstrap_take (tenant, local, &found, error))
    return FALSE;
  if (found != NULL)
    return TRUE;
  params = json_object_new ();
  json_object_set_string_member (params, "tenant_id", REEVE_TENANTS_DEFAULT);
  json_object_set_string_member (params, "name", REEVE_TENANTS_DEFAULT);
  made = reeve_bootstrap_run_step (self, "tenants.create", params, reeve_bootstrap_step_tenant,
                                   error);
  return made != NULL;
}

static JsonObject *
reeve_bootstrap_step_user (const ReeveBootstrap *self, ReeveAdmitted *admitted, JsonObject *params,
                           GError **error)
{
  return reeve_users_create_platform_admin (self->users, admitted, REEVE_BOOTSTRAP_USERNAME, error);
}

/* (transfer full) user id of the platform admin */
static char *
reeve_bootstrap_user (const ReeveBootstrap *self, GError **error)
{
  g_autoptr (JsonObject) user = NULL;
  GError *local = NULL;
  JsonObject *found
      = reeve_users_find (self->users, REEVE_TENANTS_DEFAULT, REEVE_BOOTSTRAP_USERNAME, &local);

  if (!reeve_bootstrap_take (found, local, &user, error))
    return NULL;
  if (user == NULL)
    user = reeve_bootstrap_run_step (self, "users.create", NULL, reeve_bootstrap_step_user, error);
  return user != NULL ? g_strdup (reeve_json_get_string (user, "user_id", "")) : NULL;
}

/* The key in <state>/admin.key; *@key is %NULL when there is none. */
static gboolean
reeve_bootstrap_read_key (const char *path, char **key, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = reeve_ledger_file_read (path, REEVE_BOOTSTRAP_KEY_MAX, &local);
  g_autofree char *key_id = NULL;
  gsize size = 0;
  const char *data = NULL;

  *key = NULL;
  if (bytes == NULL && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  if (bytes == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  data = g_bytes_get_data (bytes, &size);
  *key = g_strstrip (g_strndup (data != NULL ? data : "", size));
  key_id = reeve_api_keys_parse_id (*key);
  if (key_id != NULL)
    return TRUE;
  g_clear_pointer (key, g_free);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "%s does not hold an API key; remove it or put it right", path);
  return FALSE;
}

static JsonObject *
reeve_bootstrap_step_key (const ReeveBootstrap *self, ReeveAdmitted *admitted, JsonObject *params,
                          GError **error)
{
  return reeve_api_keys_adopt (self->api_keys, admitted, params,
                               reeve_json_get_string (params, "key", ""), error);
}

static gboolean
reeve_bootstrap_make_key_record (const ReeveBootstrap *self, const char *user_id, const char *key,
                                 GError **error)
{
  static const char *const roles[] = { "admin", NULL };
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonObject) made = NULL;

  json_object_set_string_member (params, "user_id", user_id);
  json_object_set_string_member (params, "name", REEVE_BOOTSTRAP_KEY_NAME);
  json_object_set_string_member (params, "key", key);
  reeve_directory_set_strings (params, "roles", roles);
  made = reeve_bootstrap_run_step (self, "keys.create", params, reeve_bootstrap_step_key, error);
  return made != NULL;
}

/* Has the platform admin a key? Any counts, revoked ones too: then this is no first start, and no
 * key is made behind the back of who took the others away. */
static gboolean
reeve_bootstrap_has_key (const ReeveBootstrap *self, const char *user_id, gboolean *has_key,
                         GError **error)
{
  g_autoptr (ReeveCaller) caller = reeve_bootstrap_make_caller ();
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonObject) page = NULL;

  json_object_set_string_member (params, "user_id", user_id);
  json_object_set_int_member (params, "limit", 1);
  page = reeve_api_keys_list (self->api_keys, caller, params, error);
  if (page == NULL)
    return FALSE;
  *has_key = json_array_get_length (json_object_get_array_member (page, "items")) > 0;
  return TRUE;
}

static gboolean
reeve_bootstrap_key (const ReeveBootstrap *self, const char *user_id, GError **error)
{
  g_autofree char *path = g_build_filename (self->state_folder, REEVE_BOOTSTRAP_KEY_FILE, NULL);
  g_autofree char *key = NULL;
  g_autofree char *line = NULL;
  gboolean has_key = FALSE;

  if (!reeve_bootstrap_has_key (self, user_id, &has_key, error))
    return FALSE;
  if (has_key)
    return TRUE;
  if (!reeve_bootstrap_read_key (path, &key, error))
    return FALSE;
  if (key == NULL)
    {
      key = reeve_api_keys_make_plaintext ();
      line = g_strconcat (key, "\n", NULL);
      if (!reeve_ledger_file_replace (path, line, strlen (line), 0600, error))
        return FALSE;
    }
  return reeve_bootstrap_make_key_record (self, user_id, key, error);
}

static JsonObject *
reeve_bootstrap_step_grants (const ReeveBootstrap *self, ReeveAdmitted *admitted,
                             JsonObject *params, GError **error)
{
  return reeve_grants_settle_defaults (self->grants, admitted, error) ? json_object_new () : NULL;
}

static gboolean
reeve_bootstrap_grants (const ReeveBootstrap *self, GError **error)
{
  g_autoptr (JsonObject) made = NULL;
  gboolean lack = FALSE;

  if (self->grants == NULL)
    return TRUE;
  if (!reeve_grants_lack_defaults (self->grants, &lack, error))
    return FALSE;
  if (lack)
    made = reeve_bootstrap_run_step (self, "plugins.grant", NULL, reeve_bootstrap_step_grants,
                                     error);
  return !lack || made != NULL;
}

/**
 * reeve_bootstrap_run:
 * @self: what to work with
 * @error: return location
 *
 * Makes tenant `default`, user `admin` and its key where they are missing, tells authentication who
 * the platform admin is, and grants plugins that come with the host what they request.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_bootstrap_run (const ReeveBootstrap *self, GError **error)
{
  g_autofree char *user_id = NULL;

  if (!reeve_bootstrap_tenant (self, error))
    return FALSE;
  user_id = reeve_bootstrap_user (self, error);
  if (user_id == NULL || !reeve_bootstrap_key (self, user_id, error))
    return FALSE;
  reeve_authentication_set_owner (self->authentication, user_id);
  return reeve_bootstrap_grants (self, error);
}
