/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verification reads the files and nothing else: no index, no saved state, no store. It needs the
 * public key only, and changes nothing, so it runs beside a host as well as on a copy of the
 * folder.
 *
 * Where records were dropped, a signed base stands for them (ledger-verify-base.c).
 *
 * What is covered: each record's length, canonical text, number, scope and chain hash; the order
 * and completeness of files; the signature of the checkpoint, and that the log is at least as long
 * as it says and has that root; each byte of the tiles; files that do not belong; and, over all
 * logs, that each log whose making the platform's log records is there. */
#include "ledger-verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digests.h"

#include "ledger-ended.h"
#include "ledger-file.h"
#include "ledger-recovery.h"
#include "ledger-root.h"
#include "ledger-segment.h"
#include "ledger-verify-private.h"

/* while files are being dropped */
#define REEVE_LEDGER_VERIFY_RETRIES 3

gboolean
reeve_ledger_verify_bad (ReeveLedgerVerify *self, const char *file, guint64 seq)
{
  self->file = g_path_get_basename (file);
  self->bad_seq = seq;
  return FALSE;
}

/* The tiles do not fit the records. */
gboolean
reeve_ledger_verify_bad_tile (ReeveLedgerVerify *self, ReeveLedgerVerifyTilesFault *fault)
{
  self->file = fault->file;
  self->bad_seq = fault->seq;
  return FALSE;
}

static gboolean
reeve_ledger_verify_compare (ReeveLedgerVerify *self, const ReeveCheckpoint *checkpoint,
                             const char *whose, GError **error)
{
  guint8 root[REEVE_LEDGER_HASH_SIZE];

  if (checkpoint == NULL || self->state->frontier.size != checkpoint->size)
    return TRUE;
  reeve_ledger_frontier_root (&self->state->frontier, root);
  if (memcmp (root, checkpoint->root, sizeof root) == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "the root over the records is not the one %s", whose);
  return FALSE;
}

/* (nullable) number @n of the kept checkpoints, if it is of this log */
static const ReeveCheckpoint *
reeve_ledger_verify_get_since (ReeveLedgerVerify *self, guint n)
{
  const ReeveLedgerVerifySince *since = g_ptr_array_index (self->since, n);

  return strcmp (since->scope, self->scope) == 0 ? &since->checkpoint : NULL;
}

gboolean
reeve_ledger_verify_check_root (ReeveLedgerVerify *self, GError **error)
{
  for (guint i = 0; self->since != NULL && i < self->since->len; i++)
    if (!reeve_ledger_verify_compare (self, reeve_ledger_verify_get_since (self, i),
                                      "of the checkpoint that was kept: the log was forked", error))
      return FALSE;
  return reeve_ledger_verify_compare (self, &self->checkpoint, "that was signed", error)
         && reeve_ledger_verify_compare (self, self->witnessed.size > 0 ? &self->witnessed : NULL,
                                         "that was witnessed", error)
         && reeve_ledger_verify_compare (self, self->known, "that the host knows", error);
}

/* Is the log as long as somebody says it was? */
static gboolean
reeve_ledger_verify_check_size (ReeveLedgerVerify *self, const ReeveCheckpoint *checkpoint,
                                const char *what, const char *folder, GError **error)
{
  if (checkpoint == NULL || self->state->frontier.size >= checkpoint->size)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "%" G_GUINT64_FORMAT " records are there, %" G_GUINT64_FORMAT " were %s",
               self->state->frontier.size, checkpoint->size, what);
  return reeve_ledger_verify_bad (self, folder, self->state->frontier.size + 1);
}

/* A log shorter than a checkpoint that was kept is an older state put back, or cut off and signed
 * again. */
static gboolean
reeve_ledger_verify_check_since (ReeveLedgerVerify *self, const char *folder, GError **error)
{
  for (guint i = 0; self->since != NULL && i < self->since->len; i++)
    if (!reeve_ledger_verify_check_size (self, reeve_ledger_verify_get_since (self, i),
                                         "in the checkpoint that was kept", folder, error))
      return FALSE;
  return TRUE;
}

