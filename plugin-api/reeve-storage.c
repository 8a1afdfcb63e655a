/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStorage: the interface of storage plugins. */
#include "reeve-storage.h"

#include "reeve-outcome.h"

#include <string.h>

#define STORAGE_MAX_SCOPE 128

/**
 * ReeveStorage:
 *
 * Keeps what the host knows: scopes, atomic batches, bounded queries, streams, queues, blobs and
 * full text. Runs in the host and means full trust.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (ReeveStorage, reeve_storage, REEVE_TYPE_PLUGIN)

static void
reeve_storage_default_init (ReeveStorageInterface *iface)
{
}

/**
 * reeve_storage_scope_is_valid:
 * @scope: (nullable): a name
 *
 * Says whether @scope is %REEVE_SCOPE_PLATFORM or may name a tenant: 1 to 128 letters, digits,
 * dots, dashes and underscores of ASCII, not beginning with a dot. Such a name is safe as part of a
 * file name.
 *
 * Returns: whether it is valid
 *
 * Since: 1.0
 */
gboolean
reeve_storage_scope_is_valid (const char *scope)
{
  gsize length = 0;

  if (scope == NULL)
    return FALSE;
  if (strcmp (scope, REEVE_SCOPE_PLATFORM) == 0)
    return TRUE;
  length = strspn (scope, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");
  return length > 0 && length <= STORAGE_MAX_SCOPE && scope[length] == '\0' && scope[0] != '.';
}

/* A storage answers all of it: looked at once, so that no call has to ask. */
static gboolean
reeve_storage_is_whole (ReeveStorage *self, const ReeveStorageInterface *iface, GError **error)
{
  const struct
  {
    const char *name;
    gboolean there;
  } functions[] = {
    { "open", iface->open != NULL },
    { "close", iface->close != NULL },
    { "create_scope", iface->create_scope != NULL },
    { "has_scope", iface->has_scope != NULL },
    { "drop_scope", iface->drop_scope != NULL },
    { "list_scopes", iface->list_scopes != NULL },
    { "submit", iface->submit != NULL },
    { "get", iface->get != NULL },
    { "query", iface->query != NULL },
    { "read_stream", iface->read_stream != NULL },
    { "get_counter", iface->get_counter != NULL },
    { "get_blob", iface->get_blob != NULL },
    { "search_text", iface->search_text != NULL },
    { "schema_number", iface->schema_number != NULL },
    { "schema_history", iface->schema_history != NULL },
    { "migrate", iface->migrate != NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (functions); i++)
    {
      if (!functions[i].there)
        {
          reeve_outcome_unsupported (self, functions[i].name, error);
          return FALSE;
        }
    }
  return TRUE;
}

/**
 * reeve_storage_open:
 * @self: a storage
 * @path: folder that belongs to the storage; made when absent
 * @platform: migrations of the platform scope, ended by number 0; not freed before the end of the
 * process
 * @tenant: the same for tenant scopes
 * @error: return location
 *
 * Opens the storage and brings the platform scope up to date; each tenant scope when it is first
 * used.
 *
 * Returns: %TRUE, or %FALSE with %REEVE_ERROR_FORMAT_TOO_NEW, %REEVE_ERROR_CORRUPT,
 * %REEVE_ERROR_BUSY (in use by another process), %REEVE_ERROR_UNSUPPORTED (it lacks a function) or
 * %REEVE_ERROR_FAILED
 *
 * Since: 1.0
 */
gboolean
reeve_storage_open (ReeveStorage *self, const char *path, const ReeveMigration *platform,
                    const ReeveMigration *tenant, GError **error)
{
  ReeveStorageInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  iface = REEVE_STORAGE_GET_IFACE (self);
  return reeve_storage_is_whole (self, iface, error)
         && iface->open (self, path, platform, tenant, error);
}

/**
 * reeve_storage_close:
 * @self: an open storage
 *
 * Finishes what was submitted, then lets go of everything. No other call may be under way.
 *
 * Since: 1.0
 */
void
reeve_storage_close (ReeveStorage *self)
{
  g_return_if_fail (REEVE_IS_STORAGE (self));
  REEVE_STORAGE_GET_IFACE (self)->close (self);
}

/**
 * reeve_storage_create_scope:
 * @self: an open storage
 * @scope: a tenant id: 1 to 128 of a-z, A-Z, 0-9, dot, dash and underscore, not beginning with a
 * dot
 * @error: return location
 *
 * Makes the store of a tenant; durable on return.
 *
 * Returns: %TRUE, or %FALSE with %REEVE_ERROR_ALREADY_EXISTS or %REEVE_ERROR_INVALID_ARGUMENT
 *
 * Since: 1.0
 */
gboolean
reeve_storage_create_scope (ReeveStorage *self, const char *scope, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  return REEVE_STORAGE_GET_IFACE (self)->create_scope (self, scope, error);
}

/**
 * reeve_storage_has_scope:
 * @self: an open storage
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 *
 * Returns: whether there is such a scope
 *
 * Since: 1.0
 */
gboolean
reeve_storage_has_scope (ReeveStorage *self, const char *scope)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  return REEVE_STORAGE_GET_IFACE (self)->has_scope (self, scope);
}

/**
 * reeve_storage_drop_scope:
 * @self: an open storage
 * @scope: a tenant id
 * @error: return location
 *
 * Removes a scope and all it holds, after the calls on it that are under way.
 *
 * Returns: %TRUE, or %FALSE with %REEVE_ERROR_NOT_FOUND
 *
 * Since: 1.0
 */
gboolean
reeve_storage_drop_scope (ReeveStorage *self, const char *scope, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  return REEVE_STORAGE_GET_IFACE (self)->drop_scope (self, scope, error);
}

/**
 * reeve_storage_list_scopes:
 * @self: an open storage
 * @error: return location
 *
 * Returns: (transfer full): ids of all tenant scopes, sorted; %NULL on error
 *
 * Since: 1.0
 */
char **
reeve_storage_list_scopes (ReeveStorage *self, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), NULL);
  return REEVE_STORAGE_GET_IFACE (self)->list_scopes (self, error);
}

