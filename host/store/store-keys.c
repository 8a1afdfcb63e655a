/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data keys are random and sealed by the master key; derived ones could not be destroyed one by
 * one. They lie outside of all stores: a backup of the stores is worthless without this folder, and
 * a scope whose keys are destroyed is erased in every copy of its store. */
#include "store-keys-private.h"

#include <string.h>

#include "base/ids.h"
#include "key-file.h"
#include "key-folder.h"
#include "key-paths.h"

/* scopes whose keys stay unwrapped; a storage asks again only when it opens a store */
#define REEVE_STORE_KEYS_CACHED 1024
/* each is a rotation that was begun and not ended */
#define REEVE_STORE_KEYS_MOST 64

static void reeve_store_keys_storage_keys_init (ReeveStorageKeysInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ReeveStoreKeys, reeve_store_keys, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_STORAGE_KEYS,
                                                      reeve_store_keys_storage_keys_init))

static void
reeve_store_keys_finalize (GObject *object)
{
  ReeveStoreKeys *self = REEVE_STORE_KEYS (object);

  g_clear_pointer (&self->marks, reeve_key_marks_free);
  g_clear_pointer (&self->cache, reeve_key_cache_free);
  g_clear_pointer (&self->master, reeve_master_key_unref);
  g_hash_table_unref (self->busy);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->cond);
  g_free (self->folder);
  G_OBJECT_CLASS (reeve_store_keys_parent_class)->finalize (object);
}

static void
reeve_store_keys_class_init (ReeveStoreKeysClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_store_keys_finalize;
}

static void
reeve_store_keys_init (ReeveStoreKeys *self)
{
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  self->busy = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->cache = reeve_key_cache_new (REEVE_STORE_KEYS_CACHED);
}

/* ---- one at a time per scope ---- */

static void
reeve_store_keys_begin (ReeveStoreKeys *self, const char *scope)
{
  g_mutex_lock (&self->mutex);
  while (g_hash_table_contains (self->busy, scope))
    g_cond_wait (&self->cond, &self->mutex);
  g_hash_table_add (self->busy, g_strdup (scope));
  g_mutex_unlock (&self->mutex);
}

static void
reeve_store_keys_end (ReeveStoreKeys *self, const char *scope)
{
  g_mutex_lock (&self->mutex);
  g_hash_table_remove (self->busy, scope);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->mutex);
}

/* ---- a scope's file; all below within its turn ---- */

/* file: NULL when there is none */
static gboolean
reeve_store_keys_read (ReeveStoreKeys *self, const char *scope, ReeveKeyFile **file, GError **error)
{
  g_autofree char *path = reeve_key_paths_get_scope (self->folder, scope);
  g_autofree char *label = reeve_key_paths_get_scope_label (scope);
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = reeve_key_folder_read (path, REEVE_KEY_FILE_MAX_SIZE, &local);
  const char *data = NULL;
  gsize size = 0;

  *file = NULL;
  if (bytes == NULL && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  if (bytes == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  data = g_bytes_get_data (bytes, &size);
  *file = reeve_key_file_parse (label, data, size, error);
  if (*file == NULL)
    g_prefix_error (error, "%s: ", path);
  return *file != NULL;
}

static gboolean
reeve_store_keys_write (ReeveStoreKeys *self, const char *scope, ReeveKeyFile *file, GError **error)
{
  g_autofree char *path = reeve_key_paths_get_scope (self->folder, scope);
  g_autofree char *text = reeve_key_file_format (file);

  return reeve_key_folder_replace (path, text, strlen (text), error);
}

static gboolean
reeve_store_keys_unseal (ReeveStoreKeys *self, ReeveKeyFile *file, ReeveStorageKey *keys,
                         guint *n_keys, GError **error)
{
  const char *master = reeve_master_key_get_id (self->master);

  *n_keys = 0;
  for (guint i = 0; i < file->entries->len; i++)
    {
      const ReeveKeyFileEntry *entry = g_ptr_array_index (file->entries, i);
      ReeveStorageKey *key = &keys[*n_keys];
      gssize length = 0;

      if (strcmp (entry->master, master) != 0)
        continue;
      if (*n_keys == REEVE_STORE_KEYS_MOST)
        {
          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "too many keys");
          return FALSE;
        }
      key->id = entry->number;
      length = reeve_key_file_unseal (file, self->master, entry->number, key->bytes,
                                      sizeof key->bytes, error);
      if (length < 0)
        return FALSE;
      if (length != (gssize) sizeof key->bytes)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "key %u is no key", entry->number);
          return FALSE;
        }
      (*n_keys)++;
    }
  if (*n_keys == 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                 "another master key than %s has sealed it", master);
  return *n_keys > 0;
}

