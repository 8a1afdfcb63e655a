/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of a sealed store. Each commit has one, written in its own transaction; once it is on
 * disk and before anybody is told, the scope's mark is set to it, outside of the store. A file that
 * ends before its mark was rolled back or has lost its log. How often the current key has sealed is
 * written ahead in blocks, so that a crash never makes it less; when it is enough, there is a new
 * key. Used by whoever writes the store, one at a time. */
#include "sqlite-tally.h"

#include "sqlite-guard.h"

#include <string.h>

#define TALLY_BLOCK (G_GUINT64_CONSTANT (1) << 20)

struct _SqliteTally
{
  SqliteKeyring *keyring;
  SqliteNode *node;
  char *scope;
  guint64 seal_limit;
  guint64 sequence; /* atomic; of the last commit */
  guint64 saved;    /* sequence whose mark is on disk for sure */
  gboolean loaded;
  guint32 key; /* whose seals are bounded by @bound, in the store */
  guint64 bound;
  guint32 next_key; /* the same, in the transaction that is open */
  guint64 next_bound;
};

/**
 * sqlite_tally_new:
 * @keyring: the scope's keys
 * @node: of its store file
 * @scope: a scope
 * @seal_limit: how often a key may seal
 *
 * Returns: (transfer full): its numbers, not loaded yet
 */
SqliteTally *
sqlite_tally_new (SqliteKeyring *keyring, SqliteNode *node, const char *scope, guint64 seal_limit)
{
  SqliteTally *self = g_new0 (SqliteTally, 1);

  self->keyring = sqlite_keyring_ref (keyring);
  self->node = sqlite_node_ref (node);
  self->scope = g_strdup (scope);
  self->seal_limit = seal_limit;
  return self;
}

/**
 * sqlite_tally_free:
 * @self: (transfer full): numbers
 */
void
sqlite_tally_free (SqliteTally *self)
{
  sqlite_keyring_unref (self->keyring);
  sqlite_node_unref (self->node);
  g_free (self->scope);
  g_free (self);
}

/**
 * sqlite_tally_read_sequence:
 * @connection: to a store
 * @sequence: (out): number of its last commit; 0 where none was counted
 * @error: return location
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_tally_read_sequence (SqliteConnection *connection, guint64 *sequence, GError **error)
{
  gint64 value = 0;

  if (!sqlite_connection_get_int (connection, "SELECT value FROM meta WHERE name = 'commit'",
                                  &value, error))
    return FALSE;
  *sequence = (guint64) MAX (value, 0);
  return TRUE;
}

static gboolean
sqlite_tally_mark (SqliteTally *self, gboolean durable, GError **error)
{
  ReeveStorageMark mark = { .sequence = sqlite_tally_get_sequence (self) };

  if (!sqlite_node_get_salt (self->node, mark.salt)
      || !sqlite_keyring_write_mark (self->keyring, &mark, durable, error))
    return FALSE;
  if (durable)
    self->saved = mark.sequence;
  return TRUE;
}

/**
 * sqlite_tally_load:
 * @self: numbers
 * @connection: to the store
 * @mark: of the scope
 * @error: return location
 *
 * Reads what the store says and compares it with the mark. A scope without a mark gets one: its
 * store was just encrypted, or somebody forgot the mark to accept it.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT where acknowledged commits are missing
 */
gboolean
sqlite_tally_load (SqliteTally *self, SqliteConnection *connection, const ReeveStorageMark *mark,
                   GError **error)
{
  static const guint8 none[REEVE_STORAGE_SALT_SIZE];
  guint64 sequence = 0;
  gint64 key = 0;
  gint64 bound = 0;

  if (!sqlite_tally_read_sequence (connection, &sequence, error)
      || !sqlite_connection_get_int (connection, "SELECT value FROM meta WHERE name = 'key'", &key,
                                     error)
      || !sqlite_connection_get_int (connection, "SELECT value FROM meta WHERE name = 'seals'",
                                     &bound, error)
      || !sqlite_guard_compare (self->scope, sqlite_node_get_path (self->node), mark, sequence,
                                error))
    return FALSE;
  __atomic_store_n (&self->sequence, sequence, __ATOMIC_RELEASE);
  self->saved = mark->sequence;
  self->loaded = TRUE;
  self->key = (guint32) key;
  self->bound = (guint64) MAX (bound, 0);
  self->next_key = self->key;
  self->next_bound = self->bound;
  if (self->key == sqlite_keyring_get_current (self->keyring))
    sqlite_keyring_set_seals (self->keyring, self->bound);
  return memcmp (mark->salt, none, sizeof none) != 0 || sqlite_tally_mark (self, TRUE, error);
}

/**
 * sqlite_tally_renew:
 * @self: numbers
 * @error: return location
 *
 * Makes a new key when the current one has sealed enough. Before a transaction begins.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_tally_renew (SqliteTally *self, GError **error)
{
  return sqlite_keyring_get_seals (self->keyring) < self->seal_limit
         || sqlite_keyring_add (self->keyring, error);
}

static gboolean
sqlite_tally_put (SqliteConnection *connection, const char *name, guint64 value, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (
      connection,
      "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      error);

  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, name);
  sqlite3_bind_int64 (statement, 2, (sqlite3_int64) value);
  return sqlite_connection_run (connection, statement, error);
}

/**
 * sqlite_tally_write:
 * @self: numbers
 * @connection: in the transaction that is to be committed
 * @error: return location
 *
 * Numbers the commit.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_tally_write (SqliteTally *self, SqliteConnection *connection, GError **error)
{
  guint32 key = sqlite_keyring_get_current (self->keyring);
  guint64 seals = sqlite_keyring_get_seals (self->keyring);

  self->next_key = self->key;
  self->next_bound = self->bound;
  if (key != self->key || seals >= self->bound)
    {
      self->next_key = key;
      self->next_bound = seals + CLAMP (self->seal_limit / 8, 1, TALLY_BLOCK);
      if (!sqlite_tally_put (connection, "key", self->next_key, error)
          || !sqlite_tally_put (connection, "seals", self->next_bound, error))
        return FALSE;
    }
  return sqlite_tally_put (connection, "commit", self->sequence + 1, error);
}

/**
 * sqlite_tally_acknowledge:
 * @self: numbers
 * @error: return location
 *
 * The commit that was numbered last is on disk: sets the mark.
 *
 * Returns: %FALSE with %REEVE_ERROR_UNKNOWN_OUTCOME when the mark cannot be set; the commit stands
 */
gboolean
sqlite_tally_acknowledge (SqliteTally *self, GError **error)
{
  g_autoptr (GError) failure = NULL;

  self->key = self->next_key;
  self->bound = self->next_bound;
  __atomic_store_n (&self->sequence, self->sequence + 1, __ATOMIC_RELEASE);
  if (sqlite_tally_mark (self, FALSE, &failure))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME, "committed, but %s",
               failure != NULL ? failure->message : "its mark was not set");
  return FALSE;
}

/**
 * sqlite_tally_save:
 * @self: numbers
 * @error: return location
 *
 * Has the mark on disk, if it is not: at an idle or clean close, after a rotation.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_tally_save (SqliteTally *self, GError **error)
{
  return !self->loaded || self->saved == sqlite_tally_get_sequence (self)
         || sqlite_tally_mark (self, TRUE, error);
}

/**
 * sqlite_tally_get_sequence:
 * @self: numbers
 *
 * Returns: number of the last commit
 */
guint64
sqlite_tally_get_sequence (SqliteTally *self)
{
  return __atomic_load_n (&self->sequence, __ATOMIC_ACQUIRE);
}
