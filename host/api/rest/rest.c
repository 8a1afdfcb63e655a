/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes come in, a call goes to the gate, its answer goes out: no logic here. */
#include "rest.h"

#include <sys/resource.h>

#include "base/cgroup.h"

#include "listener.h"
#include "router.h"
#include "thread.h"

#define REEVE_REST_MAX_THREADS 8

struct _ReeveRest
{
  GPtrArray *listeners; /* (element-type ReeveRestListener) */
  GPtrArray *urls;
  GPtrArray *threads; /* (element-type ReeveRestThread) */
  guint wanted;
  ReeveRestShared shared;
};

/* Stores, the ledger and upstreams need descriptors too. */
static guint
reeve_rest_bound_connections (const ReeveRestBounds *limits)
{
  struct rlimit files = { 0 };
  guint most = limits->max_connections;

  if (getrlimit (RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY
      && files.rlim_cur / 4 * 3 < most)
    {
      most = (guint) MAX (files.rlim_cur / 4 * 3, 1);
      g_message ("at most %u connections at once, not server.max_connections %u: this process may "
                 "open %" G_GUINT64_FORMAT " files",
                 most, limits->max_connections, (guint64) files.rlim_cur);
    }
  return most;
}

static gboolean
reeve_rest_read_proxies (ReeveRest *self, ReeveConfig *config, GError **error)
{
  g_auto (GStrv) texts = reeve_config_get_strv (config, "server.trusted_proxies");
  g_autoptr (GError) reason = NULL;
  g_autofree char *text = NULL;

  self->shared.proxies = reeve_address_list_new ((const char *const *) texts, &reason);
  if (self->shared.proxies != NULL)
    return TRUE;
  text = reeve_config_blame (config, "server.trusted_proxies", reason->message);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text);
  return FALSE;
}

/**
 * reeve_rest_new:
 * @setup: where to listen, and the bounds
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a door that is bound, but not open yet
 */
ReeveRest *
reeve_rest_new (const ReeveRestSetup *setup, GError **error)
{
  g_autoptr (ReeveRest) self = g_new0 (ReeveRest, 1);
  guint threads = setup->threads > 0 ? setup->threads : reeve_cgroup_count_processors ();

  self->listeners = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_rest_listener_free);
  self->urls = g_ptr_array_new ();
  self->threads = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_rest_thread_free);
  self->wanted = MIN (threads, REEVE_REST_MAX_THREADS);
  self->shared.limits = setup->limits;
  self->shared.limits.max_connections = reeve_rest_bound_connections (&setup->limits);
  self->shared.addresses = reeve_rest_addresses_new (self->shared.limits.max_connections,
                                                     setup->limits.max_per_address);
  self->shared.max_arrivals = MAX (self->shared.limits.max_connections / 2 / self->wanted, 1);
  self->shared.cors = reeve_rest_cors_new (setup->config);
  if (!reeve_rest_read_proxies (self, setup->config, error))
    return NULL;
  self->shared.key_header
      = g_strdup (reeve_config_get_string (setup->config, "authentication.api_keys.header_name"));
  if (reeve_rest_tls_is_configured (setup->config))
    {
      self->shared.tls = reeve_rest_tls_new (setup->config, error);
      if (self->shared.tls == NULL)
        return NULL;
    }
  for (guint i = 0; setup->addresses[i] != NULL; i++)
    {
      ReeveRestListener *listener
          = reeve_rest_listener_new (setup->addresses[i], self->shared.tls != NULL, error);

      if (listener == NULL)
        return NULL;
      g_ptr_array_add (self->listeners, listener);
      g_ptr_array_add (self->urls, listener->url);
    }
  g_ptr_array_add (self->urls, NULL);
  return g_steal_pointer (&self);
}

const char *const *
reeve_rest_get_urls (ReeveRest *self)
{
  return (const char *const *) self->urls->pdata;
}

gboolean
reeve_rest_start (ReeveRest *self, ReeveServices *services, GError **error)
{
  self->shared.services = services;
  self->shared.router = reeve_rest_router_new (reeve_operations);
  for (guint i = 0; i < self->wanted; i++)
    {
      ReeveRestThread *thread = reeve_rest_thread_new (&self->shared, self->listeners, i, error);

      if (thread == NULL)
        return FALSE;
      g_ptr_array_add (self->threads, thread);
    }
  self->shared.threads = self->threads;
  for (guint i = 0; i < self->threads->len; i++)
    reeve_rest_thread_start (self->threads->pdata[i]);
  return TRUE;
}

gboolean
reeve_rest_is_encrypted (ReeveRest *self)
{
  return self->shared.tls != NULL;
}

gboolean
reeve_rest_has_news (ReeveRest *self)
{
  return self->shared.tls != NULL && reeve_rest_tls_has_news (self->shared.tls);
}

/**
 * reeve_rest_reload:
 * @self: a door
 * @error: return location
 *
 * Connections that there are go on with the certificate they began with.
 *
 * Returns: whether new ones are shown what now lies in the files
 */
gboolean
reeve_rest_reload (ReeveRest *self, GError **error)
{
  return self->shared.tls == NULL || reeve_rest_tls_reload (self->shared.tls, error);
}

static guint
reeve_rest_count_busy (ReeveRest *self)
{
  guint busy = 0;

  for (guint i = 0; i < self->threads->len; i++)
    busy += reeve_rest_thread_get_busy (self->threads->pdata[i]);
  return busy;
}

void
reeve_rest_stop_accepting (ReeveRest *self)
{
  for (guint i = 0; i < self->threads->len; i++)
    reeve_rest_thread_stop_accepting (self->threads->pdata[i]);
}

/**
 * reeve_rest_stop:
 * @self: a door
 * @timeout_us: how long to wait, in microseconds
 *
 * Blocks; the threads stay until the door is freed, so that answers can still go out.
 */
void
reeve_rest_stop (ReeveRest *self, gint64 timeout_us)
{
  gint64 end = g_get_monotonic_time () + timeout_us;

  reeve_rest_stop_accepting (self);
  while (reeve_rest_count_busy (self) > 0 && g_get_monotonic_time () < end)
    g_usleep (5000);
}

void
reeve_rest_free (ReeveRest *self)
{
  g_ptr_array_unref (self->threads);
  g_ptr_array_unref (self->listeners);
  g_ptr_array_unref (self->urls);
  g_clear_pointer (&self->shared.router, reeve_rest_router_free);
  g_clear_pointer (&self->shared.addresses, reeve_rest_addresses_free);
  g_clear_pointer (&self->shared.tls, reeve_rest_tls_free);
  g_clear_pointer (&self->shared.cors, reeve_rest_cors_free);
  g_free (self->shared.key_header);
  g_clear_pointer (&self->shared.proxies, reeve_address_list_free);
  g_free (self);
}
