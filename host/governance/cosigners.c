/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cosignatures by C2SP tlog-cosignature, cosignature/v1: Ed25519 over the time and the text of a
 * checkpoint. ML-DSA-44, the other kind, is not known here: such a key is refused, such a line is
 * passed over as one of an unknown key. */
#include "cosigners.h"

#include <string.h>

#include "base/digests.h"

#include "ledger-key-pair.h"

/* algorithm byte of cosignature/v1 in C2SP signed notes */
#define REEVE_COSIGNERS_ALGORITHM 0x04

/* key id, time, signature: as they stand in base64 behind the key's name */
#define REEVE_COSIGNERS_BLOB (4 + 8 + REEVE_LEDGER_KEY_SIGNATURE_SIZE)

/* em dash and space */
#define REEVE_COSIGNERS_DASH "\xe2\x80\x94 "

typedef struct
{
  char *name;
  guint8 id[4];
  ReeveLedgerKeyPair *pair;
} ReeveCosigner;

struct _ReeveCosigners
{
  GPtrArray *keys; /* of ReeveCosigner */
};

static void
reeve_cosigners_key_free (gpointer data)
{
  ReeveCosigner *key = data;

  g_free (key->name);
  g_clear_pointer (&key->pair, reeve_ledger_key_pair_unref);
  g_free (key);
}

/* Bytes of base64 in the one spelling that they have; NULL when it is another. */
static guint8 *
reeve_cosigners_decode (const char *text, gsize wanted)
{
  gsize length = 0;
  g_autofree guint8 *data = g_base64_decode (text, &length);
  g_autofree char *again = g_base64_encode (data, length);

  return length == wanted && strcmp (again, text) == 0 ? g_steal_pointer (&data) : NULL;
}

/* SHA-256 (name | LF | algorithm | public key), first four bytes */
static void
reeve_cosigners_compute_id (const char *name, const guint8 *raw, gsize length, guint8 id[4])
{
  g_autoptr (GByteArray) text = g_byte_array_new ();
  guint8 digest[REEVE_DIGESTS_LENGTH];

  g_byte_array_append (text, (const guint8 *) name, (guint) strlen (name));
  g_byte_array_append (text, (const guint8 *) "\n", 1);
  g_byte_array_append (text, raw, (guint) length);
  reeve_digests_sha256 (text->data, text->len, digest);
  memcpy (id, digest, 4);
}

/* (nullable) (transfer full) */
static ReeveCosigner *
reeve_cosigners_parse_key (const char *vkey, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (vkey, "+", 3);
  g_autofree guint8 *raw = NULL;
  g_autofree char *id = NULL;
  ReeveCosigner *key = NULL;
  guint8 digest[4];

  if (g_strv_length (parts) == 3 && *parts[0] != '\0' && strpbrk (parts[0], " \t\r\n") == NULL)
    raw = reeve_cosigners_decode (parts[2], 1 + REEVE_LEDGER_KEY_PUBLIC_SIZE);
  if (raw == NULL || raw[0] != REEVE_COSIGNERS_ALGORITHM)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "\"%s\" is no key of a witness: name+id+base64, of Ed25519 cosignatures", vkey);
      return NULL;
    }
  reeve_cosigners_compute_id (parts[0], raw, 1 + REEVE_LEDGER_KEY_PUBLIC_SIZE, digest);
  id = reeve_digests_hex (digest, sizeof digest);
  if (strcmp (id, parts[1]) != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "the key of the witness \"%s\" does not fit its name and id", parts[0]);
      return NULL;
    }
  key = g_new0 (ReeveCosigner, 1);
  key->name = g_strdup (parts[0]);
  memcpy (key->id, digest, sizeof key->id);
  key->pair = reeve_ledger_key_pair_new_from_public (raw + 1, error);
  if (key->pair != NULL)
    return key;
  reeve_cosigners_key_free (key);
  return NULL;
}

/**
 * reeve_cosigners_new:
 * @vkeys: verifier keys of C2SP signed notes, `name+id+base64`
 * @error: return location
 *
 * Returns: (transfer full): the keys, in that order; %NULL with %REEVE_ERROR_INVALID_ARGUMENT when
 * one is none or stands twice, or there are more than %REEVE_COSIGNERS_MAX
 */
