/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugins in confined runners, called as if they were in the host. Runs as root and as an ordinary
 * user. */
#include <string.h>

#include "test-broker.h"
#include "wire-fixture.h"

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

/* ---- ways to behave ---- */

static WireFixture *
new_behaving (void)
{
  g_autofree char *module = wire_fixture_get_path ("wire-plugin.so");
  WireFixture *fixture = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, module, NULL, "{}");

  g_assert_no_error (fixture->error);
  return fixture;
}

static ReeveToolResult *
call_with (WireFixture *fixture, const char *name, ReeveContext *context, GError **error)
{
  g_autoptr (JsonNode) none = wire_fixture_json ("{}");

  return reeve_tool_call (REEVE_TOOL (fixture->plugin), name, json_node_get_object (none), context,
                          error);
}

static void
assert_answers (WireFixture *fixture)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveToolResult) result = call_with (fixture, "who", context, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (reeve_tool_result_get_text (result), ==,
                   "t1 u1 - r1 [operator,viewer] [,w1] until");
}

static void
test_context (void)
{
  g_autoptr (WireFixture) fixture = new_behaving ();

  assert_answers (fixture);
}

static void
test_broker_of_a_call (void)
{
  g_autoptr (WireFixture) fixture = new_behaving ();
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) with = wire_fixture_context (60000, broker, NULL);
  g_autoptr (ReeveContext) without = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveToolResult) asked = call_with (fixture, "ask", with, &error);
  g_autoptr (ReeveToolResult) kept = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (reeve_tool_result_get_text (asked), ==, "{\"word\":\"échø\\n\"}");
  g_assert_nonnull (reeve_tool_result_get_data (asked));
  g_assert_null (call_with (fixture, "ask", without, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  kept = call_with (fixture, "keep", with, &error);
  g_assert_no_error (error);
  /* another call has the capability; the one that is over has not */
  g_assert_null (call_with (fixture, "ask-kept", with, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_assert_nonnull (strstr (error->message, "is not under way"));
}

static void
test_http (void)
{
  static const char *const names[] = { "send-none", "send-much" };
  g_autoptr (WireFixture) fixture = new_behaving ();
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) with = wire_fixture_context (60000, broker, NULL);
  g_autoptr (ReeveContext) without = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (ReeveToolResult) result = call_with (fixture, names[i], with, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (reeve_tool_result_get_text (result), ==,
                       "207 PUT https://host.example/a X-One,1,Content-Type,text/plain 1234 0 1");
    }
  g_assert_null (call_with (fixture, "send-much", without, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  g_assert_null (call_with (fixture, "send-too-much", with, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
  assert_answers (fixture);
}

static void
test_errors (void)
{
  g_autoptr (WireFixture) fixture = new_behaving ();
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (call_with (fixture, "limited", context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED);
  g_assert_cmpstr (error->message, ==, "slow down");
  g_assert_cmpuint (reeve_error_get_wait (error), ==, 17);
  g_clear_error (&error);
  g_assert_null (call_with (fixture, "large", context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
  assert_answers (fixture);
}

typedef struct
{
  WireFixture *fixture;
  const char *name;
  ReeveContext *context;
  GError *error;
} Background;

static gpointer
call_in_background (gpointer data)
{
  Background *self = data;

  g_assert_null (call_with (self->fixture, self->name, self->context, &self->error));
  return NULL;
}

/* (transfer full): how the call ends that is cancelled once the plugin is in it */
static GError *
cancel_in_the_middle (WireFixture *fixture, const char *name, guint ms)
{
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveContext) context = wire_fixture_context (ms, broker, cancellable);
  Background background = { fixture, name, context, NULL };
  GThread *thread = g_thread_new ("call", call_in_background, &background);

  test_broker_wait (TEST_BROKER (broker), 1);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  return background.error;
}

static void
test_cancelled (void)
{
  g_autoptr (WireFixture) fixture = new_behaving ();
  g_autoptr (GError) error = cancel_in_the_middle (fixture, "sleep", 60000);

  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  assert_answers (fixture);
  g_assert_false (reeve_wire_has_ended (fixture->wire, NULL));
}

static void
test_deadline (void)
{
  g_autoptr (WireFixture) fixture = new_behaving ();
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (100, broker, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (call_with (fixture, "sleep", context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  assert_answers (fixture);
}

/* What does not end behind its deadline is ended, and what else is under way fails with it. */
static void
test_hang (void)
{
  g_autoptr (WireFixture) fixture = new_behaving ();
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
  Background other = { fixture, "sleep", context, NULL };
  GThread *thread = g_thread_new ("call", call_in_background, &other);
  g_autoptr (GError) error = NULL;

  test_broker_wait (TEST_BROKER (broker), 1);
  /* until it got there before its deadline */
  for (guint ms = 200; !test_broker_has (TEST_BROKER (broker), 2); ms *= 2)
    {
      g_autoptr (ReeveContext) late = wire_fixture_context (ms, broker, NULL);

      g_clear_error (&error);
      g_assert_null (call_with (fixture, "hang", late, &error));
      if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_PLUGIN))
        break;
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
    }
  g_thread_join (thread);
  g_assert_error (other.error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_nonnull (
      strstr (other.error->message, "a call of Call did not end behind its deadline"));
  g_clear_error (&other.error);
  g_clear_error (&error);
  g_assert_null (call_with (fixture, "who", context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
}

static void
check_death (const char *name, const char *text)
{
  g_autoptr (WireFixture) fixture = new_behaving ();
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (call_with (fixture, name, context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  if (strstr (error->message, text) == NULL)
    g_error ("%s: %s", name, error->message);
  g_assert_true (reeve_wire_has_ended (fixture->wire, NULL));
}

static void
test_deaths (void)
{
  check_death ("crash", "plugin wire: its runner was killed by signal 4 (");
  check_death ("exit", "plugin wire: its runner ended by itself, with code 7");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/tool/strict", test_tool_strict);
  g_test_add_func ("/wire/tool/hardened", test_tool_hardened);
  g_test_add_func ("/wire/context", test_context);
  g_test_add_func ("/wire/broker", test_broker_of_a_call);
  g_test_add_func ("/wire/http", test_http);
  g_test_add_func ("/wire/errors", test_errors);
  g_test_add_func ("/wire/cancelled", test_cancelled);
  g_test_add_func ("/wire/deadline", test_deadline);
  g_test_add_func ("/wire/hang", test_hang);
  g_test_add_func ("/wire/deaths", test_deaths);
  return g_test_run ();
}
