/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens a log after a clean stop or a crash.
 *
 * A clean stop signs a checkpoint over all records, so bytes behind the last checkpoint mean that
 * the log ended unclean, and only there may an incomplete last record be cut off: it was never
 * acknowledged. Whatever else does not fit (a log shorter than its checkpoint, a chain that breaks,
 * a file out of order) is damage; the log stays closed, for a new checkpoint over it would make the
 * damage look right. */
#include "ledger-recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#include "checkpoint.h"
#include "ledger-file.h"
#include "ledger-kept.h"
#include "ledger-pack.h"
#include "ledger-record.h"
#include "ledger-tiles.h"
#include "ledger-witnessed.h"

/**
 * reeve_ledger_recovery_free:
 * @self: what was found
 */
void
reeve_ledger_recovery_free (ReeveLedgerRecovery *self)
{
  g_clear_pointer (&self->segments, g_ptr_array_unref);
  g_clear_pointer (&self->state, reeve_ledger_state_free);
  g_clear_pointer (&self->base, g_free);
  g_clear_pointer (&self->dropped, g_array_unref);
  g_free (self);
}

/**
 * reeve_ledger_recovery_begin:
 * @state: an empty state
 * @base: (nullable): base of the log
 *
 * Has @state stand before the first record that is kept.
 */
void
reeve_ledger_recovery_begin (ReeveLedgerState *state, const ReeveLedgerBase *base)
{
  if (base == NULL)
    return;
  state->frontier = base->frontier;
  memcpy (state->chain, base->chain, sizeof state->chain);
}

/**
 * reeve_ledger_recovery_take_dropped:
 * @firsts: first sequence numbers of segments, ascending
 * @base: (nullable): base of the log
 *
 * Takes from @firsts those that the base says are dropped.
 *
 * Returns: (transfer full) (element-type guint64): what was taken
 */
GArray *
reeve_ledger_recovery_take_dropped (GArray *firsts, const ReeveLedgerBase *base)
{
  GArray *dropped = g_array_new (FALSE, FALSE, sizeof (guint64));
  guint count = 0;

  while (base != NULL && count < firsts->len
         && g_array_index (firsts, guint64, count) <= base->frontier.size)
    count++;
  if (count > 0)
    {
      g_array_append_vals (dropped, firsts->data, count);
      g_array_remove_range (firsts, 0, count);
    }
  return dropped;
}

/**
 * reeve_ledger_recovery_apply:
 * @state: state before the record
 * @scope: scope of the log
 * @entry: the record
 * @error: return location
 *
 * Checks that @entry is the record that must come next, and counts it.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT
 */
gboolean
reeve_ledger_recovery_apply (ReeveLedgerState *state, const char *scope,
                             const ReeveLedgerEntry *entry, GError **error)
{
  char arena[REEVE_LEDGER_RECORD_MAX_JSON];
  ReeveLedgerRecord record;

  if (!reeve_ledger_record_parse (&record, arena, entry->json, entry->length, error))
    return FALSE;
  if (record.seq != state->frontier.size + 1)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "number %" G_GUINT64_FORMAT " stands where %" G_GUINT64_FORMAT " must",
                   record.seq, state->frontier.size + 1);
      return FALSE;
    }
  if (strcmp (record.scope, scope) != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the record is of another scope");
      return FALSE;
    }
  if (record.kind == REEVE_LEDGER_INTENT)
    reeve_ledger_state_open_intent (state, record.seq);
  else if (record.kind == REEVE_LEDGER_OUTCOME)
    reeve_ledger_state_close_intent (state, record.intent);
  if (!reeve_ledger_frontier_add (&state->frontier, entry->leaf))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the log is full");
      return FALSE;
    }
  return TRUE;
}

static int
reeve_ledger_recovery_compare (gconstpointer a, gconstpointer b)
{
  guint64 left = *(const guint64 *) a;
  guint64 right = *(const guint64 *) b;

  return left < right ? -1 : left > right;
}

