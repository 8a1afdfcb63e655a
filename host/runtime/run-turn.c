/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a run may go on, and for how long. One whose agent has as many under way as it may waits for
 * its turn: it is journaled, so that it is found again, and has done nothing yet. What ends the
 * waiting (its turn, somebody, the clock, the stop of the host) comes from outside and wakes it. */
#include "run-private.h"

#include "base/times.h"
#include "listing.h"

#define REEVE_RUN_DEFAULT_TIMEOUT 300 /* seconds */

/**
 * reeve_run_wait_for_turn:
 * @self: a run that was not started
 * @started: (nullable): its first entry; %NULL: it is in the journal
 *
 * It is to wait until reeve_run_release().
 */
void
reeve_run_wait_for_turn (ReeveRun *self, JsonObject *started)
{
  self->waiting = TRUE;
  if (started == NULL)
    return;
  json_object_set_boolean_member (started, "queued", TRUE);
  json_object_set_string_member (self->record, "status", "queued");
}

/* Whoever waits does not go. */
gint64
reeve_run_get_duration (ReeveRun *self)
{
  return self->waiting ? 0 : g_get_monotonic_time () - self->began;
}

gint64
reeve_run_get_waited (ReeveRun *self)
{
  return self->waiting ? g_get_monotonic_time () - self->entered : self->waited;
}

/* All that is known of the time since is the wall clock's. */
void
reeve_run_recall_turn (ReeveRun *self)
{
  JsonObject *first = reeve_journal_get_started (self->journal);

  /* the entry behind it says when its turn had come */
  if (reeve_json_get_boolean (first, "queued", FALSE)
      && reeve_journal_get_length (self->journal) > 1)
    first = reeve_journal_get_entry (self->journal, 1);
  self->began -= MAX (0, reeve_times_now () - reeve_json_get_int (first, "time", 0));
}

static gboolean
reeve_run_on_timeout (gpointer user_data)
{
  reeve_run_interrupt (user_data, "timeout");
  return G_SOURCE_REMOVE;
}

void
reeve_run_arm (ReeveRun *self, JsonObject *started)
{
  gint64 seconds = reeve_json_get_int (started, "timeout_seconds", REEVE_RUN_DEFAULT_TIMEOUT);

  if (self->timer != NULL)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
  seconds = CLAMP (seconds, 1, 86400);
  self->deadline = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  self->timer = g_timeout_source_new_seconds ((guint) seconds);
  g_source_set_callback (self->timer, reeve_run_on_timeout, self, NULL);
  g_source_attach (self->timer, self->context);
}

static gboolean
reeve_run_on_queue_timeout (gpointer user_data)
{
  reeve_run_interrupt (user_data, "queue_timeout");
  return G_SOURCE_REMOVE;
}

/* Nobody waits for ever. */
void
reeve_run_arm_turn (ReeveRun *self)
{
  gint64 seconds = CLAMP (self->env.queue_seconds, 1, 86400);

  self->timer = g_timeout_source_new_seconds ((guint) seconds);
  g_source_set_callback (self->timer, reeve_run_on_queue_timeout, self, NULL);
  g_source_attach (self->timer, self->context);
}

static void
reeve_run_begin_turn (ReeveRun *self)
{
  static const char *const members[] = { "agent_id", "session_id", "conversation_id", NULL };
  JsonObject *started = reeve_journal_get_started (self->journal);
  JsonObject *entry = reeve_run_new_entry (REEVE_JOURNAL_BEGUN);
  JsonObject *const entries[] = { entry, NULL };
  JsonObject *record = reeve_listing_dup (self->record);

  reeve_listing_copy (started, entry, members);
  json_object_set_string_member (record, "status", "running");
  json_object_set_int_member (record, "updated_at", reeve_times_now ());
  json_object_unref (self->record);
  self->record = record;
  self->restated = TRUE;
  self->began = g_get_monotonic_time ();
  self->waited = self->began - self->entered;
  reeve_run_arm (self, started);
  reeve_run_append (self, entries, reeve_run_advance);
}

/* Its journal says that it waits: so it does, unless its turn has come meanwhile. */
void
reeve_run_take_turn (ReeveRun *self)
{
  self->parked = self->waiting;
  if (!self->parked)
    reeve_run_begin_turn (self);
}

/* In the run's context. Where something is under way, it goes on by itself. */
void
reeve_run_wake (ReeveRun *self)
{
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->log);

  if (!self->parked)
    return;
  self->parked = FALSE;
  reeve_run_advance (self);
}

static gboolean
reeve_run_do_release (gpointer data)
{
  ReeveRun *self = data;

  self->waiting = FALSE;
  reeve_run_wake (self);
  return G_SOURCE_REMOVE;
}

/**
 * reeve_run_release:
 * @self: a run
 *
 * Its turn has come. Any thread.
 */
void
reeve_run_release (ReeveRun *self)
{
  g_main_context_invoke_full (self->context, G_PRIORITY_DEFAULT, reeve_run_do_release,
                              g_object_ref (self), g_object_unref);
}

/**
 * reeve_run_dismiss:
 * @self: a run that was not started
 * @error: why
 *
 * Ends its intent without effect: it was refused.
 */
void
reeve_run_dismiss (ReeveRun *self, const GError *error)
{
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_BLOCKED,
                                       .reason = reeve_error_get_name (error->code),
                                       .error = error };

  if (self->admitted != NULL)
    reeve_admission_settle_async (self->env.admission, g_steal_pointer (&self->admitted),
                                  &settlement, NULL, NULL);
  self->ended = TRUE;
}
