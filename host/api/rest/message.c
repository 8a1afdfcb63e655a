/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libsoup does for a message is done here for those that the connection serves by itself: the
 * head of the answer is written as libsoup writes it, the body is read by its length. */
#include "message.h"

#include <string.h>

#include "headers.h"

#define REEVE_REST_MESSAGE_READ (16 * 1024)

struct _ReeveRestMessage
{
  grefcount references;
  const ReeveRestMessageEvents *events;
  gpointer user_data;
  SoupServerMessage *soup; /* (nullable) */
  SoupMessageHeaders *request;
  SoupMessageHeaders *response;
  gboolean streaming;
  gboolean ended;
  gboolean paused;
  gboolean finished;

  /* ---- where there is no libsoup ---- */
  ReeveRestConnection *connection;
  char *method;
  guint status;
  gboolean received;
  GQueue pending; /* (element-type GBytes): of the answer … */
  gsize offset;   /* … and how much of the first of them was written */
  gsize head;     /* bytes of the answer's head that are among them */
  gboolean begun; /* the head is written, or among them */
};

static const char reeve_rest_message_key[] = "reeve-rest-message";

static void
reeve_rest_message_unref (ReeveRestMessage *self)
{
  if (!g_ref_count_dec (&self->references))
    return;
  g_queue_clear_full (&self->pending, (GDestroyNotify) g_bytes_unref);
  g_clear_pointer (&self->connection, reeve_rest_connection_unref);
  soup_message_headers_unref (self->request);
  soup_message_headers_unref (self->response);
  g_free (self->method);
  g_free (self);
}

static ReeveRestMessage *
reeve_rest_message_alloc (const ReeveRestMessageEvents *events, gpointer user_data)
{
  ReeveRestMessage *self = g_new0 (ReeveRestMessage, 1);

  g_ref_count_init (&self->references);
  g_queue_init (&self->pending);
  self->events = events;
  self->user_data = user_data;
  return self;
}

/* ---- libsoup's ---- */

static void
reeve_rest_message_on_chunk (SoupServerMessage *soup, GBytes *chunk, gpointer user_data)
{
  ReeveRestMessage *self = user_data;
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (chunk, &length);

  self->events->chunk (data, length, self->user_data);
}

static void
reeve_rest_message_on_answered (SoupServerMessage *soup, gpointer user_data)
{
  ReeveRestMessage *self = user_data;

  self->events->answered (self->user_data);
}

static void
reeve_rest_message_on_wrote (SoupServerMessage *soup, guint length, gpointer user_data)
{
  ReeveRestMessage *self = user_data;

  self->events->wrote (length, self->user_data);
}

static void
reeve_rest_message_on_finished (SoupServerMessage *soup, gpointer user_data)
{
  ReeveRestMessage *self = user_data;

  if (self->finished)
    return;
  self->finished = TRUE;
  self->events->finished (self->user_data);
}

/* A message that goes without having finished, as all do that are under way when the server is
 * disconnected. */
static void
reeve_rest_message_release (gpointer data)
{
  reeve_rest_message_on_finished (NULL, data);
  reeve_rest_message_unref (data);
}

ReeveRestMessage *
reeve_rest_message_new (SoupServerMessage *soup, const ReeveRestMessageEvents *events,
                        gpointer user_data)
{
  ReeveRestMessage *self = reeve_rest_message_alloc (events, user_data);

  self->soup = soup;
  self->request = soup_message_headers_ref (soup_server_message_get_request_headers (soup));
  self->response = soup_message_headers_ref (soup_server_message_get_response_headers (soup));
  soup_message_body_set_accumulate (soup_server_message_get_request_body (soup), FALSE);
  g_object_set_data_full (G_OBJECT (soup), reeve_rest_message_key, self,
                          reeve_rest_message_release);
  g_signal_connect (soup, "got-chunk", G_CALLBACK (reeve_rest_message_on_chunk), self);
  g_signal_connect (soup, "wrote-body", G_CALLBACK (reeve_rest_message_on_answered), self);
  g_signal_connect (soup, "finished", G_CALLBACK (reeve_rest_message_on_finished), self);
  return self;
}

ReeveRestMessage *
reeve_rest_message_from_soup (SoupServerMessage *soup)
{
  ReeveRestMessage *self = g_object_get_data (G_OBJECT (soup), reeve_rest_message_key);

  return self != NULL && !self->finished ? self : NULL;
}

/* ---- our own ---- */

static void
reeve_rest_message_finish (ReeveRestMessage *self)
{
  if (self->finished)
    return;
  self->finished = TRUE;
  self->events->finished (self->user_data);
  reeve_rest_connection_close (self->connection);
  reeve_rest_message_unref (self);
}

/* libsoup 3.2 has no words for 429: it writes "Unknown Error". */
static const char *
reeve_rest_message_get_phrase (guint status)
{
  return status == 429 ? "Too Many Requests" : soup_status_get_phrase (status);
}

/* One that has no body has no length of it either (RFC 9110, 8.6). */
static gboolean
reeve_rest_message_has_body (ReeveRestMessage *self)
{
  return self->status != SOUP_STATUS_NO_CONTENT && self->status != SOUP_STATUS_NOT_MODIFIED;
}

