/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One open file's way to the keys. A cipher is used by one thread at a time, as an open file is, so
 * that each file has its own; the few that it needs are kept until keys are dropped. */
#include "sqlite-sealer.h"

#include <string.h>

struct _SqliteSealer
{
  SqliteNode *node;
  guint generation;
  GPtrArray *seals; /* of SqliteSeal */
};

/**
 * sqlite_sealer_new:
 * @node: of a file that is sealed
 *
 * Returns: (transfer full): what seals and opens its pages, for one open file
 */
SqliteSealer *
sqlite_sealer_new (SqliteNode *node)
{
  SqliteSealer *self = g_new0 (SqliteSealer, 1);

  self->node = sqlite_node_ref (node);
  self->generation = sqlite_keyring_get_generation (sqlite_node_get_keyring (node));
  self->seals = g_ptr_array_new_with_free_func ((GDestroyNotify) sqlite_seal_free);
  return self;
}

/**
 * sqlite_sealer_free:
 * @self: (transfer full): a sealer
 */
void
sqlite_sealer_free (SqliteSealer *self)
{
  g_ptr_array_unref (self->seals);
  sqlite_node_unref (self->node);
  g_free (self);
}

/**
 * sqlite_sealer_get_node:
 * @self: a sealer
 *
 * Returns: (transfer none): what it shares with others
 */
SqliteNode *
sqlite_sealer_get_node (SqliteSealer *self)
{
  return self->node;
}

/**
 * sqlite_sealer_find:
 * @self: a sealer
 * @id: number of a key
 *
 * Returns: (transfer none) (nullable): the seal of that key; %NULL when there is no such key, or
 * the file has no salt yet
 */
SqliteSeal *
sqlite_sealer_find (SqliteSealer *self, guint32 id)
{
  SqliteKeyring *keyring = sqlite_node_get_keyring (self->node);
  guint generation = sqlite_keyring_get_generation (keyring);
  guint8 salt[REEVE_STORAGE_SALT_SIZE] = { 0 };
  ReeveStorageKey key = { 0 };
  SqliteSeal *seal = NULL;

  if (generation != self->generation)
    g_ptr_array_set_size (self->seals, 0);
  self->generation = generation;
  for (guint i = 0; i < self->seals->len; i++)
    if (sqlite_seal_get_id (g_ptr_array_index (self->seals, i)) == id)
      return g_ptr_array_index (self->seals, i);
  if (!sqlite_node_get_salt (self->node, salt) || !sqlite_keyring_get (keyring, id, &key, NULL))
    return NULL;
  seal = sqlite_seal_new (&key, salt);
  explicit_bzero (&key, sizeof key);
  if (seal != NULL)
    g_ptr_array_add (self->seals, seal);
  return seal;
}

/**
 * sqlite_sealer_get_current:
 * @self: a sealer
 *
 * Returns: (transfer none) (nullable): the seal of the current key; a file without a salt gets one
 */
SqliteSeal *
sqlite_sealer_get_current (SqliteSealer *self)
{
  guint8 salt[REEVE_STORAGE_SALT_SIZE] = { 0 };

  if (!sqlite_node_need_salt (self->node, salt))
    return NULL;
  return sqlite_sealer_find (self,
                             sqlite_keyring_get_current (sqlite_node_get_keyring (self->node)));
}

/**
 * sqlite_sealer_close_page:
 * @self: a sealer
 * @place: where the page goes
 * @plain: the page
 * @sealed: (out caller-allocates): as it goes to disk
 *
 * Seals a page by the current key.
 *
 * Returns: an SQLite result code
 */
int
sqlite_sealer_close_page (SqliteSealer *self, const SqliteSealPlace *place, const guint8 *plain,
                          guint8 *sealed)
{
  SqliteSeal *seal = sqlite_sealer_get_current (self);

  if (seal == NULL || !sqlite_keyring_count (sqlite_node_get_keyring (self->node))
      || !sqlite_seal_close (seal, place, plain, sealed))
    {
      sqlite_node_set_fault (self->node, "page %u of %s cannot be sealed", place->page,
                             sqlite_node_get_path (self->node));
      return SQLITE_IOERR_AUTH;
    }
  return SQLITE_OK;
}

/**
 * sqlite_sealer_open_page:
 * @self: a sealer
 * @place: where the page was read
 * @sealed: as it lies on disk; clobbered
 * @plain: (out caller-allocates): the page; zeros when it does not open
 *
 * Opens a page by the key that it names.
 *
 * Returns: an SQLite result code: SQLITE_IOERR_AUTH without that key, SQLITE_IOERR_DATA when it is
 * not what was written there
 */
int
sqlite_sealer_open_page (SqliteSealer *self, const SqliteSealPlace *place, guint8 *sealed,
                         guint8 *plain)
{
  guint32 id = sqlite_seal_read_id (sealed);
  SqliteSeal *seal = sqlite_sealer_find (self, id);
  const char *path = sqlite_node_get_path (self->node);

  if (seal != NULL && sqlite_seal_open (seal, place, sealed, plain))
    return SQLITE_OK;
  memset (plain, 0, SQLITE_SEAL_PAGE);
  if (seal != NULL)
    sqlite_node_set_fault (self->node, "page %u of %s is damaged: it is not what was written there",
                           place->page, path);
  else
    sqlite_node_set_fault (self->node,
                           "page %u of %s is sealed by key %u, which is not there, or damaged",
                           place->page, path, id);
  return seal != NULL ? SQLITE_IOERR_DATA : SQLITE_IOERR_AUTH;
}

/**
 * sqlite_sealer_is_free:
 * @page: a page
 *
 * Returns: whether its last 32 bytes are zero, as they must be before it is sealed
 */
gboolean
sqlite_sealer_is_free (const guint8 *page)
{
  static const guint8 zeros[SQLITE_SEAL_TRAILER];

  return memcmp (page + SQLITE_SEAL_USABLE, zeros, sizeof zeros) == 0;
}
