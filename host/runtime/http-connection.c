/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One upstream connection: connecting, TLS, writing a request, reading its response. */
#include "http-connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* one record of TLS: a request that fits is sent as one */
#define REEVE_HTTP_CONNECTION_JOIN 16384
/* reads in a row before other connections get their turn */
#define REEVE_HTTP_CONNECTION_TURNS 8

typedef struct
{
  ReeveHttpConnection base;
  int fd;
  guint8 *buffer; /* shared by all connections of a client */
  const ReeveHttpConnectionHandlers *handlers;
  gpointer user_data;
  ReeveHttpReader *reader;
  ReeveHttpTrust *trust;
  char *host;
  ReeveHttpTls *tls;
  GBytes *out[2];
  gsize out_done; /* of all parts together */
  gsize out_size;
  int write_error;
  gboolean hup;
  gboolean paused;
} ReeveHttpConnectionPrivate;

static ReeveHttpConnectionPrivate *
reeve_http_connection_get (ReeveHttpConnection *base)
{
  return (ReeveHttpConnectionPrivate *) base;
}

static gboolean
reeve_http_connection_on_head (ReeveHttpResponse *head, gpointer user_data)
{
  ReeveHttpConnectionPrivate *self = user_data;

  self->handlers->head (&self->base, head, self->user_data);
  return self->base.state != REEVE_HTTP_CONNECTION_CLOSED;
}

static gboolean
reeve_http_connection_on_body (const guint8 *data, gsize length, gpointer user_data)
{
  ReeveHttpConnectionPrivate *self = user_data;

  self->handlers->data (&self->base, data, length, self->user_data);
  return self->base.state != REEVE_HTTP_CONNECTION_CLOSED;
}

static const ReeveHttpReaderHandlers reeve_http_connection_reader_handlers = {
  .head = reeve_http_connection_on_head,
  .body = reeve_http_connection_on_body,
};

static void
reeve_http_connection_set_errno (GError **error, const char *doing, int code)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "%s: %s", doing, g_strerror (code));
}

static gboolean
reeve_http_connection_open (ReeveHttpConnectionPrivate *self, int epoll, GInetAddress *address,
                            guint16 port, GError **error)
{
  g_autoptr (GSocketAddress) target = g_inet_socket_address_new (address, port);
  struct sockaddr_storage native = { 0 };
  struct epoll_event event
      = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = self };
  gssize length = g_socket_address_get_native_size (target);
  int one = 1;

  if (!g_socket_address_to_native (target, &native, sizeof native, error))
    return FALSE;
  self->fd = socket (native.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (self->fd < 0)
    {
      reeve_http_connection_set_errno (error, "making a socket", errno);
      return FALSE;
    }
  (void) setsockopt (self->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect (self->fd, (struct sockaddr *) &native, (socklen_t) length) < 0
      && errno != EINPROGRESS)
    {
      reeve_http_connection_set_errno (error, "connecting", errno);
      return FALSE;
    }
  if (epoll_ctl (epoll, EPOLL_CTL_ADD, self->fd, &event) < 0)
    {
      reeve_http_connection_set_errno (error, "watching a socket", errno);
      return FALSE;
    }
  return TRUE;
}

/**
 * reeve_http_connection_new:
 * @epoll: set to register in
 * @address: where to connect to
 * @port: its port
 * @buffer: of REEVE_HTTP_CONNECTION_BUFFER bytes, may be shared by connections of one thread
 * @handlers: what to call; must outlive the connection
 * @user_data: for them
 * @error: return location
 *
 * Begins to connect.
 *
 * Returns: (transfer full) (nullable): a connection in state CONNECTING
 */
