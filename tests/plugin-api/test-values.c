/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The boxed values: members, defaults, bounds, references from many threads. */
#include <reeve-plugin-1.h>

#include <string.h>

static JsonNode *
test_values_json (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  return node;
}

static void
test_values_error_names (void)
{
  g_assert_cmpstr (reeve_error_get_name (REEVE_ERROR_FAILED), ==, "failed");
  g_assert_cmpstr (reeve_error_get_name (REEVE_ERROR_IDEMPOTENCY_MISMATCH), ==,
                   "idempotency_mismatch");
  g_assert_cmpstr (reeve_error_get_name (REEVE_ERROR_CAPABILITY_REVOKED + 1), ==, "failed");
  g_assert_cmpstr (reeve_error_get_name ((ReeveError) -1), ==, "failed");
  for (guint code = 0; code <= REEVE_ERROR_CAPABILITY_REVOKED; code++)
    {
      const char *name = reeve_error_get_name (code);

      g_assert_nonnull (name);
      g_assert_cmpuint (strspn (name, "abcdefghijklmnopqrstuvwxyz_"), ==, strlen (name));
      for (guint other = 0; other < code; other++)
        g_assert_cmpstr (name, !=, reeve_error_get_name (other));
    }
}

static void
test_values_error_member (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) copy = NULL;
  g_autoptr (GError) other = g_error_new_literal (G_FILE_ERROR, G_FILE_ERROR_NOENT, "gone");

  reeve_error_set_member (NULL, "/a", "%s", "nobody listens");
  reeve_error_prefix_member (NULL, "/a");
  reeve_error_prefix_member (&error, "/a");
  g_assert_no_error (error);
  g_assert_null (reeve_error_get_member (other));
  reeve_error_prefix_member (&other, "/a");
  g_assert_null (reeve_error_get_member (other));

  g_set_error_literal (&error, REEVE_ERROR, REEVE_ERROR_BUSY, "of no member");
  g_assert_null (reeve_error_get_member (error));
  reeve_error_prefix_member (&error, "/%s", "a");
  g_assert_cmpstr (reeve_error_get_member (error), ==, "/a");
  g_clear_error (&error);

  reeve_error_set_member (&error, "/2", "there is no role %s", "x");
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  reeve_error_prefix_member (&error, "/roles");
  g_prefix_error (&error, "making a user: ");
  copy = g_error_copy (error);
  g_clear_error (&error);
  g_propagate_prefixed_error (&error, g_steal_pointer (&copy), "and more: ");
  g_assert_cmpstr (error->message, ==, "and more: making a user: there is no role x");
  g_assert_cmpstr (reeve_error_get_member (error), ==, "/roles/2");
}

static void
test_values_sink_batch (void)
{
  g_autoptr (ReeveSinkBatch) batch = reeve_sink_batch_new ("acme");
  g_autoptr (ReeveSinkBatch) again = reeve_sink_batch_ref (batch);
  g_autoptr (GString) json = g_string_new ("[");

  g_assert_cmpuint (reeve_sink_batch_get_length (batch), ==, 0);
  reeve_sink_batch_add (batch, "acme/1", 5, 1, "{\"seq\":1}");
  reeve_sink_batch_add (batch, "acme/2", 6, 7, "CEF:0|\"x\\|");
  g_assert_cmpstr (reeve_sink_batch_get_scope (again), ==, "acme");
  g_assert_cmpuint (reeve_sink_batch_get_length (again), ==, 2);
  g_assert_cmpstr (reeve_sink_batch_get_id (again, 1), ==, "acme/2");
  g_assert_cmpint (reeve_sink_batch_get_time (again, 1), ==, 6);
  g_assert_cmpuint (reeve_sink_batch_get_severity (again, 1), ==, 7);
  g_assert_cmpstr (reeve_sink_batch_get_text (again, 0), ==, "{\"seq\":1}");
  reeve_sink_batch_append_json (again, 0, json);
  reeve_sink_batch_append_json (again, 1, json);
  g_assert_cmpstr (json->str, ==, "[{\"seq\":1}\"CEF:0|\\\"x\\\\|\"");
}

