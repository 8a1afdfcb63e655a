/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data keys of one scope while its store is open, and how often the current one sealed. The
 * host keeps the keys; here they are only held as long as they are needed, and wiped then. Shared
 * by all connections to the store. */
#include "sqlite-keyring.h"

#include <string.h>

/* where random nonces of 96 bits may meet with a chance of 2^-32: never beyond (NIST SP 800-38D) */
#define KEYRING_MOST_SEALS (G_GUINT64_CONSTANT (1) << 32)

struct _SqliteKeyring
{
  gatomicrefcount references;
  ReeveStorageKeys *keys;
  char *scope;
  GMutex mutex;
  GArray *known;    /* of ReeveStorageKey */
  guint32 current;  /* atomic */
  guint generation; /* atomic; changes when keys were dropped */
  guint64 seals;    /* atomic; of the current key */
};

static void
sqlite_keyring_wipe (gpointer key)
{
  explicit_bzero (key, sizeof (ReeveStorageKey));
}

/* the lock is held */
static gboolean
sqlite_keyring_find (SqliteKeyring *self, guint32 id, ReeveStorageKey *key)
{
  for (guint i = 0; i < self->known->len; i++)
    {
      const ReeveStorageKey *known = &g_array_index (self->known, ReeveStorageKey, i);

      if (known->id != id)
        continue;
      *key = *known;
      return TRUE;
    }
  return FALSE;
}

static void
sqlite_keyring_remember (SqliteKeyring *self, const ReeveStorageKey *key)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  ReeveStorageKey known = { 0 };

  if (!sqlite_keyring_find (self, key->id, &known))
    g_array_append_vals (self->known, key, 1);
  sqlite_keyring_wipe (&known);
}

/**
 * sqlite_keyring_new:
 * @keys: the host's keys
 * @scope: a scope
 * @error: return location
 *
 * Returns: (transfer full): the scope's keys, with the current one; %NULL on error
 */
SqliteKeyring *
sqlite_keyring_new (ReeveStorageKeys *keys, const char *scope, GError **error)
{
  ReeveStorageKey key = { 0 };
  SqliteKeyring *self = NULL;

  if (!reeve_storage_keys_get_current (keys, scope, &key, error))
    {
      g_prefix_error (error, "getting the key of scope %s: ", scope);
      return NULL;
    }
  self = g_new0 (SqliteKeyring, 1);
  g_atomic_ref_count_init (&self->references);
  self->keys = g_object_ref (keys);
  self->scope = g_strdup (scope);
  g_mutex_init (&self->mutex);
  self->known = g_array_new (FALSE, FALSE, sizeof (ReeveStorageKey));
  g_array_set_clear_func (self->known, sqlite_keyring_wipe);
  self->current = key.id;
  sqlite_keyring_remember (self, &key);
  sqlite_keyring_wipe (&key);
  return self;
}

/**
 * sqlite_keyring_ref:
 * @self: a keyring
 *
 * Returns: (transfer full): it
 */