/**
 * reeve_storage_submit:
 * @self: an open storage
 * @batch: (transfer none): not changed again
 * @func: (scope async): called exactly once, on a thread of the storage, when the batch is durable
 * or refused; must not block
 * @user_data: closure
 *
 * Hands over a batch; never blocks for I/O.
 *
 * Since: 1.0
 */
void
reeve_storage_submit (ReeveStorage *self, ReeveBatch *batch, ReeveBatchFunc func,
                      gpointer user_data)
{
  g_return_if_fail (REEVE_IS_STORAGE (self));
  REEVE_STORAGE_GET_IFACE (self)->submit (self, batch, func, user_data);
}

typedef struct
{
  GMutex mutex;
  GCond cond;
  gboolean done;
  ReeveBatchResult *result;
  GError *error;
} ReeveStorageWait;

static void
reeve_storage_commit_done (ReeveBatchResult *result, const GError *error, gpointer user_data)
{
  ReeveStorageWait *wait = user_data;

  g_mutex_lock (&wait->mutex);
  if (result != NULL)
    wait->result = reeve_batch_result_ref (result);
  else
    wait->error = g_error_copy (error);
  wait->done = TRUE;
  g_cond_signal (&wait->cond);
  g_mutex_unlock (&wait->mutex);
}

/**
 * reeve_storage_commit:
 * @self: an open storage
 * @batch: (transfer none): not changed again
 * @error: return location
 *
 * Submits and waits; for worker threads.
 *
 * Returns: (transfer full): what the operations returned; %NULL when nothing of the batch happened
 *
 * Since: 1.0
 */
ReeveBatchResult *
reeve_storage_commit (ReeveStorage *self, ReeveBatch *batch, GError **error)
{
  ReeveStorageWait wait = { .done = FALSE };

  g_return_val_if_fail (REEVE_IS_STORAGE (self) && batch != NULL, NULL);
  g_mutex_init (&wait.mutex);
  g_cond_init (&wait.cond);
  reeve_storage_submit (self, batch, reeve_storage_commit_done, &wait);
  g_mutex_lock (&wait.mutex);
  while (!wait.done)
    g_cond_wait (&wait.cond, &wait.mutex);
  g_mutex_unlock (&wait.mutex);
  g_cond_clear (&wait.cond);
  g_mutex_clear (&wait.mutex);
  if (wait.error != NULL)
    g_propagate_error (error, wait.error);
  return wait.result;
}

