/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room on the disk that is kept for when there is none. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* enough for some thousands of records: reads, and outcomes of what is under way */
#define REEVE_LEDGER_RESERVE_SIZE (4 * 1024 * 1024)

typedef struct _ReeveLedgerReserve ReeveLedgerReserve;

ReeveLedgerReserve *reeve_ledger_reserve_new (const char *folder);
void reeve_ledger_reserve_free (ReeveLedgerReserve *self);

/* Any thread. */
gboolean reeve_ledger_reserve_is_used (ReeveLedgerReserve *self);
gboolean reeve_ledger_reserve_release (ReeveLedgerReserve *self);
gboolean reeve_ledger_reserve_refill (ReeveLedgerReserve *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerReserve, reeve_ledger_reserve_free)

G_END_DECLS
