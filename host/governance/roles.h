/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Permissions and the five system roles. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* one bit for each permission there is */
typedef guint64 ReevePermissions;

ReevePermissions reeve_roles_all (void);
ReevePermissions reeve_roles_match (const char *permission);
gboolean reeve_roles_find (const char *role, ReevePermissions *permissions);
ReevePermissions reeve_roles_union (const char *const *roles);
const char *const *reeve_roles_list (void);
char **reeve_roles_names (ReevePermissions permissions);

G_END_DECLS
