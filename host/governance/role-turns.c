/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns, as counters. */
#include "role-turns.h"

#include "store/store-counters.h"

/**
 * reeve_role_turns_begin:
 * @store: the store
 * @tenant_id: whose
 * @matter: name of what is decided
 * @turn: (out): to be claimed
 * @error: return location
 *
 * Returns: %FALSE with what kept the counter from being read
 */
gboolean
reeve_role_turns_begin (ReeveStore *store, const char *tenant_id, const char *matter, gint64 *turn,
                        GError **error)
{
  return reeve_store_counters_get (store, tenant_id, matter, turn, error);
}

/**
 * reeve_role_turns_claim:
 * @batch: the change
 * @matter: name of what is decided
 * @turn: of reeve_role_turns_begin()
 *
 * Makes it a condition that nobody else had a turn since.
 */
void
reeve_role_turns_claim (ReeveBatch *batch, const char *matter, gint64 turn)
{
  reeve_batch_count (batch, matter, 1, turn + 1, turn + 1);
}

/**
 * reeve_role_turns_note:
 * @batch: a change
 * @matter: what it matters to
 *
 * Makes a turn that has begun before it fail.
 */
void
reeve_role_turns_note (ReeveBatch *batch, const char *matter)
{
  reeve_batch_count (batch, matter, 1, 0, G_MAXINT64);
}

/**
 * reeve_role_turns_judge:
 * @error: (nullable): of the commit of a batch with claims; may be unset
 *
 * Says %REEVE_ERROR_CONFLICT where the turn was over.
 */
void
reeve_role_turns_judge (GError **error)
{
  if (error == NULL || !g_error_matches (*error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE))
    return;
  g_clear_error (error);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                       "somebody else changed roles or elevations at the same time: ask again");
}