static void
test_values_sink_response (void)
{
  static const struct
  {
    guint status;
    ReeveError code;
  } cases[] = {
    { 400, REEVE_ERROR_INVALID_ARGUMENT },
    { 413, REEVE_ERROR_INVALID_ARGUMENT },
    { 422, REEVE_ERROR_INVALID_ARGUMENT },
    { 401, REEVE_ERROR_PERMISSION_DENIED },
    { 403, REEVE_ERROR_PERMISSION_DENIED },
    { 429, REEVE_ERROR_BUSY },
    { 503, REEVE_ERROR_BUSY },
    { 500, REEVE_ERROR_UPSTREAM },
    { 302, REEVE_ERROR_UPSTREAM },
  };
  g_autoptr (ReeveHttpResponse) good = reeve_http_response_new (202);
  g_autofree char *joined = reeve_sink_join_url ("http://h/a//", "/b");

  g_assert_cmpstr (joined, ==, "http://h/a/b");
  g_assert_null (reeve_sink_read_answer (good, NULL));
  g_assert_true (reeve_sink_check_response (good, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ReeveHttpResponse) response = reeve_http_response_new (cases[i].status);
      g_autoptr (GError) error = NULL;

      g_assert_false (reeve_sink_check_response (response, &error));
      g_assert_error (error, REEVE_ERROR, (gint) cases[i].code);
    }
}

static void
test_values_http_request (void)
{
  static const char *const expected[] = { "A", "1", "A", "2", "Content-Type", "text/plain", NULL };
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("POST", "http://h/");
  g_autoptr (GBytes) body = g_bytes_new_static ("x", 1);

  g_assert_cmpstr (reeve_http_request_get_method (request), ==, "POST");
  g_assert_cmpstr (reeve_http_request_get_url (request), ==, "http://h/");
  g_assert_null (reeve_http_request_get_headers (request)[0]);
  g_assert_null (reeve_http_request_get_body (request));
  g_assert_false (reeve_http_request_get_idempotent (request));
  g_assert_cmpuint (reeve_http_request_get_max_response (request), ==, 0);
  g_assert_cmpuint (reeve_http_request_get_timeout_ms (request), ==, 0);

  reeve_http_request_add_header (request, "A", "1");
  reeve_http_request_add_header (request, "A", "2");
  reeve_http_request_set_body (request, "text/plain", body);
  reeve_http_request_set_idempotent (request, TRUE);
  reeve_http_request_set_max_response (request, 7);
  reeve_http_request_set_timeout_ms (request, 8);
  g_assert_cmpstrv (reeve_http_request_get_headers (request), expected);
  g_assert_true (reeve_http_request_get_body (request) == body);
  g_assert_true (reeve_http_request_get_idempotent (request));
  g_assert_cmpuint (reeve_http_request_get_max_response (request), ==, 7);
  g_assert_cmpuint (reeve_http_request_get_timeout_ms (request), ==, 8);
  reeve_http_request_set_body (request, NULL, body);
  reeve_http_request_set_body (request, NULL, NULL);
  g_assert_null (reeve_http_request_get_body (request));
  g_assert_cmpstrv (reeve_http_request_get_headers (request), expected);
}

static void
test_values_http_response (void)
{
  static const char *const expected[] = { "Retry-After", "1", "retry-after", "2", NULL };
  g_autoptr (ReeveHttpResponse) response = reeve_http_response_new (429);
  g_autoptr (GBytes) body = g_bytes_new_static ("x", 1);

  g_assert_cmpuint (reeve_http_response_get_status (response), ==, 429);
  g_assert_null (reeve_http_response_get_header (response, "retry-after"));
  reeve_http_response_add_header (response, "Retry-After", "1");
  reeve_http_response_add_header (response, "retry-after", "2");
  g_assert_cmpstr (reeve_http_response_get_header (response, "RETRY-AFTER"), ==, "1");
  /* values are not names */
  g_assert_null (reeve_http_response_get_header (response, "1"));
  g_assert_cmpstrv (reeve_http_response_get_headers (response), expected);
  g_assert_null (reeve_http_response_get_body (response));
  reeve_http_response_set_body (response, body);
  reeve_http_response_set_body (response, body);
  g_assert_true (reeve_http_response_get_body (response) == body);
  reeve_http_response_set_body (response, NULL);
  g_assert_null (reeve_http_response_get_body (response));
}

