/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ledger: one log for each scope, one thread that writes them, one that signs them. */
#include "ledger-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log-task.h"
#include "ledger-end.h"
#include "ledger-file.h"
#include "ledger-gather.h"
#include "ledger-log.h"
#include "ledger-query.h"
#include "ledger-root.h"

#define REEVE_LEDGER_CHECKPOINT_SECONDS 10
/* what a power cut may take of what may wait; see docs/ledger.md */
#define REEVE_LEDGER_SYNC_DELAY (50 * G_TIME_SPAN_MILLISECOND)

G_DEFINE_FINAL_TYPE (ReeveLedger, reeve_ledger, G_TYPE_OBJECT)

static void
reeve_ledger_finalize (GObject *object)
{
  ReeveLedger *self = REEVE_LEDGER (object);

  reeve_ledger_close (self);
  g_clear_pointer (&self->writer, reeve_ledger_writer_free);
  g_hash_table_unref (self->logs);
  g_hash_table_unref (self->ended);
  g_hash_table_unref (self->ports);
  g_clear_pointer (&self->key, reeve_ledger_key_free);
  g_clear_pointer (&self->reserve, reeve_ledger_reserve_free);
  g_clear_pointer (&self->second, reeve_ledger_second_free);
  g_ptr_array_unref (self->backs);
  g_free (self->second_folder);
  g_mutex_clear (&self->mutex);
  g_free (self->folder);
  g_free (self->keys_folder);
  g_clear_object (&self->keys);
  g_clear_pointer (&self->latency, reeve_cpu_latency_free);
  G_OBJECT_CLASS (reeve_ledger_parent_class)->finalize (object);
}

static void
reeve_ledger_class_init (ReeveLedgerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_ledger_finalize;
}

static void
reeve_ledger_init (ReeveLedger *self)
{
  self->lock_fd = -1;
  self->segment_size = REEVE_LEDGER_LOG_SEGMENT_SIZE;
  self->checkpoint_seconds = REEVE_LEDGER_CHECKPOINT_SECONDS;
  self->sync_delay = REEVE_LEDGER_SYNC_DELAY;
  self->ahead_after = REEVE_LEDGER_AHEAD_AFTER;
  self->logs = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                      (GDestroyNotify) reeve_ledger_log_free);
  self->ended = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                       (GDestroyNotify) reeve_ledger_log_free);
  self->backs = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_ledger_back_free);
  self->ports = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) reeve_ledger_port_close);
  g_mutex_init (&self->mutex);
}

/**
 * reeve_ledger_new:
 * @folder: `<state>/ledger`
 * @keys_folder: `<state>/keys`
 *
 * Returns: (transfer full): a ledger that is not open yet
 */
ReeveLedger *
reeve_ledger_new (const char *folder, const char *keys_folder)
{
  ReeveLedger *self = g_object_new (REEVE_TYPE_LEDGER, NULL);

  self->folder = g_strdup (folder);
  self->keys_folder = g_strdup (keys_folder);
  return self;
}

/* (transfer none) (nullable) */
static ReeveLedgerLog *
reeve_ledger_find_log (ReeveLedger *self, const char *scope)
{
  ReeveLedgerLog *log = NULL;

  g_mutex_lock (&self->mutex);
  log = g_hash_table_lookup (self->logs, scope);
  g_mutex_unlock (&self->mutex);
  return log;
}

/* Opens the log of a scope and keeps it. */
static ReeveLedgerLog *
reeve_ledger_add_log (ReeveLedger *self, const char *scope, guint64 *cut)
{
  ReeveLedgerLog *log
      = reeve_ledger_log_open (self->folder, scope, self->key, self->segment_size, cut);

  if (self->second != NULL)
    reeve_ledger_log_set_second (log, reeve_ledger_second_get_folder (self->second, scope));
  g_mutex_lock (&self->mutex);
  g_hash_table_insert (self->logs, (gpointer) reeve_ledger_log_get_scope (log), log);
  g_mutex_unlock (&self->mutex);
  return log;
}

/* The writer's: finds a log, or makes it on the first record of its scope. */
static ReeveLedgerLog *
reeve_ledger_resolve (const char *scope, gpointer user_data, GError **error)
{
  ReeveLedger *self = user_data;
  ReeveLedgerLog *log = reeve_ledger_find_log (self, scope);
  g_autoptr (GError) local = NULL;
  guint64 cut = 0;

  if (log != NULL)
    return log;
  if (!reeve_ledger_end_check (self, scope, error))
    return NULL;
  if (!reeve_ledger_root_create_log (self->folder, scope, self->key, &local))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY,
                   "the ledger of %s cannot be begun: %s", scope, local->message);
      return NULL;
    }
  log = reeve_ledger_add_log (self, scope, &cut);
  reeve_ledger_note_event (self, REEVE_SCOPE_PLATFORM, REEVE_LEDGER_ACTION_CREATED, scope, NULL);
  return log;
}

