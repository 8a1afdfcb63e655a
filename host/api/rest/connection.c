/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Three phases: it listens for a head, it serves the request, it lingers until the client has its
 * last answer. Most requests are served without libsoup (message.c); where it is needed,
 * libsoup 3.2 is made to believe that each connection has one request: it would keep sources for
 * idle ones in the loop (1,000 of them cost a third of the requests), reads heads leniently, and
 * has no deadline. What is written is gathered and sent once before the loop sleeps. The socket is
 * registered once, edge-triggered, so a request costs no epoll_ctl(). */
#include "connection-private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "forwarded.h"
#include "framing.h"
#include "greeting.h"
#include "refusal.h"

#define REEVE_REST_CONNECTION_READ      (16 * 1024)
#define REEVE_REST_CONNECTION_SILENT_US (60 * G_USEC_PER_SEC) /* one that never said anything */
#define REEVE_REST_CONNECTION_LINGER_US (2 * G_USEC_PER_SEC)
#define REEVE_REST_CONNECTION_DRAIN     (1024 * 1024)
/* of a client that does not read the kernel holds so much, not megabytes */
#define REEVE_REST_CONNECTION_UNSENT (128 * 1024)
/* what every answer begins with, whatever its status (RFC 9112, 4) */
#define REEVE_REST_CONNECTION_START "HTTP/1."

static GQuark
reeve_rest_connection_quark (void)
{
  return g_quark_from_static_string ("reeve-rest-connection");
}

static void
reeve_rest_connection_defer (ReeveRestConnection *self)
{
  if (self->fd >= 0)
    reeve_rest_poller_defer (self->home->poller, &self->client);
}

static void
reeve_rest_connection_enter (ReeveRestConnection *self, ReeveRestConnectionPhase phase)
{
  self->phase = phase;
  self->since = g_get_monotonic_time ();
  self->in_head = FALSE;
}

/* ---- out ---- */

static void
reeve_rest_connection_flush (ReeveRestConnection *self)
{
  if (self->dropped || !self->writable || reeve_rest_outbox_send (&self->out, self->channel))
    return;
  if (errno == EAGAIN)
    self->writable = FALSE;
  else
    reeve_rest_connection_drop (self);
}

/* Returns: bytes of an answer that are taken */
static gsize
reeve_rest_connection_put (ReeveRestConnection *self, const char *data, gsize length)
{
  gsize written = MIN (self->ahead, length);

  self->ahead -= written;
  return written + reeve_rest_outbox_add (&self->out, data + written, length - written);
}

/* Answers in libsoup's place where nothing was answered yet, and lets go of the client. */
static void
reeve_rest_connection_refuse (ReeveRestConnection *self, guint status, const char *detail)
{
  g_autofree char *path
      = self->target != NULL ? g_strndup (self->target, strcspn (self->target, "?")) : NULL;
  g_autoptr (GBytes) answer = reeve_rest_refusal_new (status, detail, path);
  gsize length = 0;
  const char *data = g_bytes_get_data (answer, &length);

  if (!self->answering && !self->over
      && reeve_rest_outbox_get_pending (&self->out) + length <= REEVE_REST_OUTBOX_SIZE)
    reeve_rest_connection_put (self, data, length);
  if (!self->over)
    self->home->fault (self->remote, REEVE_REST_FAULT_REQUEST,
                       reeve_rest_fault_from_status (status), self->home->user_data);
  self->over = TRUE;
  self->readable = TRUE; /* libsoup reads the end; what comes is thrown away */
  if (self->phase == REEVE_REST_CONNECTION_LISTENS)
    reeve_rest_connection_enter (self, REEVE_REST_CONNECTION_LINGERS);
  reeve_rest_connection_defer (self);
}

/* ---- in ---- */

