/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The second place, and how what lies there comes home at a start.
 *
 * Two files tie it to its ledger, `second.lock` in the ledger's folder and `owner.lock` in the
 * place: a place that is not mounted looks like an empty one, and a ledger that went on without the
 * records that lie there would be a fork.
 *
 * When a log has come home, `home.lock` in its folder says up to which record, before anything is
 * written behind that; and no checkpoint is signed over records that are not at home. So a segment
 * here whose first record either covers has come home before, whatever it holds. Any other is the
 * log: what stands at home behind the record before it was never acknowledged, and is cut off. */
#include "ledger-second.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#include "base/ids.h"
#include "checkpoint.h"
#include "ledger-file.h"
#include "ledger-recovery.h"
#include "ledger-root.h"
#include "ledger-segment.h"

#define REEVE_LEDGER_SECOND_HERE  "second.lock" /* in the ledger's folder: id and place */
#define REEVE_LEDGER_SECOND_THERE "owner.lock"  /* in the place: the same id */
#define REEVE_LEDGER_SECOND_HELD  "ledger.lock"
#define REEVE_LEDGER_SECOND_NEW   "next.lock"
#define REEVE_LEDGER_SECOND_MARK  "home.lock" /* in a log: up to which record all is at home */
#define REEVE_LEDGER_SECOND_ID    32
#define REEVE_LEDGER_SECOND_PIECE (64 * 1024)

struct _ReeveLedgerSecond
{
  char *root;
  char *folder;
  int lock_fd;
};

/* ---- the place ---- */

/* (nullable): the text of a small file */
static char *
reeve_ledger_second_read (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GBytes) bytes = reeve_ledger_file_read (path, 8192, NULL);

  return bytes != NULL ? g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes))
                       : NULL;
}

/**
 * reeve_ledger_second_read_earlier:
 * @root: folder of all logs
 *
 * Returns: (transfer full) (nullable): the place that this ledger has used
 */
char *
reeve_ledger_second_read_earlier (const char *root)
{
  g_autofree char *text = reeve_ledger_second_read (root, REEVE_LEDGER_SECOND_HERE);

  return text != NULL && strlen (text) > REEVE_LEDGER_SECOND_ID + 1
             ? g_strdup (text + REEVE_LEDGER_SECOND_ID + 1)
             : NULL;
}

static gboolean
reeve_ledger_second_write (const char *folder, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return reeve_ledger_file_replace (path, text, strlen (text), 0600, error);
}

/* A place that this ledger has not used yet: nobody's records may lie there. */
static gboolean
reeve_ledger_second_begin (ReeveLedgerSecond *self, GError **error)
{
  guint8 random[REEVE_LEDGER_SECOND_ID / 2];
  char id[REEVE_LEDGER_SECOND_ID + 1] = "";
  g_auto (GStrv) scopes = NULL;
  g_autofree char *here = NULL;

  if (g_mkdir_with_parents (self->folder, 0700) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "making", self->folder);
      return FALSE;
    }
  scopes = reeve_ledger_root_list_scopes (self->folder, error);
  if (scopes == NULL)
    return FALSE;
  if (scopes[0] != NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "%s is not empty: a second place of the ledger is a folder of its own",
                   self->folder);
      return FALSE;
    }
  reeve_ids_fill_random (random, sizeof random);
  for (guint i = 0; i < sizeof random; i++)
    g_snprintf (id + 2 * i, 3, "%02x", random[i]);
  here = g_strconcat (id, "\n", self->folder, NULL);
  return reeve_ledger_second_write (self->folder, REEVE_LEDGER_SECOND_THERE, id, error)
         && reeve_ledger_second_write (self->root, REEVE_LEDGER_SECOND_HERE, here, error);
}