/* ---- opening and closing ---- */

static gboolean
reeve_ledger_lock (ReeveLedger *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, REEVE_LEDGER_LOCK_FILE, NULL);

  self->lock_fd = reeve_ledger_file_open (path, O_RDWR | O_CREAT, 0600, error);
  if (self->lock_fd < 0)
    return FALSE;
  if (flock (self->lock_fd, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (errno == EWOULDBLOCK)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "%s is used by another host", self->folder);
  else
    reeve_ledger_file_set_error (error, errno, "locking", path);
  return FALSE;
}

/* Opens the platform's log, making it where there is no log at all yet. */
static gboolean
reeve_ledger_open_platform (ReeveLedger *self, char **scopes, guint64 *cut, GError **error)
{
  if (scopes[0] == NULL
      && !reeve_ledger_root_create_log (self->folder, REEVE_SCOPE_PLATFORM, self->key, error))
    return FALSE;
  if (scopes[0] != NULL && !g_strv_contains ((const char *const *) scopes, REEVE_SCOPE_PLATFORM))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the platform's log is missing from %s",
                   self->folder);
      return FALSE;
    }
  return reeve_ledger_log_check (reeve_ledger_add_log (self, REEVE_SCOPE_PLATFORM, cut), error);
}

static void
reeve_ledger_note_recovery (ReeveLedger *self, const char *scope, guint64 cut)
{
  g_autofree char *reason = g_strdup_printf ("cut_%" G_GUINT64_FORMAT "_bytes", cut);

  if (cut > 0)
    reeve_ledger_note_event (self, scope, REEVE_LEDGER_ACTION_RECOVERED, scope, reason);
}

static void
reeve_ledger_open_tenant (ReeveLedger *self, const char *scope)
{
  g_autoptr (GError) error = NULL;
  guint64 cut = 0;
  ReeveLedgerLog *log = reeve_ledger_add_log (self, scope, &cut);

  if (reeve_ledger_log_check (log, &error))
    {
      reeve_ledger_note_recovery (self, scope, cut);
      return;
    }
  reeve_ledger_note_damage (self, scope, error);
}

/* What this start brought home from the second place. */
static void
reeve_ledger_note_backs (ReeveLedger *self)
{
  for (guint i = 0; i < self->backs->len; i++)
    {
      ReeveLedgerRecord record = { 0 };
      g_autoptr (GError) error = NULL;

      reeve_ledger_log_describe_back (g_ptr_array_index (self->backs, i), &record);
      if (!reeve_ledger_writer_submit (self->writer, &record, NULL, NULL, NULL, &error))
        g_warning ("ledger: what came home of %s is not recorded: %s", record.scope,
                   error->message);
    }
  g_ptr_array_set_size (self->backs, 0);
}

/**
 * reeve_ledger_open:
 * @self: a ledger
 * @error: return location
 *
 * Opens every log. A tenant's log that is damaged stays closed and all else works; a damaged
 * platform's log is an error.
 *
 * Returns: %FALSE with %REEVE_ERROR_BUSY when another host has it, %REEVE_ERROR_CORRUPT or a file
 * error
 */
gboolean
reeve_ledger_open (ReeveLedger *self, GError **error)
{
  g_autoptr (GError) low = NULL;
  g_auto (GStrv) scopes = NULL;
  guint64 cut = 0;

  if (g_mkdir_with_parents (self->folder, 0700) != 0
      || g_mkdir_with_parents (self->keys_folder, 0700) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "making", self->folder);
      return FALSE;
    }
  if (!reeve_ledger_lock (self, error) || !reeve_ledger_ahead_replay (self->folder, error))
    return FALSE;
  self->key = reeve_ledger_key_open (self->keys_folder, self->keys, error);
  if (self->key == NULL || !reeve_ledger_open_second (self, error))
    return FALSE;
  scopes = reeve_ledger_root_list_scopes (self->folder, error);
  if (scopes == NULL || !reeve_ledger_open_platform (self, scopes, &cut, error))
    return FALSE;
  reeve_ledger_end_resume (self, scopes);
  self->reserve = reeve_ledger_reserve_new (self->folder);
  if (!reeve_ledger_reserve_refill (self->reserve, &low))
    (void) reeve_ledger_on_trouble (low, FALSE, self);
  self->writer = reeve_ledger_writer_new (
      reeve_ledger_resolve, reeve_ledger_on_trouble, reeve_ledger_on_left, self, self->sync_delay,
      self->instruments, reeve_ledger_ahead_new (self->folder, self->ahead_after), self->latency);
  reeve_ledger_note_recovery (self, REEVE_SCOPE_PLATFORM, cut);
  for (guint i = 0; scopes[i] != NULL; i++)
    if (strcmp (scopes[i], REEVE_SCOPE_PLATFORM) != 0)
      reeve_ledger_open_tenant (self, scopes[i]);
  reeve_ledger_note_backs (self);
  g_atomic_pointer_set (&self->signer, reeve_ledger_signer_new ("reeve-signer", reeve_ledger_care,
                                                                self, self->checkpoint_seconds));
  if (g_atomic_int_get (&self->in_trouble))
    reeve_ledger_signer_set_seconds (self->signer, REEVE_LEDGER_TRY_SECONDS);
  reeve_ledger_start_packing (self);
  return TRUE;
}

