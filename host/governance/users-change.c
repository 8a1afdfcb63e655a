/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing users. Nobody gives what he has not, takes away from who has more,
 * or raises himself; the platform admin stays what he is. */
#include "users-private.h"

#include <string.h>

#include "auditors.h"
#include "base/times.h"
#include "elevations.h"
#include "users-name.h"

/* ---- who may change whom ---- */

/* A caller changes those who hold no more than he, be it for a time. */
gboolean
reeve_users_change_check_reach (ReeveUsers *self, ReeveCaller *caller, const char *user_id,
                                JsonObject *fields, GError **error)
{
  if (reeve_json_get_boolean (fields, "platform_admin", FALSE)
      && !reeve_caller_is_platform_admin (caller))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                           "only the platform admin changes the platform admin");
      return FALSE;
    }
  return reeve_users_reach_check (self, caller, user_id, reeve_caller_get_permissions (caller),
                                  "changed", error);
}

/* Without him nobody could let anybody in: he keeps name, role and status. */
static gboolean
reeve_users_change_check_platform_admin (JsonObject *before, JsonObject *params, GError **error)
{
  const char *username = reeve_json_get_string (before, "username", "");
  g_auto (GStrv) roles = reeve_directory_get_strings (params, "roles");

  if (!reeve_json_get_boolean (before, "platform_admin", FALSE))
    return TRUE;
  if (strcmp (reeve_json_get_string (params, "status", REEVE_USERS_ACTIVE), REEVE_USERS_ACTIVE) == 0
      && strcmp (reeve_json_get_string (params, "username", username), username) == 0
      && (reeve_json_get_array (params, "roles") == NULL
          || g_strv_contains ((const char *const *) roles, "admin")))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                       "the platform admin keeps username, role admin and status active");
  return FALSE;
}

/* What somebody holds for a time only, he must not give himself for good. */
static gboolean
reeve_users_change_check_self (ReeveUsers *self, ReeveCaller *caller, const char *user_id,
                               JsonObject *before, const char *const *roles, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_auto (GStrv) had = reeve_directory_get_strings (before, "roles");
  ReevePermissions held = 0;
  ReevePermissions wanted = 0;
  g_auto (GStrv) names = NULL;

  if (!reeve_role_book_union (self->book, tenant_id, (const char *const *) had, &held, NULL, error)
      || !reeve_role_book_union (self->book, tenant_id, roles, &wanted, NULL, error))
    return FALSE;
  names = reeve_roles_names (wanted & ~held);
  if (g_strcmp0 (user_id, reeve_caller_get_user_id (caller)) != 0 || names[0] == NULL)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "permission %s is missing among your own roles: nobody raises himself", names[0]);
  return FALSE;
}

/* Who audits for a time or in a workspace is given no work meanwhile, and the other way round. */
static gboolean
reeve_users_change_check_auditor (ReeveUsers *self, const char *tenant_id, const char *user_id,
                                  const char *const *roles, GError **error)
{
  g_auto (GStrv) elevated = reeve_elevations_read_roles (self->store, tenant_id, user_id, error);
  g_auto (GStrv) placed = elevated != NULL
                              ? reeve_auditors_read_places (self->store, tenant_id, user_id, error)
                              : NULL;

  return placed != NULL
         && reeve_auditors_check_both (self->book, tenant_id, (const char *const *) placed, roles,
                                       error)
         && reeve_auditors_check_both (self->book, tenant_id, (const char *const *) elevated, roles,
                                       error);
}

static gboolean
reeve_users_change_check_roles (ReeveUsers *self, ReeveCaller *caller, const char *user_id,
                                JsonObject *before, JsonObject *params, ReeveBatch *batch,
                                GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_auto (GStrv) roles = reeve_directory_get_strings (params, "roles");

  if (reeve_json_get_array (params, "roles") == NULL)
    return TRUE;
  return reeve_role_book_check_giving (self->book, caller, (const char *const *) roles, error)
         && reeve_auditors_check (self->book, tenant_id, (const char *const *) roles, error)
         && reeve_users_change_check_auditor (self, tenant_id, user_id, (const char *const *) roles,
                                              error)
         && reeve_users_change_check_self (self, caller, user_id, before,
                                           (const char *const *) roles, error)
         && reeve_role_book_hold (self->book, tenant_id, (const char *const *) roles, batch, error);
}

