/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The broker: a plugin instance gets one that knows its manifest, and only what that requests goes
 * through. Tenants and grants are decided by the providers, which higher rooms register; this room
 * knows neither. */
#include "capabilities.h"

#include "capabilities-basic.h"

typedef struct
{
  ReeveCapabilityFunc func;
  gpointer user_data;
} ReeveCapabilitiesProvider;

struct _ReeveCapabilities
{
  gatomicrefcount refs;
  GHashTable *providers; /* name -> ReeveCapabilitiesProvider; written before plugins are called,
                            read-only afterwards */
  ReeveCapabilityHttpFunc http;
  gpointer http_data;
};

#define REEVE_TYPE_CAPABILITIES_BROKER (reeve_capabilities_broker_get_type ())
G_DECLARE_FINAL_TYPE (ReeveCapabilitiesBroker, reeve_capabilities_broker, REEVE,
                      CAPABILITIES_BROKER, GObject)

struct _ReeveCapabilitiesBroker
{
  GObject parent_instance;

  ReeveCapabilities *capabilities;
  ReeveManifest *manifest;
  char *instance_id;
  JsonObject *settings;
  gint revoked; /* atomic */
};

static void reeve_capabilities_broker_iface_init (ReeveBrokerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ReeveCapabilitiesBroker, reeve_capabilities_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER,
                                                      reeve_capabilities_broker_iface_init))

static void
reeve_capabilities_broker_finalize (GObject *object)
{
  ReeveCapabilitiesBroker *self = REEVE_CAPABILITIES_BROKER (object);

  g_clear_pointer (&self->capabilities, reeve_capabilities_unref);
  g_clear_pointer (&self->manifest, reeve_manifest_unref);
  g_clear_pointer (&self->settings, json_object_unref);
  g_free (self->instance_id);
  G_OBJECT_CLASS (reeve_capabilities_broker_parent_class)->finalize (object);
}

static void
reeve_capabilities_broker_class_init (ReeveCapabilitiesBrokerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_capabilities_broker_finalize;
}

static void
reeve_capabilities_broker_init (ReeveCapabilitiesBroker *self)
{
}

static gboolean
reeve_capabilities_broker_check (ReeveCapabilitiesBroker *self, const char *capability,
                                 GError **error)
{
  if (g_atomic_int_get (&self->revoked) != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                   "capability %s was revoked: plugin %s is shut down", capability,
                   reeve_manifest_get_id (self->manifest));
      return FALSE;
    }
  if (reeve_manifest_get_reason (self->manifest, capability) == NULL
      && !reeve_capabilities_basic_has (capability))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                   "plugin %s did not request capability %s in its manifest",
                   reeve_manifest_get_id (self->manifest), capability);
      return FALSE;
    }
  return TRUE;
}

static gpointer
reeve_capabilities_broker_miss (const char *capability, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY, "this host does not offer capability %s",
               capability);
  return NULL;
}

static JsonNode *
reeve_capabilities_broker_call (ReeveBroker *broker, ReeveContext *context, const char *capability,
                                JsonNode *params, GError **error)
{
  ReeveCapabilitiesBroker *self = REEVE_CAPABILITIES_BROKER (broker);
  ReeveCapabilitiesProvider *provider = NULL;
  const ReeveCapabilityCaller caller
      = { reeve_manifest_get_id (self->manifest), self->instance_id, self->settings, context };

  /* first of all whether it was revoked: a setup that hangs may come back at any time, also while
   * providers are still being registered */
  if (!reeve_capabilities_broker_check (self, capability, error))
    return NULL;
  provider = g_hash_table_lookup (self->capabilities->providers, capability);
  if (provider == NULL)
    return reeve_capabilities_broker_miss (capability, error);
  return provider->func (&caller, params, provider->user_data, error);
}

