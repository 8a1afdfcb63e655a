/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compact ranges: a run of leaves is cut at the places where perfect subtrees begin and end, so its
 * hashes fit into the tree of RFC 6962 wherever it lies, and follow from start and count alone. */
#include "ledger-range.h"

#include <string.h>

#include "ledger-merkle.h"

/**
 * reeve_ledger_range_add:
 * @self: a range
 * @leaf: hash of the leaf behind its last
 */
void
reeve_ledger_range_add (ReeveLedgerRange *self, const guint8 leaf[REEVE_LEDGER_HASH_SIZE])
{
  guint64 end = self->start + ++self->count;
  guint64 begin = end - 1;

  memcpy (self->nodes[self->length], leaf, REEVE_LEDGER_HASH_SIZE);
  self->levels[self->length++] = 0;
  while (self->length > 1)
    {
      guint last = self->length - 1;
      guint level = self->levels[last];

      /* two of the same height make one where the left begins a subtree of the next */
      begin = end - (G_GUINT64_CONSTANT (2) << level);
      if (self->levels[last - 1] != level || (begin >> level & 1) != 0)
        return;
      reeve_ledger_merkle_join (self->nodes[last - 1], self->nodes[last], self->nodes[last - 1]);
      self->levels[last - 1]++;
      self->length--;
    }
}

/**
 * reeve_ledger_range_describe:
 * @self: (out caller-allocates): gets everything but the hashes
 * @start: leaves before it
 * @count: leaves in it
 *
 * Returns: %FALSE when there is no such range
 */
gboolean
reeve_ledger_range_describe (ReeveLedgerRange *self, guint64 start, guint64 count)
{
  guint64 max = G_GUINT64_CONSTANT (1) << REEVE_LEDGER_FRONTIER_LEVELS;
  guint64 at = start;
  guint64 left = count;

  *self = (ReeveLedgerRange){ .start = start, .count = count };
  if (start >= max || count >= max - start)
    return FALSE;
  while (left > 0)
    {
      guint level = 0;

      while ((at >> level & 1) == 0 && left >> (level + 1) != 0)
        level++;
      self->levels[self->length++] = (guint8) level;
      at += G_GUINT64_CONSTANT (1) << level;
      left -= G_GUINT64_CONSTANT (1) << level;
    }
  return TRUE;
}

/**
 * reeve_ledger_range_apply:
 * @self: a range
 * @frontier: a tree with as many leaves as stand before the range
 *
 * Adds all leaves of a range.
 *
 * Returns: %FALSE when it does not begin where the tree ends, or the tree is full
 */
gboolean
reeve_ledger_range_apply (const ReeveLedgerRange *self, ReeveLedgerFrontier *frontier)
{
  if (self->start != frontier->size)
    return FALSE;
  for (guint i = 0; i < self->length; i++)
    if (!reeve_ledger_frontier_add_subtree (frontier, self->levels[i], self->nodes[i]))
      return FALSE;
  return TRUE;
}
