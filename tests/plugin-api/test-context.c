/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveContext: what it is made of, when it refuses, and that nothing reaches a broker after its
 * end. */
#include "fake-plugin.h"

#include <unistd.h>

static ReeveContextInfo
test_context_info (gint64 deadline)
{
  static const char *const roles[] = { "operator", "viewer", NULL };
  static const char *const labels[] = { "internal", NULL };
  static const char *const workspaces[] = { "", "wsp_1", NULL };
  ReeveContextInfo info = {
    .struct_size = sizeof info,
    .tenant_id = "acme",
    .user_id = "usr_1",
    .agent_id = "agt_1",
    .run_id = "run_1",
    .trace_id = "0123456789abcdef0123456789abcdef",
    .deadline = deadline,
    .roles = roles,
    .labels = labels,
    .workspaces = workspaces,
  };

  return info;
}

static void
test_context_members (void)
{
  ReeveContextInfo info = test_context_info (0);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveContext) context = NULL;
  char tenant[] = "acme";

  info.tenant_id = tenant;
  context = reeve_context_new (&info, NULL, cancellable);
  tenant[0] = 'X';
  g_assert_cmpstr (reeve_context_get_tenant_id (context), ==, "acme");
  g_assert_cmpstr (reeve_context_get_user_id (context), ==, "usr_1");
  g_assert_cmpstr (reeve_context_get_agent_id (context), ==, "agt_1");
  g_assert_cmpstr (reeve_context_get_run_id (context), ==, "run_1");
  g_assert_cmpstr (reeve_context_get_trace_id (context), ==, "0123456789abcdef0123456789abcdef");
  g_assert_cmpint (reeve_context_get_deadline (context), ==, 0);
  g_assert_cmpstrv (reeve_context_get_roles (context), info.roles);
  g_assert_cmpstrv (reeve_context_get_labels (context), info.labels);
  g_assert_cmpstrv (reeve_context_get_workspaces (context), info.workspaces);
  g_assert_true (reeve_context_get_cancellable (context) == cancellable);
}

static void
test_context_empty (void)
{
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_context_get_tenant_id (context));
  g_assert_null (reeve_context_get_user_id (context));
  g_assert_null (reeve_context_get_agent_id (context));
  g_assert_null (reeve_context_get_run_id (context));
  g_assert_null (reeve_context_get_trace_id (context));
  g_assert_null (reeve_context_get_cancellable (context));
  g_assert_null (reeve_context_get_roles (context)[0]);
  g_assert_null (reeve_context_get_labels (context)[0]);
  g_assert_null (reeve_context_get_workspaces (context));
  g_assert_true (reeve_context_check (context, &error));
  g_assert_no_error (error);
}

/* a caller that was built when the structure was shorter */
static void
test_context_older_info (void)
{
  ReeveContextInfo info = test_context_info (0);
  g_autoptr (ReeveContext) context = NULL;

  info.struct_size = G_STRUCT_OFFSET (ReeveContextInfo, run_id);
  context = reeve_context_new (&info, NULL, NULL);
  g_assert_cmpstr (reeve_context_get_agent_id (context), ==, "agt_1");
  g_assert_null (reeve_context_get_run_id (context));
  g_assert_null (reeve_context_get_roles (context)[0]);
}

/* a caller that was built when the structure was longer */
static void
test_context_newer_info (void)
{
  struct
  {
    ReeveContextInfo info;
    gpointer more;
  } newer = { .info = test_context_info (0) };
  g_autoptr (ReeveContext) context = NULL;

  newer.info.struct_size = sizeof newer;
  context = reeve_context_new (&newer.info, NULL, NULL);
  g_assert_cmpstr (reeve_context_get_run_id (context), ==, "run_1");
}

