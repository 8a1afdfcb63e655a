/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of the gate. */
#include "admission-records.h"

#include "base/digests.h"

#include "policy-decision.h"

#include <string.h>

/**
 * reeve_admission_records_fill:
 * @request: what is asked for
 * @kind: kind of the record
 * @record: (out caller-allocates): the record, which borrows all strings
 */
void
reeve_admission_records_fill (const ReeveAdmissionRequest *request, ReeveLedgerKind kind,
                              ReeveLedgerRecord *record)
{
  ReeveCaller *caller = request->caller;
  const char *user_id = caller != NULL ? reeve_caller_get_user_id (caller) : NULL;

  /* the host itself goes through the gate as a caller too */
  if (caller != NULL && g_strcmp0 (reeve_caller_get_method (caller), "internal") == 0)
    user_id = NULL;
  *record = (ReeveLedgerRecord){
    .kind = kind,
    .scope = caller != NULL ? reeve_caller_get_tenant_id (caller) : REEVE_SCOPE_PLATFORM,
    .action = request->operation,
    .actor_type = user_id != NULL  ? "user"
                  : caller != NULL ? "system"
                                   : NULL,
    .actor_id = user_id,
    .key_id = caller != NULL ? reeve_caller_get_key_id (caller) : NULL,
    .agent_id = request->agent_id,
    .run_id = request->run_id,
    .resource_type = request->resource_id != NULL ? request->resource_type : NULL,
    .resource_id = request->resource_told != NULL ? request->resource_told : request->resource_id,
    .tool_name = request->tool_told != NULL ? request->tool_told : request->tool_name,
    .model = request->model_told != NULL ? request->model_told : request->model,
    .workspace_id = request->workspace_id,
    .parent = request->parent,
    .plugin_id = request->plugin_id,
    .input_digest = request->input_digest,
    .door = caller != NULL ? reeve_caller_get_door (caller) : request->door,
    .trace_id = request->trace_id,
  };
  reeve_admission_records_delegate (record, request->delegated_user_id != NULL
                                                ? request->delegated_user_id
                                                : request->delegated_told);
}

/**
 * reeve_admission_records_delegate:
 * @record: a record whose actor, agent, run and parent are filled in
 * @user_id: (nullable): the user on whose behalf it is done
 *
 * What an agent does in a run that nobody delegated is done on behalf of who began it: every record
 * of a run says for whom.
 */
void
reeve_admission_records_delegate (ReeveLedgerRecord *record, const char *user_id)
{
  gboolean by_agent = record->agent_id != NULL && record->run_id != NULL && record->parent != 0;

  record->delegated_user_id = user_id != NULL ? user_id : by_agent ? record->actor_id : NULL;
}

/**
 * reeve_admission_records_label_report:
 * @request: a report of usage
 * @record: its intent or its outcome
 *
 * Of what it tells, in which session that was used, and whom it is charged to.
 */
void
reeve_admission_records_label_report (const ReeveAdmissionRequest *request,
                                      ReeveLedgerRecord *record)
{
  record->count = request->report_amount;
  record->model = request->report_model;
  record->session_id = request->report_session;
  record->department = request->report_department;
  record->cost_center = request->report_cost_center;
  record->project = request->report_project;
}

/**
 * reeve_admission_records_note_home:
 * @ledger: the ledger
 * @request: what is asked for
 *
 * Whoever acts in another tenant leaves a trace in the own one too. To be called before the record
 * in the other tenant: the ledger acknowledges in order, so this one is durable when that one is.
 */
void
reeve_admission_records_note_home (ReeveLedger *ledger, const ReeveAdmissionRequest *request)
{
  ReeveLedgerRecord record;
  const char *home = NULL;

  if (request->caller == NULL)
    return;
  home = reeve_caller_get_home_tenant_id (request->caller);
  if (g_strcmp0 (home, reeve_caller_get_tenant_id (request->caller)) == 0)
    return;
  reeve_admission_records_fill (request, REEVE_LEDGER_EVENT, &record);
  record.scope = home;
  record.resource_type = "tenant";
  record.resource_id = reeve_caller_get_tenant_id (request->caller);
  record.reason = "acting_in_tenant";
  reeve_ledger_append_async (ledger, &record, NULL, NULL);
}

/**
 * reeve_admission_records_reason:
 * @error: why something was refused
 *
 * Returns: (transfer none): its stable word; that of the tool policy where it refused
 */
const char *
reeve_admission_records_reason (const GError *error)
{
  const char *word = NULL;

  if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED))
    word = reeve_policy_decision_find_reason (error->message);
  if (word != NULL)
    return word;
  return reeve_admission_records_code (error);
}

/**
 * reeve_admission_records_digest_node:
 * @node: a result, or what is changed
 *
 * Returns: (transfer full): hexadecimal SHA-256 of the canonical form
 */
char *
reeve_admission_records_digest_node (JsonNode *node)
{
  g_autofree char *canonical = reeve_json_canonical (node);

  return reeve_digests_sha256_hex (canonical, canonical != NULL ? strlen (canonical) : 0);
}

/**
 * reeve_admission_records_error:
 * @code: stable word for what went wrong
 * @detail: (nullable): what is said of it; %NULL where that may hold what is not to be guessed
 *
 * The same from every door, and to be made again of what was answered: a problem document has these
 * two as the end of its `type` and as its `detail`.
 *
 * Returns: (transfer full): {code, detail}, of which the output digest is made
 */
JsonNode *
reeve_admission_records_error (const char *code, const char *detail)
{
  g_autoptr (JsonObject) told = json_object_new ();

  json_object_set_string_member (told, "code", code);
  if (detail != NULL)
    json_object_set_string_member (told, "detail", detail);
  return json_node_init_object (json_node_alloc (), told);
}

/**
 * reeve_admission_records_error_digest:
 * @code: as of reeve_admission_records_error()
 * @detail: the same
 *
 * Returns: (transfer full): hexadecimal SHA-256 of the canonical form
 */
char *
reeve_admission_records_error_digest (const char *code, const char *detail)
{
  g_autoptr (JsonNode) node = reeve_admission_records_error (code, detail);

  return reeve_admission_records_digest_node (node);
}

/**
 * reeve_admission_records_code:
 * @error: any error
 *
 * Returns: (transfer none): its name, that of an unexpected one `failed`
 */
const char *
reeve_admission_records_code (const GError *error)
{
  return reeve_error_get_name (error->domain == REEVE_ERROR ? (ReeveError) error->code
                                                            : REEVE_ERROR_FAILED);
}

/**
 * reeve_admission_records_digest:
 * @arguments: what an effect is done with
 *
 * Returns: (transfer full): the input digest of records: SHA-256 of the canonical form
 */
char *
reeve_admission_records_digest (JsonObject *arguments)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), arguments);

  return reeve_admission_records_digest_node (node);
}
