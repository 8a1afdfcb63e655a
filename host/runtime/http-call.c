/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request under way: checked, put into bytes, timed. */
#include "http-call.h"

#include <string.h>

#include "base/http-fields.h"

#define REEVE_HTTP_CALL_CONNECT_MS    10000
#define REEVE_HTTP_CALL_FIRST_BYTE_MS 120000
#define REEVE_HTTP_CALL_IDLE_MS       60000
#define REEVE_HTTP_CALL_TOTAL_MS      600000
#define REEVE_HTTP_CALL_MAX_RESPONSE  ((gsize) 64 * 1024 * 1024)
#define REEVE_HTTP_CALL_MAX_HEAD      (64 * 1024)
#define REEVE_HTTP_CALL_HEAD          511 /* what most heads take; 1 KiB is large for malloc() */

static guint
reeve_http_call_or (guint value, guint fallback)
{
  return value != 0 ? value : fallback;
}

/**
 * reeve_http_call_new:
 * @upstream: the client
 * @request: what to send
 * @options: (nullable): limits
 * @handlers: callbacks
 * @user_data: for them
 *
 * Returns: (transfer full): a call that has begun to wait for a connection
 */
ReeveHttpCall *
reeve_http_call_new (ReeveUpstream *upstream, ReeveHttpRequest *request,
                     const ReeveUpstreamOptions *options, const ReeveUpstreamHandlers *handlers,
                     gpointer user_data)
{
  static const ReeveUpstreamOptions none = { 0 };
  ReeveHttpCall *self = g_new0 (ReeveHttpCall, 1);
  const ReeveUpstreamOptions *given = options != NULL ? options : &none;
  guint total = reeve_http_request_get_timeout_ms (request);
  gsize limit = reeve_http_request_get_max_response (request);

  self->base.upstream = g_object_ref (upstream);
  self->request = reeve_http_request_ref (request);
  self->handlers = handlers;
  self->user_data = user_data;
  self->options.addresses = given->addresses != NULL ? g_ptr_array_ref (given->addresses) : NULL;
  self->options.trust = given->trust != NULL ? reeve_http_trust_ref (given->trust) : NULL;
  self->options.connect_ms = reeve_http_call_or (given->connect_ms, REEVE_HTTP_CALL_CONNECT_MS);
  self->options.first_byte_ms
      = reeve_http_call_or (given->first_byte_ms, REEVE_HTTP_CALL_FIRST_BYTE_MS);
  self->options.idle_ms = reeve_http_call_or (given->idle_ms, REEVE_HTTP_CALL_IDLE_MS);
  self->options.total_ms = reeve_http_call_or (given->total_ms, REEVE_HTTP_CALL_TOTAL_MS);
  self->options.max_response
      = given->max_response != 0 ? given->max_response : REEVE_HTTP_CALL_MAX_RESPONSE;
  if (total != 0)
    self->options.total_ms = MIN (self->options.total_ms, total);
  if (limit != 0)
    self->options.max_response = MIN (self->options.max_response, limit);
  self->log = reeve_log_save_context ();
  self->link.data = self;
  self->queue_link.data = self;
  self->started = g_get_monotonic_time ();
  self->total_deadline = self->started + (gint64) self->options.total_ms * 1000;
  self->deadline = self->started + (gint64) self->options.connect_ms * 1000;
  return self;
}

/**
 * reeve_http_call_free:
 * @self: (transfer full): a call
 */
void
reeve_http_call_free (ReeveHttpCall *self)
{
  g_clear_pointer (&self->options.addresses, g_ptr_array_unref);
  g_clear_pointer (&self->options.trust, reeve_http_trust_unref);
  g_clear_pointer (&self->request, reeve_http_request_unref);
  g_clear_pointer (&self->head, g_bytes_unref);
  g_clear_error (&self->error);
  g_clear_pointer (&self->log, reeve_log_context_unref);
  g_object_unref (self->base.upstream);
  g_free (self);
}

static gboolean
reeve_http_call_append_headers (GString *out, const char *const *headers, GError **error)
{
  gboolean named = FALSE;

  for (guint i = 0; headers[i] != NULL; i += 2)
    {
      if (!reeve_http_fields_is_token (headers[i]) || reeve_http_fields_is_framing (headers[i]))
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "header %.64s cannot be sent", headers[i]);
          return FALSE;
        }
      if (!reeve_http_fields_is_value (headers[i + 1]))
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "value of header %s has control characters", headers[i]);
          return FALSE;
        }
      named = named || g_ascii_strcasecmp (headers[i], "User-Agent") == 0;
      g_string_append (out, headers[i]);
      g_string_append (out, ": ");
      g_string_append (out, headers[i + 1]);
      g_string_append (out, "\r\n");
    }
  if (!named)
    g_string_append (out, "User-Agent: reeve/" REEVE_VERSION "\r\n");
  return TRUE;
}

