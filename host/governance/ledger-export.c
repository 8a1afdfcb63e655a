/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Oldest first, up to the size the log had at the beginning. In JSON everything goes along that a
 * stranger needs: the exact texts, for what the filter leaves out the hashes of the Merkle tree
 * that stand for it, and a signed checkpoint over all. Memory does not grow with the log. */
#include "ledger-export.h"

#include <string.h>

#include "base/digests.h"

#include "ledger-block.h"
#include "ledger-event.h"
#include "ledger-filter.h"
#include "ledger-private.h"
#include "ledger-range.h"

/* a piece ends behind the block with which it is so large, or so many records were looked at */
#define REEVE_LEDGER_EXPORT_PIECE (64 * 1024)
#define REEVE_LEDGER_EXPORT_SCAN  4096

struct _ReeveLedgerExport
{
  ReeveLedgerLog *log;
  char *scope;
  ReeveLedgerFilter filter;
  ReeveLedgerFormat format;
  guint64 size; /* records there are */
  char *note;   /* signed, over as many */
  guint64 at;   /* the next record */
  gboolean begun;
  gboolean ended;
  gboolean filled; /* an entry was written */
  ReeveLedgerRange gap;
  guint8 gap_chain[REEVE_LEDGER_HASH_SIZE]; /* chain hash of its last record */
};

/* What retention has dropped is left out as what the filter leaves out. */
static void
reeve_ledger_export_skip_dropped (ReeveLedgerExport *self)
{
  g_autofree ReeveLedgerBase *base = reeve_ledger_log_dup_base (self->log);

  if (base == NULL)
    return;
  (void) reeve_ledger_range_describe (&self->gap, 0, base->frontier.size);
  for (guint i = 0; i < self->gap.length; i++)
    memcpy (self->gap.nodes[i], base->frontier.nodes[self->gap.levels[i]], REEVE_LEDGER_HASH_SIZE);
  memcpy (self->gap_chain, base->chain, REEVE_LEDGER_HASH_SIZE);
  self->at = base->frontier.size + 1;
}

/**
 * reeve_ledger_export_new:
 * @ledger: an open ledger, which outlives the export
 * @scope: whose log
 * @filter: which records; copied
 * @format: how they are written
 * @error: return location
 *
 * Returns: (transfer full): an export; %NULL with %REEVE_ERROR_NOT_FOUND when nothing is recorded
 * yet
 */
ReeveLedgerExport *
reeve_ledger_export_new (ReeveLedger *ledger, const char *scope, const ReeveLedgerFilter *filter,
                         ReeveLedgerFormat format, GError **error)
{
  ReeveLedgerLog *log = NULL;
  g_autoptr (ReeveLedgerExport) self = NULL;
  ReeveCheckpoint checkpoint = { 0 };

  /* what was done before is in it */
  reeve_ledger_wait (ledger);
  log = reeve_ledger_need_log (ledger, scope, error);
  if (log == NULL)
    return NULL;
  self = g_new0 (ReeveLedgerExport, 1);
  self->log = log;
  self->scope = g_strdup (scope);
  self->format = format;
  self->at = 1;
  reeve_ledger_export_skip_dropped (self);
  reeve_ledger_filter_copy (&self->filter, filter);
  reeve_ledger_log_get_checkpoint (log, &checkpoint);
  self->size = checkpoint.size;
  self->note = reeve_checkpoint_format (&checkpoint, scope, ledger->key, error);
  return self->note != NULL ? g_steal_pointer (&self) : NULL;
}

void
reeve_ledger_export_free (ReeveLedgerExport *self)
{
  reeve_ledger_filter_clear (&self->filter);
  g_free (self->scope);
  g_free (self->note);
  g_free (self);
}

/* ---- JSON ---- */

static void
reeve_ledger_export_separate (ReeveLedgerExport *self, GString *out)
{
  g_string_append (out, self->filled ? ",\n" : "\n");
  self->filled = TRUE;
}

/**
 * reeve_ledger_export_format_skipped:
 * @range: records that were left out
 * @chain: (nullable): the chain hash of the last of them; %NULL at the end of the log, where no
 * record follows that needs it
 * @out: what it is appended to
 */
void
reeve_ledger_export_format_skipped (const ReeveLedgerRange *range, const guint8 *chain,
                                    GString *out)
{
  char hex[2 * REEVE_LEDGER_HASH_SIZE + 1];

  g_string_append_printf (out, "{\"skipped\":{\"count\":%" G_GUINT64_FORMAT, range->count);
  if (chain != NULL)
    {
      reeve_digests_write_hex (chain, REEVE_LEDGER_HASH_SIZE, hex);
      g_string_append_printf (out, ",\"hash\":\"%s\"", hex);
    }
  g_string_append (out, ",\"nodes\":[");
  for (guint i = 0; i < range->length; i++)
    {
      reeve_digests_write_hex (range->nodes[i], REEVE_LEDGER_HASH_SIZE, hex);
      g_string_append_printf (out, "%s\"%s\"", i > 0 ? "," : "", hex);
    }
  g_string_append (out, "]}}");
}

/**
 * reeve_ledger_export_format_end:
 * @size: records in the log
 * @note: the checkpoint
 * @out: what it is appended to
 */
void
reeve_ledger_export_format_end (guint64 size, const char *note, GString *out)
{
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), note);
  g_autofree char *text = reeve_json_canonical (node);

  g_string_append_printf (out, "],\"size\":%" G_GUINT64_FORMAT ",\"checkpoint\":%s}", size, text);
}

