/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accepts by itself, because libsoup would poll every idle socket in every turn of the loop: a
 * connection is given to libsoup when its first byte comes, and an idle one is closed early, the
 * earlier the more there are. */
#include "thread.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "request.h"
#include "stream.h"

#define REEVE_REST_THREAD_MANY      128                   /* more idle ones than this … */
#define REEVE_REST_THREAD_MANY_US   (1 * G_USEC_PER_SEC)  /* … are closed after this silence */
#define REEVE_REST_THREAD_SILENT_US (60 * G_USEC_PER_SEC) /* one that never said anything */
#define REEVE_REST_THREAD_SLOW                                                                     \
  4 /* times keep_alive: silence in the middle of a request or answer */
#define REEVE_REST_THREAD_ACCEPTS 32

typedef struct
{
  ReeveRestPollerClient client; /* first */
  ReeveRestThread *thread;
  int fd;
} ReeveRestThreadDoor;

struct _ReeveRestThread
{
  const ReeveRestShared *shared;
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  ReeveRestPoller *poller;
  SoupServer *server;
  GPtrArray *doors;       /* (element-type ReeveRestThreadDoor) */
  GPtrArray *connections; /* (element-type ReeveRestConnection) */
  gint busy;              /* atomic */
  int silent_end;
};

static void
reeve_rest_thread_first (ReeveRestConnection *connection, gpointer user_data)
{
  ReeveRestThread *self = user_data;
  g_autoptr (GIOStream) stream = reeve_rest_stream_new (connection);
  g_autoptr (GError) error = NULL;
  GSocketAddress *remote = reeve_rest_connection_get_remote (connection);

  if (!soup_server_accept_iostream (self->server, stream, remote, remote, &error))
    g_warning ("handing over a connection: %s", error->message);
}

