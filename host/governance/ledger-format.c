/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One table of fields for the flat spellings. Each value is escaped for the place it goes to, so
 * that no value ends a field, a line or a cell, and none is taken for a formula. */
#include "ledger-format.h"

#include <string.h>

#include "base/digests.h"
#include "base/times.h"
#include "csv.h"
#include "ledger-event.h"

typedef enum
{
  REEVE_LEDGER_FORMAT_STRING,
  REEVE_LEDGER_FORMAT_NUMBER, /* 0 is none */
  REEVE_LEDGER_FORMAT_UUID,
  REEVE_LEDGER_FORMAT_ID,
  REEVE_LEDGER_FORMAT_TIME,
  REEVE_LEDGER_FORMAT_KIND,
  REEVE_LEDGER_FORMAT_OUTCOME,
  REEVE_LEDGER_FORMAT_LEAF
} ReeveLedgerFormatType;

typedef struct
{
  const char *name; /* (nullable): column of CSV */
  const char *cef;  /* (nullable) */
  const char *leef; /* (nullable) */
  ReeveLedgerFormatType type;
  gsize offset;
} ReeveLedgerFormatField;

#define AT(member) G_STRUCT_OFFSET (ReeveLedgerRecord, member)

/* Keys of CEF and LEEF are those of their dictionaries where there is one that means the same. */
static const ReeveLedgerFormatField reeve_ledger_format_fields[] = {
  { "event_id", NULL, NULL, REEVE_LEDGER_FORMAT_UUID, 0 },
  { NULL, "externalId", "eventId", REEVE_LEDGER_FORMAT_ID, 0 },
  { "timestamp", "rt", "devTime", REEVE_LEDGER_FORMAT_TIME, AT (time) },
  { "scope", "deviceExternalId", "scope", REEVE_LEDGER_FORMAT_STRING, AT (scope) },
  { "seq", "reeveSeq", "seq", REEVE_LEDGER_FORMAT_NUMBER, AT (seq) },
  { "kind", "cat", "cat", REEVE_LEDGER_FORMAT_KIND, 0 },
  { "action", "act", "action", REEVE_LEDGER_FORMAT_STRING, AT (action) },
  { "outcome", "outcome", "outcome", REEVE_LEDGER_FORMAT_OUTCOME, 0 },
  { "reason", "reason", "reason", REEVE_LEDGER_FORMAT_STRING, AT (reason) },
  { "actor_type", "reeveActorType", "actorType", REEVE_LEDGER_FORMAT_STRING, AT (actor_type) },
  { "actor_id", "suid", "usrName", REEVE_LEDGER_FORMAT_STRING, AT (actor_id) },
  { "agent_id", "reeveAgentId", "agentId", REEVE_LEDGER_FORMAT_STRING, AT (agent_id) },
  { "delegated_user_id", "reeveDelegatedUserId", "delegatedUserId", REEVE_LEDGER_FORMAT_STRING,
    AT (delegated_user_id) },
  { "run_id", "reeveRunId", "runId", REEVE_LEDGER_FORMAT_STRING, AT (run_id) },
  { "resource_type", "reeveResourceType", "resourceType", REEVE_LEDGER_FORMAT_STRING,
    AT (resource_type) },
  { "resource_id", "reeveResourceId", "resource", REEVE_LEDGER_FORMAT_STRING, AT (resource_id) },
  { "tool_name", "reeveToolName", "toolName", REEVE_LEDGER_FORMAT_STRING, AT (tool_name) },
  { "model", "reeveModel", "model", REEVE_LEDGER_FORMAT_STRING, AT (model) },
  { "input_digest", "reeveInputDigest", "inputDigest", REEVE_LEDGER_FORMAT_STRING,
    AT (input_digest) },
  { "output_digest", "reeveOutputDigest", "outputDigest", REEVE_LEDGER_FORMAT_STRING,
    AT (output_digest) },
  { "input_tokens", "reeveInputTokens", "inputTokens", REEVE_LEDGER_FORMAT_NUMBER,
    AT (input_tokens) },
  { "output_tokens", "reeveOutputTokens", "outputTokens", REEVE_LEDGER_FORMAT_NUMBER,
    AT (output_tokens) },
  { "latency_us", "reeveLatencyUs", "latencyUs", REEVE_LEDGER_FORMAT_NUMBER, AT (latency_us) },
  { "intent", "reeveIntent", "intent", REEVE_LEDGER_FORMAT_NUMBER, AT (intent) },
  { "parent", "reeveParent", "parent", REEVE_LEDGER_FORMAT_NUMBER, AT (parent) },
  { "door", "app", "door", REEVE_LEDGER_FORMAT_STRING, AT (door) },
  { "key_id", "reeveKeyId", "keyId", REEVE_LEDGER_FORMAT_STRING, AT (key_id) },
  { "source", "reeveSource", "source", REEVE_LEDGER_FORMAT_STRING, AT (source) },
  { "count", "cnt", "count", REEVE_LEDGER_FORMAT_NUMBER, AT (count) },
  { "trace_id", "reeveTraceId", "traceId", REEVE_LEDGER_FORMAT_STRING, AT (trace_id) },
  { "epoch", "reeveEpoch", "epoch", REEVE_LEDGER_FORMAT_NUMBER, AT (epoch) },
  { "address", "reeveAddress", "address", REEVE_LEDGER_FORMAT_STRING, AT (address) },
  { "kept", "reeveKept", "kept", REEVE_LEDGER_FORMAT_NUMBER, AT (kept) },
  { "plugin_id", "reevePluginId", "pluginId", REEVE_LEDGER_FORMAT_STRING, AT (plugin_id) },
  { "workspace_id", "reeveWorkspaceId", "workspaceId", REEVE_LEDGER_FORMAT_STRING,
    AT (workspace_id) },
  { "estimated", "reeveEstimated", "estimated", REEVE_LEDGER_FORMAT_NUMBER, AT (estimated) },
  { "cost", "reeveCost", "cost", REEVE_LEDGER_FORMAT_NUMBER, AT (cost) },
  { "currency", "reeveCurrency", "currency", REEVE_LEDGER_FORMAT_STRING, AT (currency) },
  { "reserved_tokens", "reeveReservedTokens", "reservedTokens", REEVE_LEDGER_FORMAT_NUMBER,
    AT (reserved_tokens) },
  { "reserved_cost", "reeveReservedCost", "reservedCost", REEVE_LEDGER_FORMAT_NUMBER,
    AT (reserved_cost) },
  { "bytes_sent", "out", "srcBytes", REEVE_LEDGER_FORMAT_NUMBER, AT (bytes_sent) },
  { "bytes_received", "in", "dstBytes", REEVE_LEDGER_FORMAT_NUMBER, AT (bytes_received) },
  { "state_digest", "reeveStateDigest", "stateDigest", REEVE_LEDGER_FORMAT_STRING,
    AT (state_digest) },
  { "session_id", "reeveSessionId", "sessionId", REEVE_LEDGER_FORMAT_STRING, AT (session_id) },
  { "department", "reeveDepartment", "department", REEVE_LEDGER_FORMAT_STRING, AT (department) },
  { "cost_center", "reeveCostCenter", "costCenter", REEVE_LEDGER_FORMAT_STRING, AT (cost_center) },
  { "project", "reeveProject", "project", REEVE_LEDGER_FORMAT_STRING, AT (project) },
  { "leaf_hash", "reeveLeafHash", "leafHash", REEVE_LEDGER_FORMAT_LEAF, 0 },
};

