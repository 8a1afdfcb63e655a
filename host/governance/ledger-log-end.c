/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A log that comes to its end takes nothing more. */
#include "ledger-log-private.h"

/**
 * reeve_ledger_log_shut:
 * @self: a log
 * @size: how many records it must have
 * @error: return location
 *
 * From here on it refuses whatever is appended; what is on its way to the disk may still come.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT when it has moved since, waits for an outcome or is
 * not at home, or with what keeps it from being used
 */
gboolean
reeve_ledger_log_shut (ReeveLedgerLog *self, guint64 size, GError **error)
{
  g_autoptr (GArray) open = NULL;
  gboolean ok = FALSE;

  if (!reeve_ledger_log_check (self, error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  open = reeve_ledger_state_list_open (self->state);
  ok = self->failure == NULL && self->away == 0 && !self->leftover && open->len == 0
       && self->state->frontier.size == size;
  if (ok)
    self->failure = g_error_new (REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                                 "the log of %s has come to its end", self->scope);
  g_mutex_unlock (&self->mutex);
  if (!ok)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                 "the log of %s has moved since, or is not at home", self->scope);
  return ok;
}

/* Was nothing written since it was shut, and is all of it signed? */
gboolean
reeve_ledger_log_is_still (ReeveLedgerLog *self, guint64 size)
{
  gboolean still = FALSE;

  g_mutex_lock (&self->mutex);
  still = self->state->frontier.size == size && self->signed_size == size && self->away == 0;
  g_mutex_unlock (&self->mutex);
  return still;
}

/* It did not come to its end. */
void
reeve_ledger_log_unshut (ReeveLedgerLog *self)
{
  g_mutex_lock (&self->mutex);
  g_clear_error (&self->failure);
  g_mutex_unlock (&self->mutex);
}
