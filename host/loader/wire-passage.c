/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call that waits for its reply reads it by itself: each thread between the socket and whoever
 * waits is a change of thread more. What is not just a message (the first words, one that is not
 * whole, a rate or share that is used up, a broken rule, the end) is left to the gate, which has
 * the clocks; so is a socket that nobody waits at. */
#include "wire-passage.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire-auth.h"
#include "wire-inbox.h"

/* from the end of a runner's socket to the end of its process */
#define REEVE_WIRE_PASSAGE_LAST_US G_USEC_PER_SEC

/* Who reads, and so has what is read with. */
typedef enum
{
  REEVE_WIRE_PASSAGE_FREE, /* the gate does when there is something */
  REEVE_WIRE_PASSAGE_GATE, /* it is at it */
  REEVE_WIRE_PASSAGE_LENT
} ReeveWirePassageReader;

typedef struct
{
  ReeveWirePassage *passage;
  int fd;
  guint32 events; /* asked for */
} ReeveWirePassageWatch;

struct _ReeveWirePassage
{
  gatomicrefcount references;
  ReeveWirePassageTake take;
  ReeveWirePassageEnded ended;
  ReeveWirePassageOverdue overdue;
  gpointer user_data;
  ReeveWireRules *rules;
  ReeveWireOutbox *out;
  ReeveHostTime *host_time;
  char *guid;
  int wake; /* the gate's */

  /* of whoever reads */
  ReeveWireInbox in;
  ReeveWireAuth auth;
  gint64 begun;     /* when the message began that is not whole; 0: none */
  gint64 allowance; /* bytes that may be read now */
  gint64 counted;   /* when that was so */
  guint asked;      /* calls of the runner's that were read */
  gint64 held;      /* when it was seen last that its share is used up; 0: it is not */
  ReeveWireInboxState state;
  GError *problem; /* (nullable): the rule that was broken */

  GMutex lock;
  ReeveWirePassageReader reader;
  ReeveWirePassageWatch socket;
  ReeveWirePassageWatch process;
  int epoll;
  gint64 last;   /* the socket's end: how long the process has; 0: open */
  gboolean gone; /* the process */
  gboolean over; /* nothing is read any more */
  gint64 alarm;
};

static gboolean
reeve_wire_passage_take (gpointer user_data, const guint8 *data, gsize length, GError **error)
{
  ReeveWirePassage *self = user_data;
  WireMessage message = { 0 };

  if (!reeve_wire_rules_receive (self->rules, data, length, &message, error))
    return FALSE;
  /* what is behind it is another one, with a time of its own */
  self->begun = 0;
  self->asked += message.type == G_DBUS_MESSAGE_TYPE_METHOD_CALL;
  self->take (self->user_data, &message, data, length);
  return TRUE;
}

