/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is refused here is answered at once; that it was asked for is recorded meanwhile, of whoever
 * shows who he is. */
#include "request-private.h"

#include "fill.h"
#include "operations/gate-refuse.h"
#include "response.h"

#include <string.h>

/* ---- refusals ---- */

static void
reeve_rest_request_head_on_recorded (ReeveCall *call, gpointer user_data)
{
  reeve_rest_thread_count (user_data, -1);
}

/* (transfer full): what was asked for, as far as it was looked at */
static ReeveCall *
reeve_rest_request_head_make_call (ReeveRestRequest *self)
{
  const ReeveOperation *operation = self->match.operation;
  ReeveCall *call = reeve_call_new (operation != NULL ? operation : &reeve_gate_refuse_unknown,
                                    reeve_rest_thread_get_context (self->thread), "rest");

  reeve_rest_fill_head (call, self->msg, reeve_rest_thread_get_shared (self->thread));
  if (operation != NULL)
    {
      reeve_rest_fill_parameters (call, &self->match, self->target);
      return call;
    }
  reeve_call_set_path_member (call, "method", reeve_rest_message_get_method (self->msg));
  reeve_call_set_path_member (call, "path", self->path);
  return call;
}

void
reeve_rest_request_head_refuse (ReeveRestRequest *self, ReeveError code, const char *text)
{
  GError *error = g_error_new_literal (REEVE_ERROR, (gint) code, text);
  g_autoptr (ReeveCall) call = reeve_rest_request_head_make_call (self);
  gboolean compatible = g_str_has_prefix (self->path, "/v1/")
                        && !g_str_has_prefix (self->path, "/v1/admin/")
                        && !g_str_has_prefix (self->path, "/v1/agents/");

  self->refused = TRUE;
  g_clear_pointer (&self->body, g_byte_array_unref);
  reeve_rest_response_refuse (self->msg, call, error, self->path, compatible);
  /* the thread does not end before it has done so */
  reeve_rest_thread_count (self->thread, 1);
  reeve_call_set_done (call, reeve_rest_request_head_on_recorded, NULL, self->thread, NULL);
  reeve_gate_refuse_call (reeve_rest_thread_get_shared (self->thread)->services, call, error);
}

/* ---- the head ---- */

/* The target as it was sent where the connection knows it, else as libsoup understood it. */
static char *
reeve_rest_request_head_find_target (const char *sent, SoupServerMessage *msg)
{
  GUri *uri = msg != NULL ? soup_server_message_get_uri (msg) : NULL;
  const char *query = uri != NULL ? g_uri_get_query (uri) : NULL;
  const char *scheme = sent != NULL ? strstr (sent, "://") : NULL;

  if (sent != NULL && (*sent == '/' || *sent == '*' || msg == NULL))
    return g_strdup (sent);
  if (scheme != NULL && strchr (scheme + 3, '/') != NULL)
    return g_strdup (strchr (scheme + 3, '/'));
  return query != NULL ? g_strconcat (g_uri_get_path (uri), "?", query, NULL)
                       : g_strdup (g_uri_get_path (uri));
}

void
reeve_rest_request_head_take_target (ReeveRestRequest *self, SoupServerMessage *soup)
{
  self->target = reeve_rest_request_head_find_target (
      self->connection != NULL ? reeve_rest_connection_get_target (self->connection) : NULL, soup);
  self->path = g_strndup (self->target, strcspn (self->target, "?"));
}

/* A browser asks whether it may ask: answered to anybody, and nothing comes of it. */
static void
reeve_rest_request_head_answer_preflight (ReeveRestRequest *self, const ReeveRestShared *shared)
{
  g_autoptr (GError) error = NULL;

  if (!reeve_rest_cors_answer_preflight (
          shared->cors, reeve_rest_message_get_request_headers (self->msg),
          reeve_rest_message_get_response_headers (self->msg), &error))
    {
      reeve_rest_request_head_refuse (self, REEVE_ERROR_PERMISSION_DENIED, error->message);
      return;
    }
  self->refused = TRUE;
  reeve_rest_message_set_status (self->msg, SOUP_STATUS_NO_CONTENT);
}

/* OPTIONS * asks what the server can do at all (RFC 9110, 9.3.7): these are its methods. */
static void
reeve_rest_request_head_answer_options (ReeveRestRequest *self)
{
  SoupMessageHeaders *headers = reeve_rest_message_get_response_headers (self->msg);

  self->refused = TRUE;
  reeve_rest_response_set_own (self->msg);
  soup_message_headers_replace (headers, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  reeve_rest_message_set_status (self->msg, SOUP_STATUS_NO_CONTENT);
}

void
reeve_rest_request_head_judge (ReeveRestRequest *self)
{
  const ReeveRestShared *shared = reeve_rest_thread_get_shared (self->thread);
  SoupMessageHeaders *headers = reeve_rest_message_get_request_headers (self->msg);
  SoupMessageHeaders *answer = reeve_rest_message_get_response_headers (self->msg);
  const char *method = reeve_rest_message_get_method (self->msg);

  /* libsoup would cut an answer into as many parts as were asked for: nothing is served in parts */
  soup_message_headers_remove (headers, "Range");
  reeve_rest_cors_set_headers (shared->cors, headers, answer);
  if (self->connection != NULL && !reeve_rest_connection_is_kept (self->connection))
    soup_message_headers_replace (answer, "Connection", "close");
  if (*self->target == '*')
    reeve_rest_request_head_answer_options (self);
  else if (!reeve_rest_router_match (shared->router, method, self->path, &self->match))
    reeve_rest_request_head_refuse (self, REEVE_ERROR_NOT_FOUND, "no such path");
  else if (shared->cors != NULL && reeve_rest_cors_is_preflight (method, headers))
    reeve_rest_request_head_answer_preflight (self, shared);
  else if (self->match.operation == NULL)
    {
      soup_message_headers_replace (answer, "Allow", self->match.allow);
      reeve_rest_request_head_refuse (self, REEVE_ERROR_METHOD_NOT_ALLOWED,
                                      "this path does not know that method");
    }
  else if (soup_message_headers_get_content_length (headers) > (goffset) shared->limits.max_body)
    reeve_rest_request_head_refuse (self, REEVE_ERROR_TOO_LARGE,
                                    "the body is larger than server.max_body");
}
