/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* auth-mtls: lets in who has shown a client certificate that a rule maps to a user. That the
 * certificate is good, and that its key is the client's, the door has made sure of. */
#include <reeve-plugin-1.h>

#include <string.h>

#include "mtls-rules.h"

#define MTLS_PLUGIN_TYPE (mtls_plugin_get_type ())
G_DECLARE_FINAL_TYPE (MtlsPlugin, mtls_plugin, MTLS, PLUGIN, ReevePlugin)

struct _MtlsPlugin
{
  ReevePlugin parent_instance;
  MtlsRules *rules;
};

static void mtls_plugin_auth_init (ReeveAuthInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (MtlsPlugin, mtls_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_AUTH, mtls_plugin_auth_init))

static gboolean
mtls_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  MtlsPlugin *self = MTLS_PLUGIN (plugin);

  g_clear_pointer (&self->rules, mtls_rules_free);
  self->rules = mtls_rules_new (settings, error);
  return self->rules != NULL;
}

static ReeveIdentity *
mtls_plugin_refuse (const char *text, GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, text);
  return NULL;
}

static gboolean
mtls_plugin_knows (ReeveAuth *auth, const ReeveCredentials *credentials)
{
  return g_strcmp0 (credentials->scheme, "certificate") == 0 && credentials->token != NULL;
}

static ReeveIdentity *
mtls_plugin_authenticate (ReeveAuth *auth, const ReeveCredentials *credentials,
                          ReeveContext *context, GError **error)
{
  MtlsPlugin *self = MTLS_PLUGIN (auth);
  g_autoptr (JsonNode) node = NULL;
  const MtlsPrincipal *principal = NULL;
  JsonObject *certificate = NULL;
  ReeveIdentity *identity = NULL;
  gint64 expires_at = 0;

  if (!mtls_plugin_knows (auth, credentials))
    return NULL;
  node = reeve_json_parse_strict (credentials->token, strlen (credentials->token), error);
  if (node == NULL)
    return NULL;
  certificate = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  expires_at = reeve_json_get_int (certificate, "expires_at", 0);
  /* a connection may live longer than the certificate that it began with */
  if (expires_at <= g_get_real_time ())
    return mtls_plugin_refuse ("the certificate has expired", error);
  principal = self->rules != NULL ? mtls_rules_find (self->rules, certificate) : NULL;
  if (principal == NULL)
    return mtls_plugin_refuse ("the certificate stands for no user of this host", error);
  identity = reeve_identity_new (principal->tenant_id, principal->user_id, principal->roles,
                                 "certificate");
  reeve_identity_set_expires_at (identity, expires_at);
  reeve_identity_set_ends_at (identity, expires_at);
  return identity;
}

static void
mtls_plugin_auth_init (ReeveAuthInterface *iface)
{
  iface->authenticate = mtls_plugin_authenticate;
  iface->knows = mtls_plugin_knows;
}

static void
mtls_plugin_finalize (GObject *object)
{
  g_clear_pointer (&MTLS_PLUGIN (object)->rules, mtls_rules_free);
  G_OBJECT_CLASS (mtls_plugin_parent_class)->finalize (object);
}

static void
mtls_plugin_class_init (MtlsPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = mtls_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = mtls_plugin_setup;
}

static void
mtls_plugin_init (MtlsPlugin *self)
{
}

static const GType *
mtls_plugin_query_types (void)
{
  static GType types[2];

  types[0] = MTLS_PLUGIN_TYPE;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("auth-mtls", "0.1.0", mtls_plugin_query_types);
