/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The book of roles. A tenant's page is compiled when it is first asked for and kept until one of
 * its roles changes; a generation, read before the store is, keeps a page that was read before a
 * change from being kept after it. */
#include "role-book-private.h"

#include <string.h>

#include "directory.h"
#include "revocations.h"

#define REEVE_ROLE_BOOK_DEFAULT "viewer"

G_DEFINE_FINAL_TYPE (ReeveRoleBook, reeve_role_book, G_TYPE_OBJECT)

static void
reeve_role_book_configured_free (gpointer data)
{
  ReeveRoleBookConfigured *role = data;

  g_free (role->role_id);
  g_free (role->description);
  g_strfreev (role->permissions);
  g_strfreev (role->inherits);
  g_free (role);
}

static void
reeve_role_book_finalize (GObject *object)
{
  ReeveRoleBook *self = REEVE_ROLE_BOOK (object);

  g_clear_object (&self->store);
  g_ptr_array_unref (self->configured);
  reeve_role_page_unref (self->everywhere);
  g_free (self->default_role);
  g_hash_table_unref (self->pages);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (reeve_role_book_parent_class)->finalize (object);
}

static void
reeve_role_book_class_init (ReeveRoleBookClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_role_book_finalize;
}

static void
reeve_role_book_init (ReeveRoleBook *self)
{
  g_mutex_init (&self->mutex);
  self->configured = g_ptr_array_new_with_free_func (reeve_role_book_configured_free);
  self->everywhere = reeve_role_page_new (NULL);
  self->default_role = g_strdup (REEVE_ROLE_BOOK_DEFAULT);
  self->enabled = TRUE;
  self->pages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) reeve_role_page_unref);
}

/**
 * reeve_role_book_new:
 * @store: where tenants keep their roles
 *
 * Returns: (transfer full): the book, without roles of a configuration
 */
ReeveRoleBook *
reeve_role_book_new (ReeveStore *store)
{
  ReeveRoleBook *self = g_object_new (REEVE_TYPE_ROLE_BOOK, NULL);

  self->store = g_object_ref (store);
  return self;
}

/**
 * reeve_role_book_set_changed:
 * @self: the book
 * @changed: called after a role has changed, before anybody is told so
 * @user_data: for @changed; must outlive @self
 */
void
reeve_role_book_set_changed (ReeveRoleBook *self, ReeveRoleBookChanged changed, gpointer user_data)
{
  self->changed = changed;
  self->changed_data = user_data;
}

/* ---- the configuration ---- */

static gboolean
reeve_role_book_check_permissions (const char *const *permissions, GError **error)
{
  for (guint i = 0; permissions[i] != NULL; i++)
    if (reeve_roles_match (permissions[i]) == 0)
      {
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "there is no permission %s",
                     permissions[i]);
        return FALSE;
      }
  return TRUE;
}

static gboolean
reeve_role_book_add_configured (ReeveRoleBook *self, ReeveRolePage *page, JsonObject *object,
                                GError **error)
{
  ReeveRoleBookConfigured *role = g_new0 (ReeveRoleBookConfigured, 1);
  ReevePermissions held = 0;

  role->role_id
      = g_strconcat (REEVE_ROLE_BOOK_PREFIX, reeve_json_get_string (object, "name", ""), NULL);
  role->description = g_strdup (reeve_json_get_string (object, "description", ""));
  role->permissions = reeve_directory_get_strings (object, "permissions");
  role->inherits = reeve_directory_get_strings (object, "inherits");
  g_ptr_array_add (self->configured, role);
  if (reeve_role_page_find (page, role->role_id, &held, NULL))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "role %s is there twice",
                   role->role_id);
      return FALSE;
    }
  reeve_role_page_add (page, role->role_id, (const char *const *) role->permissions,
                       (const char *const *) role->inherits);
  return reeve_role_book_check_permissions ((const char *const *) role->permissions, error);
}

/* Each alone, so that the one that is wrong is named; a page is compiled once. */
static gboolean
reeve_role_book_check_configured (ReeveRoleBook *self, guint position, GError **error)
{
  g_autoptr (ReeveRolePage) page = reeve_role_page_new (NULL);
  ReeveRoleBookConfigured *checked = g_ptr_array_index (self->configured, position);

  for (guint i = 0; i < self->configured->len; i++)
    {
      ReeveRoleBookConfigured *role = g_ptr_array_index (self->configured, i);

      reeve_role_page_add (page, role->role_id, (const char *const *) role->permissions,
                           (const char *const *) role->inherits);
    }
  return reeve_role_page_compile_strictly (page, checked->role_id, error);
}

/**
 * reeve_role_book_configure:
 * @self: the book
 * @enabled: whether permissions are asked for
 * @default_role: of who has none
 * @custom_roles: (nullable): [{name, description?, permissions[], inherits[]?}]
 * @faulty: (out) (transfer full): on failure, path in section `rbac` of what is wrong
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION
 */
