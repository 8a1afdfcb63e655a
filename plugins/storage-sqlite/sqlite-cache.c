/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cache of open stores, least recently used out first. Bounded by number and by file
 * descriptors, of which the process has few by default. A store is opened and closed outside the
 * lock; meanwhile its entry is busy and who wants it waits. Seizing a scope waits for its users,
 * closes the store and keeps everybody out: to migrate or drop it. */
#include "sqlite-cache.h"

#include <sys/resource.h>

/* for the rest of the process: sockets, the ledger, plugins */
#define CACHE_FD_SHARE 2
#define CACHE_MIN_FDS  64

struct _SqliteCache
{
  char *path;
  SqliteVfs *vfs;
  const SqliteStoreKind *platform;
  const SqliteStoreKind *tenant;
  guint max_open;
  guint max_fds;
  GMutex mutex;
  GCond changed;
  GHashTable *entries; /* scope -> SqliteCacheEntry */
  GHashTable *numbers; /* scope -> migration number it is held at */
  GQueue used;         /* entries with an open store, last used first */
  guint64 hits;
  guint64 misses;
};

typedef struct
{
  char *scope;
  SqliteStore *store;
  guint users;
  gboolean busy;
  gint64 last_used;
  GList link;
} SqliteCacheEntry;

static void
sqlite_cache_entry_free (SqliteCacheEntry *entry)
{
  g_free (entry->scope);
  g_free (entry);
}

static guint
sqlite_cache_count_fds (void)
{
  struct rlimit limit = { 0 };

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return CACHE_MIN_FDS;
  return (guint) CLAMP (limit.rlim_cur / CACHE_FD_SHARE, CACHE_MIN_FDS, 65536);
}

/**
 * sqlite_cache_new:
 * @path: folder of the storage
 * @vfs: the file layer
 * @platform: kind of the platform's store; outlives the cache
 * @tenant: kind of the tenants' stores; outlives the cache
 * @max_open: most stores open at once, but for those in use
 *
 * Returns: (transfer full): an empty cache
 */
SqliteCache *
sqlite_cache_new (const char *path, SqliteVfs *vfs, const SqliteStoreKind *platform,
                  const SqliteStoreKind *tenant, guint max_open)
{
  SqliteCache *self = g_new0 (SqliteCache, 1);

  self->path = g_strdup (path);
  self->vfs = vfs;
  self->platform = platform;
  self->tenant = tenant;
  self->max_open = max_open;
  self->max_fds = sqlite_cache_count_fds ();
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                         (GDestroyNotify) sqlite_cache_entry_free);
  self->numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

/**
 * sqlite_cache_get_file:
 * @self: a cache
 * @scope: a valid scope
 *
 * Returns: (transfer full): path of its store file
 */
char *
sqlite_cache_get_file (SqliteCache *self, const char *scope)
{
  g_autofree char *name = NULL;

  if (g_str_equal (scope, REEVE_SCOPE_PLATFORM))
    return g_build_filename (self->path, "platform.db", NULL);
  name = g_strconcat (scope, ".db", NULL);
  return g_build_filename (self->path, "tenants", name, NULL);
}

/**
 * sqlite_cache_get_kind:
 * @self: a cache
 * @scope: a scope
 *
 * Returns: (transfer none): what kind of store it has
 */
const SqliteStoreKind *
sqlite_cache_get_kind (SqliteCache *self, const char *scope)
{
  return g_str_equal (scope, REEVE_SCOPE_PLATFORM) ? self->platform : self->tenant;
}

/**
 * sqlite_cache_get_open:
 * @self: a cache
 *
 * Returns: how many stores are open
 */
guint
sqlite_cache_get_open (SqliteCache *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->used.length;
}

/* the lock is held; the entry's store is closed outside it and the entry goes */
static void
sqlite_cache_close_entry (SqliteCache *self, SqliteCacheEntry *entry)
{
  SqliteStore *store = g_steal_pointer (&entry->store);

  entry->busy = TRUE;
  g_queue_unlink (&self->used, &entry->link);
  g_mutex_unlock (&self->mutex);
  sqlite_store_close (store);
  g_mutex_lock (&self->mutex);
  g_hash_table_remove (self->entries, entry->scope);
  g_cond_broadcast (&self->changed);
}

static gboolean
sqlite_cache_is_full (SqliteCache *self)
{
  return self->used.length >= self->max_open
         || sqlite_vfs_get_open_files (self->vfs) + self->used.length >= self->max_fds;
}

/* the lock is held; stores in use stay, so the cache may be fuller than it should for a while */
static void
sqlite_cache_make_room (SqliteCache *self)
{
  GList *link = self->used.tail;

  while (link != NULL && sqlite_cache_is_full (self))
    {
      SqliteCacheEntry *entry = link->data;

      if (entry->users > 0 || entry->busy)
        {
          link = link->prev;
          continue;
        }
      sqlite_cache_close_entry (self, entry);
      link = self->used.tail;
    }
}

/* the lock is held, the entry is busy */
static gboolean
sqlite_cache_open_entry (SqliteCache *self, SqliteCacheEntry *entry, GError **error)
{
  g_autofree char *file = sqlite_cache_get_file (self, entry->scope);
  gpointer held = NULL;
  guint number = SQLITE_STORE_LATEST;
  SqliteStore *store = NULL;

  if (g_hash_table_lookup_extended (self->numbers, entry->scope, NULL, &held))
    number = GPOINTER_TO_UINT (held);
  sqlite_cache_make_room (self);
  g_mutex_unlock (&self->mutex);
  store = sqlite_store_open (sqlite_cache_get_kind (self, entry->scope), entry->scope, file, number,
                             error);
  g_mutex_lock (&self->mutex);
  entry->busy = FALSE;
  g_cond_broadcast (&self->changed);
  if (store == NULL)
    {
      g_hash_table_remove (self->entries, entry->scope);
      return FALSE;
    }
  entry->store = store;
  g_queue_push_head_link (&self->used, &entry->link);
  return TRUE;
}

