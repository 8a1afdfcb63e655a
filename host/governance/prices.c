/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The price table, read once and immutable. */
#include "prices.h"

#include <reeve-json.h>
#include <string.h>

#include "money.h"

#define REEVE_PRICES_DIGITS 12

struct _ReevePrices
{
  GHashTable *models; /* name -> ReevePrice */
};

static gboolean
reeve_prices_read_one (JsonObject *object, const char *member, gint64 fallback, gint64 *price,
                       GError **error)
{
  const char *text = reeve_json_get_string (object, member, NULL);

  *price = fallback;
  if (text == NULL || reeve_money_parse (text, REEVE_PRICES_DIGITS, price, error))
    return TRUE;
  g_prefix_error (error, "%s: ", member);
  return FALSE;
}

static gboolean
reeve_prices_read (ReevePrices *self, const char *model, JsonObject *object, GError **error)
{
  g_autofree ReevePrice *price = g_new0 (ReevePrice, 1);

  g_strlcpy (price->currency, reeve_json_get_string (object, "currency", "USD"),
             sizeof price->currency);
  if (!reeve_prices_read_one (object, "input", 0, &price->input, error)
      || !reeve_prices_read_one (object, "output", 0, &price->output, error)
      || !reeve_prices_read_one (object, "cached", price->input, &price->cached, error))
    {
      g_prefix_error (error, "price of %s: ", model);
      return FALSE;
    }
  g_hash_table_insert (self->models, g_strdup (model), g_steal_pointer (&price));
  return TRUE;
}

/**
 * reeve_prices_new:
 * @table: (nullable): {"provider/model": {input, output, cached?, currency?}}
 * @error: return location
 *
 * Returns: (transfer full): the table; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
ReevePrices *
reeve_prices_new (JsonObject *table, GError **error)
{
  g_autoptr (ReevePrices) self = g_new0 (ReevePrices, 1);
  JsonObjectIter iter;
  const char *model = NULL;
  JsonNode *node = NULL;

  self->models = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (table == NULL)
    return g_steal_pointer (&self);
  json_object_iter_init (&iter, table);
  while (json_object_iter_next (&iter, &model, &node))
    if (JSON_NODE_HOLDS_OBJECT (node)
        && !reeve_prices_read (self, model, json_node_get_object (node), error))
      return NULL;
  return g_steal_pointer (&self);
}

/**
 * reeve_prices_free:
 * @self: a table
 */
void
reeve_prices_free (ReevePrices *self)
{
  g_hash_table_unref (self->models);
  g_free (self);
}

/**
 * reeve_prices_is_empty:
 * @self: a table
 *
 * Returns: whether no model has a price
 */
gboolean
reeve_prices_is_empty (const ReevePrices *self)
{
  return g_hash_table_size (self->models) == 0;
}

/**
 * reeve_prices_find:
 * @self: a table
 * @model: (nullable): provider id / name
 *
 * A price of all models of a provider stands under the provider's id, a slash and a star.
 *
 * Returns: (transfer none) (nullable): its price; %NULL when it is not known
 */
const ReevePrice *
reeve_prices_find (const ReevePrices *self, const char *model)
{
  const ReevePrice *price = NULL;
  const char *slash = model != NULL ? strchr (model, '/') : NULL;
  g_autofree char *all = NULL;

  if (model == NULL || reeve_prices_is_empty (self))
    return NULL;
  price = g_hash_table_lookup (self->models, model);
  if (price != NULL || slash == NULL)
    return price;
  all = g_strdup_printf ("%.*s/*", (int) (slash - model), model);
  return g_hash_table_lookup (self->models, all);
}

/**
 * reeve_prices_cost:
 * @price: of a model
 * @input: tokens read
 * @output: tokens written
 *
 * Returns: what they cost, in nano-units, each part rounded up
 */
gint64
reeve_prices_cost (const ReevePrice *price, gint64 input, gint64 output)
{
  return reeve_money_cost (input, price->input) + reeve_money_cost (output, price->output);
}
