/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* API keys. What is kept of one is HMAC-SHA256 (pepper, key): the store alone does not let anybody
 * in, and neither does the pepper alone. A key is 256 random bits, so no slow hash is needed. */
#include "api-keys-private.h"

#include <gnutls/gnutls.h>
#include <string.h>

#include "base/digests.h"
#include "base/times.h"

#include "directory.h"
#include "roles.h"

G_DEFINE_FINAL_TYPE (ReeveApiKeys, reeve_api_keys, G_TYPE_OBJECT)

static void
reeve_api_keys_finalize (GObject *object)
{
  ReeveApiKeys *self = REEVE_API_KEYS (object);

  g_clear_pointer (&self->workers, reeve_workers_unref);
  g_hash_table_unref (self->noted);
  g_mutex_clear (&self->mutex);
  gnutls_memset (self->pepper, 0, sizeof self->pepper);
  g_clear_object (&self->store);
  g_clear_object (&self->users);
  g_clear_object (&self->authentication);
  g_clear_object (&self->workspaces);
  G_OBJECT_CLASS (reeve_api_keys_parent_class)->finalize (object);
}

static void
reeve_api_keys_class_init (ReeveApiKeysClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_api_keys_finalize;
}

static void
reeve_api_keys_init (ReeveApiKeys *self)
{
  g_mutex_init (&self->mutex);
  self->noted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * reeve_api_keys_new:
 * @store: the store
 * @users: users, whose roles bound those of their keys
 * @authentication: told of every revocation
 *
 * Returns: (transfer full): the API keys; to be opened before use
 */
ReeveApiKeys *
reeve_api_keys_new (ReeveStore *store, ReeveUsers *users, ReeveAuthentication *authentication)
{
  ReeveApiKeys *self = g_object_new (REEVE_TYPE_API_KEYS, NULL);

  self->store = g_object_ref (store);
  self->users = g_object_ref (users);
  self->authentication = g_object_ref (authentication);
  return self;
}

/**
 * reeve_api_keys_set_workspaces:
 * @self: API keys
 * @workspaces: to which keys may be bound
 */
void
reeve_api_keys_set_workspaces (ReeveApiKeys *self, ReeveWorkspaces *workspaces)
{
  g_set_object (&self->workspaces, workspaces);
}

/* With a key of a workspace nothing is seen of other keys. */
static gboolean
reeve_api_keys_is_within (ReeveCaller *caller, JsonObject *fields)
{
  const char *bound = reeve_caller_get_workspace_id (caller);

  return bound == NULL
         || g_strcmp0 (bound, reeve_json_get_string (fields, "workspace_id", NULL)) == 0;
}

/**
 * reeve_api_keys_open:
 * @self: API keys
 * @keys_folder: `<state>/keys`
 * @error: return location
 *
 * Loads the pepper; on the first start it is made, readable by the host alone.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT, also when the pepper of keys that are there is
 * missing, or a file error
 */
gboolean
reeve_api_keys_open (ReeveApiKeys *self, const char *keys_folder, GError **error)
{
  if (reeve_api_keys_pepper_load (self->store, keys_folder, self->pepper, error))
    return TRUE;
  g_prefix_error (error, "reading the key of API keys in %s: ", keys_folder);
  return FALSE;
}

/* ---- what is kept ---- */

char *
reeve_api_keys_digest (ReeveApiKeys *self, const char *plaintext)
{
  guint8 mac[REEVE_DIGESTS_LENGTH];

  reeve_digests_hmac_sha256 (self->pepper, sizeof self->pepper, plaintext, strlen (plaintext), mac);
  return reeve_digests_hex (mac, sizeof mac);
}

gboolean
reeve_api_keys_is_active (JsonObject *fields)
{
  gint64 expires_at = reeve_json_get_int (fields, "expires_at", 0);

  return reeve_json_get_int (fields, "revoked_at", 0) == 0
         && (expires_at == 0 || expires_at > reeve_times_now ());
}

JsonObject *
reeve_api_keys_show (ReeveRecord *record)
{
  static const char *const members[]
      = { "tenant_id",  "user_id",         "name",          "roles",    "metadata",
          "rate_limit", "scopes",          "workspace_id",  "replaces", "replaced_by",
          "ip_allow",   "countries_allow", "countries_deny" };
  static const char *const times[] = { "created_at", "expires_at", "revoked_at" };
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "key_id", reeve_record_get_id (record));
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (fields, shown, members[i]);
  json_object_set_boolean_member (shown, "is_active", reeve_api_keys_is_active (fields));
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    reeve_directory_show_time (fields, shown, times[i]);
  json_object_set_null_member (shown, "last_used_at");
  reeve_directory_show_time (fields, shown, "last_used_at");
  return shown;
}

/* Does it end within the days of warning? */
static void
reeve_api_keys_show_end (ReeveApiKeys *self, JsonObject *shown)
{
  const char *text = reeve_json_get_string (shown, "expires_at", NULL);
  gint64 expires_at = 0;
  gboolean soon = text != NULL && reeve_json_get_boolean (shown, "is_active", FALSE)
                  && reeve_times_parse (text, &expires_at, NULL)
                  && expires_at - reeve_times_now () <= self->warn_us;

  json_object_set_boolean_member (shown, "expires_soon", soon);
}