/* Does the entry have the action? Where it does, the resource's id. */
char *
reeve_ledger_verify_get_event (const ReeveLedgerEntry *entry, const char *action)
{
  g_autoptr (JsonNode) node = NULL;
  JsonObject *resource = NULL;
  const char *id = NULL;

  if (memmem (entry->json, entry->length, action, strlen (action)) == NULL)
    return NULL;
  node = reeve_json_parse_strict (entry->json, entry->length, NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node)
      || g_strcmp0 (reeve_json_get_string (json_node_get_object (node), "action", NULL), action)
             != 0)
    return NULL;
  resource = reeve_json_get_object (json_node_get_object (node), "resource");
  id = resource != NULL ? reeve_json_get_string (resource, "id", NULL) : NULL;
  return g_strdup (id);
}

/* What the platform's log says of other logs and of the key. */
static gboolean
reeve_ledger_verify_note_events (ReeveLedgerVerify *self, const ReeveLedgerEntry *entry,
                                 GError **error)
{
  g_autofree char *statement = NULL;

  if (strcmp (self->scope, REEVE_SCOPE_PLATFORM) != 0)
    return TRUE;
  if (self->created != NULL)
    reeve_ledger_verify_note_logs (self, entry);
  statement = reeve_ledger_verify_get_event (entry, REEVE_LEDGER_ACTION_KEY_ROTATED);
  if (statement == NULL || reeve_ledger_key_next_check (self->key, &self->rotations, statement))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "the change of the key is not signed by both keys");
  return FALSE;
}

/* Each key of the list but the first must have come by a change that the platform's log has. */
static gboolean
reeve_ledger_verify_check_keys (ReeveLedgerVerify *self, GError **error)
{
  if (strcmp (self->scope, REEVE_SCOPE_PLATFORM) != 0
      || self->rotations + 1 >= reeve_ledger_key_count (self->key))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "line %u of " REEVE_LEDGER_KEY_PUBLIC_FILE " came by no change that is recorded",
               self->rotations + 2);
  return reeve_ledger_verify_bad (self, REEVE_LEDGER_KEY_PUBLIC_FILE, 0);
}

static gboolean
reeve_ledger_verify_records (ReeveLedgerVerify *self, const char *path, int fd, guint64 file_size,
                             gboolean last, GError **error)
{
  g_autoptr (ReeveLedgerScanner) scanner
      = reeve_ledger_scanner_new (fd, 0, file_size, self->state->chain);
  g_autoptr (GError) local = NULL;
  ReeveLedgerScan ended = REEVE_LEDGER_SCAN_ENTRY;
  ReeveLedgerVerifyTilesFault fault = { 0 };
  ReeveLedgerEntry entry;
  guint64 seq = 0;

  for (;;)
    {
      seq = self->state->frontier.size + 1;
      ended = reeve_ledger_scanner_next (scanner, &entry, &local);
      if (ended != REEVE_LEDGER_SCAN_ENTRY
          || !reeve_ledger_recovery_apply (self->state, self->scope, &entry, &local)
          || !reeve_ledger_verify_check_root (self, &local)
          || !reeve_ledger_verify_note_events (self, &entry, &local))
        break;
      if (!reeve_ledger_verify_tiles_add (self->tiles, entry.leaf, &fault, error))
        return reeve_ledger_verify_bad_tile (self, &fault);
    }
  memcpy (self->state->chain, reeve_ledger_scanner_get_chain (scanner), REEVE_LEDGER_HASH_SIZE);
  if (ended == REEVE_LEDGER_SCAN_END)
    return TRUE;
  /* a host is in the middle of writing, or was when it was killed: what is not complete was not
   * acknowledged. After a clean stop the checkpoint covers every record, and whatever stands behind
   * the last one does not belong there */
  if (ended == REEVE_LEDGER_SCAN_TORN && last
      && (self->live || self->state->frontier.size > self->checkpoint.size))
    {
      self->torn = file_size - reeve_ledger_scanner_get_offset (scanner);
      return TRUE;
    }
  g_propagate_prefixed_error (error, g_steal_pointer (&local), "byte %" G_GUINT64_FORMAT ": ",
                              reeve_ledger_scanner_get_offset (scanner));
  return reeve_ledger_verify_bad (self, path, seq - reeve_ledger_scanner_get_doubtful (scanner));
}

/* a host's segments are far smaller, and whoever reads one whole must be able to */
#define REEVE_LEDGER_VERIFY_MAX_SEGMENT (G_GUINT64_CONSTANT (1) << 31)

