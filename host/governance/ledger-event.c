/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All of it follows from the record alone, its name from its leaf hash: nothing of it is stored,
 * and who verifies the record makes the same text again. */
#include "ledger-event.h"

#include <string.h>

#include "base/digests.h"
#include "base/times.h"

#include "ledger-record-text.h"

/* in front of a digest that stands where others have the words */
#define REEVE_LEDGER_EVENT_DIGEST "sha256:"
/* what a refusal says that only a person could have let through */
#define REEVE_LEDGER_EVENT_ASKED "approval_required"

/**
 * reeve_ledger_event_print_id:
 * @leaf: (array fixed-size=32): leaf hash of a record
 * @id: (out caller-allocates): a UUID of version 8 (RFC 9562, 5.8): the first bits of the hash
 */
void
reeve_ledger_event_print_id (const guint8 *leaf, char id[REEVE_LEDGER_EVENT_ID_SIZE])
{
  guint8 bytes[16];
  char hex[2 * sizeof bytes + 1];

  memcpy (bytes, leaf, sizeof bytes);
  bytes[6] = (guint8) ((bytes[6] & 0x0f) | 0x80);
  bytes[8] = (guint8) ((bytes[8] & 0x3f) | 0x80);
  reeve_digests_write_hex (bytes, sizeof bytes, hex);
  g_snprintf (id, REEVE_LEDGER_EVENT_ID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
              hex + 16, hex + 20);
}

/* ---- members ---- */

static gboolean
reeve_ledger_event_is_set (const char *value)
{
  return value != NULL && *value != '\0';
}

static void
reeve_ledger_event_write_name (GString *json, const char *name)
{
  if (json->str[json->len - 1] != '{')
    g_string_append_c (json, ',');
  g_string_append_c (json, '"');
  g_string_append (json, name);
  g_string_append (json, "\":");
}

static void
reeve_ledger_event_write_string (GString *json, const char *name, const char *value)
{
  if (!reeve_ledger_event_is_set (value))
    return;
  reeve_ledger_event_write_name (json, name);
  reeve_ledger_record_write_string (json, value,
                                    reeve_ledger_record_measure_plain (value, strlen (value)));
}

static void
reeve_ledger_event_write_digest (GString *json, const char *name, const char *digest)
{
  g_autofree char *told = NULL;

  if (!reeve_ledger_event_is_set (digest))
    return;
  told = g_strconcat (REEVE_LEDGER_EVENT_DIGEST, digest, NULL);
  reeve_ledger_event_write_string (json, name, told);
}

static void
reeve_ledger_event_write_number (GString *json, const char *name, gint64 value)
{
  reeve_ledger_event_write_name (json, name);
  reeve_ledger_record_write_number (json, (guint64) value);
}

/* ---- what they say ---- */

/* success, failure or blocked; of what a crash cut off it is not known */
static const char *
reeve_ledger_event_get_outcome (const ReeveLedgerRecord *record)
{
  switch (record->outcome)
    {
    case REEVE_OUTCOME_SUCCEEDED:
      return "success";
    case REEVE_OUTCOME_FAILED:
      return "failure";
    case REEVE_OUTCOME_BLOCKED:
      return "blocked";
    case REEVE_OUTCOME_UNKNOWN:
      return "unknown";
    case REEVE_OUTCOME_NONE:
    default:
      return NULL;
    }
}

/* (nullable): allowed, denied, executed, failed or unknown, as the delegation chain of a run has it
 */
static const char *
reeve_ledger_event_get_result (const ReeveLedgerRecord *record)
{
  if (record->kind == REEVE_LEDGER_INTENT)
    return "allowed";
  if (record->kind == REEVE_LEDGER_REFUSAL)
    return "denied";
  switch (record->outcome)
    {
    case REEVE_OUTCOME_SUCCEEDED:
      return "executed";
    case REEVE_OUTCOME_FAILED:
      return "failed";
    case REEVE_OUTCOME_BLOCKED:
      return "denied";
    case REEVE_OUTCOME_UNKNOWN:
      return "unknown";
    case REEVE_OUTCOME_NONE:
    default:
      return record->kind == REEVE_LEDGER_READ ? "executed" : NULL;
    }
}

static void
reeve_ledger_event_write_actor (const ReeveLedgerRecord *record, GString *json)
{
  if (!reeve_ledger_event_is_set (record->actor_id)
      && !reeve_ledger_event_is_set (record->actor_type))
    return;
  reeve_ledger_event_write_name (json, "actor");
  g_string_append_c (json, '{');
  reeve_ledger_event_write_string (json, "id", record->actor_id);
  if (reeve_ledger_event_is_set (record->address))
    reeve_ledger_event_write_digest (json, "ip", record->address);
  else
    reeve_ledger_event_write_string (json, "ip", record->source);
  reeve_ledger_event_write_string (json, "type", record->actor_type);
  g_string_append_c (json, '}');
}

