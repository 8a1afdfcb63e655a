/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queries: backwards through a log, block by block, with filters on the parsed records. */
#include "ledger-query.h"

#include <string.h>

#include "base/digests.h"
#include "base/times.h"

#include "ledger-block.h"
#include "ledger-event.h"
#include "ledger-filter.h"
#include "ledger-record.h"

/* The object that is shown outside; @record is what the entry says. */
static JsonObject *
reeve_ledger_query_show (const ReeveLedgerBlockEntry *entry, const ReeveLedgerRecord *record,
                         GError **error)
{
  guint8 leaf[REEVE_LEDGER_HASH_SIZE];
  g_autoptr (JsonNode) node = reeve_json_parse_strict (entry->json, entry->length, error);
  g_autofree char *hash = reeve_digests_hex (entry->chain, REEVE_LEDGER_HASH_SIZE);
  g_autofree char *before = reeve_digests_hex (entry->chain_before, REEVE_LEDGER_HASH_SIZE);
  g_autofree char *time = NULL;
  g_autoptr (JsonObject) shown = NULL;
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return NULL;
  shown = json_object_new ();
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &name, &value))
    json_object_set_member (shown, name, json_node_ref (value));
  time = reeve_times_format (json_object_get_int_member (shown, "time"));
  json_object_set_string_member (shown, "time", time);
  json_object_set_string_member (shown, "hash", hash);
  json_object_set_string_member (shown, "previous_hash", before);
  reeve_ledger_block_hash (entry, leaf);
  return reeve_ledger_event_add (shown, record, leaf, error) ? g_steal_pointer (&shown) : NULL;
}

/**
 * reeve_ledger_query_get:
 * @log: a log
 * @seq: a sequence number
 * @error: return location
 *
 * Returns: (transfer full): the record as it is shown outside; %NULL with %REEVE_ERROR_NOT_FOUND or
 * %REEVE_ERROR_CORRUPT
 */
JsonObject *
reeve_ledger_query_get (ReeveLedgerLog *log, guint64 seq, GError **error)
{
  g_autoptr (ReeveLedgerBlock) block = reeve_ledger_block_read (log, seq, FALSE, error);
  g_autofree char *arena = g_malloc (REEVE_LEDGER_RECORD_MAX_JSON);
  const ReeveLedgerBlockEntry *entry = NULL;
  ReeveLedgerRecord record;
  JsonObject *shown = NULL;

  if (block == NULL)
    return NULL;
  entry = reeve_ledger_block_get (block, seq);
  if (reeve_ledger_record_parse (&record, arena, entry->json, entry->length, NULL)
      && record.seq == seq)
    shown = reeve_ledger_query_show (entry, &record, NULL);
  if (shown == NULL)
    reeve_ledger_block_set_corrupt (seq, error);
  return shown;
}

/* Goes backwards through one block from *@at on, which is left at the next record to look at. */
static gboolean
reeve_ledger_query_scan_block (ReeveLedgerBlock *block, const ReeveLedgerFilter *filter,
                               guint limit, GPtrArray *found, guint64 *at, GError **error)
{
  g_autofree char *arena = g_malloc (REEVE_LEDGER_RECORD_MAX_JSON);

  for (; *at >= block->first && *at > filter->after && found->len < limit; (*at)--)
    {
      const ReeveLedgerBlockEntry *entry = reeve_ledger_block_get (block, *at);
      ReeveLedgerRecord record;
      JsonObject *shown = NULL;

      if (!reeve_ledger_record_parse (&record, arena, entry->json, entry->length, error)
          || record.seq != *at)
        {
          g_clear_error (error);
          return reeve_ledger_block_set_corrupt (*at, error);
        }
      if (!reeve_ledger_filter_matches (filter, &record, entry->json, entry->length))
        continue;
      shown = reeve_ledger_query_show (entry, &record, error);
      if (shown == NULL)
        return FALSE;
      g_ptr_array_add (found, shown);
    }
  return TRUE;
}

/**
 * reeve_ledger_query_list:
 * @log: a log
 * @filter: what to look for
 * @next: (out): cursor for the rest, 0 at the end
 * @error: return location
 *
 * Returns: (transfer full) (element-type JsonObject): records, newest first; %NULL with an error
 */
GPtrArray *
reeve_ledger_query_list (ReeveLedgerLog *log, const ReeveLedgerFilter *filter, guint64 *next,
                         GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  guint limit = CLAMP (filter->limit, 1, REEVE_LEDGER_QUERY_MAX_LIMIT);
  guint64 at = reeve_ledger_log_get_size (log);
  guint64 end = MAX (filter->after, reeve_ledger_log_get_base (log));
  guint64 stop = 0;

  if (filter->before != 0 && filter->before <= at)
    at = filter->before - 1;
  stop = at > REEVE_LEDGER_QUERY_MAX_SCAN ? at - REEVE_LEDGER_QUERY_MAX_SCAN : 0;
  stop = MAX (stop, end);
  while (at > stop && found->len < limit)
    {
      g_autoptr (ReeveLedgerBlock) block = reeve_ledger_block_read (log, at, FALSE, error);

      if (block == NULL || !reeve_ledger_query_scan_block (block, filter, limit, found, &at, error))
        return NULL;
    }
  *next = at > end ? at + 1 : 0;
  return g_steal_pointer (&found);
}
