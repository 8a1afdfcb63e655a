/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a tenant. First it is marked as going, in the batch that keeps its id from being taken
 * again: from then on nobody is let in and nothing is admitted in it. Then goes what is of it
 * outside its store, then the store with its keys, last the mark. Each step may be done again: a
 * start that finds the mark does all of them. */
#include "tenants-private.h"

#include <string.h>

#include "base/times.h"
#include "store/store-counters.h"

#define REEVE_TENANTS_REMOVAL_REASON "tenant_removed"

/* One thread removes a tenant. */
static gboolean
reeve_tenants_removal_enter (ReeveTenants *self, const char *tenant_id, GError **error)
{
  gboolean entered = FALSE;

  g_mutex_lock (&self->mutex);
  entered = g_hash_table_add (self->removing, g_strdup (tenant_id));
  g_mutex_unlock (&self->mutex);
  if (!entered)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "tenant %s is being removed", tenant_id);
  return entered;
}

static void
reeve_tenants_removal_leave (ReeveTenants *self, const char *tenant_id)
{
  g_mutex_lock (&self->mutex);
  g_hash_table_remove (self->removing, tenant_id);
  g_mutex_unlock (&self->mutex);
}

/* (transfer full): what outlives the tenant of its settings */
static char *
reeve_tenants_removal_get_days (const char *tenant_id)
{
  return g_strconcat ("removed/", tenant_id, "/" REEVE_TENANTS_AUDIT_RETENTION, NULL);
}

/* Its log is kept for as long as it asked for. */
static void
reeve_tenants_removal_keep_days (ReeveTenants *self, ReeveBatch *batch, const char *tenant_id)
{
  gint64 days = reeve_tenants_get_limit (self, tenant_id, REEVE_TENANTS_AUDIT_RETENTION, 0);
  g_autofree char *counter = reeve_tenants_removal_get_days (tenant_id);

  if (days > 0)
    reeve_batch_count (batch, counter, days, days, days);
}

/* Marks the tenant, unless an earlier attempt did. */
static gboolean
reeve_tenants_removal_mark (ReeveTenants *self, ReeveAdmitted *admitted, const char *tenant_id,
                            GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS, tenant_id, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autofree char *counter = reeve_tenants_get_counter (tenant_id);
  g_autoptr (JsonObject) fields = NULL;

  if (record == NULL)
    return FALSE;
  fields = reeve_directory_dup (reeve_record_get_fields (record));
  if (strcmp (reeve_json_get_string (fields, "status", ""), "deleting") == 0)
    {
      reeve_admitted_consume_exactly (admitted, "tenants.delete", tenant_id, NULL);
      return TRUE;
    }
  json_object_set_string_member (fields, "status", "deleting");
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  reeve_batch_count (batch, counter, 1, 1, 1);
  reeve_tenants_removal_keep_days (self, batch, tenant_id);
  return reeve_tenants_commit (self, admitted, "tenants.delete", NULL, batch, tenant_id, fields,
                               reeve_record_get_revision (record), error);
}

/* Deletes a page of what is of the tenant in a collection of the platform; *more: there may be
 * others. */
static gboolean
reeve_tenants_removal_drop_page (ReeveTenants *self, ReeveAdmitted *admitted, const char *tenant_id,
                                 const char *collection, gboolean *more, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (REEVE_SCOPE_PLATFORM, collection);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveQueryResult) found = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;
  GPtrArray *records = NULL;

  reeve_admitted_expect (admitted, "tenants.delete", tenant_id, NULL);
  reeve_query_filter_string (query, "tenant_id", REEVE_FILTER_EQ, tenant_id);
  reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
  found = reeve_store_query (self->store, query, error);
  if (found == NULL)
    return FALSE;
  records = reeve_query_result_get_records (found);
  *more = records->len > 0;
  if (!*more)
    return TRUE;
  for (guint i = 0; i < records->len; i++)
    reeve_batch_delete (batch, collection, reeve_record_get_id (g_ptr_array_index (records, i)),
                        REEVE_REVISION_ANY);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL;
}

static gboolean
reeve_tenants_removal_drop_store (ReeveTenants *self, const char *tenant_id, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (reeve_store_drop_scope (self->store, tenant_id, &local)
      || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return self->subject_keys == NULL
           || reeve_subject_keys_erase_scope (self->subject_keys, tenant_id, error);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* The last record of the tenant's own log. */
static gboolean
reeve_tenants_removal_record (ReeveTenants *self, ReeveAdmitted *admitted, const char *tenant_id,
                              GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  gboolean host = g_strcmp0 (reeve_caller_get_method (caller), "internal") == 0;
  const ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_EVENT,
    .scope = tenant_id,
    .action = "tenants.delete",
    .actor_type = host ? "system" : "user",
    .actor_id = host ? NULL : reeve_caller_get_user_id (caller),
    .resource_type = "tenant",
    .resource_id = tenant_id,
    .door = reeve_caller_get_door (caller),
    .reason = REEVE_TENANTS_REMOVAL_REASON,
  };

  return self->ledger == NULL || reeve_ledger_append (self->ledger, &record, error) != 0;
}

/* Everything behind the mark. */
static gboolean
reeve_tenants_removal_run (ReeveTenants *self, ReeveAdmitted *admitted, const char *tenant_id,
                           GError **error)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  static const char *const collections[]
      = { REEVE_STORE_API_KEYS, REEVE_STORE_GRANTS, REEVE_STORE_PLUGIN_SECRETS };

  for (guint i = 0; i < G_N_ELEMENTS (collections); i++)
    for (gboolean more = TRUE; more;)
      if (!reeve_tenants_removal_drop_page (self, admitted, tenant_id, collections[i], &more,
                                            error))
        return FALSE;
  if (!reeve_tenants_removal_drop_store (self, tenant_id, error)
      || !reeve_tenants_removal_record (self, admitted, tenant_id, error))
    return FALSE;
  reeve_batch_delete (batch, REEVE_STORE_TENANTS, tenant_id, REEVE_REVISION_ANY);
  result = reeve_store_commit (self->store, batch, error);
  if (result == NULL)
    return FALSE;
  reeve_tenants_known_forget (self->known, tenant_id);
  return TRUE;
}

