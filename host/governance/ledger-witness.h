/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What whoever takes checkpoints to witnesses needs of the ledger. Blocks, but for the size. */
#pragma once

#include "checkpoint.h"
#include "ledger.h"

G_BEGIN_DECLS

guint64 reeve_ledger_witness_get_size (ReeveLedger *ledger, const char *scope);
char *reeve_ledger_witness_read (ReeveLedger *ledger, const char *scope,
                                 ReeveCheckpoint *checkpoint, GError **error);
char *reeve_ledger_witness_ask (ReeveLedger *ledger, const char *scope, guint64 old_size,
                                const ReeveCheckpoint *checkpoint, const char *note,
                                GError **error);
char *reeve_ledger_witness_load (ReeveLedger *ledger, const char *scope,
                                 ReeveCheckpoint *checkpoint, GError **error);
gboolean reeve_ledger_witness_save (ReeveLedger *ledger, const char *scope, const char *note,
                                    GError **error);

G_END_DECLS
