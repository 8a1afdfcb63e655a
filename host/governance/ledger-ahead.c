/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The write-ahead file: <root>/ahead.lock, as databases have one.
 *
 * A record at the end of a segment makes the file longer, and a file system with a journal writes
 * that down at each sync: a second write to wait for. So where a ledger is written often, a batch
 * is written to its segments as ever, and what is synced is a copy of it here, in a file whose
 * blocks are written already and stay where they are: one file for all logs, one sync for all of a
 * batch. The segments follow when this file is full, when one is closed and before it is signed.
 *
 * Nobody reads a record from here but a start behind a stop that was none (ledger-ahead-replay.c).
 * A segment ends with its last record at all times, and verification knows nothing of this file.
 *
 * Frames stand one behind the other:
 *
 *   magic 8 | round 8 | number 8 | first 8 | offset 8 | length 4 | scope length 4 | chain hash 32
 *   scope | records | SHA-256 of all that
 *
 * numbers big-endian. A round is one use of the file from its beginning; what is left of earlier
 * ones has another. What is synced at once begins at a block and is filled up with zeros to the
 * next: so it goes to the disk past the cache of the system where that can be (O_DIRECT), which is
 * a part of the wait, and no block that is durable is written again. Used by the writer's thread
 * alone. */
#include "ledger-ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#include "base/digests.h"
#include "ledger-file.h"

#define REEVE_LEDGER_AHEAD_SCOPE 256 /* more bytes no scope has */

static const guint8 reeve_ledger_ahead_magic[8] = { 'r', 'e', 'e', 'v', 'e', 'a', 'h', '1' };

struct _ReeveLedgerAhead
{
  char *folder;
  char *path;
  guint after; /* so many syncs are done without it */
  int fd;
  guint64 round;
  guint64 number;  /* frames in this round */
  gsize used;      /* bytes of them that are durable, and of what fills up their blocks */
  guint8 *pending; /* frames behind those, where a block would begin; made with the file */
  gsize length;    /* bytes of them */
  guint64 pending_number;
  gboolean full;
  gboolean off;  /* used no more */
  gboolean kept; /* what is in it may be nowhere else: the next start needs it */
};

/**
 * reeve_ledger_ahead_new:
 * @folder: of all logs
 * @after: a ledger that was synced so often is written often
 *
 * Returns: (transfer full): a write-ahead file that is not there yet
 */
ReeveLedgerAhead *
reeve_ledger_ahead_new (const char *folder, guint after)
{
  ReeveLedgerAhead *self = g_new0 (ReeveLedgerAhead, 1);

  self->folder = g_strdup (folder);
  self->path = g_build_filename (folder, REEVE_LEDGER_AHEAD_FILE, NULL);
  self->after = after;
  self->fd = -1;
  self->round = (guint64) g_get_real_time ();
  return self;
}

/**
 * reeve_ledger_ahead_free:
 * @self: a write-ahead file; one that is still there stays
 */
void
reeve_ledger_ahead_free (ReeveLedgerAhead *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_aligned_free (self->pending);
  g_free (self->folder);
  g_free (self->path);
  g_free (self);
}

/* Zeros that are written, so that no sync has to do with where the bytes lie. */
static gboolean
reeve_ledger_ahead_fill (int fd, GError **error)
{
  const gsize piece = 64 * 1024;
  g_autofree guint8 *zeros = g_malloc0 (piece);

  for (gsize at = 0; at < REEVE_LEDGER_AHEAD_SIZE; at += piece)
    if (!reeve_ledger_file_write_at (fd, zeros, piece, at, error))
      return FALSE;
  if (fsync (fd) == 0)
    return TRUE;
  reeve_ledger_file_set_error (error, errno, "syncing", REEVE_LEDGER_AHEAD_FILE);
  return FALSE;
}

/* Past the cache, where file system and disk take blocks of this size from memory. */
static void
reeve_ledger_ahead_set_direct (int fd, const guint8 *zeros)
{
  int flags = fcntl (fd, F_GETFL);

  /* nobody reads what stands there */
  (void) posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED);
  if (flags < 0 || fcntl (fd, F_SETFL, flags | O_DIRECT) != 0)
    return;
  if (!reeve_ledger_file_write_at (fd, zeros, REEVE_LEDGER_AHEAD_BLOCK, 0, NULL))
    (void) fcntl (fd, F_SETFL, flags);
}

