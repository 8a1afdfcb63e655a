/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OCSF 1.9.0, class API Activity (6003) with the profiles AI Operation, Record Integrity and Trace.
 * The record's own text goes along as raw_data: it is what the fingerprint of the attestation is
 * of, so an event can still be held against the log's Merkle tree. */
#include "ledger-format.h"

#include <string.h>

#include "base/digests.h"

#define REEVE_LEDGER_FORMAT_OCSF_VERSION "1.9.0"
#define REEVE_LEDGER_FORMAT_OCSF_CLASS   6003

typedef struct
{
  const char *verb;
  gint64 activity;
} ReeveLedgerFormatVerb;

/* the last word of an action; what is not here is Other */
static const ReeveLedgerFormatVerb reeve_ledger_format_verbs[] = {
  { "create", 1 }, { "upload", 1 }, { "add", 1 },    { "get", 2 },    { "list", 2 },
  { "show", 2 },   { "search", 2 }, { "export", 2 }, { "verify", 2 }, { "read", 2 },
  { "update", 3 }, { "set", 3 },    { "patch", 3 },  { "rotate", 3 }, { "delete", 4 },
  { "remove", 4 }, { "revoke", 4 },
};

static const char *const reeve_ledger_format_activities[]
    = { "Unknown", "Create", "Read", "Update", "Delete" };

static gint64
reeve_ledger_format_ocsf_activity (const char *action)
{
  const char *dot = strrchr (action, '.');

  for (guint i = 0; dot != NULL && i < G_N_ELEMENTS (reeve_ledger_format_verbs); i++)
    if (strcmp (dot + 1, reeve_ledger_format_verbs[i].verb) == 0)
      return reeve_ledger_format_verbs[i].activity;
  return 99;
}

static void
reeve_ledger_format_ocsf_set (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, name, value);
}

static void
reeve_ledger_format_ocsf_count (JsonObject *object, const char *name, guint64 value)
{
  if (value != 0)
    json_object_set_int_member (object, name, (gint64) value);
}

static JsonObject *
reeve_ledger_format_ocsf_add (JsonObject *object, const char *name)
{
  JsonObject *member = json_object_new ();

  json_object_set_object_member (object, name, member);
  return member;
}

static void
reeve_ledger_format_ocsf_classify (JsonObject *event, const ReeveLedgerRecord *record)
{
  gint64 activity = reeve_ledger_format_ocsf_activity (record->action);
  const char *outcome = reeve_ledger_record_outcome_name (record->outcome);
  gboolean good = record->outcome == REEVE_OUTCOME_SUCCEEDED;
  gboolean bad
      = record->outcome == REEVE_OUTCOME_FAILED || record->outcome == REEVE_OUTCOME_BLOCKED;
  gboolean known = good || bad || record->outcome == REEVE_OUTCOME_UNKNOWN;

  json_object_set_int_member (event, "activity_id", activity);
  json_object_set_string_member (event, "activity_name",
                                 activity == 99 ? record->action
                                                : reeve_ledger_format_activities[activity]);
  json_object_set_int_member (event, "category_uid", REEVE_LEDGER_FORMAT_OCSF_CLASS / 1000);
  json_object_set_string_member (event, "category_name", "Application Activity");
  json_object_set_int_member (event, "class_uid", REEVE_LEDGER_FORMAT_OCSF_CLASS);
  json_object_set_string_member (event, "class_name", "API Activity");
  json_object_set_int_member (event, "type_uid",
                              (gint64) REEVE_LEDGER_FORMAT_OCSF_CLASS * 100 + activity);
  json_object_set_int_member (event, "severity_id", bad ? 3 : good || !known ? 1 : 4);
  json_object_set_int_member (event, "status_id", good ? 1 : bad ? 2 : known ? 0 : 99);
  json_object_set_string_member (event, "status",
                                 known ? outcome : reeve_ledger_record_kind_name (record->kind));
  reeve_ledger_format_ocsf_set (event, "status_detail", record->reason);
  json_object_set_int_member (event, "time", record->time / 1000);
  if (record->latency_us > 0)
    json_object_set_int_member (event, "duration", record->latency_us / 1000);
  reeve_ledger_format_ocsf_count (event, "count", (guint64) record->count);
}

static void
reeve_ledger_format_ocsf_describe (JsonObject *event, const ReeveLedgerRecord *record)
{
  JsonObject *metadata = reeve_ledger_format_ocsf_add (event, "metadata");
  JsonObject *product = reeve_ledger_format_ocsf_add (metadata, "product");
  JsonArray *profiles = json_array_new ();
  char id[REEVE_LEDGER_FORMAT_ID_SIZE];

  reeve_ledger_format_print_id (record, id);
  json_object_set_string_member (metadata, "version", REEVE_LEDGER_FORMAT_OCSF_VERSION);
  json_object_set_string_member (metadata, "uid", id);
  json_object_set_int_member (metadata, "sequence", (gint64) record->seq);
  json_object_set_string_member (metadata, "tenant_uid", record->scope);
  json_object_set_string_member (metadata, "event_code", record->action);
  json_object_set_string_member (metadata, "log_name",
                                 reeve_ledger_record_kind_name (record->kind));
  json_array_add_string_element (profiles, "ai_operation");
  json_array_add_string_element (profiles, "record_integrity");
  json_array_add_string_element (profiles, "trace");
  json_object_set_array_member (metadata, "profiles", profiles);
  json_object_set_string_member (product, "name", "Reeve");
  json_object_set_string_member (product, "vendor_name", "Reeve");
  json_object_set_string_member (product, "version", REEVE_VERSION);
}

