/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads HTTP/1.1 responses (RFC 9112) with bounded heads, header counts and bodies. */
#include "http-reader.h"

#include <http_parser.h>
#include <string.h>

struct _ReeveHttpReader
{
  http_parser parser;
  const ReeveHttpReaderHandlers *handlers;
  gpointer user_data;
  GString *name;
  GString *value;
  gboolean in_value;
  ReeveHttpResponse *head; /* while it is being read */
  gsize head_bytes;
  guint n_headers;
  guint n_interim;
  gboolean without_body;
  gboolean begun;
  gboolean complete;
  gboolean interim;   /* the head just read was a 1xx one */
  gboolean past_head; /* what comes now are trailers */
  gboolean stopped;
  gsize body_bytes;
  gsize max_body;
  guint keep_alive_seconds;
  GError *error;
};

static void
reeve_http_reader_set_error (ReeveHttpReader *self, ReeveError code, const char *message)
{
  if (self->error == NULL)
    self->error = g_error_new_literal (REEVE_ERROR, (int) code, message);
}

static int
reeve_http_reader_on_begin (http_parser *parser)
{
  ReeveHttpReader *self = parser->data;

  self->head_bytes = 0;
  self->n_headers = 0;
  self->in_value = FALSE;
  self->past_head = FALSE;
  g_string_truncate (self->name, 0);
  g_string_truncate (self->value, 0);
  return 0;
}

static gboolean
reeve_http_reader_count (ReeveHttpReader *self, gsize length)
{
  self->head_bytes += length;
  if (self->head_bytes <= REEVE_HTTP_READER_MAX_HEAD)
    return TRUE;
  reeve_http_reader_set_error (self, REEVE_ERROR_UPSTREAM, "the head of the answer is too large");
  return FALSE;
}

/* "timeout=5, max=100": how long the peer says it keeps an idle connection. */
static void
reeve_http_reader_note_keep_alive (ReeveHttpReader *self, const char *value)
{
  const char *found = strstr (value, "timeout=");

  if (found != NULL)
    self->keep_alive_seconds = (guint) MIN (g_ascii_strtoull (found + 8, NULL, 10), 3600);
}

static gboolean
reeve_http_reader_flush_header (ReeveHttpReader *self)
{
  if (!self->in_value)
    return TRUE;
  self->in_value = FALSE;
  if (++self->n_headers > REEVE_HTTP_READER_MAX_HEADERS)
    {
      reeve_http_reader_set_error (self, REEVE_ERROR_UPSTREAM, "the answer has too many headers");
      return FALSE;
    }
  if (self->head != NULL)
    reeve_http_response_add_header (self->head, self->name->str, self->value->str);
  if (g_ascii_strcasecmp (self->name->str, "Keep-Alive") == 0)
    reeve_http_reader_note_keep_alive (self, self->value->str);
  g_string_truncate (self->name, 0);
  g_string_truncate (self->value, 0);
  return TRUE;
}

static int
reeve_http_reader_on_field (http_parser *parser, const char *at, size_t length)
{
  ReeveHttpReader *self = parser->data;

  if (!reeve_http_reader_flush_header (self) || !reeve_http_reader_count (self, length))
    return 1;
  if (self->head == NULL && !self->past_head)
    self->head = reeve_http_response_new (parser->status_code);
  g_string_append_len (self->name, at, (gssize) length);
  return 0;
}

static int
reeve_http_reader_on_value (http_parser *parser, const char *at, size_t length)
{
  ReeveHttpReader *self = parser->data;

  if (!reeve_http_reader_count (self, length))
    return 1;
  self->in_value = TRUE;
  g_string_append_len (self->value, at, (gssize) length);
  return 0;
}

static int
reeve_http_reader_on_interim (ReeveHttpReader *self)
{
  self->interim = TRUE;
  g_clear_pointer (&self->head, reeve_http_response_unref);
  if (self->parser.status_code == 101)
    reeve_http_reader_set_error (self, REEVE_ERROR_UPSTREAM, "the peer switched protocols unasked");
  else if (++self->n_interim > REEVE_HTTP_READER_MAX_INTERIM)
    reeve_http_reader_set_error (self, REEVE_ERROR_UPSTREAM, "too many interim answers");
  return self->error != NULL ? -1 : 1;
}

static int
reeve_http_reader_on_head (http_parser *parser)
{
  ReeveHttpReader *self = parser->data;
  g_autoptr (ReeveHttpResponse) head = NULL;
  gboolean bodiless = self->without_body;

  if (!reeve_http_reader_flush_header (self))
    return -1;
  if (parser->status_code < 200)
    return reeve_http_reader_on_interim (self);
  self->interim = FALSE;
  self->past_head = TRUE;
  if (!bodiless && (parser->flags & F_CONTENTLENGTH) && parser->content_length > self->max_body)
    {
      reeve_http_reader_set_error (self, REEVE_ERROR_TOO_LARGE, "the answer is too large");
      return -1;
    }
  if (self->head == NULL)
    self->head = reeve_http_response_new (parser->status_code);
  head = g_steal_pointer (&self->head);
  if (!self->handlers->head (head, self->user_data))
    {
      self->stopped = TRUE;
      return -1;
    }
  return bodiless ? 1 : 0;
}

static int
reeve_http_reader_on_body (http_parser *parser, const char *at, size_t length)
{
  ReeveHttpReader *self = parser->data;

  self->body_bytes += length;
  if (self->body_bytes > self->max_body)
    {
      reeve_http_reader_set_error (self, REEVE_ERROR_TOO_LARGE, "the answer is too large");
      return 1;
    }
  if (!self->handlers->body ((const guint8 *) at, length, self->user_data))
    {
      self->stopped = TRUE;
      return 1;
    }
  return 0;
}

