/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SqliteStorage: a store file for the platform and one for each tenant, so that isolation, backup
 * and erasure are matters of files. This class only joins the parts: cache, writer, queries. */
#include "sqlite-storage-private.h"

#include "sqlite-migration.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define STORAGE_OPEN_STORES 384
#define STORAGE_WRITERS     8
#define STORAGE_IDLE_S      60

static void sqlite_storage_iface_init (ReeveStorageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (SqliteStorage, sqlite_storage, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_STORAGE,
                                                      sqlite_storage_iface_init))

static gboolean
sqlite_storage_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                      GError **error)
{
  SqliteStorage *self = SQLITE_STORAGE (plugin);

  if (settings == NULL)
    return TRUE;
  self->max_open = reeve_json_get_int (settings, "max_open_stores", self->max_open);
  self->writers = reeve_json_get_int (settings, "writer_threads", self->writers);
  self->idle_s = reeve_json_get_int (settings, "idle_close_seconds", self->idle_s);
  if (self->max_open >= 8 && self->max_open <= 8192 && self->writers >= 1 && self->writers <= 64
      && self->idle_s >= 1 && self->idle_s <= 86400)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                       "max_open_stores is 8 to 8192, writer_threads 1 to 64, "
                       "idle_close_seconds 1 to 86400");
  return FALSE;
}

/* ---- scopes ---- */

static void
sqlite_storage_close (ReeveStorage *storage)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);

  g_clear_pointer (&self->writer, sqlite_writer_free);
  if (self->holds_platform)
    sqlite_cache_release (self->cache, REEVE_SCOPE_PLATFORM);
  self->holds_platform = FALSE;
  g_clear_pointer (&self->cache, sqlite_cache_free);
  g_clear_pointer (&self->platform.schemas, g_ptr_array_unref);
  g_clear_pointer (&self->tenant.schemas, g_ptr_array_unref);
  g_clear_pointer (&self->vfs, sqlite_vfs_free);
  g_clear_pointer (&self->path, g_free);
}

static gboolean
sqlite_storage_fill_kind (SqliteStorage *self, SqliteStoreKind *kind,
                          const ReeveMigration *migrations, GError **error)
{
  if (!sqlite_schema_check (migrations, error))
    return FALSE;
  kind->vfs = self->vfs;
  kind->keys = self->keys;
  kind->seal_limit = self->seal_limit;
  kind->migrations = migrations;
  kind->schemas = g_ptr_array_new_with_free_func ((GDestroyNotify) sqlite_schema_free);
  g_ptr_array_add (kind->schemas, sqlite_schema_new (migrations, 0));
  for (guint i = 0; migrations[i].number != 0; i++)
    g_ptr_array_add (kind->schemas, sqlite_schema_new (migrations, i + 1));
  return TRUE;
}

static gboolean
sqlite_storage_make_folder (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0700) == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "making %s: %s", path, g_strerror (errno));
  return FALSE;
}

static gboolean
sqlite_storage_prepare (SqliteStorage *self, const char *path, const ReeveMigration *platform,
                        const ReeveMigration *tenant, GError **error)
{
  g_autofree char *tenants = g_build_filename (path, "tenants", NULL);
  g_autofree char *file = NULL;

  if (!sqlite_storage_make_folder (tenants, error))
    return FALSE;
  self->path = realpath (path, NULL);
  self->vfs = sqlite_vfs_new (self->keys != NULL, error);
  if (self->path == NULL || self->vfs == NULL
      || !sqlite_storage_fill_kind (self, &self->platform, platform, error)
      || !sqlite_storage_fill_kind (self, &self->tenant, tenant, error))
    return FALSE;
  self->cache = sqlite_cache_new (self->path, self->vfs, &self->platform, &self->tenant,
                                  (guint) self->max_open);
  file = sqlite_cache_get_file (self->cache, REEVE_SCOPE_PLATFORM);
  if (g_access (file, F_OK) != 0
      && (!sqlite_storage_expect_new (self, REEVE_SCOPE_PLATFORM, file, error)
          || !sqlite_store_create (&self->platform, REEVE_SCOPE_PLATFORM, file, error)))
    return FALSE;
  /* held until the end: its lock file says that the folder is taken */
  if (sqlite_cache_acquire (self->cache, REEVE_SCOPE_PLATFORM, error) == NULL)
    return FALSE;
  self->holds_platform = TRUE;
  self->writer
      = sqlite_writer_new (self->cache, (guint) self->writers, self->idle_s * G_TIME_SPAN_SECOND);
  return TRUE;
}