/* Bytes that came, 0 at the end, -1 when there are none now. */
static gssize
reeve_rest_connection_receive (ReeveRestConnection *self, guint8 *buffer, gsize size)
{
  while (self->readable && !self->dropped)
    {
      gssize n = self->channel->receive (self->channel, buffer, size);

      /* less than asked for: the socket is empty, and the next arrival is a new edge; but the end
       * of the stream shows only by reading it */
      if (n > 0 && (gsize) n < size && !self->half && !self->channel->buffers)
        self->readable = FALSE;
      if (n >= 0)
        return n;
      if (errno == EAGAIN)
        self->readable = FALSE;
      else if (errno != EINTR)
        reeve_rest_connection_drop (self); /* reset: as good as its end */
    }
  return self->dropped ? 0 : -1;
}

static void
reeve_rest_connection_serve (ReeveRestConnection *self)
{
  reeve_rest_connection_enter (self, REEVE_REST_CONNECTION_SERVES);
  self->spoken = TRUE;
  self->target = reeve_rest_intake_dup_target (self->intake);
  self->keep = self->keep && !reeve_rest_intake_get_head (self->intake)->close;
  self->received = self->answering = self->answered = FALSE;
  self->home->request (self, self->home->user_data);
}

/* A client that wants to shake hands where nothing is encrypted is told so in its own language: an
 * alert, handshake_failure (RFC 8446, 6). */
static void
reeve_rest_connection_refuse_tls (ReeveRestConnection *self)
{
  static const guint8 alert[] = { 21, 3, 3, 0, 2, 2, 40 };

  reeve_rest_outbox_add (&self->out, alert, sizeof alert);
  self->home->fault (self->remote, REEVE_REST_FAULT_HANDSHAKE, REEVE_ERROR_UNSUPPORTED,
                     self->home->user_data);
  self->over = TRUE;
  reeve_rest_connection_enter (self, REEVE_REST_CONNECTION_LINGERS);
}

/* Reads until there is a head; then it is libsoup's. */
static void
reeve_rest_connection_listen (ReeveRestConnection *self)
{
  guint8 buffer[REEVE_REST_CONNECTION_READ];
  ReeveRestIntakeState state = reeve_rest_intake_get_state (self->intake);

  while (state == REEVE_REST_INTAKE_EMPTY || state == REEVE_REST_INTAKE_HEAD)
    {
      gssize n = reeve_rest_connection_receive (self, buffer, sizeof buffer);

      if (n == 0 && state == REEVE_REST_INTAKE_HEAD)
        reeve_rest_connection_refuse (self, 400, "the head ends in the middle");
      else if (n == 0)
        reeve_rest_connection_enter (self, REEVE_REST_CONNECTION_LINGERS);
      if (n <= 0)
        break;
      if (!self->spoken && state == REEVE_REST_INTAKE_EMPTY
          && buffer[0] == REEVE_REST_GREETING_HANDSHAKE)
        {
          reeve_rest_connection_refuse_tls (self);
          return;
        }
      state = reeve_rest_intake_add (self->intake, buffer, (gsize) n);
    }
  if (state == REEVE_REST_INTAKE_HEAD && !self->in_head)
    {
      self->in_head = TRUE;
      self->since = g_get_monotonic_time ();
    }
  else if (state == REEVE_REST_INTAKE_REQUEST)
    reeve_rest_connection_serve (self);
  else if (state == REEVE_REST_INTAKE_BAD)
    reeve_rest_connection_refuse (self, reeve_rest_intake_get_status (self->intake),
                                  reeve_rest_intake_get_detail (self->intake));
}

/* ---- events ---- */

/* Closing a socket that holds unread bytes resets the connection and takes the answer with it, so
 * they are read and thrown away for a while. */
static gboolean
reeve_rest_connection_drain (ReeveRestConnection *self)
{
  guint8 buffer[REEVE_REST_CONNECTION_READ];
  gssize n = 0;

  if (!self->readable && reeve_rest_intake_is_taken (self->intake))
    return TRUE;
  while ((n = reeve_rest_connection_receive (self, buffer, sizeof buffer)) > 0)
    {
      self->drained += (gsize) n;
      if (self->drained > REEVE_REST_CONNECTION_DRAIN)
        return TRUE;
    }
  return n == 0 || reeve_rest_intake_is_taken (self->intake);
}

