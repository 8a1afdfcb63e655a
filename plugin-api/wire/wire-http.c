/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers are a list of name, value, name, value: their order and repetitions stay. What is not
 * UTF-8 in them, and so no JSON, is replaced. */
#include "wire-http.h"

#include "wire-json.h"

static void
wire_http_set_texts (JsonObject *object, const char *member, const char *const *texts)
{
  JsonArray *all = json_array_new ();

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      g_autofree char *text = g_utf8_make_valid (texts[i], -1);

      json_array_add_string_element (all, text);
    }
  json_object_set_array_member (object, member, all);
}

/* (transfer container) (nullable): @object's texts */
static GPtrArray *
wire_http_get_texts (JsonObject *object, const char *member)
{
  JsonArray *all = reeve_json_get_array (object, member);
  guint count = all != NULL ? json_array_get_length (all) : 0;
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();

  for (guint i = 0; i < count; i++)
    {
      JsonNode *one = json_array_get_element (all, i);

      if (!JSON_NODE_HOLDS_VALUE (one) || json_node_get_value_type (one) != G_TYPE_STRING)
        return NULL;
      g_ptr_array_add (texts, (char *) json_node_get_string (one));
    }
  return g_steal_pointer (&texts);
}

/* (transfer container) (nullable): names and values */
static GPtrArray *
wire_http_get_headers (JsonObject *object)
{
  g_autoptr (GPtrArray) headers = wire_http_get_texts (object, "headers");

  return headers != NULL && headers->len % 2 == 0 ? g_steal_pointer (&headers) : NULL;
}

/* (transfer full) (nullable): a response's head; @headers: (out) */
static JsonNode *
wire_http_read (const char *text, GPtrArray **headers, GError **error)
{
  g_autoptr (JsonNode) node = wire_json_parse (text, error);

  if (node == NULL)
    return NULL;
  *headers
      = JSON_NODE_HOLDS_OBJECT (node) ? wire_http_get_headers (json_node_get_object (node)) : NULL;
  if (*headers != NULL)
    return g_steal_pointer (&node);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "no HTTP head is written so");
  return NULL;
}

JsonObject *
wire_http_request_to_object (ReeveHttpRequest *request)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "method", reeve_http_request_get_method (request));
  json_object_set_string_member (object, "url", reeve_http_request_get_url (request));
  wire_http_set_texts (object, "headers", reeve_http_request_get_headers (request));
  if (*reeve_http_request_get_credentials (request) != NULL)
    wire_http_set_texts (object, "credentials", reeve_http_request_get_credentials (request));
  json_object_set_boolean_member (object, "idempotent",
                                  reeve_http_request_get_idempotent (request));
  json_object_set_int_member (
      object, "max_response",
      (gint64) MIN (reeve_http_request_get_max_response (request), (gsize) G_MAXINT64));
  json_object_set_int_member (object, "timeout_ms", reeve_http_request_get_timeout_ms (request));
  return object;
}

char *
wire_http_request_to_text (ReeveHttpRequest *request)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, wire_http_request_to_object (request));
  return reeve_json_text (node);
}

ReeveHttpRequest *
wire_http_request_from_object (JsonObject *object, GError **error)
{
  g_autoptr (GPtrArray) headers = wire_http_get_headers (object);
  g_autoptr (GPtrArray) slots = wire_http_get_texts (object, "credentials");
  const char *method = reeve_json_get_string (object, "method", NULL);
  const char *url = reeve_json_get_string (object, "url", NULL);
  ReeveHttpRequest *request = NULL;

  if (method == NULL || url == NULL || headers == NULL || slots == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "an HTTP request without method, URL or headers, or with credentials that are "
                   "no texts");
      return NULL;
    }
  request = reeve_http_request_new (method, url);
  for (guint i = 0; i + 1 < headers->len; i += 2)
    reeve_http_request_add_header (request, g_ptr_array_index (headers, i),
                                   g_ptr_array_index (headers, i + 1));
  for (guint i = 0; i < slots->len; i++)
    reeve_http_request_add_credential (request, g_ptr_array_index (slots, i));
  reeve_http_request_set_idempotent (request, reeve_json_get_boolean (object, "idempotent", FALSE));
  reeve_http_request_set_max_response (
      request, (gsize) MAX (reeve_json_get_int (object, "max_response", 0), 0));
  reeve_http_request_set_timeout_ms (
      request, (guint) CLAMP (reeve_json_get_int (object, "timeout_ms", 0), 0, G_MAXINT));
  return request;
}

ReeveHttpRequest *
wire_http_request_from_text (const char *text, GError **error)
{
  g_autoptr (JsonNode) node = wire_json_parse (text, error);

  if (node == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_OBJECT (node))
    return wire_http_request_from_object (json_node_get_object (node), error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "an HTTP request is an object");
  return NULL;
}

char *
wire_http_response_to_text (ReeveHttpResponse *response)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  json_node_take_object (node, object);
  json_object_set_int_member (object, "status", reeve_http_response_get_status (response));
  wire_http_set_texts (object, "headers", reeve_http_response_get_headers (response));
  return reeve_json_text (node);
}

ReeveHttpResponse *
wire_http_response_from_text (const char *text, GError **error)
{
  g_autoptr (GPtrArray) headers = NULL;
  g_autoptr (JsonNode) node = wire_http_read (text, &headers, error);
  ReeveHttpResponse *response = NULL;

  if (node == NULL)
    return NULL;
  response = reeve_http_response_new (
      (guint) CLAMP (reeve_json_get_int (json_node_get_object (node), "status", 0), 0, 999));
  for (guint i = 0; i + 1 < headers->len; i += 2)
    reeve_http_response_add_header (response, g_ptr_array_index (headers, i),
                                    g_ptr_array_index (headers, i + 1));
  return response;
}
