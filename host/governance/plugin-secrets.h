/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePluginSecrets: what administrators put into the slots of plugins, for all tenants or for
 * one. It lies in the platform's store, encrypted with it, and no function shows it. Blocks: worker
 * threads. */
#pragma once

#include "admission.h"
#include "loader/registry.h"
#include "store/store.h"

G_BEGIN_DECLS

#define REEVE_TYPE_PLUGIN_SECRETS (reeve_plugin_secrets_get_type ())
G_DECLARE_FINAL_TYPE (ReevePluginSecrets, reeve_plugin_secrets, REEVE, PLUGIN_SECRETS, GObject)

/* slots of a plugin that may be filled, over all tenants */
#define REEVE_PLUGIN_SECRETS_MAX 1024

ReevePluginSecrets *reeve_plugin_secrets_new (ReeveStore *store, ReeveRegistry *registry);
/* (transfer full) what is there of a plugin's, without the secrets themselves.
 * %REEVE_ERROR_NOT_FOUND */
JsonArray *reeve_plugin_secrets_list (ReevePluginSecrets *self, const char *plugin_id,
                                      GError **error);
/* Consumes @admitted ("plugins.set_secret"). params: {plugin_id, slot, scheme, value?, origins,
 * tenant_id? …}, in the place of what was there. (transfer full) as listed */
JsonObject *reeve_plugin_secrets_set (ReevePluginSecrets *self, ReeveAdmitted *admitted,
                                      JsonObject *params, GError **error);
/* Consumes @admitted ("plugins.delete_secret"). (nullable) @tenant_id: of all tenants */
gboolean reeve_plugin_secrets_delete (ReevePluginSecrets *self, ReeveAdmitted *admitted,
                                      JsonObject *params, GError **error);
/* (transfer full) (nullable) what a call in @tenant_id (nullable: of the host itself) finds in a
 * slot: the tenant's, else that of all tenants; with the secret, and `revision` of the record.
 * %NULL without an error: it is empty */
JsonObject *reeve_plugin_secrets_find (ReevePluginSecrets *self, const char *plugin_id,
                                       const char *slot, const char *tenant_id, GError **error);

G_END_DECLS