static void
test_values_tool_info (void)
{
  g_autoptr (JsonNode) schema = test_values_json ("{\"type\":\"object\"}");
  g_autoptr (JsonNode) wrong = test_values_json ("[]");
  g_autoptr (ReeveToolInfo) info = reeve_tool_info_new (
      "calculate", "adds", schema, REEVE_TOOL_READ_ONLY | REEVE_TOOL_IDEMPOTENT);

  g_assert_cmpstr (reeve_tool_info_get_name (info), ==, "calculate");
  g_assert_cmpstr (reeve_tool_info_get_description (info), ==, "adds");
  g_assert_true (reeve_tool_info_get_parameters (info) == schema);
  g_assert_true (json_node_is_immutable (schema));
  g_assert_cmpint (reeve_tool_info_get_hints (info), ==,
                   REEVE_TOOL_READ_ONLY | REEVE_TOOL_IDEMPOTENT);

  g_test_expect_message ("reeve-plugin", G_LOG_LEVEL_CRITICAL, "*JSON_NODE_HOLDS_OBJECT*");
  g_assert_null (reeve_tool_info_new ("calculate", "adds", wrong, REEVE_TOOL_NONE));
  g_test_assert_expected_messages ();
}

static void
test_values_tool_result (void)
{
  g_autoptr (JsonNode) data = test_values_json ("{\"value\":4}");
  g_autoptr (ReeveToolResult) result = reeve_tool_result_new ("4", data, FALSE);
  g_autoptr (ReeveToolResult) failed = reeve_tool_result_new ("caf\xe9", NULL, TRUE);

  g_assert_cmpstr (reeve_tool_result_get_text (result), ==, "4");
  g_assert_true (reeve_tool_result_get_data (result) == data);
  g_assert_false (reeve_tool_result_get_is_error (result));
  g_assert_cmpstr (reeve_tool_result_get_text (failed), ==, "caf\xef\xbf\xbd");
  g_assert_null (reeve_tool_result_get_data (failed));
  g_assert_true (reeve_tool_result_get_is_error (failed));
}

static void
test_values_extract (void)
{
  g_autoptr (ReeveExtract) extract = reeve_extract_new ("Title \xff");
  g_autoptr (ReeveExtract) untitled = reeve_extract_new (NULL);
  guint number = 99;

  g_assert_cmpstr (reeve_extract_get_title (extract), ==, "Title \xef\xbf\xbd");
  g_assert_null (reeve_extract_get_title (untitled));
  g_assert_cmpuint (reeve_extract_get_n_pages (extract), ==, 0);
  reeve_extract_add_page (extract, 3, "three");
  reeve_extract_add_page (extract, 0, "bad \xc3");
  g_assert_cmpuint (reeve_extract_get_n_pages (extract), ==, 2);
  g_assert_cmpstr (reeve_extract_get_page (extract, 0, &number), ==, "three");
  g_assert_cmpuint (number, ==, 3);
  g_assert_cmpstr (reeve_extract_get_page (extract, 1, &number), ==, "bad \xef\xbf\xbd");
  g_assert_cmpuint (number, ==, 0);
  g_assert_nonnull (reeve_extract_get_page (extract, 0, NULL));

  g_test_expect_message ("reeve-plugin", G_LOG_LEVEL_CRITICAL, "*index < self->pages->len*");
  g_assert_null (reeve_extract_get_page (extract, 2, NULL));
  g_test_assert_expected_messages ();
}

