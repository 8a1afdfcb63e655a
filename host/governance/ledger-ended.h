/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLedgerEnded: what the platform's log says of a log that went as a whole. */
#pragma once

#include "checkpoint.h"
#include "ledger-scanner.h"

G_BEGIN_DECLS

/* number of the last record behind it */
#define REEVE_LEDGER_ENDED_REASON "records_1_to_"

/**
 * ReeveLedgerEnded:
 * @scope: whose log
 * @checkpoint: size and root that it had
 */
typedef struct
{
  char *scope;
  ReeveCheckpoint checkpoint;
} ReeveLedgerEnded;

void reeve_ledger_ended_free (ReeveLedgerEnded *self);
/* (transfer full) (nullable): NULL: it is no such event */
ReeveLedgerEnded *reeve_ledger_ended_parse (const ReeveLedgerEntry *entry);
/* May a log with that checkpoint be the one that has ended? */
gboolean reeve_ledger_ended_fits (const ReeveLedgerEnded *self, const ReeveCheckpoint *checkpoint);

G_END_DECLS
