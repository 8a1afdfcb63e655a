/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Most capabilities are over with their call; a connection that was opened is not. It goes on by
 * the same right, which is taken back in the same way. */
#include "capabilities-private.h"

struct _ReeveCapabilityHold
{
  ReeveCapabilities *capabilities;
  ReeveCapabilityLease *lease; /* (nullable): nobody keeps grants here */
  GCancellable *outer;         /* (nullable): of the caller */
  gulong handler;
};

/**
 * reeve_capability_hold_new:
 * @caller: a call of a capability, which needs none besides
 *
 * What the call rests on is held on to behind its end, once.
 *
 * Returns: (transfer full): that right
 */
ReeveCapabilityHold *
reeve_capability_hold_new (const ReeveCapabilityCaller *caller)
{
  ReeveCapabilitiesPassage *passage = caller->passage;
  ReeveCapabilityHold *self = g_new0 (ReeveCapabilityHold, 1);
  GCancellable *outer = reeve_context_get_cancellable (caller->context);

  self->outer = outer != NULL ? g_object_ref (outer) : NULL;
  if (passage == NULL)
    {
      /* a caller of its own making, with a lease of its own */
      self->lease = caller->lease != NULL ? reeve_capability_lease_ref (caller->lease) : NULL;
      return self;
    }
  self->capabilities = reeve_capabilities_ref (passage->broker->capabilities);
  self->lease = caller->lease;
  self->handler = passage->handler;
  passage->held = TRUE;
  return self;
}

/**
 * reeve_capability_hold_get_cancellable:
 * @self: a right
 *
 * Returns: (transfer none) (nullable): cancelled when the caller gives up, or the grant that it
 * rests on is taken back
 */
GCancellable *
reeve_capability_hold_get_cancellable (ReeveCapabilityHold *self)
{
  return self->lease != NULL ? reeve_capability_lease_get_cancellable (self->lease) : self->outer;
}

/**
 * reeve_capability_hold_free:
 * @self: (transfer full): a right
 *
 * Gives it back. Holds no lock, and is not called from its cancellable.
 */
void
reeve_capability_hold_free (ReeveCapabilityHold *self)
{
  if (self->handler != 0)
    g_cancellable_disconnect (self->outer, self->handler);
  if (self->lease != NULL && self->capabilities != NULL)
    self->capabilities->grants.release (self->lease, self->capabilities->grants_data);
  else if (self->lease != NULL)
    reeve_capability_lease_unref (self->lease);
  g_clear_object (&self->outer);
  g_clear_pointer (&self->capabilities, reeve_capabilities_unref);
  g_free (self);
}
