/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles that contain roles, resolved once, so that asking later is one look. */
#include "role-page.h"

typedef enum
{
  REEVE_ROLE_PAGE_NEW,
  REEVE_ROLE_PAGE_UNDER_WAY,
  REEVE_ROLE_PAGE_DONE
} ReeveRolePageState;

typedef struct
{
  char *role_id;
  char **inherits;
  ReevePermissions permissions; /* with the inherited ones once it is done */
  GPtrArray *contained;         /* ended by NULL once it is done */
  ReeveRolePageState state;
  guint wrong; /* which of inherits does not hold */
} ReeveRolePageRole;

struct _ReeveRolePage
{
  gatomicrefcount references;
  ReeveRolePage *below;
  GHashTable *roles;
};

static void
reeve_role_page_role_free (gpointer data)
{
  ReeveRolePageRole *role = data;

  g_free (role->role_id);
  g_strfreev (role->inherits);
  g_ptr_array_unref (role->contained);
  g_free (role);
}

/**
 * reeve_role_page_new:
 * @below: (nullable): a compiled page
 *
 * Returns: (transfer full): an empty page
 */
ReeveRolePage *
reeve_role_page_new (ReeveRolePage *below)
{
  ReeveRolePage *self = g_new0 (ReeveRolePage, 1);

  g_atomic_ref_count_init (&self->references);
  self->below = below != NULL ? reeve_role_page_ref (below) : NULL;
  self->roles = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, reeve_role_page_role_free);
  return self;
}

/**
 * reeve_role_page_ref:
 * @self: a page
 *
 * Returns: (transfer full): @self
 */
ReeveRolePage *
reeve_role_page_ref (ReeveRolePage *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * reeve_role_page_unref:
 * @self: (transfer full): a page
 */
void
reeve_role_page_unref (ReeveRolePage *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_clear_pointer (&self->below, reeve_role_page_unref);
  g_hash_table_unref (self->roles);
  g_free (self);
}

/**
 * reeve_role_page_add:
 * @self: a page that is not compiled
 * @role_id: `custom:<name>`
 * @permissions: what it holds of its own, wildcards included
 * @inherits: ids of roles it contains
 */
void
reeve_role_page_add (ReeveRolePage *self, const char *role_id, const char *const *permissions,
                     const char *const *inherits)
{
  ReeveRolePageRole *role = g_new0 (ReeveRolePageRole, 1);

  role->role_id = g_strdup (role_id);
  role->inherits = g_strdupv ((char **) inherits);
  role->permissions = reeve_roles_match_all (permissions);
  role->contained = g_ptr_array_new_with_free_func (g_free);
  g_hash_table_replace (self->roles, role->role_id, role);
}

/* ---- compiling ---- */

static gboolean reeve_role_page_resolve (ReeveRolePage *self, ReeveRolePageRole *role,
                                         GError **error);

static void
reeve_role_page_contain (ReeveRolePageRole *role, const char *const *contained)
{
  for (guint i = 0; contained != NULL && contained[i] != NULL; i++)
    if (!g_ptr_array_find_with_equal_func (role->contained, contained[i], g_str_equal, NULL))
      g_ptr_array_add (role->contained, g_strdup (contained[i]));
}

static gboolean
reeve_role_page_inherit (ReeveRolePage *self, ReeveRolePageRole *role, const char *from,
                         GError **error)
{
  ReeveRolePageRole *own = g_hash_table_lookup (self->roles, from);
  const char *const *contained = NULL;
  ReevePermissions permissions = 0;

  if (own != NULL && own->state == REEVE_ROLE_PAGE_UNDER_WAY)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "role %s would inherit itself by way of %s", role->role_id, from);
      return FALSE;
    }
  if (own != NULL && own->state == REEVE_ROLE_PAGE_NEW
      && !reeve_role_page_resolve (self, own, error))
    return FALSE;
  if (!reeve_role_page_find (self, from, &permissions, &contained))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there is no role %s", from);
      return FALSE;
    }
  role->permissions |= permissions;
  if (contained == NULL)
    reeve_roles_add_contained (from, role->contained);
  reeve_role_page_contain (role, contained);
  return TRUE;
}

