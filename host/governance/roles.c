/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The permission table: which permissions there are and which system role holds which; and the
 * roles that are shipped besides.
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
  { "flow:execute", A },
  { "flow:read", A },
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
  { "workspace:create", A },
  { "workspace:delete", A },
  { "workspace:manage_members", A },
  { "workspace:read", A },
  { "workspace:update", A },
};

#undef A
#undef D
#undef O
#undef U
#undef V

#define REEVE_ROLES_COUNT G_N_ELEMENTS (reeve_roles_table)

G_STATIC_ASSERT (REEVE_ROLES_COUNT <= 64);

/* The shipped roles; a set may hold wildcards and stands for what there is then. Who may do the
 * most stands last. */
static const ReeveRolesShipped reeve_roles_shipped[] = {
  { "viewer", "Reads agents, sessions, tools and documents", TRUE, NULL, NULL },
  { "auditor", "Reads, and reads the audit log", TRUE, NULL, NULL },
  { "operator", "Executes agents and keeps documents", TRUE, NULL, NULL },
  { "agent_designer", "Makes agents, does not execute them", TRUE, NULL, NULL },
  { "admin", "Everything in the tenant", TRUE, NULL, NULL },
  { "user", "Executes agents", FALSE, "agent:read agent:execute", NULL },
  { "agent_operator", "Executes agents and sees their tools", FALSE, "tool:read", "user" },
  { "developer", "Makes and executes agents, tools and flows", FALSE,
    "agent:* tool:* flow:read flow:execute", NULL },
  { "agent_manager", "Everything about agents, their sessions and documents", FALSE,
    "agent:* document:* flow:* session:* tool:*", NULL },
  { "user_manager", "Users, their keys and who belongs to a workspace", FALSE,
    "user:manage workspace:read workspace:manage_members", NULL },
  { "workspace_admin", "Workspaces with their agents and people", FALSE, "memory:* workspace:*",
    "agent_manager user_manager viewer" },
  { "billing_admin", "Budgets, usage and costs", FALSE, "budget:*", NULL },
  { "org_admin", "Everything in the tenant but what is the platform's", FALSE,
    "audit:read policy:manage role:manage", "workspace_admin billing_admin" },
  { REEVE_ROLES_SUPER, "The platform admin's: everything in every tenant; cannot be given", FALSE,
    "*", NULL },
};

/* from the least to the most */
static const char *const reeve_roles_levels[] = { "viewer", "operator", "admin" };

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
 * reeve_roles_reading:
 *
 * Returns: the permissions that only look at things
 */
ReevePermissions
reeve_roles_reading (void)
{
  ReevePermissions found = 0;

  for (guint i = 0; i < REEVE_ROLES_COUNT; i++)
    if (g_str_has_suffix (reeve_roles_table[i].name, ":read")
        || g_str_has_suffix (reeve_roles_table[i].name, ":view"))
      found |= G_GUINT64_CONSTANT (1) << i;
  return found;
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

/* What a system role holds. */
static ReevePermissions
reeve_roles_get_system (const char *role)
{
  ReevePermissions held = 0;

  for (guint r = 0; reeve_roles_names_list[r] != NULL; r++)
    for (guint i = 0; strcmp (reeve_roles_names_list[r], role) == 0 && i < REEVE_ROLES_COUNT; i++)
      if ((reeve_roles_table[i].holders >> r & 1) != 0)
        held |= G_GUINT64_CONSTANT (1) << i;
  return held;
}

/**
 * reeve_roles_get_shipped:
 * @position: from 0
 *
 * Returns: (transfer none) (nullable): a shipped role; %NULL behind the last
 */
const ReeveRolesShipped *
reeve_roles_get_shipped (guint position)
{
  return position < G_N_ELEMENTS (reeve_roles_shipped) ? &reeve_roles_shipped[position] : NULL;
}

/**
 * reeve_roles_find_shipped:
 * @role: name of a role
 *
 * Returns: (transfer none) (nullable): the shipped role of that name, %REEVE_ROLES_SUPER included
 */
const ReeveRolesShipped *
reeve_roles_find_shipped (const char *role)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_roles_shipped); i++)
    if (strcmp (reeve_roles_shipped[i].name, role) == 0)
      return &reeve_roles_shipped[i];
  return NULL;
}

/**
 * reeve_roles_match_all:
 * @permissions: (nullable): permissions and wildcards
 *
 * Returns: what they name together
 */
ReevePermissions
reeve_roles_match_all (const char *const *permissions)
{
  ReevePermissions found = 0;

  for (guint i = 0; permissions != NULL && permissions[i] != NULL; i++)
    found |= reeve_roles_match (permissions[i]);
  return found;
}

/**
 * reeve_roles_find:
 * @role: name of a role
 * @permissions: (out): what it holds
 *
 * Returns: whether there is such a shipped role that can be given to somebody
 */
gboolean
reeve_roles_find (const char *role, ReevePermissions *permissions)
{
  const ReeveRolesShipped *shipped = reeve_roles_find_shipped (role);
  g_auto (GStrv) held = NULL;
  g_auto (GStrv) inherits = NULL;

  *permissions = 0;
  if (shipped == NULL || strcmp (role, REEVE_ROLES_SUPER) == 0)
    return FALSE;
  if (shipped->system)
    {
      *permissions = reeve_roles_get_system (role);
      return TRUE;
    }
  held = g_strsplit (shipped->permissions, " ", -1);
  inherits = g_strsplit (shipped->inherits != NULL ? shipped->inherits : "", " ", -1);
  *permissions = reeve_roles_match_all ((const char *const *) held)
                 | reeve_roles_union ((const char *const *) inherits);
  return TRUE;
}

/**
 * reeve_roles_add_contained:
 * @role: id of a role
 * @names: (element-type utf8): it and the shipped roles that it inherits are added, owned
 */
void
reeve_roles_add_contained (const char *role, GPtrArray *names)
{
  const ReeveRolesShipped *shipped = reeve_roles_find_shipped (role);
  g_auto (GStrv) inherits = NULL;

  g_ptr_array_add (names, g_strdup (role));
  if (shipped == NULL || shipped->inherits == NULL)
    return;
  inherits = g_strsplit (shipped->inherits, " ", -1);
  for (guint i = 0; inherits[i] != NULL; i++)
    reeve_roles_add_contained (inherits[i], names);
}

/**
 * reeve_roles_get_level:
 * @permissions: permissions
 *
 * The three ordered roles `admin` > `operator` > `viewer`: "viewer+" means who holds all that
 * viewer holds, and so on.
 *
 * Returns: (transfer none) (nullable): the highest of the three that @permissions cover
 */
const char *
reeve_roles_get_level (ReevePermissions permissions)
{
  const char *level = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (reeve_roles_levels); i++)
    if ((reeve_roles_get_system (reeve_roles_levels[i]) & ~permissions) == 0)
      level = reeve_roles_levels[i];
  return level;
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
