/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hash tiles: <folder>/tile/<level>/<index>, 256 hashes each, by C2SP tlog-tiles.
 *
 * Only full tiles are files. They never change, so a log costs one small file for 256 records and
 * nothing is written twice; what a partial tile would hold is read from the records (level 0, at
 * most 255) or from the edge (the levels above). A round of tiles is written under names that do
 * not count, synced, and only then named: a tile that has its name is whole. */
#include "ledger-tiles.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#include "ledger-file.h"

/* so many are synced together, and so many files are open meanwhile */
#define REEVE_LEDGER_TILES_ROUND 32

typedef struct
{
  char *path;
  int fd;
} ReeveLedgerTilesFile;

struct _ReeveLedgerTiles
{
  char *folder;
  guint count;
  ReeveLedgerTilesFile files[REEVE_LEDGER_TILES_ROUND];
};

/**
 * reeve_ledger_tiles_name:
 * @level: 0 for tiles of leaf hashes
 * @index: number of the tile in its level
 *
 * Returns: (transfer full): its path below the folder of the log: tile/0/x001/x234/067
 */
char *
reeve_ledger_tiles_name (guint level, guint64 index)
{
  g_autoptr (GString) name = g_string_new (NULL);
  g_autofree char *rest = g_strdup_printf ("%03u", (guint) (index % 1000));

  for (index /= 1000; index > 0; index /= 1000)
    {
      g_autofree char *part = g_strdup_printf ("x%03u/", (guint) (index % 1000));

      g_string_prepend (name, part);
    }
  g_string_append (name, rest);
  return g_strdup_printf (REEVE_LEDGER_TILES_FOLDER "/%u/%s", level, name->str);
}

/**
 * reeve_ledger_tiles_parse:
 * @name: a path below the folder of the log
 * @level: (out): level of the tile
 * @index: (out): its number
 *
 * Returns: whether @name is that of a full tile, in the one spelling there is
 */
gboolean
reeve_ledger_tiles_parse (const char *name, guint *level, guint64 *index)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", 16);
  g_autofree char *again = NULL;
  guint64 number = 0;

  *index = 0;
  if (g_strv_length (parts) < 3
      || !g_ascii_string_to_unsigned (parts[1], 10, 0, REEVE_LEDGER_TILES_LEVELS - 1, &number,
                                      NULL))
    return FALSE;
  *level = (guint) number;
  for (guint i = 2; parts[i] != NULL; i++)
    {
      const char *digits = parts[i] + (parts[i + 1] != NULL && parts[i][0] == 'x' ? 1 : 0);

      if (!g_ascii_string_to_unsigned (digits, 10, 0, 999, &number, NULL)
          || *index > G_MAXUINT64 / 1001)
        return FALSE;
      *index = *index * 1000 + number;
    }
  again = reeve_ledger_tiles_name (*level, *index);
  return strcmp (again, name) == 0;
}

/**
 * reeve_ledger_tiles_count:
 * @size: number of records
 * @level: a level
 *
 * Returns: number of full tiles that a log of that size has there
 */
guint64
reeve_ledger_tiles_count (guint64 size, guint level)
{
  return size >> (REEVE_LEDGER_TILES_HEIGHT * (level + 1));
}

/**
 * reeve_ledger_tiles_read:
 * @folder: folder of the log
 * @level: a level
 * @index: a tile
 * @hashes: (out caller-allocates): what is in it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CORRUPT when it has not the size of a
 * tile, or a file error
 */
gboolean
reeve_ledger_tiles_read (const char *folder, guint level, guint64 index,
                         guint8 hashes[REEVE_LEDGER_TILES_SIZE], GError **error)
{
  g_autofree char *name = reeve_ledger_tiles_name (level, index);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = reeve_ledger_file_read (path, REEVE_LEDGER_TILES_SIZE, &local);
  gsize size = 0;
  const guint8 *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;

  if (data != NULL && size == REEVE_LEDGER_TILES_SIZE)
    {
      memcpy (hashes, data, REEVE_LEDGER_TILES_SIZE);
      return TRUE;
    }
  if (local != NULL && local->code != REEVE_ERROR_TOO_LARGE)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s has not the size of a tile", name);
  return FALSE;
}

