/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A temporary file under a key that nobody else has. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

typedef struct _SqliteTemp SqliteTemp;

SqliteTemp *sqlite_temp_new (sqlite3_file *real);
void sqlite_temp_free (SqliteTemp *self);
int sqlite_temp_read (SqliteTemp *self, guint8 *data, int length, gint64 offset);
int sqlite_temp_write (SqliteTemp *self, const guint8 *data, int length, gint64 offset);
int sqlite_temp_truncate (SqliteTemp *self, gint64 size);
gint64 sqlite_temp_get_size (SqliteTemp *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteTemp, sqlite_temp_free)

G_END_DECLS
