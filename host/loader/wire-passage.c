/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two lanes with the rules between them. The runner is spoken to as D-Bus's server, GDBus as its
 * client: who the runner is was asked of the kernel, and GDBus sees this process. */
#include "wire-passage.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire-auth.h"
#include "wire-lane.h"

/* from the end of a runner's socket to the end of its process */
#define REEVE_WIRE_PASSAGE_LAST_US G_USEC_PER_SEC

typedef struct
{
  ReeveWirePassage *passage;
  int fd;
  guint32 events; /* asked for */
} ReeveWirePassageWatch;

struct _ReeveWirePassage
{
  ReeveWirePassageWatch outer;
  ReeveWirePassageWatch inner;
  ReeveWirePassageWatch process;
  int epoll;
  ReeveWireRules *rules;
  ReeveWireAuth auth;
  char *guid;
  ReeveWireLane in;  /* from the runner */
  ReeveWireLane out; /* to the runner */
  guint greetings;   /* lines that GDBus says before its first message, still to come */
  gint64 begun;      /* when the message began that is not whole; 0: none */
  gint64 allowance;  /* bytes that may be read now */
  gint64 counted;    /* when that was so */
  gint64 last;       /* the socket's end: how long the process has; 0: open */
  gboolean has_ended;
  GMutex lock;
  gint64 alarm; /* under the lock */
  ReeveWirePassageEnded ended;
  ReeveWirePassageOverdue overdue;
  gpointer user_data;
};

static gboolean
reeve_wire_passage_check_in (gpointer user_data, const guint8 *data, gsize length, guint *n_fds,
                             GError **error)
{
  ReeveWirePassage *self = user_data;

  *n_fds = 0;
  return reeve_wire_rules_receive (self->rules, data, length, error);
}

static gboolean
reeve_wire_passage_check_out (gpointer user_data, const guint8 *data, gsize length, guint *n_fds,
                              GError **error)
{
  ReeveWirePassage *self = user_data;

  return reeve_wire_rules_send (self->rules, data, length, n_fds, error);
}

/* As GDBus's client, all at once; the socket is empty, so there is room. */
static void
reeve_wire_passage_greet (ReeveWirePassage *self)
{
  g_autofree char *uid = g_strdup_printf ("%u", geteuid ());
  GString *text = g_string_new ("AUTH EXTERNAL ");
  struct ucred credentials = { .pid = getpid (), .uid = geteuid (), .gid = getegid () };
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (sizeof (struct ucred))];
  } control = { 0 };
  struct iovec part = { .iov_base = (char *) "", .iov_len = 1 };
  struct msghdr header = { .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes };

  for (const char *at = uid; *at != '\0'; at++)
    g_string_append_printf (text, "%02x", (guint) *at);
  g_string_append (text, "\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n");
  control.align = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                                    .cmsg_type = SCM_CREDENTIALS,
                                    .cmsg_len = CMSG_LEN (sizeof credentials) };
  memcpy (CMSG_DATA (CMSG_FIRSTHDR (&header)), &credentials, sizeof credentials);
  if (sendmsg (self->inner.fd, &header, MSG_NOSIGNAL) != 1
      || send (self->inner.fd, text->str, text->len, MSG_NOSIGNAL) != (gssize) text->len)
    g_warning ("a wire's own socket takes no greeting");
  g_string_free (text, TRUE);
}

ReeveWirePassage *
reeve_wire_passage_new (const ReeveWirePassageSetup *setup)
{
  ReeveWirePassage *self = g_new0 (ReeveWirePassage, 1);

  self->outer = (ReeveWirePassageWatch){ self, setup->outer, 0 };
  self->inner = (ReeveWirePassageWatch){ self, setup->inner, 0 };
  self->process = (ReeveWirePassageWatch){ self, setup->pidfd, 0 };
  self->epoll = -1;
  self->rules = reeve_wire_rules_new (setup->limits);
  self->guid = g_strdup (setup->guid);
  self->auth.guid = self->guid;
  self->ended = setup->ended;
  self->overdue = setup->overdue;
  g_mutex_init (&self->lock);
  self->user_data = setup->user_data;
  self->greetings = 2;
  self->counted = g_get_monotonic_time ();
  self->begun = self->counted;
  self->allowance = (gint64) reeve_wire_rules_get_limits (self->rules)->per_second;
  reeve_wire_lane_init (&self->in, setup->outer, setup->inner,
                        reeve_wire_rules_get_limits (self->rules)->message,
                        reeve_wire_passage_check_in, self);
  self->in.sender = setup->runner;
  self->in.no_fds = TRUE;
  reeve_wire_lane_init (&self->out, setup->inner, setup->outer, REEVE_WIRE_RULES_OUTGOING,
                        reeve_wire_passage_check_out, self);
  reeve_wire_passage_greet (self);
  return self;
}

