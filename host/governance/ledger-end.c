/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a log, in steps of which each is durable before the next: a mark in its folder; the
 * event in the platform's log, which says what it was; another name for the folder, which
 * verification does not count; the files go. A host that ends in between leaves a mark without an
 * event, and nothing has happened, or one with it, and the next start goes on. */
#include "ledger-end.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/digests.h"

#include "ledger-ended.h"
#include "ledger-file.h"
#include "ledger-kept.h"
#include "ledger-private.h"

#define REEVE_LEDGER_END_MARK_SIZE 32
/* tiles lie no deeper */
#define REEVE_LEDGER_END_DEPTH 8

/* ---- files ---- */

/* Removes a folder with all that is in it. */
static gboolean
reeve_ledger_end_remove (const char *folder, guint depth, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  const char *name = NULL;

  if (dir == NULL)
    return FALSE;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_unlink (path) == 0 || errno == ENOENT)
        continue;
      if ((errno != EISDIR && errno != EPERM) || depth == REEVE_LEDGER_END_DEPTH)
        {
          reeve_ledger_file_set_error (error, errno, "removing", path);
          return FALSE;
        }
      if (!reeve_ledger_end_remove (path, depth + 1, error))
        return FALSE;
    }
  if (g_rmdir (folder) == 0)
    return TRUE;
  reeve_ledger_file_set_error (error, errno, "removing", folder);
  return FALSE;
}

/* From here on there is no log of that name. */
static gboolean
reeve_ledger_end_drop (ReeveLedger *self, const char *scope, GError **error)
{
  g_autofree char *name = g_strconcat (scope, REEVE_LEDGER_END_GOING, NULL);
  g_autofree char *folder = g_build_filename (self->folder, scope, NULL);
  g_autofree char *going = g_build_filename (self->folder, name, NULL);

  if (rename (folder, going) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "naming", going);
      return FALSE;
    }
  if (!reeve_ledger_file_sync_folder (self->folder, error))
    return FALSE;
  reeve_ledger_kept_remove (scope, self->key);
  return reeve_ledger_end_remove (going, 0, error);
}

/* ---- the mark ---- */

/* (transfer full) */
static char *
reeve_ledger_end_get_mark (ReeveLedger *self, const char *scope)
{
  return g_build_filename (self->folder, scope, REEVE_LEDGER_END_MARK, NULL);
}

/* How many records the platform's log had when the log was marked; FALSE: it was not. What cannot
 * be read means from the beginning. */
static gboolean
reeve_ledger_end_read_mark (ReeveLedger *self, const char *scope, guint64 *since)
{
  g_autofree char *path = reeve_ledger_end_get_mark (self, scope);
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL;

  *since = 0;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return FALSE;
  bytes = reeve_ledger_file_read (path, REEVE_LEDGER_END_MARK_SIZE, NULL);
  if (bytes == NULL || g_bytes_get_size (bytes) == 0)
    return TRUE;
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  (void) g_ascii_string_to_unsigned (g_strchomp (text), 10, 0, G_MAXINT64, since, NULL);
  return TRUE;
}

static gboolean
reeve_ledger_end_write_mark (ReeveLedger *self, const char *scope, GError **error)
{
  g_autofree char *path = reeve_ledger_end_get_mark (self, scope);
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT "\n",
                                           reeve_ledger_get_size (self, REEVE_SCOPE_PLATFORM));

  return reeve_ledger_file_replace (path, text, strlen (text), 0600, error);
}

/* ---- the event ---- */

typedef struct
{
  const char *scope;
  gboolean found;
} ReeveLedgerEndSearch;

static void
reeve_ledger_end_look (guint64 seq G_GNUC_UNUSED, const ReeveLedgerEntry *entry, gpointer user_data)
{
  ReeveLedgerEndSearch *search = user_data;
  ReeveLedgerEnded *ended = reeve_ledger_ended_parse (entry);

  if (ended == NULL)
    return;
  search->found = search->found || strcmp (ended->scope, search->scope) == 0;
  reeve_ledger_ended_free (ended);
}

