/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log itself is the queue of whoever follows it: he keeps a number, and nothing waits for him.
 */
#include "ledger-feed.h"

#include "base/digests.h"

#include "ledger-block.h"
#include "ledger-filter.h"
#include "ledger-private.h"

/* records that one call looks at */
#define REEVE_LEDGER_FEED_SCAN 4096

typedef struct
{
  const ReeveLedgerFeed *feed;
  ReeveLedgerFeedFunc func;
  gpointer user_data;
  GString *line;
  char *arena;
  guint records;
  gsize bytes;
  guint64 last;
} ReeveLedgerFeedRead;

/* Writes the record as it is asked for. */
static void
reeve_ledger_feed_spell (ReeveLedgerFeedRead *self, const ReeveLedgerBlockEntry *entry,
                         const ReeveLedgerRecord *record)
{
  guint8 leaf[REEVE_LEDGER_HASH_SIZE];
  ReeveLedgerFormatEntry line
      = { .record = record, .text = entry->json, .length = entry->length, .leaf = leaf };

  reeve_ledger_block_hash (entry, leaf);
  g_string_truncate (self->line, 0);
  reeve_ledger_format_append (self->feed->format, &line, self->line);
  while (self->line->len > 0 && g_ascii_iscntrl (self->line->str[self->line->len - 1]))
    g_string_truncate (self->line, self->line->len - 1);
}

/* FALSE without an error: the batch is full, and the record is the first of the next */
static gboolean
reeve_ledger_feed_give (ReeveLedgerFeedRead *self, const ReeveLedgerBlockEntry *entry,
                        GError **error)
{
  ReeveLedgerRecord record;
  gboolean spoken = !self->feed->unspoken;

  /* who follows the log sums up or sends on what it says: a changed one is not to go further */
  if (!reeve_ledger_block_fits (entry)
      || !reeve_ledger_record_parse (&record, self->arena, entry->json, entry->length, error)
      || record.seq != self->last + 1)
    {
      g_clear_error (error);
      return reeve_ledger_block_set_corrupt (self->last + 1, error);
    }
  if (reeve_ledger_filter_matches (self->feed->filter, &record, entry->json, entry->length))
    {
      if (spoken)
        reeve_ledger_feed_spell (self, entry, &record);
      if (self->records > 0 && self->bytes + self->line->len > self->feed->max_bytes)
        return FALSE;
      self->func (&record, spoken ? self->line->str : NULL, self->user_data);
      self->records++;
      self->bytes += self->line->len;
    }
  self->last++;
  return TRUE;
}

/**
 * reeve_ledger_feed_read:
 * @ledger: an open ledger
 * @scope: whose log
 * @feed: which records, how many
 * @after: the number of the last that was read
 * @func: (scope call): gets each that is meant, oldest first
 * @user_data: for @func
 * @last: (out): number of the last that was looked at, @after when there is nothing new
 * @error: return location
 *
 * Reads on; what retention has dropped is passed over. Blocks for a bounded time.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT or a file error
 */
gboolean
reeve_ledger_feed_read (ReeveLedger *ledger, const char *scope, const ReeveLedgerFeed *feed,
                        guint64 after, ReeveLedgerFeedFunc func, gpointer user_data, guint64 *last,
                        GError **error)
{
  guint64 from = MAX (after, reeve_ledger_get_base (ledger, scope));
  guint64 end = MIN (reeve_ledger_get_size (ledger, scope), from + REEVE_LEDGER_FEED_SCAN);
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree char *arena = g_malloc (REEVE_LEDGER_RECORD_MAX_JSON);
  ReeveLedgerFeedRead self = { feed, func, user_data, line, arena, 0, 0, from };
  g_autoptr (GError) local = NULL;
  gboolean full = FALSE;

  while (self.last < end && !full && self.records < feed->max_records)
    {
      g_autoptr (ReeveLedgerBlock) block = NULL;
      ReeveLedgerLog *log = reeve_ledger_need_log (ledger, scope, error);
      guint64 stop = 0;

      block = log != NULL ? reeve_ledger_block_read (log, self.last + 1, TRUE, error) : NULL;
      if (block == NULL)
        return FALSE;
      stop = MIN (end, block->first + block->entries->len - 1);
      while (self.last < stop && !full && self.records < feed->max_records)
        full = !reeve_ledger_feed_give (&self, reeve_ledger_block_get (block, self.last + 1),
                                        &local);
      if (local != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
    }
  *last = self.last;
  return TRUE;
}