/**
 * reeve_ledger_recovery_list_segments:
 * @folder: folder of a log
 * @error: return location
 *
 * Returns: (transfer full) (element-type guint64): first sequence numbers of its segments,
 * ascending; %NULL with an error when the folder cannot be read or holds a file that is none of a
 * log's
 */
GArray *
reeve_ledger_recovery_list_segments (const char *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (guint64));
  const char *name = NULL;

  if (dir == NULL)
    return NULL;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      guint64 first = reeve_ledger_segment_parse_name (name);

      if (first != 0)
        g_array_append_val (list, first);
      else if (!reeve_ledger_segment_is_ignored (name) && strcmp (name, REEVE_CHECKPOINT_FILE) != 0
               && strcmp (name, REEVE_LEDGER_WITNESSED_FILE) != 0
               && strcmp (name, REEVE_LEDGER_BASE_FILE) != 0
               && strcmp (name, REEVE_LEDGER_TILES_FOLDER) != 0)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s/%s is no file of a ledger",
                       folder, name);
          return NULL;
        }
    }
  g_array_sort (list, reeve_ledger_recovery_compare);
  return g_steal_pointer (&list);
}

/* May the saved state be believed? It is not ahead of the checkpoint, and stands in a file that is
 * there. */
static gboolean
reeve_ledger_recovery_believes (const ReeveLedgerState *state, const ReeveCheckpoint *checkpoint,
                                GArray *firsts)
{
  guint8 root[REEVE_LEDGER_HASH_SIZE];

  if (state == NULL || state->frontier.size > checkpoint->size || state->segment == 0)
    return FALSE;
  reeve_ledger_frontier_root (&state->frontier, root);
  if (state->frontier.size == checkpoint->size && memcmp (root, checkpoint->root, sizeof root) != 0)
    return FALSE;
  for (guint i = 0; i < firsts->len; i++)
    if (g_array_index (firsts, guint64, i) == state->segment)
      return TRUE;
  return FALSE;
}

/* The saved state, else that before the first record. */
static ReeveLedgerState *
reeve_ledger_recovery_load_state (const char *folder, const ReeveCheckpoint *checkpoint,
                                  const ReeveLedgerBase *base, GArray *firsts)
{
  g_autoptr (ReeveLedgerState) state = reeve_ledger_state_load (folder);

  if (!reeve_ledger_recovery_believes (state, checkpoint, firsts))
    {
      g_clear_pointer (&state, reeve_ledger_state_free);
      state = reeve_ledger_state_new ();
      reeve_ledger_recovery_begin (state, base);
    }
  return g_steal_pointer (&state);
}

static gboolean
reeve_ledger_recovery_check_root (const ReeveLedgerState *state, const ReeveCheckpoint *checkpoint,
                                  GError **error)
{
  guint8 root[REEVE_LEDGER_HASH_SIZE];

  if (state->frontier.size != checkpoint->size)
    return TRUE;
  reeve_ledger_frontier_root (&state->frontier, root);
  if (memcmp (root, checkpoint->root, sizeof root) == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "the root over %" G_GUINT64_FORMAT " records is not the one that was signed",
               checkpoint->size);
  return FALSE;
}

/* Cuts the incomplete record off the last segment; a segment that holds nothing else goes. */
static gboolean
reeve_ledger_recovery_cut (ReeveLedgerRecovery *self, ReeveLedgerSegment *segment, int fd,
                           guint64 file_size, GError **error)
{
  self->cut = file_size - segment->end;
  if (segment->end == 0)
    {
      g_autofree char *folder = g_path_get_dirname (segment->path);

      if (g_unlink (segment->path) != 0)
        {
          reeve_ledger_file_set_error (error, errno, "removing", segment->path);
          return FALSE;
        }
      return reeve_ledger_file_sync_folder (folder, error);
    }
  if (ftruncate (fd, (off_t) segment->end) != 0 || fsync (fd) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "cutting", segment->path);
      return FALSE;
    }
  return TRUE;
}

