/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of a tenant's own roles. Nobody makes a role of what he has not, and nobody changes one
 * that holds it. */
#include "role-book-private.h"

#include <string.h>

#include "base/times.h"

#include "directory.h"
#include "revocations.h"
#include "role-turns.h"

/* who decides by what roles inherit; by who has them */
#define REEVE_ROLE_BOOK_CHANGE_CHANGED "roles.changed"
#define REEVE_ROLE_BOOK_CHANGE_GIVEN   "roles.given"

/* who has a role is named up to here */
#define REEVE_ROLE_BOOK_CHANGE_NAMED 5

/* what may be set */
static const char *const reeve_role_book_members[]
    = { "name", "description", "permissions", "inherits", "metadata" };

/* One role becomes a condition of the batch. *@noted: so did that roles are given. */
static gboolean
reeve_role_book_change_hold_one (ReeveRoleBook *self, const char *tenant_id, const char *role_id,
                                 ReeveBatch *batch, gboolean *noted, GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_ROLES, role_id, error);

  if (record == NULL)
    return FALSE;
  reeve_batch_check (batch, REEVE_STORE_ROLES, role_id, reeve_record_get_revision (record));
  if (!*noted)
    reeve_role_turns_note (batch, REEVE_ROLE_BOOK_CHANGE_GIVEN);
  *noted = TRUE;
  return TRUE;
}

static gboolean
reeve_role_book_change_hold_all (ReeveRoleBook *self, const char *tenant_id,
                                 const char *const *roles, gboolean known, ReeveBatch *batch,
                                 GError **error)
{
  gboolean noted = FALSE;

  for (guint i = 0; self != NULL && roles[i] != NULL; i++)
    {
      g_autoptr (GError) local = NULL;

      if (reeve_role_book_is_fixed (self, roles[i])
          || g_strv_contains (roles + i + 1, roles[i]) /* one check each */
          || reeve_role_book_change_hold_one (self, tenant_id, roles[i], batch, &noted, &local)
          || (known && g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND)))
        continue;
      g_propagate_prefixed_error (error, g_steal_pointer (&local), "role %s: ", roles[i]);
      return FALSE;
    }
  return TRUE;
}

/**
 * reeve_role_book_hold:
 * @self: (nullable): the book
 * @tenant_id: whose
 * @roles: ids of roles
 * @batch: what gives them, or inherits from them
 * @error: return location
 *
 * Makes it a condition of the batch that the tenant's own among them are there and unchanged.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_role_book_hold (ReeveRoleBook *self, const char *tenant_id, const char *const *roles,
                      ReeveBatch *batch, GError **error)
{
  return reeve_role_book_change_hold_all (self, tenant_id, roles, FALSE, batch, error);
}

/**
 * reeve_role_book_hold_known:
 * @self: (nullable): the book
 * @tenant_id: whose
 * @roles: what somebody else says
 * @batch: what gives them
 * @error: return location
 *
 * The same, but what is no role of the tenant is passed over.
 *
 * Returns: %FALSE with what kept a role from being read
 */
gboolean
reeve_role_book_hold_known (ReeveRoleBook *self, const char *tenant_id, const char *const *roles,
                            ReeveBatch *batch, GError **error)
{
  return reeve_role_book_change_hold_all (self, tenant_id, roles, TRUE, batch, error);
}

/* The roles that @fields inherits. */
static gboolean
reeve_role_book_change_hold (ReeveRoleBook *self, const char *tenant_id, JsonObject *fields,
                             ReeveBatch *batch, GError **error)
{
  g_auto (GStrv) inherits = reeve_directory_get_strings (fields, "inherits");

  return reeve_role_book_hold (self, tenant_id, (const char *const *) inherits, batch, error);
}

/* ---- what may be ---- */

static gboolean
reeve_role_book_change_check_permissions (const char *const *permissions, GError **error)
{
  for (guint i = 0; permissions[i] != NULL; i++)
    if (reeve_roles_match (permissions[i]) == 0)
      {
        reeve_error_set_member (error, "", "there is no permission %s", permissions[i]);
        reeve_error_prefix_member (error, "/permissions/%u", i);
        return FALSE;
      }
  return TRUE;
}

static gboolean
reeve_role_book_change_check_held (ReeveCaller *caller, ReevePermissions wanted, GError **error)
{
  g_auto (GStrv) lacking = reeve_roles_names (wanted & ~reeve_caller_get_lasting (caller));

  if (lacking[0] == NULL)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "permission %s is missing, so no role with it can be made or changed", lacking[0]);
  return FALSE;
}

