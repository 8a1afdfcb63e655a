/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A temporary file (sorting, VACUUM, statement journals) under a key that nobody else has: it is
 * random and never leaves memory, as do nonces and tags, so that what is left of such a file after
 * a crash is noise. Chunks of 4 KiB, each encrypted in its place. */
#include "sqlite-temp.h"

#include "sqlite-random.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define TEMP_KEY   32
#define TEMP_CHUNK 4096
#define TEMP_NONCE 12
#define TEMP_TAG   16

typedef struct
{
  guint8 nonce[TEMP_NONCE];
  guint8 tag[TEMP_TAG];
} SqliteTempSeal;

struct _SqliteTemp
{
  sqlite3_file *real;
  gnutls_aead_cipher_hd_t cipher;
  GArray *seals; /* of SqliteTempSeal, by chunk */
  gint64 size;
  guint8 sealed[TEMP_CHUNK + TEMP_TAG];
  guint8 plain[TEMP_CHUNK];
};

/**
 * sqlite_temp_new:
 * @real: the open, empty file below; outlives this
 *
 * Returns: (transfer full): its content; %NULL where there is no randomness
 */
SqliteTemp *
sqlite_temp_new (sqlite3_file *real)
{
  g_autoptr (SqliteTemp) self = g_new0 (SqliteTemp, 1);
  guint8 key[TEMP_KEY] = { 0 };
  const gnutls_datum_t datum = { key, sizeof key };
  gboolean made = FALSE;

  self->real = real;
  self->seals = g_array_new (FALSE, FALSE, sizeof (SqliteTempSeal));
  made = sqlite_random_fill (key, sizeof key)
         && gnutls_aead_cipher_init (&self->cipher, GNUTLS_CIPHER_AES_256_GCM, &datum) == 0;
  explicit_bzero (key, sizeof key);
  return made ? g_steal_pointer (&self) : NULL;
}

/**
 * sqlite_temp_free:
 * @self: (transfer full): a temporary file's content, lost with this
 */
void
sqlite_temp_free (SqliteTemp *self)
{
  if (self->cipher != NULL)
    gnutls_aead_cipher_deinit (self->cipher);
  g_array_unref (self->seals);
  explicit_bzero (self->plain, sizeof self->plain);
  g_free (self);
}

/* chunk @number into @plain; what was never written is zero */
static int
sqlite_temp_load (SqliteTemp *self, gint64 number)
{
  const SqliteTempSeal *seal = NULL;
  guint64 place = GUINT64_TO_BE ((guint64) number);
  gsize length = TEMP_CHUNK;
  int code = SQLITE_OK;

  memset (self->plain, 0, sizeof self->plain);
  if (number >= self->seals->len)
    return SQLITE_OK;
  seal = &g_array_index (self->seals, SqliteTempSeal, number);
  code = self->real->pMethods->xRead (self->real, self->sealed, TEMP_CHUNK, number * TEMP_CHUNK);
  if (code != SQLITE_OK)
    return code == SQLITE_IOERR_SHORT_READ ? SQLITE_IOERR_DATA : code;
  memcpy (self->sealed + TEMP_CHUNK, seal->tag, TEMP_TAG);
  if (gnutls_aead_cipher_decrypt (self->cipher, seal->nonce, TEMP_NONCE, &place, sizeof place,
                                  TEMP_TAG, self->sealed, sizeof self->sealed, self->plain, &length)
      == 0)
    return SQLITE_OK;
  memset (self->plain, 0, sizeof self->plain);
  return SQLITE_IOERR_DATA;
}

