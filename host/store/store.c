/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStore: the host's collections over a storage plugin. It adds what the host needs and no
 * plugin should have to know: the schema, callbacks in the caller's main context, and which scope
 * an error is about. */
#include "store.h"

#include "base/log-task.h"
#include "schema.h"

struct _ReeveStore
{
  GObject parent_instance;
  ReeveStorage *storage;
  ReeveStoreKeys *keys; /* NULL: nothing is encrypted */
  gboolean open;
  gint refuses; /* atomic: the last that was written could not be */
  GMutex mutex;
  gint64 tried; /* monotonic µs: when it was looked last, under the mutex */
};

G_DEFINE_FINAL_TYPE (ReeveStore, reeve_store, G_TYPE_OBJECT)

static void
reeve_store_finalize (GObject *object)
{
  ReeveStore *self = REEVE_STORE (object);

  reeve_store_close (self);
  g_clear_object (&self->storage);
  g_clear_object (&self->keys);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (reeve_store_parent_class)->finalize (object);
}

static void
reeve_store_class_init (ReeveStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_store_finalize;
}

static void
reeve_store_init (ReeveStore *self)
{
  g_mutex_init (&self->mutex);
}

/**
 * reeve_store_new:
 * @storage: (transfer none): a storage that was set up and not opened
 *
 * Returns: (transfer full): a store over it
 */
ReeveStore *
reeve_store_new (ReeveStorage *storage)
{
  ReeveStore *self = NULL;

  g_return_val_if_fail (REEVE_IS_STORAGE (storage), NULL);
  self = g_object_new (REEVE_TYPE_STORE, NULL);
  self->storage = g_object_ref (storage);
  return self;
}

/**
 * reeve_store_set_keys:
 * @self: a store that is not open yet
 * @keys: keys of its scopes
 * @error: return location
 *
 * Has everything encrypted.
 *
 * Returns: %FALSE with %REEVE_ERROR_UNSUPPORTED for a storage that cannot
 */
gboolean
reeve_store_set_keys (ReeveStore *self, ReeveStoreKeys *keys, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORE (self) && REEVE_IS_STORE_KEYS (keys) && !self->open, FALSE);
  if (!reeve_storage_set_keys (self->storage, REEVE_STORAGE_KEYS (keys), error))
    return FALSE;
  g_set_object (&self->keys, keys);
  return TRUE;
}

/**
 * reeve_store_get_keys:
 * @self: a store
 *
 * Returns: (transfer none) (nullable): its keys; %NULL when nothing is encrypted
 */
ReeveStoreKeys *
reeve_store_get_keys (ReeveStore *self)
{
  g_return_val_if_fail (REEVE_IS_STORE (self), NULL);
  return self->keys;
}

/* Handles keep keys that they derived, so the store goes first, then the keys; once those are gone
 * no copy of the store can be read. What a crash leaves is announced, and done at the next start.
 */
static gboolean
reeve_store_destroy_scope (ReeveStore *self, const char *scope, GError **error)
{
  if (reeve_storage_has_scope (self->storage, scope)
      && !reeve_storage_drop_scope (self->storage, scope, error))
    return FALSE;
  return self->keys == NULL || reeve_store_keys_destroy (self->keys, scope, error);
}

static gboolean
reeve_store_finish_destructions (ReeveStore *self, GError **error)
{
  g_auto (GStrv) doomed = self->keys != NULL ? reeve_store_keys_list_unfinished (self->keys) : NULL;

  for (guint i = 0; doomed != NULL && doomed[i] != NULL; i++)
    if (!reeve_store_destroy_scope (self, doomed[i], error))
      {
        g_prefix_error (error, "ending the erasure of %s: ", doomed[i]);
        return FALSE;
      }
  return TRUE;
}

/**
 * reeve_store_open:
 * @self: a store
 * @path: folder of the storage
 * @error: return location
 *
 * Opens the storage with the host's schema, and ends erasures that a crash cut off. Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_FORMAT_TOO_NEW, %REEVE_ERROR_CORRUPT, %REEVE_ERROR_BUSY
 * (another process has it) or %REEVE_ERROR_FAILED
 */
gboolean
reeve_store_open (ReeveStore *self, const char *path, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORE (self) && path != NULL && !self->open, FALSE);
  if (!reeve_storage_open (self->storage, path, reeve_schema_get_platform (),
                           reeve_schema_get_tenant (), error))
    {
      g_prefix_error (error, "opening the store in %s: ", path);
      return FALSE;
    }
  self->open = TRUE;
  if (reeve_store_finish_destructions (self, error))
    return TRUE;
  reeve_store_close (self);
  return FALSE;
}

