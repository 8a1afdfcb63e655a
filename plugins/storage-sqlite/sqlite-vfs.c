/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file layer under every store, a shim over SQLite's own unix layer. What it adds: a file whose
 * pages do not keep 32 reserved bytes free is not written, a WAL frame goes out in one write (as
 * sealing a frame will need), no holes and no mapped files, and the WAL index lives in heap. The
 * last is valid for one process only, so that every store has an exclusive lock file beside it
 * (sqlite-store.c). */
#include "sqlite-vfs.h"

#include "sqlite-index.h"

#include <string.h>

#include <reeve-plugin-1.h>

#define FRAME_HEADER 24
#define FRAME_SIZE   (FRAME_HEADER + SQLITE_VFS_PAGE_SIZE)
#define WAL_HEADER   32

struct _SqliteVfs
{
  sqlite3_vfs base;
  sqlite3_vfs *real;
  char *name;
  SqliteIndexSet *indexes;
  guint open_files; /* atomic */
};

typedef enum
{
  SQLITE_VFS_MAIN,
  SQLITE_VFS_WAL,
  SQLITE_VFS_OTHER
} SqliteVfsKind;

/* followed in memory by the unix layer's own file */
typedef struct
{
  sqlite3_file base;
  SqliteVfs *vfs;
  SqliteVfsKind kind;
  char *path;
  SqliteIndexHandle *index; /* SQLITE_VFS_MAIN, from the first xShmMap on */
  guint8 *frame;            /* SQLITE_VFS_WAL: room for one frame */
  gint64 held; /* offset of the frame header that waits in @frame for its page, or -1 */
} SqliteVfsFile;

static SqliteVfs *
sqlite_vfs_of (sqlite3_vfs *vfs)
{
  return vfs->pAppData;
}

static sqlite3_file *
sqlite_vfs_real (SqliteVfsFile *file)
{
  return (sqlite3_file *) (file + 1);
}

/* writes out a frame header that was held back and whose page did not follow */
static int
sqlite_vfs_flush (SqliteVfsFile *file)
{
  sqlite3_file *real = sqlite_vfs_real (file);
  gint64 at = file->held;

  if (at < 0)
    return SQLITE_OK;
  file->held = -1;
  return real->pMethods->xWrite (real, file->frame, FRAME_HEADER, at);
}

static int
sqlite_vfs_close (sqlite3_file *base)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);
  int result = sqlite_vfs_flush (file);
  int closed = real->pMethods->xClose (real);

  g_clear_pointer (&file->index, sqlite_index_close);
  g_clear_pointer (&file->frame, g_free);
  g_clear_pointer (&file->path, g_free);
  g_atomic_int_add (&file->vfs->open_files, -1);
  file->base.pMethods = NULL;
  return result != SQLITE_OK ? result : closed;
}

static int
sqlite_vfs_read (sqlite3_file *base, void *data, int length, sqlite3_int64 offset)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);
  int result = sqlite_vfs_flush (file);

  return result != SQLITE_OK ? result : real->pMethods->xRead (real, data, length, offset);
}

/* a page of the main file must keep its tail free; page 1 must say so and have the one page size */
static gboolean
sqlite_vfs_page_is_ours (const guint8 *page, int length, gint64 offset)
{
  static const guint8 zeros[SQLITE_VFS_RESERVE];

  if (length != SQLITE_VFS_PAGE_SIZE || offset % SQLITE_VFS_PAGE_SIZE != 0)
    return FALSE;
  if (offset == 0
      && (page[16] != SQLITE_VFS_PAGE_SIZE >> 8 || page[17] != 0 || page[20] != SQLITE_VFS_RESERVE))
    return FALSE;
  return memcmp (page + SQLITE_VFS_PAGE_SIZE - SQLITE_VFS_RESERVE, zeros, SQLITE_VFS_RESERVE) == 0;
}

static int
sqlite_vfs_write_wal (SqliteVfsFile *file, const void *data, int length, gint64 offset)
{
  sqlite3_file *real = sqlite_vfs_real (file);
  int result = SQLITE_OK;

  if (file->held >= 0 && length == SQLITE_VFS_PAGE_SIZE && offset == file->held + FRAME_HEADER)
    {
      gint64 at = file->held;

      file->held = -1;
      memcpy (file->frame + FRAME_HEADER, data, SQLITE_VFS_PAGE_SIZE);
      return real->pMethods->xWrite (real, file->frame, FRAME_SIZE, at);
    }
  result = sqlite_vfs_flush (file);
  if (result != SQLITE_OK)
    return result;
  if (length == FRAME_HEADER && offset >= WAL_HEADER)
    {
      if (file->frame == NULL)
        file->frame = g_malloc (FRAME_SIZE);
      memcpy (file->frame, data, FRAME_HEADER);
      file->held = offset;
      return SQLITE_OK;
    }
  return real->pMethods->xWrite (real, data, length, offset);
}

static int
sqlite_vfs_write (sqlite3_file *base, const void *data, int length, sqlite3_int64 offset)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);

  if (file->kind == SQLITE_VFS_WAL)
    return sqlite_vfs_write_wal (file, data, length, offset);
  if (file->kind == SQLITE_VFS_MAIN && !sqlite_vfs_page_is_ours (data, length, offset))
    return SQLITE_READONLY;
  return real->pMethods->xWrite (real, data, length, offset);
}

