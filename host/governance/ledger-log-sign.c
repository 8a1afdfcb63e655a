/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing a log: full tiles first, then the checkpoint, then the caches. One at a time, by turns,
 * for the signer and whoever asks for a proof; nobody holds a lock meanwhile. */
#include "ledger-log-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ledger-file.h"
#include "ledger-kept.h"

/* Checkpoints that are signed because somebody asks: so many at once, and then one each so often.
 */
#define REEVE_LEDGER_LOG_DEMANDS         20
#define REEVE_LEDGER_LOG_DEMAND_INTERVAL (G_TIME_SPAN_SECOND / 2)

/* Waits for the turn to sign. */
void
reeve_ledger_log_take_turn (ReeveLedgerLog *self)
{
  g_mutex_lock (&self->mutex);
  while (self->signing)
    g_cond_wait (&self->turn, &self->mutex);
  self->signing = TRUE;
  g_mutex_unlock (&self->mutex);
}

void
reeve_ledger_log_give_turn (ReeveLedgerLog *self)
{
  g_mutex_lock (&self->mutex);
  self->signing = FALSE;
  g_cond_signal (&self->turn);
  g_mutex_unlock (&self->mutex);
}

/* What is signed is durable where everybody looks for it, and not in the write-ahead file alone. */
static gboolean
reeve_ledger_log_sync_segment (const ReeveLedgerSegment *segment, GError **error)
{
  int fd = reeve_ledger_file_open (segment->path, O_RDONLY, 0, error);
  gboolean ok = fd >= 0 && fdatasync (fd) == 0;

  if (fd >= 0 && !ok)
    reeve_ledger_file_set_error (error, errno, "syncing", segment->path);
  if (fd >= 0)
    close (fd);
  return ok;
}

/* Signs @state, and saves the caches. */
static gboolean
reeve_ledger_log_sign_state (ReeveLedgerLog *self, const ReeveLedgerState *state,
                             const ReeveLedgerSegment *segment, GError **error)
{
  g_autoptr (GError) local = NULL;
  ReeveCheckpoint checkpoint = { .size = state->frontier.size };
  guint32 id = reeve_ledger_key_get_id (self->key);

  reeve_ledger_frontier_root (&state->frontier, checkpoint.root);
  if (!reeve_checkpoint_write (&checkpoint, self->folder, self->scope, self->key, error))
    return FALSE;
  /* that it cannot be kept is no reason to sign nothing */
  if (!reeve_ledger_kept_write (&checkpoint, self->scope, self->key, &local))
    g_warning ("ledger: keeping the checkpoint of %s apart: %s", self->scope, local->message);
  g_clear_error (&local);
  g_mutex_lock (&self->mutex);
  self->signed_size = checkpoint.size;
  self->signed_by = id;
  g_mutex_unlock (&self->mutex);
  if (segment == NULL)
    return TRUE;
  if (!reeve_ledger_segment_save_index (segment, &local)
      || !reeve_ledger_state_save (state, self->folder, &local))
    g_debug ("%s", local->message);
  return TRUE;
}

/* What an earlier key has signed of it: the base too, so that nothing of the log rests on a key
 * that is used no more. Before the checkpoint, by whose key a start knows whether it is to be done.
 */
static gboolean
reeve_ledger_log_sign_base (ReeveLedgerLog *self, GError **error)
{
  g_autofree ReeveLedgerBase *base = reeve_ledger_log_dup_base (self);

  return base == NULL
         || reeve_ledger_base_write (base, self->folder, self->scope, self->key, error);
}

