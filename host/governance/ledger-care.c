/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ledger looks after itself: signs, and when the disk is full or fails, does what can be done.
 *
 * Full: the reserve is given up for the record that found no room. Reads, refusals and outcomes go
 * on being recorded; no intent is, so that nothing new happens. Without any room, or where writing
 * fails for another reason, nothing is recorded and nothing that must be recorded is done. Once a
 * second it is tried again: the reserve is made again, and a log that could not be written gets an
 * event in front of all else. */
#include <sys/resource.h>
#include <unistd.h>

#include "ledger-private.h"

#include "ledger-verify.h"

#define REEVE_LEDGER_PACK_NICE 10

static ReeveLedgerRecord
reeve_ledger_describe_event (const char *scope, const char *action, const char *resource_id,
                             const char *reason)
{
  return (ReeveLedgerRecord){
    .kind = REEVE_LEDGER_EVENT,
    .scope = scope,
    .action = action,
    .actor_type = "system",
    .resource_type = "ledger",
    .resource_id = resource_id,
    .reason = reason,
    .outcome = REEVE_OUTCOME_SUCCEEDED,
    .door = "internal",
  };
}

void
reeve_ledger_note_event (ReeveLedger *self, const char *scope, const char *action,
                         const char *resource_id, const char *reason)
{
  ReeveLedgerRecord record = reeve_ledger_describe_event (scope, action, resource_id, reason);
  g_autoptr (GError) error = NULL;

  if (!reeve_ledger_writer_submit (self->writer, &record, NULL, NULL, NULL, &error))
    g_warning ("ledger: %s of %s is not recorded: %s", action, resource_id, error->message);
}

/* (transfer container) logs stay once they are there */
static GPtrArray *
reeve_ledger_list_logs (ReeveLedger *self)
{
  GPtrArray *logs = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer log = NULL;

  g_mutex_lock (&self->mutex);
  g_hash_table_iter_init (&iter, self->logs);
  while (g_hash_table_iter_next (&iter, NULL, &log))
    g_ptr_array_add (logs, log);
  g_mutex_unlock (&self->mutex);
  return logs;
}

void
reeve_ledger_sign_all (ReeveLedger *self)
{
  g_autoptr (GPtrArray) logs = reeve_ledger_list_logs (self);

  for (guint i = 0; i < logs->len; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!reeve_ledger_log_sign (g_ptr_array_index (logs, i), &error))
        g_warning ("ledger: %s", error->message);
    }
}

/* ---- packing ---- */

/**
 * reeve_ledger_set_pack_seconds:
 * @self: a ledger that is not open yet
 * @seconds: how often it is looked for files that are complete; 0: never
 */
void
reeve_ledger_set_pack_seconds (ReeveLedger *self, guint seconds)
{
  self->pack_seconds = seconds;
}

void
reeve_ledger_note_damage (ReeveLedger *self, const char *scope, const GError *why)
{
  g_warning ("%s", why->message);
  reeve_ledger_note_event (self, REEVE_SCOPE_PLATFORM, REEVE_LEDGER_ACTION_DAMAGED, scope,
                           "corrupt");
}

/**
 * reeve_ledger_pack:
 * @self: an open ledger
 * @error: return location
 *
 * Packs the files of all logs that are complete and covered by a checkpoint. Blocks.
 *
 * Returns: %FALSE with the first error, such as %REEVE_ERROR_CORRUPT of a log that is closed now;
 * the other logs are packed all the same
 */
gboolean
reeve_ledger_pack (ReeveLedger *self, GError **error)
{
  g_autoptr (GPtrArray) logs = reeve_ledger_list_logs (self);
  gboolean ok = TRUE;

  for (guint i = 0; i < logs->len && g_atomic_int_get (&self->pack_stop) == 0; i++)
    {
      ReeveLedgerLog *log = g_ptr_array_index (logs, i);
      g_autoptr (GError) local = NULL;

      if (reeve_ledger_log_pack (log, &self->pack_stop, &local))
        continue;
      if (local->code == REEVE_ERROR_CORRUPT)
        reeve_ledger_note_damage (self, reeve_ledger_log_get_scope (log), local);
      if (ok)
        g_propagate_error (error, g_steal_pointer (&local));
      ok = FALSE;
    }
  return ok;
}

static void
reeve_ledger_pack_some (gpointer data)
{
  g_autoptr (GError) error = NULL;

  /* whoever serves goes first */
  (void) setpriority (PRIO_PROCESS, (id_t) gettid (), REEVE_LEDGER_PACK_NICE);
  if (!reeve_ledger_pack (data, &error))
    g_debug ("ledger: %s", error->message);
}

void
reeve_ledger_start_packing (ReeveLedger *self)
{
  if (self->pack_seconds > 0)
    self->packer = reeve_ledger_signer_new ("reeve-packer", reeve_ledger_pack_some, self,
                                            self->pack_seconds);
}

