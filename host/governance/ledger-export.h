/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLedgerExport: a log, or what a filter leaves of it, piece by piece. */
#pragma once

#include "ledger-format.h"
#include "ledger-range.h"

G_BEGIN_DECLS

/* what the first line of a JSON export begins with; of those of older hosts, which have no events
 */
#define REEVE_LEDGER_EXPORT_HEAD     "{\"export\":\"reeve-ledger/2\",\"scope\":\""
#define REEVE_LEDGER_EXPORT_HEAD_OLD "{\"export\":\"reeve-ledger/1\",\"scope\":\""
#define REEVE_LEDGER_EXPORT_OPEN     "\",\"entries\":["
/* what stands between a record and its event */
#define REEVE_LEDGER_EXPORT_EVENT ",\"event\":"

typedef struct _ReeveLedgerExport ReeveLedgerExport;

ReeveLedgerExport *reeve_ledger_export_new (ReeveLedger *ledger, const char *scope,
                                            const ReeveLedgerFilter *filter,
                                            ReeveLedgerFormat format, GError **error);
void reeve_ledger_export_free (ReeveLedgerExport *self);
GBytes *reeve_ledger_export_next (ReeveLedgerExport *self, GError **error);
/* The one form of two lines, without their ends: the verifier takes no other. */
void reeve_ledger_export_format_skipped (const ReeveLedgerRange *range, const guint8 *chain,
                                         GString *out);
void reeve_ledger_export_format_end (guint64 size, const char *note, GString *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerExport, reeve_ledger_export_free)

G_END_DECLS