static void
test_values_identity (void)
{
  static const char *const roles[] = { "admin", "viewer", NULL };
  static const char *const scopes[] = { "agent:*", "tool:read", NULL };
  static const char *const none[] = { NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("acme", "usr_1", roles, "api_key");
  g_autoptr (ReeveIdentity) plain = reeve_identity_new ("acme", "usr_2", NULL, "jwt");

  g_assert_cmpstr (reeve_identity_get_tenant_id (identity), ==, "acme");
  g_assert_cmpstr (reeve_identity_get_user_id (identity), ==, "usr_1");
  g_assert_cmpstrv (reeve_identity_get_roles (identity), roles);
  g_assert_cmpstr (reeve_identity_get_method (identity), ==, "api_key");
  g_assert_null (reeve_identity_get_key_id (identity));
  g_assert_cmpint (reeve_identity_get_expires_at (identity), ==, 0);
  reeve_identity_set_key_id (identity, "key_1");
  reeve_identity_set_key_id (identity, reeve_identity_get_key_id (identity));
  reeve_identity_set_expires_at (identity, G_MAXINT64);
  g_assert_cmpstr (reeve_identity_get_key_id (identity), ==, "key_1");
  g_assert_cmpint (reeve_identity_get_expires_at (identity), ==, G_MAXINT64);
  reeve_identity_set_key_id (identity, NULL);
  g_assert_null (reeve_identity_get_key_id (identity));
  g_assert_null (reeve_identity_get_scopes (identity));
  g_assert_null (reeve_identity_get_workspace_id (identity));
  g_assert_cmpuint (reeve_identity_get_rate_limit (identity), ==, 0);
  reeve_identity_set_scopes (identity, scopes);
  reeve_identity_set_scopes (identity, reeve_identity_get_scopes (identity));
  g_assert_cmpstrv (reeve_identity_get_scopes (identity), scopes);
  reeve_identity_set_scopes (identity, none);
  g_assert_cmpstrv (reeve_identity_get_scopes (identity), none);
  reeve_identity_set_scopes (identity, NULL);
  g_assert_null (reeve_identity_get_scopes (identity));
  reeve_identity_set_workspace_id (identity, "wsp_1");
  reeve_identity_set_workspace_id (identity, reeve_identity_get_workspace_id (identity));
  g_assert_cmpstr (reeve_identity_get_workspace_id (identity), ==, "wsp_1");
  reeve_identity_set_rate_limit (identity, 60);
  g_assert_cmpuint (reeve_identity_get_rate_limit (identity), ==, 60);
  g_assert_null (reeve_identity_get_roles (plain)[0]);
  g_assert_true (reeve_identity_has_roles (identity));
  g_assert_false (reeve_identity_has_roles (plain));
}

/* What an issuer says of somebody. */
static void
test_values_identity_profile (void)
{
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("acme", "usr_1", NULL, "jwt");
  g_autoptr (JsonNode) attributes = json_from_string ("{\"floor\":3,\"tags\":[1]}", NULL);
  g_autofree char *text = NULL;

  g_assert_null (reeve_identity_get_issuer (identity));
  g_assert_null (reeve_identity_get_subject (identity));
  g_assert_null (reeve_identity_get_username (identity));
  g_assert_null (reeve_identity_get_email (identity));
  g_assert_null (reeve_identity_get_attributes (identity));
  g_assert_false (reeve_identity_get_provision (identity));
  reeve_identity_set_subject (identity, "https://idp.example", "alice");
  reeve_identity_set_subject (identity, reeve_identity_get_issuer (identity),
                              reeve_identity_get_subject (identity));
  g_assert_cmpstr (reeve_identity_get_issuer (identity), ==, "https://idp.example");
  g_assert_cmpstr (reeve_identity_get_subject (identity), ==, "alice");
  reeve_identity_set_username (identity, "al");
  reeve_identity_set_username (identity, reeve_identity_get_username (identity));
  g_assert_cmpstr (reeve_identity_get_username (identity), ==, "al");
  reeve_identity_set_email (identity, "al@acme.example");
  reeve_identity_set_email (identity, NULL);
  g_assert_null (reeve_identity_get_email (identity));
  g_assert_cmpint (reeve_identity_get_ends_at (identity), ==, 0);
  reeve_identity_set_ends_at (identity, 17);
  g_assert_cmpint (reeve_identity_get_ends_at (identity), ==, 17);
  g_assert_cmpint (reeve_identity_get_issued_at (identity), ==, 0);
  reeve_identity_set_issued_at (identity, G_MAXINT64);
  g_assert_cmpint (reeve_identity_get_issued_at (identity), ==, G_MAXINT64);
  reeve_identity_set_provision (identity, TRUE);
  g_assert_true (reeve_identity_get_provision (identity));
  reeve_identity_set_attributes (identity, attributes);
  reeve_identity_set_attributes (identity, reeve_identity_get_attributes (identity));
  /* a copy: what is done to the original afterwards is not seen */
  json_object_set_int_member (json_node_get_object (attributes), "floor", 4);
  g_assert_true (json_node_is_immutable (reeve_identity_get_attributes (identity)));
  text = reeve_json_canonical (reeve_identity_get_attributes (identity));
  g_assert_cmpstr (text, ==, "{\"floor\":3,\"tags\":[1]}");
}

/* an array of its own, whose reference count no other thread touches, over the same nodes */
static void
test_values_same_elements (JsonArray *a, JsonArray *b)
{
  g_assert_true (a != b);
  g_assert_cmpuint (json_array_get_length (a), ==, json_array_get_length (b));
  for (guint i = 0; i < json_array_get_length (a); i++)
    g_assert_true (json_array_get_element (a, i) == json_array_get_element (b, i));
}

static void
test_values_llm_request (void)
{
  static const char *const texts[] = { "a", "b", NULL };
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_EMBED, "gpt");
  g_autoptr (JsonNode) node = test_values_json ("[{\"role\":\"user\",\"content\":\"hi\"}]");

  g_assert_cmpint (reeve_llm_request_get_task (request), ==, REEVE_LLM_TASK_EMBED);
  g_assert_cmpstr (reeve_llm_request_get_model (request), ==, "gpt");
  g_assert_null (reeve_llm_request_get_messages (request));
  g_assert_null (reeve_llm_request_get_tools (request));
  g_assert_null (reeve_llm_request_get_input (request)[0]);
  g_assert_cmpuint (reeve_llm_request_get_max_tokens (request), ==, 0);
  g_assert_cmpfloat (reeve_llm_request_get_temperature (request), <, 0);
  g_assert_false (reeve_llm_request_get_stream (request));
  g_assert_null (reeve_llm_request_get_raw (request));

  reeve_llm_request_set_messages (request, json_node_get_array (node));
  reeve_llm_request_set_tools (request, json_node_get_array (node));
  reeve_llm_request_set_input (request, texts);
  reeve_llm_request_set_max_tokens (request, 16);
  reeve_llm_request_set_temperature (request, 0.5);
  reeve_llm_request_set_stream (request, TRUE);
  test_values_same_elements (reeve_llm_request_get_messages (request), json_node_get_array (node));
  test_values_same_elements (reeve_llm_request_get_tools (request), json_node_get_array (node));
  /* given its own messages, it keeps them */
  reeve_llm_request_set_messages (request, reeve_llm_request_get_messages (request));
  test_values_same_elements (reeve_llm_request_get_messages (request), json_node_get_array (node));
  g_assert_cmpstrv (reeve_llm_request_get_input (request), texts);
  g_assert_cmpuint (reeve_llm_request_get_max_tokens (request), ==, 16);
  g_assert_cmpfloat (reeve_llm_request_get_temperature (request), ==, 0.5);
  g_assert_true (reeve_llm_request_get_stream (request));

  reeve_llm_request_set_input (request, reeve_llm_request_get_input (request));
  g_assert_cmpstrv (reeve_llm_request_get_input (request), texts);
  reeve_llm_request_set_input (request, NULL);
  reeve_llm_request_set_messages (request, NULL);
  reeve_llm_request_set_tools (request, NULL);
  g_assert_null (reeve_llm_request_get_input (request)[0]);
  g_assert_null (reeve_llm_request_get_messages (request));
  g_assert_null (reeve_llm_request_get_tools (request));
}

