/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tenant's ledger, over governance/ledger.h. */
#include "audit-personal.h"
#include "base/times.h"
#include "governance/ledger-export.h"
#include "governance/ledger-rotation.h"
#include "operation-functions.h"

#include <string.h>

#define REEVE_OP_AUDIT_PAGE 50
/* of an export, at a door that sends answers whole */
#define REEVE_OP_AUDIT_WHOLE (8 * 1024 * 1024)

/* (nullable): whose log is meant. That of the platform is there for its admin alone: to all others
 * there is none. */
static const char *
reeve_op_audit_get_scope (ReeveCall *call, GError **error)
{
  if (!reeve_call_get_boolean (call, "platform"))
    return reeve_call_get_tenant_id (call);
  if (reeve_caller_is_platform_admin (reeve_call_get_caller (call)))
    return REEVE_SCOPE_PLATFORM;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such log");
  return NULL;
}

/* (nullable): the ledger's word for how it ended */
static const char *
reeve_op_audit_get_outcome (ReeveCall *call)
{
  const char *outcome = reeve_call_get_string (call, "outcome");

  if (g_strcmp0 (outcome, "success") == 0)
    return reeve_ledger_record_outcome_name (REEVE_OUTCOME_SUCCEEDED);
  if (g_strcmp0 (outcome, "failure") == 0)
    return reeve_ledger_record_outcome_name (REEVE_OUTCOME_FAILED);
  return outcome;
}

static gboolean
reeve_op_audit_read_filter (ReeveCall *call, ReeveLedgerFilter *filter, GError **error)
{
  const char *from = reeve_call_get_string (call, "from");
  const char *to = reeve_call_get_string (call, "to");
  const char *cursor = reeve_call_get_string (call, "cursor");

  *filter = (ReeveLedgerFilter){
    .action = reeve_call_get_string (call, "action"),
    .actor = reeve_call_get_string (call, "actor"),
    .agent_id = reeve_call_get_string (call, "agent_id"),
    .run_id = reeve_call_get_string (call, "run_id"),
    .outcome = reeve_op_audit_get_outcome (call),
    .delegated_user_id = reeve_call_get_string (call, "delegated_user_id"),
    .tool_name = reeve_call_get_string (call, "tool_name"),
    .resource = reeve_call_get_string (call, "resource"),
    .kind = reeve_call_get_string (call, "kind"),
    .text = reeve_call_get_string (call, "text"),
    .limit = (guint) reeve_call_get_int (call, "limit", REEVE_OP_AUDIT_PAGE),
  };
  if (from != NULL && !reeve_times_parse (from, &filter->from, error))
    {
      reeve_error_prefix_member (error, "/from");
      return FALSE;
    }
  if (to != NULL && !reeve_times_parse (to, &filter->to, error))
    {
      reeve_error_prefix_member (error, "/to");
      return FALSE;
    }
  if (cursor != NULL
      && !g_ascii_string_to_unsigned (cursor, 10, 1, G_MAXUINT64, &filter->before, NULL))
    {
      reeve_error_set_member (error, "/cursor", "is not one that this list gave");
      return FALSE;
    }
  return TRUE;
}

void
reeve_op_audit_list (ReeveCall *call, ReeveServices *services)
{
  ReeveLedgerFilter filter = { 0 };
  g_autoptr (GPtrArray) records = NULL;
  g_autofree char *cursor = NULL;
  GError *error = NULL;
  const char *scope = reeve_op_audit_get_scope (call, &error);
  guint64 next = 0;
  JsonObject *page = NULL;
  JsonArray *items = NULL;

  if (scope != NULL && reeve_op_audit_read_filter (call, &filter, &error))
    records = reeve_ledger_list (services->ledger, scope, &filter, &next, &error);
  if (records == NULL)
    {
      reeve_call_fail (call, error);
      return;
    }
  page = json_object_new ();
  items = json_array_new ();
  for (guint i = 0; i < records->len; i++)
    json_array_add_object_element (items, json_object_ref (records->pdata[i]));
  json_object_set_array_member (page, "items", items);
  cursor = g_strdup_printf ("%" G_GUINT64_FORMAT, next);
  if (next != 0)
    json_object_set_string_member (page, "next_cursor", cursor);
  else
    json_object_set_null_member (page, "next_cursor");
  /* the page holds the records, and goes to another thread: their counts are not atomic */
  g_clear_pointer (&records, g_ptr_array_unref);
  reeve_call_answer (call, page, NULL);
}

static GBytes *
reeve_op_audit_read_on (gpointer export, GError **error)
{
  return reeve_ledger_export_next (export, error);
}

