/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file `witnessed` of a log: the newest checkpoint that witnesses have cosigned. */
#pragma once

#include "checkpoint.h"
#include "cosigners.h"

G_BEGIN_DECLS

#define REEVE_LEDGER_WITNESSED_FILE "witnessed"

/**
 * ReeveLedgerQuorum:
 * @keys: witnesses that are trusted
 * @needed: how many of them must have cosigned
 */
typedef struct
{
  const ReeveCosigners *keys;
  guint needed;
} ReeveLedgerQuorum;

char *reeve_ledger_witnessed_load (ReeveCheckpoint *checkpoint, const char *folder,
                                   const char *scope, ReeveLedgerKey *key, GError **error);
gboolean reeve_ledger_witnessed_save (const char *note, const char *folder, GError **error);
gboolean reeve_ledger_witnessed_count (const ReeveLedgerQuorum *quorum, const char *note,
                                       guint *count, GError **error);
gboolean reeve_ledger_witnessed_read (ReeveCheckpoint *checkpoint, const char *folder,
                                      const char *scope, ReeveLedgerKey *key,
                                      const ReeveLedgerQuorum *quorum, guint *count,
                                      GError **error);

G_END_DECLS
