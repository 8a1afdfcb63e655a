/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface of sinks, and what those share that speak HTTP. */
#include "reeve-sink.h"

#include <string.h>

#include "reeve-json.h"

#define REEVE_SINK_LONGEST_ERROR 500

/**
 * ReeveSink:
 *
 * Sends records of the ledger on. It keeps nothing: the ledger is the queue, and the host knows
 * what was delivered.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (ReeveSink, reeve_sink, G_TYPE_OBJECT)

static void
reeve_sink_default_init (ReeveSinkInterface *iface)
{
}

/* What a server says of itself gets into logs, files and answers of the host: one short line. */
static void
reeve_sink_shorten (GError *problem)
{
  const char *end = NULL;
  char *line = NULL;

  if (!g_utf8_validate (problem->message, -1, NULL))
    {
      line = g_utf8_make_valid (problem->message, -1);
      g_free (problem->message);
      problem->message = line;
    }
  if (strlen (problem->message) > REEVE_SINK_LONGEST_ERROR)
    {
      end = g_utf8_find_prev_char (problem->message,
                                   problem->message + REEVE_SINK_LONGEST_ERROR + 1);
      problem->message[end - problem->message] = '\0';
    }
  for (char *at = problem->message; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
}

/**
 * reeve_sink_deliver:
 * @self: a sink
 * @batch: records
 * @context: context of the call, with a deadline
 * @error: return location
 *
 * Delivers a batch. Blocks. A record counts as delivered when the other side has said so, as far as
 * its protocol can say it.
 *
 * Returns: how many records, counted from the first, were delivered. When that is fewer than there
 * are, @error says why the next was not: %REEVE_ERROR_INVALID_ARGUMENT when it is refused and
 * trying again is of no use, anything else when it may be. Its message is one line of at most 500
 * bytes, whatever the other side said
 *
 * Since: 1.0
 */
guint
reeve_sink_deliver (ReeveSink *self, ReeveSinkBatch *batch, ReeveContext *context, GError **error)
{
  guint length = 0;
  guint count = 0;
  GError *problem = NULL;
  ReeveSinkInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_SINK (self) && REEVE_IS_CONTEXT (context), 0);
  g_return_val_if_fail (batch != NULL, 0);

  iface = REEVE_SINK_GET_IFACE (self);
  length = reeve_sink_batch_get_length (batch);
  if (iface->deliver == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "%s does not implement deliver",
                   G_OBJECT_TYPE_NAME (self));
      return 0;
    }
  count = iface->deliver (self, batch, context, &problem);
  count = MIN (count, length);
  if (count == length)
    g_clear_error (&problem);
  else if (problem == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "%s delivered %u of %u records and does not say why", G_OBJECT_TYPE_NAME (self),
                 count, length);
  if (problem != NULL)
    {
      reeve_sink_shorten (problem);
      g_propagate_error (error, problem);
    }
  return count;
}

/**
 * reeve_sink_check_response:
 * @response: what a server answered to a batch
 * @error: return location
 *
 * Judges an answer by its status alone.
 *
 * Returns: whether it is one of success; else %FALSE with %REEVE_ERROR_INVALID_ARGUMENT (400, 413,
 * 422: the batch is refused for what is in it), %REEVE_ERROR_PERMISSION_DENIED (401, 403),
 * %REEVE_ERROR_BUSY (429, 503) or %REEVE_ERROR_UPSTREAM
 *
 * Since: 1.0
 */
gboolean
reeve_sink_check_response (ReeveHttpResponse *response, GError **error)
{
  guint status = 0;
  ReeveError code = REEVE_ERROR_UPSTREAM;

  g_return_val_if_fail (response != NULL, FALSE);

  status = reeve_http_response_get_status (response);
  if (status >= 200 && status < 300)
    return TRUE;
  if (status == 400 || status == 413 || status == 422)
    code = REEVE_ERROR_INVALID_ARGUMENT;
  else if (status == 401 || status == 403)
    code = REEVE_ERROR_PERMISSION_DENIED;
  else if (status == 429 || status == 503)
    code = REEVE_ERROR_BUSY;
  g_set_error (error, REEVE_ERROR, (gint) code, "the server answered %u", status);
  return FALSE;
}

/**
 * reeve_sink_join_url:
 * @base: the address that an administrator wrote, with or without slashes at its end
 * @path: what comes behind it: with a slash in front, or empty
 *
 * Returns: (transfer full): the whole address
 *
 * Since: 1.0
 */
char *
reeve_sink_join_url (const char *base, const char *path)
{
  gsize length = 0;

  g_return_val_if_fail (base != NULL && path != NULL, NULL);

  length = strlen (base);
  while (length > 0 && base[length - 1] == '/')
    length--;
  return g_strdup_printf ("%.*s%s", (int) length, base, path);
}

/**
 * reeve_sink_post:
 * @context: of the call
 * @request: where to, with its headers
 * @type: media type of @body
 * @body: what to send
 * @timeout_seconds: how long it may take
 * @error: return location
 *
 * Returns: (transfer full) (nullable): what the server answered, whatever its status; %NULL with an
 * error when it did not
 *
 * Since: 1.0
 */
ReeveHttpResponse *
reeve_sink_post (ReeveContext *context, ReeveHttpRequest *request, const char *type, GString *body,
                 guint timeout_seconds, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;

  g_return_val_if_fail (request != NULL && type != NULL && body != NULL, NULL);

  bytes = g_bytes_new (body->str, body->len);
  reeve_http_request_set_body (request, type, bytes);
  reeve_http_request_set_timeout_ms (request, timeout_seconds * 1000);
  return reeve_context_http (context, request, error);
}

/**
 * reeve_sink_read_answer:
 * @response: what a server answered
 * @error: return location
 *
 * Returns: (transfer full) (nullable): its body, a JSON object; %NULL with %REEVE_ERROR_UPSTREAM
 * where it is none
 *
 * Since: 1.0
 */
JsonNode *
reeve_sink_read_answer (ReeveHttpResponse *response, GError **error)
{
  GBytes *body = NULL;
  gsize length = 0;
  const char *text = NULL;
  g_autoptr (JsonNode) node = NULL;

  g_return_val_if_fail (response != NULL, NULL);

  body = reeve_http_response_get_body (response);
  text = body != NULL ? g_bytes_get_data (body, &length) : NULL;
  node = reeve_json_parse_strict (text != NULL ? text : "", length, NULL);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return g_steal_pointer (&node);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM,
                       "the server answered no JSON object");
  return NULL;
}
