/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The value stands in its record as text: it comes back as it was given, whatever a storage does
 * with JSON. */
#include "plugin-values.h"

#include <string.h>

#include "base/times.h"
#include "plugin-entries.h"

static const char *
reeve_plugin_values_get_text (JsonObject *fields)
{
  return reeve_json_get_string (fields, "value", "null");
}

static gint64
reeve_plugin_values_measure (JsonObject *fields)
{
  return (gint64) strlen (reeve_plugin_values_get_text (fields));
}

static JsonNode *
reeve_plugin_values_get (ReevePluginEntries *self, GError **error)
{
  GError *local = NULL;
  g_autoptr (ReeveRecord) record = reeve_plugin_entries_find (self, &local);
  const char *text
      = record != NULL ? reeve_plugin_values_get_text (reeve_record_get_fields (record)) : "null";
  g_autoptr (JsonNode) value = NULL;
  JsonObject *answer = NULL;

  if (local == NULL)
    value = reeve_json_parse_strict (text, strlen (text), &local);
  if (local != NULL)
    {
      g_propagate_prefixed_error (error, local, "store.kv: reading a value: ");
      return NULL;
    }
  answer = json_object_new ();
  json_object_set_member (answer, "value", g_steal_pointer (&value));
  json_object_set_int_member (answer, "revision",
                              record != NULL ? reeve_record_get_revision (record) : 0);
  return reeve_plugin_entries_answer (answer);
}

static JsonNode *
reeve_plugin_values_put (ReevePluginEntries *self, GError **error)
{
  JsonNode *value = json_object_get_member (self->params, "value");
  g_autofree char *text = value != NULL ? reeve_json_text (value) : NULL;
  g_autoptr (JsonObject) fields = json_object_new ();
  ReevePluginEntriesChanged changed = { 0 };

  if (text == NULL)
    return reeve_plugin_entries_refuse (self, "value", "is missing", error);
  if (strlen (text) > REEVE_PLUGIN_VALUES_VALUE)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "store.kv: a value has at most %d bytes as JSON", REEVE_PLUGIN_VALUES_VALUE);
      return NULL;
    }
  /* a plugin in the host may give what nobody could read back */
  if (!reeve_json_scan (text, strlen (text), error))
    return NULL;
  json_object_set_string_member (fields, "value", text);
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  return reeve_plugin_entries_change (self, fields, &changed, error)
             ? reeve_plugin_entries_show_change (&changed)
             : NULL;
}

static const ReevePluginEntriesOp reeve_plugin_values_ops[]
    = { { "get", TRUE, reeve_plugin_values_get },
        { "put", TRUE, reeve_plugin_values_put },
        { "delete", TRUE, reeve_plugin_entries_delete },
        { "list", FALSE, reeve_plugin_entries_list },
        { NULL, FALSE, NULL } };

static const ReevePluginEntriesKind reeve_plugin_values_kind = {
  .capability = "store.kv",
  .collection = REEVE_STORE_PLUGIN_VALUES,
  .counter = "values",
  .usual = REEVE_PLUGIN_VALUES_QUOTA,
  .measure = reeve_plugin_values_measure,
};

/* a ReeveCapabilityFunc */
static JsonNode *
reeve_plugin_values_perform (const ReeveCapabilityCaller *caller, JsonNode *params,
                             gpointer user_data, GError **error)
{
  ReevePluginEntries self
      = { .kind = &reeve_plugin_values_kind,
          .store = user_data,
          .caller = caller,
          .params = JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL };

  return reeve_plugin_entries_run (&self, reeve_plugin_values_ops, "is get, put, delete or list",
                                   error);
}

/**
 * reeve_plugin_values_provide:
 * @store: where it lies; outlives @capabilities
 * @capabilities: what this host offers to plugins
 *
 * Offers `store.kv`: {op, key, value, revision, prefix, cursor, limit}, see docs/plugin-guide.md.
 */
void
reeve_plugin_values_provide (ReeveStore *store, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide (capabilities, "store.kv", reeve_plugin_values_perform, store);
}
