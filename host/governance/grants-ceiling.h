/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveGrantsCeiling: what a deployment lets its administrators grant at all (plugins.ceiling).
 * Immutable. */
#pragma once

#include "grant-parameters.h"

G_BEGIN_DECLS

typedef struct _ReeveGrantsCeiling ReeveGrantsCeiling;

/* (nullable) @config: the section, {capabilities?, origins?, methods?, max_bytes?, store_bytes?,
 * file_bytes?, folder_bytes?, folder_files?, folders?, hosts?, memory?, threads?, cpu?};
 * %REEVE_ERROR_CONFIGURATION */
ReeveGrantsCeiling *reeve_grants_ceiling_new (JsonObject *config,
                                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
void reeve_grants_ceiling_free (ReeveGrantsCeiling *self);
/* (nullable) the key that forbids a capability altogether */
const char *reeve_grants_ceiling_find_key (ReeveGrantsCeiling *self, const char *capability);
/* %REEVE_ERROR_PERMISSION_DENIED names the key that a grant would go beyond. */
gboolean reeve_grants_ceiling_check (ReeveGrantsCeiling *self, const char *capability,
                                     JsonObject *parameters, GError **error);
/* (transfer none) */
ReeveCapabilityTerms *reeve_grants_ceiling_get_terms (ReeveGrantsCeiling *self);
/* (transfer full) {allowed, key, parameters{}} */
JsonObject *reeve_grants_ceiling_show (ReeveGrantsCeiling *self, const char *capability);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveGrantsCeiling, reeve_grants_ceiling_free)

G_END_DECLS
