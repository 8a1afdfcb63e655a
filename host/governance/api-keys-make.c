/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New keys: made, or made in the place of another. */
#include <string.h>

#include "base/ids.h"
#include "base/times.h"

#include "api-keys-private.h"
#include "auditors.h"
#include "directory.h"
#include "tenants.h"

#define REEVE_API_KEYS_PREFIX "rv_"
/* how long the old key of a rotation goes on, when nobody says */
#define REEVE_API_KEYS_GRACE_SECONDS (24 * 60 * 60)

/**
 * reeve_api_keys_make_plaintext:
 *
 * Returns: (transfer full): a new key, `rv_<id>_<secret>`
 */
char *
reeve_api_keys_make_plaintext (void)
{
  g_autofree char *key_id = reeve_ids_new ("key");
  g_autofree char *secret = reeve_ids_new_secret ();

  return g_strconcat (REEVE_API_KEYS_PREFIX, key_id + strlen ("key_"), "_", secret, NULL);
}

/**
 * reeve_api_keys_parse_id:
 * @plaintext: a key
 *
 * Returns: (transfer full) (nullable): the id of the key's record; %NULL when it has not the form
 * of a key
 */
char *
reeve_api_keys_parse_id (const char *plaintext)
{
  g_auto (GStrv) parts = g_strsplit (plaintext, "_", 4);
  g_autofree char *key_id = NULL;

  if (g_strv_length (parts) != 3 || strcmp (parts[0], "rv") != 0 || *parts[2] == 0)
    return NULL;
  key_id = g_strconcat ("key_", parts[1], NULL);
  return reeve_ids_is_valid (key_id, "key") ? g_steal_pointer (&key_id) : NULL;
}

/* ---- fields ---- */

static gboolean
reeve_api_keys_read_expiry (JsonObject *params, JsonObject *fields, GError **error)
{
  const char *text = reeve_json_get_string (params, "expires_at", NULL);
  gint64 expires_at = 0;

  if (text == NULL)
    return TRUE;
  if (!reeve_times_parse (text, &expires_at, error))
    {
      reeve_error_prefix_member (error, "/expires_at");
      return FALSE;
    }
  if (expires_at <= reeve_times_now ())
    {
      reeve_error_set_member (error, "/expires_at", "is in the past");
      return FALSE;
    }
  json_object_set_int_member (fields, "expires_at", expires_at);
  return TRUE;
}

static gboolean
reeve_api_keys_check_workspace (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *fields,
                                GError **error)
{
  const char *wanted = reeve_json_get_string (fields, "workspace_id", NULL);
  g_autofree char *workspace_id = NULL;

  if (wanted == NULL)
    return TRUE;
  if (self->workspaces != NULL)
    return reeve_workspaces_choose (self->workspaces, caller, wanted, &workspace_id, error);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such workspace");
  return FALSE;
}

/* Who knows the key, from whoever made the key it was made with on: what they may not have, its
 * user's elevation does not give to it. Where that is not known, nothing is noted. */
static gboolean
reeve_api_keys_note_makers (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *fields,
                            GError **error)
{
  g_autofree char *maker = g_strconcat (reeve_caller_get_home_tenant_id (caller), "/",
                                        reeve_caller_get_user_id (caller), NULL);
  const char *key_id = reeve_caller_get_key_id (caller);
  g_autoptr (JsonArray) makers = json_array_new ();
  g_autoptr (ReeveRecord) record = NULL;
  g_auto (GStrv) before = NULL;

  json_array_add_string_element (makers, maker);
  if (key_id != NULL && !reeve_caller_is_platform_admin (caller))
    {
      record = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS, key_id,
                                error);
      if (record == NULL)
        return FALSE;
      before = reeve_directory_get_strings (reeve_record_get_fields (record), "makers");
      if (before[0] == NULL)
        return TRUE;
    }
  for (guint i = 0; before != NULL && before[i] != NULL; i++)
    if (strcmp (before[i], maker) != 0)
      json_array_add_string_element (makers, before[i]);
  json_object_set_array_member (fields, "makers", g_steal_pointer (&makers));
  return TRUE;
}