/**
 * reeve_storage_get:
 * @self: an open storage
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @collection: a declared collection
 * @id: of the record
 * @error: return location
 *
 * Returns: (transfer full): the record; %NULL with %REEVE_ERROR_NOT_FOUND, also for an unknown
 * scope, or %REEVE_ERROR_INVALID_ARGUMENT for an undeclared collection
 *
 * Since: 1.0
 */
ReeveRecord *
reeve_storage_get (ReeveStorage *self, const char *scope, const char *collection, const char *id,
                   GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), NULL);
  return REEVE_STORAGE_GET_IFACE (self)->get (self, scope, collection, id, error);
}

/**
 * reeve_storage_query:
 * @self: an open storage
 * @query: what to ask
 * @cancellable: (nullable): gives up
 * @error: return location
 *
 * Returns: (transfer full): one page; %NULL with %REEVE_ERROR_INVALID_ARGUMENT,
 * %REEVE_ERROR_NOT_FOUND (unknown scope), %REEVE_ERROR_OUT_OF_RANGE (a sum beyond 64 bits) or
 * %REEVE_ERROR_CANCELLED
 *
 * Since: 1.0
 */
ReeveQueryResult *
reeve_storage_query (ReeveStorage *self, ReeveQuery *query, GCancellable *cancellable,
                     GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), NULL);
  return REEVE_STORAGE_GET_IFACE (self)->query (self, query, cancellable, error);
}

/**
 * reeve_storage_read_stream:
 * @self: an open storage
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @stream: name of the stream
 * @after: number of the last entry known, 0 for none
 * @limit: most entries
 * @error: return location
 *
 * Returns: (element-type ReeveStreamEntry) (transfer full): entries in order, none for an unknown
 * stream; %NULL on error
 *
 * Since: 1.0
 */
GPtrArray *
reeve_storage_read_stream (ReeveStorage *self, const char *scope, const char *stream, gint64 after,
                           guint limit, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), NULL);
  return REEVE_STORAGE_GET_IFACE (self)->read_stream (self, scope, stream, after, limit, error);
}

/**
 * reeve_storage_get_counter:
 * @self: an open storage
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @counter: name of the counter
 * @value: (out): its value, 0 when absent
 * @error: return location
 *
 * Returns: %FALSE on error
 *
 * Since: 1.0
 */
gboolean
reeve_storage_get_counter (ReeveStorage *self, const char *scope, const char *counter,
                           gint64 *value, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  return REEVE_STORAGE_GET_IFACE (self)->get_counter (self, scope, counter, value, error);
}

/**
 * reeve_storage_get_blob:
 * @self: an open storage
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @id: of the blob
 * @error: return location
 *
 * Returns: (transfer full): its content; %NULL with %REEVE_ERROR_NOT_FOUND
 *
 * Since: 1.0
 */
GBytes *
reeve_storage_get_blob (ReeveStorage *self, const char *scope, const char *id, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), NULL);
  return REEVE_STORAGE_GET_IFACE (self)->get_blob (self, scope, id, error);
}

/**
 * reeve_storage_search_text:
 * @self: an open storage
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @index: a declared text index
 * @query: plain words, never a query syntax
 * @groups: (nullable): only texts of these groups
 * @limit: most hits, 1 to %REEVE_QUERY_MAX_LIMIT
 * @cancellable: (nullable): gives up
 * @error: return location
 *
 * Finds the texts that hold any word of the query, best first. Where the index is big, the
 * commonest words may be passed over; the rarest always counts. With @groups everything is as if
 * there were no other texts, scores and order included, and no word is passed over: nothing tells
 * of what is not among them.
 *
 * Returns: (element-type ReeveTextHit) (transfer full): the hits; %NULL on error
 *
 * Since: 1.0
 */
GPtrArray *
reeve_storage_search_text (ReeveStorage *self, const char *scope, const char *index,
                           const char *query, const char *const *groups, guint limit,
                           GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), NULL);
  return REEVE_STORAGE_GET_IFACE (self)->search_text (self, scope, index, query, groups, limit,
                                                      cancellable, error);
}

/**
 * reeve_storage_schema_number:
 * @self: an open storage
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @number: (out): of the last migration applied
 * @error: return location
 *
 * Returns: %FALSE on error
 *
 * Since: 1.0
 */
gboolean
reeve_storage_schema_number (ReeveStorage *self, const char *scope, guint *number, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  return REEVE_STORAGE_GET_IFACE (self)->schema_number (self, scope, number, error);
}