typedef struct
{
  const char *name;
  const char *media_type;
} ReeveLedgerFormatName;

static const ReeveLedgerFormatName reeve_ledger_format_names[] = {
  [REEVE_LEDGER_FORMAT_JSON] = { "json", "application/json" },
  [REEVE_LEDGER_FORMAT_CSV] = { "csv", REEVE_CSV_MEDIA_TYPE },
  [REEVE_LEDGER_FORMAT_CEF] = { "cef", "text/plain; charset=utf-8" },
  [REEVE_LEDGER_FORMAT_LEEF] = { "leef", "text/plain; charset=utf-8" },
  [REEVE_LEDGER_FORMAT_OCSF] = { "ocsf", "application/x-ndjson" },
};

/**
 * reeve_ledger_format_find:
 * @name: json, csv, cef, leef or ocsf
 * @format: (out): which that is
 *
 * Returns: whether there is one of that name
 */
gboolean
reeve_ledger_format_find (const char *name, ReeveLedgerFormat *format)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_ledger_format_names); i++)
    {
      if (strcmp (reeve_ledger_format_names[i].name, name) != 0)
        continue;
      *format = (ReeveLedgerFormat) i;
      return TRUE;
    }
  return FALSE;
}

const char *
reeve_ledger_format_get_media_type (ReeveLedgerFormat format)
{
  return reeve_ledger_format_names[format].media_type;
}

