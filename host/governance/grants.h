/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveGrants: which capabilities plugins may use: what their manifests request, an administrator
 * granted and the deployment's ceiling leaves. */
#pragma once

#include "admission.h"
#include "grants-ceiling.h"
#include "loader/registry.h"
#include "store/store.h"

G_BEGIN_DECLS

#define REEVE_TYPE_GRANTS (reeve_grants_get_type ())
G_DECLARE_FINAL_TYPE (ReeveGrants, reeve_grants, REEVE, GRANTS, GObject)

#define REEVE_GRANTS_MAX   REEVE_CAPABILITY_LEASE_MAX /* that hold, of a plugin */
#define REEVE_GRANTS_ENDED 64                         /* that are remembered, of a plugin */

/* @registry: scanned; (transfer full) @ceiling. Nothing is granted before reeve_grants_load(). */
ReeveGrants *reeve_grants_new (ReeveStore *store, ReeveRegistry *registry,
                               ReeveGrantsCeiling *ceiling);
/* From now on @capabilities asks here, and keeps asking: @self outlives it. */
void reeve_grants_provide (ReeveGrants *self, ReeveCapabilities *capabilities);
/* No more ends are waited for. */
void reeve_grants_stop (ReeveGrants *self);
ReeveGrantsCeiling *reeve_grants_get_ceiling (ReeveGrants *self);

/* The rest blocks: worker threads. */

/* Reads what is granted, and cuts what is not any more. */
gboolean reeve_grants_load (ReeveGrants *self, GError **error);
/* The first time a plugin is seen that comes with this host, it is granted what it requests; what a
 * later version requests besides waits for an administrator. Is there one? */
gboolean reeve_grants_lack_defaults (ReeveGrants *self, gboolean *lack, GError **error);
/* Consumes @admitted ("plugins.grant", of the host itself). */
gboolean reeve_grants_settle_defaults (ReeveGrants *self, ReeveAdmitted *admitted, GError **error);
/* Consumes @admitted ("plugins.grant"). params: {plugin_id, capability, parameters?, tenant_id?,
 * reason, until?} → the grant */
JsonObject *reeve_grants_create (ReeveGrants *self, ReeveAdmitted *admitted, JsonObject *params,
                                 GError **error);
/* Consumes @admitted ("plugins.revoke"): it ends now, what is under way by it too. */
gboolean reeve_grants_revoke (ReeveGrants *self, ReeveAdmitted *admitted, const char *plugin_id,
                              const char *grant_id, GError **error);
/* Requested, granted, ceiling and effective, capability by capability. */
JsonArray *reeve_grants_show (ReeveGrants *self, const char *plugin_id, GError **error);

G_END_DECLS
