/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every tile is made again from the records, and compared.
 *
 * Those that a checkpoint covers must be there: they were synced before it was signed. Those behind
 * it may be there, for a host that was killed; none may be there without its records. What files
 * there are is asked before the records are read, so that a host that goes on meanwhile has no tile
 * listed whose records are not found. */
#include "ledger-verify-tiles.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include <reeve-plugin-1.h>

#include "ledger-file.h"
#include "ledger-segment.h"

/* as deep as the number of a tile has parts */
#define REEVE_LEDGER_VERIFY_TILES_DEPTH 6

typedef struct
{
  guint level;
  guint64 index;
} ReeveLedgerVerifyTile;

struct _ReeveLedgerVerifyTiles
{
  char *folder;
  guint64 required; /* records that a checkpoint covers */
  guint64 size;     /* records so far */
  GArray *listed;   /* ReeveLedgerVerifyTile: files that were there at the beginning */
  guint8 rows[REEVE_LEDGER_TILES_LEVELS][REEVE_LEDGER_TILES_SIZE];
};

/**
 * reeve_ledger_verify_tiles_free:
 * @self: a comparison
 */
void
reeve_ledger_verify_tiles_free (ReeveLedgerVerifyTiles *self)
{
  g_array_unref (self->listed);
  g_free (self->folder);
  g_free (self);
}

static gboolean
reeve_ledger_verify_tiles_bad (ReeveLedgerVerifyTilesFault *fault, const char *name, guint64 seq,
                               const char *why, GError **error)
{
  fault->file = g_strdup (name);
  fault->seq = seq;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s %s", name, why);
  return FALSE;
}

static gboolean reeve_ledger_verify_tiles_list (ReeveLedgerVerifyTiles *self, const char *name,
                                                guint depth, ReeveLedgerVerifyTilesFault *fault,
                                                GError **error);

/* Lists one name: a folder of tiles, or a tile. */
static gboolean
reeve_ledger_verify_tiles_list_one (ReeveLedgerVerifyTiles *self, const char *name, guint depth,
                                    ReeveLedgerVerifyTilesFault *fault, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  ReeveLedgerVerifyTile tile = { 0 };
  GStatBuf status;

  if (g_lstat (path, &status) != 0)
    {
      /* a host has named it meanwhile, or taken it away: .lock names only come and go */
      if (errno == ENOENT)
        return TRUE;
      reeve_ledger_file_set_error (error, errno, "reading", path);
      fault->file = g_strdup (name);
      return FALSE;
    }
  if (S_ISDIR (status.st_mode) && depth < REEVE_LEDGER_VERIFY_TILES_DEPTH)
    return reeve_ledger_verify_tiles_list (self, name, depth + 1, fault, error);
  if (reeve_ledger_segment_is_ignored (name))
    return TRUE;
  if (!S_ISREG (status.st_mode) || !reeve_ledger_tiles_parse (name, &tile.level, &tile.index))
    return reeve_ledger_verify_tiles_bad (fault, name, 0, "is no tile", error);
  g_array_append_val (self->listed, tile);
  return TRUE;
}

