/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which provider answers to a model's name, and one upstream client for each main context that
 * asks. */
#include "models-private.h"

#include <string.h>

#include "http-client.h"
#include "model-provider.h"

/* of a provider that names no model, such as an engine that has but one */
#define REEVE_MODELS_UNNAMED "default"

G_DEFINE_FINAL_TYPE (ReeveModels, reeve_models, G_TYPE_OBJECT)

static void
reeve_models_finalize (GObject *object)
{
  ReeveModels *self = REEVE_MODELS (object);

  g_clear_pointer (&self->clients, g_hash_table_unref);
  g_clear_pointer (&self->providers, g_ptr_array_unref);
  g_clear_pointer (&self->fallbacks, g_ptr_array_unref);
  g_clear_pointer (&self->trust, reeve_http_trust_unref);
  g_clear_pointer (&self->registry, reeve_registry_unref);
  g_clear_pointer (&self->workers, reeve_workers_unref);
  g_mutex_clear (&self->lock);
  g_free (self->configured_default);
  G_OBJECT_CLASS (reeve_models_parent_class)->finalize (object);
}

static void
reeve_models_class_init (ReeveModelsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_models_finalize;
}

static void
reeve_models_init (ReeveModels *self)
{
  g_mutex_init (&self->lock);
  self->trust = reeve_http_trust_new (NULL);
  self->providers = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_model_provider_unref);
  self->fallbacks = g_ptr_array_new_with_free_func (reeve_models_fallback_free);
  self->clients
      = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) g_main_context_unref, g_object_unref);
}

/**
 * reeve_models_new:
 * @registry: (nullable): for reeve_models_configure() and for the contexts of engines
 * @workers: where engines run
 *
 * Returns: (transfer full): a router without providers
 */
ReeveModels *
reeve_models_new (ReeveRegistry *registry, ReeveWorkers *workers)
{
  ReeveModels *self = g_object_new (REEVE_TYPE_MODELS, NULL);

  self->registry = registry != NULL ? reeve_registry_ref (registry) : NULL;
  self->workers = reeve_workers_ref (workers);
  return self;
}

/**
 * reeve_models_get_trust:
 * @self: a router
 *
 * Returns: (transfer none): the certificates that upstream servers are checked against unless a
 * provider has its own
 */
ReeveHttpTrust *
reeve_models_get_trust (ReeveModels *self)
{
  return self->trust;
}

/**
 * reeve_models_set_tracing:
 * @self: a router that was not used as yet
 * @tracer: (nullable): who records calls
 * @propagation: (nullable): which services are told of the trace
 */
void
reeve_models_set_tracing (ReeveModels *self, ReeveTracer *tracer, ReevePropagation *propagation)
{
  self->tracer = tracer;
  self->propagation = propagation;
}

/**
 * reeve_models_set_signals:
 * @self: a router that was not used as yet
 * @signals: (nullable): where calls are counted
 */
void
reeve_models_set_signals (ReeveModels *self, ReeveModelSignals *signals)
{
  self->signals = signals;
}

static ReeveModelProvider *
reeve_models_find (ReeveModels *self, const char *id, gsize length)
{
  for (guint i = 0; i < self->providers->len; i++)
    {
      ReeveModelProvider *provider = g_ptr_array_index (self->providers, i);

      if (strlen (provider->id) == length && memcmp (provider->id, id, length) == 0)
        return provider;
    }
  return NULL;
}

/**
 * reeve_models_add:
 * @self: a router that was not used as yet
 * @id: name of the provider, the part before the slash of a model's name
 * @plugin: an instance that is set up
 * @settings: its settings
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION
 */
gboolean
reeve_models_add (ReeveModels *self, const char *id, ReevePlugin *plugin, JsonObject *settings,
                  GError **error)
{
  ReeveModelProvider *provider = NULL;

  if (*id == '\0' || strchr (id, '/') != NULL || reeve_models_find (self, id, strlen (id)) != NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "provider %s: its id is empty, has a slash or is there twice", id);
      return FALSE;
    }
  /* names beginning so are agents, not models */
  if (g_str_equal (id, "agent"))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                           "provider agent: this id is reserved");
      return FALSE;
    }
  provider = reeve_model_provider_new (id, plugin, settings, error);
  if (provider == NULL)
    return FALSE;
  g_ptr_array_add (self->providers, provider);
  return TRUE;
}

