/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rollback journal of a sealed store. */
#pragma once

#include "sqlite-sealer.h"

G_BEGIN_DECLS

typedef struct _SqliteJournal SqliteJournal;

SqliteJournal *sqlite_journal_new (SqliteNode *node, sqlite3_file *real);
void sqlite_journal_free (SqliteJournal *self);
int sqlite_journal_read (SqliteJournal *self, guint8 *data, int length, gint64 offset);
int sqlite_journal_write (SqliteJournal *self, const guint8 *data, int length, gint64 offset);

G_END_DECLS
