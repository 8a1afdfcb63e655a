/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveTenants: the tenants and their settings. Blocks: worker threads. */
#pragma once

#include "store/store.h"

#include "admission.h"
#include "subject-keys.h"
#include "tenants-known.h"

G_BEGIN_DECLS

#define REEVE_TENANTS_DEFAULT "default"
/* a setting: how many days its log is kept at least */
#define REEVE_TENANTS_AUDIT_RETENTION "audit_retention_days"

#define REEVE_TYPE_TENANTS (reeve_tenants_get_type ())
G_DECLARE_FINAL_TYPE (ReeveTenants, reeve_tenants, REEVE, TENANTS, GObject)

/* May this text be the id of a tenant? */
gboolean reeve_tenants_is_id (const char *text);
ReeveTenants *reeve_tenants_new (ReeveStore *store);
/* Consumes @admitted ("tenants.create"). params: {tenant_id, name, settings?, metadata?}.
 * %REEVE_ERROR_ALREADY_EXISTS */
JsonObject *reeve_tenants_create (ReeveTenants *self, ReeveAdmitted *admitted, JsonObject *params,
                                  GError **error);
/* Consumes @admitted ("tenants.update"). params: {tenant_id, name?, settings?, metadata?, status?}.
 * %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CONFLICT */
JsonObject *reeve_tenants_update (ReeveTenants *self, ReeveAdmitted *admitted, JsonObject *params,
                                  GError **error);
/* Consumes @admitted ("tenants.delete"). Ends what runs, erases store, keys and API keys of the
 * tenant; its ledger stays, and its id stays taken. %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CONFLICT
 */
gboolean reeve_tenants_delete (ReeveTenants *self, ReeveAdmitted *admitted, const char *tenant_id,
                               GError **error);
/* At start, behind reeve_tenants_load(): ends removals that were cut off. */
gboolean reeve_tenants_finish_removals (ReeveTenants *self, ReeveAdmission *admission,
                                        GError **error);
/* Was a tenant of that id removed, and is gone? days (out): how long its log is kept, where it
 * asked for that; 0: it did not. Blocks. */
gboolean reeve_tenants_get_removed (ReeveTenants *self, const char *tenant_id, gboolean *removed,
                                    gint64 *days, GError **error);
/* Has a batch of the platform refused with %REEVE_ERROR_OUT_OF_RANGE once that tenant goes. */
void reeve_tenants_require (ReeveBatch *batch, const char *tenant_id);
/* {tenant_id, name, settings{}, metadata{}, status, created_at, updated_at?} */
JsonObject *reeve_tenants_get (ReeveTenants *self, const char *tenant_id, GError **error);
/* {items, next_cursor}; params: {limit?, cursor?} */
JsonObject *reeve_tenants_list (ReeveTenants *self, JsonObject *params, GError **error);

/* Before the first request. */
void reeve_tenants_set_default (ReeveTenants *self, const char *name, gint64 value);
void reeve_tenants_set_ledger (ReeveTenants *self, ReeveLedger *ledger);
void reeve_tenants_set_subject_keys (ReeveTenants *self, ReeveSubjectKeys *keys);
typedef void (*ReeveTenantsWatchFunc) (const char *tenant_id, ReeveTenantStatus status,
                                       gpointer user_data);
/* Before the first request: who keeps something of tenants hears of every change, on a worker. */
void reeve_tenants_add_watch (ReeveTenants *self, ReeveTenantsWatchFunc func, gpointer user_data);
/* At start: learns the settings of all tenants. Blocks. */
gboolean reeve_tenants_load (ReeveTenants *self, GError **error);
/* Any thread, no I/O. */
ReeveTenantStatus reeve_tenants_get_status (ReeveTenants *self, const char *tenant_id);
/* Any thread, no I/O: a number among a tenant's settings (max_agents, max_concurrent_sessions …),
 * else the configured one, else @fallback. */
gint64 reeve_tenants_get_limit (ReeveTenants *self, const char *tenant_id, const char *name,
                                gint64 fallback);
/* Any thread, no I/O: (transfer full) a setting that is a list of texts (ip_allow). */
char **reeve_tenants_get_strings (ReeveTenants *self, const char *tenant_id, const char *name);
/* Any thread, no I/O: a tenant whose settings name no features has all. */
gboolean reeve_tenants_has_feature (ReeveTenants *self, const char *tenant_id, const char *feature);
/* A check for %REEVE_STAGE_AUTHORISE: refuses what is done in a tenant that is suspended or goes,
 * and what belongs to a feature that the tenant has not. */
gboolean reeve_tenants_check (const ReeveAdmissionRequest *request,
                              const ReeveSettlement *settlement, gpointer tenants, GError **error);

G_END_DECLS