static ReeveLlmRequest *
test_values_raw_request (const char *text)
{
  g_autoptr (GBytes) raw = g_bytes_new (text, strlen (text));
  ReeveLlmRequest *request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");

  reeve_llm_request_set_raw (request, raw);
  g_assert_true (reeve_llm_request_get_raw (request) == raw);
  return request;
}

static void
test_values_llm_raw (void)
{
  static const char *const bad[] = { "", "{", "[]", "{\"messages\":{}}", "{\"messages\":[],}" };
  g_autoptr (ReeveLlmRequest) request
      = test_values_raw_request ("{\"messages\":[{\"role\":\"user\"}],\"tools\":[1,2]}");
  g_autoptr (JsonNode) own = test_values_json ("[]");

  g_assert_cmpuint (json_array_get_length (reeve_llm_request_get_messages (request)), ==, 1);
  g_assert_true (reeve_llm_request_get_messages (request)
                 == reeve_llm_request_get_messages (request));
  g_assert_cmpuint (json_array_get_length (reeve_llm_request_get_tools (request)), ==, 2);

  /* what was set comes before what was read, and makes a request of its own */
  reeve_llm_request_set_messages (request, json_node_get_array (own));
  g_assert_cmpuint (json_array_get_length (reeve_llm_request_get_messages (request)), ==, 0);
  g_assert_null (reeve_llm_request_get_tools (request));
  reeve_llm_request_set_messages (request, NULL);
  reeve_llm_request_set_raw (request, NULL);
  g_assert_null (reeve_llm_request_get_messages (request));

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (ReeveLlmRequest) other = test_values_raw_request (bad[i]);

      g_assert_null (reeve_llm_request_get_messages (other));
      g_assert_null (reeve_llm_request_get_messages (other));
      g_assert_null (reeve_llm_request_get_tools (other));
    }
}

