/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Merkle tree hash of RFC 6962 section 2.1, computed leaf by leaf in logarithmic space. */
#include "ledger-frontier.h"

#include <string.h>

#include "ledger-merkle.h"

/**
 * reeve_ledger_frontier_add_subtree:
 * @self: a frontier, whose size is a multiple of that of the subtree
 * @level: height of a perfect subtree
 * @hash: its root
 *
 * Adds 2^@level leaves.
 *
 * Returns: %FALSE when the tree is full
 */
gboolean
reeve_ledger_frontier_add_subtree (ReeveLedgerFrontier *self, guint level,
                                   const guint8 hash[REEVE_LEDGER_HASH_SIZE])
{
  guint64 count = G_GUINT64_CONSTANT (1) << level;
  guint8 node[REEVE_LEDGER_HASH_SIZE];

  if (self->size + count >= G_GUINT64_CONSTANT (1) << REEVE_LEDGER_FRONTIER_LEVELS)
    return FALSE;
  memcpy (node, hash, sizeof node);
  /* like a carry: each complete subtree of the same height joins the new one from the left */
  for (; (self->size >> level & 1) != 0; level++)
    reeve_ledger_merkle_join (self->nodes[level], node, node);
  memcpy (self->nodes[level], node, sizeof node);
  self->size += count;
  return TRUE;
}

/**
 * reeve_ledger_frontier_add:
 * @self: a frontier
 * @leaf: the leaf hash, SHA-256 (0x00 | entry), of the next entry
 *
 * Adds one leaf.
 *
 * Returns: %FALSE when the tree is full
 */
gboolean
reeve_ledger_frontier_add (ReeveLedgerFrontier *self, const guint8 leaf[REEVE_LEDGER_HASH_SIZE])
{
  return reeve_ledger_frontier_add_subtree (self, 0, leaf);
}

/**
 * reeve_ledger_frontier_root:
 * @self: a frontier
 * @root: (out caller-allocates): the Merkle tree hash over all leaves; of the empty string for the
 * empty tree
 */
void
reeve_ledger_frontier_root (const ReeveLedgerFrontier *self, guint8 root[REEVE_LEDGER_HASH_SIZE])
{
  gboolean first = TRUE;

  if (self->size == 0)
    {
      reeve_digests_sha256 ("", 0, root);
      return;
    }
  for (guint level = 0; level < REEVE_LEDGER_FRONTIER_LEVELS; level++)
    {
      if ((self->size >> level & 1) == 0)
        continue;
      if (first)
        memcpy (root, self->nodes[level], REEVE_LEDGER_HASH_SIZE);
      else
        reeve_ledger_merkle_join (self->nodes[level], root, root);
      first = FALSE;
    }
}
