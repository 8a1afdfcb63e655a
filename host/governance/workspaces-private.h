/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveWorkspaces share: workspaces.c (records and members),
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

/* The workspaces of a tenant have changed. */
void reeve_workspaces_forget (ReeveWorkspaces *self, const char *tenant_id);

G_END_DECLS
