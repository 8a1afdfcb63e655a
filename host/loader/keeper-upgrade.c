/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One version of a plugin in the place of another, while calls go on. The other one's process is
 * there, with all its instances, before anything changes. */
#include "keeper-private.h"

/* Makes @term the process that calls go to, unless the host ends. (out) @old: (nullable): what to
 * close */
static gboolean
reeve_keeper_turn (ReeveKeeper *self, ReeveTerm *term, const ReeveTermPlugin *next, ReeveTerm **old,
                   GError **error)
{
  gboolean good = FALSE;

  g_mutex_lock (&self->lock);
  /* one that is being started is of the old version, and reads what is changed here */
  while (self->starting)
    g_cond_wait (&self->changed, &self->lock);
  good = !self->closed;
  if (good)
    {
      *old = reeve_keeper_detach (self);
      reeve_manifest_unref (self->plugin.manifest);
      self->plugin = *next;
      reeve_manifest_ref (next->manifest);
      self->term = term;
      self->layers = reeve_term_get_layers (term);
      self->scratch = reeve_term_get_limits (term)->scratch != 0;
      self->known = TRUE;
      self->idle_since = g_get_monotonic_time ();
      reeve_keeper_forgive (self);
    }
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "the host ends");
  g_mutex_unlock (&self->lock);
  return good;
}

/**
 * reeve_keeper_upgrade:
 * @self: a keeper
 * @pin: of the other version; outlives @self
 * @manifest: of the other version
 * @ready: called with its process before any call gets there
 * @user_data: closure
 * @error: return location: why it cannot be started, or what @ready says
 *
 * One at a time. Every call is made by one of both versions: it is in the process that it entered,
 * and that one ends behind the last.
 *
 * Returns: whether new calls go to the other version; else nothing has changed
 */
gboolean
reeve_keeper_upgrade (ReeveKeeper *self, const ReevePin *pin, ReeveManifest *manifest,
                      ReeveKeeperReadyFunc ready, gpointer user_data, GError **error)
{
  const ReeveTermPlugin next = { .manifest = manifest,
                                 .pin = pin,
                                 .policy = self->plugin.policy,
                                 .uid = self->plugin.uid,
                                 .capabilities = self->plugin.capabilities,
                                 .ending = self->ending };
  ReeveTerm *term = reeve_term_new (self->confined, &next, NULL, error);
  ReeveTerm *old = NULL;

  if (term == NULL)
    return FALSE;
  if (!ready (term, user_data, error) || !reeve_keeper_turn (self, term, &next, &old, error))
    {
      reeve_keeper_bury (term);
      return FALSE;
    }
  reeve_keeper_bury (old);
  reeve_confined_write_quarantine (self->confined, self->id, pin->module, NULL);
  reeve_confined_kick (self->confined);
  return TRUE;
}
