/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* These faults lie below requests: they have no call, no operation and no error code of their own,
 * only a status of HTTP. */
#include "refusal.h"

#include <json-glib/json-glib.h>

#include "api/error-map.h"
#include "base/digests.h"
#include "base/ids.h"
#include <reeve-json.h>

#include "headers.h"

typedef struct
{
  guint status;
  const char *phrase;
  const char *slug;
  const char *title;
} ReeveRestRefusal;

static const ReeveRestRefusal reeve_rest_refusals[] = {
  { 400, "Bad Request", "invalid-argument", "The request is malformed" },
  { 408, "Request Timeout", "request-timeout", "The request did not come in time" },
  { 414, "URI Too Long", "target-too-long", "The target is too long" },
  { 417, "Expectation Failed", "expectation-failed", "This cannot be expected" },
  { 431, "Request Header Fields Too Large", "header-too-large", "The head is too large" },
  { 501, "Not Implemented", "not-implemented", "This is not spoken here" },
  { 503, "Service Unavailable", "busy", "Too much to do; try again" },
  { 505, "HTTP Version Not Supported", "version-not-supported", "Another version of HTTP" },
};

static const ReeveRestRefusal *
reeve_rest_refusal_find (guint status)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_rest_refusals); i++)
    if (reeve_rest_refusals[i].status == status)
      return &reeve_rest_refusals[i];
  return &reeve_rest_refusals[0];
}

static char *
reeve_rest_refusal_write (const ReeveRestRefusal *row, const char *detail, const char *instance,
                          const char *trace_id)
{
  g_autofree char *type = g_strconcat (REEVE_ERROR_MAP_TYPE_PREFIX, row->slug, NULL);
  g_autofree char *code = g_strdelimit (g_strdup (row->slug), "-", '_');
  g_autoptr (JsonObject) problem = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), problem);

  json_object_set_string_member (problem, "type", type);
  json_object_set_string_member (problem, "title", row->title);
  json_object_set_int_member (problem, "status", row->status);
  json_object_set_string_member (problem, "code", code);
  json_object_set_string_member (problem, "detail", detail);
  if (instance != NULL)
    json_object_set_string_member (problem, "instance", instance);
  json_object_set_string_member (problem, "trace_id", trace_id);
  return reeve_json_text (node);
}

GBytes *
reeve_rest_refusal_new (guint status, const char *detail, const char *instance)
{
  const ReeveRestRefusal *row = reeve_rest_refusal_find (status);
  guint8 random[24] = { 0 };
  g_autofree char *ids = NULL;
  g_autofree char *trace_id = NULL;
  g_autofree char *body = NULL;
  g_autofree char *request_id = reeve_ids_new ("req");
  char *answer = NULL;

  reeve_ids_fill_random (random, sizeof random);
  ids = reeve_digests_hex (random, sizeof random);
  trace_id = g_strndup (ids, 32);
  body = reeve_rest_refusal_write (row, detail, instance, trace_id);
  answer = g_strdup_printf (
      "HTTP/1.1 %u %s\r\n"
      "Content-Type: application/problem+json\r\n"
      "Content-Length: %zu\r\n"
      "Connection: close\r\n"
      "%s" REEVE_REST_HEADERS_STANDING REEVE_REST_HEADERS_POLICY_LINE "traceparent: 00-%s-%s-01\r\n"
      "X-Request-Id: %s\r\n\r\n%s",
      row->status, row->phrase, strlen (body), status == 503 ? "Retry-After: 1\r\n" : "", trace_id,
      ids + 32, request_id, body);
  return g_bytes_new_take (answer, strlen (answer));
}
