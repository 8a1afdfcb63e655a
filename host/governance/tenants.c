/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tenants: a record in the platform's store, and a store of its own for each. */
#include "tenants.h"

#include <string.h>

#include "base/times.h"

#include "directory.h"

#define REEVE_TENANTS_MAX_ID 63

struct _ReeveTenants
{
  GObject parent_instance;

  ReeveStore *store;
  GMutex mutex;
  GHashTable *settings; /* tenant id -> JsonNode, whose count is atomic: under the mutex */
};

/* what belongs to which feature: operations by their prefix, tools by their name */
static const struct
{
  const char *feature;
  const char *operations;
  const char *tool;
} reeve_tenants_features[] = {
  { "rag", "documents.", "semantic_search" },
  { "long_term_memory", "memory.", NULL },
  { "approval_workflows", "approvals.", NULL },
};

G_DEFINE_FINAL_TYPE (ReeveTenants, reeve_tenants, G_TYPE_OBJECT)

static void
reeve_tenants_finalize (GObject *object)
{
  ReeveTenants *self = REEVE_TENANTS (object);

  g_clear_object (&self->store);
  g_hash_table_unref (self->settings);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (reeve_tenants_parent_class)->finalize (object);
}

static void
reeve_tenants_class_init (ReeveTenantsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_tenants_finalize;
}

static void
reeve_tenants_init (ReeveTenants *self)
{
  g_mutex_init (&self->mutex);
  self->settings
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) json_node_unref);
}

/**
 * reeve_tenants_new:
 * @store: the store
 *
 * Returns: (transfer full): the tenants in it
 */
ReeveTenants *
reeve_tenants_new (ReeveStore *store)
{
  ReeveTenants *self = g_object_new (REEVE_TYPE_TENANTS, NULL);

  self->store = g_object_ref (store);
  return self;
}

/**
 * reeve_tenants_is_id:
 * @text: (nullable): anything
 *
 * A tenant id names a store, a ledger and files: lower-case letters, digits, `_` and `-`.
 *
 * Returns: whether @text may be the id of a tenant
 */
gboolean
reeve_tenants_is_id (const char *text)
{
  gsize length = text != NULL ? strlen (text) : 0;

  if (length == 0 || length > REEVE_TENANTS_MAX_ID || text[0] == '_' || text[0] == '-')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_islower (text[i]) && !g_ascii_isdigit (text[i]) && text[i] != '_'
        && text[i] != '-')
      return FALSE;
  return TRUE;
}

static JsonObject *
reeve_tenants_show (ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "tenant_id", reeve_record_get_id (record));
  reeve_directory_copy (fields, shown, "name");
  reeve_directory_copy (fields, shown, "settings");
  reeve_directory_copy (fields, shown, "metadata");
  reeve_directory_show_time (fields, shown, "created_at");
  return shown;
}

static JsonObject *
reeve_tenants_make_fields (JsonObject *params)
{
  JsonObject *fields = json_object_new ();

  json_object_set_string_member (fields, "name", reeve_json_get_string (params, "name", ""));
  json_object_set_object_member (fields, "settings", json_object_new ());
  json_object_set_object_member (fields, "metadata", json_object_new ());
  reeve_directory_copy (params, fields, "settings");
  reeve_directory_copy (params, fields, "metadata");
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  return fields;
}

/* The settings are read by any thread: they are a copy, whose members are shared by nodes, and are
 * handed out as a node, since the counts of JsonObject are not atomic. */
static void
reeve_tenants_learn (ReeveTenants *self, const char *tenant_id, JsonObject *fields)
{
  JsonObject *settings = reeve_json_get_object (fields, "settings");
  g_autoptr (JsonObject) copy = json_object_new ();
  g_autoptr (GList) members = NULL;
  JsonNode *node = NULL;

  if (settings == NULL)
    return;
  members = json_object_get_members (settings);
  for (GList *l = members; l != NULL; l = l->next)
    json_object_set_member (copy, l->data,
                            json_node_ref (json_object_get_member (settings, l->data)));
  node = json_node_init_object (json_node_alloc (), copy);
  g_mutex_lock (&self->mutex);
  g_hash_table_replace (self->settings, g_strdup (tenant_id), node);
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_tenants_create:
 * @self: tenants
 * @admitted: the right to `tenants.create`
 * @params: {tenant_id, name, settings?, metadata?}
 * @error: return location
 *
 * Makes the tenant's store, then its record: a crash between the two leaves an empty store that the
 * next attempt takes over.
 *
 * Returns: (transfer full): the tenant; %NULL with %REEVE_ERROR_ALREADY_EXISTS or
 * %REEVE_ERROR_INVALID_ARGUMENT
 */
JsonObject *
reeve_tenants_create (ReeveTenants *self, ReeveAdmitted *admitted, JsonObject *params,
                      GError **error)
{
  const char *tenant_id = reeve_json_get_string (params, "tenant_id", NULL);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = NULL;
  g_autoptr (GError) local = NULL;
  gboolean exists = FALSE;

  if (!reeve_tenants_is_id (tenant_id))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "tenant_id must be lower-case letters, digits, - and _, at most 63");
      return NULL;
    }
  if (!reeve_store_exists (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS, tenant_id,
                           &exists, error))
    return NULL;
  if (exists)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "tenant %s exists already",
                   tenant_id);
      return NULL;
    }
  reeve_admitted_consume_exactly (admitted, "tenants.create", tenant_id, params);
  if (!reeve_store_create_scope (self->store, tenant_id, &local)
      && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  fields = reeve_tenants_make_fields (params);
  reeve_batch_put (batch, REEVE_STORE_TENANTS, tenant_id, fields, REEVE_REVISION_ABSENT);
  result = reeve_store_commit (self->store, batch, error);
  if (result == NULL)
    return NULL;
  reeve_tenants_learn (self, tenant_id, fields);
  return reeve_tenants_get (self, tenant_id, error);
}