static void
reeve_rest_message_set_length (ReeveRestMessage *self)
{
  gsize length = 0;

  for (GList *link = self->pending.head; link != NULL; link = link->next)
    length += g_bytes_get_size (link->data);
  if (reeve_rest_message_has_body (self))
    soup_message_headers_set_content_length (self->response, (goffset) length);
  else
    g_queue_clear_full (&self->pending, (GDestroyNotify) g_bytes_unref);
}

/* As libsoup writes it: the same, in the same order. */
static GBytes *
reeve_rest_message_write_head (ReeveRestMessage *self)
{
  const char *standing = reeve_rest_headers_get_standing (self->response);
  const char *phrase = reeve_rest_message_get_phrase (self->status);
  SoupMessageHeadersIter iter;
  const char *name = NULL;
  const char *value = NULL;
  char status[16] = { 0 };
  gsize size = strlen ("HTTP/1.1 \r\n\r\n") + strlen (phrase) + strlen (standing);
  char *text = NULL;
  char *at = NULL;

  size += (gsize) g_snprintf (status, sizeof status, "%u ", self->status);
  soup_message_headers_iter_init (&iter, self->response);
  while (soup_message_headers_iter_next (&iter, &name, &value))
    size += strlen (name) + strlen (": \r\n") + strlen (value);
  /* just as long as it is: more than 1 KiB is a large piece for malloc(), which tidies up first */
  text = g_malloc (size + 1);
  at = g_stpcpy (g_stpcpy (g_stpcpy (text, "HTTP/1.1 "), status), phrase);
  at = g_stpcpy (g_stpcpy (at, "\r\n"), standing);
  soup_message_headers_iter_init (&iter, self->response);
  while (soup_message_headers_iter_next (&iter, &name, &value))
    at = g_stpcpy (g_stpcpy (g_stpcpy (g_stpcpy (at, name), ": "), value), "\r\n");
  g_stpcpy (at, "\r\n");
  return g_bytes_new_take (text, size);
}

/* The head goes before what there is of the body. */
static void
reeve_rest_message_begin (ReeveRestMessage *self)
{
  GBytes *head = NULL;

  self->begun = TRUE;
  if (!self->streaming)
    reeve_rest_message_set_length (self);
  head = reeve_rest_message_write_head (self);
  /* nobody looks at them again: a stream may be open for long */
  soup_message_headers_clear (self->response);
  self->head = g_bytes_get_size (head);
  g_queue_push_head (&self->pending, head);
}

/* How much of the first part was written; 0: the client must read first. */
static gsize
reeve_rest_message_write (ReeveRestMessage *self, GBytes *part)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (part, &length);
  gssize n = 1;
  gsize counted = 0;

  if (self->offset < length)
    n = reeve_rest_connection_write (self->connection, data + self->offset, length - self->offset,
                                     NULL);
  if (n <= 0)
    return 0;
  self->offset = MIN (self->offset + (gsize) n, length);
  counted = (gsize) n - MIN (self->head, (gsize) n);
  self->head -= (gsize) n - counted;
  if (self->offset == length)
    {
      self->offset = 0;
      g_bytes_unref (g_queue_pop_head (&self->pending));
    }
  if (self->streaming && counted > 0 && length > 0)
    self->events->wrote (counted, self->user_data);
  return (gsize) n;
}

static void
reeve_rest_message_send (ReeveRestMessage *self)
{
  if (!self->streaming && !self->ended)
    return;
  if (!self->begun)
    reeve_rest_message_begin (self);
  while (!self->finished && self->pending.head != NULL
         && !reeve_rest_connection_is_over (self->connection)
         && reeve_rest_message_write (self, self->pending.head->data) > 0)
    ;
  if (self->finished)
    return;
  if (reeve_rest_connection_is_over (self->connection))
    {
      if (self->ended || self->pending.head != NULL)
        reeve_rest_message_finish (self);
    }
  else if (self->ended && self->pending.head == NULL)
    {
      self->events->answered (self->user_data);
      reeve_rest_message_finish (self);
    }
}

/**
 * reeve_rest_message_read:
 * @self: a message of a connection
 *
 * What has come of the body. One that is broken ends the message; the connection has answered.
 */
void
reeve_rest_message_read (ReeveRestMessage *self)
{
  guint8 bytes[REEVE_REST_MESSAGE_READ];

  g_ref_count_inc (&self->references);
  while (!self->received && !self->finished)
    {
      gssize n = reeve_rest_connection_read (self->connection, bytes, sizeof bytes, NULL);

      if (n > 0)
        self->events->chunk (bytes, (gsize) n, self->user_data);
      else if (n == 0)
        reeve_rest_message_finish (self);
      else if (!reeve_rest_connection_is_taken (self->connection))
        break;
      else
        {
          self->received = TRUE;
          self->events->received (self->user_data);
        }
    }
  reeve_rest_message_unref (self);
}

