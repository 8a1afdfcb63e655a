/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out where a log stands when it is opened. */
#pragma once

#include "ledger-base.h"
#include "ledger-key.h"
#include "ledger-segment.h"
#include "ledger-state.h"

G_BEGIN_DECLS

/**
 * ReeveLedgerRecovery:
 * @segments: (element-type ReeveLedgerSegment): files of the log in order; the last one's index is
 * loaded
 * @state: where the log stands
 * @base: (nullable): what stands before the first record that is kept
 * @dropped: (element-type guint64): files that the base makes superfluous: a host was ended while
 * it removed them
 * @checkpoint_size: size of the last signed checkpoint
 * @key_id: the key that signed it
 * @cut: bytes of an incomplete last record that were cut off
 */
typedef struct
{
  GPtrArray *segments;
  ReeveLedgerState *state;
  ReeveLedgerBase *base;
  GArray *dropped;
  guint64 checkpoint_size;
  guint32 key_id;
  guint64 cut;
} ReeveLedgerRecovery;

ReeveLedgerRecovery *reeve_ledger_recovery_run (const char *folder, const char *scope,
                                                ReeveLedgerKey *key, GError **error);
void reeve_ledger_recovery_free (ReeveLedgerRecovery *self);
gboolean reeve_ledger_recovery_apply (ReeveLedgerState *state, const char *scope,
                                      const ReeveLedgerEntry *entry, GError **error);
void reeve_ledger_recovery_begin (ReeveLedgerState *state, const ReeveLedgerBase *base);
GArray *reeve_ledger_recovery_take_dropped (GArray *firsts, const ReeveLedgerBase *base);
GArray *reeve_ledger_recovery_list_segments (const char *folder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerRecovery, reeve_ledger_recovery_free)

G_END_DECLS