static gboolean
sqlite_storage_open (ReeveStorage *storage, const char *path, const ReeveMigration *platform,
                     const ReeveMigration *tenant, GError **error)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);

  g_return_val_if_fail (self->vfs == NULL, FALSE);
  if (sqlite_storage_prepare (self, path, platform, tenant, error))
    return TRUE;
  sqlite_storage_close (storage);
  return FALSE;
}

static gboolean
sqlite_storage_is_tenant (const char *scope)
{
  return reeve_storage_scope_is_valid (scope) && !g_str_equal (scope, REEVE_SCOPE_PLATFORM);
}

static gboolean
sqlite_storage_create_scope (ReeveStorage *storage, const char *scope, GError **error)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);
  g_autofree char *file = NULL;
  gboolean created = FALSE;

  if (!sqlite_storage_is_tenant (scope))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "a scope is named with 1 to 128 letters, digits, dots, dashes and "
                           "underscores, and does not begin with a dot");
      return FALSE;
    }
  file = sqlite_cache_get_file (self->cache, scope);
  sqlite_cache_seize (self->cache, scope);
  if (g_access (file, F_OK) == 0)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "the scope exists");
  else
    created = sqlite_storage_expect_new (self, scope, file, error)
              && sqlite_store_create (&self->tenant, scope, file, error);
  sqlite_cache_unseize (self->cache, scope);
  return created;
}

static gboolean
sqlite_storage_has_scope (ReeveStorage *storage, const char *scope)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);
  g_autofree char *file = NULL;

  if (!reeve_storage_scope_is_valid (scope))
    return FALSE;
  file = sqlite_cache_get_file (self->cache, scope);
  return g_access (file, F_OK) == 0;
}

static gboolean
sqlite_storage_drop_scope (ReeveStorage *storage, const char *scope, GError **error)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);
  g_autofree char *file = NULL;
  gboolean dropped = FALSE;

  if (!sqlite_storage_is_tenant (scope) || !sqlite_storage_has_scope (storage, scope))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such scope");
      return FALSE;
    }
  file = sqlite_cache_get_file (self->cache, scope);
  sqlite_cache_seize (self->cache, scope);
  if (g_access (file, F_OK) != 0)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such scope");
  else
    /* the mark first: a store without one is still whole, a mark without a store is a loss */
    dropped = sqlite_storage_forget_mark (self, scope, error) && sqlite_store_remove (file, error);
  sqlite_cache_pin_number (self->cache, scope, SQLITE_STORE_LATEST);
  sqlite_cache_unseize (self->cache, scope);
  return dropped;
}

static int
sqlite_storage_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char **
sqlite_storage_list_scopes (ReeveStorage *storage, GError **error)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);
  g_autofree char *path = g_build_filename (self->path, "tenants", NULL);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GDir) folder = g_dir_open (path, 0, &failure);
  g_autoptr (GPtrArray) scopes = g_ptr_array_new_with_free_func (g_free);

  if (folder == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "listing scopes: %s", failure->message);
      return NULL;
    }
  for (const char *name = g_dir_read_name (folder); name != NULL; name = g_dir_read_name (folder))
    {
      g_autofree char *scope = NULL;

      if (!g_str_has_suffix (name, ".db"))
        continue;
      scope = g_strndup (name, strlen (name) - strlen (".db"));
      if (sqlite_storage_is_tenant (scope))
        g_ptr_array_add (scopes, g_steal_pointer (&scope));
    }
  g_ptr_array_sort (scopes, sqlite_storage_compare);
  g_ptr_array_add (scopes, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&scopes), FALSE);
}

static void
sqlite_storage_submit (ReeveStorage *storage, ReeveBatch *batch, ReeveBatchFunc func,
                       gpointer user_data)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);

  g_return_if_fail (self->writer != NULL);
  sqlite_writer_submit (self->writer, batch, func, user_data);
}

/* ---- schema ---- */

static gboolean
sqlite_storage_schema_number (ReeveStorage *storage, const char *scope, guint *number,
                              GError **error)
{
  SqliteStorageUse use = { 0 };
  gboolean read = FALSE;

  if (!sqlite_storage_begin (storage, scope, &use, error))
    return FALSE;
  read = sqlite_migration_get_number (use.connection, number, error);
  sqlite_storage_end (&use);
  return read;
}

