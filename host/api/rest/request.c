/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The head decides path, method and size before the body is read (request-head.c); a refused body
 * is read and thrown away, so that the client gets the answer. The message is never touched after
 * "finished". */
#include "request-private.h"

#include <string.h>

#include <reeve-json.h>
#include "fill.h"
#include "headers.h"
#include "response.h"

/* of a refused body, read and thrown away */
#define REEVE_REST_REQUEST_DISCARD ((gsize) 128 * 1024 * 1024)
/* when all streams of a thread together hold so many times what one may, the greatest ones go */
#define REEVE_REST_REQUEST_ALL      16
#define REEVE_REST_REQUEST_BURST    4 /* times what one may hold: never more, however short */
#define REEVE_REST_REQUEST_GRACE_US (1 * G_USEC_PER_SEC)
#define REEVE_REST_REQUEST_AHEAD    (16 * 1024) /* of an answer that is read while it is sent */
#define REEVE_REST_REQUEST_GREAT    16 /* a great one: more than such a part of what one may hold */

static void
reeve_rest_request_unref (gpointer data)
{
  ReeveRestRequest *self = data;

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  reeve_rest_router_clear_match (&self->match);
  g_free (self->target);
  g_free (self->path);
  g_clear_pointer (&self->body, g_byte_array_unref);
  g_clear_pointer (&self->source, reeve_call_source_unref);
  g_free (self);
}

/* ---- the end ---- */

static void
reeve_rest_request_on_finished (gpointer user_data)
{
  ReeveRestRequest *self = user_data;

  reeve_rest_response_measure (self->msg, self->match.operation, self->call, self->began,
                               reeve_rest_thread_get_shared (self->thread)->services);
  self->msg = NULL;
  reeve_rest_thread_count_unread (self->thread, -(gssize) (self->appended - self->written));
  self->written = self->appended;
  if (self->connection != NULL)
    {
      reeve_rest_connection_end (self->connection);
      g_clear_pointer (&self->connection, reeve_rest_connection_unref);
    }
  if (self->call != NULL)
    {
      /* before the answer: the client has gone */
      if (self->dispatching || self->source != NULL)
        g_cancellable_cancel (reeve_call_get_cancellable (self->call));
      g_clear_pointer (&self->call, reeve_call_unref);
    }
  reeve_rest_thread_count (self->thread, -1);
  reeve_rest_request_unref (self);
}

static void
reeve_rest_request_on_answered (gpointer user_data)
{
  ReeveRestRequest *self = user_data;

  if (self->connection != NULL)
    reeve_rest_connection_set_answered (self->connection);
}

static void
reeve_rest_request_on_gone (ReeveRestConnection *connection, gpointer user_data)
{
  ReeveRestRequest *self = user_data;

  self->abandoned = TRUE;
  if (self->call != NULL)
    g_cancellable_cancel (reeve_call_get_cancellable (self->call));
}

static void
reeve_rest_request_resume (ReeveRestRequest *self)
{
  if (self->msg != NULL)
    reeve_rest_message_go_on (self->msg);
}

/* ---- streams ---- */

static void reeve_rest_request_pull (ReeveRestRequest *self);

static void
reeve_rest_request_on_wrote (gsize length, gpointer user_data)
{
  ReeveRestRequest *self = user_data;

  self->written += length;
  reeve_rest_thread_count_unread (self->thread, -(gssize) length);
  reeve_rest_request_pull (self);
}

static void
reeve_rest_request_set_stream_type (ReeveRestRequest *self, SoupMessageHeaders *headers)
{
  const char *name = self->source != NULL ? reeve_call_source_get_file_name (self->source) : NULL;
  g_autofree char *disposition
      = name != NULL ? g_strdup_printf ("attachment; filename=\"%s\"", name) : NULL;

  soup_message_headers_replace (headers, "Content-Type",
                                self->source != NULL
                                    ? reeve_call_source_get_media_type (self->source)
                                    : "text/event-stream; charset=utf-8");
  if (disposition != NULL)
    soup_message_headers_replace (headers, "Content-Disposition", disposition);
}

static void
reeve_rest_request_begin_stream (ReeveRestRequest *self)
{
  SoupMessageHeaders *headers = reeve_rest_message_get_response_headers (self->msg);

  self->streaming = TRUE;
  reeve_rest_response_set_common (self->msg, self->call);
  reeve_rest_message_set_status (self->msg, SOUP_STATUS_OK);
  reeve_rest_request_set_stream_type (self, headers);
  soup_message_headers_replace (headers, "X-Accel-Buffering", "no");
  soup_message_headers_replace (headers, "Connection", "close");
  if (self->connection != NULL)
    reeve_rest_connection_set_last (self->connection);
  reeve_rest_message_begin_stream (self->msg);
}

