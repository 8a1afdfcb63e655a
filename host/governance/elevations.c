/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elevations. They end by themselves: each question about a permission looks at the end, and what
 * is cached of the caller goes with it. What is given for a time cannot be given on, and raises no
 * credential that is weaker than its user. */
#include "elevations.h"

#include <string.h>

#include "base/ids.h"
#include "base/times.h"

#include "auditors.h"
#include "directory.h"
#include "key-makers.h"
#include "role-turns.h"

struct _ReeveElevations
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveUsers *users;
  ReeveAuthentication *authentication;
};

G_DEFINE_FINAL_TYPE (ReeveElevations, reeve_elevations, G_TYPE_OBJECT)

static void
reeve_elevations_finalize (GObject *object)
{
  ReeveElevations *self = REEVE_ELEVATIONS (object);

  g_clear_object (&self->store);
  g_clear_object (&self->users);
  g_clear_object (&self->authentication);
  G_OBJECT_CLASS (reeve_elevations_parent_class)->finalize (object);
}

static void
reeve_elevations_class_init (ReeveElevationsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_elevations_finalize;
}

static void
reeve_elevations_init (ReeveElevations *self)
{
}

static gboolean
reeve_elevations_is_active (JsonObject *fields)
{
  return reeve_json_get_int (fields, "revoked_at", 0) == 0
         && reeve_json_get_int (fields, "until", 0) > reeve_times_now ();
}

static JsonObject *
reeve_elevations_show (ReeveRecord *record)
{
  static const char *const members[] = { "user_id", "role", "reason", "created_by", "revoked_by" };
  static const char *const times[] = { "until", "created_at", "revoked_at" };
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "elevation_id", reeve_record_get_id (record));
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (fields, shown, members[i]);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    reeve_directory_show_time (fields, shown, times[i]);
  json_object_set_string_member (shown, "status",
                                 reeve_elevations_is_active (fields)                 ? "active"
                                 : reeve_json_get_int (fields, "revoked_at", 0) != 0 ? "revoked"
                                                                                     : "ended");
  return shown;
}

/* ---- at the way in ---- */

/**
 * reeve_elevations_read_active:
 * @store: the store
 * @tenant_id: whose
 * @user_id: of whom
 * @error: return location
 *
 * Returns: (transfer full) (element-type ReeveRecord): the elevations that hold now; %NULL with an
 * error
 */
GPtrArray *
reeve_elevations_read_active (ReeveStore *store, const char *tenant_id, const char *user_id,
                              GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_ELEVATIONS);
  g_autoptr (GPtrArray) active
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_record_unref);
  g_autoptr (JsonNode) now = json_node_init_int (json_node_alloc (), reeve_times_now ());
  g_autoptr (ReeveQueryResult) result = NULL;
  GPtrArray *records = NULL;

  reeve_query_filter_string (query, "user_id", REEVE_FILTER_EQ, user_id);
  reeve_query_filter (query, "until", REEVE_FILTER_GT, now);
  reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
  result = reeve_store_query (store, query, error);
  if (result == NULL)
    {
      g_prefix_error (error, "reading elevations: ");
      return NULL;
    }
  records = reeve_query_result_get_records (result);
  for (guint i = 0; i < records->len; i++)
    if (reeve_elevations_is_active (reeve_record_get_fields (g_ptr_array_index (records, i))))
      g_ptr_array_add (active, reeve_record_ref (g_ptr_array_index (records, i)));
  return g_steal_pointer (&active);
}

/**
 * reeve_elevations_read_roles:
 * @store: where they are
 * @tenant_id: a tenant
 * @user_id: a user of it
 * @error: return location
 *
 * Returns: (transfer full): ids of the roles that he has for a time now; %NULL with an error
 */
char **
reeve_elevations_read_roles (ReeveStore *store, const char *tenant_id, const char *user_id,
                             GError **error)
{
  g_autoptr (GPtrArray) active = reeve_elevations_read_active (store, tenant_id, user_id, error);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (active == NULL)
    return NULL;
  for (guint i = 0; i < active->len; i++)
    g_strv_builder_add (
        builder, reeve_json_get_string (reeve_record_get_fields (g_ptr_array_index (active, i)),
                                        "role", ""));
  return g_strv_builder_end (builder);
}

