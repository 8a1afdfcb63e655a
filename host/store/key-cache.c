/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bounded, for what may be locked in memory is; a key that fell out is unwrapped again. */
#include "key-cache.h"

#include <string.h>

#include "key-arena.h"

typedef struct
{
  char *scope;
  guint32 *numbers;
  guint8 **slots;
  guint n_keys;
  GList link; /* in order of use */
} ReeveKeyCacheEntry;

struct _ReeveKeyCache
{
  GMutex mutex;
  GHashTable *entries;
  GQueue used; /* newest first */
  ReeveKeyArena *arena;
  guint most;
};

/**
 * reeve_key_cache_new:
 * @most: scopes of which keys are kept
 *
 * Returns: (transfer full): an empty cache
 */
ReeveKeyCache *
reeve_key_cache_new (guint most)
{
  ReeveKeyCache *self = g_new0 (ReeveKeyCache, 1);

  g_mutex_init (&self->mutex);
  self->entries = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&self->used);
  self->arena = reeve_key_arena_new ();
  self->most = most;
  return self;
}

static void
reeve_key_cache_remove (ReeveKeyCache *self, ReeveKeyCacheEntry *entry)
{
  g_hash_table_remove (self->entries, entry->scope);
  g_queue_unlink (&self->used, &entry->link);
  for (guint i = 0; i < entry->n_keys; i++)
    reeve_key_arena_give (self->arena, entry->slots[i]);
  g_free (entry->slots);
  g_free (entry->numbers);
  g_free (entry->scope);
  g_free (entry);
}

/**
 * reeve_key_cache_free:
 * @self: (transfer full): a cache; its keys are wiped
 */
void
reeve_key_cache_free (ReeveKeyCache *self)
{
  while (self->used.head != NULL)
    reeve_key_cache_remove (self, self->used.head->data);
  g_hash_table_unref (self->entries);
  reeve_key_arena_free (self->arena);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static gboolean
reeve_key_cache_find (const ReeveKeyCacheEntry *entry, guint32 number, ReeveStorageKey *key)
{
  for (guint i = 0; i < entry->n_keys; i++)
    if (entry->numbers[i] == number || (number == 0 && i == entry->n_keys - 1))
      {
        key->id = entry->numbers[i];
        memcpy (key->bytes, entry->slots[i], sizeof key->bytes);
        return TRUE;
      }
  return FALSE;
}

/**
 * reeve_key_cache_get:
 * @self: a cache
 * @scope: a scope
 * @number: of a key; 0 for the newest
 * @key: (out caller-allocates): it
 *
 * Returns: what is known
 */
ReeveKeyCacheAnswer
reeve_key_cache_get (ReeveKeyCache *self, const char *scope, guint32 number, ReeveStorageKey *key)
{
  ReeveKeyCacheAnswer answer = REEVE_KEY_CACHE_UNKNOWN;
  ReeveKeyCacheEntry *entry = NULL;

  g_mutex_lock (&self->mutex);
  entry = g_hash_table_lookup (self->entries, scope);
  if (entry != NULL)
    {
      g_queue_unlink (&self->used, &entry->link);
      g_queue_push_head_link (&self->used, &entry->link);
      answer = reeve_key_cache_find (entry, number, key) ? REEVE_KEY_CACHE_FOUND
                                                         : REEVE_KEY_CACHE_ABSENT;
    }
  g_mutex_unlock (&self->mutex);
  return answer;
}

/**
 * reeve_key_cache_set:
 * @self: a cache
 * @scope: a scope
 * @keys: (array length=n_keys): all that it has, the newest last; the caller wipes them
 * @n_keys: their number
 */
void
reeve_key_cache_set (ReeveKeyCache *self, const char *scope, const ReeveStorageKey *keys,
                     guint n_keys)
{
  ReeveKeyCacheEntry *entry = g_new0 (ReeveKeyCacheEntry, 1);

  reeve_key_cache_forget (self, scope);
  entry->scope = g_strdup (scope);
  entry->numbers = g_new0 (guint32, n_keys);
  entry->slots = g_new0 (guint8 *, n_keys);
  entry->n_keys = n_keys;
  entry->link.data = entry;
  for (guint i = 0; i < n_keys; i++)
    {
      entry->numbers[i] = keys[i].id;
      entry->slots[i] = reeve_key_arena_take (self->arena);
      memcpy (entry->slots[i], keys[i].bytes, sizeof keys[i].bytes);
    }
  g_mutex_lock (&self->mutex);
  g_hash_table_insert (self->entries, entry->scope, entry);
  g_queue_push_head_link (&self->used, &entry->link);
  if (g_queue_get_length (&self->used) > self->most)
    reeve_key_cache_remove (self, g_queue_peek_tail (&self->used));
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_key_cache_forget:
 * @self: a cache
 * @scope: a scope, whose keys are wiped
 */
void
reeve_key_cache_forget (ReeveKeyCache *self, const char *scope)
{
  ReeveKeyCacheEntry *entry = NULL;

  g_mutex_lock (&self->mutex);
  entry = g_hash_table_lookup (self->entries, scope);
  if (entry != NULL)
    reeve_key_cache_remove (self, entry);
  g_mutex_unlock (&self->mutex);
}