/* A boxed type, as generic code sees it. */
typedef struct
{
  GType type;
  gpointer value;
} Boxed;

static gpointer
test_values_churn (gpointer data)
{
  Boxed *boxed = data;

  for (guint i = 0; i < 2000; i++)
    {
      gpointer copy = g_boxed_copy (boxed->type, boxed->value);

      g_assert_true (copy == boxed->value);
      g_boxed_free (boxed->type, copy);
    }
  return NULL;
}

/* Each boxed type is reference-counted: copying is a reference, from any thread, and the last one
 * frees (seen by the leak checker). */
static void
test_values_boxed (void)
{
  g_autoptr (JsonNode) schema = test_values_json ("{}");
  Boxed all[] = {
    { REEVE_TYPE_HTTP_REQUEST, reeve_http_request_new ("GET", "http://h/") },
    { REEVE_TYPE_HTTP_RESPONSE, reeve_http_response_new (200) },
    { REEVE_TYPE_LLM_REQUEST, test_values_raw_request ("{\"messages\":[]}") },
    { REEVE_TYPE_TOOL_INFO, reeve_tool_info_new ("a", "b", schema, REEVE_TOOL_NONE) },
    { REEVE_TYPE_TOOL_RESULT, reeve_tool_result_new ("a", schema, FALSE) },
    { REEVE_TYPE_EXTRACT, reeve_extract_new ("a") },
    { REEVE_TYPE_IDENTITY, reeve_identity_new ("a", "b", NULL, "c") },
    { REEVE_TYPE_BATCH, reeve_batch_new ("acme") },
    { REEVE_TYPE_BATCH_RESULT, reeve_batch_result_new (1) },
    { REEVE_TYPE_QUERY, reeve_query_new ("acme", "things") },
    { REEVE_TYPE_QUERY_RESULT, reeve_query_result_new () },
    { REEVE_TYPE_RECORD, reeve_record_new ("a", 1, json_node_get_object (schema)) },
  };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      GThread *threads[3] = { NULL };

      g_assert_true (G_TYPE_IS_BOXED (all[i].type));
      for (guint t = 0; t < G_N_ELEMENTS (threads); t++)
        threads[t] = g_thread_new ("churn", test_values_churn, &all[i]);
      for (guint t = 0; t < G_N_ELEMENTS (threads); t++)
        g_thread_join (threads[t]);
      g_boxed_free (all[i].type, all[i].value);
    }
}

static gpointer
test_values_read_raw (gpointer data)
{
  return reeve_llm_request_get_messages (data);
}

