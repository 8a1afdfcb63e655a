/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection counts from before its name is looked up until its relay has ended, with one grant,
 * on which it rests. A context knows which connections are its call's: when the last reference to
 * it is gone, the call is over. */
#include "net-tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net-record.h"
#include "net-relays.h"
#include "net-tcp-place.h"

struct _ReeveNetTcp
{
  gatomicrefcount refs; /* of whoever made it, and of the calls that have connections */
  ReeveNetTcpSetup setup;
  ReeveMetric *open_now; /* (nullable) */
  ReeveMetric *opened;   /* (nullable) */
  ReeveMetric *bytes;    /* (nullable) */
  ReeveNetRelays *relays;
  GMutex lock;
  GHashTable *open; /* with lock: ReeveNetTcpOne, their own */
};

/* What a context has while its call may have connections. */
typedef struct
{
  ReeveNetTcp *owner;
} ReeveNetTcpCall;

typedef struct
{
  ReeveNetTcp *owner;
  char *plugin_id;
  char *tenant_id; /* (nullable) */
  char *run_id;    /* (nullable) */
  char *counted;   /* the grant and the tenant that it counts in */
  char *place;
  const ReeveNetTcpCall *call; /* compared only */
  gboolean pending;            /* with lock: it is not made as yet */
  gboolean cut;                /* with lock */
  ReeveNetRelay *relay;        /* with lock (nullable) */
  ReeveCapabilityHold *hold;   /* (nullable) */
  ReeveNetRecord *record;      /* (nullable) */
  gulong handler;
} ReeveNetTcpOne;

static G_DEFINE_QUARK (reeve - net - tcp - call, reeve_net_tcp_call)

    static ReeveNetTcp *reeve_net_tcp_ref (ReeveNetTcp *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

static void
reeve_net_tcp_unref (ReeveNetTcp *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  reeve_net_relays_free (self->relays);
  g_hash_table_unref (self->open);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* ---- ends ---- */

typedef gboolean (*ReeveNetTcpMatch) (const ReeveNetTcpOne *one, gconstpointer what);

static gboolean
reeve_net_tcp_is_of_call (const ReeveNetTcpOne *one, gconstpointer what)
{
  return one->call == what;
}

static gboolean
reeve_net_tcp_is_of_plugin (const ReeveNetTcpOne *one, gconstpointer what)
{
  return strcmp (one->plugin_id, what) == 0;
}

static gboolean
reeve_net_tcp_is_of_tenant (const ReeveNetTcpOne *one, gconstpointer what)
{
  return g_strcmp0 (one->tenant_id, what) == 0;
}

static void
reeve_net_tcp_stop (ReeveNetTcp *self, ReeveNetTcpMatch match, gconstpointer what,
                    void (*how) (ReeveNetRelay *relay))
{
  GHashTableIter iter;
  gpointer key = NULL;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->open);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      ReeveNetTcpOne *one = key;

      if (!match (one, what))
        continue;
      one->cut = TRUE;
      if (one->relay != NULL)
        how (one->relay);
    }
  g_mutex_unlock (&self->lock);
}

/* On whatever thread the last reference to a context goes. */
static void
reeve_net_tcp_on_call_over (gpointer data)
{
  ReeveNetTcpCall *call = data;

  reeve_net_tcp_stop (call->owner, reeve_net_tcp_is_of_call, call, reeve_net_relay_leave);
  reeve_net_tcp_unref (call->owner);
  g_free (call);
}

void
reeve_net_tcp_cut_plugin (ReeveNetTcp *self, const char *plugin_id)
{
  reeve_net_tcp_stop (self, reeve_net_tcp_is_of_plugin, plugin_id, reeve_net_relay_cut);
}

void
reeve_net_tcp_cut_tenant (ReeveNetTcp *self, const char *tenant_id)
{
  reeve_net_tcp_stop (self, reeve_net_tcp_is_of_tenant, tenant_id, reeve_net_relay_cut);
}

guint
reeve_net_tcp_count (ReeveNetTcp *self)
{
  guint count = 0;

  g_mutex_lock (&self->lock);
  count = g_hash_table_size (self->open);
  g_mutex_unlock (&self->lock);
  return count;
}

