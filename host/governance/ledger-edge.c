/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hashes of full tiles that no full tile above holds yet: at most 255 a level.
 *
 * On the disk they are a cache, edge.idx: damaged, old or missing, they are made anew from the
 * tiles. A wrong one gives proofs that do not fit the checkpoint, and whoever makes a proof looks
 * at that. */
#include "ledger-edge.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "ledger-file.h"

#define REEVE_LEDGER_EDGE_MAGIC "RVLEDG1\n"
#define REEVE_LEDGER_EDGE_MAX                                                                      \
  (64 + REEVE_LEDGER_TILES_LEVELS * REEVE_LEDGER_TILES_SIZE + REEVE_LEDGER_HASH_SIZE)

/**
 * reeve_ledger_edge_count:
 * @self: an edge
 * @level: 1 or above
 *
 * Returns: number of all hashes there are at that level, in full tiles and behind them
 */
guint64
reeve_ledger_edge_count (const ReeveLedgerEdge *self, guint level)
{
  return self->tiles >> (REEVE_LEDGER_TILES_HEIGHT * (level - 1));
}

/* Bytes of the defined hashes of a level. */
static gsize
reeve_ledger_edge_length (const ReeveLedgerEdge *self, guint level)
{
  return (gsize) (reeve_ledger_edge_count (self, level) % REEVE_LEDGER_TILES_WIDTH)
         * REEVE_LEDGER_HASH_SIZE;
}

/**
 * reeve_ledger_edge_load:
 * @folder: folder of the log
 *
 * Returns: (transfer full) (nullable): the cache; %NULL when there is none or it is damaged; to be
 * freed with g_free()
 */
ReeveLedgerEdge *
reeve_ledger_edge_load (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_EDGE_FILE, NULL);
  g_autoptr (GBytes) bytes = reeve_ledger_file_read (path, REEVE_LEDGER_EDGE_MAX, NULL);
  g_autofree ReeveLedgerEdge *self = g_new (ReeveLedgerEdge, 1);
  gsize at = strlen (REEVE_LEDGER_EDGE_MAGIC);
  guint8 digest[REEVE_LEDGER_HASH_SIZE];
  const guint8 *data = NULL;
  gsize size = 0;

  data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  if (data == NULL || size < at + sizeof self->tiles + sizeof digest
      || memcmp (data, REEVE_LEDGER_EDGE_MAGIC, at) != 0)
    return NULL;
  size -= sizeof digest;
  reeve_digests_sha256 (data, size, digest);
  if (memcmp (digest, data + size, sizeof digest) != 0)
    return NULL;
  memcpy (&self->tiles, data + at, sizeof self->tiles);
  self->tiles = GUINT64_FROM_BE (self->tiles);
  at += sizeof self->tiles;
  for (guint level = 1; level < REEVE_LEDGER_TILES_LEVELS; level++)
    {
      gsize length = reeve_ledger_edge_length (self, level);

      if (length > size - at)
        return NULL;
      memcpy (self->rows[level], data + at, length);
      at += length;
    }
  return at == size ? g_steal_pointer (&self) : NULL;
}

/**
 * reeve_ledger_edge_save:
 * @self: an edge
 * @folder: folder of the log
 * @error: return location
 *
 * Writes the cache; not synced.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_edge_save (const ReeveLedgerEdge *self, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_EDGE_FILE, NULL);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint64 tiles = GUINT64_TO_BE (self->tiles);
  guint8 digest[REEVE_LEDGER_HASH_SIZE];

  g_byte_array_append (bytes, (const guint8 *) REEVE_LEDGER_EDGE_MAGIC,
                       strlen (REEVE_LEDGER_EDGE_MAGIC));
  g_byte_array_append (bytes, (const guint8 *) &tiles, sizeof tiles);
  for (guint level = 1; level < REEVE_LEDGER_TILES_LEVELS; level++)
    g_byte_array_append (bytes, self->rows[level], (guint) reeve_ledger_edge_length (self, level));
  reeve_digests_sha256 (bytes->data, bytes->len, digest);
  g_byte_array_append (bytes, digest, sizeof digest);
  return reeve_ledger_file_save_cache (path, bytes->data, bytes->len, error);
}

/**
 * reeve_ledger_edge_make:
 * @folder: folder of the log
 * @tiles: full tiles of level 0 that are there
 * @error: return location
 *
 * Makes the edge from the tiles: at most 255 of each level are read.
 *
 * Returns: (transfer full): the edge, to be freed with g_free(); %NULL with an error of a tile
 */
ReeveLedgerEdge *
reeve_ledger_edge_make (const char *folder, guint64 tiles, GError **error)
{
  g_autofree ReeveLedgerEdge *self = g_new (ReeveLedgerEdge, 1);
  g_autofree guint8 *hashes = g_malloc (REEVE_LEDGER_TILES_SIZE);

  self->tiles = tiles;
  for (guint level = 1; level < REEVE_LEDGER_TILES_LEVELS; level++)
    {
      guint64 count = reeve_ledger_edge_count (self, level);

      for (guint64 i = count - count % REEVE_LEDGER_TILES_WIDTH; i < count; i++)
        {
          if (!reeve_ledger_tiles_read (folder, level - 1, i, hashes, error))
            return NULL;
          reeve_ledger_merkle_fold (hashes, REEVE_LEDGER_TILES_WIDTH,
                                    self->rows[level]
                                        + (i % REEVE_LEDGER_TILES_WIDTH) * REEVE_LEDGER_HASH_SIZE);
        }
    }
  return g_steal_pointer (&self);
}

/**
 * reeve_ledger_edge_add:
 * @self: an edge
 * @hashes: the next full tile of level 0
 * @tiles: where full tiles go
 * @error: return location
 *
 * Adds a tile, and those above that it fills.
 *
 * Returns: %FALSE with an error of writing; the edge is then of no use any more
 */
gboolean
reeve_ledger_edge_add (ReeveLedgerEdge *self, const guint8 hashes[REEVE_LEDGER_TILES_SIZE],
                       ReeveLedgerTiles *tiles, GError **error)
{
  const guint8 *row = hashes;
  guint64 index = self->tiles;

  /* like a carry: each tile that is full is one hash of the tile above */
  for (guint level = 0; level < REEVE_LEDGER_TILES_LEVELS; level++)
    {
      if (!reeve_ledger_tiles_add (tiles, level, index, row, error))
        return FALSE;
      if (level + 1 == REEVE_LEDGER_TILES_LEVELS)
        break;
      reeve_ledger_merkle_fold (row, REEVE_LEDGER_TILES_WIDTH,
                                self->rows[level + 1]
                                    + (index % REEVE_LEDGER_TILES_WIDTH) * REEVE_LEDGER_HASH_SIZE);
      row = self->rows[level + 1];
      index++;
      if (index % REEVE_LEDGER_TILES_WIDTH != 0)
        break;
      index = index / REEVE_LEDGER_TILES_WIDTH - 1;
    }
  self->tiles++;
  return TRUE;
}
