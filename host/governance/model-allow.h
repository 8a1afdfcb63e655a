/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveModelAllow: which models a tenant may ask, by configuration section `llm.allow`. The gate
 * holds every call of a model to it: of agents, of the compatible doors, of plugins, and of who is
 * asked in another's place. Nothing of it changes once it is made: any thread, no I/O. */
#pragma once

#include "admission.h"
#include "tenants.h"

G_BEGIN_DECLS

typedef struct _ReeveModelAllow ReeveModelAllow;

/* @rows: (nullable) [{tenant, models[]}]: tenant `*` is each that has no row. @known: says how much
 * of a model's name is known. NULL: @faulty (transfer full) is the member's path below `llm`. */
ReeveModelAllow *reeve_model_allow_new (JsonArray *rows, ReeveAdmissionKnown known,
                                        gpointer user_data, char **faulty,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
void reeve_model_allow_free (ReeveModelAllow *self);
/* From now on no call of a model gets past it. Lives as long as @admission takes requests. */
void reeve_model_allow_guard (ReeveModelAllow *self, ReeveAdmission *admission);
/* Was an admission refused since the tenant may not ask the model? */
gboolean reeve_model_allow_refused (const GError *error);
/* (transfer full) (nullable): ids that have a row and are no tenant; NULL: none. No I/O. */
char *reeve_model_allow_dup_strangers (const ReeveModelAllow *self, ReeveTenants *tenants);
/* @model: `provider/name` */
gboolean reeve_model_allow_has (const ReeveModelAllow *self, const char *tenant_id,
                                const char *model);
/* (transfer full): @models, objects with a member `id`, without those that @tenant_id may not ask.
 * (transfer full) models */
JsonArray *reeve_model_allow_filter (const ReeveModelAllow *self, const char *tenant_id,
                                     JsonArray *models);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveModelAllow, reeve_model_allow_free)

G_END_DECLS
