/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads records of a log as JSON objects. */
#pragma once

#include "ledger-log.h"

G_BEGIN_DECLS

#define REEVE_LEDGER_QUERY_MAX_LIMIT 500
/* records that one call looks at; a filter that finds little answers less and a cursor */
#define REEVE_LEDGER_QUERY_MAX_SCAN 100000

JsonObject *reeve_ledger_query_get (ReeveLedgerLog *log, guint64 seq, GError **error);
GPtrArray *reeve_ledger_query_list (ReeveLedgerLog *log, const ReeveLedgerFilter *filter,
                                    guint64 *next, GError **error);

G_END_DECLS
