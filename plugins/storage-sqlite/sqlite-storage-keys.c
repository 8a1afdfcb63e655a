/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How SqliteStorage protects its stores: keys, rotation, marks. */
#include "sqlite-storage-private.h"

#include "sqlite-guard.h"
#include "sqlite-rotation.h"

void
sqlite_storage_set_keys (ReeveStorage *storage, ReeveStorageKeys *keys)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);

  g_return_if_fail (self->vfs == NULL);
  g_set_object (&self->keys, keys);
}

/**
 * sqlite_storage_set_seal_limit:
 * @self: a storage that is not open
 * @seals: how often a key may seal
 *
 * For tests: %SQLITE_KEYRING_SEALS takes long.
 */
void
sqlite_storage_set_seal_limit (SqliteStorage *self, guint64 seals)
{
  g_return_if_fail (self->vfs == NULL);
  self->seal_limit = seals;
}

gboolean
sqlite_storage_rotate (ReeveStorage *storage, const char *scope, ReeveRotation how,
                       GCancellable *cancellable, GError **error)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);
  SqliteStore *store = NULL;
  gboolean rotated = FALSE;

  if (self->keys == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED,
                           "encryption is off: there is no key to rotate");
      return FALSE;
    }
  store = sqlite_cache_acquire (self->cache, scope, error);
  if (store == NULL)
    return FALSE;
  rotated = sqlite_rotation_run (store, how, cancellable, error);
  sqlite_cache_release (self->cache, scope);
  if (!rotated)
    g_prefix_error (error, "rotating the key of scope %s: ", scope);
  return rotated;
}

void
sqlite_storage_get_cache (ReeveStorage *storage, ReeveStorageCache *cache)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);

  if (self->cache != NULL)
    sqlite_cache_show (self->cache, cache);
}

gboolean
sqlite_storage_get_protection (ReeveStorage *storage, const char *scope,
                               ReeveStorageProtection *protection, GError **error)
{
  SqliteStorage *self = SQLITE_STORAGE (storage);
  SqliteStore *store = sqlite_cache_acquire (self->cache, scope, error);
  SqliteKeyring *keyring = NULL;

  *protection = (ReeveStorageProtection){ 0 };
  if (store == NULL)
    return FALSE;
  keyring = sqlite_store_get_keyring (store);
  if (keyring != NULL)
    {
      protection->encrypted = TRUE;
      protection->key_id = sqlite_keyring_get_current (keyring);
      protection->seals = sqlite_keyring_get_seals (keyring);
      protection->sequence = sqlite_tally_get_sequence (sqlite_store_get_tally (store));
    }
  sqlite_cache_release (self->cache, scope);
  return TRUE;
}

/* the scope's store goes, so that the next of that name is no roll-back of it */
gboolean
sqlite_storage_forget_mark (SqliteStorage *self, const char *scope, GError **error)
{
  const ReeveStorageMark none = { 0 };

  return self->keys == NULL
         || reeve_storage_keys_write_mark (self->keys, scope, &none, TRUE, error);
}

/* a store that is not there must never have held anything: an empty one would hide the loss */
gboolean
sqlite_storage_expect_new (SqliteStorage *self, const char *scope, const char *file, GError **error)
{
  return self->keys == NULL || sqlite_guard_expect_new (self->keys, scope, file, error);
}
