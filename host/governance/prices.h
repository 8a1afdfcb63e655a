/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePrices: what a thousand tokens of a model cost. A model that nobody gave a price has none,
 * which is not the price zero. Any thread: prices change while calls are under way. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "price-list.h"

G_BEGIN_DECLS

/* Whose word counts: the greatest that knows the model. */
typedef enum
{
  REEVE_PRICES_BUILT_IN,   /* shipped with the host, or the file that takes its place */
  REEVE_PRICES_IMPORTED,   /* prices.import */
  REEVE_PRICES_CONFIGURED, /* llm.prices */
  REEVE_PRICES_EMBEDDED,   /* of a model that this machine computes: where no other does */
  REEVE_PRICES_N_ORIGINS
} ReevePricesOrigin;

typedef struct _ReevePrices ReevePrices;

/* table (nullable): {"provider/model": {input, output, cached?, currency?}}, decimal texts */
ReevePrices *reeve_prices_new (JsonObject *table, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void reeve_prices_free (ReevePrices *self);
/* Before the first request: the host name of the service that a provider stands for. */
void reeve_prices_set_service (ReevePrices *self, const char *provider_id, const char *service);
/* Before the first request: this machine computes that provider's models, so where nobody gave them
 * a price it is known to be 0. */
void reeve_prices_set_embedded (ReevePrices *self, const char *provider_id);
/* list (nullable): none. For what is asked from now on; what was reserved keeps its price. @number:
 * one that is less than that of the list before changes nothing. */
void reeve_prices_set_list (ReevePrices *self, ReevePricesOrigin origin, ReevePriceList *list,
                            gint64 number);
/* "provider/model", else "provider/" followed by a star; else of a list. FALSE: it is not known. */
gboolean reeve_prices_find (ReevePrices *self, const char *model, ReevePrice *price);
/* Has this very model one, by its name and not with all others of its provider? */
gboolean reeve_prices_has_name (ReevePrices *self, const char *model);
/* The same with where it is from; *row (transfer full) (nullable): as a list shows it. */
gboolean reeve_prices_explain (ReevePrices *self, const char *model, JsonObject **row);
/* (transfer full) all rows by name, each with its origin; what no one can get any more is left out
 */
JsonArray *reeve_prices_show (ReevePrices *self);
const char *reeve_prices_origin_name (ReevePricesOrigin origin);
/* Nano-units, rounded up. */
/* Does a call at it cost nothing, however long it is? */
gboolean reeve_prices_is_free (const ReevePrice *price);
gint64 reeve_prices_cost (const ReevePrice *price, gint64 input, gint64 output);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePrices, reeve_prices_free)

G_END_DECLS