/**
 * reeve_http_call_build:
 * @self: a call
 * @target: what follows the method: rest of the request line, and `Host`
 * @error: return location
 *
 * Puts request line and headers into bytes.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT or %REEVE_ERROR_TOO_LARGE
 */
gboolean
reeve_http_call_build (ReeveHttpCall *self, const char *target, GError **error)
{
  const char *method = reeve_http_request_get_method (self->request);
  GBytes *body = reeve_http_request_get_body (self->request);
  gsize size = body != NULL ? g_bytes_get_size (body) : 0;
  g_autoptr (GString) out = g_string_sized_new (REEVE_HTTP_CALL_HEAD);

  if (!reeve_http_fields_is_token (method) || strlen (method) > 16)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "the method is not a token");
      return FALSE;
    }
  g_string_append (out, method);
  g_string_append_c (out, ' ');
  g_string_append (out, target);
  if (!reeve_http_call_append_headers (out, reeve_http_request_get_headers (self->request), error))
    return FALSE;
  if (body != NULL || g_str_equal (method, "POST") || g_str_equal (method, "PUT"))
    g_string_append_printf (out, "Content-Length: %" G_GSIZE_FORMAT "\r\n", size);
  g_string_append (out, "\r\n");
  if (out->len > REEVE_HTTP_CALL_MAX_HEAD || size > REEVE_HTTP_CALL_MAX_REQUEST)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "the request is too large");
      return FALSE;
    }
  self->without_body = g_str_equal (method, "HEAD");
  /* kept for another try until the answer has ended: as long as it is */
  self->head = g_bytes_new (out->str, out->len);
  return TRUE;
}

/**
 * reeve_http_call_accepts:
 * @self: a call
 * @peer: address of a connection
 *
 * Returns: whether it may be used for @self
 */
gboolean
reeve_http_call_accepts (ReeveHttpCall *self, GInetAddress *peer)
{
  GPtrArray *addresses = self->options.addresses;

  if (addresses == NULL)
    return TRUE;
  for (guint i = 0; i < addresses->len; i++)
    if (g_inet_address_equal (g_ptr_array_index (addresses, i), peer))
      return TRUE;
  return FALSE;
}

/**
 * reeve_http_call_get_deadline:
 * @self: a call
 *
 * Returns: monotonic time at which it times out unless something happens before
 */
gint64
reeve_http_call_get_deadline (ReeveHttpCall *self)
{
  gint64 deadline = self->deadline;

  if (self->attempt_deadline != 0)
    deadline = MIN (deadline, self->attempt_deadline);
  if (self->paused && self->got_head)
    deadline = self->total_deadline;
  return MIN (deadline, self->total_deadline);
}

/**
 * reeve_http_call_begin_phase:
 * @self: a call with a connection
 * @now: monotonic time
 *
 * Something moved: the clock of the present phase starts anew.
 */
void
reeve_http_call_begin_phase (ReeveHttpCall *self, gint64 now)
{
  guint phase = self->got_head ? self->options.idle_ms : self->options.first_byte_ms;

  self->deadline = now + (gint64) phase * 1000;
}

/**
 * reeve_http_call_timed_out:
 * @self: a call
 * @now: monotonic time, at or after its deadline
 *
 * Returns: (transfer full): an error that says for what was waited
 */
GError *
reeve_http_call_timed_out (ReeveHttpCall *self, gint64 now)
{
  const char *what = "while the answer came";

  if (self->base.progress == REEVE_UPSTREAM_UNSENT)
    what = self->error != NULL ? self->error->message : "while connecting, nothing was sent";
  else if (self->base.progress == REEVE_UPSTREAM_SENT)
    what = "waiting for the answer: it is unknown whether the request was executed";
  return g_error_new (REEVE_ERROR, REEVE_ERROR_TIMEOUT, "timed out after %.1f s %s%s",
                      (double) (now - self->started) / G_USEC_PER_SEC, what,
                      now >= self->total_deadline ? " (limit of the whole call)" : "");
}
