/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWirePassage: the host's end of one runner's socket. What comes is read by one thread at a
 * time: the gate's, or that of a call which waits and has borrowed it. */
#pragma once

#include "host-time.h"
#include "wire-outbox.h"

G_BEGIN_DECLS

typedef struct _ReeveWirePassage ReeveWirePassage;

/* A whole message that the rules let through, which is there during the call; on whichever thread
 * reads: it must not block. */
typedef void (*ReeveWirePassageTake) (gpointer user_data, const WireMessage *message,
                                      const guint8 *data, gsize length);

/* Once, on the gate's thread: it must not block. @reason: (nullable): the rule that was broken;
 * %NULL: the runner closed its end, or ended */
typedef void (*ReeveWirePassageEnded) (gpointer user_data, const GError *reason);

/* At the time that was set by reeve_wire_passage_set_alarm(), on the gate's thread. Returns when to
 * ask again, 0: not. @kill: (out): why the runner is to end now */
typedef gint64 (*ReeveWirePassageOverdue) (gpointer user_data, gint64 now, GError **kill);

typedef struct
{
  int socket;  /* the runner's, SO_PASSCRED on it from its beginning; taken over */
  int pidfd;   /* of the runner; taken over; -1: none */
  GPid runner; /* who writes */
  const char *guid;
  const ReeveWireLimits *limits; /* (nullable) */
  ReeveHostTime *host_time;      /* what is used for it: while it is held nothing is read */
  ReeveWirePassageTake take;
  ReeveWirePassageEnded ended;
  ReeveWirePassageOverdue overdue;
  gpointer user_data;
} ReeveWirePassageSetup;

ReeveWirePassage *reeve_wire_passage_new (const ReeveWirePassageSetup *setup)
    G_GNUC_WARN_UNUSED_RESULT;
ReeveWirePassage *reeve_wire_passage_ref (ReeveWirePassage *self);
void reeve_wire_passage_unref (ReeveWirePassage *self);

/* ---- any thread ---- */

/* Never blocks. %REEVE_ERROR_FAILED: nothing of it was sent */
gboolean reeve_wire_passage_send (ReeveWirePassage *self, const ReeveWireParcel *parcel,
                                  GError **error);
/* The gate must be woken. An earlier one stays. */
void reeve_wire_passage_set_alarm (ReeveWirePassage *self, gint64 at);
/* TRUE: the caller reads, until it gives it back. FALSE: somebody does, or there is more to it than
 * reading messages: then the gate does. */
gboolean reeve_wire_passage_borrow (ReeveWirePassage *self);
/* By whoever has borrowed it: waits for messages, for @wake (a descriptor) or until @deadline, and
 * takes what has come. FALSE: it is the gate's again. @begun: (inout): what the thread had used
 * (reeve_host_time_begin()): counted up to here where the runner asked for something */
gboolean reeve_wire_passage_read (ReeveWirePassage *self, int wake, gint64 deadline, gint64 *begun);
void reeve_wire_passage_give_back (ReeveWirePassage *self);

/* ---- the gate's thread ---- */

/* Puts its socket under @epoll. @wake: an eventfd(2) that wakes the gate; the gate's */
gboolean reeve_wire_passage_watch (ReeveWirePassage *self, int epoll, int wake, GError **error);
/* Nothing is taken from it any more. */
void reeve_wire_passage_close (ReeveWirePassage *self);
/* @watch, @events: what epoll says; @begun: as above */
void reeve_wire_passage_wake (gpointer watch, guint32 events, gint64 *begun);
/* When it must be asked again, monotonic; 0: not until something happens */
gint64 reeve_wire_passage_get_due (ReeveWirePassage *self);
void reeve_wire_passage_tick (ReeveWirePassage *self, gint64 now, gint64 *begun);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWirePassage, reeve_wire_passage_unref)

G_END_DECLS
