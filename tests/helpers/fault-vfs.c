/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file layer for SQLite that fails on purpose: over the unix layer, below the product's. Results
 * are those that the unix layer gives for the same errors of the system. */
#include "fault-vfs.h"

#include <sqlite3.h>
#include <string.h>

typedef struct
{
  sqlite3_file base;
  char name[64];
} FaultVfsFile; /* followed in memory by the unix layer's file */

static sqlite3_vfs fault_vfs;
static sqlite3_vfs *fault_vfs_unix;

static struct
{
  GMutex mutex;
  FaultKind kind;
  guint calls;
  guint first;
  guint last;
  guint seen;
  guint failed;
  char hit[96];
} fault_vfs_armed;

/* Counts a call; whether and how it is to fail. */
static FaultKind
fault_vfs_count (guint call, const char *what, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&fault_vfs_armed.mutex);

  if ((fault_vfs_armed.calls & call) == 0)
    return FAULT_NONE;
  fault_vfs_armed.seen++;
  if (fault_vfs_armed.kind == FAULT_NONE || fault_vfs_armed.seen < fault_vfs_armed.first
      || fault_vfs_armed.seen > fault_vfs_armed.last)
    return FAULT_NONE;
  fault_vfs_armed.failed++;
  g_snprintf (fault_vfs_armed.hit, sizeof fault_vfs_armed.hit, "%s %s", what, name);
  return fault_vfs_armed.kind;
}

void
fault_vfs_arm (FaultKind kind, guint calls, guint first, guint last)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&fault_vfs_armed.mutex);

  fault_vfs_armed.kind = kind;
  fault_vfs_armed.calls = calls;
  fault_vfs_armed.first = first;
  fault_vfs_armed.last = last;
  fault_vfs_armed.seen = fault_vfs_armed.failed = 0;
  fault_vfs_armed.hit[0] = 0;
}

void
fault_vfs_disarm (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&fault_vfs_armed.mutex);

  fault_vfs_armed.kind = FAULT_NONE;
}

guint
fault_vfs_get_seen (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&fault_vfs_armed.mutex);

  return fault_vfs_armed.seen;
}

guint
fault_vfs_get_failed (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&fault_vfs_armed.mutex);

  return fault_vfs_armed.failed;
}

const char *
fault_vfs_get_hit (void)
{
  return fault_vfs_armed.hit;
}

/* ---- a file ---- */

static sqlite3_file *
fault_vfs_real (sqlite3_file *base)
{
  return (sqlite3_file *) ((FaultVfsFile *) base + 1);
}

static const char *
fault_vfs_name (sqlite3_file *base)
{
  return ((FaultVfsFile *) base)->name;
}

static int
fault_vfs_close (sqlite3_file *base)
{
  return fault_vfs_real (base)->pMethods->xClose (fault_vfs_real (base));
}

static int
fault_vfs_read (sqlite3_file *base, void *data, int length, sqlite3_int64 offset)
{
  return fault_vfs_real (base)->pMethods->xRead (fault_vfs_real (base), data, length, offset);
}

