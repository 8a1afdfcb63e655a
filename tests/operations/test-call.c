/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call carries events and its answer from any thread to the door, in order, once. */
#include "operations/call-private.h"
#include "operations/call-trace.h"

static const ReeveOperation operation = { .name = "test.call", .success_status = 200 };

typedef struct
{
  GMainLoop *loop;
  GThread *thread; /* where it must be called */
  GString *seen;
  guint done;
} Door;

static void
on_event (ReeveCall *call, const char *event, JsonNode *data, GBytes *raw, gpointer user_data)
{
  Door *door = user_data;

  g_assert_true (g_thread_self () == door->thread);
  if (raw != NULL)
    g_string_append_len (door->seen, g_bytes_get_data (raw, NULL), (gssize) g_bytes_get_size (raw));
  else
    g_string_append_printf (door->seen, "%s%d ", event, (int) json_node_get_int (data));
}

static void
on_done (ReeveCall *call, gpointer user_data)
{
  Door *door = user_data;

  g_assert_true (g_thread_self () == door->thread);
  g_string_append (door->seen, "end");
  door->done++;
  if (door->loop != NULL)
    g_main_loop_quit (door->loop);
}

static JsonNode *
number (gint64 value)
{
  return json_node_init_int (json_node_alloc (), value);
}

static gpointer
emit_from_thread (gpointer data)
{
  ReeveCall *call = data;

  for (int i = 0; i < 1000; i++)
    reeve_call_emit (call, "e", number (i));
  reeve_call_complete_stream (call);
  reeve_call_unref (call);
  return NULL;
}

static void
test_threads (void)
{
  Door door = { .thread = g_thread_self (), .seen = g_string_new (NULL) };
  g_autoptr (GString) expected = g_string_new (NULL);
  ReeveCall *call = reeve_call_new (&operation, NULL, "test");
  GThread *thread = NULL;

  door.loop = g_main_loop_new (NULL, FALSE);
  reeve_call_set_done (call, on_done, on_event, &door, NULL);
  thread = g_thread_new ("emitter", emit_from_thread, reeve_call_ref (call));
  reeve_call_unref (call);
  g_main_loop_run (door.loop);
  g_thread_join (thread);
  for (int i = 0; i < 1000; i++)
    g_string_append_printf (expected, "e%d ", i);
  g_string_append (expected, "end");
  g_assert_cmpstr (door.seen->str, ==, expected->str);
  g_assert_cmpuint (door.done, ==, 1);
  g_string_free (door.seen, TRUE);
  g_main_loop_unref (door.loop);
}

/* On the door's own thread the answer is there when complete returns. */
static void
test_at_once (void)
{
  Door door = { .thread = g_thread_self (), .seen = g_string_new (NULL) };
  g_autoptr (ReeveCall) call = reeve_call_new (&operation, NULL, "test");
  g_autoptr (GBytes) raw = g_bytes_new_static ("raw ", 4);

  g_assert_true (g_main_context_acquire (NULL));
  reeve_call_set_done (call, on_done, on_event, &door, NULL);
  reeve_call_emit_raw (call, raw);
  reeve_call_emit (call, "e", number (1));
  reeve_call_complete (call, 0, number (2));
  g_assert_cmpstr (door.seen->str, ==, "raw e1 end");
  g_assert_true (reeve_call_is_stream (call));
  g_assert_cmpuint (reeve_call_get_status (call), ==, 200);
  reeve_call_emit (call, "late", number (1));
  g_assert_cmpstr (door.seen->str, ==, "raw e1 end");
  g_main_context_release (NULL);
  g_string_free (door.seen, TRUE);
}

/* where a call stands, and what it passes on where nothing is recorded */
static void
test_trace (void)
{
  static const char shown[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  g_autoptr (ReeveCall) own = reeve_call_new (&operation, NULL, "test");
  g_autoptr (ReeveCall) call = reeve_call_new (&operation, NULL, "test");
  ReeveContextInfo info = { 0 };

  reeve_call_trace_set (own, "ff-x", "a=1");
  g_assert_true (reeve_call_trace_get_onward (own) == reeve_call_trace_get (own));
  reeve_call_trace_describe (own, &info);
  g_assert_null (info.tracestate);
  g_assert_true (g_str_has_prefix (info.traceparent + 3, info.trace_id));
  g_assert_true (g_str_has_suffix (info.traceparent, "-02"));
  reeve_call_trace_set (call, shown, "a=1,b=2");
  g_assert_cmpstr (reeve_call_get_trace_id (call), ==, "4bf92f3577b34da6a3ce929d0e0e4736");
  g_assert_cmpstr (reeve_call_trace_get (call)->span_id, !=, "00f067aa0ba902b7");
  reeve_call_trace_describe (call, &info);
  g_assert_cmpstr (info.traceparent, ==, shown);
  g_assert_cmpstr (info.tracestate, ==, "a=1,b=2");
}

static void
test_query (void)
{
  g_autoptr (ReeveCall) call = reeve_call_new (&operation, NULL, "test");

  reeve_call_set_query_member (call, "a", "1");
  g_assert_null (call->repeated);
  reeve_call_set_query_member (call, "a", "2");
  g_assert_cmpstr (call->repeated, ==, "a");
  g_assert_cmpstr (json_object_get_string_member (call->given, "a"), ==, "1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/call/threads", test_threads);
  g_test_add_func ("/call/at-once", test_at_once);
  g_test_add_func ("/call/trace", test_trace);
  g_test_add_func ("/call/query", test_query);
  return g_test_run ();
}
