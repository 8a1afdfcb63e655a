/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of a sealed store: its commits, told to the scope's mark, and how often its key sealed.
 */
#pragma once

#include "sqlite-connection.h"

G_BEGIN_DECLS

typedef struct _SqliteTally SqliteTally;

SqliteTally *sqlite_tally_new (SqliteKeyring *keyring, SqliteNode *node, const char *scope,
                               guint64 seal_limit);
void sqlite_tally_free (SqliteTally *self);

gboolean sqlite_tally_load (SqliteTally *self, SqliteConnection *connection,
                            const ReeveStorageMark *mark, GError **error);
gboolean sqlite_tally_renew (SqliteTally *self, GError **error);
gboolean sqlite_tally_write (SqliteTally *self, SqliteConnection *connection, GError **error);
gboolean sqlite_tally_acknowledge (SqliteTally *self, GError **error);
gboolean sqlite_tally_save (SqliteTally *self, GError **error);
guint64 sqlite_tally_get_sequence (SqliteTally *self);
gboolean sqlite_tally_read_sequence (SqliteConnection *connection, guint64 *sequence,
                                     GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteTally, sqlite_tally_free)

G_END_DECLS
