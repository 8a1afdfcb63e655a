/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tool policy: closed when unset, denial wins, the agent's own list bounds it. */
#include "governance/tool-policy.h"

static gboolean
allowed (ReeveToolPolicy *policy, const char *tool, const char *const *tools)
{
  const char *reason = NULL;
  gboolean answer = reeve_tool_policy_evaluate (policy, tool, tools, &reason);

  g_assert_nonnull (reason);
  return answer;
}

static void
test_tool_policy_closed (void)
{
  g_autoptr (ReeveToolPolicy) empty = reeve_tool_policy_new ();
  g_autoptr (ReeveToolPolicy) enterprise = reeve_tool_policy_new_for_profile ("enterprise");

  g_assert_false (allowed (NULL, "calculate", NULL));
  g_assert_false (allowed (empty, "calculate", NULL));
  g_assert_false (allowed (enterprise, "calculate", NULL));
}

static void
test_tool_policy_dev (void)
{
  static const char *const tools[] = { "calculate", NULL };
  g_autoptr (ReeveToolPolicy) dev = reeve_tool_policy_new_for_profile ("dev");

  g_assert_true (allowed (dev, "calculate", NULL));
  g_assert_true (allowed (dev, "semantic_search", NULL));
  g_assert_true (allowed (dev, "http_request", NULL));
  g_assert_false (allowed (dev, "shell", NULL));
  g_assert_true (allowed (dev, "calculate", tools));
  g_assert_false (allowed (dev, "http_request", tools));
}

static void
test_tool_policy_deny_wins (void)
{
  g_autoptr (ReeveToolPolicy) policy = reeve_tool_policy_new ();

  reeve_tool_policy_add (policy, "mes_write", REEVE_TOOL_POLICY_DENY);
  reeve_tool_policy_add (policy, "mes_*", REEVE_TOOL_POLICY_ALLOW);
  reeve_tool_policy_add (policy, "mes_write", REEVE_TOOL_POLICY_ALLOW);
  reeve_tool_policy_add (policy, "other*", REEVE_TOOL_POLICY_DENY);
  g_assert_true (allowed (policy, "mes_read", NULL));
  g_assert_false (allowed (policy, "mes_write", NULL));
  g_assert_false (allowed (policy, "other_tool", NULL));
  g_assert_false (allowed (policy, "me", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tool-policy/closed", test_tool_policy_closed);
  g_test_add_func ("/tool-policy/dev", test_tool_policy_dev);
  g_test_add_func ("/tool-policy/deny-wins", test_tool_policy_deny_wins);
  return g_test_run ();
}