/* ---- update ---- */

/* (transfer full) (nullable): @params with `roles` for `role`, which is the only one then */
static JsonObject *
reeve_users_change_read (ReeveUsers *self, const char *tenant_id, JsonObject *params,
                         GError **error)
{
  const char *role = reeve_json_get_string (params, "role", NULL);
  const char *const roles[] = { role, NULL };
  JsonObject *wanted = NULL;

  if (role != NULL && json_object_has_member (params, "roles"))
    {
      reeve_error_set_member (error, "/role", "is all of roles: say one of the two");
      return NULL;
    }
  if (role != NULL && !reeve_role_book_check_one (self->book, tenant_id, role, "/role", error))
    return NULL;
  wanted = reeve_directory_dup (params);
  if (role != NULL)
    reeve_directory_set_strings (wanted, "roles", roles);
  return wanted;
}

/* A member that is null is taken away. */
static void
reeve_users_change_set (JsonObject *params, JsonObject *fields, const char *member)
{
  JsonNode *node = json_object_get_member (params, member);

  if (node == NULL)
    return;
  if (JSON_NODE_HOLDS_NULL (node))
    json_object_remove_member (fields, member);
  else
    json_object_set_member (fields, member, json_node_ref (node));
}

static JsonObject *
reeve_users_change_make_fields (JsonObject *before, JsonObject *params)
{
  static const char *const members[]
      = { "username", "email", "roles", "status", "attributes", "agent_type", "manager_id" };
  JsonObject *fields = reeve_directory_dup (before);

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_users_change_set (params, fields, members[i]);
  reeve_users_set_name (fields, reeve_json_get_string (fields, "username", ""));
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  return fields;
}

/* The old name is free when the new one is taken, or neither happens. */
static void
reeve_users_change_rename (JsonObject *before, JsonObject *fields, ReeveBatch *batch)
{
  const char *old = reeve_json_get_string (before, "username", "");
  const char *name = reeve_json_get_string (fields, "username", "");
  g_autofree char *left = reeve_users_get_counter (old);
  g_autofree char *taken = reeve_users_get_counter (name);

  /* the same in another case or form is the same name */
  if (strcmp (left, taken) == 0)
    return;
  reeve_batch_count (batch, taken, 1, 0, 1);
  reeve_batch_count (batch, left, -1, 0, 1);
}

static gboolean
reeve_users_change_commit (ReeveUsers *self, ReeveBatch *batch, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveBatchResult) result = reeve_store_commit (self->store, batch, &local);

  if (result != NULL)
    return TRUE;
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "the username is taken");
  else
    g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* May somebody do less than before? More roles are never less. */
static gboolean
reeve_users_change_is_less (JsonObject *before, JsonObject *after)
{
  g_auto (GStrv) had = reeve_directory_get_strings (before, "roles");
  g_auto (GStrv) has = reeve_directory_get_strings (after, "roles");

  if (strcmp (reeve_json_get_string (after, "status", ""), REEVE_USERS_ACTIVE) != 0)
    return TRUE;
  for (guint i = 0; had[i] != NULL; i++)
    if (!g_strv_contains ((const char *const *) has, had[i]))
      return TRUE;
  return FALSE;
}

