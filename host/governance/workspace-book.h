/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWorkspaceBook: the workspaces of one tenant and their members, as they were read. Immutable,
 * any thread. */
#pragma once

#include "store/store.h"

#include "network-rule.h"

G_BEGIN_DECLS

typedef struct _ReeveWorkspaceBook ReeveWorkspaceBook;

/* Blocks. */
ReeveWorkspaceBook *reeve_workspace_book_read (ReeveStore *store, const char *tenant_id,
                                               GError **error);
ReeveWorkspaceBook *reeve_workspace_book_ref (ReeveWorkspaceBook *self);
void reeve_workspace_book_unref (ReeveWorkspaceBook *self);
gboolean reeve_workspace_book_is_empty (ReeveWorkspaceBook *self);
gboolean reeve_workspace_book_has (ReeveWorkspaceBook *self, const char *workspace_id);
/* Is it shown to the whole tenant? */
gboolean reeve_workspace_book_is_open (ReeveWorkspaceBook *self, const char *workspace_id);
/* (transfer none) (nullable): from where it may be entered; NULL: from everywhere */
const ReeveNetworkRule *reeve_workspace_book_get_rule (ReeveWorkspaceBook *self,
                                                       const char *workspace_id);
gboolean reeve_workspace_book_is_member (ReeveWorkspaceBook *self, const char *workspace_id,
                                         const char *user_id);
/* (transfer none) (nullable): the role that the user has in there; NULL: none, or no member */
const char *reeve_workspace_book_get_role (ReeveWorkspaceBook *self, const char *workspace_id,
                                           const char *user_id);
/* (transfer full) ids of all */
char **reeve_workspace_book_list (ReeveWorkspaceBook *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWorkspaceBook, reeve_workspace_book_unref)

G_END_DECLS
