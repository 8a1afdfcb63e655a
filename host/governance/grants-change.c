/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Giving and taking back. A grant that ended stays for a while: so that it can be seen, and so that
 * a plugin is told that it had something rather than that it never did. */
#include "grants-private.h"

#include <string.h>

#include "base/ids.h"
#include "base/times.h"

#include "directory.h"
#include "tenants.h"

static gboolean
reeve_grants_change_holds (JsonObject *fields, gint64 now)
{
  gint64 until = reeve_json_get_int (fields, "until", 0);

  return reeve_json_get_int (fields, "revoked_at", 0) == 0 && (until == 0 || until > now);
}

static void
reeve_grants_change_show_text (JsonObject *fields, JsonObject *shown, const char *member)
{
  const char *text = reeve_json_get_string (fields, member, NULL);

  if (text != NULL)
    json_object_set_string_member (shown, member, text);
  else
    json_object_set_null_member (shown, member);
}

JsonObject *
reeve_grants_show_record (ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *parameters = reeve_json_get_object (fields, "parameters");
  const ReeveGrantCatalogueRow *row
      = reeve_grant_catalogue_find (reeve_json_get_string (fields, "capability", ""));
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "grant_id", reeve_record_get_id (record));
  reeve_directory_copy (fields, shown, "plugin_id");
  reeve_directory_copy (fields, shown, "capability");
  reeve_grants_change_show_text (fields, shown, "tenant_id");
  json_object_set_object_member (shown, "parameters",
                                 parameters != NULL ? reeve_directory_dup (parameters)
                                                    : json_object_new ());
  reeve_directory_copy (fields, shown, "source");
  reeve_directory_copy (fields, shown, "reason");
  if (row != NULL && row->risk != NULL)
    json_object_set_string_member (shown, "risk", row->risk);
  else
    json_object_set_null_member (shown, "risk");
  json_object_set_string_member (shown, "status",
                                 reeve_grants_change_holds (fields, reeve_times_now ()) ? "active"
                                 : reeve_json_get_int (fields, "revoked_at", 0) != 0    ? "revoked"
                                                                                        : "ended");
  json_object_set_null_member (shown, "until");
  if (json_object_has_member (fields, "until"))
    reeve_directory_show_time (fields, shown, "until");
  reeve_directory_show_time (fields, shown, "created_at");
  reeve_directory_copy (fields, shown, "created_by");
  reeve_directory_show_time (fields, shown, "revoked_at");
  reeve_directory_copy (fields, shown, "revoked_by");
  return shown;
}

/* ---- giving ---- */

static gboolean
reeve_grants_change_refuse (const char *why, const char *name, GError **error)
{
  reeve_error_set_member (error, "/capability", "%s %s", name, why);
  return FALSE;
}

/* (transfer none) (nullable): what may be granted to that plugin */
static const ReeveGrantCatalogueRow *
reeve_grants_change_find_row (ReeveGrants *self, JsonObject *params, GError **error)
{
  const char *plugin_id = reeve_json_get_string (params, "plugin_id", "");
  const char *capability = reeve_json_get_string (params, "capability", "");
  const ReeveGrantCatalogueRow *row = reeve_grant_catalogue_find (capability);
  g_autoptr (ReeveRegistryEntry) entry = reeve_grants_find_plugin (self, plugin_id, error);
  gboolean good = entry != NULL;

  if (entry == NULL)
    return NULL;
  if (row == NULL)
    good = reeve_grants_change_refuse ("is no capability that this host knows", capability, error);
  else if (row->kind == REEVE_GRANT_ALWAYS)
    good = reeve_grants_change_refuse ("need not be granted: every plugin has it", capability,
                                       error);
  else if (row->kind == REEVE_GRANT_HOST)
    good = reeve_grants_change_refuse (
        "cannot be granted: plugins of the host's own have it, no others can", capability, error);
  else if (entry->manifest == NULL
           || reeve_manifest_get_reason (entry->manifest, capability) == NULL)
    good = reeve_grants_change_refuse ("is not requested by the plugin, so it would have no effect",
                                       capability, error);
  return good ? row : NULL;
}