/* One event may be of any size, and many may come at once (from a journal). But who does not read
 * holds more than it may for a moment only, and all streams together are bounded. */
static gboolean
reeve_rest_request_is_too_slow (ReeveRestRequest *self)
{
  gsize max = reeve_rest_thread_get_shared (self->thread)->limits.max_unread;
  gsize all = reeve_rest_thread_count_unread (self->thread, 0);
  gsize unread = self->appended - self->written;

  if (unread <= max)
    self->unread_since = 0;
  else if (self->unread_since == 0)
    self->unread_since = g_get_monotonic_time ();
  if (unread > max * REEVE_REST_REQUEST_BURST)
    return TRUE;
  if (unread > max && g_get_monotonic_time () - self->unread_since > REEVE_REST_REQUEST_GRACE_US)
    return TRUE;
  return unread > max / REEVE_REST_REQUEST_GREAT && all > max * REEVE_REST_REQUEST_ALL;
}

static void
reeve_rest_request_append (ReeveRestRequest *self, GBytes *bytes)
{
  g_autoptr (ReeveCall) call = reeve_call_ref (self->call); /* what is sent may end all of it */
  g_auto (ReeveLogScope) scope = reeve_log_scope (reeve_call_get_log (call));

  if (self->too_slow)
    return;
  if (!self->streaming)
    reeve_rest_request_begin_stream (self);
  if (self->connection != NULL && reeve_rest_request_is_too_slow (self))
    {
      g_message ("a client reads its stream too slowly and is dropped");
      self->too_slow = TRUE;
      g_cancellable_cancel (reeve_call_get_cancellable (self->call));
      reeve_rest_connection_drop (self->connection);
      return;
    }
  self->appended += g_bytes_get_size (bytes);
  reeve_rest_thread_count_unread (self->thread, (gssize) g_bytes_get_size (bytes));
  reeve_rest_message_append (self->msg, bytes);
  reeve_rest_request_resume (self);
}

/* Who has gone altogether resets the connection when something comes: a comment, which readers of
 * events skip. A stream in which nothing has happened yet begins with it, or it would be held for
 * nobody; the first time passes, so that an error can still be the answer. What may yet be any
 * answer begins with what all do: after a second, two, four, … */
static void
reeve_rest_request_on_half (ReeveRestConnection *connection, gpointer user_data)
{
  ReeveRestRequest *self = user_data;
  g_autoptr (GBytes) comment = g_bytes_new_static (":\n\n", 3);
  const ReeveOperation *operation = self->match.operation;
  gboolean only_streams = operation != NULL && (operation->flags & REEVE_OPERATION_STREAM) != 0
                          && strcmp (operation->method, "GET") == 0;

  if (self->msg == NULL || !self->dispatching)
    return;
  self->probes++;
  if (self->streaming || (only_streams && self->probes > 1))
    reeve_rest_request_append (self, comment);
  else if (!only_streams && (self->probes & (self->probes - 1)) == 0)
    reeve_rest_connection_probe (connection);
}

static void
reeve_rest_request_on_event (ReeveCall *call, const char *event, JsonNode *data, GBytes *raw,
                             gpointer user_data)
{
  ReeveRestRequest *self = user_data;
  g_autofree char *json = NULL;
  g_autoptr (GBytes) bytes = NULL;
  char *frame = NULL;

  if (self->msg == NULL)
    return;
  if (raw != NULL)
    {
      reeve_rest_request_append (self, raw);
      return;
    }
  json = reeve_json_text (data);
  frame = g_strconcat ("event: ", event, "\ndata: ", json, "\n\n", NULL);
  bytes = g_bytes_new_take (frame, strlen (frame));
  reeve_rest_request_append (self, bytes);
}

/* ---- answers that are read while they are sent ---- */

/* Without a length there is nothing but a reset by which the client can tell that this was not all.
 */
static void
reeve_rest_request_break (ReeveRestRequest *self, const GError *error)
{
  g_auto (ReeveLogScope) scope = reeve_log_scope (reeve_call_get_log (self->call));

  g_warning ("an answer under way breaks off: %s", error->message);
  if (self->connection != NULL)
    reeve_rest_connection_drop (self->connection);
  /* who waits for more to write would never look at the connection again */
  reeve_rest_message_end (self->msg);
  reeve_rest_request_resume (self);
}

