/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveTenants share: tenants.c (records, settings), tenants-removal.c.
 */
#pragma once

#include "tenants.h"

#include "directory.h"
#include "subject-keys.h"

G_BEGIN_DECLS

typedef struct
{
  ReeveTenantsWatchFunc func;
  gpointer user_data;
} ReeveTenantsWatch;

struct _ReeveTenants
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveLedger *ledger;            /* (nullable): is told of the end of a tenant */
  ReeveSubjectKeys *subject_keys; /* (nullable): go with their tenant */
  ReeveTenantsKnown *known;
  GArray *watches;
  GMutex mutex;
  GHashTable *removing; /* under the mutex: ids of those that a thread is removing */
};

/* (transfer full): 1 when a tenant of that id was removed */
char *reeve_tenants_get_counter (const char *tenant_id);
/* Makes known what was committed. */
void reeve_tenants_learn (ReeveTenants *self, const char *tenant_id, JsonObject *fields,
                          gint64 revision);
/* Consumes @admitted and commits a tenant's record with what else is in @batch. */
gboolean reeve_tenants_commit (ReeveTenants *self, ReeveAdmitted *admitted, const char *operation,
                               JsonObject *params, ReeveBatch *batch, const char *tenant_id,
                               JsonObject *fields, gint64 expected, GError **error);

G_END_DECLS
