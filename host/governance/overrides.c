/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Overrides on one thing. A tenant's are read before its first caller is let in, and kept in memory
 * until one of them changes: asking takes no I/O. */
#include "overrides.h"

#include <string.h>

#include "base/ids.h"
#include "base/times.h"

#include "auditors.h"
#include "directory.h"
#include "elevations.h"
#include "overrides-page.h"

struct _ReeveOverrides
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveUsers *users;
  ReeveAuthentication *authentication;
  GMutex mutex;
  GHashTable *pages; /* tenant id -> ReeveOverridesPage */
};

/* what an override may be about */
static const struct
{
  const char *type;
  const char *collection;
} reeve_overrides_things[] = {
  { "agent", REEVE_STORE_AGENTS },
  { "document", REEVE_STORE_DOCUMENTS },
  { "conversation", REEVE_STORE_CONVERSATIONS },
  { "run", REEVE_STORE_RUNS },
};

G_DEFINE_FINAL_TYPE (ReeveOverrides, reeve_overrides, G_TYPE_OBJECT)

static void
reeve_overrides_finalize (GObject *object)
{
  ReeveOverrides *self = REEVE_OVERRIDES (object);

  g_clear_object (&self->store);
  g_clear_object (&self->users);
  g_clear_object (&self->authentication);
  g_hash_table_unref (self->pages);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (reeve_overrides_parent_class)->finalize (object);
}

static void
reeve_overrides_class_init (ReeveOverridesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_overrides_finalize;
}

static void
reeve_overrides_init (ReeveOverrides *self)
{
  g_mutex_init (&self->mutex);
  self->pages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) reeve_overrides_page_unref);
}

/* ---- pages ---- */

/* (transfer full) (nullable): what is known already */
static ReeveOverridesPage *
reeve_overrides_look (ReeveOverrides *self, const char *tenant_id)
{
  ReeveOverridesPage *page = NULL;

  g_mutex_lock (&self->mutex);
  page = g_hash_table_lookup (self->pages, tenant_id);
  if (page != NULL)
    reeve_overrides_page_ref (page);
  g_mutex_unlock (&self->mutex);
  return page;
}

/* Two that read at once read the same, unless one of them is a change: what is read under it is
 * newer, and a change reads again after its commit until nobody else has read meanwhile. */
