/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStorageKeys: data keys and high-water marks of scopes, which the host keeps and a storage
 * uses. */
#include "reeve-storage-keys.h"

/**
 * ReeveStorageKeys:
 *
 * The keys of all scopes, wrapped by a master key that a storage never sees, and how far each scope
 * was acknowledged. Both lie outside of the stores: who destroys a scope's keys has erased every
 * copy of its store, and who rolls a store back does not roll back its mark.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (ReeveStorageKeys, reeve_storage_keys, G_TYPE_OBJECT)

static void
reeve_storage_keys_default_init (ReeveStorageKeysInterface *iface)
{
}

/**
 * reeve_storage_keys_get_current:
 * @self: keys
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @key: (out caller-allocates): it
 * @error: return location
 *
 * Gets the key by which new pages of a scope are sealed; makes one when the scope has none.
 *
 * Returns: %TRUE, or %FALSE with %REEVE_ERROR_CORRUPT when the scope's keys cannot be unwrapped
 *
 * Since: 1.0
 */
gboolean
reeve_storage_keys_get_current (ReeveStorageKeys *self, const char *scope, ReeveStorageKey *key,
                                GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE_KEYS (self), FALSE);
  return REEVE_STORAGE_KEYS_GET_IFACE (self)->get_current (self, scope, key, error);
}

/**
 * reeve_storage_keys_get:
 * @self: keys
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @id: number of a key
 * @key: (out caller-allocates): it
 * @error: return location
 *
 * Gets a key.
 *
 * Returns: %TRUE, or %FALSE with %REEVE_ERROR_NOT_FOUND when it was destroyed or never was
 *
 * Since: 1.0
 */
gboolean
reeve_storage_keys_get (ReeveStorageKeys *self, const char *scope, guint32 id, ReeveStorageKey *key,
                        GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE_KEYS (self), FALSE);
  return REEVE_STORAGE_KEYS_GET_IFACE (self)->get (self, scope, id, key, error);
}

/**
 * reeve_storage_keys_add:
 * @self: keys
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @key: (out caller-allocates): it
 * @error: return location
 *
 * Makes a new current key for a scope, durably, and keeps the others.
 *
 * Returns: %TRUE, or %FALSE on error
 *
 * Since: 1.0
 */
gboolean
reeve_storage_keys_add (ReeveStorageKeys *self, const char *scope, ReeveStorageKey *key,
                        GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE_KEYS (self), FALSE);
  return REEVE_STORAGE_KEYS_GET_IFACE (self)->add (self, scope, key, error);
}

/**
 * reeve_storage_keys_drop:
 * @self: keys
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @keep: number of the key that stays
 * @error: return location
 *
 * Destroys the other keys of a scope, by which nothing is sealed any more.
 *
 * Returns: %TRUE, or %FALSE with %REEVE_ERROR_NOT_FOUND when there is no key @keep
 *
 * Since: 1.0
 */
gboolean
reeve_storage_keys_drop (ReeveStorageKeys *self, const char *scope, guint32 keep, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE_KEYS (self), FALSE);
  return REEVE_STORAGE_KEYS_GET_IFACE (self)->drop (self, scope, keep, error);
}

/**
 * reeve_storage_keys_read_mark:
 * @self: keys
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @mark: (out caller-allocates): its high-water mark; all zero when it has none
 * @error: return location
 *
 * Gets how far a scope was acknowledged.
 *
 * Returns: %TRUE, or %FALSE on error
 *
 * Since: 1.0
 */
gboolean
reeve_storage_keys_read_mark (ReeveStorageKeys *self, const char *scope, ReeveStorageMark *mark,
                              GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE_KEYS (self), FALSE);
  return REEVE_STORAGE_KEYS_GET_IFACE (self)->read_mark (self, scope, mark, error);
}

/**
 * reeve_storage_keys_write_mark:
 * @self: keys
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @mark: its high-water mark
 * @durable: whether it must be on disk before this returns; otherwise it outlives the process at
 * once, the machine soon
 * @error: return location
 *
 * Sets how far a scope was acknowledged.
 *
 * Returns: %TRUE, or %FALSE on error
 *
 * Since: 1.0
 */
gboolean
reeve_storage_keys_write_mark (ReeveStorageKeys *self, const char *scope,
                               const ReeveStorageMark *mark, gboolean durable, GError **error)
{
  g_return_val_if_fail (REEVE_IS_STORAGE_KEYS (self), FALSE);
  return REEVE_STORAGE_KEYS_GET_IFACE (self)->write_mark (self, scope, mark, durable, error);
}