static GPtrArray *
sqlite_storage_schema_history (ReeveStorage *storage, const char *scope, GError **error)
{
  SqliteStorageUse use = { 0 };
  GPtrArray *history = NULL;

  if (!sqlite_storage_begin (storage, scope, &use, error))
    return NULL;
  history = sqlite_migration_get_history (use.connection, error);
  sqlite_storage_end (&use);
  return history;
}

static gboolean
sqlite_storage_move (SqliteStorage *self, const char *scope, guint number, GError **error)
{
  const SqliteStoreKind *kind = sqlite_cache_get_kind (self->cache, scope);
  g_autofree char *file = sqlite_cache_get_file (self->cache, scope);
  g_autoptr (SqliteStore) store = NULL;

  if (number >= kind->schemas->len)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there is no migration %u",
                   number);
      return FALSE;
    }
  /* opening a store brings it to the number that is asked for */
  store = sqlite_store_open (kind, scope, file, number, error);
  if (store == NULL)
    return FALSE;
  sqlite_cache_pin_number (self->cache, scope, number);
  return TRUE;
}

static gboolean
sqlite_storage_migrate (ReeveStorage *storage, const char *scope, guint number, GError **error)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);
  gboolean moved = FALSE;

  if (!reeve_storage_scope_is_valid (scope))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such scope");
      return FALSE;
    }
  if (g_str_equal (scope, REEVE_SCOPE_PLATFORM))
    sqlite_cache_release (self->cache, scope);
  sqlite_cache_seize (self->cache, scope);
  moved = sqlite_storage_move (self, scope, number, error);
  sqlite_cache_unseize (self->cache, scope);
  if (g_str_equal (scope, REEVE_SCOPE_PLATFORM))
    self->holds_platform = sqlite_cache_acquire (self->cache, scope, NULL) != NULL;
  return moved;
}

static void
sqlite_storage_iface_init (ReeveStorageInterface *iface)
{
  iface->open = sqlite_storage_open;
  iface->close = sqlite_storage_close;
  iface->create_scope = sqlite_storage_create_scope;
  iface->has_scope = sqlite_storage_has_scope;
  iface->drop_scope = sqlite_storage_drop_scope;
  iface->list_scopes = sqlite_storage_list_scopes;
  iface->submit = sqlite_storage_submit;
  iface->get = sqlite_storage_get;
  iface->query = sqlite_storage_query;
  iface->read_stream = sqlite_storage_read_stream;
  iface->get_counter = sqlite_storage_get_counter;
  iface->get_blob = sqlite_storage_get_blob;
  iface->search_text = sqlite_storage_search_text;
  iface->schema_number = sqlite_storage_schema_number;
  iface->schema_history = sqlite_storage_schema_history;
  iface->migrate = sqlite_storage_migrate;
  iface->set_keys = sqlite_storage_set_keys;
  iface->rotate = sqlite_storage_rotate;
  iface->get_protection = sqlite_storage_get_protection;
  iface->get_cache = sqlite_storage_get_cache;
}

static void
sqlite_storage_finalize (GObject *object)
{
  sqlite_storage_close (REEVE_STORAGE (object));
  g_clear_object (&SQLITE_STORAGE (object)->keys);
  G_OBJECT_CLASS (sqlite_storage_parent_class)->finalize (object);
}

static void
sqlite_storage_class_init (SqliteStorageClass *klass)
{
  REEVE_PLUGIN_CLASS (klass)->setup = sqlite_storage_setup;
  G_OBJECT_CLASS (klass)->finalize = sqlite_storage_finalize;
}

static void
sqlite_storage_init (SqliteStorage *self)
{
  self->max_open = STORAGE_OPEN_STORES;
  self->writers = STORAGE_WRITERS;
  self->idle_s = STORAGE_IDLE_S;
  self->seal_limit = SQLITE_KEYRING_SEALS;
}

/**
 * sqlite_storage_get_status:
 * @self: an open storage
 * @status: (out): how much is open, and how batches were grouped
 *
 * For tests and benchmarks.
 */
void
sqlite_storage_get_status (SqliteStorage *self, SqliteStorageStatus *status)
{
  SqliteWriterCounts counts = { 0 };

  sqlite_writer_get_counts (self->writer, &counts);
  status->open_stores = sqlite_cache_get_open (self->cache);
  status->open_files = sqlite_vfs_get_open_files (self->vfs);
  status->batches = counts.batches;
  status->transactions = counts.transactions;
}