/* What stands for the records that were left out. */
static void
reeve_ledger_export_close_gap (ReeveLedgerExport *self, gboolean last, GString *out)
{
  if (self->gap.count == 0)
    return;
  reeve_ledger_export_separate (self, out);
  reeve_ledger_export_format_skipped (&self->gap, last ? NULL : self->gap_chain, out);
  self->gap.length = 0;
  self->gap.count = 0;
}

static void
reeve_ledger_export_add_json (ReeveLedgerExport *self, const ReeveLedgerBlockEntry *entry,
                              const ReeveLedgerFormatEntry *line, GString *out)
{
  char hex[2 * REEVE_LEDGER_HASH_SIZE + 1];

  reeve_ledger_export_close_gap (self, FALSE, out);
  reeve_ledger_export_separate (self, out);
  reeve_digests_write_hex (entry->chain, REEVE_LEDGER_HASH_SIZE, hex);
  g_string_append_printf (out, "{\"hash\":\"%s\",\"record\":", hex);
  g_string_append_len (out, entry->json, (gssize) entry->length);
  g_string_append (out, REEVE_LEDGER_EXPORT_EVENT);
  reeve_ledger_event_write (line->record, line->leaf, out);
  g_string_append_c (out, '}');
}

static void
reeve_ledger_export_skip (ReeveLedgerExport *self, const ReeveLedgerBlockEntry *entry,
                          const guint8 leaf[REEVE_LEDGER_HASH_SIZE])
{
  if (self->gap.count == 0)
    self->gap.start = self->at - 1;
  reeve_ledger_range_add (&self->gap, leaf);
  memcpy (self->gap_chain, entry->chain, REEVE_LEDGER_HASH_SIZE);
}

static void
reeve_ledger_export_end_json (ReeveLedgerExport *self, GString *out)
{
  reeve_ledger_export_close_gap (self, TRUE, out);
  g_string_append_c (out, '\n');
  reeve_ledger_export_format_end (self->size, self->note, out);
  g_string_append_c (out, '\n');
}

/* ---- all formats ---- */

static void
reeve_ledger_export_begin (ReeveLedgerExport *self, GString *out)
{
  self->begun = TRUE;
  if (self->format == REEVE_LEDGER_FORMAT_JSON)
    g_string_append_printf (out, REEVE_LEDGER_EXPORT_HEAD "%s" REEVE_LEDGER_EXPORT_OPEN,
                            self->scope);
  else
    reeve_ledger_format_append_head (self->format, out);
}

static gboolean
reeve_ledger_export_add (ReeveLedgerExport *self, const ReeveLedgerBlockEntry *entry, char *arena,
                         GString *out, GError **error)
{
  guint8 leaf[REEVE_LEDGER_HASH_SIZE];
  ReeveLedgerRecord record;
  ReeveLedgerFormatEntry line
      = { .record = &record, .text = entry->json, .length = entry->length, .leaf = leaf };

  if (!reeve_ledger_record_parse (&record, arena, entry->json, entry->length, error)
      || record.seq != self->at)
    {
      g_clear_error (error);
      return reeve_ledger_block_set_corrupt (self->at, error);
    }
  reeve_ledger_block_hash (entry, leaf);
  if (!reeve_ledger_filter_matches (&self->filter, &record, entry->json, entry->length))
    reeve_ledger_export_skip (self, entry, leaf);
  else if (self->format == REEVE_LEDGER_FORMAT_JSON)
    reeve_ledger_export_add_json (self, entry, &line, out);
  else
    reeve_ledger_format_append (self->format, &line, out);
  self->at++;
  return TRUE;
}

static gboolean
reeve_ledger_export_add_block (ReeveLedgerExport *self, char *arena, GString *out, GError **error)
{
  g_autoptr (ReeveLedgerBlock) block = reeve_ledger_block_read (self->log, self->at, FALSE, error);
  guint64 end = 0;

  if (block == NULL)
    return FALSE;
  end = MIN (self->size + 1, block->first + block->entries->len);
  while (self->at < end)
    if (!reeve_ledger_export_add (self, reeve_ledger_block_get (block, self->at), arena, out,
                                  error))
      return FALSE;
  return TRUE;
}

/**
 * reeve_ledger_export_next:
 * @self: an export
 * @error: return location
 *
 * Reads on. Blocks for a bounded time.
 *
 * Returns: (transfer full) (nullable): the next bytes, none where a filter finds little; %NULL
 * without an error at the end, with %REEVE_ERROR_CORRUPT or a file error when the log cannot be
 * read
 */
GBytes *
reeve_ledger_export_next (ReeveLedgerExport *self, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *arena = g_malloc (REEVE_LEDGER_RECORD_MAX_JSON);
  guint64 stop = self->at + REEVE_LEDGER_EXPORT_SCAN;

  if (self->ended)
    return NULL;
  if (!self->begun)
    reeve_ledger_export_begin (self, out);
  while (self->at <= self->size && self->at < stop && out->len < REEVE_LEDGER_EXPORT_PIECE)
    if (!reeve_ledger_export_add_block (self, arena, out, error))
      return NULL;
  self->ended = self->at > self->size;
  if (self->ended && self->format == REEVE_LEDGER_FORMAT_JSON)
    reeve_ledger_export_end_json (self, out);
  return g_string_free_to_bytes (g_steal_pointer (&out));
}
