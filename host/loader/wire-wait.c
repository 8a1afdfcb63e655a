/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes of calls. Of those that wait one reads for all of them, where the passage can be
 * borrowed, and wakes the others with what is theirs; when it has its own reply the gate reads. */
#include "wire-private.h"

#include <errno.h>
#include <unistd.h>

#include "wire/wire-error.h"
#include "wire/wire-method.h"

#include "wire-broker.h"

/* ---- what comes, on the thread that reads ---- */

static void
reeve_wire_take_reply (ReeveWire *self, guint32 serial, const guint8 *data, gsize length)
{
  gpointer number = GUINT_TO_POINTER (serial);
  ReeveWireUnderWay *gone = NULL;
  ReeveWireUnderWay *call = NULL;

  g_mutex_lock (&self->lock);
  call = g_hash_table_lookup (self->calls, number);
  if (call != NULL && call->left)
    {
      g_hash_table_steal (self->calls, number);
      gone = call;
    }
  else if (call != NULL && call->reply == NULL)
    {
      call->reply = g_bytes_new (data, length);
      if (call->waits)
        g_cond_signal (&call->changed);
    }
  g_mutex_unlock (&self->lock);
  if (gone != NULL)
    reeve_wire_under_way_free (gone);
}

/* What the call of the one that reads asks for, it answers: nobody has to be woken. */
static gboolean
reeve_wire_take_own (ReeveWire *self, const WireMessage *message, const guint8 *data, gsize length)
{
  ReeveWireUnderWay *reader = NULL;
  gboolean mine = FALSE;

  g_mutex_lock (&self->lock);
  reader = self->reader;
  mine = reader != NULL && reader->thread == g_thread_self () && reader->own == NULL
         && reeve_wire_broker_is_own (message, reader->number);
  if (mine)
    reader->own = reeve_wire_broker_job_new (self, data, length);
  g_mutex_unlock (&self->lock);
  return mine;
}

void
reeve_wire_take (gpointer user_data, const WireMessage *message, const guint8 *data, gsize length)
{
  ReeveWire *self = user_data;

  if (message->type != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    reeve_wire_take_reply (self, message->reply_serial, data, length);
  else if (!reeve_wire_take_own (self, message, data, length))
    reeve_wire_broker_take (self, self->share, message, data, length);
}

/* ---- the end, and clocks, on the gate's thread ---- */

static void
reeve_wire_wake_reader (ReeveWire *self)
{
  const guint64 one = 1;

  if (write (self->wake, &one, sizeof one) != sizeof one)
    g_warning ("plugin %s: a call is not woken: %s", self->name, g_strerror (errno));
}

void
reeve_wire_fail_calls (ReeveWire *self, const GError *why)
{
  GHashTableIter iter;
  gpointer value = NULL;
  gboolean reads = FALSE;

  g_mutex_lock (&self->lock);
  if (self->ended == NULL)
    self->ended = g_error_copy (why);
  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      ReeveWireUnderWay *call = value;

      if (call->left)
        {
          g_hash_table_iter_steal (&iter);
          reeve_wire_under_way_free (call);
        }
      else if (call->reply == NULL && call->error == NULL)
        {
          call->error = g_error_copy (self->ended);
          g_cond_signal (&call->changed);
        }
    }
  reads = self->reader != NULL;
  g_mutex_unlock (&self->lock);
  if (reads)
    reeve_wire_wake_reader (self);
}

void
reeve_wire_on_ended (gpointer user_data, const GError *reason)
{
  ReeveWire *self = user_data;
  g_autofree char *end = reason == NULL ? reeve_runner_describe_end (self->runner) : NULL;
  g_autoptr (GError) why
      = g_error_new (REEVE_ERROR, REEVE_ERROR_PLUGIN, "plugin %s: its runner %s%s", self->name,
                     reason != NULL ? "was ended: " : "", reason != NULL ? reason->message : end);

  reeve_wire_fail_calls (self, why);
  reeve_runner_kill (self->runner);
  reeve_wire_hub_tell_ended (self->hub);
}

/**
 * reeve_wire_cut:
 * @self: a wire that is not closed meanwhile
 *
 * Whoever waits is told that the host ends; so does the runner.
 */
void
reeve_wire_cut (ReeveWire *self)
{
  g_autoptr (GError) why
      = g_error_new (REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "plugin %s: the host ends", self->name);

  reeve_wire_fail_calls (self, why);
  reeve_runner_kill (self->runner);
}

/* When a runner is ended that still has @call. Whoever is stopped because its share is used up ends
 * nothing meanwhile: it has its grace from when it goes on, for a while; else whoever calls a
 * plugin in a time when its share is used up would have it killed for all. */
static gint64
reeve_wire_get_end (ReeveWire *self, const ReeveWireUnderWay *call)
{
  gint64 end = call->deadline + REEVE_WIRE_GRACE_US;
  gint64 most = end + REEVE_WIRE_HELD_US;
  gint64 since = reeve_host_time_get_free_since (self->host_time);

  return CLAMP (MIN (since, most) + REEVE_WIRE_GRACE_US, end, most);
}

gint64
reeve_wire_on_overdue (gpointer user_data, gint64 now, GError **kill)
{
  ReeveWire *self = user_data;
  gint64 next = 0;
  GHashTableIter iter;
  gpointer value = NULL;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      ReeveWireUnderWay *call = value;
      gint64 end = 0;

      if (!call->left)
        continue;
      end = reeve_wire_get_end (self, call);
      if (end <= now && *kill == NULL)
        g_set_error (kill, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                     "a call of %s did not end behind its deadline", call->member);
      /* one that is stopped may go on sooner */
      end = MIN (end, now + REEVE_WIRE_GRACE_US);
      next = next == 0 ? end : MIN (next, end);
    }
  g_mutex_unlock (&self->lock);
  return next;
}

