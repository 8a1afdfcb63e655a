/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places calls on connections and keeps connections for the next call. */
#include "http-pool.h"

#include <unistd.h>

#define REEVE_HTTP_POOL_MAX_CONNECTIONS 512
#define REEVE_HTTP_POOL_MAX_WAITING     1024
/* below the five seconds after which node and uvicorn close an idle connection */
#define REEVE_HTTP_POOL_KEEP_MS          4000
#define REEVE_HTTP_POOL_MAX_REPLACEMENTS 3

typedef struct
{
  ReeveHttpPool *pool;
  GObject *owner;
  char *key;
} ReeveHttpPoolLookup;

static void reeve_http_pool_prepare_origin (ReeveHttpPool *self, ReeveHttpOrigin *origin,
                                            ReeveHttpCall *call);

/**
 * reeve_http_pool_lower:
 * @self: a pool
 * @deadline: monotonic time
 *
 * Sees to it that the next tick is not later than @deadline.
 */
void
reeve_http_pool_lower (ReeveHttpPool *self, gint64 deadline)
{
  self->next_deadline = MIN (self->next_deadline, deadline);
}

/**
 * reeve_http_pool_complete:
 * @self: a pool
 * @call: a call without connection
 * @error: (nullable): how it ended
 *
 * Ends a call and tells its owner; its memory lives until nothing of ours is on the stack.
 */
void
reeve_http_pool_complete (ReeveHttpPool *self, ReeveHttpCall *call, const GError *error)
{
  g_auto (ReeveLogScope) scope = reeve_log_scope (call->log);

  if (call->ended)
    return;
  call->ended = TRUE;
  g_queue_unlink (&self->calls, &call->link);
  call->handlers->done (&call->base, error, call->user_data);
  g_ptr_array_add (self->dead_calls, call);
  if (!call->warm)
    return;
  ((ReeveHttpOrigin *) call->origin)->warming--;
  if (!self->closed)
    reeve_http_pool_pump (self, call->origin);
}

/**
 * reeve_http_pool_defer:
 * @self: a pool
 * @call: a call without connection
 * @error: (transfer full): how it ended
 *
 * Like reeve_http_pool_complete(), but later, from the loop: for functions that the owner called.
 */
void
reeve_http_pool_defer (ReeveHttpPool *self, ReeveHttpCall *call, GError *error)
{
  g_clear_error (&call->error);
  call->error = error;
  g_queue_push_tail (&self->deferred, call);
}

/**
 * reeve_http_pool_drop:
 * @self: a pool
 * @connection: a connection in whatever state
 *
 * Closes it and takes it from its call; it is freed when nothing of ours is on the stack.
 */
void
reeve_http_pool_drop (ReeveHttpPool *self, ReeveHttpConnection *connection)
{
  ReeveHttpOrigin *origin = connection->pool;
  ReeveHttpCall *call = connection->owner;

  if (connection->pooled)
    g_queue_unlink (&origin->idle, &connection->link);
  connection->pooled = FALSE;
  if (connection->queued)
    g_queue_remove (&self->ready, connection);
  connection->queued = FALSE;
  if (call != NULL)
    call->connection = NULL;
  connection->owner = NULL;
  reeve_http_connection_close (connection);
  origin->n_connections--;
  g_ptr_array_add (self->dead_connections, connection);
}

/**
 * reeve_http_pool_pump:
 * @self: a pool
 * @origin: an origin
 *
 * Places calls that wait, as far as there is room.
 */
void
reeve_http_pool_pump (ReeveHttpPool *self, ReeveHttpOrigin *origin)
{
  gint64 now = g_get_monotonic_time ();
  guint n = origin->waiting.length;

  for (; n > 0 && origin->waiting.length > 0; n--)
    {
      ReeveHttpCall *call = g_queue_peek_head (&origin->waiting);

      if (origin->idle.length == 0 && origin->n_connections >= self->max_connections)
        break;
      /* the addresses may have grown old while it waited */
      if (origin->idle.length == 0 && !reeve_http_origin_is_ready (origin, call, now))
        {
          reeve_http_pool_prepare_origin (self, origin, call);
          break;
        }
      reeve_http_origin_dequeue (origin, call);
      reeve_http_pool_place (self, call);
    }
}

