/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStreamEntry: one entry of a stream as it was read. */
#include "reeve-storage.h"

/**
 * reeve_stream_entry_new: (skip)
 * @seq: its number
 * @payload: what was appended
 *
 * Returns: (transfer full): an entry
 *
 * Since: 1.0
 */
ReeveStreamEntry *
reeve_stream_entry_new (gint64 seq, GBytes *payload)
{
  ReeveStreamEntry *self = g_new0 (ReeveStreamEntry, 1);

  self->seq = seq;
  self->payload = g_bytes_ref (payload);
  return self;
}

/**
 * reeve_stream_entry_free:
 * @self: (transfer full): an entry
 *
 * Frees it.
 *
 * Since: 1.0
 */
void
reeve_stream_entry_free (ReeveStreamEntry *self)
{
  g_bytes_unref (self->payload);
  g_free (self);
}
