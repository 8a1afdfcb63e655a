/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Beside `checkpoint`, for that is replaced every few seconds, by another thread, and a new one has
 * no cosignatures yet. Verification wants the log to go on from it as from one that was kept. */
#include "ledger-witnessed.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "ledger-file.h"

/**
 * reeve_ledger_witnessed_load:
 * @checkpoint: (out caller-allocates): what it says
 * @folder: folder of the log
 * @scope: the scope
 * @key: key that must have signed it
 * @error: return location
 *
 * Whose the cosignatures are is not looked at.
 *
 * Returns: (transfer full): the signed note; %NULL with %REEVE_ERROR_NOT_FOUND when there is none,
 * %REEVE_ERROR_CORRUPT when it is damaged
 */
char *
reeve_ledger_witnessed_load (ReeveCheckpoint *checkpoint, const char *folder, const char *scope,
                             ReeveLedgerKey *key, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_WITNESSED_FILE, NULL);
  g_autoptr (GBytes) bytes = reeve_ledger_file_read (path, REEVE_CHECKPOINT_MAX_SIZE, error);
  g_autofree char *found = NULL;
  gsize length = 0;
  const char *text = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;

  if (bytes == NULL)
    return NULL;
  if (!reeve_checkpoint_parse_any (checkpoint, text, length, &found, key, error))
    return NULL;
  if (strcmp (found, scope) == 0)
    return g_strndup (text, length);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "the checkpoint is of another scope");
  return NULL;
}

/**
 * reeve_ledger_witnessed_save:
 * @note: a signed note with cosignatures
 * @folder: folder of the log
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_witnessed_save (const char *note, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_WITNESSED_FILE, NULL);

  return reeve_ledger_file_rewrite (path, note, strlen (note), error);
}

/**
 * reeve_ledger_witnessed_count:
 * @quorum: who is trusted
 * @note: a signed note
 * @count: (out): how many of them have cosigned
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when too few have, or a cosignature is bad
 */
gboolean
reeve_ledger_witnessed_count (const ReeveLedgerQuorum *quorum, const char *note, guint *count,
                              GError **error)
{
  guint64 times[REEVE_COSIGNERS_MAX] = { 0 };

  *count = 0;
  if (!reeve_cosigners_check (quorum->keys, note, times, error))
    return FALSE;
  for (guint i = 0; i < reeve_cosigners_count (quorum->keys); i++)
    *count += times[i] != 0;
  if (*count >= quorum->needed)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "%u of the witnesses have cosigned, %u must have", *count, quorum->needed);
  return FALSE;
}

/**
 * reeve_ledger_witnessed_read:
 * @checkpoint: (out caller-allocates): what the file says
 * @folder: folder of the log
 * @scope: the scope
 * @key: key that must have signed it
 * @quorum: (nullable): who must have cosigned it
 * @count: (out): how many have
 * @error: return location
 *
 * Without a quorum there need not be such a file: then size and count are 0.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_witnessed_read (ReeveCheckpoint *checkpoint, const char *folder, const char *scope,
                             ReeveLedgerKey *key, const ReeveLedgerQuorum *quorum, guint *count,
                             GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *note = reeve_ledger_witnessed_load (checkpoint, folder, scope, key, &local);

  *count = 0;
  if (note != NULL)
    return quorum == NULL || reeve_ledger_witnessed_count (quorum, note, count, error);
  *checkpoint = (ReeveCheckpoint){ 0 };
  if (!g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (quorum == NULL || quorum->needed == 0)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "no witness has cosigned a checkpoint of it");
  return FALSE;
}