static void
reeve_http_pool_send (ReeveHttpPool *self, ReeveHttpCall *call, ReeveHttpConnection *connection)
{
  call->connection = connection;
  connection->owner = call;
  call->attempt_deadline = 0;
  reeve_http_connection_send (connection, call->head, reeve_http_request_get_body (call->request),
                              call->without_body, call->options.max_response);
  if (call->paused)
    reeve_http_connection_set_paused (connection, TRUE);
  if (connection->written)
    call->base.progress = REEVE_UPSTREAM_SENT;
  reeve_http_call_begin_phase (call, g_get_monotonic_time ());
  reeve_http_pool_lower (self, reeve_http_call_get_deadline (call));
}

/* Takes an idle connection that will do, dropping those found dead. */
static ReeveHttpConnection *
reeve_http_pool_take_idle (ReeveHttpPool *self, ReeveHttpOrigin *origin, ReeveHttpCall *call)
{
  for (GList *l = origin->idle.head, *next = NULL; l != NULL; l = next)
    {
      ReeveHttpConnection *connection = l->data;

      next = l->next;
      if (!reeve_http_call_accepts (call, connection->peer))
        continue;
      if (!reeve_http_connection_is_usable (connection))
        {
          reeve_http_pool_drop (self, connection);
          continue;
        }
      g_queue_unlink (&origin->idle, &connection->link);
      connection->pooled = FALSE;
      return connection;
    }
  return NULL;
}

static void reeve_http_pool_on_ready (ReeveHttpConnection *connection, const GError *error,
                                      gpointer user_data);
static void reeve_http_pool_on_finished (ReeveHttpConnection *connection, const GError *error,
                                         gpointer user_data);

static void
reeve_http_pool_on_alive (ReeveHttpConnection *connection, gpointer user_data)
{
  ReeveHttpCall *call = connection->owner;

  if (call != NULL)
    reeve_http_call_begin_phase (call, g_get_monotonic_time ());
}

static void
reeve_http_pool_on_again (ReeveHttpConnection *connection, gpointer user_data)
{
  ReeveHttpPool *self = user_data;

  if (connection->queued)
    return;
  connection->queued = TRUE;
  g_queue_push_tail (&self->ready, connection);
}

static void
reeve_http_pool_on_lost (ReeveHttpConnection *connection, gpointer user_data)
{
  reeve_http_pool_drop (user_data, connection);
}

static void
reeve_http_pool_on_head (ReeveHttpConnection *connection, ReeveHttpResponse *head,
                         gpointer user_data)
{
  ReeveHttpCall *call = connection->owner;
  g_auto (ReeveLogScope) scope = reeve_log_scope (call->log);

  call->got_head = TRUE;
  call->base.progress = REEVE_UPSTREAM_ANSWERED;
  reeve_http_call_begin_phase (call, g_get_monotonic_time ());
  reeve_http_pool_lower (user_data, reeve_http_call_get_deadline (call));
  call->handlers->head (&call->base, head, call->user_data);
}

static void
reeve_http_pool_on_data (ReeveHttpConnection *connection, const guint8 *data, gsize length,
                         gpointer user_data)
{
  ReeveHttpCall *call = connection->owner;
  g_auto (ReeveLogScope) scope = reeve_log_scope (call->log);

  call->handlers->data (&call->base, data, length, call->user_data);
}

static const ReeveHttpConnectionHandlers reeve_http_pool_connection_handlers = {
  .ready = reeve_http_pool_on_ready,
  .head = reeve_http_pool_on_head,
  .data = reeve_http_pool_on_data,
  .finished = reeve_http_pool_on_finished,
  .lost = reeve_http_pool_on_lost,
  .again = reeve_http_pool_on_again,
  .alive = reeve_http_pool_on_alive,
};

