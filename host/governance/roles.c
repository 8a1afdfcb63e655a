/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The permission table: which permissions there are and which system role holds which.
 *
 * A set of permissions is one number, so that a check costs one AND. */
#include "roles.h"

#include <string.h>

typedef enum
{
  REEVE_ROLES_ADMIN = 1 << 0,
  REEVE_ROLES_DESIGNER = 1 << 1,
  REEVE_ROLES_OPERATOR = 1 << 2,
  REEVE_ROLES_AUDITOR = 1 << 3,
  REEVE_ROLES_VIEWER = 1 << 4
} ReeveRolesHolders;

/* in the order of the bits of the holders */
static const char *const reeve_roles_names_list[]
    = { "admin", "agent_designer", "operator", "auditor", "viewer", NULL };

#define A REEVE_ROLES_ADMIN
#define D REEVE_ROLES_DESIGNER
#define O REEVE_ROLES_OPERATOR
#define U REEVE_ROLES_AUDITOR
#define V REEVE_ROLES_VIEWER

/* sorted by name; the place in the table is the bit */
static const struct
{
  const char *name;
  guint holders;
} reeve_roles_table[] = {
  { "agent:create", A | D },
  { "agent:delete", A | D },
  { "agent:execute", A | O },
  { "agent:read", A | D | O | U | V },
  { "agent:update", A | D },
  { "audit:read", A | U },
  { "budget:set", A },
  { "budget:view", A | O | U },
  { "document:create", A | O },
  { "document:delete", A | O },
  { "document:read", A | D | O | U | V },
  { "document:update", A | O },
  { "memory:delete", A },
  { "memory:read", A | O | U },
  { "memory:write", A | O },
  { "policy:manage", A },
  { "role:manage", A },
  { "session:create", A | O },
  { "session:delete", A | O },
  { "session:read", A | D | O | U | V },
  { "system:config", A },
  { "system:metrics", A },
  { "tenant:manage", A },
  { "tool:execute", A | O },
  { "tool:read", A | D | O | U | V },
  { "user:manage", A },
};

#undef A
#undef D
#undef O
#undef U
#undef V

#define REEVE_ROLES_COUNT G_N_ELEMENTS (reeve_roles_table)

G_STATIC_ASSERT (REEVE_ROLES_COUNT <= 64);

/**
 * reeve_roles_all:
 *
 * Returns: every permission
 */
ReevePermissions
reeve_roles_all (void)
{
  return (G_GUINT64_CONSTANT (1) << REEVE_ROLES_COUNT) - 1;
}

/**
 * reeve_roles_match:
 * @permission: a permission, `<resource>:*` or `*`
 *
 * Returns: the permissions that @permission names; 0 when there is none such
 */
ReevePermissions
reeve_roles_match (const char *permission)
{
  gsize length = strlen (permission);
  ReevePermissions found = 0;

  if (strcmp (permission, "*") == 0)
    return reeve_roles_all ();
  if (length > 2 && strcmp (permission + length - 2, ":*") == 0)
    {
      for (guint i = 0; i < REEVE_ROLES_COUNT; i++)
        if (strncmp (reeve_roles_table[i].name, permission, length - 1) == 0)
          found |= G_GUINT64_CONSTANT (1) << i;
      return found;
    }
  for (guint i = 0; i < REEVE_ROLES_COUNT; i++)
    if (strcmp (reeve_roles_table[i].name, permission) == 0)
      return G_GUINT64_CONSTANT (1) << i;
  return 0;
}

/**
 * reeve_roles_find:
 * @role: name of a role
 * @permissions: (out): what it holds
 *
 * Returns: whether there is such a system role
 */
gboolean
reeve_roles_find (const char *role, ReevePermissions *permissions)
{
  *permissions = 0;
  for (guint r = 0; reeve_roles_names_list[r] != NULL; r++)
    {
      if (strcmp (reeve_roles_names_list[r], role) != 0)
        continue;
      for (guint i = 0; i < REEVE_ROLES_COUNT; i++)
        if ((reeve_roles_table[i].holders >> r & 1) != 0)
          *permissions |= G_GUINT64_CONSTANT (1) << i;
      return TRUE;
    }
  return FALSE;
}

/**
 * reeve_roles_union:
 * @roles: (nullable): names of roles; unknown ones hold nothing
 *
 * Returns: what they hold together
 */
ReevePermissions
reeve_roles_union (const char *const *roles)
{
  ReevePermissions all = 0;

  for (guint i = 0; roles != NULL && roles[i] != NULL; i++)
    {
      ReevePermissions one = 0;

      if (reeve_roles_find (roles[i], &one))
        all |= one;
    }
  return all;
}

/**
 * reeve_roles_list:
 *
 * Returns: (transfer none): names of the system roles
 */
const char *const *
reeve_roles_list (void)
{
  return reeve_roles_names_list;
}

/**
 * reeve_roles_names:
 * @permissions: permissions
 *
 * Returns: (transfer full): their names, sorted
 */
char **
reeve_roles_names (ReevePermissions permissions)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < REEVE_ROLES_COUNT; i++)
    if ((permissions >> i & 1) != 0)
      g_strv_builder_add (builder, reeve_roles_table[i].name);
  return g_strv_builder_end (builder);
}