ReeveCosigners *
reeve_cosigners_new (const char *const *vkeys, GError **error)
{
  g_autoptr (ReeveCosigners) self = g_new0 (ReeveCosigners, 1);

  self->keys = g_ptr_array_new_with_free_func (reeve_cosigners_key_free);
  for (guint i = 0; vkeys[i] != NULL; i++)
    {
      ReeveCosigner *key = reeve_cosigners_parse_key (vkeys[i], error);

      if (key == NULL)
        return NULL;
      g_ptr_array_add (self->keys, key);
      /* one who signs under two names is one all the same */
      for (guint j = 0; j < i; j++)
        if (memcmp (((ReeveCosigner *) self->keys->pdata[j])->pair->public_bytes,
                    key->pair->public_bytes, REEVE_LEDGER_KEY_PUBLIC_SIZE)
            == 0)
          {
            g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                         "the key of the witness \"%s\" stands there twice", key->name);
            return NULL;
          }
    }
  if (self->keys->len <= REEVE_COSIGNERS_MAX)
    return g_steal_pointer (&self);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there are more than %d witnesses",
               REEVE_COSIGNERS_MAX);
  return NULL;
}

/**
 * reeve_cosigners_free:
 * @self: (transfer full): keys
 */
void
reeve_cosigners_free (ReeveCosigners *self)
{
  g_ptr_array_unref (self->keys);
  g_free (self);
}

guint
reeve_cosigners_count (const ReeveCosigners *self)
{
  return self->keys->len;
}

/**
 * reeve_cosigners_get_name:
 * @self: keys
 * @number: which, from 0
 *
 * Returns: (transfer none): its name, as in signature lines
 */
const char *
reeve_cosigners_get_name (const ReeveCosigners *self, guint number)
{
  return ((ReeveCosigner *) g_ptr_array_index (self->keys, number))->name;
}

/* Key id, time and signature, if the line is of that key by name and id. */
static guint8 *
reeve_cosigners_take (const ReeveCosigner *key, const char *line)
{
  g_autofree char *start = g_strconcat (REEVE_COSIGNERS_DASH, key->name, " ", NULL);
  g_autofree guint8 *blob = NULL;

  if (!g_str_has_prefix (line, start))
    return NULL;
  blob = reeve_cosigners_decode (line + strlen (start), REEVE_COSIGNERS_BLOB);
  return blob != NULL && memcmp (blob, key->id, sizeof key->id) == 0 ? g_steal_pointer (&blob)
                                                                     : NULL;
}

/**
 * reeve_cosigners_find:
 * @self: keys
 * @line: a signature line, without its end
 * @number: (out): whose it says it is
 *
 * Returns: whether it is of one of the keys by name and id; whether the signature is good is not
 * looked at
 */
gboolean
reeve_cosigners_find (const ReeveCosigners *self, const char *line, guint *number)
{
  for (guint i = 0; i < self->keys->len; i++)
    {
      g_autofree guint8 *blob = reeve_cosigners_take (g_ptr_array_index (self->keys, i), line);

      *number = i;
      if (blob != NULL)
        return TRUE;
    }
  return FALSE;
}

/**
 * reeve_cosigners_check_line:
 * @self: keys
 * @number: which of them
 * @body: text of a checkpoint with its last line end, without signatures
 * @line: a signature line, without its end
 * @error: return location
 *
 * Returns: seconds since 1970 when it was cosigned; 0 with %REEVE_ERROR_CORRUPT when @line is not
 * that key's cosignature over @body
 */
guint64
reeve_cosigners_check_line (const ReeveCosigners *self, guint number, const char *body,
                            const char *line, GError **error)
{
  const ReeveCosigner *key = g_ptr_array_index (self->keys, number);
  g_autofree guint8 *blob = reeve_cosigners_take (key, line);
  g_autofree char *text = NULL;
  guint64 time = 0;

  for (guint i = 0; blob != NULL && i < sizeof time; i++)
    time = time << 8 | blob[sizeof key->id + i];
  text = g_strdup_printf ("cosignature/v1\ntime %" G_GUINT64_FORMAT "\n%s", time, body);
  if (time > 0 && time <= G_MAXINT64
      && reeve_ledger_key_pair_verify (key->pair, text, strlen (text),
                                       blob + sizeof key->id + sizeof time))
    return time;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "the cosignature of the witness \"%s\" is not over this checkpoint", key->name);
  return 0;
}

/**
 * reeve_cosigners_check:
 * @self: keys
 * @note: a signed note
 * @times: (out caller-allocates): for each key when it has cosigned, 0 when it has not
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when a line says it is of one of the keys and is not
 */
gboolean
reeve_cosigners_check (const ReeveCosigners *self, const char *note, guint64 *times, GError **error)
{
  const char *end = strstr (note, "\n\n");
  g_autofree char *body = end != NULL ? g_strndup (note, (gsize) (end - note) + 1) : NULL;
  g_auto (GStrv) lines = g_strsplit (end != NULL ? end + 2 : "", "\n", -1);
  guint number = 0;

  memset (times, 0, self->keys->len * sizeof *times);
  for (guint i = 0; lines[i] != NULL; i++)
    if (reeve_cosigners_find (self, lines[i], &number))
      {
        times[number] = reeve_cosigners_check_line (self, number, body, lines[i], error);
        if (times[number] == 0)
          return FALSE;
      }
  return TRUE;
}
