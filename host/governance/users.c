/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Users of a tenant. A username is reserved by a counter that only one can raise to one, in the
 * batch that makes the record: two that ask at once cannot both have it. */
#include "users-private.h"

#include <string.h>

#include "base/digests.h"
#include "base/ids.h"
#include "base/times.h"

#include "auditors.h"
#include "users-name.h"

G_DEFINE_FINAL_TYPE (ReeveUsers, reeve_users, G_TYPE_OBJECT)

static void
reeve_users_finalize (GObject *object)
{
  g_clear_object (&REEVE_USERS (object)->store);
  g_clear_object (&REEVE_USERS (object)->book);
  G_OBJECT_CLASS (reeve_users_parent_class)->finalize (object);
}

static void
reeve_users_class_init (ReeveUsersClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_users_finalize;
}

static void
reeve_users_init (ReeveUsers *self)
{
}

/**
 * reeve_users_new:
 * @store: the store
 *
 * Returns: (transfer full): the users in it
 */
ReeveUsers *
reeve_users_new (ReeveStore *store)
{
  ReeveUsers *self = g_object_new (REEVE_TYPE_USERS, NULL);

  self->store = g_object_ref (store);
  return self;
}

char *
reeve_users_get_counter (const char *username)
{
  g_autofree char *folded = reeve_users_name_fold (username);
  g_autofree char *digest = reeve_digests_sha256_hex (folded, strlen (folded));

  return g_strconcat ("username/", digest, NULL);
}

void
reeve_users_set_name (JsonObject *fields, const char *username)
{
  g_autofree char *folded = reeve_users_name_fold (username);

  json_object_set_string_member (fields, "username", username);
  json_object_set_string_member (fields, "folded_name", folded);
}

JsonObject *
reeve_users_show (ReeveRecord *record)
{
  static const char *const members[]
      = { "tenant_id", "username", "email",      "roles",     "attributes",
          "kind",      "status",   "agent_type", "manager_id" };
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "user_id", reeve_record_get_id (record));
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (fields, shown, members[i]);
  json_object_set_string_member (shown, "presence",
                                 reeve_json_get_string (fields, "presence", "offline"));
  reeve_directory_show_time (fields, shown, "created_at");
  reeve_directory_show_time (fields, shown, "updated_at");
  reeve_directory_show_time (fields, shown, "deleted_at");
  return shown;
}

gboolean
reeve_users_check_type (JsonObject *fields, GError **error)
{
  if (!json_object_has_member (fields, "agent_type")
      || g_strcmp0 (reeve_json_get_string (fields, "kind", NULL), "agent") == 0)
    return TRUE;
  reeve_error_set_member (error, "/agent_type", "only a user of kind agent has one");
  return FALSE;
}

/**
 * reeve_users_set_role_book:
 * @self: users
 * @book: which roles there are
 */
void
reeve_users_set_role_book (ReeveUsers *self, ReeveRoleBook *book)
{
  g_set_object (&self->book, book);
}

/**
 * reeve_users_get_role_book:
 * @self: users
 *
 * Returns: (transfer none) (nullable): which roles there are; %NULL: the shipped ones
 */
ReeveRoleBook *
reeve_users_get_role_book (ReeveUsers *self)
{
  return self->book;
}

static JsonObject *
reeve_users_make_fields (const char *tenant_id, JsonObject *params, const char *const *roles)
{
  JsonObject *fields = json_object_new ();

  json_object_set_string_member (fields, "tenant_id", tenant_id);
  json_object_set_string_member (fields, "kind", "human");
  json_object_set_string_member (fields, "status", REEVE_USERS_ACTIVE);
  json_object_set_object_member (fields, "attributes", json_object_new ());
  reeve_users_set_name (fields, reeve_json_get_string (params, "username", ""));
  reeve_directory_copy (params, fields, "email");
  reeve_directory_copy (params, fields, "attributes");
  reeve_directory_copy (params, fields, "kind");
  reeve_directory_copy (params, fields, "agent_type");
  reeve_directory_copy (params, fields, "manager_id");
  reeve_directory_set_strings (fields, "roles", roles);
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  return fields;
}

static JsonObject *
reeve_users_add (ReeveUsers *self, ReeveAdmitted *admitted, JsonObject *params,
                 gboolean platform_admin, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  const char *username = reeve_json_get_string (params, "username", "");
  const char *manager_id = reeve_json_get_string (params, "manager_id", NULL);
  g_auto (GStrv) roles = reeve_directory_get_strings (params, "roles");
  g_autofree char *user_id = reeve_ids_new ("usr");
  g_autofree char *counter = reeve_users_get_counter (username);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = NULL;
  g_autoptr (GError) local = NULL;

  if (reeve_json_get_array (params, "roles") == NULL && self->book != NULL)
    {
      g_strfreev (roles);
      roles = g_strsplit (reeve_role_book_get_default (self->book), " ", 1);
    }
  if (!reeve_users_name_check (username, error)
      || !reeve_role_book_check_giving (self->book, caller, (const char *const *) roles, error)
      || !reeve_auditors_check (self->book, tenant_id, (const char *const *) roles, error)
      || !reeve_role_book_hold (self->book, tenant_id, (const char *const *) roles, batch, error))
    return NULL;
  fields = reeve_users_make_fields (tenant_id, params, (const char *const *) roles);
  if (!reeve_users_check_type (fields, error)
      || (manager_id != NULL
          && !reeve_users_line_check (self, tenant_id, NULL, manager_id, batch, error)))
    return NULL;
  if (platform_admin)
    json_object_set_boolean_member (fields, "platform_admin", TRUE);
  reeve_batch_count (batch, counter, 1, 0, 1);
  reeve_batch_put (batch, REEVE_STORE_USERS, user_id, fields, REEVE_REVISION_ABSENT);
  reeve_admitted_consume_exactly (admitted, "users.create", NULL, params);
  result = reeve_store_commit (self->store, batch, &local);
  if (result != NULL)
    return reeve_users_get (self, tenant_id, user_id, error);
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "the username is taken");
  else
    g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

