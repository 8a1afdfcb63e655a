/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tool takes no tokens, so no budget reserves for it: how often tools were called is a sum of the
 * ledger, as all usage is. */
#include "budget-tools.h"

#include "base/times.h"
#include "governance/usage-table.h"

static void
reeve_budget_tools_count (const ReeveUsageRow *row, gpointer user_data)
{
  gint64 *sum = user_data;

  *sum += row->n[REEVE_USAGE_TOOL_CALLS];
}

static ReeveUsageSeries
reeve_budget_tools_find_series (const char *kind)
{
  static const struct
  {
    const char *kind;
    ReeveUsageSeries series;
  } rows[] = { { "agents", REEVE_USAGE_BY_AGENT },
               { "users", REEVE_USAGE_BY_USER },
               { "keys", REEVE_USAGE_BY_KEY },
               { "workspaces", REEVE_USAGE_BY_WORKSPACE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (g_str_equal (rows[i].kind, kind))
      return rows[i].series;
  return REEVE_USAGE_BY_MODEL;
}

/**
 * reeve_budget_tools_add:
 * @call: who asks
 * @services: what operations work with
 * @kind: agents, users, keys or workspaces
 * @id: (nullable): which of them; %NULL: the tenant
 * @budget: as it is shown
 *
 * Counted from the whole hour on in which the period began. Blocks.
 */
void
reeve_budget_tools_add (ReeveCall *call, ReeveServices *services, const char *kind, const char *id,
                        JsonObject *budget)
{
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  g_autoptr (GError) error = NULL;
  ReeveUsageSpread spread = { 0 };
  ReeveUsageAsk ask = {
    .filter = id != NULL ? reeve_budget_tools_find_series (kind) : REEVE_USAGE_BY_MODEL,
    .value = id,
    .flat = TRUE,
  };
  gint64 sum = 0;

  if (reeve_times_parse (reeve_json_get_string (budget, "last_reset_at", ""), &ask.begin, NULL)
      && reeve_usage_sum (services->usage, reeve_call_get_tenant_id (call), &ask, table, &spread,
                          &error))
    {
      reeve_usage_table_foreach (table, reeve_budget_tools_count, &sum);
      json_object_set_int_member (budget, "tool_invocations", sum);
      return;
    }
  json_object_set_null_member (budget, "tool_invocations");
  if (error != NULL)
    g_message ("how often tools were called is not known: %s", error->message);
}
