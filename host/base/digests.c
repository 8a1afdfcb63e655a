/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GnuTLS rather than GChecksum: four times as fast, and one library to certify. A failure of these
 * primitives means a broken library, so they end the process instead of returning an error nobody
 * checks. */
#include "digests.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <reeve-error.h>
#include <string.h>
#include <unistd.h>

struct _ReeveDigests
{
  gnutls_hash_hd_t hash;
};

static void
reeve_digests_must (int result, const char *what)
{
  if (result < 0)
    g_error ("%s: %s", what, gnutls_strerror (result));
}

/**
 * reeve_digests_sha256:
 * @data: bytes
 * @length: how many
 * @digest: (out): their SHA-256 (FIPS 180-4)
 */
void
reeve_digests_sha256 (gconstpointer data, gsize length, guint8 digest[REEVE_DIGESTS_LENGTH])
{
  reeve_digests_must (gnutls_hash_fast (GNUTLS_DIG_SHA256, data, length, digest), "sha-256");
}

/**
 * reeve_digests_sha256_hex:
 * @data: bytes
 * @length: how many
 *
 * Returns: (transfer full): their SHA-256, 64 lower-case digits
 */
char *
reeve_digests_sha256_hex (gconstpointer data, gsize length)
{
  guint8 digest[REEVE_DIGESTS_LENGTH];

  reeve_digests_sha256 (data, length, digest);
  return reeve_digests_hex (digest, sizeof digest);
}

/**
 * reeve_digests_sha256_fd:
 * @fd: an open file, read from where it stands to its end
 * @digest: (out): SHA-256 of what was read
 * @error: return location
 *
 * Hashing the descriptor, not the name, lets a caller use the same file afterwards.
 *
 * Returns: %FALSE when reading fails
 */
gboolean
reeve_digests_sha256_fd (int fd, guint8 digest[REEVE_DIGESTS_LENGTH], GError **error)
{
  g_autoptr (ReeveDigests) self = reeve_digests_begin ();
  g_autofree guint8 *block = g_malloc (64 * 1024);

  for (;;)
    {
      gssize got = read (fd, block, 64 * 1024);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        {
          int code = errno;
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "reading: %s", g_strerror (code));
          return FALSE;
        }
      if (got == 0)
        break;
      reeve_digests_update (self, block, (gsize) got);
    }
  reeve_digests_finish (self, digest);
  return TRUE;
}

/**
 * reeve_digests_hmac_sha256:
 * @key: key bytes
 * @key_length: how many
 * @data: bytes
 * @length: how many
 * @mac: (out): HMAC-SHA-256 (RFC 2104)
 */
void
reeve_digests_hmac_sha256 (gconstpointer key, gsize key_length, gconstpointer data, gsize length,
                           guint8 mac[REEVE_DIGESTS_LENGTH])
{
  reeve_digests_must (gnutls_hmac_fast (GNUTLS_MAC_SHA256, key, key_length, data, length, mac),
                      "hmac-sha-256");
}

/**
 * reeve_digests_begin:
 *
 * Returns: (transfer full): an empty SHA-256, fed by reeve_digests_update()
 */
ReeveDigests *
reeve_digests_begin (void)
{
  ReeveDigests *self = g_new0 (ReeveDigests, 1);

  reeve_digests_must (gnutls_hash_init (&self->hash, GNUTLS_DIG_SHA256), "sha-256");
  return self;
}

/**
 * reeve_digests_update:
 * @self: a digest in the making
 * @data: next bytes
 * @length: how many
 */
void
reeve_digests_update (ReeveDigests *self, gconstpointer data, gsize length)
{
  if (length > 0)
    reeve_digests_must (gnutls_hash (self->hash, data, length), "sha-256");
}

/**
 * reeve_digests_finish:
 * @self: a digest in the making; begins anew afterwards
 * @digest: (out): SHA-256 of all bytes fed since the beginning
 */
void
reeve_digests_finish (ReeveDigests *self, guint8 digest[REEVE_DIGESTS_LENGTH])
{
  gnutls_hash_output (self->hash, digest);
}

/**
 * reeve_digests_free:
 * @self: (transfer full): a digest in the making
 */
void
reeve_digests_free (ReeveDigests *self)
{
  gnutls_hash_deinit (self->hash, NULL);
  g_free (self);
}

/**
 * reeve_digests_equal:
 * @a: bytes
 * @b: bytes
 * @length: how many of both
 *
 * Returns: whether they are equal, in a time that does not tell where they differ
 */
gboolean
reeve_digests_equal (gconstpointer a, gconstpointer b, gsize length)
{
  return gnutls_memcmp (a, b, length) == 0;
}

/**
 * reeve_digests_equal_text:
 * @a: text
 * @b: text
 *
 * As reeve_digests_equal(), on digests of both texts, so that not even their lengths show.
 *
 * Returns: whether they are equal
 */
gboolean
reeve_digests_equal_text (const char *a, const char *b)
{
  guint8 digest_a[REEVE_DIGESTS_LENGTH], digest_b[REEVE_DIGESTS_LENGTH];

  reeve_digests_sha256 (a, strlen (a), digest_a);
  reeve_digests_sha256 (b, strlen (b), digest_b);
  return reeve_digests_equal (digest_a, digest_b, sizeof digest_a);
}

/**
 * reeve_digests_write_hex:
 * @data: bytes
 * @length: how many
 * @hex: (out): two lower-case digits for each byte, and a NUL
 */
void
reeve_digests_write_hex (gconstpointer data, gsize length, char *hex)
{
  static const char digits[] = "0123456789abcdef";
  const guint8 *bytes = data;

  for (gsize i = 0; i < length; i++)
    {
      hex[2 * i] = digits[bytes[i] >> 4];
      hex[2 * i + 1] = digits[bytes[i] & 15];
    }
  hex[2 * length] = '\0';
}

/**
 * reeve_digests_hex:
 * @data: bytes
 * @length: how many
 *
 * Returns: (transfer full): two lower-case digits for each byte
 */
char *
reeve_digests_hex (gconstpointer data, gsize length)
{
  char *hex = g_malloc (2 * length + 1);

  reeve_digests_write_hex (data, length, hex);
  return hex;
}

/**
 * reeve_digests_from_hex:
 * @hex: hexadecimal digits, either case
 * @out: (out): receives the bytes
 * @length: how many bytes there must be
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when @hex is not exactly 2 * @length digits
 */
gboolean
reeve_digests_from_hex (const char *hex, guint8 *out, gsize length, GError **error)
{
  gboolean good = strnlen (hex, 2 * length + 1) == 2 * length;

  for (gsize i = 0; good && i < length; i++)
    {
      int high = g_ascii_xdigit_value (hex[2 * i]);
      int low = g_ascii_xdigit_value (hex[2 * i + 1]);
      good = high >= 0 && low >= 0;
      out[i] = good ? (guint8) (high << 4 | low) : 0;
    }
  if (!good)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                 "not %" G_GSIZE_FORMAT " hexadecimal digits", 2 * length);
  return good;
}
