/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backwards through the log, in windows that are read forwards. Where a time begins is found by
 * halves: records come in the order of their times, but for a clock that was set back. */
#include "usage-list.h"

#include <string.h>

#include "base/times.h"

#include "money.h"
#include "usage-private.h"

#define REEVE_USAGE_LIST_WINDOW 512

static const ReeveLedgerFilter reeve_usage_list_all = { 0 };

/* One window. */
typedef struct
{
  ReeveUsage *usage;
  const char *tenant_id;
  const ReeveUsageListAsk *ask;
  ReeveUsageLabels *labels;
  GHashTable *intents;  /* seq -> ReeveUsageIntent, of the window */
  GHashTable *sessions; /* run -> (nullable) its session */
  GPtrArray *found;     /* of JsonObject, oldest first */
  GArray *numbers;      /* of guint64: theirs */
  gint64 earliest;      /* time of the first record */
  GError *error;
} ReeveUsageList;

static void
reeve_usage_list_set_text (JsonObject *shown, const char *name, const char *value)
{
  if (value != NULL && *value != '\0')
    json_object_set_string_member (shown, name, value);
  else
    json_object_set_null_member (shown, name);
}

static void
reeve_usage_list_show_cost (const ReeveUsageEvent *event, JsonObject *shown)
{
  if (event->priced == REEVE_USAGE_PRICED_NOTHING)
    json_object_set_null_member (shown, "priced");
  else
    json_object_set_boolean_member (shown, "priced", event->priced == REEVE_USAGE_PRICED_YES);
  if (*event->row.currency == '\0')
    json_object_set_null_member (shown, "cost");
  else
    json_object_set_object_member (
        shown, "cost", reeve_money_show (event->row.n[REEVE_USAGE_COST], event->row.currency));
}

static JsonObject *
reeve_usage_list_show (const ReeveUsageEvent *event, const ReeveLedgerRecord *record)
{
  static const char *const names[REEVE_USAGE_N_SERIES]
      = { NULL,     "agent_id",   "user_id",     "workspace_id",
          "key_id", "department", "cost_center", "project" };
  const gint64 *n = event->row.n;
  char time[REEVE_TIMES_BUFFER];
  JsonObject *shown = json_object_new ();

  reeve_times_print (event->time, time);
  json_object_set_int_member (shown, "seq", (gint64) record->seq);
  json_object_set_string_member (shown, "timestamp", time);
  json_object_set_string_member (shown, "tenant_id", record->scope);
  json_object_set_string_member (shown, "type", event->type != NULL ? event->type : "api_call");
  json_object_set_string_member (shown, "action", event->action);
  reeve_usage_list_set_text (shown, "model", event->row.model);
  for (guint i = REEVE_USAGE_BY_AGENT; i < REEVE_USAGE_N_SERIES; i++)
    reeve_usage_list_set_text (shown, names[i], event->values[i]);
  reeve_usage_list_set_text (shown, "run_id", event->run_id);
  reeve_usage_list_set_text (shown, "session_id", event->session_id);
  reeve_usage_list_set_text (shown, "tool_name", event->tool_name);
  json_object_set_int_member (shown, "input_tokens", n[REEVE_USAGE_INPUT]);
  json_object_set_int_member (shown, "output_tokens", n[REEVE_USAGE_OUTPUT]);
  json_object_set_int_member (shown, "total_tokens", n[REEVE_USAGE_INPUT] + n[REEVE_USAGE_OUTPUT]);
  json_object_set_boolean_member (shown, "estimated", n[REEVE_USAGE_ESTIMATED] > 0);
  reeve_usage_list_show_cost (event, shown);
  reeve_usage_list_set_text (shown, "reported", event->told);
  if (event->amount > 0)
    json_object_set_int_member (shown, "amount", event->amount);
  json_object_set_int_member (shown, "duration_ms", record->latency_us / G_TIME_SPAN_MILLISECOND);
  reeve_usage_list_set_text (shown, "outcome", reeve_ledger_record_outcome_name (record->outcome));
  return shown;
}

