/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the configuration says, then what was imported, then what is built in. A price is handed out
 * as a copy, so that whoever reserves and settles by it does both by the same. */
#include "prices.h"

#include <reeve-json.h>
#include <string.h>

#include "money.h"

#define REEVE_PRICES_DIGITS 12
#define REEVE_PRICES_KEPT   256 /* models whose price is remembered */
#define REEVE_PRICES_NAME   128 /* bytes of a name that is */

/* What was found for a model. */
typedef struct
{
  gboolean priced;
  gboolean named; /* by its name, and not as one of a provider's */
  ReevePrice price;
} ReevePricesAnswer;

struct _ReevePrices
{
  GMutex lock;
  GHashTable *configured; /* name -> ReevePrice */
  GHashTable *services;   /* provider -> host name */
  GHashTable *embedded;   /* providers that this machine computes */
  ReevePriceList *lists[REEVE_PRICES_CONFIGURED];
  gint64 numbers[REEVE_PRICES_CONFIGURED]; /* theirs */
  GHashTable *answers;                     /* model -> ReevePricesAnswer; a few, as lists are now */
};

static const char *const reeve_prices_origins[REEVE_PRICES_N_ORIGINS]
    = { "built_in", "imported", "configuration", "embedded" };

/* in the currency of the lists */
static const ReevePrice reeve_prices_nothing = { .currency = "USD", .embedded = TRUE };

const char *
reeve_prices_origin_name (ReevePricesOrigin origin)
{
  g_return_val_if_fail ((guint) origin < REEVE_PRICES_N_ORIGINS, "");
  return reeve_prices_origins[origin];
}

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
  g_hash_table_insert (self->configured, g_strdup (model), g_steal_pointer (&price));
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

  g_mutex_init (&self->lock);
  self->configured = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->services = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->embedded = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->answers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
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
  for (guint i = 0; i < G_N_ELEMENTS (self->lists); i++)
    g_clear_pointer (&self->lists[i], reeve_price_list_unref);
  g_hash_table_unref (self->configured);
  g_hash_table_unref (self->services);
  g_hash_table_unref (self->embedded);
  g_hash_table_unref (self->answers);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * reeve_prices_set_service:
 * @self: a table
 * @provider_id: of the configuration
 * @service: host name
 *
 * A model has a price of its own at each service: one that is served on a machine of one's own
 * costs nothing of what its name costs elsewhere.
 */
void
reeve_prices_set_service (ReevePrices *self, const char *provider_id, const char *service)
{
  g_mutex_lock (&self->lock);
  g_hash_table_insert (self->services, g_strdup (provider_id), g_ascii_strdown (service, -1));
  g_hash_table_remove_all (self->answers);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_prices_set_embedded:
 * @self: a table
 * @provider_id: of the configuration
 *
 * This machine computes its models: where nobody gave them a price, it is not unknown but 0.
 */
void
reeve_prices_set_embedded (ReevePrices *self, const char *provider_id)
{
  g_mutex_lock (&self->lock);
  g_hash_table_add (self->embedded, g_strdup (provider_id));
  g_hash_table_remove_all (self->answers);
  g_mutex_unlock (&self->lock);
}

/**
 * reeve_prices_set_list:
 * @self: a table
 * @origin: #REEVE_PRICES_BUILT_IN or #REEVE_PRICES_IMPORTED
 * @list: (nullable): takes the place of the one before
 * @number: of the list; two that are imported at once may come here in another order
 */
void
reeve_prices_set_list (ReevePrices *self, ReevePricesOrigin origin, ReevePriceList *list,
                       gint64 number)
{
  ReevePriceList *old = NULL;

  g_return_if_fail (origin < REEVE_PRICES_CONFIGURED);
  g_mutex_lock (&self->lock);
  if (number >= self->numbers[origin])
    {
      old = self->lists[origin];
      self->lists[origin] = list != NULL ? reeve_price_list_ref (list) : NULL;
      self->numbers[origin] = number;
      g_hash_table_remove_all (self->answers);
    }
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&old, reeve_price_list_unref);
}

/* ---- finding ---- */

static const ReevePrice *
reeve_prices_find_configured (ReevePrices *self, const char *model, char **name)
{
  const char *slash = strchr (model, '/');
  const ReevePrice *price = g_hash_table_lookup (self->configured, model);

  *name = g_strdup (model);
  if (price != NULL || slash == NULL)
    return price;
  g_free (*name);
  *name = g_strdup_printf ("%.*s/*", (int) (slash - model), model);
  return g_hash_table_lookup (self->configured, *name);
}

static const ReevePriceRow *
reeve_prices_find_row (ReevePrices *self, ReevePricesOrigin origin, const char *model)
{
  const ReevePriceList *list = self->lists[origin];
  const char *slash = strchr (model, '/');
  g_autofree char *provider = slash != NULL ? g_strndup (model, (gsize) (slash - model)) : NULL;
  const char *service = provider != NULL ? g_hash_table_lookup (self->services, provider) : NULL;
  const ReevePriceRow *row = NULL;

  if (list == NULL)
    return NULL;
  row = reeve_price_list_find (list, NULL, model);
  return row != NULL || slash == NULL ? row : reeve_price_list_find (list, service, slash + 1);
}

