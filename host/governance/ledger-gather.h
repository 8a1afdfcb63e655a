/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread whose loop hands its records over once a turn. */
#pragma once

#include "ledger-writer.h"
#include "ledger.h"

G_BEGIN_DECLS

/* the caller's thread, whose context @context is; until the other */
void reeve_ledger_gather_begin (ReeveLedger *ledger, GMainContext *context);
void reeve_ledger_gather_end (GMainContext *context);

/* (nullable) where reeve_ledger_writer_submit() notes that the caller's thread must release what it
 * has held back; NULL: it gathers nothing of this ledger */
ReeveLedgerHeld *reeve_ledger_gather_get_held (ReeveLedger *ledger);

G_END_DECLS
