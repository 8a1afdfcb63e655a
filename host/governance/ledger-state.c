/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of a log, and its copy on the disk, which spares a start from reading the whole log.
 *
 * The copy is a cache: whoever tampers with it gets a root that no longer fits the signed
 * checkpoint, and recovery then reads everything. */
#include "ledger-state.h"

#include <string.h>

#include "ledger-file.h"

#define REEVE_LEDGER_STATE_MAGIC "RVLST1\n"
#define REEVE_LEDGER_STATE_MAX   (16 * 1024 * 1024)

/* Sequence numbers are stored in the pointers of the set itself. */
G_STATIC_ASSERT (sizeof (gpointer) >= sizeof (guint64));

/**
 * reeve_ledger_state_new:
 *
 * Returns: (transfer full): the state of an empty log
 */
ReeveLedgerState *
reeve_ledger_state_new (void)
{
  ReeveLedgerState *self = g_new0 (ReeveLedgerState, 1);

  self->open = g_hash_table_new (NULL, NULL);
  return self;
}

/**
 * reeve_ledger_state_copy:
 * @self: a state
 *
 * Returns: (transfer full): a copy that shares nothing
 */
ReeveLedgerState *
reeve_ledger_state_copy (const ReeveLedgerState *self)
{
  ReeveLedgerState *copy = g_new0 (ReeveLedgerState, 1);
  GHashTableIter iter;
  gpointer key = NULL;

  *copy = *self;
  copy->open = g_hash_table_new (NULL, NULL);
  g_hash_table_iter_init (&iter, self->open);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_hash_table_add (copy->open, key);
  return copy;
}

/**
 * reeve_ledger_state_free:
 * @self: a state
 */
void
reeve_ledger_state_free (ReeveLedgerState *self)
{
  g_hash_table_unref (self->open);
  g_free (self);
}

/**
 * reeve_ledger_state_open_intent:
 * @self: a state
 * @seq: sequence number of an intent
 */
void
reeve_ledger_state_open_intent (ReeveLedgerState *self, guint64 seq)
{
  g_hash_table_add (self->open, GSIZE_TO_POINTER (seq));
}

/**
 * reeve_ledger_state_close_intent:
 * @self: a state
 * @seq: sequence number of an intent whose outcome is there
 *
 * Returns: whether it was open
 */
gboolean
reeve_ledger_state_close_intent (ReeveLedgerState *self, guint64 seq)
{
  return g_hash_table_remove (self->open, GSIZE_TO_POINTER (seq));
}

/**
 * reeve_ledger_state_is_open:
 * @self: a state
 * @seq: a sequence number
 *
 * Returns: whether it is that of an intent without an outcome
 */
gboolean
reeve_ledger_state_is_open (const ReeveLedgerState *self, guint64 seq)
{
  return g_hash_table_contains (self->open, GSIZE_TO_POINTER (seq));
}

static int
reeve_ledger_state_compare (gconstpointer a, gconstpointer b)
{
  guint64 left = *(const guint64 *) a;
  guint64 right = *(const guint64 *) b;

  return left < right ? -1 : left > right;
}

/**
 * reeve_ledger_state_list_open:
 * @self: a state
 *
 * Returns: (transfer full) (element-type guint64): sequence numbers of the open intents, ascending
 */
GArray *
reeve_ledger_state_list_open (const ReeveLedgerState *self)
{
  GArray *list = g_array_sized_new (FALSE, FALSE, sizeof (guint64), g_hash_table_size (self->open));
  GHashTableIter iter;
  gpointer key = NULL;

  g_hash_table_iter_init (&iter, self->open);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      guint64 seq = GPOINTER_TO_SIZE (key);

      g_array_append_val (list, seq);
    }
  g_array_sort (list, reeve_ledger_state_compare);
  return list;
}

static void
reeve_ledger_state_put (GByteArray *bytes, guint64 number)
{
  guint64 swapped = GUINT64_TO_BE (number);

  g_byte_array_append (bytes, (const guint8 *) &swapped, sizeof swapped);
}