static gboolean
reeve_models_configure_one (ReeveModels *self, JsonObject *row, GError **error)
{
  const char *id = reeve_json_get_string (row, "id", "");
  const char *plugin_id = reeve_json_get_string (row, "plugin", "");
  JsonObject *settings = reeve_json_get_object (row, "settings");
  g_autoptr (JsonObject) empty = json_object_new ();
  g_autoptr (JsonObject) stripped = NULL;
  g_autoptr (GError) local = NULL;
  g_autofree char *instance_id = g_strconcat ("llm.", id, NULL);
  ReevePlugin *plugin = NULL;
  ReeveModelProvider *provider = NULL;

  settings = settings != NULL ? settings : empty;
  stripped = reeve_model_provider_strip (settings);
  /* codec or engine: its type says */
  plugin = reeve_registry_instantiate (self->registry, instance_id, plugin_id, REEVE_TYPE_PLUGIN,
                                       stripped, &local);
  if (plugin == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&local), "provider %s: ", id);
      return FALSE;
    }
  if (!reeve_models_add (self, id, plugin, settings, error))
    return FALSE;
  provider = g_ptr_array_index (self->providers, self->providers->len - 1);
  provider->plugin_id = g_strdup (plugin_id);
  provider->system = g_strdup (plugin_id + (g_str_has_prefix (plugin_id, "llm-") ? 4 : 0));
  return TRUE;
}

gboolean
reeve_models_has_provider (ReeveModels *self, const char *id)
{
  return reeve_models_find (self, id, strlen (id)) != NULL;
}

static gboolean
reeve_models_configure_default (ReeveModels *self, const char *model, char **faulty, GError **error)
{
  g_autofree char *provider = model != NULL ? g_strndup (model, strcspn (model, "/")) : NULL;

  self->configured_default = g_strdup (model);
  if (provider == NULL || reeve_models_has_provider (self, provider))
    return TRUE;
  *faulty = g_strdup ("default");
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "names provider %s, which is not configured", provider);
  return FALSE;
}

/**
 * reeve_models_configure:
 * @self: a router that was not used as yet
 * @llm: (nullable): section `llm` of the configuration
 * @faulty: (out) (transfer full): on failure, which key of the section is to blame, such as
 * `providers.1.plugin`
 * @error: return location
 *
 * Makes the providers that an administrator configured, or the embedded one when there is none.
 * Blocks.
 *
 * Returns: %FALSE with an error that names the provider
 */
gboolean
reeve_models_configure (ReeveModels *self, JsonObject *llm, char **faulty, GError **error)
{
  JsonArray *rows = llm != NULL ? reeve_json_get_array (llm, "providers") : NULL;
  guint n = rows != NULL ? json_array_get_length (rows) : 0;

  g_return_val_if_fail (self->registry != NULL, FALSE);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) why = NULL;

      if (reeve_models_configure_one (self, json_array_get_object_element (rows, i), &why))
        continue;
      *faulty = g_strdup_printf (
          "providers.%u.%s", i,
          g_error_matches (why, REEVE_ERROR, REEVE_ERROR_CONFIGURATION) ? "settings" : "plugin");
      g_propagate_error (error, g_steal_pointer (&why));
      return FALSE;
    }
  if (n == 0)
    {
      g_autoptr (JsonObject) embedded = json_object_new ();

      json_object_set_string_member (embedded, "id", "extractive");
      json_object_set_string_member (embedded, "plugin", "llm-extractive");
      *faulty = g_strdup ("providers");
      if (!reeve_models_configure_one (self, embedded, error))
        return FALSE;
      g_clear_pointer (faulty, g_free);
    }
  return llm == NULL
         || (reeve_models_configure_default (self, reeve_json_get_string (llm, "default", NULL),
                                             faulty, error)
             && reeve_models_fallback_configure (self, reeve_json_get_array (llm, "fallbacks"),
                                                 faulty, error));
}

