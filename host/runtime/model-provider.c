/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings of a model service, split into what its plugin gets and what the host keeps. */
#include "model-provider.h"

#include <string.h>

#include "http-origin.h"

#define REEVE_MODEL_PROVIDER_RETRIES 2

/**
 * reeve_model_provider_strip:
 * @settings: settings as configured
 *
 * Returns: (transfer full): what the plugin gets: all but the secret
 */
JsonObject *
reeve_model_provider_strip (JsonObject *settings)
{
  JsonObject *stripped = json_object_new ();
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  json_object_iter_init_ordered (&iter, settings);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    if (!g_str_equal (name, "api_key"))
      json_object_set_member (stripped, name, json_node_ref (value));
  return stripped;
}

static guint
reeve_model_provider_read_ms (JsonObject *settings, const char *name)
{
  JsonNode *node = json_object_get_member (settings, name);
  double seconds = node != NULL ? json_node_get_double (node) : 0;

  return (guint) CLAMP (seconds * 1000, 0, 86400000);
}

static char **
reeve_model_provider_read_models (JsonObject *settings, const char *model)
{
  JsonArray *models = reeve_json_get_array (settings, "models");
  guint n = models != NULL ? json_array_get_length (models) : 0;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean listed = model == NULL;

  for (guint i = 0; i < n; i++)
    {
      const char *name = json_node_get_string (json_array_get_element (models, i));

      listed = listed || g_strcmp0 (name, model) == 0;
      if (name != NULL)
        g_strv_builder_add (builder, name);
    }
  if (!listed)
    g_strv_builder_add (builder, model);
  return g_strv_builder_end (builder);
}

static void
reeve_model_provider_read_key (ReeveModelProvider *self, JsonObject *settings)
{
  const char *key = reeve_json_get_string (settings, "api_key", NULL);

  self->key_header = g_strdup (reeve_json_get_string (settings, "api_key_header", "Authorization"));
  if (key == NULL || *key == '\0')
    return;
  self->key = g_strdup (key);
  if (g_ascii_strcasecmp (self->key_header, "Authorization") == 0)
    self->key_value = g_strconcat ("Bearer ", key, NULL);
  else
    self->key_value = g_strdup (key);
}

/* Host and port, as metrics and spans tell of them. */
static void
reeve_model_provider_read_server (ReeveModelProvider *self)
{
  g_autoptr (GUri) uri = self->origin != NULL
                             ? g_uri_parse (self->origin, G_URI_FLAGS_SCHEME_NORMALIZE, NULL)
                             : NULL;

  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return;
  self->server_address = g_strdup (g_uri_get_host (uri));
  if (g_uri_get_port (uri) > 0)
    self->server_port = g_strdup_printf ("%d", g_uri_get_port (uri));
  else
    self->server_port = g_strdup (g_str_equal (g_uri_get_scheme (uri), "https") ? "443" : "80");
}

/* Scheme, authority and the slash behind them: whatever begins with the same has the same origin.
 */
static char *
reeve_model_provider_make_door (const char *url)
{
  const char *authority = strstr (url, "://");
  gsize length = authority != NULL ? strcspn (authority + 3, "/?#") : 0;

  return authority != NULL ? g_strdup_printf ("%.*s/", (int) (authority + 3 + length - url), url)
                           : NULL;
}

static void
reeve_model_provider_read (ReeveModelProvider *self, JsonObject *settings)
{
  const char *url = reeve_json_get_string (settings, "base_url", NULL);
  const char *ca_file = reeve_json_get_string (settings, "ca_file", NULL);
  const char *model = reeve_json_get_string (settings, "model", NULL);
  JsonNode *temperature = json_object_get_member (settings, "temperature");

  self->origin = url != NULL ? reeve_http_origin_spell (url) : NULL;
  self->door = self->origin != NULL ? reeve_model_provider_make_door (url) : NULL;
  reeve_model_provider_read_server (self);
  self->model = g_strdup (model);
  self->models = reeve_model_provider_read_models (settings, model);
  self->temperature = temperature != NULL ? json_node_get_double (temperature) : -1;
  self->max_tokens = (guint) CLAMP (reeve_json_get_int (settings, "max_tokens", 0), 0, G_MAXINT);
  self->retries = (guint) CLAMP (
      reeve_json_get_int (settings, "retries", REEVE_MODEL_PROVIDER_RETRIES), 0, 5);
  self->options.connect_ms = reeve_model_provider_read_ms (settings, "connect_timeout_seconds");
  self->options.first_byte_ms
      = reeve_model_provider_read_ms (settings, "first_byte_timeout_seconds");
  self->options.idle_ms = reeve_model_provider_read_ms (settings, "idle_timeout_seconds");
  self->options.total_ms = reeve_model_provider_read_ms (settings, "timeout_seconds");
  self->options.trust = ca_file != NULL ? reeve_http_trust_new (ca_file) : NULL;
  reeve_model_provider_read_key (self, settings);
}