/* Is it the place that this ledger has used? */
static gboolean
reeve_ledger_second_recognise (ReeveLedgerSecond *self, GError **error)
{
  g_autofree char *here = reeve_ledger_second_read (self->root, REEVE_LEDGER_SECOND_HERE);
  g_autofree char *there = reeve_ledger_second_read (self->folder, REEVE_LEDGER_SECOND_THERE);

  if (here != NULL && there != NULL && strlen (there) == REEVE_LEDGER_SECOND_ID
      && g_str_has_prefix (here, there))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "%s is not the second place that this ledger has used, and records may lie there "
               "alone: mount it; where it is lost, delete %s/" REEVE_LEDGER_SECOND_HERE
               ", and what lay there is lost with it",
               self->folder, self->root);
  return FALSE;
}

/* What fails at home would fail there too. */
static void
reeve_ledger_second_compare_disks (ReeveLedgerSecond *self)
{
  struct stat here = { 0 };
  struct stat there = { 0 };

  if (stat (self->root, &here) == 0 && stat (self->folder, &there) == 0
      && here.st_dev == there.st_dev)
    g_message ("%s, the second place of the ledger, is on the same disk", self->folder);
}

/**
 * reeve_ledger_second_open:
 * @root: folder of all logs
 * @folder: the place
 * @error: return location
 *
 * Returns: (transfer full): the place, held against other hosts; %NULL with
 * %REEVE_ERROR_CONFIGURATION, %REEVE_ERROR_BUSY or a file error
 */
ReeveLedgerSecond *
reeve_ledger_second_open (const char *root, const char *folder, GError **error)
{
  g_autoptr (ReeveLedgerSecond) self = g_new0 (ReeveLedgerSecond, 1);
  g_autofree char *earlier = reeve_ledger_second_read_earlier (root);
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_SECOND_HELD, NULL);

  self->root = g_strdup (root);
  self->folder = g_strdup (folder);
  self->lock_fd = -1;
  if (g_strcmp0 (earlier, folder) == 0 ? !reeve_ledger_second_recognise (self, error)
                                       : !reeve_ledger_second_begin (self, error))
    return NULL;
  self->lock_fd = reeve_ledger_file_open (path, O_RDWR | O_CREAT, 0600, error);
  if (self->lock_fd < 0)
    return NULL;
  if (flock (self->lock_fd, LOCK_EX | LOCK_NB) == 0)
    {
      reeve_ledger_second_compare_disks (self);
      return g_steal_pointer (&self);
    }
  if (errno == EWOULDBLOCK)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "%s is used by another host", folder);
  else
    reeve_ledger_file_set_error (error, errno, "locking", path);
  return NULL;
}

/**
 * reeve_ledger_second_free:
 * @self: (transfer full): a place; what lies there stays
 */
void
reeve_ledger_second_free (ReeveLedgerSecond *self)
{
  if (self->lock_fd >= 0)
    close (self->lock_fd);
  g_free (self->root);
  g_free (self->folder);
  g_free (self);
}

/**
 * reeve_ledger_second_forget:
 * @self: a place from which all came home
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_second_forget (ReeveLedgerSecond *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->root, REEVE_LEDGER_SECOND_HERE, NULL);

  if (g_unlink (path) == 0)
    return reeve_ledger_file_sync_folder (self->root, error);
  reeve_ledger_file_set_error (error, errno, "removing", path);
  return FALSE;
}

/**
 * reeve_ledger_second_get_folder:
 * @self: a place
 * @scope: a scope
 *
 * Returns: (transfer full): where segments of that log lie
 */
char *
reeve_ledger_second_get_folder (ReeveLedgerSecond *self, const char *scope)
{
  return g_build_filename (self->folder, scope, NULL);
}

/* ---- segments ---- */

static gboolean
reeve_ledger_second_copy_bytes (int from, int to, guint64 length, GChecksum *digest, GError **error)
{
  g_autofree guint8 *piece = g_malloc (REEVE_LEDGER_SECOND_PIECE);
  guint64 at = 0;

  while (at < length)
    {
      gssize n = reeve_ledger_file_read_at (
          from, piece, (gsize) MIN (REEVE_LEDGER_SECOND_PIECE, length - at), at, error);

      if (n == 0)
        g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "it is shorter than it was");
      if (n <= 0 || !reeve_ledger_file_write_at (to, piece, (gsize) n, at, error))
        return FALSE;
      g_checksum_update (digest, piece, n);
      at += (guint64) n;
    }
  return TRUE;
}

