/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tenants: a record in the platform's store, and a store of its own for each. */
#include "tenants-private.h"

#include "network-rule.h"

#include <string.h>

#include "base/times.h"
#include "store/store-counters.h"

#define REEVE_TENANTS_MAX_ID 63

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
  g_clear_object (&self->ledger);
  g_clear_object (&self->subject_keys);
  g_clear_pointer (&self->known, reeve_tenants_known_free);
  g_array_unref (self->watches);
  g_hash_table_unref (self->removing);
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
  self->known = reeve_tenants_known_new ();
  self->watches = g_array_new (FALSE, FALSE, sizeof (ReeveTenantsWatch));
  self->removing = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
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
  json_object_set_string_member (shown, "org_id", reeve_record_get_id (record));
  reeve_directory_copy (fields, shown, "name");
  reeve_directory_copy (fields, shown, "settings");
  reeve_directory_copy (fields, shown, "metadata");
  json_object_set_string_member (shown, "status",
                                 reeve_json_get_string (fields, "status", "active"));
  reeve_directory_show_time (fields, shown, "created_at");
  reeve_directory_show_time (fields, shown, "updated_at");
  return shown;
}

/* A rule of the network that nobody can read would lock everybody out. */
static gboolean
reeve_tenants_check_settings (JsonObject *params, GError **error)
{
  JsonObject *settings = reeve_json_get_object (params, "settings");

  if (settings == NULL || reeve_network_rule_check (settings, error))
    return TRUE;
  reeve_error_prefix_member (error, "/settings");
  return FALSE;
}

static JsonObject *
reeve_tenants_make_fields (JsonObject *params)
{
  JsonObject *fields = json_object_new ();

  json_object_set_string_member (fields, "name", reeve_json_get_string (params, "name", ""));
  json_object_set_object_member (fields, "settings", json_object_new ());
  json_object_set_object_member (fields, "metadata", json_object_new ());
  json_object_set_string_member (fields, "status", "active");
  reeve_directory_copy (params, fields, "settings");
  reeve_directory_copy (params, fields, "metadata");
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  return fields;
}

/* What was committed holds at once, and who keeps something of the tenant hears of it. */
void
reeve_tenants_learn (ReeveTenants *self, const char *tenant_id, JsonObject *fields, gint64 revision)
{
  ReeveTenantStatus status = REEVE_TENANT_ACTIVE;

  reeve_tenants_known_learn (self->known, tenant_id, fields, revision);
  status = reeve_tenants_known_get_status (self->known, tenant_id);
  for (guint i = 0; i < self->watches->len; i++)
    {
      const ReeveTenantsWatch *watch = &g_array_index (self->watches, ReeveTenantsWatch, i);

      watch->func (tenant_id, status, watch->user_data);
    }
}

gboolean
reeve_tenants_commit (ReeveTenants *self, ReeveAdmitted *admitted, const char *operation,
                      JsonObject *params, ReeveBatch *batch, const char *tenant_id,
                      JsonObject *fields, gint64 expected, GError **error)
{
  g_autoptr (ReeveBatchResult) result = NULL;

  reeve_batch_put (batch, REEVE_STORE_TENANTS, tenant_id, fields, expected);
  reeve_admitted_consume_exactly (admitted, operation, tenant_id, params);
  result = reeve_store_commit (self->store, batch, error);
  if (result == NULL)
    return FALSE;
  reeve_tenants_learn (self, tenant_id, fields, expected + 1);
  return TRUE;
}

char *
reeve_tenants_get_counter (const char *tenant_id)
{
  return g_strconcat ("removed/", tenant_id, NULL);
}

/**
 * reeve_tenants_require:
 * @batch: a batch of the platform
 * @tenant_id: a tenant
 *
 * Has the batch refused with %REEVE_ERROR_OUT_OF_RANGE once the removal of that tenant was begun:
 * so nothing of it is added behind the broom.
 */
void
reeve_tenants_require (ReeveBatch *batch, const char *tenant_id)
{
  g_autofree char *counter = reeve_tenants_get_counter (tenant_id);

  reeve_batch_count (batch, counter, 0, 0, 0);
}

/* What stands beside tenants in file names, records and questions: a tenant of such a name would be
 * taken for it. */
