/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles are gone through from the one that is asked about, the nearest first, so that the answer is
 * the shortest way and a circle ends. */
#include "role-chain.h"

#include <string.h>

#include "roles.h"

typedef struct
{
  JsonObject *role;
  guint from; /* place of the one that inherits it; its own for the first */
} ReeveRoleChainStep;

static JsonObject *
reeve_role_chain_get (JsonArray *roles, const char *role_id)
{
  for (guint i = 0; i < json_array_get_length (roles); i++)
    {
      JsonObject *role = json_array_get_object_element (roles, i);

      if (g_strcmp0 (reeve_json_get_string (role, "role_id", NULL), role_id) == 0)
        return role;
    }
  return NULL;
}

/* (nullable): which of its own permissions means @wanted */
static const char *
reeve_role_chain_match (JsonObject *role, ReevePermissions wanted)
{
  JsonArray *own = reeve_json_get_array (role, "permissions");

  for (guint i = 0; own != NULL && i < json_array_get_length (own); i++)
    {
      const char *one = json_array_get_string_element (own, i);

      if ((reeve_roles_match (one) & wanted) == wanted)
        return one;
    }
  return NULL;
}

static JsonObject *
reeve_role_chain_tell (GArray *steps, guint at, const char *grants)
{
  JsonObject *chain = json_object_new ();
  JsonArray *names = json_array_new ();
  g_autoptr (GPtrArray) way = g_ptr_array_new ();
  const ReeveRoleChainStep *step = &g_array_index (steps, ReeveRoleChainStep, at);

  while (TRUE)
    {
      g_ptr_array_add (way, step->role);
      if (step == &g_array_index (steps, ReeveRoleChainStep, step->from))
        break;
      step = &g_array_index (steps, ReeveRoleChainStep, step->from);
    }
  for (guint i = way->len; i > 0; i--)
    json_array_add_string_element (
        names, reeve_json_get_string (g_ptr_array_index (way, i - 1), "role_id", ""));
  json_object_set_array_member (chain, "roles", names);
  json_object_set_string_member (chain, "grants", grants);
  return chain;
}

static void
reeve_role_chain_follow (JsonArray *roles, GArray *steps, guint at, GHashTable *seen)
{
  JsonObject *role = g_array_index (steps, ReeveRoleChainStep, at).role;
  JsonArray *inherits = reeve_json_get_array (role, "inherits");

  for (guint i = 0; inherits != NULL && i < json_array_get_length (inherits); i++)
    {
      ReeveRoleChainStep step
          = { .role = reeve_role_chain_get (roles, json_array_get_string_element (inherits, i)),
              .from = at };

      if (step.role != NULL && g_hash_table_add (seen, step.role))
        g_array_append_val (steps, step);
    }
}

/**
 * reeve_role_chain_find:
 * @roles: all roles, as reeve_role_book_list() shows them
 * @role_id: one of them
 * @permission: a permission
 *
 * Returns: (transfer full) (nullable): {roles, grants}; %NULL when the role does not hold it
 */
JsonObject *
reeve_role_chain_find (JsonArray *roles, const char *role_id, const char *permission)
{
  ReevePermissions wanted = reeve_roles_match (permission);
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (ReeveRoleChainStep));
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  ReeveRoleChainStep first = { .role = reeve_role_chain_get (roles, role_id) };

  if (first.role == NULL || wanted == 0)
    return NULL;
  g_hash_table_add (seen, first.role);
  g_array_append_val (steps, first);
  for (guint i = 0; i < steps->len; i++)
    {
      const char *grants
          = reeve_role_chain_match (g_array_index (steps, ReeveRoleChainStep, i).role, wanted);

      if (grants != NULL)
        return reeve_role_chain_tell (steps, i, grants);
      reeve_role_chain_follow (roles, steps, i, seen);
    }
  return NULL;
}
