/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tool `http_request`: from a model's arguments to a request, from a response to what a model
 * reads. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* of one instance */
typedef struct
{
  char **methods;
  gsize max_response; /* bytes that the host takes */
  gsize max_text;     /* bytes that the model gets */
  guint timeout_ms;
} HttpToolLimits;

ReeveToolInfo *http_tool_describe (const HttpToolLimits *limits, GError **error);
ReeveHttpRequest *http_tool_read (JsonObject *arguments, const HttpToolLimits *limits,
                                  GError **error);
ReeveToolResult *http_tool_write (ReeveHttpResponse *response, const HttpToolLimits *limits);

G_END_DECLS