static int
sqlite_vfs_truncate (sqlite3_file *base, sqlite3_int64 size)
{
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);
  sqlite3_int64 now = 0;
  int result = sqlite_vfs_flush (file);

  if (result == SQLITE_OK)
    result = real->pMethods->xFileSize (real, &now);
  if (result != SQLITE_OK)
    return result;
  /* growing would leave a hole, and a hole cannot be told from a damaged page once pages are sealed
   */
  if (file->kind == SQLITE_VFS_MAIN && size > now)
    return SQLITE_IOERR_TRUNCATE;
  return real->pMethods->xTruncate (real, size);
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

  return result != SQLITE_OK ? result : real->pMethods->xFileSize (real, size);
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

  return file->index == NULL ? SQLITE_IOERR_SHMLOCK
                             : sqlite_index_lock (file->index, offset, n, flags);
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

static int
sqlite_vfs_open (sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
  SqliteVfs *self = sqlite_vfs_of (vfs);
  SqliteVfsFile *file = (SqliteVfsFile *) base;
  sqlite3_file *real = sqlite_vfs_real (file);
  int result = 0;

  memset (file, 0, sizeof *file);
  result = self->real->xOpen (self->real, name, real, flags, out_flags);
  if (result != SQLITE_OK)
    {
      if (real->pMethods != NULL)
        real->pMethods->xClose (real);
      return result;
    }
  file->vfs = self;
  file->held = -1;
  file->path = g_strdup (name);
  file->kind = SQLITE_VFS_OTHER;
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
    file->kind = SQLITE_VFS_MAIN;
  else if ((flags & SQLITE_OPEN_WAL) != 0)
    file->kind = SQLITE_VFS_WAL;
  file->base.pMethods = &sqlite_vfs_methods;
  g_atomic_int_inc (&self->open_files);
  return SQLITE_OK;
}

static int
sqlite_vfs_delete (sqlite3_vfs *vfs, const char *name, int sync_dir)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xDelete (real, name, sync_dir);
}

static int
sqlite_vfs_access (sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xAccess (real, name, flags, result);
}

static int
sqlite_vfs_full_pathname (sqlite3_vfs *vfs, const char *name, int length, char *path)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xFullPathname (real, name, length, path);
}

static int
sqlite_vfs_randomness (sqlite3_vfs *vfs, int length, char *data)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xRandomness (real, length, data);
}

static int
sqlite_vfs_sleep (sqlite3_vfs *vfs, int microseconds)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xSleep (real, microseconds);
}

static int
sqlite_vfs_current_time (sqlite3_vfs *vfs, double *now)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xCurrentTime (real, now);
}

static int
sqlite_vfs_get_last_error (sqlite3_vfs *vfs, int length, char *message)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xGetLastError (real, length, message);
}

static int
sqlite_vfs_current_time_int64 (sqlite3_vfs *vfs, sqlite3_int64 *now)
{
  sqlite3_vfs *real = sqlite_vfs_of (vfs)->real;

  return real->xCurrentTimeInt64 (real, now);
}

/**
 * sqlite_vfs_new:
 * @error: return location
 *
 * Registers a file layer of its own name with SQLite, so that several instances in one process do
 * not share state. Extensions cannot be loaded through it: it offers no xDlOpen.
 *
 * Returns: (transfer full): the layer, or %NULL with %REEVE_ERROR_FAILED
 */
SqliteVfs *
sqlite_vfs_new (GError **error)
{
  g_autofree SqliteVfs *self = g_new0 (SqliteVfs, 1);
  sqlite3_vfs *real = sqlite3_vfs_find (NULL);
  int result = 0;

  if (real == NULL || real->iVersion < 2)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED,
                           "sqlite has no usable file layer");
      return NULL;
    }
  self->real = real;
  self->name = g_strdup_printf ("reeve-%p", (void *) self);
  self->base = (sqlite3_vfs){
    .iVersion = 2,
    .szOsFile = (int) sizeof (SqliteVfsFile) + real->szOsFile,
    .mxPathname = real->mxPathname,
    .zName = self->name,
    .pAppData = self,
    .xOpen = sqlite_vfs_open,
    .xDelete = sqlite_vfs_delete,
    .xAccess = sqlite_vfs_access,
    .xFullPathname = sqlite_vfs_full_pathname,
    .xRandomness = sqlite_vfs_randomness,
    .xSleep = sqlite_vfs_sleep,
    .xCurrentTime = sqlite_vfs_current_time,
    .xGetLastError = sqlite_vfs_get_last_error,
    .xCurrentTimeInt64 = sqlite_vfs_current_time_int64,
  };
  result = sqlite3_vfs_register (&self->base, 0);
  if (result != SQLITE_OK)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "registering the file layer: %s",
                   sqlite3_errstr (result));
      g_free (self->name);
      return NULL;
    }
  self->indexes = sqlite_index_set_new ();
  return g_steal_pointer (&self);
}

/**
 * sqlite_vfs_free:
 * @self: (transfer full): a file layer through which nothing is open any more
 *
 * Unregisters and frees it.
 */
void
sqlite_vfs_free (SqliteVfs *self)
{
  g_return_if_fail (g_atomic_int_get (&self->open_files) == 0);
  sqlite3_vfs_unregister (&self->base);
  sqlite_index_set_free (self->indexes);
  g_free (self->name);
  g_free (self);
}

/**
 * sqlite_vfs_get_name:
 * @self: a file layer
 *
 * Returns: (transfer none): its name, for sqlite3_open_v2()
 */
const char *
sqlite_vfs_get_name (SqliteVfs *self)
{
  return self->name;
}

/**
 * sqlite_vfs_get_open_files:
 * @self: a file layer
 *
 * Returns: how many files are open through it now
 */
guint
sqlite_vfs_get_open_files (SqliteVfs *self)
{
  return (guint) g_atomic_int_get (&self->open_files);
}
