/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The permission matrix, role by role, written out a second time. */
#include "governance/roles.h"

#include <reeve-plugin-1.h>

#include "governance/caller.h"

/* RBA-01: the base set */
static const char *const base[]
    = { "agent:create",   "agent:read",    "agent:update",   "agent:delete",  "agent:execute",
        "session:create", "session:read",  "session:delete", "tool:execute",  "tool:read",
        "memory:read",    "memory:write",  "memory:delete",  "tenant:manage", "user:manage",
        "role:manage",    "policy:manage", "audit:read",     "system:config", "system:metrics" };
static const char *const further[] = { "document:read",
                                       "document:create",
                                       "document:update",
                                       "document:delete",
                                       "budget:view",
                                       "budget:set",
                                       "flow:read",
                                       "flow:execute",
                                       "workspace:create",
                                       "workspace:read",
                                       "workspace:update",
                                       "workspace:delete",
                                       "workspace:manage_members" };

static const struct
{
  const char *role;
  const char *permissions;
} matrix[] = {
  { "agent_designer", "agent:create agent:delete agent:read agent:update document:read "
                      "session:read tool:read" },
  { "operator", "agent:execute agent:read budget:view document:create document:delete "
                "document:read document:update memory:read memory:write session:create "
                "session:delete session:read tool:execute tool:read" },
  { "auditor", "agent:read audit:read budget:view document:read memory:read session:read "
               "tool:read" },
  { "viewer", "agent:read document:read session:read tool:read" },
};

static void
test_roles_matrix (void)
{
  ReevePermissions held = 0;

  for (guint i = 0; i < G_N_ELEMENTS (matrix); i++)
    {
      g_auto (GStrv) names = NULL;
      g_autofree char *joined = NULL;

      g_assert_true (reeve_roles_find (matrix[i].role, &held));
      names = reeve_roles_names (held);
      joined = g_strjoinv (" ", names);
      g_assert_cmpstr (joined, ==, matrix[i].permissions);
    }
  g_assert_true (reeve_roles_find ("admin", &held));
  g_assert_true (held == reeve_roles_all ());
  g_assert_false (reeve_roles_find ("root", &held));
  g_assert_true (held == 0);
}