/**
 * reeve_ledger_format_print_id:
 * @record: a record
 * @id: (out caller-allocates): "<scope>/<seq>", by which whoever gets it twice knows it again
 */
void
reeve_ledger_format_print_id (const ReeveLedgerRecord *record, char id[REEVE_LEDGER_FORMAT_ID_SIZE])
{
  g_snprintf (id, REEVE_LEDGER_FORMAT_ID_SIZE, "%s/%" G_GUINT64_FORMAT, record->scope, record->seq);
}

guint
reeve_ledger_format_get_severity (const ReeveLedgerRecord *record)
{
  switch (record->outcome)
    {
    case REEVE_OUTCOME_BLOCKED:
      return 6;
    case REEVE_OUTCOME_FAILED:
      return 5;
    case REEVE_OUTCOME_UNKNOWN:
      return 7;
    case REEVE_OUTCOME_NONE:
    case REEVE_OUTCOME_SUCCEEDED:
    default:
      return 1;
    }
}

/* ---- values ---- */

/* (nullable): what a field says, perhaps printed into @buffer */
static const char *
reeve_ledger_format_value (const ReeveLedgerFormatField *field, gboolean milliseconds,
                           const ReeveLedgerFormatEntry *entry,
                           char buffer[REEVE_LEDGER_FORMAT_ID_SIZE])
{
  const ReeveLedgerRecord *record = entry->record;
  gint64 number = 0;

  switch (field->type)
    {
    case REEVE_LEDGER_FORMAT_STRING:
      return G_STRUCT_MEMBER (const char *, record, field->offset);
    case REEVE_LEDGER_FORMAT_NUMBER:
      number = G_STRUCT_MEMBER (gint64, record, field->offset);
      g_snprintf (buffer, REEVE_LEDGER_FORMAT_ID_SIZE, "%" G_GINT64_FORMAT, number);
      return number != 0 ? buffer : NULL;
    case REEVE_LEDGER_FORMAT_UUID:
      reeve_ledger_event_print_id (entry->leaf, buffer);
      return buffer;
    case REEVE_LEDGER_FORMAT_ID:
      reeve_ledger_format_print_id (record, buffer);
      return buffer;
    case REEVE_LEDGER_FORMAT_TIME:
      if (milliseconds)
        g_snprintf (buffer, REEVE_LEDGER_FORMAT_ID_SIZE, "%" G_GINT64_FORMAT, record->time / 1000);
      else
        reeve_times_print (record->time, buffer);
      return buffer;
    case REEVE_LEDGER_FORMAT_KIND:
      return reeve_ledger_record_kind_name (record->kind);
    case REEVE_LEDGER_FORMAT_OUTCOME:
      return reeve_ledger_record_outcome_name (record->outcome);
    case REEVE_LEDGER_FORMAT_LEAF:
    default:
      reeve_digests_write_hex (entry->leaf, REEVE_DIGESTS_LENGTH, buffer);
      return buffer;
    }
}

/* @specials: pairs of a character and what stands behind a backslash in its place */
static void
reeve_ledger_format_append_escaped (GString *out, const char *value, const char *specials)
{
  for (const char *p = value; *p != '\0'; p++)
    {
      const char *special = specials;

      while (*special != '\0' && *special != *p)
        special += 2;
      if (*special != '\0')
        g_string_append_c (out, '\\');
      g_string_append_c (out, *special != '\0' ? special[1] : *p);
    }
}

/* A header has no escape for a line end, LEEF's none at all: what would end it becomes a space. */
static void
reeve_ledger_format_append_header (GString *out, const char *value, const char *specials,
                                   const char *forbidden)
{
  g_autofree char *line = g_strdelimit (g_strdup (value), forbidden, ' ');

  reeve_ledger_format_append_escaped (out, line, specials);
}

/* ---- lines ---- */