/* Without @error what does not hold is left out. */
static gboolean
reeve_role_page_resolve (ReeveRolePage *self, ReeveRolePageRole *role, GError **error)
{
  gboolean good = TRUE;

  role->state = REEVE_ROLE_PAGE_UNDER_WAY;
  g_ptr_array_add (role->contained, g_strdup (role->role_id));
  for (guint i = 0; good && role->inherits[i] != NULL; i++)
    {
      role->wrong = i;
      good = reeve_role_page_inherit (self, role, role->inherits[i], error) || error == NULL;
    }
  g_ptr_array_add (role->contained, NULL);
  role->state = REEVE_ROLE_PAGE_DONE;
  return good;
}

/**
 * reeve_role_page_compile:
 * @self: a page
 *
 * What cannot be resolved is left out: less is always safe.
 */
void
reeve_role_page_compile (ReeveRolePage *self)
{
  GHashTableIter iter;
  gpointer role = NULL;

  g_hash_table_iter_init (&iter, self->roles);
  while (g_hash_table_iter_next (&iter, NULL, &role))
    if (((ReeveRolePageRole *) role)->state == REEVE_ROLE_PAGE_NEW)
      reeve_role_page_resolve (self, role, NULL);
}

/**
 * reeve_role_page_compile_strictly:
 * @self: a page that is not compiled
 * @role_id: one of its roles
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when it names a role that is not there, or
 * contains itself
 */
gboolean
reeve_role_page_compile_strictly (ReeveRolePage *self, const char *role_id, GError **error)
{
  ReeveRolePageRole *role = g_hash_table_lookup (self->roles, role_id);
  g_autoptr (GError) local = NULL;

  if (reeve_role_page_resolve (self, role, &local))
    return TRUE;
  reeve_error_prefix_member (&local, "/inherits/%u", role->wrong);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* ---- looking ---- */

/**
 * reeve_role_page_find:
 * @self: a compiled page
 * @role_id: any name of a role
 * @permissions: (out): what it holds
 * @contained: (out) (optional) (transfer none) (nullable): the roles in a custom one, itself first
 *
 * Shipped roles are found too.
 *
 * Returns: whether there is such a role that can be given to somebody
 */
gboolean
reeve_role_page_find (ReeveRolePage *self, const char *role_id, ReevePermissions *permissions,
                      const char *const **contained)
{
  ReeveRolePageRole *role = g_hash_table_lookup (self->roles, role_id);

  if (contained != NULL)
    *contained = NULL;
  if (role == NULL && self->below != NULL)
    return reeve_role_page_find (self->below, role_id, permissions, contained);
  if (role == NULL)
    return reeve_roles_find (role_id, permissions);
  *permissions = role->permissions;
  if (contained != NULL)
    *contained = (const char *const *) role->contained->pdata;
  return TRUE;
}

/**
 * reeve_role_page_list_heirs:
 * @self: a page
 * @role_id: a role
 *
 * Returns: (transfer full): ids of the roles of this page that inherit it directly
 */
char **
reeve_role_page_list_heirs (ReeveRolePage *self, const char *role_id)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  GHashTableIter iter;
  gpointer data = NULL;

  g_hash_table_iter_init (&iter, self->roles);
  while (g_hash_table_iter_next (&iter, NULL, &data))
    {
      ReeveRolePageRole *role = data;

      if (g_strv_contains ((const char *const *) role->inherits, role_id))
        g_strv_builder_add (builder, role->role_id);
    }
  return g_strv_builder_end (builder);
}

/**
 * reeve_role_page_get_length:
 * @self: a page
 *
 * Returns: how many roles stand on it
 */
guint
reeve_role_page_get_length (ReeveRolePage *self)
{
  return g_hash_table_size (self->roles);
}
