/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUsers: the people and service accounts of a tenant. Blocks: worker threads. */
#pragma once

#include "store/store.h"

#include "admission.h"
#include "role-book.h"

G_BEGIN_DECLS

#define REEVE_TYPE_USERS (reeve_users_get_type ())
G_DECLARE_FINAL_TYPE (ReeveUsers, reeve_users, REEVE, USERS, GObject)

/* statuses */
#define REEVE_USERS_ACTIVE   "active"
#define REEVE_USERS_DISABLED "disabled"
#define REEVE_USERS_DELETED                                                                        \
  "deleted" /* for the ledger's sake: at every door as one that never was */

ReeveUsers *reeve_users_new (ReeveStore *store);
/* Before the first call: what roles there are and hold; it is kept. Without it the shipped ones. */
void reeve_users_set_role_book (ReeveUsers *self, ReeveRoleBook *book);
/* (transfer none) (nullable) */
ReeveRoleBook *reeve_users_get_role_book (ReeveUsers *self);
/* Consumes @admitted ("users.create"), in the tenant of its caller. params: {username, email?,
 * roles[], attributes?, kind?, agent_type?, manager_id?}. %REEVE_ERROR_ALREADY_EXISTS for a
 * username that is taken. */
JsonObject *reeve_users_create (ReeveUsers *self, ReeveAdmitted *admitted, JsonObject *params,
                                GError **error);
/* Consumes @admitted (@operation: "users.update" or "users.patch"). params: {user_id, username?,
 * email?, roles?, status?, attributes?, agent_type?, manager_id?}. Afterwards
 * reeve_authentication_revoke_user() is due when he may do @less, else
 * reeve_authentication_invalidate(). */
JsonObject *reeve_users_update (ReeveUsers *self, ReeveAdmitted *admitted, const char *operation,
                                JsonObject *params, gboolean *less, GError **error);
/* Consumes @admitted ("users.delete"). Afterwards reeve_authentication_revoke_user() and
 * reeve_users_keys_revoke() are due. */
gboolean reeve_users_delete (ReeveUsers *self, ReeveAdmitted *admitted, const char *user_id,
                             GError **error);
/* @batch ties @user_id to something that goes with him, as a membership. */
void reeve_users_note_ties (ReeveBatch *batch, const char *user_id);
/* With the same @admitted, behind reeve_users_delete(). */
gboolean reeve_users_keys_revoke (ReeveUsers *self, ReeveAdmitted *admitted, const char *user_id,
                                  GError **error);
/* Consumes @admitted ("me.set_presence"). {user_id, presence, presence_at} */
JsonObject *reeve_users_set_presence (ReeveUsers *self, ReeveAdmitted *admitted, JsonObject *params,
                                      GError **error);
/* {user_id, username, email?, roles[], attributes{}, kind, agent_type?, status, manager_id?,
 * presence, created_at, updated_at?} */
JsonObject *reeve_users_get (ReeveUsers *self, const char *tenant_id, const char *user_id,
                             GError **error);
/* the same with `manager` and `subordinates` */
JsonObject *reeve_users_get_in_line (ReeveUsers *self, const char *tenant_id, const char *user_id,
                                     GError **error);
/* {items, next_cursor}; params: {limit?, cursor?, kind?, status?, role?, username?, manager_id?} */
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
  gboolean deleted; /* at every door as one that never was */
  gboolean platform_admin;
  ReevePermissions permissions;
} ReeveUsersAccount;

gboolean reeve_users_read (ReeveUsers *self, const char *tenant_id, const char *user_id,
                           ReeveUsersAccount *account, GError **error);
/* The same; to @grounds (nullable) come the names (reeve-revocations) that his roles rest on. */
gboolean reeve_users_read_grounds (ReeveUsers *self, const char *tenant_id, const char *user_id,
                                   ReeveUsersAccount *account, GPtrArray *grounds, GError **error);

/* May @caller lay hands on that user of the tenant it acts in, by what it has in @own? Elevations
 * of the user count. @what: participle for the error. %REEVE_ERROR_PERMISSION_DENIED names what is
 * missing. */
gboolean reeve_users_reach_check (ReeveUsers *self, ReeveCaller *caller, const char *user_id,
                                  ReevePermissions own, const char *what, GError **error);

G_END_DECLS
