/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of proof files: no text but one that leads to a root that this key has signed gets
 * through. */
/* covers: host/governance/ledger-proof.c */
#include "governance/ledger-proof.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  /* the key that signed the seed `good` */
  static const char *const vkey
      = "reeve-ledger+72f17fb8+AXdzvwd5p2SPht/GD5uJIZzQRpSComD/GSCsxKDYgkv0";
  static ReeveLedgerKey *key;
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveLedgerProof) proof = NULL;
  g_autoptr (JsonObject) verdict = NULL;
  g_autofree char *again = NULL;

  if (key == NULL)
    key = reeve_ledger_key_new_from_vkey (vkey, NULL);
  g_assert_nonnull (key);
  proof = reeve_ledger_proof_parse ((const char *) data, size, &error);
  g_assert_true ((proof == NULL) == (error != NULL));
  if (proof == NULL)
    return 0;
  again = reeve_ledger_proof_format (proof);
  g_assert_cmpmem (again, strlen (again), data, size);
  verdict = reeve_ledger_proof_verify (proof, key, NULL, &error);
  g_assert_true ((verdict == NULL) == (error != NULL));
  if (verdict != NULL)
    g_assert_cmpint (json_object_get_int_member (verdict, "seq"), ==, 300);
  return 0;
}