static void
reeve_rest_message_on_work (ReeveRestConnection *connection, gpointer user_data)
{
  ReeveRestMessage *self = user_data;

  g_ref_count_inc (&self->references);
  if (!self->received)
    reeve_rest_message_read (self);
  else
    reeve_rest_message_send (self);
  reeve_rest_message_unref (self);
}

static void
reeve_rest_message_on_cut (ReeveRestConnection *connection, gpointer user_data)
{
  reeve_rest_message_finish (user_data);
}

/**
 * reeve_rest_message_new_own:
 * @connection: whose request has come, its head at least
 * @events: what to call
 * @user_data: for them
 *
 * Returns: (transfer none) (nullable): a message that is read by reeve_rest_message_read(), or
 * %NULL where libsoup has another opinion of the head: it is to say so itself
 */
ReeveRestMessage *
reeve_rest_message_new_own (ReeveRestConnection *connection, const ReeveRestMessageEvents *events,
                            gpointer user_data)
{
  g_autoptr (SoupMessageHeaders) request = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  g_autofree char *method = NULL;
  ReeveRestMessage *self = NULL;
  gsize length = 0;
  const char *head = reeve_rest_connection_peek_head (connection, &length);

  /* its end is a blank line, which is not shown */
  if (soup_headers_parse_request (head, (int) length - 2, request, &method, NULL, NULL)
      != SOUP_STATUS_OK)
    return NULL;
  reeve_rest_connection_skip_head (connection);
  self = reeve_rest_message_alloc (events, user_data);
  self->connection = reeve_rest_connection_ref (connection);
  self->request = g_steal_pointer (&request);
  self->response = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  self->method = g_steal_pointer (&method);
  reeve_rest_connection_take_over (connection, reeve_rest_message_on_work,
                                   reeve_rest_message_on_cut, self);
  return self;
}

/* ---- both ---- */

gpointer
reeve_rest_message_get_user_data (ReeveRestMessage *self)
{
  return self->user_data;
}

ReeveRestConnection *
reeve_rest_message_get_connection (ReeveRestMessage *self)
{
  GSocketAddress *remote = self->connection == NULL ? reeve_rest_message_get_remote (self) : NULL;

  return remote != NULL ? reeve_rest_connection_from_address (remote) : self->connection;
}

const char *
reeve_rest_message_get_method (ReeveRestMessage *self)
{
  return self->soup != NULL ? soup_server_message_get_method (self->soup) : self->method;
}

GSocketAddress *
reeve_rest_message_get_remote (ReeveRestMessage *self)
{
  return self->soup != NULL ? soup_server_message_get_remote_address (self->soup)
                            : reeve_rest_connection_get_remote (self->connection);
}

SoupMessageHeaders *
reeve_rest_message_get_request_headers (ReeveRestMessage *self)
{
  return self->request;
}

SoupMessageHeaders *
reeve_rest_message_get_response_headers (ReeveRestMessage *self)
{
  return self->response;
}

void
reeve_rest_message_set_status (ReeveRestMessage *self, guint status)
{
  self->status = status;
  if (self->soup != NULL)
    soup_server_message_set_status (self->soup, status, reeve_rest_message_get_phrase (status));
}

guint
reeve_rest_message_get_status (ReeveRestMessage *self)
{
  return self->soup != NULL ? soup_server_message_get_status (self->soup) : self->status;
}

void
reeve_rest_message_begin_stream (ReeveRestMessage *self)
{
  self->streaming = TRUE;
  /* nobody looks at them again: a stream may be open for long */
  soup_message_headers_clear (self->request);
  if (self->soup == NULL)
    return;
  /* Not chunked: about one in 400 chunked streams of libsoup 3.2 ended with the header of its last
   * chunk and without the chunk.  A stream ends with its last event and with its connection. */
  soup_message_headers_set_encoding (self->response, SOUP_ENCODING_EOF);
  soup_message_body_set_accumulate (soup_server_message_get_response_body (self->soup), FALSE);
  g_signal_connect (self->soup, "wrote-body-data", G_CALLBACK (reeve_rest_message_on_wrote), self);
}

void
reeve_rest_message_append (ReeveRestMessage *self, GBytes *bytes)
{
  if (self->soup != NULL)
    soup_message_body_append_bytes (soup_server_message_get_response_body (self->soup), bytes);
  else
    g_queue_push_tail (&self->pending, g_bytes_ref (bytes));
}

void
reeve_rest_message_end (ReeveRestMessage *self)
{
  self->ended = TRUE;
  if (self->soup != NULL && self->streaming)
    soup_message_body_complete (soup_server_message_get_response_body (self->soup));
}

void
reeve_rest_message_pause (ReeveRestMessage *self)
{
  self->paused = TRUE;
  /* a stream that has begun is written on; libsoup waits by itself when it has nothing more */
  if (self->soup != NULL && !self->streaming)
    soup_server_message_pause (self->soup);
}

void
reeve_rest_message_go_on (ReeveRestMessage *self)
{
  if (self->soup == NULL)
    {
      g_ref_count_inc (&self->references);
      reeve_rest_message_send (self);
      reeve_rest_message_unref (self);
    }
  else if (self->paused)
    soup_server_message_unpause (self->soup);
}
