/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A problem document as RFC 9457 says, or the envelope that OpenAI's clients read. */
#include "response.h"

#include "operations/services.h"

#include <string.h>

#include "api/error-map.h"
#include "base/error-detail.h"
#include "base/ids.h"
#include <reeve-json.h>
#include "operations/call-trace.h"

#include "headers.h"

static void
reeve_rest_response_set_ids (ReeveRestMessage *msg, const ReeveTrace *trace, const char *request_id)
{
  SoupMessageHeaders *headers = reeve_rest_message_get_response_headers (msg);
  char text[REEVE_TRACE_LENGTH + 1] = { 0 };

  reeve_trace_write (trace, text);
  soup_message_headers_replace (headers, "traceparent", text);
  soup_message_headers_replace (headers, "X-Request-Id", request_id);
}

/* As draft-ietf-httpapi-ratelimit-headers says: q requests in w seconds, r are left, all again in
 * t.
 */
static void
reeve_rest_response_set_rate (ReeveRestMessage *msg, const ReeveRateLimitsState *rate)
{
  SoupMessageHeaders *headers = reeve_rest_message_get_response_headers (msg);
  char policy[64] = { 0 };
  char now[64] = { 0 };

  if (rate == NULL)
    return;
  g_snprintf (policy, sizeof policy, "\"%s\";q=%u;w=%u", rate->kind, rate->limit, rate->seconds);
  g_snprintf (now, sizeof now, "\"%s\";r=%u;t=%u", rate->kind, rate->remaining, rate->reset);
  soup_message_headers_replace (headers, "RateLimit-Policy", policy);
  soup_message_headers_replace (headers, "RateLimit", now);
}

void
reeve_rest_response_set_common (ReeveRestMessage *msg, ReeveCall *call)
{
  reeve_rest_response_set_ids (msg, reeve_call_trace_get (call), reeve_call_get_request_id (call));
  reeve_rest_response_set_rate (msg, reeve_call_get_rate (call));
}

static void
reeve_rest_response_set_body (ReeveRestMessage *msg, guint status, const char *media_type,
                              char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (text, strlen (text));
  SoupMessageHeaders *headers = reeve_rest_message_get_response_headers (msg);

  reeve_rest_message_set_status (msg, status);
  soup_message_headers_replace (headers, "Content-Type", media_type);
  reeve_rest_message_append (msg, bytes);
}

static void
reeve_rest_response_set_object (ReeveRestMessage *msg, guint status, const char *media_type,
                                JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

  reeve_rest_response_set_body (msg, status, media_type, reeve_json_text (node));
}

static void
reeve_rest_response_set_problem (ReeveRestMessage *msg, const GError *error, const char *instance,
                                 const char *trace_id, JsonArray *faults)
{
  const ReeveErrorMap *map = reeve_error_map_lookup (error);
  g_autofree char *type = g_strconcat (REEVE_ERROR_MAP_TYPE_PREFIX, map->slug, NULL);
  g_autoptr (JsonObject) problem = json_object_new ();

  json_object_set_string_member (problem, "type", type);
  json_object_set_string_member (problem, "title", map->title);
  json_object_set_int_member (problem, "status", map->status);
  json_object_set_string_member (problem, "code", reeve_error_detail_get_code (error));
  json_object_set_string_member (problem, "detail", reeve_error_detail_get (error));
  if (instance != NULL)
    json_object_set_string_member (problem, "instance", instance);
  json_object_set_string_member (problem, "trace_id", trace_id);
  if (faults != NULL)
    json_object_set_array_member (problem, "errors", json_array_ref (faults));
  reeve_rest_response_set_object (msg, map->status, "application/problem+json", problem);
}

static void
reeve_rest_response_set_envelope (ReeveRestMessage *msg, const GError *error)
{
  const ReeveErrorMap *map = reeve_error_map_lookup (error);
  const char *member = reeve_error_get_member (error);
  g_autoptr (JsonObject) outer = json_object_new ();
  JsonObject *inner = json_object_new ();

  json_object_set_string_member (inner, "message", reeve_error_detail_get (error));
  json_object_set_string_member (inner, "type", map->openai);
  if (member != NULL && *member == '/')
    json_object_set_string_member (inner, "param", member + 1);
  else
    json_object_set_null_member (inner, "param");
  json_object_set_string_member (inner, "code", reeve_error_detail_get_code (error));
  json_object_set_object_member (outer, "error", inner);
  reeve_rest_response_set_object (msg, map->status, "application/json", outer);
}

/* Where asking again does not help, nothing is said. */
static void
reeve_rest_response_set_retry (SoupMessageHeaders *headers, guint status, guint wait)
{
  char text[16] = { 0 };

  if ((status != 503 && status != 429) || wait == REEVE_ERROR_WAIT_NEVER)
    return;
  g_snprintf (text, sizeof text, "%u", MAX (wait, 1));
  soup_message_headers_replace (headers, "Retry-After", text);
}