static void
test_roles_permissions (void)
{
  ReevePermissions all = 0;

  for (guint i = 0; i < G_N_ELEMENTS (base); i++)
    {
      g_assert_true (reeve_roles_match (base[i]) != 0);
      g_assert_true ((all & reeve_roles_match (base[i])) == 0);
      all |= reeve_roles_match (base[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (further); i++)
    all |= reeve_roles_match (further[i]);
  g_assert_true (all == reeve_roles_all ());
  g_assert_true (reeve_roles_match ("*") == reeve_roles_all ());
  g_assert_true (reeve_roles_match ("agent:*")
                 == (reeve_roles_match ("agent:create") | reeve_roles_match ("agent:read")
                     | reeve_roles_match ("agent:update") | reeve_roles_match ("agent:delete")
                     | reeve_roles_match ("agent:execute")));
  g_assert_true (reeve_roles_match ("agent") == 0);
  g_assert_true (reeve_roles_match ("agent:") == 0);
  g_assert_true (reeve_roles_match ("agen:*") == 0);
  g_assert_true (reeve_roles_match (":*") == 0);
  g_assert_true (reeve_roles_match ("") == 0);
}

/* The other shipped roles, written out a second time; X-31: super_admin cannot be given. */
static const struct
{
  const char *role;
  const char *held; /* wildcards */
  const char *level;
} presets[] = {
  { "user", "agent:read agent:execute", NULL },
  { "agent_operator", "agent:read agent:execute tool:read", NULL },
  { "developer", "agent:* tool:* flow:*", NULL },
  { "agent_manager", "agent:* document:* flow:* session:* tool:*", "viewer" },
  { "user_manager", "user:manage workspace:read workspace:manage_members", NULL },
  { "workspace_admin",
    "agent:* document:* flow:* session:* tool:* user:manage workspace:* memory:*", "viewer" },
  { "billing_admin", "budget:*", NULL },
  { "org_admin",
    "agent:* audit:read budget:* document:* flow:* memory:* policy:manage role:manage session:* "
    "tool:* user:manage workspace:*",
    "operator" },
  { "viewer", "agent:read document:read session:read tool:read", "viewer" },
  { "admin", "*", "admin" },
};

static void
test_roles_presets (void)
{
  ReevePermissions held = 0;
  guint system = 0;
  guint count = 0;

  for (guint i = 0; i < G_N_ELEMENTS (presets); i++)
    {
      g_auto (GStrv) wanted = g_strsplit (presets[i].held, " ", -1);

      g_assert_true (reeve_roles_find (presets[i].role, &held));
      g_assert_true (held == reeve_roles_match_all ((const char *const *) wanted));
      g_assert_cmpstr (reeve_roles_get_level (held), ==, presets[i].level);
    }
  g_assert_true (reeve_roles_find ("org_admin", &held));
  g_assert_true ((held & (reeve_roles_match ("tenant:*") | reeve_roles_match ("system:*"))) == 0);
  g_assert_false (reeve_roles_find ("super_admin", &held));
  g_assert_nonnull (reeve_roles_find_shipped ("super_admin"));
  for (; reeve_roles_get_shipped (count) != NULL; count++)
    {
      const ReeveRolesShipped *role = reeve_roles_get_shipped (count);

      g_assert_true (reeve_roles_find_shipped (role->name) == role);
      g_assert_true (role->system == g_strv_contains (reeve_roles_list (), role->name));
      system += role->system ? 1 : 0;
    }
  g_assert_cmpuint (system, ==, 5);
  g_assert_cmpuint (count, ==, 14);
}

static void
test_roles_caller (void)
{
  const char *const roles[] = { "viewer", "unknown", NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("acme", "usr_1", roles, "api_key");
  g_autoptr (ReeveCaller) viewer
      = reeve_caller_new (identity, "acme", FALSE, reeve_roles_union (roles), "rest", "127.0.0.1");
  g_autoptr (ReeveCaller) admin
      = reeve_caller_new (identity, "other", TRUE, reeve_roles_all (), "rest", NULL);
  g_auto (GStrv) names = reeve_caller_list_permissions (viewer);

  g_assert_cmpuint (g_strv_length (names), ==, 4);
  g_assert_true (reeve_caller_has_permission (viewer, "agent:read"));
  g_assert_false (reeve_caller_has_permission (viewer, "agent:execute"));
  g_assert_false (reeve_caller_has_permission (viewer, "agent:*"));
  g_assert_false (reeve_caller_has_permission (viewer, "no:such"));
  g_assert_true (reeve_caller_has_permission (admin, "system:config"));
  g_assert_true (reeve_caller_has_permission (admin, "*"));
  g_assert_false (reeve_caller_has_permission (admin, "no:such"));
  g_assert_cmpstr (reeve_caller_get_home_tenant_id (admin), ==, "acme");
  g_assert_cmpstr (reeve_caller_get_tenant_id (admin), ==, "other");
  g_assert_cmpstr (reeve_caller_get_method (viewer), ==, "api_key");
  g_assert_null (reeve_caller_get_key_id (viewer));
}

/* Scopes take away and never give; a bounded platform admin is one no more. */
static void
test_roles_scopes (void)
{
  static const char *const operator[] = { "operator", NULL };
  static const char *const admin[] = { "admin", NULL };
  static const char *const read[] = { "agent:read", "user:manage", "no:such", NULL };
  static const char *const none[] = { NULL };
  static const char *const tenants[] = { "tenant:manage", NULL };
  const struct
  {
    const char *const *roles;
    gboolean platform_admin;
    const char *const *scopes;
    const char *workspace_id;
    guint permissions; /* how many */
    gboolean stays;    /* platform admin */
  } cases[] = {
    { operator, FALSE, read, NULL, 1, FALSE }, { operator, FALSE, none, NULL, 0, FALSE },
    { admin, TRUE, read, NULL, 2, FALSE },     { admin, TRUE, tenants, NULL, 1, TRUE },
    { admin, TRUE, none, NULL, 0, FALSE },     { admin, TRUE, tenants, "wsp_1", 0, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ReeveIdentity) identity
          = reeve_identity_new ("default", "usr_1", cases[i].roles, "api_key");
      g_autoptr (ReeveCaller) caller = NULL;
      g_autoptr (ReeveCaller) there = NULL;
      g_auto (GStrv) names = NULL;

      reeve_identity_set_scopes (identity, cases[i].scopes);
      reeve_identity_set_workspace_id (identity, cases[i].workspace_id);
      caller = reeve_caller_new (identity, "default", cases[i].platform_admin,
                                 cases[i].platform_admin ? reeve_roles_all ()
                                                         : reeve_roles_union (cases[i].roles),
                                 "rest", NULL);
      names = reeve_caller_list_permissions (caller);
      g_assert_cmpuint (g_strv_length (names), ==, cases[i].permissions);
      g_assert_true (reeve_caller_is_platform_admin (caller) == cases[i].stays);
      g_assert_cmpstrv (reeve_caller_get_scopes (caller), cases[i].scopes);
      g_assert_cmpstr (reeve_caller_get_workspace_id (caller), ==, cases[i].workspace_id);
      /* elsewhere it is bound as well */
      there = reeve_caller_new_in_tenant (caller, "other");
      g_assert_false (reeve_caller_has_permission (there, "document:read"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/roles/matrix", test_roles_matrix);
  g_test_add_func ("/roles/permissions", test_roles_permissions);
  g_test_add_func ("/roles/presets", test_roles_presets);
  g_test_add_func ("/roles/caller", test_roles_caller);
  g_test_add_func ("/roles/scopes", test_roles_scopes);
  return g_test_run ();
}
