/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveOverrides: permissions that a user or a role has, or has not, on one thing alone. */
#pragma once

#include "authentication.h"
#include "role-book.h"
#include "users.h"

G_BEGIN_DECLS

#define REEVE_TYPE_OVERRIDES (reeve_overrides_get_type ())
G_DECLARE_FINAL_TYPE (ReeveOverrides, reeve_overrides, REEVE, OVERRIDES, GObject)

#define REEVE_OVERRIDES_MAX 10000 /* of a tenant */

typedef enum
{
  REEVE_OVERRIDE_NONE,
  REEVE_OVERRIDE_ALLOW,
  REEVE_OVERRIDE_DENY
} ReeveOverrideEffect;

/* Takes a step in @authentication, which it keeps: whose tenant's overrides are not known is not
 * let in before they are. */
ReeveOverrides *reeve_overrides_new (ReeveStore *store, ReeveUsers *users,
                                     ReeveAuthentication *authentication);

/* Any thread, no I/O. What is said of @caller, @permission and that thing: deny wins. Nothing is
 * said of the platform admin. @override_id (out, optional, transfer full): which one says so. */
ReeveOverrideEffect reeve_overrides_decide (ReeveOverrides *self, ReeveCaller *caller,
                                            const char *permission, const char *resource_type,
                                            const char *resource_id, char **override_id);
/* Any thread, no I/O: is @caller allowed @permission on anything at all? The gate decides later,
 * when it knows on what. */
gboolean reeve_overrides_may_allow (ReeveOverrides *self, ReeveCaller *caller,
                                    const char *permission);
/* For reeve_admission_set_grant(). */
gboolean reeve_overrides_grant (const ReeveAdmissionRequest *request, gpointer overrides);
/* A check of the gate (REEVE_STAGE_AUTHORISE): %REEVE_ERROR_PERMISSION_DENIED. */
gboolean reeve_overrides_check (const ReeveAdmissionRequest *request,
                                const ReeveSettlement *settlement, gpointer overrides,
                                GError **error);

/* The rest blocks: worker threads. */

/* Consumes @admitted ("overrides.create"). params: {subject, resource_type, resource_id, effect,
 * permissions[], reason} → the same with override_id, created_at, created_by */
JsonObject *reeve_overrides_create (ReeveOverrides *self, ReeveAdmitted *admitted,
                                    JsonObject *params, GError **error);
/* {items, next_cursor}; params: {limit?, cursor?} */
JsonObject *reeve_overrides_list (ReeveOverrides *self, const char *tenant_id, JsonObject *params,
                                  GError **error);
/* Consumes @admitted ("overrides.delete"). */
gboolean reeve_overrides_delete (ReeveOverrides *self, ReeveAdmitted *admitted,
                                 const char *override_id, GError **error);
/* (transfer full) The user as he would be let in with all his roles. */
ReeveCaller *reeve_overrides_let_in (ReeveOverrides *self, const char *tenant_id,
                                     const char *user_id, GError **error);
/* May that user of the tenant do @permission, on a thing that lies in @workspace_id (nullable) or
 * (all NULL) at all? {allowed, reason} */
JsonObject *reeve_overrides_evaluate (ReeveOverrides *self, const char *tenant_id,
                                      const char *user_id, const char *permission,
                                      const char *resource_type, const char *resource_id,
                                      const char *workspace_id, GError **error);

G_END_DECLS
