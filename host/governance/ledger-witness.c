/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLedger: checkpoints for witnesses, and what they have cosigned. */
#include "ledger-witness.h"

#include "ledger-log-private.h"
#include "ledger-private.h"
#include "ledger-witnessed.h"

/**
 * reeve_ledger_witness_get_size:
 * @ledger: an open ledger
 * @scope: whose log
 *
 * Returns: how many records its last checkpoint covers
 */
guint64
reeve_ledger_witness_get_size (ReeveLedger *ledger, const char *scope)
{
  ReeveLedgerLog *log = reeve_ledger_need_log (ledger, scope, NULL);
  guint64 size = 0;

  if (log == NULL)
    return 0;
  g_mutex_lock (&log->mutex);
  size = log->signed_size;
  g_mutex_unlock (&log->mutex);
  return size;
}

/**
 * reeve_ledger_witness_read:
 * @ledger: an open ledger
 * @scope: whose log
 * @checkpoint: (out caller-allocates): what it says
 * @error: return location
 *
 * Returns: (transfer full): its last checkpoint, or %NULL with an error
 */
char *
reeve_ledger_witness_read (ReeveLedger *ledger, const char *scope, ReeveCheckpoint *checkpoint,
                           GError **error)
{
  ReeveLedgerLog *log = reeve_ledger_need_log (ledger, scope, error);

  return log != NULL ? reeve_ledger_log_read_checkpoint (log, checkpoint, error) : NULL;
}

/**
 * reeve_ledger_witness_ask:
 * @ledger: an open ledger
 * @scope: whose log
 * @old_size: what the witness has cosigned last
 * @checkpoint: a later one
 * @note: the same, signed
 * @error: return location
 *
 * Returns: (transfer full): the body of an add-checkpoint request of C2SP tlog-witness, or %NULL
 * with an error
 */
char *
reeve_ledger_witness_ask (ReeveLedger *ledger, const char *scope, guint64 old_size,
                          const ReeveCheckpoint *checkpoint, const char *note, GError **error)
{
  ReeveLedgerLog *log = reeve_ledger_need_log (ledger, scope, error);
  g_autoptr (GString) text = g_string_new (NULL);
  ReeveLedgerMerklePath path = { 0 };

  if (log == NULL)
    return NULL;
  if (old_size > 0 && old_size < checkpoint->size
      && !reeve_ledger_log_extend (log, old_size, checkpoint, &path, error))
    return NULL;
  g_string_printf (text, "old %" G_GUINT64_FORMAT "\n", old_size);
  for (guint i = 0; i < path.count; i++)
    {
      g_autofree char *line = g_base64_encode (path.hashes[i], REEVE_LEDGER_HASH_SIZE);

      g_string_append_printf (text, "%s\n", line);
    }
  g_string_append_printf (text, "\n%s", note);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/**
 * reeve_ledger_witness_load:
 * @ledger: an open ledger
 * @scope: whose log
 * @checkpoint: (out caller-allocates): what it says
 * @error: return location
 *
 * Returns: (transfer full): the newest checkpoint that was cosigned; %NULL with
 * %REEVE_ERROR_NOT_FOUND when none was, or an error
 */
char *
reeve_ledger_witness_load (ReeveLedger *ledger, const char *scope, ReeveCheckpoint *checkpoint,
                           GError **error)
{
  ReeveLedgerLog *log = reeve_ledger_need_log (ledger, scope, error);

  return log != NULL ? reeve_ledger_witnessed_load (checkpoint, log->folder, scope, log->key, error)
                     : NULL;
}

/**
 * reeve_ledger_witness_save:
 * @ledger: an open ledger
 * @scope: whose log
 * @note: a checkpoint of it with cosignatures
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_witness_save (ReeveLedger *ledger, const char *scope, const char *note, GError **error)
{
  ReeveLedgerLog *log = reeve_ledger_need_log (ledger, scope, error);

  return log != NULL && reeve_ledger_witnessed_save (note, log->folder, error);
}
