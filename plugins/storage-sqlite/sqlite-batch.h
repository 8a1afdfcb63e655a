/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Applies the operations of a batch inside a transaction. */
#pragma once

#include "sqlite-schema.h"

G_BEGIN_DECLS

ReeveBatchResult *sqlite_batch_apply (SqliteConnection *connection, SqliteSchema *schema,
                                      ReeveBatch *batch, GError **error);

G_END_DECLS
