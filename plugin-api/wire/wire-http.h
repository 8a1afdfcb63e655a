/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HTTP requests and responses without their bodies, as JSON. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* (transfer full) */
char *wire_http_request_to_text (ReeveHttpRequest *request);
/* (transfer full) */
JsonObject *wire_http_request_to_object (ReeveHttpRequest *request);
/* (transfer full) (nullable): %REEVE_ERROR_INVALID_ARGUMENT */
ReeveHttpRequest *wire_http_request_from_object (JsonObject *object, GError **error);
/* (transfer full) (nullable): %REEVE_ERROR_INVALID_ARGUMENT */
ReeveHttpRequest *wire_http_request_from_text (const char *text, GError **error);
/* (transfer full) */
char *wire_http_response_to_text (ReeveHttpResponse *response);
/* (transfer full) (nullable): %REEVE_ERROR_INVALID_ARGUMENT */
ReeveHttpResponse *wire_http_response_from_text (const char *text, GError **error);

G_END_DECLS
