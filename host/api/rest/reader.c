/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libsoup reads without blocking only; a blocking read says that it would. */
#include "reader.h"

#include "connection-source.h"

struct _ReeveRestReader
{
  GInputStream parent_instance;
  ReeveRestConnection *connection; /* NULL once the request has ended */
};

static void reeve_rest_reader_pollable_init (GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ReeveRestReader, reeve_rest_reader, G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                      reeve_rest_reader_pollable_init))

static gssize
reeve_rest_reader_read_nonblocking (GPollableInputStream *stream, void *buffer, gsize size,
                                    GError **error)
{
  ReeveRestReader *self = REEVE_REST_READER (stream);

  return self->connection != NULL
             ? reeve_rest_connection_read (self->connection, buffer, size, error)
             : 0;
}

static gssize
reeve_rest_reader_read (GInputStream *stream, void *buffer, gsize size, GCancellable *cancellable,
                        GError **error)
{
  return reeve_rest_reader_read_nonblocking (G_POLLABLE_INPUT_STREAM (stream), buffer, size, error);
}

static gboolean
reeve_rest_reader_is_readable (GPollableInputStream *stream)
{
  ReeveRestReader *self = REEVE_REST_READER (stream);

  return self->connection == NULL || reeve_rest_connection_is_readable (self->connection);
}

static GSource *
reeve_rest_reader_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  ReeveRestReader *self = REEVE_REST_READER (stream);
  g_autoptr (GSource) child = self->connection != NULL
                                  ? reeve_rest_connection_source_new (self->connection, FALSE)
                                  : g_idle_source_new ();
  GSource *source = g_pollable_source_new (G_OBJECT (stream));

  g_source_add_child_source (source, child);
  return source;
}

static void
reeve_rest_reader_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = reeve_rest_reader_is_readable;
  iface->create_source = reeve_rest_reader_create_source;
  iface->read_nonblocking = reeve_rest_reader_read_nonblocking;
}

static void
reeve_rest_reader_finalize (GObject *object)
{
  g_clear_pointer (&REEVE_REST_READER (object)->connection, reeve_rest_connection_unref);
  G_OBJECT_CLASS (reeve_rest_reader_parent_class)->finalize (object);
}

static void
reeve_rest_reader_class_init (ReeveRestReaderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_rest_reader_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = reeve_rest_reader_read;
}

static void
reeve_rest_reader_init (ReeveRestReader *self)
{
}

GInputStream *
reeve_rest_reader_new (ReeveRestConnection *connection)
{
  ReeveRestReader *self = g_object_new (REEVE_REST_TYPE_READER, NULL);

  self->connection = reeve_rest_connection_ref (connection);
  return G_INPUT_STREAM (self);
}

/**
 * reeve_rest_reader_let_go:
 * @stream: of a request that has ended
 *
 * Its connection may have the next request already.
 */
void
reeve_rest_reader_let_go (GInputStream *stream)
{
  g_clear_pointer (&REEVE_REST_READER (stream)->connection, reeve_rest_connection_unref);
}