/**
 * reeve_users_create:
 * @self: users
 * @admitted: the right to `users.create`
 * @params: {username, email?, roles[], attributes?, kind?, agent_type?, manager_id?}
 * @error: return location
 *
 * Makes a user in the tenant of the caller.
 *
 * Returns: (transfer full): the user; %NULL with %REEVE_ERROR_ALREADY_EXISTS,
 * %REEVE_ERROR_INVALID_ARGUMENT for an unknown role, %REEVE_ERROR_PERMISSION_DENIED for a role that
 * holds more than the caller
 */
JsonObject *
reeve_users_create (ReeveUsers *self, ReeveAdmitted *admitted, JsonObject *params, GError **error)
{
  return reeve_users_add (self, admitted, params, FALSE, error);
}

/**
 * reeve_users_create_platform_admin:
 * @self: users
 * @admitted: the right to `users.create`, of a platform admin
 * @username: its name
 * @error: return location
 *
 * Makes the one who may do everything everywhere; the bootstrap's.
 *
 * Returns: (transfer full): the user; %NULL with an error
 */
JsonObject *
reeve_users_create_platform_admin (ReeveUsers *self, ReeveAdmitted *admitted, const char *username,
                                   GError **error)
{
  static const char *const roles[] = { "admin", NULL };
  g_autoptr (JsonObject) params = json_object_new ();

  json_object_set_string_member (params, "username", username);
  reeve_directory_set_strings (params, "roles", roles);
  return reeve_users_add (self, admitted, params, TRUE, error);
}

/* (transfer full) (nullable): who has @value as @member, without error when nobody has */
static JsonObject *
reeve_users_find_by (ReeveUsers *self, const char *tenant_id, const char *member, const char *value,
                     GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_USERS);
  g_autoptr (ReeveQueryResult) result = NULL;
  GPtrArray *records = NULL;

  reeve_query_filter_string (query, member, REEVE_FILTER_EQ, value);
  reeve_users_list_filter_status (query, NULL);
  reeve_query_limit (query, 1);
  result = reeve_store_query (self->store, query, error);
  records = result != NULL ? reeve_query_result_get_records (result) : NULL;
  return records != NULL && records->len > 0 ? reeve_users_show (g_ptr_array_index (records, 0))
                                             : NULL;
}

/**
 * reeve_users_find:
 * @self: users
 * @tenant_id: whose
 * @username: its name, in whatever case and form
 * @error: return location
 *
 * Returns: (transfer full): the user; %NULL with %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_users_find (ReeveUsers *self, const char *tenant_id, const char *username, GError **error)
{
  g_autofree char *folded = reeve_users_name_fold (username);
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonObject) found
      = reeve_users_find_by (self, tenant_id, "folded_name", folded, &local);
  /* one that was made before names were folded; asked for in any case, so that it takes as long
   * whoever is there */
  g_autoptr (JsonObject) other
      = local == NULL ? reeve_users_find_by (self, tenant_id, "username", username, &local) : NULL;

  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  if (found != NULL || other != NULL)
    return found != NULL ? g_steal_pointer (&found) : g_steal_pointer (&other);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such user");
  return NULL;
}

/**
 * reeve_users_read:
 * @self: users
 * @tenant_id: whose
 * @user_id: which
 * @account: (out caller-allocates): what authentication asks of it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_users_read (ReeveUsers *self, const char *tenant_id, const char *user_id,
                  ReeveUsersAccount *account, GError **error)
{
  return reeve_users_read_grounds (self, tenant_id, user_id, account, NULL, error);
}

/**
 * reeve_users_read_grounds:
 * @self: users
 * @tenant_id: a tenant
 * @user_id: a user of it
 * @account: (out): what authentication asks
 * @grounds: (nullable): names of what his roles rest on are added
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_users_read_grounds (ReeveUsers *self, const char *tenant_id, const char *user_id,
                          ReeveUsersAccount *account, GPtrArray *grounds, GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_USERS, user_id, error);
  g_auto (GStrv) roles = NULL;
  JsonObject *fields = NULL;

  if (record == NULL)
    return FALSE;
  fields = reeve_record_get_fields (record);
  roles = reeve_directory_get_strings (fields, "roles");
  account->active
      = g_strcmp0 (reeve_json_get_string (fields, "status", NULL), REEVE_USERS_ACTIVE) == 0;
  account->deleted
      = g_strcmp0 (reeve_json_get_string (fields, "status", NULL), REEVE_USERS_DELETED) == 0;
  account->platform_admin = reeve_json_get_boolean (fields, "platform_admin", FALSE);
  return reeve_role_book_union (self->book, tenant_id, (const char *const *) roles,
                                &account->permissions, grounds, error);
}
