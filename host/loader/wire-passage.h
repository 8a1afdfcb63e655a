/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWirePassage: the way between one runner's socket and GDBus. The gate's thread drives it. */
#pragma once

#include "wire-rules.h"

G_BEGIN_DECLS

typedef struct _ReeveWirePassage ReeveWirePassage;

/* Once, on the gate's thread: it must not block. @reason: (nullable): the rule that was broken;
 * %NULL: the runner closed its end, or ended */
typedef void (*ReeveWirePassageEnded) (gpointer user_data, const GError *reason);

/* At the time that was set by reeve_wire_passage_set_alarm(), on the gate's thread. Returns when to
 * ask again, 0: not. @kill: (out): why the runner is to end now */
typedef gint64 (*ReeveWirePassageOverdue) (gpointer user_data, gint64 now, GError **kill);

typedef struct
{
  int outer;   /* the runner's socket, SO_PASSCRED on it from its beginning; taken over */
  int inner;   /* GDBus's; taken over */
  int pidfd;   /* of the runner; taken over; -1: none */
  GPid runner; /* who writes */
  const char *guid;
  const ReeveWireLimits *limits; /* (nullable) */
  ReeveWirePassageEnded ended;
  ReeveWirePassageOverdue overdue;
  gpointer user_data;
} ReeveWirePassageSetup;

ReeveWirePassage *reeve_wire_passage_new (const ReeveWirePassageSetup *setup)
    G_GNUC_WARN_UNUSED_RESULT;
void reeve_wire_passage_free (ReeveWirePassage *self);
/* Puts its sockets under @epoll. */
gboolean reeve_wire_passage_watch (ReeveWirePassage *self, int epoll, GError **error);
/* @watch, @events: what epoll says */
void reeve_wire_passage_wake (gpointer watch, guint32 events);
/* When it must be asked again, monotonic; 0: not until something happens */
gint64 reeve_wire_passage_get_due (ReeveWirePassage *self);
/* Any thread; the gate must be woken. An earlier one stays. */
void reeve_wire_passage_set_alarm (ReeveWirePassage *self, gint64 at);
void reeve_wire_passage_tick (ReeveWirePassage *self, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWirePassage, reeve_wire_passage_free)

G_END_DECLS
