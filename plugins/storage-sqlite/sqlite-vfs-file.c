/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One open file of the file layer. Main files, logs, journals and temporary files are told apart,
 * and each is read and written by the class that knows how it is sealed. What is added for all: a
 * page whose 32 reserved bytes are not free is not written, no holes and no mapped files, and the
 * WAL index lives in heap. */
#include "sqlite-vfs-private.h"

#include <string.h>

/* slot of sqlite3_io_methods.xShmLock that is held to recover the log */
#define RECOVER_LOCK 2

static sqlite3_file *
sqlite_vfs_real (SqliteVfsFile *file)
{
  return (sqlite3_file *) (file + 1);
}

static int
sqlite_vfs_flush (SqliteVfsFile *file)
{
  return file->log != NULL ? sqlite_log_flush (file->log) : SQLITE_OK;
}

/* all but the file below */
static void
sqlite_vfs_clear (SqliteVfsFile *file)
{
  g_clear_pointer (&file->index, sqlite_index_close);
  g_clear_pointer (&file->pages, sqlite_pages_free);
  g_clear_pointer (&file->log, sqlite_log_free);
  g_clear_pointer (&file->journal, sqlite_journal_free);
  g_clear_pointer (&file->temp, sqlite_temp_free);
  g_clear_pointer (&file->node, sqlite_node_unref);
  g_clear_pointer (&file->path, g_free);
}

static int
sqlite_vfs_close (sqlite3_file *base)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);
  int result = sqlite_vfs_flush (file);
  int closed = real->pMethods->xClose (real);

  sqlite_vfs_clear (file);
  g_atomic_int_add (&file->vfs->open_files, -1);
  file->base.pMethods = NULL;
  return result != SQLITE_OK ? result : closed;
}

static int
sqlite_vfs_read (sqlite3_file *base, void *data, int length, sqlite3_int64 offset)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);

  if (file->pages != NULL)
    return sqlite_pages_read (file->pages, data, length, offset);
  if (file->log != NULL)
    return sqlite_log_read (file->log, data, length, offset);
  if (file->journal != NULL)
    return sqlite_journal_read (file->journal, data, length, offset);
  if (file->temp != NULL)
    return sqlite_temp_read (file->temp, data, length, offset);
  return real->pMethods->xRead (real, data, length, offset);
}

/* a page of the main file must keep its tail free; page 1 must say so and have the one page size */
static gboolean
sqlite_vfs_page_is_ours (const guint8 *page, int length, gint64 offset)
{
  if (length != SQLITE_VFS_PAGE_SIZE || offset % SQLITE_VFS_PAGE_SIZE != 0)
    return FALSE;
  if (offset == 0
      && (page[16] != SQLITE_VFS_PAGE_SIZE >> 8 || page[17] != 0 || page[20] != SQLITE_VFS_RESERVE))
    return FALSE;
  return sqlite_sealer_is_free (page);
}

static int
sqlite_vfs_write (sqlite3_file *base, const void *data, int length, sqlite3_int64 offset)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);

  if (file->kind == SQLITE_VFS_MAIN && !sqlite_vfs_page_is_ours (data, length, offset))
    return SQLITE_READONLY;
  if (file->pages != NULL)
    return sqlite_pages_write (file->pages, data, offset);
  if (file->log != NULL)
    return sqlite_log_write (file->log, data, length, offset);
  if (file->journal != NULL)
    return sqlite_journal_write (file->journal, data, length, offset);
  if (file->temp != NULL)
    return sqlite_temp_write (file->temp, data, length, offset);
  return real->pMethods->xWrite (real, data, length, offset);
}

static int
sqlite_vfs_truncate (sqlite3_file *base, sqlite3_int64 size)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);
  sqlite3_int64 now = 0;
  int result = sqlite_vfs_flush (file);

  if (file->temp != NULL)
    return sqlite_temp_truncate (file->temp, size);
  if (result == SQLITE_OK)
    result = real->pMethods->xFileSize (real, &now);
  if (result != SQLITE_OK)
    return result;
  /* growing would leave a hole, and a hole cannot be told from a damaged page once pages are sealed
   */
  if (file->kind == SQLITE_VFS_MAIN && size > now)
    return SQLITE_IOERR_TRUNCATE;
  result = real->pMethods->xTruncate (real, size);
  if (file->pages != NULL && result == SQLITE_OK)
    sqlite_node_shrink (file->node, size);
  return result;
}