ReeveHttpConnection *
reeve_http_connection_new (int epoll, GInetAddress *address, guint16 port, guint8 *buffer,
                           const ReeveHttpConnectionHandlers *handlers, gpointer user_data,
                           GError **error)
{
  ReeveHttpConnectionPrivate *self = g_new0 (ReeveHttpConnectionPrivate, 1);

  self->fd = -1;
  self->buffer = buffer;
  self->handlers = handlers;
  self->user_data = user_data;
  self->base.peer = g_object_ref (address);
  self->base.link.data = self;
  self->reader = reeve_http_reader_new (&reeve_http_connection_reader_handlers, self);
  if (!reeve_http_connection_open (self, epoll, address, port, error))
    {
      reeve_http_connection_free (&self->base);
      return NULL;
    }
  return &self->base;
}

/**
 * reeve_http_connection_use_tls:
 * @base: a connection just made
 * @trust: loaded certificates
 * @host: name that the peer's certificate must bear
 *
 * Makes it speak TLS once it is connected.
 */
void
reeve_http_connection_use_tls (ReeveHttpConnection *base, ReeveHttpTrust *trust, const char *host)
{
  ReeveHttpConnectionPrivate *self = reeve_http_connection_get (base);

  self->trust = reeve_http_trust_ref (trust);
  self->host = g_strdup (host);
}

/**
 * reeve_http_connection_close:
 * @base: a connection
 *
 * Closes the socket; no handler is called any more.
 */