static gboolean
reeve_usage_list_matches (const ReeveUsageListAsk *ask, const ReeveUsageEvent *event)
{
  const char *type = event->type != NULL ? event->type : "api_call";

  if (ask->type != NULL ? strcmp (ask->type, type) != 0 : event->type == NULL)
    return FALSE;
  if ((ask->begin != 0 && event->time < ask->begin) || (ask->end != 0 && event->time >= ask->end)
      || (ask->run_id != NULL && g_strcmp0 (ask->run_id, event->run_id) != 0)
      || (ask->session_id != NULL && g_strcmp0 (ask->session_id, event->session_id) != 0)
      || (ask->values[REEVE_USAGE_BY_MODEL] != NULL
          && strcmp (ask->values[REEVE_USAGE_BY_MODEL], event->row.model) != 0))
    return FALSE;
  for (guint i = REEVE_USAGE_BY_AGENT; i < REEVE_USAGE_N_SERIES; i++)
    if (ask->values[i] != NULL && g_strcmp0 (ask->values[i], event->values[i]) != 0)
      return FALSE;
  return ask->sees == NULL || ask->sees (event, ask->user_data);
}

static void
reeve_usage_list_keep_intent (const ReeveLedgerRecord *record, const char *text, gpointer user_data)
{
  ReeveUsageList *self = user_data;

  (void) text;
  if (record->kind == REEVE_LEDGER_INTENT)
    g_hash_table_insert (self->intents, GSIZE_TO_POINTER (record->seq),
                         reeve_usage_intent_new (record));
}

static const ReeveUsageIntent *
reeve_usage_list_find_intent (ReeveUsageList *self, guint64 seq)
{
  const ReeveLedgerFeed feed = {
    .filter = &reeve_usage_list_all, .unspoken = TRUE, .max_records = 1, .max_bytes = G_MAXSIZE
  };
  gpointer key = GSIZE_TO_POINTER (seq);
  guint64 last = 0;

  if (seq > 0 && !g_hash_table_contains (self->intents, key))
    (void) reeve_ledger_feed_read (self->usage->ledger, self->tenant_id, &feed, seq - 1,
                                   reeve_usage_list_keep_intent, self, &last, NULL);
  return g_hash_table_lookup (self->intents, key);
}

