/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GDBus's messages without its connections: those read and write on a thread of their own, which is
 * two changes of thread more for each call. Here one thread reads, and performs what it has read
 * while the next one reads on; answers are written by whoever has them. */
#include "runner-wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runner-input.h"

/* A question to the host; on the stack of whoever asks. */
typedef struct
{
  RunnerWire *wire;
  GDBusMessage *reply;
  gboolean cancelled;
  GCond changed;
} RunnerWireQuestion;

struct _RunnerWire
{
  int fd;
  RunnerInput input; /* whoever reads has it */
  const RunnerWireHandlers *handlers;
  gpointer user_data;
  GMutex writing;
  GMutex lock;
  GHashTable *questions; /* serial -> RunnerWireQuestion */
  GQueue waiting;        /* GDBusMessage: work that no thread was there for */
  GCond work;
  gboolean reading; /* somebody does */
  gboolean over;    /* the host is gone */
  guint idle;       /* threads that wait for work */
  guint threads;
  guint most;
  guint32 last; /* serial */
};

/* ---- writing ---- */

static gboolean
runner_wire_write (RunnerWire *self, const guint8 *data, gsize length)
{
  for (gsize done = 0; done < length;)
    {
      gssize one = send (self->fd, data + done, length - done, MSG_NOSIGNAL);

      if (one < 0 && errno != EINTR)
        return FALSE;
      done += one > 0 ? (gsize) one : 0;
    }
  return TRUE;
}

static gboolean
runner_wire_send_as (RunnerWire *self, GDBusMessage *message, guint32 serial)
{
  g_autofree guint8 *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize size = 0;
  gboolean sent = FALSE;

  g_dbus_message_set_serial (message, serial);
  data = g_dbus_message_to_blob (message, &size, G_DBUS_CAPABILITY_FLAGS_UNIX_FD_PASSING, &error);
  if (data == NULL)
    {
      g_printerr ("the wire: %s\n", error->message);
      return FALSE;
    }
  g_mutex_lock (&self->writing);
  sent = runner_wire_write (self, data, size);
  g_mutex_unlock (&self->writing);
  return sent;
}

/* Under the lock. */
static guint32
runner_wire_number (RunnerWire *self)
{
  do
    self->last++;
  while (self->last == 0 || g_hash_table_contains (self->questions, GUINT_TO_POINTER (self->last)));
  return self->last;
}

gboolean
runner_wire_send (RunnerWire *self, GDBusMessage *message)
{
  guint32 serial = 0;

  g_mutex_lock (&self->lock);
  serial = runner_wire_number (self);
  g_mutex_unlock (&self->lock);
  return runner_wire_send_as (self, message, serial);
}

/* ---- questions ---- */

static void
runner_wire_on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  RunnerWireQuestion *question = user_data;

  g_mutex_lock (&question->wire->lock);
  question->cancelled = TRUE;
  g_cond_signal (&question->changed);
  g_mutex_unlock (&question->wire->lock);
}

/* Under the lock. */
static void
runner_wire_wait (RunnerWire *self, RunnerWireQuestion *question, gint64 deadline)
{
  gboolean in_time = TRUE;

  while (question->reply == NULL && !question->cancelled && !self->over && in_time)
    {
      if (deadline != 0)
        in_time = g_cond_wait_until (&question->changed, &self->lock, deadline);
      else
        g_cond_wait (&question->changed, &self->lock);
    }
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

GDBusMessage *
runner_wire_ask (RunnerWire *self, GDBusMessage *message, gint64 deadline,
                 GCancellable *cancellable, GError **error)
{
  RunnerWireQuestion question = { .wire = self };
  gulong handler = 0;
  guint32 serial = 0;

  g_cond_init (&question.changed);
  g_mutex_lock (&self->lock);
  serial = runner_wire_number (self);
  g_hash_table_insert (self->questions, GUINT_TO_POINTER (serial), &question);
  g_mutex_unlock (&self->lock);
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (runner_wire_on_cancelled), &question,
                                     NULL);
  /* where it cannot be sent the host is gone, which whoever reads says */
  runner_wire_send_as (self, message, serial);
  g_mutex_lock (&self->lock);
  runner_wire_wait (self, &question, deadline);
  g_hash_table_remove (self->questions, GUINT_TO_POINTER (serial));
  if (question.reply == NULL)
    runner_wire_fail (self, &question, error);
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, handler);
  g_cond_clear (&question.changed);
  return question.reply;
}