/* The chain hash before the first record of the segment that is read now. */
static gboolean
reeve_ledger_recovery_read_chain (ReeveLedgerRecovery *self, guint8 *chain, GError **error)
{
  if (self->segments->len > 1)
    return reeve_ledger_segment_read_last (
        g_ptr_array_index (self->segments, self->segments->len - 2), chain, error);
  memset (chain, 0, REEVE_LEDGER_HASH_SIZE);
  if (self->base != NULL)
    memcpy (chain, self->base->chain, REEVE_LEDGER_HASH_SIZE);
  return TRUE;
}

/* The state stands within a segment that was packed since it was saved: goes through the records up
 * to there once more. */
static ReeveLedgerScanner *
reeve_ledger_recovery_skip (ReeveLedgerRecovery *self, const ReeveLedgerSegment *segment, int fd,
                            guint64 file_size, GError **error)
{
  g_autoptr (ReeveLedgerScanner) scanner = NULL;
  guint8 chain[REEVE_LEDGER_HASH_SIZE];
  ReeveLedgerEntry entry;

  if (!reeve_ledger_recovery_read_chain (self, chain, error))
    return NULL;
  scanner = reeve_ledger_scanner_new (fd, 0, file_size, chain);
  for (guint64 i = 0; i < segment->count; i++)
    if (reeve_ledger_scanner_next (scanner, &entry, NULL) != REEVE_LEDGER_SCAN_ENTRY)
      break;
  if (memcmp (reeve_ledger_scanner_get_chain (scanner), self->state->chain, sizeof chain) == 0)
    return g_steal_pointer (&scanner);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "%s does not lead to where the log stood when it was saved", segment->path);
  return NULL;
}

/* Reads one segment from where the state stands to its end. */
static gboolean
reeve_ledger_recovery_scan (ReeveLedgerRecovery *self, ReeveLedgerSegment *segment, int fd,
                            guint64 file_size, const char *scope, const ReeveCheckpoint *checkpoint,
                            ReeveLedgerScan *ended, GError **error)
{
  g_autoptr (ReeveLedgerScanner) scanner
      = segment->packed
            ? reeve_ledger_recovery_skip (self, segment, fd, file_size, error)
            : reeve_ledger_scanner_new (fd, segment->end, file_size, self->state->chain);
  g_autoptr (GError) local = NULL;
  ReeveLedgerEntry entry;

  if (scanner == NULL)
    return FALSE;
  for (;;)
    {
      *ended = reeve_ledger_scanner_next (scanner, &entry, &local);
      if (*ended != REEVE_LEDGER_SCAN_ENTRY
          || !reeve_ledger_recovery_apply (self->state, scope, &entry, &local)
          || !reeve_ledger_recovery_check_root (self->state, checkpoint, &local))
        break;
      if (segment->packed)
        segment->count++;
      else
        reeve_ledger_segment_note (segment, entry.offset);
      segment->end = reeve_ledger_scanner_get_offset (scanner);
      memcpy (self->state->chain, reeve_ledger_scanner_get_chain (scanner),
              sizeof self->state->chain);
    }
  if (*ended == REEVE_LEDGER_SCAN_END
      || (*ended == REEVE_LEDGER_SCAN_TORN && self->state->frontier.size >= checkpoint->size))
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&local),
                              "record %" G_GUINT64_FORMAT ", byte %" G_GUINT64_FORMAT " of %s: ",
                              self->state->frontier.size + 1, segment->end, segment->path);
  return FALSE;
}

/* What a killed host had written, and named, may not be on the disk yet. It is about to be signed.
 */
static gboolean
reeve_ledger_recovery_sync (const ReeveLedgerSegment *segment, int fd, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (segment->path);

  if (fdatasync (fd) == 0)
    return reeve_ledger_file_sync_folder (folder, error);
  reeve_ledger_file_set_error (error, errno, "syncing", segment->path);
  return FALSE;
}

