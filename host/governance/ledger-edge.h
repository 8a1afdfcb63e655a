/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The right edge of the tiles: what the partial tiles above level 0 hold. */
#pragma once

#include "ledger-tiles.h"

G_BEGIN_DECLS

/* a cache */
#define REEVE_LEDGER_EDGE_FILE "edge.idx"

/**
 * ReeveLedgerEdge:
 * @tiles: full tiles of level 0 that it stands behind
 * @rows: @rows[l]: the hashes of the partial tile of level l; of them (@tiles >> 8 (l - 1)) % 256
 * are defined; @rows[0] is not used
 */
typedef struct
{
  guint64 tiles;
  guint8 rows[REEVE_LEDGER_TILES_LEVELS][REEVE_LEDGER_TILES_SIZE];
} ReeveLedgerEdge;

guint64 reeve_ledger_edge_count (const ReeveLedgerEdge *self, guint level);
ReeveLedgerEdge *reeve_ledger_edge_load (const char *folder);
ReeveLedgerEdge *reeve_ledger_edge_make (const char *folder, guint64 tiles, GError **error);
gboolean reeve_ledger_edge_save (const ReeveLedgerEdge *self, const char *folder, GError **error);
gboolean reeve_ledger_edge_add (ReeveLedgerEdge *self, const guint8 hashes[REEVE_LEDGER_TILES_SIZE],
                                ReeveLedgerTiles *tiles, GError **error);

G_END_DECLS
