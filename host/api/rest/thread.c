/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accepts by itself, because libsoup would poll every idle socket in every turn of the loop, and
 * gives it one request at a time (connection.c). When there are too many connections the idlest one
 * goes; when there are no descriptors left, nothing is accepted for a moment. */
#include "thread.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "governance/ledger-gather.h"

#include "arrival.h"
#include "connection.h"
#include "headers.h"
#include "listener.h"
#include "request.h"
#include "stream.h"

#define REEVE_REST_THREAD_ACCEPTS 32
#define REEVE_REST_THREAD_REST_MS 100 /* without descriptors */
#define REEVE_REST_THREAD_FLOOD   100 /* connections */
#define REEVE_REST_THREAD_TELL    60  /* sweeps, about seconds, between two warnings */

typedef struct
{
  ReeveRestPollerClient client; /* first */
  ReeveRestThread *thread;
  int fd;
  gboolean encrypted;
} ReeveRestThreadDoor;

struct _ReeveRestThread
{
  const ReeveRestShared *shared;
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  ReeveRestPoller *poller;
  ReeveRestConnectionHome home;
  ReeveRestHandshakes *handshakes;
  ReeveRestArrivalHome arrivals;
  SoupServer *server;
  GPtrArray *doors;       /* (element-type ReeveRestThreadDoor) */
  GPtrArray *connections; /* (element-type ReeveRestConnection) */
  char *name;
  gint busy;     /* atomic */
  gint open;     /* atomic: connections */
  GSource *rest; /* (nullable): until accepting goes on */
  guint refused; /* connections, since it was last told */
  guint sweeps;
  guint most;    /* connections since memory was given back */
  gsize unread;  /* bytes */
  gint64 second; /* of the date */
  char *date;
};

