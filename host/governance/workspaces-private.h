/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveWorkspaces share: workspaces.c (records and members),
 * workspaces-roles.c (what members may do besides), workspaces-sight.c (who sees what). */
#pragma once

#include "workspace-book.h"
#include "workspaces.h"

G_BEGIN_DECLS

struct _ReeveWorkspaces
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveUsers *users;
  ReeveAuthentication *authentication;
  ReeveNetwork *network; /* (nullable): not owned */
  GMutex mutex;
  GHashTable *books; /* tenant id -> ReeveWorkspaceBook */
  guint version;     /* rises with each change: what was read before is not kept */
};

/* (transfer full) (nullable): what is there now */
ReeveWorkspaceBook *reeve_workspaces_open_book (ReeveWorkspaces *self, const char *tenant_id,
                                                GError **error);
/* A step of the way in. */
gboolean reeve_workspaces_roles_step (ReeveAuthenticationDraft *draft, gpointer workspaces,
                                      GError **error);
/* May @caller give @role (nullable) in there? It becomes a condition of @batch. */
gboolean reeve_workspaces_roles_check (ReeveWorkspaces *self, ReeveCaller *caller,
                                       const char *workspace_id, const char *role,
                                       ReeveBatch *batch, GError **error);
/* The workspaces of a tenant have changed. */
void reeve_workspaces_forget (ReeveWorkspaces *self, const char *tenant_id);

G_END_DECLS
