/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every decision asks of a tenant, kept in memory: is it active, what do its settings say. Any
 * thread, no I/O. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef enum
{
  REEVE_TENANT_ABSENT,
  REEVE_TENANT_ACTIVE,
  REEVE_TENANT_SUSPENDED, /* only the platform admin acts in it */
  REEVE_TENANT_DELETING   /* nobody acts in it; a restart goes on with its removal */
} ReeveTenantStatus;

typedef struct _ReeveTenantsKnown ReeveTenantsKnown;

ReeveTenantsKnown *reeve_tenants_known_new (void);
void reeve_tenants_known_free (ReeveTenantsKnown *self);
/* Where a tenant's settings say nothing. */
void reeve_tenants_known_set_default (ReeveTenantsKnown *self, const char *name, gint64 value);
/* fields: of the tenant's record; one of an older revision than is known is ignored */
void reeve_tenants_known_learn (ReeveTenantsKnown *self, const char *tenant_id, JsonObject *fields,
                                gint64 revision);
void reeve_tenants_known_forget (ReeveTenantsKnown *self, const char *tenant_id);
ReeveTenantStatus reeve_tenants_known_get_status (ReeveTenantsKnown *self, const char *tenant_id);
/* (transfer full): ids of those that are being removed */
char **reeve_tenants_known_list_deleting (ReeveTenantsKnown *self);
gint64 reeve_tenants_known_get_limit (ReeveTenantsKnown *self, const char *tenant_id,
                                      const char *name, gint64 fallback);
/* A tenant whose settings name no features has all. */
gboolean reeve_tenants_known_has_feature (ReeveTenantsKnown *self, const char *tenant_id,
                                          const char *feature);

const char *reeve_tenants_known_get_word (ReeveTenantStatus status);

/* (transfer full) a setting that is a list of texts */
char **reeve_tenants_known_get_strings (ReeveTenantsKnown *self, const char *tenant_id,
                                        const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveTenantsKnown, reeve_tenants_known_free)

G_END_DECLS