/* What @fields would hold as role @role_id; *@held only when it may be. */
static gboolean
reeve_role_book_change_check (ReeveRoleBook *self, ReeveCaller *caller, const char *role_id,
                              JsonObject *fields, ReevePermissions *held, GError **error)
{
  g_auto (GStrv) permissions = reeve_directory_get_strings (fields, "permissions");
  g_auto (GStrv) inherits = reeve_directory_get_strings (fields, "inherits");
  g_autoptr (ReeveRolePage) page = NULL;

  if (!reeve_role_book_change_check_permissions ((const char *const *) permissions, error))
    return FALSE;
  page = reeve_role_book_read (self, reeve_caller_get_tenant_id (caller), error);
  if (page == NULL)
    return FALSE;
  reeve_role_page_add (page, role_id, (const char *const *) permissions,
                       (const char *const *) inherits);
  if (reeve_role_page_get_length (page) > REEVE_ROLE_BOOK_MAX)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "the tenant has %d roles of its own, which is as many as there may be",
                   REEVE_ROLE_BOOK_MAX);
      return FALSE;
    }
  if (!reeve_role_page_compile_strictly (page, role_id, error))
    return FALSE;
  reeve_role_page_find (page, role_id, held, NULL);
  return reeve_role_book_change_check_held (caller, *held, error);
}

/* ---- create ---- */

static JsonObject *
reeve_role_book_change_make_fields (JsonObject *params)
{
  JsonObject *fields = json_object_new ();

  json_object_set_string_member (fields, "description", "");
  json_object_set_array_member (fields, "permissions", json_array_new ());
  json_object_set_array_member (fields, "inherits", json_array_new ());
  json_object_set_object_member (fields, "metadata", json_object_new ());
  for (guint i = 0; i < G_N_ELEMENTS (reeve_role_book_members); i++)
    reeve_directory_copy (params, fields, reeve_role_book_members[i]);
  return fields;
}

/* (transfer full) (nullable): the id that is given, or the one that follows from the name */
static char *
reeve_role_book_change_make_id (JsonObject *params, GError **error)
{
  const char *given = reeve_json_get_string (params, "role_id", NULL);
  const char *name = reeve_json_get_string (params, "name", "");

  if (given != NULL)
    return g_strdup (given);
  if (g_regex_match_simple ("^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$", name,
                            G_REGEX_DOLLAR_ENDONLY, 0))
    return g_strconcat (REEVE_ROLE_BOOK_PREFIX, name, NULL);
  reeve_error_set_member (error, "/role_id",
                          "is required: it cannot be made of this name, which is not only "
                          "lower-case letters, digits, ., - and _");
  return NULL;
}

static gboolean
reeve_role_book_change_take_id (ReeveRoleBook *self, const char *role_id, GError **error)
{
  if (!reeve_role_book_is_fixed (self, role_id))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "role %s is there already", role_id);
  return FALSE;
}

/**
 * reeve_role_book_create:
 * @self: the book
 * @admitted: the right to `roles.create`
 * @params: {name, role_id?, description?, permissions?, inherits?, metadata?}
 * @error: return location
 *
 * Returns: (transfer full): the role; %NULL with %REEVE_ERROR_ALREADY_EXISTS,
 * %REEVE_ERROR_INVALID_ARGUMENT, or %REEVE_ERROR_PERMISSION_DENIED naming what the caller lacks
 */
JsonObject *
reeve_role_book_create (ReeveRoleBook *self, ReeveAdmitted *admitted, JsonObject *params,
                        GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autofree char *role_id = reeve_role_book_change_make_id (params, error);
  g_autoptr (JsonObject) fields = reeve_role_book_change_make_fields (params);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) local = NULL;
  ReevePermissions held = 0;

  if (role_id == NULL || !reeve_role_book_change_take_id (self, role_id, error)
      || !reeve_role_book_change_check (self, caller, role_id, fields, &held, error)
      || !reeve_role_book_change_hold (self, tenant_id, fields, batch, error))
    return NULL;
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  reeve_batch_put (batch, REEVE_STORE_ROLES, role_id, fields, REEVE_REVISION_ABSENT);
  reeve_admitted_consume_exactly (admitted, "roles.create", NULL, params);
  result = reeve_store_commit (self->store, batch, &local);
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS)
      || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "role %s is there already",
                 role_id);
  else if (result == NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  if (result == NULL)
    return NULL;
  reeve_role_book_announce (self, tenant_id, NULL);
  return reeve_role_book_get (self, tenant_id, role_id, error);
}

