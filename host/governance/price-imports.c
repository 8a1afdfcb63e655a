/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Imports are numbered by a counter of the platform's store: the batch that keeps one demands that
 * the number is still the next. So there is one order of them, and the last is known by its number.
 */
#include "price-imports.h"

#include "base/ids.h"
#include "base/times.h"
#include "store/store-counters.h"

#include "directory.h"

#define REEVE_PRICE_IMPORTS_COUNTER "prices/imports"

/* Of its record; outside it has an id that tells nothing. */
static char *
reeve_price_imports_id (gint64 number)
{
  return g_strdup_printf ("%012" G_GINT64_FORMAT, number);
}

static JsonObject *
reeve_price_imports_show (ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *file = reeve_json_get_object (fields, "file");
  JsonArray *rows = reeve_json_get_array (file, "prices");
  JsonObject *shown = json_object_new ();

  reeve_directory_copy (fields, shown, "import_id");
  reeve_directory_copy (file, shown, "source");
  reeve_directory_copy (file, shown, "date");
  json_object_set_int_member (shown, "rows", rows != NULL ? json_array_get_length (rows) : 0);
  reeve_directory_show_time (fields, shown, "created_at");
  reeve_directory_copy (fields, shown, "created_by");
  return shown;
}

/**
 * reeve_price_imports_load:
 * @store: an open store
 * @prices: gets the last list
 * @error: return location
 *
 * Returns: %FALSE with an error: prices that cannot be read are not those of before
 */
gboolean
reeve_price_imports_load (ReeveStore *store, ReevePrices *prices, GError **error)
{
  gint64 number = 0;
  g_autofree char *id = NULL;
  g_autoptr (ReeveRecord) record = NULL;
  g_autoptr (ReevePriceList) list = NULL;

  if (!reeve_store_counters_get (store, REEVE_SCOPE_PLATFORM, REEVE_PRICE_IMPORTS_COUNTER, &number,
                                 error))
    return FALSE;
  if (number == 0)
    return TRUE;
  id = reeve_price_imports_id (number);
  record = reeve_store_get (store, REEVE_SCOPE_PLATFORM, REEVE_STORE_PRICE_IMPORTS, id, error);
  if (record != NULL)
    list = reeve_price_list_new (reeve_json_get_object (reeve_record_get_fields (record), "file"),
                                 NULL, error);
  if (list == NULL)
    {
      g_prefix_error (error, "reading the prices that were imported as %s: ", id);
      return FALSE;
    }
  reeve_prices_set_list (prices, REEVE_PRICES_IMPORTED, list, number);
  return TRUE;
}

/* What the list was read from, as it is kept. */
static JsonObject *
reeve_price_imports_make_fields (JsonObject *params, ReeveCaller *caller)
{
  static const char *const members[] = { "source", "date", "prices" };
  g_autofree char *import_id = reeve_ids_new ("pri");
  JsonObject *fields = json_object_new ();
  JsonObject *file = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    json_object_set_member (file, members[i],
                            json_node_copy (json_object_get_member (params, members[i])));
  json_object_set_object_member (fields, "file", file);
  json_object_set_string_member (fields, "import_id", import_id);
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  json_object_set_string_member (fields, "created_by", reeve_caller_get_user_id (caller));
  return fields;
}

/**
 * reeve_price_imports_make:
 * @store: an open store
 * @prices: what is asked for prices
 * @admitted: the right to do it
 * @operation: as which it was admitted
 * @params: with which: {source, date, prices[]}
 * @list: what was read of them
 * @error: return location
 *
 * Returns: (transfer full): the import as it is shown; %NULL with %REEVE_ERROR_CONFLICT
 */
JsonObject *
reeve_price_imports_make (ReeveStore *store, ReevePrices *prices, ReeveAdmitted *admitted,
                          const char *operation, JsonObject *params, ReevePriceList *list,
                          GError **error)
{
  g_autoptr (JsonObject) fields
      = reeve_price_imports_make_fields (params, reeve_admitted_get_caller (admitted));
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (ReeveRecord) record = NULL;
  g_autofree char *id = NULL;
  g_autoptr (GError) local = NULL;
  gint64 number = 0;

  if (!reeve_store_counters_get (store, REEVE_SCOPE_PLATFORM, REEVE_PRICE_IMPORTS_COUNTER, &number,
                                 error))
    return NULL;
  number++;
  id = reeve_price_imports_id (number);
  reeve_batch_count (batch, REEVE_PRICE_IMPORTS_COUNTER, 1, number, number);
  reeve_batch_put (batch, REEVE_STORE_PRICE_IMPORTS, id, fields, REEVE_REVISION_ABSENT);
  reeve_admitted_consume_exactly (admitted, operation, NULL, params);
  result = reeve_store_commit (store, batch, &local);
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                           "somebody else has imported prices meanwhile");
      return NULL;
    }
  if (result == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  reeve_prices_set_list (prices, REEVE_PRICES_IMPORTED, list, number);
  record = reeve_store_get (store, REEVE_SCOPE_PLATFORM, REEVE_STORE_PRICE_IMPORTS, id, error);
  return record != NULL ? reeve_price_imports_show (record) : NULL;
}

/**
 * reeve_price_imports_list:
 * @store: an open store
 * @params: {limit?, cursor?}
 * @error: return location
 *
 * Returns: (transfer full): a page of imports, oldest first; %NULL with an error
 */
JsonObject *
reeve_price_imports_list (ReeveStore *store, JsonObject *params, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (REEVE_SCOPE_PLATFORM, REEVE_STORE_PRICE_IMPORTS);

  return reeve_directory_list (store, query, params, reeve_price_imports_show, error);
}
