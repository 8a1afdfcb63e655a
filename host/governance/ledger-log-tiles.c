/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A log's Merkle tree: tiles are written from the records, off the path of those who append; proofs
 * are read from tiles, the edge and the last records. */
#include "ledger-log-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ledger-edge.h"
#include "ledger-file.h"
#include "ledger-record.h"

/* a row of hashes that a proof has needed */
typedef struct
{
  guint64 index; /* of the tile in its level */
  guint level;
  guint width;
  guint8 hashes[REEVE_LEDGER_TILES_SIZE];
} ReeveLedgerLogRow;

typedef struct
{
  ReeveLedgerLog *log;
  guint64 size;          /* of the tree */
  ReeveLedgerEdge *edge; /* NULL until needed */
  gboolean fresh;        /* the edge was made from the tiles, not loaded */
  GPtrArray *rows;
} ReeveLedgerLogTree;

/* ---- records ---- */

/* Reads records of one segment from @seq on; *@seq goes to the one behind the last. */
static gboolean
reeve_ledger_log_scan_file (const ReeveLedgerSegment *segment, ReeveLedgerScanner *scanner,
                            guint64 at, guint64 *seq, guint64 end, ReeveLedgerLogScanFunc func,
                            gpointer user_data, GError **error)
{
  ReeveLedgerEntry entry;

  for (; at < MIN (end, segment->first + segment->count); at++)
    {
      g_autoptr (GError) local = NULL;

      if (reeve_ledger_scanner_next (scanner, &entry, &local) != REEVE_LEDGER_SCAN_ENTRY)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "record %" G_GUINT64_FORMAT " of the ledger is damaged: %s", at,
                       local != NULL ? local->message : "the file ends");
          return FALSE;
        }
      if (at < *seq)
        continue;
      func (at, &entry, user_data);
    }
  *seq = at;
  return TRUE;
}

/**
 * reeve_ledger_log_scan:
 * @self: a log
 * @seq: the first record wanted
 * @count: how many; all must be durable
 * @func: gets each, with the chain looked at
 * @user_data: for @func
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CORRUPT or a file error
 */