void
reeve_http_connection_close (ReeveHttpConnection *base)
{
  ReeveHttpConnectionPrivate *self = reeve_http_connection_get (base);

  if (self->tls != NULL && base->state == REEVE_HTTP_CONNECTION_IDLE)
    reeve_http_tls_bye (self->tls);
  base->state = REEVE_HTTP_CONNECTION_CLOSED;
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

/**
 * reeve_http_connection_free:
 * @base: (transfer full): a connection
 */
void
reeve_http_connection_free (ReeveHttpConnection *base)
{
  ReeveHttpConnectionPrivate *self = reeve_http_connection_get (base);

  reeve_http_connection_close (base);
  g_clear_pointer (&self->tls, reeve_http_tls_free);
  g_clear_pointer (&self->trust, reeve_http_trust_unref);
  g_clear_pointer (&self->reader, reeve_http_reader_free);
  g_clear_pointer (&self->out[0], g_bytes_unref);
  g_clear_pointer (&self->out[1], g_bytes_unref);
  g_clear_object (&base->peer);
  g_free (self->host);
  g_free (self);
}

/* Ends the response, well or not, and tells the owner; nothing may be touched afterwards. */
static void
reeve_http_connection_finish (ReeveHttpConnectionPrivate *self, gboolean reusable,
                              const GError *error)
{
  g_clear_pointer (&self->out[0], g_bytes_unref);
  g_clear_pointer (&self->out[1], g_bytes_unref);
  self->paused = FALSE;
  if (error == NULL && reusable)
    self->base.state = REEVE_HTTP_CONNECTION_IDLE;
  else
    reeve_http_connection_close (&self->base);
  self->handlers->finished (&self->base, error, self->user_data);
}

/* One read: bytes, 0 at the end of the stream, -1 when there is nothing now, -2 with an error. */
static gssize
reeve_http_connection_receive (ReeveHttpConnectionPrivate *self, GError **error)
{
  gsize got = 0;
  ssize_t n = 0;

  if (self->tls != NULL)
    switch (
        reeve_http_tls_read (self->tls, self->buffer, REEVE_HTTP_CONNECTION_BUFFER, &got, error))
      {
      case REEVE_HTTP_TLS_OK:
        return (gssize) got;
      case REEVE_HTTP_TLS_AGAIN:
        return -1;
      case REEVE_HTTP_TLS_END:
        return 0;
      case REEVE_HTTP_TLS_FAILED:
      default:
        return -2;
      }
  do
    n = recv (self->fd, self->buffer, REEVE_HTTP_CONNECTION_BUFFER, 0);
  while (n < 0 && errno == EINTR);
  if (n >= 0)
    return n;
  if (errno == EAGAIN)
    return -1;
  reeve_http_connection_set_errno (error, "reading the answer", errno);
  return -2;
}

static void
reeve_http_connection_ended (ReeveHttpConnectionPrivate *self)
{
  g_autoptr (GError) error = NULL;

  if (self->write_error != 0 && !reeve_http_reader_has_begun (self->reader))
    reeve_http_connection_set_errno (&error, "sending the request", self->write_error);
  else if (!reeve_http_reader_has_begun (self->reader))
    g_set_error_literal (&error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                         "the peer closed the connection without an answer");
  else
    (void) reeve_http_reader_end (self->reader, &error);
  if (self->base.state == REEVE_HTTP_CONNECTION_BUSY)
    reeve_http_connection_finish (self, FALSE, error);
}

/* Hands bytes to the reader. Returns: whether the response goes on. */
static gboolean
reeve_http_connection_feed (ReeveHttpConnectionPrivate *self, gsize length)
{
  g_autoptr (GError) error = NULL;
  gsize used = 0;

  self->handlers->alive (&self->base, self->user_data);
  switch (reeve_http_reader_feed (self->reader, self->buffer, length, &used, &error))
    {
    case REEVE_HTTP_READER_MORE:
      return TRUE;
    case REEVE_HTTP_READER_COMPLETE:
      /* bytes after the answer, or a request not wholly sent: nobody could trust the next answer */
      reeve_http_connection_finish (self,
                                    used == length && self->out_done == self->out_size && !self->hup
                                        && reeve_http_reader_can_keep_alive (self->reader),
                                    NULL);
      return FALSE;
    case REEVE_HTTP_READER_FAILED:
      reeve_http_connection_finish (self, FALSE, error);
      return FALSE;
    case REEVE_HTTP_READER_STOPPED:
    default:
      return FALSE;
    }
}

static void
reeve_http_connection_read (ReeveHttpConnectionPrivate *self)
{
  g_autoptr (GError) error = NULL;

  for (guint turn = 0; turn < REEVE_HTTP_CONNECTION_TURNS; turn++)
    {
      gssize n = 0;

      if (self->paused)
        return;
      n = reeve_http_connection_receive (self, &error);
      if (n == -1)
        return;
      if (n == -2 && !reeve_http_reader_has_begun (self->reader) && self->write_error != 0)
        n = 0;
      if (n == -2)
        {
          reeve_http_connection_finish (self, FALSE, error);
          return;
        }
      if (n == 0)
        {
          reeve_http_connection_ended (self);
          return;
        }
      if (!reeve_http_connection_feed (self, (gsize) n))
        return;
      /* a short read means that the socket is empty: the next bytes raise a new edge */
      if (self->tls == NULL && !self->hup && n < REEVE_HTTP_CONNECTION_BUFFER)
        return;
    }
  self->handlers->again (&self->base, self->user_data);
}

static gssize
reeve_http_connection_write_plain (ReeveHttpConnectionPrivate *self)
{
  struct iovec parts[2];
  gsize skip = self->out_done;
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = 0 };
  ssize_t n = 0;

  for (guint i = 0; i < 2 && self->out[i] != NULL; i++)
    {
      gsize size = 0;
      const guint8 *data = g_bytes_get_data (self->out[i], &size);
      gsize part = MIN (skip, size);

      skip -= part;
      if (size == part)
        continue;
      parts[message.msg_iovlen].iov_base = (gpointer) (data + part);
      parts[message.msg_iovlen++].iov_len = size - part;
    }
  do
    n = sendmsg (self->fd, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    self->base.written = TRUE;
  else if (n < 0 && errno != EAGAIN)
    self->write_error = errno;
  return n;
}

static gssize
reeve_http_connection_write_tls (ReeveHttpConnectionPrivate *self)
{
  gsize first = g_bytes_get_size (self->out[0]);
  GBytes *part = self->out_done < first ? self->out[0] : self->out[1];
  gsize skip = self->out_done < first ? self->out_done : self->out_done - first;
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (part, &size);
  gsize written = 0;
  ReeveHttpTlsResult result = REEVE_HTTP_TLS_OK;

  /* what GnuTLS takes in may be on the wire even when it asks to be called again */
  self->base.written = TRUE;
  result = reeve_http_tls_write (self->tls, data + skip, size - skip, &written, NULL);
  if (result == REEVE_HTTP_TLS_FAILED)
    self->write_error = EPIPE;
  return result == REEVE_HTTP_TLS_OK ? (gssize) written : -1;
}

/* Writes what the socket takes; calls no handler but alive(). */
static void
reeve_http_connection_write (ReeveHttpConnectionPrivate *self)
{
  while (self->out_done < self->out_size && self->write_error == 0)
    {
      gssize n = self->tls != NULL ? reeve_http_connection_write_tls (self)
                                   : reeve_http_connection_write_plain (self);

      if (n <= 0)
        break;
      self->out_done += (gsize) n;
      self->handlers->alive (&self->base, self->user_data);
    }
}

static GBytes *
reeve_http_connection_join (GBytes *head, GBytes *body)
{
  gsize head_size = 0;
  gsize body_size = 0;
  const guint8 *head_data = g_bytes_get_data (head, &head_size);
  const guint8 *body_data = g_bytes_get_data (body, &body_size);
  g_autoptr (GByteArray) all = g_byte_array_sized_new ((guint) (head_size + body_size));

  g_byte_array_append (all, head_data, (guint) head_size);
  g_byte_array_append (all, body_data, (guint) body_size);
  return g_byte_array_free_to_bytes (g_steal_pointer (&all));
}

/**
 * reeve_http_connection_send:
 * @base: an idle connection
 * @head: request line and headers with the empty line
 * @body: (nullable): the body
 * @without_body: the method is HEAD
 * @max_body: bytes of the response's body that are taken
 *
 * Sends a request as far as the socket takes it now; the rest follows by itself.
 */
void
reeve_http_connection_send (ReeveHttpConnection *base, GBytes *head, GBytes *body,
                            gboolean without_body, gsize max_body)
{
  ReeveHttpConnectionPrivate *self = reeve_http_connection_get (base);
  gsize body_size = body != NULL ? g_bytes_get_size (body) : 0;

  g_return_if_fail (base->state == REEVE_HTTP_CONNECTION_IDLE);
  base->state = REEVE_HTTP_CONNECTION_BUSY;
  base->written = FALSE;
  self->write_error = 0;
  self->paused = FALSE;
  self->out_done = 0;
  self->out_size = g_bytes_get_size (head) + body_size;
  if (self->tls != NULL && body_size > 0 && self->out_size <= REEVE_HTTP_CONNECTION_JOIN)
    self->out[0] = reeve_http_connection_join (head, body);
  else
    {
      self->out[0] = g_bytes_ref (head);
      self->out[1] = body_size > 0 ? g_bytes_ref (body) : NULL;
    }
  reeve_http_reader_begin (self->reader, without_body, max_body);
  reeve_http_connection_write (self);
  if (self->write_error != 0)
    self->handlers->again (base, self->user_data);
}

static void
reeve_http_connection_connected (ReeveHttpConnectionPrivate *self, const GError *error)
{
  if (error != NULL)
    reeve_http_connection_close (&self->base);
  else
    self->base.state = REEVE_HTTP_CONNECTION_IDLE;
  self->handlers->ready (&self->base, error, self->user_data);
}

static void
reeve_http_connection_handshake (ReeveHttpConnectionPrivate *self)
{
  g_autoptr (GError) error = NULL;

  if (self->tls == NULL)
    self->tls = reeve_http_tls_new (self->trust, self->host, self->fd, &error);
  if (self->tls != NULL)
    switch (reeve_http_tls_handshake (self->tls, &error))
      {
      case REEVE_HTTP_TLS_AGAIN:
        return;
      case REEVE_HTTP_TLS_OK:
      case REEVE_HTTP_TLS_END:
      case REEVE_HTTP_TLS_FAILED:
      default:
        break;
      }
  reeve_http_connection_connected (self, error);
}

static void
reeve_http_connection_check_connect (ReeveHttpConnectionPrivate *self, guint32 events)
{
  g_autoptr (GError) error = NULL;
  int code = 0;
  socklen_t length = sizeof code;

  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0)
    return;
  if (getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &code, &length) < 0)
    code = errno;
  if (code != 0)
    {
      reeve_http_connection_set_errno (&error, "connecting", code);
      reeve_http_connection_connected (self, error);
    }
  else if (self->trust != NULL)
    {
      self->base.state = REEVE_HTTP_CONNECTION_HANDSHAKE;
      reeve_http_connection_handshake (self);
    }
  else
    reeve_http_connection_connected (self, NULL);
}