/* Where a person would have had to be asked, nobody was, and it is refused. */
static void
reeve_ledger_event_write_approval (const ReeveLedgerRecord *record, GString *json)
{
  gboolean asked = g_strcmp0 (record->reason, REEVE_LEDGER_EVENT_ASKED) == 0;

  reeve_ledger_event_write_name (json, "approval");
  g_string_append_printf (json, "{\"approved_by\":null,\"policy\":%s,\"required\":%s}",
                          asked ? "\"tool_policy\"" : "null", asked ? "true" : "false");
}

static void
reeve_ledger_event_write_details (const ReeveLedgerRecord *record, GString *json)
{
  reeve_ledger_event_write_name (json, "details");
  g_string_append_c (json, '{');
  reeve_ledger_event_write_digest (json, "input", record->input_digest);
  reeve_ledger_event_write_digest (json, "output_hash", record->output_digest);
  reeve_ledger_event_write_string (json, "tool", record->tool_name);
  g_string_append_c (json, '}');
}

static void
reeve_ledger_event_write_resource (const ReeveLedgerRecord *record, GString *json)
{
  if (!reeve_ledger_event_is_set (record->resource_id)
      && !reeve_ledger_event_is_set (record->resource_type)
      && !reeve_ledger_event_is_set (record->workspace_id))
    return;
  reeve_ledger_event_write_name (json, "resource");
  g_string_append_c (json, '{');
  reeve_ledger_event_write_string (json, "id", record->resource_id);
  reeve_ledger_event_write_string (json, "type", record->resource_type);
  reeve_ledger_event_write_string (json, "workspace", record->workspace_id);
  g_string_append_c (json, '}');
}

static void
reeve_ledger_event_write_names (const ReeveLedgerRecord *record, const char *id, GString *json)
{
  reeve_ledger_event_write_string (json, "action", record->action);
  reeve_ledger_event_write_actor (record, json);
  reeve_ledger_event_write_string (json, "agent_id", record->agent_id);
  reeve_ledger_event_write_approval (record, json);
  reeve_ledger_event_write_string (json, "delegated_user_id", record->delegated_user_id);
  reeve_ledger_event_write_details (record, json);
  reeve_ledger_event_write_string (json, "entry_id", id);
  reeve_ledger_event_write_string (json, "event_id", id);
  reeve_ledger_event_write_string (json, "execution_id", record->run_id);
}

/**
 * reeve_ledger_event_write:
 * @record: a record, as it was read
 * @leaf: (array fixed-size=32): its leaf hash
 * @json: gets the event as canonical JSON (RFC 8785)
 */
void
reeve_ledger_event_write (const ReeveLedgerRecord *record, const guint8 *leaf, GString *json)
{
  gboolean outcome = record->kind == REEVE_LEDGER_OUTCOME;
  char id[REEVE_LEDGER_EVENT_ID_SIZE];
  g_autofree char *time = reeve_times_format (record->time);

  reeve_ledger_event_print_id (leaf, id);
  g_string_append_c (json, '{');
  reeve_ledger_event_write_names (record, id, json);
  if (outcome)
    reeve_ledger_event_write_number (json, "latency_ms", record->latency_us / 1000);
  reeve_ledger_event_write_string (json, "org_id", record->scope);
  reeve_ledger_event_write_string (json, "outcome", reeve_ledger_event_get_outcome (record));
  reeve_ledger_event_write_digest (json, "parameters", record->input_digest);
  reeve_ledger_event_write_string (json, "reason", record->reason);
  reeve_ledger_event_write_resource (record, json);
  reeve_ledger_event_write_string (json, "result", reeve_ledger_event_get_result (record));
  reeve_ledger_event_write_string (json, "timestamp", time);
  if (outcome)
    reeve_ledger_event_write_number (json, "tokens_used",
                                     record->input_tokens + record->output_tokens);
  reeve_ledger_event_write_string (json, "tool_name", record->tool_name);
  g_string_append_c (json, '}');
}

/**
 * reeve_ledger_event_add:
 * @shown: a record as it is shown outside
 * @record: the same record
 * @leaf: (array fixed-size=32): its leaf hash
 * @error: return location
 *
 * Adds the members of the event. `outcome` keeps the word of the ledger.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT where the record's text is none
 */
gboolean
reeve_ledger_event_add (JsonObject *shown, const ReeveLedgerRecord *record, const guint8 *leaf,
                        GError **error)
{
  g_autoptr (GString) text = g_string_sized_new (1024);
  g_autoptr (JsonNode) node = NULL;
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  reeve_ledger_event_write (record, leaf, text);
  node = reeve_json_parse_strict (text->str, text->len, error);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &name, &value))
    if (strcmp (name, "outcome") != 0)
      json_object_set_member (shown, name, json_node_ref (value));
  return TRUE;
}
