/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread starts a process while the others wait for it. Whoever finds that it has ended takes
 * it away; whoever is the last in one that was taken away closes it. Nothing of that happens under
 * the lock. */
#include "keeper-private.h"

/* a call waits for so long for the next start, and fails at once where it would be longer */
#define REEVE_KEEPER_PATIENCE_US (2 * G_USEC_PER_SEC)
/* looks at a call that was cancelled while it waits */
#define REEVE_KEEPER_LOOK_US (G_USEC_PER_SEC / 10)

/**
 * reeve_keeper_new:
 * @confined: what processes of plugins share
 * @plugin: which
 *
 * Returns: (transfer full): it, without a process
 */
ReeveKeeper *
reeve_keeper_new (ReeveConfined *confined, const ReeveTermPlugin *plugin)
{
  ReeveKeeper *self = g_new0 (ReeveKeeper, 1);

  g_atomic_ref_count_init (&self->references);
  self->confined = reeve_confined_ref (confined);
  self->id = g_strdup (reeve_manifest_get_id (plugin->manifest));
  self->ending = g_cancellable_new ();
  self->plugin = *plugin;
  self->plugin.ending = self->ending;
  reeve_manifest_ref (plugin->manifest);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  reeve_crashes_init (&self->crashes);
  self->quarantine = reeve_confined_read_quarantine (confined, self->id, plugin->pin->module);
  reeve_confined_watch (confined, reeve_keeper_tick, self);
  return self;
}