/* (transfer full) what of @params stands in the record of a key as it was given */
static JsonObject *
reeve_api_keys_take_params (JsonObject *params)
{
  static const char *const members[]
      = { "user_id", "name", "metadata", "rate_limit", "scopes", "workspace_id" };
  g_autoptr (JsonObject) fields = json_object_new ();
  g_auto (GStrv) roles = reeve_directory_get_strings (params, "roles");

  json_object_set_object_member (fields, "metadata", json_object_new ());
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (params, fields, members[i]);
  for (guint i = 0; reeve_network_rule_members[i] != NULL; i++)
    reeve_directory_copy (params, fields, reeve_network_rule_members[i]);
  reeve_directory_set_strings (fields, "roles", (const char *const *) roles);
  return g_steal_pointer (&fields);
}

static gboolean
reeve_api_keys_check_auditor (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *fields,
                              GError **error)
{
  g_auto (GStrv) roles = reeve_directory_get_strings (fields, "roles");

  return reeve_auditors_check (reeve_users_get_role_book (self->users),
                               reeve_caller_get_tenant_id (caller), (const char *const *) roles,
                               error);
}

static JsonObject *
reeve_api_keys_make_fields (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *params,
                            const char *plaintext, GError **error)
{
  g_autoptr (JsonObject) fields = reeve_api_keys_take_params (params);
  g_autofree char *digest = reeve_api_keys_digest (self, plaintext);

  json_object_set_string_member (fields, "tenant_id", reeve_caller_get_tenant_id (caller));
  json_object_set_string_member (fields, "digest", digest);
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  if (!reeve_api_keys_bounds_check (self, caller, fields, error)
      || !reeve_api_keys_check_auditor (self, caller, fields, error)
      || !reeve_network_rule_check (fields, error)
      || !reeve_api_keys_read_expiry (params, fields, error)
      || !reeve_api_keys_check_workspace (self, caller, fields, error)
      || !reeve_api_keys_bounds_inherit (self, caller, fields, error)
      || !reeve_api_keys_note_makers (self, caller, fields, error))
    return NULL;
  return g_steal_pointer (&fields);
}

static JsonObject *
reeve_api_keys_show_new (ReeveApiKeys *self, const char *key_id, JsonObject *fields,
                         const char *plaintext)
{
  JsonObject *shown = reeve_api_keys_describe (self, key_id, fields);

  json_object_set_string_member (shown, "key", plaintext);
  return shown;
}

/* ---- create ---- */

/* Keys lie beside the tenants, so no batch holds both a key and its roles. The key comes first, and
 * nobody knows it yet; a role that is deleted then is either seen to be in use, or gone by now, and
 * the key goes too. */
static gboolean
reeve_api_keys_hold_roles (ReeveApiKeys *self, const char *key_id, JsonObject *fields,
                           GError **error)
{
  const char *tenant_id = reeve_json_get_string (fields, "tenant_id", "");
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  g_auto (GStrv) roles = reeve_directory_get_strings (fields, "roles");
  g_autoptr (ReeveBatch) held = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatch) undo = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (ReeveBatchResult) undone = NULL;
  g_autoptr (GError) reason = NULL;
  gboolean custom = FALSE;

  for (guint i = 0; book != NULL && roles[i] != NULL && !custom; i++)
    custom = !reeve_role_book_is_fixed (book, roles[i]);
  if (!custom)
    return TRUE;
  if (reeve_role_book_hold (book, tenant_id, (const char *const *) roles, held, error))
    result = reeve_store_commit (self->store, held, error);
  if (result != NULL)
    return TRUE;
  reeve_batch_delete (undo, REEVE_STORE_API_KEYS, key_id, REEVE_REVISION_ANY);
  undone = reeve_store_commit (self->store, undo, &reason);
  if (undone == NULL)
    g_warning ("key %s, which nobody knows, stays: %s", key_id, reason->message);
  return FALSE;
}

/**
 * reeve_api_keys_adopt:
 * @self: API keys
 * @admitted: the right to `keys.create`
 * @params: as for reeve_api_keys_create()
 * @plaintext: the key
 * @error: return location
 *
 * Makes the record of a key that was thought up beforehand; the bootstrap's, which writes the key
 * down first.
 *
 * Returns: (transfer full): the record, with `key`; %NULL with an error
 */
