/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a log stands: all that appending needs to know of the records before. */
#pragma once

#include "ledger-frontier.h"

G_BEGIN_DECLS

#define REEVE_LEDGER_STATE_FILE "state.idx"

/**
 * ReeveLedgerState:
 * @segment: first sequence number of the segment it stands in; 0 when there is none yet
 * @end: bytes of that segment
 * @chain: chain hash of the last record
 * @frontier: of the Merkle tree; its size is the number of records
 * @open: intents without an outcome, by sequence number
 */
typedef struct
{
  guint64 segment;
  guint64 end;
  guint8 chain[REEVE_LEDGER_HASH_SIZE];
  ReeveLedgerFrontier frontier;
  GHashTable *open;
} ReeveLedgerState;

ReeveLedgerState *reeve_ledger_state_new (void);
ReeveLedgerState *reeve_ledger_state_copy (const ReeveLedgerState *self);
void reeve_ledger_state_free (ReeveLedgerState *self);
void reeve_ledger_state_open_intent (ReeveLedgerState *self, guint64 seq);
gboolean reeve_ledger_state_close_intent (ReeveLedgerState *self, guint64 seq);
gboolean reeve_ledger_state_is_open (const ReeveLedgerState *self, guint64 seq);
GArray *reeve_ledger_state_list_open (const ReeveLedgerState *self);
ReeveLedgerState *reeve_ledger_state_load (const char *folder);
gboolean reeve_ledger_state_save (const ReeveLedgerState *self, const char *folder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerState, reeve_ledger_state_free)

G_END_DECLS
