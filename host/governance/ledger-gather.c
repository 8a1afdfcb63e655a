/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A loop that has much to do makes many records in one turn. Each would wake the writer, which
 * takes the processor from the loop, finds one record and syncs it. So the loop tells the writer
 * once, when it is about to look for what comes next; and it always is, whether it then sleeps or
 * not. Where records come one by one the writer is told at once: there is nothing to gather, and
 * the loop goes on with what may overlap with the sync.
 *
 * A loop that sleeps between its turns has processor time to spare, and what it holds back waits
 * for nothing but the rest of a burst: then a turn is handed over in pieces, and the sync of one
 * overlaps with the making of the next.
 *
 * For an outcome that may wait nobody waits. It goes with the next record, which under load comes
 * at once; where none does, the loop hands it over in a moment. Else the writer would be woken for
 * it alone, and the processor with it, once for each call. */
#include "ledger-gather.h"

#include "ledger-private.h"

#define REEVE_LEDGER_GATHER_REST   100 /* µs asleep that make a rest */
#define REEVE_LEDGER_GATHER_PIECE  400 /* µs: as long as a sync of a good disk */
#define REEVE_LEDGER_GATHER_MOMENT 1   /* ms for which an outcome may wait for the next record */

typedef struct
{
  ReeveLedger *ledger;
  GPollFunc poll;
  ReeveLedgerHeld held;
  gboolean rested; /* before this turn */
  gint64 since;    /* of the first record that is held */
  gint64 waiting;  /* since when an outcome is, about; 0: not yet */
} ReeveLedgerGather;

static void
reeve_ledger_gather_free (gpointer data)
{
  ReeveLedgerGather *self = data;

  g_object_unref (self->ledger);
  g_free (self);
}

static GPrivate reeve_ledger_gather_current = G_PRIVATE_INIT (reeve_ledger_gather_free);

static void
reeve_ledger_gather_release (ReeveLedgerGather *self)
{
  if (self->held == REEVE_LEDGER_HELD_NOTHING)
    return;
  self->held = REEVE_LEDGER_HELD_NOTHING;
  self->waiting = 0;
  if (self->ledger->writer != NULL)
    reeve_ledger_writer_release (self->ledger->writer);
}

/* Sleeps with an outcome that may wait, but only for a moment. */
static gint
reeve_ledger_gather_linger (ReeveLedgerGather *self, GPollFD *fds, guint n_fds, gint timeout,
                            gint64 now)
{
  gint moment
      = timeout < 0 ? REEVE_LEDGER_GATHER_MOMENT : MIN (timeout, REEVE_LEDGER_GATHER_MOMENT);
  gint ready = 0;

  if (self->waiting == 0)
    self->waiting = now;
  if (now - self->waiting < REEVE_LEDGER_GATHER_MOMENT * G_TIME_SPAN_MILLISECOND)
    {
      ready = self->poll (fds, n_fds, moment);
      if (ready != 0 || timeout == moment)
        return ready;
      timeout = timeout < 0 ? timeout : timeout - moment;
    }
  reeve_ledger_gather_release (self);
  return self->poll (fds, n_fds, timeout);
}

/* Of the thread's own loop. */
static gint
reeve_ledger_gather_poll (GPollFD *fds, guint n_fds, gint timeout)
{
  ReeveLedgerGather *self = g_private_get (&reeve_ledger_gather_current);
  gint64 began = 0;
  gint ready = 0;

  if (self == NULL)
    return g_poll (fds, n_fds, timeout);
  if (self->held == REEVE_LEDGER_HELD_RECORDS)
    reeve_ledger_gather_release (self);
  began = g_get_monotonic_time ();
  ready = self->held == REEVE_LEDGER_HELD_OUTCOME
              ? reeve_ledger_gather_linger (self, fds, n_fds, timeout, began)
              : self->poll (fds, n_fds, timeout);
  self->rested = g_get_monotonic_time () - began >= REEVE_LEDGER_GATHER_REST;
  return ready;
}

/**
 * reeve_ledger_gather_begin:
 * @ledger: an open ledger, which stays open until reeve_ledger_gather_end()
 * @context: a context that only the caller's thread iterates
 *
 * From now on this thread may hold records back until the end of a turn of its loop. Nothing waits
 * for longer: what it waits for itself, or asks others to wait for, is handed over at once.
 */
void
reeve_ledger_gather_begin (ReeveLedger *ledger, GMainContext *context)
{
  ReeveLedgerGather *self = g_new0 (ReeveLedgerGather, 1);

  self->ledger = g_object_ref (ledger);
  self->poll = g_main_context_get_poll_func (context);
  g_private_replace (&reeve_ledger_gather_current, self);
  g_main_context_set_poll_func (context, reeve_ledger_gather_poll);
}

/**
 * reeve_ledger_gather_end:
 * @context: that of reeve_ledger_gather_begin(), on the same thread
 *
 * Hands over what was held back.
 */
void
reeve_ledger_gather_end (GMainContext *context)
{
  ReeveLedgerGather *self = g_private_get (&reeve_ledger_gather_current);

  reeve_ledger_gather_release (self);
  g_main_context_set_poll_func (context, self->poll);
  g_private_replace (&reeve_ledger_gather_current, NULL);
}

/* What was held for long enough goes, and the next one begins a new piece. */
static void
reeve_ledger_gather_cut (ReeveLedgerGather *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->held == REEVE_LEDGER_HELD_RECORDS && now - self->since >= REEVE_LEDGER_GATHER_PIECE)
    reeve_ledger_gather_release (self);
  if (self->held != REEVE_LEDGER_HELD_RECORDS)
    self->since = now;
}

/**
 * reeve_ledger_holds_back:
 * @self: a ledger
 *
 * Returns: whether the calling thread has records that it hands over only at the end of its turn,
 * so that what it does before then makes somebody wait
 */
gboolean
reeve_ledger_holds_back (ReeveLedger *self)
{
  ReeveLedgerGather *gather = g_private_get (&reeve_ledger_gather_current);

  return gather != NULL && gather->ledger == self && gather->held != REEVE_LEDGER_HELD_NOTHING;
}

ReeveLedgerHeld *
reeve_ledger_gather_get_held (ReeveLedger *ledger)
{
  ReeveLedgerGather *self = g_private_get (&reeve_ledger_gather_current);

  if (self == NULL || self->ledger != ledger)
    return NULL;
  if (self->rested)
    reeve_ledger_gather_cut (self);
  if (self->held == REEVE_LEDGER_HELD_NOTHING)
    self->waiting = 0;
  return &self->held;
}
