/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many calls that become ready at once stay together for good when each step is done for all of
 * them before the next: all wait for the last, go out together and come back together. Where a turn
 * takes a few, the first are answered, recorded and sent on while others still come in, and the
 * crowd spreads. A loop that never gets to the end of what is ready gains nothing by that, and pays
 * for each turn: so several full turns one behind the other make the next ones larger. */
#include "turn.h"

#define REEVE_TURN_PATIENCE 4 /* full turns: a crowd of 64 */

/**
 * reeve_turn_begin:
 * @self: a turn
 *
 * Returns: how many events to take now, from %REEVE_TURN_LEAST to %REEVE_TURN_MOST
 */
int
reeve_turn_begin (ReeveTurn *self)
{
  self->limit = CLAMP (self->limit, REEVE_TURN_LEAST, REEVE_TURN_MOST);
  return (int) self->limit;
}

/**
 * reeve_turn_end:
 * @self: a turn that was begun
 * @taken: how many there were, of those that it was to take; less than 0: none
 */
void
reeve_turn_end (ReeveTurn *self, int taken)
{
  if (taken >= (int) self->limit)
    {
      if (++self->full < REEVE_TURN_PATIENCE)
        return;
      self->full = 0;
      self->limit = MIN (self->limit * 2, REEVE_TURN_MOST);
      return;
    }
  self->full = 0;
  if (taken < (int) self->limit / 2)
    self->limit = MAX (self->limit / 2, REEVE_TURN_LEAST);
}
