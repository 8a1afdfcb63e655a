/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identifiers carry no meaning: 128 random bits, so that nobody guesses a neighbour's and none has
 * to be coordinated between hosts. Base32 in lower case survives URLs, file names and case-folding.
 */
#include "ids.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <string.h>

/* random bytes that a thread has in stock: one draw costs as much as many bytes do */
#define REEVE_IDS_STOCK 512
/* hexadecimal digits of an id that was made of an issuer and a subject */
#define REEVE_IDS_DERIVED 32

/* RFC 4648 section 6, lower case, without padding */
static const char reeve_ids_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/**
 * reeve_ids_fill_random:
 * @data: where to write
 * @length: number of bytes
 *
 * Fills @data with bytes fit for keys, from GnuTLS' generator. Ends the process when the system
 * gives no randomness: nothing that needs it could go on safely.
 */
void
reeve_ids_fill_random (gpointer data, gsize length)
{
  int result = gnutls_rnd (GNUTLS_RND_KEY, data, length);
  if (result < 0)
    g_error ("no random bytes: %s", gnutls_strerror (result));
}

typedef struct
{
  guint8 bytes[REEVE_IDS_STOCK];
  gsize left; /* at the end */
  gint forks;
} ReeveIdsStock;

/* atomic: how often this process has become a child; its stock is its parent's too */
static gint reeve_ids_forks;

static void
reeve_ids_on_fork (void)
{
  g_atomic_int_inc (&reeve_ids_forks);
}

static ReeveIdsStock *
reeve_ids_get_stock (void)
{
  static GPrivate current = G_PRIVATE_INIT (g_free);
  static gsize watched = 0;
  ReeveIdsStock *stock = g_private_get (&current);

  if (stock != NULL)
    return stock;
  if (g_once_init_enter (&watched))
    {
      if (pthread_atfork (NULL, NULL, reeve_ids_on_fork) != 0)
        g_error ("no memory to watch forks");
      g_once_init_leave (&watched, 1);
    }
  stock = g_new0 (ReeveIdsStock, 1);
  g_private_set (&current, stock);
  return stock;
}

/**
 * reeve_ids_fill_name:
 * @data: where to write
 * @length: number of bytes
 *
 * Fills @data with bytes of the same generator, of a stock that the calling thread has: none is
 * given away twice, nor stays in the stock. For what is shown, not for keys.
 */
void
reeve_ids_fill_name (gpointer data, gsize length)
{
  ReeveIdsStock *stock = reeve_ids_get_stock ();
  gint forks = g_atomic_int_get (&reeve_ids_forks);
  guint8 *next = NULL;

  g_return_if_fail (length <= REEVE_IDS_STOCK);
  if (stock->left < length || stock->forks != forks)
    {
      reeve_ids_fill_random (stock->bytes, sizeof stock->bytes);
      stock->left = sizeof stock->bytes;
      stock->forks = forks;
    }
  next = stock->bytes + sizeof stock->bytes - stock->left;
  memcpy (data, next, length);
  memset (next, 0, length);
  stock->left -= length;
}

/**
 * reeve_ids_encode:
 * @data: bytes
 * @length: how many
 *
 * Returns: (transfer full): RFC 4648 base32, lower case, without padding
 */
char *
reeve_ids_encode (gconstpointer data, gsize length)
{
  const guint8 *bytes = data;
  gsize out_length = (length * 8 + 4) / 5;
  char *out = g_malloc (out_length + 1);
  guint32 buffer = 0;
  guint bits = 0;
  gsize at = 0;

  for (gsize i = 0; i < length; i++)
    {
      buffer = (buffer << 8) | bytes[i];
      bits += 8;
      while (bits >= 5)
        {
          bits -= 5;
          out[at++] = reeve_ids_alphabet[(buffer >> bits) & 31];
        }
    }
  if (bits > 0)
    out[at++] = reeve_ids_alphabet[(buffer << (5 - bits)) & 31];
  out[at] = '\0';
  return out;
}