static void
reeve_wire_passage_close (ReeveWirePassage *self, ReeveWirePassageWatch *watch)
{
  if (watch->fd < 0)
    return;
  if (self->epoll >= 0)
    epoll_ctl (self->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  close (watch->fd);
  watch->fd = -1;
}

void
reeve_wire_passage_free (ReeveWirePassage *self)
{
  reeve_wire_passage_close (self, &self->outer);
  reeve_wire_passage_close (self, &self->inner);
  reeve_wire_passage_close (self, &self->process);
  reeve_wire_lane_clear (&self->in);
  reeve_wire_lane_clear (&self->out);
  reeve_wire_rules_free (self->rules);
  g_free (self->guid);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
reeve_wire_passage_ask (ReeveWirePassage *self, ReeveWirePassageWatch *watch, guint32 events)
{
  struct epoll_event event = { .events = events, .data.ptr = watch };

  if (watch->fd < 0 || watch->events == events)
    return;
  watch->events = events;
  epoll_ctl (self->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

gboolean
reeve_wire_passage_watch (ReeveWirePassage *self, int epoll, GError **error)
{
  ReeveWirePassageWatch *const all[] = { &self->outer, &self->inner, &self->process };

  self->epoll = epoll;
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      struct epoll_event event = { .events = EPOLLIN, .data.ptr = all[i] };

      all[i]->events = EPOLLIN;
      if (all[i]->fd < 0 || epoll_ctl (epoll, EPOLL_CTL_ADD, all[i]->fd, &event) == 0)
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "epoll_ctl (): %s", g_strerror (errno));
      return FALSE;
    }
  return TRUE;
}

static void
reeve_wire_passage_end (ReeveWirePassage *self, const GError *reason)
{
  if (self->has_ended)
    return;
  self->has_ended = TRUE;
  reeve_wire_passage_close (self, &self->outer);
  reeve_wire_passage_close (self, &self->inner);
  reeve_wire_passage_close (self, &self->process);
  self->ended (self->user_data, reason);
}

/* The runner's socket has an end: its process has, most likely, and says in a moment why. */
static void
reeve_wire_passage_linger (ReeveWirePassage *self)
{
  if (self->process.fd < 0)
    {
      reeve_wire_passage_end (self, NULL);
      return;
    }
  reeve_wire_passage_close (self, &self->outer);
  reeve_wire_passage_close (self, &self->inner);
  self->last = g_get_monotonic_time () + REEVE_WIRE_PASSAGE_LAST_US;
}

/* What the runner says before its first message. */
static ReeveWireLaneState
reeve_wire_passage_authenticate (ReeveWirePassage *self, GError **error)
{
  ReeveWireLaneState state = reeve_wire_lane_read (&self->in, error);
  g_autoptr (GString) answer = g_string_new (NULL);
  gsize taken = 0;

  if (state != REEVE_WIRE_LANE_WAITING)
    return state;
  taken = reeve_wire_auth_feed (&self->auth, self->in.data + self->in.start,
                                self->in.end - self->in.start, answer, error);
  if (taken == G_MAXSIZE)
    return REEVE_WIRE_LANE_BROKEN;
  self->in.start += taken;
  self->in.checked = self->in.start;
  if (answer->len > 0
      && send (self->outer.fd, answer->str, answer->len, MSG_NOSIGNAL | MSG_DONTWAIT)
             != (gssize) answer->len)
    return REEVE_WIRE_LANE_ENDED;
  if (self->auth.done)
    self->begun = 0;
  return REEVE_WIRE_LANE_WAITING;
}

/* What GDBus says before its first message, and nobody asked it to. */
static ReeveWireLaneState
reeve_wire_passage_skip_greetings (ReeveWirePassage *self, GError **error)
{
  ReeveWireLaneState state = reeve_wire_lane_read (&self->out, error);

  while (self->greetings > 0 && self->out.start < self->out.end)
    {
      if (self->out.data[self->out.start++] == '\n')
        self->greetings--;
    }
  self->out.checked = self->out.start;
  return state;
}

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

static ReeveWireLaneState
reeve_wire_passage_run_in (ReeveWirePassage *self, GError **error)
{
  guint64 before = self->in.taken;
  ReeveWireLaneState state = REEVE_WIRE_LANE_WAITING;

  /* messages may have come behind the last word */
  if (!self->auth.done)
    state = reeve_wire_passage_authenticate (self, error);
  if (state != REEVE_WIRE_LANE_WAITING || !self->auth.done)
    return state;
  reeve_wire_passage_refill (self, g_get_monotonic_time ());
  state = reeve_wire_lane_run (&self->in, (gsize) MAX (self->allowance, 0), error);
  self->allowance -= (gint64) (self->in.taken - before);
  if (!reeve_wire_lane_is_within (&self->in) || self->allowance <= 0)
    self->begun = 0;
  else if (self->begun == 0)
    self->begun = g_get_monotonic_time ();
  return state;
}

static ReeveWireLaneState
reeve_wire_passage_run_out (ReeveWirePassage *self, GError **error)
{
  ReeveWireLaneState state = REEVE_WIRE_LANE_WAITING;

  if (self->greetings > 0)
    state = reeve_wire_passage_skip_greetings (self, error);
  if (state != REEVE_WIRE_LANE_WAITING || self->greetings > 0)
    return state;
  return self->auth.done ? reeve_wire_lane_run (&self->out, G_MAXSIZE / 2, error)
                         : REEVE_WIRE_LANE_WAITING;
}

/* What each socket is asked for, by what each lane waits for. */
static void
reeve_wire_passage_ask_again (ReeveWirePassage *self)
{
  gboolean hears = !self->in.full && self->allowance > 0;
  gboolean speaks = self->greetings > 0 || (self->auth.done && !self->out.full);

  reeve_wire_passage_ask (self, &self->outer,
                          (hears ? EPOLLIN : 0u) | (self->out.full ? EPOLLOUT : 0u));
  reeve_wire_passage_ask (self, &self->inner,
                          (speaks ? EPOLLIN : 0u) | (self->in.full ? EPOLLOUT : 0u));
}

static void
reeve_wire_passage_run (ReeveWirePassage *self, guint32 outer, guint32 inner)
{
  g_autoptr (GError) error = NULL;
  gboolean was_known = self->auth.done;
  ReeveWireLaneState state = REEVE_WIRE_LANE_WAITING;

  if (self->has_ended || self->outer.fd < 0)
    return;
  if ((outer & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 || (inner & EPOLLOUT) != 0)
    state = reeve_wire_passage_run_in (self, &error);
  if (state == REEVE_WIRE_LANE_WAITING
      && ((inner & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 || (outer & EPOLLOUT) != 0
          || was_known != self->auth.done))
    state = reeve_wire_passage_run_out (self, &error);
  if (state == REEVE_WIRE_LANE_BROKEN)
    reeve_wire_passage_end (self, error);
  else if (state == REEVE_WIRE_LANE_ENDED)
    reeve_wire_passage_linger (self);
  else
    reeve_wire_passage_ask_again (self);
}

void
reeve_wire_passage_wake (gpointer watch, guint32 events)
{
  ReeveWirePassageWatch *one = watch;
  ReeveWirePassage *self = one->passage;

  if (one != &self->process)
    reeve_wire_passage_run (self, one == &self->outer ? events : 0u,
                            one == &self->inner ? events : 0u);
  else
    {
      /* what it said before it ended counts */
      reeve_wire_passage_run (self, EPOLLIN, 0);
      reeve_wire_passage_end (self, NULL);
    }
}

void
reeve_wire_passage_set_alarm (ReeveWirePassage *self, gint64 at)
{
  g_mutex_lock (&self->lock);
  if (self->alarm == 0 || at < self->alarm)
    self->alarm = at;
  g_mutex_unlock (&self->lock);
}

static gint64
reeve_wire_passage_get_alarm (ReeveWirePassage *self)
{
  gint64 alarm = 0;

  g_mutex_lock (&self->lock);
  alarm = self->alarm;
  g_mutex_unlock (&self->lock);
  return alarm;
}

/* Of the bytes alone. */
static gint64
reeve_wire_passage_get_bytes_due (ReeveWirePassage *self)
{
  gint64 due = 0;

  if (self->last != 0)
    return self->last;
  if (self->begun != 0)
    due = self->begun
          + (self->auth.done ? reeve_wire_rules_get_limits (self->rules)->message_us
                             : reeve_wire_rules_get_limits (self->rules)->begin_us);
  /* in a little while there is something to read with */
  if (self->allowance <= 0)
    due = due != 0 ? MIN (due, self->counted + 10000) : self->counted + 10000;
  return due;
}

gint64
reeve_wire_passage_get_due (ReeveWirePassage *self)
{
  gint64 alarm = reeve_wire_passage_get_alarm (self);
  gint64 due = 0;

  if (self->has_ended)
    return 0;
  due = reeve_wire_passage_get_bytes_due (self);
  return due == 0 || (alarm != 0 && alarm < due) ? alarm : due;
}

static void
reeve_wire_passage_ring (ReeveWirePassage *self, gint64 now)
{
  gint64 alarm = reeve_wire_passage_get_alarm (self);
  g_autoptr (GError) kill = NULL;

  if (self->has_ended || alarm == 0 || now < alarm)
    return;
  g_mutex_lock (&self->lock);
  self->alarm = 0;
  g_mutex_unlock (&self->lock);
  alarm = self->overdue (self->user_data, now, &kill);
  if (kill != NULL)
    reeve_wire_passage_end (self, kill);
  else if (alarm != 0)
    reeve_wire_passage_set_alarm (self, alarm);
}

void
reeve_wire_passage_tick (ReeveWirePassage *self, gint64 now)
{
  gint64 due = 0;
  g_autoptr (GError) slow = NULL;

  reeve_wire_passage_ring (self, now);
  due = self->has_ended ? 0 : reeve_wire_passage_get_bytes_due (self);
  if (due == 0 || now < due)
    return;
  if (self->last != 0)
    reeve_wire_passage_end (self, NULL);
  else if (self->allowance <= 0)
    {
      reeve_wire_passage_refill (self, now);
      reeve_wire_passage_run (self, EPOLLIN, 0);
    }
  else
    {
      g_set_error (&slow, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   self->auth.done ? "it began a message and did not end it"
                                   : "it did not begin as a peer of D-Bus does in time");
      reeve_wire_passage_end (self, slow);
    }
}
