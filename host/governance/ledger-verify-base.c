/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of a log that was dropped: its tiles are still there, and must lead to the signed base
 * from which the records go on. So a checkpoint that was kept from before still finds its root. */
#include "ledger-verify-private.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "ledger-recovery.h"

/* Of records that were dropped: the hash alone. */
static gboolean
reeve_ledger_verify_leaf (ReeveLedgerVerify *self, const guint8 leaf[REEVE_LEDGER_HASH_SIZE],
                          const char *file, GError **error)
{
  ReeveLedgerVerifyTilesFault fault = { 0 };

  (void) reeve_ledger_frontier_add (&self->state->frontier, leaf);
  if (!reeve_ledger_verify_tiles_add (self->tiles, leaf, &fault, error))
    return reeve_ledger_verify_bad_tile (self, &fault);
  return reeve_ledger_verify_check_root (self, error)
         || reeve_ledger_verify_bad (self, file, self->state->frontier.size);
}

/* The full tiles of records that were dropped. */
static gboolean
reeve_ledger_verify_dropped_tiles (ReeveLedgerVerify *self, const char *folder, GError **error)
{
  g_autofree guint8 *hashes = g_malloc (REEVE_LEDGER_TILES_SIZE);
  guint64 count = reeve_ledger_tiles_count (self->base->frontier.size, 0);

  for (guint64 i = 0; i < count; i++)
    {
      g_autofree char *name = reeve_ledger_tiles_name (0, i);

      if (!reeve_ledger_tiles_read (folder, 0, i, hashes, error))
        {
          self->file = g_steal_pointer (&name);
          self->bad_seq = i * REEVE_LEDGER_TILES_WIDTH + 1;
          return FALSE;
        }
      for (guint j = 0; j < REEVE_LEDGER_TILES_WIDTH; j++)
        if (!reeve_ledger_verify_leaf (self, hashes + (gsize) j * REEVE_LEDGER_HASH_SIZE, folder,
                                       error))
          return FALSE;
    }
  return TRUE;
}

/* What the base says of the records before the first must be what the tiles say. */
gboolean
reeve_ledger_verify_base (ReeveLedgerVerify *self, const char *folder, GError **error)
{
  guint8 roots[2][REEVE_LEDGER_HASH_SIZE];

  if (self->base == NULL)
    return TRUE;
  if (self->base->frontier.size > self->checkpoint.size)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                           "the checkpoint is older than the base of the log");
      return reeve_ledger_verify_bad (self, REEVE_CHECKPOINT_FILE, 0);
    }
  if (!reeve_ledger_verify_dropped_tiles (self, folder, error))
    return FALSE;
  for (guint i = 0; i < reeve_ledger_base_count_leaves (self->base); i++)
    if (!reeve_ledger_verify_leaf (self, self->base->leaves[i], folder, error))
      return FALSE;
  reeve_ledger_frontier_root (&self->state->frontier, roots[0]);
  reeve_ledger_frontier_root (&self->base->frontier, roots[1]);
  if (memcmp (roots[0], roots[1], sizeof roots[0]) != 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                           "the tiles are not those that the base stands on");
      return reeve_ledger_verify_bad (self, REEVE_LEDGER_BASE_FILE, 0);
    }
  memcpy (self->state->chain, self->base->chain, sizeof self->state->chain);
  self->rotations = self->base->keys;
  return TRUE;
}

/* The segments there are; those that the base makes superfluous do not count. */
GArray *
reeve_ledger_verify_list_segments (ReeveLedgerVerify *self, const char *folder, GError **error)
{
  g_autoptr (GArray) firsts = reeve_ledger_recovery_list_segments (folder, error);
  g_autoptr (GArray) dropped = NULL;

  if (firsts == NULL)
    return NULL;
  dropped = reeve_ledger_recovery_take_dropped (firsts, self->base);
  self->left_over = dropped->len;
  return g_steal_pointer (&firsts);
}

/* Did a host drop records since the base was read? */
gboolean
reeve_ledger_verify_base_moved (ReeveLedgerVerify *self, const char *folder, guint64 size)
{
  g_autofree ReeveLedgerBase *base = NULL;

  return reeve_ledger_base_load (&base, folder, self->scope, self->key, NULL) && base != NULL
         && base->frontier.size != size;
}