/* A step of admission: a credential that may do less than its user stays as weak as it was made. */
static gboolean
reeve_elevations_step (ReeveAuthenticationDraft *draft, gpointer data, GError **error)
{
  ReeveElevations *self = data;
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  g_autoptr (GPtrArray) active = NULL;
  g_auto (GStrv) makers = NULL;

  if (!draft->known)
    return TRUE;
  active = reeve_elevations_read_active (self->store, draft->tenant_id,
                                         reeve_identity_get_user_id (draft->identity), error);
  if (active == NULL)
    return FALSE;
  if (active->len > 0)
    makers = reeve_key_makers_read (self->store, draft);
  for (guint i = 0; i < active->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (active, i);
      JsonObject *fields = reeve_record_get_fields (record);
      const char *const roles[] = { reeve_json_get_string (fields, "role", ""), NULL };
      ReeveCallerElevation elevation = { 0, reeve_json_get_int (fields, "until", 0) };
      ReevePermissions held = 0;
      gboolean audits = FALSE;

      if (!reeve_role_book_union (book, draft->tenant_id, roles, &elevation.permissions,
                                  draft->grounds, error))
        return FALSE;
      if (!reeve_role_book_add_contained (book, draft->tenant_id, roles, draft->marks, error)
          || !reeve_auditors_judge (book, draft->tenant_id, roles, &audits, &held, error))
        return FALSE;
      draft->audits = draft->audits || audits;
      draft->holds |= elevation.permissions;
      if (draft->expires_at == 0 || elevation.until < draft->expires_at)
        draft->expires_at = elevation.until;
      if (!draft->whole
          || !reeve_key_makers_may_have (self->users, draft, (const char *const *) makers,
                                         elevation.permissions))
        continue;
      g_array_append_val (draft->elevations, elevation);
      reeve_authentication_draft_end (draft, elevation.until);
      reeve_authentication_draft_rest_on (
          draft, reeve_revocations_name_elevation (reeve_record_get_id (record)));
    }
  return TRUE;
}

/**
 * reeve_elevations_new:
 * @store: where they are
 * @users: the users, which know the role book
 * @authentication: takes them into account from now on; before anybody is let in
 *
 * Returns: (transfer full): elevations; to outlive the last authentication
 */
ReeveElevations *
reeve_elevations_new (ReeveStore *store, ReeveUsers *users, ReeveAuthentication *authentication)
{
  ReeveElevations *self = g_object_new (REEVE_TYPE_ELEVATIONS, NULL);

  self->store = g_object_ref (store);
  self->users = g_object_ref (users);
  self->authentication = g_object_ref (authentication);
  reeve_authentication_admit_add_step (reeve_authentication_get_admit (authentication),
                                       REEVE_ADMIT_PERMISSIONS, reeve_elevations_step, self);
  return self;
}

/* ---- create ---- */

static gboolean
reeve_elevations_refuse (ReeveError code, const char *text, GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, (gint) code, text);
  return FALSE;
}

static gboolean
reeve_elevations_parse_until (JsonObject *params, gint64 *until, GError **error)
{
  gint64 now = reeve_times_now ();

  if (!reeve_times_parse (reeve_json_get_string (params, "until", ""), until, error))
    {
      reeve_error_prefix_member (error, "/until");
      return FALSE;
    }
  if (*until > now && *until <= now + REEVE_ELEVATIONS_DAYS * REEVE_TIMES_DAY)
    return TRUE;
  reeve_error_set_member (error, "/until",
                          *until <= now ? "is in the past" : "is more than %d days from now",
                          REEVE_ELEVATIONS_DAYS);
  return FALSE;
}

static gboolean
reeve_elevations_check_auditor (ReeveElevations *self, const char *tenant_id, const char *user_id,
                                const char *role, GError **error)
{
  const char *const given[] = { role, NULL };
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  g_autoptr (JsonObject) user = reeve_users_get (self->users, tenant_id, user_id, error);
  g_auto (GStrv) roles = user != NULL ? reeve_directory_get_strings (user, "roles") : NULL;
  g_auto (GStrv) elevated
      = user != NULL ? reeve_elevations_read_roles (self->store, tenant_id, user_id, error) : NULL;
  g_auto (GStrv) placed = elevated != NULL
                              ? reeve_auditors_read_places (self->store, tenant_id, user_id, error)
                              : NULL;

  return placed != NULL
         && reeve_auditors_check_both (book, tenant_id, (const char *const *) placed, given, error)
         && reeve_auditors_check_both (book, tenant_id, (const char *const *) roles, given, error)
         && reeve_auditors_check_both (book, tenant_id, (const char *const *) elevated, given,
                                       error);
}

static gboolean
reeve_elevations_check (ReeveElevations *self, ReeveCaller *caller, JsonObject *params,
                        GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  const char *user_id = reeve_json_get_string (params, "user_id", "");
  const char *role = reeve_json_get_string (params, "role", "");
  const char *const roles[] = { role, NULL };
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  ReeveUsersAccount account = { 0 };
  g_autoptr (GPtrArray) active = NULL;

  if (!reeve_users_read (self->users, tenant_id, user_id, &account, error))
    return FALSE;
  if (account.platform_admin || !account.active)
    return reeve_elevations_refuse (REEVE_ERROR_CONFLICT,
                                    account.active ? "the platform admin holds everything already"
                                                   : "the user is not active",
                                    error);
  if (!reeve_role_book_check_one (book, tenant_id, role, "/role", error)
      || !reeve_role_book_check_giving (book, caller, roles, error)
      || !reeve_elevations_check_auditor (self, tenant_id, user_id, role, error))
    return FALSE;
  active = reeve_elevations_read_active (self->store, tenant_id, user_id, error);
  if (active == NULL)
    return FALSE;
  if (active->len < REEVE_ELEVATIONS_MAX)
    return TRUE;
  return reeve_elevations_refuse (
      REEVE_ERROR_CONFLICT, "the user has as many elevations as there may be at a time", error);
}