void
reeve_ledger_stop_packing (ReeveLedger *self)
{
  g_atomic_int_set (&self->pack_stop, 1);
  g_clear_pointer (&self->packer, reeve_ledger_signer_free);
}

/* ---- trouble ---- */

gboolean
reeve_ledger_on_trouble (const GError *error, gboolean begins, gpointer user_data)
{
  ReeveLedger *self = user_data;
  ReeveLedgerSigner *signer = g_atomic_pointer_get (&self->signer);
  gboolean full = g_error_matches (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY);

  /* once, not for every record */
  if (g_atomic_int_compare_and_exchange (&self->in_trouble, 0, 1))
    g_warning ("ledger: effects are refused: %s", error->message);
  if (signer != NULL)
    reeve_ledger_signer_set_seconds (signer, REEVE_LEDGER_TRY_SECONDS);
  /* with a second place the others need no reserve, and would be full without it */
  if (!full || (begins && self->second != NULL) || !reeve_ledger_reserve_release (self->reserve))
    return FALSE;
  reeve_ledger_note_event (self, REEVE_SCOPE_PLATFORM, REEVE_LEDGER_ACTION_FULL,
                           REEVE_SCOPE_PLATFORM, "disk_full");
  return TRUE;
}

void
reeve_ledger_on_left (const char *scope, guint64 from, const GError *why, gpointer user_data)
{
  ReeveLedger *self = user_data;
  ReeveLedgerSigner *signer = g_atomic_pointer_get (&self->signer);
  g_autofree char *reason = g_strdup_printf ("from_%" G_GUINT64_FORMAT, from);

  g_warning ("ledger: %s goes on at the second place: %s", scope, why->message);
  g_atomic_int_set (&self->in_trouble, 1);
  if (signer != NULL)
    reeve_ledger_signer_set_seconds (signer, REEVE_LEDGER_TRY_SECONDS);
  reeve_ledger_note_event (self, scope, REEVE_LEDGER_ACTION_LEFT, scope, reason);
}

/* The place that was used before this one: what lies there comes home, and it is let go. */
static gboolean
reeve_ledger_leave_second (ReeveLedger *self, const char *folder, GError **error)
{
  g_autoptr (ReeveLedgerSecond) earlier = reeve_ledger_second_open (self->folder, folder, error);

  return earlier != NULL && reeve_ledger_second_bring_home (earlier, self->key, self->backs, error)
         && reeve_ledger_second_forget (earlier, error);
}

gboolean
reeve_ledger_open_second (ReeveLedger *self, GError **error)
{
  g_autofree char *earlier = reeve_ledger_second_read_earlier (self->folder);

  if (earlier != NULL && g_strcmp0 (earlier, self->second_folder) != 0
      && !reeve_ledger_leave_second (self, earlier, error))
    return FALSE;
  if (self->second_folder == NULL)
    return TRUE;
  self->second = reeve_ledger_second_open (self->folder, self->second_folder, error);
  return self->second != NULL
         && reeve_ledger_second_bring_home (self->second, self->key, self->backs, error);
}

gboolean
reeve_ledger_has_room (ReeveLedger *self, ReeveLedgerKind kind, GError **error)
{
  if (kind != REEVE_LEDGER_INTENT || !reeve_ledger_reserve_is_used (self->reserve))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY,
                       "the disk is full: nothing new is begun until there is room for the ledger");
  return FALSE;
}

/* An event is the trial: where it can be written, so can everything. */
static void
reeve_ledger_try_log (ReeveLedger *self, ReeveLedgerLog *log)
{
  const char *scope = reeve_ledger_log_get_scope (log);
  ReeveLedgerRecord record
      = reeve_ledger_describe_event (scope, REEVE_LEDGER_ACTION_RESUMED, scope, "not_written");

  (void) reeve_ledger_writer_try (self->writer, &record, NULL);
}

/* What is kept for a disk that is well again is not left to the next start, which could only say
 * `unknown` of it. */
void
reeve_ledger_try_last (ReeveLedger *self)
{
  g_autoptr (GPtrArray) logs = reeve_ledger_list_logs (self);

  for (guint i = 0; self->writer != NULL && i < logs->len; i++)
    if (reeve_ledger_log_get_trouble (g_ptr_array_index (logs, i)) == REEVE_LEDGER_LOG_UNWRITTEN)
      reeve_ledger_try_log (self, g_ptr_array_index (logs, i));
}

