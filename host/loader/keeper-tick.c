/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done while nobody calls: one that ended is taken away, one that may have more or less by
 * now is started anew, one that is idle ends. */
#include "keeper-private.h"

/* Is it started with what the plugin may have now? The next call gets another process otherwise;
 * those under way end in this one. */
static void
reeve_keeper_renew (ReeveKeeper *self)
{
  g_autoptr (ReeveManifest) manifest = reeve_keeper_get_manifest (self);
  ReevePluginLimits limits = { 0 };
  ReeveTerm *term = NULL;
  gboolean running = FALSE;
  gboolean changed = FALSE;

  g_mutex_lock (&self->lock);
  running = self->term != NULL;
  g_mutex_unlock (&self->lock);
  if (!running)
    return;
  reeve_plugin_limits_find (self->plugin.capabilities, manifest, &limits);
  g_mutex_lock (&self->lock);
  changed = self->term != NULL && manifest == self->plugin.manifest
            && !reeve_plugin_limits_equal (reeve_term_get_limits (self->term), &limits);
  if (changed)
    term = reeve_keeper_detach (self);
  g_mutex_unlock (&self->lock);
  if (changed)
    g_message ("plugin %s: how much its process may have was changed: the next one has it",
               self->id);
  reeve_keeper_bury (term);
}

gint64
reeve_keeper_tick (gpointer user_data, gint64 now)
{
  ReeveKeeper *self = user_data;
  gint64 idle = reeve_confined_get_setup (self->confined)->idle_us;
  ReeveTerm *term = NULL;
  gint64 next = 0;

  reeve_keeper_sweep (self);
  reeve_keeper_renew (self);
  g_mutex_lock (&self->lock);
  if (self->term != NULL && reeve_term_count (self->term) == 0 && self->idle_since + idle <= now)
    term = g_steal_pointer (&self->term);
  else if (self->term != NULL)
    next = reeve_term_count (self->term) == 0 ? self->idle_since + idle : now + idle;
  g_mutex_unlock (&self->lock);
  if (term != NULL)
    g_debug ("plugin %s: its process is idle, and ends", self->id);
  reeve_keeper_bury (term);
  return next;
}