/**
 * reeve_http_connection_handle:
 * @base: a connection
 * @events: epoll events; 0 after again()
 *
 * Does what can be done now and calls the handlers.
 */
void
reeve_http_connection_handle (ReeveHttpConnection *base, guint32 events)
{
  ReeveHttpConnectionPrivate *self = reeve_http_connection_get (base);

  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    self->hup = TRUE;
  switch (base->state)
    {
    case REEVE_HTTP_CONNECTION_CONNECTING:
      self->hup = FALSE;
      reeve_http_connection_check_connect (self, events);
      break;
    case REEVE_HTTP_CONNECTION_HANDSHAKE:
      reeve_http_connection_handshake (self);
      break;
    case REEVE_HTTP_CONNECTION_IDLE:
      if ((events & ~(guint32) EPOLLOUT) != 0 && !reeve_http_connection_is_usable (base))
        {
          reeve_http_connection_close (base);
          self->handlers->lost (base, self->user_data);
        }
      break;
    case REEVE_HTTP_CONNECTION_BUSY:
      reeve_http_connection_write (self);
      reeve_http_connection_read (self);
      break;
    case REEVE_HTTP_CONNECTION_CLOSED:
    default:
      break;
    }
}

/**
 * reeve_http_connection_is_usable:
 * @base: an idle connection
 *
 * Returns: %FALSE when the peer closed it, or sent what nobody asked for
 */
