/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of one log that will become durable together. */
#pragma once

#include "ledger-segment.h"
#include "ledger-state.h"
#include "ledger.h"

G_BEGIN_DECLS

/**
 * ReeveLedgerLine:
 * @text: canonical JSON without the sequence number
 * @seq_at: where in @text that belongs
 * @kind: kind of the record
 * @intent: of an outcome: its intent
 *
 * A record on its way into a log.
 */
typedef struct
{
  GString *text;
  gsize seq_at;
  ReeveLedgerKind kind;
  guint64 intent;
} ReeveLedgerLine;

typedef struct _ReeveLedgerBatch ReeveLedgerBatch;

ReeveLedgerBatch *reeve_ledger_batch_new (void);
void reeve_ledger_batch_free (ReeveLedgerBatch *self);
void reeve_ledger_batch_reset (ReeveLedgerBatch *self, const ReeveLedgerState *state);
gboolean reeve_ledger_batch_add (ReeveLedgerBatch *self, const ReeveLedgerState *state,
                                 const ReeveLedgerLine *line, guint64 *seq, GError **error);
gboolean reeve_ledger_batch_is_empty (ReeveLedgerBatch *self);
const guint8 *reeve_ledger_batch_get_bytes (ReeveLedgerBatch *self, gsize *length);
const guint8 *reeve_ledger_batch_get_leaves (ReeveLedgerBatch *self, guint *count);
void reeve_ledger_batch_apply (ReeveLedgerBatch *self, ReeveLedgerState *state,
                               ReeveLedgerSegment *segment);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerBatch, reeve_ledger_batch_free)

G_END_DECLS
