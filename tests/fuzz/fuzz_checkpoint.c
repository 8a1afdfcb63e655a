/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of checkpoints: no text but one that this key has signed gets through. */
/* covers: host/governance/checkpoint.c */
#include "governance/checkpoint.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  /* the key that signed the seed `good` */
  static const char *const vkey
      = "reeve-ledger+e20f508f+AUktkZ7Csdch3NQkvRKr3iM2bFjWYjk5KMSUoRuLz8mn";
  static ReeveLedgerKey *key;
  ReeveCheckpoint checkpoint;
  g_autoptr (GError) error = NULL;

  if (key == NULL)
    key = reeve_ledger_key_new_from_vkey (vkey, NULL);
  g_assert_nonnull (key);
  if (reeve_checkpoint_parse (&checkpoint, (const char *) data, size, "acme", key, &error))
    g_assert_true (g_str_has_prefix ((const char *) data, "reeve-ledger/acme\n42\n"));
  else
    g_assert_nonnull (error);
  return 0;
}