/**
 * reeve_ledger_close:
 * @self: a ledger
 *
 * Writes what is queued and signs a last checkpoint of every log, so that truncation shows. Records
 * may still be read. Blocks. Idempotent.
 */
void
reeve_ledger_close (ReeveLedger *self)
{
  ReeveLedgerSigner *signer = NULL;

  reeve_ledger_stop_packing (self);
  reeve_ledger_try_last (self);
  if (self->writer != NULL)
    reeve_ledger_writer_stop (self->writer);
  signer = g_atomic_pointer_exchange (&self->signer, NULL);
  if (signer != NULL)
    {
      reeve_ledger_signer_free (signer);
      reeve_ledger_sign_all (self);
      reeve_ledger_file_sync_all (self->folder);
    }
  g_mutex_lock (&self->mutex);
  g_hash_table_remove_all (self->ports);
  g_mutex_unlock (&self->mutex);
  if (self->lock_fd >= 0)
    close (self->lock_fd);
  self->lock_fd = -1;
}

/* ---- appending ---- */

/* (transfer full) the port of the caller's context */
static ReeveLedgerPort *
reeve_ledger_get_port (ReeveLedger *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  ReeveLedgerPort *port = NULL;

  g_mutex_lock (&self->mutex);
  port = g_hash_table_lookup (self->ports, context);
  if (port == NULL)
    {
      port = reeve_ledger_port_new (context);
      g_hash_table_insert (self->ports, context, port);
    }
  reeve_ledger_port_ref (port);
  g_mutex_unlock (&self->mutex);
  return port;
}

static gboolean
reeve_ledger_check_open (ReeveLedger *self, const ReeveLedgerRecord *record, GError **error)
{
  if (self->writer != NULL)
    return reeve_ledger_root_check_scope (record->scope, error)
           && reeve_ledger_has_room (self, record->kind, error);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "the ledger is not open");
  return FALSE;
}

/**
 * reeve_ledger_append_async:
 * @self: a ledger
 * @record: a record; copied
 * @callback: (nullable): called when it is durable; %NULL when nobody waits
 * @user_data: for @callback
 *
 * Appends a record. Any thread; does not block.
 */
void
reeve_ledger_append_async (ReeveLedger *self, const ReeveLedgerRecord *record,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (ReeveLedgerPort) port = NULL;
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;

  if (callback != NULL)
    {
      port = reeve_ledger_get_port (self);
      task = reeve_log_task_new (self, NULL, callback, user_data);
      g_task_set_source_tag (task, reeve_ledger_append_async);
    }
  if (reeve_ledger_check_open (self, record, &error)
      && reeve_ledger_writer_submit (self->writer, record, port, task,
                                     reeve_ledger_gather_get_held (self), &error))
    return;
  if (task != NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_warning ("ledger: a record nobody waits for is lost: %s", error->message);
}

/**
 * reeve_ledger_append_finish:
 * @self: a ledger
 * @result: what the callback got
 * @error: return location
 *
 * Returns: the sequence number of the durable record; 0 with %REEVE_ERROR_BUSY,
 * %REEVE_ERROR_CONFLICT (an outcome whose intent is not open), %REEVE_ERROR_CORRUPT, or an error of
 * the disk
 */
guint64
reeve_ledger_append_finish (ReeveLedger *self, GAsyncResult *result, GError **error)
{
  gssize seq = 0;

  g_return_val_if_fail (g_task_is_valid (result, self), 0);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_ledger_append_async), 0);
  seq = g_task_propagate_int (G_TASK (result), error);
  return seq > 0 ? (guint64) seq : 0;
}

/**
 * reeve_ledger_append:
 * @self: a ledger
 * @record: a record
 * @error: return location
 *
 * Appends a record and waits until it is durable. For threads that may block.
 *
 * Returns: as reeve_ledger_append_finish()
 */
