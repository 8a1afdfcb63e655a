/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One open file's way to the keys: seals by the current one, opens by the one a page names. */
#pragma once

#include "sqlite-node.h"

G_BEGIN_DECLS

typedef struct _SqliteSealer SqliteSealer;

SqliteSealer *sqlite_sealer_new (SqliteNode *node);
void sqlite_sealer_free (SqliteSealer *self);
SqliteNode *sqlite_sealer_get_node (SqliteSealer *self);
SqliteSeal *sqlite_sealer_find (SqliteSealer *self, guint32 id);
SqliteSeal *sqlite_sealer_get_current (SqliteSealer *self);
int sqlite_sealer_close_page (SqliteSealer *self, const SqliteSealPlace *place, const guint8 *plain,
                              guint8 *sealed);
int sqlite_sealer_open_page (SqliteSealer *self, const SqliteSealPlace *place, guint8 *sealed,
                             guint8 *plain);
/* whether a page keeps the bytes of the trailer free */
gboolean sqlite_sealer_is_free (const guint8 *page);

G_END_DECLS