static gboolean
reeve_ledger_verify_tiles_list (ReeveLedgerVerifyTiles *self, const char *name, guint depth,
                                ReeveLedgerVerifyTilesFault *fault, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, error);
  const char *child = NULL;

  if (dir == NULL)
    {
      fault->file = g_strdup (name);
      return FALSE;
    }
  while ((child = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_strconcat (name, "/", child, NULL);

      if (!reeve_ledger_verify_tiles_list_one (self, below, depth, fault, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * reeve_ledger_verify_tiles_new:
 * @folder: folder of a log
 * @required: records that a checkpoint covers
 * @fault: (out): what is bad, on error
 * @error: return location
 *
 * Lists the tiles; to be called after the checkpoint was read and before the records are.
 *
 * Returns: (transfer full): a comparison before the first record; %NULL with %REEVE_ERROR_CORRUPT
 * or a file error
 */
ReeveLedgerVerifyTiles *
reeve_ledger_verify_tiles_new (const char *folder, guint64 required,
                               ReeveLedgerVerifyTilesFault *fault, GError **error)
{
  g_autoptr (ReeveLedgerVerifyTiles) self = g_new0 (ReeveLedgerVerifyTiles, 1);
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_TILES_FOLDER, NULL);
  GStatBuf status;

  self->folder = g_strdup (folder);
  self->required = required;
  self->listed = g_array_new (FALSE, FALSE, sizeof (ReeveLedgerVerifyTile));
  if (g_lstat (path, &status) != 0 && errno == ENOENT)
    return g_steal_pointer (&self);
  if (!reeve_ledger_verify_tiles_list_one (self, REEVE_LEDGER_TILES_FOLDER, 0, fault, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* Compares one tile with what the records give. */
static gboolean
reeve_ledger_verify_tiles_compare (ReeveLedgerVerifyTiles *self, guint level, guint64 index,
                                   ReeveLedgerVerifyTilesFault *fault, GError **error)
{
  const guint8 *row = self->rows[level];
  g_autofree char *name = reeve_ledger_tiles_name (level, index);
  g_autofree guint8 *found = g_malloc (REEVE_LEDGER_TILES_SIZE);
  g_autoptr (GError) local = NULL;
  guint64 first = index << (REEVE_LEDGER_TILES_HEIGHT * (level + 1));
  guint64 bad = 0;

  if (!reeve_ledger_tiles_read (self->folder, level, index, found, &local))
    {
      if (local->code != REEVE_ERROR_NOT_FOUND)
        return reeve_ledger_verify_tiles_bad (fault, name, first + 1, "has not the size of a tile",
                                              error);
      return self->size > self->required
             || reeve_ledger_verify_tiles_bad (fault, name, first + 1, "is missing", error);
    }
  if (memcmp (row, found, REEVE_LEDGER_TILES_SIZE) == 0)
    return TRUE;
  while (memcmp (row + bad * REEVE_LEDGER_HASH_SIZE, found + bad * REEVE_LEDGER_HASH_SIZE,
                 REEVE_LEDGER_HASH_SIZE)
         == 0)
    bad++;
  return reeve_ledger_verify_tiles_bad (fault, name,
                                        first + (bad << (REEVE_LEDGER_TILES_HEIGHT * level)) + 1,
                                        "is not what the records give", error);
}

/**
 * reeve_ledger_verify_tiles_add:
 * @self: a comparison
 * @leaf: leaf hash of the next record
 * @fault: (out): what is bad, on error
 * @error: return location
 *
 * Counts a record, and compares the tiles that it fills.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT
 */
gboolean
reeve_ledger_verify_tiles_add (ReeveLedgerVerifyTiles *self,
                               const guint8 leaf[REEVE_LEDGER_HASH_SIZE],
                               ReeveLedgerVerifyTilesFault *fault, GError **error)
{
  guint64 count = self->size;

  memcpy (self->rows[0] + (count % REEVE_LEDGER_TILES_WIDTH) * REEVE_LEDGER_HASH_SIZE, leaf,
          REEVE_LEDGER_HASH_SIZE);
  self->size++;
  count++;
  for (guint level = 0; level < REEVE_LEDGER_TILES_LEVELS && count % REEVE_LEDGER_TILES_WIDTH == 0;
       level++)
    {
      guint64 index = count / REEVE_LEDGER_TILES_WIDTH - 1;

      if (!reeve_ledger_verify_tiles_compare (self, level, index, fault, error))
        return FALSE;
      if (level + 1 < REEVE_LEDGER_TILES_LEVELS)
        reeve_ledger_merkle_fold (
            self->rows[level], REEVE_LEDGER_TILES_WIDTH,
            self->rows[level + 1] + (index % REEVE_LEDGER_TILES_WIDTH) * REEVE_LEDGER_HASH_SIZE);
      count = index + 1;
    }
  return TRUE;
}

/**
 * reeve_ledger_verify_tiles_finish:
 * @self: a comparison behind the last record
 * @fault: (out): what is bad, on error
 * @error: return location
 *
 * Looks for tiles that are of no record.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT
 */
gboolean
reeve_ledger_verify_tiles_finish (ReeveLedgerVerifyTiles *self, ReeveLedgerVerifyTilesFault *fault,
                                  GError **error)
{
  const ReeveLedgerVerifyTile *worst = NULL;
  g_autofree char *name = NULL;

  for (guint i = 0; i < self->listed->len; i++)
    {
      const ReeveLedgerVerifyTile *tile = &g_array_index (self->listed, ReeveLedgerVerifyTile, i);

      if (tile->index >= reeve_ledger_tiles_count (self->size, tile->level)
          && (worst == NULL || tile->level < worst->level
              || (tile->level == worst->level && tile->index < worst->index)))
        worst = tile;
    }
  if (worst == NULL)
    return TRUE;
  name = reeve_ledger_tiles_name (worst->level, worst->index);
  return reeve_ledger_verify_tiles_bad (fault, name, self->size + 1,
                                        "is of records that are not there", error);
}
