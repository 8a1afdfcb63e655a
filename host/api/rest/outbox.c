/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The buffer grows as far as its bound and is given back when it is empty: an open event stream in
 * which nothing happens holds none. Its first piece is one of a few that the thread keeps, for it
 * is what malloc() calls a large one, and tidies up for each time. */
#include "outbox.h"

#include <errno.h>
#include <string.h>

#define REEVE_REST_OUTBOX_FIRST (2 * 1024)

void
reeve_rest_outbox_clear (ReeveRestOutbox *self)
{
  if (self->size == REEVE_REST_OUTBOX_FIRST && self->spares != NULL
      && self->spares->len < REEVE_REST_OUTBOX_SPARES)
    g_ptr_array_add (self->spares, g_steal_pointer (&self->data));
  g_clear_pointer (&self->data, g_free);
  self->size = self->sent = self->length = 0;
}

gsize
reeve_rest_outbox_get_pending (const ReeveRestOutbox *self)
{
  return self->length - self->sent;
}

static void
reeve_rest_outbox_grow (ReeveRestOutbox *self, gsize least)
{
  self->size = MAX (self->size * 2, MAX (least, REEVE_REST_OUTBOX_FIRST));
  if (self->data == NULL && self->size == REEVE_REST_OUTBOX_FIRST && self->spares != NULL
      && self->spares->len > 0)
    self->data = g_ptr_array_steal_index_fast (self->spares, self->spares->len - 1);
  else
    self->data = g_realloc (self->data, self->size);
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
    reeve_rest_outbox_grow (self, self->length + n);
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
