/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the settings, whose form the manifest's schema has checked, and refuses what does not go
 * together: a mistake here is a door left open, or one that nobody gets through. */
#include "jwt-settings.h"

#include <string.h>

#include "jwt-preset.h"

#define JWT_SETTINGS_MAX_PEM 65536

G_GNUC_PRINTF (2, 3)
static gboolean
jwt_settings_fail (GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text);
  return FALSE;
}

/* (transfer full): a text, or the texts of an array; empty when there is neither */
static char **
jwt_settings_dup_texts (JsonNode *node)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  JsonArray *array = NULL;

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_string (node) != NULL)
    g_strv_builder_add (builder, json_node_get_string (node));
  if (node != NULL && JSON_NODE_HOLDS_ARRAY (node))
    array = json_node_get_array (node);
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      const char *text = json_node_get_string (json_array_get_element (array, i));

      if (text != NULL)
        g_strv_builder_add (builder, text);
    }
  return g_strv_builder_end (builder);
}

static char *
jwt_settings_dup_text (JsonObject *settings, const char *name, const char *fallback)
{
  return g_strdup (reeve_json_get_string (settings, name, fallback));
}

/* (transfer full) (nullable): an object of texts */
static GHashTable *
jwt_settings_read_map (JsonObject *settings, const char *member)
{
  JsonObject *object = reeve_json_get_object (settings, member);
  GHashTable *map = NULL;
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  if (object == NULL)
    return NULL;
  map = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &value))
    g_hash_table_replace (map, g_strdup (name), g_strdup (json_node_get_string (value)));
  return map;
}

/* (transfer full) (nullable): the same of lists of texts */
static GHashTable *
jwt_settings_read_lists (JsonObject *settings, const char *member)
{
  JsonObject *object = reeve_json_get_object (settings, member);
  GHashTable *map = NULL;
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  if (object == NULL)
    return NULL;
  map = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &value))
    g_hash_table_replace (map, g_strdup (name), jwt_settings_dup_texts (value));
  return map;
}

/* ---- keys ---- */

/* A public key stands in the settings, or in the file that they name. */
static JwtKey *
jwt_settings_read_pem (const char *given, GError **error)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  if (strstr (given, "-----BEGIN ") != NULL)
    return jwt_key_new_from_pem (given, strlen (given), error);
  if (!g_file_get_contents (given, &text, &length, error))
    return NULL;
  if (length > JWT_SETTINGS_MAX_PEM)
    {
      jwt_settings_fail (error, "the file is too long for a key");
      return NULL;
    }
  return jwt_key_new_from_pem (text, length, error);
}

static gboolean
jwt_settings_read_keys (JwtSettings *self, JsonObject *settings, GError **error)
{
  const char *secret = reeve_json_get_string (settings, "secret_key", NULL);
  g_auto (GStrv) pems = jwt_settings_dup_texts (json_object_get_member (settings, "public_key"));

  self->keys = jwt_key_set_new ();
  for (guint i = 0; pems[i] != NULL; i++)
    {
      g_autoptr (GError) local = NULL;
      JwtKey *key = jwt_settings_read_pem (pems[i], &local);

      if (key == NULL)
        return jwt_settings_fail (error, "public_key: %s", local->message);
      jwt_key_set_add (self->keys, key);
    }
  if (secret != NULL)
    jwt_key_set_add (self->keys, jwt_key_new_from_secret (secret));
  /* whoever gives a key means it: the issuer is then only compared, unless keys are asked for */
  self->remote
      = self->jwks_uri != NULL || (self->issuer != NULL && jwt_key_set_get_size (self->keys) == 0);
  if (!self->remote && jwt_key_set_get_size (self->keys) == 0)
    return jwt_settings_fail (error, "there is nothing to verify with: give issuer, jwks_uri, "
                                     "public_key, secret_key or preset");
  return TRUE;
}

/* ---- algorithms ---- */

/* Without a word about them: what the keys there are for. */
static void
jwt_settings_choose_algorithms (JwtSettings *self)
{
  static const char *const usual[] = { "RS256", "ES256" };
  static const char *const others[] = { "PS256", "ES384", "ES512", "EdDSA", "HS256" };

  for (guint i = 0; i < G_N_ELEMENTS (usual); i++)
    if (self->remote || jwt_key_set_fits (self->keys, jwt_algorithm_find (usual[i])))
      g_ptr_array_add (self->algorithms, (gpointer) jwt_algorithm_find (usual[i]));
  for (guint i = 0; self->algorithms->len == 0 && i < G_N_ELEMENTS (others); i++)
    if (jwt_key_set_fits (self->keys, jwt_algorithm_find (others[i])))
      g_ptr_array_add (self->algorithms, (gpointer) jwt_algorithm_find (others[i]));
}

