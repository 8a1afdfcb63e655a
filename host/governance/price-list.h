/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePriceList: a file of prices, read as a whole or not at all. Immutable; any thread.
 *
 * {source, date, prices: [{model_name, service?, input_token_price, output_token_price,
 * cached_input_token_price?, currency?, notes?}]}: decimal texts, for a thousand tokens. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define REEVE_PRICE_LIST_ROWS  5000
#define REEVE_PRICE_LIST_BYTES (4 * 1024 * 1024)

typedef struct
{
  gint64 input; /* pico-units for a thousand tokens */
  gint64 output;
  gint64 cached;
  char currency[4];
  gboolean embedded; /* this machine computes it: nothing, in every currency */
} ReevePrice;

typedef struct
{
  char *model_name;
  char *service; /* (nullable): host name; only of models of that service */
  char *notes;   /* (nullable) */
  ReevePrice price;
} ReevePriceRow;

typedef struct _ReevePriceList ReevePriceList;

/* faults (nullable): of {pointer, message}, all that were found. %REEVE_ERROR_INVALID_ARGUMENT
 * naming the first. */
ReevePriceList *reeve_price_list_new (JsonObject *file, JsonArray *faults,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of a text; the error names line and member. */
ReevePriceList *reeve_price_list_parse (const char *text, gsize length,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
ReevePriceList *reeve_price_list_ref (ReevePriceList *self);
void reeve_price_list_unref (ReevePriceList *self);
const char *reeve_price_list_get_source (const ReevePriceList *self);
const char *reeve_price_list_get_date (const ReevePriceList *self);
/* (element-type ReevePriceRow) in the order of the file */
const GPtrArray *reeve_price_list_get_rows (const ReevePriceList *self);
/* (nullable): its row; @service (nullable). Of a service first. */
const ReevePriceRow *reeve_price_list_find (const ReevePriceList *self, const char *service,
                                            const char *model_name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePriceList, reeve_price_list_unref)

G_END_DECLS