static void
runner_wire_take_reply (RunnerWire *self, GDBusMessage *message)
{
  RunnerWireQuestion *question = NULL;

  g_mutex_lock (&self->lock);
  question = g_hash_table_lookup (self->questions,
                                  GUINT_TO_POINTER (g_dbus_message_get_reply_serial (message)));
  if (question != NULL && question->reply == NULL)
    {
      question->reply = g_object_ref (message);
      g_cond_signal (&question->changed);
    }
  g_mutex_unlock (&self->lock);
}

/* ---- reading ---- */

/* (transfer full) (nullable): the next work; %NULL: the host is gone */
static GDBusMessage *
runner_wire_read (RunnerWire *self)
{
  for (;;)
    {
      g_autoptr (GDBusMessage) message = runner_input_read (&self->input);

      if (message == NULL)
        return NULL;
      if (g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
        runner_wire_take_reply (self, message);
      else if (self->handlers->sort (message, self->user_data))
        return g_steal_pointer (&message);
    }
}

/* Under the lock. */
static void
runner_wire_end (RunnerWire *self)
{
  GHashTableIter iter;
  gpointer question = NULL;

  self->over = TRUE;
  g_hash_table_iter_init (&iter, self->questions);
  while (g_hash_table_iter_next (&iter, NULL, &question))
    g_cond_signal (&((RunnerWireQuestion *) question)->changed);
  g_cond_broadcast (&self->work);
}

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
  g_thread_unref (thread);
  return TRUE;
}

/* Somebody else reads on, if there is anybody: then @message is this thread's work. Else it is put
 * by, and this thread reads on. Under the lock. */
static gboolean
runner_wire_hand_over (RunnerWire *self, GDBusMessage *message)
{
  if (self->idle > 0)
    g_cond_signal (&self->work);
  /* the only thread there is does both, one after the other */
  else if (!runner_wire_add_thread (self) && self->threads > 1)
    {
      g_queue_push_tail (&self->waiting, message);
      return FALSE;
    }
  self->reading = FALSE;
  return TRUE;
}

/* (transfer full) (nullable): what is to be done by this thread; %NULL: nothing any more. Under the
 * lock. */
static GDBusMessage *
runner_wire_find_work (RunnerWire *self)
{
  while (!self->over)
    {
      GDBusMessage *message = g_queue_pop_head (&self->waiting);

      if (message != NULL)
        return message;
      if (self->reading)
        {
          self->idle++;
          g_cond_wait (&self->work, &self->lock);
          self->idle--;
          continue;
        }
      self->reading = TRUE;
      g_mutex_unlock (&self->lock);
      message = runner_wire_read (self);
      g_mutex_lock (&self->lock);
      while (message != NULL && !runner_wire_hand_over (self, message))
        {
          g_mutex_unlock (&self->lock);
          message = runner_wire_read (self);
          g_mutex_lock (&self->lock);
        }
      if (message != NULL)
        return message;
      runner_wire_end (self);
    }
  return NULL;
}

static gpointer
runner_wire_main (gpointer data)
{
  RunnerWire *self = data;

  for (;;)
    {
      GDBusMessage *message = NULL;

      g_mutex_lock (&self->lock);
      message = runner_wire_find_work (self);
      g_mutex_unlock (&self->lock);
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
  g_cond_init (&self->work);
  g_queue_init (&self->waiting);
  self->questions = g_hash_table_new (g_direct_hash, g_direct_equal);
  runner_input_init (&self->input, fd);
  /* it lives as long as the process does */
  return runner_wire_greet (self) ? self : NULL;
}

gboolean
runner_wire_start (RunnerWire *self, guint workers)
{
  gboolean started = FALSE;

  g_mutex_lock (&self->lock);
  /* one of them reads */
  self->most = workers + 1;
  started = runner_wire_add_thread (self);
  g_mutex_unlock (&self->lock);
  return started;
}