gboolean
reeve_ledger_log_scan (ReeveLedgerLog *self, guint64 seq, guint64 count,
                       ReeveLedgerLogScanFunc func, gpointer user_data, GError **error)
{
  guint64 end = seq + count;

  while (seq < end)
    {
      ReeveLedgerSegmentBlock block = { 0 };
      guint8 chain[REEVE_LEDGER_HASH_SIZE];
      int fd = -1;
      g_autoptr (ReeveLedgerSegment) segment
          = reeve_ledger_log_open_block (self, seq, &block, chain, &fd, error);
      g_autoptr (ReeveLedgerScanner) scanner = NULL;
      gboolean ok = FALSE;

      if (segment == NULL)
        return FALSE;
      scanner = reeve_ledger_scanner_new (fd, block.offset, segment->end, chain);
      ok = reeve_ledger_log_scan_file (segment, scanner, block.first, &seq, end, func, user_data,
                                       error);
      close (fd);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

static void
reeve_ledger_log_take_leaf (guint64 seq, const ReeveLedgerEntry *entry, gpointer user_data)
{
  guint8 *hashes = user_data;

  memcpy (hashes + ((seq - 1) % REEVE_LEDGER_TILES_WIDTH) * REEVE_LEDGER_HASH_SIZE, entry->leaf,
          REEVE_LEDGER_HASH_SIZE);
}

/* Leaf hashes of tile @index of level 0, the first @width of them, from the records; the base has
 * those of records that were dropped. */
gboolean
reeve_ledger_log_read_leaves (ReeveLedgerLog *self, guint64 index, guint width, guint8 *hashes,
                              GError **error)
{
  g_autofree ReeveLedgerBase *base = reeve_ledger_log_dup_base (self);
  guint64 start = index * REEVE_LEDGER_TILES_WIDTH;
  guint known = 0;

  if (base != NULL && base->frontier.size / REEVE_LEDGER_TILES_WIDTH == index)
    {
      known = MIN (width, reeve_ledger_base_count_leaves (base));
      memcpy (hashes, base->leaves, (gsize) known * REEVE_LEDGER_HASH_SIZE);
    }
  return reeve_ledger_log_scan (self, start + known + 1, width - known, reeve_ledger_log_take_leaf,
                                hashes, error);
}

/* ---- writing ---- */

/* Leaf hashes of tile @index of level 0, which is full. */
static gboolean
reeve_ledger_log_fill_tile (ReeveLedgerLog *self, guint64 index, guint8 *hashes, GError **error)
{
  gboolean known = FALSE;

  g_mutex_lock (&self->mutex);
  known = reeve_ledger_leaves_get (self->leaves, index * REEVE_LEDGER_TILES_WIDTH,
                                   REEVE_LEDGER_TILES_WIDTH, hashes);
  g_mutex_unlock (&self->mutex);
  return known
         || reeve_ledger_log_read_leaves (self, index, REEVE_LEDGER_TILES_WIDTH, hashes, error);
}

/**
 * reeve_ledger_log_write_tiles:
 * @self: a log; the caller has its turn to sign
 * @size: records whose full tiles must be on the disk
 * @error: return location
 *
 * Makes durable what is missing at the right edge.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_log_write_tiles (ReeveLedgerLog *self, guint64 size, GError **error)
{
  guint64 count = reeve_ledger_tiles_count (size, 0);
  g_autofree ReeveLedgerEdge *edge = NULL;
  g_autofree guint8 *hashes = NULL;
  g_autoptr (ReeveLedgerTiles) tiles = NULL;
  g_autoptr (GError) local = NULL;

  if (self->tiles >= count)
    return TRUE;
  edge = reeve_ledger_edge_load (self->folder);
  if (edge == NULL || edge->tiles != self->tiles)
    {
      g_free (edge);
      edge = reeve_ledger_edge_make (self->folder, self->tiles, error);
    }
  if (edge == NULL)
    return FALSE;
  hashes = g_malloc (REEVE_LEDGER_TILES_SIZE);
  tiles = reeve_ledger_tiles_new (self->folder);
  for (guint64 i = self->tiles; i < count; i++)
    if (!reeve_ledger_log_fill_tile (self, i, hashes, error)
        || !reeve_ledger_edge_add (edge, hashes, tiles, error))
      return FALSE;
  if (!reeve_ledger_tiles_finish (tiles, error))
    return FALSE;
  self->tiles = count;
  g_mutex_lock (&self->mutex);
  reeve_ledger_leaves_drop (self->leaves, count * REEVE_LEDGER_TILES_WIDTH);
  g_mutex_unlock (&self->mutex);
  /* a cache: without it the next one makes it anew */
  if (!reeve_ledger_edge_save (edge, self->folder, &local))
    g_debug ("%s", local->message);
  return TRUE;
}

/* ---- reading ---- */

/* The edge, standing behind at least the tiles of this tree. */
static gboolean
reeve_ledger_log_need_edge (ReeveLedgerLogTree *tree, GError **error)
{
  guint64 tiles = reeve_ledger_tiles_count (tree->size, 0);

  if (tree->edge != NULL)
    return TRUE;
  if (!tree->fresh)
    tree->edge = reeve_ledger_edge_load (tree->log->folder);
  if (tree->edge != NULL && tree->edge->tiles >= tiles)
    return TRUE;
  g_clear_pointer (&tree->edge, g_free);
  tree->fresh = TRUE;
  tree->edge = reeve_ledger_edge_make (tree->log->folder, tiles, error);
  return tree->edge != NULL;
}

/* Reads a row that is not full in this tree: of level 0 from the records, above from the edge; or
 * from a tile that was full by the time the edge was written. */
static gboolean
reeve_ledger_log_read_partial (ReeveLedgerLogTree *tree, ReeveLedgerLogRow *row, GError **error)
{
  if (row->level == 0)
    return reeve_ledger_log_read_leaves (tree->log, row->index, row->width, row->hashes, error);
  if (!reeve_ledger_log_need_edge (tree, error))
    return FALSE;
  if (reeve_ledger_edge_count (tree->edge, row->level) / REEVE_LEDGER_TILES_WIDTH != row->index)
    return reeve_ledger_tiles_read (tree->log->folder, row->level, row->index, row->hashes, error);
  memcpy (row->hashes, tree->edge->rows[row->level], sizeof row->hashes);
  return TRUE;
}

/* (transfer none) the row of hashes of a tile, full or not; %NULL with an error */
static ReeveLedgerLogRow *
reeve_ledger_log_get_row (ReeveLedgerLogTree *tree, guint level, guint64 index, GError **error)
{
  g_autofree ReeveLedgerLogRow *row = NULL;
  guint64 all = tree->size >> (REEVE_LEDGER_TILES_HEIGHT * level);
  gboolean ok = FALSE;

  for (guint i = 0; i < tree->rows->len; i++)
    {
      ReeveLedgerLogRow *known = g_ptr_array_index (tree->rows, i);

      if (known->level == level && known->index == index)
        return known;
    }
  row = g_new0 (ReeveLedgerLogRow, 1);
  row->level = level;
  row->index = index;
  row->width = (guint) MIN (all - index * REEVE_LEDGER_TILES_WIDTH, REEVE_LEDGER_TILES_WIDTH);
  if (row->width < REEVE_LEDGER_TILES_WIDTH)
    ok = reeve_ledger_log_read_partial (tree, row, error);
  else
    ok = reeve_ledger_tiles_read (tree->log->folder, level, index, row->hashes, error);
  if (!ok)
    return NULL;
  g_ptr_array_add (tree->rows, row);
  return g_steal_pointer (&row);
}

/* A ReeveLedgerMerkleGet. */
static gboolean
reeve_ledger_log_get_subtree (guint height, guint64 index, guint8 hash[REEVE_LEDGER_HASH_SIZE],
                              gpointer user_data, GError **error)
{
  ReeveLedgerLogTree *tree = user_data;
  guint level = height / REEVE_LEDGER_TILES_HEIGHT;
  guint count = 1u << (height % REEVE_LEDGER_TILES_HEIGHT);
  guint64 first = index * count;
  ReeveLedgerLogRow *row = NULL;

  row = reeve_ledger_log_get_row (tree, level, first / REEVE_LEDGER_TILES_WIDTH, error);
  if (row == NULL)
    return FALSE;
  reeve_ledger_merkle_fold (
      row->hashes + (first % REEVE_LEDGER_TILES_WIDTH) * REEVE_LEDGER_HASH_SIZE, count, hash);
  return TRUE;
}

static void
reeve_ledger_log_clear_tree (ReeveLedgerLogTree *tree)
{
  g_clear_pointer (&tree->edge, g_free);
  g_ptr_array_set_size (tree->rows, 0);
}

/**
 * reeve_ledger_log_include:
 * @self: a log
 * @seq: a record
 * @leaf: its leaf hash
 * @checkpoint: a checkpoint that covers it
 * @path: (out caller-allocates): the inclusion proof
 * @error: return location
 *
 * Reads as much as the tree is high. The proof is looked at before it is given away.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when no proof fits the checkpoint, or a file error
 */
gboolean
reeve_ledger_log_include (ReeveLedgerLog *self, guint64 seq,
                          const guint8 leaf[REEVE_LEDGER_HASH_SIZE],
                          const ReeveCheckpoint *checkpoint, ReeveLedgerMerklePath *path,
                          GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
  ReeveLedgerLogTree tree = { .log = self, .size = checkpoint->size, .rows = rows };
  gboolean ok = FALSE;

  /* once with the cache, and should that be wrong, once without */
  for (guint i = 0; i < 2 && !ok; i++)
    {
      tree.fresh = i > 0;
      g_clear_error (error);
      ok = reeve_ledger_merkle_include (reeve_ledger_log_get_subtree, &tree, seq - 1,
                                        checkpoint->size, path, error);
      if (ok
          && !reeve_ledger_merkle_check_inclusion (path, seq - 1, checkpoint->size, leaf,
                                                   checkpoint->root))
        {
          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                               "the tiles do not fit the checkpoint: verify the ledger");
          ok = FALSE;
        }
      reeve_ledger_log_clear_tree (&tree);
    }
  return ok;
}

