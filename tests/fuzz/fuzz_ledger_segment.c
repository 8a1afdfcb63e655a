/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scanner of segment files: ends on every input, hands out nothing that is not chained, and
 * says why it stopped. */
/* covers: host/governance/ledger-scanner.c
 * host/governance/ledger-recovery.c */
#include "governance/ledger-pack.h"
#include "governance/ledger-recovery.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const guint8 genesis[REEVE_LEDGER_HASH_SIZE];
  g_autoptr (ReeveLedgerScanner) scanner = NULL;
  g_autoptr (ReeveLedgerState) state = reeve_ledger_state_new ();
  ReeveLedgerScan scan = REEVE_LEDGER_SCAN_ENTRY;
  ReeveLedgerEntry entry;
  guint64 before = 0;
  int fd = -1;

  /* what is packed is fuzz_ledger_pack's */
  if (reeve_ledger_pack_is (data, size))
    return 0;
  fd = memfd_create ("segment", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, data, size), ==, (gssize) size);
  scanner = reeve_ledger_scanner_new (fd, 0, G_MAXINT64, genesis);
  while (scan == REEVE_LEDGER_SCAN_ENTRY)
    {
      g_autoptr (GError) error = NULL;
      guint64 offset = 0;

      scan = reeve_ledger_scanner_next (scanner, &entry, &error);
      offset = reeve_ledger_scanner_get_offset (scanner);
      g_assert_true ((error == NULL)
                     == (scan == REEVE_LEDGER_SCAN_ENTRY || scan == REEVE_LEDGER_SCAN_END));
      g_assert_cmpuint (offset, <=, size);
      if (scan != REEVE_LEDGER_SCAN_ENTRY)
        break;
      g_assert_cmpuint (entry.offset, ==, before);
      g_assert_cmpuint (offset, ==, before + entry.length + REEVE_LEDGER_SCANNER_OVERHEAD);
      g_assert_cmpmem (entry.json, entry.length, data + before + REEVE_LEDGER_SCANNER_PREFIX,
                       entry.length);
      before = offset;
      (void) reeve_ledger_recovery_apply (state, "acme", &entry, NULL);
    }
  g_assert_true (scan != REEVE_LEDGER_SCAN_END || before == size);
  close (fd);
  return 0;
}
