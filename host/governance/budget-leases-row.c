/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A slice is taken of the platform's counter in the batch that writes it into the tenant's row, on
 * condition that the row is as it was read: neither two hosts nor a host that died in between can
 * take a slice twice or lose it. */
#include "budget-leases-row.h"

#include "base/times.h"
#include "store/store-counters.h"

#define REEVE_BUDGET_LEASES_ROW_EPOCH "budget/platform/epoch"

static char *
reeve_budget_leases_row_counter (const ReeveBudgetLeasesTable *table, gint64 period,
                                 const char *what)
{
  return g_strdup_printf ("budget/platform-%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT "/%s",
                          table->days, period, what);
}

/* A limit in another currency counts for itself, and finds what it had given when it comes back. */
static char *
reeve_budget_leases_row_money_counter (const ReeveBudgetLeasesTable *table, gint64 period)
{
  g_autofree char *what = g_strconcat ("cost/", table->currency, NULL);

  return reeve_budget_leases_row_counter (table, period, what);
}

/**
 * reeve_budget_leases_row_begin:
 * @table: what rows have in common; its epoch is set
 * @error: return location
 *
 * Returns: %FALSE with an error of the store
 */
gboolean
reeve_budget_leases_row_begin (ReeveBudgetLeasesTable *table, GError **error)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  guint op = reeve_batch_count (batch, REEVE_BUDGET_LEASES_ROW_EPOCH, 1, 0, G_MAXINT64);
  g_autoptr (ReeveBatchResult) result = reeve_store_commit (table->store, batch, error);

  if (result == NULL)
    {
      g_prefix_error (error, "counting this start: ");
      return FALSE;
    }
  table->epoch = reeve_batch_result_get_value (result, op);
  return TRUE;
}

/* A host that another one was started after changes nothing any more, be the row one that the other
 * has written or not: it does not know what that one gives. */
static gboolean
reeve_budget_leases_row_check_epoch (const ReeveBudgetLeasesTable *table, GError **error)
{
  gint64 newest = 0;

  if (!reeve_store_counters_get (table->store, REEVE_SCOPE_PLATFORM, REEVE_BUDGET_LEASES_ROW_EPOCH,
                                 &newest, error))
    return FALSE;
  if (newest > table->epoch)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                 "start %" G_GINT64_FORMAT
                 " of a host has it, and this one is number %" G_GINT64_FORMAT,
                 newest, table->epoch);
  return newest <= table->epoch;
}

/**
 * reeve_budget_leases_row_get_cost:
 * @table: what rows have in common
 * @fields: of a tenant's record
 *
 * Returns: nano-units that it was given, in the currency of @table
 */
gint64
reeve_budget_leases_row_get_cost (const ReeveBudgetLeasesTable *table, JsonObject *fields)
{
  JsonObject *costs = reeve_json_get_object (fields, "costs");

  return costs != NULL ? reeve_json_get_int (costs, table->currency, 0) : 0;
}

static gboolean
reeve_budget_leases_row_read_record (const ReeveBudgetLeasesTable *table, ReeveBudgetLeasesRow *row,
                                     GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) record = reeve_store_get (
      table->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_BUDGET_LEASES, row->tenant_id, &local);
  JsonObject *fields = record != NULL ? reeve_record_get_fields (record) : NULL;

  if (fields == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (fields == NULL)
    return TRUE;
  row->revision = reeve_record_get_revision (record);
  row->created_at = reeve_json_get_int (fields, "created_at", 0);
  if (reeve_json_get_int (fields, "days", -1) != table->days)
    return TRUE;
  row->given_period = reeve_json_get_int (fields, "period", -1);
  if (row->given_period != row->period)
    return TRUE;
  row->tokens = reeve_json_get_int (fields, "tokens", 0);
  row->cost = reeve_budget_leases_row_get_cost (table, fields);
  return TRUE;
}

/**
 * reeve_budget_leases_row_read:
 * @table: what rows have in common
 * @tenant_id: whose
 * @period: which; what was given in another is of no account
 * @row: (out): how it stands
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_UNAVAILABLE when another host has it, or an error of the store
 */
gboolean
reeve_budget_leases_row_read (const ReeveBudgetLeasesTable *table, const char *tenant_id,
                              gint64 period, ReeveBudgetLeasesRow *row, GError **error)
{
  g_autofree char *tokens = reeve_budget_leases_row_counter (table, period, "tokens");
  g_autofree char *cost = reeve_budget_leases_row_money_counter (table, period);

  *row = (ReeveBudgetLeasesRow){
    .tenant_id = tenant_id, .period = period, .given_period = -1, .revision = REEVE_REVISION_ABSENT
  };
  if (reeve_budget_leases_row_check_epoch (table, error)
      && reeve_budget_leases_row_read_record (table, row, error)
      && reeve_store_counters_get (table->store, REEVE_SCOPE_PLATFORM, tokens, &row->tokens_total,
                                   error)
      && reeve_store_counters_get (table->store, REEVE_SCOPE_PLATFORM, cost, &row->cost_total,
                                   error))
    return TRUE;
  g_prefix_error (error, "reading what %s has of the platform's budget: ", tenant_id);
  return FALSE;
}

/* (transfer full): what the row gives of money, with so much in the currency of @table; what it
 * says of others stays. */