static gboolean
reeve_rest_thread_accept (ReeveRestThread *self, int listener)
{
  struct sockaddr_storage native = { 0 };
  socklen_t size = sizeof native;
  int fd = accept4 (listener, (struct sockaddr *) &native, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
  g_autoptr (GError) error = NULL;
  ReeveRestConnection *connection = NULL;
  int on = 1;

  if (fd < 0)
    return errno == EINTR || errno == ECONNABORTED;
  if (self->connections->len >= self->shared->max_connections)
    {
      close (fd);
      return TRUE;
    }
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connection = reeve_rest_connection_new (self->poller, fd, NULL,
                                          g_socket_address_new_from_native (&native, size),
                                          reeve_rest_thread_first, self, &error);
  if (connection != NULL)
    g_ptr_array_add (self->connections, reeve_rest_connection_ref (connection));
  else
    g_warning ("accepting a connection: %s", error->message);
  return TRUE;
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
    if (!reeve_rest_thread_accept (door->thread, door->fd))
      return;
}

static gboolean
reeve_rest_thread_add_door (ReeveRestThread *self, int listener, GError **error)
{
  ReeveRestThreadDoor *door = g_new0 (ReeveRestThreadDoor, 1);

  door->client.notice = reeve_rest_thread_door_notice;
  door->client.work = reeve_rest_thread_door_work;
  door->thread = self;
  door->fd = dup (listener);
  g_ptr_array_add (self->doors, door);
  /* one thread is woken for a new client, not all of them */
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

/* How long may this one be silent? */
static gint64
reeve_rest_thread_get_patience (ReeveRestThread *self, ReeveRestConnection *connection,
                                gboolean many)
{
  if (!reeve_rest_connection_is_waiting (connection))
    return G_MAXINT64;
  if (reeve_rest_connection_is_busy (connection))
    return REEVE_REST_THREAD_SLOW * self->shared->keep_alive_us;
  if (!reeve_rest_connection_is_started (connection))
    return REEVE_REST_THREAD_SILENT_US;
  return many ? MIN (REEVE_REST_THREAD_MANY_US, self->shared->keep_alive_us)
              : self->shared->keep_alive_us;
}

static gboolean
reeve_rest_thread_sweep (gpointer data)
{
  ReeveRestThread *self = data;
  gint64 now = g_get_monotonic_time ();
  guint idle = 0;

  for (guint i = self->connections->len; i > 0; i--)
    {
      ReeveRestConnection *connection = self->connections->pdata[i - 1];

      if (reeve_rest_connection_is_closed (connection))
        g_ptr_array_remove_index_fast (self->connections, i - 1);
      else if (reeve_rest_connection_is_started (connection)
               && !reeve_rest_connection_is_busy (connection))
        idle++;
    }
  for (guint i = 0; i < self->connections->len; i++)
    {
      ReeveRestConnection *connection = self->connections->pdata[i];
      gint64 silent = now - reeve_rest_connection_get_active_at (connection);

      if (silent > reeve_rest_thread_get_patience (self, connection, idle > REEVE_REST_THREAD_MANY))
        reeve_rest_connection_drop (connection);
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
reeve_rest_thread_close_all (gpointer data)
{
  ReeveRestThread *self = data;

  for (guint i = 0; i < self->doors->len; i++)
    reeve_rest_thread_close_door (self, self->doors->pdata[i]);
  for (guint i = 0; i < self->connections->len; i++)
    {
      ReeveRestConnection *connection = self->connections->pdata[i];

      if (!reeve_rest_connection_is_busy (connection))
        reeve_rest_connection_drop (connection);
    }
  return G_SOURCE_REMOVE;
}

static gboolean
reeve_rest_thread_quit (gpointer data)
{
  ReeveRestThread *self = data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
reeve_rest_thread_invoke (ReeveRestThread *self, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
}

/* libsoup keeps a connection alive only while the server listens to something: to one end of a pair
 * of sockets, whose other end nobody uses. */
static void
reeve_rest_thread_pretend_to_listen (ReeveRestThread *self)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GError) error = NULL;
  int ends[2] = { -1, -1 };

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0)
    {
      self->silent_end = ends[1];
      socket = g_socket_new_from_fd (ends[0], &error);
    }
  if (socket == NULL || !soup_server_listen_socket (self->server, socket, 0, &error))
    g_warning ("connections will not be kept: %s",
               error != NULL ? error->message : g_strerror (errno));
}

static gpointer
reeve_rest_thread_run (gpointer data)
{
  ReeveRestThread *self = data;
  g_autoptr (GSource) sweep = g_timeout_source_new_seconds (1);

  g_main_context_push_thread_default (self->context);
  self->server = soup_server_new ("raw-paths", TRUE, NULL);
  reeve_rest_thread_pretend_to_listen (self);
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
    reeve_rest_connection_drop (self->connections->pdata[i]);
  soup_server_disconnect (self->server);
  g_source_destroy (sweep);
  /* a few turns, in which libsoup and the connections let go of each other */
  for (guint i = 0; i < 64; i++)
    g_main_context_iteration (self->context, FALSE);
  g_clear_object (&self->server);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/**
 * reeve_rest_thread_new:
 * @shared: (transfer none): outlives it
 * @listeners: sockets, -1 at the end
 * @number: for its name
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a running thread
 */
ReeveRestThread *
reeve_rest_thread_new (const ReeveRestShared *shared, const int *listeners, guint number,
                       GError **error)
{
  ReeveRestThread *self = g_new0 (ReeveRestThread, 1);
  g_autofree char *name = g_strdup_printf ("api-%u", number);

  self->shared = shared;
  self->silent_end = -1;
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->poller = reeve_rest_poller_new (self->context);
  self->doors = g_ptr_array_new_with_free_func (g_free);
  self->connections = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_rest_connection_unref);
  for (guint i = 0; listeners[i] >= 0; i++)
    if (!reeve_rest_thread_add_door (self, listeners[i], error))
      {
        reeve_rest_thread_free (self);
        return NULL;
      }
  self->thread = g_thread_new (name, reeve_rest_thread_run, self);
  return self;
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
  if (self->silent_end >= 0)
    close (self->silent_end);
  g_ptr_array_unref (self->doors);
  g_ptr_array_unref (self->connections);
  g_main_loop_unref (self->loop);
  reeve_rest_poller_free (self->poller);
  g_main_context_unref (self->context);
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

void
reeve_rest_thread_count (ReeveRestThread *self, int delta)
{
  g_atomic_int_add (&self->busy, delta);
}
