/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packed records: nothing comes out but whole records that the lengths and the count make up, in
 * bounded room, and those can be packed again to the same. Read as a file, block by block, the same
 * records come, and what does not fit is said. */
/* covers: host/governance/ledger-pack.c
 * host/governance/ledger-scanner.c */
#include "governance/ledger-pack.h"
#include "governance/ledger-record.h"
#include "governance/ledger-scanner.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static const guint8 genesis[REEVE_LEDGER_HASH_SIZE];

/* The entries of what was unpacked, without their chain hashes. */
static GByteArray *
strip (const GByteArray *records, guint count)
{
  GByteArray *entries = g_byte_array_new ();
  gsize at = REEVE_LEDGER_HASH_SIZE;

  for (guint i = 0; i < count; i++)
    {
      guint32 length = 0;

      g_assert_cmpuint (records->len - at, >=, REEVE_LEDGER_SCANNER_OVERHEAD);
      memcpy (&length, records->data + at, sizeof length);
      length = GUINT32_FROM_BE (length);
      g_assert_cmpuint (length, >, 0);
      g_assert_cmpuint (length, <=, REEVE_LEDGER_RECORD_MAX_JSON);
      g_byte_array_append (entries, records->data + at, REEVE_LEDGER_SCANNER_PREFIX + length);
      at += length + REEVE_LEDGER_SCANNER_OVERHEAD;
    }
  g_assert_cmpuint (at, ==, records->len);
  return entries;
}

static void
try_block (const guint8 *data, gsize size)
{
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autoptr (GByteArray) again = g_byte_array_new ();
  g_autoptr (GByteArray) block = g_byte_array_new ();
  g_autoptr (GByteArray) entries = NULL;
  g_autoptr (GError) error = NULL;
  ReeveLedgerPackHead head = { 0 };
  gboolean chained = FALSE;

  if (!reeve_ledger_pack_open (data, size, genesis, records, &chained, &error))
    {
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
      return;
    }
  g_assert_no_error (error);
  g_assert_true (reeve_ledger_pack_read_head (data, &head, NULL));
  g_assert_cmpuint (head.size, ==, size);
  entries = strip (records, head.count);
  g_assert_true (reeve_ledger_pack_close (
      entries, head.count, records->data + records->len - REEVE_LEDGER_HASH_SIZE, block, NULL));
  g_assert_true (reeve_ledger_pack_open (block->data, block->len, genesis, again, &chained, NULL));
  g_assert_true (chained);
  g_assert_cmpmem (again->data, again->len, records->data, records->len);
}

static void
try_file (const guint8 *data, gsize size)
{
  ReeveLedgerScan scan = REEVE_LEDGER_SCAN_ENTRY;
  g_autoptr (ReeveLedgerScanner) scanner = NULL;
  ReeveLedgerEntry entry;
  guint count = 0;
  int fd = memfd_create ("segment", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, data, size), ==, (gssize) size);
  scanner = reeve_ledger_scanner_new (fd, 0, size, genesis);
  while (scan == REEVE_LEDGER_SCAN_ENTRY)
    {
      g_autoptr (GError) error = NULL;

      scan = reeve_ledger_scanner_next (scanner, &entry, &error);
      g_assert_cmpuint (reeve_ledger_scanner_get_offset (scanner), <=, size);
      g_assert_true ((error == NULL)
                     == (scan == REEVE_LEDGER_SCAN_ENTRY || scan == REEVE_LEDGER_SCAN_END));
      if (scan == REEVE_LEDGER_SCAN_ENTRY)
        count++;
    }
  g_assert_cmpint (scan, !=, REEVE_LEDGER_SCAN_ERROR);
  g_assert_cmpuint (reeve_ledger_scanner_get_doubtful (scanner), <=, count);
  close (fd);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  try_block (data, size);
  try_file (data, size);
  return 0;
}
