/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dropping the oldest files of a log. First a base is signed that stands for them, and is durable;
 * only then do they go. A host that ends in between leaves files that the base says nothing needs:
 * the next start removes them. The file that is written is never dropped. */
#include "ledger-log-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "ledger-block.h"
#include "ledger-edge.h"
#include "ledger-file.h"
#include "ledger-record.h"

/* 2025-01-01, µs: no host has run before */
#define REEVE_LEDGER_LOG_RETIRE_NEVER (G_GINT64_CONSTANT (1735689600) * G_TIME_SPAN_SECOND)

gboolean
reeve_ledger_log_remove_files (ReeveLedgerLog *self, GArray *firsts, GError **error)
{
  for (guint i = 0; i < firsts->len; i++)
    {
      g_autoptr (ReeveLedgerSegment) segment
          = reeve_ledger_segment_new (self->folder, g_array_index (firsts, guint64, i));

      reeve_ledger_segment_remove_index (segment);
      if (g_unlink (segment->path) != 0 && errno != ENOENT)
        {
          reeve_ledger_file_set_error (error, errno, "removing", segment->path);
          return FALSE;
        }
    }
  return firsts->len == 0 || reeve_ledger_file_sync_folder (self->folder, error);
}

/* ---- what is old ---- */

gint64
reeve_ledger_log_read_time (ReeveLedgerLog *self, guint64 seq, GError **error)
{
  g_autoptr (ReeveLedgerBlock) block = reeve_ledger_block_read (self, seq, FALSE, error);
  g_autofree char *arena = g_malloc (REEVE_LEDGER_RECORD_MAX_JSON);
  const ReeveLedgerBlockEntry *entry = NULL;
  ReeveLedgerRecord record;

  if (block == NULL)
    return 0;
  entry = reeve_ledger_block_get (block, seq);
  if (reeve_ledger_record_parse (&record, arena, entry->json, entry->length, error))
    return MAX (record.time, 1);
  return 0;
}

/* First and count of each file: (element-type ReeveLedgerSegment); *limit goes down to what may be
 * dropped at all. */
static GPtrArray *
reeve_ledger_log_list_files (ReeveLedgerLog *self, guint64 *limit)
{
  GPtrArray *files = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_ledger_segment_free);
  g_autoptr (GArray) open = NULL;

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->segments->len; i++)
    {
      const ReeveLedgerSegment *segment = g_ptr_array_index (self->segments, i);
      ReeveLedgerSegment *copy = g_new0 (ReeveLedgerSegment, 1);

      /* the index may be large, and is not needed */
      copy->first = segment->first;
      copy->count = segment->count;
      g_ptr_array_add (files, copy);
    }
  open = reeve_ledger_state_list_open (self->state);
  g_mutex_unlock (&self->mutex);
  /* an intent waits for its outcome */
  if (open->len > 0)
    *limit = MIN (*limit, g_array_index (open, guint64, 0) - 1);
  return files;
}

/**
 * reeve_ledger_log_plan_retire:
 * @self: a log
 * @horizon: what is older may go, µs
 * @limit: no record behind that
 * @last: (out): the last record of the last file that may go; 0 when none may
 * @error: return location
 *
 * A file is as old as its last record. Where that says a time before there were any ledgers, the
 * clock was not set yet, and the first record of the next file counts. The newest file is among
 * them when it is old enough: any record that comes now begins another, and only then may it go.
 *
 * Returns: %FALSE with an error of reading
 */
gboolean
reeve_ledger_log_plan_retire (ReeveLedgerLog *self, gint64 horizon, guint64 limit, guint64 *last,
                              GError **error)
{
  g_autoptr (GPtrArray) files = NULL;

  *last = 0;
  if (!reeve_ledger_log_check (self, error))
    return FALSE;
  files = reeve_ledger_log_list_files (self, &limit);
  for (guint i = 0; i < files->len; i++)
    {
      const ReeveLedgerSegment *file = g_ptr_array_index (files, i);
      guint64 end = file->first + file->count - 1;
      gint64 youngest = 0;

      if (end > limit)
        return TRUE;
      youngest = reeve_ledger_log_read_time (self, end, error);
      if (youngest == 0)
        return FALSE;
      if (youngest < REEVE_LEDGER_LOG_RETIRE_NEVER && i + 1 < files->len)
        {
          gint64 next = reeve_ledger_log_read_time (self, end + 1, error);

          if (next == 0)
            return FALSE;
          youngest = MAX (youngest, next);
        }
      if (youngest >= horizon)
        return TRUE;
      *last = end;
    }
  return TRUE;
}

/* ---- dropping it ---- */

/* The first numbers of the files up to record @last, which must be the last of one that is not the
 * newest. */
static GArray *
reeve_ledger_log_choose (ReeveLedgerLog *self, guint64 last, ReeveLedgerSegment **end,
                         GError **error)
{
  g_autoptr (GArray) firsts = g_array_new (FALSE, FALSE, sizeof (guint64));

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i + 1 < self->segments->len; i++)
    {
      const ReeveLedgerSegment *segment = g_ptr_array_index (self->segments, i);

      if (segment->first > last)
        break;
      g_array_append_val (firsts, segment->first);
      if (segment->first + segment->count == last + 1)
        *end = reeve_ledger_segment_copy (segment);
    }
  g_mutex_unlock (&self->mutex);
  if (*end != NULL)
    return g_steal_pointer (&firsts);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "record %" G_GUINT64_FORMAT " is not the last of a file that is complete", last);
  return NULL;
}

