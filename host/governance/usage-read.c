/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading on in a log: records into tables, then tables and position into the store at once. */
#include "usage-private.h"

/* intents whose outcome is awaited in memory; those of the others are read again */
#define REEVE_USAGE_READ_OPEN 50000
/* records that count for nothing are looked at again after a crash, up to so many */
#define REEVE_USAGE_READ_IDLE 2000

/* One batch. */
typedef struct
{
  ReeveUsage *usage;
  ReeveUsageBook *book;
  const char *tenant_id;
  ReeveUsageLabels *labels;
  GHashTable *hours; /* hour -> ReeveUsageTable*[REEVE_USAGE_N_SERIES] */
  gint64 latest;     /* hour of the last record */
  GError *error;
} ReeveUsageRead;

gboolean
reeve_usage_read_feed (ReeveUsage *self, const char *tenant_id, const ReeveLedgerFeed *feed,
                       guint64 after, ReeveLedgerFeedFunc func, gpointer user_data, guint64 *last,
                       GError **error)
{
  g_autoptr (GError) problem = NULL;

  if (reeve_ledger_feed_read (self->ledger, tenant_id, feed, after, func, user_data, last,
                              &problem))
    return TRUE;
  if (g_error_matches (problem, REEVE_ERROR, REEVE_ERROR_CORRUPT))
    g_set_error (
        error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
        "%s: what was used cannot be told from there on; `reevectl audit verify` says more",
        problem->message);
  else
    g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static void
reeve_usage_read_free_tables (gpointer data)
{
  ReeveUsageTable **tables = data;

  for (guint i = 0; i < REEVE_USAGE_N_SERIES; i++)
    reeve_usage_table_free (tables[i]);
  g_free (tables);
}

static ReeveUsageTable **
reeve_usage_read_find_tables (ReeveUsageRead *self, gint64 hour)
{
  gpointer key = GSIZE_TO_POINTER ((gsize) hour);
  ReeveUsageTable **tables = g_hash_table_lookup (self->hours, key);

  if (tables != NULL)
    return tables;
  tables = g_new0 (ReeveUsageTable *, REEVE_USAGE_N_SERIES);
  for (guint i = 0; i < REEVE_USAGE_N_SERIES; i++)
    tables[i] = reeve_usage_table_new ();
  g_hash_table_insert (self->hours, key, tables);
  return tables;
}

/* An intent that is looked for. */
typedef struct
{
  guint64 seq;
  ReeveUsageIntent *found;
} ReeveUsageReadSought;

static void
reeve_usage_read_keep_intent (const ReeveLedgerRecord *record, const char *text, gpointer user_data)
{
  ReeveUsageReadSought *sought = user_data;

  (void) text;
  /* behind what was dropped the log begins with another record */
  if (record->kind == REEVE_LEDGER_INTENT && record->seq == sought->seq)
    sought->found = reeve_usage_intent_new (record);
}

/* (transfer full) (nullable): it may have been dropped from the log */
static ReeveUsageIntent *
reeve_usage_read_find_intent (ReeveUsageRead *self, guint64 seq)
{
  const ReeveLedgerFilter all = { 0 };
  const ReeveLedgerFeed feed
      = { .filter = &all, .unspoken = TRUE, .max_records = 1, .max_bytes = G_MAXSIZE };
  ReeveUsageReadSought sought = { .seq = seq };
  gpointer known = NULL;
  guint64 last = 0;

  if (g_hash_table_steal_extended (self->book->open, GSIZE_TO_POINTER (seq), NULL, &known))
    return known;
  if (seq > 0)
    (void) reeve_ledger_feed_read (self->usage->ledger, self->tenant_id, &feed, seq - 1,
                                   reeve_usage_read_keep_intent, &sought, &last, NULL);
  return sought.found;
}

static void
reeve_usage_read_record (const ReeveLedgerRecord *record, const char *text, gpointer user_data)
{
  ReeveUsageRead *self = user_data;
  g_autoptr (ReeveUsageIntent) intent = NULL;
  ReeveUsageEvent event;
  ReeveUsageTable **tables = NULL;

  (void) text;
  if (self->error != NULL)
    return;
  self->latest = reeve_usage_span_of (REEVE_USAGE_HOUR, record->time);
  if (record->kind == REEVE_LEDGER_INTENT
      && g_hash_table_size (self->book->open) < REEVE_USAGE_READ_OPEN)
    g_hash_table_insert (self->book->open, GSIZE_TO_POINTER (record->seq),
                         reeve_usage_intent_new (record));
  if (record->kind == REEVE_LEDGER_OUTCOME)
    intent = reeve_usage_read_find_intent (self, record->intent);
  if (!reeve_usage_event_read (&event, record, intent, self->usage->prices)
      || !reeve_usage_labels_resolve (self->labels, &event, &self->error))
    return;
  tables = reeve_usage_read_find_tables (self, self->latest);
  for (guint i = 0; i < REEVE_USAGE_N_SERIES; i++)
    {
      event.row.value = event.values[i] != NULL ? event.values[i] : "";
      reeve_usage_table_add (tables[i], &event.row);
    }
}

static gboolean
reeve_usage_read_commit (ReeveUsageRead *self, ReeveUsageState *state, GError **error)
{
  g_autoptr (ReeveUsagePages) pages = reeve_usage_pages_new (self->usage->store, self->tenant_id);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (self->tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  GHashTableIter iter;
  gpointer hour = NULL;
  gpointer tables = NULL;

  g_hash_table_iter_init (&iter, self->hours);
  while (g_hash_table_iter_next (&iter, &hour, &tables))
    if (!reeve_usage_state_add (state, pages, (gint64) GPOINTER_TO_SIZE (hour), tables, error))
      return FALSE;
  if (!reeve_usage_state_close (state, pages, self->latest, error))
    return FALSE;
  reeve_usage_pages_save (pages, batch);
  reeve_usage_state_save (state, batch);
  result = reeve_store_commit (self->usage->store, batch, error);
  return result != NULL;
}

/* From @after on; *last is how far it came. */
static gboolean
reeve_usage_read_log (ReeveUsageRead *self, guint64 after, guint64 *last, GError **error)
{
  const ReeveLedgerFilter all = { 0 };
  const ReeveLedgerFeed feed
      = { .filter = &all, .unspoken = TRUE, .max_records = G_MAXUINT, .max_bytes = G_MAXSIZE };

  *last = after;
  if (!reeve_usage_read_feed (self->usage, self->tenant_id, &feed, after, reeve_usage_read_record,
                              self, last, error))
    return FALSE;
  if (self->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

static gboolean
reeve_usage_read_step (ReeveUsageRead *self, ReeveUsageState *state, guint64 *last, GError **error)
{
  guint64 size = reeve_ledger_get_size (self->usage->ledger, self->tenant_id);
  /* an older ledger was put back: what is written from here on is new */
  guint64 from = MAX (MIN (state->seq, size), self->book->position);
  guint64 base = reeve_ledger_get_base (self->usage->ledger, self->tenant_id);

  /* dropped by retention while nobody summed up: said with every answer from now on */
  if (base > from)
    {
      state->skipped += base - from;
      from = base;
    }
  if (!reeve_usage_read_log (self, from, last, error))
    return FALSE;
  if (g_hash_table_size (self->hours) == 0 && *last < state->seq + REEVE_USAGE_READ_IDLE)
    return TRUE;
  state->seq = *last;
  return reeve_usage_read_commit (self, state, error);
}

/**
 * reeve_usage_read_on:
 * @self: usage
 * @book: of the tenant; no other thread uses it now
 * @tenant_id: whose log
 * @ended: (out): whether it is at the end
 * @error: return location
 *
 * One batch: some thousand records. After an error it begins again where the store is.
 *
 * Returns: %FALSE with an error; nothing was added then
 */
gboolean
reeve_usage_read_on (ReeveUsage *self, ReeveUsageBook *book, const char *tenant_id, gboolean *ended,
                     GError **error)
{
  ReeveUsageRead read = { .usage = self, .book = book, .tenant_id = tenant_id };
  g_autoptr (ReeveUsageState) state = NULL;
  g_autoptr (ReeveUsageLabels) labels = NULL;
  g_autoptr (GHashTable) hours = NULL;
  guint64 last = 0;
  gboolean good = FALSE;

  *ended = book->position >= reeve_ledger_get_size (self->ledger, tenant_id);
  if (*ended)
    return TRUE;
  state = reeve_usage_state_load (self->store, tenant_id, error);
  if (state == NULL)
    return FALSE;
  labels = read.labels = reeve_usage_labels_new (self->store, tenant_id);
  hours = read.hours
      = g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, reeve_usage_read_free_tables);
  good = reeve_usage_read_step (&read, state, &last, error);
  if (good)
    book->position = last;
  else
    {
      book->position = 0;
      g_hash_table_remove_all (book->open);
      g_clear_error (&read.error);
    }
  *ended = book->position >= reeve_ledger_get_size (self->ledger, tenant_id);
  return good;
}