static gboolean
reeve_ledger_verify_segment (ReeveLedgerVerify *self, const char *folder, guint64 first,
                             gboolean last, GError **error)
{
  g_autoptr (ReeveLedgerSegment) segment = reeve_ledger_segment_new (folder, first);
  guint64 seq = self->state->frontier.size + 1;
  struct stat status = { 0 };
  gboolean ok = FALSE;
  int fd = -1;

  if (first != seq)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "record %" G_GUINT64_FORMAT " is missing", seq);
      return reeve_ledger_verify_bad (self, segment->path, seq);
    }
  fd = reeve_ledger_file_open (segment->path, O_RDONLY, 0, error);
  if (fd < 0)
    return reeve_ledger_verify_bad (self, segment->path, seq);
  if (fstat (fd, &status) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "reading", segment->path);
      reeve_ledger_verify_bad (self, segment->path, seq);
    }
  else if (status.st_size == 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the file is empty");
      reeve_ledger_verify_bad (self, segment->path, seq);
    }
  else if ((guint64) status.st_size > REEVE_LEDGER_VERIFY_MAX_SEGMENT)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the file is too large");
      reeve_ledger_verify_bad (self, segment->path, seq);
    }
  else
    ok = reeve_ledger_verify_records (self, segment->path, fd, (guint64) status.st_size, last,
                                      error);
  close (fd);
  return ok;
}

static gboolean
reeve_ledger_verify_files (ReeveLedgerVerify *self, const char *folder, ReeveLedgerKey *key,
                           GError **error)
{
  ReeveLedgerVerifyTilesFault fault = { 0 };
  g_autoptr (GArray) firsts = NULL;

  /* before the records: while a host appends, it can only be older than them */
  if (!reeve_checkpoint_read (&self->checkpoint, folder, self->scope, key, error))
    return reeve_ledger_verify_bad (self, REEVE_CHECKPOINT_FILE, 0);
  if (!reeve_ledger_witnessed_read (&self->witnessed, folder, self->scope, key, self->quorum,
                                    &self->witnesses, error))
    return reeve_ledger_verify_bad (self, REEVE_LEDGER_WITNESSED_FILE, 0);
  if (!reeve_ledger_base_load (&self->base, folder, self->scope, key, error))
    return reeve_ledger_verify_bad (self, REEVE_LEDGER_BASE_FILE, 0);
  self->tiles = reeve_ledger_verify_tiles_new (folder, self->checkpoint.size, &fault, error);
  if (self->tiles == NULL)
    return reeve_ledger_verify_bad_tile (self, &fault);
  firsts = reeve_ledger_verify_list_segments (self, folder, error);
  if (firsts == NULL || !reeve_ledger_verify_check_root (self, error))
    return reeve_ledger_verify_bad (self, folder, 0);
  if (!reeve_ledger_verify_base (self, folder, error))
    return FALSE;
  for (guint i = 0; i < firsts->len; i++)
    if (!reeve_ledger_verify_segment (self, folder, g_array_index (firsts, guint64, i),
                                      i + 1 == firsts->len, error))
      return FALSE;
  if (!reeve_ledger_verify_check_size (self, &self->checkpoint, "signed", folder, error)
      || !reeve_ledger_verify_check_size (self, &self->witnessed, "witnessed", folder, error)
      || !reeve_ledger_verify_check_size (self, self->known, "acknowledged", folder, error)
      || !reeve_ledger_verify_check_since (self, folder, error)
      || !reeve_ledger_verify_check_keys (self, error))
    return FALSE;
  return reeve_ledger_verify_tiles_finish (self->tiles, &fault, error)
         || reeve_ledger_verify_bad_tile (self, &fault);
}

static void
reeve_ledger_verify_clear (ReeveLedgerVerify *self)
{
  g_clear_pointer (&self->state, reeve_ledger_state_free);
  g_clear_pointer (&self->tiles, reeve_ledger_verify_tiles_free);
  g_clear_pointer (&self->base, g_free);
  g_clear_pointer (&self->file, g_free);
  self->bad_seq = self->torn = self->rotations = self->left_over = 0;
}

