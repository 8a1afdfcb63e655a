/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs that ended, with their journals, and conversations that nobody went on with, once they are
 * older than the tenant keeps them. Documents are no such thing, and the ledger has a time of its
 * own. Each pass over a tenant is one effect of the host, with its intent and its outcome; where
 * nothing is too old there is none. */
#include "retention.h"

#include "base/log.h"
#include "base/times.h"

#define REEVE_RETENTION_OPERATION "tenants.retain"
#define REEVE_RETENTION_PAGE      100
/* of one tenant in one pass; the next goes on */
#define REEVE_RETENTION_PAGES 100

/* Whose `updated_at` says how old they are; status: only those with one of these */
static const struct
{
  const char *collection;
  const char *stream;
  const char *statuses[5];
} reeve_retention_rows[] = {
  { REEVE_STORE_RUNS, "run/", { "succeeded", "failed", "cancelled", "unknown" } },
  { REEVE_STORE_CONVERSATIONS, "conversation/", { NULL } },
};

static ReeveQuery *
reeve_retention_new_query (guint row, const char *tenant_id, gint64 horizon, guint limit)
{
  ReeveQuery *query = reeve_query_new (tenant_id, reeve_retention_rows[row].collection);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *statuses = json_array_new ();

  for (guint i = 0; reeve_retention_rows[row].statuses[i] != NULL; i++)
    json_array_add_string_element (statuses, reeve_retention_rows[row].statuses[i]);
  reeve_query_filter_int (query, "updated_at", REEVE_FILTER_LT, horizon);
  json_node_take_array (node, statuses);
  if (json_array_get_length (statuses) > 0)
    reeve_query_filter (query, "status", REEVE_FILTER_IN, node);
  reeve_query_order (query, "updated_at", FALSE);
  reeve_query_limit (query, limit);
  return query;
}

/* Is there anything to be erased? -1 on error */
static gint
reeve_retention_has_work (ReeveStore *store, const char *tenant_id, gint64 horizon, GError **error)
{
  for (guint row = 0; row < G_N_ELEMENTS (reeve_retention_rows); row++)
    {
      g_autoptr (ReeveQuery) query = reeve_retention_new_query (row, tenant_id, horizon, 1);
      g_autoptr (ReeveQueryResult) result = reeve_store_query (store, query, error);

      if (result == NULL)
        return -1;
      if (reeve_query_result_get_records (result)->len > 0)
        return 1;
    }
  return 0;
}

/* Erases a page. One that moved since it was looked at is left for the next pass, with its page.
 * Returns how many went, -1 on error. */
static gint
reeve_retention_erase_page (ReeveStore *store, ReeveAdmitted *admitted, guint row,
                            const char *tenant_id, gint64 horizon, GError **error)
{
  g_autoptr (ReeveQuery) query
      = reeve_retention_new_query (row, tenant_id, horizon, REEVE_RETENTION_PAGE);
  g_autoptr (ReeveQueryResult) found = reeve_store_query (store, query, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  GPtrArray *records = found != NULL ? reeve_query_result_get_records (found) : NULL;

  reeve_admitted_expect (admitted, REEVE_RETENTION_OPERATION, tenant_id, NULL);
  if (records == NULL)
    return -1;
  if (records->len == 0)
    return 0;
  for (guint i = 0; i < records->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (records, i);
      g_autofree char *stream
          = g_strconcat (reeve_retention_rows[row].stream, reeve_record_get_id (record), NULL);

      reeve_batch_delete (batch, reeve_retention_rows[row].collection, reeve_record_get_id (record),
                          reeve_record_get_revision (record));
      reeve_batch_truncate (batch, stream);
    }
  result = reeve_store_commit (store, batch, error);
  return result != NULL ? (gint) records->len : -1;
}

static gint
reeve_retention_erase (ReeveStore *store, ReeveAdmitted *admitted, const char *tenant_id,
                       gint64 horizon, GError **error)
{
  gint all = 0;

  reeve_admitted_consume_exactly (admitted, REEVE_RETENTION_OPERATION, tenant_id, NULL);
  for (guint row = 0; row < G_N_ELEMENTS (reeve_retention_rows); row++)
    {
      gint erased = 1;

      for (guint page = 0; erased > 0 && page < REEVE_RETENTION_PAGES; page++)
        {
          erased = reeve_retention_erase_page (store, admitted, row, tenant_id, horizon, error);
          if (erased < 0)
            return -1;
          all += erased;
        }
    }
  return all;
}

/* The host itself, in that tenant. */
static ReeveCaller *
reeve_retention_make_caller (const char *tenant_id)
{
  static const char *const roles[] = { NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new (tenant_id, "host", roles, "internal");

  return reeve_caller_new (identity, tenant_id, FALSE, 0, "internal", NULL);
}

/* One tenant, through the gate. */
static gint
reeve_retention_run_tenant (ReeveStore *store, ReeveAdmission *admission, const char *tenant_id,
                            gint64 horizon, GError **error)
{
  g_autoptr (ReeveCaller) caller = NULL;
  ReeveAdmissionRequest request = { .operation = REEVE_RETENTION_OPERATION,
                                    .resource_type = "tenant",
                                    .resource_id = tenant_id };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = NULL;
  gint erased = reeve_retention_has_work (store, tenant_id, horizon, error);

  if (erased <= 0)
    return erased;
  caller = reeve_retention_make_caller (tenant_id);
  request.caller = caller;
  admitted = reeve_admission_begin (admission, &request, error);
  if (admitted == NULL)
    return -1;
  erased = reeve_retention_erase (store, admitted, tenant_id, horizon, error);
  if (erased < 0)
    {
      settlement.outcome = REEVE_OUTCOME_FAILED;
      settlement.reason = "failed";
    }
  reeve_admission_settle_async (admission, admitted, &settlement, NULL, NULL);
  return erased;
}

/**
 * reeve_retention_run:
 * @store: the store
 * @tenants: whose settings say what they keep
 * @admission: the gate, where each pass that erases something leaves intent and outcome
 *
 * A tenant that is suspended is looked after too: what it keeps goes all the same.
 *
 * Returns: how many records went
 */
guint
reeve_retention_run (ReeveStore *store, ReeveTenants *tenants, ReeveAdmission *admission)
{
  g_autoptr (GError) failure = NULL;
  g_auto (GStrv) scopes = reeve_store_list_scopes (store, &failure);
  guint all = 0;

  if (scopes == NULL)
    g_message ("looking for what is kept too long: %s", failure->message);
  for (guint i = 0; scopes != NULL && scopes[i] != NULL; i++)
    {
      g_auto (ReeveLogScope) about = reeve_log_scope_tenant (scopes[i]);
      gint64 days = reeve_tenants_get_limit (tenants, scopes[i], "data_retention_days", 0);
      g_autoptr (GError) error = NULL;
      gint erased = 0;

      if (days <= 0)
        continue;
      erased = reeve_retention_run_tenant (store, admission, scopes[i],
                                           reeve_times_now () - days * REEVE_TIMES_DAY, &error);
      if (erased < 0)
        g_message ("erasing what tenant %s kept for %" G_GINT64_FORMAT
                   " days: %s; tried again later",
                   scopes[i], days, error->message);
      else
        all += (guint) erased;
    }
  return all;
}
