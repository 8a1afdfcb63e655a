/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The right edge of a Merkle tree: enough to add leaves and to know the root, without the leaves
 * before. */
#pragma once

#include "base/digests.h"

G_BEGIN_DECLS

#define REEVE_LEDGER_HASH_SIZE REEVE_DIGESTS_LENGTH
/* 2^40 records a log: 348 years at 100 a second */
#define REEVE_LEDGER_FRONTIER_LEVELS 40

/**
 * ReeveLedgerFrontier:
 * @size: number of leaves
 * @nodes: @nodes[i] is the root of a perfect subtree of 2^i leaves where bit i of @size is set,
 * else undefined
 *
 * A plain value; copy it by assignment. All zero is the empty tree.
 */
typedef struct
{
  guint64 size;
  guint8 nodes[REEVE_LEDGER_FRONTIER_LEVELS][REEVE_LEDGER_HASH_SIZE];
} ReeveLedgerFrontier;

gboolean reeve_ledger_frontier_add (ReeveLedgerFrontier *self,
                                    const guint8 leaf[REEVE_LEDGER_HASH_SIZE]);
gboolean reeve_ledger_frontier_add_subtree (ReeveLedgerFrontier *self, guint level,
                                            const guint8 hash[REEVE_LEDGER_HASH_SIZE]);
void reeve_ledger_frontier_root (const ReeveLedgerFrontier *self,
                                 guint8 root[REEVE_LEDGER_HASH_SIZE]);
G_END_DECLS