/* Once. */
static void
reeve_net_tcp_record_end (ReeveNetTcpOne *one, const ReeveNetRecordEnd *end)
{
  reeve_net_record_end (g_steal_pointer (&one->record), end);
}

/* Takes it out of the count, and gives its grant back. */
static void
reeve_net_tcp_one_free (ReeveNetTcpOne *one)
{
  ReeveNetTcp *self = one->owner;
  g_autoptr (GError) error
      = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "the connection was not made");
  const ReeveNetRecordEnd end = { .error = error };

  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->open, one);
  g_mutex_unlock (&self->lock);
  if (one->handler != 0)
    g_cancellable_disconnect (reeve_capability_hold_get_cancellable (one->hold), one->handler);
  reeve_net_tcp_record_end (one, &end);
  g_clear_pointer (&one->hold, reeve_capability_hold_free);
  g_clear_pointer (&one->relay, reeve_net_relay_unref);
  g_free (one->plugin_id);
  g_free (one->tenant_id);
  g_free (one->run_id);
  g_free (one->counted);
  g_free (one->place);
  g_free (one);
}

/* ---- the beginning ---- */

/* Under the lock: what the context of @caller has. */
static const ReeveNetTcpCall *
reeve_net_tcp_mark (ReeveNetTcp *self, ReeveContext *context)
{
  ReeveNetTcpCall *call = g_object_get_qdata (G_OBJECT (context), reeve_net_tcp_call_quark ());

  if (call != NULL)
    return call;
  call = g_new0 (ReeveNetTcpCall, 1);
  call->owner = reeve_net_tcp_ref (self);
  g_object_set_qdata_full (G_OBJECT (context), reeve_net_tcp_call_quark (), call,
                           reeve_net_tcp_on_call_over);
  return call;
}

static ReeveNetTcpOne *
reeve_net_tcp_one_new (ReeveNetTcp *self, const ReeveCapabilityCaller *caller, const char *place,
                       const char *grant_id)
{
  ReeveNetTcpOne *one = g_new0 (ReeveNetTcpOne, 1);
  const char *tenant_id = reeve_context_get_tenant_id (caller->context);

  one->owner = self;
  one->plugin_id = g_strdup (caller->plugin_id);
  one->tenant_id = g_strdup (tenant_id);
  one->run_id = g_strdup (reeve_context_get_run_id (caller->context));
  one->counted = g_strdup_printf ("%s/%s", grant_id, tenant_id != NULL ? tenant_id : "");
  one->place = g_strdup (place);
  one->pending = TRUE;
  return one;
}

typedef struct
{
  guint counted;
  guint pending;
  guint plugin;
} ReeveNetTcpCounts;

/* Under the lock. */
static ReeveNetTcpCounts
reeve_net_tcp_tally (ReeveNetTcp *self, const ReeveNetTcpOne *like)
{
  ReeveNetTcpCounts counts = { 0 };
  GHashTableIter iter;
  gpointer key = NULL;

  g_hash_table_iter_init (&iter, self->open);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      const ReeveNetTcpOne *one = key;

      if (strcmp (one->plugin_id, like->plugin_id) != 0)
        continue;
      counts.plugin++;
      counts.pending += one->pending;
      counts.counted += strcmp (one->counted, like->counted) == 0;
    }
  return counts;
}

static void
reeve_net_tcp_refuse (const ReeveNetTcpOne *one, const ReeveNetTcpCounts *counts, guint most,
                      guint above, GError **error)
{
  if (counts->counted >= most)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                 "%s: plugin %s has %u connections open, as many as its grant allows: "
                 "max_connections",
                 one->place, one->plugin_id, counts->counted);
  else if (counts->pending >= REEVE_NET_TCP_PENDING)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                 "%s: plugin %s waits for %u connections to be made already", one->place,
                 one->plugin_id, counts->pending);
  else if (counts->plugin >= above)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                 "%s: plugin %s has %u connections open over all tenants, as many as may be: "
                 "plugins.ceiling.max_connections",
                 one->place, one->plugin_id, counts->plugin);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                 "%s: there are as many connections as this host carries", one->place);
}