static gboolean
reeve_store_keys_cache (ReeveStoreKeys *self, const char *scope, ReeveKeyFile *file, GError **error)
{
  ReeveStorageKey keys[REEVE_STORE_KEYS_MOST + 1];
  guint n_keys = 0;
  gboolean ok = reeve_store_keys_unseal (self, file, keys, &n_keys, error);

  if (ok)
    reeve_key_cache_set (self->cache, scope, keys, n_keys);
  else
    {
      g_autofree char *path = reeve_key_paths_get_scope (self->folder, scope);

      g_prefix_error (error, "%s: ", path);
      g_prefix_error (error, "restore this file from a copy of the folder of keys: ");
    }
  explicit_bzero (keys, sizeof keys);
  return ok;
}

/* A new key in @file, or in a new one. */
static gboolean
reeve_store_keys_make (ReeveStoreKeys *self, const char *scope, ReeveKeyFile *file, GError **error)
{
  guint32 newest = reeve_key_file_get_newest (file, reeve_master_key_get_id (self->master));
  guint8 bytes[REEVE_STORAGE_KEY_SIZE];
  gboolean ok = FALSE;

  if (file->entries->len >= REEVE_STORE_KEYS_MOST || newest == G_MAXUINT32)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "scope %s has %u keys already: end its rotation first", scope,
                   file->entries->len);
      return FALSE;
    }
  reeve_ids_fill_random (bytes, sizeof bytes);
  ok = reeve_key_file_seal (file, self->master, newest + 1, bytes, sizeof bytes, error);
  explicit_bzero (bytes, sizeof bytes);
  return ok && reeve_store_keys_write (self, scope, file, error)
         && reeve_store_keys_cache (self, scope, file, error);
}

/* A store that was there has a mark; new keys would open it no more than none. */
static gboolean
reeve_store_keys_make_first (ReeveStoreKeys *self, const char *scope, GError **error)
{
  g_autofree char *label = reeve_key_paths_get_scope_label (scope);
  g_autoptr (ReeveKeyFile) file = reeve_key_file_new (label);
  ReeveStorageMark mark = { 0 };

  reeve_key_marks_read (self->marks, scope, &mark);
  if (reeve_key_marks_is_set (&mark))
    {
      g_autofree char *path = reeve_key_paths_get_scope (self->folder, scope);

      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "%s is missing: restore it from a copy of the folder of keys", path);
      return FALSE;
    }
  return reeve_store_keys_make (self, scope, file, error);
}

/* Brings the scope's keys into the cache; none there is no error. */
static gboolean
reeve_store_keys_load (ReeveStoreKeys *self, const char *scope, gboolean make, GError **error)
{
  g_autoptr (ReeveKeyFile) file = NULL;

  if (!reeve_store_keys_read (self, scope, &file, error))
    return FALSE;
  if (file != NULL)
    return reeve_store_keys_cache (self, scope, file, error);
  return !make || reeve_store_keys_make_first (self, scope, error);
}

static gboolean
reeve_store_keys_add_one (ReeveStoreKeys *self, const char *scope, GError **error)
{
  g_autoptr (ReeveKeyFile) file = NULL;

  if (!reeve_store_keys_read (self, scope, &file, error))
    return FALSE;
  return file != NULL ? reeve_store_keys_make (self, scope, file, error)
                      : reeve_store_keys_make_first (self, scope, error);
}

