/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queries: backwards through a log, block by block, with filters on the parsed records. */
#include "ledger-query.h"

#include <string.h>

#include "base/digests.h"
#include "base/times.h"

#include "ledger-record.h"
#include "ledger-scanner.h"
#include "ledger-segment.h"

/* where one record stands in a block */
typedef struct
{
  const guint8 *chain_before;
  const char *json;
  gsize length;
  const guint8 *chain;
} ReeveLedgerQueryEntry;

static gboolean
reeve_ledger_query_corrupt (guint64 seq, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "record %" G_GUINT64_FORMAT " of the ledger is damaged", seq);
  return FALSE;
}

/* Cuts a block into its records. */
static gboolean
reeve_ledger_query_cut (GByteArray *block, guint64 first, GArray *entries, GError **error)
{
  gsize at = REEVE_LEDGER_HASH_SIZE;

  while (at < block->len)
    {
      ReeveLedgerQueryEntry entry = { 0 };
      guint32 length = 0;

      if (block->len - at < REEVE_LEDGER_SCANNER_OVERHEAD)
        return reeve_ledger_query_corrupt (first + entries->len, error);
      memcpy (&length, block->data + at, sizeof length);
      length = GUINT32_FROM_BE (length);
      if (length > REEVE_LEDGER_RECORD_MAX_JSON
          || length > block->len - at - REEVE_LEDGER_SCANNER_OVERHEAD)
        return reeve_ledger_query_corrupt (first + entries->len, error);
      entry.chain_before = block->data + at - REEVE_LEDGER_HASH_SIZE;
      entry.json = (const char *) block->data + at + REEVE_LEDGER_SCANNER_PREFIX;
      entry.length = length;
      entry.chain = block->data + at + REEVE_LEDGER_SCANNER_PREFIX + length;
      g_array_append_val (entries, entry);
      at += length + REEVE_LEDGER_SCANNER_OVERHEAD;
    }
  return TRUE;
}

/* The object that is shown outside. */
static JsonObject *
reeve_ledger_query_show (const ReeveLedgerQueryEntry *entry, GError **error)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (entry->json, entry->length, error);
  g_autofree char *hash = reeve_digests_hex (entry->chain, REEVE_LEDGER_HASH_SIZE);
  g_autofree char *before = reeve_digests_hex (entry->chain_before, REEVE_LEDGER_HASH_SIZE);
  g_autofree char *time = NULL;
  JsonObject *shown = NULL;
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
  return shown;
}

static gboolean
reeve_ledger_query_is (const char *wanted, const char *found)
{
  return wanted == NULL || g_strcmp0 (wanted, found) == 0;
}

static gboolean
reeve_ledger_query_matches (const ReeveLedgerFilter *filter, const ReeveLedgerQueryEntry *entry,
                            const ReeveLedgerRecord *record)
{
  return reeve_ledger_query_is (filter->action, record->action)
         && reeve_ledger_query_is (filter->actor, record->actor_id)
         && reeve_ledger_query_is (filter->agent_id, record->agent_id)
         && reeve_ledger_query_is (filter->run_id, record->run_id)
         && reeve_ledger_query_is (filter->outcome,
                                   reeve_ledger_record_outcome_name (record->outcome))
         && (filter->from == 0 || record->time >= filter->from)
         && (filter->to == 0 || record->time < filter->to)
         && (filter->text == NULL
             || memmem (entry->json, entry->length, filter->text, strlen (filter->text)) != NULL);
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
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (ReeveLedgerQueryEntry));
  g_autoptr (GByteArray) block = NULL;
  g_autoptr (JsonObject) shown = NULL;
  guint64 first = 0;

  block = reeve_ledger_log_read_block (log, seq, &first, error);
  if (block == NULL || !reeve_ledger_query_cut (block, first, entries, error))
    return NULL;
  if (seq - first >= entries->len)
    {
      reeve_ledger_query_corrupt (seq, error);
      return NULL;
    }
  shown = reeve_ledger_query_show (
      &g_array_index (entries, ReeveLedgerQueryEntry, (guint) (seq - first)), error);
  if (shown == NULL || reeve_json_get_int (shown, "seq", 0) != (gint64) seq)
    {
      g_clear_error (error);
      reeve_ledger_query_corrupt (seq, error);
      return NULL;
    }
  return g_steal_pointer (&shown);
}

/* Goes backwards through one block from @from on; *@at is the last record that was looked at. */
static gboolean
reeve_ledger_query_scan_block (GArray *entries, guint64 first, guint64 from,
                               const ReeveLedgerFilter *filter, guint limit, GPtrArray *found,
                               guint64 *at, GError **error)
{
  g_autofree char *arena = g_malloc (REEVE_LEDGER_RECORD_MAX_JSON);

  for (*at = from; *at >= first && *at > filter->after && found->len < limit; (*at)--)
    {
      const ReeveLedgerQueryEntry *entry
          = &g_array_index (entries, ReeveLedgerQueryEntry, (guint) (*at - first));
      ReeveLedgerRecord record;
      JsonObject *shown = NULL;

      if (!reeve_ledger_record_parse (&record, arena, entry->json, entry->length, error)
          || record.seq != *at)
        {
          g_clear_error (error);
          return reeve_ledger_query_corrupt (*at, error);
        }
      if (!reeve_ledger_query_matches (filter, entry, &record))
        continue;
      shown = reeve_ledger_query_show (entry, error);
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
  guint64 stop = 0;

  if (filter->before != 0 && filter->before <= at)
    at = filter->before - 1;
  stop = at > REEVE_LEDGER_QUERY_MAX_SCAN ? at - REEVE_LEDGER_QUERY_MAX_SCAN : 0;
  stop = MAX (stop, filter->after);
  while (at > stop && found->len < limit)
    {
      g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (ReeveLedgerQueryEntry));
      g_autoptr (GByteArray) block = NULL;
      guint64 first = 0;

      block = reeve_ledger_log_read_block (log, at, &first, error);
      if (block == NULL || !reeve_ledger_query_cut (block, first, entries, error))
        return NULL;
      if (at - first >= entries->len)
        {
          reeve_ledger_query_corrupt (at, error);
          return NULL;
        }
      if (!reeve_ledger_query_scan_block (entries, first, at, filter, limit, found, &at, error))
        return NULL;
    }
  *next = at > filter->after ? at + 1 : 0;
  return g_steal_pointer (&found);
}
