/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares the tiles of a log with its records. */
#pragma once

#include "ledger-tiles.h"

G_BEGIN_DECLS

/**
 * ReeveLedgerVerifyTilesFault:
 * @file: (nullable): path of a bad tile below the folder of the log
 * @seq: the first record whose hash in it is bad; 0 where it is none's
 */
typedef struct
{
  char *file;
  guint64 seq;
} ReeveLedgerVerifyTilesFault;

typedef struct _ReeveLedgerVerifyTiles ReeveLedgerVerifyTiles;

ReeveLedgerVerifyTiles *reeve_ledger_verify_tiles_new (const char *folder, guint64 required,
                                                       ReeveLedgerVerifyTilesFault *fault,
                                                       GError **error);
void reeve_ledger_verify_tiles_free (ReeveLedgerVerifyTiles *self);
gboolean reeve_ledger_verify_tiles_add (ReeveLedgerVerifyTiles *self,
                                        const guint8 leaf[REEVE_LEDGER_HASH_SIZE],
                                        ReeveLedgerVerifyTilesFault *fault, GError **error);
gboolean reeve_ledger_verify_tiles_finish (ReeveLedgerVerifyTiles *self,
                                           ReeveLedgerVerifyTilesFault *fault, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerVerifyTiles, reeve_ledger_verify_tiles_free)

G_END_DECLS