static gboolean
reeve_ledger_ahead_make (ReeveLedgerAhead *self, GError **error)
{
  /* a start has read what was there */
  int fd = reeve_ledger_file_open (self->path, O_RDWR | O_CREAT | O_EXCL, 0600, error);

  if (fd < 0)
    return FALSE;
  if (reeve_ledger_ahead_fill (fd, error) && reeve_ledger_file_sync_folder (self->folder, error))
    {
      /* as large as the file, of which memory is what was ever used */
      self->pending = g_aligned_alloc (1, REEVE_LEDGER_AHEAD_SIZE, REEVE_LEDGER_AHEAD_BLOCK);
      memset (self->pending, 0, REEVE_LEDGER_AHEAD_BLOCK);
      reeve_ledger_ahead_set_direct (fd, self->pending);
      self->fd = fd;
      return TRUE;
    }
  close (fd);
  (void) g_unlink (self->path);
  return FALSE;
}

/**
 * reeve_ledger_ahead_begin:
 * @self: a write-ahead file
 *
 * Counts a sync, and makes the file when it is time.
 *
 * Returns: whether the batch may be added
 */
gboolean
reeve_ledger_ahead_begin (ReeveLedgerAhead *self)
{
  g_autoptr (GError) error = NULL;

  if (self->after > 0)
    {
      self->after--;
      return FALSE;
    }
  if (self->off || self->full)
    return FALSE;
  if (self->fd >= 0 || reeve_ledger_ahead_make (self, &error))
    return TRUE;
  /* it is slower without, and nothing else */
  g_info ("ledger: no write-ahead file: %s", error->message);
  self->off = TRUE;
  return FALSE;
}

static gsize
reeve_ledger_ahead_round_up (gsize length)
{
  return (length + REEVE_LEDGER_AHEAD_BLOCK - 1) / REEVE_LEDGER_AHEAD_BLOCK
         * REEVE_LEDGER_AHEAD_BLOCK;
}

static void
reeve_ledger_ahead_put (guint8 *to, guint64 number)
{
  guint64 swapped = GUINT64_TO_BE (number);

  memcpy (to, &swapped, sizeof swapped);
}

static guint64
reeve_ledger_ahead_get (const guint8 *from)
{
  guint64 number = 0;

  memcpy (&number, from, sizeof number);
  return GUINT64_FROM_BE (number);
}

static void
reeve_ledger_ahead_append (ReeveLedgerAhead *self, gconstpointer data, gsize length)
{
  memcpy (self->pending + self->length, data, length);
  self->length += length;
}

/**
 * reeve_ledger_ahead_add:
 * @self: a write-ahead file that reeve_ledger_ahead_begin() allowed
 * @frame: a batch that is written to its segment; round and number are not looked at
 *
 * Puts a copy of it among what the next commit makes durable.
 *
 * Returns: %FALSE when there is no room for it: nothing that was added is to be committed, and the
 * file is full
 */
gboolean
reeve_ledger_ahead_add (ReeveLedgerAhead *self, const ReeveLedgerAheadFrame *frame)
{
  gsize size = REEVE_LEDGER_AHEAD_FRAME + frame->scope_length + frame->length;
  guint8 head[REEVE_LEDGER_AHEAD_HEAD] = { 0 };
  guint8 digest[REEVE_LEDGER_HASH_SIZE];
  gsize begin = self->length;

  if (frame->length > REEVE_LEDGER_AHEAD_SIZE
      || size > REEVE_LEDGER_AHEAD_SIZE - self->used - self->length)
    {
      self->length = 0;
      self->pending_number = 0;
      self->full = TRUE;
      return FALSE;
    }
  memcpy (head, reeve_ledger_ahead_magic, sizeof reeve_ledger_ahead_magic);
  reeve_ledger_ahead_put (head + 8, self->round);
  reeve_ledger_ahead_put (head + 16, self->number + self->pending_number);
  reeve_ledger_ahead_put (head + 24, frame->first);
  reeve_ledger_ahead_put (head + 32, frame->offset);
  reeve_ledger_ahead_put (head + 40, (guint64) frame->length << 32 | frame->scope_length);
  memcpy (head + 48, frame->chain, REEVE_LEDGER_HASH_SIZE);
  reeve_ledger_ahead_append (self, head, sizeof head);
  reeve_ledger_ahead_append (self, frame->scope, frame->scope_length);
  reeve_ledger_ahead_append (self, frame->bytes, frame->length);
  reeve_digests_sha256 (self->pending + begin, self->length - begin, digest);
  reeve_ledger_ahead_append (self, digest, sizeof digest);
  self->pending_number++;
  return TRUE;
}

