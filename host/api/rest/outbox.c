/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The buffer grows as far as its bound and is given back when it is empty: an open event stream in
 * which nothing happens holds none. */
#include "outbox.h"

#include <errno.h>
#include <string.h>

#define REEVE_REST_OUTBOX_FIRST (2 * 1024)

void
reeve_rest_outbox_clear (ReeveRestOutbox *self)
{
  g_clear_pointer (&self->data, g_free);
  self->size = self->sent = self->length = 0;
}

gsize
reeve_rest_outbox_get_pending (const ReeveRestOutbox *self)
{
  return self->length - self->sent;
}

gsize
reeve_rest_outbox_add (ReeveRestOutbox *self, const void *data, gsize length)
{
  gsize n = MIN (length, REEVE_REST_OUTBOX_SIZE - reeve_rest_outbox_get_pending (self));

  if (self->length == self->sent)
    {
      self->moved_at = g_get_monotonic_time ();
      self->moved = 0;
    }
  if (self->sent > 0 && self->length + n > self->size)
    {
      memmove (self->data, self->data + self->sent, self->length - self->sent);
      self->length -= self->sent;
      self->sent = 0;
    }
  if (self->length + n > self->size)
    {
      self->size = MAX (self->size * 2, MAX (self->length + n, REEVE_REST_OUTBOX_FIRST));
      self->data = g_realloc (self->data, self->size);
    }
  if (n > 0)
    memcpy (self->data + self->length, data, n);
  self->length += n;
  return n;
}

static void
reeve_rest_outbox_move (ReeveRestOutbox *self, gsize length)
{
  self->sent += length;
  self->moved += length;
  if (self->sent == self->length)
    reeve_rest_outbox_clear (self);
  else if (self->moved >= REEVE_REST_OUTBOX_SIZE)
    {
      self->moved = 0;
      self->moved_at = g_get_monotonic_time ();
    }
}

gboolean
reeve_rest_outbox_send (ReeveRestOutbox *self, ReeveRestChannel *channel)
{
  while (self->sent < self->length)
    {
      gssize n = channel->send (channel, self->data + self->sent, self->length - self->sent);

      if (n > 0)
        reeve_rest_outbox_move (self, (gsize) n);
      else if (errno != EINTR)
        return FALSE;
    }
  return TRUE;
}
