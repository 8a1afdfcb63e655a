/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An entry is a record `<plugin id>/<key>`; a plugin's id has no slash, so no key leads into what
 * another one keeps. The value stands there as text: it comes back as it was given, whatever a
 * storage does with JSON. What is kept is counted in the batch that changes it, and that says which
 * revision it goes out from: so the count is right through races, crashes and restarts. */
#include "plugin-values.h"

#include <string.h>

#include "base/times.h"
#include "plugin-quota.h"
#include "store/store-counters.h"

/* Another call may change the same key, or the count, between our reading and our writing. */
#define REEVE_PLUGIN_VALUES_TRIES 200

/* one call */
typedef struct
{
  ReeveStore *store;
  const ReeveCapabilityCaller *caller;
  const char *tenant_id;
  JsonObject *params;
  const char *key;
  char *id;
  char *counter;
} ReevePluginValues;

/* how an entry is to be changed */
typedef struct
{
  const char *text; /* (nullable): it is to go */
  gint64 expected;  /* what the plugin says of its revision */
  gint64 revision;  /* as it is, then as it came to be; 0: there is none */
  gint64 bytes;     /* that it counts now */
  gint64 used;      /* by all, then */
  gint64 limit;
} ReevePluginValuesChange;

static gpointer
reeve_plugin_values_refuse (const char *member, const char *why, GError **error)
{
  g_autofree char *pointer = g_strconcat ("/", member, NULL);

  reeve_error_set_member (error, pointer, "store.kv: %s %s", member, why);
  return NULL;
}

/* The letters of a key are its own affair, but for what would spoil a line of a log. */
static gboolean
reeve_plugin_values_is_key (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if ((guchar) *p < 0x20 || *p == 0x7f)
      return FALSE;
  return strlen (text) <= REEVE_PLUGIN_VALUES_KEY && g_utf8_validate (text, -1, NULL);
}

static gint64
reeve_plugin_values_measure (const char *key, const char *text)
{
  return (gint64) (strlen (key) + strlen (text)) + REEVE_PLUGIN_VALUES_ENTRY;
}

/* (transfer full) */
static JsonNode *
reeve_plugin_values_answer (JsonObject *answer)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, answer);
  return node;
}

/* (transfer full) (nullable): what stands there; NULL without an error: nothing */
static ReeveRecord *
reeve_plugin_values_find (ReevePluginValues *self, GError **error)
{
  g_autoptr (GError) local = NULL;
  ReeveRecord *record
      = reeve_store_get (self->store, self->tenant_id, REEVE_STORE_PLUGIN_VALUES, self->id, &local);

  if (record == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&local));
  return record;
}

static const char *
reeve_plugin_values_get_text (ReeveRecord *record)
{
  return reeve_json_get_string (reeve_record_get_fields (record), "value", "null");
}

/* ---- reading ---- */

static JsonNode *
reeve_plugin_values_get (ReevePluginValues *self, GError **error)
{
  GError *local = NULL;
  g_autoptr (ReeveRecord) record = reeve_plugin_values_find (self, &local);
  const char *text = record != NULL ? reeve_plugin_values_get_text (record) : "null";
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
  return reeve_plugin_values_answer (answer);
}

static JsonObject *
reeve_plugin_values_show (ReevePluginValues *self, ReeveRecord *record)
{
  JsonObject *entry = json_object_new ();
  const char *key = reeve_record_get_id (record) + strlen (self->caller->plugin_id) + 1;

  json_object_set_string_member (entry, "key", key);
  json_object_set_int_member (entry, "revision", reeve_record_get_revision (record));
  json_object_set_int_member (
      entry, "bytes", reeve_plugin_values_measure (key, reeve_plugin_values_get_text (record)));
  return entry;
}

