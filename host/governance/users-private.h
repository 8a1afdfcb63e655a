/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveUsers share: users.c (create, authentication), users-change.c,
 * users-leaving.c (letting them go), users-list.c (reading), users-line.c (who is whose manager).
 */
#pragma once

#include "users.h"

#include "directory.h"

G_BEGIN_DECLS

struct _ReeveUsers
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveRoleBook *book; /* (nullable) */
};

/* (transfer full): reserves a name, in all its forms, in its tenant */
char *reeve_users_get_counter (const char *username);
/* Puts a name into a record, and the form by which it is found. */
void reeve_users_set_name (JsonObject *fields, const char *username);
/* (transfer full): as it is shown outside */
JsonObject *reeve_users_show (ReeveRecord *record);
/* (transfer full): one that was not deleted; %REEVE_ERROR_NOT_FOUND */
ReeveRecord *reeve_users_read_record (ReeveUsers *self, const char *tenant_id, const char *user_id,
                                      GError **error);
/* All but the deleted, unless a status is asked for. */
void reeve_users_list_filter_status (ReeveQuery *query, const char *status);
/* What a user of that kind may be. */
gboolean reeve_users_check_type (JsonObject *fields, GError **error);
/* Is @manager_id somebody who may be the manager of @user_id (nullable: a new one)? What that rests
 * on becomes a condition of @batch. */
gboolean reeve_users_line_check (ReeveUsers *self, const char *tenant_id, const char *user_id,
                                 const char *manager_id, ReeveBatch *batch, GError **error);
/* Has @batch take the manager away from all whose manager that is. */
gboolean reeve_users_line_release (ReeveUsers *self, const char *tenant_id, const char *manager_id,
                                   ReeveBatch *batch, GError **error);
/* May @caller change the user whose record has @fields? */
gboolean reeve_users_change_check_reach (ReeveUsers *self, ReeveCaller *caller, const char *user_id,
                                         JsonObject *fields, GError **error);
/* Adds `manager` and `subordinates` to a user that is shown. */
gboolean reeve_users_line_show (ReeveUsers *self, const char *tenant_id, JsonObject *shown,
                                GError **error);

G_END_DECLS
