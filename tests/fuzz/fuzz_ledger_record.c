/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of ledger records: what it accepts is what the writer makes of it, and canonical JSON
 * by the other writer too. */
/* covers: host/governance/ledger-record.c */
#include "governance/ledger-record.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *arena = g_malloc (size + 1);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *canonical = NULL;
  ReeveLedgerRecord record;

  if (!reeve_ledger_record_parse (&record, arena, (const char *) data, size, &error))
    {
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
      return 0;
    }
  g_assert_no_error (error);
  g_assert_true (reeve_ledger_record_format (&record, text, NULL, NULL));
  g_assert_cmpmem (text->str, text->len, data, size);
  node = reeve_json_parse_strict (text->str, text->len, &error);
  g_assert_no_error (error);
  canonical = reeve_json_canonical (node);
  g_assert_cmpstr (canonical, ==, text->str);
  return 0;
}
