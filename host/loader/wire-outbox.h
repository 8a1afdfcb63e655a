/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireOutbox: messages to a runner, each written by whoever has it where the socket takes it
 * at once; what waits goes in its order. Any thread; never blocks. */
#pragma once

#include "wire-rules.h"

G_BEGIN_DECLS

typedef struct _ReeveWireOutbox ReeveWireOutbox;

/* One message. How many wait is bounded by what may be under way: calls and answers. */
typedef struct
{
  guint8 *data; /* the caller's */
  gsize length;
  const int *fds; /* the caller's: copied where they wait */
  guint n_fds;
  guint32 asks;    /* serial of a call that wants a reply; 0: it is none */
  guint32 answers; /* serial of the runner's call; 0: it is none */
} ReeveWireParcel;

/* Holds what it is given until it is opened. @fd, @rules: the caller's, and outlive it */
ReeveWireOutbox *reeve_wire_outbox_new (int fd, ReeveWireRules *rules) G_GNUC_WARN_UNUSED_RESULT;
void reeve_wire_outbox_free (ReeveWireOutbox *self);
/* Nothing is sent, and what waits is let go, with its descriptors. */
void reeve_wire_outbox_close (ReeveWireOutbox *self);
/* Where it is closed nobody hears of it. %REEVE_ERROR_FAILED: no descriptors are left to wait with;
 * nothing of it was sent */
gboolean reeve_wire_outbox_send (ReeveWireOutbox *self, const ReeveWireParcel *parcel,
                                 GError **error);
/* Sends what waits, now and from now on. */
void reeve_wire_outbox_flush (ReeveWireOutbox *self);
/* The socket has no room for all that waits: it is to be flushed when there is some. */
gboolean reeve_wire_outbox_is_full (ReeveWireOutbox *self);
/* When what waits is to be flushed though the socket has room: the system was short of something;
 * 0: nothing waits for that. Monotonic. */
gint64 reeve_wire_outbox_get_due (ReeveWireOutbox *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWireOutbox, reeve_wire_outbox_free)

G_END_DECLS