static void
reeve_rest_connection_finish (ReeveRestConnection *self)
{
  if (self->phase != REEVE_REST_CONNECTION_LINGERS || self->fd < 0)
    return;
  if (!self->dropped && reeve_rest_outbox_get_pending (&self->out) > 0)
    return;
  if (!self->dropped && !self->ended)
    {
      self->ended = TRUE;
      self->channel->end (self->channel);
    }
  if (!self->dropped && !reeve_rest_connection_drain (self))
    return;
  reeve_rest_poller_remove (self->home->poller, self->fd, &self->client);
  close (self->fd);
  self->fd = -1;
  reeve_rest_outbox_clear (&self->out);
  self->out.spares = NULL; /* whoever still holds the connection may outlive the thread */
  self->home->closed (self, self->home->user_data);
  reeve_rest_connection_unref (self); /* the poller's */
}

static void
reeve_rest_connection_work (ReeveRestPollerClient *client)
{
  ReeveRestConnection *self = (ReeveRestConnection *) client;
  ReeveRestConnectionFunc func = NULL;

  reeve_rest_connection_ref (self);
  if (self->phase == REEVE_REST_CONNECTION_LISTENS)
    reeve_rest_connection_listen (self);
  reeve_rest_connection_flush (self);
  if (self->gone && self->on_gone != NULL)
    {
      func = g_steal_pointer (&self->on_gone);
      func (self, self->user_data);
    }
  if (self->on_work != NULL)
    self->on_work (self, self->work_data);
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
      self->half = TRUE;
      self->gone = self->gone || (events & (EPOLLHUP | EPOLLERR)) != 0;
    }
  if (self->phase != REEVE_REST_CONNECTION_SERVES || self->half || self->on_work != NULL
      || reeve_rest_outbox_get_pending (&self->out) > 0)
    reeve_rest_connection_defer (self);
}

/* ---- life ---- */

/**
 * reeve_rest_connection_new:
 * @home: of its thread
 * @fd: (transfer full): a connected, non-blocking socket; closed on error too
 * @channel: (transfer full) (nullable): how its bytes cross the socket; as they are
 * @remote: (transfer full): the client's address, made for this connection alone
 * @error: return location
 *
 * Returns: (transfer none): a connection, which lives until it is closed
 */
