/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A report says what was known when it was made; only adjustments are added to it. */
#include "cost-reports.h"

#include "base/ids.h"
#include "base/times.h"

#include "cost-report.h"
#include "directory.h"

#define REEVE_COST_REPORTS_TRIES 16

static JsonObject *
reeve_cost_reports_show (ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "report_id", reeve_record_get_id (record));
  reeve_cost_report_show (fields, shown);
  json_object_set_string_member (shown, "created_by",
                                 json_object_get_string_member (fields, "created_by"));
  reeve_directory_copy (fields, shown, "workspace_id");
  reeve_directory_show_time (fields, shown, "created_at");
  return shown;
}

static ReeveRecord *
reeve_cost_reports_read (ReeveStore *store, const char *tenant_id, const char *report_id,
                         GError **error)
{
  return reeve_store_get (store, tenant_id, REEVE_STORE_COST_REPORTS, report_id, error);
}

JsonObject *
reeve_cost_reports_create (ReeveStore *store, ReeveAdmitted *admitted, const char *operation,
                           JsonObject *params, JsonObject *draft, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autofree char *report_id = reeve_ids_new ("rep");
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;

  json_object_set_int_member (draft, "created_at", reeve_times_now ());
  json_object_set_string_member (draft, "created_by", reeve_caller_get_user_id (caller));
  reeve_batch_put (batch, REEVE_STORE_COST_REPORTS, report_id, draft, REEVE_REVISION_ABSENT);
  reeve_admitted_consume_exactly (admitted, operation, NULL, params);
  result = reeve_store_commit (store, batch, error);
  return result != NULL ? reeve_cost_reports_get (store, tenant_id, report_id, error) : NULL;
}

/* One try. */
static gboolean
reeve_cost_reports_try_adjust (ReeveStore *store, ReeveAdmitted *admitted, const char *operation,
                               JsonObject *params, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *report_id = reeve_json_get_string (params, "report_id", "");
  g_autoptr (ReeveRecord) record
      = reeve_cost_reports_read (store, reeve_caller_get_tenant_id (caller), report_id, error);
  g_autoptr (JsonObject) draft = NULL;
  g_autoptr (ReeveBatch) batch = reeve_batch_new (reeve_caller_get_tenant_id (caller));
  g_autoptr (ReeveBatchResult) result = NULL;

  if (record == NULL)
    return FALSE;
  draft = reeve_directory_dup (reeve_record_get_fields (record));
  if (!reeve_cost_report_adjust (draft, reeve_json_get_string (params, "amount", ""),
                                 reeve_json_get_string (params, "reason", ""),
                                 reeve_caller_get_user_id (caller), reeve_times_now (), error))
    return FALSE;
  reeve_batch_put (batch, REEVE_STORE_COST_REPORTS, report_id, draft,
                   reeve_record_get_revision (record));
  if (!reeve_admitted_is_consumed (admitted))
    reeve_admitted_consume_exactly (admitted, operation, NULL, params);
  result = reeve_store_commit (store, batch, error);
  return result != NULL;
}

JsonObject *
reeve_cost_reports_adjust (ReeveStore *store, ReeveAdmitted *admitted, const char *operation,
                           JsonObject *params, GError **error)
{
  g_autoptr (GError) local = NULL;
  gboolean good = FALSE;

  for (guint i = 0; i == 0
                    || (!good && i < REEVE_COST_REPORTS_TRIES
                        && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT));
       i++)
    {
      g_clear_error (&local);
      good = reeve_cost_reports_try_adjust (store, admitted, operation, params, &local);
    }
  if (good)
    return reeve_cost_reports_get (
        store, reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted)),
        reeve_json_get_string (params, "report_id", ""), error);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

JsonObject *
reeve_cost_reports_get (ReeveStore *store, const char *tenant_id, const char *report_id,
                        GError **error)
{
  g_autoptr (ReeveRecord) record = reeve_cost_reports_read (store, tenant_id, report_id, error);

  return record != NULL ? reeve_cost_reports_show (record) : NULL;
}

JsonObject *
reeve_cost_reports_list (ReeveStore *store, const char *tenant_id, JsonObject *params,
                         GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_COST_REPORTS);

  return reeve_directory_list (store, query, params, reeve_cost_reports_show, error);
}
