/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveTenants: the tenants and their settings. Blocks: worker threads. */
#pragma once

#include "store/store.h"

#include "admission.h"

G_BEGIN_DECLS

#define REEVE_TENANTS_DEFAULT "default"

#define REEVE_TYPE_TENANTS (reeve_tenants_get_type ())
G_DECLARE_FINAL_TYPE (ReeveTenants, reeve_tenants, REEVE, TENANTS, GObject)

/* May this text be the id of a tenant? */
gboolean reeve_tenants_is_id (const char *text);
ReeveTenants *reeve_tenants_new (ReeveStore *store);
/* Consumes @admitted ("tenants.create"). params: {tenant_id, name, settings?, metadata?}.
 * %REEVE_ERROR_ALREADY_EXISTS */
JsonObject *reeve_tenants_create (ReeveTenants *self, ReeveAdmitted *admitted, JsonObject *params,
                                  GError **error);
/* {tenant_id, name, settings{}, metadata{}, created_at} */
JsonObject *reeve_tenants_get (ReeveTenants *self, const char *tenant_id, GError **error);
/* {items, next_cursor}; params: {limit?, cursor?} */
JsonObject *reeve_tenants_list (ReeveTenants *self, JsonObject *params, GError **error);

/* At start: learns the settings of all tenants. Blocks. */
gboolean reeve_tenants_load (ReeveTenants *self, GError **error);
/* Any thread, no I/O: a number among a tenant's settings (max_agents, max_concurrent_sessions …),
 * or
 * @fallback. */
gint64 reeve_tenants_get_limit (ReeveTenants *self, const char *tenant_id, const char *name,
                                gint64 fallback);
/* Any thread, no I/O: a tenant whose settings name no features has all. */
gboolean reeve_tenants_has_feature (ReeveTenants *self, const char *tenant_id, const char *feature);
/* A check for %REEVE_STAGE_AUTHORISE: refuses what belongs to a feature that the tenant has not. */
gboolean reeve_tenants_check (const ReeveAdmissionRequest *request,
                              const ReeveSettlement *settlement, gpointer tenants, GError **error);

G_END_DECLS