/**
 * reeve_http_pool_open:
 * @self: a pool
 * @call: a call whose origin is ready
 *
 * Begins to connect to the next of its addresses.
 */
void
reeve_http_pool_open (ReeveHttpPool *self, ReeveHttpCall *call)
{
  ReeveHttpOrigin *origin = call->origin;
  GPtrArray *addresses
      = call->options.addresses != NULL ? call->options.addresses : origin->addresses;

  for (; call->next_address < addresses->len; call->next_address++)
    {
      guint left = addresses->len - call->next_address;
      gint64 now = g_get_monotonic_time ();
      ReeveHttpConnection *connection = NULL;

      g_clear_error (&call->error);
      connection = reeve_http_connection_new (
          self->epoll, g_ptr_array_index (addresses, call->next_address), origin->port,
          self->buffer, &reeve_http_pool_connection_handlers, self, &call->error);
      if (connection == NULL)
        continue;
      if (origin->tls)
        reeve_http_connection_use_tls (connection, origin->trust, origin->host);
      connection->pool = origin;
      connection->owner = call;
      call->connection = connection;
      origin->n_connections++;
      /* the last address may use all the time that is left */
      call->attempt_deadline = left > 1 ? now + MAX (call->deadline - now, 0) / left : 0;
      reeve_http_pool_lower (self, reeve_http_call_get_deadline (call));
      return;
    }
  reeve_http_pool_defer (self, call,
                         call->error != NULL
                             ? g_steal_pointer (&call->error)
                             : g_error_new_literal (REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                                                    "there is no address to connect to"));
}

static void
reeve_http_pool_prepared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveHttpPoolLookup *lookup = user_data;
  ReeveHttpPool *self = lookup->pool;
  ReeveHttpOrigin *origin = g_hash_table_lookup (self->origins, lookup->key);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) addresses = reeve_http_origin_prepare_finish (result, &error);
  gint64 now = g_get_monotonic_time ();

  if (origin != NULL)
    {
      origin->preparing = FALSE;
      if (addresses != NULL && addresses->len > 0)
        reeve_http_origin_set_addresses (origin, addresses, now);
      for (guint n = origin->waiting.length; error != NULL && n > 0; n--)
        {
          ReeveHttpCall *call = g_queue_peek_head (&origin->waiting);

          reeve_http_origin_dequeue (origin, call);
          reeve_http_pool_defer (self, call, g_error_copy (error));
        }
      reeve_http_pool_pump (self, origin);
    }
  g_object_unref (lookup->owner);
  g_free (lookup->key);
  g_free (lookup);
}

static void
reeve_http_pool_prepare_origin (ReeveHttpPool *self, ReeveHttpOrigin *origin, ReeveHttpCall *call)
{
  ReeveHttpPoolLookup *lookup = NULL;

  if (origin->preparing)
    return;
  origin->preparing = TRUE;
  lookup = g_new0 (ReeveHttpPoolLookup, 1);
  lookup->pool = self;
  lookup->owner = g_object_ref (self->owner);
  lookup->key = g_strdup (origin->key);
  g_main_context_push_thread_default (self->context);
  reeve_http_origin_prepare_async (origin, call, self->cancellable, reeve_http_pool_prepared,
                                   lookup);
  g_main_context_pop_thread_default (self->context);
}

/**
 * reeve_http_pool_place:
 * @self: a pool
 * @call: a call without connection
 *
 * Finds it a connection: an idle one, a new one, or a place in the queue. Never calls back.
 */