/**
 * reeve_ledger_second_copy:
 * @from: a segment
 * @home: folder of its log
 * @first: number of its first record
 * @length: how many bytes of it
 * @digest: gets them too
 * @error: return location
 *
 * Puts a segment in its log, in place of one of that name. Durable on return.
 *
 * Returns: %FALSE with an error, and the log is as it was
 */
gboolean
reeve_ledger_second_copy (const char *from, const char *home, guint64 first, guint64 length,
                          GChecksum *digest, GError **error)
{
  g_autofree char *new_path = g_build_filename (home, REEVE_LEDGER_SECOND_NEW, NULL);
  g_autoptr (ReeveLedgerSegment) segment = reeve_ledger_segment_new (home, first);
  int source = reeve_ledger_file_open (from, O_RDONLY, 0, error);
  int target = -1;
  gboolean ok = FALSE;

  if (source < 0)
    return FALSE;
  target = reeve_ledger_file_open (new_path, O_WRONLY | O_CREAT | O_TRUNC, 0600, error);
  if (target >= 0 && reeve_ledger_second_copy_bytes (source, target, length, digest, error))
    {
      ok = fsync (target) == 0 && rename (new_path, segment->path) == 0;
      if (!ok)
        reeve_ledger_file_set_error (error, errno, "bringing home", segment->path);
    }
  close (source);
  if (target >= 0)
    close (target);
  return ok && reeve_ledger_file_sync_folder (home, error);
}

/**
 * reeve_ledger_second_mark_home:
 * @home: folder of a log
 * @last: a record
 * @error: return location
 *
 * Says that all up to @last is at home, whatever may still lie at the second place. Durable on
 * return, and so before anything is written behind @last.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_second_mark_home (const char *home, guint64 last, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, last);

  return reeve_ledger_second_write (home, REEVE_LEDGER_SECOND_MARK, text, error);
}

/**
 * reeve_ledger_second_remove:
 * @folder: a log's, in the place
 * @error: return location
 *
 * Removes all segments there, and the folder.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_second_remove (const char *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  const char *name = NULL;

  if (dir == NULL)
    return FALSE;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_unlink (path) != 0)
        {
          reeve_ledger_file_set_error (error, errno, "removing", path);
          return FALSE;
        }
    }
  if (!reeve_ledger_file_sync_folder (folder, error))
    return FALSE;
  (void) g_rmdir (folder);
  return TRUE;
}

/* ---- coming home at a start ---- */

/* One log that is being brought home. */
typedef struct
{
  const char *home;
  const char *there;
  guint64 size;   /* records that are at home for sure */
  GArray *firsts; /* of guint64: segments there */
} ReeveLedgerSecondLog;

/* Counts whole records by their lengths, up to @max. @end: (out): where the last ends. */
static gboolean
reeve_ledger_second_measure (int fd, guint64 max, guint64 *count, guint64 *end, GError **error)
{
  struct stat status = { 0 };

  *count = *end = 0;
  if (fstat (fd, &status) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "reading", "a segment");
      return FALSE;
    }
  while (*count < max)
    {
      guint32 length = 0;
      gssize n = reeve_ledger_file_read_at (fd, &length, sizeof length, *end, error);

      if (n < 0)
        return FALSE;
      length = GUINT32_FROM_BE (length);
      if (n != sizeof length || length == 0
          || *end + length + REEVE_LEDGER_SCANNER_OVERHEAD > (guint64) status.st_size)
        break;
      *end += length + REEVE_LEDGER_SCANNER_OVERHEAD;
      *count += 1;
    }
  return TRUE;
}

/* Up to which record all that ever lay there is at home. */
static guint64
reeve_ledger_second_read_mark (const char *home)
{
  g_autofree char *text = reeve_ledger_second_read (home, REEVE_LEDGER_SECOND_MARK);
  guint64 mark = 0;

  if (text != NULL && g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT64, &mark, NULL))
    return mark;
  return 0;
}

