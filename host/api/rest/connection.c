/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libsoup writes head, chunk sizes and chunks one by one; they are gathered here and sent once
 * before the loop sleeps. The socket is registered once, edge-triggered, so a request on a kept
 * connection costs no epoll_ctl(). */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define REEVE_REST_CONNECTION_BUFFER (64 * 1024)
/* a longer request line is nobody's; libsoup 3.2 leaks it when what follows is malformed */
#define REEVE_REST_CONNECTION_LINE (8 * 1024)

struct _ReeveRestConnection
{
  ReeveRestPollerClient client; /* first */
  grefcount references;
  ReeveRestPoller *poller;
  int fd;
  ReeveRestChannel *channel;
  GSocketAddress *remote;
  ReeveRestConnectionFunc first;
  gpointer first_data;

  gboolean readable;
  gboolean writable;
  gboolean gone; /* the client sends no more, or the socket is broken */
  gboolean dropped;
  gboolean closed; /* libsoup has let go of it */
  gboolean over;   /* libsoup was made to let go: what it writes is thrown away */
  GByteArray *out;
  gsize sent; /* of out */

  GString *line;
  gboolean line_done;

  gboolean busy;
  gboolean received;
  ReeveRestConnectionFunc on_gone;
  gpointer gone_data;
  gint64 active_at;
};

typedef struct
{
  GSource source;
  ReeveRestConnection *connection;
  gboolean writing;
} ReeveRestConnectionSource;

static GQuark
reeve_rest_connection_quark (void)
{
  return g_quark_from_static_string ("reeve-rest-connection");
}

/* ---- out ---- */

static gsize
reeve_rest_connection_pending (ReeveRestConnection *self)
{
  return self->out->len - self->sent;
}

static void
reeve_rest_connection_flush (ReeveRestConnection *self)
{
  while (self->writable && !self->dropped && reeve_rest_connection_pending (self) > 0)
    {
      gssize n = self->channel->send (self->channel, self->out->data + self->sent,
                                      reeve_rest_connection_pending (self));

      if (n > 0)
        {
          self->sent += (gsize) n;
          self->active_at = g_get_monotonic_time ();
        }
      else if (errno == EAGAIN)
        self->writable = FALSE;
      else if (errno != EINTR)
        reeve_rest_connection_drop (self);
    }
  if (reeve_rest_connection_pending (self) == 0)
    {
      g_byte_array_set_size (self->out, 0);
      self->sent = 0;
    }
}

/* Once libsoup has let go and everything is out, so do we. */
static void
reeve_rest_connection_finish (ReeveRestConnection *self)
{
  if (!self->closed || self->fd < 0 || (!self->dropped && reeve_rest_connection_pending (self) > 0))
    return;
  reeve_rest_poller_remove (self->poller, self->fd, &self->client);
  close (self->fd);
  self->fd = -1;
  reeve_rest_connection_unref (self); /* the poller's */
}

static void
reeve_rest_connection_work (ReeveRestPollerClient *client)
{
  ReeveRestConnection *self = (ReeveRestConnection *) client;
  ReeveRestConnectionFunc func = NULL;

  reeve_rest_connection_ref (self);
  if (self->first != NULL && (self->readable || self->gone))
    {
      func = g_steal_pointer (&self->first);
      func (self, self->first_data);
    }
  reeve_rest_connection_flush (self);
  if (self->gone && self->busy && self->on_gone != NULL)
    {
      func = g_steal_pointer (&self->on_gone);
      func (self, self->gone_data);
    }
  reeve_rest_connection_finish (self);
  reeve_rest_connection_unref (self);
}

static void
reeve_rest_connection_notice (ReeveRestPollerClient *client, guint32 events)
{
  ReeveRestConnection *self = (ReeveRestConnection *) client;

  if (events & EPOLLIN)
    self->readable = TRUE;
  if (events & EPOLLOUT)
    self->writable = TRUE;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    {
      self->readable = TRUE;
      self->writable = TRUE;
      self->gone = TRUE;
    }
  if (self->first != NULL || reeve_rest_connection_pending (self) > 0 || self->gone)
    reeve_rest_poller_defer (self->poller, client);
}

/* ---- life ---- */

/**
 * reeve_rest_connection_new:
 * @poller: watches the socket
 * @fd: (transfer full): a connected, non-blocking socket; closed on error too
 * @channel: (transfer full) (nullable): how its bytes cross the socket; as they are
 * @remote: (transfer full): the client's address, made for this connection alone
 * @first: called once, when there is something to read
 * @user_data: closure
 * @error: return location
 *
 * Returns: (transfer none): a connection, which lives until it is closed or dropped
 */
