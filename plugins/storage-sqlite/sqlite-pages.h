/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pages of a sealed store file. */
#pragma once

#include "sqlite-sealer.h"

G_BEGIN_DECLS

typedef struct _SqlitePages SqlitePages;

SqlitePages *sqlite_pages_new (SqliteNode *node, sqlite3_file *real);
void sqlite_pages_free (SqlitePages *self);
int sqlite_pages_read (SqlitePages *self, guint8 *data, int length, gint64 offset);
int sqlite_pages_write (SqlitePages *self, const guint8 *data, gint64 offset);

G_END_DECLS