/* the lock is held; a new entry is busy */
static SqliteCacheEntry *
sqlite_cache_add_entry (SqliteCache *self, const char *scope)
{
  SqliteCacheEntry *entry = g_new0 (SqliteCacheEntry, 1);

  entry->scope = g_strdup (scope);
  entry->busy = TRUE;
  entry->link.data = entry;
  g_hash_table_insert (self->entries, entry->scope, entry);
  return entry;
}

/* the lock is held; waits as long as the scope is opened, closed or seized */
static SqliteCacheEntry *
sqlite_cache_wait (SqliteCache *self, const char *scope)
{
  SqliteCacheEntry *entry = g_hash_table_lookup (self->entries, scope);

  while (entry != NULL && entry->busy)
    {
      g_cond_wait (&self->changed, &self->mutex);
      entry = g_hash_table_lookup (self->entries, scope);
    }
  return entry;
}

/**
 * sqlite_cache_acquire:
 * @self: a cache
 * @scope: a scope
 * @error: return location
 *
 * Returns: (transfer none): its store, open until it is released; %NULL with %REEVE_ERROR_NOT_FOUND
 * or what else opening it met
 */
SqliteStore *
sqlite_cache_acquire (SqliteCache *self, const char *scope, GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;
  SqliteCacheEntry *entry = NULL;

  if (!reeve_storage_scope_is_valid (scope))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such scope");
      return NULL;
    }
  locker = g_mutex_locker_new (&self->mutex);
  entry = sqlite_cache_wait (self, scope);
  if (entry == NULL)
    {
      entry = sqlite_cache_add_entry (self, scope);
      self->misses++;
      if (!sqlite_cache_open_entry (self, entry, error))
        return NULL;
    }
  else
    {
      self->hits++;
      g_queue_unlink (&self->used, &entry->link);
      g_queue_push_head_link (&self->used, &entry->link);
    }
  entry->users++;
  return entry->store;
}

/**
 * sqlite_cache_release:
 * @self: a cache
 * @scope: a scope that was acquired
 *
 * Ends its use by this caller.
 */
void
sqlite_cache_release (SqliteCache *self, const char *scope)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  SqliteCacheEntry *entry = g_hash_table_lookup (self->entries, scope);

  g_return_if_fail (entry != NULL && entry->users > 0);
  entry->last_used = g_get_monotonic_time ();
  if (--entry->users == 0)
    g_cond_broadcast (&self->changed);
}

/**
 * sqlite_cache_seize:
 * @self: a cache
 * @scope: a valid scope, there or not
 *
 * Waits for the users of a scope, closes its store, and keeps everybody out until it is unseized.
 */
void
sqlite_cache_seize (SqliteCache *self, const char *scope)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  SqliteCacheEntry *entry = sqlite_cache_wait (self, scope);

  if (entry != NULL)
    {
      entry->busy = TRUE; /* from now on nobody new */
      while (entry->users > 0)
        g_cond_wait (&self->changed, &self->mutex);
      sqlite_cache_close_entry (self, entry);
    }
  /* the lock was held since the old entry went, so that nobody came between */
  sqlite_cache_add_entry (self, scope);
}

/**
 * sqlite_cache_unseize:
 * @self: a cache
 * @scope: a scope that was seized
 *
 * Lets everybody in again.
 */
void
sqlite_cache_unseize (SqliteCache *self, const char *scope)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  g_hash_table_remove (self->entries, scope);
  g_cond_broadcast (&self->changed);
}

/**
 * sqlite_cache_pin_number:
 * @self: a cache
 * @scope: a scope that is seized
 * @number: of the migration that it is to stay at
 *
 * Keeps a scope that was taken down on purpose from going up again when it is opened next;
 * %SQLITE_STORE_LATEST forgets that.
 */
void
sqlite_cache_pin_number (SqliteCache *self, const char *scope, guint number)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (number == SQLITE_STORE_LATEST)
    g_hash_table_remove (self->numbers, scope);
  else
    g_hash_table_replace (self->numbers, g_strdup (scope), GUINT_TO_POINTER (number));
}

/**
 * sqlite_cache_close_idle:
 * @self: a cache
 * @idle_us: how long a store must not have been used, µs
 *
 * Closes stores that nobody used for a while.
 */
void
sqlite_cache_close_idle (SqliteCache *self, gint64 idle_us)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  gint64 limit = g_get_monotonic_time () - idle_us;
  GList *link = self->used.tail;

  while (link != NULL)
    {
      SqliteCacheEntry *entry = link->data;

      if (entry->users > 0 || entry->busy)
        {
          link = link->prev;
          continue;
        }
      if (entry->last_used > limit)
        break;
      sqlite_cache_close_entry (self, entry);
      link = self->used.tail;
    }
}

/**
 * sqlite_cache_free:
 * @self: (transfer full): a cache that nobody uses any more
 *
 * Closes every store.
 */
void
sqlite_cache_free (SqliteCache *self)
{
  sqlite_cache_close_idle (self, 0);
  g_warn_if_fail (self->used.length == 0);
  g_hash_table_unref (self->entries);
  g_hash_table_unref (self->numbers);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->mutex);
  g_free (self->path);
  g_free (self);
}

/**
 * sqlite_cache_show:
 * @self: a cache
 * @cache: (out): how it does
 */
void
sqlite_cache_show (SqliteCache *self, ReeveStorageCache *cache)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  *cache = (ReeveStorageCache){ self->used.length, self->hits, self->misses };
}
