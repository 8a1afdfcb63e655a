/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frontier against the roots of RFC 6962's well-known test leaves, and against the definition.
 */
#include "governance/ledger-frontier.h"

#include <string.h>

#include "ledger-fixture.h"

/* leaves and roots of the reference implementation of RFC 6962 (certificate-transparency, merkle
 * tree tests) */
static const char *const leaves[] = {
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
};
static const char *const roots[] = {
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void
leaf_hash (const guint8 *data, gsize length, guint8 *hash)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  g_byte_array_append (bytes, (const guint8 *) "", 1);
  g_byte_array_append (bytes, data, (guint) length);
  reeve_digests_sha256 (bytes->data, bytes->len, hash);
}

static void
test_merkle_reference (void)
{
  ReeveLedgerFrontier frontier = { 0 };
  guint8 root[REEVE_LEDGER_HASH_SIZE];
  g_autofree char *empty = NULL;

  reeve_ledger_frontier_root (&frontier, root);
  empty = reeve_digests_hex (root, sizeof root);
  g_assert_cmpstr (empty, ==, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (guint i = 0; i < G_N_ELEMENTS (leaves); i++)
    {
      gsize length = strlen (leaves[i]) / 2;
      guint8 data[16] = { 0 };
      guint8 leaf[REEVE_LEDGER_HASH_SIZE];
      g_autofree char *hex = NULL;

      if (length > 0)
        g_assert_true (reeve_digests_from_hex (leaves[i], data, length, NULL));
      leaf_hash (data, length, leaf);
      g_assert_true (reeve_ledger_frontier_add (&frontier, leaf));
      reeve_ledger_frontier_root (&frontier, root);
      hex = reeve_digests_hex (root, sizeof root);
      g_assert_cmpstr (hex, ==, roots[i]);
    }
}

/* RFC 6962 section 2.1, word for word: split at the largest power of two smaller than n. */
static void
naive_root (const guint8 (*hashes)[REEVE_LEDGER_HASH_SIZE], guint n, guint8 *root)
{
  guint8 buffer[1 + 2 * REEVE_LEDGER_HASH_SIZE];
  guint k = 1;

  if (n == 1)
    {
      memcpy (root, hashes[0], REEVE_LEDGER_HASH_SIZE);
      return;
    }
  while (k * 2 < n)
    k *= 2;
  buffer[0] = 1;
  naive_root (hashes, k, buffer + 1);
  naive_root (hashes + k, n - k, buffer + 1 + REEVE_LEDGER_HASH_SIZE);
  reeve_digests_sha256 (buffer, sizeof buffer, root);
}

static void
test_merkle_definition (void)
{
  enum
  {
    COUNT = 300
  };
  g_autofree guint8 (*hashes)[REEVE_LEDGER_HASH_SIZE] = g_malloc (COUNT * REEVE_LEDGER_HASH_SIZE);
  ReeveLedgerFrontier frontier = { 0 };

  for (guint i = 0; i < COUNT; i++)
    {
      guint8 wanted[REEVE_LEDGER_HASH_SIZE];
      guint8 root[REEVE_LEDGER_HASH_SIZE];

      leaf_hash ((const guint8 *) &i, sizeof i, hashes[i]);
      g_assert_true (reeve_ledger_frontier_add (&frontier, hashes[i]));
      reeve_ledger_frontier_root (&frontier, root);
      naive_root ((const guint8 (*)[REEVE_LEDGER_HASH_SIZE]) hashes, i + 1, wanted);
      g_assert_cmpmem (root, sizeof root, wanted, sizeof wanted);
    }
  g_assert_cmpuint (frontier.size, ==, COUNT);
}

static void
test_merkle_full (void)
{
  ReeveLedgerFrontier frontier = { 0 };
  guint8 leaf[REEVE_LEDGER_HASH_SIZE] = { 0 };

  frontier.size = (G_GUINT64_CONSTANT (1) << REEVE_LEDGER_FRONTIER_LEVELS) - 1;
  g_assert_false (reeve_ledger_frontier_add (&frontier, leaf));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ledger-merkle/reference", test_merkle_reference);
  g_test_add_func ("/ledger-merkle/definition", test_merkle_definition);
  g_test_add_func ("/ledger-merkle/full", test_merkle_full);
  return g_test_run ();
}