/**
 * reeve_ledger_log_extend:
 * @self: a log
 * @old_size: how long it was
 * @checkpoint: a later checkpoint
 * @path: (out caller-allocates): the consistency proof
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when it never was that long,
 * %REEVE_ERROR_CORRUPT when the tree is not the checkpoint's, or a file error
 */
gboolean
reeve_ledger_log_extend (ReeveLedgerLog *self, guint64 old_size, const ReeveCheckpoint *checkpoint,
                         ReeveLedgerMerklePath *path, GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
  ReeveLedgerLogTree tree = { .log = self, .size = checkpoint->size, .rows = rows };
  guint8 old_root[REEVE_LEDGER_HASH_SIZE];
  gboolean ok = FALSE;

  for (guint i = 0; i < 2 && !ok; i++)
    {
      tree.fresh = i > 0;
      g_clear_error (error);
      ok = reeve_ledger_merkle_extend (reeve_ledger_log_get_subtree, &tree, old_size,
                                       checkpoint->size, path, error)
           && reeve_ledger_merkle_root (reeve_ledger_log_get_subtree, &tree, old_size, old_root,
                                        error);
      if (ok
          && !reeve_ledger_merkle_check_extension (path, old_size, old_root, checkpoint->size,
                                                   checkpoint->root))
        {
          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                               "the tiles do not fit the checkpoint: verify the ledger");
          ok = FALSE;
        }
      reeve_ledger_log_clear_tree (&tree);
    }
  return ok;
}