static gboolean
reeve_store_keys_drop_others (ReeveStoreKeys *self, const char *scope, guint32 keep, GError **error)
{
  g_autoptr (ReeveKeyFile) file = NULL;

  if (!reeve_store_keys_read (self, scope, &file, error))
    return FALSE;
  if (file != NULL)
    reeve_key_file_keep_number (file, keep);
  if (file == NULL || file->entries->len == 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "scope %s has no key %u", scope,
                   keep);
      return FALSE;
    }
  reeve_key_cache_forget (self->cache, scope);
  return reeve_store_keys_write (self, scope, file, error)
         && reeve_store_keys_cache (self, scope, file, error);
}

/* ---- the interface ---- */

static gboolean
reeve_store_keys_check_scope (const char *scope, GError **error)
{
  if (reeve_storage_scope_is_valid (scope))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "this is no scope");
  return FALSE;
}

/* The platform's store ends with the host's state. */
static gboolean
reeve_store_keys_check_tenant (const char *scope, GError **error)
{
  if (!reeve_store_keys_check_scope (scope, error))
    return FALSE;
  if (strcmp (scope, REEVE_SCOPE_PLATFORM) != 0)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "the platform is not erased");
  return FALSE;
}

static gboolean
reeve_store_keys_look_up (ReeveStoreKeys *self, const char *scope, guint32 number, gboolean make,
                          ReeveStorageKey *key, GError **error)
{
  ReeveKeyCacheAnswer answer = reeve_key_cache_get (self->cache, scope, number, key);
  gboolean ok = TRUE;

  if (answer == REEVE_KEY_CACHE_UNKNOWN)
    {
      reeve_store_keys_begin (self, scope);
      /* another thread may have been faster */
      answer = reeve_key_cache_get (self->cache, scope, number, key);
      if (answer == REEVE_KEY_CACHE_UNKNOWN)
        {
          ok = reeve_store_keys_load (self, scope, make, error);
          answer = reeve_key_cache_get (self->cache, scope, number, key);
        }
      reeve_store_keys_end (self, scope);
    }
  if (ok && answer != REEVE_KEY_CACHE_FOUND)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                 "scope %s has no key %u: it was destroyed, or never was", scope, number);
  return ok && answer == REEVE_KEY_CACHE_FOUND;
}

static gboolean
reeve_store_keys_get_current (ReeveStorageKeys *keys, const char *scope, ReeveStorageKey *key,
                              GError **error)
{
  return reeve_store_keys_check_scope (scope, error)
         && reeve_store_keys_look_up (REEVE_STORE_KEYS (keys), scope, 0, TRUE, key, error);
}

static gboolean
reeve_store_keys_get (ReeveStorageKeys *keys, const char *scope, guint32 id, ReeveStorageKey *key,
                      GError **error)
{
  if (!reeve_store_keys_check_scope (scope, error))
    return FALSE;
  if (id != 0)
    return reeve_store_keys_look_up (REEVE_STORE_KEYS (keys), scope, id, FALSE, key, error);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "0 is no key");
  return FALSE;
}

static gboolean
reeve_store_keys_add (ReeveStorageKeys *keys, const char *scope, ReeveStorageKey *key,
                      GError **error)
{
  ReeveStoreKeys *self = REEVE_STORE_KEYS (keys);
  gboolean ok = FALSE;

  if (!reeve_store_keys_check_scope (scope, error))
    return FALSE;
  reeve_store_keys_begin (self, scope);
  ok = reeve_store_keys_add_one (self, scope, error);
  reeve_store_keys_end (self, scope);
  return ok && reeve_store_keys_get_current (keys, scope, key, error);
}

static gboolean
reeve_store_keys_drop (ReeveStorageKeys *keys, const char *scope, guint32 keep, GError **error)
{
  ReeveStoreKeys *self = REEVE_STORE_KEYS (keys);
  gboolean ok = FALSE;

  if (!reeve_store_keys_check_scope (scope, error))
    return FALSE;
  reeve_store_keys_begin (self, scope);
  ok = reeve_store_keys_drop_others (self, scope, keep, error);
  reeve_store_keys_end (self, scope);
  return ok;
}

static gboolean
reeve_store_keys_read_mark (ReeveStorageKeys *keys, const char *scope, ReeveStorageMark *mark,
                            GError **error)
{
  reeve_key_marks_read (REEVE_STORE_KEYS (keys)->marks, scope, mark);
  return TRUE;
}