static JsonNode *
reeve_plugin_values_list (ReevePluginValues *self, GError **error)
{
  const char *prefix = reeve_json_get_string (self->params, "prefix", "");
  gint64 limit = reeve_json_get_int (self->params, "limit", REEVE_PLUGIN_VALUES_PAGE);
  g_autofree char *from = g_strconcat (self->caller->plugin_id, "/", prefix, NULL);
  g_autoptr (ReeveQuery) query = reeve_query_new (self->tenant_id, REEVE_STORE_PLUGIN_VALUES);
  g_autoptr (ReeveQueryResult) result = NULL;
  JsonArray *entries = NULL;
  JsonObject *answer = NULL;

  if (limit < 1 || limit > REEVE_PLUGIN_VALUES_PAGE)
    return reeve_plugin_values_refuse ("limit", "is a number from 1 to 100", error);
  if (!reeve_plugin_values_is_key (prefix))
    return reeve_plugin_values_refuse ("prefix", "is no beginning of a key", error);
  reeve_query_filter_string (query, "@id", REEVE_FILTER_PREFIX, from);
  reeve_query_limit (query, (guint) limit);
  reeve_query_cursor (query, reeve_json_get_string (self->params, "cursor", NULL));
  result = reeve_store_query (self->store, query, error);
  if (result == NULL)
    {
      g_prefix_error (error, "store.kv: listing keys: ");
      return NULL;
    }
  entries = json_array_new ();
  for (guint i = 0; i < reeve_query_result_get_records (result)->len; i++)
    json_array_add_object_element (
        entries, reeve_plugin_values_show (
                     self, g_ptr_array_index (reeve_query_result_get_records (result), i)));
  answer = json_object_new ();
  json_object_set_array_member (answer, "entries", entries);
  if (reeve_query_result_get_cursor (result) != NULL)
    json_object_set_string_member (answer, "cursor", reeve_query_result_get_cursor (result));
  else
    json_object_set_null_member (answer, "cursor");
  return reeve_plugin_values_answer (answer);
}

/* ---- changing ---- */

/* What an entry counts, by which revision; and whether that is the one that the plugin means */
static gboolean
reeve_plugin_values_look (ReevePluginValues *self, ReevePluginValuesChange *change, GError **error)
{
  GError *local = NULL;
  g_autoptr (ReeveRecord) record = reeve_plugin_values_find (self, &local);

  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  change->revision = record != NULL ? reeve_record_get_revision (record) : 0;
  change->bytes
      = record != NULL
            ? reeve_plugin_values_measure (self->key, reeve_plugin_values_get_text (record))
            : 0;
  if (change->expected == REEVE_REVISION_ANY || change->expected == change->revision)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "store.kv: the key is at revision %" G_GINT64_FORMAT ", not %" G_GINT64_FORMAT,
               change->revision, change->expected);
  return FALSE;
}

/* Nothing that was taken back or given up is begun. */
static gboolean
reeve_plugin_values_claim (ReevePluginValues *self, gint64 delta, gint64 *limit, GError **error)
{
  gint64 used = 0;

  if (!reeve_context_check (self->caller->context, error)
      || !reeve_store_counters_get (self->store, self->tenant_id, self->counter, &used, error))
    return FALSE;
  /* what makes it less is allowed where less is granted by now */
  *limit = reeve_plugin_quota_claim (self->caller, REEVE_PLUGIN_VALUES_QUOTA,
                                     delta > 0 ? used + delta : 0, error);
  return *limit >= 0;
}

/* One try; %FALSE without an error: another call came first */
static gboolean
reeve_plugin_values_commit (ReevePluginValues *self, ReevePluginValuesChange *change,
                            GError **error)
{
  gint64 bytes = change->text != NULL ? reeve_plugin_values_measure (self->key, change->text) : 0;
  gint64 delta = bytes - change->bytes;
  g_autoptr (ReeveBatch) batch = reeve_batch_new (self->tenant_id);
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) local = NULL;

  if (!reeve_plugin_values_claim (self, delta, &change->limit, error))
    return FALSE;
  if (change->text != NULL)
    {
      json_object_set_string_member (fields, "value", change->text);
      json_object_set_int_member (fields, "updated_at", reeve_times_now ());
      reeve_batch_put (batch, REEVE_STORE_PLUGIN_VALUES, self->id, fields, change->revision);
    }
  else
    reeve_batch_delete (batch, REEVE_STORE_PLUGIN_VALUES, self->id, change->revision);
  reeve_batch_count (batch, self->counter, delta, 0, delta > 0 ? change->limit : G_MAXINT64);
  result = reeve_store_commit (self->store, batch, &local);
  if (result != NULL)
    {
      change->revision = change->text != NULL ? reeve_batch_result_get_value (result, 0) : 0;
      change->used = reeve_batch_result_get_value (result, 1);
      return TRUE;
    }
  if (!g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT)
      && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS)
      && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND)
      && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE))
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "store.kv: writing a value: ");
  return FALSE;
}

/* @was: (out): was there an entry? */
static gboolean
reeve_plugin_values_change (ReevePluginValues *self, ReevePluginValuesChange *change, gboolean *was,
                            GError **error)
{
  for (guint i = 0; i < REEVE_PLUGIN_VALUES_TRIES; i++)
    {
      GError *local = NULL;

      if (!reeve_plugin_values_look (self, change, error))
        return FALSE;
      *was = change->revision != 0;
      if (!*was && change->text == NULL)
        return TRUE;
      if (reeve_plugin_values_commit (self, change, &local))
        return TRUE;
      if (local != NULL)
        {
          g_propagate_error (error, local);
          return FALSE;
        }
    }
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                       "store.kv: too many change this at once");
  return FALSE;
}

