/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveWorkspaces share: workspaces.c (records),
 * workspaces-members.c (who belongs to them), workspaces-roles.c (what members may do besides),
 * workspaces-sight.c (who sees what). */
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
/* In which tenant it is done. */
const char *reeve_workspaces_get_tenant (ReeveAdmitted *admitted);
/* Commits, and makes the change felt; consumes @admitted. */
gboolean reeve_workspaces_commit (ReeveWorkspaces *self, ReeveAdmitted *admitted,
                                  const char *operation, const char *workspace_id,
                                  JsonObject *params, ReeveBatch *batch, GError **error);

G_END_DECLS
