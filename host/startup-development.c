/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A secret in the environment lets in who signs with it, so that nobody needs an identity provider
 * to try something out. Whoever knows it is everybody: outside of profile dev, or where the
 * environment says that this is production, the host does not start with it. */
#include "startup-development.h"

#include <string.h>

#define REEVE_STARTUP_DEVELOPMENT_MIN 32

static const char *const reeve_startup_development_names[]
    = { "REEVE_DEV_JWT_SECRET", "DEV_JWT_SECRET" };

/* The last word on where this is: a name that is not known is taken for production. */
static gboolean
reeve_startup_development_is_here (ReeveConfig *config, GError **error)
{
  static const char *const harmless[] = { "", "dev", "development", "test", NULL };
  const char *environment = g_getenv ("ENVIRONMENT");

  if (reeve_config_is_dev (config)
      && (environment == NULL || g_strv_contains (harmless, environment)))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "whoever knows the secret is everybody, so it is taken in profile dev alone, and "
               "this is profile %s%s%s; unset it, and let people in by a provider with plugin "
               "auth-jwt",
               reeve_config_get_profile (config), environment != NULL ? " with ENVIRONMENT=" : "",
               environment != NULL ? environment : "");
  return FALSE;
}

static JsonObject *
reeve_startup_development_make_settings (const char *secret)
{
  JsonObject *settings = json_object_new ();

  json_object_set_string_member (settings, "algorithm", "HS256");
  json_object_set_string_member (settings, "secret_key", secret);
  json_object_set_boolean_member (settings, "subject_is_user_id", TRUE);
  return settings;
}

static gboolean
reeve_startup_development_add (ReeveServices *services, const char *secret, GError **error)
{
  g_autoptr (JsonObject) settings = reeve_startup_development_make_settings (secret);
  ReevePlugin *plugin = NULL;

  if (!reeve_startup_development_is_here (services->config, error))
    return FALSE;
  if (strlen (secret) < REEVE_STARTUP_DEVELOPMENT_MIN)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "HS256 wants at least %d bytes: openssl rand -hex 32 makes some",
                   REEVE_STARTUP_DEVELOPMENT_MIN);
      return FALSE;
    }
  plugin = reeve_registry_instantiate (services->registry, "auth/development", "auth-jwt",
                                       REEVE_TYPE_AUTH, settings, error);
  if (plugin == NULL)
    return FALSE;
  reeve_authentication_add_provider (services->authentication, "development", services->registry,
                                     plugin);
  g_warning ("development tokens are accepted: whoever knows the secret is everybody");
  return TRUE;
}

/**
 * reeve_startup_development_open:
 * @services: with configuration, plugins and authentication
 * @error: return location
 *
 * Adds a provider for tokens that are signed with the secret in `REEVE_DEV_JWT_SECRET` or
 * `DEV_JWT_SECRET`, behind those that are configured.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION where such a secret must not be
 */
gboolean
reeve_startup_development_open (ReeveServices *services, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_startup_development_names); i++)
    {
      const char *name = reeve_startup_development_names[i];
      const char *secret = g_getenv (name);

      if (secret == NULL || *secret == 0)
        continue;
      if (reeve_startup_development_add (services, secret, error))
        return TRUE;
      g_prefix_error (error, "%s in the environment: ", name);
      return FALSE;
    }
  return TRUE;
}

/* host.profile: {} -> {profile} */
JsonNode *
reeve_startup_development_tell_profile (const ReeveCapabilityCaller *caller, JsonNode *params,
                                        gpointer user_data, GError **error)
{
  ReeveConfig *config = user_data;
  g_autoptr (JsonObject) object = json_object_new ();

  /* what builds on dev may do what dev may */
  json_object_set_string_member (
      object, "profile", reeve_config_is_dev (config) ? "dev" : reeve_config_get_profile (config));
  return json_node_init_object (json_node_alloc (), object);
}