/**
 * reeve_store_close:
 * @self: a store
 *
 * Finishes what was committed and lets go of the files. No other call may be under way. Blocks.
 * Idempotent.
 */
void
reeve_store_close (ReeveStore *self)
{
  g_return_if_fail (REEVE_IS_STORE (self));
  if (!self->open)
    return;
  self->open = FALSE;
  reeve_storage_close (self->storage);
}

/**
 * reeve_store_get_storage:
 * @self: a store
 *
 * Returns: (transfer none): the storage below, for counters and schema questions
 */
ReeveStorage *
reeve_store_get_storage (ReeveStore *self)
{
  g_return_val_if_fail (REEVE_IS_STORE (self), NULL);
  return self->storage;
}

/* Said once when writing begins to fail, and once when it works again. */
static void
reeve_store_note (ReeveStore *self, const GError *error)
{
  if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY)
      && g_atomic_int_compare_and_exchange (&self->refuses, 0, 1))
    g_warning ("the store cannot be written: %s", error->message);
  else if (error == NULL && g_atomic_int_compare_and_exchange (&self->refuses, 1, 0))
    g_message ("the store can be written again");
}

/* on a thread of the storage; the task brings the answer to the caller's context */
static void
reeve_store_committed (ReeveBatchResult *result, const GError *error, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ReeveBatch *batch = g_task_get_task_data (task);

  if (result != NULL)
    g_task_return_pointer (task, reeve_batch_result_ref (result),
                           (GDestroyNotify) reeve_batch_result_unref);
  else
    g_task_return_new_error (task, error->domain, error->code, "committing to scope %s: %s",
                             reeve_batch_get_scope (batch), error->message);
}

/**
 * reeve_store_commit_async:
 * @self: a store
 * @batch: (transfer none): not changed again
 * @cancellable: (nullable): looked at before the batch is handed over only: afterwards the outcome
 * is reported as it is
 * @callback: called in the thread-default context of the caller
 * @user_data: closure
 *
 * Commits a batch without blocking; from any thread.
 */
void
reeve_store_commit_async (ReeveStore *self, ReeveBatch *batch, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (REEVE_IS_STORE (self) && batch != NULL);
  task = reeve_log_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, reeve_store_commit_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, reeve_batch_ref (batch), (GDestroyNotify) reeve_batch_unref);
  if (g_cancellable_is_cancelled (cancellable))
    g_task_return_new_error (task, REEVE_ERROR, REEVE_ERROR_CANCELLED,
                             "committing to scope %s: cancelled", reeve_batch_get_scope (batch));
  else
    reeve_storage_submit (self->storage, batch, reeve_store_committed, g_steal_pointer (&task));
}

/**
 * reeve_store_commit_finish:
 * @self: a store
 * @result: as given to the callback
 * @error: return location
 *
 * Returns: (transfer full): what the operations returned; %NULL when nothing of the batch happened,
 * with the codes of the functions that add operations, %REEVE_ERROR_NOT_FOUND (unknown scope),
 * %REEVE_ERROR_READ_ONLY, %REEVE_ERROR_CORRUPT
 */
ReeveBatchResult *
reeve_store_commit_finish (ReeveStore *self, GAsyncResult *result, GError **error)
{
  GError *local = NULL;
  ReeveBatchResult *done = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_store_commit_async), NULL);
  done = g_task_propagate_pointer (G_TASK (result), &local);
  /* here, where the log knows for whom it was */
  reeve_store_note (self, local);
  if (local != NULL)
    g_propagate_error (error, local);
  return done;
}

/**
 * reeve_store_commit:
 * @self: a store
 * @batch: (transfer none): not changed again
 * @error: return location
 *
 * Commits a batch and waits. Worker threads only.
 *
 * Returns: (transfer full): as reeve_store_commit_finish()
 */
ReeveBatchResult *
reeve_store_commit (ReeveStore *self, ReeveBatch *batch, GError **error)
{
  ReeveBatchResult *result = NULL;
  GError *local = NULL;

  g_return_val_if_fail (REEVE_IS_STORE (self) && batch != NULL, NULL);
  result = reeve_storage_commit (self->storage, batch, &local);
  reeve_store_note (self, local);
  if (result == NULL)
    g_propagate_prefixed_error (error, local,
                                "committing to scope %s: ", reeve_batch_get_scope (batch));
  return result;
}

/* Whether it is time to look again. */
static gboolean
reeve_store_may_try (ReeveStore *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  gint64 now = g_get_monotonic_time ();

  if (self->tried != 0 && now - self->tried < G_USEC_PER_SEC)
    return FALSE;
  self->tried = now;
  return TRUE;
}