static const char *const reeve_tenants_reserved[]
    = { "platform", "host", "system", "global", "all", "none", "any", "me", NULL };

/* May a tenant of that id be made? */
static gboolean
reeve_tenants_check_new (ReeveTenants *self, const char *tenant_id, GError **error)
{
  g_autofree char *counter = NULL;
  gboolean exists = FALSE;
  gint64 removed = 0;

  if (!reeve_tenants_is_id (tenant_id))
    {
      reeve_error_set_member (error, "/tenant_id",
                              "must be lower-case letters, digits, - and _, at most %d",
                              REEVE_TENANTS_MAX_ID);
      return FALSE;
    }
  if (g_strv_contains (reeve_tenants_reserved, tenant_id))
    {
      reeve_error_set_member (error, "/tenant_id", "%s is a word of the host, and no tenant's id",
                              tenant_id);
      return FALSE;
    }
  counter = reeve_tenants_get_counter (tenant_id);
  if (!reeve_store_exists (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS, tenant_id,
                           &exists, error)
      || !reeve_store_counters_get (self->store, REEVE_SCOPE_PLATFORM, counter, &removed, error))
    return FALSE;
  if (exists)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "tenant %s exists already",
                 tenant_id);
  else if (removed != 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS,
                 "tenant %s was removed, and its ledger is kept: the identifier stays taken",
                 tenant_id);
  return !exists && removed == 0;
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

  if (!reeve_tenants_check_settings (params, error)
      || !reeve_tenants_check_new (self, tenant_id, error))
    return NULL;
  reeve_admitted_consume_exactly (admitted, "tenants.create", tenant_id, params);
  if (!reeve_store_create_scope (self->store, tenant_id, &local)
      && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  fields = reeve_tenants_make_fields (params);
  reeve_tenants_require (batch, tenant_id);
  reeve_batch_put (batch, REEVE_STORE_TENANTS, tenant_id, fields, REEVE_REVISION_ABSENT);
  result = reeve_store_commit (self->store, batch, error);
  if (result == NULL)
    return NULL;
  reeve_tenants_learn (self, tenant_id, fields, 1);
  return reeve_tenants_get (self, tenant_id, error);
}

/* What may be asked of a tenant in its state. */
static gboolean
reeve_tenants_check_update (const char *tenant_id, JsonObject *before, JsonObject *params,
                            GError **error)
{
  const char *status = reeve_json_get_string (params, "status", "active");

  if (g_strcmp0 (reeve_json_get_string (before, "status", NULL), "deleting") == 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "tenant %s is being removed", tenant_id);
  else if (strcmp (tenant_id, REEVE_TENANTS_DEFAULT) == 0 && strcmp (status, "active") != 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                 "tenant %s, where the platform admin is, stays active", tenant_id);
  else
    return TRUE;
  return FALSE;
}

/**
 * reeve_tenants_update:
 * @self: tenants
 * @admitted: the right to `tenants.update`
 * @params: {tenant_id, name?, settings?, metadata?, status?}
 * @error: return location
 *
 * Sets the members that are given, each as a whole. What is changed holds at once: the next
 * decision knows the new settings, and a tenant that is suspended has no run under way any more.
 *
 * Returns: (transfer full): the tenant; %NULL with %REEVE_ERROR_NOT_FOUND, or %REEVE_ERROR_CONFLICT
 * when somebody else changed it meanwhile or its state forbids it
 */
JsonObject *
reeve_tenants_update (ReeveTenants *self, ReeveAdmitted *admitted, JsonObject *params,
                      GError **error)
{
  static const char *const members[] = { "name", "settings", "metadata", "status" };
  const char *tenant_id = reeve_json_get_string (params, "tenant_id", "");
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS, tenant_id, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (JsonObject) fields = NULL;

  if (record == NULL || !reeve_tenants_check_settings (params, error)
      || !reeve_tenants_check_update (tenant_id, reeve_record_get_fields (record), params, error))
    return NULL;
  fields = reeve_directory_dup (reeve_record_get_fields (record));
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (params, fields, members[i]);
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  if (!reeve_tenants_commit (self, admitted, "tenants.update", params, batch, tenant_id, fields,
                             reeve_record_get_revision (record), error))
    return NULL;
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

          reeve_tenants_learn (self, reeve_record_get_id (record), reeve_record_get_fields (record),
                               reeve_record_get_revision (record));
        }
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
    }
  while (cursor != NULL);
  return TRUE;
}