JsonObject *
reeve_api_keys_describe (ReeveApiKeys *self, const char *key_id, JsonObject *fields)
{
  g_autoptr (ReeveRecord) record = reeve_record_new (key_id, 1, fields);
  JsonObject *shown = reeve_api_keys_show (record);

  reeve_api_keys_show_end (self, shown);
  return shown;
}

/* The key's record, if @caller may know of it: the own ones, and with user:manage all of the
 * tenant. Another tenant's is refused in the words, and the time, of one that is not there. */
ReeveRecord *
reeve_api_keys_read (ReeveApiKeys *self, ReeveCaller *caller, const char *key_id, GError **error)
{
  g_autoptr (GError) inner = NULL;
  g_autoptr (ReeveRecord) record = reeve_directory_get_of_tenant (
      self->store, REEVE_STORE_API_KEYS, key_id, reeve_caller_get_tenant_id (caller), &inner);
  JsonObject *fields = record != NULL ? reeve_record_get_fields (record) : NULL;

  if (record == NULL && !g_error_matches (inner, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&inner));
      return NULL;
    }
  if (record != NULL && reeve_api_keys_is_within (caller, fields)
      && (reeve_caller_has_permission (caller, "user:manage")
          || g_strcmp0 (reeve_json_get_string (fields, "user_id", NULL),
                        reeve_caller_get_user_id (caller))
                 == 0))
    return g_steal_pointer (&record);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such key");
  return NULL;
}

/* ---- list, get, revoke ---- */

/**
 * reeve_api_keys_list:
 * @self: API keys
 * @caller: who asks
 * @params: {limit?, cursor?, user_id?}
 * @error: return location
 *
 * Returns: (transfer full): {items, next_cursor}; %NULL with an error
 */
JsonObject *
reeve_api_keys_list (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *params, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS);
  const char *user_id = reeve_json_get_string (params, "user_id", NULL);
  JsonObject *page = NULL;
  JsonArray *all = NULL;
  JsonArray *shown = NULL;

  if (!reeve_caller_has_permission (caller, "user:manage"))
    user_id = reeve_caller_get_user_id (caller);
  reeve_query_filter_string (query, "tenant_id", REEVE_FILTER_EQ,
                             reeve_caller_get_tenant_id (caller));
  if (user_id != NULL)
    reeve_query_filter_string (query, "user_id", REEVE_FILTER_EQ, user_id);
  page = reeve_directory_list (self->store, query, params, reeve_api_keys_show, error);
  if (page == NULL)
    return NULL;
  all = json_object_get_array_member (page, "items");
  shown = json_array_new ();
  for (guint i = 0; i < json_array_get_length (all); i++)
    {
      JsonObject *item = json_array_get_object_element (all, i);

      if (!reeve_api_keys_is_within (caller, item))
        continue;
      reeve_api_keys_show_end (self, item);
      json_array_add_object_element (shown, json_object_ref (item));
    }
  json_object_set_array_member (page, "items", shown);
  return page;
}

/**
 * reeve_api_keys_get:
 * @self: API keys
 * @caller: who asks
 * @key_id: which
 * @error: return location
 *
 * Returns: (transfer full): the record; %NULL with %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_api_keys_get (ReeveApiKeys *self, ReeveCaller *caller, const char *key_id, GError **error)
{
  g_autoptr (ReeveRecord) record = reeve_api_keys_read (self, caller, key_id, error);

  return record != NULL ? reeve_api_keys_describe (self, key_id, reeve_record_get_fields (record))
                        : NULL;
}

static gboolean
reeve_api_keys_may_revoke (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *fields,
                           GError **error)
{
  const char *user_id = reeve_json_get_string (fields, "user_id", "");
  ReeveUsersAccount account = { 0 };

  /* a user that is gone leaves keys that anybody with user:manage may clear away */
  if (!reeve_users_read (self->users, reeve_caller_get_tenant_id (caller), user_id, &account, NULL)
      || account.deleted)
    return TRUE;
  if (!account.platform_admin || reeve_caller_is_platform_admin (caller))
    return reeve_users_reach_check (self->users, caller, user_id, reeve_caller_get_lasting (caller),
                                    "deprived of a key", error);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                       "only the platform admin revokes keys of the platform admin");
  return FALSE;
}

/**
 * reeve_api_keys_revoke:
 * @self: API keys
 * @admitted: the right to `keys.delete`
 * @key_id: which
 * @error: return location
 *
 * From now on nobody gets in with the key, whatever was cached. A key that is revoked already stays
 * so.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND or %REEVE_ERROR_PERMISSION_DENIED
 */
