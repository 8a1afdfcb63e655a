/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells ThreadSanitizer how GLib synchronises. The GLib of a distribution is not instrumented and
 * its mutexes are futexes of its own, so the sanitizer would call every access that such a mutex
 * guards a race. Preloaded into the programs of the TSan build, these functions stand before GLib's
 * own, call them, and say what happens before what. Without the sanitizer's runtime in the process
 * they only pass on. */

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "glib-sync.h"

#undef g_object_ref
#undef g_once_init_leave
#undef g_once_init_enter

extern void __tsan_mutex_pre_lock (void *address, unsigned flags) __attribute__ ((weak));
extern void __tsan_mutex_post_lock (void *address, unsigned flags, int depth)
    __attribute__ ((weak));
extern int __tsan_mutex_pre_unlock (void *address, unsigned flags) __attribute__ ((weak));
extern void __tsan_mutex_post_unlock (void *address, unsigned flags) __attribute__ ((weak));
extern void __tsan_mutex_destroy (void *address, unsigned flags) __attribute__ ((weak));

enum
{
  SYNC_RECURSIVE = 1 << 1,
  SYNC_READ = 1 << 3,
  SYNC_TRY = 1 << 4,
  SYNC_TRY_FAILED = 1 << 5
};

static void
sync_lock (void *mutex, unsigned flags)
{
  if (__tsan_mutex_pre_lock != NULL)
    __tsan_mutex_pre_lock (mutex, flags);
}

static void
sync_locked (void *mutex, unsigned flags)
{
  if (__tsan_mutex_post_lock != NULL)
    __tsan_mutex_post_lock (mutex, flags, 0);
}

static void
sync_unlock (void *mutex, unsigned flags)
{
  if (__tsan_mutex_pre_unlock != NULL)
    __tsan_mutex_pre_unlock (mutex, flags);
}

static void
sync_unlocked (void *mutex, unsigned flags)
{
  if (__tsan_mutex_post_unlock != NULL)
    __tsan_mutex_post_unlock (mutex, flags);
}

/* ---- mutexes and conditions ---- */

/* the same for each kind of lock: @flags say which it is */
#define SYNC_LOCK(name, type, flags)                                                               \
  void name (type *lock)                                                                           \
  {                                                                                                \
    sync_lock (lock, flags);                                                                       \
    REAL (name) (lock);                                                                            \
    sync_locked (lock, flags);                                                                     \
  }
#define SYNC_TRYLOCK(name, type, flags)                                                            \
  gboolean name (type *lock)                                                                       \
  {                                                                                                \
    gboolean got;                                                                                  \
                                                                                                   \
    sync_lock (lock, (flags) | SYNC_TRY);                                                          \
    got = REAL (name) (lock);                                                                      \
    sync_locked (lock, (flags) | (got ? SYNC_TRY : SYNC_TRY | SYNC_TRY_FAILED));                   \
    return got;                                                                                    \
  }
#define SYNC_UNLOCK(name, type, flags)                                                             \
  void name (type *lock)                                                                           \
  {                                                                                                \
    sync_unlock (lock, flags);                                                                     \
    REAL (name) (lock);                                                                            \
    sync_unlocked (lock, flags);                                                                   \
  }

SYNC_LOCK (g_mutex_lock, GMutex, 0)
SYNC_TRYLOCK (g_mutex_trylock, GMutex, 0)
SYNC_UNLOCK (g_mutex_unlock, GMutex, 0)
SYNC_LOCK (g_rec_mutex_lock, GRecMutex, SYNC_RECURSIVE)
SYNC_TRYLOCK (g_rec_mutex_trylock, GRecMutex, SYNC_RECURSIVE)
SYNC_UNLOCK (g_rec_mutex_unlock, GRecMutex, SYNC_RECURSIVE)
SYNC_LOCK (g_rw_lock_writer_lock, GRWLock, 0)
SYNC_TRYLOCK (g_rw_lock_writer_trylock, GRWLock, 0)
SYNC_UNLOCK (g_rw_lock_writer_unlock, GRWLock, 0)
SYNC_LOCK (g_rw_lock_reader_lock, GRWLock, SYNC_READ)
SYNC_TRYLOCK (g_rw_lock_reader_trylock, GRWLock, SYNC_READ)
SYNC_UNLOCK (g_rw_lock_reader_unlock, GRWLock, SYNC_READ)

