/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The WAL index of open stores. SQLite would keep it in a mapped -shm file so that several
 * processes can share it; a store belongs to one process, so plain memory does: one file descriptor
 * less a connection, and no page numbers on disk in clear. Locks follow the eight slots of
 * sqlite3_io_methods.xShmLock. */
#include "sqlite-index.h"

#include <sqlite3.h>

struct _SqliteIndexSet
{
  GMutex mutex;
  GHashTable *nodes; /* path -> SqliteIndexNode, owned by their handles */
};

typedef struct
{
  char *path;
  guint handles;
  GPtrArray *regions;
  guint shared[SQLITE_SHM_NLOCK];
  guint exclusive; /* mask */
} SqliteIndexNode;

struct _SqliteIndexHandle
{
  SqliteIndexSet *indexes;
  SqliteIndexNode *node;
  guint shared;    /* mask */
  guint exclusive; /* mask */
};

/**
 * sqlite_index_set_new:
 *
 * Returns: (transfer full): an empty set of indexes
 */
SqliteIndexSet *
sqlite_index_set_new (void)
{
  SqliteIndexSet *self = g_new0 (SqliteIndexSet, 1);

  g_mutex_init (&self->mutex);
  self->nodes = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

/**
 * sqlite_index_set_free:
 * @self: (transfer full): a set whose handles are all closed
 */
void
sqlite_index_set_free (SqliteIndexSet *self)
{
  g_hash_table_unref (self->nodes);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/**
 * sqlite_index_open:
 * @indexes: the set
 * @path: the store file
 *
 * Returns: (transfer full): a handle on the file's index, made empty when this is the first
 */
SqliteIndexHandle *
sqlite_index_open (SqliteIndexSet *indexes, const char *path)
{
  SqliteIndexHandle *self = g_new0 (SqliteIndexHandle, 1);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&indexes->mutex);
  SqliteIndexNode *node = g_hash_table_lookup (indexes->nodes, path);

  if (node == NULL)
    {
      node = g_new0 (SqliteIndexNode, 1);
      node->path = g_strdup (path);
      node->regions = g_ptr_array_new_with_free_func (g_free);
      g_hash_table_insert (indexes->nodes, node->path, node);
    }
  node->handles++;
  self->indexes = indexes;
  self->node = node;
  return self;
}

static void
sqlite_index_release (SqliteIndexHandle *self, guint mask)
{
  for (guint i = 0; i < SQLITE_SHM_NLOCK; i++)
    if ((self->shared & mask & (1u << i)) != 0)
      self->node->shared[i]--;
  self->node->exclusive &= ~(self->exclusive & mask);
  self->shared &= ~mask;
  self->exclusive &= ~mask;
}

/**
 * sqlite_index_close:
 * @self: (transfer full): a handle
 *
 * Drops its locks; with the last handle the index goes, and the next open recovers it from the WAL.
 */
void
sqlite_index_close (SqliteIndexHandle *self)
{
  SqliteIndexNode *node = self->node;

  g_mutex_lock (&self->indexes->mutex);
  sqlite_index_release (self, ~0u);
  if (--node->handles == 0)
    g_hash_table_remove (self->indexes->nodes, node->path);
  else
    node = NULL;
  g_mutex_unlock (&self->indexes->mutex);
  if (node != NULL)
    {
      g_ptr_array_unref (node->regions);
      g_free (node->path);
      g_free (node);
    }
  g_free (self);
}

/**
 * sqlite_index_map:
 * @self: a handle
 * @region: number of the region
 * @size: its size in bytes, the same for all
 * @extend: make it when it is not there
 * @memory: (out) (transfer none) (nullable): its memory, %NULL when not there
 *
 * Returns: an SQLite result code
 */
int
sqlite_index_map (SqliteIndexHandle *self, int region, int size, gboolean extend,
                  void volatile **memory)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->indexes->mutex);
  GPtrArray *regions = self->node->regions;

  *memory = NULL;
  while (extend && regions->len <= (guint) region)
    {
      void *bytes = g_try_malloc0 ((gsize) size);

      if (bytes == NULL)
        return SQLITE_IOERR_NOMEM;
      g_ptr_array_add (regions, bytes);
    }
  if ((guint) region < regions->len)
    *memory = g_ptr_array_index (regions, region);
  return SQLITE_OK;
}

/**
 * sqlite_index_lock:
 * @self: a handle
 * @offset: first slot
 * @n: number of slots
 * @flags: SQLITE_SHM_LOCK or _UNLOCK with SQLITE_SHM_SHARED or _EXCLUSIVE
 *
 * Never waits.
 *
 * Returns: an SQLite result code, SQLITE_BUSY when another connection holds a slot
 */
int
sqlite_index_lock (SqliteIndexHandle *self, int offset, int n, int flags)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->indexes->mutex);
  SqliteIndexNode *node = self->node;
  guint mask = ((1u << (offset + n)) - 1) & ~((1u << offset) - 1);

  if ((flags & SQLITE_SHM_UNLOCK) != 0)
    {
      sqlite_index_release (self, mask);
      return SQLITE_OK;
    }
  if ((node->exclusive & mask & ~self->exclusive) != 0)
    return SQLITE_BUSY;
  if ((flags & SQLITE_SHM_SHARED) != 0)
    {
      for (int i = offset; i < offset + n; i++)
        if ((self->shared & (1u << i)) == 0)
          node->shared[i]++;
      self->shared |= mask;
      return SQLITE_OK;
    }
  for (int i = offset; i < offset + n; i++)
    if (node->shared[i] > ((self->shared & (1u << i)) != 0 ? 1u : 0u))
      return SQLITE_BUSY;
  node->exclusive |= mask;
  self->exclusive |= mask;
  return SQLITE_OK;
}

/**
 * sqlite_index_barrier:
 * @self: a handle
 *
 * Makes stores to the index visible to the other connections.
 */
void
sqlite_index_barrier (SqliteIndexHandle *self)
{
  __sync_synchronize ();
  g_mutex_lock (&self->indexes->mutex);
  g_mutex_unlock (&self->indexes->mutex);
}
