/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Some records of a log that stand together, cut apart: the unit of reading. */
#pragma once

#include "ledger-log.h"

G_BEGIN_DECLS

/* where one record stands in a block */
typedef struct
{
  const guint8 *chain_before;
  const char *json; /* no terminator */
  gsize length;
  const guint8 *chain;
} ReeveLedgerBlockEntry;

/**
 * ReeveLedgerBlock:
 * @first: sequence number of its first record
 * @entries: (element-type ReeveLedgerBlockEntry): its records
 * @bytes: what they point into
 */
typedef struct
{
  guint64 first;
  GArray *entries;
  GByteArray *bytes;
} ReeveLedgerBlock;

ReeveLedgerBlock *reeve_ledger_block_read (ReeveLedgerLog *log, guint64 seq, gboolean on,
                                           GError **error);
void reeve_ledger_block_free (ReeveLedgerBlock *self);
const ReeveLedgerBlockEntry *reeve_ledger_block_get (ReeveLedgerBlock *self, guint64 seq);
void reeve_ledger_block_hash (const ReeveLedgerBlockEntry *entry,
                              guint8 leaf[REEVE_LEDGER_HASH_SIZE]);
/* Is it what was written behind the record before it? Costs one hash. */
gboolean reeve_ledger_block_fits (const ReeveLedgerBlockEntry *entry);
/* FALSE, for a record that is not what was written */
gboolean reeve_ledger_block_set_corrupt (guint64 seq, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerBlock, reeve_ledger_block_free)

G_END_DECLS
