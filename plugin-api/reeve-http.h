/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HTTP requests and responses as plain values: a plugin describes them, the host performs them. */
#pragma once

#include "reeve-error.h"

G_BEGIN_DECLS

#define REEVE_TYPE_HTTP_REQUEST  (reeve_http_request_get_type ())
#define REEVE_TYPE_HTTP_RESPONSE (reeve_http_response_get_type ())

typedef struct _ReeveHttpRequest ReeveHttpRequest;
typedef struct _ReeveHttpResponse ReeveHttpResponse;

REEVE_AVAILABLE_IN_1_0
GType reeve_http_request_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveHttpRequest *reeve_http_request_new (const char *method, const char *url);
REEVE_AVAILABLE_IN_1_0
ReeveHttpRequest *reeve_http_request_ref (ReeveHttpRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_http_request_unref (ReeveHttpRequest *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_http_request_get_method (ReeveHttpRequest *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_http_request_get_url (ReeveHttpRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_http_request_add_header (ReeveHttpRequest *self, const char *name, const char *value);
/* Headers in the order they were added: name, value, name, value …, NULL. */
REEVE_AVAILABLE_IN_1_0
const char *const *reeve_http_request_get_headers (ReeveHttpRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_http_request_set_body (ReeveHttpRequest *self, const char *content_type, GBytes *body);
REEVE_AVAILABLE_IN_1_0
GBytes *reeve_http_request_get_body (ReeveHttpRequest *self);
/* The host attaches the credential in a slot; the plugin never sees it. */
REEVE_AVAILABLE_IN_1_0
void reeve_http_request_add_credential (ReeveHttpRequest *self, const char *slot);
/* Names of slots in the order they were added, NULL. */
REEVE_AVAILABLE_IN_1_0
const char *const *reeve_http_request_get_credentials (ReeveHttpRequest *self);
/* May the host send it again when it cannot know whether it was executed? FALSE unless set. */
REEVE_AVAILABLE_IN_1_0
void reeve_http_request_set_idempotent (ReeveHttpRequest *self, gboolean idempotent);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_http_request_get_idempotent (ReeveHttpRequest *self);
/* 0 means the host's default. */
REEVE_AVAILABLE_IN_1_0
void reeve_http_request_set_max_response (ReeveHttpRequest *self, gsize bytes);
REEVE_AVAILABLE_IN_1_0
gsize reeve_http_request_get_max_response (ReeveHttpRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_http_request_set_timeout_ms (ReeveHttpRequest *self, guint timeout_ms);
REEVE_AVAILABLE_IN_1_0
guint reeve_http_request_get_timeout_ms (ReeveHttpRequest *self);

REEVE_AVAILABLE_IN_1_0
GType reeve_http_response_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveHttpResponse *reeve_http_response_new (guint status);
REEVE_AVAILABLE_IN_1_0
ReeveHttpResponse *reeve_http_response_ref (ReeveHttpResponse *self);
REEVE_AVAILABLE_IN_1_0
void reeve_http_response_unref (ReeveHttpResponse *self);
REEVE_AVAILABLE_IN_1_0
guint reeve_http_response_get_status (ReeveHttpResponse *self);
REEVE_AVAILABLE_IN_1_0
void reeve_http_response_add_header (ReeveHttpResponse *self, const char *name, const char *value);
REEVE_AVAILABLE_IN_1_0
const char *const *reeve_http_response_get_headers (ReeveHttpResponse *self);
/* First value of a header, case-insensitive; NULL when absent. */
REEVE_AVAILABLE_IN_1_0
const char *reeve_http_response_get_header (ReeveHttpResponse *self, const char *name);
REEVE_AVAILABLE_IN_1_0
void reeve_http_response_set_body (ReeveHttpResponse *self, GBytes *body);
REEVE_AVAILABLE_IN_1_0
GBytes *reeve_http_response_get_body (ReeveHttpResponse *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveHttpRequest, reeve_http_request_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveHttpResponse, reeve_http_response_unref)

G_END_DECLS