static void
test_context_no_broker (void)
{
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, NULL, NULL);
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", "http://localhost/");
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_context_call (context, "knowledge.search", NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_assert_nonnull (strstr (error->message, "knowledge.search"));
  g_clear_error (&error);
  g_assert_null (reeve_context_http (context, request, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  g_assert_null (reeve_context_transfer (context, "fs.read", NULL, NULL, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_assert_nonnull (strstr (error->message, "fs.read"));
  g_clear_error (&error);
  g_assert_cmpint (reeve_context_tcp (context, "db.example", 5432, &error), ==, -1);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
}

static void
test_context_bare_broker (void)
{
  g_autoptr (FakeBare) bare = fake_bare_new ();
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, REEVE_BROKER (bare), NULL);
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", "http://localhost/");
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_context_call (context, "clock", NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  g_assert_null (reeve_context_http (context, request, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  g_assert_null (reeve_context_transfer (context, "fs.read", NULL, NULL, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  g_assert_cmpint (reeve_context_tcp (context, "db.example", 5432, &error), ==, -1);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
}

static void
test_context_tcp (void)
{
  g_autoptr (FakePlugin) broker = fake_plugin_new (FAKE_GOOD);
  g_autoptr (FakePlugin) bad = fake_plugin_new (FAKE_SILENT);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, REEVE_BROKER (broker), NULL);
  g_autoptr (ReeveContext) failing = reeve_context_new (NULL, REEVE_BROKER (bad), NULL);
  g_autoptr (ReeveContext) given_up = reeve_context_new (NULL, REEVE_BROKER (broker), cancellable);
  g_autoptr (GError) error = NULL;
  int fd = reeve_context_tcp (context, "db.example", 5432, &error);

  g_assert_no_error (error);
  g_assert_cmpint (fd, >=, 0);
  close (fd);
  g_assert_cmpint (reeve_context_tcp (failing, "db.example", 5432, &error), ==, -1);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_clear_error (&error);
  g_cancellable_cancel (cancellable);
  g_assert_cmpint (reeve_context_tcp (given_up, "db.example", 5432, &error), ==, -1);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
}

static void
test_context_transfer (void)
{
  g_autoptr (FakePlugin) broker = fake_plugin_new (FAKE_GOOD);
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, REEVE_BROKER (broker), NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveContext) given_up = reeve_context_new (NULL, REEVE_BROKER (broker), cancellable);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("some", 4);
  g_autoptr (GBytes) content = NULL;
  g_autoptr (GBytes) again = NULL;
  g_autoptr (JsonNode) answer = NULL;
  g_autoptr (GError) error = NULL;

  content = reeve_context_transfer (context, "fs.read", NULL, bytes, &answer, &error);
  g_assert_no_error (error);
  g_assert_true (content != NULL && g_bytes_equal (content, bytes));
  g_assert_true (answer != NULL && json_node_is_immutable (answer));
  g_assert_true (JSON_NODE_HOLDS_OBJECT (fake_plugin_get_params (broker)));
  /* who does not want the answer gets the bytes all the same */
  again = reeve_context_transfer (context, "fs.read", NULL, bytes, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (again != NULL && g_bytes_equal (again, bytes));
  g_cancellable_cancel (cancellable);
  g_assert_null (reeve_context_transfer (given_up, "fs.read", NULL, bytes, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
}

static void
test_context_call (void)
{
  g_autoptr (FakePlugin) broker = fake_plugin_new (FAKE_GOOD);
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, REEVE_BROKER (broker), NULL);
  g_autoptr (JsonNode) params = reeve_json_parse_strict ("{\"query\":\"x\"}", 13, NULL);
  g_autoptr (JsonNode) result = NULL;
  g_autoptr (JsonNode) other = NULL;
  g_autoptr (GError) error = NULL;

  result = reeve_context_call (context, "knowledge.search", params, &error);
  g_assert_no_error (error);
  g_assert_true (JSON_NODE_HOLDS_OBJECT (result) && json_node_is_immutable (result));
  g_assert_true (fake_plugin_get_params (broker) == params && json_node_is_immutable (params));

  other = reeve_context_call (context, "clock", NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (other);
  g_assert_true (JSON_NODE_HOLDS_OBJECT (fake_plugin_get_params (broker)));
  g_assert_cmpuint (json_object_get_size (json_node_get_object (fake_plugin_get_params (broker))),
                    ==, 0);
}

static void
test_context_broker_errors (void)
{
  g_autoptr (FakePlugin) broker = fake_plugin_new (FAKE_FAIL);
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, REEVE_BROKER (broker), NULL);
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", "http://localhost/");
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_context_call (context, "clock", NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
  g_clear_error (&error);
  g_assert_null (reeve_context_http (context, request, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
  g_clear_error (&error);

  fake_plugin_set_manner (broker, FAKE_SILENT);
  g_assert_null (reeve_context_call (context, "clock", NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_clear_error (&error);
  g_assert_null (reeve_context_http (context, request, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_clear_error (&error);
  g_assert_null (reeve_context_call (context, "clock", NULL, NULL));

  fake_plugin_set_manner (broker, FAKE_GOOD);
  response = reeve_context_http (context, request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reeve_http_response_get_status (response), ==, 204);
}

static void
test_context_cancelled (void)
{
  g_autoptr (FakePlugin) broker = fake_plugin_new (FAKE_GOOD);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, REEVE_BROKER (broker), cancellable);
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", "http://localhost/");
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_context_check (context, NULL));
  g_cancellable_cancel (cancellable);
  g_assert_false (reeve_context_check (context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (reeve_context_call (context, "clock", NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (reeve_context_http (context, request, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_assert_cmpuint (fake_plugin_get_calls (broker), ==, 0);
}

static void
test_context_deadline (void)
{
  ReeveContextInfo past = test_context_info (g_get_monotonic_time ());
  ReeveContextInfo future = test_context_info (g_get_monotonic_time () + 60 * G_USEC_PER_SEC);
  g_autoptr (FakePlugin) broker = fake_plugin_new (FAKE_GOOD);
  g_autoptr (ReeveContext) late = reeve_context_new (&past, REEVE_BROKER (broker), NULL);
  g_autoptr (ReeveContext) early = reeve_context_new (&future, REEVE_BROKER (broker), NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_context_check (early, &error));
  g_assert_no_error (error);
  g_assert_cmpint (reeve_context_get_deadline (early), ==, future.deadline);
  g_assert_false (reeve_context_check (late, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  g_clear_error (&error);
  g_assert_null (reeve_context_call (late, "clock", NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  g_assert_cmpuint (fake_plugin_get_calls (broker), ==, 0);
}

/* A context lets go of what it holds. */
static void
test_context_references (void)
{
  FakePlugin *broker = fake_plugin_new (FAKE_GOOD);
  GCancellable *cancellable = g_cancellable_new ();
  ReeveContext *context = reeve_context_new (NULL, REEVE_BROKER (broker), cancellable);

  g_object_add_weak_pointer (G_OBJECT (broker), (gpointer *) &broker);
  g_object_add_weak_pointer (G_OBJECT (cancellable), (gpointer *) &cancellable);
  g_object_unref (broker);
  g_object_unref (cancellable);
  g_assert_nonnull (broker);
  g_assert_nonnull (cancellable);
  g_object_unref (context);
  g_assert_null (broker);
  g_assert_null (cancellable);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/context/members", test_context_members);
  g_test_add_func ("/context/empty", test_context_empty);
  g_test_add_func ("/context/older-info", test_context_older_info);
  g_test_add_func ("/context/newer-info", test_context_newer_info);
  g_test_add_func ("/context/no-broker", test_context_no_broker);
  g_test_add_func ("/context/bare-broker", test_context_bare_broker);
  g_test_add_func ("/context/call", test_context_call);
  g_test_add_func ("/context/tcp", test_context_tcp);
  g_test_add_func ("/context/transfer", test_context_transfer);
  g_test_add_func ("/context/broker-errors", test_context_broker_errors);
  g_test_add_func ("/context/cancelled", test_context_cancelled);
  g_test_add_func ("/context/deadline", test_context_deadline);
  g_test_add_func ("/context/references", test_context_references);
  return g_test_run ();
}
