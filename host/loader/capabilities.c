/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The broker: a plugin instance gets one that knows its manifest, and only what that requests goes
 * through. Tenants and grants are decided by the providers, which higher rooms register; this room
 * knows neither. */
#include "capabilities-private.h"

#include <string.h>

#include "capabilities-basic.h"
#include "interpreter.h"

static void reeve_capabilities_broker_iface_init (ReeveBrokerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ReeveCapabilitiesBroker, reeve_capabilities_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER,
                                                      reeve_capabilities_broker_iface_init))

static void
reeve_capabilities_broker_finalize (GObject *object)
{
  ReeveCapabilitiesBroker *self = REEVE_CAPABILITIES_BROKER (object);

  g_mutex_lock (&self->capabilities->lock);
  g_ptr_array_remove (self->capabilities->brokers, &self->listed);
  g_mutex_unlock (&self->capabilities->lock);
  g_clear_pointer (&self->capabilities, reeve_capabilities_unref);
  g_clear_pointer (&self->manifest, reeve_manifest_unref);
  g_clear_pointer (&self->settings, json_object_unref);
  g_free (self->instance_id);
  g_weak_ref_clear (&self->listed);
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

/* ---- one call ---- */

/* On any thread, under the outer cancellable's lock. */
static void
reeve_capabilities_on_cancelled (GCancellable *outer, gpointer lease)
{
  g_cancellable_cancel (reeve_capability_lease_get_cancellable (lease));
}

/* First of all whether it was revoked: a setup that hangs may come back at any time, also while
 * providers are still being registered. What is taken back or given up later is felt by the call
 * that is under way. */
static gboolean
reeve_capabilities_broker_enter (ReeveCapabilitiesPassage *self, const char *capability,
                                 GError **error)
{
  ReeveCapabilities *capabilities = self->broker->capabilities;
  ReeveContext *context = self->caller.context;

  if (!reeve_capabilities_broker_check (self->broker, capability, error))
    return FALSE;
  if (capabilities->grants.acquire == NULL || reeve_capabilities_basic_has (capability))
    return TRUE;
  if (!capabilities->grants.acquire (self->caller.plugin_id, capability,
                                     reeve_context_get_tenant_id (context),
                                     capabilities->grants_data, &self->caller.lease, error))
    return FALSE;
  self->outer = reeve_context_get_cancellable (context);
  if (self->caller.lease != NULL && self->outer != NULL)
    self->handler
        = g_cancellable_connect (self->outer, G_CALLBACK (reeve_capabilities_on_cancelled),
                                 reeve_capability_lease_ref (self->caller.lease),
                                 (GDestroyNotify) reeve_capability_lease_unref);
  return TRUE;
}

static void
reeve_capabilities_broker_give_back (ReeveCapabilitiesPassage *self, ReeveCapabilityLease *lease,
                                     gboolean done, GError **error)
{
  ReeveCapabilities *capabilities = self->broker->capabilities;

  if (!done && reeve_capability_lease_is_cut (lease))
    {
      g_clear_error (error);
      reeve_capability_lease_set_error (lease, error);
    }
  capabilities->grants.release (lease, capabilities->grants_data);
}

/* What was done before the grant ended is done; what was cut says why. */
static void
reeve_capabilities_broker_leave (ReeveCapabilitiesPassage *self, gboolean done, GError **error)
{
  g_clear_pointer (&self->bytes, reeve_byte_room_give);
  if (self->caller.lease == NULL || self->held)
    return;
  if (self->handler != 0)
    g_cancellable_disconnect (self->outer, self->handler);
  for (guint i = 0; self->also != NULL && i < self->also->len; i++)
    reeve_capabilities_broker_give_back (self, g_ptr_array_index (self->also, i), done, error);
  g_clear_pointer (&self->also, g_ptr_array_unref);
  reeve_capabilities_broker_give_back (self, self->caller.lease, done, error);
}

/**
 * reeve_capabilities_also:
 * @caller: a call of a capability
 * @capability: what it needs besides
 * @lease: (out) (transfer none) (nullable): the right to that
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CAPABILITY or %REEVE_ERROR_CAPABILITY_REVOKED
 */
gboolean
reeve_capabilities_also (const ReeveCapabilityCaller *caller, const char *capability,
                         ReeveCapabilityLease **lease, GError **error)
{
  ReeveCapabilitiesPassage *self = caller->passage;
  ReeveCapabilities *capabilities = self != NULL ? self->broker->capabilities : NULL;

  *lease = NULL;
  if (self == NULL)
    return TRUE;
  if (!reeve_capabilities_broker_check (self->broker, capability, error))
    return FALSE;
  /* the call's own has none: nobody keeps grants */
  if (capabilities->grants.acquire == NULL || caller->lease == NULL)
    return TRUE;
  if (!capabilities->grants.acquire (caller->plugin_id, capability,
                                     reeve_context_get_tenant_id (caller->context),
                                     capabilities->grants_data, lease, error))
    return FALSE;
  if (*lease == NULL)
    return TRUE;
  g_cancellable_connect (
      reeve_capability_lease_get_cancellable (*lease), G_CALLBACK (reeve_capabilities_on_cancelled),
      reeve_capability_lease_ref (caller->lease), (GDestroyNotify) reeve_capability_lease_unref);
  if (self->also == NULL)
    self->also = g_ptr_array_new ();
  g_ptr_array_add (self->also, *lease);
  return TRUE;
}

static void
reeve_capabilities_broker_begin (ReeveCapabilitiesPassage *self, ReeveBroker *broker,
                                 ReeveContext *context)
{
  self->broker = REEVE_CAPABILITIES_BROKER (broker);
  self->caller.plugin_id = reeve_manifest_get_id (self->broker->manifest);
  self->caller.instance_id = self->broker->instance_id;
  self->caller.settings = self->broker->settings;
  self->caller.context = context;
  self->caller.manifest = self->broker->manifest;
  self->caller.passage = self;
  self->caller.room = self->broker->capabilities->room;
  self->caller.held = &self->bytes;
}

/* (nullable) @bytes and @content: as of a ReeveCapabilityTransferFunc */
static JsonNode *
reeve_capabilities_broker_perform (ReeveCapabilitiesPassage *passage, const char *capability,
                                   JsonNode *params, GBytes *bytes, GBytes **content,
                                   GError **error)
{
  ReeveCapabilitiesProvider *provider
      = g_hash_table_lookup (passage->broker->capabilities->providers, capability);

  if (provider == NULL)
    return reeve_capabilities_broker_miss (capability, error);
  if (provider->transfer != NULL)
    return provider->transfer (&passage->caller, params, bytes, content, provider->user_data,
                               error);
  if (bytes == NULL || g_bytes_get_size (bytes) == 0)
    return provider->func (&passage->caller, params, provider->user_data, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "capability %s takes no bytes",
               capability);
  return NULL;
}

static JsonNode *
reeve_capabilities_broker_run (ReeveBroker *broker, ReeveContext *context, const char *capability,
                               JsonNode *params, GBytes *bytes, GBytes **content, GError **error)
{
  ReeveCapabilitiesPassage passage = { 0 };
  GError *problem = NULL;
  JsonNode *result = NULL;

  reeve_capabilities_broker_begin (&passage, broker, context);
  if (!reeve_capabilities_broker_enter (&passage, capability, error))
    return NULL;
  result
      = reeve_capabilities_broker_perform (&passage, capability, params, bytes, content, &problem);
  reeve_capabilities_broker_leave (&passage, result != NULL, &problem);
  if (problem != NULL)
    g_propagate_error (error, problem);
  return result;
}

static JsonNode *
reeve_capabilities_broker_call (ReeveBroker *broker, ReeveContext *context, const char *capability,
                                JsonNode *params, GError **error)
{
  return reeve_capabilities_broker_run (broker, context, capability, params, NULL, NULL, error);
}

static GBytes *
reeve_capabilities_broker_transfer (ReeveBroker *broker, ReeveContext *context,
                                    const char *capability, JsonNode *params, GBytes *bytes,
                                    JsonNode **answer, GError **error)
{
  GBytes *content = NULL;

  *answer
      = reeve_capabilities_broker_run (broker, context, capability, params, bytes, &content, error);
  if (*answer == NULL)
    {
      g_clear_pointer (&content, g_bytes_unref);
      return NULL;
    }
  return content != NULL ? content : g_bytes_new_static ("", 0);
}

static ReeveHttpResponse *
reeve_capabilities_broker_http (ReeveBroker *broker, ReeveContext *context,
                                ReeveHttpRequest *request, GError **error)
{
  ReeveCapabilitiesPassage passage = { 0 };
  ReeveCapabilities *capabilities = NULL;
  GError *problem = NULL;
  ReeveHttpResponse *response = NULL;

  reeve_capabilities_broker_begin (&passage, broker, context);
  if (!reeve_capabilities_broker_enter (&passage, "net.http", error))
    return NULL;
  capabilities = passage.broker->capabilities;
  response = capabilities->http != NULL
                 ? capabilities->http (&passage.caller, request, capabilities->http_data, &problem)
                 : reeve_capabilities_broker_miss ("net.http", &problem);
  reeve_capabilities_broker_leave (&passage, response != NULL, &problem);
  if (problem != NULL)
    g_propagate_error (error, problem);
  return response;
}

static int
reeve_capabilities_broker_tcp (ReeveBroker *broker, ReeveContext *context, const char *host,
                               guint16 port, GError **error)
{
  ReeveCapabilitiesPassage passage = { 0 };
  ReeveCapabilities *capabilities = NULL;
  GError *problem = NULL;
  int fd = -1;

  reeve_capabilities_broker_begin (&passage, broker, context);
  if (!reeve_capabilities_broker_enter (&passage, "net.tcp", error))
    return -1;
  capabilities = passage.broker->capabilities;
  if (capabilities->tcp != NULL)
    fd = capabilities->tcp (&passage.caller, host, port, capabilities->tcp_data, &problem);
  else
    reeve_capabilities_broker_miss ("net.tcp", &problem);
  reeve_capabilities_broker_leave (&passage, fd >= 0, &problem);
  if (problem != NULL)
    g_propagate_error (error, problem);
  return fd;
}

static void
reeve_capabilities_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->call = reeve_capabilities_broker_call;
  iface->http = reeve_capabilities_broker_http;
  iface->transfer = reeve_capabilities_broker_transfer;
  iface->tcp = reeve_capabilities_broker_tcp;
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
  self->brokers = g_ptr_array_new ();
  self->room = reeve_byte_room_new ();
  g_mutex_init (&self->lock);
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
  g_ptr_array_unref (self->brokers);
  reeve_byte_room_unref (self->room);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * reeve_capabilities_provide:
 * @self: capabilities
 * @name: of one, such as `knowledge.search`
 * @func: performs a call; any thread, several at once
 * @user_data: closure; outlives @self
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
 * reeve_capabilities_provide_transfer:
 * @self: capabilities
 * @name: of one, such as `fs.read`
 * @func: performs a call, with bytes or without; any thread, several at once
 * @user_data: closure; outlives @self
 *
 * Registers the provider of a capability that takes or gives bytes, before any plugin is called.
 */
void
reeve_capabilities_provide_transfer (ReeveCapabilities *self, const char *name,
                                     ReeveCapabilityTransferFunc func, gpointer user_data)
{
  ReeveCapabilitiesProvider *provider = g_new0 (ReeveCapabilitiesProvider, 1);

  provider->transfer = func;
  provider->user_data = user_data;
  g_hash_table_replace (self->providers, g_strdup (name), provider);
}

/**
 * reeve_capabilities_provide_http:
 * @self: capabilities
 * @func: performs a request; any thread, several at once
 * @user_data: closure; outlives @self
 */
void
reeve_capabilities_provide_http (ReeveCapabilities *self, ReeveCapabilityHttpFunc func,
                                 gpointer user_data)
{
  self->http = func;
  self->http_data = user_data;
}

/**
 * reeve_capabilities_get_amount:
 * @self: capabilities
 * @manifest: of a plugin
 * @capability: one that says how much
 * @granted: (out): the largest amount that was granted, or 0
 * @ceiling: (out): the most that may be granted, or 0
 *
 * Returns: whether it was requested, and is granted for all tenants
 */
gboolean
reeve_capabilities_get_amount (ReeveCapabilities *self, ReeveManifest *manifest,
                               const char *capability, gint64 *granted, gint64 *ceiling)
{
  ReeveCapabilityLease *lease = NULL;
  const ReeveCapabilityTerms *most = NULL;

  *granted = 0;
  *ceiling = 0;
  if (reeve_manifest_get_reason (manifest, capability) == NULL)
    return FALSE;
  if (self->grants.acquire == NULL)
    return TRUE;
  if (!self->grants.acquire (reeve_manifest_get_id (manifest), capability, NULL, self->grants_data,
                             &lease, NULL))
    return FALSE;
  for (guint i = 0; lease != NULL && i < reeve_capability_lease_get_length (lease); i++)
    {
      gint64 amount = reeve_capability_lease_get_terms (lease, i)->amount;

      /* one that says nothing is for as much as is requested */
      *granted = i > 0 && (*granted == 0 || amount == 0) ? 0 : MAX (*granted, amount);
    }
  most = lease != NULL ? reeve_capability_lease_get_ceiling (lease) : NULL;
  if (most != NULL)
    *ceiling = reeve_capability_terms_get_amount (most, capability);
  if (lease != NULL)
    self->grants.release (lease, self->grants_data);
  return TRUE;
}

/**
 * reeve_capabilities_provide_tcp:
 * @self: capabilities
 * @func: opens a connection; any thread, several at once
 * @user_data: closure; outlives @self
 *
 * Registers the provider of `net.tcp`, before any plugin is called.
 */
void
reeve_capabilities_provide_tcp (ReeveCapabilities *self, ReeveCapabilityTcpFunc func,
                                gpointer user_data)
{
  self->tcp = func;
  self->tcp_data = user_data;
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
  /* nobody calls these: they are for the plugin's process */
  static const char *const kept[]
      = { "threads", "memory", "cpu", "jit", REEVE_INTERPRETER_CAPABILITY, NULL };

  return g_hash_table_contains (self->providers, name) || g_strv_contains (kept, name)
         || (self->http != NULL && g_strcmp0 (name, "net.http") == 0)
         || (self->tcp != NULL && g_strcmp0 (name, "net.tcp") == 0);
}

/**
 * reeve_capabilities_set_grants:
 * @self: capabilities
 * @grants: who decides; copied
 * @user_data: closure; outlives @self
 *
 * From now on a call needs a grant besides the request in the manifest. Before any plugin is
 * called.
 */
void
reeve_capabilities_set_grants (ReeveCapabilities *self, const ReeveCapabilityGrants *grants,
                               gpointer user_data)
{
  self->grants = *grants;
  self->grants_data = user_data;
}

/**
 * reeve_capabilities_get_cancellable:
 * @caller: a call of a capability
 *
 * Returns: (transfer none) (nullable): cancelled when the caller gave up, or the grant that the
 * call rests on was taken back
 */
GCancellable *
reeve_capabilities_get_cancellable (const ReeveCapabilityCaller *caller)
{
  return caller->lease != NULL ? reeve_capability_lease_get_cancellable (caller->lease)
                               : reeve_context_get_cancellable (caller->context);
}

/**
 * reeve_capabilities_foreach_instance:
 * @self: capabilities
 * @plugin_id: of a plugin
 * @func: called with each instance that has a broker, oldest first; holds no lock of this
 * @user_data: closure
 */
void
reeve_capabilities_foreach_instance (ReeveCapabilities *self, const char *plugin_id,
                                     ReeveCapabilityInstanceFunc func, gpointer user_data)
{
  g_autoptr (GPtrArray) brokers = g_ptr_array_new_with_free_func (g_object_unref);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->brokers->len; i++)
    {
      ReeveCapabilitiesBroker *broker = g_weak_ref_get (g_ptr_array_index (self->brokers, i));

      if (broker != NULL)
        g_ptr_array_add (brokers, broker);
    }
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < brokers->len; i++)
    {
      ReeveCapabilitiesBroker *broker = g_ptr_array_index (brokers, i);

      if (strcmp (reeve_manifest_get_id (broker->manifest), plugin_id) == 0)
        func (broker->instance_id, broker->settings, user_data);
    }
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
  g_mutex_lock (&self->lock);
  g_weak_ref_init (&broker->listed, broker);
  g_ptr_array_add (self->brokers, &broker->listed);
  g_mutex_unlock (&self->lock);
  return REEVE_BROKER (broker);
}

gboolean
reeve_capabilities_check (ReeveBroker *broker, ReeveContext *context, const char *capability,
                          GError **error)
{
  ReeveCapabilitiesPassage passage = { 0 };

  reeve_capabilities_broker_begin (&passage, broker, context);
  if (!reeve_capabilities_broker_enter (&passage, capability, error))
    return FALSE;
  reeve_capabilities_broker_leave (&passage, TRUE, NULL);
  return TRUE;
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