/**
 * reeve_tenants_set_default:
 * @self: tenants
 * @name: name of a setting that is a number
 * @value: what holds in tenants whose settings do not say
 *
 * Before the first request.
 */
void
reeve_tenants_set_default (ReeveTenants *self, const char *name, gint64 value)
{
  reeve_tenants_known_set_default (self->known, name, value);
}

/**
 * reeve_tenants_set_ledger:
 * @self: tenants
 * @ledger: where the end of a tenant is recorded, in its own log
 *
 * Before the first request.
 */
void
reeve_tenants_set_ledger (ReeveTenants *self, ReeveLedger *ledger)
{
  g_set_object (&self->ledger, ledger);
}

/**
 * reeve_tenants_set_subject_keys:
 * @self: tenants
 * @keys: that are destroyed with a tenant
 *
 * Before the first request.
 */
void
reeve_tenants_set_subject_keys (ReeveTenants *self, ReeveSubjectKeys *keys)
{
  g_set_object (&self->subject_keys, keys);
}

/**
 * reeve_tenants_add_watch:
 * @self: tenants
 * @func: called whenever a tenant was made, changed or is being removed, after that is durable
 * and in force and before it is answered; may block
 * @user_data: for @func; outlives @self
 *
 * Before the first request.
 */
void
reeve_tenants_add_watch (ReeveTenants *self, ReeveTenantsWatchFunc func, gpointer user_data)
{
  const ReeveTenantsWatch watch = { func, user_data };

  g_array_append_val (self->watches, watch);
}

/**
 * reeve_tenants_get_status:
 * @self: tenants
 * @tenant_id: which
 *
 * Returns: how it stands
 */
ReeveTenantStatus
reeve_tenants_get_status (ReeveTenants *self, const char *tenant_id)
{
  return reeve_tenants_known_get_status (self->known, tenant_id);
}

/**
 * reeve_tenants_get_limit:
 * @self: tenants
 * @tenant_id: which
 * @name: name of the setting
 * @fallback: where neither the tenant nor the configuration sets one
 *
 * Returns: the number
 */
gint64
reeve_tenants_get_limit (ReeveTenants *self, const char *tenant_id, const char *name,
                         gint64 fallback)
{
  return reeve_tenants_known_get_limit (self->known, tenant_id, name, fallback);
}

/**
 * reeve_tenants_get_strings:
 * @self: tenants
 * @tenant_id: which
 * @name: name of a setting that is a list of texts
 *
 * Returns: (transfer full): the texts; none where its settings say nothing
 */
char **
reeve_tenants_get_strings (ReeveTenants *self, const char *tenant_id, const char *name)
{
  return reeve_tenants_known_get_strings (self->known, tenant_id, name);
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
  return reeve_tenants_known_has_feature (self->known, tenant_id, feature);
}

/* A tenant that is gone, or going, has no effects any more, whoever was let in before. */
static gboolean
reeve_tenants_check_status (ReeveTenants *self, ReeveCaller *caller, GError **error)
{
  switch (reeve_tenants_get_status (self, reeve_caller_get_tenant_id (caller)))
    {
    case REEVE_TENANT_ACTIVE:
      return TRUE;
    case REEVE_TENANT_SUSPENDED:
      if (reeve_caller_is_platform_admin (caller)
          || g_strcmp0 (reeve_caller_get_method (caller), "internal") == 0)
        return TRUE;
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                           "the tenant is suspended");
      return FALSE;
    case REEVE_TENANT_ABSENT:
    case REEVE_TENANT_DELETING:
    default:
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such tenant");
      return FALSE;
    }
}

/**
 * reeve_tenants_check:
 * @request: what is asked for
 * @settlement: (nullable): how it ended
 * @tenants: a #ReeveTenants
 * @error: return location
 *
 * A check of the gate: of the tenant's state, and of its features.
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED, or %REEVE_ERROR_NOT_FOUND when the tenant is
 * being removed
 */
gboolean
reeve_tenants_check (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                     gpointer tenants, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (request->caller);

  if (!reeve_tenants_check_status (tenants, request->caller, error))
    return FALSE;
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