gboolean
reeve_api_keys_revoke (ReeveApiKeys *self, ReeveAdmitted *admitted, const char *key_id,
                       GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);

  for (guint i = 0; i < REEVE_API_KEYS_TRIES; i++)
    {
      g_autoptr (ReeveRecord) record = reeve_api_keys_read (self, caller, key_id, error);
      g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
      g_autoptr (ReeveBatchResult) result = NULL;
      g_autoptr (JsonObject) fields = NULL;
      g_autoptr (GError) local = NULL;

      if (record == NULL
          || !reeve_api_keys_may_revoke (self, caller, reeve_record_get_fields (record), error))
        return FALSE;
      if (i == 0)
        reeve_admitted_consume_exactly (admitted, "keys.delete", key_id, NULL);
      if (reeve_json_get_int (reeve_record_get_fields (record), "revoked_at", 0) != 0)
        return TRUE;
      fields = reeve_directory_dup (reeve_record_get_fields (record));
      json_object_set_int_member (fields, "revoked_at", reeve_times_now ());
      reeve_batch_put (batch, REEVE_STORE_API_KEYS, key_id, fields,
                       reeve_record_get_revision (record));
      result = reeve_store_commit (self->store, batch, &local);
      reeve_authentication_revoke_key (self->authentication, key_id);
      if (result != NULL)
        return TRUE;
      if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT))
        continue;
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the key is being changed");
  return FALSE;
}

/* ---- capabilities ---- */

static JsonNode *
reeve_api_keys_take_node (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return node;
}

static JsonNode *
reeve_api_keys_call_digest (const ReeveCapabilityCaller *caller, JsonNode *params,
                            gpointer user_data, GError **error)
{
  ReeveApiKeys *self = user_data;
  const char *text = params != NULL && JSON_NODE_HOLDS_OBJECT (params)
                         ? reeve_json_get_string (json_node_get_object (params), "text", NULL)
                         : NULL;
  g_autofree char *digest = NULL;
  JsonObject *answer = NULL;

  if (text == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "credentials.digest needs a text");
      return NULL;
    }
  digest = reeve_api_keys_digest (self, text);
  answer = json_object_new ();
  json_object_set_string_member (answer, "digest", digest);
  return reeve_api_keys_take_node (answer);
}

/* Roles of the key that its user still covers: who loses a role loses it in his keys too. */
static gboolean
reeve_api_keys_add_roles (ReeveApiKeys *self, JsonObject *fields, const ReeveUsersAccount *account,
                          JsonObject *answer, GError **error)
{
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  const char *tenant_id = reeve_json_get_string (fields, "tenant_id", "");
  g_auto (GStrv) roles = reeve_directory_get_strings (fields, "roles");
  g_autoptr (JsonArray) array = json_array_new ();

  for (guint i = 0; roles[i] != NULL; i++)
    {
      const char *const one[] = { roles[i], NULL };
      ReevePermissions held = 0;

      if (!reeve_role_book_union (book, tenant_id, one, &held, NULL, error))
        return FALSE;
      if ((held & ~account->permissions) == 0)
        json_array_add_string_element (array, roles[i]);
    }
  json_object_set_array_member (answer, "roles", g_steal_pointer (&array));
  return TRUE;
}

static JsonNode *
reeve_api_keys_call_lookup (const ReeveCapabilityCaller *caller, JsonNode *params,
                            gpointer user_data, GError **error)
{
  static const char *const members[]
      = { "digest",   "tenant_id",  "user_id", "expires_at",  "revoked_at",
          "ip_allow", "rate_limit", "scopes",  "workspace_id" };
  ReeveApiKeys *self = user_data;
  JsonObject *object
      = params != NULL && JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  const char *key_id = object != NULL ? reeve_json_get_string (object, "key_id", NULL) : NULL;
  g_autoptr (ReeveRecord) record = NULL;
  ReeveUsersAccount account = { 0 };
  JsonObject *fields = NULL;
  g_autoptr (JsonObject) answer = NULL;

  if (key_id == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "credentials.lookup needs a key_id");
      return NULL;
    }
  record = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS, key_id, error);
  if (record == NULL)
    return NULL;
  fields = reeve_record_get_fields (record);
  if (!reeve_users_read (self->users, reeve_json_get_string (fields, "tenant_id", ""),
                         reeve_json_get_string (fields, "user_id", ""), &account, error))
    return NULL;
  answer = json_object_new ();
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (fields, answer, members[i]);
  if (!reeve_api_keys_add_roles (self, fields, &account, answer, error))
    return NULL;
  return reeve_api_keys_take_node (g_steal_pointer (&answer));
}

/**
 * reeve_api_keys_provide:
 * @self: API keys; must outlive @capabilities
 * @capabilities: where auth plugins find them
 *
 * Registers `credentials.digest` {text} → {digest} and `credentials.lookup` {key_id} → {digest,
 * tenant_id, user_id, roles, expires_at?, revoked_at?, ip_allow?, rate_limit?, scopes?,
 * workspace_id?} (times in µs), %REEVE_ERROR_NOT_FOUND.
 */
void
reeve_api_keys_provide (ReeveApiKeys *self, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide (capabilities, "credentials.digest", reeve_api_keys_call_digest, self);
  reeve_capabilities_provide (capabilities, "credentials.lookup", reeve_api_keys_call_lookup, self);
}