guint64
reeve_ledger_append (ReeveLedger *self, const ReeveLedgerRecord *record, GError **error)
{
  if (!reeve_ledger_check_open (self, record, error))
    return 0;
  return reeve_ledger_writer_append (self->writer, record, error);
}

/* ---- reading ---- */

ReeveLedgerLog *
reeve_ledger_need_log (ReeveLedger *self, const char *scope, GError **error)
{
  ReeveLedgerLog *log = reeve_ledger_find_log (self, scope);

  if (log == NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "nothing is recorded yet");
  return log;
}

/**
 * reeve_ledger_get:
 * @self: a ledger
 * @scope: whose log
 * @seq: which record
 * @error: return location
 *
 * Blocks until what was appended before is durable.
 *
 * Returns: (transfer full): the record; %NULL with %REEVE_ERROR_NOT_FOUND or %REEVE_ERROR_CORRUPT
 */
JsonObject *
reeve_ledger_get (ReeveLedger *self, const char *scope, guint64 seq, GError **error)
{
  ReeveLedgerLog *log = NULL;

  reeve_ledger_wait (self);
  log = reeve_ledger_need_log (self, scope, error);
  return log != NULL ? reeve_ledger_query_get (log, seq, error) : NULL;
}

/**
 * reeve_ledger_list:
 * @self: a ledger
 * @scope: whose log
 * @filter: which records
 * @next: (out): cursor for @filter->before, 0 at the end
 * @error: return location
 *
 * A call looks at a bounded number of records: with a filter that finds little, the answer may be
 * short, even empty, and still have a cursor. Blocks until what was appended before is durable.
 *
 * Returns: (transfer full) (element-type JsonObject): records, newest first; %NULL with an error
 */
GPtrArray *
reeve_ledger_list (ReeveLedger *self, const char *scope, const ReeveLedgerFilter *filter,
                   guint64 *next, GError **error)
{
  ReeveLedgerLog *log = NULL;

  reeve_ledger_wait (self);
  log = reeve_ledger_find_log (self, scope);
  /* the cursor that is asked with may be where the next one goes */
  if (log != NULL)
    return reeve_ledger_query_list (log, filter, next, error);
  *next = 0;
  return g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
}

/**
 * reeve_ledger_get_size:
 * @self: a ledger
 * @scope: whose log
 *
 * Returns: number of durable records; that of the last one as well
 */
guint64
reeve_ledger_get_size (ReeveLedger *self, const char *scope)
{
  ReeveLedgerLog *log = reeve_ledger_find_log (self, scope);

  return log != NULL ? reeve_ledger_log_get_size (log) : 0;
}

/**
 * reeve_ledger_get_opening_size:
 * @self: a ledger
 * @scope: whose log
 *
 * Returns: number of records there were when the ledger was opened
 */
guint64
reeve_ledger_get_opening_size (ReeveLedger *self, const char *scope)
{
  ReeveLedgerLog *log = reeve_ledger_find_log (self, scope);

  return log != NULL ? reeve_ledger_log_get_opening_size (log) : 0;
}

/**
 * reeve_ledger_list_open_intents:
 * @self: a ledger
 * @scope: whose log
 * @error: return location
 *
 * Returns: (transfer full) (element-type JsonObject): intents without an outcome, oldest first;
 * %NULL with an error
 */
GPtrArray *
reeve_ledger_list_open_intents (ReeveLedger *self, const char *scope, GError **error)
{
  g_autoptr (GPtrArray) intents
      = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  ReeveLedgerLog *log = reeve_ledger_find_log (self, scope);
  g_autoptr (GArray) open = log != NULL ? reeve_ledger_log_list_open (log) : NULL;

  for (guint i = 0; open != NULL && i < open->len; i++)
    {
      JsonObject *intent = reeve_ledger_query_get (log, g_array_index (open, guint64, i), error);

      if (intent == NULL)
        return NULL;
      g_ptr_array_add (intents, intent);
    }
  return g_steal_pointer (&intents);
}

/**
 * reeve_ledger_list_scopes:
 * @self: a ledger
 * @error: return location
 *
 * Returns: (transfer full): scopes that have a log, sorted
 */
char **
reeve_ledger_list_scopes (ReeveLedger *self, GError **error)
{
  g_autoptr (GPtrArray) scopes = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer scope = NULL;

  g_mutex_lock (&self->mutex);
  g_hash_table_iter_init (&iter, self->logs);
  while (g_hash_table_iter_next (&iter, &scope, NULL))
    g_ptr_array_add (scopes, g_strdup (scope));
  g_mutex_unlock (&self->mutex);
  return reeve_ledger_root_sort (g_steal_pointer (&scopes));
}
