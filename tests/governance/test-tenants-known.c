/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of tenants in memory. */
#include <string.h>

#include "governance/tenants-known.h"

static void
learn (ReeveTenantsKnown *known, const char *fields, gint64 revision)
{
  g_autoptr (JsonNode) parsed = reeve_json_parse_strict (fields, strlen (fields), NULL);

  reeve_tenants_known_learn (known, "acme", json_node_get_object (parsed), revision);
}

/* Two changes that are learnt in the wrong order: the newer one counts. */
static void
test_tenants_known (void)
{
  g_autoptr (ReeveTenantsKnown) known = reeve_tenants_known_new ();
  g_auto (GStrv) none = reeve_tenants_known_list_deleting (known);
  g_auto (GStrv) doomed = NULL;

  g_assert_cmpuint (g_strv_length (none), ==, 0);
  g_assert_cmpint (reeve_tenants_known_get_status (known, "acme"), ==, REEVE_TENANT_ABSENT);
  learn (known, "{\"settings\":{\"max_agents\":3},\"status\":\"suspended\"}", 3);
  learn (known, "{\"settings\":{\"max_agents\":2},\"status\":\"active\"}", 2);
  g_assert_cmpint (reeve_tenants_known_get_status (known, "acme"), ==, REEVE_TENANT_SUSPENDED);
  g_assert_cmpint (reeve_tenants_known_get_limit (known, "acme", "max_agents", 9), ==, 3);
  /* the configuration speaks where the tenant does not */
  g_assert_cmpint (reeve_tenants_known_get_limit (known, "acme", "max_concurrent_sessions", 9), ==,
                   9);
  reeve_tenants_known_set_default (known, "max_concurrent_sessions", 5);
  reeve_tenants_known_set_default (known, "max_agents", 5);
  g_assert_cmpint (reeve_tenants_known_get_limit (known, "acme", "max_concurrent_sessions", 9), ==,
                   5);
  g_assert_cmpint (reeve_tenants_known_get_limit (known, "acme", "max_agents", 9), ==, 3);
  learn (known, "{\"status\":\"deleting\"}", 4);
  g_assert_cmpint (reeve_tenants_known_get_limit (known, "acme", "max_agents", 9), ==, 5);
  doomed = reeve_tenants_known_list_deleting (known);
  g_assert_cmpstr (doomed[0], ==, "acme");
  g_assert_null (doomed[1]);
  reeve_tenants_known_forget (known, "acme");
  g_assert_cmpint (reeve_tenants_known_get_status (known, "acme"), ==, REEVE_TENANT_ABSENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tenants-known/order", test_tenants_known);
  return g_test_run ();
}
