/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireInbox: messages from a socket, whole ones, and no more of them than one buffer holds.
 * One thread at a time; never blocks. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef enum
{
  REEVE_WIRE_INBOX_WAITING, /* for bytes to come */
  REEVE_WIRE_INBOX_ENDED,   /* the socket is closed */
  REEVE_WIRE_INBOX_BROKEN   /* a rule was broken */
} ReeveWireInboxState;

/* Takes a whole message, which is there during the call. */
typedef gboolean (*ReeveWireInboxTake) (gpointer user_data, const guint8 *data, gsize length,
                                        GError **error);

typedef struct
{
  int fd;
  GPid sender; /* who alone may write; 0: not asked */
  gsize most;  /* bytes of a message */
  ReeveWireInboxTake take;
  gpointer user_data;
  guint8 *data;
  gsize size;
  gsize start;   /* not taken yet */
  gsize end;     /* not come yet */
  guint64 taken; /* bytes read, ever */
} ReeveWireInbox;

void reeve_wire_inbox_init (ReeveWireInbox *self, int fd, gsize most, ReeveWireInboxTake take,
                            gpointer user_data);
void reeve_wire_inbox_clear (ReeveWireInbox *self);
/* Reads once into the buffer: what stands before the first message. */
ReeveWireInboxState reeve_wire_inbox_read (ReeveWireInbox *self, GError **error);
/* Takes what is there, and reads no more than @most bytes of new ones. */
ReeveWireInboxState reeve_wire_inbox_run (ReeveWireInbox *self, gsize most, GError **error);
/* Is there the beginning of a message, and not its end? */
gboolean reeve_wire_inbox_is_within (const ReeveWireInbox *self);

G_END_DECLS