/**
 * reeve_users_update:
 * @self: users
 * @admitted: the right to @operation
 * @operation: `users.update` or `users.patch`
 * @params: {user_id, username?, email?, roles? or role?, status?, attributes?, agent_type?,
 * manager_id?}
 * @less: (out): whether he may do less than before
 * @error: return location
 *
 * Sets the members that are given; null takes `email`, `agent_type` and `manager_id` away. Who was
 * let in before must be asked for anew: that is the caller's.
 *
 * Returns: (transfer full): the user; %NULL with %REEVE_ERROR_NOT_FOUND,
 * %REEVE_ERROR_PERMISSION_DENIED naming what the caller lacks, %REEVE_ERROR_ALREADY_EXISTS for a
 * username that is taken, %REEVE_ERROR_CONFLICT when somebody else changed the user meanwhile, or
 * the platform admin would not be one any more, or the line of managers would be a circle
 */
JsonObject *
reeve_users_update (ReeveUsers *self, ReeveAdmitted *admitted, const char *operation,
                    JsonObject *params, gboolean *less, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  const char *user_id = reeve_json_get_string (params, "user_id", "");
  const char *manager_id = reeve_json_get_string (params, "manager_id", NULL);
  const char *username = reeve_json_get_string (params, "username", NULL);
  g_autoptr (ReeveRecord) record = reeve_users_read_record (self, tenant_id, user_id, error);
  JsonObject *before = record != NULL ? reeve_record_get_fields (record) : NULL;
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (JsonObject) wanted = NULL;
  g_autoptr (JsonObject) fields = NULL;

  *less = FALSE;
  if (record == NULL || !reeve_users_change_check_reach (self, caller, user_id, before, error))
    return NULL;
  wanted = reeve_users_change_read (self, tenant_id, params, error);
  if (wanted == NULL || !reeve_users_change_check_platform_admin (before, wanted, error)
      || (username != NULL && !reeve_users_name_check (username, error))
      || !reeve_users_change_check_roles (self, caller, user_id, before, wanted, batch, error))
    return NULL;
  fields = reeve_users_change_make_fields (before, wanted);
  if (!reeve_users_check_type (fields, error)
      || (manager_id != NULL
          && !reeve_users_line_check (self, tenant_id, user_id, manager_id, batch, error)))
    return NULL;
  reeve_users_change_rename (before, fields, batch);
  reeve_batch_put (batch, REEVE_STORE_USERS, user_id, fields, reeve_record_get_revision (record));
  reeve_admitted_consume_exactly (admitted, operation, user_id, params);
  if (!reeve_users_change_commit (self, batch, error))
    return NULL;
  *less = reeve_users_change_is_less (before, fields);
  return reeve_users_get_in_line (self, tenant_id, user_id, error);
}

/* ---- presence ---- */

/**
 * reeve_users_set_presence:
 * @self: users
 * @admitted: the right to `me.set_presence`
 * @params: {presence}
 * @error: return location
 *
 * Says whether the caller is there: of himself, in the tenant he belongs to.
 *
 * Returns: (transfer full): {user_id, presence, presence_at}; %NULL with %REEVE_ERROR_NOT_FOUND for
 * one without a record
 */
JsonObject *
reeve_users_set_presence (ReeveUsers *self, ReeveAdmitted *admitted, JsonObject *params,
                          GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_home_tenant_id (caller);
  const char *user_id = reeve_caller_get_user_id (caller);
  g_autoptr (ReeveRecord) record = reeve_users_read_record (self, tenant_id, user_id, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (JsonObject) fields = NULL;
  JsonObject *shown = NULL;

  if (record == NULL)
    return NULL;
  fields = reeve_directory_dup (reeve_record_get_fields (record));
  reeve_directory_copy (params, fields, "presence");
  json_object_set_int_member (fields, "presence_at", reeve_times_now ());
  reeve_batch_put (batch, REEVE_STORE_USERS, user_id, fields, reeve_record_get_revision (record));
  reeve_admitted_consume_exactly (admitted, "me.set_presence", NULL, params);
  if (!reeve_users_change_commit (self, batch, error))
    return NULL;
  shown = json_object_new ();
  json_object_set_string_member (shown, "user_id", user_id);
  reeve_directory_copy (fields, shown, "presence");
  reeve_directory_show_time (fields, shown, "presence_at");
  return shown;
}
