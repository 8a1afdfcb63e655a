/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of a request share. */
#pragma once

#include "request.h"

#include "connection.h"
#include "message.h"
#include "operations/call.h"

G_BEGIN_DECLS

typedef struct
{
  gatomicrefcount references; /* the call's door data may go away on another thread */
  ReeveRestThread *thread;
  ReeveRestMessage *msg;           /* NULL once it has finished */
  ReeveRestConnection *connection; /* (nullable) */
  ReeveRestMatch match;
  ReeveCall *call;
  gint64 began; /* monotonic µs: its head was there */
  char *target; /* as it was sent, with the query */
  char *path;   /* without */
  GByteArray *body;
  gsize received;
  gboolean refused;
  gboolean abandoned; /* the client has gone */
  guint probes; /* seconds for which it was waited for, its side ended, while it is answered */
  gboolean dispatching;
  gboolean streaming;
  gboolean too_slow; /* dropped: what still comes is thrown away */
  gsize appended;    /* bytes of the stream given to libsoup … */
  gsize written;     /* … and written by it */
  gint64 unread_since;
  ReeveCallSource *source; /* (nullable): gives the rest of the answer */
  gboolean pulling;        /* … and is asked for it */
} ReeveRestRequest;

/* Target and path: as they were sent where the connection knows them, else as libsoup understood
 * them. soup: (nullable) */
void reeve_rest_request_head_take_target (ReeveRestRequest *self, SoupServerMessage *soup);
/* Decides by path, method and size; what is answered without a call is answered. */
void reeve_rest_request_head_judge (ReeveRestRequest *self);
/* Answers with an error, of which there is a record. */
void reeve_rest_request_head_refuse (ReeveRestRequest *self, ReeveError code, const char *text);

G_END_DECLS