gboolean
reeve_http_connection_is_usable (ReeveHttpConnection *base)
{
  ReeveHttpConnectionPrivate *self = reeve_http_connection_get (base);
  guint8 byte = 0;
  gsize got = 0;

  if (base->state != REEVE_HTTP_CONNECTION_IDLE || self->hup)
    return FALSE;
  /* tickets and key updates of TLS 1.3 are taken in here; data are not expected */
  if (self->tls != NULL)
    return reeve_http_tls_read (self->tls, &byte, 1, &got, NULL) == REEVE_HTTP_TLS_AGAIN;
  return recv (self->fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

/**
 * reeve_http_connection_set_paused:
 * @base: a connection with a request under way
 * @paused: whether to stop reading
 */
void
reeve_http_connection_set_paused (ReeveHttpConnection *base, gboolean paused)
{
  ReeveHttpConnectionPrivate *self = reeve_http_connection_get (base);
  gboolean was = self->paused;

  self->paused = paused;
  if (was && !paused)
    self->handlers->again (base, self->user_data);
}

/**
 * reeve_http_connection_has_answer:
 * @base: a connection
 *
 * Returns: whether any byte of an answer to the present request has come
 */
gboolean
reeve_http_connection_has_answer (ReeveHttpConnection *base)
{
  return reeve_http_reader_has_begun (reeve_http_connection_get (base)->reader);
}

/**
 * reeve_http_connection_get_keep_alive_seconds:
 * @base: a connection whose response is complete
 *
 * Returns: how long the peer keeps it; 0 when it did not say
 */
guint
reeve_http_connection_get_keep_alive_seconds (ReeveHttpConnection *base)
{
  return reeve_http_reader_get_keep_alive_seconds (reeve_http_connection_get (base)->reader);
}