static int
fault_vfs_write (sqlite3_file *base, const void *data, int length, sqlite3_int64 offset)
{
  sqlite3_file *real = fault_vfs_real (base);
  FaultKind kind = fault_vfs_count (FAULT_WRITE, "write", fault_vfs_name (base));

  if (kind == FAULT_NONE)
    return real->pMethods->xWrite (real, data, length, offset);
  if (kind == FAULT_SHORT)
    (void) real->pMethods->xWrite (real, data, length / 2, offset);
  return kind == FAULT_SHORT || kind == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int
fault_vfs_truncate (sqlite3_file *base, sqlite3_int64 size)
{
  sqlite3_file *real = fault_vfs_real (base);

  return fault_vfs_count (FAULT_TRUNCATE, "truncate", fault_vfs_name (base)) == FAULT_NONE
             ? real->pMethods->xTruncate (real, size)
             : SQLITE_IOERR_TRUNCATE;
}

static int
fault_vfs_sync (sqlite3_file *base, int flags)
{
  sqlite3_file *real = fault_vfs_real (base);

  return fault_vfs_count (FAULT_SYNC, "sync", fault_vfs_name (base)) == FAULT_NONE
             ? real->pMethods->xSync (real, flags)
             : SQLITE_IOERR_FSYNC;
}

static int
fault_vfs_file_size (sqlite3_file *base, sqlite3_int64 *size)
{
  return fault_vfs_real (base)->pMethods->xFileSize (fault_vfs_real (base), size);
}

static int
fault_vfs_lock (sqlite3_file *base, int level)
{
  return fault_vfs_real (base)->pMethods->xLock (fault_vfs_real (base), level);
}

static int
fault_vfs_unlock (sqlite3_file *base, int level)
{
  return fault_vfs_real (base)->pMethods->xUnlock (fault_vfs_real (base), level);
}

static int
fault_vfs_check_reserved_lock (sqlite3_file *base, int *result)
{
  return fault_vfs_real (base)->pMethods->xCheckReservedLock (fault_vfs_real (base), result);
}

static int
fault_vfs_file_control (sqlite3_file *base, int op, void *data)
{
  return fault_vfs_real (base)->pMethods->xFileControl (fault_vfs_real (base), op, data);
}

static int
fault_vfs_sector_size (sqlite3_file *base)
{
  return fault_vfs_real (base)->pMethods->xSectorSize (fault_vfs_real (base));
}

static int
fault_vfs_device_characteristics (sqlite3_file *base)
{
  return fault_vfs_real (base)->pMethods->xDeviceCharacteristics (fault_vfs_real (base));
}

static int
fault_vfs_shm_map (sqlite3_file *base, int region, int size, int extend, void volatile **memory)
{
  return fault_vfs_real (base)->pMethods->xShmMap (fault_vfs_real (base), region, size, extend,
                                                   memory);
}

static int
fault_vfs_shm_lock (sqlite3_file *base, int offset, int n, int flags)
{
  return fault_vfs_real (base)->pMethods->xShmLock (fault_vfs_real (base), offset, n, flags);
}

static void
fault_vfs_shm_barrier (sqlite3_file *base)
{
  fault_vfs_real (base)->pMethods->xShmBarrier (fault_vfs_real (base));
}

static int
fault_vfs_shm_unmap (sqlite3_file *base, int remove)
{
  return fault_vfs_real (base)->pMethods->xShmUnmap (fault_vfs_real (base), remove);
}

static const sqlite3_io_methods fault_vfs_methods = {
  .iVersion = 2,
  .xClose = fault_vfs_close,
  .xRead = fault_vfs_read,
  .xWrite = fault_vfs_write,
  .xTruncate = fault_vfs_truncate,
  .xSync = fault_vfs_sync,
  .xFileSize = fault_vfs_file_size,
  .xLock = fault_vfs_lock,
  .xUnlock = fault_vfs_unlock,
  .xCheckReservedLock = fault_vfs_check_reserved_lock,
  .xFileControl = fault_vfs_file_control,
  .xSectorSize = fault_vfs_sector_size,
  .xDeviceCharacteristics = fault_vfs_device_characteristics,
  .xShmMap = fault_vfs_shm_map,
  .xShmLock = fault_vfs_shm_lock,
  .xShmBarrier = fault_vfs_shm_barrier,
  .xShmUnmap = fault_vfs_shm_unmap,
};

/* ---- the layer ---- */

static int
fault_vfs_open (sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
  FaultVfsFile *file = (FaultVfsFile *) base;
  sqlite3_file *real = fault_vfs_real (base);
  const char *slash = name != NULL ? strrchr (name, '/') : NULL;
  int result = 0;

  memset (file, 0, sizeof *file);
  g_strlcpy (file->name, slash != NULL ? slash + 1 : "temporary", sizeof file->name);
  result = fault_vfs_unix->xOpen (fault_vfs_unix, name, real, flags, out_flags);
  if (real->pMethods != NULL)
    file->base.pMethods = &fault_vfs_methods;
  return result;
}

static int
fault_vfs_delete (sqlite3_vfs *vfs, const char *name, int sync_folder)
{
  const char *slash = strrchr (name, '/');

  return fault_vfs_count (FAULT_RENAME, "remove", slash != NULL ? slash + 1 : name) == FAULT_NONE
             ? fault_vfs_unix->xDelete (fault_vfs_unix, name, sync_folder)
             : SQLITE_IOERR_DELETE;
}

/* The rest is the unix layer's, whose functions do not look at which layer they are given but for
 * the data that was copied with them. */
void
fault_vfs_register (void)
{
  if (fault_vfs_unix != NULL)
    return;
  fault_vfs_unix = sqlite3_vfs_find (NULL);
  g_assert_nonnull (fault_vfs_unix);
  fault_vfs = *fault_vfs_unix;
  fault_vfs.pNext = NULL;
  fault_vfs.zName = "fault";
  fault_vfs.szOsFile = (int) sizeof (FaultVfsFile) + fault_vfs_unix->szOsFile;
  fault_vfs.xOpen = fault_vfs_open;
  fault_vfs.xDelete = fault_vfs_delete;
  g_assert_cmpint (sqlite3_vfs_register (&fault_vfs, 1), ==, SQLITE_OK);
}
