/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Permissions, the five system roles and the others that are shipped. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* one bit for each permission there is */
typedef guint64 ReevePermissions;

/* the platform admin's: a role by name only, that nobody can be given */
#define REEVE_ROLES_SUPER "super_admin"

/* A role that comes with the host and cannot be changed. */
typedef struct
{
  const char *name;
  const char *description;
  gboolean system;         /* one of the five of the matrix */
  const char *permissions; /* (nullable) separated by spaces; not of a system role */
  const char *inherits;    /* (nullable) the same */
} ReeveRolesShipped;

ReevePermissions reeve_roles_all (void);
ReevePermissions reeve_roles_match (const char *permission);
/* of a list, wildcards included */
ReevePermissions reeve_roles_match_all (const char *const *permissions);
const ReeveRolesShipped *reeve_roles_get_shipped (guint position);
const ReeveRolesShipped *reeve_roles_find_shipped (const char *role);
/* what only looks at things */
ReevePermissions reeve_roles_reading (void);
/* (nullable) `admin`, `operator` or `viewer`: the highest that is covered */
const char *reeve_roles_get_level (ReevePermissions permissions);
/* Adds (owned) @role and what it inherits to @names. */
void reeve_roles_add_contained (const char *role, GPtrArray *names);
gboolean reeve_roles_find (const char *role, ReevePermissions *permissions);
ReevePermissions reeve_roles_union (const char *const *roles);
const char *const *reeve_roles_list (void);
char **reeve_roles_names (ReevePermissions permissions);

G_END_DECLS