static gboolean
reeve_overrides_load (ReeveOverrides *self, const char *tenant_id, GError **error)
{
  ReeveOverridesPage *before = reeve_overrides_look (self, tenant_id);
  gboolean settled = FALSE;

  while (!settled)
    {
      g_autoptr (ReeveOverridesPage) page = reeve_overrides_page_new ();
      g_autoptr (GPtrArray) records = reeve_directory_read_all (
          self->store, tenant_id, REEVE_STORE_OVERRIDES, NULL, NULL, error);
      ReeveOverridesPage *now = NULL;

      for (guint i = 0; records != NULL && i < records->len; i++)
        reeve_overrides_page_add (page, g_ptr_array_index (records, i));
      g_mutex_lock (&self->mutex);
      now = g_hash_table_lookup (self->pages, tenant_id);
      settled = records == NULL || now == before;
      if (settled && records != NULL)
        g_hash_table_replace (self->pages, g_strdup (tenant_id), reeve_overrides_page_ref (page));
      else if (now != NULL)
        reeve_overrides_page_ref (now);
      g_mutex_unlock (&self->mutex);
      g_clear_pointer (&before, reeve_overrides_page_unref);
      before = settled ? NULL : now;
      if (records == NULL)
        {
          g_prefix_error (error, "reading overrides: ");
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
reeve_overrides_step (ReeveAuthenticationDraft *draft, gpointer data, GError **error)
{
  ReeveOverrides *self = data;
  g_autoptr (ReeveOverridesPage) page = reeve_overrides_look (self, draft->tenant_id);

  return page != NULL || reeve_overrides_load (self, draft->tenant_id, error);
}

/**
 * reeve_overrides_new:
 * @store: where they are
 * @users: the users, which know the role book
 * @authentication: reads a tenant's before it lets anybody in
 *
 * Returns: (transfer full): overrides; to outlive the last authentication
 */
ReeveOverrides *
reeve_overrides_new (ReeveStore *store, ReeveUsers *users, ReeveAuthentication *authentication)
{
  ReeveOverrides *self = g_object_new (REEVE_TYPE_OVERRIDES, NULL);

  self->store = g_object_ref (store);
  self->users = g_object_ref (users);
  self->authentication = g_object_ref (authentication);
  reeve_authentication_admit_add_step (reeve_authentication_get_admit (authentication),
                                       REEVE_ADMIT_PERMISSIONS, reeve_overrides_step, self);
  return self;
}

/* ---- asking ---- */

/**
 * reeve_overrides_decide:
 * @self: overrides
 * @caller: who asks
 * @permission: (nullable): for what
 * @resource_type: (nullable): on what
 * @resource_id: (nullable): on which
 * @override_id: (out) (optional) (transfer full) (nullable): which override says so
 *
 * Returns: what is said of it
 */
ReeveOverrideEffect
reeve_overrides_decide (ReeveOverrides *self, ReeveCaller *caller, const char *permission,
                        const char *resource_type, const char *resource_id, char **override_id)
{
  g_autoptr (ReeveOverridesPage) page = NULL;
  ReevePermissions wanted = permission != NULL ? reeve_roles_match (permission) : 0;
  const char *found = NULL;
  gboolean allow = FALSE;

  if (wanted == 0 || resource_type == NULL || resource_id == NULL
      || reeve_caller_is_platform_admin (caller))
    return REEVE_OVERRIDE_NONE;
  page = reeve_overrides_look (self, reeve_caller_get_tenant_id (caller));
  if (page == NULL
      || !reeve_overrides_page_find (page, caller, wanted, resource_type, resource_id, &allow,
                                     &found))
    return REEVE_OVERRIDE_NONE;
  if (override_id != NULL)
    *override_id = g_strdup (found);
  return allow ? REEVE_OVERRIDE_ALLOW : REEVE_OVERRIDE_DENY;
}

/**
 * reeve_overrides_may_allow:
 * @self: overrides
 * @caller: who asks
 * @permission: for what
 *
 * Returns: whether there is anything that it may be allowed on
 */
gboolean
reeve_overrides_may_allow (ReeveOverrides *self, ReeveCaller *caller, const char *permission)
{
  g_autoptr (ReeveOverridesPage) page
      = reeve_overrides_look (self, reeve_caller_get_tenant_id (caller));
  ReevePermissions wanted = reeve_roles_match (permission);

  return page != NULL && reeve_overrides_page_get_length (page) > 0 && wanted != 0
         && (wanted & ~reeve_overrides_page_get_allowed (page, caller)) == 0;
}

/* What is said of the thing itself; what is done for an agent is also done on it. */
static ReeveOverrideEffect
reeve_overrides_judge (ReeveOverrides *self, const ReeveAdmissionRequest *request,
                       char **override_id)
{
  ReeveOverrideEffect thing
      = reeve_overrides_decide (self, request->caller, request->permission, request->resource_type,
                                request->resource_id, override_id);
  ReeveOverrideEffect agent = REEVE_OVERRIDE_NONE;

  if (thing != REEVE_OVERRIDE_DENY)
    {
      g_clear_pointer (override_id, g_free);
      agent = reeve_overrides_decide (self, request->caller, request->permission, "agent",
                                      request->agent_id, override_id);
    }
  return MAX (thing, agent);
}

/**
 * reeve_overrides_grant:
 * @request: what is asked for
 * @overrides: a #ReeveOverrides
 *
 * Returns: whether the permission that the caller lacks is given to it on this thing
 */
gboolean
reeve_overrides_grant (const ReeveAdmissionRequest *request, gpointer overrides)
{
  g_autofree char *override_id = NULL;

  return reeve_overrides_judge (overrides, request, &override_id) == REEVE_OVERRIDE_ALLOW;
}

/**
 * reeve_overrides_check:
 * @request: what is asked for
 * @settlement: (nullable): how it ended
 * @overrides: a #ReeveOverrides
 * @error: return location
 *
 * A check of the gate.
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED
 */
gboolean
reeve_overrides_check (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                       gpointer overrides, GError **error)
{
  g_autofree char *override_id = NULL;

  if (reeve_overrides_judge (overrides, request, &override_id) != REEVE_OVERRIDE_DENY)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "permission %s is denied here (%s)", request->permission, override_id);
  return FALSE;
}

/* ---- change ---- */

static JsonObject *
reeve_overrides_show (ReeveRecord *record)
{
  static const char *const members[] = { "subject",     "resource_type", "resource_id", "effect",
                                         "permissions", "reason",        "created_by" };
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "override_id", reeve_record_get_id (record));
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (fields, shown, members[i]);
  reeve_directory_show_time (fields, shown, "created_at");
  return shown;
}

static gboolean
reeve_overrides_check_thing (ReeveOverrides *self, const char *tenant_id, JsonObject *params,
                             GError **error)
{
  const char *type = reeve_json_get_string (params, "resource_type", "");
  const char *id = reeve_json_get_string (params, "resource_id", "");
  gboolean exists = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (reeve_overrides_things); i++)
    if (strcmp (reeve_overrides_things[i].type, type) == 0
        && !reeve_store_exists (self->store, tenant_id, reeve_overrides_things[i].collection, id,
                                &exists, error))
      return FALSE;
  if (!exists)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such %s", type);
  return exists;
}