/* Opens one segment's file and goes through what is not known of it yet. */
static gboolean
reeve_ledger_recovery_read_segment (ReeveLedgerRecovery *self, ReeveLedgerSegment *segment,
                                    gboolean last, const char *scope,
                                    const ReeveCheckpoint *checkpoint, GError **error)
{
  ReeveLedgerScan ended = REEVE_LEDGER_SCAN_END;
  struct stat status = { 0 };
  gboolean ok = FALSE;
  int fd = reeve_ledger_file_open (segment->path, last ? O_RDWR : O_RDONLY, 0, error);

  if (fd < 0)
    return FALSE;
  segment->packed = reeve_ledger_pack_sniff (fd, 0);
  /* what is known of its length is of what it was */
  if (segment->packed)
    segment->end = 0;
  if (fstat (fd, &status) != 0)
    reeve_ledger_file_set_error (error, errno, "reading", segment->path);
  else if ((guint64) status.st_size < segment->end || status.st_size == 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s is shorter than it was",
                 segment->path);
  else
    ok = (segment->packed || reeve_ledger_segment_load_index (segment, error))
         && reeve_ledger_recovery_scan (self, segment, fd, (guint64) status.st_size, scope,
                                        checkpoint, &ended, error);
  if (ok && last && !segment->packed && self->state->frontier.size > checkpoint->size)
    ok = reeve_ledger_recovery_sync (segment, fd, error);
  if (ok && ended == REEVE_LEDGER_SCAN_TORN)
    {
      ok = last && reeve_ledger_recovery_cut (self, segment, fd, (guint64) status.st_size, error);
      if (!last)
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                     "%s ends within a record and is not the last file", segment->path);
    }
  close (fd);
  if (segment->packed)
    segment->end = (guint64) status.st_size;
  if (ok && segment->end > 0)
    {
      self->state->segment = segment->first;
      self->state->end = segment->end;
    }
  return ok;
}

/* A segment before the one the state stands in: sealed, its length is the file's. */
static gboolean
reeve_ledger_recovery_take_sealed (ReeveLedgerSegment *segment, guint64 next_first, GError **error)
{
  struct stat status = { 0 };

  if (lstat (segment->path, &status) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "reading", segment->path);
      return FALSE;
    }
  if (!S_ISREG (status.st_mode))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s is no regular file", segment->path);
      return FALSE;
    }
  segment->count = next_first - segment->first;
  segment->end = (guint64) status.st_size;
  return TRUE;
}

static gboolean
reeve_ledger_recovery_read_segments (ReeveLedgerRecovery *self, const char *folder, GArray *firsts,
                                     const char *scope, const ReeveCheckpoint *checkpoint,
                                     GError **error)
{
  guint64 start = self->state->segment;

  for (guint i = 0; i < firsts->len; i++)
    {
      guint64 first = g_array_index (firsts, guint64, i);
      gboolean last = i + 1 == firsts->len;
      ReeveLedgerSegment *segment = reeve_ledger_segment_new (folder, first);

      g_ptr_array_add (self->segments, segment);
      if (first < start)
        {
          if (!reeve_ledger_recovery_take_sealed (segment, g_array_index (firsts, guint64, i + 1),
                                                  error))
            return FALSE;
          continue;
        }
      if (first == start)
        {
          segment->count = self->state->frontier.size + 1 - first;
          segment->end = self->state->end;
        }
      else if (first != self->state->frontier.size + 1)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "%s is there, but record %" G_GUINT64_FORMAT " is missing", segment->path,
                       self->state->frontier.size + 1);
          return FALSE;
        }
      if (!reeve_ledger_recovery_read_segment (self, segment, last, scope, checkpoint, error))
        return FALSE;
    }
  return TRUE;
}

