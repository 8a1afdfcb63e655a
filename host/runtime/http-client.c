/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The upstream client: one GSource over an epoll set, deadlines, and the interface of
 * ReeveUpstream. */
#include "http-client.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/turn.h"
#include "http-pool.h"

#define REEVE_HTTP_CLIENT_MAX_ORIGINS 1024

typedef struct
{
  GSource source;
  ReeveHttpClient *client; /* not owned: the client destroys the source */
} ReeveHttpClientSource;

struct _ReeveHttpClient
{
  GObject parent_instance;
  GSource *source;
  gpointer epoll_tag;
  ReeveHttpPool pool;
  ReeveTurn turn;
  gboolean dispatching;
};

static void reeve_http_client_upstream_init (ReeveUpstreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ReeveHttpClient, reeve_http_client, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_UPSTREAM,
                                                      reeve_http_client_upstream_init))

static void
reeve_http_client_expire (ReeveHttpClient *self, ReeveHttpCall *call, gint64 now)
{
  g_autoptr (GError) error = NULL;
  ReeveHttpOrigin *origin = call->origin;
  gboolean attempt_only
      = call->attempt_deadline != 0 && now < MIN (call->deadline, call->total_deadline);

  if (call->connection != NULL)
    {
      if (call->connection->written && call->base.progress == REEVE_UPSTREAM_UNSENT)
        call->base.progress = REEVE_UPSTREAM_SENT;
      reeve_http_pool_drop (&self->pool, call->connection);
    }
  if (attempt_only)
    {
      call->attempt_deadline = 0;
      call->next_address++;
      reeve_http_pool_open (&self->pool, call);
      reeve_http_pool_pump (&self->pool, origin);
      return;
    }
  error = reeve_http_call_timed_out (call, now);
  if (origin != NULL)
    {
      reeve_http_origin_dequeue (origin, call);
      reeve_http_pool_pump (&self->pool, origin);
    }
  g_queue_remove (&self->pool.deferred, call);
  reeve_http_pool_complete (&self->pool, call, error);
}

static void
reeve_http_client_tick_calls (ReeveHttpClient *self, gint64 now)
{
  g_autoptr (GPtrArray) expired = NULL;

  for (GList *l = self->pool.calls.head; l != NULL; l = l->next)
    {
      gint64 deadline = reeve_http_call_get_deadline (l->data);

      if (deadline > now)
        {
          reeve_http_pool_lower (&self->pool, deadline);
          continue;
        }
      if (expired == NULL)
        expired = g_ptr_array_new ();
      g_ptr_array_add (expired, l->data);
    }
  for (guint i = 0; expired != NULL && i < expired->len; i++)
    {
      ReeveHttpCall *call = g_ptr_array_index (expired, i);

      /* an owner told of one call's end may have cancelled another */
      if (!call->ended)
        reeve_http_client_expire (self, call, now);
    }
}

/* Ends what is due and finds out when to look again. */
static void
reeve_http_client_tick (ReeveHttpClient *self, gint64 now)
{
  self->pool.next_deadline = G_MAXINT64;
  reeve_http_pool_drop_idle (&self->pool, now);
  reeve_http_client_tick_calls (self, now);
}

static void
reeve_http_client_bury (ReeveHttpClient *self)
{
  /* freeing a call may drop the last reference to the client: its owner holds another one meanwhile
   */
  g_ptr_array_set_size (self->pool.dead_connections, 0);
  g_ptr_array_set_size (self->pool.dead_calls, 0);
}

static gboolean
reeve_http_client_source_prepare (GSource *source, int *timeout)
{
  ReeveHttpClient *self = ((ReeveHttpClientSource *) source)->client;
  gint64 wait = 0;

  *timeout = -1;
  if (self->pool.ready.length > 0 || self->pool.deferred.length > 0
      || self->pool.dead_calls->len > 0 || self->pool.dead_connections->len > 0)
    return TRUE;
  if (self->pool.next_deadline == G_MAXINT64)
    return FALSE;
  wait = self->pool.next_deadline - g_source_get_time (source);
  if (wait <= 0)
    return TRUE;
  *timeout = (int) MIN (wait / 1000 + 1, G_MAXINT);
  return FALSE;
}

