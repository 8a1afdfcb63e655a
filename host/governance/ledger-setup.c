/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a ledger is told before it is opened. */
#include "ledger-private.h"

/**
 * reeve_ledger_set_keys:
 * @self: a ledger that is not open yet
 * @keys: (nullable): what seals the signing key; %NULL when nothing is encrypted
 */
void
reeve_ledger_set_keys (ReeveLedger *self, ReeveStoreKeys *keys)
{
  g_set_object (&self->keys, keys);
}

/**
 * reeve_ledger_set_checkpoint_seconds:
 * @self: a ledger
 * @seconds: how long records may go unsigned
 */
void
reeve_ledger_set_checkpoint_seconds (ReeveLedger *self, guint seconds)
{
  g_atomic_int_set (&self->checkpoint_seconds, seconds);
  if (self->signer != NULL)
    reeve_ledger_signer_set_seconds (self->signer, seconds);
}

/**
 * reeve_ledger_set_second:
 * @self: a ledger that is not open yet
 * @folder: (nullable): on another disk: where logs go on while theirs cannot be written
 */
void
reeve_ledger_set_second (ReeveLedger *self, const char *folder)
{
  g_free (self->second_folder);
  self->second_folder = g_strdup (folder);
}

/**
 * reeve_ledger_set_segment_size:
 * @self: a ledger that is not open yet
 * @bytes: size at which a log begins a new file
 */
void
reeve_ledger_set_segment_size (ReeveLedger *self, guint64 bytes)
{
  self->segment_size = CLAMP (bytes, 1, REEVE_LEDGER_LOG_SEGMENT_SIZE);
}

/**
 * reeve_ledger_set_sync_delay:
 * @self: a ledger that is not open yet
 * @delay: µs: for how long at most a record that may wait is written and not synced
 */
void
reeve_ledger_set_sync_delay (ReeveLedger *self, gint64 delay)
{
  self->sync_delay = delay;
}

/**
 * reeve_ledger_set_latency:
 * @self: a ledger that is not open yet
 * @latency: (transfer full) (nullable): told when somebody waits for a record
 */
void
reeve_ledger_set_latency (ReeveLedger *self, ReeveCpuLatency *latency)
{
  g_clear_pointer (&self->latency, reeve_cpu_latency_free);
  self->latency = latency;
}
