/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A relay is a GSource over two sockets. A direction that has bytes which the other side does not
 * take reads no more until it does. */
#include "net-relay.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#include "base/digests.h"

#include "net-relays.h"

#define REEVE_NET_RELAY_BYTES  (64 * 1024) /* that are read at once */
#define REEVE_NET_RELAY_ROUNDS 8           /* before it is another's turn */
/* that the plugin has closed its end is seen when the host's own copy of it, which went out with
 * the answer, is closed too: on another thread */
#define REEVE_NET_RELAY_LOOK_US (50 * 1000)

typedef enum
{
  REEVE_NET_RELAY_GOES,
  REEVE_NET_RELAY_LEFT, /* the call is over */
  REEVE_NET_RELAY_CUT
} ReeveNetRelayOrder;

typedef struct
{
  int fd;
  gpointer tag;  /* (nullable): it is not watched */
  gboolean gone; /* it was hung up: whoever watches it is told so without end */
} ReeveNetRelayEnd;

typedef struct
{
  guint8 *rest; /* (nullable): what was read and not taken as yet */
  gsize length;
  gsize done;
  gboolean ended;        /* nothing more is read */
  gboolean closed;       /* the other side was told so */
  guint64 bytes;         /* that were passed on */
  ReeveDigests *digests; /* (nullable): of these */
} ReeveNetRelayWay;

struct _ReeveNetRelay
{
  gatomicrefcount refs;
  gint order; /* atomic */
  gint64 deadline;
  ReeveHostTime *payer; /* (nullable) */
  gint64 look; /* monotonic µs: the call is over, and the plugin's end is looked at again; 0: no */
  ReeveNetRelayEnd near;
  ReeveNetRelayEnd far;
  ReeveNetRelayWay up;   /* from the plugin */
  ReeveNetRelayWay down; /* to it */
  GSource *source;       /* (nullable): not begun */
  ReeveNetRelays *relays;
  ReeveNetRelayFunc func;
  gpointer user_data;
};

typedef struct
{
  GSource source;
  ReeveNetRelay *relay;
} ReeveNetRelaySource;

/* ---- bytes ---- */

static gboolean
reeve_net_relay_would_block (void)
{
  return errno == EAGAIN || errno == EINTR;
}

/* FALSE: the connection is broken */
static gboolean
reeve_net_relay_send (ReeveNetRelayWay *self, int to, const guint8 *data, gsize length, gsize *sent)
{
  ssize_t n = 0;

  *sent = 0;
  while (*sent < length)
    {
      n = send (to, data + *sent, length - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0)
        return reeve_net_relay_would_block ();
      if (self->digests != NULL)
        reeve_digests_update (self->digests, data + *sent, (gsize) n);
      *sent += (gsize) n;
      self->bytes += (guint64) n;
    }
  return TRUE;
}

static gboolean
reeve_net_relay_send_rest (ReeveNetRelayWay *self, int to)
{
  gsize sent = 0;
  gboolean good
      = reeve_net_relay_send (self, to, self->rest + self->done, self->length - self->done, &sent);

  self->done += sent;
  if (self->done == self->length)
    g_clear_pointer (&self->rest, g_free);
  return good;
}

/* What can be passed on now. FALSE: the connection is broken. */
static gboolean
reeve_net_relay_carry (ReeveNetRelayWay *self, int from, int to)
{
  guint8 data[REEVE_NET_RELAY_BYTES];
  gsize sent = 0;
  gboolean good = self->rest == NULL || reeve_net_relay_send_rest (self, to);

  for (guint i = 0; good && self->rest == NULL && !self->ended && i < REEVE_NET_RELAY_ROUNDS; i++)
    {
      ssize_t n = recv (from, data, sizeof data, MSG_DONTWAIT);

      if (n < 0)
        return reeve_net_relay_would_block ();
      self->ended = n == 0;
      good = reeve_net_relay_send (self, to, data, (gsize) n, &sent);
      if (good && sent < (gsize) n)
        {
          self->rest = g_memdup2 (data + sent, (gsize) n - sent);
          self->length = (gsize) n - sent;
          self->done = 0;
        }
    }
  if (good && self->ended && self->rest == NULL && !self->closed)
    {
      self->closed = TRUE;
      /* the other side may be gone already */
      shutdown (to, SHUT_WR);
    }
  return good;
}

/* ---- what is waited for ---- */