static gboolean
reeve_http_client_source_check (GSource *source)
{
  ReeveHttpClient *self = ((ReeveHttpClientSource *) source)->client;

  return g_source_query_unix_fd (source, self->epoll_tag) != 0
         || g_source_get_time (source) >= self->pool.next_deadline;
}

static gboolean
reeve_http_client_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_autoptr (ReeveHttpClient) self = g_object_ref (((ReeveHttpClientSource *) source)->client);
  struct epoll_event events[REEVE_TURN_MOST];
  int n = epoll_wait (self->pool.epoll, events, reeve_turn_begin (&self->turn), 0);

  reeve_turn_end (&self->turn, n);
  self->dispatching = TRUE;
  for (int i = 0; i < n; i++)
    reeve_http_connection_handle (events[i].data.ptr, events[i].events);
  for (guint left = self->pool.ready.length; left > 0 && self->pool.ready.length > 0; left--)
    {
      ReeveHttpConnection *connection = g_queue_pop_head (&self->pool.ready);

      connection->queued = FALSE;
      reeve_http_connection_handle (connection, 0);
    }
  while (self->pool.deferred.length > 0)
    {
      ReeveHttpCall *call = g_queue_pop_head (&self->pool.deferred);
      g_autoptr (GError) error = g_steal_pointer (&call->error);

      reeve_http_pool_complete (&self->pool, call, error);
    }
  if (g_get_monotonic_time () >= self->pool.next_deadline)
    reeve_http_client_tick (self, g_get_monotonic_time ());
  self->dispatching = FALSE;
  reeve_http_client_bury (self);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs reeve_http_client_source_funcs = {
  .prepare = reeve_http_client_source_prepare,
  .check = reeve_http_client_source_check,
  .dispatch = reeve_http_client_source_dispatch,
};

/* Finds the address' place and its origin. */
static gboolean
reeve_http_client_route (ReeveHttpClient *self, ReeveHttpCall *call, GError **error)
{
  ReeveHttpTrust *trust = call->options.trust != NULL ? call->options.trust : self->pool.trust;
  g_autoptr (ReeveHttpPlace) place = reeve_http_place_find (
      self->pool.places, reeve_http_request_get_url (call->request), trust, error);

  if (place == NULL || !reeve_http_call_build (call, place->target, error))
    return FALSE;
  call->origin = g_hash_table_lookup (self->pool.origins, place->key);
  if (call->origin == NULL)
    {
      ReeveHttpOrigin *origin = reeve_http_origin_new (place->key, place->uri, trust);

      if (g_hash_table_size (self->pool.origins) >= REEVE_HTTP_CLIENT_MAX_ORIGINS)
        self->pool.next_deadline = 0;
      g_hash_table_insert (self->pool.origins, origin->key, origin);
      call->origin = origin;
    }
  return TRUE;
}