static gboolean
reeve_overrides_check_subject (ReeveOverrides *self, const char *tenant_id, const char *subject,
                               ReeveBatch *batch, GError **error)
{
  const char *colon = strchr (subject, ':');
  const char *name = colon != NULL ? colon + 1 : "";
  const char *const roles[] = { name, NULL };
  ReeveRoleBook *book = reeve_users_get_role_book (self->users);
  ReeveUsersAccount account = { 0 };

  if (g_str_has_prefix (subject, "user:"))
    return reeve_users_read (self->users, tenant_id, name, &account, error);
  return reeve_role_book_check_one (book, tenant_id, name, "/subject", error)
         && reeve_role_book_hold (book, tenant_id, roles, batch, error);
}

/* Nobody allows or denies what he has not, or has for a time only. */
static gboolean
reeve_overrides_check_held (ReeveCaller *caller, JsonObject *params, GError **error)
{
  g_auto (GStrv) permissions = reeve_directory_get_strings (params, "permissions");
  gboolean allow = strcmp (reeve_json_get_string (params, "effect", ""), "allow") == 0;

  for (guint i = 0; permissions[i] != NULL; i++)
    {
      ReevePermissions one = reeve_roles_match (permissions[i]);

      if (one != 0 && (one & ~reeve_caller_get_lasting (caller)) == 0)
        continue;
      g_set_error (error, REEVE_ERROR,
                   one == 0 ? REEVE_ERROR_INVALID_ARGUMENT : REEVE_ERROR_PERMISSION_DENIED,
                   one == 0 ? "there is no permission %s"
                   : allow  ? "permission %s is missing, so it cannot be given"
                            : "permission %s is missing, so its denial is not yours",
                   permissions[i]);
      reeve_error_prefix_member (error, "/permissions/%u", i);
      return FALSE;
    }
  return TRUE;
}

/* (transfer full) (nullable): whatever somebody has: by his record, in workspaces, for a time */
static char **
reeve_overrides_read_roles (ReeveOverrides *self, const char *tenant_id, const char *user_id,
                            GError **error)
{
  g_autoptr (GStrvBuilder) roles = g_strv_builder_new ();
  g_autoptr (JsonObject) user = reeve_users_get (self->users, tenant_id, user_id, error);
  g_auto (GStrv) own = user != NULL ? reeve_directory_get_strings (user, "roles") : NULL;
  g_auto (GStrv) placed
      = own != NULL ? reeve_auditors_read_places (self->store, tenant_id, user_id, error) : NULL;
  g_auto (GStrv) elevated
      = placed != NULL ? reeve_elevations_read_roles (self->store, tenant_id, user_id, error)
                       : NULL;

  if (elevated == NULL)
    return NULL;
  g_strv_builder_addv (roles, (const char **) own);
  g_strv_builder_addv (roles, (const char **) placed);
  g_strv_builder_addv (roles, (const char **) elevated);
  return g_strv_builder_end (roles);
}