/* Is the end on record, behind the first @since records of the platform? */
static gboolean
reeve_ledger_end_find (ReeveLedger *self, const char *scope, guint64 since, gboolean *found,
                       GError **error)
{
  ReeveLedgerLog *platform = reeve_ledger_need_log (self, REEVE_SCOPE_PLATFORM, error);
  ReeveLedgerEndSearch search = { .scope = scope };
  guint64 size = 0;

  *found = FALSE;
  if (platform == NULL)
    return FALSE;
  since = MAX (since, reeve_ledger_log_get_base (platform));
  size = reeve_ledger_log_get_size (platform);
  if (size > since
      && !reeve_ledger_log_scan (platform, since + 1, size - since, reeve_ledger_end_look, &search,
                                 error))
    return FALSE;
  *found = search.found;
  return TRUE;
}

static gboolean
reeve_ledger_end_record (ReeveLedger *self, const char *scope, const ReeveCheckpoint *checkpoint,
                         GError **error)
{
  g_autofree char *root = reeve_digests_hex (checkpoint->root, sizeof checkpoint->root);
  g_autofree char *reason
      = g_strdup_printf (REEVE_LEDGER_ENDED_REASON "%" G_GUINT64_FORMAT, checkpoint->size);
  const ReeveLedgerRecord record = { .kind = REEVE_LEDGER_EVENT,
                                     .scope = REEVE_SCOPE_PLATFORM,
                                     .action = REEVE_LEDGER_ACTION_ENDED,
                                     .actor_type = "system",
                                     .actor_id = "host",
                                     .resource_type = "ledger",
                                     .resource_id = scope,
                                     .reason = reason,
                                     .output_digest = root,
                                     .outcome = REEVE_OUTCOME_SUCCEEDED,
                                     .door = "internal" };

  return reeve_ledger_append (self, &record, error) != 0;
}

/* ---- the end ---- */

/* The files are what they were: nothing that somebody changed goes unseen. */
static gboolean
reeve_ledger_end_verify (ReeveLedger *self, const char *scope, GError **error)
{
  g_autoptr (JsonObject) verdict = reeve_ledger_verify (self, scope, error);

  if (verdict == NULL)
    return FALSE;
  if (reeve_json_get_boolean (verdict, "valid", FALSE))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "it is damaged, and stays: %s",
               reeve_json_get_string (verdict, "error", ""));
  return FALSE;
}

/* Nothing is appended any more, and all of it is signed, or FALSE and it goes on. */
static gboolean
reeve_ledger_end_shut (ReeveLedger *self, ReeveLedgerLog *log, guint64 size, GError **error)
{
  if (!reeve_ledger_log_sign (log, error)
      || !reeve_ledger_end_verify (self, reeve_ledger_log_get_scope (log), error)
      || !reeve_ledger_log_shut (log, size, error))
    return FALSE;
  reeve_ledger_wait (self);
  if (reeve_ledger_log_is_still (log, size))
    return TRUE;
  reeve_ledger_log_unshut (log);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "it has moved since");
  return FALSE;
}

/* Mark and event; an attempt that failed may have left either. */
static gboolean
reeve_ledger_end_write_down (ReeveLedger *self, ReeveLedgerLog *log, GError **error)
{
  const char *scope = reeve_ledger_log_get_scope (log);
  ReeveCheckpoint checkpoint = { 0 };
  gboolean found = FALSE;
  guint64 since = 0;

  reeve_ledger_log_get_checkpoint (log, &checkpoint);
  if (!reeve_ledger_end_read_mark (self, scope, &since))
    return reeve_ledger_end_write_mark (self, scope, error)
           && reeve_ledger_end_record (self, scope, &checkpoint, error);
  return reeve_ledger_end_find (self, scope, since, &found, error)
         && (found || reeve_ledger_end_record (self, scope, &checkpoint, error));
}