/* ---- update and delete ---- */

/* (transfer full) (nullable): the tenant's own role; one that cannot be changed is refused so */
static ReeveRecord *
reeve_role_book_change_read (ReeveRoleBook *self, const char *tenant_id, const char *role_id,
                             GError **error)
{
  if (!reeve_role_book_is_fixed (self, role_id))
    return reeve_store_get (self->store, tenant_id, REEVE_STORE_ROLES, role_id, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "role %s comes with the host or its configuration and cannot be changed", role_id);
  return NULL;
}

static JsonObject *
reeve_role_book_change_merge (JsonObject *before, JsonObject *params)
{
  JsonObject *fields = reeve_role_book_change_make_fields (before);

  for (guint i = 0; i < G_N_ELEMENTS (reeve_role_book_members); i++)
    reeve_directory_copy (params, fields, reeve_role_book_members[i]);
  reeve_directory_copy (before, fields, "created_at");
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  return fields;
}

/* What it holds now. */
static gboolean
reeve_role_book_change_get_held (ReeveRoleBook *self, const char *tenant_id, const char *role_id,
                                 ReevePermissions *held, GError **error)
{
  g_autoptr (ReeveRolePage) page = reeve_role_book_open (self, tenant_id, error);

  if (page == NULL)
    return FALSE;
  if (!reeve_role_page_find (page, role_id, held, NULL))
    *held = 0;
  return TRUE;
}

/**
 * reeve_role_book_update:
 * @self: the book
 * @admitted: the right to `roles.update`
 * @params: {role_id, name?, description?, permissions?, inherits?, metadata?}
 * @error: return location
 *
 * Holds from the answer on: who has the role may do what it says now, and where it holds less than
 * before, what its holders have under way has no further effect.
 *
 * Returns: (transfer full): the role; %NULL with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CONFLICT,
 * %REEVE_ERROR_INVALID_ARGUMENT, %REEVE_ERROR_PERMISSION_DENIED
 */
JsonObject *
reeve_role_book_update (ReeveRoleBook *self, ReeveAdmitted *admitted, JsonObject *params,
                        GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  const char *role_id = reeve_json_get_string (params, "role_id", "");
  g_autoptr (ReeveRecord) record = reeve_role_book_change_read (self, tenant_id, role_id, error);
  g_autofree char *ground = reeve_revocations_name_role (tenant_id, role_id);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = NULL;
  ReevePermissions before = 0;
  ReevePermissions after = 0;
  gint64 turn = 0;

  if (record == NULL
      || !reeve_role_turns_begin (self->store, tenant_id, REEVE_ROLE_BOOK_CHANGE_CHANGED, &turn,
                                  error))
    return NULL;
  fields = reeve_role_book_change_merge (reeve_record_get_fields (record), params);
  if (!reeve_role_book_change_get_held (self, tenant_id, role_id, &before, error)
      || !reeve_role_book_change_check_held (caller, before, error)
      || !reeve_role_book_change_check (self, caller, role_id, fields, &after, error)
      || !reeve_role_book_change_hold (self, tenant_id, fields, batch, error))
    return NULL;
  reeve_batch_put (batch, REEVE_STORE_ROLES, role_id, fields, reeve_record_get_revision (record));
  reeve_role_turns_claim (batch, REEVE_ROLE_BOOK_CHANGE_CHANGED, turn);
  reeve_admitted_consume_exactly (admitted, "roles.update", role_id, NULL);
  result = reeve_store_commit (self->store, batch, error);
  reeve_role_turns_judge (error);
  reeve_role_book_announce (self, tenant_id, (before & ~after) != 0 ? ground : NULL);
  return result != NULL ? reeve_role_book_get (self, tenant_id, role_id, error) : NULL;
}

/* ---- who has it ---- */

typedef struct
{
  GString *names;
  guint count;
} ReeveRoleBookHolders;

static void
reeve_role_book_change_note (ReeveRoleBookHolders *holders, const char *kind, const char *id)
{
  if (holders->count++ < REEVE_ROLE_BOOK_CHANGE_NAMED)
    g_string_append_printf (holders->names, "%s%s %s", holders->names->len > 0 ? ", " : "", kind,
                            id);
}

/* Records of a collection whose member names the role, as a text or in a list, and that still
 * count. */
