/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The WAL index of open stores, in heap, shared by all connections of this process to one file. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _SqliteIndexSet SqliteIndexSet;
typedef struct _SqliteIndexHandle SqliteIndexHandle;

SqliteIndexSet *sqlite_index_set_new (void);
void sqlite_index_set_free (SqliteIndexSet *self);

SqliteIndexHandle *sqlite_index_open (SqliteIndexSet *indexes, const char *path);
void sqlite_index_close (SqliteIndexHandle *self);
int sqlite_index_map (SqliteIndexHandle *self, int region, int size, gboolean extend,
                      void volatile **memory);
int sqlite_index_lock (SqliteIndexHandle *self, int offset, int n, int flags);
void sqlite_index_barrier (SqliteIndexHandle *self);

G_END_DECLS
