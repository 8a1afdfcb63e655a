/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spans as OTLP/HTTP sends them in JSON, and the pieces that metrics are written with. Pure. */
#pragma once

#include "base/span.h"

G_BEGIN_DECLS

/* (transfer full): the member `resource`, of pairs of name and text, ended by NULL */
char *reeve_otlp_encode_resource (const char *const *pairs) G_GNUC_WARN_UNUSED_RESULT;
/* (transfer full): ExportTraceServiceRequest. @spans: (element-type ReeveSpan). @offset: what is
 * added to monotonic µs to have µs since the epoch. */
GBytes *reeve_otlp_encode_spans (const char *resource, GPtrArray *spans, gint64 offset);

/* a JSON string */
void reeve_otlp_encode_text (GString *out, const char *text);
/* a JSON number; what none can be written for is 0 */
void reeve_otlp_encode_number (GString *out, double number);
/* `{"key":…,"value":{"stringValue":…}}` */
void reeve_otlp_encode_pair (GString *out, const char *key, const char *text);
/* `{"key":…,"value":{"intValue":…}}` */
void reeve_otlp_encode_integer_pair (GString *out, const char *key, gint64 number);
/* the member `scope`, with its comma: `"scope":{…},` */
void reeve_otlp_encode_scope (GString *out);

G_END_DECLS