/* Reading the raw body on first use happens once, whichever threads ask. */
static void
test_values_raw_threads (void)
{
  for (guint round = 0; round < 50; round++)
    {
      g_autoptr (ReeveLlmRequest) request
          = test_values_raw_request ("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
      GThread *threads[4] = { NULL };
      gpointer first = NULL;

      for (guint t = 0; t < G_N_ELEMENTS (threads); t++)
        threads[t] = g_thread_new ("reader", test_values_read_raw, request);
      first = g_thread_join (threads[0]);
      g_assert_nonnull (first);
      for (guint t = 1; t < G_N_ELEMENTS (threads); t++)
        g_assert_true (g_thread_join (threads[t]) == first);
    }
}

/* put, delete and check: what is there against what is expected */
static void
test_values_revisions (void)
{
  static const struct
  {
    gint64 expected;
    gint64 revision;
    int code; /* -1: as expected */
    const char *message;
  } cases[] = {
    { REEVE_REVISION_ABSENT, 0, -1, NULL },
    { REEVE_REVISION_ABSENT, 3, REEVE_ERROR_ALREADY_EXISTS, "one is already in things" },
    { REEVE_REVISION_ANY, 3, -1, NULL },
    { REEVE_REVISION_ANY, 0, REEVE_ERROR_NOT_FOUND, "no one in things" },
    { 3, 3, -1, NULL },
    { 3, 4, REEVE_ERROR_CONFLICT, "one in things has revision 4, not 3" },
    { 3, 0, REEVE_ERROR_NOT_FOUND, "no one in things" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const ReeveOp op = { .struct_size = sizeof op,
                           .kind = REEVE_OP_CHECK,
                           .name = "things",
                           .id = "one",
                           .expected = cases[i].expected };
      g_autoptr (GError) error = NULL;

      g_assert_true (reeve_batch_check_revision (&op, cases[i].revision, &error)
                     == (cases[i].code < 0));
      if (cases[i].code < 0)
        {
          g_assert_no_error (error);
          continue;
        }
      g_assert_error (error, REEVE_ERROR, cases[i].code);
      g_assert_cmpstr (error->message, ==, cases[i].message);
    }
}

static void
test_values_base64url (void)
{
  /* "-" stands for refused; the rest is what comes of it */
  static const char *const texts[][2]
      = { { "", "" },       { "Zg", "f" },   { "Z28", "go" },      { "Zm9v", "foo" },
          { "Zg==", "-" },  { "Zh", "-" },   { "Zm9", "-" },       { "Z", "-" },
          { "Zm9vY", "-" }, { "Zm 8", "-" }, { "Zm8\n", "-" },     { "Zm9+", "-" },
          { "Zm9/", "-" },  { "Zm8.", "-" }, { "Zm\xc3\xb6", "-" } };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      gsize length = 99;
      g_autofree guint8 *bytes
          = reeve_base64url_decode (texts[i][0], strlen (texts[i][0]), &length);

      if (strcmp (texts[i][1], "-") == 0)
        g_assert_null (bytes);
      else
        g_assert_cmpstr ((const char *) bytes, ==, texts[i][1]);
    }
  for (guint length = 0; length < 70; length++)
    {
      guint8 data[70] = { 0 };
      gsize decoded = 0;
      g_autofree char *text = NULL;
      g_autofree guint8 *back = NULL;

      for (guint i = 0; i < length; i++)
        data[i] = (guint8) g_test_rand_int ();
      text = reeve_base64url_encode (data, length);
      g_assert_cmpuint (strlen (text), ==, (length * 8 + 5) / 6);
      g_assert_null (strpbrk (text, "+/="));
      back = reeve_base64url_decode (text, strlen (text), &decoded);
      g_assert_cmpmem (back, decoded, data, length);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/values/error-names", test_values_error_names);
  g_test_add_func ("/values/error-member", test_values_error_member);
  g_test_add_func ("/values/http-request", test_values_http_request);
  g_test_add_func ("/values/http-response", test_values_http_response);
  g_test_add_func ("/values/tool-info", test_values_tool_info);
  g_test_add_func ("/values/tool-result", test_values_tool_result);
  g_test_add_func ("/values/extract", test_values_extract);
  g_test_add_func ("/values/identity", test_values_identity);
  g_test_add_func ("/values/identity-profile", test_values_identity_profile);
  g_test_add_func ("/values/llm-request", test_values_llm_request);
  g_test_add_func ("/values/llm-raw", test_values_llm_raw);
  g_test_add_func ("/values/base64url", test_values_base64url);
  g_test_add_func ("/values/boxed", test_values_boxed);
  g_test_add_func ("/values/sink-batch", test_values_sink_batch);
  g_test_add_func ("/values/sink-response", test_values_sink_response);
  g_test_add_func ("/values/revisions", test_values_revisions);
  g_test_add_func ("/values/raw-threads", test_values_raw_threads);
  return g_test_run ();
}
