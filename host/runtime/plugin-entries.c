/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An entry is a record `<plugin id>/<key>`; a plugin's id has no slash, so no key leads into what
 * another one keeps. What is kept is counted in the batch that changes it, and that says which
 * revision it goes out from: so the count is right through races, crashes and restarts. */
#include "plugin-entries.h"

#include <string.h>

#include "plugin-quota.h"
#include "store/store-counters.h"

/* Another call may change the same key, or the count, between our reading and our writing. */
#define REEVE_PLUGIN_ENTRIES_TRIES 200

/* how an entry is to be changed */
typedef struct
{
  JsonObject *after;   /* (nullable): it is to go */
  ReeveRecord *before; /* (nullable) (owned): there is none */
  gint64 expected;     /* what the plugin says of its revision */
} ReevePluginEntriesChange;

gpointer
reeve_plugin_entries_refuse (ReevePluginEntries *self, const char *member, const char *why,
                             GError **error)
{
  g_autofree char *pointer = g_strconcat ("/", member, NULL);

  reeve_error_set_member (error, pointer, "%s: %s %s", self->kind->capability, member, why);
  return NULL;
}

/* The letters of a key are its own affair, but for what would spoil a line of a log. */
static gboolean
reeve_plugin_entries_is_key (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if ((guchar) *p < 0x20 || *p == 0x7f)
      return FALSE;
  return strlen (text) <= REEVE_PLUGIN_ENTRIES_KEY && g_utf8_validate (text, -1, NULL);
}

/* (nullable) @fields: there is no entry */
static gint64
reeve_plugin_entries_measure (ReevePluginEntries *self, const char *key, JsonObject *fields)
{
  return fields != NULL
             ? (gint64) strlen (key) + self->kind->measure (fields) + REEVE_PLUGIN_ENTRIES_BASE
             : 0;
}

JsonNode *
reeve_plugin_entries_answer (JsonObject *answer)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, answer);
  return node;
}

ReeveRecord *
reeve_plugin_entries_find (ReevePluginEntries *self, GError **error)
{
  g_autoptr (GError) local = NULL;
  ReeveRecord *record
      = reeve_store_get (self->store, self->tenant_id, self->kind->collection, self->id, &local);

  if (record == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&local));
  return record;
}

/* ---- listing ---- */

static JsonObject *
reeve_plugin_entries_show (ReevePluginEntries *self, ReeveRecord *record)
{
  JsonObject *entry = json_object_new ();
  JsonObject *fields = reeve_record_get_fields (record);
  const char *key = reeve_record_get_id (record) + strlen (self->caller->plugin_id) + 1;

  json_object_set_string_member (entry, "key", key);
  json_object_set_int_member (entry, "revision", reeve_record_get_revision (record));
  json_object_set_int_member (entry, "bytes", reeve_plugin_entries_measure (self, key, fields));
  if (self->kind->show != NULL)
    self->kind->show (fields, entry);
  return entry;
}

/**
 * reeve_plugin_entries_list:
 * @self: a call
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a page of entries, by key
 */
JsonNode *
reeve_plugin_entries_list (ReevePluginEntries *self, GError **error)
{
  const char *prefix = reeve_json_get_string (self->params, "prefix", "");
  gint64 limit = reeve_json_get_int (self->params, "limit", REEVE_PLUGIN_ENTRIES_PAGE);
  g_autofree char *from = g_strconcat (self->caller->plugin_id, "/", prefix, NULL);
  g_autoptr (ReeveQuery) query = reeve_query_new (self->tenant_id, self->kind->collection);
  g_autoptr (ReeveQueryResult) result = NULL;
  JsonArray *entries = NULL;
  JsonObject *answer = NULL;

  if (limit < 1 || limit > REEVE_PLUGIN_ENTRIES_PAGE)
    return reeve_plugin_entries_refuse (self, "limit", "is a number from 1 to 100", error);
  if (!reeve_plugin_entries_is_key (prefix))
    return reeve_plugin_entries_refuse (self, "prefix", "is no beginning of a key", error);
  reeve_query_filter_string (query, "@id", REEVE_FILTER_PREFIX, from);
  reeve_query_limit (query, (guint) limit);
  reeve_query_cursor (query, reeve_json_get_string (self->params, "cursor", NULL));
  result = reeve_store_query (self->store, query, error);
  if (result == NULL)
    {
      g_prefix_error (error, "%s: listing keys: ", self->kind->capability);
      return NULL;
    }
  entries = json_array_new ();
  for (guint i = 0; i < reeve_query_result_get_records (result)->len; i++)
    json_array_add_object_element (
        entries, reeve_plugin_entries_show (
                     self, g_ptr_array_index (reeve_query_result_get_records (result), i)));
  answer = json_object_new ();
  json_object_set_array_member (answer, "entries", entries);
  if (reeve_query_result_get_cursor (result) != NULL)
    json_object_set_string_member (answer, "cursor", reeve_query_result_get_cursor (result));
  else
    json_object_set_null_member (answer, "cursor");
  return reeve_plugin_entries_answer (answer);
}