static void
reeve_rest_response_set_error (ReeveRestMessage *msg, const GError *error, const char *instance,
                               gboolean compatible, const char *trace_id, JsonArray *faults)
{
  SoupMessageHeaders *headers = reeve_rest_message_get_response_headers (msg);
  const ReeveErrorMap *map = reeve_error_map_lookup (error);

  if (map->status == 401)
    soup_message_headers_replace (headers, "WWW-Authenticate", "Bearer realm=\"reeve\"");
  reeve_rest_response_set_retry (headers, map->status, reeve_error_get_wait (error));
  if (compatible)
    reeve_rest_response_set_envelope (msg, error);
  else
    reeve_rest_response_set_problem (msg, error, instance, trace_id, faults);
  /* store and ledger say once what the disk does, and when it is over */
  if (map->status >= 500 && !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY))
    g_warning ("answering %u: %s", map->status, error->message);
}

static void
reeve_rest_response_set_wait (SoupMessageHeaders *headers, const ReeveRateLimitsState *rate)
{
  char wait[16] = { 0 };

  if (rate == NULL || rate->wait == 0)
    return;
  g_snprintf (wait, sizeof wait, "%u", rate->wait);
  soup_message_headers_replace (headers, "Retry-After", wait);
}

static void
reeve_rest_response_send_error (ReeveRestMessage *msg, ReeveCall *call, const char *instance,
                                const GError *error)
{
  gboolean compatible = (reeve_call_get_operation (call)->flags & REEVE_OPERATION_COMPATIBLE) != 0;

  reeve_rest_response_set_error (msg, error, instance, compatible, reeve_call_get_trace_id (call),
                                 reeve_call_get_faults (call));
  reeve_call_trace_set_status (call, reeve_rest_message_get_status (msg));
}

void
reeve_rest_response_fail (ReeveRestMessage *msg, ReeveCall *call, const char *instance,
                          const GError *error)
{
  reeve_rest_response_set_common (msg, call);
  reeve_rest_response_send_error (msg, call, instance, error);
}

void
reeve_rest_response_send (ReeveRestMessage *msg, ReeveCall *call, const char *instance)
{
  const GError *error = reeve_call_get_error (call);
  const char *media_type = NULL;
  GBytes *bytes = reeve_call_get_result_bytes (call, &media_type);
  JsonNode *result = reeve_call_get_result (call);
  SoupMessageHeaders *headers = reeve_rest_message_get_response_headers (msg);

  reeve_rest_response_set_common (msg, call);
  if (error != NULL)
    {
      reeve_rest_response_send_error (msg, call, instance, error);
      reeve_rest_response_set_wait (headers, reeve_call_get_rate (call));
      return;
    }
  if (bytes == NULL && result != NULL)
    {
      reeve_rest_response_set_body (msg, reeve_call_get_status (call), "application/json",
                                    reeve_json_text (result));
      return;
    }
  reeve_rest_message_set_status (msg, reeve_call_get_status (call));
  if (bytes == NULL)
    return;
  soup_message_headers_replace (headers, "Content-Type", media_type);
  if (g_str_has_prefix (media_type, "text/"))
    reeve_rest_headers_set_page (headers);
  reeve_rest_message_append (msg, bytes);
}

void
reeve_rest_response_set_own (ReeveRestMessage *msg)
{
  SoupMessageHeaders *headers = reeve_rest_message_get_request_headers (msg);
  g_autofree char *request_id = reeve_ids_new ("req");
  ReeveTrace trace = { 0 };

  if (reeve_trace_parse (soup_message_headers_get_list (headers, "traceparent"), &trace))
    reeve_trace_make_span (&trace);
  else
    reeve_trace_make (&trace);
  reeve_rest_response_set_ids (msg, &trace, request_id);
}

/* libsoup does not read the body that somebody waits with, once he is refused, and closes: the
 * answer says so (RFC 9110, 10.1.1). */
static void
reeve_rest_response_end_expectation (ReeveRestMessage *msg)
{
  ReeveRestConnection *connection = reeve_rest_message_get_connection (msg);

  if (connection == NULL || !reeve_rest_connection_get_head (connection)->expect)
    return;
  reeve_rest_connection_set_last (connection);
  soup_message_headers_replace (reeve_rest_message_get_response_headers (msg), "Connection",
                                "close");
}

void
reeve_rest_response_refuse (ReeveRestMessage *msg, ReeveCall *call, const GError *error,
                            const char *instance, gboolean compatible)
{
  reeve_rest_response_end_expectation (msg);
  reeve_rest_response_set_common (msg, call);
  reeve_rest_response_set_error (msg, error, instance, compatible, reeve_call_get_trace_id (call),
                                 NULL);
}

void
reeve_rest_response_measure (ReeveRestMessage *msg, const ReeveOperation *operation,
                             ReeveCall *call, gint64 began, ReeveServices *services)
{
  const ReeveInstrumentsRequest request = {
    .endpoint = operation != NULL ? operation->path : NULL,
    .method = reeve_rest_message_get_method (msg),
    .status = reeve_rest_message_get_status (msg),
    .tenant_id = call != NULL ? reeve_call_get_tenant_id (call) : NULL,
    .duration_us = g_get_monotonic_time () - began,
    .probe = operation != NULL && operation->klass == REEVE_CLASS_PROBE,
  };

  reeve_instruments_note_request (services->instruments, &request);
}