/* Before the first of them was there, an answer of another kind can still be given. */
static void
reeve_rest_request_fail (ReeveRestRequest *self, const GError *error)
{
  g_auto (ReeveLogScope) scope = reeve_log_scope (reeve_call_get_log (self->call));

  g_clear_pointer (&self->source, reeve_call_source_unref);
  reeve_rest_response_fail (self->msg, self->call, self->path, error);
  reeve_rest_message_end (self->msg);
  reeve_rest_request_resume (self);
}

static void
reeve_rest_request_on_piece (GObject *object, GAsyncResult *result, gpointer user_data)
{
  ReeveRestRequest *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = reeve_call_source_read_finish (self->source, result, &error);

  self->pulling = FALSE;
  if (self->msg != NULL && error != NULL && !self->streaming)
    reeve_rest_request_fail (self, error);
  else if (self->msg != NULL && error != NULL)
    reeve_rest_request_break (self, error);
  else if (self->msg != NULL && bytes != NULL)
    {
      reeve_rest_request_append (self, bytes);
      reeve_rest_request_pull (self);
    }
  else if (self->msg != NULL)
    {
      if (!self->streaming)
        reeve_rest_request_begin_stream (self);
      g_clear_pointer (&self->source, reeve_call_source_unref);
      reeve_rest_message_end (self->msg);
      reeve_rest_request_resume (self);
    }
  reeve_rest_request_unref (self);
}

/* Asks for more once the client has taken nearly all there was. */
static void
reeve_rest_request_pull (ReeveRestRequest *self)
{
  if (self->source == NULL || self->pulling || self->too_slow
      || self->appended - self->written > REEVE_REST_REQUEST_AHEAD)
    return;
  self->pulling = TRUE;
  g_atomic_ref_count_inc (&self->references);
  reeve_call_source_read_async (self->source,
                                reeve_rest_thread_get_shared (self->thread)->services->workers,
                                reeve_rest_request_on_piece, self);
}

static void
reeve_rest_request_begin_source (ReeveRestRequest *self, ReeveCallSource *source)
{
  self->dispatching = FALSE;
  self->source = reeve_call_source_ref (source);
  reeve_rest_request_pull (self);
}

static void
reeve_rest_request_on_done (ReeveCall *call, gpointer user_data)
{
  ReeveRestRequest *self = user_data;

  if (self->msg == NULL)
    return;
  if (reeve_call_get_source (call) != NULL)
    {
      reeve_rest_request_begin_source (self, reeve_call_get_source (call));
      return;
    }
  if (self->streaming || (reeve_call_is_stream (call) && reeve_call_get_error (call) == NULL))
    {
      if (!self->streaming)
        reeve_rest_request_begin_stream (self);
    }
  else
    reeve_rest_response_send (self->msg, call, self->path);
  self->dispatching = FALSE;
  reeve_rest_message_end (self->msg);
  reeve_rest_request_resume (self);
}

/* ---- its beginning ---- */

static void
reeve_rest_request_on_chunk (const guint8 *data, gsize length, gpointer user_data)
{
  ReeveRestRequest *self = user_data;
  gsize max = reeve_rest_thread_get_shared (self->thread)->limits.max_body;

  self->received += length;
  if (self->received > REEVE_REST_REQUEST_DISCARD && self->refused && self->connection != NULL)
    reeve_rest_connection_drop (self->connection);
  if (self->refused)
    return;
  if (self->received > max)
    reeve_rest_request_head_refuse (self, REEVE_ERROR_TOO_LARGE,
                                    "the body is larger than server.max_body");
  else
    g_byte_array_append (self->body, data, (guint) length);
}

static ReeveRestRequest *
reeve_rest_request_new (ReeveRestThread *thread)
{
  ReeveRestRequest *self = g_new0 (ReeveRestRequest, 1);

  g_atomic_ref_count_init (&self->references);
  self->thread = thread;
  self->began = g_get_monotonic_time ();
  self->body = g_byte_array_new ();
  return self;
}

/* soup: (nullable): who reads and writes it */
static void
reeve_rest_request_begin (ReeveRestRequest *self, SoupServerMessage *soup)
{
  ReeveRestConnection *connection = reeve_rest_message_get_connection (self->msg);

  if (connection != NULL)
    {
      self->connection = reeve_rest_connection_ref (connection);
      reeve_rest_connection_begin (connection, reeve_rest_request_on_gone,
                                   reeve_rest_request_on_half, self);
    }
  reeve_rest_request_head_take_target (self, soup);
  reeve_rest_thread_count (self->thread, 1);
}

