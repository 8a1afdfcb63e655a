/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs as they are shown: records, journals, event streams. */
#include "base/log-task.h"
#include "listing.h"
#include "run-events.h"
#include "runs-private.h"

#define REEVE_RUNS_READ_PAGE 500

typedef struct
{
  char *tenant_id;
  char *run_id;
  gint64 after;
  ReeveRunEventFunc events;
  gpointer events_data;
  GDestroyNotify events_destroy;
  ReeveRun *run;
  guint follower;
  gulong cancelled;
} ReeveRunsReadFollow;

/* ---- journals ---- */

static gboolean
reeve_runs_read_entry (ReeveJournal *journal, GBytes *payload, GError **error)
{
  gsize length = 0;
  const char *data = g_bytes_get_data (payload, &length);
  g_autoptr (JsonNode) node = reeve_json_parse_strict (data, length, error);

  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "journal entry is not an object");
      return FALSE;
    }
  return reeve_journal_add (journal, json_node_get_object (node), error);
}

ReeveJournal *
reeve_runs_read_journal (ReeveRuns *self, const char *tenant_id, const char *run_id, GError **error)
{
  g_autoptr (ReeveJournal) journal = reeve_journal_new ();
  g_autofree char *stream = g_strconcat ("run/", run_id, NULL);
  guint n = REEVE_RUNS_READ_PAGE;

  while (n == REEVE_RUNS_READ_PAGE)
    {
      g_autoptr (GPtrArray) entries = reeve_store_read_stream (self->env.store, tenant_id, stream,
                                                               reeve_journal_get_length (journal),
                                                               REEVE_RUNS_READ_PAGE, error);

      if (entries == NULL)
        return NULL;
      n = entries->len;
      for (guint i = 0; i < n; i++)
        {
          ReeveStreamEntry *entry = g_ptr_array_index (entries, i);

          if (!reeve_runs_read_entry (journal, entry->payload, error))
            {
              g_prefix_error (error, "run %s: entry %" G_GINT64_FORMAT ": ", run_id, entry->seq);
              return NULL;
            }
        }
    }
  return g_steal_pointer (&journal);
}

/* ---- records ---- */

/* A run as it is shown: its answer's members when it has ended, its record's besides. */
static JsonObject *
reeve_runs_read_describe (ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *result = reeve_json_get_object (fields, "result");
  JsonObject *run = json_object_new ();
  g_autoptr (GList) members = json_object_get_members (fields);
  g_autoptr (GList) answer = result != NULL ? json_object_get_members (result) : NULL;

  json_object_set_string_member (run, "run_id", reeve_record_get_id (record));
  json_object_set_null_member (run, "agent_id"); /* unless it was one of the tenant's */
  for (GList *l = answer; l != NULL; l = l->next)
    json_object_set_member (run, l->data, json_node_ref (json_object_get_member (result, l->data)));
  for (GList *l = members; l != NULL; l = l->next)
    {
      if (g_strcmp0 (l->data, "result") != 0)
        json_object_set_member (run, l->data,
                                json_node_ref (json_object_get_member (fields, l->data)));
    }
  reeve_listing_set_time (run, "created_at");
  reeve_listing_set_time (run, "updated_at");
  return run;
}

/**
 * reeve_runs_list:
 * @self: runs
 * @tenant_id: a tenant
 * @seen: (nullable): workspaces whose runs are shown
 * @params: `limit`, `cursor`, `agent_id`, `session_id`, `status`
 * @error: return location
 *
 * Returns: (transfer full) (nullable): {items, next_cursor}, newest first
 */
JsonObject *
reeve_runs_list (ReeveRuns *self, const char *tenant_id, const char *const *seen,
                 JsonObject *params, GError **error)
{
  static const char *const filters[] = { "agent_id", "session_id", "status" };
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_RUNS);

  for (guint i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      const char *value = reeve_json_get_string (params, filters[i], NULL);

      if (value != NULL)
        reeve_query_filter_string (query, filters[i], REEVE_FILTER_EQ, value);
    }
  return reeve_listing_new (self->env.store, query, "created_at", params, seen,
                            reeve_runs_read_describe, error);
}

static JsonArray *
reeve_runs_read_show_journal (ReeveJournal *journal)
{
  JsonArray *shown = json_array_new ();

  for (guint i = 0; i < reeve_journal_get_length (journal); i++)
    {
      JsonObject *entry = reeve_journal_get_entry (journal, i);
      JsonObject *copy = json_object_new ();
      g_autoptr (GList) members = json_object_get_members (entry);

      json_object_set_int_member (copy, "seq", i + 1);
      for (GList *l = members; l != NULL; l = l->next)
        json_object_set_member (copy, l->data,
                                json_node_ref (json_object_get_member (entry, l->data)));
      reeve_listing_set_time (copy, "time");
      json_array_add_object_element (shown, copy);
    }
  return shown;
}

/**
 * reeve_runs_get:
 * @self: runs
 * @tenant_id: a tenant
 * @run_id: a run
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the run with its `journal`
 */
JsonObject *
reeve_runs_get (ReeveRuns *self, const char *tenant_id, const char *run_id, GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->env.store, tenant_id, REEVE_STORE_RUNS, run_id, error);
  g_autoptr (ReeveJournal) journal = NULL;
  JsonObject *run = NULL;

  if (record == NULL)
    return NULL;
  journal = reeve_runs_read_journal (self, tenant_id, run_id, error);
  if (journal == NULL)
    return NULL;
  run = reeve_runs_read_describe (record);
  json_object_set_array_member (run, "journal", reeve_runs_read_show_journal (journal));
  if (reeve_journal_is_queued (journal))
    reeve_runs_queue_show (self, tenant_id, run_id, run);
  return run;
}