static int
sqlite_vfs_sync (sqlite3_file *base, int flags)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);
  int result = sqlite_vfs_flush (file);

  return result != SQLITE_OK ? result : real->pMethods->xSync (real, flags);
}

static int
sqlite_vfs_file_size (sqlite3_file *base, sqlite3_int64 *size)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);
  int result = sqlite_vfs_flush (file);

  if (file->temp != NULL)
    *size = sqlite_temp_get_size (file->temp);
  if (file->temp != NULL || result != SQLITE_OK)
    return result;
  return real->pMethods->xFileSize (real, size);
}

static int
sqlite_vfs_lock (sqlite3_file *base, int level)
{
  sqlite3_file *real = sqlite_vfs_real ((SqliteVfsFile *) base);

  return real->pMethods->xLock (real, level);
}

static int
sqlite_vfs_unlock (sqlite3_file *base, int level)
{
  sqlite3_file *real = sqlite_vfs_real ((SqliteVfsFile *) base);

  return real->pMethods->xUnlock (real, level);
}

static int
sqlite_vfs_check_reserved_lock (sqlite3_file *base, int *result)
{
  sqlite3_file *real = sqlite_vfs_real ((SqliteVfsFile *) base);

  return real->pMethods->xCheckReservedLock (real, result);
}

static int
sqlite_vfs_file_control (sqlite3_file *base, int op, void *data)
{
  sqlite3_file *real = sqlite_vfs_real ((SqliteVfsFile *) base);
  char **pragma = data;

  switch (op)
    {
    case SQLITE_FCNTL_SIZE_HINT:
    case SQLITE_FCNTL_CHUNK_SIZE:
      return SQLITE_OK;
    case SQLITE_FCNTL_MMAP_SIZE:
      *(sqlite3_int64 *) data = 0;
      return SQLITE_OK;
    case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
      *(int *) data = 1;
      return SQLITE_OK;
    case SQLITE_FCNTL_PRAGMA:
      /* the page size is part of the format */
      if (pragma[2] != NULL && g_ascii_strcasecmp (pragma[1], "page_size") == 0)
        return SQLITE_OK;
      break;
    default:
      break;
    }
  return real->pMethods->xFileControl (real, op, data);
}

static int
sqlite_vfs_sector_size (sqlite3_file *base)
{
  sqlite3_file *real = sqlite_vfs_real ((SqliteVfsFile *) base);

  return real->pMethods->xSectorSize (real);
}

static int
sqlite_vfs_device_characteristics (sqlite3_file *base)
{
  sqlite3_file *real = sqlite_vfs_real ((SqliteVfsFile *) base);
  int flags = real->pMethods->xDeviceCharacteristics (real);

  /* without the first SQLite pads frames to sectors; the others are promises about single writes
   * that we do not use */
  flags |= SQLITE_IOCAP_POWERSAFE_OVERWRITE;
  return flags & ~(0x1ff | SQLITE_IOCAP_BATCH_ATOMIC);
}

static int
sqlite_vfs_shm_map (sqlite3_file *base, int region, int size, int extend, void volatile **memory)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;

  if (file->index == NULL)
    file->index = sqlite_index_open (file->vfs->indexes, file->path);
  return sqlite_index_map (file->index, region, size, extend != 0, memory);
}

static int
sqlite_vfs_shm_lock (sqlite3_file *base, int offset, int n, int flags)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  int result = SQLITE_IOERR_SHMLOCK;

  if (file->index == NULL)
    return result;
  result = sqlite_index_lock (file->index, offset, n, flags);
  /* whoever recovers the log holds this slot alone */
  if (file->node != NULL && result == SQLITE_OK && (flags & SQLITE_SHM_EXCLUSIVE) != 0
      && offset <= RECOVER_LOCK && offset + n > RECOVER_LOCK)
    sqlite_node_set_recovering (file->node, (flags & SQLITE_SHM_LOCK) != 0);
  return result;
}

