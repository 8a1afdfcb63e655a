/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each kind of entry has one function that turns it into events; live deltas and replayed ones come
 * from the same place. */
#include "run-events.h"

#include <string.h>

#include <reeve-json.h>

typedef struct
{
  const char *run_id;
  JsonObject *entry;
  gint64 seq;
  gint64 after;
  ReeveRunEventsFunc func;
  gpointer user_data;
} ReeveRunEventsJob;

static JsonObject *
reeve_run_events_data (const char *run_id, gint64 sequence)
{
  JsonObject *data = json_object_new ();

  json_object_set_string_member (data, "run_id", run_id);
  json_object_set_int_member (data, "sequence", sequence);
  return data;
}

static void
reeve_run_events_copy (JsonObject *from, JsonObject *to, const char *const *members)
{
  for (guint i = 0; members[i] != NULL; i++)
    {
      JsonNode *node = json_object_get_member (from, members[i]);

      if (node != NULL)
        json_object_set_member (to, members[i], json_node_ref (node));
    }
}

static void
reeve_run_events_emit (const ReeveRunEventsJob *job, const char *name, const char *const *members)
{
  gint64 sequence = job->seq * REEVE_RUN_EVENTS_STRIDE;
  g_autoptr (JsonObject) data = NULL;

  if (sequence <= job->after)
    return;
  data = reeve_run_events_data (job->run_id, sequence);
  reeve_run_events_copy (job->entry, data, members);
  job->func (name, data, job->user_data);
}

static void
reeve_run_events_started (const ReeveRunEventsJob *job)
{
  static const char *const members[]
      = { "agent_id", "session_id", "conversation_id", "mission", NULL };

  reeve_run_events_emit (
      job, reeve_json_get_boolean (job->entry, "queued", FALSE) ? "run.queued" : "run.started",
      members);
}

static void
reeve_run_events_begun (const ReeveRunEventsJob *job)
{
  static const char *const members[] = { "agent_id", "session_id", "conversation_id", NULL };

  reeve_run_events_emit (job, "run.started", members);
}

static void
reeve_run_events_step (const ReeveRunEventsJob *job)
{
  static const char *const members[] = { "step", "model", NULL };

  reeve_run_events_emit (job, "step.started", members);
}

static void
reeve_run_events_call (const ReeveRunEventsJob *job)
{
  static const char *const members[] = { "call_id", "name", "arguments", NULL };

  reeve_run_events_emit (job, "tool.call", members);
}

static void
reeve_run_events_result (const ReeveRunEventsJob *job)
{
  static const char *const members[] = { "call_id", "name", "outcome", "text", "is_error", NULL };

  reeve_run_events_emit (job, "tool.result", members);
}

/* The rest of one text of an answer: what stands behind byte @from, when the text begins at @begin.
 * Returns where it ends. */
static gint64
reeve_run_events_rest (const ReeveRunEventsJob *job, const char *name, const char *text,
                       gint64 first_entry, gint64 begin)
{
  gint64 end = begin + (gint64) strlen (text);
  gint64 sent = job->after - first_entry * REEVE_RUN_EVENTS_STRIDE;
  gint64 skip = CLAMP (sent - begin, 0, end - begin);

  if (skip < end - begin)
    reeve_run_events_send_delta (job->run_id, name, text + skip, first_entry, end, job->func,
                                 job->user_data);
  return end;
}

static void
reeve_run_events_answer (const ReeveRunEventsJob *job)
{
  gint64 first_entry = reeve_json_get_int (job->entry, "intent_entry", job->seq - 1);
  const char *content = reeve_json_get_string (job->entry, "content", "");
  gint64 end = reeve_run_events_rest (
      job, "thought.delta", reeve_json_get_string (job->entry, "thought", ""), first_entry, 0);

  reeve_run_events_rest (job, "message.delta", reeve_json_get_string (job->entry, "shown", content),
                         first_entry, end);
}

static void
reeve_run_events_ended (const ReeveRunEventsJob *job)
{
  gint64 sequence = job->seq * REEVE_RUN_EVENTS_STRIDE;
  JsonObject *answer = reeve_json_get_object (job->entry, "result");
  const char *suffix = reeve_json_get_string (job->entry, "suffix", NULL);
  g_autoptr (JsonObject) data = NULL;
  g_autoptr (GList) members = NULL;
  gboolean success = FALSE;

  if (suffix != NULL && sequence > job->after)
    {
      g_autoptr (JsonObject) delta = reeve_run_events_data (job->run_id, sequence);

      json_object_set_string_member (delta, "delta", suffix);
      job->func ("message.delta", delta, job->user_data);
    }
  sequence += 1;
  if (sequence <= job->after || answer == NULL)
    return;
  members = json_object_get_members (answer);
  data = reeve_run_events_data (job->run_id, sequence);
  for (GList *l = members; l != NULL; l = l->next)
    json_object_set_member (data, l->data,
                            json_node_ref (json_object_get_member (answer, l->data)));
  success = reeve_json_get_boolean (answer, "success", FALSE);
  job->func (success ? "run.completed" : "run.failed", data, job->user_data);
}

static const struct
{
  const char *type;
  void (*send) (const ReeveRunEventsJob *job);
} reeve_run_events_table[] = {
  { REEVE_JOURNAL_STARTED, reeve_run_events_started },
  { REEVE_JOURNAL_BEGUN, reeve_run_events_begun },
  { REEVE_JOURNAL_MODEL_INTENT, reeve_run_events_step },
  { REEVE_JOURNAL_MODEL_OUTCOME, reeve_run_events_answer },
  { REEVE_JOURNAL_TOOL_INTENT, reeve_run_events_call },
  { REEVE_JOURNAL_TOOL_OUTCOME, reeve_run_events_result },
  { REEVE_JOURNAL_TOOL_REFUSED, reeve_run_events_result },
  { REEVE_JOURNAL_ENDED, reeve_run_events_ended },
};

/**
 * reeve_run_events_send:
 * @run_id: the run
 * @entry: an entry of its journal
 * @seq: number of the entry, from 1
 * @after: sequence number of the last event the reader has; 0 for none
 * @func: (scope call): receives each event
 * @user_data: closure
 *
 * Sends what the reader lacks of the events of one entry.
 */
void
reeve_run_events_send (const char *run_id, JsonObject *entry, gint64 seq, gint64 after,
                       ReeveRunEventsFunc func, gpointer user_data)
{
  const ReeveRunEventsJob job = { run_id, entry, seq, after, func, user_data };
  const char *type = reeve_json_get_string (entry, "type", "");

  for (guint i = 0; i < G_N_ELEMENTS (reeve_run_events_table); i++)
    {
      if (g_strcmp0 (type, reeve_run_events_table[i].type) == 0)
        reeve_run_events_table[i].send (&job);
    }
}

/**
 * reeve_run_events_send_delta:
 * @run_id: the run
 * @name: `message.delta` or `thought.delta`
 * @text: the piece
 * @seq: number of the entry with the intent of this answer
 * @offset: bytes of the answer sent with this piece and before
 * @func: (scope call): receives the event
 * @user_data: closure
 *
 * Sends one piece of an answer.
 */
void
reeve_run_events_send_delta (const char *run_id, const char *name, const char *text, gint64 seq,
                             gint64 offset, ReeveRunEventsFunc func, gpointer user_data)
{
  g_autoptr (JsonObject) data
      = reeve_run_events_data (run_id, seq * REEVE_RUN_EVENTS_STRIDE + offset);

  json_object_set_string_member (data, "delta", text);
  func (name, data, user_data);
}