static gboolean
reeve_ledger_tiles_is_there (const char *folder, guint level, guint64 index)
{
  g_autofree char *name = reeve_ledger_tiles_name (level, index);
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

/**
 * reeve_ledger_tiles_find_end:
 * @folder: folder of the log
 * @size: records that a checkpoint covers: their tiles were synced before it was signed
 *
 * Looks at the right edge only: what is missing further left is damage that verification names.
 *
 * Returns: number of tiles of level 0 behind which tiles must be made (again)
 */
guint64
reeve_ledger_tiles_find_end (const char *folder, guint64 size)
{
  guint64 end = reeve_ledger_tiles_count (size, 0);

  while (end > 0 && !reeve_ledger_tiles_is_there (folder, 0, end - 1))
    end--;
  for (guint level = 1; level < REEVE_LEDGER_TILES_LEVELS; level++)
    {
      guint64 count = end >> (REEVE_LEDGER_TILES_HEIGHT * level);

      while (count > 0 && !reeve_ledger_tiles_is_there (folder, level, count - 1))
        {
          count--;
          end = count << (REEVE_LEDGER_TILES_HEIGHT * level);
        }
    }
  return end;
}

/* ---- writing ---- */

/**
 * reeve_ledger_tiles_new:
 * @folder: folder of the log
 *
 * Returns: (transfer full): an empty round of tiles
 */
ReeveLedgerTiles *
reeve_ledger_tiles_new (const char *folder)
{
  ReeveLedgerTiles *self = g_new0 (ReeveLedgerTiles, 1);

  self->folder = g_strdup (folder);
  return self;
}

/* Closes the files of a round. */
static void
reeve_ledger_tiles_drop (ReeveLedgerTiles *self)
{
  for (guint i = 0; i < self->count; i++)
    {
      close (self->files[i].fd);
      g_clear_pointer (&self->files[i].path, g_free);
    }
  self->count = 0;
}

/**
 * reeve_ledger_tiles_free:
 * @self: tiles
 *
 * Those that are not finished are left under names that do not count; they are written over.
 */
void
reeve_ledger_tiles_free (ReeveLedgerTiles *self)
{
  reeve_ledger_tiles_drop (self);
  g_free (self->folder);
  g_free (self);
}

/* Makes the folder of a tile; each that is new is durable in the one above. */
static gboolean
reeve_ledger_tiles_make_folder (const char *path, GError **error)
{
  g_autofree char *above = g_path_get_dirname (path);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (g_mkdir (path, 0700) != 0 && errno == ENOENT)
    {
      if (!reeve_ledger_tiles_make_folder (above, error))
        return FALSE;
      errno = 0;
      if (g_mkdir (path, 0700) == 0)
        return reeve_ledger_file_sync_folder (above, error);
    }
  else if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return reeve_ledger_file_sync_folder (above, error);
  reeve_ledger_file_set_error (error, errno, "making", path);
  return FALSE;
}

/**
 * reeve_ledger_tiles_add:
 * @self: tiles
 * @level: level of a tile
 * @index: its number
 * @hashes: its content
 * @error: return location
 *
 * Writes a tile; it counts when reeve_ledger_tiles_finish() was called.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_tiles_add (ReeveLedgerTiles *self, guint level, guint64 index,
                        const guint8 hashes[REEVE_LEDGER_TILES_SIZE], GError **error)
{
  g_autofree char *name = reeve_ledger_tiles_name (level, index);
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *temporary = g_strconcat (path, ".lock", NULL);
  ReeveLedgerTilesFile *file = NULL;

  if (self->count == REEVE_LEDGER_TILES_ROUND && !reeve_ledger_tiles_finish (self, error))
    return FALSE;
  if (!reeve_ledger_tiles_make_folder (parent, error))
    return FALSE;
  file = &self->files[self->count];
  file->fd = reeve_ledger_file_open (temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600, error);
  if (file->fd < 0)
    return FALSE;
  file->path = g_steal_pointer (&path);
  self->count++;
  if (!reeve_ledger_file_write_at (file->fd, hashes, REEVE_LEDGER_TILES_SIZE, 0, error))
    return FALSE;
  /* the syncs of a round then wait for one another's writes at once */
  (void) sync_file_range (file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  return TRUE;
}

/* Gives the tiles of a round their names; @folder is that of the last one. */
static gboolean
reeve_ledger_tiles_give_names (ReeveLedgerTiles *self, GError **error)
{
  g_autofree char *folder = NULL;

  for (guint i = 0; i < self->count; i++)
    {
      g_autofree char *temporary = g_strconcat (self->files[i].path, ".lock", NULL);
      g_autofree char *parent = g_path_get_dirname (self->files[i].path);

      if (folder != NULL && strcmp (folder, parent) != 0
          && !reeve_ledger_file_sync_folder (folder, error))
        return FALSE;
      g_free (folder);
      folder = g_steal_pointer (&parent);
      if (rename (temporary, self->files[i].path) != 0)
        {
          reeve_ledger_file_set_error (error, errno, "naming", self->files[i].path);
          return FALSE;
        }
    }
  return folder == NULL || reeve_ledger_file_sync_folder (folder, error);
}

/**
 * reeve_ledger_tiles_finish:
 * @self: tiles
 * @error: return location
 *
 * Makes durable what was added, then gives it its names.
 *
 * Returns: %FALSE with an error; the tiles must then be added again
 */
gboolean
reeve_ledger_tiles_finish (ReeveLedgerTiles *self, GError **error)
{
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < self->count; i++)
    if (fdatasync (self->files[i].fd) != 0)
      {
        reeve_ledger_file_set_error (error, errno, "syncing", self->files[i].path);
        ok = FALSE;
      }
  ok = ok && reeve_ledger_tiles_give_names (self, error);
  reeve_ledger_tiles_drop (self);
  return ok;
}