JsonObject *
reeve_api_keys_adopt (ReeveApiKeys *self, ReeveAdmitted *admitted, JsonObject *params,
                      const char *plaintext, GError **error)
{
  g_autofree char *key_id = reeve_api_keys_parse_id (plaintext);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = NULL;

  if (key_id == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "this has not the form of an API key");
      return NULL;
    }
  fields = reeve_api_keys_make_fields (self, reeve_admitted_get_caller (admitted), params,
                                       plaintext, error);
  if (fields == NULL)
    return NULL;
  reeve_batch_put (batch, REEVE_STORE_API_KEYS, key_id, fields, REEVE_REVISION_ABSENT);
  reeve_tenants_require (batch, reeve_json_get_string (fields, "tenant_id", ""));
  reeve_admitted_consume_exactly (admitted, "keys.create", NULL, params);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL && reeve_api_keys_hold_roles (self, key_id, fields, error)
             ? reeve_api_keys_show_new (self, key_id, fields, plaintext)
             : NULL;
}

/**
 * reeve_api_keys_create:
 * @self: API keys
 * @admitted: the right to `keys.create`
 * @params: {user_id, name, roles, expires_at?, metadata?, ip_allow?, countries_allow?,
 * countries_deny?, rate_limit?, scopes?, workspace_id?}
 * @error: return location
 *
 * Makes a key in the tenant of the caller. Made with a key that is bounded, it is bounded as well.
 *
 * Returns: (transfer full): the record, with `key`, which nobody can show again; %NULL with
 * %REEVE_ERROR_PERMISSION_DENIED, %REEVE_ERROR_NOT_FOUND (user, workspace),
 * %REEVE_ERROR_INVALID_ARGUMENT
 */
JsonObject *
reeve_api_keys_create (ReeveApiKeys *self, ReeveAdmitted *admitted, JsonObject *params,
                       GError **error)
{
  g_autofree char *plaintext = reeve_api_keys_make_plaintext ();

  return reeve_api_keys_adopt (self, admitted, params, plaintext, error);
}

/**
 * reeve_api_keys_may_create:
 * @self: API keys
 * @caller: who asks
 * @params: as for reeve_api_keys_create()
 * @error: return location
 *
 * Without making one; when it ends does not matter. Blocks.
 *
 * Returns: %FALSE with what reeve_api_keys_create() would refuse it with
 */
gboolean
reeve_api_keys_may_create (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *params,
                           GError **error)
{
  g_autoptr (JsonObject) fields = reeve_api_keys_take_params (params);

  return reeve_api_keys_bounds_check (self, caller, fields, error)
         && reeve_api_keys_check_workspace (self, caller, fields, error)
         && reeve_api_keys_bounds_inherit (self, caller, fields, error);
}

/**
 * reeve_api_keys_may_rotate:
 * @self: API keys
 * @caller: who asks
 * @key_id: of the old key, which has a successor maybe
 * @error: return location
 *
 * Blocks.
 *
 * Returns: %FALSE with what reeve_api_keys_rotate() would refuse it with
 */
gboolean
reeve_api_keys_may_rotate (ReeveApiKeys *self, ReeveCaller *caller, const char *key_id,
                           GError **error)
{
  g_autoptr (ReeveRecord) old = reeve_api_keys_read (self, caller, key_id, error);

  return old != NULL
         && reeve_api_keys_may_create (self, caller, reeve_record_get_fields (old), error);
}

/* ---- rotate ---- */

static gboolean
reeve_api_keys_can_rotate (JsonObject *fields, GError **error)
{
  if (!reeve_api_keys_is_active (fields))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the key is not active");
  else if (json_object_has_member (fields, "replaced_by"))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                 "the key was rotated already: %s has "
                 "taken its place",
                 reeve_json_get_string (fields, "replaced_by", ""));
  else
    return TRUE;
  return FALSE;
}

