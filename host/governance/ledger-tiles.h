/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hash tiles of a log by C2SP tlog-tiles: files of 256 hashes under tile/. */
#pragma once

#include "ledger-merkle.h"

G_BEGIN_DECLS

#define REEVE_LEDGER_TILES_FOLDER "tile"
#define REEVE_LEDGER_TILES_HEIGHT 8
#define REEVE_LEDGER_TILES_WIDTH  256
#define REEVE_LEDGER_TILES_SIZE   (REEVE_LEDGER_TILES_WIDTH * REEVE_LEDGER_HASH_SIZE)
/* as many as the largest log has */
#define REEVE_LEDGER_TILES_LEVELS (REEVE_LEDGER_FRONTIER_LEVELS / REEVE_LEDGER_TILES_HEIGHT)

typedef struct _ReeveLedgerTiles ReeveLedgerTiles;

char *reeve_ledger_tiles_name (guint level, guint64 index);
gboolean reeve_ledger_tiles_parse (const char *name, guint *level, guint64 *index);
guint64 reeve_ledger_tiles_count (guint64 size, guint level);
gboolean reeve_ledger_tiles_read (const char *folder, guint level, guint64 index,
                                  guint8 hashes[REEVE_LEDGER_TILES_SIZE], GError **error);
guint64 reeve_ledger_tiles_find_end (const char *folder, guint64 size);

/* tiles on their way to the disk */
ReeveLedgerTiles *reeve_ledger_tiles_new (const char *folder);
void reeve_ledger_tiles_free (ReeveLedgerTiles *self);
gboolean reeve_ledger_tiles_add (ReeveLedgerTiles *self, guint level, guint64 index,
                                 const guint8 hashes[REEVE_LEDGER_TILES_SIZE], GError **error);
gboolean reeve_ledger_tiles_finish (ReeveLedgerTiles *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerTiles, reeve_ledger_tiles_free)

G_END_DECLS