gboolean
reeve_role_book_configure (ReeveRoleBook *self, gboolean enabled, const char *default_role,
                           JsonArray *custom_roles, char **faulty, GError **error)
{
  g_autoptr (ReeveRolePage) page = reeve_role_page_new (NULL);
  guint length = custom_roles != NULL ? json_array_get_length (custom_roles) : 0;
  ReevePermissions held = 0;
  g_autoptr (GError) local = NULL;
  guint at = 0;

  for (guint i = 0; local == NULL && i < length; i++)
    {
      at = i;
      reeve_role_book_add_configured (self, page, json_array_get_object_element (custom_roles, i),
                                      &local);
    }
  for (guint i = 0; local == NULL && i < length; i++)
    {
      at = i;
      reeve_role_book_check_configured (self, i, &local);
    }
  if (local != NULL)
    {
      *faulty = g_strdup_printf ("rbac.custom_roles.%u", at);
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, local->message);
      return FALSE;
    }
  reeve_role_page_compile (page);
  reeve_role_page_unref (self->everywhere);
  self->everywhere = g_steal_pointer (&page);
  self->enabled = enabled;
  g_free (self->default_role);
  self->default_role = g_strdup (default_role);
  if (reeve_role_page_find (self->everywhere, default_role, &held, NULL))
    return TRUE;
  *faulty = g_strdup ("rbac.default_role");
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "there is no role %s", default_role);
  return FALSE;
}

/**
 * reeve_role_book_get_default:
 * @self: the book
 *
 * Returns: (transfer none): the role of who has none
 */
const char *
reeve_role_book_get_default (ReeveRoleBook *self)
{
  return self->default_role;
}

/**
 * reeve_role_book_is_enabled:
 * @self: the book
 *
 * Returns: whether permissions are asked for at all
 */
gboolean
reeve_role_book_is_enabled (ReeveRoleBook *self)
{
  return self->enabled;
}

/* ---- pages ---- */

static void
reeve_role_book_add_record (ReeveRolePage *page, ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  g_auto (GStrv) permissions = reeve_directory_get_strings (fields, "permissions");
  g_auto (GStrv) inherits = reeve_directory_get_strings (fields, "inherits");

  reeve_role_page_add (page, reeve_record_get_id (record), (const char *const *) permissions,
                       (const char *const *) inherits);
}

ReeveRolePage *
reeve_role_book_read (ReeveRoleBook *self, const char *tenant_id, GError **error)
{
  g_autoptr (ReeveRolePage) page = reeve_role_page_new (self->everywhere);
  g_autoptr (GPtrArray) records
      = reeve_directory_read_all (self->store, tenant_id, REEVE_STORE_ROLES, NULL, NULL, error);

  if (records == NULL)
    {
      g_prefix_error (error, "reading the roles: ");
      return NULL;
    }
  for (guint i = 0; i < records->len; i++)
    reeve_role_book_add_record (page, g_ptr_array_index (records, i));
  return g_steal_pointer (&page);
}

ReeveRolePage *
reeve_role_book_open (ReeveRoleBook *self, const char *tenant_id, GError **error)
{
  ReeveRolePage *page = NULL;
  guint generation = 0;

  g_mutex_lock (&self->mutex);
  generation = self->generation;
  page = g_hash_table_lookup (self->pages, tenant_id);
  if (page != NULL)
    reeve_role_page_ref (page);
  g_mutex_unlock (&self->mutex);
  if (page != NULL)
    return page;
  page = reeve_role_book_read (self, tenant_id, error);
  if (page == NULL)
    return NULL;
  reeve_role_page_compile (page);
  g_mutex_lock (&self->mutex);
  if (generation == self->generation)
    g_hash_table_replace (self->pages, g_strdup (tenant_id), reeve_role_page_ref (page));
  g_mutex_unlock (&self->mutex);
  return page;
}

/**
 * reeve_role_book_forget:
 * @self: the book
 * @tenant_id: whose page is read anew at the next question
 */
void
reeve_role_book_forget (ReeveRoleBook *self, const char *tenant_id)
{
  g_mutex_lock (&self->mutex);
  self->generation++;
  g_hash_table_remove (self->pages, tenant_id);
  g_mutex_unlock (&self->mutex);
}

void
reeve_role_book_announce (ReeveRoleBook *self, const char *tenant_id, const char *ground)
{
  reeve_role_book_forget (self, tenant_id);
  if (self->changed != NULL)
    self->changed (ground, self->changed_data);
}

/* ---- asking ---- */

static void
reeve_role_book_add_grounds (GPtrArray *grounds, const char *tenant_id,
                             const char *const *contained)
{
  for (guint i = 0; grounds != NULL && contained != NULL && contained[i] != NULL; i++)
    g_ptr_array_add (grounds, reeve_revocations_name_role (tenant_id, contained[i]));
}

/**
 * reeve_role_book_union:
 * @self: (nullable): the book
 * @tenant_id: a tenant
 * @roles: (nullable): ids of roles; unknown ones hold nothing
 * @permissions: (out): what they hold together
 * @grounds: (nullable): names of what that rests on are added
 * @error: return location
 *
 * Returns: %FALSE with what kept the book from being read
 */
