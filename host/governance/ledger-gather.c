/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A loop that has much to do makes many records in one turn. Each would wake the writer, which
 * takes the processor from the loop, finds one record and syncs it. So the loop tells the writer
 * once, when it is about to look for what comes next; and it always is, whether it then sleeps or
 * not. Where records come one by one the writer is told at once: there is nothing to gather, and
 * the loop goes on with what may overlap with the sync. */
#include "ledger-gather.h"

#include "ledger-private.h"

typedef struct
{
  ReeveLedger *ledger;
  GPollFunc poll;
  gboolean held;
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
  if (!self->held)
    return;
  self->held = FALSE;
  if (self->ledger->writer != NULL)
    reeve_ledger_writer_release (self->ledger->writer);
}

/* Of the thread's own loop. */
static gint
reeve_ledger_gather_poll (GPollFD *fds, guint n_fds, gint timeout)
{
  ReeveLedgerGather *self = g_private_get (&reeve_ledger_gather_current);

  if (self == NULL)
    return g_poll (fds, n_fds, timeout);
  reeve_ledger_gather_release (self);
  return self->poll (fds, n_fds, timeout);
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

gboolean *
reeve_ledger_gather_get_held (ReeveLedger *ledger)
{
  ReeveLedgerGather *self = g_private_get (&reeve_ledger_gather_current);

  return self != NULL && self->ledger == ledger ? &self->held : NULL;
}