static JsonObject *
reeve_budget_leases_row_describe_costs (const ReeveBudgetLeasesTable *table,
                                        const ReeveBudgetLeasesRow *row, gint64 cost)
{
  g_autoptr (ReeveRecord) record
      = row->revision != REEVE_REVISION_ABSENT ? reeve_store_get (
            table->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_BUDGET_LEASES, row->tenant_id, NULL)
                                               : NULL;
  JsonObject *fields = record != NULL ? reeve_record_get_fields (record) : NULL;
  JsonObject *before = NULL;
  JsonObject *costs = json_object_new ();
  g_autoptr (GList) names = NULL;

  if (fields != NULL && reeve_json_get_int (fields, "period", -1) == row->period
      && reeve_json_get_int (fields, "days", -1) == table->days)
    before = reeve_json_get_object (fields, "costs");
  names = before != NULL ? json_object_get_members (before) : NULL;
  for (GList *link = names; link != NULL; link = link->next)
    json_object_set_int_member (costs, link->data, reeve_json_get_int (before, link->data, 0));
  if (table->cost_limit != REEVE_BUDGET_NONE)
    json_object_set_int_member (costs, table->currency, cost);
  return costs;
}

static JsonObject *
reeve_budget_leases_row_describe (const ReeveBudgetLeasesTable *table,
                                  const ReeveBudgetLeasesRow *row, gint64 tokens, gint64 cost)
{
  JsonObject *fields = json_object_new ();
  gint64 now = reeve_times_now ();

  json_object_set_string_member (fields, "host", table->host);
  json_object_set_int_member (fields, "epoch", table->epoch);
  json_object_set_int_member (fields, "days", table->days);
  json_object_set_int_member (fields, "period", row->period);
  json_object_set_int_member (fields, "tokens", tokens);
  json_object_set_object_member (fields, "costs",
                                 reeve_budget_leases_row_describe_costs (table, row, cost));
  json_object_set_int_member (fields, "created_at", row->created_at != 0 ? row->created_at : now);
  json_object_set_int_member (fields, "updated_at", now);
  return fields;
}

/* What is given back fits under a limit that was lowered meanwhile too. */
static guint
reeve_budget_leases_row_count (ReeveBatch *batch, const char *counter, gint64 delta, gint64 limit,
                               gboolean spent)
{
  gboolean bound = delta > 0 && !spent && limit != REEVE_BUDGET_NONE;

  return reeve_batch_count (batch, counter, delta, 0, bound ? limit : G_MAXINT64);
}

/**
 * reeve_budget_leases_row_write:
 * @table: what rows have in common
 * @row: as it was read; brought up to date
 * @slice: what the tenant has taken of it; that is counted whatever the limit
 * @tokens: the tenant's from here on
 * @cost: the same in nano-units
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_OUT_OF_RANGE when others took it first,
 * %REEVE_ERROR_CONFLICT when the row is another one by now, or an error of the store
 */
gboolean
reeve_budget_leases_row_write (const ReeveBudgetLeasesTable *table, ReeveBudgetLeasesRow *row,
                               const ReeveBudgetSlice *slice, gint64 tokens, gint64 cost,
                               GError **error)
{
  g_autofree char *tokens_counter = reeve_budget_leases_row_counter (table, row->period, "tokens");
  g_autofree char *cost_counter = reeve_budget_leases_row_money_counter (table, row->period);
  g_autoptr (JsonObject) fields = reeve_budget_leases_row_describe (table, row, tokens, cost);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  guint tokens_op = 0;
  guint cost_op = 0;

  reeve_batch_put (batch, REEVE_STORE_BUDGET_LEASES, row->tenant_id, fields, row->revision);
  reeve_batch_count (batch, REEVE_BUDGET_LEASES_ROW_EPOCH, 0, 0, table->epoch);
  tokens_op = reeve_budget_leases_row_count (batch, tokens_counter, tokens - row->tokens,
                                             table->token_limit, tokens <= slice->tokens_taken);
  cost_op = reeve_budget_leases_row_count (batch, cost_counter, cost - row->cost, table->cost_limit,
                                           cost <= slice->cost_taken);
  result = reeve_store_commit (table->store, batch, error);
  if (result == NULL)
    {
      g_prefix_error (error, "writing what %s has of the platform's budget: ", row->tenant_id);
      return FALSE;
    }
  row->tokens = tokens;
  row->cost = cost;
  row->tokens_total = reeve_batch_result_get_value (result, tokens_op);
  row->cost_total = reeve_batch_result_get_value (result, cost_op);
  return TRUE;
}

/**
 * reeve_budget_leases_row_end:
 * @table: what rows have in common
 * @tenant_id: a tenant that is gone
 * @error: return location
 *
 * What it spent stays counted; another tenant of that name begins with nothing.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT when the row is another one by now,
 * %REEVE_ERROR_OUT_OF_RANGE when another host was started, or an error of the store
 */
gboolean
reeve_budget_leases_row_end (const ReeveBudgetLeasesTable *table, const char *tenant_id,
                             GError **error)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) record = reeve_store_get (table->store, REEVE_SCOPE_PLATFORM,
                                                    REEVE_STORE_BUDGET_LEASES, tenant_id, &local);

  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  if (record != NULL)
    {
      reeve_batch_delete (batch, REEVE_STORE_BUDGET_LEASES, tenant_id,
                          reeve_record_get_revision (record));
      reeve_batch_count (batch, REEVE_BUDGET_LEASES_ROW_EPOCH, 0, 0, table->epoch);
      result = reeve_store_commit (table->store, batch, &local);
    }
  if (result != NULL)
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&local),
                              "letting go of what %s had of the platform's budget: ", tenant_id);
  return FALSE;
}
