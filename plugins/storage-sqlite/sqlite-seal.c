/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a page is sealed. On disk it is [content, encrypted][key id 4][nonce 12][tag 16]; the nonce
 * is random, never a counter, since a counter repeats itself in a restored copy. Keys are derived
 * for each file by HMAC-SHA256 (data key, label | file salt), one for pages, one for single blocks.
 * The tag covers where the page stands as well. Of the file's first page bytes 0 to 15 are the
 * file's salt, 16 to 23 stay readable, for SQLite looks there before anything else, and are covered
 * by the tag. */
#include "sqlite-seal.h"

#include "sqlite-random.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define SEAL_AAD         49
#define SEAL_SUBKEY      32
#define SEAL_READABLE    16 /* bytes of page 1 that are seen: from here */
#define SEAL_READABLE_TO 24
#define SEAL_AT_NONCE    (SQLITE_SEAL_USABLE + 4)
#define SEAL_AT_TAG      (SQLITE_SEAL_PAGE - SQLITE_SEAL_TAG)

static const guint8 seal_magic[SEAL_READABLE] = "SQLite format 3";

struct _SqliteSeal
{
  guint32 id;
  guint8 salt[REEVE_STORAGE_SALT_SIZE];
  gnutls_aead_cipher_hd_t pages;
  gnutls_cipher_hd_t blocks;
};

static gboolean
sqlite_seal_derive (const ReeveStorageKey *key, const char *label, const guint8 *salt,
                    guint8 *subkey)
{
  g_autofree guint8 *text = g_malloc (strlen (label) + REEVE_STORAGE_SALT_SIZE);

  memcpy (text, label, strlen (label));
  memcpy (text + strlen (label), salt, REEVE_STORAGE_SALT_SIZE);
  return gnutls_hmac_fast (GNUTLS_MAC_SHA256, key->bytes, sizeof key->bytes, text,
                           strlen (label) + REEVE_STORAGE_SALT_SIZE, subkey)
         == 0;
}

/**
 * sqlite_seal_new:
 * @key: a data key
 * @salt: of the file, %REEVE_STORAGE_SALT_SIZE bytes
 *
 * Returns: (transfer full): what seals the pages of that file by that key; used by one thread at a
 * time; %NULL where the library refuses
 */
SqliteSeal *
sqlite_seal_new (const ReeveStorageKey *key, const guint8 *salt)
{
  g_autoptr (SqliteSeal) self = g_new0 (SqliteSeal, 1);
  guint8 zero[SQLITE_SEAL_BLOCK] = { 0 };
  guint8 page_key[SEAL_SUBKEY] = { 0 };
  guint8 block_key[SEAL_SUBKEY] = { 0 };
  const gnutls_datum_t pages = { page_key, sizeof page_key };
  const gnutls_datum_t blocks = { block_key, sizeof block_key };
  const gnutls_datum_t iv = { zero, sizeof zero };
  gboolean made = FALSE;

  self->id = key->id;
  memcpy (self->salt, salt, sizeof self->salt);
  made = sqlite_seal_derive (key, "reeve store pages 1", salt, page_key)
         && sqlite_seal_derive (key, "reeve store blocks 1", salt, block_key)
         && gnutls_aead_cipher_init (&self->pages, GNUTLS_CIPHER_AES_256_GCM, &pages) == 0
         && gnutls_cipher_init (&self->blocks, GNUTLS_CIPHER_AES_256_CBC, &blocks, &iv) == 0;
  explicit_bzero (page_key, sizeof page_key);
  explicit_bzero (block_key, sizeof block_key);
  return made ? g_steal_pointer (&self) : NULL;
}

/**
 * sqlite_seal_free:
 * @self: (transfer full): a seal
 *
 * Forgets the keys; the library wipes them.
 */
void
sqlite_seal_free (SqliteSeal *self)
{
  if (self->pages != NULL)
    gnutls_aead_cipher_deinit (self->pages);
  if (self->blocks != NULL)
    gnutls_cipher_deinit (self->blocks);
  g_free (self);
}

/**
 * sqlite_seal_get_id:
 * @self: a seal
 *
 * Returns: number of its key
 */
guint32
sqlite_seal_get_id (SqliteSeal *self)
{
  return self->id;
}

static gboolean
sqlite_seal_is_first (const SqliteSealPlace *place)
{
  return place->kind == SQLITE_SEAL_MAIN && place->page == 1;
}

/* kind | page | position | file salt | salts of the log | key id | bytes 16 to 23 of page 1 */
static void
sqlite_seal_write_aad (SqliteSeal *self, const SqliteSealPlace *place, const guint8 *page,
                       guint8 *aad)
{
  guint32 number = GUINT32_TO_BE (place->page);
  guint64 position = GUINT64_TO_BE ((guint64) place->position);
  guint32 id = GUINT32_TO_BE (self->id);

  memset (aad, 0, SEAL_AAD);
  aad[0] = (guint8) place->kind;
  memcpy (aad + 1, &number, 4);
  memcpy (aad + 5, &position, 8);
  memcpy (aad + 13, self->salt, REEVE_STORAGE_SALT_SIZE);
  memcpy (aad + 29, place->salts, SQLITE_SEAL_SALTS);
  memcpy (aad + 37, &id, 4);
  if (sqlite_seal_is_first (place))
    memcpy (aad + 41, page + SEAL_READABLE, SEAL_READABLE_TO - SEAL_READABLE);
}

/**
 * sqlite_seal_close:
 * @self: a seal
 * @place: where the page goes
 * @plain: the page, whose last 32 bytes do not count
 * @sealed: (out caller-allocates): the page as it goes to disk
 *
 * Seals a page.
 *
 * Returns: %FALSE when that failed; nothing may be written then
 */
