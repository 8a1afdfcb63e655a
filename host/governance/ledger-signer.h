/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread that does one thing every few seconds. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveLedgerSigner ReeveLedgerSigner;

typedef void (*ReeveLedgerSignerFunc) (gpointer user_data);

ReeveLedgerSigner *reeve_ledger_signer_new (const char *name, ReeveLedgerSignerFunc func,
                                            gpointer user_data, guint seconds);
void reeve_ledger_signer_free (ReeveLedgerSigner *self);
void reeve_ledger_signer_set_seconds (ReeveLedgerSigner *self, guint seconds);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerSigner, reeve_ledger_signer_free)

G_END_DECLS