static guint64
reeve_ledger_state_take (const guint8 **at)
{
  guint64 number = 0;

  memcpy (&number, *at, sizeof number);
  *at += sizeof number;
  return GUINT64_FROM_BE (number);
}

/**
 * reeve_ledger_state_save:
 * @self: a state
 * @folder: folder of the log
 * @error: return location
 *
 * Writes the copy on the disk. To be called after the checkpoint of the same size, never before:
 * recovery trusts no state that is ahead of the last checkpoint.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_state_save (const ReeveLedgerState *self, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_STATE_FILE, NULL);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GArray) open = reeve_ledger_state_list_open (self);
  guint8 digest[REEVE_LEDGER_HASH_SIZE];

  g_byte_array_append (bytes, (const guint8 *) REEVE_LEDGER_STATE_MAGIC,
                       strlen (REEVE_LEDGER_STATE_MAGIC));
  reeve_ledger_state_put (bytes, self->segment);
  reeve_ledger_state_put (bytes, self->end);
  reeve_ledger_state_put (bytes, self->frontier.size);
  reeve_ledger_state_put (bytes, open->len);
  g_byte_array_append (bytes, self->chain, sizeof self->chain);
  g_byte_array_append (bytes, (const guint8 *) self->frontier.nodes, sizeof self->frontier.nodes);
  for (guint i = 0; i < open->len; i++)
    reeve_ledger_state_put (bytes, g_array_index (open, guint64, i));
  reeve_digests_sha256 (bytes->data, bytes->len, digest);
  g_byte_array_append (bytes, digest, sizeof digest);
  return reeve_ledger_file_save_cache (path, bytes->data, bytes->len, error);
}

/**
 * reeve_ledger_state_load:
 * @folder: folder of the log
 *
 * Returns: (transfer full) (nullable): the copy on the disk; %NULL when there is none or it is
 * damaged
 */
ReeveLedgerState *
reeve_ledger_state_load (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_STATE_FILE, NULL);
  g_autoptr (GBytes) bytes = reeve_ledger_file_read (path, REEVE_LEDGER_STATE_MAX, NULL);
  g_autoptr (ReeveLedgerState) self = reeve_ledger_state_new ();
  gsize fixed = strlen (REEVE_LEDGER_STATE_MAGIC) + 4 * sizeof (guint64) + sizeof self->chain
                + sizeof self->frontier.nodes;
  guint8 digest[REEVE_LEDGER_HASH_SIZE];
  const guint8 *at = NULL;
  guint64 n_open = 0;
  gsize size = 0;

  if (bytes == NULL)
    return NULL;
  at = g_bytes_get_data (bytes, &size);
  if (size < fixed + sizeof digest
      || memcmp (at, REEVE_LEDGER_STATE_MAGIC, strlen (REEVE_LEDGER_STATE_MAGIC)) != 0)
    return NULL;
  reeve_digests_sha256 (at, size - sizeof digest, digest);
  if (memcmp (digest, at + size - sizeof digest, sizeof digest) != 0)
    return NULL;
  at += strlen (REEVE_LEDGER_STATE_MAGIC);
  self->segment = reeve_ledger_state_take (&at);
  self->end = reeve_ledger_state_take (&at);
  self->frontier.size = reeve_ledger_state_take (&at);
  n_open = reeve_ledger_state_take (&at);
  if (n_open != (size - fixed - sizeof digest) / sizeof (guint64))
    return NULL;
  memcpy (self->chain, at, sizeof self->chain);
  at += sizeof self->chain;
  memcpy (self->frontier.nodes, at, sizeof self->frontier.nodes);
  at += sizeof self->frontier.nodes;
  for (guint64 i = 0; i < n_open; i++)
    reeve_ledger_state_open_intent (self, reeve_ledger_state_take (&at));
  return g_steal_pointer (&self);
}
