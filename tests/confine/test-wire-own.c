/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose thread does what: a call's own answers what is asked in it and ends with it, and nothing
 * that may last; one that asks in a runner reads for all that run there. */
#include "test-broker.h"
#include "wire-fixture.h"

#define CALLS 6

/* @limits: (nullable): the usual */
static WireFixture *
new_fixture (const ReeveWireLimits *limits)
{
  g_autofree char *module = wire_fixture_get_path ("wire-plugin.so");
  WireFixture *fixture = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, NULL, NULL, NULL);

  wire_fixture_start (fixture, RUNNER_LAYERS_PROFILE_STRICT, module, NULL, limits);
  g_assert_no_error (fixture->error);
  g_assert_true (wire_fixture_set_up (fixture, 0, "{}"));
  return fixture;
}

typedef struct
{
  WireFixture *fixture;
  const char *name;
  GCancellable *cancellable;
  ReeveBroker *broker;
  GError *error;
  gboolean here; /* its own thread answered */
  GThread *thread;
} Call;

static gpointer
call_run (gpointer data)
{
  Call *self = data;
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, self->broker, self->cancellable);
  g_autoptr (JsonNode) none = wire_fixture_json ("{}");
  g_autoptr (ReeveToolResult) result
      = reeve_tool_call (REEVE_TOOL (self->fixture->plugin), self->name,
                         json_node_get_object (none), context, &self->error);

  self->here = test_broker_was_here (TEST_BROKER (self->broker));
  return NULL;
}

/* What may last has a worker: whoever waits for the call is told at its deadline. */
static void
test_thread (void)
{
  g_autoptr (WireFixture) fixture = new_fixture (NULL);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  guint here = 0;

  for (guint i = 0; i < 100; i++)
    {
      Call brief = { .fixture = fixture, .name = "clock", .broker = broker };
      Call lasting = { .fixture = fixture, .name = "ask", .broker = broker };

      call_run (&brief);
      g_assert_no_error (brief.error);
      here += brief.here;
      call_run (&lasting);
      g_assert_no_error (lasting.error);
      g_assert_false (lasting.here);
    }
  /* where the gate read it, a worker answered */
  g_assert_cmpuint (here, >, 0);
}

/* While one waits for its answer, and reads, others are begun, ask too and end. */
static void
test_others (void)
{
  g_autoptr (WireFixture) fixture = new_fixture (NULL);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  Call calls[CALLS] = { 0 };

  test_broker_hold (TEST_BROKER (broker), CALLS);
  for (guint i = 0; i < CALLS; i++)
    {
      Call brief = { .fixture = fixture, .name = "clock", .broker = broker };
      Call plain = { .fixture = fixture, .name = "who", .broker = broker };

      calls[i] = (Call){ .fixture = fixture, .name = "ask", .broker = broker };
      calls[i].thread = g_thread_new ("call", call_run, &calls[i]);
      test_broker_wait_echoes (TEST_BROKER (broker), i + 1);
      call_run (&brief);
      g_assert_no_error (brief.error);
      call_run (&plain);
      g_assert_no_error (plain.error);
    }
  for (guint i = 0; i < CALLS; i++)
    {
      g_thread_join (calls[i].thread);
      g_assert_no_error (calls[i].error);
    }
}

/* That nobody waits any more is read by the one whose call it is, and who ends: until then there is
 * no place for another. */
static void
test_cancelled (void)
{
  const ReeveWireLimits limits = { .calls = 1 };
  g_autoptr (WireFixture) fixture = new_fixture (&limits);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Call held = { .fixture = fixture, .name = "ask", .broker = broker, .cancellable = cancellable };
  Call next = { .fixture = fixture, .name = "who", .broker = broker };
  gint64 end = g_get_monotonic_time () + WIRE_FIXTURE_WAIT_US / 2;

  test_broker_hold (TEST_BROKER (broker), CALLS);
  held.thread = g_thread_new ("call", call_run, &held);
  test_broker_wait_echoes (TEST_BROKER (broker), 1);
  g_cancellable_cancel (cancellable);
  g_thread_join (held.thread);
  g_assert_error (held.error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_clear_error (&held.error);
  do
    {
      g_clear_error (&next.error);
      call_run (&next);
    }
  while (g_error_matches (next.error, REEVE_ERROR, REEVE_ERROR_BUSY)
         && g_get_monotonic_time () < end);
  g_assert_no_error (next.error);
  /* its answer is for nobody */
  test_broker_release (TEST_BROKER (broker));
}

/* What a tool was told and hands on is what the host has; all else is what the tool says. */
static void
test_handed_on (void)
{
  g_autoptr (WireFixture) fixture = new_fixture (NULL);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
  g_autoptr (JsonNode) none = wire_fixture_json ("{}");
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveToolResult) same = reeve_tool_call (REEVE_TOOL (fixture->plugin), "ask",
                                                      json_node_get_object (none), context, &error);
  g_autoptr (ReeveToolResult) other = NULL;
  JsonNode *data = NULL;

  g_assert_no_error (error);
  g_assert_true (reeve_tool_result_get_data (same) == test_broker_get_last (TEST_BROKER (broker)));
  other = reeve_tool_call (REEVE_TOOL (fixture->plugin), "ask-and-change",
                           json_node_get_object (none), context, &error);
  g_assert_no_error (error);
  data = reeve_tool_result_get_data (other);
  g_assert_cmpstr (reeve_json_get_string (json_node_get_object (data), "word", ""), ==, "échØ\n");
}

/* Of two answers that are under way together neither side takes the other one for the last. */
static void
test_handed_on_together (void)
{
  g_autoptr (WireFixture) fixture = new_fixture (NULL);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
  g_autoptr (JsonNode) none = wire_fixture_json ("{}");

  test_broker_hold (TEST_BROKER (broker), 2);
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveToolResult) result = reeve_tool_call (
          REEVE_TOOL (fixture->plugin), "ask-two", json_node_get_object (none), context, &error);
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      text = reeve_json_text (reeve_tool_result_get_data (result));
      g_assert_cmpstr (text, ==, reeve_tool_result_get_text (result));
      g_assert_cmpstr (text, ==, "{\"number\":0}");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/own/thread", test_thread);
  g_test_add_func ("/wire/own/others", test_others);
  g_test_add_func ("/wire/own/cancelled", test_cancelled);
  g_test_add_func ("/wire/own/handed-on", test_handed_on);
  g_test_add_func ("/wire/own/handed-on-together", test_handed_on_together);
  return g_test_run ();
}
