/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GDBus's messages without its connections: those read and write on a thread of their own, which is
 * two changes of thread more for each call. Here who has read a call performs it, and whatever
 * comes meanwhile wakes another thread. All of them wait at one epoll(7), told of each change once:
 * the kernel wakes the one that came last, so that calls which come one by one are performed by one
 * thread, whose memory is warm. Answers are written by whoever has them. One that asks the host
 * something reads until it has its answer, and the others are told of nothing meanwhile. */
#include "runner-wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runner-input.h"

/* What the host lets a runner ask at once; an honest one waits before it asks for more. */
#define RUNNER_WIRE_MAX_QUESTIONS      64
#define RUNNER_WIRE_MAX_QUESTION_BYTES (16 * 1024 * 1024)

/* A question to the host. It counts until the host answers, whoever still waits for that. */
typedef struct
{
  RunnerWire *wire;
  gsize size;
  gboolean asked; /* and not answered: it is in the table */
  gboolean left;  /* nobody waits any more: the answer frees it */
  gboolean waits; /* for @changed */
  WireLetter *reply;
  gboolean cancelled;
  GCond changed;
} RunnerWireQuestion;

struct _RunnerWire
{
  int fd;
  int epoll;         /* of @fd and @wake, by edges */
  int wake;          /* eventfd(2): there is work */
  int call;          /* eventfd(2): for @leader */
  RunnerInput input; /* whoever reads has it */
  const RunnerWireHandlers *handlers;
  gpointer user_data;
  GMutex writing;
  GMutex lock;
  GHashTable *questions;      /* serial -> RunnerWireQuestion */
  gsize question_bytes;       /* of all of them */
  GCond room;                 /* for one more, maybe */
  guint crowded;              /* threads that wait for that */
  GQueue waiting;             /* WireLetter: work that no thread has taken */
  gboolean reading;           /* somebody does */
  RunnerWireQuestion *leader; /* (nullable): whose thread alone is told of what comes */
  gboolean unread;            /* something came, and was not read to its end */
  gboolean over;              /* the host is gone */
  guint idle;                 /* threads that wait, or are about to */
  guint threads;
  guint most;
  guint32 last; /* serial */
};

/* ---- writing ---- */

/* A whole message; FALSE: the host is gone */
static gboolean
runner_wire_write (RunnerWire *self, const guint8 *data, gsize length)
{
  gsize done = 0;

  g_mutex_lock (&self->writing);
  while (done < length)
    {
      gssize one = send (self->fd, data + done, length - done, MSG_NOSIGNAL);

      if (one < 0 && errno != EINTR)
        break;
      done += one > 0 ? (gsize) one : 0;
    }
  g_mutex_unlock (&self->writing);
  return done == length;
}

/* (transfer full): @message as it goes over the wire */
static guint8 *
runner_wire_encode (WireLetter *message, guint32 serial, gsize *size)
{
  message->head.serial = serial;
  return wire_letter_write (message, size);
}

static guint32
runner_wire_number (RunnerWire *self)
{
  guint32 number = 0;

  g_mutex_lock (&self->lock);
  do
    number = ++self->last;
  while (number == 0 || g_hash_table_contains (self->questions, GUINT_TO_POINTER (number)));
  g_mutex_unlock (&self->lock);
  return number;
}

gboolean
runner_wire_send (RunnerWire *self, WireLetter *message)
{
  gsize size = 0;
  g_autofree guint8 *data = runner_wire_encode (message, runner_wire_number (self), &size);

  return runner_wire_write (self, data, size);
}

static void runner_wire_read_on (RunnerWire *self);
static gboolean runner_wire_add_thread (RunnerWire *self);

/* ---- questions ---- */

static void
runner_wire_question_free (RunnerWireQuestion *question)
{
  g_clear_pointer (&question->reply, wire_letter_unref);
  g_cond_clear (&question->changed);
  g_free (question);
}

static void
runner_wire_poke (int fd)
{
  const guint64 one = 1;

  if (write (fd, &one, sizeof one) != sizeof one)
    g_printerr ("the wire: nobody is woken: %s\n", g_strerror (errno));
}

/* Whoever asked looks again. A signal is a call of the system's, also where nobody waits. Under the
 * lock. */
static void
runner_wire_rouse (RunnerWire *self, RunnerWireQuestion *question)
{
  if (question->waits)
    g_cond_signal (&question->changed);
  else if (self->leader == question && !self->reading)
    runner_wire_poke (self->call);
}

static void
runner_wire_on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  RunnerWireQuestion *question = user_data;

  g_mutex_lock (&question->wire->lock);
  question->cancelled = TRUE;
  runner_wire_rouse (question->wire, question);
  g_cond_broadcast (&question->wire->room);
  g_mutex_unlock (&question->wire->lock);
}