ReeveKeeper *
reeve_keeper_ref (ReeveKeeper *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * reeve_keeper_unref:
 * @self: (transfer full): closed, at the last one
 */
void
reeve_keeper_unref (ReeveKeeper *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  reeve_crashes_clear (&self->crashes);
  g_free (self->quarantine);
  g_free (self->trouble);
  g_free (self->id);
  reeve_manifest_unref (self->plugin.manifest);
  g_clear_object (&self->ending);
  reeve_confined_unref (self->confined);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

/**
 * reeve_keeper_get_manifest:
 * @self: a keeper
 *
 * Returns: (transfer full): of the version that new calls go to
 */
ReeveManifest *
reeve_keeper_get_manifest (ReeveKeeper *self)
{
  ReeveManifest *manifest = NULL;

  g_mutex_lock (&self->lock);
  manifest = reeve_manifest_ref (self->plugin.manifest);
  g_mutex_unlock (&self->lock);
  return manifest;
}

/* The digest of its module, which is a pin's and so outlives this. */
static const char *
reeve_keeper_get_module (ReeveKeeper *self)
{
  const char *module = NULL;

  g_mutex_lock (&self->lock);
  module = self->plugin.pin->module;
  g_mutex_unlock (&self->lock);
  return module;
}

ReeveConfined *
reeve_keeper_get_confined (ReeveKeeper *self)
{
  return self->confined;
}

static const char *
reeve_keeper_get_id (ReeveKeeper *self)
{
  return self->id;
}

/* Whether an administrator disabled it. With or without the lock. */
gboolean
reeve_keeper_is_off (ReeveKeeper *self)
{
  ReeveSwitches *switches = reeve_confined_get_setup (self->confined)->switches;

  return switches != NULL && reeve_switches_is_off (switches, reeve_keeper_get_id (self));
}

/* ---- ends ---- */

void
reeve_keeper_bury (ReeveTerm *term)
{
  if (term == NULL)
    return;
  reeve_term_close (term);
  reeve_term_unref (term);
}

/* What is to be kept and told of a quarantine, without the lock: of the module that it is about,
 * which may be another one's turn by then. */
typedef struct
{
  char *reason;       /* (nullable): there is none */
  const char *module; /* a pin's */
} ReeveKeeperVerdict;

/* Under the lock: its process ended by itself. @verdict: (out): it was one time too often */
static void
reeve_keeper_count (ReeveKeeper *self, const char *why, ReeveKeeperVerdict *verdict)
{
  if (!reeve_crashes_add (&self->crashes, g_get_monotonic_time (), g_random_double ())
      || self->quarantine != NULL)
    return;
  self->quarantine = g_strdup_printf ("%d crashes in %d minutes; the last: %s", REEVE_CRASHES_MOST,
                                      (int) (REEVE_CRASHES_WINDOW_US / G_USEC_PER_SEC / 60), why);
  *verdict = (ReeveKeeperVerdict){ g_strdup (self->quarantine), self->plugin.pin->module };
}

/* Under the lock: the term that ended goes, and it is settled what follows. (transfer full)
 * (nullable): what to close. @verdict: (out): it was one time too often */
static ReeveTerm *
reeve_keeper_take_ended (ReeveKeeper *self, ReeveKeeperVerdict *verdict)
{
  g_autoptr (GError) why = NULL;
  ReeveTerm *term = self->term;

  if (term == NULL || !reeve_term_has_ended (term, &why))
    return NULL;
  self->term = NULL;
  g_free (self->trouble);
  self->trouble = g_strdup (why->message);
  reeve_keeper_count (self, why->message, verdict);
  /* the last caller in it closes it */
  return reeve_term_count (term) == 0 ? term : NULL;
}

/* Without the lock: durable, and told. */
static void
reeve_keeper_quarantine (ReeveKeeper *self, ReeveKeeperVerdict *verdict)
{
  g_autofree char *reason = g_steal_pointer (&verdict->reason);

  if (reason == NULL)
    return;
  g_warning ("plugin %s is quarantined: %s", reeve_keeper_get_id (self), reason);
  reeve_confined_write_quarantine (self->confined, reeve_keeper_get_id (self), verdict->module,
                                   reason);
  reeve_confined_tell (self->confined, reeve_keeper_get_id (self), "quarantined", reason);
}

void
reeve_keeper_sweep (ReeveKeeper *self)
{
  ReeveKeeperVerdict verdict = { 0 };
  ReeveTerm *ended = NULL;

  g_mutex_lock (&self->lock);
  ended = reeve_keeper_take_ended (self, &verdict);
  g_mutex_unlock (&self->lock);
  reeve_keeper_bury (ended);
  reeve_keeper_quarantine (self, &verdict);
}

/* ---- starts ---- */

/* Without the lock. */
static ReeveTerm *
reeve_keeper_start (ReeveKeeper *self, GError **error)
{
  GError *problem = NULL;
  gboolean fell = FALSE;
  ReeveTerm *term = reeve_term_new (self->confined, &self->plugin, &fell, &problem);
  ReeveKeeperVerdict verdict = { 0 };
  gboolean unwanted = FALSE;

  g_mutex_lock (&self->lock);
  self->starting = FALSE;
  unwanted = self->closed && term != NULL;
  if (term == NULL)
    {
      if (fell)
        reeve_keeper_count (self, problem->message, &verdict);
      else
        reeve_crashes_delay (&self->crashes, g_get_monotonic_time (), g_random_double ());
      g_free (self->trouble);
      self->trouble = g_strdup (problem->message);
    }
  else if (!unwanted)
    {
      self->term = term;
      self->layers = reeve_term_get_layers (term);
      self->scratch = reeve_term_get_limits (term)->scratch != 0;
      self->known = TRUE;
      reeve_term_enter (term);
      reeve_term_ref (term);
    }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  reeve_keeper_quarantine (self, &verdict);
  if (problem != NULL)
    g_propagate_error (error, problem);
  if (term != NULL && !unwanted)
    {
      reeve_confined_kick (self->confined);
      return term;
    }
  reeve_keeper_bury (term);
  if (unwanted)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "the host ends");
  return NULL;
}

/* Under the lock: why no call is let in, whatever it waits for. */
static gboolean
reeve_keeper_refuses (ReeveKeeper *self, gint64 now, GError **error)
{
  ReeveSwitches *switches = reeve_confined_get_setup (self->confined)->switches;
  gint64 wait = self->crashes.not_before - now;

  if (switches != NULL && !reeve_switches_check (switches, reeve_keeper_get_id (self), error))
    return TRUE;
  if (self->closed)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "plugin %s: the host ends",
                 reeve_keeper_get_id (self));
  else if (self->quarantine != NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "plugin %s is quarantined: %s; `reevectl plugins restart %s` lifts it",
                 reeve_keeper_get_id (self), self->quarantine, reeve_keeper_get_id (self));
  else if (self->term == NULL && !self->starting && wait > REEVE_KEEPER_PATIENCE_US)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                 "plugin %s starts again in %" G_GINT64_FORMAT " s: %s", reeve_keeper_get_id (self),
                 wait / G_USEC_PER_SEC + 1, self->trouble != NULL ? self->trouble : "it ended");
  else
    return FALSE;
  return TRUE;
}