ReeveRestConnection *
reeve_rest_connection_new (const ReeveRestConnectionHome *home, int fd, ReeveRestChannel *channel,
                           GSocketAddress *remote, GError **error)
{
  ReeveRestConnection *self = g_new0 (ReeveRestConnection, 1);
  int unsent = REEVE_REST_CONNECTION_UNSENT;

  g_ref_count_init (&self->references);
  self->client.notice = reeve_rest_connection_notice;
  self->client.work = reeve_rest_connection_work;
  self->home = home;
  self->out.spares = home->spares;
  self->fd = fd;
  setsockopt (fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  self->channel = channel != NULL ? channel : reeve_rest_channel_new_plain (fd);
  self->remote = remote;
  self->writable = TRUE;
  self->keep = TRUE;
  self->intake = reeve_rest_intake_new (home->limits->max_header);
  reeve_rest_connection_enter (self, REEVE_REST_CONNECTION_LISTENS);
  g_object_set_qdata (G_OBJECT (remote), reeve_rest_connection_quark (), self);
  if (!reeve_rest_poller_add (home->poller, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                              &self->client, error))
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
  reeve_rest_outbox_clear (&self->out);
  reeve_rest_intake_free (self->intake);
  g_free (self->target);
  g_free (self->peer);
  g_free (self);
}

const ReeveRestChannel *
reeve_rest_connection_get_channel (ReeveRestConnection *self)
{
  return self->channel;
}

GSocketAddress *
reeve_rest_connection_get_remote (ReeveRestConnection *self)
{
  return self->remote;
}

const char *
reeve_rest_connection_get_peer (ReeveRestConnection *self)
{
  if (self->peer == NULL)
    self->peer = reeve_rest_forwarded_dup_peer (self->remote);
  return self->peer;
}

ReeveRestConnection *
reeve_rest_connection_from_address (GSocketAddress *address)
{
  return g_object_get_qdata (G_OBJECT (address), reeve_rest_connection_quark ());
}

/* ---- streams ---- */

gboolean
reeve_rest_connection_is_over (ReeveRestConnection *self)
{
  return self->phase != REEVE_REST_CONNECTION_SERVES || self->over || self->dropped;
}

gssize
reeve_rest_connection_read (ReeveRestConnection *self, void *buffer, gsize size, GError **error)
{
  guint8 bytes[REEVE_REST_CONNECTION_READ];
  gssize n = 1;

  while (!reeve_rest_connection_is_over (self) && n > 0)
    {
      gsize taken = reeve_rest_intake_take (self->intake, buffer, size);

      if (taken > 0)
        return (gssize) taken;
      if (reeve_rest_intake_get_state (self->intake) == REEVE_REST_INTAKE_BAD)
        reeve_rest_connection_refuse (self, reeve_rest_intake_get_status (self->intake),
                                      reeve_rest_intake_get_detail (self->intake));
      else if (reeve_rest_intake_is_taken (self->intake))
        n = -1;
      else if ((n = reeve_rest_connection_receive (self, bytes, sizeof bytes)) > 0)
        reeve_rest_intake_add (self->intake, bytes, (gsize) n);
      else if (n == 0)
        reeve_rest_connection_refuse (self, 400, "the body ends in the middle");
    }
  if (n >= 0)
    return 0;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "nothing to read");
  return -1;
}

gboolean
reeve_rest_connection_is_readable (ReeveRestConnection *self)
{
  if (reeve_rest_connection_is_over (self))
    return TRUE;
  return !reeve_rest_intake_is_taken (self->intake)
         && (self->readable || reeve_rest_intake_has_bytes (self->intake));
}

gboolean
reeve_rest_connection_is_writable (ReeveRestConnection *self)
{
  return reeve_rest_connection_is_over (self)
         || reeve_rest_outbox_get_pending (&self->out) < REEVE_REST_OUTBOX_SIZE;
}

gssize
reeve_rest_connection_write (ReeveRestConnection *self, const void *buffer, gsize size,
                             GError **error)
{
  gsize n = 0;

  if (self->over)
    return (gssize) size;
  if (reeve_rest_outbox_get_pending (&self->out) >= REEVE_REST_OUTBOX_SIZE)
    reeve_rest_connection_flush (self);
  if (reeve_rest_connection_is_over (self))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE, "the client has gone");
      return -1;
    }
  n = reeve_rest_connection_put (self, buffer, size);
  if (n == 0 && size > 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "the client reads slowly");
      return -1;
    }
  self->answering = self->answering || !reeve_rest_framing_is_interim (buffer, n);
  reeve_rest_connection_defer (self);
  return (gssize) n;
}

/* A byte of the answer, for nothing less makes the other side say that nobody is there; the client
 * that still reads gets the rest of it behind. */
void
reeve_rest_connection_probe (ReeveRestConnection *self)
{
  static const char start[] = REEVE_REST_CONNECTION_START;

  if (self->answering || self->ahead == strlen (start) || reeve_rest_connection_is_over (self)
      || reeve_rest_outbox_get_pending (&self->out) > 0)
    return;
  self->ahead += reeve_rest_outbox_add (&self->out, start + self->ahead, 1);
  reeve_rest_connection_defer (self);
}