static gboolean
reeve_role_book_change_look (ReeveRoleBook *self, const char *tenant_id, const char *collection,
                             const char *kind, const char *role_id, ReeveRoleBookHolders *holders,
                             GError **error)
{
  gboolean keys = strcmp (collection, REEVE_STORE_API_KEYS) == 0;
  g_autoptr (GPtrArray) records
      = reeve_directory_read_all (self->store, keys ? REEVE_SCOPE_PLATFORM : tenant_id, collection,
                                  keys ? "tenant_id" : NULL, tenant_id, error);

  for (guint i = 0; records != NULL && i < records->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (records, i);
      JsonObject *fields = reeve_record_get_fields (record);
      g_auto (GStrv) roles = reeve_directory_get_strings (fields, "roles");
      g_autofree char *subject = g_strconcat ("role:", role_id, NULL);
      gint64 until = reeve_json_get_int (fields, "until", G_MAXINT64);

      if ((g_strv_contains ((const char *const *) roles, role_id)
           || g_strcmp0 (reeve_json_get_string (fields, "role", NULL), role_id) == 0
           || g_strcmp0 (reeve_json_get_string (fields, "subject", NULL), subject) == 0)
          && reeve_json_get_int (fields, "revoked_at", 0) == 0 && until > reeve_times_now ()
          && g_strcmp0 (reeve_json_get_string (fields, "status", NULL), "deleted") != 0)
        reeve_role_book_change_note (holders, kind, reeve_record_get_id (record));
    }
  return records != NULL;
}

static gboolean
reeve_role_book_change_is_free (ReeveRoleBook *self, const char *tenant_id, const char *role_id,
                                GError **error)
{
  static const struct
  {
    const char *collection;
    const char *kind;
  } places[] = { { REEVE_STORE_USERS, "user" },
                 { REEVE_STORE_API_KEYS, "key" },
                 { REEVE_STORE_ELEVATIONS, "elevation" },
                 { REEVE_STORE_WORKSPACE_MEMBERS, "workspace member" },
                 { REEVE_STORE_OVERRIDES, "override" } };
  g_autoptr (GString) names = g_string_new (NULL);
  ReeveRoleBookHolders holders = { names, 0 };
  /* as the store has it: a page that is kept may be older than the turn */
  g_autoptr (ReeveRolePage) page = reeve_role_book_read (self, tenant_id, error);
  g_auto (GStrv) heirs = page != NULL ? reeve_role_page_list_heirs (page, role_id) : NULL;

  if (page == NULL)
    return FALSE;
  for (guint i = 0; heirs[i] != NULL; i++)
    reeve_role_book_change_note (&holders, "role", heirs[i]);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (!reeve_role_book_change_look (self, tenant_id, places[i].collection, places[i].kind,
                                      role_id, &holders, error))
      return FALSE;
  if (holders.count == 0)
    return TRUE;
  if (holders.count > REEVE_ROLE_BOOK_CHANGE_NAMED)
    g_string_append_printf (names, " and %u more", holders.count - REEVE_ROLE_BOOK_CHANGE_NAMED);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "role %s is in use by %s", role_id,
               names->str);
  return FALSE;
}

/**
 * reeve_role_book_delete:
 * @self: the book
 * @admitted: the right to `roles.delete`
 * @role_id: a role of the tenant's own
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT naming who has it, or %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_role_book_delete (ReeveRoleBook *self, ReeveAdmitted *admitted, const char *role_id,
                        GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
  g_autoptr (ReeveRecord) record = reeve_role_book_change_read (self, tenant_id, role_id, error);
  g_autofree char *ground = reeve_revocations_name_role (tenant_id, role_id);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  gint64 turn = 0;

  if (record == NULL
      || !reeve_role_turns_begin (self->store, tenant_id, REEVE_ROLE_BOOK_CHANGE_GIVEN, &turn,
                                  error)
      || !reeve_role_book_change_is_free (self, tenant_id, role_id, error))
    return FALSE;
  reeve_batch_delete (batch, REEVE_STORE_ROLES, role_id, reeve_record_get_revision (record));
  reeve_role_turns_claim (batch, REEVE_ROLE_BOOK_CHANGE_GIVEN, turn);
  reeve_admitted_consume_exactly (admitted, "roles.delete", role_id, NULL);
  result = reeve_store_commit (self->store, batch, error);
  reeve_role_turns_judge (error);
  reeve_role_book_announce (self, tenant_id, ground);
  return result != NULL;
}