/* The tree over the first @last records, from the tiles and the hashes behind them. */
static gboolean
reeve_ledger_log_fill_base (ReeveLedgerLog *self, guint64 last, ReeveLedgerBase *base,
                            GError **error)
{
  guint64 tiles = reeve_ledger_tiles_count (last, 0);
  guint leaves = (guint) (last % REEVE_LEDGER_TILES_WIDTH);
  g_autofree guint8 *row = g_malloc (REEVE_LEDGER_TILES_SIZE);
  g_autofree ReeveLedgerEdge *edge = reeve_ledger_edge_make (self->folder, tiles, error);

  if (edge == NULL || !reeve_ledger_log_read_leaves (self, tiles, leaves, row, error))
    return FALSE;
  for (guint level = REEVE_LEDGER_TILES_LEVELS - 1; level > 0; level--)
    for (guint i = 0; i < reeve_ledger_edge_count (edge, level) % REEVE_LEDGER_TILES_WIDTH; i++)
      (void) reeve_ledger_frontier_add_subtree (&base->frontier, level * REEVE_LEDGER_TILES_HEIGHT,
                                                edge->rows[level] + i * REEVE_LEDGER_HASH_SIZE);
  for (guint i = 0; i < leaves; i++)
    {
      memcpy (base->leaves[i], row + i * REEVE_LEDGER_HASH_SIZE, REEVE_LEDGER_HASH_SIZE);
      (void) reeve_ledger_frontier_add (&base->frontier, base->leaves[i]);
    }
  return TRUE;
}

/* Once the files are gone nobody can look any more: so what was signed must go on from the base. */
static gboolean
reeve_ledger_log_check_base (ReeveLedgerLog *self, const ReeveLedgerBase *base, GError **error)
{
  ReeveCheckpoint checkpoint = { 0 };
  ReeveLedgerMerklePath path = { 0 };
  guint8 root[REEVE_LEDGER_HASH_SIZE];
  g_autofree char *note = reeve_ledger_log_read_checkpoint (self, &checkpoint, error);

  if (note == NULL
      || !reeve_ledger_log_extend (self, base->frontier.size, &checkpoint, &path, error))
    return FALSE;
  reeve_ledger_frontier_root (&base->frontier, root);
  if (reeve_ledger_merkle_check_extension (&path, base->frontier.size, root, checkpoint.size,
                                           checkpoint.root))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "the tiles do not fit the checkpoint: verify the ledger");
  return FALSE;
}

/* From here on nobody finds a record before the base. */
static void
reeve_ledger_log_adopt_base (ReeveLedgerLog *self, ReeveLedgerBase *base)
{
  g_autofree ReeveLedgerBase *before = NULL;

  g_mutex_lock (&self->mutex);
  before = self->base;
  self->base = base;
  while (self->segments->len > 0)
    {
      const ReeveLedgerSegment *segment = g_ptr_array_index (self->segments, 0);

      if (segment->first > base->frontier.size)
        break;
      g_ptr_array_remove_index (self->segments, 0);
    }
  g_mutex_unlock (&self->mutex);
}

/* While it goes on elsewhere its folder cannot be written. */
static gboolean
reeve_ledger_log_is_home (ReeveLedgerLog *self, GError **error)
{
  if (reeve_ledger_log_get_away (self) == 0)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY,
                       "the log goes on at the second place");
  return FALSE;
}

static gboolean
reeve_ledger_log_retire_in_turn (ReeveLedgerLog *self, guint64 last, ReeveLedgerBase *base,
                                 GError **error)
{
  g_autoptr (ReeveLedgerSegment) end = NULL;
  g_autoptr (GArray) firsts = reeve_ledger_log_choose (self, last, &end, error);

  if (firsts == NULL || !reeve_ledger_log_sign_in_turn (self, error)
      || !reeve_ledger_log_fill_base (self, last, base, error)
      || !reeve_ledger_log_read_chain (self, NULL, end, base->chain, error)
      || !reeve_ledger_log_check_base (self, base, error)
      || !reeve_ledger_base_write (base, self->folder, self->scope, self->key, error))
    return FALSE;
  reeve_ledger_log_adopt_base (self, g_memdup2 (base, sizeof *base));
  return reeve_ledger_log_remove_files (self, firsts, error);
}

/**
 * reeve_ledger_log_retire:
 * @self: a log
 * @last: the last record that goes: that of a file which is complete
 * @keys: changes of the signing key up to there
 * @rule: what asks for it
 * @time: now, µs
 * @error: return location
 *
 * Drops all files up to @last, behind a signed base that stands for them. Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT when no complete file ends there, or an error of the
 * disk; files may then be left over, which the next start removes
 */
gboolean
reeve_ledger_log_retire (ReeveLedgerLog *self, guint64 last, guint keys, const char *rule,
                         gint64 time, GError **error)
{
  g_autofree ReeveLedgerBase *base = g_new0 (ReeveLedgerBase, 1);
  gboolean ok = FALSE;

  base->keys = keys;
  base->time = time;
  g_strlcpy (base->rule, rule, sizeof base->rule);
  reeve_ledger_log_take_turn (self);
  ok = reeve_ledger_log_check (self, error) && reeve_ledger_log_is_home (self, error)
       && reeve_ledger_log_retire_in_turn (self, last, base, error);
  reeve_ledger_log_give_turn (self);
  if (!ok)
    g_prefix_error (error, "dropping records of %s: ", self->scope);
  return ok;
}