/**
 * reeve_tenants_get:
 * @self: tenants
 * @tenant_id: which
 * @error: return location
 *
 * Returns: (transfer full): the tenant; %NULL with %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_tenants_get (ReeveTenants *self, const char *tenant_id, GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS, tenant_id, error);

  return record != NULL ? reeve_tenants_show (record) : NULL;
}

/**
 * reeve_tenants_list:
 * @self: tenants
 * @params: {limit?, cursor?}
 * @error: return location
 *
 * Returns: (transfer full): {items, next_cursor}; %NULL with an error
 */
JsonObject *
reeve_tenants_list (ReeveTenants *self, JsonObject *params, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS);

  return reeve_directory_list (self->store, query, params, reeve_tenants_show, error);
}

/* ---- settings ---- */

/**
 * reeve_tenants_load:
 * @self: tenants
 * @error: return location
 *
 * Learns the settings of all tenants, so that asking for one later takes no I/O. Blocks.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_tenants_load (ReeveTenants *self, GError **error)
{
  g_autofree char *cursor = NULL;

  do
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS);
      g_autoptr (ReeveQueryResult) result = NULL;
      GPtrArray *records = NULL;

      reeve_query_order (query, "created_at", FALSE);
      reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
      reeve_query_cursor (query, cursor);
      result = reeve_store_query (self->store, query, error);
      if (result == NULL)
        {
          g_prefix_error (error, "reading the tenants: ");
          return FALSE;
        }
      records = reeve_query_result_get_records (result);
      for (guint i = 0; i < records->len; i++)
        {
          ReeveRecord *record = g_ptr_array_index (records, i);

          reeve_tenants_learn (self, reeve_record_get_id (record),
                               reeve_record_get_fields (record));
        }
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
    }
  while (cursor != NULL);
  return TRUE;
}

/* (transfer full) (nullable) */
static JsonNode *
reeve_tenants_get_settings (ReeveTenants *self, const char *tenant_id)
{
  JsonNode *settings = NULL;

  g_mutex_lock (&self->mutex);
  settings = g_hash_table_lookup (self->settings, tenant_id);
  if (settings != NULL)
    json_node_ref (settings);
  g_mutex_unlock (&self->mutex);
  return settings;
}

/**
 * reeve_tenants_get_limit:
 * @self: tenants
 * @tenant_id: which
 * @name: name of the setting
 * @fallback: where the tenant sets none
 *
 * Returns: the number
 */
gint64
reeve_tenants_get_limit (ReeveTenants *self, const char *tenant_id, const char *name,
                         gint64 fallback)
{
  g_autoptr (JsonNode) settings = reeve_tenants_get_settings (self, tenant_id);

  return settings != NULL ? reeve_json_get_int (json_node_get_object (settings), name, fallback)
                          : fallback;
}

/**
 * reeve_tenants_has_feature:
 * @self: tenants
 * @tenant_id: which
 * @feature: name of a feature
 *
 * Returns: whether the tenant has it: all, unless its settings list some
 */
gboolean
reeve_tenants_has_feature (ReeveTenants *self, const char *tenant_id, const char *feature)
{
  g_autoptr (JsonNode) settings = reeve_tenants_get_settings (self, tenant_id);
  g_auto (GStrv) features = NULL;

  if (settings == NULL
      || reeve_json_get_array (json_node_get_object (settings), "features") == NULL)
    return TRUE;
  features = reeve_directory_get_strings (json_node_get_object (settings), "features");
  return g_strv_contains ((const char *const *) features, feature);
}

/**
 * reeve_tenants_check:
 * @request: what is asked for
 * @settlement: (nullable): how it ended
 * @tenants: a #ReeveTenants
 * @error: return location
 *
 * A check of the gate.
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED
 */
gboolean
reeve_tenants_check (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                     gpointer tenants, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (request->caller);

  for (guint i = 0; i < G_N_ELEMENTS (reeve_tenants_features); i++)
    {
      const char *feature = reeve_tenants_features[i].feature;

      if (!g_str_has_prefix (request->operation, reeve_tenants_features[i].operations)
          && (request->tool_name == NULL
              || g_strcmp0 (request->tool_name, reeve_tenants_features[i].tool) != 0))
        continue;
      if (reeve_tenants_has_feature (tenants, tenant_id, feature))
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                   "feature %s is not among those of the tenant", feature);
      return FALSE;
    }
  return TRUE;
}
