/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of prices that an administrator gave the host: the last one counts, all are kept, so that
 * it can be said what was in force when. */
#pragma once

#include "store/store.h"

#include "admission.h"
#include "prices.h"

G_BEGIN_DECLS

/* At start: @prices get the last one. Blocks. */
gboolean reeve_price_imports_load (ReeveStore *store, ReevePrices *prices, GError **error);
/* Consumes @admitted, which was admitted as @operation with @params {source, date, prices[]}; they
 * are in force when it returns. (transfer full) the import as it is shown. Blocks.
 * %REEVE_ERROR_CONFLICT: somebody else was first. */
JsonObject *reeve_price_imports_make (ReeveStore *store, ReevePrices *prices,
                                      ReeveAdmitted *admitted, const char *operation,
                                      JsonObject *params, ReevePriceList *list, GError **error);
/* {items, next_cursor}, oldest first */
JsonObject *reeve_price_imports_list (ReeveStore *store, JsonObject *params, GError **error);

G_END_DECLS