/**
 * reeve_storage_schema_history:
 * @self: an open storage
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @error: return location
 *
 * Returns: (element-type JsonObject) (transfer full): number, summary, applied_at (µs), direction
 * `up` or `down`, oldest first
 *
 * Since: 1.0
 */
GPtrArray *
reeve_storage_schema_history (ReeveStorage *self, const char *scope, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), NULL);
  return REEVE_STORAGE_GET_IFACE (self)->schema_history (self, scope, error);
}

/**
 * reeve_storage_migrate:
 * @self: an open storage
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @number: of the last migration that is to stand, 0 for none
 * @error: return location
 *
 * Brings a scope up or down, one transaction per migration, after the calls on it that are under
 * way. The scope stays there until the storage is opened again.
 *
 * Returns: %TRUE, or %FALSE with %REEVE_ERROR_INVALID_ARGUMENT for an unknown number
 *
 * Since: 1.0
 */
gboolean
reeve_storage_migrate (ReeveStorage *self, const char *scope, guint number, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  return REEVE_STORAGE_GET_IFACE (self)->migrate (self, scope, number, error);
}

/**
 * reeve_storage_set_keys:
 * @self: a storage that is not open yet
 * @keys: data keys and high-water marks of its scopes
 * @error: return location
 *
 * Has the storage seal everything it writes. A store without encryption that it finds is encrypted
 * when it is opened, unless its mark says that it was already: then it is refused.
 *
 * Returns: %FALSE with %REEVE_ERROR_UNSUPPORTED for a storage that cannot encrypt
 *
 * Since: 1.0
 */
gboolean
reeve_storage_set_keys (ReeveStorage *self, ReeveStorageKeys *keys, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  if (REEVE_STORAGE_GET_IFACE (self)->set_keys == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED,
                           "this storage cannot encrypt");
      return FALSE;
    }
  REEVE_STORAGE_GET_IFACE (self)->set_keys (self, keys);
  return TRUE;
}

/**
 * reeve_storage_rotate:
 * @self: an open storage that encrypts
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @how: in place or by a copy
 * @cancellable: (nullable): stops it where the store is whole; both keys stay then
 * @error: return location
 *
 * Makes a new data key for a scope, seals everything by it, and destroys the older ones. Readers
 * and other scopes go on; whether writers of this scope do depends on @how.
 *
 * Returns: %FALSE with %REEVE_ERROR_UNSUPPORTED where nothing is encrypted, %REEVE_ERROR_NOT_FOUND
 * for an unknown scope
 *
 * Since: 1.0
 */
gboolean
reeve_storage_rotate (ReeveStorage *self, const char *scope, ReeveRotation how,
                      GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  if (REEVE_STORAGE_GET_IFACE (self)->rotate == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED,
                           "this storage cannot encrypt");
      return FALSE;
    }
  return REEVE_STORAGE_GET_IFACE (self)->rotate (self, scope, how, cancellable, error);
}

/**
 * reeve_storage_get_protection:
 * @self: an open storage
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @protection: (out caller-allocates): how its store is protected
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND for an unknown scope
 *
 * Since: 1.0
 */
gboolean
reeve_storage_get_protection (ReeveStorage *self, const char *scope,
                              ReeveStorageProtection *protection, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  *protection = (ReeveStorageProtection){ 0 };
  if (REEVE_STORAGE_GET_IFACE (self)->get_protection == NULL)
    return TRUE;
  return REEVE_STORAGE_GET_IFACE (self)->get_protection (self, scope, protection, error);
}

/**
 * reeve_storage_get_cache:
 * @self: an open storage
 * @cache: (out caller-allocates): how its cache of open stores does
 *
 * Any thread; does not wait for the disk.
 *
 * Returns: %FALSE where it has none
 *
 * Since: 1.0
 */
gboolean
reeve_storage_get_cache (ReeveStorage *self, ReeveStorageCache *cache)
{
  g_return_val_if_fail (REEVE_IS_STORAGE (self), FALSE);
  *cache = (ReeveStorageCache){ 0 };
  if (REEVE_STORAGE_GET_IFACE (self)->get_cache == NULL)
    return FALSE;
  REEVE_STORAGE_GET_IFACE (self)->get_cache (self, cache);
  return TRUE;
}
