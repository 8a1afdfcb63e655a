/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tool-http: what it asks of the host and what it tells the model. */
#include <reeve-plugin-1.h>
#include <string.h>

extern const ReevePluginDescriptor reeve_plugin_descriptor;

#define FAKE_TYPE_BROKER (fake_broker_get_type ())
G_DECLARE_FINAL_TYPE (FakeBroker, fake_broker, FAKE, BROKER, GObject)

/* Answers with what it is given, and keeps the last request. */
struct _FakeBroker
{
  GObject parent_instance;
  ReeveHttpRequest *request;
  ReeveHttpResponse *response;
  int code; /* of an error, when there is no response */
};

static void fake_broker_iface_init (ReeveBrokerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeBroker, fake_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, fake_broker_iface_init))

static ReeveHttpResponse *
fake_broker_http (ReeveBroker *broker, ReeveContext *context, ReeveHttpRequest *request,
                  GError **error)
{
  FakeBroker *self = FAKE_BROKER (broker);

  g_clear_pointer (&self->request, reeve_http_request_unref);
  self->request = reeve_http_request_ref (request);
  if (self->response != NULL)
    return reeve_http_response_ref (self->response);
  g_set_error_literal (error, REEVE_ERROR, self->code, "the host says no");
  return NULL;
}

static void
fake_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->http = fake_broker_http;
}

static void
fake_broker_finalize (GObject *object)
{
  g_clear_pointer (&FAKE_BROKER (object)->request, reeve_http_request_unref);
  g_clear_pointer (&FAKE_BROKER (object)->response, reeve_http_response_unref);
  G_OBJECT_CLASS (fake_broker_parent_class)->finalize (object);
}

static void
fake_broker_class_init (FakeBrokerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_broker_finalize;
}

static void
fake_broker_init (FakeBroker *self)
{
}

typedef struct
{
  FakeBroker *broker;
  ReeveContext *context;
  ReevePlugin *plugin;
  GError *error;
} World;

static void
setup (World *self, gconstpointer data)
{
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (JsonNode) settings = json_from_string (data, NULL);

  self->broker = g_object_new (FAKE_TYPE_BROKER, NULL);
  self->context = reeve_context_new (&info, REEVE_BROKER (self->broker), NULL);
  self->plugin = g_object_new (reeve_plugin_descriptor.query_types ()[0], NULL);
  g_assert_true (
      reeve_plugin_setup (self->plugin, json_node_get_object (settings), self->context, NULL));
}

static void
teardown (World *self, gconstpointer data)
{
  g_clear_object (&self->plugin);
  g_clear_object (&self->context);
  g_clear_object (&self->broker);
  g_clear_error (&self->error);
}

static ReeveToolResult *
call (World *self, const char *arguments)
{
  g_autoptr (JsonNode) node = json_from_string (arguments, NULL);

  g_clear_error (&self->error);
  return reeve_tool_call (REEVE_TOOL (self->plugin), "http_request", json_node_get_object (node),
                          self->context, &self->error);
}

static void
answer (World *self, guint status, const char *body, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (body, length);

  g_clear_pointer (&self->broker->response, reeve_http_response_unref);
  self->broker->response = reeve_http_response_new (status);
  reeve_http_response_add_header (self->broker->response, "Content-Type", "text/plain");
  reeve_http_response_add_header (self->broker->response, "Set-Cookie", "session=1");
  reeve_http_response_set_body (self->broker->response, bytes);
}

static void
test_request (World *world, gconstpointer data)
{
  g_autoptr (ReeveToolResult) posted = NULL;
  g_autoptr (ReeveToolResult) got = NULL;
  const char *const *headers = NULL;
  JsonObject *result = NULL;

  answer (world, 201, "made", 4);
  posted = call (world, "{\"url\":\"http://a.example/"
                        "x\",\"method\":\"POST\",\"headers\":{\"X-A\":\"b\"},\"body\":\"{}\"}");
  g_assert_no_error (world->error);
  g_assert_cmpstr (reeve_http_request_get_method (world->broker->request), ==, "POST");
  g_assert_cmpstr (reeve_http_request_get_url (world->broker->request), ==, "http://a.example/x");
  g_assert_false (reeve_http_request_get_idempotent (world->broker->request));
  g_assert_cmpuint (reeve_http_request_get_timeout_ms (world->broker->request), ==, 30000);
  headers = reeve_http_request_get_headers (world->broker->request);
  g_assert_cmpstr (headers[0], ==, "X-A");
  g_assert_cmpstr (headers[2], ==, "Content-Type");
  g_assert_cmpstr (headers[3], ==, "application/json");
  g_assert_cmpstr (reeve_tool_result_get_text (posted), ==,
                   "HTTP 201\nContent-Type: text/plain\n\nmade");
  g_assert_false (reeve_tool_result_get_is_error (posted));
  result = json_node_get_object (reeve_tool_result_get_data (posted));
  g_assert_cmpint (json_object_get_int_member (result, "status"), ==, 201);
  g_assert_false (
      json_object_has_member (json_object_get_object_member (result, "headers"), "set-cookie"));
  got = call (world, "{\"url\":\"http://a.example/\"}");
  g_assert_cmpstr (reeve_http_request_get_method (world->broker->request), ==, "GET");
  g_assert_true (reeve_http_request_get_idempotent (world->broker->request));
}

