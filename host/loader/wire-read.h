/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the stream of a call, on the thread that waits for it. */
#pragma once

#include <reeve-plugin-1.h>

#include "wire/wire-stream.h"

#include "host-time.h"

G_BEGIN_DECLS

/* What a call's stream may be, and who takes its frames. */
typedef struct
{
  gsize most;    /* bytes of a frame's payload */
  guint64 total; /* of all of it */
  WireStreamFunc func;
  gpointer user_data;
  ReeveHostTime *host_time; /* what its frames cost, @func with them; the wire's */
} ReeveWireStream;

typedef enum
{
  REEVE_WIRE_READ_ENDED, /* the other side closed it */
  REEVE_WIRE_READ_LEFT,  /* cancelled, or the deadline: no error is set */
  REEVE_WIRE_READ_FAILED /* a bad or too large one, or the function said so */
} ReeveWireReadEnd;

/* @fd: not blocking; the caller's. @deadline: monotonic */
ReeveWireReadEnd reeve_wire_read_stream (const ReeveWireStream *stream, int fd, gint64 deadline,
                                         GCancellable *cancellable, GError **error);

/* The same of a whole stream that has come: FALSE with an error where it is a bad one, or the
 * function said so. */
gboolean reeve_wire_read_whole (const ReeveWireStream *stream, const guint8 *data, gsize length,
                                GError **error);

G_END_DECLS