ReeveWirePassage *
reeve_wire_passage_new (const ReeveWirePassageSetup *setup)
{
  ReeveWirePassage *self = g_new0 (ReeveWirePassage, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->socket = (ReeveWirePassageWatch){ self, setup->socket, 0 };
  self->process = (ReeveWirePassageWatch){ self, setup->pidfd, 0 };
  self->epoll = -1;
  self->rules = reeve_wire_rules_new (setup->limits);
  self->out = reeve_wire_outbox_new (setup->socket, self->rules);
  self->host_time = reeve_host_time_ref (setup->host_time);
  self->guid = g_strdup (setup->guid);
  self->auth.guid = self->guid;
  self->take = setup->take;
  self->ended = setup->ended;
  self->overdue = setup->overdue;
  self->user_data = setup->user_data;
  self->counted = g_get_monotonic_time ();
  self->begun = self->counted;
  self->allowance = (gint64) reeve_wire_rules_get_limits (self->rules)->per_second;
  reeve_wire_inbox_init (&self->in, setup->socket,
                         reeve_wire_rules_get_limits (self->rules)->message,
                         reeve_wire_passage_take, self);
  self->in.sender = setup->runner;
  return self;
}

ReeveWirePassage *
reeve_wire_passage_ref (ReeveWirePassage *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_wire_passage_unref (ReeveWirePassage *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  reeve_wire_outbox_free (self->out);
  reeve_wire_inbox_clear (&self->in);
  reeve_wire_rules_free (self->rules);
  reeve_host_time_unref (self->host_time);
  /* not before: whoever has borrowed it has its number */
  close (self->socket.fd);
  if (self->process.fd >= 0)
    close (self->process.fd);
  g_clear_error (&self->problem);
  g_free (self->guid);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
reeve_wire_passage_poke (ReeveWirePassage *self)
{
  const guint64 one = 1;

  if (write (self->wake, &one, sizeof one) != sizeof one)
    g_warning ("the thread of the wires is not woken: %s", g_strerror (errno));
}

/* What epoll is asked for: by what is waited for here, and by whether somebody else reads. Under
 * the lock, so that the last word is the right one. */
static void
reeve_wire_passage_ask (ReeveWirePassage *self)
{
  /* while the gate reads that stays as it is: it asks again when it has */
  gboolean hears
      = self->reader == REEVE_WIRE_PASSAGE_GATE
            ? (self->socket.events & EPOLLIN) != 0
            : self->reader == REEVE_WIRE_PASSAGE_FREE && self->allowance > 0 && self->held == 0;
  struct epoll_event event = { .events = (hears ? EPOLLIN : 0u)
                                         | (reeve_wire_outbox_is_full (self->out) ? EPOLLOUT : 0u),
                               .data.ptr = &self->socket };

  if (self->over || self->last != 0 || self->epoll < 0 || self->socket.events == event.events)
    return;
  self->socket.events = event.events;
  epoll_ctl (self->epoll, EPOLL_CTL_MOD, self->socket.fd, &event);
}

gboolean
reeve_wire_passage_send (ReeveWirePassage *self, const ReeveWireParcel *parcel, GError **error)
{
  gboolean sent = reeve_wire_outbox_send (self->out, parcel, error);

  /* the gate is to count with it */
  if (reeve_wire_outbox_get_due (self->out) != 0)
    reeve_wire_passage_poke (self);
  if (reeve_wire_outbox_is_full (self->out))
    {
      g_mutex_lock (&self->lock);
      reeve_wire_passage_ask (self);
      g_mutex_unlock (&self->lock);
    }
  return sent;
}

/* ---- reading, by whoever does ---- */

static void
reeve_wire_passage_refill (ReeveWirePassage *self, gint64 now)
{
  gint64 rate = (gint64) reeve_wire_rules_get_limits (self->rules)->per_second;
  gint64 more = (gint64) ((double) (now - self->counted) * (double) rate / G_USEC_PER_SEC);

  if (more <= 0)
    return;
  self->allowance = MIN (self->allowance + more, rate);
  self->counted = now;
}

/* What the runner says before its first message. */
static ReeveWireInboxState
reeve_wire_passage_authenticate (ReeveWirePassage *self)
{
  ReeveWireInboxState state = reeve_wire_inbox_read (&self->in, &self->problem);
  g_autoptr (GString) answer = g_string_new (NULL);
  gsize taken = 0;

  if (state != REEVE_WIRE_INBOX_WAITING)
    return state;
  taken = reeve_wire_auth_feed (&self->auth, self->in.data + self->in.start,
                                self->in.end - self->in.start, answer, &self->problem);
  if (taken == G_MAXSIZE)
    return REEVE_WIRE_INBOX_BROKEN;
  self->in.start += taken;
  if (answer->len > 0
      && send (self->socket.fd, answer->str, answer->len, MSG_NOSIGNAL | MSG_DONTWAIT)
             != (gssize) answer->len)
    return REEVE_WIRE_INBOX_ENDED;
  if (self->auth.done)
    {
      self->begun = 0;
      reeve_wire_outbox_flush (self->out);
    }
  return REEVE_WIRE_INBOX_WAITING;
}

/* Has it used up its share of the processors? What it has begun may take as long as that lasts. */
static gboolean
reeve_wire_passage_is_held (ReeveWirePassage *self)
{
  self->held = reeve_host_time_is_held (self->host_time) ? g_get_monotonic_time () : 0;
  self->begun = self->held != 0 ? 0 : self->begun;
  return self->held != 0;
}

static void
reeve_wire_passage_read_messages (ReeveWirePassage *self)
{
  guint64 before = self->in.taken;

  reeve_wire_passage_refill (self, g_get_monotonic_time ());
  self->state = reeve_wire_inbox_run (&self->in, (gsize) MAX (self->allowance, 0), &self->problem);
  self->allowance -= (gint64) (self->in.taken - before);
  if (!reeve_wire_inbox_is_within (&self->in) || self->allowance <= 0)
    self->begun = 0;
  else if (self->begun == 0)
    self->begun = g_get_monotonic_time ();
}

/* @last: it is read to its end. @begun: (inout): what its calls cost is counted, and what it says
 * in pieces: a byte at a time costs more than the message does. For its replies the host asked. */
static void
reeve_wire_passage_run (ReeveWirePassage *self, gboolean last, gint64 *begun)
{
  guint asked = self->asked;

  /* messages may have come behind the last word */
  if (!self->auth.done)
    self->state = reeve_wire_passage_authenticate (self);
  if (self->state != REEVE_WIRE_INBOX_WAITING || !self->auth.done
      || (!last && reeve_wire_passage_is_held (self)))
    return;
  reeve_wire_passage_read_messages (self);
  if (self->asked != asked || reeve_wire_inbox_is_within (&self->in))
    *begun = reeve_host_time_add (self->host_time, *begun);
}

/* Is there nothing to it but messages? */
static gboolean
reeve_wire_passage_is_plain (const ReeveWirePassage *self)
{
  return self->auth.done && self->state == REEVE_WIRE_INBOX_WAITING && self->begun == 0
         && self->allowance > 0 && self->held == 0;
}

/* ---- a call that waits ---- */

gboolean
reeve_wire_passage_borrow (ReeveWirePassage *self)
{
  gboolean mine = FALSE;

  g_mutex_lock (&self->lock);
  mine = self->reader == REEVE_WIRE_PASSAGE_FREE && self->epoll >= 0 && !self->over
         && self->last == 0 && reeve_wire_passage_is_plain (self);
  if (mine)
    {
      self->reader = REEVE_WIRE_PASSAGE_LENT;
      reeve_wire_passage_ask (self);
    }
  g_mutex_unlock (&self->lock);
  return mine;
}

void
reeve_wire_passage_give_back (ReeveWirePassage *self)
{
  gboolean plain = reeve_wire_passage_is_plain (self);

  g_mutex_lock (&self->lock);
  self->reader = REEVE_WIRE_PASSAGE_FREE;
  reeve_wire_passage_ask (self);
  plain = plain && !self->gone;
  g_mutex_unlock (&self->lock);
  /* the gate looks what is to be done */
  if (!plain)
    reeve_wire_passage_poke (self);
}

gboolean
reeve_wire_passage_read (ReeveWirePassage *self, int wake, gint64 deadline, gint64 *begun)
{
  struct pollfd fds[]
      = { { .fd = self->socket.fd, .events = POLLIN }, { .fd = wake, .events = POLLIN } };
  gint64 left = MAX (deadline - g_get_monotonic_time (), 0);
  const struct timespec wait
      = { .tv_sec = left / G_USEC_PER_SEC, .tv_nsec = (left % G_USEC_PER_SEC) * 1000 };
  guint64 count = 0;

  if (ppoll (fds, G_N_ELEMENTS (fds), &wait, NULL) <= 0)
    return TRUE;
  if (fds[1].revents != 0 && read (wake, &count, sizeof count) < 0)
    g_debug ("woken for nothing");
  if (fds[0].revents == 0)
    return TRUE;
  reeve_wire_passage_run (self, FALSE, begun);
  if (reeve_wire_passage_is_plain (self))
    return TRUE;
  reeve_wire_passage_give_back (self);
  return FALSE;
}

/* ---- the end, on the gate's thread ---- */

/* Under the lock. */
static void
reeve_wire_passage_unwatch (ReeveWirePassage *self, ReeveWirePassageWatch *watch)
{
  if (watch->fd >= 0 && self->epoll >= 0)
    epoll_ctl (self->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
}

void
reeve_wire_passage_close (ReeveWirePassage *self)
{
  g_mutex_lock (&self->lock);
  reeve_wire_passage_unwatch (self, &self->socket);
  reeve_wire_passage_unwatch (self, &self->process);
  self->over = TRUE;
  self->epoll = -1;
  g_mutex_unlock (&self->lock);
  /* whoever has borrowed it sees its end */
  shutdown (self->socket.fd, SHUT_RDWR);
  reeve_wire_outbox_close (self->out);
}

static void
reeve_wire_passage_end (ReeveWirePassage *self, const GError *reason)
{
  if (self->over)
    return;
  reeve_wire_passage_close (self);
  self->ended (self->user_data, reason);
}

/* The runner's socket has an end: its process has, most likely, and says in a moment why. */
static void
reeve_wire_passage_linger (ReeveWirePassage *self)
{
  if (self->process.fd < 0 || self->gone)
    {
      reeve_wire_passage_end (self, NULL);
      return;
    }
  g_mutex_lock (&self->lock);
  reeve_wire_passage_unwatch (self, &self->socket);
  self->last = g_get_monotonic_time () + REEVE_WIRE_PASSAGE_LAST_US;
  g_mutex_unlock (&self->lock);
  reeve_wire_outbox_close (self->out);
}

/* ---- the gate ---- */

static gboolean
reeve_wire_passage_hold (ReeveWirePassage *self)
{
  gboolean mine = FALSE;

  g_mutex_lock (&self->lock);
  mine = self->reader == REEVE_WIRE_PASSAGE_FREE && !self->over;
  if (mine)
    self->reader = REEVE_WIRE_PASSAGE_GATE;
  g_mutex_unlock (&self->lock);
  return mine;
}

/* What follows from how it stands now. */
static void
reeve_wire_passage_release (ReeveWirePassage *self)
{
  if (self->state == REEVE_WIRE_INBOX_BROKEN)
    reeve_wire_passage_end (self, self->problem);
  else if (self->gone)
    reeve_wire_passage_end (self, NULL);
  else if (self->state == REEVE_WIRE_INBOX_ENDED && self->last == 0)
    reeve_wire_passage_linger (self);
  g_mutex_lock (&self->lock);
  self->reader = REEVE_WIRE_PASSAGE_FREE;
  reeve_wire_passage_ask (self);
  g_mutex_unlock (&self->lock);
}

gboolean
reeve_wire_passage_watch (ReeveWirePassage *self, int epoll, int wake, GError **error)
{
  ReeveWirePassageWatch *const all[] = { &self->socket, &self->process };

  self->wake = wake;
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      struct epoll_event event = { .events = EPOLLIN, .data.ptr = all[i] };

      all[i]->events = EPOLLIN;
      if (all[i]->fd < 0 || epoll_ctl (epoll, EPOLL_CTL_ADD, all[i]->fd, &event) == 0)
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "epoll_ctl (): %s", g_strerror (errno));
      return FALSE;
    }
  g_mutex_lock (&self->lock);
  self->epoll = epoll;
  reeve_wire_passage_ask (self);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* Its process has ended: what it said before counts. */
static void
reeve_wire_passage_bury (ReeveWirePassage *self, gint64 *begun)
{
  g_mutex_lock (&self->lock);
  reeve_wire_passage_unwatch (self, &self->process);
  self->gone = TRUE;
  g_mutex_unlock (&self->lock);
  if (!reeve_wire_passage_hold (self))
    {
      /* whoever has borrowed it reads to the end, and gives it back */
      shutdown (self->socket.fd, SHUT_RDWR);
      return;
    }
  if (self->last == 0)
    reeve_wire_passage_run (self, TRUE, begun);
  reeve_wire_passage_release (self);
}

void
reeve_wire_passage_wake (gpointer watch, guint32 events, gint64 *begun)
{
  ReeveWirePassageWatch *one = watch;
  ReeveWirePassage *self = one->passage;

  if (self->over)
    return;
  if (one == &self->process)
    {
      reeve_wire_passage_bury (self, begun);
      return;
    }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && self->auth.done)
    reeve_wire_outbox_flush (self->out);
  if (!reeve_wire_passage_hold (self))
    {
      g_mutex_lock (&self->lock);
      reeve_wire_passage_ask (self);
      g_mutex_unlock (&self->lock);
      return;
    }
  /* of one that was hung up epoll tells without end */
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    reeve_wire_passage_run (self, (events & (EPOLLHUP | EPOLLERR)) != 0, begun);
  reeve_wire_passage_release (self);
}

/* ---- clocks ---- */

void
reeve_wire_passage_set_alarm (ReeveWirePassage *self, gint64 at)
{
  g_mutex_lock (&self->lock);
  if (self->alarm == 0 || at < self->alarm)
    self->alarm = at;
  g_mutex_unlock (&self->lock);
}

/* 0 stands for never. */
static gint64
reeve_wire_passage_get_earlier (gint64 one, gint64 other)
{
  return one == 0 || (other != 0 && other < one) ? other : one;
}

/* Of what is read alone; under the lock, and nobody has borrowed it. */
static gint64
reeve_wire_passage_get_read_due (ReeveWirePassage *self)
{
  const ReeveWireLimits *limits = reeve_wire_rules_get_limits (self->rules);
  gint64 due = 0;

  if (self->last != 0)
    return self->last;
  if (self->begun != 0)
    due = self->begun + (self->auth.done ? limits->message_us : limits->begin_us);
  /* in a little while there is something to read with */
  if (self->allowance <= 0)
    due = reeve_wire_passage_get_earlier (due, self->counted + 10000);
  return self->held != 0 ? reeve_wire_passage_get_earlier (due, self->held + 10000) : due;
}

gint64
reeve_wire_passage_get_due (ReeveWirePassage *self)
{
  gint64 due = 0;
  gint64 flush = reeve_wire_outbox_get_due (self->out);

  g_mutex_lock (&self->lock);
  if (!self->over)
    {
      due = reeve_wire_passage_get_earlier (self->alarm, flush);
      if (self->reader != REEVE_WIRE_PASSAGE_LENT)
        due = reeve_wire_passage_get_earlier (due, reeve_wire_passage_get_read_due (self));
    }
  g_mutex_unlock (&self->lock);
  return due;
}

static void
reeve_wire_passage_ring (ReeveWirePassage *self, gint64 now)
{
  gint64 next = 0;
  gboolean rings = FALSE;
  g_autoptr (GError) kill = NULL;

  g_mutex_lock (&self->lock);
  rings = !self->over && self->alarm != 0 && now >= self->alarm;
  if (rings)
    self->alarm = 0;
  g_mutex_unlock (&self->lock);
  if (!rings)
    return;
  next = self->overdue (self->user_data, now, &kill);
  if (kill != NULL)
    reeve_wire_passage_end (self, kill);
  else if (next != 0)
    reeve_wire_passage_set_alarm (self, next);
}

/* The gate has it. */
static void
reeve_wire_passage_look (ReeveWirePassage *self, gint64 now, gint64 *begun)
{
  g_autoptr (GError) slow = NULL;
  gint64 due = 0;

  g_mutex_lock (&self->lock);
  due = reeve_wire_passage_get_read_due (self);
  g_mutex_unlock (&self->lock);
  if (due == 0 || now < due)
    return;
  if (self->last != 0)
    reeve_wire_passage_end (self, NULL);
  else if (self->state != REEVE_WIRE_INBOX_WAITING)
    return;
  else if (self->allowance <= 0 || self->held != 0)
    reeve_wire_passage_run (self, FALSE, begun);
  else
    {
      g_set_error (&slow, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   self->auth.done ? "it began a message and did not end it"
                                   : "it did not begin as a peer of D-Bus does in time");
      reeve_wire_passage_end (self, slow);
    }
}

void
reeve_wire_passage_tick (ReeveWirePassage *self, gint64 now, gint64 *begun)
{
  gint64 flush = reeve_wire_outbox_get_due (self->out);

  if (flush != 0 && now >= flush)
    reeve_wire_outbox_flush (self->out);
  reeve_wire_passage_ring (self, now);
  if (!reeve_wire_passage_hold (self))
    return;
  if (self->gone && self->state == REEVE_WIRE_INBOX_WAITING)
    reeve_wire_passage_run (self, TRUE, begun);
  else
    reeve_wire_passage_look (self, now, begun);
  reeve_wire_passage_release (self);
}
