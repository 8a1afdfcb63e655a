/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* auth-api-key: authentication by keys that the host has made. It holds neither keys nor pepper:
 * the host looks up and digests, the plugin decides. */
#include <reeve-plugin-1.h>

#include <string.h>

#include "api-key-address.h"

#define API_KEY_PLUGIN_PREFIX "rv_"
#define API_KEY_PLUGIN_MAX    512

#define API_KEY_PLUGIN_TYPE (api_key_plugin_get_type ())
G_DECLARE_FINAL_TYPE (ApiKeyPlugin, api_key_plugin, API_KEY, PLUGIN, ReevePlugin)

struct _ApiKeyPlugin
{
  ReevePlugin parent_instance;
};

static void api_key_plugin_auth_init (ReeveAuthInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ApiKeyPlugin, api_key_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_AUTH, api_key_plugin_auth_init))

/* One text for every way a key can be bad. */
static gboolean
api_key_plugin_refuse (GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, "the API key is not valid");
  return FALSE;
}

/* Time depends on the lengths alone, and those are no secret. */
static gboolean
api_key_plugin_equal (const char *a, const char *b)
{
  gsize length = strlen (a);
  volatile guint8 difference = 0;

  if (length == 0 || length != strlen (b))
    return FALSE;
  for (gsize i = 0; i < length; i++)
    difference |= (guint8) (a[i] ^ b[i]);
  return difference == 0;
}

static gboolean
api_key_plugin_is_word (const char *start, const char *end)
{
  for (const char *c = start; c < end; c++)
    if (!g_ascii_islower (*c) && !g_ascii_isdigit (*c))
      return FALSE;
  return end > start;
}

/* (transfer full) (nullable): the id in rv_<id>_<secret> */
static char *
api_key_plugin_parse (const char *token)
{
  gsize length = strlen (token);
  const char *id = token + strlen (API_KEY_PLUGIN_PREFIX);
  const char *separator = strchr (id, '_');

  if (length > API_KEY_PLUGIN_MAX || separator == NULL || !api_key_plugin_is_word (id, separator)
      || !api_key_plugin_is_word (separator + 1, token + length))
    return NULL;
  return g_strdup_printf ("key_%.*s", (int) (separator - id), id);
}

/* (transfer full) what a capability answers to one text */
static JsonObject *
api_key_plugin_call (ReeveContext *context, const char *capability, const char *member,
                     const char *value, GError **error)
{
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) answer = NULL;

  json_object_set_string_member (params, member, value);
  json_node_set_object (node, params);
  answer = reeve_context_call (context, capability, node, error);
  if (answer == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (answer))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "%s did not answer with an object",
                   capability);
      return NULL;
    }
  return json_object_ref (json_node_get_object (answer));
}

/* Is the key good? A record that lacks a digest lets nobody in. */
static gboolean
api_key_plugin_check (JsonObject *record, const char *digest, const ReeveCredentials *credentials,
                      GError **error)
{
  gint64 expires_at = reeve_json_get_int (record, "expires_at", 0);
  gboolean good = api_key_plugin_equal (digest, reeve_json_get_string (record, "digest", ""));

  good = good && reeve_json_get_int (record, "revoked_at", 0) == 0;
  good = good && (expires_at == 0 || expires_at > g_get_real_time ());
  good = good
         && api_key_address_is_allowed (reeve_json_get_array (record, "ip_allow"),
                                        credentials->peer_address);
  good = good && reeve_json_get_string (record, "tenant_id", NULL) != NULL
         && reeve_json_get_string (record, "user_id", NULL) != NULL;
  return good || api_key_plugin_refuse (error);
}

/* (transfer full) the strings of an array */
static char **
api_key_plugin_get_strings (JsonArray *array)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      const char *text = json_array_get_string_element (array, i);

      if (text != NULL)
        g_strv_builder_add (builder, text);
    }
  return g_strv_builder_end (builder);
}

static ReeveIdentity *
api_key_plugin_make_identity (JsonObject *record, const char *key_id)
{
  g_auto (GStrv) roles = api_key_plugin_get_strings (reeve_json_get_array (record, "roles"));
  g_auto (GStrv) scopes = api_key_plugin_get_strings (reeve_json_get_array (record, "scopes"));
  ReeveIdentity *identity = reeve_identity_new (reeve_json_get_string (record, "tenant_id", NULL),
                                                reeve_json_get_string (record, "user_id", NULL),
                                                (const char *const *) roles, "api_key");

  reeve_identity_set_key_id (identity, key_id);
  reeve_identity_set_expires_at (identity, reeve_json_get_int (record, "expires_at", 0));
  reeve_identity_set_ends_at (identity, reeve_json_get_int (record, "expires_at", 0));
  if (json_object_has_member (record, "scopes"))
    reeve_identity_set_scopes (identity, (const char *const *) scopes);
  reeve_identity_set_workspace_id (identity, reeve_json_get_string (record, "workspace_id", NULL));
  reeve_identity_set_rate_limit (
      identity, (guint) CLAMP (reeve_json_get_int (record, "rate_limit", 0), 0, G_MAXINT));
  return identity;
}

static gboolean
api_key_plugin_is_ours (const ReeveCredentials *credentials)
{
  return credentials->token != NULL && g_str_has_prefix (credentials->token, API_KEY_PLUGIN_PREFIX);
}

/* A bearer token of another form is another provider's; in X-API-Key nothing else is to be
 * expected. */
static gboolean
api_key_plugin_knows (ReeveAuth *auth, const ReeveCredentials *credentials)
{
  return g_strcmp0 (credentials->scheme, "api-key") == 0
         || (g_strcmp0 (credentials->scheme, "bearer") == 0
             && api_key_plugin_is_ours (credentials));
}

static ReeveIdentity *
api_key_plugin_authenticate (ReeveAuth *auth, const ReeveCredentials *credentials,
                             ReeveContext *context, GError **error)
{
  g_autofree char *key_id = NULL;
  g_autoptr (JsonObject) answer = NULL;
  g_autoptr (JsonObject) record = NULL;
  g_autoptr (GError) local = NULL;

  if (!api_key_plugin_knows (auth, credentials))
    return NULL;
  key_id = api_key_plugin_is_ours (credentials) ? api_key_plugin_parse (credentials->token) : NULL;
  if (key_id == NULL)
    {
      api_key_plugin_refuse (error);
      return NULL;
    }
  answer = api_key_plugin_call (context, "credentials.digest", "text", credentials->token, error);
  if (answer == NULL)
    return NULL;
  record = api_key_plugin_call (context, "credentials.lookup", "key_id", key_id, &local);
  if (record == NULL)
    {
      if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
        api_key_plugin_refuse (error);
      else
        g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  if (!api_key_plugin_check (record, reeve_json_get_string (answer, "digest", ""), credentials,
                             error))
    return NULL;
  return api_key_plugin_make_identity (record, key_id);
}

static void
api_key_plugin_auth_init (ReeveAuthInterface *iface)
{
  iface->authenticate = api_key_plugin_authenticate;
  iface->knows = api_key_plugin_knows;
}

static void
api_key_plugin_class_init (ApiKeyPluginClass *klass)
{
}

static void
api_key_plugin_init (ApiKeyPlugin *self)
{
}

static const GType *
api_key_plugin_query_types (void)
{
  static GType types[2];

  types[0] = API_KEY_PLUGIN_TYPE;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("auth-api-key", "0.1.0", api_key_plugin_query_types);
