/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many of the sockets that are ready one turn of a loop takes. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_TURN_LEAST 16
#define REEVE_TURN_MOST  128

/**
 * ReeveTurn:
 * @limit: so many events the next turn takes
 * @full: so many turns one behind the other had as many
 *
 * Zeros are one that has not begun.
 */
typedef struct
{
  guint limit;
  guint full;
} ReeveTurn;

int reeve_turn_begin (ReeveTurn *self);
void reeve_turn_end (ReeveTurn *self, int taken);

G_END_DECLS