static void
sqlite_vfs_shm_barrier (sqlite3_file *base)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;

  if (file->index != NULL)
    sqlite_index_barrier (file->index);
}

static int
sqlite_vfs_shm_unmap (sqlite3_file *base, int delete)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;

  g_clear_pointer (&file->index, sqlite_index_close);
  return SQLITE_OK;
}

/* version 2: no xFetch, hence never a mapped page */
static const sqlite3_io_methods sqlite_vfs_methods = {
  .iVersion = 2,
  .xClose = sqlite_vfs_close,
  .xRead = sqlite_vfs_read,
  .xWrite = sqlite_vfs_write,
  .xTruncate = sqlite_vfs_truncate,
  .xSync = sqlite_vfs_sync,
  .xFileSize = sqlite_vfs_file_size,
  .xLock = sqlite_vfs_lock,
  .xUnlock = sqlite_vfs_unlock,
  .xCheckReservedLock = sqlite_vfs_check_reserved_lock,
  .xFileControl = sqlite_vfs_file_control,
  .xSectorSize = sqlite_vfs_sector_size,
  .xDeviceCharacteristics = sqlite_vfs_device_characteristics,
  .xShmMap = sqlite_vfs_shm_map,
  .xShmLock = sqlite_vfs_shm_lock,
  .xShmBarrier = sqlite_vfs_shm_barrier,
  .xShmUnmap = sqlite_vfs_shm_unmap,
};

static SqliteVfsKind
sqlite_vfs_get_kind (int flags)
{
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
    return SQLITE_VFS_MAIN;
  if ((flags & SQLITE_OPEN_WAL) != 0)
    return SQLITE_VFS_WAL;
  /* of several files at once: never made, a transaction does not span stores */
  if ((flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0)
    return SQLITE_VFS_JOURNAL;
  return SQLITE_VFS_TEMP;
}

static int
sqlite_vfs_prepare (SqliteVfsFile *file)
{
  sqlite3_file *real = sqlite_vfs_real (file);
  gboolean sealed = file->node != NULL && sqlite_node_get_keyring (file->node) != NULL;
  int result = SQLITE_OK;

  if (file->kind == SQLITE_VFS_WAL)
    file->log = sqlite_log_new (sealed ? file->node : NULL, real);
  if (file->kind == SQLITE_VFS_JOURNAL && sealed)
    file->journal = sqlite_journal_new (file->node, real);
  if (file->kind == SQLITE_VFS_TEMP && file->vfs->keys_required)
    {
      file->temp = sqlite_temp_new (real);
      return file->temp != NULL ? SQLITE_OK : SQLITE_CANTOPEN;
    }
  if (file->kind == SQLITE_VFS_MAIN && sealed)
    {
      result = sqlite_node_load_salt (file->node, real);
      file->pages = sqlite_pages_new (file->node, real);
    }
  return result;
}

int
sqlite_vfs_open (sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
  SqliteVfs *self = vfs->pAppData;
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);
  SqliteVfsKind kind = sqlite_vfs_get_kind (flags);
  g_autoptr (SqliteNode) node = NULL;
  int result = SQLITE_OK;

  memset (file, 0, sizeof *file);
  if (kind != SQLITE_VFS_TEMP && (flags & SQLITE_OPEN_SUPER_JOURNAL) == 0)
    node = sqlite_vfs_find_node (self, kind, name);
  /* fail closed */
  if (self->keys_required && kind != SQLITE_VFS_TEMP && node == NULL)
    return SQLITE_CANTOPEN;
  result = self->real->xOpen (self->real, name, real, flags, out_flags);
  if (result == SQLITE_OK)
    {
      file->vfs = self;
      file->kind = kind;
      file->path = g_strdup (name);
      file->node = g_steal_pointer (&node);
      result = sqlite_vfs_prepare (file);
    }
  if (result != SQLITE_OK)
    {
      if (real->pMethods != NULL)
        real->pMethods->xClose (real);
      sqlite_vfs_clear (file);
      return result;
    }
  file->base.pMethods = &sqlite_vfs_methods;
  g_atomic_int_inc (&self->open_files);
  return SQLITE_OK;
}