void
reeve_http_pool_place (ReeveHttpPool *self, ReeveHttpCall *call)
{
  ReeveHttpOrigin *origin = call->origin;
  gint64 now = g_get_monotonic_time ();
  ReeveHttpConnection *connection = NULL;

  if (call->warm && origin->idle.length > 0)
    {
      reeve_http_pool_defer (self, call, NULL);
      return;
    }
  if (!call->fresh)
    connection = reeve_http_pool_take_idle (self, origin, call);
  if (connection != NULL)
    {
      reeve_http_pool_send (self, call, connection);
      return;
    }
  /* one is on its way, and nobody else waits for it */
  if (!call->warm && !call->fresh && origin->waiting.length < origin->warming)
    {
      reeve_http_origin_enqueue (origin, call);
      return;
    }
  /* an idle one that will not do for this call makes room for one that will */
  if (origin->n_connections >= self->max_connections && origin->idle.length > 0)
    reeve_http_pool_drop (self, g_queue_peek_tail (&origin->idle));
  if (origin->n_connections >= self->max_connections)
    reeve_http_origin_enqueue (origin, call);
  else if (!reeve_http_origin_is_ready (origin, call, now))
    {
      reeve_http_origin_enqueue (origin, call);
      reeve_http_pool_prepare_origin (self, origin, call);
    }
  else
    reeve_http_pool_open (self, call);
}

static void
reeve_http_pool_keep (ReeveHttpPool *self, ReeveHttpConnection *connection)
{
  ReeveHttpOrigin *origin = connection->pool;
  guint said = reeve_http_connection_get_keep_alive_seconds (connection);
  guint keep_ms = self->keep_ms;

  /* a second less than the peer says, so that it is not closed while we write */
  if (said > 0)
    keep_ms = MIN (keep_ms, said > 1 ? (said - 1) * 1000 : 500);
  connection->reused = TRUE;
  connection->pooled = TRUE;
  connection->idle_until = g_get_monotonic_time () + (gint64) keep_ms * 1000;
  g_queue_push_head_link (&origin->idle, &connection->link);
  reeve_http_pool_lower (self, connection->idle_until);
}

/* Opened ahead: it is the next call's. */
static void
reeve_http_pool_leave (ReeveHttpPool *self, ReeveHttpCall *call, ReeveHttpConnection *connection)
{
  call->connection = NULL;
  connection->owner = NULL;
  reeve_http_pool_keep (self, connection);
  reeve_http_pool_complete (self, call, NULL);
}

static void
reeve_http_pool_on_ready (ReeveHttpConnection *connection, const GError *error, gpointer user_data)
{
  ReeveHttpPool *self = user_data;
  ReeveHttpCall *call = connection->owner;

  g_return_if_fail (call != NULL);
  if (error == NULL && call->warm)
    {
      reeve_http_pool_leave (self, call, connection);
      return;
    }
  if (error == NULL)
    {
      reeve_http_pool_send (self, call, connection);
      return;
    }
  reeve_http_pool_drop (self, connection);
  g_clear_error (&call->error);
  call->error = g_error_copy (error);
  g_prefix_error (&call->error, "%s: ", ((ReeveHttpOrigin *) call->origin)->host);
  call->next_address++;
  reeve_http_pool_open (self, call);
  /* when that was its last address, there is room for another call */
  reeve_http_pool_pump (self, call->origin);
}

/* Whether a call that failed may be sent on another connection. */
static gboolean
reeve_http_pool_may_replace (ReeveHttpCall *call, ReeveHttpConnection *connection)
{
  if (!connection->reused || call->base.progress == REEVE_UPSTREAM_ANSWERED
      || call->replacements >= REEVE_HTTP_POOL_MAX_REPLACEMENTS)
    return FALSE;
  return call->base.progress == REEVE_UPSTREAM_UNSENT
         || reeve_http_request_get_idempotent (call->request);
}

/* Says what a failure means for the request. */
static GError *
reeve_http_pool_explain (ReeveHttpCall *call, const GError *error)
{
  if (call->base.progress == REEVE_UPSTREAM_SENT)
    return g_error_new (REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME,
                        "%s after the request was sent: it is unknown whether it was executed",
                        error->message);
  if (call->base.progress == REEVE_UPSTREAM_ANSWERED
      && g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE))
    return g_error_new (REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the answer broke off: %s",
                        error->message);
  return g_error_copy (error);
}

