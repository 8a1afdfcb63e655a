/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads that write, shared by all stores, with group commit for each. */
#pragma once

#include "sqlite-cache.h"

G_BEGIN_DECLS

typedef struct _SqliteWriter SqliteWriter;

typedef struct
{
  guint64 batches;
  guint64 transactions;
} SqliteWriterCounts;

SqliteWriter *sqlite_writer_new (SqliteCache *cache, guint max_threads, gint64 idle_us);
void sqlite_writer_free (SqliteWriter *self);
void sqlite_writer_submit (SqliteWriter *self, ReeveBatch *batch, ReeveBatchFunc func,
                           gpointer user_data);
void sqlite_writer_get_counts (SqliteWriter *self, SqliteWriterCounts *counts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteWriter, sqlite_writer_free)

G_END_DECLS
