/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The master key in memory. It is used only to seal and unseal: bytes go in, and out again only
 * into the place where it is kept. */
#include "master-key.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "base/digests.h"
#include "base/ids.h"
#include "key-arena.h"
#include "key-seal.h"

/* what a text of base64 may have around it */
#define REEVE_MASTER_KEY_WHITE " \t\r\n"
#define REEVE_MASTER_KEY_LABEL "reeve master key id"
#define REEVE_MASTER_KEY_ID    8

struct _ReeveMasterKey
{
  ReeveKeyArena *arena;
  guint8 *bytes;
  char *id;
};

static void
reeve_master_key_clear (gpointer data)
{
  ReeveMasterKey *self = data;

  reeve_key_arena_free (self->arena);
  g_free (self->id);
}

/**
 * reeve_master_key_new:
 * @bytes: the key; the caller wipes his copy
 *
 * Returns: (transfer full): it, in memory that is locked and wiped
 */
ReeveMasterKey *
reeve_master_key_new (const guint8 bytes[REEVE_MASTER_KEY_SIZE])
{
  ReeveMasterKey *self = g_atomic_rc_box_new0 (ReeveMasterKey);
  guint8 mac[REEVE_DIGESTS_LENGTH];

  self->arena = reeve_key_arena_new ();
  self->bytes = reeve_key_arena_take (self->arena);
  memcpy (self->bytes, bytes, REEVE_MASTER_KEY_SIZE);
  reeve_digests_hmac_sha256 (self->bytes, REEVE_MASTER_KEY_SIZE, REEVE_MASTER_KEY_LABEL,
                             strlen (REEVE_MASTER_KEY_LABEL), mac);
  self->id = reeve_digests_hex (mac, REEVE_MASTER_KEY_ID);
  return self;
}

/**
 * reeve_master_key_new_random:
 *
 * Returns: (transfer full): a new key
 */
ReeveMasterKey *
reeve_master_key_new_random (void)
{
  guint8 bytes[REEVE_MASTER_KEY_SIZE];
  ReeveMasterKey *self = NULL;

  reeve_ids_fill_random (bytes, sizeof bytes);
  self = reeve_master_key_new (bytes);
  explicit_bzero (bytes, sizeof bytes);
  return self;
}

/* Base64 of the standard alphabet with padding, one spelling only. */
static gboolean
reeve_master_key_decode (const char *text, gsize length, guint8 bytes[REEVE_MASTER_KEY_SIZE])
{
  guint8 decoded[(REEVE_MASTER_KEY_SIZE + 2) / 3 * 3 + 3] = { 0 };
  gsize digits = (REEVE_MASTER_KEY_SIZE * 8 + 5) / 6;
  gint state = 0;
  guint save = 0;
  gsize size = 0;

  if (length != digits + 1 || text[digits] != '=')
    return FALSE;
  for (gsize i = 0; i < digits; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '+' && text[i] != '/')
      return FALSE;
  size = g_base64_decode_step (text, length, decoded, &state, &save);
  if (size == REEVE_MASTER_KEY_SIZE)
    memcpy (bytes, decoded, REEVE_MASTER_KEY_SIZE);
  explicit_bzero (decoded, sizeof decoded);
  return size == REEVE_MASTER_KEY_SIZE;
}

/**
 * reeve_master_key_parse:
 * @data: what a source gave
 * @size: its bytes
 * @error: return location
 *
 * Returns: (transfer full): the key; %NULL with %REEVE_ERROR_CONFIGURATION when it is neither 32
 * bytes nor base64 of 32 bytes
 */
ReeveMasterKey *
reeve_master_key_parse (gconstpointer data, gsize size, GError **error)
{
  const char *text = data;
  guint8 bytes[REEVE_MASTER_KEY_SIZE];
  ReeveMasterKey *self = NULL;

  if (size == REEVE_MASTER_KEY_SIZE)
    return reeve_master_key_new (data);
  while (size > 0 && strchr (REEVE_MASTER_KEY_WHITE, text[size - 1]) != NULL)
    size--;
  while (size > 0 && strchr (REEVE_MASTER_KEY_WHITE, *text) != NULL)
    {
      text++;
      size--;
    }
  if (!reeve_master_key_decode (text, size, bytes))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "must be %u bytes, or base64 of %u bytes (head -c %u /dev/urandom | base64)",
                   REEVE_MASTER_KEY_SIZE, REEVE_MASTER_KEY_SIZE, REEVE_MASTER_KEY_SIZE);
      return NULL;
    }
  self = reeve_master_key_new (bytes);
  explicit_bzero (bytes, sizeof bytes);
  return self;
}

/**
 * reeve_master_key_ref:
 * @self: a key
 *
 * Returns: (transfer full): @self
 */
ReeveMasterKey *
reeve_master_key_ref (ReeveMasterKey *self)
{
  return g_atomic_rc_box_acquire (self);
}

/**
 * reeve_master_key_unref:
 * @self: (transfer full): a key; wiped with the last reference
 */
void
reeve_master_key_unref (ReeveMasterKey *self)
{
  g_atomic_rc_box_release_full (self, reeve_master_key_clear);
}

/**
 * reeve_master_key_get_id:
 * @self: a key
 *
 * Returns: its name in files and messages
 */
const char *
reeve_master_key_get_id (ReeveMasterKey *self)
{
  return self->id;
}

/**
 * reeve_master_key_to_text:
 * @self: a key
 *
 * Returns: (transfer full): it, as its file holds it; to be wiped
 */
char *
reeve_master_key_to_text (ReeveMasterKey *self)
{
  char *base64 = g_base64_encode (self->bytes, REEVE_MASTER_KEY_SIZE);
  char *text = g_strconcat (base64, "\n", NULL);

  explicit_bzero (base64, strlen (base64));
  g_free (base64);
  return text;
}

/**
 * reeve_master_key_seal:
 * @self: a key
 * @bound: what the seal holds to
 * @data: a secret
 * @length: its bytes
 * @error: return location
 *
 * Returns: (transfer full): as reeve_key_seal_close()
 */
char *
reeve_master_key_seal (ReeveMasterKey *self, const char *bound, gconstpointer data, gsize length,
                       GError **error)
{
  return reeve_key_seal_close (self->bytes, bound, data, length, error);
}

/**
 * reeve_master_key_unseal:
 * @self: a key
 * @bound: what the seal holds to
 * @sealed: what reeve_master_key_seal() made, or anything else
 * @data: (out caller-allocates): the secret
 * @size: bytes that fit there
 * @error: return location
 *
 * Returns: as reeve_key_seal_open()
 */
gssize
reeve_master_key_unseal (ReeveMasterKey *self, const char *bound, const char *sealed, gpointer data,
                         gsize size, GError **error)
{
  return reeve_key_seal_open (self->bytes, bound, sealed, data, size, error);
}
