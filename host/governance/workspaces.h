/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWorkspaces: parts of a tenant with members of their own, and who sees what is in one.
 * Blocks: worker threads. */
#pragma once

#include "store/store.h"

#include "admission.h"
#include "authentication.h"
#include "network.h"
#include "users.h"

G_BEGIN_DECLS

#define REEVE_TYPE_WORKSPACES (reeve_workspaces_get_type ())
G_DECLARE_FINAL_TYPE (ReeveWorkspaces, reeve_workspaces, REEVE, WORKSPACES, GObject)

/* in a list of workspaces that are seen: what lies in none; all there are; but not the one whose id
 * stands behind it */
#define REEVE_WORKSPACES_NONE ""
#define REEVE_WORKSPACES_ALL  "*"
#define REEVE_WORKSPACES_BUT  "!"

ReeveWorkspaces *reeve_workspaces_new (ReeveStore *store, ReeveUsers *users,
                                       ReeveAuthentication *authentication);

/* Before the first identity: @network (kept by the caller) judges from where each may be entered.
 * Adds a step to the way in. */
void reeve_workspaces_set_network (ReeveWorkspaces *self, ReeveNetwork *network);

/* ---- workspaces and their members; each mutation consumes @admitted ---- */
JsonObject *reeve_workspaces_create (ReeveWorkspaces *self, ReeveAdmitted *admitted,
                                     JsonObject *params, GError **error);
JsonObject *reeve_workspaces_update (ReeveWorkspaces *self, ReeveAdmitted *admitted,
                                     JsonObject *params, GError **error);
/* %REEVE_ERROR_CONFLICT while there is an agent or a document in it. */
gboolean reeve_workspaces_delete (ReeveWorkspaces *self, ReeveAdmitted *admitted,
                                  const char *workspace_id, GError **error);
JsonObject *reeve_workspaces_get (ReeveWorkspaces *self, ReeveCaller *caller,
                                  const char *workspace_id, GError **error);
/* {items, next_cursor}: those that @caller sees */
JsonObject *reeve_workspaces_list (ReeveWorkspaces *self, ReeveCaller *caller, JsonObject *params,
                                   GError **error);
JsonObject *reeve_workspaces_add_member (ReeveWorkspaces *self, ReeveAdmitted *admitted,
                                         JsonObject *params, GError **error);
JsonObject *reeve_workspaces_update_member (ReeveWorkspaces *self, ReeveAdmitted *admitted,
                                            JsonObject *params, GError **error);
gboolean reeve_workspaces_remove_member (ReeveWorkspaces *self, ReeveAdmitted *admitted,
                                         JsonObject *params, GError **error);
JsonObject *reeve_workspaces_list_members (ReeveWorkspaces *self, ReeveCaller *caller,
                                           JsonObject *params, GError **error);

/* The workspaces of a tenant, or their members, have changed: what was read of them is not kept. */
void reeve_workspaces_forget (ReeveWorkspaces *self, const char *tenant_id);

/* ---- who sees what ---- */

/* What @caller may do with things of @workspace_id (nullable: of none). */
gboolean reeve_workspaces_find_access (ReeveWorkspaces *self, ReeveCaller *caller,
                                       const char *workspace_id, gboolean *sees, gboolean *enters,
                                       GError **error);
/* Would what lies there be shown now to who reads it still? No I/O. %REEVE_ERROR_NOT_FOUND,
 * %REEVE_ERROR_NETWORK_DENIED, %REEVE_ERROR_COUNTRY_DENIED. */
gboolean reeve_workspaces_still_sees (ReeveWorkspaces *self, ReeveCaller *caller,
                                      const char *workspace_id, GError **error);
/* Is it known, without I/O, that @caller enters it (nullable: what lies in none) from where he is?
 * %FALSE: he does not, or it would have to be read. */
gboolean reeve_workspaces_surely_enters (ReeveWorkspaces *self, ReeveCaller *caller,
                                         const char *workspace_id);
/* Is there a record that @caller sees? %FALSE with %REEVE_ERROR_PERMISSION_DENIED when it is seen,
 * and @writing needs a member; %REEVE_ERROR_NETWORK_DENIED or %REEVE_ERROR_COUNTRY_DENIED when it
 * would be seen from elsewhere. */
gboolean reeve_workspaces_exists (ReeveWorkspaces *self, ReeveCaller *caller,
                                  const char *collection, const char *id, gboolean writing,
                                  gboolean *exists, GError **error);
/* (transfer full) the workspaces whose things @caller sees; @permission (nullable): and where it
 * holds that; NULL with an error. */
char **reeve_workspaces_list_seen (ReeveWorkspaces *self, ReeveCaller *caller,
                                   const char *permission, GError **error);
/* (transfer full) (nullable) where a thing lies; NULL: in none, or there is none, or an error */
char *reeve_workspaces_locate_thing (ReeveWorkspaces *self, ReeveCaller *caller,
                                     const char *collection, const char *id, GError **error);
/* Is nothing of the tenant hidden from who sees these (nullable: what lies in none)? */
gboolean reeve_workspaces_is_all_seen (ReeveWorkspaces *self, const char *tenant_id,
                                       const char *const *seen, gboolean *all, GError **error);
/* Any thread, no I/O. seen NULL: what lies in none. */
gboolean reeve_workspaces_is_seen (const char *const *seen, const char *workspace_id);
/* (transfer full) *@workspace_id (nullable): where a new thing of @caller lies that asked for
 * @wanted (nullable). %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_PERMISSION_DENIED. */
gboolean reeve_workspaces_choose (ReeveWorkspaces *self, ReeveCaller *caller, const char *wanted,
                                  char **workspace_id, GError **error);
/* (transfer full) (nullable) the settings of a workspace */
JsonObject *reeve_workspaces_get_settings (ReeveWorkspaces *self, const char *tenant_id,
                                           const char *workspace_id, GError **error);
/* Counts a thing in or out of a workspace; committing @batch fails with %REEVE_ERROR_OUT_OF_RANGE
 * once it is deleted. */
void reeve_workspaces_count (ReeveBatch *batch, const char *workspace_id, gint64 delta);

G_END_DECLS
