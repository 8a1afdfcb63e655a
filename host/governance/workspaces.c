/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Workspaces of a tenant. What lies in one is counted, so that none is deleted under its things and
 * nothing is made in one that is deleted at the same time. */
#include "workspaces-private.h"

#include "base/ids.h"
#include "base/times.h"

#include "directory.h"

G_DEFINE_FINAL_TYPE (ReeveWorkspaces, reeve_workspaces, G_TYPE_OBJECT)

static const char *const reeve_workspaces_members[]
    = { "name",          "description", "cross_workspace_visibility",
        "settings",      "ip_allow",    "countries_allow",
        "countries_deny" };

static void
reeve_workspaces_finalize (GObject *object)
{
  ReeveWorkspaces *self = REEVE_WORKSPACES (object);

  g_clear_object (&self->store);
  g_clear_object (&self->users);
  g_clear_object (&self->authentication);
  g_hash_table_unref (self->books);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (reeve_workspaces_parent_class)->finalize (object);
}

static void
reeve_workspaces_class_init (ReeveWorkspacesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_workspaces_finalize;
}

static void
reeve_workspaces_init (ReeveWorkspaces *self)
{
  g_mutex_init (&self->mutex);
  self->books = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) reeve_workspace_book_unref);
}

/**
 * reeve_workspaces_new:
 * @store: the store
 * @users: users, who are members
 * @authentication: told who belongs nowhere any more
 *
 * Returns: (transfer full): the workspaces of all tenants
 */
ReeveWorkspaces *
reeve_workspaces_new (ReeveStore *store, ReeveUsers *users, ReeveAuthentication *authentication)
{
  ReeveWorkspaces *self = g_object_new (REEVE_TYPE_WORKSPACES, NULL);

  self->store = g_object_ref (store);
  self->users = g_object_ref (users);
  self->authentication = g_object_ref (authentication);
  reeve_authentication_admit_add_step (reeve_authentication_get_admit (authentication),
                                       REEVE_ADMIT_PERMISSIONS, reeve_workspaces_roles_step, self);
  return self;
}

const char *
reeve_workspaces_get_tenant (ReeveAdmitted *admitted)
{
  return reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
}

static JsonObject *
reeve_workspaces_show (ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "workspace_id", reeve_record_get_id (record));
  for (guint i = 0; i < G_N_ELEMENTS (reeve_workspaces_members); i++)
    reeve_directory_copy (fields, shown, reeve_workspaces_members[i]);
  reeve_directory_show_time (fields, shown, "created_at");
  reeve_directory_show_time (fields, shown, "updated_at");
  return shown;
}

/* ---- what lies in one ---- */

/**
 * reeve_workspaces_count:
 * @batch: of the tenant
 * @workspace_id: (nullable): where a thing is made or deleted; %NULL does nothing
 * @delta: 1 or -1
 */
void
reeve_workspaces_count (ReeveBatch *batch, const char *workspace_id, gint64 delta)
{
  g_autofree char *counter = NULL;

  if (workspace_id == NULL)
    return;
  counter = g_strconcat ("workspace/", workspace_id, NULL);
  reeve_batch_count (batch, counter, delta, 0, G_MAXINT64);
}

/* Only an empty one can be closed, and then nothing is counted in it any more. */
static void
reeve_workspaces_close (ReeveBatch *batch, const char *workspace_id)
{
  g_autofree char *counter = g_strconcat ("workspace/", workspace_id, NULL);

  reeve_batch_count (batch, counter, G_MININT32, G_MININT32, G_MININT32);
}

/* ---- changes ---- */

/* Who reads on, as from a run, is asked without I/O: so what has changed is read at once. */
static void
reeve_workspaces_read_again (ReeveWorkspaces *self, const char *tenant_id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveWorkspaceBook) book = reeve_workspaces_open_book (self, tenant_id, &error);

  if (book == NULL)
    g_warning ("workspaces of tenant %s: %s", tenant_id, error->message);
}

gboolean
reeve_workspaces_commit (ReeveWorkspaces *self, ReeveAdmitted *admitted, const char *operation,
                         const char *workspace_id, JsonObject *params, ReeveBatch *batch,
                         GError **error)
{
  g_autoptr (ReeveBatchResult) result = NULL;

  reeve_admitted_consume_exactly (admitted, operation, workspace_id, params);
  result = reeve_store_commit (self->store, batch, error);
  reeve_workspaces_forget (self, reeve_workspaces_get_tenant (admitted));
  reeve_authentication_invalidate (self->authentication);
  reeve_workspaces_read_again (self, reeve_workspaces_get_tenant (admitted));
  return result != NULL;
}