static gboolean
reeve_grants_change_read_until (JsonObject *params, JsonObject *fields, GError **error)
{
  const char *text = reeve_json_get_string (params, "until", NULL);
  gint64 until = 0;

  if (text == NULL)
    return TRUE;
  if (!reeve_times_parse (text, &until, error))
    {
      reeve_error_prefix_member (error, "/until");
      return FALSE;
    }
  if (until <= reeve_times_now ())
    {
      reeve_error_set_member (error, "/until", "is in the past");
      return FALSE;
    }
  json_object_set_int_member (fields, "until", until);
  return TRUE;
}

static gboolean
reeve_grants_change_read_tenant (ReeveGrants *self, JsonObject *params, JsonObject *fields,
                                 ReeveBatch *batch, GError **error)
{
  const char *tenant_id = reeve_json_get_string (params, "tenant_id", NULL);
  gboolean exists = FALSE;

  if (tenant_id == NULL)
    return TRUE;
  if (!reeve_store_exists (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS, tenant_id,
                           &exists, error))
    return FALSE;
  if (!exists)
    {
      reeve_error_set_member (error, "/tenant_id", "there is no such tenant");
      return FALSE;
    }
  json_object_set_string_member (fields, "tenant_id", tenant_id);
  reeve_tenants_require (batch, tenant_id);
  return TRUE;
}

/* As many as may hold at a time; those that ended long ago go. */
static gboolean
reeve_grants_change_make_room (ReeveGrants *self, const char *plugin_id, ReeveBatch *batch,
                               GError **error)
{
  g_autoptr (GPtrArray) records = reeve_directory_read_all (
      self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_GRANTS, "plugin_id", plugin_id, error);
  gint64 now = reeve_times_now ();
  guint holding = 0;

  if (records == NULL)
    return FALSE;
  for (guint i = 0; i < records->len; i++)
    holding += reeve_grants_change_holds (reeve_record_get_fields (records->pdata[i]), now) ? 1 : 0;
  if (holding >= REEVE_GRANTS_MAX)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "plugin %s has %d grants, which is as many as there may be", plugin_id,
                   REEVE_GRANTS_MAX);
      return FALSE;
    }
  for (guint i = 0, left = records->len - holding; i < records->len && left > REEVE_GRANTS_ENDED;
       i++)
    if (!reeve_grants_change_holds (reeve_record_get_fields (records->pdata[i]), now))
      {
        reeve_batch_delete (batch, REEVE_STORE_GRANTS, reeve_record_get_id (records->pdata[i]),
                            REEVE_REVISION_ANY);
        left--;
      }
  return TRUE;
}

/* (transfer full) (nullable): what is kept of a new grant */
static JsonObject *
reeve_grants_change_make_fields (ReeveGrants *self, ReeveCaller *caller, JsonObject *params,
                                 ReeveBatch *batch, GError **error)
{
  const ReeveGrantCatalogueRow *row = reeve_grants_change_find_row (self, params, error);
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autoptr (JsonObject) parameters = NULL;

  if (row == NULL)
    return NULL;
  parameters
      = reeve_grant_parameters_check (row, reeve_json_get_object (params, "parameters"), error);
  if (parameters == NULL
      || !reeve_grants_ceiling_check (self->ceiling, row->name, parameters, error)
      || !reeve_grants_change_read_until (params, fields, error)
      || !reeve_grants_change_read_tenant (self, params, fields, batch, error))
    return NULL;
  reeve_directory_copy (params, fields, "plugin_id");
  reeve_directory_copy (params, fields, "capability");
  reeve_directory_copy (params, fields, "reason");
  json_object_set_object_member (fields, "parameters", g_steal_pointer (&parameters));
  json_object_set_string_member (fields, "source", REEVE_GRANTS_SOURCE_ADMINISTRATOR);
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  json_object_set_string_member (fields, "created_by", reeve_caller_get_user_id (caller));
  return g_steal_pointer (&fields);
}