void
reeve_op_audit_export (ReeveCall *call, ReeveServices *services)
{
  const char *name = reeve_call_get_string (call, "format");
  ReeveLedgerFormat format = REEVE_LEDGER_FORMAT_JSON;
  ReeveLedgerFilter filter = { 0 };
  ReeveLedgerExport *export = NULL;
  g_autoptr (ReeveCallSource) source = NULL;
  g_autoptr (GBytes) whole = NULL;
  g_autofree char *file = NULL;
  GError *error = NULL;
  const char *scope = reeve_op_audit_get_scope (call, &error);

  (void) reeve_ledger_format_find (name != NULL ? name : "json", &format);
  if (scope != NULL && reeve_op_audit_read_filter (call, &filter, &error))
    export = reeve_ledger_export_new (services->ledger, scope, &filter, format, &error);
  if (export == NULL)
    {
      reeve_call_fail (call, error);
      return;
    }
  file = g_strdup_printf ("reeve-audit.%s", name != NULL ? name : "json");
  source = reeve_call_source_new (reeve_ledger_format_get_media_type (format), file,
                                  reeve_op_audit_read_on, export,
                                  (GDestroyNotify) reeve_ledger_export_free);
  if (g_strcmp0 (reeve_call_get_door (call), "rest") == 0)
    {
      reeve_call_complete_source (call, g_steal_pointer (&source));
      return;
    }
  whole = reeve_call_source_read_all (source, REEVE_OP_AUDIT_WHOLE, &error);
  if (whole == NULL)
    {
      g_prefix_error (&error, "export over REST, or less: ");
      reeve_call_fail (call, error);
      return;
    }
  reeve_call_complete_bytes (call, 0, reeve_ledger_format_get_media_type (format), whole);
}

void
reeve_op_audit_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  const char *scope = reeve_op_audit_get_scope (call, &error);
  JsonObject *record = NULL;

  if (scope != NULL)
    record = reeve_ledger_get (services->ledger, scope,
                               (guint64) reeve_call_get_int (call, "seq", 0), &error);
  if (record != NULL && strcmp (scope, REEVE_SCOPE_PLATFORM) != 0)
    reeve_audit_personal_add (services->kept_values, scope, record);
  reeve_call_answer (call, record, error);
}

void
reeve_op_audit_verify (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  const char *scope = reeve_op_audit_get_scope (call, &error);
  JsonObject *found = scope != NULL ? reeve_ledger_verify (services->ledger, scope, &error) : NULL;

  reeve_call_answer (call, found, error);
}

void
reeve_op_audit_checkpoint (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  const char *scope = reeve_op_audit_get_scope (call, &error);
  JsonObject *shown
      = scope != NULL ? reeve_ledger_show_checkpoint (services->ledger, scope, &error) : NULL;

  if (shown != NULL)
    {
      json_object_set_string_member (shown, "tenant_log", scope);
      json_object_set_array_member (shown, "witnesses",
                                    reeve_witnesses_show (services->witnesses, scope));
    }
  reeve_call_answer (call, shown, error);
}

void
reeve_op_audit_proof (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  const char *scope = reeve_op_audit_get_scope (call, &error);
  char *proof = scope != NULL ? reeve_ledger_prove (
                    services->ledger, scope, (guint64) reeve_call_get_int (call, "seq", 0), &error)
                              : NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (proof == NULL)
    {
      reeve_call_fail (call, error);
      return;
    }
  bytes = g_bytes_new_take (proof, strlen (proof));
  reeve_call_complete_bytes (call, 0, "text/plain", bytes);
}

void
reeve_op_audit_rotate_key (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *result
      = reeve_ledger_rotate_key (services->ledger, reeve_call_get_admitted (call), &error);

  reeve_call_answer (call, result, error);
}

void
reeve_op_audit_sinks (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  const char *scope = reeve_op_audit_get_scope (call, &error);
  JsonObject *result = scope != NULL ? json_object_new () : NULL;

  if (result != NULL)
    json_object_set_array_member (result, "items", reeve_sinks_show (services->sinks, scope));
  reeve_call_answer (call, result, error);
}

void
reeve_op_audit_retention (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  const char *scope = reeve_op_audit_get_scope (call, &error);
  JsonObject *shown = scope != NULL
                          ? reeve_audit_retention_show (services->audit_retention, scope, &error)
                          : NULL;

  reeve_call_answer (call, shown, error);
}

void
reeve_op_audit_apply_retention (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *result = reeve_audit_retention_apply (services->audit_retention,
                                                    reeve_call_get_admitted (call), &error);

  reeve_call_answer (call, result, error);
}
