/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams and queues: operations on what is kept in an order. */
#pragma once

#include "sqlite-connection.h"

G_BEGIN_DECLS

gboolean sqlite_queue_run (SqliteConnection *connection, const ReeveOp *op, guint position,
                           ReeveBatchResult *result, GError **error);
GPtrArray *sqlite_queue_read_stream (SqliteConnection *connection, const char *stream, gint64 after,
                                     guint limit, GError **error);

G_END_DECLS
