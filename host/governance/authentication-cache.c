/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cache in front of the auth plugins.
 *
 * Two generations: when the young one is full it becomes the old one, and what was not asked for
 * since is dropped with the one before. A version guards revocation: it is read before a provider
 * is asked, and what was learnt under an older version is worth nothing, so no answer that was
 * under way survives a revocation. */
#include "authentication-cache.h"

#include <string.h>

#include "base/digests.h"
#include "base/ids.h"

#define REEVE_AUTHENTICATION_CACHE_GENERATION 4096
/* what a plugin said holds no longer than this, whatever it says of expiry */
#define REEVE_AUTHENTICATION_CACHE_SECONDS 60

typedef struct
{
  guint8 key[REEVE_AUTHENTICATION_CACHE_KEY];
  ReeveCaller *caller;
  gint64 expires_at; /* µs since the epoch */
  gint64 drop_at;    /* monotonic µs */
  guint version;
} ReeveAuthenticationCacheEntry;

struct _ReeveAuthenticationCache
{
  GMutex mutex;
  GHashTable *young; /* entries are their own keys */
  GHashTable *old;
  guint8 salt[REEVE_DIGESTS_LENGTH];
  gboolean off;
  guint version; /* atomic */
};

/* The key is a SHA-256, so any four bytes of it are a good hash. */
static guint
reeve_authentication_cache_hash (gconstpointer key)
{
  guint hash = 0;

  memcpy (&hash, key, sizeof hash);
  return hash;
}

static gboolean
reeve_authentication_cache_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, REEVE_AUTHENTICATION_CACHE_KEY) == 0;
}

static void
reeve_authentication_cache_entry_free (gpointer data)
{
  ReeveAuthenticationCacheEntry *entry = data;

  reeve_caller_unref (entry->caller);
  g_free (entry);
}

static GHashTable *
reeve_authentication_cache_new_generation (void)
{
  return g_hash_table_new_full (reeve_authentication_cache_hash, reeve_authentication_cache_equal,
                                NULL, reeve_authentication_cache_entry_free);
}

/**
 * reeve_authentication_cache_new:
 *
 * Returns: (transfer full): an empty cache
 */
ReeveAuthenticationCache *
reeve_authentication_cache_new (void)
{
  ReeveAuthenticationCache *self = g_new0 (ReeveAuthenticationCache, 1);

  g_mutex_init (&self->mutex);
  reeve_ids_fill_random (self->salt, sizeof self->salt);
  self->young = reeve_authentication_cache_new_generation ();
  self->old = reeve_authentication_cache_new_generation ();
  return self;
}

/**
 * reeve_authentication_cache_free:
 * @self: a cache
 */
void
reeve_authentication_cache_free (ReeveAuthenticationCache *self)
{
  g_hash_table_unref (self->young);
  g_hash_table_unref (self->old);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/**
 * reeve_authentication_cache_switch_off:
 * @self: a cache
 *
 * From now on nobody is in it. Before anybody asks.
 */
void
reeve_authentication_cache_switch_off (ReeveAuthenticationCache *self)
{
  self->off = TRUE;
}

/**
 * reeve_authentication_cache_make_key:
 * @self: a cache
 * @credentials: what was shown
 * @key: (out): what the answer of a provider may depend on, as one digest
 *
 * A plain token is never kept. A password is little to guess: without the salt of this process,
 * which stands in front and is as long as a key, the digest says nothing of it. Nobody outside sees
 * one, so no HMAC is needed against texts that go on.
 */
void
reeve_authentication_cache_make_key (ReeveAuthenticationCache *self,
                                     const ReeveCredentials *credentials,
                                     guint8 key[REEVE_AUTHENTICATION_CACHE_KEY])
{
  const char *parts[]
      = { credentials->scheme, credentials->peer_address, credentials->door, credentials->token };
  g_autoptr (GByteArray) text = NULL;
  gsize size = sizeof self->salt;

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    size += (parts[i] != NULL ? strlen (parts[i]) : 0) + 1;
  /* it does not grow, which would leave a copy behind */
  text = g_byte_array_sized_new ((guint) size);
  g_byte_array_append (text, self->salt, sizeof self->salt);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      const char *part = parts[i] != NULL ? parts[i] : "";

      /* with its NUL, so that no two lists run together */
      g_byte_array_append (text, (const guint8 *) part, (guint) strlen (part) + 1);
    }
  reeve_digests_sha256 (text->data, text->len, key);
  explicit_bzero (text->data, text->len);
}

