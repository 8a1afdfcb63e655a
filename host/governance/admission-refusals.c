/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first refusal of a source, an action and a door is recorded as it comes; those that follow
 * are counted, and each interval writes their number. So a flood of bad keys costs the ledger a
 * record an interval and not one a request, and the memory of a bounded table. A source is named by
 * a pseudonym that lasts as long as the process: an address is personal. The addresses of an IPv6
 * network of 64 bits are one: a client has as many of those as it likes. */
#include "admission-refusals.h"

#include "base/address-list.h"

#define REEVE_ADMISSION_REFUSALS_SECONDS 10
#define REEVE_ADMISSION_REFUSALS_MAX     1024 /* beyond: all sources together */

typedef struct
{
  char *source; /* (nullable) */
  char *action;
  char *door;
  char *reason;
  char *output; /* digest of what is told */
  gint64 count; /* not yet recorded */
} ReeveAdmissionRefusalsRow;

struct _ReeveAdmissionRefusals
{
  GMutex mutex;
  ReeveLedger *ledger;
  GHashTable *rows;                  /* key -> ReeveAdmissionRefusalsRow */
  GSource *timer;                    /* (nullable): while there are rows */
  const ReevePseudonyms *pseudonyms; /* not owned */
};

static void
reeve_admission_refusals_row_free (gpointer data)
{
  ReeveAdmissionRefusalsRow *row = data;

  g_free (row->source);
  g_free (row->action);
  g_free (row->door);
  g_free (row->reason);
  g_free (row->output);
  g_free (row);
}

ReeveAdmissionRefusals *
reeve_admission_refusals_new (ReeveLedger *ledger, const ReevePseudonyms *pseudonyms)
{
  ReeveAdmissionRefusals *self = g_new0 (ReeveAdmissionRefusals, 1);

  g_mutex_init (&self->mutex);
  self->ledger = g_object_ref (ledger);
  self->rows
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_admission_refusals_row_free);
  self->pseudonyms = pseudonyms;
  return self;
}

void
reeve_admission_refusals_free (ReeveAdmissionRefusals *self)
{
  if (self->timer != NULL)
    {
      g_source_destroy (self->timer);
      g_source_unref (self->timer);
    }
  g_hash_table_unref (self->rows);
  g_object_unref (self->ledger);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* ---- the interval ---- */

static void
reeve_admission_refusals_record_row (ReeveAdmissionRefusals *self,
                                     const ReeveAdmissionRefusalsRow *row)
{
  const ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_REFUSAL,
    .scope = REEVE_SCOPE_PLATFORM,
    .action = row->action,
    .door = row->door,
    .source = row->source,
    .outcome = REEVE_OUTCOME_BLOCKED,
    .reason = row->reason,
    .output_digest = row->output,
    .count = row->count,
  };

  reeve_ledger_append_async (self->ledger, &record, NULL, NULL);
}

/* Rows that were counted since; those that were not are forgotten. */
static GPtrArray *
reeve_admission_refusals_take (ReeveAdmissionRefusals *self)
{
  GPtrArray *counted = g_ptr_array_new_with_free_func (reeve_admission_refusals_row_free);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  GHashTableIter iter;
  gpointer value = NULL;

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      ReeveAdmissionRefusalsRow *row = value;
      ReeveAdmissionRefusalsRow *copy = NULL;

      if (row->count == 0)
        {
          g_hash_table_iter_remove (&iter);
          continue;
        }
      copy = g_new0 (ReeveAdmissionRefusalsRow, 1);
      copy->source = g_strdup (row->source);
      copy->action = g_strdup (row->action);
      copy->door = g_strdup (row->door);
      copy->reason = g_strdup (row->reason);
      copy->output = g_strdup (row->output);
      copy->count = row->count;
      row->count = 0;
      g_ptr_array_add (counted, copy);
    }
  return counted;
}

/**
 * reeve_admission_refusals_flush:
 * @self: refusals
 *
 * Ends the interval: each row that counted something gets its record. Nobody waits for them.
 */
void
reeve_admission_refusals_flush (ReeveAdmissionRefusals *self)
{
  g_autoptr (GPtrArray) counted = reeve_admission_refusals_take (self);

  for (guint i = 0; i < counted->len; i++)
    reeve_admission_refusals_record_row (self, counted->pdata[i]);
}

static gboolean
reeve_admission_refusals_on_timer (gpointer data)
{
  ReeveAdmissionRefusals *self = data;
  g_autoptr (GMutexLocker) locker = NULL;

  reeve_admission_refusals_flush (self);
  locker = g_mutex_locker_new (&self->mutex);
  if (g_hash_table_size (self->rows) > 0)
    return G_SOURCE_CONTINUE;
  g_clear_pointer (&self->timer, g_source_unref);
  return G_SOURCE_REMOVE;
}

/* ---- one more ---- */

/* TRUE: it is the first of its kind, and is to be recorded as it is. */
static gboolean
reeve_admission_refusals_count (ReeveAdmissionRefusals *self, const ReeveLedgerRecord *record,
                                char **source)
{
  g_autofree char *key = g_strjoin ("\n", *source != NULL ? *source : "", record->action,
                                    record->door != NULL ? record->door : "", record->reason, NULL);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  ReeveAdmissionRefusalsRow *row = g_hash_table_lookup (self->rows, key);

  if (row == NULL && g_hash_table_size (self->rows) >= REEVE_ADMISSION_REFUSALS_MAX)
    {
      g_clear_pointer (source, g_free);
      g_free (key);
      key = g_strdup ("");
      row = g_hash_table_lookup (self->rows, key);
    }
  if (row != NULL)
    {
      row->count++;
      return FALSE;
    }
  row = g_new0 (ReeveAdmissionRefusalsRow, 1);
  row->source = g_strdup (*source);
  row->action = g_strdup (record->action);
  row->door = g_strdup (record->door);
  row->reason = g_strdup (record->reason);
  row->output = g_strdup (record->output_digest);
  g_hash_table_insert (self->rows, g_steal_pointer (&key), row);
  if (self->timer == NULL)
    {
      self->timer = g_timeout_source_new_seconds (REEVE_ADMISSION_REFUSALS_SECONDS);
      g_source_set_callback (self->timer, reeve_admission_refusals_on_timer, self, NULL);
      g_source_attach (self->timer, NULL);
    }
  return TRUE;
}

/**
 * reeve_admission_refusals_add:
 * @self: refusals
 * @record: what would be recorded
 * @address: (nullable): where the caller, who is not known, called from
 *
 * Records it, or counts it to those that are recorded together at the end of the interval.
 */
void
reeve_admission_refusals_add (ReeveAdmissionRefusals *self, const ReeveLedgerRecord *record,
                              const char *address)
{
  g_autofree char *network = reeve_address_list_name_source (address);
  g_autofree char *source
      = network != NULL ? reeve_pseudonyms_name (self->pseudonyms, "src", network) : NULL;
  ReeveLedgerRecord first = *record;

  if (!reeve_admission_refusals_count (self, record, &source))
    return;
  first.source = source;
  reeve_ledger_append_async (self->ledger, &first, NULL, NULL);
}
