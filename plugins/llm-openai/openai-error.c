/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a service's refusal means to us. Its text is shortened, stripped of control characters, and
 * left out where it may repeat a key. */
#include "openai-error.h"

#include <string.h>

#define OPENAI_ERROR_TEXT 400

static JsonObject *
openai_error_get (JsonObject *body)
{
  return body != NULL ? reeve_json_get_object (body, "error") : NULL;
}

/* The service's words, fit for one line of a log. */
static char *
openai_error_text (JsonObject *body)
{
  JsonObject *error = openai_error_get (body);
  const char *text = NULL;
  char *clean = NULL;

  if (error != NULL)
    text = reeve_json_get_string (error, "message", NULL);
  /* also seen: {"error": "text"}, {"message": "text"}, {"detail": "text"} */
  if (text == NULL && body != NULL)
    text = reeve_json_get_string (body, "error", NULL);
  if (text == NULL && body != NULL)
    text = reeve_json_get_string (body, "message", NULL);
  if (text == NULL && body != NULL)
    text = reeve_json_get_string (body, "detail", NULL);
  if (text == NULL)
    return g_strdup ("it gave no reason");
  clean = g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), OPENAI_ERROR_TEXT));
  for (char *p = clean; *p != '\0'; p++)
    if ((guchar) *p < 0x20 || *p == 0x7f)
      *p = ' ';
  return g_strstrip (clean);
}

static gboolean
openai_error_is (JsonObject *body, const char *code)
{
  JsonObject *error = openai_error_get (body);

  return error != NULL
         && (g_str_equal (reeve_json_get_string (error, "code", ""), code)
             || g_str_equal (reeve_json_get_string (error, "type", ""), code));
}

static gboolean
openai_error_is_context (JsonObject *body)
{
  g_autofree char *text = openai_error_text (body);

  return openai_error_is (body, "context_length_exceeded")
         || strstr (text, "maximum context length") != NULL
         || strstr (text, "context window") != NULL;
}

static ReeveError
openai_error_code (guint status, JsonObject *body)
{
  switch (status)
    {
    case 400:
    case 422:
      return REEVE_ERROR_INVALID_ARGUMENT;
    case 413:
      return REEVE_ERROR_TOO_LARGE;
    case 401:
    case 403:
      return REEVE_ERROR_CONFIGURATION;
    case 404:
      return openai_error_is (body, "model_not_found") ? REEVE_ERROR_INVALID_ARGUMENT
                                                       : REEVE_ERROR_CONFIGURATION;
    case 429:
      return REEVE_ERROR_RATE_LIMITED;
    case 408:
    case 503:
    case 529:
      return REEVE_ERROR_UNAVAILABLE;
    default:
      return status >= 300 && status < 400 ? REEVE_ERROR_CONFIGURATION : REEVE_ERROR_UPSTREAM;
    }
}

/**
 * openai_error_from_status:
 * @status: HTTP status, not a success
 * @body: (nullable): body of the answer
 * @length: its bytes
 *
 * Returns: (transfer full): the error it means
 */
GError *
openai_error_from_status (guint status, const char *body, gsize length)
{
  g_autoptr (JsonNode) node = length > 0 ? reeve_json_parse_strict (body, length, NULL) : NULL;
  JsonObject *object
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  g_autofree char *text = openai_error_text (object);
  ReeveError code = openai_error_code (status, object);

  if (status == 401 || status == 403)
    return g_error_new (REEVE_ERROR, (int) code,
                        "the service refused the configured key (status %u)", status);
  if (status >= 300 && status < 400)
    return g_error_new (REEVE_ERROR, (int) code,
                        "the service redirects (status %u), which is not followed: check base_url",
                        status);
  if (code == REEVE_ERROR_INVALID_ARGUMENT && openai_error_is_context (object))
    return g_error_new (REEVE_ERROR, (int) code, "the conversation is too long for the model: %s",
                        text);
  return g_error_new (REEVE_ERROR, (int) code, "the service answered with status %u: %s", status,
                      text);
}

/**
 * openai_error_from_event:
 * @event: an event with a member `error`, or the error itself
 *
 * Returns: (transfer full): the error that a stream ended with
 */
GError *
openai_error_from_event (JsonObject *event)
{
  g_autofree char *text = openai_error_text (event);
  ReeveError code = REEVE_ERROR_UPSTREAM;

  if (openai_error_is (event, "rate_limit_exceeded") || openai_error_is (event, "rate_limit_error"))
    code = REEVE_ERROR_RATE_LIMITED;
  else if (openai_error_is_context (event))
    code = REEVE_ERROR_INVALID_ARGUMENT;
  return g_error_new (REEVE_ERROR, (int) code, "the service broke its stream off: %s", text);
}
