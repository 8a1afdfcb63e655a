/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* auth-jwt: lets in who shows a JSON Web Token of an issuer that is trusted here. */
#include <reeve-plugin-1.h>

#include <string.h>

#include "jwt-token.h"
#include "jwt-verifier.h"

#define JWT_PLUGIN_TYPE (jwt_plugin_get_type ())
G_DECLARE_FINAL_TYPE (JwtPlugin, jwt_plugin, JWT, PLUGIN, ReevePlugin)

struct _JwtPlugin
{
  ReevePlugin parent_instance;
  JwtVerifier *verifier;
};

static void jwt_plugin_auth_init (ReeveAuthInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (JwtPlugin, jwt_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_AUTH, jwt_plugin_auth_init))

static JsonNode *
jwt_plugin_call (ReeveContext *context, const char *capability, const char *member,
                 const char *value, GError **error)
{
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  if (member != NULL)
    json_object_set_string_member (params, member, value);
  json_node_set_object (node, params);
  return reeve_context_call (context, capability, node, error);
}

/* A host that does not say which profile it runs in is taken for the strictest. */
static gboolean
jwt_plugin_is_enterprise (ReeveContext *context)
{
  g_autoptr (JsonNode) answer = jwt_plugin_call (context, "host.profile", NULL, NULL, NULL);
  JsonObject *object
      = answer != NULL && JSON_NODE_HOLDS_OBJECT (answer) ? json_node_get_object (answer) : NULL;

  return g_strcmp0 (reeve_json_get_string (object, "profile", NULL), "dev") != 0;
}

static gboolean
jwt_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  JwtSettings *read = jwt_settings_new (settings, jwt_plugin_is_enterprise (context), error);

  if (read == NULL)
    return FALSE;
  JWT_PLUGIN (plugin)->verifier = jwt_verifier_new (read);
  return TRUE;
}

/* Why a token was refused is for those who read the log; never the token, nor anything of it. */
static void
jwt_plugin_log (ReeveContext *context, const char *what, const GError *reason)
{
  g_autofree char *text = g_strdup_printf ("%s: %s", what, reason->message);
  g_autoptr (JsonNode) answer = jwt_plugin_call (context, "log", "message", text, NULL);
}

static gboolean
jwt_plugin_is_token (const ReeveCredentials *credentials)
{
  return g_strcmp0 (credentials->scheme, "bearer") == 0 && credentials->token != NULL
         && jwt_token_is_one (credentials->token);
}

static gboolean
jwt_plugin_knows (ReeveAuth *auth, const ReeveCredentials *credentials)
{
  return jwt_plugin_is_token (credentials)
         && jwt_verifier_knows (JWT_PLUGIN (auth)->verifier, credentials->token);
}

static ReeveIdentity *
jwt_plugin_authenticate (ReeveAuth *auth, const ReeveCredentials *credentials,
                         ReeveContext *context, GError **error)
{
  JwtPlugin *self = JWT_PLUGIN (auth);
  g_autoptr (GError) local = NULL;
  ReeveIdentity *identity = NULL;
  gboolean ours = TRUE;

  if (!jwt_plugin_is_token (credentials))
    return NULL;
  identity = jwt_verifier_verify (self->verifier, credentials->token, context, g_get_real_time (),
                                  g_get_monotonic_time (), &ours, &local);
  if (identity != NULL)
    return identity;
  if (!ours)
    {
      jwt_plugin_log (context, "a token is left to the next provider", local);
      return NULL;
    }
  /* that is asked again and again, until another has fetched the keys */
  if (!g_error_matches (local, REEVE_ERROR, REEVE_ERROR_BUSY))
    jwt_plugin_log (context, "a token was refused", local);
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE)
      || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_BUSY))
    g_set_error_literal (error, REEVE_ERROR, local->code,
                         "the keys of the issuer cannot be had now");
  else
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, "the token is not valid");
  return NULL;
}

static gboolean
jwt_plugin_warm (ReeveAuth *auth, ReeveContext *context, GError **error)
{
  return jwt_verifier_warm (JWT_PLUGIN (auth)->verifier, context, g_get_monotonic_time (), error);
}

static void
jwt_plugin_auth_init (ReeveAuthInterface *iface)
{
  iface->authenticate = jwt_plugin_authenticate;
  iface->warm = jwt_plugin_warm;
  iface->knows = jwt_plugin_knows;
}

static void
jwt_plugin_finalize (GObject *object)
{
  g_clear_pointer (&JWT_PLUGIN (object)->verifier, jwt_verifier_free);
  G_OBJECT_CLASS (jwt_plugin_parent_class)->finalize (object);
}

static void
jwt_plugin_class_init (JwtPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = jwt_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = jwt_plugin_setup;
}

static void
jwt_plugin_init (JwtPlugin *self)
{
}

static const GType *
jwt_plugin_query_types (void)
{
  static GType types[2];

  types[0] = JWT_PLUGIN_TYPE;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("auth-jwt", "0.1.0", jwt_plugin_query_types);
