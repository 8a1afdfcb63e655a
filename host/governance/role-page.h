/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRolePage: the custom roles of one tenant, compiled: what each holds with all it inherits.
 * Immutable once compiled, any thread. */
#pragma once

#include <reeve-plugin-1.h>

#include "roles.h"

G_BEGIN_DECLS

typedef struct _ReeveRolePage ReeveRolePage;

/* @below (nullable): a compiled page whose roles may be inherited too */
ReeveRolePage *reeve_role_page_new (ReeveRolePage *below);
ReeveRolePage *reeve_role_page_ref (ReeveRolePage *self);
void reeve_role_page_unref (ReeveRolePage *self);
/* Before it is compiled; one that is there already is replaced. */
void reeve_role_page_add (ReeveRolePage *self, const char *role_id, const char *const *permissions,
                          const char *const *inherits);
/* What is not there holds nothing, a circle nothing of itself. */
void reeve_role_page_compile (ReeveRolePage *self);
/* The same, of one role, strictly: %REEVE_ERROR_INVALID_ARGUMENT names what is missing or inherits
 * itself. */
gboolean reeve_role_page_compile_strictly (ReeveRolePage *self, const char *role_id,
                                           GError **error);
/* @contained (out, transfer none, nullable): ids of the roles in a custom one, itself first */
gboolean reeve_role_page_find (ReeveRolePage *self, const char *role_id,
                               ReevePermissions *permissions, const char *const **contained);
/* (transfer full) ids of the roles that name @role_id among what they inherit */
char **reeve_role_page_list_heirs (ReeveRolePage *self, const char *role_id);
guint reeve_role_page_get_length (ReeveRolePage *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRolePage, reeve_role_page_unref)

G_END_DECLS