void
g_mutex_clear (GMutex *mutex)
{
  if (__tsan_mutex_destroy != NULL)
    __tsan_mutex_destroy (mutex, 0);
  REAL (g_mutex_clear) (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  sync_unlock (mutex, 0);
  sync_unlocked (mutex, 0);
  REAL (g_cond_wait) (cond, mutex);
  sync_lock (mutex, 0);
  sync_locked (mutex, 0);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean woken;

  sync_unlock (mutex, 0);
  sync_unlocked (mutex, 0);
  woken = REAL (g_cond_wait_until) (cond, mutex, end_time);
  sync_lock (mutex, 0);
  sync_locked (mutex, 0);
  return woken;
}

/* ---- once: the quick path of the macros is an atomic load in our own code, which pairs with the
 * release in g_once_init_leave(); who has to wait for another thread acquires behind it ---- */

gboolean (g_once_init_enter) (volatile void *location)
{
  gboolean first = REAL (g_once_init_enter) (location);

  sync_acquire ((gconstpointer) location);
  return first;
}

void
g_once_init_leave (volatile void *location, gsize result)
{
  sync_release ((gconstpointer) location);
  REAL (g_once_init_leave) (location, result);
}

gpointer
g_once_impl (GOnce *once, GThreadFunc func, gpointer arg)
{
  gpointer result = REAL (g_once_impl) (once, func, arg);

  sync_release (once);
  sync_acquire (once);
  return result;
}

/* ---- queues ---- */

void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  sync_release (queue);
  REAL (g_async_queue_push) (queue, data);
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data = REAL (g_async_queue_pop) (queue);

  sync_acquire (queue);
  return data;
}

gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data = REAL (g_async_queue_try_pop) (queue);

  sync_acquire (queue);
  return data;
}

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  gpointer data = REAL (g_async_queue_timeout_pop) (queue, timeout);

  sync_acquire (queue);
  return data;
}

/* ---- pools of threads: what was pushed has been seen by whoever works on it ---- */

typedef struct
{
  GFunc func;
  gpointer user_data;
} SyncPool;

static void
sync_pool_work (gpointer data, gpointer user_data)
{
  SyncPool *pool = user_data;

  sync_acquire (pool);
  pool->func (data, pool->user_data);
}

GThreadPool *
g_thread_pool_new (GFunc func, gpointer user_data, int max_threads, gboolean exclusive,
                   GError **error)
{
  SyncPool *pool = g_new (SyncPool, 1);

  /* it lives as long as the process does, as most pools do */
  *pool = (SyncPool){ func, user_data };
  sync_release (pool);
  return REAL (g_thread_pool_new) (sync_pool_work, pool, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error)
{
  if (pool->func == sync_pool_work)
    sync_release (pool->user_data);
  return REAL (g_thread_pool_push) (pool, data, error);
}

/* ---- reference counts: whoever drops the last reference has seen what the others did ---- */

#define SYNC_UNREF(name, type)                                                                     \
  void name (type *object)                                                                         \
  {                                                                                                \
    sync_release (object);                                                                         \
    sync_acquire (object);                                                                         \
    REAL (name) (object);                                                                          \
  }

void
g_object_unref (gpointer object)
{
  sync_release (object);
  sync_acquire (object);
  REAL (g_object_unref) (object);
}

SYNC_UNREF (g_bytes_unref, GBytes)
SYNC_UNREF (g_ptr_array_unref, GPtrArray)
SYNC_UNREF (g_array_unref, GArray)
SYNC_UNREF (g_byte_array_unref, GByteArray)
SYNC_UNREF (g_hash_table_unref, GHashTable)
SYNC_UNREF (g_source_unref, GSource)
SYNC_UNREF (g_main_context_unref, GMainContext)
SYNC_UNREF (g_main_loop_unref, GMainLoop)
SYNC_UNREF (g_async_queue_unref, GAsyncQueue)
SYNC_UNREF (json_node_unref, JsonNode)

void
g_atomic_rc_box_release_full (gpointer box, GDestroyNotify clear)
{
  sync_release (box);
  sync_acquire (box);
  REAL (g_atomic_rc_box_release_full) (box, clear);
}

/* The count itself is inside GLib; the caller that gets TRUE has seen all others. */
gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  gboolean last;

  sync_release (count);
  last = REAL (g_atomic_ref_count_dec) (count);
  sync_acquire (count);
  return last;
}