/* Reading is all that an auditor is allowed, of one thing too: what else is said would not hold. */
static gboolean
reeve_overrides_check_auditor (ReeveOverrides *self, const char *tenant_id, JsonObject *params,
                               GError **error)
{
  const char *subject = reeve_json_get_string (params, "subject", "");
  gboolean allow = strcmp (reeve_json_get_string (params, "effect", ""), "allow") == 0;
  g_auto (GStrv) permissions = reeve_directory_get_strings (params, "permissions");
  const char *const one[] = { strchr (subject, ':') + 1, NULL };
  g_auto (GStrv) roles = g_strdupv ((char **) one);
  gboolean audits = FALSE;
  ReevePermissions held = 0;

  if (allow && g_str_has_prefix (subject, "user:"))
    {
      g_strfreev (roles);
      roles = reeve_overrides_read_roles (self, tenant_id, one[0], error);
    }
  if (roles == NULL
      || !reeve_auditors_judge (reeve_users_get_role_book (self->users), tenant_id,
                                (const char *const *) roles, &audits, &held, error))
    return FALSE;
  if (!allow || !audits
      || (reeve_roles_match_all ((const char *const *) permissions) & ~reeve_roles_reading ()) == 0)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                       "an auditor is allowed nothing but reading");
  return FALSE;
}

/* A denial meets nobody who holds more than its maker: said at once where it is about one user. */
static gboolean
reeve_overrides_check_reach (ReeveOverrides *self, ReeveCaller *caller, JsonObject *params,
                             GError **error)
{
  const char *subject = reeve_json_get_string (params, "subject", "");

  return strcmp (reeve_json_get_string (params, "effect", ""), "deny") != 0
         || !g_str_has_prefix (subject, "user:")
         || reeve_users_reach_check (self->users, caller, subject + strlen ("user:"),
                                     reeve_caller_get_lasting (caller), "denied anything", error);
}

/* What was denied is given back by who holds it, and by nobody to himself. */
static gboolean
reeve_overrides_check_delete (ReeveOverrides *self, ReeveCaller *caller, ReeveRecord *record,
                              GError **error)
{
  JsonObject *fields = reeve_record_get_fields (record);
  g_autoptr (ReeveOverridesPage) page = NULL;

  if (strcmp (reeve_json_get_string (fields, "effect", ""), "deny") != 0
      || reeve_caller_is_platform_admin (caller))
    return TRUE;
  page = reeve_overrides_look (self, reeve_caller_get_tenant_id (caller));
  if (page == NULL || !reeve_overrides_page_denies (page, caller, reeve_record_get_id (record)))
    return reeve_overrides_check_held (caller, fields, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "override %s denies something to you: somebody else may delete it",
               reeve_record_get_id (record));
  return FALSE;
}

static gboolean
reeve_overrides_check_room (ReeveOverrides *self, const char *tenant_id, GError **error)
{
  g_autoptr (ReeveOverridesPage) page = reeve_overrides_look (self, tenant_id);

  if (page == NULL || reeve_overrides_page_get_length (page) < REEVE_OVERRIDES_MAX)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "the tenant has %d overrides, which is as many as there may be",
               REEVE_OVERRIDES_MAX);
  return FALSE;
}

/* After a commit, before the answer: less is in force for what is under way too, since each effect
 * asks. */
static gboolean
reeve_overrides_commit (ReeveOverrides *self, ReeveBatch *batch, GError **error)
{
  g_autoptr (ReeveBatchResult) result = reeve_store_commit (self->store, batch, error);

  return result != NULL && reeve_overrides_load (self, reeve_batch_get_scope (batch), error);
}

/**
 * reeve_overrides_create:
 * @self: overrides
 * @admitted: the right to `overrides.create`
 * @params: {subject, resource_type, resource_id, effect, permissions[], reason}
 * @error: return location
 *
 * Returns: (transfer full): the override; %NULL with %REEVE_ERROR_NOT_FOUND,
 * %REEVE_ERROR_INVALID_ARGUMENT, %REEVE_ERROR_PERMISSION_DENIED or %REEVE_ERROR_CONFLICT
 */