/* Counts @one, where there is room. */
static gboolean
reeve_net_tcp_enter (ReeveNetTcp *self, const ReeveCapabilityCaller *caller, ReeveNetTcpOne *one,
                     guint most, GError **error)
{
  const ReeveCapabilityTerms *ceiling
      = caller->lease != NULL ? reeve_capability_lease_get_ceiling (caller->lease) : NULL;
  guint above = ceiling != NULL && ceiling->max_connections > 0
                    ? (guint) MIN (ceiling->max_connections, REEVE_NET_TCP_PLUGIN)
                    : REEVE_NET_TCP_PLUGIN;
  ReeveNetTcpCounts counts = { 0 };
  gboolean full = FALSE;

  g_mutex_lock (&self->lock);
  counts = reeve_net_tcp_tally (self, one);
  full = counts.counted >= most || counts.pending >= REEVE_NET_TCP_PENDING || counts.plugin >= above
         || g_hash_table_size (self->open) >= REEVE_NET_TCP_ALL;
  if (!full)
    {
      one->call = reeve_net_tcp_mark (self, caller->context);
      g_hash_table_add (self->open, one);
    }
  g_mutex_unlock (&self->lock);
  if (!full)
    return TRUE;
  reeve_net_tcp_refuse (one, &counts, most, above, error);
  return FALSE;
}

/* A call that was let in before its plugin or its tenant was stopped opens no more. */
static gboolean
reeve_net_tcp_check_life (ReeveNetTcp *self, const ReeveCapabilityCaller *caller, GError **error)
{
  const char *tenant_id = reeve_context_get_tenant_id (caller->context);
  ReeveRegistryEntry *entry = self->setup.registry != NULL
                                  ? reeve_registry_get (self->setup.registry, caller->plugin_id)
                                  : NULL;
  gboolean off = entry != NULL && entry->off != NULL;

  if (entry != NULL)
    reeve_registry_entry_free (entry);
  if (off)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY_REVOKED, "plugin %s is disabled",
                 caller->plugin_id);
  else if (tenant_id != NULL && self->setup.tenants != NULL
           && reeve_tenants_get_status (self->setup.tenants, tenant_id) != REEVE_TENANT_ACTIVE)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY_REVOKED, "the tenant is suspended");
  else
    return TRUE;
  return FALSE;
}

/* ---- metrics and log ---- */

static void
reeve_net_tcp_count_open (ReeveNetTcp *self, const ReeveNetTcpOne *one, gint64 n)
{
  if (self->open_now != NULL)
    reeve_metrics_count (self->open_now, n, REEVE_LABELS (one->plugin_id));
  if (self->opened != NULL && n > 0)
    reeve_metrics_count (self->opened, n, REEVE_LABELS (one->plugin_id));
}

static void
reeve_net_tcp_on_ended (guint64 sent, guint64 received, const char *digest, gpointer user_data)
{
  ReeveNetTcpOne *one = user_data;
  ReeveNetTcp *self = one->owner;
  const ReeveNetRecordEnd end = { .sent = sent, .received = received, .digest = digest };

  if (self->bytes != NULL)
    {
      reeve_metrics_count (self->bytes, (gint64) sent, REEVE_LABELS (one->plugin_id, "sent"));
      reeve_metrics_count (self->bytes, (gint64) received,
                           REEVE_LABELS (one->plugin_id, "received"));
    }
  reeve_net_tcp_count_open (self, one, -1);
  reeve_net_tcp_record_end (one, &end);
  g_info ("plugin %s: connection to %s in tenant %s, run %s, ended: %" G_GUINT64_FORMAT
          " bytes sent, %" G_GUINT64_FORMAT " received",
          one->plugin_id, one->place, one->tenant_id != NULL ? one->tenant_id : "-",
          one->run_id != NULL ? one->run_id : "-", sent, received);
  reeve_net_tcp_one_free (one);
}

/* ---- one connection ---- */

/* On any thread, under the cancellable's lock. */
static void
reeve_net_tcp_on_cancelled (GCancellable *cancellable, gpointer relay)
{
  reeve_net_relay_cut (relay);
}

