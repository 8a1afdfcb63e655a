/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counters of a scope, read. They are changed by batches. */
#pragma once

#include "store.h"

G_BEGIN_DECLS

/* Blocks. 0 for a counter that was never raised. */
gboolean reeve_store_counters_get (ReeveStore *store, const char *scope, const char *counter,
                                   gint64 *value, GError **error);

G_END_DECLS
