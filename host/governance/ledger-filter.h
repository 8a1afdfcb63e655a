/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which records are meant: of a query, an export, a sink. */
#pragma once

#include "ledger.h"

G_BEGIN_DECLS

gboolean reeve_ledger_filter_matches (const ReeveLedgerFilter *self,
                                      const ReeveLedgerRecord *record, const char *text,
                                      gsize length);
void reeve_ledger_filter_copy (ReeveLedgerFilter *self, const ReeveLedgerFilter *other);
void reeve_ledger_filter_clear (ReeveLedgerFilter *self);

G_END_DECLS
