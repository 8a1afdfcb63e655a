/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams: frames on a pipe of the host's, each a JSON object on one line and the bytes behind it
 * that its member `bytes` counts. A full pipe makes the writer wait; a closed one ends it. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define WIRE_STREAM_MAX_HEADER 65536 /* bytes of the line */
#define WIRE_STREAM_GATHERED   65536 /* bytes of small frames that go out together; a pipe's */

/* Writes one frame; `bytes` is set in @header (transfer full). Blocks. %REEVE_ERROR_CANCELLED:
 * nobody reads any more */
gboolean wire_stream_write (int fd, JsonObject *header, gconstpointer payload, gsize length,
                            GError **error);

/* The same, but what is small waits in @out for more of it, and for wire_stream_flush(); without a
 * descriptor (-1) all of it does, and nothing is written. */
gboolean wire_stream_append (GByteArray *out, int fd, JsonObject *header, gconstpointer payload,
                             gsize length, GError **error);
/* Writes what waits in @out; it is empty then. */
gboolean wire_stream_flush (GByteArray *out, int fd, GError **error);

/* Takes one frame; FALSE with an error: no more of them. */
typedef gboolean (*WireStreamFunc) (JsonObject *header, const guint8 *payload, gsize length,
                                    gpointer user_data, GError **error);

/* Reads frames out of bytes as they come; no I/O. */
typedef struct
{
  gsize most; /* bytes of a payload */
  WireStreamFunc func;
  gpointer user_data;
  GByteArray *line;
  JsonNode *header; /* (nullable) whose payload is coming */
  GByteArray *payload;
  gsize missing; /* of the payload */
} WireStreamReader;

void wire_stream_reader_init (WireStreamReader *self, gsize most, WireStreamFunc func,
                              gpointer user_data);
void wire_stream_reader_clear (WireStreamReader *self);
/* %REEVE_ERROR_PLUGIN, %REEVE_ERROR_TOO_LARGE, or what the function says */
gboolean wire_stream_reader_feed (WireStreamReader *self, const guint8 *data, gsize length,
                                  GError **error);
/* Is there the beginning of a frame, and not its end? */
gboolean wire_stream_reader_is_within (const WireStreamReader *self);

G_END_DECLS
