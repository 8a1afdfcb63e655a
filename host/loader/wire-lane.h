/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireLane: messages from one socket to another, whole ones that were looked at, and no more
 * of them than one buffer holds. Never blocks. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define REEVE_WIRE_LANE_MAX_FDS 16 /* of one message */

typedef enum
{
  REEVE_WIRE_LANE_WAITING, /* for bytes to come, or for room where they go */
  REEVE_WIRE_LANE_ENDED,   /* one of the two sockets is closed */
  REEVE_WIRE_LANE_BROKEN   /* a rule was broken */
} ReeveWireLaneState;

/* Looks at a whole message. @n_fds: (out): how many descriptors belong to it */
typedef gboolean (*ReeveWireLaneCheck) (gpointer user_data, const guint8 *data, gsize length,
                                        guint *n_fds, GError **error);

typedef struct
{
  int from;
  int to;
  GPid sender;     /* who alone may write to @from; 0: not asked */
  gboolean no_fds; /* a descriptor breaks the rules */
  gsize most;      /* bytes of a message */
  ReeveWireLaneCheck check;
  gpointer user_data;
  guint8 *data;
  gsize size;
  gsize start;   /* not sent yet */
  gsize checked; /* not looked at yet */
  gsize end;     /* not come yet */
  gsize fds_at;  /* the message that goes with @n_fds descriptors */
  guint n_fds;
  int fds[REEVE_WIRE_LANE_MAX_FDS * 2];
  guint n_kept;  /* descriptors that have come and are not sent */
  gboolean full; /* where it goes there is no room */
  guint64 taken; /* bytes read, ever */
} ReeveWireLane;

void reeve_wire_lane_init (ReeveWireLane *self, int from, int to, gsize most,
                           ReeveWireLaneCheck check, gpointer user_data);
void reeve_wire_lane_clear (ReeveWireLane *self);
/* Reads once into the buffer: what stands before the first message. */
ReeveWireLaneState reeve_wire_lane_read (ReeveWireLane *self, GError **error);
/* Moves what it can, and no more than @most bytes of new ones. */
ReeveWireLaneState reeve_wire_lane_run (ReeveWireLane *self, gsize most, GError **error);
/* Is there the beginning of a message, and not its end? */
gboolean reeve_wire_lane_is_within (const ReeveWireLane *self);

G_END_DECLS