/* ---- changing ---- */

static gint64
reeve_plugin_entries_get_revision (const ReevePluginEntriesChange *change)
{
  return change->before != NULL ? reeve_record_get_revision (change->before) : 0;
}

/* What there is, and whether it is what the plugin means */
static gboolean
reeve_plugin_entries_look (ReevePluginEntries *self, ReevePluginEntriesChange *change,
                           GError **error)
{
  GError *local = NULL;
  gint64 revision = 0;

  g_clear_pointer (&change->before, reeve_record_unref);
  change->before = reeve_plugin_entries_find (self, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  revision = reeve_plugin_entries_get_revision (change);
  if (change->expected == REEVE_REVISION_ANY || change->expected == revision)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "%s: the key is at revision %" G_GINT64_FORMAT ", not %" G_GINT64_FORMAT,
               self->kind->capability, revision, change->expected);
  return FALSE;
}

/* Nothing that was taken back or given up is begun. */
static gboolean
reeve_plugin_entries_claim (ReevePluginEntries *self, gint64 delta, gint64 *limit, GError **error)
{
  gint64 used = 0;

  if (!reeve_context_check (self->caller->context, error)
      || !reeve_store_counters_get (self->store, self->tenant_id, self->counter, &used, error))
    return FALSE;
  /* what makes it less is allowed where less is granted by now */
  *limit = reeve_plugin_quota_claim (self->caller, self->kind->usual, delta > 0 ? used + delta : 0,
                                     error);
  return *limit >= 0;
}

/* One try; %FALSE without an error: another call came first */
static gboolean
reeve_plugin_entries_commit (ReevePluginEntries *self, ReevePluginEntriesChange *change,
                             ReevePluginEntriesChanged *changed, GError **error)
{
  JsonObject *before = change->before != NULL ? reeve_record_get_fields (change->before) : NULL;
  gint64 revision = reeve_plugin_entries_get_revision (change);
  gint64 delta = reeve_plugin_entries_measure (self, self->key, change->after)
                 - reeve_plugin_entries_measure (self, self->key, before);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (self->tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) local = NULL;

  if (!reeve_plugin_entries_claim (self, delta, &changed->limit, error))
    return FALSE;
  if (change->after != NULL)
    reeve_batch_put (batch, self->kind->collection, self->id, change->after, revision);
  else
    reeve_batch_delete (batch, self->kind->collection, self->id, revision);
  reeve_batch_count (batch, self->counter, delta, 0, delta > 0 ? changed->limit : G_MAXINT64);
  if (self->kind->stage != NULL)
    self->kind->stage (self, batch, before, change->after);
  result = reeve_store_commit (self->store, batch, &local);
  if (result != NULL)
    {
      changed->was = before != NULL;
      changed->revision = change->after != NULL ? reeve_batch_result_get_value (result, 0) : 0;
      changed->used = reeve_batch_result_get_value (result, 1);
      return TRUE;
    }
  if (!g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT)
      && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS)
      && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND)
      && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE))
    g_propagate_prefixed_error (error, g_steal_pointer (&local),
                                "%s: writing an entry: ", self->kind->capability);
  return FALSE;
}

static gboolean
reeve_plugin_entries_try (ReevePluginEntries *self, ReevePluginEntriesChange *change,
                          ReevePluginEntriesChanged *changed, GError **error)
{
  for (guint i = 0; i < REEVE_PLUGIN_ENTRIES_TRIES; i++)
    {
      GError *local = NULL;

      if (!reeve_plugin_entries_look (self, change, error))
        return FALSE;
      if (change->before == NULL && change->after == NULL)
        return TRUE;
      if (reeve_plugin_entries_commit (self, change, changed, &local))
        return TRUE;
      if (local != NULL)
        {
          g_propagate_error (error, local);
          return FALSE;
        }
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "%s: too many change this at once",
               self->kind->capability);
  return FALSE;
}