/* An engine that may ask others may be paid for what it asks. */
static gboolean
reeve_models_is_embedded (ReeveModels *self, const ReeveModelProvider *provider)
{
  g_autoptr (ReeveRegistryEntry) entry
      = provider->codec == NULL && provider->plugin_id != NULL
            ? reeve_registry_get (self->registry, provider->plugin_id)
            : NULL;
  const char *const *asked = entry != NULL && entry->manifest != NULL
                                 ? reeve_manifest_get_capabilities (entry->manifest)
                                 : NULL;
  gboolean alone = asked != NULL;

  for (guint i = 0; alone && asked[i] != NULL; i++)
    alone = !g_str_has_prefix (asked[i], "net.") && strcmp (asked[i], "model.call") != 0
            && strcmp (asked[i], "tool.call") != 0;
  return alone;
}

/**
 * reeve_models_list_embedded:
 * @self: a router, configured
 *
 * Returns: (transfer full): ids of the providers whose models are computed by this machine, and by
 * nobody who is paid for it: engines that request neither the network nor another model or tool
 */
char **
reeve_models_list_embedded (ReeveModels *self)
{
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();

  for (guint i = 0; i < self->providers->len; i++)
    {
      const ReeveModelProvider *provider = g_ptr_array_index (self->providers, i);

      if (reeve_models_is_embedded (self, provider))
        g_strv_builder_add (ids, provider->id);
    }
  return g_strv_builder_end (ids);
}

gboolean
reeve_models_check (ReeveModels *self, ReeveModelProvider *provider, GError **error)
{
  return self->registry == NULL || provider->plugin_id == NULL
         || reeve_registry_check (self->registry, provider->plugin_id, error);
}

/* The first one whose plugin may be called; the first of all where none may. */
static ReeveModelProvider *
reeve_models_get_first (ReeveModels *self)
{
  for (guint i = 0; i < self->providers->len; i++)
    if (reeve_models_check (self, g_ptr_array_index (self->providers, i), NULL))
      return g_ptr_array_index (self->providers, i);
  return self->providers->len > 0 ? g_ptr_array_index (self->providers, 0) : NULL;
}

static const char *
reeve_models_get_model (ReeveModelProvider *provider)
{
  if (provider->model != NULL)
    return provider->model;
  return provider->models[0] != NULL ? provider->models[0] : REEVE_MODELS_UNNAMED;
}

/**
 * reeve_models_get_default:
 * @self: a router
 *
 * Returns: (transfer full) (nullable): name of the model used when none is named; %NULL when there
 * is no provider
 */
char *
reeve_models_get_default (ReeveModels *self)
{
  ReeveModelProvider *provider = NULL;

  if (self->configured_default != NULL && strchr (self->configured_default, '/') != NULL)
    return g_strdup (self->configured_default);
  if (self->configured_default != NULL)
    provider
        = reeve_models_find (self, self->configured_default, strlen (self->configured_default));
  if (provider == NULL)
    provider = reeve_models_get_first (self);
  if (provider == NULL)
    return NULL;
  return g_strconcat (provider->id, "/", reeve_models_get_model (provider), NULL);
}

ReeveModelProvider *
reeve_models_route (ReeveModels *self, const char *model, char **name, GError **error)
{
  g_autofree char *fallback = reeve_models_get_default (self);
  const char *wanted = model != NULL && *model != '\0' ? model : fallback;
  ReeveModelProvider *provider = NULL;
  gsize prefix = 0;

  if (fallback == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                           "no model provider is configured");
      return NULL;
    }
  prefix = strcspn (wanted, "/");
  provider = reeve_models_find (self, wanted, prefix);
  if (provider != NULL && wanted[prefix] == '\0')
    *name = g_strdup (reeve_models_get_model (provider));
  else if (provider != NULL && wanted[prefix + 1] != '\0')
    *name = g_strdup (wanted + prefix + 1);
  else if (provider == NULL)
    {
      provider = reeve_models_find (self, fallback, strcspn (fallback, "/"));
      *name = g_strdup (wanted);
    }
  if (*name != NULL && provider != NULL)
    return provider;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "no model answers to %.128s",
               wanted);
  return NULL;
}

/**
 * reeve_models_resolve:
 * @self: a router
 * @model: (nullable): `provider/model`, `provider`, or a name for the default provider
 * @provider: (out) (optional) (transfer full): id of the provider
 * @name: (out) (optional) (transfer full): name as the provider knows it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT or %REEVE_ERROR_CONFIGURATION when nothing
 * answers to it
 */