/* Returns whether all is done that can be done without a new start. */
static gboolean
reeve_ledger_look_after (ReeveLedger *self)
{
  g_autoptr (GPtrArray) logs = reeve_ledger_list_logs (self);
  gboolean was_full = reeve_ledger_reserve_is_used (self->reserve);
  gboolean well = reeve_ledger_reserve_refill (self->reserve, NULL);

  if (was_full && well)
    reeve_ledger_note_event (self, REEVE_SCOPE_PLATFORM, REEVE_LEDGER_ACTION_RESUMED,
                             REEVE_SCOPE_PLATFORM, "disk_full");
  for (guint i = 0; i < logs->len; i++)
    {
      ReeveLedgerLog *log = g_ptr_array_index (logs, i);

      if (reeve_ledger_log_get_trouble (log) == REEVE_LEDGER_LOG_UNWRITTEN)
        reeve_ledger_try_log (self, log);
      else if (reeve_ledger_log_wants_home (log))
        reeve_ledger_writer_bring_home (self->writer, reeve_ledger_log_get_scope (log));
      else if (reeve_ledger_log_get_away (log) == 0)
        continue;
      well = FALSE;
    }
  return well;
}

void
reeve_ledger_care (gpointer data)
{
  ReeveLedger *self = data;
  ReeveLedgerSigner *signer = g_atomic_pointer_get (&self->signer);
  gboolean in_trouble = g_atomic_int_get (&self->in_trouble);
  gboolean well = reeve_ledger_look_after (self);

  /* a checkpoint takes room too, and can wait: the chain holds what is behind the last */
  if (well)
    reeve_ledger_sign_all (self);
  /* what has failed meanwhile has said how soon it is to be tried */
  if (signer == NULL || (well && !in_trouble))
    return;
  reeve_ledger_signer_set_seconds (signer, well ? g_atomic_int_get (&self->checkpoint_seconds)
                                                : REEVE_LEDGER_TRY_SECONDS);
  if (reeve_ledger_get_health (self) == REEVE_LEDGER_WELL
      && g_atomic_int_compare_and_exchange (&self->in_trouble, 1, 0))
    g_message ("ledger: it can be written again");
}

/**
 * reeve_ledger_get_health:
 * @self: an open ledger
 *
 * Returns: whether it can be written; a log that was found damaged does not count, for the others
 * are not touched by it. Any thread.
 */
ReeveLedgerHealth
reeve_ledger_get_health (ReeveLedger *self)
{
  g_autoptr (GPtrArray) logs = reeve_ledger_list_logs (self);
  gboolean away = FALSE;

  for (guint i = 0; i < logs->len; i++)
    {
      ReeveLedgerLogTrouble trouble = reeve_ledger_log_get_trouble (g_ptr_array_index (logs, i));

      away |= reeve_ledger_log_get_away (g_ptr_array_index (logs, i)) != 0;
      if (trouble == REEVE_LEDGER_LOG_UNWRITTEN || trouble == REEVE_LEDGER_LOG_UNSYNCED)
        return REEVE_LEDGER_FAILED;
    }
  if (reeve_ledger_reserve_is_used (self->reserve))
    return REEVE_LEDGER_FULL;
  return away ? REEVE_LEDGER_AWAY : REEVE_LEDGER_WELL;
}

/**
 * reeve_ledger_set_instruments:
 * @self: a ledger that is not open yet
 * @instruments: (nullable): what counts; outlives @self
 */
void
reeve_ledger_set_instruments (ReeveLedger *self, ReeveInstruments *instruments)
{
  self->instruments = instruments;
}

/**
 * reeve_ledger_get_depth:
 * @self: a ledger
 *
 * Returns: how many records wait for the writer
 */
guint
reeve_ledger_get_depth (ReeveLedger *self)
{
  return self->writer != NULL ? reeve_ledger_writer_get_depth (self->writer) : 0;
}

/**
 * reeve_ledger_wait:
 * @self: a ledger
 *
 * Blocks until what was appended before, by whoever it was, is in its log or is known not to be:
 * who reads the log next, sees what was done before he asked.
 */
void
reeve_ledger_wait (ReeveLedger *self)
{
  if (self->writer != NULL)
    reeve_ledger_writer_wait (self->writer);
}

/**
 * reeve_ledger_verify:
 * @self: a ledger
 * @scope: whose log
 * @error: return location
 *
 * Verifies the files of a log as they are now, while others may append. Blocks as long as reading
 * them takes.
 *
 * Returns: (transfer full): see reeve_ledger_verify_log(); %NULL with %REEVE_ERROR_NOT_FOUND when
 * there is no log
 */
JsonObject *
reeve_ledger_verify (ReeveLedger *self, const char *scope, GError **error)
{
  ReeveLedgerLog *log = reeve_ledger_need_log (self, scope, error);
  ReeveCheckpoint known = { 0 };

  if (log == NULL)
    return NULL;
  if (reeve_ledger_log_get_away (log) != 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                           "some of the log is at the second place, and is verified when it is at "
                           "home");
      return NULL;
    }
  reeve_ledger_log_get_checkpoint (log, &known);
  return reeve_ledger_verify_log (self->folder, scope, self->key, &known);
}
