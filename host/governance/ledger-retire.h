/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLedger: the oldest records go, and what stays verifies. Blocks: worker threads. */
#pragma once

#include "admission.h"

G_BEGIN_DECLS

#define REEVE_LEDGER_RETIRE_OPERATION "audit.retire"

/**
 * ReeveLedgerRetirement:
 * @first: the first record that goes
 * @last: the last; 0: nothing is old enough
 *
 * What may be dropped of a log.
 */
typedef struct
{
  guint64 first;
  guint64 last;
} ReeveLedgerRetirement;

/* What may go of what is older than @horizon (µs), no record behind @limit. */
gboolean reeve_ledger_plan_retirement (ReeveLedger *self, const char *scope, gint64 horizon,
                                       guint64 limit, ReeveLedgerRetirement *plan, GError **error);
/* (transfer full): `acme/1-1234`: what an admission of the operation must name */
char *reeve_ledger_name_retirement (const char *scope, const ReeveLedgerRetirement *plan);
/* Consumes @admitted. rule: what asks for it. */
gboolean reeve_ledger_retire (ReeveLedger *self, ReeveAdmitted *admitted, const char *scope,
                              const ReeveLedgerRetirement *plan, const char *rule, GError **error);

G_END_DECLS
