/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who can ever do an operation: over all roles of a tenant, with what grants it. */
#pragma once

#include "operation.h"

G_BEGIN_DECLS

typedef struct
{
  const char *operation;     /* name of one, or a permission */
  const char *role;          /* (nullable): all roles */
  const char *resource_type; /* (nullable): on what, as far as overrides go */
} ReeveAccessAnalysisQuestion;

/* (transfer full) {operation, permission, platform_admin_only, answer, roles [{role, verdict,
 * chain?, overrides?, except?}], elevations [], user_overrides []}. %REEVE_ERROR_INVALID_ARGUMENT
 * names the member. Blocks. */
JsonObject *reeve_access_analysis_run (ReeveServices *services, const char *tenant_id,
                                       const ReeveAccessAnalysisQuestion *question, GError **error);

G_END_DECLS