/* Until something changed. FALSE: it is too late. Under the lock. */
static gboolean
runner_wire_sleep (RunnerWire *self, GCond *changed, gint64 deadline)
{
  if (deadline != 0)
    return g_cond_wait_until (changed, &self->lock, deadline);
  g_cond_wait (changed, &self->lock);
  return TRUE;
}

/* Until there is room for it, and the place in the table. FALSE: there was none in time. Under the
 * lock. */
static gboolean
runner_wire_admit (RunnerWire *self, RunnerWireQuestion *question, guint32 serial, gint64 deadline)
{
  gboolean in_time = TRUE;

  self->crowded++;
  while (in_time && !question->cancelled && !self->over
         && (g_hash_table_size (self->questions) >= RUNNER_WIRE_MAX_QUESTIONS
             || self->question_bytes + question->size > RUNNER_WIRE_MAX_QUESTION_BYTES))
    in_time = runner_wire_sleep (self, &self->room, deadline);
  self->crowded--;
  if (!in_time || question->cancelled || self->over)
    return FALSE;
  g_hash_table_insert (self->questions, GUINT_TO_POINTER (serial), question);
  question->asked = TRUE;
  self->question_bytes += question->size;
  return TRUE;
}

static void
runner_wire_fail (const RunnerWire *self, const RunnerWireQuestion *question, GError **error)
{
  if (question->cancelled)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the call was cancelled");
  else if (self->over)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "the host is gone");
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT, "the deadline of the call has passed");
}

/* ---- one that asks reads by itself ---- */

/* From now on, or no longer, are others told of what comes; what is there already they are told
 * again. Under the lock. */
static void
runner_wire_set_leader (RunnerWire *self, RunnerWireQuestion *leader)
{
  struct epoll_event event
      = { .events = leader == NULL ? EPOLLIN | EPOLLET : 0, .data.fd = self->fd };

  self->leader = leader;
  if (epoll_ctl (self->epoll, EPOLL_CTL_MOD, self->fd, &event) != 0)
    g_printerr ("the wire: epoll_ctl (): %s\n", g_strerror (errno));
}

/* Until something came, or this one is called. FALSE: it is too late */
static gboolean
runner_wire_poll (RunnerWire *self, gint64 deadline, gboolean *came)
{
  struct pollfd fds[]
      = { { .fd = self->fd, .events = POLLIN }, { .fd = self->call, .events = POLLIN } };
  gint64 left = deadline != 0 ? MAX (deadline - g_get_monotonic_time (), 0) : 0;
  const struct timespec wait
      = { .tv_sec = left / G_USEC_PER_SEC, .tv_nsec = (left % G_USEC_PER_SEC) * 1000 };
  guint64 count = 0;
  int ready = ppoll (fds, G_N_ELEMENTS (fds), deadline != 0 ? &wait : NULL, NULL);

  *came = ready > 0 && fds[0].revents != 0;
  if (ready > 0 && fds[1].revents != 0 && read (self->call, &count, sizeof count) < 0)
    g_printerr ("the wire: woken for nothing\n");
  return ready != 0;
}

/* A call that came while there was no other thread to read: somebody performs it. Under the lock.
 */
static void
runner_wire_hand_on (RunnerWire *self)
{
  if (self->waiting.length == 0)
    return;
  if (self->idle > 0 || runner_wire_add_thread (self))
    runner_wire_poke (self->wake);
}

/* Reads until @question has what it waits for: nobody has to be woken for that. Under the lock,
 * which it gives up meanwhile. FALSE: it is too late */
static gboolean
runner_wire_lead (RunnerWire *self, RunnerWireQuestion *question, gint64 deadline)
{
  gboolean in_time = TRUE;

  while (in_time && question->reply == NULL && !question->cancelled && !self->over)
    {
      gboolean came = FALSE;

      g_mutex_unlock (&self->lock);
      in_time = runner_wire_poll (self, deadline, &came);
      g_mutex_lock (&self->lock);
      if (!came)
        continue;
      self->unread = TRUE;
      runner_wire_read_on (self);
      runner_wire_hand_on (self);
    }
  runner_wire_set_leader (self, NULL);
  return in_time;
}

/* Somebody else reads, and says so. Under the lock, which it gives up meanwhile. FALSE: it is too
 * late */
static gboolean
runner_wire_follow (RunnerWire *self, RunnerWireQuestion *question, gint64 deadline)
{
  gboolean in_time = TRUE;

  question->waits = TRUE;
  while (in_time && question->reply == NULL && !question->cancelled && !self->over)
    in_time = runner_wire_sleep (self, &question->changed, deadline);
  question->waits = FALSE;
  return in_time;
}