JsonObject *
reeve_overrides_create (ReeveOverrides *self, ReeveAdmitted *admitted, JsonObject *params,
                        GError **error)
{
  static const char *const members[]
      = { "subject", "resource_type", "resource_id", "effect", "permissions", "reason" };
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autofree char *override_id = reeve_ids_new ("ovr");
  g_auto (GStrv) reach = reeve_roles_names (reeve_caller_get_lasting (caller));
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) record = NULL;

  if (!reeve_overrides_check_thing (self, tenant_id, params, error)
      || !reeve_overrides_check_subject (
          self, tenant_id, reeve_json_get_string (params, "subject", ""), batch, error)
      || !reeve_overrides_check_held (caller, params, error)
      || !reeve_overrides_check_auditor (self, tenant_id, params, error)
      || !reeve_overrides_check_reach (self, caller, params, error)
      || !reeve_overrides_check_room (self, tenant_id, error))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    reeve_directory_copy (params, fields, members[i]);
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  json_object_set_string_member (fields, "created_by", reeve_caller_get_user_id (caller));
  if (!reeve_caller_is_platform_admin (caller))
    reeve_directory_set_strings (fields, "reach", (const char *const *) reach);
  reeve_batch_put (batch, REEVE_STORE_OVERRIDES, override_id, fields, REEVE_REVISION_ABSENT);
  reeve_admitted_consume_exactly (admitted, "overrides.create", NULL, params);
  if (!reeve_overrides_commit (self, batch, error))
    return NULL;
  record = reeve_store_get (self->store, tenant_id, REEVE_STORE_OVERRIDES, override_id, error);
  return record != NULL ? reeve_overrides_show (record) : NULL;
}

/**
 * reeve_overrides_list:
 * @self: overrides
 * @tenant_id: whose
 * @params: {limit?, cursor?}
 * @error: return location
 *
 * Returns: (transfer full): {items, next_cursor}
 */
JsonObject *
reeve_overrides_list (ReeveOverrides *self, const char *tenant_id, JsonObject *params,
                      GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_OVERRIDES);

  return reeve_directory_list (self->store, query, params, reeve_overrides_show, error);
}

/**
 * reeve_overrides_delete:
 * @self: overrides
 * @admitted: the right to `overrides.delete`
 * @override_id: which
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND or %REEVE_ERROR_PERMISSION_DENIED
 */
gboolean
reeve_overrides_delete (ReeveOverrides *self, ReeveAdmitted *admitted, const char *override_id,
                        GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_OVERRIDES, override_id, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);

  if (record == NULL || !reeve_overrides_check_delete (self, caller, record, error))
    return FALSE;
  reeve_batch_delete (batch, REEVE_STORE_OVERRIDES, override_id,
                      reeve_record_get_revision (record));
  reeve_admitted_consume_exactly (admitted, "overrides.delete", override_id, NULL);
  return reeve_overrides_commit (self, batch, error);
}

/**
 * reeve_overrides_let_in:
 * @self: overrides
 * @tenant_id: a tenant
 * @user_id: a user of it
 * @error: return location
 *
 * Returns: (transfer full): the user with all roles and elevations; %NULL with
 * %REEVE_ERROR_UNAUTHENTICATED when he is not let in, %REEVE_ERROR_NOT_FOUND when there is none
 */
ReeveCaller *
reeve_overrides_let_in (ReeveOverrides *self, const char *tenant_id, const char *user_id,
                        GError **error)
{
  g_autoptr (JsonObject) user = reeve_users_get (self->users, tenant_id, user_id, error);
  g_auto (GStrv) roles = user != NULL ? reeve_directory_get_strings (user, "roles") : NULL;
  g_autoptr (ReeveIdentity) identity = NULL;

  if (user == NULL)
    return NULL;
  identity = reeve_identity_new (tenant_id, user_id, (const char *const *) roles, "evaluation");
  return reeve_authentication_admit_again (reeve_authentication_get_admit (self->authentication),
                                           identity, "internal", error);
}
