/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection gathers what is written and sends it itself, so there is nothing to flush here. */
#include "writer.h"

#include "connection-source.h"

struct _ReeveRestWriter
{
  GOutputStream parent_instance;
  ReeveRestConnection *connection; /* NULL once the request has ended */
};

static void reeve_rest_writer_pollable_init (GPollableOutputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ReeveRestWriter, reeve_rest_writer, G_TYPE_OUTPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM,
                                                      reeve_rest_writer_pollable_init))

static gssize
reeve_rest_writer_write_nonblocking (GPollableOutputStream *stream, const void *buffer, gsize size,
                                     GError **error)
{
  ReeveRestWriter *self = REEVE_REST_WRITER (stream);

  if (self->connection != NULL)
    return reeve_rest_connection_write (self->connection, buffer, size, error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "the request has ended");
  return -1;
}

static gssize
reeve_rest_writer_write (GOutputStream *stream, const void *buffer, gsize size,
                         GCancellable *cancellable, GError **error)
{
  return reeve_rest_writer_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (stream), buffer, size,
                                              error);
}

static gboolean
reeve_rest_writer_is_writable (GPollableOutputStream *stream)
{
  ReeveRestWriter *self = REEVE_REST_WRITER (stream);

  return self->connection == NULL || reeve_rest_connection_is_writable (self->connection);
}

static GSource *
reeve_rest_writer_create_source (GPollableOutputStream *stream, GCancellable *cancellable)
{
  ReeveRestWriter *self = REEVE_REST_WRITER (stream);
  g_autoptr (GSource) child = self->connection != NULL
                                  ? reeve_rest_connection_source_new (self->connection, TRUE)
                                  : g_idle_source_new ();
  GSource *source = g_pollable_source_new (G_OBJECT (stream));

  g_source_add_child_source (source, child);
  return source;
}

static void
reeve_rest_writer_pollable_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = reeve_rest_writer_is_writable;
  iface->create_source = reeve_rest_writer_create_source;
  iface->write_nonblocking = reeve_rest_writer_write_nonblocking;
}

static void
reeve_rest_writer_finalize (GObject *object)
{
  g_clear_pointer (&REEVE_REST_WRITER (object)->connection, reeve_rest_connection_unref);
  G_OBJECT_CLASS (reeve_rest_writer_parent_class)->finalize (object);
}

static void
reeve_rest_writer_class_init (ReeveRestWriterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_rest_writer_finalize;
  G_OUTPUT_STREAM_CLASS (klass)->write_fn = reeve_rest_writer_write;
}

static void
reeve_rest_writer_init (ReeveRestWriter *self)
{
}

GOutputStream *
reeve_rest_writer_new (ReeveRestConnection *connection)
{
  ReeveRestWriter *self = g_object_new (REEVE_REST_TYPE_WRITER, NULL);

  self->connection = reeve_rest_connection_ref (connection);
  return G_OUTPUT_STREAM (self);
}

/**
 * reeve_rest_writer_let_go:
 * @stream: of a request that has ended
 *
 * Its connection may have the next request already.
 */
void
reeve_rest_writer_let_go (GOutputStream *stream)
{
  g_clear_pointer (&REEVE_REST_WRITER (stream)->connection, reeve_rest_connection_unref);
}
