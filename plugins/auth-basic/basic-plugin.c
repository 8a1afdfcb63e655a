/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* auth-basic: lets in who shows the name and the password of a user of this host. It reads the
 * header; the host has the hashes, compares, counts and locks. */
#include <reeve-plugin-1.h>

#include "basic-header.h"

#define BASIC_PLUGIN_TENANT  "default"
#define BASIC_PLUGIN_SECONDS 60

#define BASIC_PLUGIN_TYPE (basic_plugin_get_type ())
G_DECLARE_FINAL_TYPE (BasicPlugin, basic_plugin, BASIC, PLUGIN, ReevePlugin)

struct _BasicPlugin
{
  ReevePlugin parent_instance;
  char *default_tenant;
  gint64 cache_us; /* how long an answer holds */
};

static void basic_plugin_auth_init (ReeveAuthInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (BasicPlugin, basic_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_AUTH, basic_plugin_auth_init))

static gboolean
basic_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                    GError **error)
{
  BasicPlugin *self = BASIC_PLUGIN (plugin);

  g_free (self->default_tenant);
  self->default_tenant
      = g_strdup (reeve_json_get_string (settings, "default_tenant", BASIC_PLUGIN_TENANT));
  self->cache_us
      = reeve_json_get_int (settings, "cache_seconds", BASIC_PLUGIN_SECONDS) * G_TIME_SPAN_SECOND;
  return TRUE;
}

/* (transfer full): what the host says of them */
static JsonNode *
basic_plugin_ask (BasicPlugin *self, const BasicHeader *header, const char *address,
                  ReeveContext *context, GError **error)
{
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), params);

  json_object_set_string_member (params, "tenant_id",
                                 header->tenant != NULL ? header->tenant : self->default_tenant);
  json_object_set_string_member (params, "username", header->user);
  json_object_set_string_member (params, "password", header->password);
  if (address != NULL)
    json_object_set_string_member (params, "address", address);
  return reeve_context_call (context, "credentials.password", node, error);
}

/* (transfer full) (nullable): the identity in the answer of the host */
static ReeveIdentity *
basic_plugin_read (BasicPlugin *self, JsonNode *answer, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (answer) ? json_node_get_object (answer) : NULL;
  JsonArray *array = reeve_json_get_array (object, "roles");
  const char *tenant_id = reeve_json_get_string (object, "tenant_id", NULL);
  const char *user_id = reeve_json_get_string (object, "user_id", NULL);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) roles = NULL;
  ReeveIdentity *identity = NULL;

  if (tenant_id == NULL || user_id == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED,
                           "credentials.password did not answer with a user");
      return NULL;
    }
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      const char *role = json_array_get_string_element (array, i);

      if (role != NULL)
        g_strv_builder_add (builder, role);
    }
  roles = g_strv_builder_end (builder);
  identity = reeve_identity_new (tenant_id, user_id, (const char *const *) roles, "basic");
  reeve_identity_set_expires_at (identity, g_get_real_time () + self->cache_us);
  return identity;
}

static gboolean
basic_plugin_knows (ReeveAuth *auth, const ReeveCredentials *credentials)
{
  return g_strcmp0 (credentials->scheme, "basic") == 0 && credentials->token != NULL;
}

static ReeveIdentity *
basic_plugin_authenticate (ReeveAuth *auth, const ReeveCredentials *credentials,
                           ReeveContext *context, GError **error)
{
  BasicPlugin *self = BASIC_PLUGIN (auth);
  g_auto (BasicHeader) header = { NULL };
  g_autoptr (JsonNode) answer = NULL;

  if (!basic_plugin_knows (auth, credentials))
    return NULL;
  if (!basic_header_parse (&header, credentials->token))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                           "the user name or the password is not right");
      return NULL;
    }
  answer = basic_plugin_ask (self, &header, credentials->peer_address, context, error);
  return answer != NULL ? basic_plugin_read (self, answer, error) : NULL;
}

static void
basic_plugin_auth_init (ReeveAuthInterface *iface)
{
  iface->authenticate = basic_plugin_authenticate;
  iface->knows = basic_plugin_knows;
}

static void
basic_plugin_finalize (GObject *object)
{
  g_free (BASIC_PLUGIN (object)->default_tenant);
  G_OBJECT_CLASS (basic_plugin_parent_class)->finalize (object);
}

static void
basic_plugin_class_init (BasicPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = basic_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = basic_plugin_setup;
}

static void
basic_plugin_init (BasicPlugin *self)
{
  self->default_tenant = g_strdup (BASIC_PLUGIN_TENANT);
  self->cache_us = BASIC_PLUGIN_SECONDS * G_TIME_SPAN_SECOND;
}

static const GType *
basic_plugin_query_types (void)
{
  static GType types[2];

  types[0] = BASIC_PLUGIN_TYPE;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("auth-basic", "0.1.0", basic_plugin_query_types);