static void
reeve_ledger_format_ocsf_name_parties (JsonObject *event, const ReeveLedgerRecord *record)
{
  JsonObject *actor = reeve_ledger_format_ocsf_add (event, "actor");
  JsonObject *api = reeve_ledger_format_ocsf_add (event, "api");
  JsonObject *source = reeve_ledger_format_ocsf_add (event, "src_endpoint");
  gboolean person = record->actor_id != NULL && g_strcmp0 (record->actor_type, "system") != 0;

  if (person)
    {
      JsonObject *user = reeve_ledger_format_ocsf_add (actor, "user");

      json_object_set_string_member (user, "uid", record->actor_id);
      json_object_set_int_member (user, "type_id",
                                  g_strcmp0 (record->actor_type, "user") == 0 ? 1 : 99);
      reeve_ledger_format_ocsf_set (user, "type", record->actor_type);
      reeve_ledger_format_ocsf_set (user, "credential_uid", record->key_id);
    }
  else
    json_object_set_string_member (actor, "app_name",
                                   record->actor_id != NULL ? record->actor_id : "unknown");
  json_object_set_string_member (api, "operation", record->action);
  json_object_set_string_member (reeve_ledger_format_ocsf_add (api, "service"), "name", "reeve");
  json_object_set_string_member (source, "name", record->door != NULL ? record->door : "internal");
  reeve_ledger_format_ocsf_set (source, "uid", record->source);
  if (record->resource_id != NULL || record->resource_type != NULL)
    {
      JsonArray *resources = json_array_new ();
      JsonObject *resource = json_object_new ();

      reeve_ledger_format_ocsf_set (resource, "uid", record->resource_id);
      reeve_ledger_format_ocsf_set (resource, "type", record->resource_type);
      json_array_add_object_element (resources, resource);
      json_object_set_array_member (event, "resources", resources);
    }
}

/* "provider/name" */
static void
reeve_ledger_format_ocsf_set_model (JsonObject *object, const char *model)
{
  JsonObject *member = NULL;
  const char *slash = model != NULL ? strchr (model, '/') : NULL;
  g_autofree char *provider = slash != NULL ? g_strndup (model, (gsize) (slash - model)) : NULL;

  if (model == NULL)
    return;
  member = reeve_ledger_format_ocsf_add (object, "ai_model");
  json_object_set_string_member (member, "ai_provider", provider != NULL ? provider : "reeve");
  json_object_set_string_member (member, "name", slash != NULL ? slash + 1 : model);
  json_object_set_string_member (member, "model_name", slash != NULL ? slash + 1 : model);
}

static void
reeve_ledger_format_ocsf_add_ai (JsonObject *event, const ReeveLedgerRecord *record)
{
  if (record->agent_id != NULL)
    {
      JsonObject *agent = reeve_ledger_format_ocsf_add (event, "ai_agent");

      json_object_set_string_member (agent, "uid", record->agent_id);
      reeve_ledger_format_ocsf_set (agent, "instance_uid", record->run_id);
      json_object_set_int_member (agent, "type_id", 1);
      reeve_ledger_format_ocsf_set_model (agent, record->model);
    }
  reeve_ledger_format_ocsf_set_model (event, record->model);
  if (record->run_id != NULL || record->input_tokens != 0 || record->output_tokens != 0)
    {
      JsonObject *context = reeve_ledger_format_ocsf_add (event, "message_context");

      reeve_ledger_format_ocsf_set (context, "uid", record->run_id);
      json_object_set_int_member (context, "ai_role_id",
                                  record->tool_name != NULL  ? 3
                                  : record->model != NULL    ? 2
                                  : record->agent_id != NULL ? 4
                                                             : 0);
      json_object_set_string_member (reeve_ledger_format_ocsf_add (context, "service"), "name",
                                     record->tool_name != NULL ? record->tool_name : "reeve");
      reeve_ledger_format_ocsf_count (context, "prompt_tokens", (guint64) record->input_tokens);
      reeve_ledger_format_ocsf_count (context, "completion_tokens",
                                      (guint64) record->output_tokens);
      reeve_ledger_format_ocsf_count (context, "total_tokens",
                                      (guint64) record->input_tokens
                                          + (guint64) record->output_tokens);
    }
}