/**
 * reeve_elevations_create:
 * @self: elevations
 * @admitted: the right to `users.elevate`
 * @params: {user_id, role, until, reason}
 * @error: return location
 *
 * Gives a user of the caller's tenant a role until an end.
 *
 * Returns: (transfer full): the elevation; %NULL with %REEVE_ERROR_INVALID_ARGUMENT,
 * %REEVE_ERROR_PERMISSION_DENIED, %REEVE_ERROR_CONFLICT or %REEVE_ERROR_NOT_FOUND
 */
JsonObject *
reeve_elevations_create (ReeveElevations *self, ReeveAdmitted *admitted, JsonObject *params,
                         GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autofree char *elevation_id = reeve_ids_new ("elv");
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (ReeveRecord) record = NULL;
  const char *const roles[] = { reeve_json_get_string (params, "role", ""), NULL };
  g_autofree char *matter
      = g_strconcat ("elevations.", reeve_json_get_string (params, "user_id", ""), NULL);
  gint64 until = 0;
  gint64 turn = 0;

  if (!reeve_elevations_parse_until (params, &until, error)
      || !reeve_role_turns_begin (self->store, tenant_id, matter, &turn, error)
      || !reeve_elevations_check (self, caller, params, error)
      || !reeve_role_book_hold (reeve_users_get_role_book (self->users), tenant_id, roles, batch,
                                error))
    return NULL;
  reeve_directory_copy (params, fields, "user_id");
  reeve_directory_copy (params, fields, "role");
  reeve_directory_copy (params, fields, "reason");
  json_object_set_int_member (fields, "until", until);
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  json_object_set_string_member (fields, "created_by", reeve_caller_get_user_id (caller));
  reeve_batch_put (batch, REEVE_STORE_ELEVATIONS, elevation_id, fields, REEVE_REVISION_ABSENT);
  reeve_role_turns_claim (batch, matter, turn);
  reeve_admitted_consume_exactly (admitted, "users.elevate",
                                  reeve_json_get_string (params, "user_id", NULL), params);
  result = reeve_store_commit (self->store, batch, error);
  reeve_role_turns_judge (error);
  reeve_authentication_invalidate (self->authentication);
  if (result == NULL)
    return NULL;
  record = reeve_store_get (self->store, tenant_id, REEVE_STORE_ELEVATIONS, elevation_id, error);
  return record != NULL ? reeve_elevations_show (record) : NULL;
}

/* ---- list, revoke ---- */

/**
 * reeve_elevations_list:
 * @self: elevations
 * @tenant_id: whose
 * @params: {user_id, limit?, cursor?}
 * @error: return location
 *
 * Returns: (transfer full): {items, next_cursor}, those that have ended included
 */
JsonObject *
reeve_elevations_list (ReeveElevations *self, const char *tenant_id, JsonObject *params,
                       GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_ELEVATIONS);

  reeve_query_filter_string (query, "user_id", REEVE_FILTER_EQ,
                             reeve_json_get_string (params, "user_id", ""));
  return reeve_directory_list (self->store, query, params, reeve_elevations_show, error);
}

/* One of that user; nothing tells another's from none. */
static ReeveRecord *
reeve_elevations_find (ReeveElevations *self, const char *tenant_id, const char *user_id,
                       const char *elevation_id, GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_ELEVATIONS, elevation_id, error);

  if (record == NULL
      || g_strcmp0 (reeve_json_get_string (reeve_record_get_fields (record), "user_id", NULL),
                    user_id)
             == 0)
    return g_steal_pointer (&record);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "the user has no such elevation");
  return NULL;
}

/**
 * reeve_elevations_revoke:
 * @self: elevations
 * @admitted: the right to `elevations.delete`
 * @user_id: whose
 * @elevation_id: which
 * @error: return location
 *
 * It ends now, and what was begun by it has no further effect. One that has ended stays as it is.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_elevations_revoke (ReeveElevations *self, ReeveAdmitted *admitted, const char *user_id,
                         const char *elevation_id, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autoptr (ReeveRecord) record
      = reeve_elevations_find (self, tenant_id, user_id, elevation_id, error);
  g_autofree char *ground = reeve_revocations_name_elevation (elevation_id);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = NULL;

  if (record == NULL)
    return FALSE;
  reeve_admitted_consume_exactly (admitted, "elevations.delete", elevation_id, NULL);
  if (!reeve_elevations_is_active (reeve_record_get_fields (record)))
    return TRUE;
  fields = reeve_directory_dup (reeve_record_get_fields (record));
  json_object_set_int_member (fields, "revoked_at", reeve_times_now ());
  json_object_set_string_member (fields, "revoked_by", reeve_caller_get_user_id (caller));
  reeve_batch_put (batch, REEVE_STORE_ELEVATIONS, elevation_id, fields,
                   reeve_record_get_revision (record));
  result = reeve_store_commit (self->store, batch, error);
  reeve_authentication_revoke (self->authentication, ground);
  return result != NULL;
}
