/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MemoryStorage: the storage contract without a disk, for tests. One lock, one thread that applies
 * batches in their order; all is gone when it is closed. */
#include "memory-storage.h"

#include "memory-query.h"
#include "memory-text.h"

#include <string.h>

struct _MemoryStorage
{
  ReevePlugin parent_instance;

  GMutex mutex;
  GHashTable *scopes; /* id -> MemoryScope; NULL while closed */
  const ReeveMigration *tenant;
  GAsyncQueue *jobs;
  GThread *thread;
};

typedef struct
{
  ReeveBatch *batch; /* NULL: the end */
  ReeveBatchFunc func;
  gpointer user_data;
} MemoryStorageJob;

static void memory_storage_iface_init (ReeveStorageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (MemoryStorage, memory_storage, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_STORAGE,
                                                      memory_storage_iface_init))

/* the lock is held */
static MemoryScope *
memory_storage_find (MemoryStorage *self, const char *scope, GError **error)
{
  MemoryScope *found = g_hash_table_lookup (self->scopes, scope);

  if (found == NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such scope");
  return found;
}

static void
memory_storage_run_job (MemoryStorage *self, MemoryStorageJob *job)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;
  MemoryScope *scope = NULL;

  g_mutex_lock (&self->mutex);
  scope = memory_storage_find (self, reeve_batch_get_scope (job->batch), &error);
  if (scope != NULL)
    result = memory_scope_apply (scope, job->batch, &error);
  g_mutex_unlock (&self->mutex);
  job->func (result, error, job->user_data);
}

static gpointer
memory_storage_thread (gpointer data)
{
  MemoryStorage *self = data;
  gboolean more = TRUE;

  while (more)
    {
      MemoryStorageJob *job = g_async_queue_pop (self->jobs);

      more = job->batch != NULL;
      if (more)
        memory_storage_run_job (self, job);
      g_clear_pointer (&job->batch, reeve_batch_unref);
      g_free (job);
    }
  return NULL;
}

static gboolean
memory_storage_open (ReeveStorage *storage, const char *path, const ReeveMigration *platform,
                     const ReeveMigration *tenant, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);

  g_return_val_if_fail (self->scopes == NULL, FALSE);
  if (!memory_schema_check (platform, error) || !memory_schema_check (tenant, error))
    return FALSE;
  self->tenant = tenant;
  self->scopes
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) memory_scope_free);
  g_hash_table_insert (self->scopes, g_strdup (REEVE_SCOPE_PLATFORM), memory_scope_new (platform));
  self->jobs = g_async_queue_new ();
  self->thread = g_thread_new ("memory-storage", memory_storage_thread, self);
  return TRUE;
}

static void
memory_storage_close (ReeveStorage *storage)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);

  if (self->thread == NULL)
    return;
  g_async_queue_push (self->jobs, g_new0 (MemoryStorageJob, 1));
  g_thread_join (g_steal_pointer (&self->thread));
  g_clear_pointer (&self->jobs, g_async_queue_unref);
  g_clear_pointer (&self->scopes, g_hash_table_unref);
}

static gboolean
memory_storage_is_tenant (const char *scope)
{
  return reeve_storage_scope_is_valid (scope) && strcmp (scope, REEVE_SCOPE_PLATFORM) != 0;
}

static gboolean
memory_storage_create_scope (ReeveStorage *storage, const char *scope, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (!memory_storage_is_tenant (scope))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                         "a scope is named with 1 to 128 letters, digits, dots, dashes and "
                         "underscores, and does not begin with a dot");
  else if (g_hash_table_contains (self->scopes, scope))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "the scope exists");
  else
    return g_hash_table_insert (self->scopes, g_strdup (scope), memory_scope_new (self->tenant));
  return FALSE;
}

static gboolean
memory_storage_has_scope (ReeveStorage *storage, const char *scope)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return g_hash_table_contains (self->scopes, scope);
}

static gboolean
memory_storage_drop_scope (ReeveStorage *storage, const char *scope, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  if (memory_storage_is_tenant (scope) && g_hash_table_remove (self->scopes, scope))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such scope");
  return FALSE;
}

static int
memory_storage_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char **
memory_storage_list_scopes (ReeveStorage *storage, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter = { 0 };
  gpointer id = NULL;

  g_hash_table_iter_init (&iter, self->scopes);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    if (memory_storage_is_tenant (id))
      g_ptr_array_add (ids, g_strdup (id));
  g_ptr_array_sort (ids, memory_storage_compare);
  g_ptr_array_add (ids, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&ids), FALSE);
}

static void
memory_storage_submit (ReeveStorage *storage, ReeveBatch *batch, ReeveBatchFunc func,
                       gpointer user_data)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  MemoryStorageJob *job = g_new0 (MemoryStorageJob, 1);

  job->batch = reeve_batch_ref (batch);
  job->func = func;
  job->user_data = user_data;
  g_async_queue_push (self->jobs, job);
}

static ReeveRecord *
memory_storage_get (ReeveStorage *storage, const char *scope, const char *collection,
                    const char *id, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MemoryScope *found = memory_storage_find (self, scope, error);
  g_autofree char *key = memory_map_key ('r', collection, id, NULL);
  const MemoryValue *value = NULL;
  g_autoptr (JsonObject) fields = NULL;

  if (found == NULL
      || !memory_schema_has (found->migrations, found->number, REEVE_STEP_COLLECTION, collection,
                             error))
    return NULL;
  value = memory_map_get (found->map, key);
  if (value == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such record in %s", collection);
      return NULL;
    }
  fields = memory_query_parse (value->text, error);
  return fields != NULL ? reeve_record_new (id, value->number, fields) : NULL;
}

