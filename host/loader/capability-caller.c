/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a provider of a capability asks of the call that it performs. */
#include "capability-caller.h"

/**
 * reeve_capability_caller_check:
 * @caller: a call of a capability
 * @error: return location
 *
 * Returns: whether it may go on
 */
gboolean
reeve_capability_caller_check (const ReeveCapabilityCaller *caller, GError **error)
{
  if (caller->lease == NULL || !reeve_capability_lease_is_cut (caller->lease))
    return reeve_context_check (caller->context, error);
  reeve_capability_lease_set_error (caller->lease, error);
  return FALSE;
}

/**
 * reeve_capability_caller_hold:
 * @caller: a call of a capability
 * @bytes: that it takes or gives
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_BUSY where too many are under way
 */
gboolean
reeve_capability_caller_hold (const ReeveCapabilityCaller *caller, gsize bytes, GError **error)
{
  if (caller->room == NULL)
    return TRUE;
  g_clear_pointer (caller->held, reeve_byte_room_give);
  *caller->held = reeve_byte_room_take (caller->room, caller->plugin_id, bytes, error);
  return *caller->held != NULL;
}