/* A host that drops old records meanwhile makes what was listed go: then it is done again. */
static gboolean
reeve_ledger_verify_retry (ReeveLedgerVerify *self, const char *folder, GError **error)
{
  guint64 base = 0;

  for (guint i = 0;; i++)
    {
      g_autoptr (GError) local = NULL;

      self->state = reeve_ledger_state_new ();
      if (reeve_ledger_verify_files (self, folder, self->key, &local))
        return TRUE;
      base = self->base != NULL ? self->base->frontier.size : 0;
      if (i == REEVE_LEDGER_VERIFY_RETRIES || !reeve_ledger_verify_base_moved (self, folder, base))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      reeve_ledger_verify_clear (self);
      if (self->created != NULL)
        g_ptr_array_set_size (self->created, 0);
      if (self->ended != NULL)
        g_ptr_array_set_size (self->ended, 0);
    }
}

static JsonObject *
reeve_ledger_verify_run (ReeveLedgerVerify *self, const char *root_folder, ReeveLedgerKey *key)
{
  g_autofree char *folder = g_build_filename (root_folder, self->scope, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *root = NULL;
  JsonObject *verdict = json_object_new ();
  guint8 digest[REEVE_LEDGER_HASH_SIZE];
  gboolean valid = FALSE;

  self->key = key;
  valid = reeve_ledger_verify_retry (self, folder, &error);
  reeve_ledger_frontier_root (&self->state->frontier, digest);
  root = reeve_digests_hex (digest, sizeof digest);
  json_object_set_string_member (verdict, "scope", self->scope);
  json_object_set_boolean_member (verdict, "valid", valid);
  json_object_set_int_member (verdict, "size", (gint64) self->state->frontier.size);
  json_object_set_string_member (verdict, "root", root);
  json_object_set_int_member (verdict, "checkpoint_size", (gint64) self->checkpoint.size);
  if (self->witnessed.size > 0)
    json_object_set_int_member (verdict, "witnessed_size", (gint64) self->witnessed.size);
  if (self->quorum != NULL)
    json_object_set_int_member (verdict, "witnesses", self->witnesses);
  if (self->base != NULL)
    json_object_set_int_member (verdict, "first", (gint64) self->base->frontier.size + 1);
  if (self->left_over > 0)
    json_object_set_int_member (verdict, "left_over", self->left_over);
  if (self->torn > 0)
    json_object_set_int_member (verdict, "torn_bytes", (gint64) self->torn);
  if (!valid)
    {
      json_object_set_string_member (verdict, "error", error->message);
      json_object_set_string_member (verdict, "file", self->file);
      if (self->bad_seq != 0)
        json_object_set_int_member (verdict, "bad_seq", (gint64) self->bad_seq);
    }
  reeve_ledger_verify_clear (self);
  return verdict;
}

/**
 * reeve_ledger_verify_log:
 * @root: folder of all logs
 * @scope: the log
 * @key: a key that can verify
 * @known: (nullable): what the host that has the log open knows of it; %NULL when none has
 *
 * Verifies one log. Blocks as long as reading it takes.
 *
 * Returns: (transfer full): {scope, valid, size, root, checkpoint_size, witnessed_size?,
 * witnesses?, first?, left_over?, torn_bytes?} and, when it is not valid, {error, file, bad_seq}:
 * the first record that is bad, where a record is. torn_bytes is what a crash left of a record that
 * was never acknowledged
 */
JsonObject *
reeve_ledger_verify_log (const char *root, const char *scope, ReeveLedgerKey *key,
                         const ReeveCheckpoint *known)
{
  ReeveLedgerVerify self = { .scope = scope, .known = known, .live = known != NULL };

  return reeve_ledger_verify_run (&self, root, key);
}

/* Does a host hold the lock of the folder? */
static gboolean
reeve_ledger_verify_is_live (const char *root)
{
  g_autofree char *path = g_build_filename (root, REEVE_LEDGER_LOCK_FILE, NULL);
  int fd = reeve_ledger_file_open (path, O_RDONLY, 0, NULL);
  gboolean live = FALSE;

  if (fd < 0)
    return FALSE;
  live = flock (fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close (fd);
  return live;
}

/* All logs but the platform's, or that one alone; a record of a log that was made comes after the
 * log itself, so whoever reads the records first finds every log that they name. */
static gboolean
reeve_ledger_verify_add_some (ReeveLedgerVerify *base, const char *root, ReeveLedgerKey *key,
                              JsonArray *logs, char ***scopes, GError **error)
{
  *scopes = reeve_ledger_root_list_scopes (root, error);
  if (*scopes == NULL)
    return FALSE;
  for (guint i = 0; (*scopes)[i] != NULL; i++)
    {
      ReeveLedgerVerify self = *base;

      self.scope = (*scopes)[i];
      if ((strcmp (self.scope, REEVE_SCOPE_PLATFORM) == 0) == (self.created != NULL))
        json_array_add_object_element (logs, reeve_ledger_verify_run (&self, root, key));
    }
  return TRUE;
}

/**
 * reeve_ledger_verify_folder_witnessed:
 * @root: folder of all logs
 * @keys_folder: folder with the public key
 * @since: (nullable) (element-type GBytes): signed notes that were copied earlier
 * @quorum: (nullable): witnesses that must have cosigned a checkpoint of each log
 * @error: return location
 *
 * Verifies all logs, with or without a host running, and that each goes on from every checkpoint of
 * it in @since, and from the one that was cosigned last. Blocks.
 *
 * Returns: (transfer full): {valid, logs: […]}, each as reeve_ledger_verify_log() answers; %NULL
 * with an error when there is no ledger or no public key, or a checkpoint of @since is not signed
 */
JsonObject *
reeve_ledger_verify_folder_witnessed (const char *root, const char *keys_folder, GPtrArray *since,
                                      const ReeveLedgerQuorum *quorum, GError **error)
{
  g_autoptr (ReeveLedgerKey) key = reeve_ledger_key_load_public (keys_folder, error);
  g_autoptr (GPtrArray) created = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) ended
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_ledger_ended_free);
  g_autoptr (GPtrArray) kept = NULL;
  g_autoptr (JsonArray) logs = json_array_new ();
  ReeveLedgerVerify others = { .quorum = quorum };
  ReeveLedgerVerify platform = { .created = created, .ended = ended, .quorum = quorum };
  g_auto (GStrv) before = NULL;
  g_auto (GStrv) scopes = NULL;
  JsonObject *result = NULL;
  gboolean valid = TRUE;

  if (key == NULL)
    return NULL;
  kept = reeve_ledger_verify_read_since (since, key, error);
  if (kept == NULL)
    return NULL;
  others.since = platform.since = kept;
  others.live = platform.live = reeve_ledger_verify_is_live (root);
  if (!reeve_ledger_verify_add_some (&platform, root, key, logs, &before, error)
      || !reeve_ledger_verify_add_some (&others, root, key, logs, &scopes, error))
    return NULL;
  reeve_ledger_verify_add_missing (&platform, logs, scopes);
  for (guint i = 0; i < json_array_get_length (logs); i++)
    valid = valid
            && json_object_get_boolean_member (json_array_get_object_element (logs, i), "valid");
  result = json_object_new ();
  json_object_set_boolean_member (result, "valid", valid);
  json_object_set_array_member (result, "logs", g_steal_pointer (&logs));
  return result;
}

/**
 * reeve_ledger_verify_folder_since:
 * @root: folder of all logs
 * @keys_folder: folder with the public key
 * @since: (nullable) (element-type GBytes): signed notes that were copied earlier
 * @error: return location
 *
 * As reeve_ledger_verify_folder_witnessed(), whoever has cosigned.
 *
 * Returns: (transfer full): what was found, or %NULL with an error
 */
JsonObject *
reeve_ledger_verify_folder_since (const char *root, const char *keys_folder, GPtrArray *since,
                                  GError **error)
{
  return reeve_ledger_verify_folder_witnessed (root, keys_folder, since, NULL, error);
}

/**
 * reeve_ledger_verify_folder:
 * @root: folder of all logs
 * @keys_folder: folder with the public key
 * @error: return location
 *
 * As reeve_ledger_verify_folder_since(), with nothing that was kept.
 *
 * Returns: (transfer full): what was found, or %NULL with an error
 */
JsonObject *
reeve_ledger_verify_folder (const char *root, const char *keys_folder, GError **error)
{
  return reeve_ledger_verify_folder_since (root, keys_folder, NULL, error);
}
