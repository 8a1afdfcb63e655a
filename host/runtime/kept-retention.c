/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A value is named by no record before it, and an address by those of the day behind it. So what is
 * two days older than the first record that is left belongs to none of them. Those that a crash
 * left without a record go in the same way. Each pass over a tenant is one effect of the host;
 * where nothing is too old there is none. */
#include "kept-retention.h"

#include "base/times.h"

#define REEVE_KEPT_RETENTION_MARGIN (2 * REEVE_TIMES_DAY)
#define REEVE_KEPT_RETENTION_PAGE   200
/* of one tenant in one pass; the next goes on */
#define REEVE_KEPT_RETENTION_PAGES 500

static ReeveQueryResult *
reeve_kept_retention_find (ReeveStore *store, const char *scope, gint64 horizon, guint limit,
                           GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (scope, REEVE_STORE_KEPT_VALUES);

  reeve_query_filter_int (query, "created_at", REEVE_FILTER_LT, horizon);
  reeve_query_order (query, "created_at", FALSE);
  reeve_query_limit (query, limit);
  return reeve_store_query (store, query, error);
}

/* Returns how many went, -1 on error. */
static gint
reeve_kept_retention_drop_page (ReeveStore *store, ReeveAdmitted *admitted, const char *scope,
                                gint64 horizon, GError **error)
{
  g_autoptr (ReeveQueryResult) found
      = reeve_kept_retention_find (store, scope, horizon, REEVE_KEPT_RETENTION_PAGE, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (scope);
  g_autoptr (ReeveBatchResult) result = NULL;
  GPtrArray *records = found != NULL ? reeve_query_result_get_records (found) : NULL;

  reeve_admitted_expect (admitted, REEVE_KEPT_RETENTION_OPERATION, scope, NULL);
  if (records == NULL)
    return -1;
  if (records->len == 0)
    return 0;
  for (guint i = 0; i < records->len; i++)
    reeve_batch_delete (batch, REEVE_STORE_KEPT_VALUES,
                        reeve_record_get_id (g_ptr_array_index (records, i)), REEVE_REVISION_ANY);
  result = reeve_store_commit (store, batch, error);
  return result != NULL ? (gint) records->len : -1;
}

static gint
reeve_kept_retention_drop (ReeveStore *store, ReeveAdmitted *admitted, const char *scope,
                           gint64 horizon, GError **error)
{
  gint all = 0;
  gint dropped = 1;

  reeve_admitted_consume_exactly (admitted, REEVE_KEPT_RETENTION_OPERATION, scope, NULL);
  for (guint page = 0; dropped > 0 && page < REEVE_KEPT_RETENTION_PAGES; page++)
    {
      dropped = reeve_kept_retention_drop_page (store, admitted, scope, horizon, error);
      if (dropped < 0)
        return -1;
      all += dropped;
    }
  return all;
}

/* Before that nothing is of a record that is left; 0: none was dropped, -1 on error. */
static gint64
reeve_kept_retention_find_horizon (ReeveLedger *ledger, const char *scope, GError **error)
{
  guint64 base = reeve_ledger_get_base (ledger, scope);
  g_autoptr (JsonObject) first = NULL;
  gint64 time = 0;

  if (base == 0)
    return 0;
  first = reeve_ledger_get (ledger, scope, base + 1, error);
  if (first == NULL || !reeve_times_parse (reeve_json_get_string (first, "time", ""), &time, error))
    return -1;
  return time - REEVE_KEPT_RETENTION_MARGIN;
}

/* The host itself, in that tenant. */
static ReeveCaller *
reeve_kept_retention_make_caller (const char *scope)
{
  static const char *const roles[] = { NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new (scope, "host", roles, "internal");

  return reeve_caller_new (identity, scope, FALSE, 0, "internal", NULL);
}

/* One tenant, through the gate. */
static gint
reeve_kept_retention_look (ReeveStore *store, ReeveLedger *ledger, ReeveAdmission *admission,
                           const char *scope, GError **error)
{
  gint64 horizon = reeve_kept_retention_find_horizon (ledger, scope, error);
  g_autoptr (ReeveQueryResult) found = NULL;
  g_autoptr (ReeveCaller) caller = NULL;
  ReeveAdmissionRequest request = { .operation = REEVE_KEPT_RETENTION_OPERATION,
                                    .resource_type = "tenant",
                                    .resource_id = scope };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = NULL;
  gint dropped = 0;

  if (horizon <= 0)
    return (gint) horizon;
  found = reeve_kept_retention_find (store, scope, horizon, 1, error);
  if (found == NULL || reeve_query_result_get_records (found)->len == 0)
    return found != NULL ? 0 : -1;
  caller = reeve_kept_retention_make_caller (scope);
  request.caller = caller;
  admitted = reeve_admission_begin (admission, &request, error);
  if (admitted == NULL)
    return -1;
  dropped = reeve_kept_retention_drop (store, admitted, scope, horizon, error);
  if (dropped < 0)
    {
      settlement.outcome = REEVE_OUTCOME_FAILED;
      settlement.reason = "failed";
    }
  reeve_admission_settle_async (admission, admitted, &settlement, NULL, NULL);
  return dropped;
}

/**
 * reeve_kept_retention_run:
 * @store: the store
 * @ledger: whose oldest records went
 * @admission: the gate
 *
 * Returns: how many values went
 */
guint
reeve_kept_retention_run (ReeveStore *store, ReeveLedger *ledger, ReeveAdmission *admission)
{
  g_auto (GStrv) scopes = reeve_store_list_scopes (store, NULL);
  guint all = 0;

  for (guint i = 0; scopes != NULL && scopes[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      gint dropped = reeve_kept_retention_look (store, ledger, admission, scopes[i], &error);

      if (dropped < 0)
        g_message ("dropping what was kept for old records of %s: %s; tried again later", scopes[i],
                   error != NULL ? error->message : "no time");
      else
        all += (guint) dropped;
    }
  return all;
}
