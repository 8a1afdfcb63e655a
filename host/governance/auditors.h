/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Auditors only read, whatever else they are given and however: by their record, for a time, by a
 * token, or by an override. Blocks: worker threads. */
#pragma once

#include "role-book.h"

G_BEGIN_DECLS

/* Does somebody with these roles audit: has he `auditor`, or a role that contains it and only
 * reads? @book and @roles are nullable. */
gboolean reeve_auditors_judge (ReeveRoleBook *book, const char *tenant_id, const char *const *roles,
                               gboolean *audits, ReevePermissions *held, GError **error);
/* The member `roles` of what was asked makes nobody an auditor who does more than read:
 * %REEVE_ERROR_INVALID_ARGUMENT. */
gboolean reeve_auditors_check (ReeveRoleBook *book, const char *tenant_id, const char *const *roles,
                               GError **error);
/* Nor does what is given besides what somebody has: %REEVE_ERROR_CONFLICT. */
gboolean reeve_auditors_check_both (ReeveRoleBook *book, const char *tenant_id,
                                    const char *const *has, const char *const *given,
                                    GError **error);

/* (transfer full) (nullable): what somebody has in workspaces */
char **reeve_auditors_read_places (ReeveStore *store, const char *tenant_id, const char *user_id,
                                   GError **error);

G_END_DECLS
