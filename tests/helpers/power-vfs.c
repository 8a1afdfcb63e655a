/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file layer for SQLite that loses power. A file's durable content is what it had at its last
 * sync; each write or truncation since then is remembered. After a failure any of those may have
 * reached the disk or not, each by itself, sectors of one write in any combination: disks write in
 * the order they like. A removal counts at once. */
#include "power-vfs.h"

#include <sqlite3.h>
#include <string.h>

#define POWER_SECTOR 512

typedef struct
{
  gint64 offset;
  GBytes *bytes; /* NULL: truncated to @offset */
} PowerVfsChange;

typedef struct
{
  GByteArray *durable;
  GPtrArray *changes; /* of PowerVfsChange */
} PowerVfsDisk;

typedef struct
{
  sqlite3_file base;
  char *path; /* NULL: temporary, lost anyway */
} PowerVfsFile;

typedef struct
{
  sqlite3_vfs base;
  sqlite3_vfs *real;
  GMutex mutex;
  GHashTable *disks; /* path -> PowerVfsDisk */
  guint left;        /* calls until it fails; 0: it does not */
  gboolean failed;
} PowerVfs;

static PowerVfs power;

static sqlite3_file *
power_vfs_real (sqlite3_file *base)
{
  return (sqlite3_file *) ((PowerVfsFile *) base + 1);
}

static void
power_vfs_change_free (PowerVfsChange *change)
{
  g_clear_pointer (&change->bytes, g_bytes_unref);
  g_free (change);
}

static void
power_vfs_disk_free (PowerVfsDisk *disk)
{
  g_byte_array_unref (disk->durable);
  g_ptr_array_unref (disk->changes);
  g_free (disk);
}

/* FALSE: there is no power any more */
static gboolean
power_vfs_take (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&power.mutex);

  if (power.left > 0 && --power.left == 0)
    power.failed = TRUE;
  return !power.failed;
}

static void
power_vfs_write_at (GByteArray *image, gint64 offset, const guint8 *bytes, gsize length)
{
  gsize end = (gsize) offset + length;
  gsize before = image->len;

  if (end > before)
    {
      g_byte_array_set_size (image, (guint) end);
      memset (image->data + before, 0, end - before);
    }
  memcpy (image->data + offset, bytes, length);
}

static void
power_vfs_apply (GByteArray *image, const PowerVfsChange *change)
{
  gsize length = 0;
  const guint8 *bytes = change->bytes != NULL ? g_bytes_get_data (change->bytes, &length) : NULL;

  if (bytes != NULL)
    power_vfs_write_at (image, change->offset, bytes, length);
  else if (change->offset < image->len)
    g_byte_array_set_size (image, (guint) change->offset);
}

/* as chance will have it */
static void
power_vfs_apply_some (GByteArray *image, const PowerVfsChange *change, GRand *rand)
{
  gsize length = 0;
  const guint8 *bytes = change->bytes != NULL ? g_bytes_get_data (change->bytes, &length) : NULL;
  gint32 chance = g_rand_int_range (rand, 0, 3);

  if (chance == 0)
    return;
  if (chance == 1 || bytes == NULL)
    {
      power_vfs_apply (image, change);
      return;
    }
  for (gsize at = 0; at < length;)
    {
      gsize sector = POWER_SECTOR - ((gsize) change->offset + at) % POWER_SECTOR;
      gsize n = MIN (sector, length - at);

      if (g_rand_boolean (rand))
        power_vfs_write_at (image, change->offset + (gint64) at, bytes + at, n);
      at += n;
    }
}

static void
power_vfs_note (PowerVfsFile *file, gint64 offset, const void *bytes, gsize length)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&power.mutex);
  PowerVfsDisk *disk = file->path != NULL ? g_hash_table_lookup (power.disks, file->path) : NULL;
  PowerVfsChange *change = NULL;

  if (disk == NULL)
    return;
  change = g_new0 (PowerVfsChange, 1);
  change->offset = offset;
  change->bytes = bytes != NULL ? g_bytes_new (bytes, length) : NULL;
  g_ptr_array_add (disk->changes, change);
}

