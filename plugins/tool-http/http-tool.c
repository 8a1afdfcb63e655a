/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a model may say of a request, and how much of a response it gets. Where a request may go is
 * the host's matter. */
#include "http-tool.h"

#include <string.h>

#define HTTP_TOOL_MAX_HEADERS 32
#define HTTP_TOOL_MAX_BODY    (1024 * 1024)

/**
 * http_tool_describe:
 * @limits: of the instance
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the tool, its schema naming the methods that are allowed
 */
ReeveToolInfo *
http_tool_describe (const HttpToolLimits *limits, GError **error)
{
  g_autofree char *methods = g_strjoinv ("\",\"", limits->methods);
  g_autofree char *schema = g_strdup_printf (
      "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"url\"],\"properties\":{"
      "\"url\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8192,\"description\":\"absolute "
      "http or https address\"},"
      "\"method\":{\"enum\":[\"%s\"],\"description\":\"%s when absent\"},"
      "\"headers\":{\"type\":\"object\",\"maxProperties\":%d,\"additionalProperties\":{\"type\":"
      "\"string\",\"maxLength\":8192}},"
      "\"body\":{\"type\":\"string\",\"maxLength\":%d,\"description\":\"sent as it is; JSON unless "
      "headers say otherwise\"}}}",
      methods, limits->methods[0], HTTP_TOOL_MAX_HEADERS, HTTP_TOOL_MAX_BODY);
  g_autoptr (JsonNode) parameters = reeve_json_parse_strict (schema, strlen (schema), error);

  if (parameters == NULL)
    return NULL;
  return reeve_tool_info_new ("http_request",
                              "Performs one HTTP request. Internal addresses are refused and "
                              "redirects are not followed.",
                              parameters, REEVE_TOOL_OPEN_WORLD);
}

static gboolean
http_tool_fail (GError **error, const char *what)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, what);
  return FALSE;
}

static gboolean
http_tool_read_headers (ReeveHttpRequest *request, JsonObject *headers, gboolean *typed,
                        GError **error)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;
  guint n = 0;

  json_object_iter_init_ordered (&iter, headers);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      const char *text = JSON_NODE_HOLDS_VALUE (value) ? json_node_get_string (value) : NULL;

      if (text == NULL || ++n > HTTP_TOOL_MAX_HEADERS)
        return http_tool_fail (error, "a header is no string, or there are too many");
      *typed = *typed || g_ascii_strcasecmp (name, "Content-Type") == 0;
      reeve_http_request_add_header (request, name, text);
    }
  return TRUE;
}

/**
 * http_tool_read:
 * @arguments: of the call
 * @limits: of the instance
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the request; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
ReeveHttpRequest *
http_tool_read (JsonObject *arguments, const HttpToolLimits *limits, GError **error)
{
  const char *url = reeve_json_get_string (arguments, "url", NULL);
  const char *method = reeve_json_get_string (arguments, "method", limits->methods[0]);
  const char *body = reeve_json_get_string (arguments, "body", NULL);
  JsonObject *headers = reeve_json_get_object (arguments, "headers");
  g_autoptr (ReeveHttpRequest) request = NULL;
  gboolean typed = FALSE;

  if (url == NULL || !g_strv_contains ((const char *const *) limits->methods, method))
    {
      http_tool_fail (error, url == NULL ? "url is missing" : "the method is not allowed");
      return NULL;
    }
  request = reeve_http_request_new (method, url);
  if (headers != NULL && !http_tool_read_headers (request, headers, &typed, error))
    return NULL;
  if (body != NULL)
    {
      gsize length = strlen (body);
      g_autoptr (GBytes) bytes = g_bytes_new (body, length);

      if (length > HTTP_TOOL_MAX_BODY)
        {
          http_tool_fail (error, "the body is too large");
          return NULL;
        }
      reeve_http_request_set_body (request, typed ? NULL : "application/json", bytes);
    }
  reeve_http_request_set_idempotent (request,
                                     g_str_equal (method, "GET") || g_str_equal (method, "HEAD"));
  reeve_http_request_set_max_response (request, limits->max_response);
  reeve_http_request_set_timeout_ms (request, limits->timeout_ms);
  return g_steal_pointer (&request);
}

/* The beginning of a body as text: cut at a character, everything else but text described. */
static char *
http_tool_text (GBytes *body, gsize max_text, gboolean *truncated)
{
  gsize length = 0;
  const char *data = body != NULL ? g_bytes_get_data (body, &length) : NULL;
  gsize shown = MIN (length, max_text);
  const char *end = NULL;

  *truncated = shown < length;
  if (length == 0)
    return g_strdup ("");
  if (g_utf8_validate_len (data, shown, &end))
    return g_strndup (data, shown);
  /* a character that the cut split is not what makes a body binary */
  if (*truncated && data + shown - end < 4)
    return g_strndup (data, (gsize) (end - data));
  *truncated = FALSE;
  return g_strdup_printf ("(%" G_GSIZE_FORMAT " bytes that are not UTF-8 text)", length);
}

static JsonNode *
http_tool_data (ReeveHttpResponse *response, const char *text, gboolean truncated)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  JsonObject *headers = json_object_new ();
  const char *const *list = reeve_http_response_get_headers (response);

  for (guint i = 0; list[i] != NULL; i += 2)
    {
      g_autofree char *name = g_ascii_strdown (list[i], -1);
      g_autofree char *value = g_utf8_make_valid (list[i + 1], -1);

      /* sessions of the host's connection are none of the model's business */
      if (!g_str_equal (name, "set-cookie"))
        json_object_set_string_member (headers, name, value);
    }
  json_object_set_int_member (object, "status", reeve_http_response_get_status (response));
  json_object_set_object_member (object, "headers", headers);
  json_object_set_string_member (object, "body", text);
  json_object_set_boolean_member (object, "truncated", truncated);
  json_node_take_object (node, object);
  return node;
}

/**
 * http_tool_write:
 * @response: what came back
 * @limits: of the instance
 *
 * An answer with a status of failure is still an answer: the model reads it and decides.
 *
 * Returns: (transfer full): what the model reads
 */
ReeveToolResult *
http_tool_write (ReeveHttpResponse *response, const HttpToolLimits *limits)
{
  gboolean truncated = FALSE;
  g_autofree char *body
      = http_tool_text (reeve_http_response_get_body (response), limits->max_text, &truncated);
  g_autoptr (JsonNode) data = http_tool_data (response, body, truncated);
  g_autoptr (GString) text = g_string_new (NULL);
  const char *type = reeve_http_response_get_header (response, "Content-Type");
  const char *location = reeve_http_response_get_header (response, "Location");

  g_string_append_printf (text, "HTTP %u\n", reeve_http_response_get_status (response));
  if (type != NULL && g_utf8_validate (type, -1, NULL))
    g_string_append_printf (text, "Content-Type: %s\n", type);
  if (location != NULL && g_utf8_validate (location, -1, NULL))
    g_string_append_printf (text, "Location: %s (redirects are not followed)\n", location);
  g_string_append_c (text, '\n');
  g_string_append (text, body);
  if (truncated)
    g_string_append (text, "\n(cut here: the answer is longer)");
  return reeve_tool_result_new (text->str, data, FALSE);
}
