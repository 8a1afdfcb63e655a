/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A runner may keep its descriptor for as long as it likes: so the memory is cut to nothing when
 * the host needs it no more, and does not count on the descriptor's end. */
#include "wire-buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "wire/wire-blob.h"

struct _ReeveWireBuffer
{
  int fd;
  gsize size;
  ReeveByteHold *hold;
};

/* Bytes with what they took of the room. */
typedef struct
{
  GBytes *bytes;
  ReeveByteHold *hold;
} ReeveWireBufferCopy;

ReeveWireBuffer *
reeve_wire_buffer_new (ReeveByteRoom *room, const char *plugin_id, guint64 size, GError **error)
{
  g_autoptr (ReeveWireBuffer) self = g_new0 (ReeveWireBuffer, 1);

  self->fd = -1;
  self->size = (gsize) size;
  if (size == 0 || size > REEVE_BYTE_ROOM_ONE)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                 "a body of %" G_GUINT64_FORMAT " bytes: %d is the most", size,
                 REEVE_BYTE_ROOM_ONE);
  else
    self->hold = reeve_byte_room_take (room, plugin_id, self->size, error);
  if (self->hold != NULL)
    self->fd = wire_blob_new_open (self->size, error);
  return self->fd >= 0 ? g_steal_pointer (&self) : NULL;
}

void
reeve_wire_buffer_free (ReeveWireBuffer *self)
{
  if (self->fd >= 0)
    {
      if (ftruncate (self->fd, 0) != 0)
        g_warning ("a buffer is not let go: %s", g_strerror (errno));
      close (self->fd);
    }
  g_clear_pointer (&self->hold, reeve_byte_room_give);
  g_free (self);
}

int
reeve_wire_buffer_lend (ReeveWireBuffer *self)
{
  return fcntl (self->fd, F_DUPFD_CLOEXEC, 0);
}

static void
reeve_wire_buffer_copy_free (gpointer data)
{
  ReeveWireBufferCopy *copy = data;

  g_bytes_unref (copy->bytes);
  reeve_byte_room_give (copy->hold);
  g_free (copy);
}

GBytes *
reeve_wire_buffer_copy (ReeveWireBuffer *self, GError **error)
{
  GBytes *bytes = wire_blob_copy (self->fd, self->size, error);
  ReeveWireBufferCopy *copy = NULL;

  if (bytes != NULL)
    {
      copy = g_new (ReeveWireBufferCopy, 1);
      *copy = (ReeveWireBufferCopy){ bytes, g_steal_pointer (&self->hold) };
      bytes = g_bytes_new_with_free_func (g_bytes_get_data (copy->bytes, NULL), self->size,
                                          reeve_wire_buffer_copy_free, copy);
    }
  reeve_wire_buffer_free (self);
  return bytes;
}
