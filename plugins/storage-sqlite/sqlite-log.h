/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The write-ahead log of a store: a frame goes out in one write, sealed where the store is. */
#pragma once

#include "sqlite-sealer.h"

G_BEGIN_DECLS

#define SQLITE_LOG_HEADER       32 /* of the log */
#define SQLITE_LOG_FRAME_HEADER 24
#define SQLITE_LOG_FRAME        (SQLITE_LOG_FRAME_HEADER + SQLITE_SEAL_PAGE)

typedef struct _SqliteLog SqliteLog;

SqliteLog *sqlite_log_new (SqliteNode *node, sqlite3_file *real);
void sqlite_log_free (SqliteLog *self);
int sqlite_log_flush (SqliteLog *self);
int sqlite_log_read (SqliteLog *self, guint8 *data, int length, gint64 offset);
int sqlite_log_write (SqliteLog *self, const guint8 *data, int length, gint64 offset);

G_END_DECLS
