/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MtlsRules: who a certificate stands for; the first rule that matches. Immutable. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _MtlsRules MtlsRules;

typedef struct
{
  const char *tenant_id;
  const char *user_id;
  const char *const *roles;
} MtlsPrincipal;

/* settings: held to the schema of the manifest; REEVE_ERROR_CONFIGURATION */
MtlsRules *mtls_rules_new (JsonObject *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void mtls_rules_free (MtlsRules *self);
/* (transfer none) (nullable): whom the certificate stands for, as ReeveCredentials describe one */
const MtlsPrincipal *mtls_rules_find (MtlsRules *self, JsonObject *certificate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MtlsRules, mtls_rules_free)

G_END_DECLS