/* (transfer full) fields of the key that takes the place of the one in @old */
static JsonObject *
reeve_api_keys_make_successor (ReeveApiKeys *self, ReeveCaller *caller, ReeveRecord *old,
                               JsonObject *params, const char *plaintext, GError **error)
{
  static const char *const members[]
      = { "tenant_id",  "user_id", "name",         "roles",     "metadata",
          "rate_limit", "scopes",  "workspace_id", "expires_at" };
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autofree char *digest = reeve_api_keys_digest (self, plaintext);

  if (!reeve_api_keys_can_rotate (reeve_record_get_fields (old), error))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (reeve_record_get_fields (old), fields, members[i]);
  for (guint i = 0; reeve_network_rule_members[i] != NULL; i++)
    reeve_directory_copy (reeve_record_get_fields (old), fields, reeve_network_rule_members[i]);
  json_object_set_string_member (fields, "digest", digest);
  json_object_set_string_member (fields, "replaces", reeve_record_get_id (old));
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  if (!reeve_api_keys_bounds_check (self, caller, fields, error)
      || !reeve_api_keys_read_expiry (params, fields, error)
      || !reeve_api_keys_bounds_inherit (self, caller, fields, error)
      || !reeve_api_keys_note_makers (self, caller, fields, error))
    return NULL;
  return g_steal_pointer (&fields);
}

/* Both records in one batch: there is never a new key without an end of the old one. */
static void
reeve_api_keys_replace (ReeveBatch *batch, ReeveRecord *old, const char *key_id,
                        JsonObject *successor, gint64 grace_seconds)
{
  g_autoptr (JsonObject) fields = reeve_directory_dup (reeve_record_get_fields (old));
  gint64 end = reeve_times_now () + grace_seconds * G_USEC_PER_SEC;
  gint64 before = reeve_json_get_int (fields, "expires_at", end);

  json_object_set_int_member (fields, "expires_at", MIN (before, end));
  json_object_set_string_member (fields, "replaced_by", key_id);
  reeve_batch_put (batch, REEVE_STORE_API_KEYS, key_id, successor, REEVE_REVISION_ABSENT);
  reeve_batch_put (batch, REEVE_STORE_API_KEYS, reeve_record_get_id (old), fields,
                   reeve_record_get_revision (old));
}

/**
 * reeve_api_keys_rotate:
 * @self: API keys
 * @admitted: the right to `keys.rotate`
 * @params: {key_id, grace_seconds?, expires_at?}
 * @error: return location
 *
 * Makes a key in the place of another, bounded as that one is. The old one goes on for the time of
 * grace and then ends by itself; 0 ends it now. Without expires_at the new one ends when the old
 * one would have.
 *
 * Returns: (transfer full): the new record, with `key`; %NULL with %REEVE_ERROR_NOT_FOUND,
 * %REEVE_ERROR_CONFLICT (not active, rotated already), %REEVE_ERROR_PERMISSION_DENIED
 */
JsonObject *
reeve_api_keys_rotate (ReeveApiKeys *self, ReeveAdmitted *admitted, JsonObject *params,
                       GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *old_id = reeve_json_get_string (params, "key_id", "");
  gint64 grace = reeve_json_get_int (params, "grace_seconds", REEVE_API_KEYS_GRACE_SECONDS);
  g_autofree char *plaintext = reeve_api_keys_make_plaintext ();
  g_autofree char *key_id = reeve_api_keys_parse_id (plaintext);

  for (guint i = 0; i < REEVE_API_KEYS_TRIES; i++)
    {
      g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
      g_autoptr (ReeveRecord) old = reeve_api_keys_read (self, caller, old_id, error);
      g_autoptr (JsonObject) fields = NULL;
      g_autoptr (ReeveBatchResult) result = NULL;
      g_autoptr (GError) local = NULL;

      if (old != NULL)
        fields = reeve_api_keys_make_successor (self, caller, old, params, plaintext, error);
      if (fields == NULL)
        return NULL;
      reeve_api_keys_replace (batch, old, key_id, fields, grace);
      reeve_tenants_require (batch, reeve_caller_get_tenant_id (caller));
      if (i == 0)
        reeve_admitted_consume_exactly (admitted, "keys.rotate", old_id, params);
      result = reeve_store_commit (self->store, batch, &local);
      if (grace == 0)
        reeve_authentication_revoke_key (self->authentication, old_id);
      else
        reeve_authentication_invalidate (self->authentication);
      if (result != NULL)
        return reeve_api_keys_show_new (self, key_id, fields, plaintext);
      if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT))
        continue;
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the key is being changed");
  return NULL;
}