/**
 * reeve_ledger_ahead_commit:
 * @self: a write-ahead file
 * @error: return location
 *
 * Makes durable what was added. After an error the file is used no more, and what is nowhere else
 * has to get there now.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_ahead_commit (ReeveLedgerAhead *self, GError **error)
{
  /* the file is a number of blocks, so there is room */
  gsize whole = reeve_ledger_ahead_round_up (self->length);
  gboolean ok = FALSE;

  memset (self->pending + self->length, 0, whole - self->length);
  ok = reeve_ledger_file_write_at (self->fd, self->pending, whole, self->used, error);
  if (ok && fdatasync (self->fd) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "syncing", self->path);
      ok = FALSE;
    }
  self->off = self->off || !ok;
  self->used += whole;
  self->number += self->pending_number;
  self->pending_number = 0;
  self->length = 0;
  return ok;
}

/**
 * reeve_ledger_ahead_is_full:
 * @self: a write-ahead file
 *
 * Returns: whether it waits for reeve_ledger_ahead_restart()
 */
gboolean
reeve_ledger_ahead_is_full (ReeveLedgerAhead *self)
{
  return self->full;
}

/**
 * reeve_ledger_ahead_restart:
 * @self: a write-ahead file
 *
 * All segments are durable: it is used from its beginning again, unless something in it is to be
 * kept.
 */
void
reeve_ledger_ahead_restart (ReeveLedgerAhead *self)
{
  if (self->kept)
    return;
  self->full = FALSE;
  self->used = 0;
  self->number = 0;
  self->round++;
}

/**
 * reeve_ledger_ahead_keep:
 * @self: a write-ahead file
 *
 * A segment could not be synced: what is here is for the next start, and nothing is added any more.
 */
void
reeve_ledger_ahead_keep (ReeveLedgerAhead *self)
{
  self->kept = self->off = TRUE;
}

/**
 * reeve_ledger_ahead_end:
 * @self: a write-ahead file
 *
 * All segments are durable, or it was told to be kept: else it goes.
 */
void
reeve_ledger_ahead_end (ReeveLedgerAhead *self)
{
  self->off = TRUE;
  if (self->fd < 0)
    return;
  close (self->fd);
  self->fd = -1;
  if (!self->kept)
    (void) g_unlink (self->path);
}

/**
 * reeve_ledger_ahead_parse:
 * @data: bytes of a write-ahead file
 * @length: how many there are
 * @frame: (out caller-allocates): borrows from @data
 *
 * Returns: bytes of the frame they begin with; 0 where it is none, or not whole
 */
gsize
reeve_ledger_ahead_parse (const guint8 *data, gsize length, ReeveLedgerAheadFrame *frame)
{
  guint8 digest[REEVE_LEDGER_HASH_SIZE];
  guint64 lengths = 0;
  gsize size = 0;

  if (length < REEVE_LEDGER_AHEAD_FRAME
      || memcmp (data, reeve_ledger_ahead_magic, sizeof reeve_ledger_ahead_magic) != 0)
    return 0;
  lengths = reeve_ledger_ahead_get (data + 40);
  *frame = (ReeveLedgerAheadFrame){ .round = reeve_ledger_ahead_get (data + 8),
                                    .number = reeve_ledger_ahead_get (data + 16),
                                    .first = reeve_ledger_ahead_get (data + 24),
                                    .offset = reeve_ledger_ahead_get (data + 32),
                                    .length = (gsize) (lengths >> 32),
                                    .scope_length = (gsize) (lengths & G_MAXUINT32),
                                    .chain = data + 48 };
  size = REEVE_LEDGER_AHEAD_FRAME + frame->scope_length + frame->length;
  if (frame->scope_length > REEVE_LEDGER_AHEAD_SCOPE || size > length)
    return 0;
  frame->scope = (const char *) data + REEVE_LEDGER_AHEAD_HEAD;
  frame->bytes = data + REEVE_LEDGER_AHEAD_HEAD + frame->scope_length;
  reeve_digests_sha256 (data, size - sizeof digest, digest);
  return memcmp (data + size - sizeof digest, digest, sizeof digest) == 0 ? size : 0;
}

/**
 * reeve_ledger_ahead_go_on:
 * @data: a write-ahead file
 * @length: bytes of it
 * @at: where a frame ends
 *
 * Returns: where the next one is to be looked for: there, or behind what fills up the block
 */
gsize
reeve_ledger_ahead_go_on (const guint8 *data, gsize length, gsize at)
{
  if (at < length && data[at] == reeve_ledger_ahead_magic[0])
    return at;
  return MIN (reeve_ledger_ahead_round_up (at), length);
}
