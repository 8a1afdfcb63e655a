/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a run is reached from other threads: each call becomes a source of the run's own context. */
#include "run-events.h"
#include "run-private.h"

typedef struct
{
  ReeveRun *run;
  guint follower;
  gint64 after;
  const char *reason;
} ReeveRunInvoke;

static void
reeve_run_invoke_free (gpointer data)
{
  ReeveRunInvoke *invoke = data;

  g_object_unref (invoke->run);
  g_free (invoke);
}

static void
reeve_run_invoke (ReeveRun *self, GSourceFunc func, ReeveRunInvoke *invoke)
{
  invoke->run = g_object_ref (self);
  g_main_context_invoke_full (self->context, G_PRIORITY_DEFAULT, func, invoke,
                              reeve_run_invoke_free);
}

static gboolean
reeve_run_do_interrupt (gpointer data)
{
  ReeveRunInvoke *invoke = data;

  if (!invoke->run->ended && invoke->run->interruption == NULL)
    {
      invoke->run->interruption = invoke->reason;
      g_cancellable_cancel (invoke->run->cancellable);
      reeve_run_wake (invoke->run);
    }
  return G_SOURCE_REMOVE;
}

/**
 * reeve_run_interrupt:
 * @self: a run
 * @reason: `cancelled`, `timeout` or `queue_timeout`, a static string
 *
 * Asks it to end: the effect under way is cancelled, what is known of it is journaled, then the run
 * ends. Any thread.
 */
void
reeve_run_interrupt (ReeveRun *self, const char *reason)
{
  ReeveRunInvoke *invoke = g_new0 (ReeveRunInvoke, 1);

  invoke->reason = reason;
  reeve_run_invoke (self, reeve_run_do_interrupt, invoke);
}

static gboolean
reeve_run_do_leave (gpointer data)
{
  ReeveRunInvoke *invoke = data;

  invoke->run->leaving = TRUE;
  if (!invoke->run->ended)
    {
      g_cancellable_cancel (invoke->run->cancellable);
      reeve_run_wake (invoke->run);
    }
  return G_SOURCE_REMOVE;
}

/**
 * reeve_run_leave:
 * @self: a run
 *
 * Takes no further step: the effect under way is cancelled, what is known of it is journaled, and
 * the run is left to the next start. Any thread.
 */
void
reeve_run_leave (ReeveRun *self)
{
  reeve_run_invoke (self, reeve_run_do_leave, g_new0 (ReeveRunInvoke, 1));
}

static void
reeve_run_replay_event (const char *name, JsonObject *data, gpointer user_data)
{
  ReeveRunInvoke *invoke = user_data;

  reeve_run_followers_send (invoke->run->followers, invoke->follower, name, data);
}

/* What the model has said so far of an answer that is not in the journal yet. */
static void
reeve_run_replay_live (ReeveRun *self, ReeveRunInvoke *invoke)
{
  g_autoptr (JsonObject) entry = NULL;

  if (self->live_entry == 0)
    return;
  entry = json_object_new ();
  json_object_set_string_member (entry, "type", REEVE_JOURNAL_MODEL_OUTCOME);
  json_object_set_int_member (entry, "intent_entry", self->live_entry);
  json_object_set_string_member (entry, "thought", self->live_thought->str);
  json_object_set_string_member (entry, "shown", self->live_shown->str);
  reeve_run_events_send (self->run_id, entry, self->live_entry + 1, invoke->after,
                         reeve_run_replay_event, invoke);
}

static gboolean
reeve_run_do_follow (gpointer data)
{
  ReeveRunInvoke *invoke = data;
  ReeveRun *self = invoke->run;

  for (guint i = 0; i < reeve_journal_get_length (self->journal); i++)
    reeve_run_events_send (self->run_id, reeve_journal_get_entry (self->journal, i), i + 1,
                           invoke->after, reeve_run_replay_event, invoke);
  reeve_run_replay_live (self, invoke);
  if (self->ended)
    reeve_run_followers_end (self->followers, invoke->follower);
  else
    reeve_run_followers_set_live (self->followers, invoke->follower);
  return G_SOURCE_REMOVE;
}

/**
 * reeve_run_follow:
 * @self: a run
 * @context: where the functions are called
 * @after: sequence number of the last event the reader has; 0 for none
 * @events: (nullable): receives events
 * @ended: (nullable): called once when no event comes any more
 * @user_data: closure
 * @destroy: (nullable): frees it
 *
 * Sends what the journal holds behind @after, then events as they come. Any thread.
 *
 * Returns: a number for reeve_run_unfollow()
 */
guint
reeve_run_follow (ReeveRun *self, GMainContext *context, gint64 after, ReeveRunEventFunc events,
                  void (*ended) (gpointer user_data), gpointer user_data, GDestroyNotify destroy)
{
  ReeveRunInvoke *invoke = g_new0 (ReeveRunInvoke, 1);
  guint follower
      = reeve_run_followers_add (self->followers, context, events, ended, user_data, destroy);

  invoke->after = after;
  invoke->follower = follower;
  /* gone when this returns, if this is the run's thread */
  reeve_run_invoke (self, reeve_run_do_follow, invoke);
  return follower;
}

/**
 * reeve_run_unfollow:
 * @self: a run
 * @follower: a number
 *
 * Any thread; called in the follower's context, nothing of it is called afterwards.
 */
void
reeve_run_unfollow (ReeveRun *self, guint follower)
{
  reeve_run_followers_remove (self->followers, follower);
}