gboolean
reeve_ledger_log_sign_in_turn (ReeveLedgerLog *self, GError **error)
{
  g_autoptr (ReeveLedgerState) state = NULL;
  g_autoptr (ReeveLedgerSegment) segment = NULL;
  guint32 id = reeve_ledger_key_get_id (self->key);
  gboolean other = FALSE;
  guint64 size = 0;

  g_mutex_lock (&self->mutex);
  /* a checkpoint covers only what is at home */
  if (self->failure == NULL && self->away == 0)
    size = self->state->frontier.size;
  /* a new key signs again what an earlier one has signed */
  if (self->failure == NULL && self->away == 0
      && (size > self->signed_size || self->signed_by != id))
    {
      other = self->signed_by != id;
      state = reeve_ledger_state_copy (self->state);
      if (size > 0 && self->segments->len > 0)
        segment = reeve_ledger_segment_copy (reeve_ledger_log_last (self));
    }
  g_mutex_unlock (&self->mutex);
  if (segment != NULL && g_atomic_int_get (&self->owed)
      && !reeve_ledger_log_sync_segment (segment, error))
    return FALSE;
  /* a checkpoint says that the tiles below it are there */
  if (!reeve_ledger_log_write_tiles (self, size, error))
    {
      g_prefix_error (error, "writing the tiles of %s: ", self->scope);
      return FALSE;
    }
  if (other && !reeve_ledger_log_sign_base (self, error))
    return FALSE;
  return state == NULL || reeve_ledger_log_sign_state (self, state, segment, error);
}

/**
 * reeve_ledger_log_sign:
 * @self: a log
 * @error: return location
 *
 * Signs a checkpoint over the durable records if there are new ones since the last, or if an
 * earlier key signed that, then saves the caches. Blocks.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_log_sign (ReeveLedgerLog *self, GError **error)
{
  gboolean ok = FALSE;

  reeve_ledger_log_take_turn (self);
  ok = reeve_ledger_log_sign_in_turn (self, error);
  reeve_ledger_log_give_turn (self);
  return ok;
}

/* May one more be signed on demand? */
static gboolean
reeve_ledger_log_pay (ReeveLedgerLog *self, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  gboolean ok = FALSE;

  g_mutex_lock (&self->mutex);
  self->demand_due = MAX (self->demand_due, now);
  ok = self->demand_due - now < REEVE_LEDGER_LOG_DEMANDS * REEVE_LEDGER_LOG_DEMAND_INTERVAL;
  if (ok)
    self->demand_due += REEVE_LEDGER_LOG_DEMAND_INTERVAL;
  g_mutex_unlock (&self->mutex);
  if (!ok)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                         "the record is not signed yet, and too many checkpoints were asked for");
  return ok;
}

static gboolean
reeve_ledger_log_refuse_away (GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                       "the record is at the second place of the ledger, and is signed when it is "
                       "at home");
  return FALSE;
}

/**
 * reeve_ledger_log_sign_now:
 * @self: a log
 * @seq: a record
 * @error: return location
 *
 * Sees to it that a checkpoint covers @seq. Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_BUSY when that was asked for too often, what keeps the log from
 * being written, or an error of signing
 */
gboolean
reeve_ledger_log_sign_now (ReeveLedgerLog *self, guint64 seq, GError **error)
{
  gboolean ok = TRUE;
  gboolean covered = FALSE;

  reeve_ledger_log_take_turn (self);
  g_mutex_lock (&self->mutex);
  covered = self->signed_size >= seq;
  g_mutex_unlock (&self->mutex);
  if (!covered && reeve_ledger_log_get_away (self) != 0)
    ok = reeve_ledger_log_refuse_away (error);
  else if (!covered)
    ok = reeve_ledger_log_check (self, error) && reeve_ledger_log_pay (self, error)
         && reeve_ledger_log_sign_in_turn (self, error);
  /* or it has left meanwhile */
  g_mutex_lock (&self->mutex);
  covered = self->signed_size >= seq || self->away == 0;
  g_mutex_unlock (&self->mutex);
  if (ok && !covered)
    ok = reeve_ledger_log_refuse_away (error);
  reeve_ledger_log_give_turn (self);
  return ok;
}

/**
 * reeve_ledger_log_read_checkpoint:
 * @self: a log
 * @checkpoint: (out caller-allocates): what the last one says
 * @error: return location
 *
 * Returns: (transfer full): the signed note, or %NULL with an error
 */
char *
reeve_ledger_log_read_checkpoint (ReeveLedgerLog *self, ReeveCheckpoint *checkpoint, GError **error)
{
  return reeve_checkpoint_load (checkpoint, self->folder, self->scope, self->key, error);
}