/* Takes @far over, and @one: from here its end is the relay's. Returns: the plugin's end, or -1 */
static int
reeve_net_tcp_start (ReeveNetTcp *self, const ReeveCapabilityCaller *caller, ReeveNetTcpOne *one,
                     int far, GError **error)
{
  int ends[2] = { -1, -1 };
  g_autoptr (ReeveNetRelay) relay = NULL;
  GCancellable *cancellable = NULL;
  gboolean cut = FALSE;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "%s: socketpair (): %s", one->place,
                   g_strerror (errno));
      close (far);
      reeve_net_tcp_one_free (one);
      return -1;
    }
  relay = reeve_net_relay_new (ends[0], far, reeve_context_get_deadline (caller->context),
                               reeve_host_time_get_payer (caller->context));
  one->hold = reeve_capability_hold_new (caller);
  cancellable = reeve_capability_hold_get_cancellable (one->hold);
  if (cancellable != NULL)
    one->handler = g_cancellable_connect (cancellable, G_CALLBACK (reeve_net_tcp_on_cancelled),
                                          reeve_net_relay_ref (relay),
                                          (GDestroyNotify) reeve_net_relay_unref);
  g_mutex_lock (&self->lock);
  one->relay = reeve_net_relay_ref (relay);
  one->pending = FALSE;
  cut = one->cut;
  g_mutex_unlock (&self->lock);
  if (cut)
    reeve_net_relay_cut (relay);
  reeve_net_tcp_count_open (self, one, 1);
  if (reeve_net_relay_begin (relay, self->relays, reeve_net_tcp_on_ended, one, error))
    return ends[1];
  close (ends[1]);
  reeve_net_tcp_on_ended (0, 0, NULL, one);
  return -1;
}

/* Which grant has room; @one: (out). */
static gboolean
reeve_net_tcp_admit (ReeveNetTcp *self, const ReeveCapabilityCaller *caller, const char *place,
                     ReeveNetTcpOne **one, GError **error)
{
  guint64 mask = 0;
  g_autoptr (GError) full = NULL;

  if (caller->lease == NULL)
    {
      *one = reeve_net_tcp_one_new (self, caller, place, "");
      if (reeve_net_tcp_enter (self, caller, *one, REEVE_NET_TCP_CONNECTIONS, error))
        return TRUE;
      g_clear_pointer (one, reeve_net_tcp_one_free);
      return FALSE;
    }
  mask = reeve_net_tcp_place_find_grants (caller, place, error);
  if (mask == 0)
    return FALSE;
  for (guint i = 0; i < reeve_capability_lease_get_length (caller->lease); i++)
    {
      const ReeveCapabilityTerms *terms = reeve_capability_lease_get_terms (caller->lease, i);
      guint most = terms->max_connections > 0
                       ? (guint) MIN (terms->max_connections, REEVE_NET_TCP_PLUGIN)
                       : REEVE_NET_TCP_CONNECTIONS;

      if ((mask >> i & 1) == 0)
        continue;
      *one = reeve_net_tcp_one_new (self, caller, place, terms->grant_id);
      g_clear_error (&full);
      if (reeve_net_tcp_enter (self, caller, *one, most, &full))
        {
          if (reeve_capability_lease_rest_on (caller->lease, G_GUINT64_CONSTANT (1) << i, error))
            return TRUE;
          g_clear_pointer (one, reeve_net_tcp_one_free);
          return FALSE;
        }
      g_clear_pointer (one, reeve_net_tcp_one_free);
    }
  g_propagate_error (error, g_steal_pointer (&full));
  return FALSE;
}

/**
 * reeve_net_tcp_perform:
 * @caller: which instance
 * @host: name or address
 * @port: of it
 * @user_data: a #ReeveNetTcp
 * @error: return location
 *
 * Checks, looks up once, connects; blocks, on a worker thread.
 *
 * Returns: the plugin's end of a relay, or -1 with %REEVE_ERROR_INVALID_ARGUMENT,
 * %REEVE_ERROR_PERMISSION_DENIED, %REEVE_ERROR_CAPABILITY_REVOKED, %REEVE_ERROR_BUSY,
 * %REEVE_ERROR_UNAVAILABLE, %REEVE_ERROR_CANCELLED or %REEVE_ERROR_TIMEOUT
 */