static void
test_text (World *world, gconstpointer data)
{
  g_autofree char *much = g_strnfill (300, 'x');
  g_autofree char *wide = NULL;
  g_autoptr (GString) umlauts = g_string_new ("x");
  g_autoptr (ReeveToolResult) cut = NULL;
  g_autoptr (ReeveToolResult) whole = NULL;
  g_autoptr (ReeveToolResult) binary = NULL;
  g_autoptr (ReeveToolResult) empty = NULL;

  answer (world, 200, much, 300);
  cut = call (world, "{\"url\":\"http://a.example/\"}");
  g_assert_nonnull (strstr (reeve_tool_result_get_text (cut), "(cut here"));
  /* cut in the middle of a letter */
  for (guint i = 0; i < 200; i++)
    g_string_append (umlauts, "\xc3\xa4");
  answer (world, 200, umlauts->str, umlauts->len);
  whole = call (world, "{\"url\":\"http://a.example/\"}");
  g_assert_true (g_utf8_validate (reeve_tool_result_get_text (whole), -1, NULL));
  g_assert_nonnull (strstr (reeve_tool_result_get_text (whole), "(cut here"));
  answer (world, 200, "\xff\xfe\x00\x01", 4);
  binary = call (world, "{\"url\":\"http://a.example/\"}");
  g_assert_nonnull (
      strstr (reeve_tool_result_get_text (binary), "(4 bytes that are not UTF-8 text)"));
  answer (world, 404, "", 0);
  empty = call (world, "{\"url\":\"http://a.example/\"}");
  g_assert_true (g_str_has_prefix (reeve_tool_result_get_text (empty), "HTTP 404\n"));
  g_assert_false (reeve_tool_result_get_is_error (empty));
}

/* The model reads what it can mend; what nobody knows ends the call. */
static void
test_errors (World *world, gconstpointer data)
{
  static const int told[] = { REEVE_ERROR_PERMISSION_DENIED, REEVE_ERROR_INVALID_ARGUMENT,
                              REEVE_ERROR_UNAVAILABLE, REEVE_ERROR_TOO_LARGE };
  static const int raised[] = { REEVE_ERROR_UNKNOWN_OUTCOME, REEVE_ERROR_TIMEOUT,
                                REEVE_ERROR_CANCELLED, REEVE_ERROR_CAPABILITY };

  for (guint i = 0; i < G_N_ELEMENTS (told); i++)
    {
      g_autoptr (ReeveToolResult) result = NULL;

      world->broker->code = told[i];
      result = call (world, "{\"url\":\"http://a.example/\"}");
      g_assert_no_error (world->error);
      g_assert_true (reeve_tool_result_get_is_error (result));
      g_assert_cmpstr (reeve_tool_result_get_text (result), ==, "the host says no");
    }
  for (guint i = 0; i < G_N_ELEMENTS (raised); i++)
    {
      world->broker->code = raised[i];
      g_assert_null (call (world, "{\"url\":\"http://a.example/\"}"));
      g_assert_error (world->error, REEVE_ERROR, raised[i]);
    }
}

static void
test_methods (World *world, gconstpointer data)
{
  g_autoptr (ReeveToolResult) result = NULL;
  g_autoptr (GPtrArray) list = reeve_tool_list (REEVE_TOOL (world->plugin), world->context, NULL);
  g_autofree char *schema
      = reeve_json_canonical (reeve_tool_info_get_parameters (g_ptr_array_index (list, 0)));

  g_assert_nonnull (strstr (schema, "\"enum\":[\"HEAD\"]"));
  result = call (world, "{\"url\":\"http://a.example/\",\"method\":\"GET\"}");
  g_assert_true (reeve_tool_result_get_is_error (result));
  g_assert_null (world->broker->request);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/http-tool/request", World, "{}", setup, test_request, teardown);
  g_test_add ("/http-tool/text", World, "{\"max_text_bytes\":256}", setup, test_text, teardown);
  g_test_add ("/http-tool/errors", World, "{}", setup, test_errors, teardown);
  g_test_add ("/http-tool/methods", World, "{\"methods\":[\"HEAD\"]}", setup, test_methods,
              teardown);
  return g_test_run ();
}