gboolean
reeve_role_book_union (ReeveRoleBook *self, const char *tenant_id, const char *const *roles,
                       ReevePermissions *permissions, GPtrArray *grounds, GError **error)
{
  g_autoptr (ReeveRolePage) page = NULL;

  *permissions = 0;
  if (self == NULL)
    {
      *permissions = reeve_roles_union (roles);
      return TRUE;
    }
  page = reeve_role_book_open (self, tenant_id, error);
  if (page == NULL)
    return FALSE;
  for (guint i = 0; roles != NULL && roles[i] != NULL; i++)
    {
      ReevePermissions one = 0;
      const char *const *contained = NULL;

      if (reeve_role_page_find (page, roles[i], &one, &contained))
        *permissions |= one;
      reeve_role_book_add_grounds (grounds, tenant_id, contained);
    }
  return TRUE;
}

/**
 * reeve_role_book_add_contained:
 * @self: (nullable): the book
 * @tenant_id: a tenant
 * @roles: (nullable): ids of roles
 * @names: (element-type utf8): they and all they inherit are added, owned
 * @error: return location
 *
 * Returns: %FALSE with what kept the book from being read
 */
gboolean
reeve_role_book_add_contained (ReeveRoleBook *self, const char *tenant_id, const char *const *roles,
                               GPtrArray *names, GError **error)
{
  g_autoptr (ReeveRolePage) page = NULL;

  if (self != NULL)
    page = reeve_role_book_open (self, tenant_id, error);
  if (self != NULL && page == NULL)
    return FALSE;
  for (guint i = 0; roles != NULL && roles[i] != NULL; i++)
    {
      ReevePermissions held = 0;
      const char *const *contained = NULL;

      if (page != NULL)
        reeve_role_page_find (page, roles[i], &held, &contained);
      reeve_roles_add_contained (roles[i], names);
      for (guint k = 0; contained != NULL && contained[k] != NULL; k++)
        g_ptr_array_add (names, g_strdup (contained[k]));
    }
  return TRUE;
}

/**
 * reeve_role_book_check_one:
 * @self: (nullable): the book
 * @tenant_id: a tenant
 * @role_id: id of a role
 * @member: JSON pointer of the member that names it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when it cannot be given
 */
gboolean
reeve_role_book_check_one (ReeveRoleBook *self, const char *tenant_id, const char *role_id,
                           const char *member, GError **error)
{
  g_autoptr (ReeveRolePage) page = NULL;
  ReevePermissions held = 0;

  if (self != NULL)
    page = reeve_role_book_open (self, tenant_id, error);
  if (self != NULL && page == NULL)
    return FALSE;
  if (page != NULL ? reeve_role_page_find (page, role_id, &held, NULL)
                   : reeve_roles_find (role_id, &held))
    return TRUE;
  reeve_error_set_member (error, member,
                          strcmp (role_id, REEVE_ROLES_SUPER) == 0
                              ? "%s is the platform admin's and cannot be given inside a tenant"
                              : "there is no role %s",
                          role_id);
  return FALSE;
}

/**
 * reeve_role_book_check:
 * @self: (nullable): the book
 * @tenant_id: a tenant
 * @roles: ids of roles, the member `roles` of what was asked
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT naming the first that cannot be given
 */
gboolean
reeve_role_book_check (ReeveRoleBook *self, const char *tenant_id, const char *const *roles,
                       GError **error)
{
  for (guint i = 0; roles[i] != NULL; i++)
    {
      g_autofree char *member = g_strdup_printf ("/roles/%u", i);

      if (!reeve_role_book_check_one (self, tenant_id, roles[i], member, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * reeve_role_book_check_giving:
 * @self: (nullable): the book
 * @caller: who wants to give them, in the tenant it acts in
 * @roles: ids of roles
 * @error: return location
 *
 * Nobody gives what he has not, or has for a time only.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT or %REEVE_ERROR_PERMISSION_DENIED
 */
gboolean
reeve_role_book_check_giving (ReeveRoleBook *self, ReeveCaller *caller, const char *const *roles,
                              GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  ReevePermissions wanted = 0;
  g_auto (GStrv) lacking = NULL;

  if (!reeve_role_book_check (self, tenant_id, roles, error)
      || !reeve_role_book_union (self, tenant_id, roles, &wanted, NULL, error))
    return FALSE;
  lacking = reeve_roles_names (wanted & ~reeve_caller_get_lasting (caller));
  if (lacking[0] == NULL)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "permission %s is missing, so it cannot be given", lacking[0]);
  return FALSE;
}

/**
 * reeve_role_book_is_fixed:
 * @self: the book
 * @role_id: any text
 *
 * Returns: whether it is a role that is shipped or configured, and so cannot be changed
 */
gboolean
reeve_role_book_is_fixed (ReeveRoleBook *self, const char *role_id)
{
  ReevePermissions held = 0;

  return reeve_roles_find_shipped (role_id) != NULL
         || reeve_role_page_find (self->everywhere, role_id, &held, NULL);
}
