/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLedgerExport: a log, or what a filter leaves of it, piece by piece. */
#pragma once

#include "ledger-format.h"

G_BEGIN_DECLS

/* what the first line of a JSON export begins with */
#define REEVE_LEDGER_EXPORT_HEAD "{\"export\":\"reeve-ledger/1\",\"scope\":\""
#define REEVE_LEDGER_EXPORT_OPEN "\",\"entries\":["

typedef struct _ReeveLedgerExport ReeveLedgerExport;

ReeveLedgerExport *reeve_ledger_export_new (ReeveLedger *ledger, const char *scope,
                                            const ReeveLedgerFilter *filter,
                                            ReeveLedgerFormat format, GError **error);
void reeve_ledger_export_free (ReeveLedgerExport *self);
GBytes *reeve_ledger_export_next (ReeveLedgerExport *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerExport, reeve_ledger_export_free)

G_END_DECLS
