/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last checkpoint of each log, kept outside the folder of logs as well:
 * `<state>/checkpoints/<scope>`. That folder, put back as it was, is then seen to end too early. */
#pragma once

#include "checkpoint.h"

G_BEGIN_DECLS

#define REEVE_LEDGER_KEPT_FOLDER "checkpoints"

gboolean reeve_ledger_kept_write (const ReeveCheckpoint *checkpoint, const char *scope,
                                  ReeveLedgerKey *key, GError **error);
/* of no size: none is kept */
gboolean reeve_ledger_kept_read (ReeveCheckpoint *checkpoint, const char *scope,
                                 ReeveLedgerKey *key, GError **error);
void reeve_ledger_kept_remove (const char *scope, ReeveLedgerKey *key);
/* (transfer full) (element-type GBytes) */
GPtrArray *reeve_ledger_kept_list (ReeveLedgerKey *key, GError **error);

G_END_DECLS