static gboolean
jwt_settings_check_algorithm (JwtSettings *self, const JwtAlgorithm *algorithm, gboolean enterprise,
                              GError **error)
{
  gboolean shared = algorithm->family == JWT_FAMILY_HMAC;

  if (shared && enterprise)
    return jwt_settings_fail (error,
                              "algorithm %s: whoever can verify with a shared secret can sign with "
                              "it, so profile enterprise refuses it; use RS256, ES256 or EdDSA "
                              "with jwks_uri or public_key",
                              algorithm->name);
  if ((shared || !self->remote) && !jwt_key_set_fits (self->keys, algorithm))
    return shared
               ? jwt_settings_fail (error, "algorithm %s wants a secret_key of at least %u bytes",
                                    algorithm->name, algorithm->digest_bytes)
               : jwt_settings_fail (error, "algorithm %s has no public_key that it fits",
                                    algorithm->name);
  return TRUE;
}

static gboolean
jwt_settings_read_algorithms (JwtSettings *self, JsonObject *settings, gboolean enterprise,
                              GError **error)
{
  JsonNode *many = json_object_get_member (settings, "algorithms");
  JsonNode *one = json_object_get_member (settings, "algorithm");
  g_auto (GStrv) names = jwt_settings_dup_texts (many != NULL ? many : one);

  self->algorithms = g_ptr_array_new ();
  if (many != NULL && one != NULL)
    return jwt_settings_fail (error, "give algorithms or algorithm, not both");
  for (guint i = 0; names[i] != NULL; i++)
    {
      const JwtAlgorithm *algorithm = jwt_algorithm_find (names[i]);

      if (algorithm == NULL)
        return jwt_settings_fail (error, "%s is no algorithm that is known here", names[i]);
      g_ptr_array_add (self->algorithms, (gpointer) algorithm);
    }
  if (self->algorithms->len == 0)
    jwt_settings_choose_algorithms (self);
  for (guint i = 0; i < self->algorithms->len; i++)
    if (!jwt_settings_check_algorithm (self, g_ptr_array_index (self->algorithms, i), enterprise,
                                       error))
      return FALSE;
  if (self->algorithms->len == 0)
    return jwt_settings_fail (error, "secret_key is too short: HS256 wants at least 32 bytes");
  return TRUE;
}

/* ---- all of it ---- */

static gboolean
jwt_settings_check_url (const char *name, const char *url, gboolean enterprise, GError **error)
{
  g_autoptr (GUri) uri = url != NULL ? g_uri_parse (url, G_URI_FLAGS_ENCODED, NULL) : NULL;
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : NULL;
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (url == NULL)
    return TRUE;
  if (host == NULL || *host == 0 || g_uri_get_userinfo (uri) != NULL
      || g_uri_get_fragment (uri) != NULL
      || (strcmp (scheme, "https") != 0 && strcmp (scheme, "http") != 0))
    return jwt_settings_fail (error, "%s is not an http or https URL without user and fragment",
                              name);
  if (enterprise && strcmp (scheme, "https") != 0)
    return jwt_settings_fail (error,
                              "%s is http: keys that come unprotected are anybody's, so profile "
                              "enterprise refuses it; use https",
                              name);
  return TRUE;
}

/* A name with dots is a name, or a path that begins with what stands before the first dot. */
static void
jwt_settings_add_claim (GPtrArray *names, const char *path)
{
  const char *dot = path != NULL ? strchr (path, '.') : NULL;
  g_autofree char *first = dot != NULL ? g_strndup (path, (gsize) (dot - path)) : NULL;

  if (path != NULL && !g_ptr_array_find_with_equal_func (names, path, g_str_equal, NULL))
    g_ptr_array_add (names, g_strdup (path));
  if (first != NULL && !g_ptr_array_find_with_equal_func (names, first, g_str_equal, NULL))
    g_ptr_array_add (names, g_steal_pointer (&first));
}