static gboolean
memory_storage_is_cancelled (GCancellable *cancellable, GError **error)
{
  if (!g_cancellable_is_cancelled (cancellable))
    return FALSE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "cancelled");
  return TRUE;
}

static ReeveQueryResult *
memory_storage_query (ReeveStorage *storage, ReeveQuery *query, GCancellable *cancellable,
                      GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MemoryScope *scope = NULL;

  if (memory_storage_is_cancelled (cancellable, error))
    return NULL;
  scope = memory_storage_find (self, reeve_query_get_scope (query), error);
  return scope != NULL ? memory_query_run (scope, query, error) : NULL;
}

typedef struct
{
  GPtrArray *entries;
  gint64 after;
  guint limit;
} MemoryStorageStream;

static gboolean
memory_storage_read_entry (const char *key, MemoryValue *value, gpointer user_data)
{
  MemoryStorageStream *stream = user_data;

  if (stream->entries->len >= stream->limit)
    return TRUE;
  if (value->number > stream->after)
    g_ptr_array_add (stream->entries, reeve_stream_entry_new (value->number, value->bytes));
  return FALSE;
}

static GPtrArray *
memory_storage_read_stream (ReeveStorage *storage, const char *scope, const char *stream,
                            gint64 after, guint limit, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MemoryScope *found = memory_storage_find (self, scope, error);
  g_autofree char *prefix = memory_map_key ('e', stream, NULL, NULL);
  MemoryStorageStream read = { NULL, after, limit };

  if (found == NULL)
    return NULL;
  read.entries = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_stream_entry_free);
  memory_map_each (found->map, prefix, memory_storage_read_entry, &read);
  return read.entries;
}

static gboolean
memory_storage_get_counter (ReeveStorage *storage, const char *scope, const char *counter,
                            gint64 *value, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MemoryScope *found = memory_storage_find (self, scope, error);
  g_autofree char *key = memory_map_key ('c', counter, NULL, NULL);
  const MemoryValue *stored = NULL;

  *value = 0;
  if (found == NULL)
    return FALSE;
  stored = memory_map_get (found->map, key);
  if (stored != NULL)
    *value = stored->number;
  return TRUE;
}

static GBytes *
memory_storage_get_blob (ReeveStorage *storage, const char *scope, const char *id, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MemoryScope *found = memory_storage_find (self, scope, error);
  g_autofree char *key = memory_map_key ('b', id, NULL, NULL);
  const MemoryValue *value = NULL;

  if (found == NULL)
    return NULL;
  value = memory_map_get (found->map, key);
  if (value != NULL)
    return g_bytes_ref (value->bytes);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such blob");
  return NULL;
}

static GPtrArray *
memory_storage_search_text (ReeveStorage *storage, const char *scope, const char *index,
                            const char *query, const char *const *groups, guint limit,
                            GCancellable *cancellable, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MemoryScope *found = NULL;

  if (memory_storage_is_cancelled (cancellable, error))
    return NULL;
  found = memory_storage_find (self, scope, error);
  return found != NULL ? memory_text_search (found, index, query, groups, limit, error) : NULL;
}

static gboolean
memory_storage_schema_number (ReeveStorage *storage, const char *scope, guint *number,
                              GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MemoryScope *found = memory_storage_find (self, scope, error);

  if (found != NULL)
    *number = found->number;
  return found != NULL;
}

static GPtrArray *
memory_storage_schema_history (ReeveStorage *storage, const char *scope, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MemoryScope *found = memory_storage_find (self, scope, error);

  return found != NULL ? memory_scope_copy_history (found) : NULL;
}

static gboolean
memory_storage_migrate (ReeveStorage *storage, const char *scope, guint number, GError **error)
{
  MemoryStorage *self = MEMORY_STORAGE (storage);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  MemoryScope *found = memory_storage_find (self, scope, error);

  if (found == NULL)
    return FALSE;
  if (number > memory_schema_count (found->migrations))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there is no migration %u",
                   number);
      return FALSE;
    }
  memory_scope_migrate (found, number);
  return TRUE;
}

static void
memory_storage_iface_init (ReeveStorageInterface *iface)
{
  iface->open = memory_storage_open;
  iface->close = memory_storage_close;
  iface->create_scope = memory_storage_create_scope;
  iface->has_scope = memory_storage_has_scope;
  iface->drop_scope = memory_storage_drop_scope;
  iface->list_scopes = memory_storage_list_scopes;
  iface->submit = memory_storage_submit;
  iface->get = memory_storage_get;
  iface->query = memory_storage_query;
  iface->read_stream = memory_storage_read_stream;
  iface->get_counter = memory_storage_get_counter;
  iface->get_blob = memory_storage_get_blob;
  iface->search_text = memory_storage_search_text;
  iface->schema_number = memory_storage_schema_number;
  iface->schema_history = memory_storage_schema_history;
  iface->migrate = memory_storage_migrate;
}

static void
memory_storage_finalize (GObject *object)
{
  MemoryStorage *self = MEMORY_STORAGE (object);

  memory_storage_close (REEVE_STORAGE (self));
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (memory_storage_parent_class)->finalize (object);
}

static void
memory_storage_class_init (MemoryStorageClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = memory_storage_finalize;
}

static void
memory_storage_init (MemoryStorage *self)
{
  g_mutex_init (&self->mutex);
}