static int
reeve_http_reader_on_complete (http_parser *parser)
{
  ReeveHttpReader *self = parser->data;

  if (!reeve_http_reader_flush_header (self))
    return 1;
  if (self->interim)
    return 0;
  self->complete = TRUE;
  /* stop here: what follows does not belong to this response */
  http_parser_pause (parser, 1);
  return 0;
}

static const http_parser_settings reeve_http_reader_settings = {
  .on_message_begin = reeve_http_reader_on_begin,
  .on_header_field = reeve_http_reader_on_field,
  .on_header_value = reeve_http_reader_on_value,
  .on_headers_complete = reeve_http_reader_on_head,
  .on_body = reeve_http_reader_on_body,
  .on_message_complete = reeve_http_reader_on_complete,
};

/**
 * reeve_http_reader_new:
 * @handlers: what to call; must outlive the reader
 * @user_data: for them
 *
 * Returns: (transfer full): a reader; call reeve_http_reader_begin() before each response
 */
ReeveHttpReader *
reeve_http_reader_new (const ReeveHttpReaderHandlers *handlers, gpointer user_data)
{
  ReeveHttpReader *self = g_new0 (ReeveHttpReader, 1);

  self->handlers = handlers;
  self->user_data = user_data;
  self->name = g_string_sized_new (32);
  self->value = g_string_sized_new (64);
  reeve_http_reader_begin (self, FALSE, 0);
  return self;
}

/**
 * reeve_http_reader_free:
 * @self: (transfer full): a reader
 */
void
reeve_http_reader_free (ReeveHttpReader *self)
{
  g_string_free (self->name, TRUE);
  g_string_free (self->value, TRUE);
  g_clear_pointer (&self->head, reeve_http_response_unref);
  g_clear_error (&self->error);
  g_free (self);
}

/**
 * reeve_http_reader_begin:
 * @self: a reader
 * @without_body: the request was HEAD
 * @max_body: bytes of body that are taken
 *
 * Makes ready for one response.
 */
void
reeve_http_reader_begin (ReeveHttpReader *self, gboolean without_body, gsize max_body)
{
  http_parser_init (&self->parser, HTTP_RESPONSE);
  self->parser.data = self;
  self->without_body = without_body;
  self->max_body = max_body;
  self->body_bytes = 0;
  self->n_interim = 0;
  self->keep_alive_seconds = 0;
  self->begun = self->complete = self->interim = self->stopped = FALSE;
  g_clear_pointer (&self->head, reeve_http_response_unref);
  g_clear_error (&self->error);
}

static ReeveHttpReaderResult
reeve_http_reader_fail (ReeveHttpReader *self, GError **error)
{
  if (self->stopped)
    return REEVE_HTTP_READER_STOPPED;
  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the answer is not HTTP: %s",
                 http_errno_description (HTTP_PARSER_ERRNO (&self->parser)));
  return REEVE_HTTP_READER_FAILED;
}

/**
 * reeve_http_reader_feed:
 * @self: a reader
 * @data: bytes
 * @length: their number, at least 1
 * @used: (out): how many belong to this response
 * @error: return location
 *
 * Returns: what came of it; after COMPLETE, STOPPED and FAILED nothing may be fed before the next
 * begin
 */
ReeveHttpReaderResult
reeve_http_reader_feed (ReeveHttpReader *self, const guint8 *data, gsize length, gsize *used,
                        GError **error)
{
  size_t n = 0;

  self->begun = TRUE;
  n = http_parser_execute (&self->parser, &reeve_http_reader_settings, (const char *) data, length);
  *used = n;
  if (self->complete && HTTP_PARSER_ERRNO (&self->parser) == HPE_PAUSED)
    return REEVE_HTTP_READER_COMPLETE;
  if (HTTP_PARSER_ERRNO (&self->parser) != HPE_OK || n != length)
    return reeve_http_reader_fail (self, error);
  return REEVE_HTTP_READER_MORE;
}

/**
 * reeve_http_reader_end:
 * @self: a reader
 * @error: return location
 *
 * The connection ended.
 *
 * Returns: COMPLETE when the response is one that ends so, else FAILED
 */
ReeveHttpReaderResult
reeve_http_reader_end (ReeveHttpReader *self, GError **error)
{
  if (self->begun)
    http_parser_execute (&self->parser, &reeve_http_reader_settings, NULL, 0);
  if (self->complete)
    return REEVE_HTTP_READER_COMPLETE;
  if (self->stopped || self->error != NULL)
    return reeve_http_reader_fail (self, error);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the answer broke off");
  return REEVE_HTTP_READER_FAILED;
}

/**
 * reeve_http_reader_has_begun:
 * @self: a reader
 *
 * Returns: whether any byte of the response has come
 */
gboolean
reeve_http_reader_has_begun (ReeveHttpReader *self)
{
  return self->begun;
}

/**
 * reeve_http_reader_can_keep_alive:
 * @self: a reader whose response is complete
 *
 * Returns: whether the peer lets the connection be used again
 */
gboolean
reeve_http_reader_can_keep_alive (ReeveHttpReader *self)
{
  return self->complete && http_should_keep_alive (&self->parser);
}

/**
 * reeve_http_reader_get_keep_alive_seconds:
 * @self: a reader whose response is complete
 *
 * Returns: how long the peer said it keeps an idle connection; 0 when it did not
 */
guint
reeve_http_reader_get_keep_alive_seconds (ReeveHttpReader *self)
{
  return self->keep_alive_seconds;
}
