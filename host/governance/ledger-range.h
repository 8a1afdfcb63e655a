/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of a Merkle tree in the fewest hashes: what an export says of records that it leaves out. */
#pragma once

#include "ledger-frontier.h"

G_BEGIN_DECLS

/* a range has at most two perfect subtrees of each height */
#define REEVE_LEDGER_RANGE_MAX (2 * REEVE_LEDGER_FRONTIER_LEVELS)

/**
 * ReeveLedgerRange:
 * @start: leaves before it
 * @count: leaves in it
 * @length: number of @nodes
 * @nodes: roots of the largest perfect subtrees that make it up, from left to right
 * @levels: height of each
 */
typedef struct
{
  guint64 start;
  guint64 count;
  guint length;
  guint8 nodes[REEVE_LEDGER_RANGE_MAX][REEVE_LEDGER_HASH_SIZE];
  guint8 levels[REEVE_LEDGER_RANGE_MAX];
} ReeveLedgerRange;

void reeve_ledger_range_add (ReeveLedgerRange *self, const guint8 leaf[REEVE_LEDGER_HASH_SIZE]);
gboolean reeve_ledger_range_describe (ReeveLedgerRange *self, guint64 start, guint64 count);
gboolean reeve_ledger_range_apply (const ReeveLedgerRange *self, ReeveLedgerFrontier *frontier);

G_END_DECLS