/* What the plugin says of the revision: 0: there is to be none; absent: it does not matter */
static gboolean
reeve_plugin_values_read_expected (ReevePluginValues *self, gint64 *expected, GError **error)
{
  JsonNode *node = json_object_get_member (self->params, "revision");

  *expected = node != NULL ? reeve_json_get_int (self->params, "revision", G_MININT64)
                           : REEVE_REVISION_ANY;
  if (node == NULL || *expected >= 0)
    return TRUE;
  reeve_plugin_values_refuse ("revision", "is a number, 0 for a key that is not there", error);
  return FALSE;
}

static JsonNode *
reeve_plugin_values_put (ReevePluginValues *self, GError **error)
{
  JsonNode *value = json_object_get_member (self->params, "value");
  g_autofree char *text = value != NULL ? reeve_json_text (value) : NULL;
  ReevePluginValuesChange change = { .text = text };
  JsonObject *answer = NULL;
  gboolean was = FALSE;

  if (text == NULL)
    return reeve_plugin_values_refuse ("value", "is missing", error);
  if (strlen (text) > REEVE_PLUGIN_VALUES_VALUE)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "store.kv: a value has at most %d bytes as JSON", REEVE_PLUGIN_VALUES_VALUE);
      return NULL;
    }
  /* a plugin in the host may give what nobody could read back */
  if (!reeve_json_scan (text, strlen (text), error)
      || !reeve_plugin_values_read_expected (self, &change.expected, error)
      || !reeve_plugin_values_change (self, &change, &was, error))
    return NULL;
  answer = json_object_new ();
  json_object_set_int_member (answer, "revision", change.revision);
  json_object_set_int_member (answer, "used", change.used);
  json_object_set_int_member (answer, "limit", change.limit);
  return reeve_plugin_values_answer (answer);
}

static JsonNode *
reeve_plugin_values_delete (ReevePluginValues *self, GError **error)
{
  ReevePluginValuesChange change = { .text = NULL };
  JsonObject *answer = NULL;
  gboolean was = FALSE;

  if (!reeve_plugin_values_read_expected (self, &change.expected, error)
      || !reeve_plugin_values_change (self, &change, &was, error))
    return NULL;
  answer = json_object_new ();
  json_object_set_boolean_member (answer, "deleted", was);
  return reeve_plugin_values_answer (answer);
}

/* ---- all of it ---- */

static const struct
{
  const char *name;
  gboolean keyed;
  JsonNode *(*func) (ReevePluginValues *self, GError **error);
} reeve_plugin_values_ops[] = { { "get", TRUE, reeve_plugin_values_get },
                                { "put", TRUE, reeve_plugin_values_put },
                                { "delete", TRUE, reeve_plugin_values_delete },
                                { "list", FALSE, reeve_plugin_values_list } };

static JsonNode *
reeve_plugin_values_run (ReevePluginValues *self, GError **error)
{
  const char *op = reeve_json_get_string (self->params, "op", "");

  for (guint i = 0; i < G_N_ELEMENTS (reeve_plugin_values_ops); i++)
    {
      if (strcmp (op, reeve_plugin_values_ops[i].name) != 0)
        continue;
      if (reeve_plugin_values_ops[i].keyed
          && (self->key == NULL || *self->key == '\0' || !reeve_plugin_values_is_key (self->key)))
        return reeve_plugin_values_refuse (
            "key", "is a text of 1 to 256 bytes, without control characters", error);
      return reeve_plugin_values_ops[i].func (self, error);
    }
  return reeve_plugin_values_refuse ("op", "is get, put, delete or list", error);
}

/* a ReeveCapabilityFunc */
static JsonNode *
reeve_plugin_values_perform (const ReeveCapabilityCaller *caller, JsonNode *params,
                             gpointer user_data, GError **error)
{
  ReevePluginValues self = { .store = user_data, .caller = caller };
  JsonNode *answer = NULL;

  self.tenant_id = reeve_context_get_tenant_id (caller->context);
  if (self.tenant_id == NULL || !reeve_store_has_scope (self.store, self.tenant_id))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "store.kv: this call is for no tenant, and what is kept is a tenant's");
      return NULL;
    }
  self.params = JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  self.key = reeve_json_get_string (self.params, "key", NULL);
  self.id = g_strconcat (caller->plugin_id, "/", self.key, NULL);
  self.counter = g_strconcat ("plugin/", caller->plugin_id, "/values", NULL);
  answer = reeve_plugin_values_run (&self, error);
  g_free (self.id);
  g_free (self.counter);
  return answer;
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