static void
jwt_settings_list_claims (JwtSettings *self)
{
  static const char *const usual[]
      = { "iss", "sub", "aud", "exp", "nbf", "iat", "org_id", "tenant_id", "roles", "role" };
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer claim = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (usual); i++)
    jwt_settings_add_claim (names, usual[i]);
  jwt_settings_add_claim (names, self->tenant_claim);
  jwt_settings_add_claim (names, self->roles_claim);
  jwt_settings_add_claim (names, self->username_claim);
  jwt_settings_add_claim (names, self->email_claim);
  if (self->attributes != NULL)
    {
      g_hash_table_iter_init (&iter, self->attributes);
      while (g_hash_table_iter_next (&iter, NULL, &claim))
        jwt_settings_add_claim (names, claim);
    }
  g_ptr_array_add (names, NULL);
  self->claims = (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static void
jwt_settings_read_claims (JwtSettings *self, JsonObject *settings)
{
  JsonNode *roles = json_object_get_member (settings, "default_roles");

  self->tenant_claim = jwt_settings_dup_text (settings, "tenant_claim", NULL);
  self->roles_claim = jwt_settings_dup_text (settings, "roles_claim", NULL);
  self->username_claim = jwt_settings_dup_text (settings, "username_claim", "preferred_username");
  self->email_claim = jwt_settings_dup_text (settings, "email_claim", "email");
  self->default_tenant = jwt_settings_dup_text (settings, "default_tenant", NULL);
  self->default_roles = roles != NULL ? jwt_settings_dup_texts (roles) : NULL;
  self->provision = reeve_json_get_boolean (settings, "provision", FALSE);
  self->subject_is_user_id = reeve_json_get_boolean (settings, "subject_is_user_id", FALSE);
  self->tenant_map = jwt_settings_read_map (settings, "tenant_map");
  self->role_map = jwt_settings_read_lists (settings, "role_map");
  self->attributes = jwt_settings_read_map (settings, "attribute_claims");
  jwt_settings_list_claims (self);
}

static void
jwt_settings_read_limits (JwtSettings *self, JsonObject *settings)
{
  self->leeway = reeve_json_get_int (settings, "leeway_seconds", 30);
  self->max_age = reeve_json_get_int (settings, "max_token_age_seconds", 0);
  self->require_expiry = reeve_json_get_boolean (settings, "require_expiry", TRUE);
  self->cache_seconds = reeve_json_get_int (settings, "jwks_cache_seconds", 300);
  self->stale_seconds = reeve_json_get_int (settings, "jwks_stale_seconds", 3600);
  self->refetch_seconds = reeve_json_get_int (settings, "jwks_refetch_seconds", 10);
}

static void
jwt_settings_read_types (JwtSettings *self, JsonObject *settings)
{
  static const char *const usual[] = { "jwt", "at+jwt", NULL };
  JsonNode *types = json_object_get_member (settings, "typ");

  self->types = types != NULL ? jwt_settings_dup_texts (types) : g_strdupv ((char **) usual);
  for (guint i = 0; self->types[i] != NULL; i++)
    {
      char *lower = g_ascii_strdown (self->types[i], -1);

      g_free (self->types[i]);
      self->types[i] = lower;
    }
}

static gboolean
jwt_settings_check (JwtSettings *self, gboolean enterprise, GError **error)
{
  if (enterprise && !self->require_expiry)
    return jwt_settings_fail (error, "require_expiry is off: a token that never ends cannot be "
                                     "taken back, so profile enterprise refuses it");
  if (self->provision && self->subject_is_user_id)
    return jwt_settings_fail (error, "provision makes users with ids of its own: it does not go "
                                     "with subject_is_user_id");
  return jwt_settings_check_url ("issuer",
                                 self->remote && self->jwks_uri == NULL ? self->issuer : NULL,
                                 enterprise, error)
         && jwt_settings_check_url ("jwks_uri", self->jwks_uri, enterprise, error);
}

/**
 * jwt_settings_new:
 * @settings: valid by the manifest's schema
 * @enterprise: whether what is unsafe is refused
 * @error: return location
 *
 * Returns: (transfer full): the settings; %NULL with %REEVE_ERROR_CONFIGURATION
 */
JwtSettings *
jwt_settings_new (JsonObject *settings, gboolean enterprise, GError **error)
{
  g_autoptr (JsonObject) filled = jwt_preset_apply (settings, error);
  g_autoptr (JwtSettings) self = NULL;

  if (filled == NULL)
    return NULL;
  self = g_new0 (JwtSettings, 1);
  self->issuer = jwt_settings_dup_text (filled, "issuer", NULL);
  self->jwks_uri = jwt_settings_dup_text (filled, "jwks_uri", NULL);
  self->audiences = jwt_settings_dup_texts (json_object_get_member (filled, "audience"));
  jwt_settings_read_claims (self, filled);
  jwt_settings_read_limits (self, filled);
  jwt_settings_read_types (self, filled);
  if (!jwt_settings_read_keys (self, filled, error)
      || !jwt_settings_read_algorithms (self, filled, enterprise, error)
      || !jwt_settings_check (self, enterprise, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * jwt_settings_free:
 * @self: (transfer full): settings
 */
void
jwt_settings_free (JwtSettings *self)
{
  g_free (self->issuer);
  g_strfreev (self->claims);
  g_strfreev (self->audiences);
  g_strfreev (self->types);
  g_clear_pointer (&self->algorithms, g_ptr_array_unref);
  g_clear_pointer (&self->keys, jwt_key_set_unref);
  g_free (self->jwks_uri);
  g_free (self->tenant_claim);
  g_free (self->roles_claim);
  g_free (self->username_claim);
  g_free (self->email_claim);
  g_free (self->default_tenant);
  g_strfreev (self->default_roles);
  g_clear_pointer (&self->tenant_map, g_hash_table_unref);
  g_clear_pointer (&self->role_map, g_hash_table_unref);
  g_clear_pointer (&self->attributes, g_hash_table_unref);
  g_free (self);
}

/**
 * jwt_settings_allows:
 * @self: settings
 * @algorithm: of a token
 *
 * Returns: whether tokens may be signed with it
 */
gboolean
jwt_settings_allows (const JwtSettings *self, const JwtAlgorithm *algorithm)
{
  return g_ptr_array_find (self->algorithms, algorithm, NULL);
}