/**
 * reeve_workspaces_create:
 * @self: workspaces
 * @admitted: the right to `workspaces.create`
 * @params: {name, description?, cross_workspace_visibility?, settings?, ip_allow?,
 * countries_allow?, countries_deny?}
 * @error: return location
 *
 * Returns: (transfer full): the workspace, without members; %NULL with an error
 */
JsonObject *
reeve_workspaces_create (ReeveWorkspaces *self, ReeveAdmitted *admitted, JsonObject *params,
                         GError **error)
{
  g_autofree char *workspace_id = reeve_ids_new ("wsp");
  g_autoptr (ReeveBatch) batch = reeve_batch_new (reeve_workspaces_get_tenant (admitted));
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autoptr (ReeveRecord) record = NULL;
  gint64 now = reeve_times_now ();

  if (!reeve_network_rule_check (params, error))
    return NULL;
  json_object_set_boolean_member (fields, "cross_workspace_visibility", FALSE);
  json_object_set_object_member (fields, "settings", json_object_new ());
  for (guint i = 0; i < G_N_ELEMENTS (reeve_workspaces_members); i++)
    reeve_directory_copy (params, fields, reeve_workspaces_members[i]);
  json_object_set_int_member (fields, "created_at", now);
  json_object_set_int_member (fields, "updated_at", now);
  reeve_batch_put (batch, REEVE_STORE_WORKSPACES, workspace_id, fields, REEVE_REVISION_ABSENT);
  if (!reeve_workspaces_commit (self, admitted, "workspaces.create", NULL, params, batch, error))
    return NULL;
  record = reeve_record_new (workspace_id, 1, fields);
  return reeve_workspaces_show (record);
}

/**
 * reeve_workspaces_update:
 * @self: workspaces
 * @admitted: the right to `workspaces.update`
 * @params: workspace_id and the members to set
 * @error: return location
 *
 * Returns: (transfer full): the workspace; %NULL with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CONFLICT
 */
JsonObject *
reeve_workspaces_update (ReeveWorkspaces *self, ReeveAdmitted *admitted, JsonObject *params,
                         GError **error)
{
  const char *tenant_id = reeve_workspaces_get_tenant (admitted);
  const char *workspace_id = reeve_json_get_string (params, "workspace_id", "");
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_WORKSPACES, workspace_id, error);
  g_autoptr (ReeveRecord) changed = NULL;
  g_autoptr (JsonObject) fields = NULL;

  if (record == NULL || !reeve_network_rule_check (params, error))
    return NULL;
  fields = reeve_directory_dup (reeve_record_get_fields (record));
  for (guint i = 0; i < G_N_ELEMENTS (reeve_workspaces_members); i++)
    reeve_directory_copy (params, fields, reeve_workspaces_members[i]);
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  reeve_batch_put (batch, REEVE_STORE_WORKSPACES, workspace_id, fields,
                   reeve_record_get_revision (record));
  if (!reeve_workspaces_commit (self, admitted, "workspaces.update", workspace_id, params, batch,
                                error))
    return NULL;
  changed = reeve_record_new (workspace_id, 1, fields);
  return reeve_workspaces_show (changed);
}

/* (transfer full) (nullable) ids of the membership records */
static char **
reeve_workspaces_read_members (ReeveWorkspaces *self, const char *tenant_id,
                               const char *workspace_id, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *cursor = NULL;

  do
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_WORKSPACE_MEMBERS);
      g_autoptr (ReeveQueryResult) result = NULL;
      GPtrArray *records = NULL;

      reeve_query_filter_string (query, "workspace_id", REEVE_FILTER_EQ, workspace_id);
      reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
      reeve_query_cursor (query, cursor);
      result = reeve_store_query (self->store, query, error);
      if (result == NULL)
        return NULL;
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
      records = reeve_query_result_get_records (result);
      for (guint i = 0; i < records->len; i++)
        g_strv_builder_add (builder, reeve_record_get_id (g_ptr_array_index (records, i)));
    }
  while (cursor != NULL);
  return g_strv_builder_end (builder);
}