/**
 * reeve_authentication_cache_get_version:
 * @self: a cache
 *
 * Returns: the version now, to be read before a provider is asked
 */
guint
reeve_authentication_cache_get_version (ReeveAuthenticationCache *self)
{
  return g_atomic_int_get (&self->version);
}

/**
 * reeve_authentication_cache_invalidate:
 * @self: a cache
 *
 * Forgets everything, and what is being learnt now.
 */
void
reeve_authentication_cache_invalidate (ReeveAuthenticationCache *self)
{
  g_atomic_int_inc (&self->version);
  g_mutex_lock (&self->mutex);
  g_hash_table_remove_all (self->young);
  g_hash_table_remove_all (self->old);
  g_mutex_unlock (&self->mutex);
}

static void
reeve_authentication_cache_insert (ReeveAuthenticationCache *self,
                                   ReeveAuthenticationCacheEntry *entry)
{
  if (g_hash_table_size (self->young) >= REEVE_AUTHENTICATION_CACHE_GENERATION)
    {
      g_hash_table_unref (self->old);
      self->old = self->young;
      self->young = reeve_authentication_cache_new_generation ();
    }
  g_hash_table_replace (self->young, entry, entry);
}

static gboolean
reeve_authentication_cache_is_good (ReeveAuthenticationCache *self,
                                    const ReeveAuthenticationCacheEntry *entry)
{
  return entry->version == reeve_authentication_cache_get_version (self)
         && g_get_monotonic_time () < entry->drop_at
         && (entry->expires_at == 0 || g_get_real_time () < entry->expires_at);
}

/**
 * reeve_authentication_cache_lookup:
 * @self: a cache
 * @key: digest of what was shown
 *
 * Returns: (transfer full) (nullable): the caller
 */
ReeveCaller *
reeve_authentication_cache_lookup (ReeveAuthenticationCache *self,
                                   const guint8 key[REEVE_AUTHENTICATION_CACHE_KEY])
{
  ReeveAuthenticationCacheEntry *entry = NULL;
  ReeveCaller *caller = NULL;
  gpointer stolen = NULL;

  g_mutex_lock (&self->mutex);
  entry = g_hash_table_lookup (self->young, key);
  if (entry == NULL && g_hash_table_steal_extended (self->old, key, NULL, &stolen))
    {
      entry = stolen;
      reeve_authentication_cache_insert (self, entry);
    }
  if (entry != NULL && reeve_authentication_cache_is_good (self, entry))
    caller = reeve_caller_ref (entry->caller);
  else if (entry != NULL)
    g_hash_table_remove (self->young, entry);
  g_mutex_unlock (&self->mutex);
  return caller;
}

/**
 * reeve_authentication_cache_add:
 * @self: a cache
 * @key: digest of what was shown
 * @caller: who that is
 * @expires_at: µs since the epoch after which that no longer holds; 0 for never
 * @version: the version before the provider was asked
 */
void
reeve_authentication_cache_add (ReeveAuthenticationCache *self,
                                const guint8 key[REEVE_AUTHENTICATION_CACHE_KEY],
                                ReeveCaller *caller, gint64 expires_at, guint version)
{
  ReeveAuthenticationCacheEntry *entry = NULL;

  if (self->off || version != reeve_authentication_cache_get_version (self))
    return;
  entry = g_new0 (ReeveAuthenticationCacheEntry, 1);
  memcpy (entry->key, key, sizeof entry->key);
  entry->caller = reeve_caller_ref (caller);
  entry->expires_at = expires_at;
  entry->drop_at
      = g_get_monotonic_time () + REEVE_AUTHENTICATION_CACHE_SECONDS * G_TIME_SPAN_SECOND;
  entry->version = version;
  g_mutex_lock (&self->mutex);
  g_hash_table_remove (self->old, key);
  reeve_authentication_cache_insert (self, entry);
  g_mutex_unlock (&self->mutex);
}