static void
reeve_net_relay_watch (ReeveNetRelay *self, ReeveNetRelayEnd *end, const ReeveNetRelayWay *in,
                       const ReeveNetRelayWay *out)
{
  GIOCondition wanted = 0;

  if (!in->ended && in->rest == NULL)
    wanted |= G_IO_IN;
  if (out->rest != NULL)
    wanted |= G_IO_OUT;
  if (end->gone && wanted == 0)
    {
      if (end->tag != NULL)
        g_source_remove_unix_fd (self->source, g_steal_pointer (&end->tag));
    }
  else if (end->tag == NULL)
    end->tag = g_source_add_unix_fd (self->source, end->fd, wanted);
  else
    g_source_modify_unix_fd (self->source, end->tag, wanted);
}

/* FALSE: it is broken */
static gboolean
reeve_net_relay_look (ReeveNetRelay *self, ReeveNetRelayEnd *end)
{
  GIOCondition seen
      = end->tag != NULL ? g_source_query_unix_fd (self->source, end->tag) : (GIOCondition) 0;

  if ((seen & G_IO_HUP) != 0)
    end->gone = TRUE;
  return (seen & (G_IO_ERR | G_IO_NVAL)) == 0;
}

/* ---- the end ---- */

/* A server is not to take for whole what was cut off. */
static void
reeve_net_relay_reset (int fd)
{
  const struct linger at_once = { 1, 0 };

  setsockopt (fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void
reeve_net_relay_close (ReeveNetRelay *self)
{
  if (self->near.fd >= 0)
    close (self->near.fd);
  if (self->far.fd >= 0)
    close (self->far.fd);
  self->near.fd = self->far.fd = -1;
}

static void
reeve_net_relay_end (ReeveNetRelay *self, gboolean broken)
{
  guint8 digest[REEVE_DIGESTS_LENGTH] = { 0 };
  char hex[2 * REEVE_DIGESTS_LENGTH + 1] = { 0 };

  g_source_destroy (self->source);
  if (broken)
    reeve_net_relay_reset (self->far.fd);
  reeve_net_relay_close (self);
  reeve_digests_finish (self->down.digests, digest);
  reeve_digests_write_hex (digest, sizeof digest, hex);
  self->func (self->up.bytes, self->down.bytes, hex, self->user_data);
  reeve_net_relays_remove (self->relays, self);
}

static void
reeve_net_relay_end_by (ReeveNetRelay *self, gint64 until)
{
  self->deadline = self->deadline != 0 ? MIN (self->deadline, until) : until;
}

/* Nobody waits for the plugin any more: what it wrote to an end that is closed goes out yet. */
static gboolean
reeve_net_relay_lingers (ReeveNetRelay *self)
{
  struct pollfd near = { .fd = self->near.fd };

  if (poll (&near, 1, 0) < 0 || (near.revents & POLLHUP) == 0)
    return FALSE;
  self->near.gone = TRUE;
  reeve_net_relay_end_by (self, g_get_monotonic_time () + REEVE_NET_RELAY_LINGER_US);
  return TRUE;
}

/* ---- its turn ---- */

static gboolean
reeve_net_relay_is_due (ReeveNetRelay *self)
{
  gint64 now = g_get_monotonic_time ();

  if (g_atomic_int_compare_and_exchange (&self->order, REEVE_NET_RELAY_LEFT, REEVE_NET_RELAY_GOES)
      && !reeve_net_relay_lingers (self))
    self->look = now + REEVE_NET_RELAY_LOOK_US;
  if (g_atomic_int_get (&self->order) == REEVE_NET_RELAY_CUT
      || (self->deadline != 0 && now >= self->deadline))
    return TRUE;
  if (self->look == 0 || now < self->look)
    return FALSE;
  self->look = 0;
  return !reeve_net_relay_lingers (self);
}

/* When the source is to have its turn, whatever comes. -1: never */
static gint64
reeve_net_relay_get_next (ReeveNetRelay *self)
{
  if (self->look != 0 && (self->deadline == 0 || self->look < self->deadline))
    return self->look;
  return self->deadline != 0 ? self->deadline : -1;
}

/* FALSE: it has ended, and may be gone */
static gboolean
reeve_net_relay_go_on (ReeveNetRelay *self, GSource *source)
{
  gboolean whole = FALSE;

  g_source_set_ready_time (source, -1);
  if (reeve_net_relay_is_due (self) || !reeve_net_relay_look (self, &self->near)
      || !reeve_net_relay_look (self, &self->far)
      || !reeve_net_relay_carry (&self->up, self->near.fd, self->far.fd)
      || (!self->near.gone && !reeve_net_relay_carry (&self->down, self->far.fd, self->near.fd)))
    {
      reeve_net_relay_end (self, TRUE);
      return G_SOURCE_REMOVE;
    }
  /* what comes for a plugin that has closed its end nobody reads */
  whole = self->up.closed && (self->down.closed || self->near.gone);
  if (whole)
    {
      reeve_net_relay_end (self, FALSE);
      return G_SOURCE_REMOVE;
    }
  if (self->near.gone)
    {
      self->down.ended = TRUE;
      g_clear_pointer (&self->down.rest, g_free);
    }
  reeve_net_relay_watch (self, &self->near, &self->up, &self->down);
  reeve_net_relay_watch (self, &self->far, &self->down, &self->up);
  g_source_set_ready_time (source, reeve_net_relay_get_next (self));
  /* what was ordered since this turn began had its time set back */
  if (g_atomic_int_get (&self->order) != REEVE_NET_RELAY_GOES)
    g_source_set_ready_time (source, 0);
  return G_SOURCE_CONTINUE;
}

static gboolean
reeve_net_relay_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  ReeveNetRelay *self = ((ReeveNetRelaySource *) source)->relay;
  g_autoptr (ReeveHostTime) payer = self->payer != NULL ? reeve_host_time_ref (self->payer) : NULL;
  gint64 begun = reeve_host_time_begin ();
  gboolean goes = reeve_net_relay_go_on (self, source);

  if (payer != NULL)
    reeve_host_time_add (payer, begun);
  return goes;
}

static void
reeve_net_relay_order (ReeveNetRelay *self, ReeveNetRelayOrder order)
{
  gint old = g_atomic_int_get (&self->order);

  while (old < (gint) order && !g_atomic_int_compare_and_exchange (&self->order, old, (gint) order))
    old = g_atomic_int_get (&self->order);
  if (self->source != NULL)
    g_source_set_ready_time (self->source, 0);
}

void
reeve_net_relay_cut (ReeveNetRelay *self)
{
  reeve_net_relay_order (self, REEVE_NET_RELAY_CUT);
}

void
reeve_net_relay_leave (ReeveNetRelay *self)
{
  reeve_net_relay_order (self, REEVE_NET_RELAY_LEFT);
}

/* ---- life ---- */

/**
 * reeve_net_relay_new:
 * @near: (transfer full): the plugin's side
 * @far: (transfer full): the server's
 * @deadline: monotonic µs; 0: none
 * @payer: (nullable): whom the time is counted for that the host carries its bytes
 *
 * Returns: (transfer full): a relay that can be cut already
 */
ReeveNetRelay *
reeve_net_relay_new (int near, int far, gint64 deadline, ReeveHostTime *payer)
{
  static GSourceFuncs funcs = { .dispatch = reeve_net_relay_dispatch };
  ReeveNetRelay *self = g_new0 (ReeveNetRelay, 1);

  g_atomic_ref_count_init (&self->refs);
  self->near.fd = near;
  self->far.fd = far;
  self->deadline = deadline;
  self->payer = payer != NULL ? reeve_host_time_ref (payer) : NULL;
  self->down.digests = reeve_digests_begin ();
  self->source = g_source_new (&funcs, sizeof (ReeveNetRelaySource));
  ((ReeveNetRelaySource *) self->source)->relay = self;
  g_source_set_static_name (self->source, "reeve-relay");
  return self;
}

ReeveNetRelay *
reeve_net_relay_ref (ReeveNetRelay *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
reeve_net_relay_unref (ReeveNetRelay *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  reeve_net_relay_close (self);
  g_source_unref (self->source);
  g_clear_pointer (&self->payer, reeve_host_time_unref);
  g_free (self->up.rest);
  g_free (self->down.rest);
  reeve_digests_free (self->down.digests);
  g_free (self);
}

/**
 * reeve_net_relay_begin:
 * @self: a relay
 * @relays: whose thread carries it
 * @ended: called at its end
 * @user_data: closure
 * @error: return location
 *
 * Returns: %FALSE after the shutdown
 */
gboolean
reeve_net_relay_begin (ReeveNetRelay *self, ReeveNetRelays *relays, ReeveNetRelayFunc ended,
                       gpointer user_data, GError **error)
{
  self->relays = relays;
  self->func = ended;
  self->user_data = user_data;
  g_source_set_ready_time (self->source, 0);
  return reeve_net_relays_add (relays, self, self->source, error);
}