/* The last record at home must be the one before: its chain hash is where the first there goes on.
 */
static gboolean
reeve_ledger_second_check_joint (const ReeveLedgerSecondLog *log, int fd, guint64 end,
                                 guint64 first, GError **error)
{
  g_autoptr (ReeveLedgerSegment) there = reeve_ledger_segment_new (log->there, first);
  guint8 chain[REEVE_LEDGER_HASH_SIZE] = { 0 };
  g_autoptr (ReeveLedgerScanner) scanner = NULL;
  ReeveLedgerEntry entry;
  ReeveLedgerScan scan = REEVE_LEDGER_SCAN_TORN;
  struct stat status = { 0 };
  int other = reeve_ledger_file_open (there->path, O_RDONLY, 0, NULL);

  if (end >= sizeof chain
      && reeve_ledger_file_read_at (fd, chain, sizeof chain, end - sizeof chain, error) < 0)
    {
      if (other >= 0)
        close (other);
      return FALSE;
    }
  if (other >= 0 && fstat (other, &status) == 0)
    {
      scanner = reeve_ledger_scanner_new (other, 0, (guint64) status.st_size, chain);
      scan = reeve_ledger_scanner_next (scanner, &entry, NULL);
    }
  if (other >= 0)
    close (other);
  if (scan == REEVE_LEDGER_SCAN_ENTRY)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s does not go on from the records in %s",
               there->path, log->home);
  return FALSE;
}

/* Cuts one segment at home so that record @first - 1 is its last. */
static gboolean
reeve_ledger_second_cut (const ReeveLedgerSecondLog *log, guint64 segment, guint64 first,
                         GError **error)
{
  g_autoptr (ReeveLedgerSegment) last = reeve_ledger_segment_new (log->home, segment);
  int fd = reeve_ledger_file_open (last->path, O_RDWR, 0, error);
  guint64 count = 0;
  guint64 end = 0;
  gboolean ok = FALSE;

  if (fd < 0)
    return FALSE;
  ok = reeve_ledger_second_measure (fd, first - segment, &count, &end, error);
  if (ok && count < first - segment)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "record %" G_GUINT64_FORMAT " is missing from %s", segment + count, last->path);
      ok = FALSE;
    }
  ok = ok && reeve_ledger_second_check_joint (log, fd, end, first, error);
  if (ok && (ftruncate (fd, (off_t) end) != 0 || fsync (fd) != 0))
    {
      reeve_ledger_file_set_error (error, errno, "cutting", last->path);
      ok = FALSE;
    }
  close (fd);
  return ok;
}

/* Makes the log at home end with the record before @first. */
static gboolean
reeve_ledger_second_make_room (const ReeveLedgerSecondLog *log, guint64 first, GError **error)
{
  g_autoptr (GArray) firsts = reeve_ledger_recovery_list_segments (log->home, error);
  guint64 before = 0;

  if (firsts == NULL)
    return FALSE;
  for (guint i = 0; i < firsts->len; i++)
    if (g_array_index (firsts, guint64, i) < first)
      before = g_array_index (firsts, guint64, i);
  if (before == 0 && first != 1)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "record %" G_GUINT64_FORMAT " is missing from %s", first - 1, log->home);
      return FALSE;
    }
  /* first it is looked at, whether it fits, then anything is taken away */
  if (before != 0 && !reeve_ledger_second_cut (log, before, first, error))
    return FALSE;
  if (before == 0 && !reeve_ledger_second_check_joint (log, -1, 0, first, error))
    return FALSE;
  for (guint i = firsts->len; i > 0 && g_array_index (firsts, guint64, i - 1) >= first; i--)
    {
      g_autoptr (ReeveLedgerSegment) refused
          = reeve_ledger_segment_new (log->home, g_array_index (firsts, guint64, i - 1));

      if (g_unlink (refused->path) != 0)
        {
          reeve_ledger_file_set_error (error, errno, "removing", refused->path);
          return FALSE;
        }
    }
  return reeve_ledger_file_sync_folder (log->home, error);
}