static gboolean
reeve_store_keys_write_mark (ReeveStorageKeys *keys, const char *scope,
                             const ReeveStorageMark *mark, gboolean durable, GError **error)
{
  return reeve_key_marks_write (REEVE_STORE_KEYS (keys)->marks, scope, mark, durable, error);
}

static void
reeve_store_keys_storage_keys_init (ReeveStorageKeysInterface *iface)
{
  iface->get_current = reeve_store_keys_get_current;
  iface->get = reeve_store_keys_get;
  iface->add = reeve_store_keys_add;
  iface->drop = reeve_store_keys_drop;
  iface->read_mark = reeve_store_keys_read_mark;
  iface->write_mark = reeve_store_keys_write_mark;
}

/* ---- destruction ---- */

/**
 * reeve_store_keys_has:
 * @self: keys
 * @scope: a scope
 *
 * Returns: whether it has any
 */
gboolean
reeve_store_keys_has (ReeveStoreKeys *self, const char *scope)
{
  g_autofree char *path = reeve_storage_scope_is_valid (scope)
                              ? reeve_key_paths_get_scope (self->folder, scope)
                              : NULL;

  return path != NULL && g_file_test (path, G_FILE_TEST_EXISTS);
}

/**
 * reeve_store_keys_list:
 * @self: keys
 *
 * Returns: (transfer full): scopes of tenants that have any, sorted
 */
char **
reeve_store_keys_list (ReeveStoreKeys *self)
{
  return reeve_key_paths_list_tenants (self->folder);
}

/**
 * reeve_store_keys_announce_destruction:
 * @self: keys
 * @scope: a tenant's scope
 * @error: return location
 *
 * Writes down durably that a scope is to be destroyed, so that a crash in the middle is followed by
 * the rest at the next start.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_store_keys_announce_destruction (ReeveStoreKeys *self, const char *scope, GError **error)
{
  g_autofree char *path = NULL;

  if (!reeve_store_keys_check_tenant (scope, error))
    return FALSE;
  path = reeve_key_paths_get_doomed (self->folder, scope);
  return reeve_key_folder_replace (path, "", 0, error);
}

/**
 * reeve_store_keys_destroy:
 * @self: keys
 * @scope: a tenant's scope, whose store is closed
 * @error: return location
 *
 * Destroys all keys of a scope and its mark: wiped in memory, overwritten and removed on disk. What
 * they sealed cannot be read again. Idempotent.
 *
 * Returns: %FALSE with an error; it is to be tried again then
 */
gboolean
reeve_store_keys_destroy (ReeveStoreKeys *self, const char *scope, GError **error)
{
  g_autofree char *path = NULL;
  g_autofree char *doomed = NULL;
  gboolean ok = FALSE;

  if (!reeve_store_keys_check_tenant (scope, error))
    return FALSE;
  path = reeve_key_paths_get_scope (self->folder, scope);
  doomed = reeve_key_paths_get_doomed (self->folder, scope);
  reeve_store_keys_begin (self, scope);
  reeve_key_cache_forget (self->cache, scope);
  ok = reeve_key_folder_shred (path, error) && reeve_key_marks_forget (self->marks, scope, error)
       && reeve_key_folder_shred (doomed, error);
  reeve_store_keys_end (self, scope);
  if (!ok)
    g_prefix_error (error, "destroying the keys of %s: ", scope);
  return ok;
}

/**
 * reeve_store_keys_list_unfinished:
 * @self: keys
 *
 * Returns: (transfer full): scopes whose destruction was announced and not done
 */
char **
reeve_store_keys_list_unfinished (ReeveStoreKeys *self)
{
  return reeve_key_paths_list_doomed (self->folder);
}

/**
 * reeve_store_keys_forget_mark:
 * @self: keys
 * @scope: a scope
 * @error: return location
 *
 * Takes a scope's mark away: the store that is there is taken for the newest.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_store_keys_forget_mark (ReeveStoreKeys *self, const char *scope, GError **error)
{
  return reeve_key_marks_forget (self->marks, scope, error);
}

/**
 * reeve_store_keys_get_master:
 * @self: keys
 *
 * Returns: (transfer none): id of the master key
 */
const char *
reeve_store_keys_get_master (ReeveStoreKeys *self)
{
  return reeve_master_key_get_id (self->master);
}