/* The base, and that the files go on from it. */
static gboolean
reeve_ledger_recovery_read_base (ReeveLedgerRecovery *self, const char *folder, const char *scope,
                                 ReeveLedgerKey *key, GArray *firsts, GError **error)
{
  guint64 first = 1;

  if (!reeve_ledger_base_load (&self->base, folder, scope, key, error))
    return FALSE;
  self->dropped = reeve_ledger_recovery_take_dropped (firsts, self->base);
  if (self->base != NULL)
    first = self->base->frontier.size + 1;
  if (self->base != NULL && self->checkpoint_size < self->base->frontier.size)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                         "the checkpoint is older than the base of the log");
  else if (firsts->len > 0 && g_array_index (firsts, guint64, 0) != first)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                 "record %" G_GUINT64_FORMAT " of %s is missing", first, folder);
  else
    return TRUE;
  return FALSE;
}

/* Is the log what it was when its last checkpoint was kept apart? An older one that was
 * put back is good in itself. */
static gboolean
reeve_ledger_recovery_check_kept (ReeveLedgerRecovery *self, const char *scope,
                                  const ReeveCheckpoint *checkpoint, ReeveLedgerKey *key,
                                  GError **error)
{
  ReeveCheckpoint kept = { 0 };

  if (!reeve_ledger_kept_read (&kept, scope, key, error))
    return FALSE;
  if (self->state->frontier.size < kept.size)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                 "%" G_GUINT64_FORMAT " records are there, %" G_GUINT64_FORMAT
                 " in the checkpoint that is kept apart: an older state was put back, or "
                 "records were cut off",
                 self->state->frontier.size, kept.size);
  else if (kept.size > 0 && kept.size == checkpoint->size
           && memcmp (kept.root, checkpoint->root, sizeof kept.root) != 0)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                         "the root that was signed is not the one of the checkpoint that is kept "
                         "apart: the log was forked");
  else
    return TRUE;
  return FALSE;
}

/**
 * reeve_ledger_recovery_run:
 * @folder: folder of the log
 * @scope: its scope
 * @key: key that signed its checkpoint
 * @error: return location
 *
 * Reads what the saved state does not cover, cuts off an incomplete last record, and compares with
 * the checkpoint.
 *
 * Returns: (transfer full): where the log stands, or %NULL with %REEVE_ERROR_CORRUPT or a file
 * error
 */
ReeveLedgerRecovery *
reeve_ledger_recovery_run (const char *folder, const char *scope, ReeveLedgerKey *key,
                           GError **error)
{
  g_autoptr (ReeveLedgerRecovery) self = g_new0 (ReeveLedgerRecovery, 1);
  g_autoptr (GArray) firsts = NULL;
  ReeveCheckpoint checkpoint = { 0 };
  ReeveLedgerSegment *last = NULL;

  self->segments = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_ledger_segment_free);
  if (!reeve_checkpoint_read (&checkpoint, folder, scope, key, error))
    return NULL;
  self->checkpoint_size = checkpoint.size;
  self->key_id = checkpoint.key_id;
  firsts = reeve_ledger_recovery_list_segments (folder, error);
  if (firsts == NULL || !reeve_ledger_recovery_read_base (self, folder, scope, key, firsts, error))
    return NULL;
  self->state = reeve_ledger_recovery_load_state (folder, &checkpoint, self->base, firsts);
  if (!reeve_ledger_recovery_read_segments (self, folder, firsts, scope, &checkpoint, error))
    return NULL;
  if (self->state->frontier.size < checkpoint.size)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "%" G_GUINT64_FORMAT " records are there, %" G_GUINT64_FORMAT " were signed",
                   self->state->frontier.size, checkpoint.size);
      return NULL;
    }
  if (!reeve_ledger_recovery_check_kept (self, scope, &checkpoint, key, error))
    return NULL;
  if (self->segments->len > 0)
    {
      last = g_ptr_array_index (self->segments, self->segments->len - 1);
      if (last->end == 0)
        g_ptr_array_remove_index (self->segments, self->segments->len - 1);
    }
  return g_steal_pointer (&self);
}
