/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCaller: who asks, in which tenant, with which permissions, through which door. Immutable,
 * any thread. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct _ReeveCaller ReeveCaller;

/* door: "rest", "dbus", "cli", "internal"; tenant_id: the tenant acted in (the identity's own
 * unless a platform admin chose another); platform_admin: holds every permission in every tenant */
ReeveCaller *reeve_caller_new (ReeveIdentity *identity, const char *tenant_id,
                               gboolean platform_admin, const char *door, const char *peer_address);
/* (transfer full) the same caller acting in another tenant */
ReeveCaller *reeve_caller_new_in_tenant (ReeveCaller *self, const char *tenant_id);
ReeveCaller *reeve_caller_ref (ReeveCaller *self);
void reeve_caller_unref (ReeveCaller *self);
const char *reeve_caller_get_tenant_id (ReeveCaller *self);
const char *reeve_caller_get_home_tenant_id (ReeveCaller *self);
const char *reeve_caller_get_user_id (ReeveCaller *self);
const char *reeve_caller_get_key_id (ReeveCaller *self);
const char *reeve_caller_get_workspace_id (ReeveCaller *self);  /* nullable: bound to none */
const char *const *reeve_caller_get_scopes (ReeveCaller *self); /* nullable: bound by none */
guint reeve_caller_get_rate_limit (ReeveCaller *self);
const char *const *reeve_caller_get_roles (ReeveCaller *self);
const char *reeve_caller_get_method (ReeveCaller *self);
const char *reeve_caller_get_door (ReeveCaller *self);
const char *reeve_caller_get_peer_address (ReeveCaller *self);
gboolean reeve_caller_is_platform_admin (ReeveCaller *self);
gboolean reeve_caller_has_permission (ReeveCaller *self, const char *permission);
/* (transfer full) names of all it holds, sorted */
char **reeve_caller_list_permissions (ReeveCaller *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCaller, reeve_caller_unref)

G_END_DECLS
