/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why does a role hold a permission: by which of the roles that it inherits, and what that says.
 * Pure. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* (transfer full) (nullable) {roles [ids, the role first, each inherited by the one before],
 * grants}: the shortest way; NULL: the role does not hold it. @roles: of reeve_role_book_list(). */
JsonObject *reeve_role_chain_find (JsonArray *roles, const char *role_id, const char *permission);

G_END_DECLS
