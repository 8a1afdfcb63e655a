/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of bases: no text but one that this key has signed gets through, and what gets through
 * is the tree that its size says. */
/* covers: host/governance/ledger-base.c */
#include "governance/ledger-base.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  /* the key that signed the seeds `good` and `large` */
  static const char *const vkey
      = "reeve-ledger+f814f8e2+Ae2rWY5Ks6qk2yflTaOlAUaCISD7gxpOyYMXxC0negxT";
  static ReeveLedgerKey *key;
  g_autofree ReeveLedgerBase *base = g_new0 (ReeveLedgerBase, 1);
  g_autoptr (GError) error = NULL;

  if (key == NULL)
    key = reeve_ledger_key_new_from_vkey (vkey, NULL);
  g_assert_nonnull (key);
  if (reeve_ledger_base_parse (base, (const char *) data, size, "acme", key, &error))
    g_assert_true (base->frontier.size == 3 || base->frontier.size == 256 * 5 + 255);
  else
    g_assert_nonnull (error);
  return 0;
}
