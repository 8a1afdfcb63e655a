/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifies logs: every byte of every file that counts, against the chain and the signed
 * checkpoints. */
#pragma once

#include "checkpoint.h"
#include "ledger-key.h"
#include "ledger-state.h"
#include "ledger-witnessed.h"
#include "ledger.h"

G_BEGIN_DECLS

/* since: (nullable) (element-type GBytes): checkpoints that were copied earlier */
JsonObject *reeve_ledger_verify_folder_since (const char *root, const char *keys_folder,
                                              GPtrArray *since, GError **error);
JsonObject *reeve_ledger_verify_folder_witnessed (const char *root, const char *keys_folder,
                                                  GPtrArray *since, const ReeveLedgerQuorum *quorum,
                                                  GError **error);
JsonObject *reeve_ledger_verify_log (const char *root, const char *scope, ReeveLedgerKey *key,
                                     const ReeveCheckpoint *known);
JsonObject *reeve_ledger_verify_folder (const char *root, const char *keys_folder, GError **error);

G_END_DECLS
