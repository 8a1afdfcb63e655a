/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRoleBook: what roles hold: the shipped ones, those of the configuration, and those that a
 * tenant has made itself. Blocks: worker threads. */
#pragma once

#include "store/store.h"

#include "admission.h"
#include "role-page.h"

G_BEGIN_DECLS

#define REEVE_TYPE_ROLE_BOOK (reeve_role_book_get_type ())
G_DECLARE_FINAL_TYPE (ReeveRoleBook, reeve_role_book, REEVE, ROLE_BOOK, GObject)

/* a custom role's id is this and its name */
#define REEVE_ROLE_BOOK_PREFIX "custom:"
#define REEVE_ROLE_BOOK_MAX    1000 /* custom roles of a tenant */

/* Whatever rested on @ground (reeve-revocations; NULL: nothing) holds no more, and who was let in
 * is asked for anew. */
typedef void (*ReeveRoleBookChanged) (const char *ground, gpointer user_data);

ReeveRoleBook *reeve_role_book_new (ReeveStore *store);
/* Before the first question. */
void reeve_role_book_set_changed (ReeveRoleBook *self, ReeveRoleBookChanged changed,
                                  gpointer user_data);
/* Before the first question: section `rbac` of the configuration. @faulty (out, transfer full):
 * path of what is wrong in it. */
gboolean reeve_role_book_configure (ReeveRoleBook *self, gboolean enabled, const char *default_role,
                                    JsonArray *custom_roles, char **faulty, GError **error);
/* (transfer none) who has no role gets this one */
const char *reeve_role_book_get_default (ReeveRoleBook *self);
/* FALSE: whoever is let in may do everything in the own tenant */
gboolean reeve_role_book_is_enabled (ReeveRoleBook *self);

/* What @roles hold together in the tenant; unknown ones hold nothing. @self is nullable: the
 * shipped roles are all there are. @grounds (nullable): names of what that rests on are added. */
gboolean reeve_role_book_union (ReeveRoleBook *self, const char *tenant_id,
                                const char *const *roles, ReevePermissions *permissions,
                                GPtrArray *grounds, GError **error);
/* Adds (owned) the ids of @roles and of all they inherit to @names. @self is nullable. */
gboolean reeve_role_book_add_contained (ReeveRoleBook *self, const char *tenant_id,
                                        const char *const *roles, GPtrArray *names, GError **error);
/* Is each of @roles there and can be given? %REEVE_ERROR_INVALID_ARGUMENT names the first that is
 * not. @self is nullable. */
gboolean reeve_role_book_check_one (ReeveRoleBook *self, const char *tenant_id, const char *role_id,
                                    const char *member, GError **error);
gboolean reeve_role_book_check (ReeveRoleBook *self, const char *tenant_id,
                                const char *const *roles, GError **error);
/* The same, and may @caller give them: %REEVE_ERROR_PERMISSION_DENIED names the permission it
 * lacks.
 */
gboolean reeve_role_book_check_giving (ReeveRoleBook *self, ReeveCaller *caller,
                                       const char *const *roles, GError **error);
/* They are given by @batch, which fails if one of them has gone or changed by then, and makes a
 * deletion fail that has not seen it. @self is nullable. */
gboolean reeve_role_book_hold (ReeveRoleBook *self, const char *tenant_id, const char *const *roles,
                               ReeveBatch *batch, GError **error);
/* The same of what somebody else says: what is no role here gives nothing, and holds nothing. */
gboolean reeve_role_book_hold_known (ReeveRoleBook *self, const char *tenant_id,
                                     const char *const *roles, ReeveBatch *batch, GError **error);
/* Shipped or configured: there, but in no tenant's store. No I/O. */
gboolean reeve_role_book_is_fixed (ReeveRoleBook *self, const char *role_id);
void reeve_role_book_forget (ReeveRoleBook *self, const char *tenant_id);

/* {role_id, name, description, permissions[], inherits[], effective[], level?, tenant_id?,
 * is_system_role, is_editable, assignable, metadata{}, created_at?, updated_at?} */
JsonObject *reeve_role_book_get (ReeveRoleBook *self, const char *tenant_id, const char *role_id,
                                 GError **error);
/* (transfer full) all of them, shipped ones first */
JsonArray *reeve_role_book_list (ReeveRoleBook *self, const char *tenant_id, GError **error);
/* Consumes @admitted ("roles.create"). params: {name, role_id?, description?, permissions?,
 * inherits?, metadata?} */
JsonObject *reeve_role_book_create (ReeveRoleBook *self, ReeveAdmitted *admitted,
                                    JsonObject *params, GError **error);
/* Consumes @admitted ("roles.update"): sets the members that are given. */
JsonObject *reeve_role_book_update (ReeveRoleBook *self, ReeveAdmitted *admitted,
                                    JsonObject *params, GError **error);
/* Consumes @admitted ("roles.delete"). %REEVE_ERROR_CONFLICT names who has it. */
gboolean reeve_role_book_delete (ReeveRoleBook *self, ReeveAdmitted *admitted, const char *role_id,
                                 GError **error);

G_END_DECLS
