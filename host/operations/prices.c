/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What models cost, over governance/prices.h and governance/price-imports.h. */
#include "governance/price-imports.h"
#include "operation-functions.h"
#include "page.h"

void
reeve_op_prices_list (ReeveCall *call, ReeveServices *services)
{
  reeve_page_answer (call, reeve_prices_show (reeve_budgets_get_prices (services->budgets)));
}

void
reeve_op_prices_get (ReeveCall *call, ReeveServices *services)
{
  const char *model = reeve_call_get_string (call, "model");
  JsonObject *row = NULL;
  gboolean priced = FALSE;
  JsonObject *shown = NULL;
  GError *error = NULL;

  if (model == NULL)
    {
      reeve_error_set_member (&error, "/model", "is missing");
      reeve_call_fail (call, error);
      return;
    }
  priced = reeve_prices_explain (reeve_budgets_get_prices (services->budgets), model, &row);
  shown = json_object_new ();
  json_object_set_string_member (shown, "model", model);
  json_object_set_boolean_member (shown, "priced", priced);
  if (row != NULL)
    json_object_set_object_member (shown, "price", row);
  else
    json_object_set_null_member (shown, "price");
  reeve_call_answer (call, shown, NULL);
}

void
reeve_op_prices_import (ReeveCall *call, ReeveServices *services)
{
  JsonObject *params = reeve_call_get_params (call);
  GError *error = NULL;
  g_autoptr (JsonObject) file = json_object_new ();
  g_autoptr (ReevePriceList) list = NULL;
  g_autoptr (GList) names = json_object_get_members (params);
  JsonObject *made = NULL;

  /* a door may have put the tenant's id beside it */
  for (GList *l = names; l != NULL; l = l->next)
    if (!g_str_equal (l->data, "tenant_id"))
      json_object_set_member (file, l->data,
                              json_node_ref (json_object_get_member (params, l->data)));
  list = reeve_price_list_new (file, NULL, &error);
  if (list != NULL)
    made = reeve_price_imports_make (services->store, reeve_budgets_get_prices (services->budgets),
                                     reeve_call_get_admitted (call), "prices.import", params, list,
                                     &error);
  reeve_call_answer (call, made, error);
}

void
reeve_op_prices_imports (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *page
      = reeve_price_imports_list (services->store, reeve_call_get_params (call), &error);

  reeve_call_answer (call, page, error);
}
