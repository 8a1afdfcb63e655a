/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCaller: who asks, in which tenant, with which permissions, through which door. Immutable,
 * any thread. */
#pragma once

#include <reeve-plugin-1.h>

#include "roles.h"

G_BEGIN_DECLS

typedef struct _ReeveCaller ReeveCaller;

/* More than the roles give, until an end. */
typedef struct
{
  ReevePermissions permissions;
  gint64 until; /* µs since the epoch */
} ReeveCallerElevation;

/* More than the roles give, on what lies in one workspace. */
typedef struct
{
  char *workspace_id;
  ReevePermissions permissions;
} ReeveCallerPlace;

/* door: "rest", "dbus", "cli", "internal"; tenant_id: the tenant acted in (the identity's own
 * unless a platform admin chose another); platform_admin: may enter every tenant and do what needs
 * the platform admin, as far as its permissions go */
ReeveCaller *reeve_caller_new (ReeveIdentity *identity, const char *tenant_id,
                               gboolean platform_admin, ReevePermissions permissions,
                               const char *door, const char *peer_address);
/* Before the caller is handed on. */
void reeve_caller_elevate (ReeveCaller *self, ReevePermissions permissions, gint64 until);
/* Before the caller is handed on: what its rights rest on (reeve-revocations), and the version that
 * was current before they were read. Without it nothing can be taken back: the host itself. */
void reeve_caller_rest_on (ReeveCaller *self, guint64 version, const char *const *grounds);
/* Before the caller is handed on: when what it showed, or what raises it, ends; 0 for never. */
void reeve_caller_end (ReeveCaller *self, gint64 until);
/* Before the caller is handed on: what it may do besides in one workspace of its tenant. */
void reeve_caller_place (ReeveCaller *self, const char *workspace_id, ReevePermissions permissions);
/* Before the caller is handed on: no workspace asks where it comes from: the owner of the session
 * bus, and who began a run that goes on. */
void reeve_caller_excuse_network (ReeveCaller *self);
gboolean reeve_caller_is_network_excused (ReeveCaller *self);
/* µs since the epoch; 0: never */
gint64 reeve_caller_get_end (ReeveCaller *self);
/* Before the caller is handed on: how overrides see it. @marks: every role that its user has, be it
 * not by these credentials; @whole: they do what their user's roles do; @holds: all that the user
 * holds, elevations included; @cap: nothing beyond it. */
void reeve_caller_describe (ReeveCaller *self, const char *const *marks, gboolean whole,
                            ReevePermissions holds, ReevePermissions cap);
/* (transfer full) the same caller acting in another tenant */
ReeveCaller *reeve_caller_new_in_tenant (ReeveCaller *self, const char *tenant_id);
const char *const *reeve_caller_get_marks (ReeveCaller *self);
gboolean reeve_caller_is_whole (ReeveCaller *self);
ReevePermissions reeve_caller_get_holds (ReeveCaller *self);
/* most that it can be given */
ReevePermissions reeve_caller_get_bound (ReeveCaller *self);
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
guint64 reeve_caller_get_version (ReeveCaller *self);
/* (nullable) */
const char *const *reeve_caller_get_grounds (ReeveCaller *self);
gboolean reeve_caller_has_permission (ReeveCaller *self, const char *permission);
/* what it holds now */
ReevePermissions reeve_caller_get_permissions (ReeveCaller *self);
/* what it holds not only for a time: only that can it give on */
ReevePermissions reeve_caller_get_lasting (ReeveCaller *self);
/* The same on what lies in @workspace_id (nullable: in none). */
gboolean reeve_caller_has_permission_in (ReeveCaller *self, const char *permission,
                                         const char *workspace_id);
ReevePermissions reeve_caller_get_lasting_in (ReeveCaller *self, const char *workspace_id);
/* Is there a workspace where it holds @permission, be it not beyond? */
gboolean reeve_caller_has_permission_somewhere (ReeveCaller *self, const char *permission);
/* what may be held in one workspace alone: of what may lie in it, and of itself */
ReevePermissions reeve_caller_get_inside (void);
/* (transfer full) names of all it holds, sorted */
char **reeve_caller_list_permissions (ReeveCaller *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCaller, reeve_caller_unref)

G_END_DECLS
