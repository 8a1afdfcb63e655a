/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks the records of one segment file, packed or not, checking length and chain. */
#pragma once

#include "ledger-frontier.h"

G_BEGIN_DECLS

/* length in front of a record and chain hash behind it */
#define REEVE_LEDGER_SCANNER_PREFIX   4
#define REEVE_LEDGER_SCANNER_OVERHEAD (REEVE_LEDGER_SCANNER_PREFIX + REEVE_LEDGER_HASH_SIZE)

/**
 * ReeveLedgerScan:
 * @REEVE_LEDGER_SCAN_ENTRY: there is a record
 * @REEVE_LEDGER_SCAN_END: the bytes end behind a complete record
 * @REEVE_LEDGER_SCAN_TORN: the bytes end within a record, as a crash leaves them
 * @REEVE_LEDGER_SCAN_BAD: these bytes were never written by a ledger, or changed since
 * @REEVE_LEDGER_SCAN_ERROR: the file cannot be read
 */
typedef enum
{
  REEVE_LEDGER_SCAN_ENTRY,
  REEVE_LEDGER_SCAN_END,
  REEVE_LEDGER_SCAN_TORN,
  REEVE_LEDGER_SCAN_BAD,
  REEVE_LEDGER_SCAN_ERROR
} ReeveLedgerScan;

/**
 * ReeveLedgerEntry:
 * @offset: where it begins in the file; of a packed one: its block
 * @json: its text; no terminator
 * @length: bytes of @json
 * @leaf: RFC 6962 leaf hash over length and text
 *
 * Valid until the next call.
 */
typedef struct
{
  guint64 offset;
  const char *json;
  gsize length;
  guint8 leaf[REEVE_LEDGER_HASH_SIZE];
} ReeveLedgerEntry;

typedef struct _ReeveLedgerScanner ReeveLedgerScanner;

ReeveLedgerScanner *reeve_ledger_scanner_new (int fd, guint64 offset, guint64 end,
                                              const guint8 chain[REEVE_LEDGER_HASH_SIZE]);
/* leaf hashes are not wanted */
void reeve_ledger_scanner_leave_leaves (ReeveLedgerScanner *self);
void reeve_ledger_scanner_free (ReeveLedgerScanner *self);
ReeveLedgerScan reeve_ledger_scanner_next (ReeveLedgerScanner *self, ReeveLedgerEntry *entry,
                                           GError **error);
guint64 reeve_ledger_scanner_get_offset (ReeveLedgerScanner *self);
const guint8 *reeve_ledger_scanner_get_chain (ReeveLedgerScanner *self);
guint reeve_ledger_scanner_get_doubtful (ReeveLedgerScanner *self);

void reeve_ledger_scanner_seal (guint8 *record, gsize length, guint8 chain[REEVE_LEDGER_HASH_SIZE],
                                guint8 leaf[REEVE_LEDGER_HASH_SIZE]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerScanner, reeve_ledger_scanner_free)

G_END_DECLS
