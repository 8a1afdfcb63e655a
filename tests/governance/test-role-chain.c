/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* There is a chain exactly where the role book has the role hold the permission, and each chain is
 * one: for random roles with wildcards and inheritance over all pairs. */
#include "governance/role-chain.h"

#include "governance/role-page.h"

#include <string.h>

#define CUSTOM 8

static JsonArray *
list_of (const char *const *strings)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; strings[i] != NULL; i++)
    json_array_add_string_element (list, strings[i]);
  return list;
}

static void
add_role (JsonArray *roles, const char *role_id, const char *const *permissions,
          const char *const *inherits)
{
  JsonObject *role = json_object_new ();

  json_object_set_string_member (role, "role_id", role_id);
  json_object_set_array_member (role, "permissions", list_of (permissions));
  json_object_set_array_member (role, "inherits", list_of (inherits));
  json_array_add_object_element (roles, role);
}

/* as reeve_role_book_list() shows them */
static JsonArray *
list_shipped (void)
{
  JsonArray *roles = json_array_new ();

  for (guint i = 0; reeve_roles_get_shipped (i) != NULL; i++)
    {
      const ReeveRolesShipped *role = reeve_roles_get_shipped (i);
      ReevePermissions held = 0;
      g_auto (GStrv) permissions = NULL;
      g_auto (GStrv) inherits = g_strsplit (role->inherits != NULL ? role->inherits : "", " ", -1);

      reeve_roles_find (role->name, &held);
      permissions = role->permissions != NULL ? g_strsplit (role->permissions, " ", -1)
                                              : reeve_roles_names (held);
      add_role (roles, role->name, (const char *const *) permissions,
                (const char *const *) inherits);
    }
  return roles;
}

static void
add_random (GRand *rand, guint number, JsonArray *roles, ReeveRolePage *page)
{
  static const char *const permissions[]
      = { "agent:read", "agent:*", "tool:execute", "user:manage", "memory:*", "audit:read" };
  static const char *const shipped[] = { "viewer", "developer", "org_admin", "user_manager" };
  g_autofree char *id = g_strdup_printf ("custom:r%u", number);
  g_autoptr (GPtrArray) own = g_ptr_array_new ();
  g_autoptr (GPtrArray) inherits = g_ptr_array_new_with_free_func (g_free);

  for (int i = g_rand_int_range (rand, 0, 3); i > 0; i--)
    g_ptr_array_add (
        own, (gpointer) permissions[g_rand_int_range (rand, 0, G_N_ELEMENTS (permissions))]);
  for (int i = g_rand_int_range (rand, 0, 3); i > 0 && number > 0; i--)
    g_ptr_array_add (inherits,
                     g_strdup_printf ("custom:r%d", g_rand_int_range (rand, 0, (gint32) number)));
  if (g_rand_int_range (rand, 0, 3) == 0)
    g_ptr_array_add (inherits,
                     g_strdup (shipped[g_rand_int_range (rand, 0, G_N_ELEMENTS (shipped))]));
  g_ptr_array_add (own, NULL);
  g_ptr_array_add (inherits, NULL);
  add_role (roles, id, (const char *const *) own->pdata, (const char *const *) inherits->pdata);
  reeve_role_page_add (page, id, (const char *const *) own->pdata,
                       (const char *const *) inherits->pdata);
}

static JsonObject *
get_role (JsonArray *roles, const char *role_id)
{
  for (guint i = 0; i < json_array_get_length (roles); i++)
    if (g_strcmp0 (reeve_json_get_string (json_array_get_object_element (roles, i), "role_id", ""),
                   role_id)
        == 0)
      return json_array_get_object_element (roles, i);
  g_assert_not_reached ();
}

static gboolean
names (JsonArray *list, const char *text)
{
  for (guint i = 0; i < json_array_get_length (list); i++)
    if (strcmp (json_array_get_string_element (list, i), text) == 0)
      return TRUE;
  return FALSE;
}

static void
check_chain (JsonArray *roles, const char *role_id, const char *permission, JsonObject *chain)
{
  JsonArray *way = reeve_json_get_array (chain, "roles");
  const char *grants = reeve_json_get_string (chain, "grants", "");
  guint length = json_array_get_length (way);
  JsonObject *last = get_role (roles, json_array_get_string_element (way, length - 1));

  g_assert_cmpstr (json_array_get_string_element (way, 0), ==, role_id);
  for (guint i = 1; i < length; i++)
    g_assert_true (
        names (reeve_json_get_array (get_role (roles, json_array_get_string_element (way, i - 1)),
                                     "inherits"),
               json_array_get_string_element (way, i)));
  g_assert_true (names (reeve_json_get_array (last, "permissions"), grants));
  g_assert_true ((reeve_roles_match (grants) & reeve_roles_match (permission)) != 0);
}

static guint
check_role (JsonArray *roles, ReeveRolePage *page, const char *role_id)
{
  g_auto (GStrv) all = reeve_roles_names (reeve_roles_all ());
  ReevePermissions held = 0;
  guint found = 0;

  g_assert_true (reeve_role_page_find (page, role_id, &held, NULL));
  for (guint i = 0; all[i] != NULL; i++)
    {
      g_autoptr (JsonObject) chain = reeve_role_chain_find (roles, role_id, all[i]);

      g_assert_true ((chain != NULL) == ((held & reeve_roles_match (all[i])) != 0));
      if (chain == NULL)
        continue;
      check_chain (roles, role_id, all[i], chain);
      found++;
    }
  return found;
}

static void
test_chain_is_true (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  guint found = 0;

  for (guint round = 0; round < 60; round++)
    {
      g_autoptr (JsonArray) roles = list_shipped ();
      g_autoptr (ReeveRolePage) page = reeve_role_page_new (NULL);

      for (guint i = 0; i < CUSTOM; i++)
        add_random (rand, i, roles, page);
      reeve_role_page_compile (page);
      for (guint i = 0; i < CUSTOM; i++)
        {
          g_autofree char *id = g_strdup_printf ("custom:r%u", i);

          found += check_role (roles, page, id);
        }
      found += check_role (roles, page, "org_admin");
    }
  g_assert_cmpuint (found, >, 1000);
}

/* A circle ends, and the nearest way is told. */
static void
test_chain_circles (void)
{
  static const char *const none[] = { NULL };
  static const char *const some[] = { "agent:read", NULL };
  static const char *const to_b[] = { "b", "c", NULL };
  static const char *const to_a[] = { "a", NULL };
  g_autoptr (JsonArray) roles = json_array_new ();
  g_autoptr (JsonObject) chain = NULL;

  add_role (roles, "a", none, to_b);
  add_role (roles, "b", none, to_a);
  add_role (roles, "c", some, to_a);
  chain = reeve_role_chain_find (roles, "a", "agent:read");
  g_assert_cmpuint (json_array_get_length (reeve_json_get_array (chain, "roles")), ==, 2);
  g_assert_null (reeve_role_chain_find (roles, "a", "agent:delete"));
  g_assert_null (reeve_role_chain_find (roles, "z", "agent:read"));
  g_assert_null (reeve_role_chain_find (roles, "c", "no:such"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/role-chain/is-true", test_chain_is_true);
  g_test_add_func ("/role-chain/circles", test_chain_circles);
  return g_test_run ();
}
