/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveElevations: roles that a user has until an end, with a reason. Blocks: worker threads. */
#pragma once

#include "authentication.h"
#include "role-book.h"
#include "users.h"

G_BEGIN_DECLS

#define REEVE_TYPE_ELEVATIONS (reeve_elevations_get_type ())
G_DECLARE_FINAL_TYPE (ReeveElevations, reeve_elevations, REEVE, ELEVATIONS, GObject)

#define REEVE_ELEVATIONS_MAX  8   /* of a user at a time */
#define REEVE_ELEVATIONS_DAYS 366 /* longest */

/* Takes a step in @authentication, which it keeps; @users knows the role book. */
ReeveElevations *reeve_elevations_new (ReeveStore *store, ReeveUsers *users,
                                       ReeveAuthentication *authentication);
/* Consumes @admitted ("users.elevate"). params: {user_id, role, until, reason} → {elevation_id,
 * user_id, role, until, reason, status, created_at, created_by} */
JsonObject *reeve_elevations_create (ReeveElevations *self, ReeveAdmitted *admitted,
                                     JsonObject *params, GError **error);
/* {items, next_cursor}; params: {user_id, limit?, cursor?} */
JsonObject *reeve_elevations_list (ReeveElevations *self, const char *tenant_id, JsonObject *params,
                                   GError **error);
/* (transfer full) of ReeveRecord: those of a user that hold now. */
GPtrArray *reeve_elevations_read_active (ReeveStore *store, const char *tenant_id,
                                         const char *user_id, GError **error);
/* (transfer full) ids of their roles. */
char **reeve_elevations_read_roles (ReeveStore *store, const char *tenant_id, const char *user_id,
                                    GError **error);
/* Consumes @admitted ("elevations.delete"): it ends now. */
gboolean reeve_elevations_revoke (ReeveElevations *self, ReeveAdmitted *admitted,
                                  const char *user_id, const char *elevation_id, GError **error);

G_END_DECLS