ReeveRestConnection *
reeve_rest_connection_new (ReeveRestPoller *poller, int fd, ReeveRestChannel *channel,
                           GSocketAddress *remote, ReeveRestConnectionFunc first,
                           gpointer user_data, GError **error)
{
  ReeveRestConnection *self = g_new0 (ReeveRestConnection, 1);

  g_ref_count_init (&self->references);
  self->client.notice = reeve_rest_connection_notice;
  self->client.work = reeve_rest_connection_work;
  self->poller = poller;
  self->fd = fd;
  self->channel = channel != NULL ? channel : reeve_rest_channel_new_plain (fd);
  self->remote = remote;
  self->first = first;
  self->first_data = user_data;
  self->writable = TRUE;
  self->out = g_byte_array_new ();
  self->line = g_string_new (NULL);
  self->active_at = g_get_monotonic_time ();
  g_object_set_qdata (G_OBJECT (remote), reeve_rest_connection_quark (), self);
  if (!reeve_rest_poller_add (poller, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &self->client,
                              error))
    {
      close (fd);
      self->fd = -1;
      reeve_rest_connection_unref (self);
      return NULL;
    }
  return self;
}

ReeveRestConnection *
reeve_rest_connection_ref (ReeveRestConnection *self)
{
  g_ref_count_inc (&self->references);
  return self;
}

void
reeve_rest_connection_unref (ReeveRestConnection *self)
{
  if (!g_ref_count_dec (&self->references))
    return;
  g_object_set_qdata (G_OBJECT (self->remote), reeve_rest_connection_quark (), NULL);
  g_object_unref (self->remote);
  self->channel->free (self->channel);
  g_byte_array_unref (self->out);
  g_string_free (self->line, TRUE);
  g_free (self);
}

GSocketAddress *
reeve_rest_connection_get_remote (ReeveRestConnection *self)
{
  return self->remote;
}

ReeveRestConnection *
reeve_rest_connection_from_address (GSocketAddress *address)
{
  return g_object_get_qdata (G_OBJECT (address), reeve_rest_connection_quark ());
}

/* ---- streams ---- */

/* Keeps the first line of a request, blank lines before it left out as RFC 9112, 2.2 says. */
static void
reeve_rest_connection_keep_line (ReeveRestConnection *self, const char *data, gsize length)
{
  for (gsize i = 0; i < length && !self->line_done; i++)
    {
      if (data[i] == '\n')
        self->line_done = self->line->len > 0;
      else if (data[i] != '\r')
        g_string_append_c (self->line, data[i]);
      if (self->line->len > REEVE_REST_CONNECTION_LINE)
        {
          reeve_rest_connection_drop (self);
          return;
        }
    }
}

/* libsoup 3.2 keeps a connection for ever when it ends between two requests. A request that is none
 * makes it close the connection by itself. */
static gssize
reeve_rest_connection_end_of_file (ReeveRestConnection *self, void *buffer, gsize size)
{
  static const char nonsense[] = "!\r\n\r\n";

  if (self->busy || self->line->len > 0 || self->over || size < sizeof nonsense)
    return 0;
  self->over = TRUE;
  memcpy (buffer, nonsense, sizeof nonsense - 1);
  return sizeof nonsense - 1;
}

gssize
reeve_rest_connection_read (ReeveRestConnection *self, void *buffer, gsize size, GError **error)
{
  gssize n = -1;

  if (self->dropped || self->fd < 0)
    return reeve_rest_connection_end_of_file (self, buffer, size);
  while (self->readable)
    {
      n = self->channel->receive (self->channel, buffer, size);
      if (n >= 0)
        {
          self->active_at = g_get_monotonic_time ();
          /* less than asked for: the socket is empty, and the next arrival is a new edge; but the
           * end of the stream shows only by reading it */
          if (n > 0 && (gsize) n < size && !self->gone && !self->channel->buffers)
            self->readable = FALSE;
          if (n == 0)
            return reeve_rest_connection_end_of_file (self, buffer, size);
          reeve_rest_connection_keep_line (self, buffer, (gsize) n);
          return n;
        }
      if (errno == EAGAIN)
        self->readable = FALSE;
      else if (errno != EINTR)
        {
          reeve_rest_connection_drop (self); /* reset: as good as its end */
          return reeve_rest_connection_end_of_file (self, buffer, size);
        }
    }
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "nothing to read");
  return -1;
}

gboolean
reeve_rest_connection_is_readable (ReeveRestConnection *self)
{
  return self->readable || self->dropped || self->fd < 0;
}

gboolean
reeve_rest_connection_is_writable (ReeveRestConnection *self)
{
  return reeve_rest_connection_pending (self) < REEVE_REST_CONNECTION_BUFFER || self->dropped
         || self->fd < 0;
}

gssize
reeve_rest_connection_write (ReeveRestConnection *self, const void *buffer, gsize size,
                             GError **error)
{
  gsize space = 0;

  if (self->over)
    return (gssize) size;
  if (reeve_rest_connection_pending (self) >= REEVE_REST_CONNECTION_BUFFER)
    reeve_rest_connection_flush (self);
  if (self->dropped || self->fd < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE, "the client has gone");
      return -1;
    }
  if (!reeve_rest_connection_is_writable (self))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "the client reads slowly");
      return -1;
    }
  space = REEVE_REST_CONNECTION_BUFFER - reeve_rest_connection_pending (self);
  size = MIN (size, space);
  g_byte_array_append (self->out, buffer, (guint) size);
  reeve_rest_poller_defer (self->poller, &self->client);
  return (gssize) size;
}