/* Under the lock: waits until there is a term, or it is this caller's turn to start one (then it is
 * marked so). */
static gboolean
reeve_keeper_await (ReeveKeeper *self, ReeveContext *context, GError **error)
{
  while (TRUE)
    {
      gint64 now = g_get_monotonic_time ();

      if (reeve_keeper_refuses (self, now, error) || !reeve_context_check (context, error))
        return FALSE;
      if (self->term != NULL)
        return TRUE;
      if (!self->starting && self->crashes.not_before <= now)
        {
          self->starting = TRUE;
          return TRUE;
        }
      g_cond_wait_until (&self->changed, &self->lock, now + REEVE_KEEPER_LOOK_US);
    }
}

/**
 * reeve_keeper_enter:
 * @self: a keeper
 * @context: of the call
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a process for that call; reeve_keeper_leave() is its end
 */
ReeveTerm *
reeve_keeper_enter (ReeveKeeper *self, ReeveContext *context, GError **error)
{
  ReeveTerm *term = NULL;
  gboolean good = FALSE;

  reeve_keeper_sweep (self);
  g_mutex_lock (&self->lock);
  good = reeve_keeper_await (self, context, error);
  term = good ? self->term : NULL;
  if (term != NULL)
    {
      reeve_term_enter (term);
      reeve_term_ref (term);
    }
  g_mutex_unlock (&self->lock);
  return term != NULL || !good ? term : reeve_keeper_start (self, error);
}

/**
 * reeve_keeper_leave:
 * @self: a keeper
 * @term: (transfer full): from reeve_keeper_enter()
 * @input: (nullable): digest of what the plugin had, where the call failed
 *
 * Returns: whether the process ended while it had that
 */
gboolean
reeve_keeper_leave (ReeveKeeper *self, ReeveTerm *term, const char *input)
{
  gboolean ended = reeve_term_has_ended (term, NULL);
  ReeveKeeperVerdict verdict = { 0 };
  ReeveTerm *taken = NULL;
  gboolean last = FALSE;

  g_mutex_lock (&self->lock);
  last = reeve_term_leave (term) == 0;
  if (self->term == term)
    {
      if (ended)
        taken = reeve_keeper_take_ended (self, &verdict);
      else
        reeve_crashes_calm (&self->crashes, g_get_monotonic_time ());
      self->idle_since = g_get_monotonic_time ();
      /* it was started while somebody disabled it */
      if (!ended && last && reeve_keeper_is_off (self))
        taken = g_steal_pointer (&self->term);
    }
  else if (last)
    taken = term;
  if (ended && input != NULL)
    reeve_crashes_blame (&self->crashes, input, reeve_term_get_number (term));
  g_mutex_unlock (&self->lock);
  reeve_keeper_bury (taken);
  reeve_keeper_quarantine (self, &verdict);
  reeve_term_unref (term);
  return ended;
}

gboolean
reeve_keeper_has_blamed (ReeveKeeper *self)
{
  gboolean any = FALSE;

  g_mutex_lock (&self->lock);
  any = reeve_crashes_has_blamed (&self->crashes);
  g_mutex_unlock (&self->lock);
  return any;
}

gboolean
reeve_keeper_is_blamed (ReeveKeeper *self, const char *input)
{
  gboolean blamed = FALSE;

  g_mutex_lock (&self->lock);
  blamed = reeve_crashes_is_blamed (&self->crashes, input);
  g_mutex_unlock (&self->lock);
  return blamed;
}

/* ---- what an administrator does ---- */

ReeveTerm *
reeve_keeper_detach (ReeveKeeper *self)
{
  ReeveTerm *term = g_steal_pointer (&self->term);

  return term != NULL && reeve_term_count (term) == 0 ? term : NULL;
}

void
reeve_keeper_forgive (ReeveKeeper *self)
{
  reeve_crashes_clear (&self->crashes);
  reeve_crashes_init (&self->crashes);
  g_clear_pointer (&self->quarantine, g_free);
  g_clear_pointer (&self->trouble, g_free);
  g_cond_broadcast (&self->changed);
}

/**
 * reeve_keeper_restart:
 * @self: a keeper
 */