static int
power_vfs_write (sqlite3_file *base, const void *data, int length, sqlite3_int64 offset)
{
  sqlite3_file *real = power_vfs_real (base);

  if (!power_vfs_take ())
    return SQLITE_IOERR_WRITE;
  power_vfs_note ((PowerVfsFile *) base, offset, data, (gsize) length);
  return real->pMethods->xWrite (real, data, length, offset);
}

static int
power_vfs_truncate (sqlite3_file *base, sqlite3_int64 size)
{
  sqlite3_file *real = power_vfs_real (base);

  if (!power_vfs_take ())
    return SQLITE_IOERR_TRUNCATE;
  power_vfs_note ((PowerVfsFile *) base, size, NULL, 0);
  return real->pMethods->xTruncate (real, size);
}

static int
power_vfs_sync (sqlite3_file *base, int flags)
{
  PowerVfsFile *file = (PowerVfsFile *) base;
  PowerVfsDisk *disk = NULL;

  if (!power_vfs_take ())
    return SQLITE_IOERR_FSYNC;
  g_mutex_lock (&power.mutex);
  disk = file->path != NULL ? g_hash_table_lookup (power.disks, file->path) : NULL;
  for (guint i = 0; disk != NULL && i < disk->changes->len; i++)
    power_vfs_apply (disk->durable, g_ptr_array_index (disk->changes, i));
  if (disk != NULL)
    g_ptr_array_set_size (disk->changes, 0);
  g_mutex_unlock (&power.mutex);
  return SQLITE_OK;
}

static int
power_vfs_close (sqlite3_file *base)
{
  PowerVfsFile *file = (PowerVfsFile *) base;
  sqlite3_file *real = power_vfs_real (base);

  g_clear_pointer (&file->path, g_free);
  return real->pMethods->xClose (real);
}

static int
power_vfs_read (sqlite3_file *base, void *data, int length, sqlite3_int64 offset)
{
  sqlite3_file *real = power_vfs_real (base);

  return real->pMethods->xRead (real, data, length, offset);
}

static int
power_vfs_file_size (sqlite3_file *base, sqlite3_int64 *size)
{
  sqlite3_file *real = power_vfs_real (base);

  return real->pMethods->xFileSize (real, size);
}

static int
power_vfs_lock (sqlite3_file *base, int level)
{
  sqlite3_file *real = power_vfs_real (base);

  return real->pMethods->xLock (real, level);
}

static int
power_vfs_unlock (sqlite3_file *base, int level)
{
  sqlite3_file *real = power_vfs_real (base);

  return real->pMethods->xUnlock (real, level);
}

static int
power_vfs_check_reserved_lock (sqlite3_file *base, int *result)
{
  sqlite3_file *real = power_vfs_real (base);

  return real->pMethods->xCheckReservedLock (real, result);
}

static int
power_vfs_file_control (sqlite3_file *base, int op, void *data)
{
  sqlite3_file *real = power_vfs_real (base);

  return real->pMethods->xFileControl (real, op, data);
}

static int
power_vfs_sector_size (sqlite3_file *base)
{
  sqlite3_file *real = power_vfs_real (base);

  return real->pMethods->xSectorSize (real);
}

static int
power_vfs_device_characteristics (sqlite3_file *base)
{
  sqlite3_file *real = power_vfs_real (base);

  return real->pMethods->xDeviceCharacteristics (real);
}

static const sqlite3_io_methods power_vfs_methods = {
  .iVersion = 1,
  .xClose = power_vfs_close,
  .xRead = power_vfs_read,
  .xWrite = power_vfs_write,
  .xTruncate = power_vfs_truncate,
  .xSync = power_vfs_sync,
  .xFileSize = power_vfs_file_size,
  .xLock = power_vfs_lock,
  .xUnlock = power_vfs_unlock,
  .xCheckReservedLock = power_vfs_check_reserved_lock,
  .xFileControl = power_vfs_file_control,
  .xSectorSize = power_vfs_sector_size,
  .xDeviceCharacteristics = power_vfs_device_characteristics,
};

