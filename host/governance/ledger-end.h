/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLedger: a log goes as a whole. Blocks: worker threads. */
#pragma once

#include "ledger-retire.h"

G_BEGIN_DECLS

/* in a log: that it may be coming to its end, and since when that is on record */
#define REEVE_LEDGER_END_MARK "ended.lock"
/* behind the name of a log that has ended, and whose files are being removed */
#define REEVE_LEDGER_END_GOING ".ended.lock"

/* Consumes @admitted. plan: all records that are left. The log must not be of a tenant that is
 * there. */
gboolean reeve_ledger_end (ReeveLedger *self, ReeveAdmitted *admitted, const char *scope,
                           const ReeveLedgerRetirement *plan, GError **error);

/* ---- the ledger's own ---- */

/* Has it ended since the start? Nothing is begun under that name again. */
gboolean reeve_ledger_end_check (ReeveLedger *self, const char *scope, GError **error);
/* At a start, with the platform's log: ends what was cut off. scopes: loses those that went. */
void reeve_ledger_end_resume (ReeveLedger *self, char **scopes);

G_END_DECLS