static void
reeve_ledger_format_ocsf_attest (JsonObject *event, const ReeveLedgerFormatEntry *entry)
{
  JsonObject *attestation = reeve_ledger_format_ocsf_add (event, "attestation");
  JsonObject *fingerprint = reeve_ledger_format_ocsf_add (attestation, "fingerprint");
  g_autofree char *chain = g_strconcat ("reeve-ledger/", entry->record->scope, NULL);
  g_autofree char *text = g_strndup (entry->text, entry->length);
  char id[REEVE_LEDGER_FORMAT_ID_SIZE];
  char hex[2 * REEVE_DIGESTS_LENGTH + 1];

  reeve_ledger_format_print_id (entry->record, id);
  reeve_digests_write_hex (entry->leaf, REEVE_DIGESTS_LENGTH, hex);
  json_object_set_string_member (attestation, "uid", id);
  json_object_set_string_member (attestation, "chain_uid", chain);
  json_object_set_string_member (attestation, "authority_uid", "reeve-ledger");
  json_object_set_int_member (fingerprint, "algorithm_id", 3);
  json_object_set_string_member (fingerprint, "algorithm", "SHA-256");
  json_object_set_string_member (fingerprint, "value", hex);
  json_object_set_string_member (event, "raw_data", text);
}

/* 10^-9 units; as in records, text under another name where JSON has no such number. */
static void
reeve_ledger_format_ocsf_amount (JsonObject *object, const char *name, gint64 value)
{
  g_autofree char *wide = g_strconcat (name, "_wide", NULL);
  g_autofree char *digits = g_strdup_printf ("%" G_GINT64_FORMAT, value);

  if (value <= REEVE_LEDGER_RECORD_MAX_NUMBER)
    reeve_ledger_format_ocsf_count (object, name, (guint64) value);
  else
    json_object_set_string_member (object, wide, digits);
}

/* What has no attribute of its own. */
static void
reeve_ledger_format_ocsf_add_rest (JsonObject *event, const ReeveLedgerRecord *record)
{
  JsonObject *rest = reeve_ledger_format_ocsf_add (event, "unmapped");

  json_object_set_string_member (rest, "kind", reeve_ledger_record_kind_name (record->kind));
  reeve_ledger_format_ocsf_set (rest, "delegated_user_id", record->delegated_user_id);
  reeve_ledger_format_ocsf_set (rest, "plugin_id", record->plugin_id);
  reeve_ledger_format_ocsf_set (rest, "tool_name", record->tool_name);
  reeve_ledger_format_ocsf_set (rest, "input_digest", record->input_digest);
  reeve_ledger_format_ocsf_set (rest, "output_digest", record->output_digest);
  reeve_ledger_format_ocsf_set (rest, "state_digest", record->state_digest);
  reeve_ledger_format_ocsf_set (rest, "session_id", record->session_id);
  reeve_ledger_format_ocsf_set (rest, "department", record->department);
  reeve_ledger_format_ocsf_set (rest, "cost_center", record->cost_center);
  reeve_ledger_format_ocsf_set (rest, "project", record->project);
  reeve_ledger_format_ocsf_count (rest, "bytes_sent", (guint64) record->bytes_sent);
  reeve_ledger_format_ocsf_count (rest, "bytes_received", (guint64) record->bytes_received);
  reeve_ledger_format_ocsf_count (rest, "intent", record->intent);
  reeve_ledger_format_ocsf_count (rest, "parent", record->parent);
  reeve_ledger_format_ocsf_count (rest, "epoch", record->epoch);
  reeve_ledger_format_ocsf_set (rest, "workspace_id", record->workspace_id);
  reeve_ledger_format_ocsf_count (rest, "estimated", record->estimated);
  reeve_ledger_format_ocsf_amount (rest, "cost", record->cost);
  reeve_ledger_format_ocsf_set (rest, "currency", record->currency);
  reeve_ledger_format_ocsf_count (rest, "reserved_tokens", record->reserved_tokens);
  reeve_ledger_format_ocsf_amount (rest, "reserved_cost", record->reserved_cost);
}

void
reeve_ledger_format_append_ocsf (const ReeveLedgerFormatEntry *entry, GString *out)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *event = json_object_new ();
  g_autofree char *line = NULL;

  json_node_take_object (node, event);
  reeve_ledger_format_ocsf_classify (event, entry->record);
  reeve_ledger_format_ocsf_describe (event, entry->record);
  reeve_ledger_format_ocsf_name_parties (event, entry->record);
  reeve_ledger_format_ocsf_add_ai (event, entry->record);
  reeve_ledger_format_ocsf_attest (event, entry);
  reeve_ledger_format_ocsf_add_rest (event, entry->record);
  if (entry->record->trace_id != NULL)
    json_object_set_string_member (reeve_ledger_format_ocsf_add (event, "trace"), "uid",
                                   entry->record->trace_id);
  line = reeve_json_canonical (node);
  g_string_append (out, line);
}