/* ---- the call ---- */

static void
reeve_rest_request_on_received (gpointer user_data)
{
  ReeveRestRequest *self = user_data;
  g_autoptr (ReeveCall) call = NULL;
  g_autoptr (GBytes) body = NULL;

  if (self->connection != NULL)
    reeve_rest_connection_set_received (self->connection);
  if (self->refused)
    {
      reeve_rest_message_end (self->msg);
      reeve_rest_message_go_on (self->msg);
      return;
    }
  call = reeve_call_new (self->match.operation, reeve_rest_thread_get_context (self->thread),
                         "rest");
  body = g_byte_array_free_to_bytes (g_steal_pointer (&self->body));
  self->call = reeve_call_ref (call);
  g_atomic_ref_count_inc (&self->references);
  reeve_call_set_done (self->call, reeve_rest_request_on_done, reeve_rest_request_on_event, self,
                       reeve_rest_request_unref);
  reeve_rest_fill_call (call, self->msg, reeve_rest_thread_get_shared (self->thread), &self->match,
                        self->target, body);
  self->dispatching = TRUE;
  reeve_gate_dispatch (reeve_rest_thread_get_shared (self->thread)->services, call);
  /* answered meanwhile: nothing to wait for */
  if (self->dispatching && self->msg != NULL)
    {
      /* gone before there was a call: nothing would ever end a stream in which nothing happens */
      if (self->abandoned)
        g_cancellable_cancel (reeve_call_get_cancellable (call));
      if (self->msg != NULL)
        reeve_rest_message_pause (self->msg);
    }
}

/* ---- who brings it ---- */

static const ReeveRestMessageEvents reeve_rest_request_events = {
  .chunk = reeve_rest_request_on_chunk,
  .received = reeve_rest_request_on_received,
  .wrote = reeve_rest_request_on_wrote,
  .answered = reeve_rest_request_on_answered,
  .finished = reeve_rest_request_on_finished,
};

static void
reeve_rest_request_on_soup_head (SoupServer *server, SoupServerMessage *msg, const char *path,
                                 GHashTable *query, gpointer user_data)
{
  ReeveRestRequest *self = reeve_rest_request_new (user_data);

  self->msg = reeve_rest_message_new (msg, &reeve_rest_request_events, self);
  reeve_rest_request_begin (self, msg);
  reeve_rest_request_head_judge (self);
}

static void
reeve_rest_request_on_soup_body (SoupServer *server, SoupServerMessage *msg, const char *path,
                                 GHashTable *query, gpointer user_data)
{
  ReeveRestMessage *message = reeve_rest_message_from_soup (msg);

  if (message != NULL)
    reeve_rest_request_on_received (reeve_rest_message_get_user_data (message));
}

/* What is rare stays with libsoup: a body in chunks, who waits for 100 (Continue), HTTP/1.0, a
 * target that is no path, an answer without its body. */
static gboolean
reeve_rest_request_is_plain (ReeveRestConnection *connection)
{
  const ReeveRestHead *head = reeve_rest_connection_get_head (connection);
  gsize length = 0;
  const char *method = reeve_rest_connection_peek_head (connection, &length);

  return !head->old && !head->expect && !head->chunked
         && *reeve_rest_connection_get_target (connection) == '/'
         && (strncmp (method, "POST ", 5) == 0 || strncmp (method, "GET ", 4) == 0);
}

gboolean
reeve_rest_request_serve (ReeveRestThread *thread, ReeveRestConnection *connection)
{
  ReeveRestRequest *self = NULL;

  if (!reeve_rest_request_is_plain (connection))
    return FALSE;
  self = reeve_rest_request_new (thread);
  self->msg = reeve_rest_message_new_own (connection, &reeve_rest_request_events, self);
  if (self->msg == NULL)
    {
      reeve_rest_request_unref (self);
      return FALSE;
    }
  reeve_rest_request_begin (self, NULL);
  reeve_rest_headers_set (reeve_rest_message_get_response_headers (self->msg), connection, thread);
  reeve_rest_request_head_judge (self);
  reeve_rest_message_read (self->msg);
  return TRUE;
}

void
reeve_rest_request_install (SoupServer *server, ReeveRestThread *thread)
{
  soup_server_add_early_handler (server, NULL, reeve_rest_request_on_soup_head, thread, NULL);
  soup_server_add_handler (server, NULL, reeve_rest_request_on_soup_body, thread, NULL);
}