void
reeve_rest_connection_close (ReeveRestConnection *self)
{
  gboolean again = self->keep && self->answered && !reeve_rest_connection_is_over (self)
                   && reeve_rest_intake_is_taken (self->intake);

  if (self->phase != REEVE_REST_CONNECTION_SERVES)
    return;
  reeve_rest_connection_end (self);
  self->on_work = self->on_cut = NULL;
  g_clear_pointer (&self->target, g_free);
  reeve_rest_connection_enter (self, again ? REEVE_REST_CONNECTION_LISTENS
                                           : REEVE_REST_CONNECTION_LINGERS);
  self->answering = FALSE; /* what is wrong with the next request is answered, too */
  if (again)
    reeve_rest_intake_next (self->intake);
  reeve_rest_connection_defer (self);
}

/* ---- its end ---- */

gboolean
reeve_rest_connection_is_idle (ReeveRestConnection *self, gint64 *since)
{
  *since = self->since;
  return self->phase == REEVE_REST_CONNECTION_LISTENS;
}

gboolean
reeve_rest_connection_has_news (ReeveRestConnection *self)
{
  int unread = 0;

  return self->readable || (ioctl (self->fd, FIONREAD, &unread) == 0 && unread > 0);
}

gboolean
reeve_rest_connection_is_closed (ReeveRestConnection *self)
{
  return self->fd < 0;
}

static void
reeve_rest_connection_check_listening (ReeveRestConnection *self, gint64 lasted)
{
  const ReeveRestBounds *limits = self->home->limits;

  if (self->in_head)
    {
      if (lasted > limits->header_us)
        reeve_rest_connection_refuse (self, 408, "the head took longer than server.header_timeout");
    }
  else if (lasted > (self->spoken ? limits->keep_alive_us : REEVE_REST_CONNECTION_SILENT_US))
    reeve_rest_connection_drop (self);
}

void
reeve_rest_connection_check (ReeveRestConnection *self, gint64 now)
{
  const ReeveRestBounds *limits = self->home->limits;
  gint64 lasted = now - self->since;
  gint64 content = (gint64) (reeve_rest_intake_get_content (self->intake) / REEVE_REST_BOUNDS_STEP);

  if (self->half && self->on_half != NULL)
    self->on_half (self, self->user_data);
  if (reeve_rest_outbox_get_pending (&self->out) > 0)
    {
      if (now - self->out.moved_at > limits->send_us)
        reeve_rest_connection_drop (self);
    }
  else if (self->phase == REEVE_REST_CONNECTION_LISTENS)
    reeve_rest_connection_check_listening (self, lasted);
  else if (self->phase == REEVE_REST_CONNECTION_LINGERS)
    {
      if (lasted > REEVE_REST_CONNECTION_LINGER_US)
        reeve_rest_connection_drop (self);
    }
  else if (!self->received && !self->over && lasted > limits->body_us + content * G_USEC_PER_SEC)
    reeve_rest_connection_refuse (self, 408, "the body took longer than server.body_timeout");
}

void
reeve_rest_connection_leave (ReeveRestConnection *self)
{
  self->keep = FALSE;
  if (self->phase == REEVE_REST_CONNECTION_LISTENS)
    reeve_rest_connection_drop (self);
}

void
reeve_rest_connection_drop (ReeveRestConnection *self)
{
  /* in the midst of an answer: a reset, so that the client sees that it was not all */
  if (self->fd >= 0 && self->answering && !self->answered)
    setsockopt (self->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof (struct linger));
  self->dropped = self->half = self->gone = self->readable = self->writable = TRUE;
  if (self->phase == REEVE_REST_CONNECTION_LISTENS)
    reeve_rest_connection_enter (self, REEVE_REST_CONNECTION_LINGERS);
  reeve_rest_connection_defer (self);
}

void
reeve_rest_connection_cut (ReeveRestConnection *self)
{
  ReeveRestConnectionFunc func = g_steal_pointer (&self->on_cut);

  reeve_rest_connection_drop (self);
  self->on_work = NULL;
  if (func != NULL)
    func (self, self->work_data);
}