/* @plain as chunk @number, which is at most the next one */
static int
sqlite_temp_store (SqliteTemp *self, gint64 number)
{
  SqliteTempSeal seal = { 0 };
  guint64 place = GUINT64_TO_BE ((guint64) number);
  gsize length = sizeof self->sealed;
  int code = SQLITE_OK;

  if (!sqlite_random_fill (seal.nonce, TEMP_NONCE)
      || gnutls_aead_cipher_encrypt (self->cipher, seal.nonce, TEMP_NONCE, &place, sizeof place,
                                     TEMP_TAG, self->plain, TEMP_CHUNK, self->sealed, &length)
             != 0)
    return SQLITE_IOERR_WRITE;
  code = self->real->pMethods->xWrite (self->real, self->sealed, TEMP_CHUNK, number * TEMP_CHUNK);
  if (code != SQLITE_OK)
    return code;
  memcpy (seal.tag, self->sealed + TEMP_CHUNK, TEMP_TAG);
  if (number >= self->seals->len)
    g_array_set_size (self->seals, (guint) number + 1);
  g_array_index (self->seals, SqliteTempSeal, number) = seal;
  return SQLITE_OK;
}

/**
 * sqlite_temp_read:
 * @self: a temporary file's content
 * @data: where to
 * @length: of what is read
 * @offset: of what is read
 *
 * Returns: an SQLite result code
 */
int
sqlite_temp_read (SqliteTemp *self, guint8 *data, int length, gint64 offset)
{
  gint64 end = MIN (offset + length, self->size);

  memset (data, 0, (gsize) length);
  for (gint64 at = offset; at < end;)
    {
      gint64 skip = at % TEMP_CHUNK;
      gint64 n = MIN (TEMP_CHUNK - skip, end - at);
      int code = sqlite_temp_load (self, at / TEMP_CHUNK);

      if (code != SQLITE_OK)
        return code;
      memcpy (data + (at - offset), self->plain + skip, (gsize) n);
      at += n;
    }
  return end < offset + length ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

/**
 * sqlite_temp_write:
 * @self: a temporary file's content
 * @data: what is written
 * @length: of it
 * @offset: of it
 *
 * Returns: an SQLite result code
 */
int
sqlite_temp_write (SqliteTemp *self, const guint8 *data, int length, gint64 offset)
{
  int code = SQLITE_OK;

  /* no holes: what is skipped is zeros, encrypted */
  memset (self->plain, 0, sizeof self->plain);
  for (gint64 n = self->seals->len; code == SQLITE_OK && n < offset / TEMP_CHUNK; n++)
    code = sqlite_temp_store (self, n);
  for (gint64 at = offset; code == SQLITE_OK && at < offset + length;)
    {
      gint64 skip = at % TEMP_CHUNK;
      gint64 n = MIN (TEMP_CHUNK - skip, offset + length - at);

      if (n < TEMP_CHUNK)
        code = sqlite_temp_load (self, at / TEMP_CHUNK);
      if (code != SQLITE_OK)
        return code;
      memcpy (self->plain + skip, data + (at - offset), (gsize) n);
      code = sqlite_temp_store (self, at / TEMP_CHUNK);
      at += n;
    }
  if (code == SQLITE_OK)
    self->size = MAX (self->size, offset + length);
  return code;
}

/**
 * sqlite_temp_truncate:
 * @self: a temporary file's content
 * @size: to cut it to, if it is longer
 *
 * Returns: an SQLite result code
 */
int
sqlite_temp_truncate (SqliteTemp *self, gint64 size)
{
  gint64 chunks = (size + TEMP_CHUNK - 1) / TEMP_CHUNK;
  gint64 skip = size % TEMP_CHUNK;
  int code = SQLITE_OK;

  if (size >= self->size)
    return SQLITE_OK;
  if (skip > 0)
    {
      code = sqlite_temp_load (self, chunks - 1);
      memset (self->plain + skip, 0, (gsize) (TEMP_CHUNK - skip));
      if (code == SQLITE_OK)
        code = sqlite_temp_store (self, chunks - 1);
    }
  if (code == SQLITE_OK)
    code = self->real->pMethods->xTruncate (self->real, chunks * TEMP_CHUNK);
  if (code != SQLITE_OK)
    return code;
  g_array_set_size (self->seals, (guint) chunks);
  self->size = size;
  return SQLITE_OK;
}

/**
 * sqlite_temp_get_size:
 * @self: a temporary file's content
 *
 * Returns: its length
 */
gint64
sqlite_temp_get_size (SqliteTemp *self)
{
  return self->size;
}
