/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePrices: what a thousand tokens of a model cost. A model that is not in the table has no
 * price, which is not the price zero. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct
{
  gint64 input; /* pico-units for a thousand tokens */
  gint64 output;
  gint64 cached;
  char currency[4];
} ReevePrice;

typedef struct _ReevePrices ReevePrices;

/* table (nullable): {"provider/model": {input, output, cached?, currency?}}, decimal texts */
ReevePrices *reeve_prices_new (JsonObject *table, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void reeve_prices_free (ReevePrices *self);
gboolean reeve_prices_is_empty (const ReevePrices *self);
/* (nullable): "provider/model", else "provider/" followed by a star. Any thread. */
const ReevePrice *reeve_prices_find (const ReevePrices *self, const char *model);
/* Nano-units, rounded up. */
gint64 reeve_prices_cost (const ReevePrice *price, gint64 input, gint64 output);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePrices, reeve_prices_free)

G_END_DECLS
