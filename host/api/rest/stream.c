/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream is one request: closing it gives the connection back, which sends what it still holds
 * and reads the next request. */
#include "stream.h"

#include "reader.h"
#include "writer.h"

struct _ReeveRestStream
{
  GIOStream parent_instance;
  ReeveRestConnection *connection; /* NULL once it is closed */
  GInputStream *reader;
  GOutputStream *writer;
};

G_DEFINE_FINAL_TYPE (ReeveRestStream, reeve_rest_stream, G_TYPE_IO_STREAM)

static GInputStream *
reeve_rest_stream_get_reader (GIOStream *stream)
{
  return REEVE_REST_STREAM (stream)->reader;
}

static GOutputStream *
reeve_rest_stream_get_writer (GIOStream *stream)
{
  return REEVE_REST_STREAM (stream)->writer;
}

static void
reeve_rest_stream_let_go (ReeveRestStream *self)
{
  if (self->connection == NULL)
    return;
  reeve_rest_reader_let_go (self->reader);
  reeve_rest_writer_let_go (self->writer);
  reeve_rest_connection_close (self->connection);
  g_clear_pointer (&self->connection, reeve_rest_connection_unref);
}

static gboolean
reeve_rest_stream_close (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  reeve_rest_stream_let_go (REEVE_REST_STREAM (stream));
  return TRUE;
}

static void
reeve_rest_stream_finalize (GObject *object)
{
  ReeveRestStream *self = REEVE_REST_STREAM (object);

  reeve_rest_stream_let_go (self);
  g_object_unref (self->reader);
  g_object_unref (self->writer);
  G_OBJECT_CLASS (reeve_rest_stream_parent_class)->finalize (object);
}

static void
reeve_rest_stream_class_init (ReeveRestStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_rest_stream_finalize;
  G_IO_STREAM_CLASS (klass)->get_input_stream = reeve_rest_stream_get_reader;
  G_IO_STREAM_CLASS (klass)->get_output_stream = reeve_rest_stream_get_writer;
  G_IO_STREAM_CLASS (klass)->close_fn = reeve_rest_stream_close;
}

static void
reeve_rest_stream_init (ReeveRestStream *self)
{
}

GIOStream *
reeve_rest_stream_new (ReeveRestConnection *connection)
{
  ReeveRestStream *self = g_object_new (REEVE_REST_TYPE_STREAM, NULL);

  self->connection = reeve_rest_connection_ref (connection);
  self->reader = reeve_rest_reader_new (connection);
  self->writer = reeve_rest_writer_new (connection);
  return G_IO_STREAM (self);
}