static ReeveUpstreamCall *
reeve_http_client_start (ReeveUpstream *upstream, ReeveHttpRequest *request,
                         const ReeveUpstreamOptions *options, const ReeveUpstreamHandlers *handlers,
                         gpointer user_data)
{
  ReeveHttpClient *self = REEVE_HTTP_CLIENT (upstream);
  ReeveHttpCall *call = reeve_http_call_new (upstream, request, options, handlers, user_data);
  GError *error = NULL;
  ReeveHttpOrigin *origin = NULL;

  g_queue_push_tail_link (&self->pool.calls, &call->link);
  reeve_http_pool_lower (&self->pool, reeve_http_call_get_deadline (call));
  if (self->pool.closed)
    g_set_error_literal (&error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the host is shutting down");
  else if (reeve_http_client_route (self, call, &error))
    {
      origin = call->origin;
      if (origin->waiting.length >= self->pool.max_waiting)
        g_set_error (&error, REEVE_ERROR, REEVE_ERROR_BUSY, "too many calls wait for %s",
                     origin->host);
    }
  if (error != NULL)
    reeve_http_pool_defer (&self->pool, call, error);
  else if (origin != NULL && origin->waiting.length > 0 && !origin->preparing)
    reeve_http_origin_enqueue (origin, call);
  else
    reeve_http_pool_place (&self->pool, call);
  return &call->base;
}

/* Nobody asked for the connection that was opened ahead. */
static void
reeve_http_client_on_warm (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  if (error != NULL)
    g_debug ("opening a connection ahead: %s", error->message);
}

static gboolean
reeve_http_client_is_warm (ReeveHttpClient *self, ReeveHttpRequest *request,
                           const ReeveUpstreamOptions *options)
{
  ReeveHttpTrust *trust
      = options != NULL && options->trust != NULL ? options->trust : self->pool.trust;
  g_autoptr (ReeveHttpPlace) place = reeve_http_place_find (
      self->pool.places, reeve_http_request_get_url (request), trust, NULL);
  ReeveHttpOrigin *origin
      = place != NULL ? g_hash_table_lookup (self->pool.origins, place->key) : NULL;

  return origin != NULL
         && (origin->idle.length > 0 || origin->warming > 0 || origin->waiting.length > 0
             || origin->n_connections >= self->pool.max_connections);
}

static void
reeve_http_client_warm (ReeveUpstream *upstream, ReeveHttpRequest *request,
                        const ReeveUpstreamOptions *options)
{
  static const ReeveUpstreamHandlers nobody = { .done = reeve_http_client_on_warm };
  ReeveHttpClient *self = REEVE_HTTP_CLIENT (upstream);
  ReeveHttpCall *call = NULL;

  if (self->pool.closed || reeve_http_client_is_warm (self, request, options))
    return;
  call = reeve_http_call_new (upstream, request, options, &nobody, NULL);
  if (!reeve_http_client_route (self, call, NULL))
    {
      reeve_http_call_free (call);
      return;
    }
  call->warm = TRUE;
  ((ReeveHttpOrigin *) call->origin)->warming++;
  g_queue_push_tail_link (&self->pool.calls, &call->link);
  reeve_http_pool_lower (&self->pool, reeve_http_call_get_deadline (call));
  reeve_http_pool_place (&self->pool, call);
}

static void
reeve_http_client_pause (ReeveUpstream *upstream, ReeveUpstreamCall *base)
{
  ReeveHttpCall *call = (ReeveHttpCall *) base;

  call->paused = TRUE;
  if (call->connection != NULL && call->connection->state == REEVE_HTTP_CONNECTION_BUSY)
    reeve_http_connection_set_paused (call->connection, TRUE);
}

static void
reeve_http_client_resume (ReeveUpstream *upstream, ReeveUpstreamCall *base)
{
  ReeveHttpCall *call = (ReeveHttpCall *) base;

  if (!call->paused || call->ended)
    return;
  call->paused = FALSE;
  if (call->connection == NULL || call->connection->state != REEVE_HTTP_CONNECTION_BUSY)
    return;
  reeve_http_call_begin_phase (call, g_get_monotonic_time ());
  reeve_http_pool_lower (&REEVE_HTTP_CLIENT (upstream)->pool, reeve_http_call_get_deadline (call));
  reeve_http_connection_set_paused (call->connection, FALSE);
}

static void
reeve_http_client_cancel (ReeveUpstream *upstream, ReeveUpstreamCall *base)
{
  ReeveHttpClient *self = REEVE_HTTP_CLIENT (upstream);
  ReeveHttpCall *call = (ReeveHttpCall *) base;
  ReeveHttpOrigin *origin = call->origin;

  if (call->ended)
    return;
  call->ended = TRUE;
  g_queue_unlink (&self->pool.calls, &call->link);
  g_queue_remove (&self->pool.deferred, call);
  if (origin != NULL)
    reeve_http_origin_dequeue (origin, call);
  if (call->connection != NULL)
    {
      reeve_http_pool_drop (&self->pool, call->connection);
      reeve_http_pool_pump (&self->pool, origin);
    }
  g_ptr_array_add (self->pool.dead_calls, call);
}

static void
reeve_http_client_upstream_init (ReeveUpstreamInterface *iface)
{
  iface->warm = reeve_http_client_warm;
  iface->start = reeve_http_client_start;
  iface->pause = reeve_http_client_pause;
  iface->resume = reeve_http_client_resume;
  iface->cancel = reeve_http_client_cancel;
}

/**
 * reeve_http_client_shutdown:
 * @self: a client
 *
 * Ends all calls with %REEVE_ERROR_CANCELLED, calling their done() at once, closes all connections,
 * and refuses new calls. To be called on the thread of its context, not from a callback, before
 * that thread ends.
 */
void
reeve_http_client_shutdown (ReeveHttpClient *self)
{
  g_autoptr (GError) error
      = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CANCELLED, "the host is shutting down");

  g_object_ref (self);
  self->pool.closed = TRUE;
  g_cancellable_cancel (self->pool.cancellable);
  while (self->pool.calls.length > 0)
    {
      ReeveHttpCall *call = g_queue_peek_head (&self->pool.calls);

      if (call->origin != NULL)
        reeve_http_origin_dequeue (call->origin, call);
      if (call->connection != NULL)
        reeve_http_pool_drop (&self->pool, call->connection);
      g_queue_remove (&self->pool.deferred, call);
      reeve_http_pool_complete (&self->pool, call, error);
    }
  reeve_http_pool_drop_idle (&self->pool, G_MAXINT64);
  if (!self->dispatching)
    reeve_http_client_bury (self);
  g_object_unref (self);
}

