/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The platform's budget as its administrator sees it: read from the store, not from the thread. */
#include "budget-leases-private.h"

#include "base/times.h"

#include "directory.h"
#include "money.h"

static JsonObject *
reeve_budget_leases_show_one (ReeveBudgetLeases *self, ReeveRecord *record, gint64 period)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "tenant_id", reeve_record_get_id (record));
  json_object_set_string_member (shown, "host", reeve_json_get_string (fields, "host", ""));
  json_object_set_int_member (shown, "epoch", reeve_json_get_int (fields, "epoch", 0));
  json_object_set_int_member (shown, "tokens_given", reeve_json_get_int (fields, "tokens", 0));
  if (self->table.cost_limit != REEVE_BUDGET_NONE)
    json_object_set_object_member (
        shown, "cost_given",
        reeve_money_show (reeve_budget_leases_row_get_cost (&self->table, fields),
                          self->model->currency));
  if (reeve_json_get_int (fields, "period", -1) == period
      && reeve_json_get_int (fields, "days", -1) == self->table.days)
    return shown;
  json_object_unref (shown);
  return NULL;
}

/* A clock that was set back ends no period that a tenant has begun: calls are still of that one. */
static void
reeve_budget_leases_show_go_on (ReeveBudgetLeases *self, GPtrArray *rows, ReeveBudget *budget)
{
  for (guint i = 0; i < rows->len; i++)
    {
      JsonObject *fields = reeve_record_get_fields (g_ptr_array_index (rows, i));

      if (reeve_json_get_int (fields, "days", -1) == self->table.days)
        reeve_budget_go_on (budget, reeve_json_get_int (fields, "period", -1));
    }
}

/**
 * reeve_budget_leases_show:
 * @self: the platform's budget
 * @error: return location
 *
 * Returns: (transfer full): limits, what tenants were given of them in this period, and each
 * tenant's part; %NULL with an error of the store
 */
JsonObject *
reeve_budget_leases_show (ReeveBudgetLeases *self, GError **error)
{
  g_autoptr (ReeveBudget) budget = reeve_budget_dup (self->model);
  g_autoptr (GPtrArray) rows = reeve_directory_read_all (
      self->table.store, REEVE_SCOPE_PLATFORM, REEVE_STORE_BUDGET_LEASES, NULL, NULL, error);
  ReeveBudgetLeasesRow total = { 0 };
  JsonArray *leases = NULL;
  JsonObject *shown = NULL;

  if (rows == NULL)
    return NULL;
  reeve_budget_roll (budget, reeve_times_now ());
  reeve_budget_leases_show_go_on (self, rows, budget);
  if (!reeve_budget_leases_row_read (&self->table, "", budget->period, &total, error))
    return NULL;
  budget->tokens_used = total.tokens_total;
  reeve_budget_money_need (&budget->money, budget->currency)->used = total.cost_total;
  shown = reeve_budget_show (budget, REEVE_SCOPE_PLATFORM);
  leases = json_array_new ();
  for (guint i = 0; i < rows->len; i++)
    {
      JsonObject *lease = reeve_budget_leases_show_one (self, rows->pdata[i], budget->period);

      if (lease != NULL)
        json_array_add_object_element (leases, lease);
    }
  json_object_set_array_member (shown, "leases", leases);
  return shown;
}