void
reeve_keeper_restart (ReeveKeeper *self)
{
  ReeveTerm *term = NULL;

  g_mutex_lock (&self->lock);
  term = reeve_keeper_detach (self);
  reeve_keeper_forgive (self);
  g_mutex_unlock (&self->lock);
  reeve_keeper_bury (term);
  reeve_confined_write_quarantine (self->confined, reeve_keeper_get_id (self),
                                   reeve_keeper_get_module (self), NULL);
}

/**
 * reeve_keeper_retire:
 * @self: a keeper
 */
void
reeve_keeper_retire (ReeveKeeper *self)
{
  ReeveTerm *term = NULL;

  g_mutex_lock (&self->lock);
  term = reeve_keeper_detach (self);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  reeve_keeper_bury (term);
}

void
reeve_keeper_drop (ReeveKeeper *self, gconstpointer key)
{
  g_autoptr (ReeveTerm) term = NULL;

  g_mutex_lock (&self->lock);
  term = self->term != NULL ? reeve_term_ref (self->term) : NULL;
  if (term != NULL)
    reeve_term_enter (term);
  g_mutex_unlock (&self->lock);
  if (term == NULL)
    return;
  reeve_term_drop_instance (term, key);
  reeve_keeper_leave (self, g_steal_pointer (&term), NULL);
}

/**
 * reeve_keeper_cut:
 * @self: a keeper
 *
 * Its process did not crash: it is taken away from it before it is ended.
 */
void
reeve_keeper_cut (ReeveKeeper *self)
{
  g_autoptr (ReeveTerm) term = NULL;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  if (self->term != NULL && reeve_term_count (self->term) > 0)
    {
      term = reeve_term_ref (self->term);
      self->term = NULL;
      reeve_term_enter (term);
    }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_cancellable_cancel (self->ending);
  if (term == NULL)
    return;
  reeve_term_cut (term);
  reeve_keeper_leave (self, g_steal_pointer (&term), NULL);
}

/**
 * reeve_keeper_close:
 * @self: a keeper
 *
 * No call may be under way, as for an instance in the host.
 */
void
reeve_keeper_close (ReeveKeeper *self)
{
  ReeveTerm *term = NULL;

  reeve_confined_unwatch (self->confined, self);
  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  term = reeve_keeper_detach (self);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_cancellable_cancel (self->ending);
  reeve_keeper_bury (term);
}

/**
 * reeve_keeper_get_status:
 * @self: a keeper
 * @status: (out caller-allocates): how it stands
 */
void
reeve_keeper_get_status (ReeveKeeper *self, ReeveKeeperStatus *status)
{
  gint64 now = g_get_monotonic_time ();
  gboolean running = FALSE;
  gboolean ended = FALSE;

  g_mutex_lock (&self->lock);
  ended = self->term != NULL && reeve_term_has_ended (self->term, NULL);
  running = self->term != NULL && !ended;
  *status = (ReeveKeeperStatus){
    .state = self->quarantine != NULL         ? REEVE_KEEPER_QUARANTINED
             : running                        ? REEVE_KEEPER_RUNNING
             : self->starting                 ? REEVE_KEEPER_STARTING
             : self->crashes.not_before > now ? REEVE_KEEPER_WAITING
                                              : REEVE_KEEPER_STOPPED,
    .policy = self->plugin.policy,
    .pid = running ? reeve_term_get_pid (self->term) : 0,
    .layers = self->layers,
    .scratch = self->scratch,
    .known = self->known,
    .crashes = reeve_crashes_count (&self->crashes, now),
    .reason = g_strdup (self->quarantine != NULL ? self->quarantine : self->trouble),
  };
  g_mutex_unlock (&self->lock);
  /* what follows from that is not for whoever asks */
  if (ended)
    reeve_confined_kick (self->confined);
}

void
reeve_keeper_status_clear (ReeveKeeperStatus *status)
{
  g_clear_pointer (&status->reason, g_free);
}

/**
 * reeve_keeper_state_get_name:
 * @state: a state
 *
 * Returns: (transfer none): its word outside
 */
const char *
reeve_keeper_state_get_name (ReeveKeeperState state)
{
  static const char *const names[] = { "stopped", "starting", "running", "waiting", "quarantined" };

  return (guint) state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}