/* Under the lock. */
static const ReevePriceRow *
reeve_prices_find_listed (ReevePrices *self, const char *model, ReevePricesOrigin *origin)
{
  const ReevePriceRow *row = NULL;

  for (guint i = REEVE_PRICES_CONFIGURED; row == NULL && i > 0; i--)
    {
      *origin = (ReevePricesOrigin) (i - 1);
      row = reeve_prices_find_row (self, *origin, model);
    }
  return row;
}

/* Under the lock. */
static gboolean
reeve_prices_is_embedded (ReevePrices *self, const char *model)
{
  g_autofree char *provider = g_strndup (model, strcspn (model, "/"));

  return g_hash_table_contains (self->embedded, provider);
}

/* Under the lock. */
static ReevePricesAnswer
reeve_prices_ask (ReevePrices *self, const char *model)
{
  g_autofree char *name = NULL;
  const ReevePrice *configured = reeve_prices_find_configured (self, model, &name);
  ReevePricesOrigin origin = REEVE_PRICES_BUILT_IN;
  const ReevePriceRow *row = reeve_prices_find_listed (self, model, &origin);
  ReevePricesAnswer answer = { 0 };

  answer.named = row != NULL || (configured != NULL && strcmp (name, model) == 0);
  answer.priced = row != NULL || configured != NULL || reeve_prices_is_embedded (self, model);
  if (configured != NULL)
    answer.price = *configured;
  else if (row != NULL)
    answer.price = row->price;
  else if (answer.priced)
    answer.price = reeve_prices_nothing;
  return answer;
}

/* Every call asks for the price of its model several times. */
static ReevePricesAnswer
reeve_prices_look (ReevePrices *self, const char *model)
{
  ReevePricesAnswer answer = { 0 };
  const ReevePricesAnswer *known = NULL;

  g_mutex_lock (&self->lock);
  known = g_hash_table_lookup (self->answers, model);
  answer = known != NULL ? *known : reeve_prices_ask (self, model);
  if (known == NULL && strlen (model) <= REEVE_PRICES_NAME)
    {
      if (g_hash_table_size (self->answers) >= REEVE_PRICES_KEPT)
        g_hash_table_remove_all (self->answers);
      g_hash_table_insert (self->answers, g_strdup (model), g_memdup2 (&answer, sizeof answer));
    }
  g_mutex_unlock (&self->lock);
  return answer;
}

/**
 * reeve_prices_find:
 * @self: prices
 * @model: (nullable): provider id / name
 * @price: (out caller-allocates): what it costs now
 *
 * A price of all models of a provider stands under the provider's id, a slash and a star. A row of
 * a list is meant by its whole name, or by the name of the model alone: of a row with a service,
 * where the provider is that service.
 *
 * Returns: whether there is a price
 */
gboolean
reeve_prices_find (ReevePrices *self, const char *model, ReevePrice *price)
{
  ReevePricesAnswer answer = { 0 };

  if (model == NULL)
    return FALSE;
  answer = reeve_prices_look (self, model);
  if (answer.priced)
    *price = answer.price;
  return answer.priced;
}

/**
 * reeve_prices_has_name:
 * @self: prices
 * @model: provider id / name
 *
 * Returns: whether somebody wrote down a price of this model by its name
 */
gboolean
reeve_prices_has_name (ReevePrices *self, const char *model)
{
  return reeve_prices_look (self, model).named;
}

/* ---- showing ---- */

static void
reeve_prices_set_price (JsonObject *shown, const char *member, gint64 pico)
{
  g_autofree char *text = reeve_money_format_pico (pico);

  json_object_set_string_member (shown, member, text);
}

static void
reeve_prices_set_text (JsonObject *shown, const char *member, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (shown, member, text);
  else
    json_object_set_null_member (shown, member);
}

static JsonObject *
reeve_prices_show_row (const char *model_name, const char *service, const char *notes,
                       const ReevePrice *price, ReevePricesOrigin origin,
                       const ReevePriceList *list)
{
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "model_name", model_name);
  reeve_prices_set_text (shown, "service", service);
  reeve_prices_set_price (shown, "input_token_price", price->input);
  reeve_prices_set_price (shown, "output_token_price", price->output);
  reeve_prices_set_price (shown, "cached_input_token_price", price->cached);
  json_object_set_string_member (shown, "currency", price->currency);
  reeve_prices_set_text (shown, "notes", notes);
  json_object_set_string_member (shown, "origin", reeve_prices_origin_name (origin));
  reeve_prices_set_text (shown, "source", list != NULL ? reeve_price_list_get_source (list) : NULL);
  reeve_prices_set_text (shown, "date", list != NULL ? reeve_price_list_get_date (list) : NULL);
  return shown;
}

/* All of a provider. */
static JsonObject *
reeve_prices_show_embedded (const char *provider_id)
{
  g_autofree char *name = g_strconcat (provider_id, "/*", NULL);

  return reeve_prices_show_row (name, NULL, "computed by this machine", &reeve_prices_nothing,
                                REEVE_PRICES_EMBEDDED, NULL);
}