/* ---- following ---- */

static void
reeve_runs_read_follow_free (gpointer data)
{
  ReeveRunsReadFollow *follow = data;

  if (follow->events_destroy != NULL)
    follow->events_destroy (follow->events_data);
  g_clear_object (&follow->run);
  g_free (follow->tenant_id);
  g_free (follow->run_id);
  g_free (follow);
}

static void
reeve_runs_read_on_event (const char *name, JsonObject *data, gpointer user_data)
{
  ReeveRunsReadFollow *follow = g_task_get_task_data (user_data);

  follow->events (name, data, follow->events_data);
}

static void
reeve_runs_read_finish (GTask *task)
{
  ReeveRunsReadFollow *follow = g_task_get_task_data (task);

  if (follow->cancelled != 0)
    {
      g_signal_handler_disconnect (g_task_get_cancellable (task), follow->cancelled);
      follow->cancelled = 0;
    }
  g_task_return_boolean (task, TRUE);
}

static void
reeve_runs_read_on_ended (gpointer user_data)
{
  reeve_runs_read_finish (user_data);
}

static gboolean
reeve_runs_read_stop (gpointer user_data)
{
  GTask *task = user_data;
  ReeveRunsReadFollow *follow = g_task_get_task_data (task);

  if (g_task_get_completed (task) || follow->cancelled == 0)
    return G_SOURCE_REMOVE;
  g_signal_handler_disconnect (g_task_get_cancellable (task), follow->cancelled);
  follow->cancelled = 0;
  reeve_run_unfollow (follow->run, follow->follower);
  g_task_return_new_error (task, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the reader has gone");
  return G_SOURCE_REMOVE;
}

/* Any thread; the rest happens in the reader's context. */
static void
reeve_runs_read_on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, reeve_runs_read_stop, g_object_ref (task), g_object_unref);
  g_source_attach (source, g_task_get_context (task));
}

static void
reeve_runs_read_work (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ReeveRunsReadFollow *follow = data;
  g_autoptr (GError) error = NULL;
  ReeveJournal *journal
      = reeve_runs_read_journal (source, follow->tenant_id, follow->run_id, &error);

  if (journal != NULL)
    g_task_return_pointer (task, journal, (GDestroyNotify) reeve_journal_free);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
reeve_runs_read_on_journal (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ReeveRunsReadFollow *follow = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveJournal) journal = g_task_propagate_pointer (G_TASK (result), &error);

  if (journal == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  for (guint i = 0; i < reeve_journal_get_length (journal); i++)
    reeve_run_events_send (follow->run_id, reeve_journal_get_entry (journal, i), i + 1,
                           follow->after, follow->events, follow->events_data);
  g_task_return_boolean (task, TRUE);
}

static void
reeve_runs_read_follow_live (GTask *task)
{
  ReeveRunsReadFollow *follow = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);

  follow->follower
      = reeve_run_follow (follow->run, g_task_get_context (task), follow->after,
                          reeve_runs_read_on_event, reeve_runs_read_on_ended, task, g_object_unref);
  if (cancellable == NULL)
    return;
  follow->cancelled = g_signal_connect_data (
      cancellable, "cancelled", G_CALLBACK (reeve_runs_read_on_cancelled), g_object_ref (task),
      (GClosureNotify) (void (*) (void)) g_object_unref, 0);
  /* a reader that went before this is not told of by the signal any more */
  if (g_cancellable_is_cancelled (cancellable))
    reeve_runs_read_on_cancelled (cancellable, task);
}

/**
 * reeve_runs_follow_async:
 * @self: runs
 * @tenant_id: a tenant
 * @run_id: a run
 * @after: sequence number of the last event the reader has; 0 for none
 * @events: receives events in the thread-default context
 * @events_data: closure of @events
 * @events_destroy: (nullable): frees it
 * @cancellable: (nullable): the reader has gone
 * @callback: called when no event comes any more
 * @user_data: closure
 *
 * Sends every event behind @after.
 */
void
reeve_runs_follow_async (ReeveRuns *self, const char *tenant_id, const char *run_id, gint64 after,
                         ReeveRunEventFunc events, gpointer events_data,
                         GDestroyNotify events_destroy, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = reeve_log_task_new (self, cancellable, callback, user_data);
  ReeveRunsReadFollow *follow = g_new0 (ReeveRunsReadFollow, 1);
  g_autoptr (GTask) work = NULL;

  follow->tenant_id = g_strdup (tenant_id);
  follow->run_id = g_strdup (run_id);
  follow->after = after;
  follow->events = events;
  follow->events_data = events_data;
  follow->events_destroy = events_destroy;
  follow->run = reeve_runs_find (self, tenant_id, run_id);
  g_task_set_source_tag (task, reeve_runs_follow_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, follow, reeve_runs_read_follow_free);
  if (follow->run != NULL)
    {
      reeve_runs_read_follow_live (task);
      return;
    }
  work = g_task_new (self, NULL, reeve_runs_read_on_journal, task);
  g_task_set_source_tag (work, reeve_runs_read_work);
  g_task_set_task_data (work, follow, NULL);
  reeve_workers_run_task (self->env.workers, work, reeve_runs_read_work);
}

/**
 * reeve_runs_follow_finish:
 * @self: runs
 * @result: of reeve_runs_follow_async()
 * @error: return location
 *
 * Returns: whether all events were sent
 */
gboolean
reeve_runs_follow_finish (ReeveRuns *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_runs_follow_async), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