static ReeveHttpResponse *
reeve_capabilities_broker_http (ReeveBroker *broker, ReeveContext *context,
                                ReeveHttpRequest *request, GError **error)
{
  ReeveCapabilitiesBroker *self = REEVE_CAPABILITIES_BROKER (broker);
  const ReeveCapabilityCaller caller
      = { reeve_manifest_get_id (self->manifest), self->instance_id, self->settings, context };

  if (!reeve_capabilities_broker_check (self, "net.http", error))
    return NULL;
  if (self->capabilities->http == NULL)
    return reeve_capabilities_broker_miss ("net.http", error);
  return self->capabilities->http (&caller, request, self->capabilities->http_data, error);
}

static void
reeve_capabilities_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->call = reeve_capabilities_broker_call;
  iface->http = reeve_capabilities_broker_http;
}

/**
 * reeve_capabilities_new:
 *
 * Returns: (transfer full): with the providers of `log`, `clock` and `random` only
 */
ReeveCapabilities *
reeve_capabilities_new (void)
{
  ReeveCapabilities *self = g_new0 (ReeveCapabilities, 1);

  g_atomic_ref_count_init (&self->refs);
  self->providers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  reeve_capabilities_basic_provide (self);
  return self;
}

/**
 * reeve_capabilities_ref:
 * @self: capabilities
 *
 * Returns: (transfer full): @self
 */
ReeveCapabilities *
reeve_capabilities_ref (ReeveCapabilities *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_capabilities_unref:
 * @self: (transfer full): capabilities
 */
void
reeve_capabilities_unref (ReeveCapabilities *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_hash_table_unref (self->providers);
  g_free (self);
}

/**
 * reeve_capabilities_provide:
 * @self: capabilities
 * @name: of one, such as `knowledge.search`
 * @func: performs a call; any thread, several at once
 * @user_data: closure; outlives @self
 *
 * Registers the provider of a capability, before any plugin is called.
 */
void
reeve_capabilities_provide (ReeveCapabilities *self, const char *name, ReeveCapabilityFunc func,
                            gpointer user_data)
{
  ReeveCapabilitiesProvider *provider = g_new0 (ReeveCapabilitiesProvider, 1);

  provider->func = func;
  provider->user_data = user_data;
  g_hash_table_replace (self->providers, g_strdup (name), provider);
}

/**
 * reeve_capabilities_provide_http:
 * @self: capabilities
 * @func: performs a request; any thread, several at once
 * @user_data: closure; outlives @self
 *
 * Registers the provider of `net.http`, before any plugin is called.
 */
void
reeve_capabilities_provide_http (ReeveCapabilities *self, ReeveCapabilityHttpFunc func,
                                 gpointer user_data)
{
  self->http = func;
  self->http_data = user_data;
}

/**
 * reeve_capabilities_has:
 * @self: capabilities
 * @name: of one
 *
 * Returns: whether this host offers it
 */
gboolean
reeve_capabilities_has (ReeveCapabilities *self, const char *name)
{
  return g_hash_table_contains (self->providers, name)
         || (self->http != NULL && g_strcmp0 (name, "net.http") == 0);
}

/**
 * reeve_capabilities_new_broker:
 * @self: capabilities
 * @manifest: of the plugin
 * @instance_id: of the instance
 * @settings: (nullable): what the administrator configured for it
 *
 * Returns: (transfer full): what that instance may reach
 */
ReeveBroker *
reeve_capabilities_new_broker (ReeveCapabilities *self, ReeveManifest *manifest,
                               const char *instance_id, JsonObject *settings)
{
  ReeveCapabilitiesBroker *broker = g_object_new (REEVE_TYPE_CAPABILITIES_BROKER, NULL);

  broker->capabilities = reeve_capabilities_ref (self);
  broker->manifest = reeve_manifest_ref (manifest);
  broker->instance_id = g_strdup (instance_id);
  broker->settings = settings != NULL ? json_object_ref (settings) : NULL;
  return REEVE_BROKER (broker);
}

/**
 * reeve_capabilities_revoke:
 * @broker: from reeve_capabilities_new_broker()
 *
 * Refuses every call through it from now on.
 */
void
reeve_capabilities_revoke (ReeveBroker *broker)
{
  g_atomic_int_set (&REEVE_CAPABILITIES_BROKER (broker)->revoked, 1);
}
