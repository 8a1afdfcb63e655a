/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sockets are watched by edges: "try again" may be told only when the socket itself said so, which
 * GnuTLS also says after a message that was none of ours; so the reads are our own. */
#include "tls-session.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "tls-peer.h"

/* messages in a row that bring no byte for us: more is somebody keeping us busy */
#define REEVE_REST_TLS_SESSION_IDLE_MESSAGES 32

struct _ReeveRestTlsSession
{
  ReeveRestChannel channel; /* first */
  gnutls_session_t session;
  ReeveRestTlsIdentity *identity;
  int fd;
  gboolean dry;    /* the socket had nothing more to read */
  gboolean saying; /* that no more comes, once the socket takes it */
};

static ssize_t
reeve_rest_tls_session_pull (gnutls_transport_ptr_t pointer, void *buffer, size_t size)
{
  ReeveRestTlsSession *self = pointer;
  ssize_t n = recv (self->fd, buffer, size, 0);

  if (n < 0)
    {
      self->dry = errno == EAGAIN;
      gnutls_transport_set_errno (self->session, errno);
    }
  return n;
}

static ssize_t
reeve_rest_tls_session_push (gnutls_transport_ptr_t pointer, const giovec_t *vector, int count)
{
  ReeveRestTlsSession *self = pointer;
  const struct msghdr message
      = { .msg_iov = (struct iovec *) vector, .msg_iovlen = (size_t) count };
  ssize_t n = sendmsg (self->fd, &message, MSG_NOSIGNAL);

  if (n < 0)
    gnutls_transport_set_errno (self->session, errno);
  return n;
}

static int
reeve_rest_tls_session_wait (gnutls_transport_ptr_t pointer, unsigned int milliseconds)
{
  return 1; /* the socket does not block */
}

/**
 * reeve_rest_tls_session_new:
 * @tls: certificate and ciphers
 * @fd: a connected, non-blocking socket
 *
 * Returns: (transfer full) (nullable): a session before its handshake
 */
ReeveRestTlsSession *
reeve_rest_tls_session_new (ReeveRestTls *tls, int fd)
{
  g_autoptr (ReeveRestTlsSession) self = g_new0 (ReeveRestTlsSession, 1);

  self->fd = fd;
  if (gnutls_init (&self->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
    return NULL;
  self->identity = reeve_rest_tls_prepare (tls, self->session);
  gnutls_transport_set_ptr (self->session, self);
  gnutls_transport_set_pull_function (self->session, reeve_rest_tls_session_pull);
  gnutls_transport_set_pull_timeout_function (self->session, reeve_rest_tls_session_wait);
  gnutls_transport_set_vec_push_function (self->session, reeve_rest_tls_session_push);
  return g_steal_pointer (&self);
}

void
reeve_rest_tls_session_free (ReeveRestTlsSession *self)
{
  g_clear_pointer (&self->session, gnutls_deinit);
  g_clear_pointer (&self->identity, reeve_rest_tls_identity_unref);
  g_free (self->channel.peer);
  g_free (self);
}

/* Nothing has come for us: is it because the socket is empty? */
static gboolean
reeve_rest_tls_session_goes_on (ReeveRestTlsSession *self, ssize_t rc, guint *turns)
{
  if (rc != GNUTLS_E_INTERRUPTED && rc != GNUTLS_E_WARNING_ALERT_RECEIVED
      && (rc != GNUTLS_E_AGAIN || self->dry || gnutls_record_get_direction (self->session) == 1))
    return FALSE;
  return (*turns)++ < REEVE_REST_TLS_SESSION_IDLE_MESSAGES;
}

/**
 * reeve_rest_tls_session_handshake:
 * @self: a session
 *
 * Goes on with the handshake; a client that is refused is told why by an alert.
 *
 * Returns: OK when it is done
 */
ReeveRestTlsSessionResult
reeve_rest_tls_session_handshake (ReeveRestTlsSession *self)
{
  guint turns = 0;
  int rc = 0;

  self->dry = FALSE;
  do
    rc = gnutls_handshake (self->session);
  while (rc < 0 && reeve_rest_tls_session_goes_on (self, rc, &turns));
  if (rc >= 0)
    return REEVE_REST_TLS_SESSION_OK;
  if (rc == GNUTLS_E_AGAIN && turns <= REEVE_REST_TLS_SESSION_IDLE_MESSAGES)
    return REEVE_REST_TLS_SESSION_AGAIN;
  g_debug ("tls handshake: %s", gnutls_strerror (rc));
  gnutls_alert_send_appropriate (self->session, rc);
  return REEVE_REST_TLS_SESSION_END;
}

/* ---- the channel ---- */

static void
reeve_rest_tls_session_end (ReeveRestChannel *channel)
{
  ReeveRestTlsSession *self = (ReeveRestTlsSession *) channel;

  self->saying = gnutls_bye (self->session, GNUTLS_SHUT_WR) == GNUTLS_E_AGAIN;
  if (!self->saying)
    shutdown (self->fd, SHUT_WR);
}

/* A client that asks for another handshake is a broken connection. */
static gssize
reeve_rest_tls_session_receive (ReeveRestChannel *channel, void *buffer, gsize size)
{
  ReeveRestTlsSession *self = (ReeveRestTlsSession *) channel;
  guint turns = 0;
  ssize_t rc = 0;

  if (self->saying)
    reeve_rest_tls_session_end (channel);
  self->dry = FALSE;
  do
    rc = gnutls_record_recv (self->session, buffer, size);
  while (rc < 0 && reeve_rest_tls_session_goes_on (self, rc, &turns));
  if (rc >= 0)
    return rc;
  errno
      = rc == GNUTLS_E_AGAIN && turns <= REEVE_REST_TLS_SESSION_IDLE_MESSAGES ? EAGAIN : ECONNRESET;
  return -1;
}

/* After EAGAIN GnuTLS holds the record: the next bytes must begin with the same ones, as those of a
 * connection do. */
static gssize
reeve_rest_tls_session_send (ReeveRestChannel *channel, const void *data, gsize length)
{
  ReeveRestTlsSession *self = (ReeveRestTlsSession *) channel;
  ssize_t rc = gnutls_record_send (self->session, data, length);

  if (rc >= 0)
    return rc;
  errno = rc == GNUTLS_E_INTERRUPTED ? EINTR : rc == GNUTLS_E_AGAIN ? EAGAIN : EPIPE;
  return -1;
}

static void
reeve_rest_tls_session_drop (ReeveRestChannel *channel)
{
  reeve_rest_tls_session_free ((ReeveRestTlsSession *) channel);
}

ReeveRestChannel *
reeve_rest_tls_session_to_channel (ReeveRestTlsSession *self)
{
  self->channel.receive = reeve_rest_tls_session_receive;
  self->channel.send = reeve_rest_tls_session_send;
  self->channel.end = reeve_rest_tls_session_end;
  self->channel.free = reeve_rest_tls_session_drop;
  self->channel.buffers = TRUE;
  self->channel.encrypted = TRUE;
  self->channel.peer = reeve_rest_tls_peer_describe_session (self->session);
  return &self->channel;
}
