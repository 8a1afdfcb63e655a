/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestOutbox: what waits to be sent, bounded. */
#pragma once

#include "channel.h"

G_BEGIN_DECLS

#define REEVE_REST_OUTBOX_SIZE   (64 * 1024)
#define REEVE_REST_OUTBOX_SPARES 32 /* pieces that a thread keeps */

typedef struct
{
  guint8 *data;
  gsize size;
  gsize sent;
  gsize length;
  gint64
      moved_at; /* monotonic µs; when it was last empty, or another REEVE_REST_OUTBOX_SIZE went */
  gsize moved;  /* bytes sent since then */
  GPtrArray *spares; /* (nullable): of its thread; pieces as the first one of an answer is */
} ReeveRestOutbox;

void reeve_rest_outbox_clear (ReeveRestOutbox *self);
gsize reeve_rest_outbox_get_pending (const ReeveRestOutbox *self);
/* As much as there is room for. */
gsize reeve_rest_outbox_add (ReeveRestOutbox *self, const void *data, gsize length);
/* FALSE: the channel takes no more, errno says why. */
gboolean reeve_rest_outbox_send (ReeveRestOutbox *self, ReeveRestChannel *channel);

G_END_DECLS