/* That of a run is in the run, as long as that is kept. FALSE with an error. */
static gboolean
reeve_usage_list_find_session (ReeveUsageList *self, ReeveUsageEvent *event)
{
  const char *session_id = NULL;

  if (event->session_id != NULL || event->run_id == NULL)
    return TRUE;
  if (!g_hash_table_lookup_extended (self->sessions, event->run_id, NULL, (gpointer *) &session_id))
    {
      g_autoptr (GError) local = NULL;
      g_autoptr (ReeveRecord) run = reeve_store_get (self->usage->store, self->tenant_id,
                                                     REEVE_STORE_RUNS, event->run_id, &local);

      if (run == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
        {
          g_propagate_error (&self->error, g_steal_pointer (&local));
          return FALSE;
        }
      if (run != NULL)
        session_id = reeve_json_get_string (reeve_record_get_fields (run), "session_id", NULL);
      session_id = g_strdup (session_id);
      g_hash_table_insert (self->sessions, g_strdup (event->run_id), (char *) session_id);
    }
  event->session_id = session_id;
  return TRUE;
}

static void
reeve_usage_list_record (const ReeveLedgerRecord *record, const char *text, gpointer user_data)
{
  ReeveUsageList *self = user_data;
  ReeveUsageEvent event;
  const ReeveUsageIntent *intent = NULL;

  if (self->earliest == 0)
    self->earliest = record->time;
  reeve_usage_list_keep_intent (record, text, self);
  if (self->error != NULL)
    return;
  if (record->kind == REEVE_LEDGER_OUTCOME)
    intent = reeve_usage_list_find_intent (self, record->intent);
  if (!reeve_usage_event_read (&event, record, intent, self->usage->prices)
      || !reeve_usage_labels_resolve (self->labels, &event, &self->error)
      || !reeve_usage_list_find_session (self, &event)
      || !reeve_usage_list_matches (self->ask, &event))
    return;
  g_ptr_array_add (self->found, reeve_usage_list_show (&event, record));
  g_array_append_val (self->numbers, record->seq);
}

/* Records behind @after, up to @last. */
static gboolean
reeve_usage_list_read (ReeveUsageList *self, guint64 after, guint64 last, GError **error)
{
  const ReeveLedgerFeed feed = { .filter = &reeve_usage_list_all,
                                 .unspoken = TRUE,
                                 .max_records = (guint) (last - after),
                                 .max_bytes = G_MAXSIZE };
  guint64 reached = 0;

  g_hash_table_remove_all (self->intents);
  g_ptr_array_set_size (self->found, 0);
  g_array_set_size (self->numbers, 0);
  self->earliest = 0;
  if (!reeve_usage_read_feed (self->usage, self->tenant_id, &feed, after, reeve_usage_list_record,
                              self, &reached, error))
    return FALSE;
  if (self->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

/* ---- the place of a time ---- */

static void
reeve_usage_list_read_time (const ReeveLedgerRecord *record, const char *text, gpointer user_data)
{
  (void) text;
  *(gint64 *) user_data = record->time;
}

/* How many records are older than @time; what cannot be read is taken for older. */
static guint64
reeve_usage_list_count_before (ReeveUsageList *self, gint64 time, guint64 size)
{
  const ReeveLedgerFeed feed = {
    .filter = &reeve_usage_list_all, .unspoken = TRUE, .max_records = 1, .max_bytes = G_MAXSIZE
  };
  guint64 low = 0;
  guint64 high = size;

  while (low < high)
    {
      guint64 middle = low + (high - low) / 2;
      gint64 found = 0;
      guint64 last = 0;

      (void) reeve_ledger_feed_read (self->usage->ledger, self->tenant_id, &feed, middle,
                                     reeve_usage_list_read_time, &found, &last, NULL);
      if (found < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* ---- a page ---- */

/* Moves what was found in a window to the page, newest first. FALSE: it is full, and *at is the
 * last that is on it. */
static gboolean
reeve_usage_list_take (ReeveUsageList *self, JsonArray *page, guint64 *at)
{
  guint limit = CLAMP (self->ask->limit, 1, 500);

  for (guint i = self->found->len; i > 0; i--)
    {
      json_array_add_object_element (page, json_object_ref (self->found->pdata[i - 1]));
      if (json_array_get_length (page) < limit)
        continue;
      *at = g_array_index (self->numbers, guint64, i - 1) - 1;
      return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_usage_list_walk (ReeveUsageList *self, JsonArray *page, guint64 *next, GError **error)
{
  const ReeveUsageListAsk *ask = self->ask;
  guint64 at = reeve_ledger_get_size (self->usage->ledger, self->tenant_id);
  guint64 stop = 0;
  gboolean more = TRUE;

  if (ask->end != 0)
    at = reeve_usage_list_count_before (self, ask->end, at);
  if (ask->begin != 0)
    stop = reeve_usage_list_count_before (self, ask->begin, at);
  if (ask->before != 0)
    at = MIN (at, ask->before - 1);
  for (guint64 looked = 0; more && at > stop && looked < REEVE_USAGE_LIST_SCAN;)
    {
      guint64 after = at - MIN (at - stop, REEVE_USAGE_LIST_WINDOW);

      if (!reeve_usage_list_read (self, after, at, error))
        return FALSE;
      looked += at - after;
      at = after;
      more = reeve_usage_list_take (self, page, &at);
    }
  *next = at > stop ? at + 1 : 0;
  return TRUE;
}

/**
 * reeve_usage_list:
 * @self: usage
 * @tenant_id: whose
 * @ask: which
 * @next: (out): cursor for the rest, 0 at the end
 * @error: return location
 *
 * A page looks at #REEVE_USAGE_LIST_SCAN records at most; with a filter that finds little it may be
 * short, even empty, and still have a cursor.
 *
 * Returns: (transfer full): records of usage, newest first; %NULL with an error
 */
JsonArray *
reeve_usage_list (ReeveUsage *self, const char *tenant_id, const ReeveUsageListAsk *ask,
                  guint64 *next, GError **error)
{
  g_autoptr (ReeveUsageLabels) labels = reeve_usage_labels_new (self->store, tenant_id);
  g_autoptr (GHashTable) sessions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GHashTable) intents = g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL,
                                                          (GDestroyNotify) reeve_usage_intent_free);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (JsonArray) page = json_array_new ();
  ReeveUsageList list = { .usage = self,
                          .tenant_id = tenant_id,
                          .ask = ask,
                          .labels = labels,
                          .intents = intents,
                          .sessions = sessions,
                          .found = found,
                          .numbers = numbers };

  reeve_ledger_wait (self->ledger);
  if (!reeve_usage_list_walk (&list, page, next, error))
    {
      g_clear_error (&list.error);
      return NULL;
    }
  return g_steal_pointer (&page);
}
