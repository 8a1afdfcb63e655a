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
};

G_DEFINE_FINAL_TYPE (ReeveTenants, reeve_tenants, G_TYPE_OBJECT)

static void
reeve_tenants_finalize (GObject *object)
{
  g_clear_object (&REEVE_TENANTS (object)->store);
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
  reeve_admitted_consume (admitted, "tenants.create");
  if (!reeve_store_create_scope (self->store, tenant_id, &local)
      && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  fields = reeve_tenants_make_fields (params);
  reeve_batch_put (batch, REEVE_STORE_TENANTS, tenant_id, fields, REEVE_REVISION_ABSENT);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL ? reeve_tenants_get (self, tenant_id, error) : NULL;
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