static void
reeve_http_pool_on_finished (ReeveHttpConnection *connection, const GError *error,
                             gpointer user_data)
{
  ReeveHttpPool *self = user_data;
  ReeveHttpCall *call = connection->owner;
  ReeveHttpOrigin *origin = connection->pool;
  g_autoptr (GError) explained = NULL;

  if (reeve_http_connection_has_answer (connection))
    call->base.progress = REEVE_UPSTREAM_ANSWERED;
  else if (connection->written)
    call->base.progress = REEVE_UPSTREAM_SENT;
  call->connection = NULL;
  connection->owner = NULL;
  if (connection->state == REEVE_HTTP_CONNECTION_IDLE && !self->closed)
    reeve_http_pool_keep (self, connection);
  else
    reeve_http_pool_drop (self, connection);
  if (error != NULL && reeve_http_pool_may_replace (call, connection))
    {
      call->replacements++;
      call->next_address = 0;
      call->fresh = call->base.progress == REEVE_UPSTREAM_SENT;
      call->base.progress = REEVE_UPSTREAM_UNSENT;
      reeve_http_pool_place (self, call);
      return;
    }
  reeve_http_pool_pump (self, origin);
  if (error != NULL)
    explained = reeve_http_pool_explain (call, error);
  reeve_http_pool_complete (self, call, explained);
}

/**
 * reeve_http_pool_drop_idle:
 * @self: a pool
 * @now: monotonic time; %G_MAXINT64 for all
 *
 * Closes idle connections whose time is over, and forgets origins that nothing uses.
 */
void
reeve_http_pool_drop_idle (ReeveHttpPool *self, gint64 now)
{
  GHashTableIter iter;
  gpointer value = NULL;

  g_hash_table_iter_init (&iter, self->origins);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      ReeveHttpOrigin *origin = value;

      for (GList *l = origin->idle.head, *next = NULL; l != NULL; l = next)
        {
          ReeveHttpConnection *connection = l->data;

          next = l->next;
          if (connection->idle_until <= now)
            reeve_http_pool_drop (self, connection);
          else
            reeve_http_pool_lower (self, connection->idle_until);
        }
      if (reeve_http_origin_is_unused (origin, now))
        g_hash_table_iter_remove (&iter);
    }
}

/**
 * reeve_http_pool_init:
 * @self: (out caller-allocates): a pool
 * @owner: the client
 *
 * Makes it empty; context, trust and epoll set are the owner's to fill in.
 */
void
reeve_http_pool_init (ReeveHttpPool *self, GObject *owner)
{
  self->owner = owner;
  self->epoll = -1;
  self->next_deadline = G_MAXINT64;
  self->max_connections = REEVE_HTTP_POOL_MAX_CONNECTIONS;
  self->max_waiting = REEVE_HTTP_POOL_MAX_WAITING;
  self->keep_ms = REEVE_HTTP_POOL_KEEP_MS;
  self->cancellable = g_cancellable_new ();
  self->places = reeve_http_place_table_new ();
  self->origins = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                         (GDestroyNotify) reeve_http_origin_free);
  self->dead_connections
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_http_connection_free);
  self->dead_calls = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_http_call_free);
  self->buffer = g_malloc (REEVE_HTTP_CONNECTION_BUFFER);
}

/**
 * reeve_http_pool_clear:
 * @self: a pool without calls
 *
 * Closes all connections and frees what it holds.
 */
void
reeve_http_pool_clear (ReeveHttpPool *self)
{
  reeve_http_pool_drop_idle (self, G_MAXINT64);
  g_clear_pointer (&self->dead_connections, g_ptr_array_unref);
  g_clear_pointer (&self->dead_calls, g_ptr_array_unref);
  g_clear_pointer (&self->origins, g_hash_table_unref);
  g_clear_pointer (&self->places, g_hash_table_unref);
  g_clear_pointer (&self->trust, reeve_http_trust_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->buffer, g_free);
  if (self->epoll >= 0)
    close (self->epoll);
  self->epoll = -1;
}