gboolean
sqlite_seal_close (SqliteSeal *self, const SqliteSealPlace *place, const guint8 *plain,
                   guint8 *sealed)
{
  gsize from = sqlite_seal_is_first (place) ? SEAL_READABLE_TO : 0;
  gsize length = SQLITE_SEAL_PAGE - from;
  guint32 id = GUINT32_TO_BE (self->id);
  guint8 nonce[SQLITE_SEAL_NONCE];
  guint8 aad[SEAL_AAD];

  if (!sqlite_random_fill (nonce, sizeof nonce))
    return FALSE;
  sqlite_seal_write_aad (self, place, plain, aad);
  /* the library puts the tag behind the content; it is moved to its place at the end */
  if (gnutls_aead_cipher_encrypt (self->pages, nonce, sizeof nonce, aad, sizeof aad,
                                  SQLITE_SEAL_TAG, plain + from, SQLITE_SEAL_USABLE - from,
                                  sealed + from, &length)
          != 0
      || length != SQLITE_SEAL_USABLE - from + SQLITE_SEAL_TAG)
    return FALSE;
  memcpy (sealed + SEAL_AT_TAG, sealed + SQLITE_SEAL_USABLE, SQLITE_SEAL_TAG);
  memcpy (sealed + SQLITE_SEAL_USABLE, &id, sizeof id);
  memcpy (sealed + SEAL_AT_NONCE, nonce, sizeof nonce);
  if (from > 0)
    {
      memcpy (sealed, self->salt, REEVE_STORAGE_SALT_SIZE);
      memcpy (sealed + SEAL_READABLE, plain + SEAL_READABLE, SEAL_READABLE_TO - SEAL_READABLE);
    }
  return TRUE;
}

/**
 * sqlite_seal_open:
 * @self: a seal
 * @place: where the page was read
 * @sealed: the page as it lies on disk; clobbered
 * @plain: (out caller-allocates): the page, its last 32 bytes zero; zeros when it does not open
 *
 * Opens a page.
 *
 * Returns: %FALSE when it is not what was sealed at that place by that key
 */
gboolean
sqlite_seal_open (SqliteSeal *self, const SqliteSealPlace *place, guint8 *sealed, guint8 *plain)
{
  gsize from = sqlite_seal_is_first (place) ? SEAL_READABLE_TO : 0;
  gsize length = SQLITE_SEAL_USABLE - from;
  guint8 nonce[SQLITE_SEAL_NONCE];
  guint8 aad[SEAL_AAD];

  sqlite_seal_write_aad (self, place, sealed, aad);
  memcpy (nonce, sealed + SEAL_AT_NONCE, sizeof nonce);
  memcpy (sealed + SQLITE_SEAL_USABLE, sealed + SEAL_AT_TAG, SQLITE_SEAL_TAG);
  if ((from > 0 && memcmp (sealed, self->salt, REEVE_STORAGE_SALT_SIZE) != 0)
      || gnutls_aead_cipher_decrypt (self->pages, nonce, sizeof nonce, aad, sizeof aad,
                                     SQLITE_SEAL_TAG, sealed + from, length + SQLITE_SEAL_TAG,
                                     plain + from, &length)
             != 0)
    {
      memset (plain, 0, SQLITE_SEAL_PAGE);
      return FALSE;
    }
  if (from > 0)
    {
      memcpy (plain, seal_magic, SEAL_READABLE);
      memcpy (plain + SEAL_READABLE, sealed + SEAL_READABLE, SEAL_READABLE_TO - SEAL_READABLE);
    }
  memset (plain + SQLITE_SEAL_USABLE, 0, SQLITE_SEAL_TRAILER);
  return TRUE;
}

/**
 * sqlite_seal_cover:
 * @self: a seal
 * @block: 16 bytes, changed in place
 *
 * Encrypts one block: what SQLite keeps in a frame's header would tell a sum of the page.
 *
 * Returns: %FALSE when that failed
 */
gboolean
sqlite_seal_cover (SqliteSeal *self, guint8 *block)
{
  guint8 zero[SQLITE_SEAL_BLOCK] = { 0 };

  /* CBC of one block from zero is the bare cipher */
  gnutls_cipher_set_iv (self->blocks, zero, sizeof zero);
  return gnutls_cipher_encrypt (self->blocks, block, SQLITE_SEAL_BLOCK) == 0;
}

/**
 * sqlite_seal_uncover:
 * @self: a seal
 * @block: 16 bytes, changed in place
 *
 * Undoes sqlite_seal_cover().
 *
 * Returns: %FALSE when that failed
 */
gboolean
sqlite_seal_uncover (SqliteSeal *self, guint8 *block)
{
  guint8 zero[SQLITE_SEAL_BLOCK] = { 0 };

  gnutls_cipher_set_iv (self->blocks, zero, sizeof zero);
  return gnutls_cipher_decrypt (self->blocks, block, SQLITE_SEAL_BLOCK) == 0;
}

/**
 * sqlite_seal_read_id:
 * @sealed: a page as it lies on disk
 *
 * Returns: number of the key that it says it was sealed by
 */
guint32
sqlite_seal_read_id (const guint8 *sealed)
{
  guint32 id = 0;

  memcpy (&id, sealed + SQLITE_SEAL_USABLE, sizeof id);
  return GUINT32_FROM_BE (id);
}

/**
 * sqlite_seal_read_nonce:
 * @sealed: a page as it lies on disk
 *
 * Returns: (transfer none): its nonce
 */
const guint8 *
sqlite_seal_read_nonce (const guint8 *sealed)
{
  return sealed + SEAL_AT_NONCE;
}