/* Nobody finds it any more; who has it still is told that it has ended. */
static void
reeve_ledger_end_take_out (ReeveLedger *self, ReeveLedgerLog *log)
{
  g_mutex_lock (&self->mutex);
  (void) g_hash_table_steal (self->logs, reeve_ledger_log_get_scope (log));
  g_hash_table_insert (self->ended, (gpointer) reeve_ledger_log_get_scope (log), log);
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_ledger_end:
 * @self: an open ledger
 * @admitted: the right to drop what @plan says
 * @scope: whose log; not the platform's
 * @plan: all records of it that are left
 * @error: return location
 *
 * Removes a log as a whole, when it verifies. What it was stands in the platform's log. Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFLICT when it has moved since it was planned,
 * %REEVE_ERROR_CORRUPT when it is damaged, or an error of the disk; the next start may then end it
 */
gboolean
reeve_ledger_end (ReeveLedger *self, ReeveAdmitted *admitted, const char *scope,
                  const ReeveLedgerRetirement *plan, GError **error)
{
  g_autofree char *name = reeve_ledger_name_retirement (scope, plan);
  ReeveLedgerLog *log = reeve_ledger_need_log (self, scope, error);
  gboolean ok = FALSE;

  g_return_val_if_fail (strcmp (scope, REEVE_SCOPE_PLATFORM) != 0, FALSE);
  if (log == NULL)
    return FALSE;
  reeve_admitted_consume_exactly (admitted, REEVE_LEDGER_RETIRE_OPERATION, name, NULL);
  ok = reeve_ledger_end_shut (self, log, plan->last, error);
  if (ok && !reeve_ledger_end_write_down (self, log, error))
    {
      ReeveLedgerLog *platform = reeve_ledger_need_log (self, REEVE_SCOPE_PLATFORM, NULL);

      ok = FALSE;
      /* after a failed sync only a new start knows whether the event is there */
      if (reeve_ledger_log_get_trouble (platform) != REEVE_LEDGER_LOG_UNSYNCED)
        reeve_ledger_log_unshut (log);
    }
  if (ok)
    {
      reeve_ledger_end_take_out (self, log);
      ok = reeve_ledger_end_drop (self, scope, error);
    }
  if (!ok)
    g_prefix_error (error, "ending the log of %s: ", scope);
  return ok;
}

gboolean
reeve_ledger_end_check (ReeveLedger *self, const char *scope, GError **error)
{
  gboolean ended = FALSE;

  g_mutex_lock (&self->mutex);
  ended = g_hash_table_contains (self->ended, scope);
  g_mutex_unlock (&self->mutex);
  if (ended)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "the log of %s has come to its end",
                 scope);
  return !ended;
}

/* ---- at a start ---- */

/* Files of logs that have ended. */
static void
reeve_ledger_end_sweep (ReeveLedger *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->folder, name, NULL);
      g_autofree char *scope = NULL;
      g_autoptr (GError) error = NULL;

      if (!g_str_has_suffix (name, REEVE_LEDGER_END_GOING))
        continue;
      scope = g_strndup (name, strlen (name) - strlen (REEVE_LEDGER_END_GOING));
      reeve_ledger_kept_remove (scope, self->key);
      if (!reeve_ledger_end_remove (path, 0, &error))
        g_warning ("ledger: %s", error->message);
    }
}

/* Returns whether there is no such log any more. */
static gboolean
reeve_ledger_end_resume_one (ReeveLedger *self, const char *scope)
{
  g_autofree char *path = reeve_ledger_end_get_mark (self, scope);
  g_autoptr (GError) error = NULL;
  gboolean found = FALSE;
  guint64 since = 0;

  if (!reeve_ledger_end_read_mark (self, scope, &since))
    return FALSE;
  if (!reeve_ledger_end_find (self, scope, since, &found, &error))
    {
      g_warning ("ledger: whether the log of %s has ended: %s", scope, error->message);
      return FALSE;
    }
  if (!found)
    {
      (void) g_unlink (path);
      return FALSE;
    }
  if (reeve_ledger_end_drop (self, scope, &error))
    g_message ("ledger: the log of %s has come to its end", scope);
  else
    g_warning ("ledger: the log of %s has ended: %s", scope, error->message);
  return TRUE;
}

void
reeve_ledger_end_resume (ReeveLedger *self, char **scopes)
{
  guint kept = 0;

  reeve_ledger_end_sweep (self);
  for (guint i = 0; scopes[i] != NULL; i++)
    if (strcmp (scopes[i], REEVE_SCOPE_PLATFORM) != 0
        && reeve_ledger_end_resume_one (self, scopes[i]))
      g_free (scopes[i]);
    else
      scopes[kept++] = scopes[i];
  scopes[kept] = NULL;
}
