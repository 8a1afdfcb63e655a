/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests against published vectors and against GChecksum. */
#include "base/digests.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <reeve-error.h>
#include <string.h>
#include <unistd.h>

static void
test_digests_sha256 (void)
{
  /* FIPS 180-2 appendix B */
  g_autofree char *abc = reeve_digests_sha256_hex ("abc", 3);
  g_autofree char *none = reeve_digests_sha256_hex ("", 0);

  g_assert_cmpstr (abc, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  g_assert_cmpstr (none, ==, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void
test_digests_hmac (void)
{
  guint8 key[20], mac[REEVE_DIGESTS_LENGTH];

  /* RFC 4231, cases 1 and 2 */
  memset (key, 0x0b, sizeof key);
  reeve_digests_hmac_sha256 (key, sizeof key, "Hi There", 8, mac);
  g_autofree char *first = reeve_digests_hex (mac, sizeof mac);
  g_assert_cmpstr (first, ==, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  reeve_digests_hmac_sha256 ("Jefe", 4, "what do ya want for nothing?", 28, mac);
  g_autofree char *second = reeve_digests_hex (mac, sizeof mac);
  g_assert_cmpstr (second, ==, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void
test_digests_pieces (void)
{
  g_autofree guint8 *data = g_malloc (200000);
  guint8 whole[REEVE_DIGESTS_LENGTH], pieces[REEVE_DIGESTS_LENGTH], from_file[REEVE_DIGESTS_LENGTH];
  g_autoptr (ReeveDigests) digest = reeve_digests_begin ();
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 200000; i++)
    data[i] = (guint8) g_test_rand_int ();
  reeve_digests_sha256 (data, 200000, whole);
  for (guint at = 0; at < 200000;)
    {
      guint piece = (guint) g_test_rand_int_range (0, 5000);
      piece = MIN (piece, 200000 - at);
      reeve_digests_update (digest, data + at, piece);
      at += piece;
    }
  reeve_digests_finish (digest, pieces);
  g_assert_true (reeve_digests_equal (whole, pieces, sizeof whole));

  int fd = g_file_open_tmp (NULL, &path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (write (fd, data, 200000), ==, 200000);
  g_assert_cmpint (lseek (fd, 0, SEEK_SET), ==, 0);
  g_assert_true (reeve_digests_sha256_fd (fd, from_file, &error));
  g_assert_no_error (error);
  g_assert_true (reeve_digests_equal (whole, from_file, sizeof whole));
  close (fd);
  g_assert_false (reeve_digests_sha256_fd (fd, from_file, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FAILED);
  g_unlink (path);

  g_autofree char *hex = reeve_digests_hex (whole, sizeof whole);
  g_autofree char *other = g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, 200000);
  g_assert_cmpstr (hex, ==, other);
}

static void
test_digests_hex (void)
{
  guint8 out[3];
  static const char *const bad[] = { "", "00112", "0011223", "00112g", "0x1122" };

  g_assert_true (reeve_digests_from_hex ("00fFa9", out, 3, NULL));
  g_assert_cmpmem (out, 3, "\x00\xff\xa9", 3);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (reeve_digests_from_hex (bad[i], out, 3, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
    }
}

static void
test_digests_equal (void)
{
  g_assert_true (reeve_digests_equal_text ("", ""));
  g_assert_true (reeve_digests_equal_text ("secret", "secret"));
  g_assert_false (reeve_digests_equal_text ("secret", "secret2"));
  g_assert_false (reeve_digests_equal ("abc", "abd", 3));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/digests/sha256", test_digests_sha256);
  g_test_add_func ("/digests/hmac", test_digests_hmac);
  g_test_add_func ("/digests/pieces", test_digests_pieces);
  g_test_add_func ("/digests/hex", test_digests_hex);
  g_test_add_func ("/digests/equal", test_digests_equal);
  return g_test_run ();
}