/**
 * reeve_grants_create:
 * @self: grants
 * @admitted: the right to `plugins.grant`
 * @params: {plugin_id, capability, parameters?, tenant_id?, reason, until?}
 * @error: return location
 *
 * Grants a capability that the plugin's manifest requests: to the platform, or in one tenant.
 *
 * Returns: (transfer full): the grant; %NULL with %REEVE_ERROR_NOT_FOUND,
 * %REEVE_ERROR_INVALID_ARGUMENT, %REEVE_ERROR_PERMISSION_DENIED beyond the ceiling, or
 * %REEVE_ERROR_CONFLICT
 */
JsonObject *
reeve_grants_create (ReeveGrants *self, ReeveAdmitted *admitted, JsonObject *params, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *plugin_id = reeve_json_get_string (params, "plugin_id", "");
  g_autofree char *grant_id = reeve_ids_new ("gnt");
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (JsonObject) fields
      = reeve_grants_change_make_fields (self, caller, params, batch, error);
  g_autoptr (ReeveRecord) record = NULL;

  if (fields == NULL || !reeve_grants_change_make_room (self, plugin_id, batch, error))
    return NULL;
  reeve_batch_put (batch, REEVE_STORE_GRANTS, grant_id, fields, REEVE_REVISION_ABSENT);
  if (!reeve_grants_commit (self, admitted, "plugins.grant", plugin_id, params, batch, error))
    return NULL;
  record = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_GRANTS, grant_id, error);
  return record != NULL ? reeve_grants_show_record (record) : NULL;
}

/* ---- taking back ---- */

/* (transfer full) (nullable): one of that plugin; nothing tells another's from none */
static ReeveRecord *
reeve_grants_change_find (ReeveGrants *self, const char *plugin_id, const char *grant_id,
                          GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_GRANTS, grant_id, error);

  if (record == NULL
      || g_strcmp0 (reeve_json_get_string (reeve_record_get_fields (record), "plugin_id", NULL),
                    plugin_id)
             == 0)
    return g_steal_pointer (&record);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "the plugin has no such grant");
  return NULL;
}

/* Whether another one took it back between the look at it and the change: that is no fault. */
static gboolean
reeve_grants_change_is_taken (ReeveGrants *self, const char *grant_id, const GError *error)
{
  g_autoptr (ReeveRecord) record = NULL;

  if (!g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CONFLICT))
    return FALSE;
  record = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_GRANTS, grant_id, NULL);
  return record != NULL
         && !reeve_grants_change_holds (reeve_record_get_fields (record), reeve_times_now ());
}

/**
 * reeve_grants_revoke:
 * @self: grants
 * @admitted: the right to `plugins.revoke`
 * @plugin_id: whose
 * @grant_id: which
 * @error: return location
 *
 * It ends now: the next call is refused, and what is under way by it alone is cut. One that has
 * ended stays as it is.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_grants_revoke (ReeveGrants *self, ReeveAdmitted *admitted, const char *plugin_id,
                     const char *grant_id, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  g_autoptr (ReeveRecord) record = reeve_grants_change_find (self, plugin_id, grant_id, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (JsonObject) fields = NULL;
  g_autoptr (GError) local = NULL;

  if (record == NULL)
    return FALSE;
  if (!reeve_grants_change_holds (reeve_record_get_fields (record), reeve_times_now ()))
    {
      reeve_admitted_consume_exactly (admitted, "plugins.revoke", grant_id, NULL);
      return TRUE;
    }
  fields = reeve_directory_dup (reeve_record_get_fields (record));
  json_object_set_int_member (fields, "revoked_at", reeve_times_now ());
  json_object_set_string_member (fields, "revoked_by", reeve_caller_get_user_id (caller));
  reeve_batch_put (batch, REEVE_STORE_GRANTS, grant_id, fields, reeve_record_get_revision (record));
  if (reeve_grants_commit (self, admitted, "plugins.revoke", grant_id, NULL, batch, &local)
      || reeve_grants_change_is_taken (self, grant_id, local))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
