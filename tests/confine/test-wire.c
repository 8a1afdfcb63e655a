/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugins in confined runners, called as if they were in the host. Runs as root and as an ordinary
 * user. */
#include "wire-fixture.h"

#include <string.h>

static void
check_tool (RunnerLayersProfile profile)
{
  g_autofree char *module = wire_fixture_get_plugin ("tool-calculate");
  g_autoptr (WireFixture) fixture = NULL;
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (JsonNode) arguments = wire_fixture_json ("{\"expression\": \"6 * 7\"}");
  g_autoptr (GPtrArray) tools = NULL;
  g_autoptr (ReeveToolResult) result = NULL;
  g_autoptr (ReeveToolResult) unknown = NULL;
  g_autoptr (GError) error = NULL;

  if (!wire_fixture_offers (profile))
    {
      g_test_message ("this machine does not offer it");
      return;
    }
  fixture = wire_fixture_new (profile, module, NULL, "{}");
  g_assert_no_error (fixture->error);
  g_assert_true (REEVE_IS_TOOL (fixture->plugin));
  g_assert_false (REEVE_IS_SINK (fixture->plugin));
  tools = reeve_tool_list (REEVE_TOOL (fixture->plugin), context, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (tools->len, ==, 1);
  g_assert_cmpstr (reeve_tool_info_get_name (g_ptr_array_index (tools, 0)), ==, "calculate");
  result = reeve_tool_call (REEVE_TOOL (fixture->plugin), "calculate",
                            json_node_get_object (arguments), context, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (reeve_tool_result_get_text (result), ==, "42");
  unknown = reeve_tool_call (REEVE_TOOL (fixture->plugin), "nothing",
                             json_node_get_object (arguments), context, &error);
  g_assert_null (unknown);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

static void
test_tool_strict (void)
{
  check_tool (RUNNER_LAYERS_PROFILE_STRICT);
}

static void
test_tool_hardened (void)
{
  check_tool (RUNNER_LAYERS_PROFILE_HARDENED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/tool/strict", test_tool_strict);
  g_test_add_func ("/wire/tool/hardened", test_tool_hardened);
  return g_test_run ();
}
