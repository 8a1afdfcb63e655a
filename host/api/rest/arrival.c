/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session is made when the first byte has come and is one of TLS: who only connects costs
 * little. A client that has shaken hands and says nothing is kept from libsoup, too. */
#include "arrival.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "greeting.h"
#include "refusal.h"
#include "tls-session.h"

#define REEVE_REST_ARRIVAL_HANDSHAKE_US (10 * G_USEC_PER_SEC)

typedef struct
{
  ReeveRestPollerClient client; /* first */
  ReeveRestHandshake handshake;
  const ReeveRestArrivalHome *home;
  int fd;
  GSocketAddress *remote;
  ReeveRestTlsSession *session; /* from the first byte on */
  gboolean shaken;
  gboolean gone;
} ReeveRestArrival;

/* Forgets the socket, which stays open, and itself. */
static void
reeve_rest_arrival_free (ReeveRestArrival *self)
{
  reeve_rest_handshakes_end (self->home->handshakes, &self->handshake);
  reeve_rest_poller_remove (self->home->poller, self->fd, &self->client);
  g_clear_pointer (&self->session, reeve_rest_tls_session_free);
  g_clear_object (&self->remote);
  g_free (self);
}

static void
reeve_rest_arrival_give_up (ReeveRestArrival *self)
{
  int fd = self->fd;

  self->home->lost (self->remote, self->home->user_data);
  reeve_rest_arrival_free (self);
  close (fd);
}

static void
reeve_rest_arrival_fail (ReeveRestArrival *self, const char *action, ReeveError code)
{
  self->home->fault (self->remote, action, code, self->home->user_data);
  reeve_rest_arrival_give_up (self);
}

/* It speaks HTTP where TLS is spoken: told so in its own language. */
static void
reeve_rest_arrival_turn_away (ReeveRestArrival *self)
{
  g_autoptr (GBytes) answer = reeve_rest_refusal_new (
      400, "https is spoken at this address: ask again by https://", NULL);
  gsize length = 0;
  const void *words = g_bytes_get_data (answer, &length);

  reeve_rest_greeting_discard (self->fd);
  if (send (self->fd, words, length, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
    shutdown (self->fd, SHUT_WR);
  reeve_rest_arrival_fail (self, REEVE_REST_FAULT_REQUEST, REEVE_ERROR_INVALID_ARGUMENT);
}

static void
reeve_rest_arrival_hand_over (ReeveRestArrival *self)
{
  const ReeveRestArrivalHome *home = self->home;
  ReeveRestChannel *channel = reeve_rest_tls_session_to_channel (g_steal_pointer (&self->session));
  GSocketAddress *remote = g_steal_pointer (&self->remote);
  int fd = self->fd;

  reeve_rest_arrival_free (self);
  home->ready (fd, channel, remote, home->user_data);
}

/* ---- the handshake ---- */

static ReeveRestArrival *
reeve_rest_arrival_from_handshake (ReeveRestHandshake *handshake)
{
  return (ReeveRestArrival *) ((char *) handshake - G_STRUCT_OFFSET (ReeveRestArrival, handshake));
}

static void
reeve_rest_arrival_step (ReeveRestHandshake *handshake)
{
  ReeveRestArrival *self = reeve_rest_arrival_from_handshake (handshake);
  ReeveRestTlsSessionResult result = reeve_rest_tls_session_handshake (self->session);

  if (result == REEVE_REST_TLS_SESSION_END || self->gone)
    {
      reeve_rest_arrival_fail (self, REEVE_REST_FAULT_HANDSHAKE, REEVE_ERROR_INVALID_ARGUMENT);
      return;
    }
  if (result == REEVE_REST_TLS_SESSION_AGAIN)
    return;
  self->shaken = TRUE;
  self->handshake.expires_at = g_get_monotonic_time () + self->home->silent_us;
  /* a request may have come along with the handshake's last message */
  if (reeve_rest_greeting_peek (self->fd) != REEVE_REST_GREETING_NONE)
    reeve_rest_arrival_hand_over (self);
}

/* Of who has begun nothing, or has done all and says nothing, there is nothing to tell; when the
 * host stops, neither. */
static void
reeve_rest_arrival_on_give_up (ReeveRestHandshake *handshake)
{
  ReeveRestArrival *self = reeve_rest_arrival_from_handshake (handshake);
  gboolean late = handshake->expires_at < g_get_monotonic_time ();

  if (self->session != NULL && !self->shaken && (late || handshake->crowded))
    reeve_rest_arrival_fail (self, REEVE_REST_FAULT_HANDSHAKE,
                             handshake->crowded ? REEVE_ERROR_BUSY : REEVE_ERROR_TIMEOUT);
  else
    reeve_rest_arrival_give_up (self);
}

/* ---- events ---- */

static void
reeve_rest_arrival_notice (ReeveRestPollerClient *client, guint32 events)
{
  ReeveRestArrival *self = (ReeveRestArrival *) client;

  self->gone = self->gone || (events & (EPOLLHUP | EPOLLERR)) != 0;
  reeve_rest_poller_defer (self->home->poller, client);
}

static void
reeve_rest_arrival_work (ReeveRestPollerClient *client)
{
  ReeveRestArrival *self = (ReeveRestArrival *) client;
  ReeveRestGreeting greeting = REEVE_REST_GREETING_NONE;

  if (self->session != NULL && !self->shaken)
    {
      reeve_rest_handshakes_want (self->home->handshakes, &self->handshake);
      return;
    }
  greeting = reeve_rest_greeting_peek (self->fd);
  if (self->gone || greeting == REEVE_REST_GREETING_END)
    reeve_rest_arrival_give_up (self);
  else if (greeting == REEVE_REST_GREETING_NONE)
    return;
  else if (self->shaken)
    reeve_rest_arrival_hand_over (self);
  else if (greeting == REEVE_REST_GREETING_PLAIN)
    reeve_rest_arrival_turn_away (self);
  else
    {
      self->session = reeve_rest_tls_session_new (self->home->tls, self->fd);
      if (self->session != NULL)
        reeve_rest_handshakes_want (self->home->handshakes, &self->handshake);
      else
        reeve_rest_arrival_give_up (self);
    }
}

/**
 * reeve_rest_arrival_begin:
 * @home: of the thread
 * @fd: (transfer full): a connected, non-blocking socket
 * @remote: (transfer full): the client's address
 *
 * Ends with the home's function, or with the socket closed.
 */
void
reeve_rest_arrival_begin (const ReeveRestArrivalHome *home, int fd, GSocketAddress *remote)
{
  ReeveRestArrival *self = g_new0 (ReeveRestArrival, 1);
  g_autoptr (GError) error = NULL;

  self->client.notice = reeve_rest_arrival_notice;
  self->client.work = reeve_rest_arrival_work;
  self->handshake.step = reeve_rest_arrival_step;
  self->handshake.give_up = reeve_rest_arrival_on_give_up;
  self->handshake.expires_at = g_get_monotonic_time () + REEVE_REST_ARRIVAL_HANDSHAKE_US;
  self->home = home;
  self->fd = fd;
  self->remote = remote;
  if (!reeve_rest_poller_add (home->poller, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                              &self->client, &error))
    {
      g_warning ("accepting a connection: %s", error->message);
      reeve_rest_arrival_give_up (self);
      return;
    }
  reeve_rest_handshakes_begin (home->handshakes, &self->handshake);
}
