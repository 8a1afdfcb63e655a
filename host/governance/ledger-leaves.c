/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer has hashed each record; what it has found goes into the tiles, and no record is read
 * and hashed again for them. Tiles then say what was written, whatever becomes of the file
 * meanwhile. A cache: what it has not is read from the records. */
#include "ledger-leaves.h"

#include <string.h>

struct _ReeveLedgerLeaves
{
  guint64 start;     /* leaves in front of the first */
  GByteArray *bytes; /* (nullable): one behind the other */
};

/**
 * reeve_ledger_leaves_new:
 *
 * Returns: (transfer full): no leaves; whoever uses them has a lock of his own
 */
ReeveLedgerLeaves *
reeve_ledger_leaves_new (void)
{
  return g_new0 (ReeveLedgerLeaves, 1);
}

/**
 * reeve_ledger_leaves_free:
 * @self: leaves
 */
void
reeve_ledger_leaves_free (ReeveLedgerLeaves *self)
{
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  g_free (self);
}

static guint
reeve_ledger_leaves_count (const ReeveLedgerLeaves *self)
{
  return self->bytes != NULL ? self->bytes->len / REEVE_LEDGER_HASH_SIZE : 0;
}

/**
 * reeve_ledger_leaves_add:
 * @self: leaves
 * @size: leaves of the log in front of these
 * @hashes: one behind the other
 * @count: how many
 *
 * Those that are there already are kept when these follow on them, and there is room.
 */
void
reeve_ledger_leaves_add (ReeveLedgerLeaves *self, guint64 size, const guint8 *hashes, guint count)
{
  guint known = reeve_ledger_leaves_count (self);

  if (self->start + known != size || known + count > REEVE_LEDGER_LEAVES_MAX)
    g_clear_pointer (&self->bytes, g_byte_array_unref);
  if (self->bytes == NULL)
    {
      self->bytes = g_byte_array_new ();
      self->start = size;
    }
  g_byte_array_append (self->bytes, hashes, count * REEVE_LEDGER_HASH_SIZE);
}

/**
 * reeve_ledger_leaves_get:
 * @self: leaves
 * @start: leaves in front of the first that is wanted
 * @count: how many
 * @hashes: (out caller-allocates): they
 *
 * Returns: whether all of them are there
 */
gboolean
reeve_ledger_leaves_get (ReeveLedgerLeaves *self, guint64 start, guint count, guint8 *hashes)
{
  guint known = reeve_ledger_leaves_count (self);

  if (start < self->start || start + count > self->start + known)
    return FALSE;
  memcpy (hashes, self->bytes->data + (start - self->start) * REEVE_LEDGER_HASH_SIZE,
          (gsize) count * REEVE_LEDGER_HASH_SIZE);
  return TRUE;
}

/**
 * reeve_ledger_leaves_drop:
 * @self: leaves
 * @size: leaves of the log that are not needed any more, from its first
 *
 * Gives the memory back too.
 */
void
reeve_ledger_leaves_drop (ReeveLedgerLeaves *self, guint64 size)
{
  guint known = reeve_ledger_leaves_count (self);
  g_autoptr (GByteArray) all = NULL;
  guint gone = 0;

  if (size <= self->start)
    return;
  gone = (guint) MIN (size - self->start, known);
  all = g_steal_pointer (&self->bytes);
  if (gone < known)
    reeve_ledger_leaves_add (self, size, all->data + (gsize) gone * REEVE_LEDGER_HASH_SIZE,
                             known - gone);
}