/* ---- waiting ---- */

typedef struct
{
  ReeveWire *wire;
  ReeveWireUnderWay *call;
} ReeveWireCancel;

static void
reeve_wire_on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  ReeveWireCancel *cancel = user_data;
  gboolean reads = FALSE;

  g_mutex_lock (&cancel->wire->lock);
  cancel->call->cancelled = TRUE;
  reads = cancel->wire->reader == cancel->call;
  g_cond_signal (&cancel->call->changed);
  g_mutex_unlock (&cancel->wire->lock);
  if (reads)
    reeve_wire_wake_reader (cancel->wire);
}

/* Under the lock. */
static gboolean
reeve_wire_awaits (const ReeveWireUnderWay *one)
{
  return one->reply == NULL && one->error == NULL && !one->cancelled
         && g_get_monotonic_time () < one->deadline;
}

/* Under the lock. */
static void
reeve_wire_borrow (ReeveWire *self, ReeveWireUnderWay *one)
{
  if (one->lent == NULL && self->passage != NULL && reeve_wire_passage_borrow (self->passage))
    one->lent = reeve_wire_passage_ref (self->passage);
}

void
reeve_wire_prepare_read (ReeveWire *self, ReeveWireUnderWay *one)
{
  g_mutex_lock (&self->lock);
  reeve_wire_borrow (self, one);
  g_mutex_unlock (&self->lock);
}

void
reeve_wire_drop_read (ReeveWireUnderWay *one)
{
  g_autoptr (ReeveWirePassage) passage = g_steal_pointer (&one->lent);

  if (passage != NULL)
    reeve_wire_passage_give_back (passage);
}

/* Reads, until @one has no reason to. Under the lock, which it gives up meanwhile. @begun: (inout):
 * what this thread has used that is not counted as yet */
static void
reeve_wire_lead (ReeveWire *self, ReeveWireUnderWay *one, gint64 *begun)
{
  g_autoptr (ReeveWirePassage) passage = g_steal_pointer (&one->lent);
  gboolean lent = TRUE;

  self->reader = one;
  one->thread = g_thread_self ();
  while (lent && one->own == NULL && reeve_wire_awaits (one))
    {
      g_mutex_unlock (&self->lock);
      lent = reeve_wire_passage_read (passage, self->wake, one->deadline, begun);
      g_mutex_lock (&self->lock);
    }
  /* one that is not lent any more may be lent to another already */
  if (self->reader == one)
    self->reader = NULL;
  if (!lent)
    return;
  /* which may wake the gate */
  g_mutex_unlock (&self->lock);
  reeve_wire_passage_give_back (passage);
  g_mutex_lock (&self->lock);
}

/* Others read meanwhile. Under the lock, which it gives up. */
static void
reeve_wire_serve_own (ReeveWire *self, ReeveWireUnderWay *one, gint64 *begun)
{
  ReeveWireBrokerJob *job = g_steal_pointer (&one->own);

  if (job == NULL)
    return;
  g_mutex_unlock (&self->lock);
  reeve_wire_broker_perform (job, one);
  *begun = reeve_host_time_add (self->host_time, *begun);
  g_mutex_lock (&self->lock);
}

void
reeve_wire_wait (ReeveWire *self, ReeveWireUnderWay *one, GCancellable *cancellable)
{
  ReeveWireCancel cancel = { self, one };
  gint64 begun = reeve_host_time_begin ();
  gulong handler = 0;

  if (cancellable != NULL)
    handler
        = g_cancellable_connect (cancellable, G_CALLBACK (reeve_wire_on_cancelled), &cancel, NULL);
  g_mutex_lock (&self->lock);
  while (reeve_wire_awaits (one))
    {
      reeve_wire_borrow (self, one);
      if (one->lent != NULL)
        reeve_wire_lead (self, one, &begun);
      else
        {
          one->waits = TRUE;
          g_cond_wait_until (&one->changed, &self->lock, one->deadline);
          one->waits = FALSE;
        }
      reeve_wire_serve_own (self, one, &begun);
    }
  g_mutex_unlock (&self->lock);
  reeve_wire_drop_read (one);
  g_cancellable_disconnect (cancellable, handler);
}

gboolean
reeve_wire_settle (ReeveWire *self, ReeveWireUnderWay *one)
{
  gboolean over = FALSE;

  g_mutex_lock (&self->lock);
  over = one->reply != NULL || one->error != NULL;
  if (over)
    g_hash_table_steal (self->calls, GUINT_TO_POINTER (one->number));
  one->left = !over;
  g_mutex_unlock (&self->lock);
  return over;
}

/* ---- what a reply says ---- */

WireLetter *
reeve_wire_read_reply (ReeveWire *self, const ReeveWireUnderWay *one, GError **error)
{
  const GDBusMethodInfo *method = wire_method_find (one->interface, one->member);
  g_autoptr (WireLetter) reply = NULL;

  if (one->reply == NULL)
    {
      g_propagate_error (error, g_error_copy (one->error));
      return NULL;
    }
  /* the rules let through only what it reads */
  reply = wire_letter_read_head (one->reply, error);
  if (reply == NULL)
    return NULL;
  if (reply->head.type == G_DBUS_MESSAGE_TYPE_ERROR)
    {
      g_propagate_error (error, wire_error_from_letter (reply));
      return NULL;
    }
  if (method == NULL || !wire_method_fits (method->out_args, reply))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   "plugin %s: its reply to %s is of another type", self->name, one->member);
      return NULL;
    }
  return g_steal_pointer (&reply);
}
