/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON mapping of OTLP (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding):
 * lowerCamelCase members, ids in hexadecimal, enumerations by number, 64-bit integers as strings.
 */
#include "otlp-encode.h"

#include <math.h>

#define REEVE_OTLP_ENCODE_ERROR 2 /* STATUS_CODE_ERROR */

void
reeve_otlp_encode_text (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *at = text; *at != '\0'; at++)
    {
      if (*at == '"' || *at == '\\')
        g_string_append_c (out, '\\');
      if ((guint8) *at < 0x20 || *at == 0x7f)
        g_string_append_printf (out, "\\u%04x", (guint8) *at);
      else
        g_string_append_c (out, *at);
    }
  g_string_append_c (out, '"');
}

void
reeve_otlp_encode_number (GString *out, double number)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (out, isfinite (number) ? g_ascii_dtostr (buffer, sizeof buffer, number) : "0");
}

void
reeve_otlp_encode_pair (GString *out, const char *key, const char *text)
{
  g_string_append (out, "{\"key\":");
  reeve_otlp_encode_text (out, key);
  g_string_append (out, ",\"value\":{\"stringValue\":");
  reeve_otlp_encode_text (out, text);
  g_string_append (out, "}}");
}

void
reeve_otlp_encode_integer_pair (GString *out, const char *key, gint64 number)
{
  g_string_append (out, "{\"key\":");
  reeve_otlp_encode_text (out, key);
  g_string_append_printf (out, ",\"value\":{\"intValue\":\"%" G_GINT64_FORMAT "\"}}", number);
}

void
reeve_otlp_encode_scope (GString *out)
{
  g_string_append (out, "\"scope\":{\"name\":\"reeve\",\"version\":\"" REEVE_VERSION "\"},");
}

/**
 * reeve_otlp_encode_resource:
 * @pairs: names and texts, ended by %NULL
 *
 * Returns: (transfer full): `"resource":{…},`
 */
char *
reeve_otlp_encode_resource (const char *const *pairs)
{
  GString *out = g_string_new ("\"resource\":{\"attributes\":[");

  for (gboolean first = TRUE; pairs[0] != NULL; pairs += 2, first = FALSE)
    {
      if (!first)
        g_string_append_c (out, ',');
      reeve_otlp_encode_pair (out, pairs[0], pairs[1]);
    }
  g_string_append (out, "]},");
  return g_string_free (out, FALSE);
}

static void
reeve_otlp_encode_value (GString *out, const ReeveSpanAttribute *attribute)
{
  switch (attribute->type)
    {
    case REEVE_SPAN_INTEGER:
      g_string_append_printf (out, "{\"intValue\":\"%" G_GINT64_FORMAT "\"}",
                              attribute->value.integer);
      break;
    case REEVE_SPAN_DOUBLE:
      g_string_append (out, "{\"doubleValue\":");
      reeve_otlp_encode_number (out, attribute->value.number);
      g_string_append_c (out, '}');
      break;
    case REEVE_SPAN_BOOLEAN:
      g_string_append_printf (out, "{\"boolValue\":%s}",
                              attribute->value.integer != 0 ? "true" : "false");
      break;
    case REEVE_SPAN_LIST:
      g_string_append (out, "{\"arrayValue\":{\"values\":[{\"stringValue\":");
      reeve_otlp_encode_text (out, attribute->value.text);
      g_string_append (out, "}]}}");
      break;
    case REEVE_SPAN_STRING:
    default:
      g_string_append (out, "{\"stringValue\":");
      reeve_otlp_encode_text (out, attribute->value.text);
      g_string_append_c (out, '}');
      break;
    }
}

static void
reeve_otlp_encode_span (GString *out, const ReeveSpan *span, gint64 offset)
{
  g_string_append_printf (out, "{\"traceId\":\"%s\",\"spanId\":\"%s\",", span->trace.trace_id,
                          span->trace.span_id);
  if (*span->parent_id != '\0')
    g_string_append_printf (out, "\"parentSpanId\":\"%s\",", span->parent_id);
  g_string_append_printf (out, "\"flags\":%u,\"name\":", span->trace.flags);
  reeve_otlp_encode_text (out, span->name);
  g_string_append_printf (out,
                          ",\"kind\":%d,\"startTimeUnixNano\":\"%" G_GINT64_FORMAT
                          "000\",\"endTimeUnixNano\":\"%" G_GINT64_FORMAT "000\",\"attributes\":[",
                          span->kind, span->began + offset, span->ended + offset);
  for (guint i = 0; i < span->n_attributes; i++)
    {
      g_string_append (out, i > 0 ? ",{\"key\":" : "{\"key\":");
      reeve_otlp_encode_text (out, span->attributes[i].key);
      g_string_append (out, ",\"value\":");
      reeve_otlp_encode_value (out, &span->attributes[i]);
      g_string_append_c (out, '}');
    }
  g_string_append (out, "],\"status\":{");
  if (span->failed)
    g_string_append_printf (out, "\"code\":%d", REEVE_OTLP_ENCODE_ERROR);
  g_string_append (out, "}}");
}

/**
 * reeve_otlp_encode_spans:
 * @resource: from reeve_otlp_encode_resource()
 * @spans: (element-type ReeveSpan): that have ended
 * @offset: µs between the monotonic clock and the epoch
 *
 * Returns: (transfer full): a request to `/v1/traces`
 */
GBytes *
reeve_otlp_encode_spans (const char *resource, GPtrArray *spans, gint64 offset)
{
  g_autoptr (GString) out = g_string_sized_new (1024 + spans->len * 1024);

  g_string_append (out, "{\"resourceSpans\":[{");
  g_string_append (out, resource);
  g_string_append (out, "\"scopeSpans\":[{");
  reeve_otlp_encode_scope (out);
  g_string_append (out, "\"spans\":[");
  for (guint i = 0; i < spans->len; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      reeve_otlp_encode_span (out, spans->pdata[i], offset);
    }
  g_string_append (out, "]}]}]}");
  return g_string_free_to_bytes (g_steal_pointer (&out));
}