static gboolean
reeve_rest_connection_source_is_ready (GSource *source)
{
  ReeveRestConnectionSource *self = (ReeveRestConnectionSource *) source;

  return self->writing ? reeve_rest_connection_is_writable (self->connection)
                       : reeve_rest_connection_is_readable (self->connection);
}

static gboolean
reeve_rest_connection_source_prepare (GSource *source, gint *timeout)
{
  *timeout = -1;
  return reeve_rest_connection_source_is_ready (source);
}

static gboolean
reeve_rest_connection_source_dispatch (GSource *source, GSourceFunc func, gpointer data)
{
  return func != NULL ? func (data) : G_SOURCE_CONTINUE;
}

static void
reeve_rest_connection_source_finalize (GSource *source)
{
  reeve_rest_connection_unref (((ReeveRestConnectionSource *) source)->connection);
}

/* GIO sets a closure, not a callback, on the source that it waits for inside its own. */
static gboolean
reeve_rest_connection_source_run (gpointer data)
{
  GValue result = G_VALUE_INIT;
  gboolean again = FALSE;

  g_value_init (&result, G_TYPE_BOOLEAN);
  g_closure_invoke (data, &result, 0, NULL, NULL);
  again = g_value_get_boolean (&result);
  g_value_unset (&result);
  return again;
}

static GSourceFuncs reeve_rest_connection_source_funcs = {
  .prepare = reeve_rest_connection_source_prepare,
  .check = reeve_rest_connection_source_is_ready,
  .dispatch = reeve_rest_connection_source_dispatch,
  .finalize = reeve_rest_connection_source_finalize,
  .closure_callback = reeve_rest_connection_source_run,
};

static gboolean
reeve_rest_connection_source_stay (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/**
 * reeve_rest_connection_create_source:
 * @self: a connection
 * @writing: wait for room to write, else for something to read
 *
 * Returns: (transfer full): a source without a descriptor; the poller's finds it ready; the child
 * of a stream's source
 */
GSource *
reeve_rest_connection_create_source (ReeveRestConnection *self, gboolean writing)
{
  GSource *source
      = g_source_new (&reeve_rest_connection_source_funcs, sizeof (ReeveRestConnectionSource));

  ((ReeveRestConnectionSource *) source)->connection = reeve_rest_connection_ref (self);
  ((ReeveRestConnectionSource *) source)->writing = writing;
  g_source_set_callback (source, reeve_rest_connection_source_stay, NULL, NULL);
  return source;
}

void
reeve_rest_connection_close (ReeveRestConnection *self)
{
  if (self->closed)
    return;
  self->closed = TRUE;
  if (self->fd >= 0)
    reeve_rest_poller_defer (self->poller, &self->client);
}

/* ---- requests ---- */

const char *
reeve_rest_connection_get_target (ReeveRestConnection *self)
{
  char *from = NULL;
  char *to = NULL;

  if (!self->line_done)
    return NULL;
  from = strchr (self->line->str, ' ');
  to = from != NULL ? strchr (from + 1, ' ') : NULL;
  if (to == NULL)
    return NULL;
  *to = '\0';
  return from + 1;
}

void
reeve_rest_connection_begin (ReeveRestConnection *self, ReeveRestConnectionFunc gone,
                             gpointer user_data)
{
  self->busy = TRUE;
  self->received = FALSE;
  self->on_gone = gone;
  self->gone_data = user_data;
}

void
reeve_rest_connection_end (ReeveRestConnection *self)
{
  self->busy = FALSE;
  self->on_gone = NULL;
  self->active_at = g_get_monotonic_time ();
  g_string_truncate (self->line, 0);
  self->line_done = FALSE;
}

gboolean
reeve_rest_connection_is_busy (ReeveRestConnection *self)
{
  return self->busy;
}

void
reeve_rest_connection_set_received (ReeveRestConnection *self)
{
  self->received = TRUE;
}

gboolean
reeve_rest_connection_is_waiting (ReeveRestConnection *self)
{
  return !self->busy || !self->received || reeve_rest_connection_pending (self) > 0;
}

gboolean
reeve_rest_connection_is_closed (ReeveRestConnection *self)
{
  return self->fd < 0;
}

gboolean
reeve_rest_connection_is_started (ReeveRestConnection *self)
{
  return self->first == NULL;
}

gint64
reeve_rest_connection_get_active_at (ReeveRestConnection *self)
{
  return self->active_at;
}

void
reeve_rest_connection_drop (ReeveRestConnection *self)
{
  self->dropped = TRUE;
  self->gone = TRUE;
  self->readable = TRUE;
  self->writable = TRUE;
  if (self->first != NULL)
    {
      self->first = NULL;
      self->closed = TRUE; /* libsoup never had it */
    }
  if (self->fd >= 0)
    reeve_rest_poller_defer (self->poller, &self->client);
}