/**
 * reeve_tenants_delete:
 * @self: tenants
 * @admitted: the right to `tenants.delete`
 * @tenant_id: which
 * @error: return location
 *
 * Removes a tenant: what runs in it is ended, its API keys, its store and the keys of its store are
 * destroyed. Its ledger stays and verifies, and its id stays taken. Begun, a removal is ended after
 * a crash too; one that failed is taken up again by the next call, or the next start. Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CONFLICT for tenant `default` and while
 * another thread removes it, or an error of the store
 */
gboolean
reeve_tenants_delete (ReeveTenants *self, ReeveAdmitted *admitted, const char *tenant_id,
                      GError **error)
{
  gboolean ok = FALSE;

  if (strcmp (tenant_id, REEVE_TENANTS_DEFAULT) == 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "tenant %s, where the platform admin is, cannot be deleted", tenant_id);
      return FALSE;
    }
  if (!reeve_tenants_removal_enter (self, tenant_id, error))
    return FALSE;
  ok = reeve_tenants_removal_mark (self, admitted, tenant_id, error)
       && reeve_tenants_removal_run (self, admitted, tenant_id, error);
  reeve_tenants_removal_leave (self, tenant_id);
  if (!ok)
    g_prefix_error (error, "removing tenant %s: ", tenant_id);
  return ok;
}

/**
 * reeve_tenants_get_removed:
 * @self: tenants
 * @tenant_id: any scope
 * @removed: (out): whether a tenant of that id was removed, and nothing is left but its log
 * @days: (out): how many days it wanted its log to be kept at least; 0 where it did not say
 * @error: return location
 *
 * Returns: %FALSE with an error of the store
 */
gboolean
reeve_tenants_get_removed (ReeveTenants *self, const char *tenant_id, gboolean *removed,
                           gint64 *days, GError **error)
{
  g_autofree char *counter = reeve_tenants_get_counter (tenant_id);
  g_autofree char *kept = reeve_tenants_removal_get_days (tenant_id);
  gint64 marked = 0;

  *removed = FALSE;
  *days = 0;
  if (reeve_tenants_get_status (self, tenant_id) != REEVE_TENANT_ABSENT)
    return TRUE;
  if (!reeve_store_counters_get (self->store, REEVE_SCOPE_PLATFORM, counter, &marked, error)
      || !reeve_store_counters_get (self->store, REEVE_SCOPE_PLATFORM, kept, days, error))
    return FALSE;
  *removed = marked != 0;
  return TRUE;
}

/* The host itself, in tenant `default`. */
static ReeveCaller *
reeve_tenants_removal_make_caller (void)
{
  static const char *const roles[] = { "admin", NULL };
  g_autoptr (ReeveIdentity) identity
      = reeve_identity_new (REEVE_TENANTS_DEFAULT, "host", roles, "internal");

  return reeve_caller_new (identity, REEVE_TENANTS_DEFAULT, TRUE, reeve_roles_all (), "internal",
                           NULL);
}

static gboolean
reeve_tenants_removal_finish (ReeveTenants *self, ReeveAdmission *admission, const char *tenant_id,
                              GError **error)
{
  g_autoptr (ReeveCaller) caller = reeve_tenants_removal_make_caller ();
  const ReeveAdmissionRequest request = { .caller = caller,
                                          .operation = "tenants.delete",
                                          .resource_type = "tenant",
                                          .resource_id = tenant_id };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = reeve_admission_begin (admission, &request, error);
  gboolean ok = FALSE;

  if (admitted == NULL)
    return FALSE;
  ok = reeve_tenants_delete (self, admitted, tenant_id, error);
  if (!ok)
    {
      settlement.outcome = REEVE_OUTCOME_FAILED;
      settlement.reason = "failed";
    }
  reeve_admission_settle_async (admission, admitted, &settlement, NULL, NULL);
  return ok;
}

/**
 * reeve_tenants_finish_removals:
 * @self: tenants, loaded
 * @admission: the gate
 * @error: return location
 *
 * Ends what an earlier host began, before anybody is let in. Blocks.
 *
 * Returns: %FALSE when one could not be ended; the others were tried
 */
gboolean
reeve_tenants_finish_removals (ReeveTenants *self, ReeveAdmission *admission, GError **error)
{
  g_auto (GStrv) doomed = reeve_tenants_known_list_deleting (self->known);
  gboolean ok = TRUE;

  for (guint i = 0; doomed[i] != NULL; i++)
    {
      g_autoptr (GError) local = NULL;

      if (reeve_tenants_removal_finish (self, admission, doomed[i], &local))
        continue;
      if (ok)
        g_propagate_error (error, g_steal_pointer (&local));
      ok = FALSE;
    }
  return ok;
}