/**
 * reeve_store_is_writable:
 * @self: an open store
 * @try: whether to find out by writing, where the last that was written could not be; at most once
 * a second, and it blocks
 *
 * Returns: whether the last that was written, or now was tried, was taken
 */
gboolean
reeve_store_is_writable (ReeveStore *self, gboolean try)
{
  g_return_val_if_fail (REEVE_IS_STORE (self), FALSE);
  if (try && g_atomic_int_get (&self->refuses) != 0 && reeve_store_may_try (self))
    {
      g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
      g_autoptr (ReeveBatchResult) result = NULL;

      reeve_batch_count (batch, REEVE_STORE_COUNTER_TRIAL, 1, 0, G_MAXINT64);
      result = reeve_store_commit (self, batch, NULL);
    }
  return g_atomic_int_get (&self->refuses) == 0;
}

/**
 * reeve_store_get:
 * @self: a store
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @collection: one of REEVE_STORE_*
 * @id: of the record
 * @error: return location
 *
 * Reads a record. Worker threads only.
 *
 * Returns: (transfer full): the record; %NULL with %REEVE_ERROR_NOT_FOUND, for an unknown scope too
 */
ReeveRecord *
reeve_store_get (ReeveStore *self, const char *scope, const char *collection, const char *id,
                 GError **error)
{
  ReeveRecord *record = NULL;
  g_autoptr (GError) inner = NULL;

  g_return_val_if_fail (REEVE_IS_STORE (self), NULL);
  record = reeve_storage_get (self->storage, scope, collection, id, &inner);
  if (g_error_matches (inner, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING, collection);
  else if (inner != NULL)
    g_propagate_prefixed_error (error, g_steal_pointer (&inner), "reading from %s: ", collection);
  return record;
}

/**
 * reeve_store_exists:
 * @self: a store
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @collection: one of REEVE_STORE_*
 * @id: of the record
 * @exists: (out): whether there is such a record; %FALSE for an unknown scope
 * @error: return location
 *
 * Tells absence from failure. Worker threads only.
 *
 * Returns: %FALSE when it could not be found out
 */
gboolean
reeve_store_exists (ReeveStore *self, const char *scope, const char *collection, const char *id,
                    gboolean *exists, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (ReeveRecord) record = NULL;

  g_return_val_if_fail (REEVE_IS_STORE (self) && exists != NULL, FALSE);
  record = reeve_store_get (self, scope, collection, id, &failure);
  *exists = record != NULL;
  if (record != NULL || g_error_matches (failure, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/**
 * reeve_store_query:
 * @self: a store
 * @query: what to ask
 * @error: return location
 *
 * Returns: (worker threads only) (transfer full): one page; %NULL with
 * %REEVE_ERROR_INVALID_ARGUMENT or %REEVE_ERROR_NOT_FOUND (unknown scope)
 */
ReeveQueryResult *
reeve_store_query (ReeveStore *self, ReeveQuery *query, GError **error)
{
  ReeveQueryResult *result = NULL;

  g_return_val_if_fail (REEVE_IS_STORE (self) && query != NULL, NULL);
  result = reeve_storage_query (self->storage, query, NULL, error);
  if (result == NULL)
    g_prefix_error (error, "querying %s: ", reeve_query_get_collection (query));
  return result;
}

/**
 * reeve_store_read_stream:
 * @self: a store
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @stream: name of the stream
 * @after: number of the last entry known, 0 for none
 * @limit: most entries
 * @error: return location
 *
 * Returns: (worker threads only) (element-type ReeveStreamEntry) (transfer full): entries in order,
 * none for an unknown stream; %NULL on error
 */
GPtrArray *
reeve_store_read_stream (ReeveStore *self, const char *scope, const char *stream, gint64 after,
                         guint limit, GError **error)
{
  GPtrArray *entries = NULL;

  g_return_val_if_fail (REEVE_IS_STORE (self), NULL);
  entries = reeve_storage_read_stream (self->storage, scope, stream, after, limit, error);
  if (entries == NULL)
    g_prefix_error (error, "reading stream %s: ", stream);
  return entries;
}

/**
 * reeve_store_get_blob:
 * @self: a store
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @id: of the blob
 * @error: return location
 *
 * Returns: (worker threads only) (transfer full): its content; %NULL with %REEVE_ERROR_NOT_FOUND
 */
GBytes *
reeve_store_get_blob (ReeveStore *self, const char *scope, const char *id, GError **error)
{
  GBytes *bytes = NULL;

  g_return_val_if_fail (REEVE_IS_STORE (self), NULL);
  bytes = reeve_storage_get_blob (self->storage, scope, id, error);
  if (bytes == NULL)
    g_prefix_error (error, "reading blob %s: ", id);
  return bytes;
}

/**
 * reeve_store_search_text:
 * @self: a store
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @index: %REEVE_STORE_CHUNKS
 * @query: plain words
 * @groups: (nullable): only texts of these groups
 * @limit: most hits
 * @error: return location
 *
 * Worker threads only.
 *
 * Returns: (element-type ReeveTextHit) (transfer full): hits, best first; %NULL on error
 */
GPtrArray *
reeve_store_search_text (ReeveStore *self, const char *scope, const char *index, const char *query,
                         const char *const *groups, guint limit, GError **error)
{
  GPtrArray *hits = NULL;

  g_return_val_if_fail (REEVE_IS_STORE (self), NULL);
  hits = reeve_storage_search_text (self->storage, scope, index, query, groups, limit, NULL, error);
  if (hits == NULL)
    g_prefix_error (error, "searching %s: ", index);
  return hits;
}

/**
 * reeve_store_create_scope:
 * @self: a store
 * @scope: a tenant id
 * @error: return location
 *
 * Makes the store of a tenant, durable on return. Worker threads only.
 *
 * Returns: %FALSE with %REEVE_ERROR_ALREADY_EXISTS or %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
reeve_store_create_scope (ReeveStore *self, const char *scope, GError **error)
{
  GError *local = NULL;

  g_return_val_if_fail (REEVE_IS_STORE (self), FALSE);
  if (reeve_storage_create_scope (self->storage, scope, &local))
    return TRUE;
  reeve_store_note (self, local);
  g_propagate_prefixed_error (error, local, "creating scope %s: ", scope);
  return FALSE;
}

/**
 * reeve_store_has_scope:
 * @self: a store
 * @scope: a tenant id
 *
 * A scope that has keys is one whose store is gone, if there is none: reading it says so.
 *
 * Returns: whether there is such a scope
 */
gboolean
reeve_store_has_scope (ReeveStore *self, const char *scope)
{
  g_return_val_if_fail (REEVE_IS_STORE (self), FALSE);
  return reeve_storage_has_scope (self->storage, scope)
         || (self->keys != NULL && reeve_store_keys_has (self->keys, scope));
}

/**
 * reeve_store_drop_scope:
 * @self: a store
 * @scope: a tenant id
 * @error: return location
 *
 * Erases a scope: closes its store, removes it, and destroys its keys, so that no copy of it can be
 * read either. Durable on return; begun, it is ended after a crash too, and may be asked for again.
 * Worker threads only.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_store_drop_scope (ReeveStore *self, const char *scope, GError **error)
{
  gboolean known = FALSE;
  gboolean ok = FALSE;

  g_return_val_if_fail (REEVE_IS_STORE (self), FALSE);
  known = g_strcmp0 (scope, REEVE_SCOPE_PLATFORM) != 0
          && (reeve_storage_has_scope (self->storage, scope)
              || (self->keys != NULL && reeve_store_keys_has (self->keys, scope)));
  if (!known)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such scope");
  else
    ok = (self->keys == NULL || reeve_store_keys_announce_destruction (self->keys, scope, error))
         && reeve_store_destroy_scope (self, scope, error);
  if (!ok)
    g_prefix_error (error, "dropping scope %s: ", scope);
  return ok;
}

/**
 * reeve_store_list_scopes:
 * @self: a store
 * @error: return location
 *
 * Worker threads only.
 *
 * Returns: (transfer full): ids of all tenant scopes, sorted; %NULL on error
 */
char **
reeve_store_list_scopes (ReeveStore *self, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORE (self), NULL);
  return reeve_storage_list_scopes (self->storage, error);
}

/**
 * reeve_store_rotate:
 * @self: a store
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @how: in place or by a copy
 * @cancellable: (nullable): stops it where the scope is whole
 * @error: return location
 *
 * Gives a scope a new data key and destroys the older ones. Worker threads only.
 *
 * Returns: %FALSE with an error of reeve_storage_rotate()
 */
gboolean
reeve_store_rotate (ReeveStore *self, const char *scope, ReeveRotation how,
                    GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORE (self), FALSE);
  return reeve_storage_rotate (self->storage, scope, how, cancellable, error);
}

/**
 * reeve_store_get_protection:
 * @self: a store
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @protection: (out caller-allocates): how it is encrypted
 * @error: return location
 *
 * Worker threads only.
 *
 * Returns: %FALSE with an error of reeve_storage_get_protection()
 */
gboolean
reeve_store_get_protection (ReeveStore *self, const char *scope, ReeveStorageProtection *protection,
                            GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORE (self), FALSE);
  return reeve_storage_get_protection (self->storage, scope, protection, error);
}