/* (transfer full) (nullable): the reply to @data */
static WireLetter *
runner_wire_ask_with (RunnerWire *self, RunnerWireQuestion *question, const guint8 *data,
                      guint32 serial, gint64 deadline, GError **error)
{
  WireLetter *reply = NULL;
  gboolean leads = FALSE;
  gboolean in_time = TRUE;

  g_mutex_lock (&self->lock);
  in_time = runner_wire_admit (self, question, serial, deadline);
  leads = in_time && self->leader == NULL && !self->reading;
  if (leads)
    runner_wire_set_leader (self, question);
  g_mutex_unlock (&self->lock);
  /* where it cannot be sent the host is gone, which whoever reads says */
  if (in_time)
    runner_wire_write (self, data, question->size);
  g_mutex_lock (&self->lock);
  if (leads)
    in_time = runner_wire_lead (self, question, deadline);
  else if (in_time)
    in_time = runner_wire_follow (self, question, deadline);
  reply = g_steal_pointer (&question->reply);
  if (reply == NULL)
    runner_wire_fail (self, question, error);
  g_mutex_unlock (&self->lock);
  return reply;
}

/* Whoever asked wants no more of it. */
static void
runner_wire_leave (RunnerWire *self, RunnerWireQuestion *question)
{
  g_mutex_lock (&self->lock);
  question->left = TRUE;
  if (question->asked)
    question = NULL;
  g_mutex_unlock (&self->lock);
  if (question != NULL)
    runner_wire_question_free (question);
}

WireLetter *
runner_wire_ask (RunnerWire *self, WireLetter *message, gint64 deadline, GCancellable *cancellable,
                 GError **error)
{
  guint32 serial = runner_wire_number (self);
  RunnerWireQuestion *question = g_new0 (RunnerWireQuestion, 1);
  g_autofree guint8 *data = runner_wire_encode (message, serial, &question->size);
  WireLetter *reply = NULL;
  gulong handler = 0;

  question->wire = self;
  g_cond_init (&question->changed);
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (runner_wire_on_cancelled), question,
                                     NULL);
  reply = runner_wire_ask_with (self, question, data, serial, deadline, error);
  g_cancellable_disconnect (cancellable, handler);
  runner_wire_leave (self, question);
  return reply;
}

/* The host counts it no more. */
static void
runner_wire_take_reply (RunnerWire *self, WireLetter *message)
{
  gpointer serial = GUINT_TO_POINTER (message->head.reply_serial);
  RunnerWireQuestion *question = NULL;
  RunnerWireQuestion *gone = NULL;

  g_mutex_lock (&self->lock);
  question = g_hash_table_lookup (self->questions, serial);
  if (question != NULL)
    {
      g_hash_table_remove (self->questions, serial);
      self->question_bytes -= question->size;
      question->asked = FALSE;
      question->reply = wire_letter_ref (message);
      runner_wire_rouse (self, question);
      /* it is a call of the system's, also where nobody waits */
      if (self->crowded > 0)
        g_cond_broadcast (&self->room);
      gone = question->left ? question : NULL;
    }
  g_mutex_unlock (&self->lock);
  if (gone != NULL)
    runner_wire_question_free (gone);
}

/* ---- reading ---- */

/* Under the lock. */
static void
runner_wire_end (RunnerWire *self)
{
  GHashTableIter iter;
  gpointer question = NULL;

  /* threads that wait are left to the end of the process */
  self->over = TRUE;
  g_hash_table_iter_init (&iter, self->questions);
  while (g_hash_table_iter_next (&iter, NULL, &question))
    runner_wire_rouse (self, question);
  g_cond_broadcast (&self->room);
}