static void
reeve_ledger_format_append_csv (const ReeveLedgerFormatEntry *entry, GString *out)
{
  char buffer[REEVE_LEDGER_FORMAT_ID_SIZE];

  for (guint i = 0; i < G_N_ELEMENTS (reeve_ledger_format_fields); i++)
    {
      const ReeveLedgerFormatField *field = &reeve_ledger_format_fields[i];
      const char *value = reeve_ledger_format_value (field, FALSE, entry, buffer);

      if (field->name == NULL)
        continue;
      if (i > 0)
        g_string_append_c (out, ',');
      if (value != NULL)
        reeve_csv_append (out, value);
    }
  g_string_append (out, "\r\n");
}

static void
reeve_ledger_format_append_cef (const ReeveLedgerFormatEntry *entry, GString *out)
{
  char buffer[REEVE_LEDGER_FORMAT_ID_SIZE];
  const char *before = "";

  g_string_append (out, "CEF:0|Reeve|Reeve|" REEVE_VERSION "|");
  reeve_ledger_format_append_header (out, entry->record->action, "\\\\||", "\r\n");
  g_string_append_c (out, '|');
  reeve_ledger_format_append_header (out, entry->record->action, "\\\\||", "\r\n");
  g_string_append_printf (out, " %s|%u|", reeve_ledger_record_kind_name (entry->record->kind),
                          reeve_ledger_format_get_severity (entry->record));
  for (guint i = 0; i < G_N_ELEMENTS (reeve_ledger_format_fields); i++)
    {
      const ReeveLedgerFormatField *field = &reeve_ledger_format_fields[i];
      const char *value = reeve_ledger_format_value (field, TRUE, entry, buffer);

      if (value == NULL || field->cef == NULL)
        continue;
      g_string_append_printf (out, "%s%s=", before, field->cef);
      reeve_ledger_format_append_escaped (out, value, "\\\\==\nn\rr");
      before = " ";
    }
}

static void
reeve_ledger_format_append_leef (const ReeveLedgerFormatEntry *entry, GString *out)
{
  char buffer[REEVE_LEDGER_FORMAT_ID_SIZE];

  g_string_append (out, "LEEF:2.0|Reeve|Reeve|" REEVE_VERSION "|");
  reeve_ledger_format_append_header (out, entry->record->action, "", "|\r\n\t");
  g_string_append_printf (out, "|x09|sev=%u", reeve_ledger_format_get_severity (entry->record));
  for (guint i = 0; i < G_N_ELEMENTS (reeve_ledger_format_fields); i++)
    {
      const ReeveLedgerFormatField *field = &reeve_ledger_format_fields[i];
      const char *value = reeve_ledger_format_value (field, TRUE, entry, buffer);

      if (value == NULL || field->leef == NULL)
        continue;
      g_string_append_printf (out, "\t%s=", field->leef);
      reeve_ledger_format_append_escaped (out, value, "\\\\\tt\nn\rr");
    }
}

/**
 * reeve_ledger_format_append_head:
 * @format: a format
 * @out: gets what stands in front of all lines
 */
void
reeve_ledger_format_append_head (ReeveLedgerFormat format, GString *out)
{
  if (format != REEVE_LEDGER_FORMAT_CSV)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (reeve_ledger_format_fields); i++)
    if (reeve_ledger_format_fields[i].name != NULL)
      g_string_append_printf (out, "%s%s", i > 0 ? "," : "", reeve_ledger_format_fields[i].name);
  g_string_append (out, "\r\n");
}

/**
 * reeve_ledger_format_append:
 * @format: a format
 * @entry: a record
 * @out: gets it as one line with its end
 */
void
reeve_ledger_format_append (ReeveLedgerFormat format, const ReeveLedgerFormatEntry *entry,
                            GString *out)
{
  switch (format)
    {
    case REEVE_LEDGER_FORMAT_CSV:
      reeve_ledger_format_append_csv (entry, out);
      return;
    case REEVE_LEDGER_FORMAT_CEF:
      reeve_ledger_format_append_cef (entry, out);
      break;
    case REEVE_LEDGER_FORMAT_LEEF:
      reeve_ledger_format_append_leef (entry, out);
      break;
    case REEVE_LEDGER_FORMAT_OCSF:
      reeve_ledger_format_append_ocsf (entry, out);
      break;
    case REEVE_LEDGER_FORMAT_JSON:
    default:
      g_string_append_len (out, entry->text, (gssize) entry->length);
      break;
    }
  g_string_append_c (out, '\n');
}