static void
reeve_http_client_finalize (GObject *object)
{
  ReeveHttpClient *self = REEVE_HTTP_CLIENT (object);

  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  reeve_http_pool_clear (&self->pool);
  G_OBJECT_CLASS (reeve_http_client_parent_class)->finalize (object);
}

static void
reeve_http_client_class_init (ReeveHttpClientClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_http_client_finalize;
}

static void
reeve_http_client_init (ReeveHttpClient *self)
{
  reeve_http_pool_init (&self->pool, G_OBJECT (self));
}

/**
 * reeve_http_client_new:
 * @context: (nullable): where it works and calls back; %NULL for the default one
 * @trust: certificates to trust, shared by all clients
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a client
 */
ReeveHttpClient *
reeve_http_client_new (GMainContext *context, ReeveHttpTrust *trust, GError **error)
{
  g_autoptr (ReeveHttpClient) self = g_object_new (REEVE_TYPE_HTTP_CLIENT, NULL);

  self->pool.context = context != NULL ? g_main_context_ref (context)
                                       : g_main_context_ref (g_main_context_default ());
  self->pool.trust = reeve_http_trust_ref (trust);
  self->pool.epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (self->pool.epoll < 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "making an epoll set: %s",
                   g_strerror (errno));
      return NULL;
    }
  self->source = g_source_new (&reeve_http_client_source_funcs, sizeof (ReeveHttpClientSource));
  ((ReeveHttpClientSource *) self->source)->client = self;
  self->epoll_tag = g_source_add_unix_fd (self->source, self->pool.epoll, G_IO_IN);
  /* it never does; but else each dispatch wakes the loop up twice, see g_source_set_can_recurse()
   */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_set_name (self->source, "reeve-http-client");
  g_source_attach (self->source, self->pool.context);
  return g_steal_pointer (&self);
}

/**
 * reeve_http_client_set_limits:
 * @self: a client
 * @max_connections: to one origin; 0 leaves it
 * @max_waiting: calls that wait for a connection to one origin, before %REEVE_ERROR_BUSY; 0 leaves
 * it
 * @keep_ms: how long an idle connection is kept; 0 leaves it
 */
void
reeve_http_client_set_limits (ReeveHttpClient *self, guint max_connections, guint max_waiting,
                              guint keep_ms)
{
  self->pool.max_connections = max_connections != 0 ? max_connections : self->pool.max_connections;
  self->pool.max_waiting = max_waiting != 0 ? max_waiting : self->pool.max_waiting;
  self->pool.keep_ms = keep_ms != 0 ? keep_ms : self->pool.keep_ms;
}

/**
 * reeve_http_client_count_connections:
 * @self: a client
 *
 * Returns: open connections, idle ones included
 */
guint
reeve_http_client_count_connections (ReeveHttpClient *self)
{
  GHashTableIter iter;
  gpointer value = NULL;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->pool.origins);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n += ((ReeveHttpOrigin *) value)->n_connections;
  return n;
}