/**
 * reeve_prices_explain:
 * @self: prices
 * @model: provider id / name
 * @row: (out) (transfer full) (nullable): the row that it is priced by
 *
 * Returns: whether there is a price
 */
gboolean
reeve_prices_explain (ReevePrices *self, const char *model, JsonObject **row)
{
  g_autofree char *name = NULL;
  const ReevePrice *configured = reeve_prices_find_configured (self, model, &name);
  const ReevePriceRow *found = NULL;
  ReevePricesOrigin origin = REEVE_PRICES_BUILT_IN;
  g_autofree char *provider = g_strndup (model, strcspn (model, "/"));

  *row = NULL;
  if (configured != NULL)
    {
      *row = reeve_prices_show_row (name, NULL, NULL, configured, REEVE_PRICES_CONFIGURED, NULL);
      return TRUE;
    }
  g_mutex_lock (&self->lock);
  found = reeve_prices_find_listed (self, model, &origin);
  if (found != NULL)
    *row = reeve_prices_show_row (found->model_name, found->service, found->notes, &found->price,
                                  origin, self->lists[origin]);
  else if (reeve_prices_is_embedded (self, model))
    *row = reeve_prices_show_embedded (provider);
  g_mutex_unlock (&self->lock);
  return *row != NULL;
}

/* Does a list that counts more say the same of it? */
static gboolean
reeve_prices_is_hidden (ReevePrices *self, ReevePricesOrigin origin, const ReevePriceRow *row)
{
  if (row->service == NULL && g_hash_table_contains (self->configured, row->model_name))
    return TRUE;
  for (guint i = (guint) origin + 1; i < REEVE_PRICES_CONFIGURED; i++)
    if (self->lists[i] != NULL
        && reeve_price_list_find (self->lists[i], row->service, row->model_name) != NULL)
      return TRUE;
  return FALSE;
}

static gint
reeve_prices_compare (gconstpointer a, gconstpointer b)
{
  JsonObject *left = *(JsonObject *const *) a;
  JsonObject *right = *(JsonObject *const *) b;
  int order = strcmp (json_object_get_string_member (left, "model_name"),
                      json_object_get_string_member (right, "model_name"));

  return order != 0 ? order
                    : g_strcmp0 (reeve_json_get_string (left, "service", NULL),
                                 reeve_json_get_string (right, "service", NULL));
}

static void
reeve_prices_collect (ReevePrices *self, ReevePricesOrigin origin, GPtrArray *all)
{
  const ReevePriceList *list = self->lists[origin];
  const GPtrArray *rows = list != NULL ? reeve_price_list_get_rows (list) : NULL;

  for (guint i = 0; rows != NULL && i < rows->len; i++)
    {
      const ReevePriceRow *row = rows->pdata[i];

      if (!reeve_prices_is_hidden (self, origin, row))
        g_ptr_array_add (all, reeve_prices_show_row (row->model_name, row->service, row->notes,
                                                     &row->price, origin, list));
    }
}

/**
 * reeve_prices_show:
 * @self: prices
 *
 * Returns: (transfer full): all that are in force, by name
 */
JsonArray *
reeve_prices_show (ReevePrices *self)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  JsonArray *shown = json_array_new ();
  GHashTableIter iter;
  gpointer name = NULL;
  gpointer price = NULL;

  g_hash_table_iter_init (&iter, self->configured);
  while (g_hash_table_iter_next (&iter, &name, &price))
    g_ptr_array_add (
        all, reeve_prices_show_row (name, NULL, NULL, price, REEVE_PRICES_CONFIGURED, NULL));
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < REEVE_PRICES_CONFIGURED; i++)
    reeve_prices_collect (self, (ReevePricesOrigin) i, all);
  g_hash_table_iter_init (&iter, self->embedded);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    {
      JsonObject *row = reeve_prices_show_embedded (name);

      if (g_hash_table_contains (self->configured,
                                 json_object_get_string_member (row, "model_name")))
        json_object_unref (row);
      else
        g_ptr_array_add (all, row);
    }
  g_mutex_unlock (&self->lock);
  g_ptr_array_sort (all, reeve_prices_compare);
  for (guint i = 0; i < all->len; i++)
    json_array_add_object_element (shown, all->pdata[i]);
  return shown;
}

/**
 * reeve_prices_is_free:
 * @price: a price
 *
 * Returns: whether tokens cost nothing at it; such a call fits any limit of its currency
 */
gboolean
reeve_prices_is_free (const ReevePrice *price)
{
  return price->input == 0 && price->output == 0;
}

/**
 * reeve_prices_cost:
 * @price: of a model
 * @input: tokens read
 * @output: tokens written
 *
 * Returns: what they cost, in nano-units, each part rounded up; %REEVE_MONEY_TOO_MUCH: that or more
 */
gint64
reeve_prices_cost (const ReevePrice *price, gint64 input, gint64 output)
{
  gint64 cost = 0;

  return __builtin_add_overflow (reeve_money_cost (input, price->input),
                                 reeve_money_cost (output, price->output), &cost)
             ? REEVE_MONEY_TOO_MUCH
             : cost;
}