int
reeve_net_tcp_perform (const ReeveCapabilityCaller *caller, const char *host, guint16 port,
                       gpointer user_data, GError **error)
{
  ReeveNetTcp *self = user_data;
  g_autoptr (ReeveNetTcpPlace) place = reeve_net_tcp_place_new (host, port, error);
  ReeveNetRecordPlace where = { .capability = "net.tcp", .named = TRUE };
  ReeveNetRecordEnd end = { 0 };
  ReeveNetTcpOne *one = NULL;
  GError *problem = NULL;
  int far = -1;

  if (place == NULL || !reeve_net_tcp_admit (self, caller, place->name, &one, error))
    return -1;
  /* it is counted first: who is stopped behind this look finds it, and cuts it */
  where.place = place->name;
  if (reeve_net_tcp_check_life (self, caller, &problem)
      && reeve_net_record_begin (self->setup.records, caller, &where, &one->record, &problem))
    far = reeve_net_tcp_place_connect (place, caller, REEVE_NET_TCP_CONNECT_SECONDS, &problem);
  if (far >= 0)
    return reeve_net_tcp_start (self, caller, one, far, error);
  end.error = problem;
  reeve_net_tcp_record_end (one, &end);
  g_propagate_error (error, problem);
  reeve_net_tcp_one_free (one);
  return -1;
}

/* ---- life ---- */

static void
reeve_net_tcp_add_metrics (ReeveNetTcp *self, ReeveMetrics *metrics)
{
  static const char *const plugin[] = { "plugin", NULL };
  static const char *const both[] = { "plugin", "direction", NULL };

  self->open_now
      = reeve_metrics_add (metrics, &(ReeveMetricSetup){ .name = "plugin_tcp_open",
                                                         .help = "TCP connections of plugins now",
                                                         .kind = REEVE_METRIC_GAUGE,
                                                         .labels = plugin });
  self->opened = reeve_metrics_add (
      metrics, &(ReeveMetricSetup){ .name = "plugin_tcp_connections",
                                    .help = "TCP connections that plugins were given",
                                    .kind = REEVE_METRIC_COUNTER,
                                    .labels = plugin });
  self->bytes = reeve_metrics_add (
      metrics, &(ReeveMetricSetup){ .name = "plugin_tcp_bytes",
                                    .help = "Bytes of TCP connections of plugins that have ended",
                                    .unit = "bytes",
                                    .kind = REEVE_METRIC_COUNTER,
                                    .labels = both });
}

/* On a worker, behind the change. */
static void
reeve_net_tcp_on_tenant (const char *tenant_id, ReeveTenantStatus status, gpointer user_data)
{
  if (status != REEVE_TENANT_ACTIVE)
    reeve_net_tcp_cut_tenant (user_data, tenant_id);
}

/**
 * reeve_net_tcp_new:
 * @setup: what it asks and tells; copied
 *
 * Returns: (transfer full): a provider of `net.tcp`
 */
ReeveNetTcp *
reeve_net_tcp_new (const ReeveNetTcpSetup *setup)
{
  ReeveNetTcp *self = g_new0 (ReeveNetTcp, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  self->setup = *setup;
  self->relays = reeve_net_relays_new ();
  self->open = g_hash_table_new (NULL, NULL);
  if (setup->metrics != NULL)
    reeve_net_tcp_add_metrics (self, setup->metrics);
  if (setup->tenants != NULL)
    reeve_tenants_add_watch (setup->tenants, reeve_net_tcp_on_tenant, self);
  return self;
}

void
reeve_net_tcp_provide (ReeveNetTcp *self, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide_tcp (capabilities, reeve_net_tcp_perform, self);
}

void
reeve_net_tcp_shutdown (ReeveNetTcp *self)
{
  reeve_net_relays_shutdown (self->relays);
}

void
reeve_net_tcp_free (ReeveNetTcp *self)
{
  reeve_net_tcp_shutdown (self);
  reeve_net_tcp_unref (self);
}