/**
 * reeve_model_provider_scrub:
 * @self: a provider
 * @error: what a service or plugin said
 *
 * Takes the provider's key out of a text that goes on to callers, records and logs: a service may
 * quote it.
 */
void
reeve_model_provider_scrub (ReeveModelProvider *self, GError *error)
{
  g_autoptr (GString) text = NULL;

  if (self->key == NULL || strstr (error->message, self->key) == NULL)
    return;
  text = g_string_new (error->message);
  g_string_replace (text, self->key, "[key]", 0);
  g_free (error->message);
  error->message = g_string_free (g_steal_pointer (&text), FALSE);
}

/**
 * reeve_model_provider_new:
 * @id: name of the provider in the configuration
 * @plugin: an instance that was set up
 * @settings: its settings, secret included
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a provider, %NULL with %REEVE_ERROR_CONFIGURATION, or
 * %REEVE_ERROR_PLUGIN when the plugin is none of models
 */
ReeveModelProvider *
reeve_model_provider_new (const char *id, ReevePlugin *plugin, JsonObject *settings, GError **error)
{
  g_autoptr (ReeveModelProvider) self = g_new0 (ReeveModelProvider, 1);

  g_atomic_ref_count_init (&self->refs);
  self->id = g_strdup (id);
  self->plugin = g_object_ref (plugin);
  reeve_model_provider_read (self, settings);
  if (REEVE_IS_LLM_CODEC (plugin))
    self->codec = REEVE_LLM_CODEC (plugin);
  else if (REEVE_IS_LLM_ENGINE (plugin))
    self->engine = REEVE_LLM_ENGINE (plugin);
  else
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   "provider %s: its plugin offers no model", id);
      return NULL;
    }
  if (self->codec != NULL && self->origin == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "provider %s: base_url is missing or not a URL", id);
      return NULL;
    }
  return g_steal_pointer (&self);
}

/**
 * reeve_model_provider_ref:
 * @self: a provider
 *
 * Returns: (transfer full): @self
 */
ReeveModelProvider *
reeve_model_provider_ref (ReeveModelProvider *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_model_provider_unref:
 * @self: (transfer full): a provider
 */
void
reeve_model_provider_unref (ReeveModelProvider *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_clear_object (&self->plugin);
  g_clear_pointer (&self->options.trust, reeve_http_trust_unref);
  g_free (self->id);
  g_free (self->system);
  g_free (self->plugin_id);
  g_free (self->origin);
  g_free (self->door);
  g_free (self->server_address);
  g_free (self->server_port);
  g_free (self->key_header);
  if (self->key_value != NULL)
    explicit_bzero (self->key_value, strlen (self->key_value));
  g_free (self->key_value);
  if (self->key != NULL)
    explicit_bzero (self->key, strlen (self->key));
  g_free (self->key);
  g_free (self->model);
  g_strfreev (self->models);
  g_free (self);
}

static gboolean
reeve_model_provider_is_origin (ReeveModelProvider *self, const char *url)
{
  g_autofree char *origin = NULL;

  if (self->door != NULL && g_str_has_prefix (url, self->door))
    return TRUE;
  origin = reeve_http_origin_spell (url);
  return g_strcmp0 (origin, self->origin) == 0;
}

/**
 * reeve_model_provider_authorize:
 * @self: a provider with a codec
 * @request: what the codec made
 * @error: return location
 *
 * Adds the key, after a look at where it would go: a codec may not send it elsewhere than to the
 * origin that the administrator granted.
 *
 * Returns: %FALSE with %REEVE_ERROR_CAPABILITY
 */
gboolean
reeve_model_provider_authorize (ReeveModelProvider *self, ReeveHttpRequest *request, GError **error)
{
  if (!reeve_model_provider_is_origin (self, reeve_http_request_get_url (request)))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                   "provider %s: its plugin wants to reach an origin other than that of base_url",
                   self->id);
      return FALSE;
    }
  if (self->key_value != NULL)
    reeve_http_request_add_header (request, self->key_header, self->key_value);
  return TRUE;
}