static void
reeve_rest_thread_on_request (ReeveRestConnection *connection, gpointer user_data)
{
  ReeveRestThread *self = user_data;
  g_autoptr (GIOStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  GSocketAddress *remote = reeve_rest_connection_get_remote (connection);

  if (reeve_rest_request_serve (self, connection))
    return;
  stream = reeve_rest_stream_new (connection);
  if (!soup_server_accept_iostream (self->server, stream, remote, remote, &error))
    g_warning ("handing over a request: %s", error->message);
}

static void
reeve_rest_thread_on_closed (ReeveRestConnection *connection, gpointer user_data)
{
  ReeveRestThread *self = user_data;

  g_atomic_int_add (&self->open, -1);
  reeve_rest_addresses_leave (self->shared->addresses,
                              reeve_rest_connection_get_remote (connection));
}

static void
reeve_rest_thread_on_fault (GSocketAddress *remote, const char *action, ReeveError code,
                            gpointer user_data)
{
  reeve_rest_fault_note (((ReeveRestThread *) user_data)->shared->services, remote, action, code);
}

static void
reeve_rest_thread_invoke (ReeveRestThread *self, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
}

/* ---- accepting ---- */

/* The one that waits longest for its client to say something makes room; FALSE: all are at work. */
static gboolean
reeve_rest_thread_drop_idlest (ReeveRestThread *self)
{
  ReeveRestConnection *oldest = NULL;
  gint64 oldest_since = G_MAXINT64;

  for (guint i = 0; i < self->connections->len; i++)
    {
      ReeveRestConnection *connection = self->connections->pdata[i];
      gint64 since = 0;

      /* one that has just come may have asked already */
      if (reeve_rest_connection_is_idle (connection, &since) && since < oldest_since
          && !reeve_rest_connection_has_news (connection))
        {
          oldest = connection;
          oldest_since = since;
        }
    }
  if (oldest != NULL)
    reeve_rest_connection_drop (oldest);
  return oldest != NULL;
}

static gboolean
reeve_rest_thread_on_crowd (gpointer data)
{
  reeve_rest_thread_drop_idlest (data);
  return G_SOURCE_REMOVE;
}

/* The thread that has most clients gives one up, or none would be old where few are. */
static gboolean
reeve_rest_thread_make_room (ReeveRestThread *self)
{
  GPtrArray *threads = self->shared->threads;
  ReeveRestThread *fullest = self;

  for (guint i = 0; i < threads->len; i++)
    {
      ReeveRestThread *other = threads->pdata[i];

      if (g_atomic_int_get (&other->open) > g_atomic_int_get (&fullest->open))
        fullest = other;
    }
  if (fullest == self)
    return reeve_rest_thread_drop_idlest (self);
  reeve_rest_thread_invoke (fullest, reeve_rest_thread_on_crowd);
  return TRUE;
}

/* Where all places are taken it gets one of some in advance, for who makes room may be at work on
 * another thread for a moment. When those are taken, too, that thread is not served by a processor:
 * then one of our own goes, or the newest would be refused for the sake of idle ones. */
static ReeveRestAddressesVerdict
reeve_rest_thread_enter_crowd (ReeveRestThread *self, GSocketAddress *remote)
{
  ReeveRestAddresses *addresses = self->shared->addresses;
  guint advance = self->shared->limits.max_connections / 8 + 1;
  ReeveRestAddressesVerdict verdict = reeve_rest_addresses_enter (addresses, remote, advance);

  if (verdict == REEVE_REST_ADDRESSES_FULL && reeve_rest_thread_drop_idlest (self))
    /* they are closed before this thread accepts the next ones */
    return reeve_rest_addresses_enter (
        addresses, remote, advance + REEVE_REST_THREAD_ACCEPTS * self->shared->threads->len);
  if (verdict != REEVE_REST_ADDRESSES_WELCOME || reeve_rest_thread_make_room (self))
    return verdict;
  reeve_rest_addresses_leave (addresses, remote);
  return REEVE_REST_ADDRESSES_FULL;
}

static gboolean
reeve_rest_thread_is_welcome (ReeveRestThread *self, GSocketAddress *remote)
{
  ReeveRestAddressesVerdict verdict
      = reeve_rest_addresses_enter (self->shared->addresses, remote, 0);

  if (verdict == REEVE_REST_ADDRESSES_FULL)
    verdict = reeve_rest_thread_enter_crowd (self, remote);
  if (verdict != REEVE_REST_ADDRESSES_WELCOME)
    {
      self->refused++;
      reeve_rest_thread_on_fault (remote, REEVE_REST_FAULT_CROWD, REEVE_ERROR_BUSY, self);
    }
  return verdict == REEVE_REST_ADDRESSES_WELCOME;
}

/* It is one of ours. */
static void
reeve_rest_thread_take (int fd, ReeveRestChannel *channel, GSocketAddress *remote,
                        gpointer user_data)
{
  ReeveRestThread *self = user_data;
  g_autoptr (GSocketAddress) held = g_object_ref (remote);
  g_autoptr (GError) error = NULL;
  ReeveRestConnection *connection
      = reeve_rest_connection_new (&self->home, fd, channel, remote, &error);

  if (connection != NULL)
    {
      g_ptr_array_add (self->connections, reeve_rest_connection_ref (connection));
      g_atomic_int_inc (&self->open);
      return;
    }
  reeve_rest_addresses_leave (self->shared->addresses, held);
  g_warning ("accepting a connection: %s", error->message);
}

static void
reeve_rest_thread_on_lost (GSocketAddress *remote, gpointer user_data)
{
  ReeveRestThread *self = user_data;

  reeve_rest_addresses_leave (self->shared->addresses, remote);
}

static void
reeve_rest_thread_welcome (ReeveRestThread *self, ReeveRestThreadDoor *door, int fd,
                           GSocketAddress *remote)
{
  int on = 1;

  if (!reeve_rest_thread_is_welcome (self, remote))
    {
      g_object_unref (remote);
      close (fd);
      return;
    }
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (door->encrypted)
    reeve_rest_arrival_begin (&self->arrivals, fd, remote);
  else
    reeve_rest_thread_take (fd, NULL, remote, self);
}

static void
reeve_rest_thread_watch_doors (ReeveRestThread *self, gboolean watch)
{
  for (guint i = 0; i < self->doors->len; i++)
    {
      ReeveRestThreadDoor *door = self->doors->pdata[i];

      if (door->fd < 0)
        continue;
      /* one thread is woken for a new client, not all of them */
      if (watch)
        reeve_rest_poller_add (self->poller, door->fd, EPOLLIN | EPOLLEXCLUSIVE, &door->client,
                               NULL);
      else
        reeve_rest_poller_remove (self->poller, door->fd, &door->client);
    }
}

static gboolean
reeve_rest_thread_on_rested (gpointer data)
{
  ReeveRestThread *self = data;

  g_clear_pointer (&self->rest, g_source_unref);
  reeve_rest_thread_watch_doors (self, TRUE);
  return G_SOURCE_REMOVE;
}

/* A client that cannot be accepted stays in the queue and would wake the loop again and again. */
static void
reeve_rest_thread_take_rest (ReeveRestThread *self)
{
  if (self->rest != NULL)
    return;
  self->refused++;
  reeve_rest_thread_make_room (self);
  reeve_rest_thread_watch_doors (self, FALSE);
  self->rest = g_timeout_source_new (REEVE_REST_THREAD_REST_MS);
  g_source_set_callback (self->rest, reeve_rest_thread_on_rested, self, NULL);
  g_source_attach (self->rest, self->context);
}

/* FALSE: enough for now. */
static gboolean
reeve_rest_thread_accept (ReeveRestThread *self, ReeveRestThreadDoor *door)
{
  struct sockaddr_storage native = { 0 };
  socklen_t size = sizeof native;
  int fd = accept4 (door->fd, (struct sockaddr *) &native, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

  if (fd >= 0)
    {
      reeve_rest_thread_welcome (self, door, fd, g_socket_address_new_from_native (&native, size));
      return TRUE;
    }
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
    reeve_rest_thread_take_rest (self);
  return errno == EINTR || errno == ECONNABORTED;
}

static void
reeve_rest_thread_door_notice (ReeveRestPollerClient *client, guint32 events)
{
  ReeveRestThreadDoor *door = (ReeveRestThreadDoor *) client;

  reeve_rest_poller_defer (door->thread->poller, client);
}

static void
reeve_rest_thread_door_work (ReeveRestPollerClient *client)
{
  ReeveRestThreadDoor *door = (ReeveRestThreadDoor *) client;

  for (guint i = 0; i < REEVE_REST_THREAD_ACCEPTS; i++)
    if (!reeve_rest_thread_accept (door->thread, door))
      return;
}

static gboolean
reeve_rest_thread_add_door (ReeveRestThread *self, const ReeveRestListener *listener,
                            GError **error)
{
  ReeveRestThreadDoor *door = g_new0 (ReeveRestThreadDoor, 1);

  door->client.notice = reeve_rest_thread_door_notice;
  door->client.work = reeve_rest_thread_door_work;
  door->thread = self;
  door->fd = dup (listener->fd);
  door->encrypted = listener->encrypted;
  g_ptr_array_add (self->doors, door);
  return reeve_rest_poller_add (self->poller, door->fd, EPOLLIN | EPOLLEXCLUSIVE, &door->client,
                                error);
}

static void
reeve_rest_thread_close_door (ReeveRestThread *self, ReeveRestThreadDoor *door)
{
  if (door->fd < 0)
    return;
  reeve_rest_poller_remove (self->poller, door->fd, &door->client);
  close (door->fd);
  door->fd = -1;
}

/* What a flood does is told once in a while, not once for each connection. */
static void
reeve_rest_thread_tell (ReeveRestThread *self)
{
  if (self->refused == 0 || self->sweeps++ % REEVE_REST_THREAD_TELL != 0)
    return;
  g_warning ("%u connections were refused: there are too many, see server.max_connections",
             self->refused);
  self->refused = 0;
}

/* After a flood the heap is full of small holes, of which glibc gives nothing back by itself. */
static void
reeve_rest_thread_give_back (ReeveRestThread *self)
{
  guint now = self->connections->len;

  self->most = MAX (self->most, now);
  if (self->most < REEVE_REST_THREAD_FLOOD || now > self->most / 4)
    return;
  self->most = now;
  malloc_trim (0);
}

static gboolean
reeve_rest_thread_sweep (gpointer data)
{
  ReeveRestThread *self = data;
  gint64 now = g_get_monotonic_time ();

  reeve_rest_handshakes_sweep (self->handshakes, now);
  for (guint i = self->connections->len; i > 0; i--)
    {
      ReeveRestConnection *connection = self->connections->pdata[i - 1];

      if (reeve_rest_connection_is_closed (connection))
        g_ptr_array_remove_index_fast (self->connections, i - 1);
      else
        reeve_rest_connection_check (connection, now);
    }
  reeve_rest_thread_tell (self);
  reeve_rest_thread_give_back (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
reeve_rest_thread_close_all (gpointer data)
{
  ReeveRestThread *self = data;

  for (guint i = 0; i < self->doors->len; i++)
    reeve_rest_thread_close_door (self, self->doors->pdata[i]);
  reeve_rest_handshakes_sweep (self->handshakes, G_MAXINT64);
  for (guint i = 0; i < self->connections->len; i++)
    reeve_rest_connection_leave (self->connections->pdata[i]);
  return G_SOURCE_REMOVE;
}

static gboolean
reeve_rest_thread_quit (gpointer data)
{
  ReeveRestThread *self = data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static gpointer
reeve_rest_thread_run (gpointer data)
{
  ReeveRestThread *self = data;
  g_autoptr (GSource) sweep = g_timeout_source_new_seconds (1);

  g_main_context_push_thread_default (self->context);
  reeve_ledger_gather_begin (self->shared->services->ledger, self->context);
  self->server = soup_server_new ("raw-paths", TRUE, NULL);
  reeve_rest_headers_install (self->server, self->shared);
  reeve_rest_request_install (self->server, self);
  g_source_set_callback (sweep, reeve_rest_thread_sweep, self, NULL);
  g_source_attach (sweep, self->context);

  g_main_loop_run (self->loop);

  /* what waits for a model upstream on this thread ends here; its callers are told */
  reeve_models_leave (self->shared->services->models);
  for (guint i = 0; i < 64; i++)
    g_main_context_iteration (self->context, FALSE);
  reeve_rest_thread_close_all (self);
  for (guint i = 0; i < self->connections->len; i++)
    reeve_rest_connection_cut (self->connections->pdata[i]);
  soup_server_disconnect (self->server);
  g_source_destroy (sweep);
  if (self->rest != NULL)
    g_source_destroy (self->rest);
  g_clear_pointer (&self->rest, g_source_unref);
  /* a few turns, in which libsoup and the connections let go of each other */
  for (guint i = 0; i < 64; i++)
    g_main_context_iteration (self->context, FALSE);
  g_clear_object (&self->server);
  reeve_ledger_gather_end (self->context);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static void
reeve_rest_thread_expect_arrivals (ReeveRestThread *self)
{
  self->handshakes = reeve_rest_handshakes_new (self->context, self->shared->max_arrivals);
  self->arrivals = (ReeveRestArrivalHome){
    .poller = self->poller,
    .handshakes = self->handshakes,
    .tls = self->shared->tls,
    .silent_us = self->shared->limits.keep_alive_us,
    .ready = reeve_rest_thread_take,
    .lost = reeve_rest_thread_on_lost,
    .fault = reeve_rest_thread_on_fault,
    .user_data = self,
  };
}

/**
 * reeve_rest_thread_new:
 * @shared: (transfer none): outlives it
 * @listeners: (element-type ReeveRestListener): where to accept
 * @number: for its name
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a thread that is not started yet
 */
ReeveRestThread *
reeve_rest_thread_new (const ReeveRestShared *shared, GPtrArray *listeners, guint number,
                       GError **error)
{
  ReeveRestThread *self = g_new0 (ReeveRestThread, 1);

  self->shared = shared;
  self->name = g_strdup_printf ("api-%u", number);
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->poller = reeve_rest_poller_new (self->context);
  self->home = (ReeveRestConnectionHome){
    .poller = self->poller,
    .limits = &shared->limits,
    .spares = g_ptr_array_new_with_free_func (g_free),
    .request = reeve_rest_thread_on_request,
    .closed = reeve_rest_thread_on_closed,
    .fault = reeve_rest_thread_on_fault,
    .user_data = self,
  };
  reeve_rest_thread_expect_arrivals (self);
  self->doors = g_ptr_array_new_with_free_func (g_free);
  self->connections = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_rest_connection_unref);
  for (guint i = 0; i < listeners->len; i++)
    if (!reeve_rest_thread_add_door (self, listeners->pdata[i], error))
      {
        reeve_rest_thread_free (self);
        return NULL;
      }
  return self;
}

void
reeve_rest_thread_start (ReeveRestThread *self)
{
  self->thread = g_thread_new (self->name, reeve_rest_thread_run, self);
}

void
reeve_rest_thread_stop_accepting (ReeveRestThread *self)
{
  reeve_rest_thread_invoke (self, reeve_rest_thread_close_all);
}

guint
reeve_rest_thread_get_busy (ReeveRestThread *self)
{
  return (guint) g_atomic_int_get (&self->busy);
}

void
reeve_rest_thread_free (ReeveRestThread *self)
{
  if (self->thread != NULL)
    {
      reeve_rest_thread_invoke (self, reeve_rest_thread_quit);
      g_thread_join (self->thread);
    }
  for (guint i = 0; i < self->doors->len; i++)
    reeve_rest_thread_close_door (self, self->doors->pdata[i]);
  g_ptr_array_unref (self->doors);
  g_ptr_array_unref (self->connections);
  g_main_loop_unref (self->loop);
  reeve_rest_handshakes_free (self->handshakes);
  reeve_rest_poller_free (self->poller);
  g_ptr_array_unref (self->home.spares);
  g_main_context_unref (self->context);
  g_free (self->date);
  g_free (self->name);
  g_free (self);
}

const ReeveRestShared *
reeve_rest_thread_get_shared (ReeveRestThread *self)
{
  return self->shared;
}

GMainContext *
reeve_rest_thread_get_context (ReeveRestThread *self)
{
  return self->context;
}

const char *
reeve_rest_thread_get_date (ReeveRestThread *self)
{
  gint64 second = g_get_real_time () / G_USEC_PER_SEC;

  if (self->date == NULL || second != self->second)
    {
      g_autoptr (GDateTime) now = g_date_time_new_from_unix_utc (second);

      g_free (self->date);
      self->date = soup_date_time_to_string (now, SOUP_DATE_HTTP);
      self->second = second;
    }
  return self->date;
}

void
reeve_rest_thread_count (ReeveRestThread *self, int delta)
{
  g_atomic_int_add (&self->busy, delta);
}

/**
 * reeve_rest_thread_count_unread:
 * @self: a thread; to be called on it
 * @delta: bytes that its streams hold more, or less
 *
 * Returns: bytes that all its streams hold for clients that have not read them
 */
gsize
reeve_rest_thread_count_unread (ReeveRestThread *self, gssize delta)
{
  self->unread += (gsize) delta;
  return self->unread;
}