/* All that is there; calls are put by. FALSE: the host is gone. Nobody else reads. */
static gboolean
runner_wire_read (RunnerWire *self)
{
  for (;;)
    {
      g_autoptr (WireLetter) message = NULL;
      RunnerInputState state = runner_input_read (&self->input, &message);

      if (state != RUNNER_INPUT_MESSAGE)
        return state == RUNNER_INPUT_WAITING;
      if (message->head.type != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
        runner_wire_take_reply (self, message);
      else if (self->handlers->sort (message, self->user_data))
        {
          g_mutex_lock (&self->lock);
          g_queue_push_tail (&self->waiting, g_steal_pointer (&message));
          g_mutex_unlock (&self->lock);
        }
    }
}

/* Under the lock, which it gives up meanwhile. */
static void
runner_wire_read_on (RunnerWire *self)
{
  self->reading = TRUE;
  while (self->unread && !self->over)
    {
      gboolean good = FALSE;

      self->unread = FALSE;
      g_mutex_unlock (&self->lock);
      runner_input_wake (&self->input);
      good = runner_wire_read (self);
      g_mutex_lock (&self->lock);
      if (!good)
        runner_wire_end (self);
    }
  self->reading = FALSE;
}

/* ---- threads ---- */

static gpointer runner_wire_main (gpointer data);

/* One thread more, if there may be one. Under the lock. */
static gboolean
runner_wire_add_thread (RunnerWire *self)
{
  GThread *thread = NULL;

  if (self->threads == self->most)
    return FALSE;
  thread = g_thread_try_new ("worker", runner_wire_main, self, NULL);
  if (thread == NULL)
    return FALSE;
  self->threads++;
  self->idle++;
  g_thread_unref (thread);
  return TRUE;
}

/* Until something came, or there is work. Under the lock, which it gives up meanwhile. */
static void
runner_wire_sleep_idle (RunnerWire *self)
{
  struct epoll_event events[2];
  int count = 0;

  self->idle++;
  g_mutex_unlock (&self->lock);
  count = epoll_wait (self->epoll, events, G_N_ELEMENTS (events), -1);
  g_mutex_lock (&self->lock);
  self->idle--;
  for (int i = 0; i < count; i++)
    self->unread = self->unread || events[i].data.fd == self->fd;
}

/* (transfer full) (nullable): what is to be done by this thread; %NULL: nothing any more. While it
 * is at it somebody else reads: where nobody can, it stays, and the work is for whoever comes back.
 * @more: (out): there is work for another, who sleeps. Under the lock. */
static WireLetter *
runner_wire_find_work (RunnerWire *self, gboolean *more)
{
  while (!self->over)
    {
      if (self->unread && !self->reading && self->leader == NULL)
        runner_wire_read_on (self);
      else if (self->waiting.length > 0 && (self->idle > 0 || runner_wire_add_thread (self)))
        {
          WireLetter *message = g_queue_pop_head (&self->waiting);

          *more = self->waiting.length > 0 && self->idle > 0;
          return message;
        }
      else
        runner_wire_sleep_idle (self);
    }
  return NULL;
}

static gpointer
runner_wire_main (gpointer data)
{
  RunnerWire *self = data;

  g_mutex_lock (&self->lock);
  /* it was counted when it was made */
  self->idle--;
  g_mutex_unlock (&self->lock);
  for (;;)
    {
      WireLetter *message = NULL;
      gboolean more = FALSE;

      g_mutex_lock (&self->lock);
      message = runner_wire_find_work (self, &more);
      g_mutex_unlock (&self->lock);
      if (more)
        runner_wire_poke (self->wake);
      if (message == NULL)
        return NULL;
      self->handlers->perform (message, self->user_data);
    }
}

/* ---- the beginning ---- */

/* D-Bus specification 0.41, "Authentication Protocol", the client's side, by EXTERNAL: who this is
 * the host asks the kernel. */
static gboolean
runner_wire_greet (RunnerWire *self)
{
  static const struct
  {
    const char *said;
    gsize length;
    const char *answer; /* begins so */
  } steps[] = {
    { "\0AUTH EXTERNAL\r\n", 16, "DATA" },
    { "DATA\r\n", 6, "OK " },
    { "NEGOTIATE_UNIX_FD\r\n", 19, "AGREE_UNIX_FD" },
  };
  static const char begin[] = "BEGIN\r\n";

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autofree char *line = NULL;

      if (!runner_wire_write (self, (const guint8 *) steps[i].said, steps[i].length))
        return FALSE;
      line = runner_input_read_line (&self->input);
      if (line == NULL || !g_str_has_prefix (line, steps[i].answer))
        return FALSE;
    }
  return runner_wire_write (self, (const guint8 *) begin, sizeof begin - 1);
}

RunnerWire *
runner_wire_new (int fd, const RunnerWireHandlers *handlers, gpointer user_data)
{
  RunnerWire *self = g_new0 (RunnerWire, 1);

  self->fd = fd;
  self->handlers = handlers;
  self->user_data = user_data;
  g_mutex_init (&self->writing);
  g_mutex_init (&self->lock);
  g_cond_init (&self->room);
  g_queue_init (&self->waiting);
  self->questions = g_hash_table_new (g_direct_hash, g_direct_equal);
  runner_input_init (&self->input, fd);
  /* it lives as long as the process does */
  return runner_wire_greet (self) ? self : NULL;
}

static gboolean
runner_wire_watch (RunnerWire *self, int fd)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = fd };

  return fd >= 0 && epoll_ctl (self->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

gboolean
runner_wire_start (RunnerWire *self, guint workers)
{
  gboolean started = FALSE;

  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->call = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->epoll < 0 || self->call < 0 || !runner_wire_watch (self, self->fd)
      || !runner_wire_watch (self, self->wake))
    return FALSE;
  g_mutex_lock (&self->lock);
  /* behind the greeting there may be something already */
  self->unread = TRUE;
  /* one of them reads: two there must be */
  self->most = workers + 1;
  started = runner_wire_add_thread (self) && runner_wire_add_thread (self);
  g_mutex_unlock (&self->lock);
  return started;
}