/* What the plugin says of the revision: 0: there is to be none; absent: it does not matter */
static gboolean
reeve_plugin_entries_read_expected (ReevePluginEntries *self, gint64 *expected, GError **error)
{
  JsonNode *node = json_object_get_member (self->params, "revision");

  *expected = node != NULL ? reeve_json_get_int (self->params, "revision", G_MININT64)
                           : REEVE_REVISION_ANY;
  if (node == NULL || *expected >= 0)
    return TRUE;
  reeve_plugin_entries_refuse (self, "revision", "is a number, 0 for a key that is not there",
                               error);
  return FALSE;
}

/**
 * reeve_plugin_entries_change:
 * @self: a call
 * @fields: (nullable): what is to stand under its key; %NULL: nothing
 * @changed: (out): what came of it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT where another revision was expected,
 * %REEVE_ERROR_TOO_LARGE where no grant is for so much; nothing has changed then
 */
gboolean
reeve_plugin_entries_change (ReevePluginEntries *self, JsonObject *fields,
                             ReevePluginEntriesChanged *changed, GError **error)
{
  ReevePluginEntriesChange change = { .after = fields };
  gboolean done = FALSE;

  *changed = (ReevePluginEntriesChanged){ 0 };
  done = reeve_plugin_entries_read_expected (self, &change.expected, error)
         && reeve_plugin_entries_try (self, &change, changed, error);
  g_clear_pointer (&change.before, reeve_record_unref);
  return done;
}

JsonNode *
reeve_plugin_entries_show_change (const ReevePluginEntriesChanged *changed)
{
  JsonObject *answer = json_object_new ();

  json_object_set_int_member (answer, "revision", changed->revision);
  json_object_set_int_member (answer, "used", changed->used);
  json_object_set_int_member (answer, "limit", changed->limit);
  return reeve_plugin_entries_answer (answer);
}

JsonNode *
reeve_plugin_entries_delete (ReevePluginEntries *self, GError **error)
{
  ReevePluginEntriesChanged changed = { 0 };
  JsonObject *answer = NULL;

  if (!reeve_plugin_entries_change (self, NULL, &changed, error))
    return NULL;
  answer = json_object_new ();
  json_object_set_boolean_member (answer, "deleted", changed.was);
  return reeve_plugin_entries_answer (answer);
}

/* ---- all of it ---- */

static JsonNode *
reeve_plugin_entries_perform (ReevePluginEntries *self, const ReevePluginEntriesOp *ops,
                              const char *words, GError **error)
{
  const char *op = reeve_json_get_string (self->params, "op", "");

  for (; ops->name != NULL; ops++)
    {
      if (strcmp (op, ops->name) != 0)
        continue;
      if (ops->keyed
          && (self->key == NULL || *self->key == '\0' || !reeve_plugin_entries_is_key (self->key)))
        return reeve_plugin_entries_refuse (
            self, "key", "is a text of 1 to 256 bytes, without control characters", error);
      return ops->func (self, error);
    }
  return reeve_plugin_entries_refuse (self, "op", words, error);
}

/**
 * reeve_plugin_entries_run:
 * @self: a call: its kind, store, caller and parameters; the rest is filled in
 * @ops: what can be asked for, ended by a %NULL name
 * @words: "is get, put or list", for an error
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the answer
 */
JsonNode *
reeve_plugin_entries_run (ReevePluginEntries *self, const ReevePluginEntriesOp *ops,
                          const char *words, GError **error)
{
  JsonNode *answer = NULL;

  self->tenant_id = reeve_context_get_tenant_id (self->caller->context);
  if (self->tenant_id == NULL || !reeve_store_has_scope (self->store, self->tenant_id))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "%s: this call is for no tenant, and what is kept is a tenant's",
                   self->kind->capability);
      return NULL;
    }
  self->key = reeve_json_get_string (self->params, "key", NULL);
  self->id = g_strconcat (self->caller->plugin_id, "/", self->key, NULL);
  self->counter = g_strconcat ("plugin/", self->caller->plugin_id, "/", self->kind->counter, NULL);
  answer = reeve_plugin_entries_perform (self, ops, words, error);
  g_clear_pointer (&self->id, g_free);
  g_clear_pointer (&self->counter, g_free);
  return answer;
}
