/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUsers: the people and service accounts of a tenant. Blocks: worker threads. */
#pragma once

#include "store/store.h"

#include "admission.h"
#include "roles.h"

G_BEGIN_DECLS

#define REEVE_TYPE_USERS (reeve_users_get_type ())
G_DECLARE_FINAL_TYPE (ReeveUsers, reeve_users, REEVE, USERS, GObject)

ReeveUsers *reeve_users_new (ReeveStore *store);
/* Consumes @admitted ("users.create"), in the tenant of its caller. params: {username, email?,
 * roles[], attributes?, kind?}. %REEVE_ERROR_ALREADY_EXISTS for a username that is taken. */
JsonObject *reeve_users_create (ReeveUsers *self, ReeveAdmitted *admitted, JsonObject *params,
                                GError **error);
/* {user_id, username, email?, roles[], attributes{}, kind, status, created_at} */
JsonObject *reeve_users_get (ReeveUsers *self, const char *tenant_id, const char *user_id,
                             GError **error);
/* {items, next_cursor}; params: {limit?, cursor?} */
JsonObject *reeve_users_list (ReeveUsers *self, const char *tenant_id, JsonObject *params,
                              GError **error);

/* %REEVE_ERROR_NOT_FOUND */
JsonObject *reeve_users_find (ReeveUsers *self, const char *tenant_id, const char *username,
                              GError **error);

/* The bootstrap's: consumes @admitted ("users.create"). */
JsonObject *reeve_users_create_platform_admin (ReeveUsers *self, ReeveAdmitted *admitted,
                                               const char *username, GError **error);

/* What authentication asks of a user. */
typedef struct
{
  gboolean active;
  gboolean platform_admin;
  ReevePermissions permissions;
} ReeveUsersAccount;

gboolean reeve_users_read (ReeveUsers *self, const char *tenant_id, const char *user_id,
                           ReeveUsersAccount *account, GError **error);

G_END_DECLS
