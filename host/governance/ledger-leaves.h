/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leaf hashes of the records that this process has written and that no full tile has yet. */
#pragma once

#include "ledger-frontier.h"

G_BEGIN_DECLS

/* 4 MiB: ten seconds of as many records as a host writes; what is older is read again */
#define REEVE_LEDGER_LEAVES_MAX 131072

typedef struct _ReeveLedgerLeaves ReeveLedgerLeaves;

ReeveLedgerLeaves *reeve_ledger_leaves_new (void);
void reeve_ledger_leaves_free (ReeveLedgerLeaves *self);
/* they are those behind the first @size of the log */
void reeve_ledger_leaves_add (ReeveLedgerLeaves *self, guint64 size, const guint8 *hashes,
                              guint count);
gboolean reeve_ledger_leaves_get (ReeveLedgerLeaves *self, guint64 start, guint count,
                                  guint8 *hashes);
/* lets go of those of the first @size */
void reeve_ledger_leaves_drop (ReeveLedgerLeaves *self, guint64 size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerLeaves, reeve_ledger_leaves_free)

G_END_DECLS
