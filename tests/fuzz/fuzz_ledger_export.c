/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verifier of exports: nothing that was not signed is good, and nothing makes it crash. */
/* covers: host/governance/ledger-export-verify.c */
#include "governance/ledger-export-verify.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* of a key nobody has */
#define KEY "reeve-ledger+e20f508f+AUktkZ7Csdch3NQkvRKr3iM2bFjWYjk5KMSUoRuLz8mn"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static ReeveLedgerKey *key = NULL;
  g_autoptr (JsonObject) verdict = NULL;
  FILE *file = NULL;

  if (key == NULL)
    key = reeve_ledger_key_new_from_vkey (KEY, NULL);
  g_assert_nonnull (key);
  if (size == 0)
    return 0;
  file = fmemopen ((void *) data, size, "r");
  verdict = reeve_ledger_export_verify (file, key);
  fclose (file);
  g_assert_false (reeve_json_get_boolean (verdict, "valid", TRUE));
  g_assert_true (json_object_has_member (verdict, "error"));
  return 0;
}