SqliteKeyring *
sqlite_keyring_ref (SqliteKeyring *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * sqlite_keyring_unref:
 * @self: (transfer full): a keyring
 *
 * With the last reference the keys are wiped.
 */
void
sqlite_keyring_unref (SqliteKeyring *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_array_unref (self->known);
  g_mutex_clear (&self->mutex);
  g_object_unref (self->keys);
  g_free (self->scope);
  g_free (self);
}

/**
 * sqlite_keyring_get_current:
 * @self: a keyring
 *
 * Returns: number of the key that seals
 */
guint32
sqlite_keyring_get_current (SqliteKeyring *self)
{
  return (guint32) g_atomic_int_get (&self->current);
}

/**
 * sqlite_keyring_get_generation:
 * @self: a keyring
 *
 * Returns: a number that changes when keys were dropped; who derived something from a key forgets
 * it then
 */
guint
sqlite_keyring_get_generation (SqliteKeyring *self)
{
  return (guint) g_atomic_int_get (&self->generation);
}

/**
 * sqlite_keyring_get:
 * @self: a keyring
 * @id: number of a key
 * @key: (out caller-allocates): it; to be wiped after use
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND when there is none
 */
gboolean
sqlite_keyring_get (SqliteKeyring *self, guint32 id, ReeveStorageKey *key, GError **error)
{
  gboolean known = FALSE;

  g_mutex_lock (&self->mutex);
  known = sqlite_keyring_find (self, id, key);
  g_mutex_unlock (&self->mutex);
  if (known)
    return TRUE;
  if (!reeve_storage_keys_get (self->keys, self->scope, id, key, error))
    return FALSE;
  sqlite_keyring_remember (self, key);
  return TRUE;
}

/**
 * sqlite_keyring_add:
 * @self: a keyring
 * @error: return location
 *
 * Makes a new key, which seals from now on. Not while a transaction is open that writes.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_keyring_add (SqliteKeyring *self, GError **error)
{
  ReeveStorageKey key = { 0 };

  if (!reeve_storage_keys_add (self->keys, self->scope, &key, error))
    {
      g_prefix_error (error, "making a key for scope %s: ", self->scope);
      return FALSE;
    }
  sqlite_keyring_remember (self, &key);
  __atomic_store_n (&self->seals, 0, __ATOMIC_SEQ_CST);
  g_atomic_int_set (&self->current, key.id);
  sqlite_keyring_wipe (&key);
  return TRUE;
}

/**
 * sqlite_keyring_drop_others:
 * @self: a keyring
 * @error: return location
 *
 * Destroys all keys but the current one.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_keyring_drop_others (SqliteKeyring *self, GError **error)
{
  guint32 current = sqlite_keyring_get_current (self);

  if (!reeve_storage_keys_drop (self->keys, self->scope, current, error))
    {
      g_prefix_error (error, "destroying the older keys of scope %s: ", self->scope);
      return FALSE;
    }
  g_mutex_lock (&self->mutex);
  for (guint i = self->known->len; i > 0; i--)
    if (g_array_index (self->known, ReeveStorageKey, i - 1).id != current)
      g_array_remove_index_fast (self->known, i - 1);
  g_mutex_unlock (&self->mutex);
  g_atomic_int_inc (&self->generation);
  return TRUE;
}

/**
 * sqlite_keyring_count:
 * @self: a keyring
 *
 * Counts a seal of the current key.
 *
 * Returns: %FALSE when it must not seal any more
 */
gboolean
sqlite_keyring_count (SqliteKeyring *self)
{
  return __atomic_add_fetch (&self->seals, 1, __ATOMIC_RELAXED) < KEYRING_MOST_SEALS;
}

/**
 * sqlite_keyring_get_seals:
 * @self: a keyring
 *
 * Returns: how often the current key sealed, or more
 */
guint64
sqlite_keyring_get_seals (SqliteKeyring *self)
{
  return __atomic_load_n (&self->seals, __ATOMIC_RELAXED);
}

/**
 * sqlite_keyring_set_seals:
 * @self: a keyring
 * @seals: how often the current key sealed before this
 *
 * Sets the count from what the store remembers; never lowers it.
 */
void
sqlite_keyring_set_seals (SqliteKeyring *self, guint64 seals)
{
  if (seals > sqlite_keyring_get_seals (self))
    __atomic_store_n (&self->seals, seals, __ATOMIC_RELAXED);
}

/**
 * sqlite_keyring_read_mark:
 * @self: a keyring
 * @mark: (out caller-allocates): the scope's mark
 * @error: return location
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_keyring_read_mark (SqliteKeyring *self, ReeveStorageMark *mark, GError **error)
{
  if (reeve_storage_keys_read_mark (self->keys, self->scope, mark, error))
    return TRUE;
  g_prefix_error (error, "reading the mark of scope %s: ", self->scope);
  return FALSE;
}

/**
 * sqlite_keyring_write_mark:
 * @self: a keyring
 * @mark: the scope's mark
 * @durable: whether it must be on disk on return
 * @error: return location
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_keyring_write_mark (SqliteKeyring *self, const ReeveStorageMark *mark, gboolean durable,
                           GError **error)
{
  if (reeve_storage_keys_write_mark (self->keys, self->scope, mark, durable, error))
    return TRUE;
  g_prefix_error (error, "writing the mark of scope %s: ", self->scope);
  return FALSE;
}
