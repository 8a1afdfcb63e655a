/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* It is the host's alone: a plugin has no context of the host's, or is in the host. */
#include "capability-level.h"

static GQuark
reeve_capability_level_quark (void)
{
  return g_quark_from_static_string ("reeve-capability-level");
}

/**
 * reeve_capability_level_set:
 * @context: of a call that is not yet made
 * @level: how many calls of plugins it hangs below
 */
void
reeve_capability_level_set (ReeveContext *context, guint level)
{
  g_object_set_qdata (G_OBJECT (context), reeve_capability_level_quark (),
                      GUINT_TO_POINTER (MIN (level, REEVE_CAPABILITY_LEVEL_MAX)));
}

/**
 * reeve_capability_level_get:
 * @context: of a call
 *
 * Returns: how many calls of plugins it hangs below, %REEVE_CAPABILITY_LEVEL_MAX at most
 */
guint
reeve_capability_level_get (ReeveContext *context)
{
  return GPOINTER_TO_UINT (
      g_object_get_qdata (G_OBJECT (context), reeve_capability_level_quark ()));
}