/**
 * reeve_workspaces_delete:
 * @self: workspaces
 * @admitted: the right to `workspaces.delete`
 * @workspace_id: which
 * @error: return location
 *
 * Runs and conversations of it stay, for who holds workspace:read.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT while there is an agent or a document in it, or
 * %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_workspaces_delete (ReeveWorkspaces *self, ReeveAdmitted *admitted, const char *workspace_id,
                         GError **error)
{
  const char *tenant_id = reeve_workspaces_get_tenant (admitted);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_WORKSPACES, workspace_id, error);
  g_auto (GStrv) members = NULL;
  g_autoptr (GError) local = NULL;

  if (record != NULL)
    members = reeve_workspaces_read_members (self, tenant_id, workspace_id, error);
  if (members == NULL)
    return FALSE;
  reeve_batch_delete (batch, REEVE_STORE_WORKSPACES, workspace_id,
                      reeve_record_get_revision (record));
  reeve_workspaces_close (batch, workspace_id);
  for (guint i = 0; members[i] != NULL; i++)
    reeve_batch_delete (batch, REEVE_STORE_WORKSPACE_MEMBERS, members[i], REEVE_REVISION_ANY);
  if (reeve_workspaces_commit (self, admitted, "workspaces.delete", workspace_id, NULL, batch,
                               &local))
    return TRUE;
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                         "there are agents or documents in the workspace");
  else
    g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* ---- what is shown ---- */

/**
 * reeve_workspaces_get:
 * @self: workspaces
 * @caller: who asks
 * @workspace_id: which
 * @error: return location
 *
 * Returns: (transfer full): the workspace; %NULL with %REEVE_ERROR_NOT_FOUND, also when it is not
 * shown to @caller
 */
JsonObject *
reeve_workspaces_get (ReeveWorkspaces *self, ReeveCaller *caller, const char *workspace_id,
                      GError **error)
{
  g_autoptr (ReeveRecord) record = NULL;
  gboolean exists = FALSE;

  if (!reeve_workspaces_exists (self, caller, REEVE_STORE_WORKSPACES, workspace_id, FALSE, &exists,
                                error))
    return NULL;
  if (!exists)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such workspace");
      return NULL;
    }
  record = reeve_store_get (self->store, reeve_caller_get_tenant_id (caller),
                            REEVE_STORE_WORKSPACES, workspace_id, error);
  return record != NULL ? reeve_workspaces_show (record) : NULL;
}

/**
 * reeve_workspaces_get_settings:
 * @self: workspaces
 * @tenant_id: whose
 * @workspace_id: which
 * @error: return location
 *
 * Returns: (transfer full): its settings; %NULL with %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_workspaces_get_settings (ReeveWorkspaces *self, const char *tenant_id,
                               const char *workspace_id, GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_WORKSPACES, workspace_id, error);
  JsonObject *settings = record != NULL
                             ? reeve_json_get_object (reeve_record_get_fields (record), "settings")
                             : NULL;

  if (record == NULL)
    return NULL;
  return settings != NULL ? json_object_ref (settings) : json_object_new ();
}

/**
 * reeve_workspaces_list:
 * @self: workspaces
 * @caller: who asks
 * @params: {limit?, cursor?}
 * @error: return location
 *
 * Returns: (transfer full): {items, next_cursor}: those that are shown to @caller, oldest first. A
 * page may have fewer items than were asked for, and more behind it. %NULL with an error
 */
JsonObject *
reeve_workspaces_list (ReeveWorkspaces *self, ReeveCaller *caller, JsonObject *params,
                       GError **error)
{
  g_autoptr (ReeveQuery) query
      = reeve_query_new (reeve_caller_get_tenant_id (caller), REEVE_STORE_WORKSPACES);
  g_auto (GStrv) seen = NULL;
  JsonObject *page = NULL;
  JsonArray *all = NULL;
  JsonArray *shown = NULL;

  seen = reeve_workspaces_list_seen (self, caller, NULL, error);
  if (seen == NULL)
    return NULL;
  page = reeve_directory_list (self->store, query, params, reeve_workspaces_show, error);
  if (page == NULL)
    return NULL;
  all = json_object_get_array_member (page, "items");
  shown = json_array_new ();
  for (guint i = 0; i < json_array_get_length (all); i++)
    {
      JsonObject *item = json_array_get_object_element (all, i);

      if (reeve_workspaces_is_seen ((const char *const *) seen,
                                    reeve_json_get_string (item, "workspace_id", NULL)))
        json_array_add_object_element (shown, json_object_ref (item));
    }
  json_object_set_array_member (page, "items", shown);
  return page;
}