/* Copies the segments from @from on. */
static gboolean
reeve_ledger_second_copy_all (const ReeveLedgerSecondLog *log, guint from, ReeveLedgerBack *back,
                              GError **error)
{
  g_autoptr (GChecksum) digest = g_checksum_new (G_CHECKSUM_SHA256);

  back->first = g_array_index (log->firsts, guint64, from);
  for (guint i = from; i < log->firsts->len; i++)
    {
      guint64 first = g_array_index (log->firsts, guint64, i);
      g_autoptr (ReeveLedgerSegment) there = reeve_ledger_segment_new (log->there, first);
      guint64 count = 0;
      guint64 end = 0;
      int fd = reeve_ledger_file_open (there->path, O_RDONLY, 0, error);
      gboolean ok = fd >= 0 && reeve_ledger_second_measure (fd, G_MAXUINT64, &count, &end, error)
                    && reeve_ledger_second_copy (there->path, log->home, first, end, digest, error);

      if (fd >= 0)
        close (fd);
      if (!ok)
        return FALSE;
      back->last = first + count - 1;
    }
  g_strlcpy (back->digest, g_checksum_get_string (digest), sizeof back->digest);
  return TRUE;
}

/* @back: filled when something came home */
static gboolean
reeve_ledger_second_bring_log (ReeveLedgerSecondLog *log, const char *scope, ReeveLedgerKey *key,
                               ReeveLedgerBack *back, GError **error)
{
  g_autofree char *leftover = g_build_filename (log->there, REEVE_LEDGER_SECOND_NEW, NULL);
  ReeveCheckpoint checkpoint = { 0 };
  guint from = 0;

  (void) g_unlink (leftover);
  if (log->firsts->len == 0)
    return TRUE;
  if (!reeve_checkpoint_read (&checkpoint, log->home, scope, key, error))
    return FALSE;
  log->size = MAX (checkpoint.size, reeve_ledger_second_read_mark (log->home));
  while (from < log->firsts->len && g_array_index (log->firsts, guint64, from) <= log->size)
    from++;
  if (from < log->firsts->len
      && (!reeve_ledger_second_make_room (log, g_array_index (log->firsts, guint64, from), error)
          || !reeve_ledger_second_copy_all (log, from, back, error)
          || !reeve_ledger_second_mark_home (log->home, back->last, error)))
    return FALSE;
  return reeve_ledger_second_remove (log->there, error);
}

/**
 * reeve_ledger_second_bring_home:
 * @self: a place
 * @key: that signs checkpoints
 * @backs: (element-type ReeveLedgerBack): gets what came home
 * @error: return location
 *
 * Brings home what lies there of each log, before logs are opened. Killed at any moment, it goes on
 * at the next start.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when something does not fit, and it is left where it
 * is, or with a file error
 */
gboolean
reeve_ledger_second_bring_home (ReeveLedgerSecond *self, ReeveLedgerKey *key, GPtrArray *backs,
                                GError **error)
{
  g_auto (GStrv) scopes = reeve_ledger_root_list_scopes (self->folder, error);

  for (guint i = 0; scopes != NULL && scopes[i] != NULL; i++)
    {
      g_autofree char *home = g_build_filename (self->root, scopes[i], NULL);
      g_autofree char *there = reeve_ledger_second_get_folder (self, scopes[i]);
      g_autoptr (GArray) firsts = reeve_ledger_recovery_list_segments (there, error);
      ReeveLedgerSecondLog log = { .home = home, .there = there, .firsts = firsts };
      g_autoptr (ReeveLedgerBack) back = g_new0 (ReeveLedgerBack, 1);

      back->scope = g_strdup (scopes[i]);
      if (firsts == NULL || !reeve_ledger_second_bring_log (&log, scopes[i], key, back, error))
        {
          g_prefix_error (error, "bringing the ledger of %s home from %s: ", scopes[i],
                          self->folder);
          return FALSE;
        }
      if (back->first != 0)
        g_ptr_array_add (backs, g_steal_pointer (&back));
    }
  return scopes != NULL;
}
