/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestMessage: a request and its answer, whoever reads the one and writes the other: libsoup,
 * or the connection by itself, which costs a fifth and holds no buffers while a stream is open. One
 * thread only. */
#pragma once

#include <libsoup/soup.h>

#include "connection.h"

G_BEGIN_DECLS

typedef struct _ReeveRestMessage ReeveRestMessage;

typedef struct
{
  void (*chunk) (const guint8 *data, gsize length, gpointer user_data); /* of the request's body */
  void (*received) (gpointer user_data);            /* all of it has come; not when libsoup reads */
  void (*wrote) (gsize length, gpointer user_data); /* of the body of a stream */
  void (*answered) (gpointer user_data);            /* all of the answer was written */
  void (*finished) (gpointer user_data); /* one way or the other: nothing is called any more, and
                                          * the message is not to be touched */
} ReeveRestMessageEvents;

/* One that libsoup reads and writes; lives as long as @soup does. */
ReeveRestMessage *reeve_rest_message_new (SoupServerMessage *soup,
                                          const ReeveRestMessageEvents *events, gpointer user_data);
ReeveRestMessage *reeve_rest_message_from_soup (SoupServerMessage *soup);
/* One that its connection reads and writes; lives until it has finished. */
ReeveRestMessage *reeve_rest_message_new_own (ReeveRestConnection *connection,
                                              const ReeveRestMessageEvents *events,
                                              gpointer user_data);
/* The body is read, which may end the message at once. Only of the latter kind. */
void reeve_rest_message_read (ReeveRestMessage *self);

gpointer reeve_rest_message_get_user_data (ReeveRestMessage *self);
ReeveRestConnection *reeve_rest_message_get_connection (ReeveRestMessage *self); /* (nullable) */
const char *reeve_rest_message_get_method (ReeveRestMessage *self);
GSocketAddress *reeve_rest_message_get_remote (ReeveRestMessage *self); /* (nullable) */
SoupMessageHeaders *reeve_rest_message_get_request_headers (ReeveRestMessage *self);
SoupMessageHeaders *reeve_rest_message_get_response_headers (ReeveRestMessage *self);

/* ---- the answer ---- */
void reeve_rest_message_set_status (ReeveRestMessage *self, guint status);
guint reeve_rest_message_get_status (ReeveRestMessage *self);
/* What follows is sent as it comes, and ends with the connection. */
void reeve_rest_message_begin_stream (ReeveRestMessage *self);
void reeve_rest_message_append (ReeveRestMessage *self, GBytes *bytes);
/* No more is appended. */
void reeve_rest_message_end (ReeveRestMessage *self);
/* Nothing is sent until reeve_rest_message_go_on(). */
void reeve_rest_message_pause (ReeveRestMessage *self);
/* Sends what there is: of a stream, or an answer that has ended. It may end the message. */
void reeve_rest_message_go_on (ReeveRestMessage *self);

G_END_DECLS
