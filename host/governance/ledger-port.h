/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Brings the answers of many appends into one GMainContext with one wake. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ReeveLedgerPort ReeveLedgerPort;

ReeveLedgerPort *reeve_ledger_port_new (GMainContext *context);
ReeveLedgerPort *reeve_ledger_port_ref (ReeveLedgerPort *self);
void reeve_ledger_port_unref (ReeveLedgerPort *self);
void reeve_ledger_port_close (ReeveLedgerPort *self);
void reeve_ledger_port_push (ReeveLedgerPort *self, GTask *task, guint64 seq, GError *error);
void reeve_ledger_port_wake (ReeveLedgerPort *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerPort, reeve_ledger_port_unref)

G_END_DECLS