/**
 * reeve_ids_new:
 * @kind: what is named, such as `run`: lower-case letters
 *
 * Returns: (transfer full): a new identifier, @kind, an underscore and 26 random characters
 */
char *
reeve_ids_new (const char *kind)
{
  guint8 random[16];

  reeve_ids_fill_name (random, sizeof random);
  g_autofree char *text = reeve_ids_encode (random, sizeof random);
  return g_strconcat (kind, "_", text, NULL);
}

/**
 * reeve_ids_new_uuid:
 *
 * Returns: (transfer full): a UUID of version 4 (RFC 9562 section 5.4), in lower case. GLib's own
 * come from a generator that can be predicted.
 */
char *
reeve_ids_new_uuid (void)
{
  static const char digits[] = "0123456789abcdef";
  guint8 random[16];
  GString *text = g_string_sized_new (36);

  reeve_ids_fill_name (random, sizeof random);
  random[6] = (guint8) ((random[6] & 0x0f) | 0x40);
  random[8] = (guint8) ((random[8] & 0x3f) | 0x80);
  for (guint i = 0; i < sizeof random; i++)
    {
      if (i == 4 || i == 6 || i == 8 || i == 10)
        g_string_append_c (text, '-');
      g_string_append_c (text, digits[random[i] >> 4]);
      g_string_append_c (text, digits[random[i] & 15]);
    }
  return g_string_free (text, FALSE);
}

/**
 * reeve_ids_new_secret:
 *
 * Returns: (transfer full): 256 random bits as 52 characters, for keys and tokens
 */
char *
reeve_ids_new_secret (void)
{
  guint8 random[32];

  reeve_ids_fill_random (random, sizeof random);
  char *text = reeve_ids_encode (random, sizeof random);
  gnutls_memset (random, 0, sizeof random);
  return text;
}

/**
 * reeve_ids_is_valid:
 * @id: (nullable): text from outside
 * @kind: the kind it must have
 *
 * Returns: whether @id has the form that reeve_ids_new() makes
 */
gboolean
reeve_ids_is_valid (const char *id, const char *kind)
{
  gsize kind_length = strlen (kind);

  if (id == NULL || strncmp (id, kind, kind_length) != 0 || id[kind_length] != '_')
    return FALSE;
  const char *tail = id + kind_length + 1;
  gsize length = strnlen (tail, REEVE_IDS_LENGTH + 1);
  return length == REEVE_IDS_LENGTH && strspn (tail, reeve_ids_alphabet) == length;
}

/* A digest in the place of the random part: who was let in by a token has it. */
static gboolean
reeve_ids_is_derived (const char *id)
{
  return g_str_has_prefix (id, "usr_") && strlen (id) == 4 + REEVE_IDS_DERIVED
         && strspn (id + 4, "0123456789abcdef") == REEVE_IDS_DERIVED;
}

/**
 * reeve_ids_is_made:
 * @id: (nullable): text from outside
 *
 * Returns: whether @id has the form of an id that a host makes, of whatever kind, and so says
 * nothing to who does not know it
 */
gboolean
reeve_ids_is_made (const char *id)
{
  static const char *const kinds[] = { "agt", "bud", "cnv", "doc", "elv", "gnt", "key", "ovr",
                                       "pri", "rep", "req", "run", "usr", "ver", "wsp" };

  if (id == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (reeve_ids_is_valid (id, kinds[i]))
      return TRUE;
  return reeve_ids_is_derived (id);
}

/**
 * reeve_ids_get_plain:
 * @id: (nullable): text from outside
 *
 * What is written into records is an id and nothing else: a text that does not look like one may be
 * anything, a name or an address among it.
 *
 * Returns: (transfer none) (nullable): @id, when it has at most 128 characters of those that ids
 * are made of
 */
const char *
reeve_ids_get_plain (const char *id)
{
  if (id == NULL || *id == '\0' || strlen (id) > 128)
    return NULL;
  return id[strspn (id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.:@/")] == '\0' ? id : NULL;
}