/* what lies there when a file is first seen counts as synced */
static void
power_vfs_learn (const char *path)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&power.mutex);
  PowerVfsDisk *disk = NULL;
  g_autofree char *bytes = NULL;
  gsize length = 0;

  if (g_hash_table_contains (power.disks, path))
    return;
  disk = g_new0 (PowerVfsDisk, 1);
  disk->durable = g_byte_array_new ();
  disk->changes = g_ptr_array_new_with_free_func ((GDestroyNotify) power_vfs_change_free);
  if (g_file_get_contents (path, &bytes, &length, NULL))
    g_byte_array_append (disk->durable, (const guint8 *) bytes, (guint) length);
  g_hash_table_insert (power.disks, g_strdup (path), disk);
}

static int
power_vfs_open (sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
  PowerVfsFile *file = (PowerVfsFile *) base;
  sqlite3_file *real = power_vfs_real (base);
  int code = SQLITE_OK;

  memset (file, 0, sizeof *file);
  if (power.failed)
    return SQLITE_CANTOPEN;
  code = power.real->xOpen (power.real, name, real, flags, out_flags);
  if (code != SQLITE_OK)
    {
      if (real->pMethods != NULL)
        real->pMethods->xClose (real);
      return code;
    }
  if (name != NULL && (flags & SQLITE_OPEN_DELETEONCLOSE) == 0)
    {
      file->path = g_strdup (name);
      power_vfs_learn (name);
    }
  file->base.pMethods = &power_vfs_methods;
  return SQLITE_OK;
}

static int
power_vfs_delete (sqlite3_vfs *vfs, const char *name, int sync_dir)
{
  int code = SQLITE_IOERR_DELETE;

  if (!power_vfs_take ())
    return code;
  code = power.real->xDelete (power.real, name, sync_dir);
  g_mutex_lock (&power.mutex);
  g_hash_table_remove (power.disks, name);
  g_mutex_unlock (&power.mutex);
  return code;
}

void
power_vfs_register (void)
{
  if (power.real != NULL)
    return;
  power.real = sqlite3_vfs_find (NULL);
  g_mutex_init (&power.mutex);
  power.disks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) power_vfs_disk_free);
  power.base = *power.real;
  power.base.zName = "power";
  power.base.szOsFile = (int) sizeof (PowerVfsFile) + power.real->szOsFile;
  power.base.xOpen = power_vfs_open;
  power.base.xDelete = power_vfs_delete;
  g_assert_cmpint (sqlite3_vfs_register (&power.base, 1), ==, SQLITE_OK);
}

void
power_vfs_fail_after (guint calls)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&power.mutex);

  power.left = calls;
}

gboolean
power_vfs_has_failed (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&power.mutex);

  return power.failed;
}

void
power_vfs_restore (GRand *rand)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&power.mutex);
  GHashTableIter iter = { 0 };
  gpointer path = NULL;
  gpointer value = NULL;

  g_hash_table_iter_init (&iter, power.disks);
  while (power.failed && g_hash_table_iter_next (&iter, &path, &value))
    {
      PowerVfsDisk *disk = value;
      /* now and then all of it: what nobody was told may be there */
      gboolean all = g_rand_int_range (rand, 0, 4) == 0;

      for (guint i = 0; i < disk->changes->len; i++)
        if (all)
          power_vfs_apply (disk->durable, g_ptr_array_index (disk->changes, i));
        else
          power_vfs_apply_some (disk->durable, g_ptr_array_index (disk->changes, i), rand);
      g_assert_true (g_file_set_contents_full (path, (const char *) disk->durable->data,
                                               disk->durable->len, G_FILE_SET_CONTENTS_NONE, 0600,
                                               NULL));
    }
  g_hash_table_remove_all (power.disks);
  power.left = 0;
  power.failed = FALSE;
}