gboolean
reeve_models_resolve (ReeveModels *self, const char *model, char **provider, char **name,
                      GError **error)
{
  g_autofree char *found = NULL;
  ReeveModelProvider *row = reeve_models_route (self, model, &found, error);

  if (row == NULL)
    return FALSE;
  if (provider != NULL)
    *provider = g_strdup (row->id);
  if (name != NULL)
    *name = g_steal_pointer (&found);
  return TRUE;
}

/**
 * reeve_models_measure:
 * @self: the models
 * @model: a provider and a name, as reeve_models_resolve() tells
 *
 * Returns: how many bytes at the front are known by the configuration
 */
gsize
reeve_models_measure (ReeveModels *self, const char *model)
{
  gsize prefix = strcspn (model, "/");
  ReeveModelProvider *provider = reeve_models_find (self, model, prefix);
  const char *name = model + prefix + 1;

  if (provider == NULL)
    return 0;
  if (model[prefix] == '\0')
    return prefix;
  return g_strcmp0 (self->configured_default, model) == 0 || g_strcmp0 (provider->model, name) == 0
                 || g_strv_contains ((const char *const *) provider->models, name)
                 || strcmp (name, REEVE_MODELS_UNNAMED) == 0
                 || reeve_models_fallback_names (self, model)
             ? strlen (model)
             : prefix + 1;
}

static void
reeve_models_list_one (JsonArray *list, ReeveModelProvider *provider, const char *model,
                       gboolean is_default)
{
  g_autofree char *id = g_strconcat (provider->id, "/", model, NULL);
  JsonObject *row = json_object_new ();

  json_object_set_string_member (row, "id", id);
  json_object_set_string_member (row, "provider", provider->id);
  json_object_set_string_member (row, "kind", provider->codec != NULL ? "remote" : "embedded");
  json_object_set_boolean_member (row, "default", is_default);
  json_array_add_object_element (list, row);
}

/**
 * reeve_models_list:
 * @self: a router
 *
 * Returns: (transfer full): configured models, but for those of disabled plugins,
 * `[{id, provider, kind, default}]`
 */
JsonArray *
reeve_models_list (ReeveModels *self)
{
  g_autofree char *fallback = reeve_models_get_default (self);
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < self->providers->len; i++)
    {
      ReeveModelProvider *provider = g_ptr_array_index (self->providers, i);
      gsize length = strlen (provider->id);
      const char *own = g_str_has_prefix (fallback, provider->id) && fallback[length] == '/'
                            ? fallback + length + 1
                            : NULL;

      if (!reeve_models_check (self, provider, NULL))
        continue;
      if (own != NULL)
        reeve_models_list_one (list, provider, own, TRUE);
      for (guint k = 0; provider->models[k] != NULL; k++)
        if (g_strcmp0 (own, provider->models[k]) != 0)
          reeve_models_list_one (list, provider, provider->models[k], FALSE);
      if (own == NULL && provider->models[0] == NULL)
        reeve_models_list_one (list, provider, reeve_models_get_model (provider), FALSE);
    }
  return list;
}

/* The client of the calling thread's main context. */
ReeveUpstream *
reeve_models_get_client (ReeveModels *self, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  ReeveHttpClient *client = NULL;

  g_mutex_lock (&self->lock);
  client = g_hash_table_lookup (self->clients, context);
  if (client == NULL)
    {
      client = reeve_http_client_new (context, self->trust, error);
      if (client != NULL)
        g_hash_table_insert (self->clients, g_main_context_ref (context), client);
    }
  g_mutex_unlock (&self->lock);
  return client != NULL ? REEVE_UPSTREAM (client) : NULL;
}

/**
 * reeve_models_leave:
 * @self: a router
 *
 * Ends the calls that the thread-default main context of the calling thread has under way, and
 * closes its connections. To be called on a thread before its context goes.
 */
void
reeve_models_leave (ReeveModels *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr (ReeveHttpClient) client = NULL;

  g_mutex_lock (&self->lock);
  client = g_hash_table_lookup (self->clients, context);
  if (client != NULL)
    g_object_ref (client);
  g_hash_table_remove (self->clients, context);
  g_mutex_unlock (&self->lock);
  if (client != NULL)
    reeve_http_client_shutdown (client);
}
