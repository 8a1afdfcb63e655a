/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Segment files NNNNNNNNNNNNNNNNNNNN.log, named after their first sequence number, with
 * NNNNNNNNNNNNNNNNNNNN.idx beside them.
 *
 * The index keeps every 32nd offset only: a log of ten million records costs 1.2 MiB of memory, and
 * finding a record reads some ten kilobytes. It is a cache: damaged, old or missing, it is made
 * anew from the file.
 *
 * A packed segment (ledger-pack.c) takes the place of the other under the same name, at any moment:
 * so whoever opens one looks at which it is, and not at what was known of it. Its index are the
 * heads of its blocks, and is not saved. */
#include "ledger-segment.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#include "ledger-file.h"
#include "ledger-pack.h"
#include "ledger-record.h"

#define REEVE_LEDGER_SEGMENT_DIGITS    20
#define REEVE_LEDGER_SEGMENT_MAGIC     "RVLIDX1\n"
#define REEVE_LEDGER_SEGMENT_MAX_INDEX (64 * 1024 * 1024)

/**
 * reeve_ledger_segment_new:
 * @folder: folder of the log
 * @first: sequence number of the first record
 *
 * Returns: (transfer full): an empty segment; touches no file
 */
ReeveLedgerSegment *
reeve_ledger_segment_new (const char *folder, guint64 first)
{
  ReeveLedgerSegment *self = g_new0 (ReeveLedgerSegment, 1);

  self->path
      = g_strdup_printf ("%s/%020" G_GUINT64_FORMAT REEVE_LEDGER_SEGMENT_SUFFIX, folder, first);
  self->first = first;
  return self;
}

/**
 * reeve_ledger_segment_copy:
 * @self: a segment
 *
 * Returns: (transfer full): a copy that shares nothing
 */
ReeveLedgerSegment *
reeve_ledger_segment_copy (const ReeveLedgerSegment *self)
{
  ReeveLedgerSegment *copy = g_new0 (ReeveLedgerSegment, 1);

  *copy = *self;
  copy->path = g_strdup (self->path);
  copy->offsets = self->offsets != NULL ? g_array_copy (self->offsets) : NULL;
  copy->starts = self->starts != NULL ? g_array_copy (self->starts) : NULL;
  return copy;
}

/**
 * reeve_ledger_segment_free:
 * @self: a segment
 */
void
reeve_ledger_segment_free (ReeveLedgerSegment *self)
{
  g_clear_pointer (&self->offsets, g_array_unref);
  g_clear_pointer (&self->starts, g_array_unref);
  g_free (self->path);
  g_free (self);
}

/**
 * reeve_ledger_segment_parse_name:
 * @name: a file name
 *
 * Returns: the sequence number in the name of a segment file; 0 for any other name
 */
guint64
reeve_ledger_segment_parse_name (const char *name)
{
  g_autofree char *digits = NULL;
  guint64 first = 0;

  if (strlen (name) != REEVE_LEDGER_SEGMENT_DIGITS + strlen (REEVE_LEDGER_SEGMENT_SUFFIX)
      || strcmp (name + REEVE_LEDGER_SEGMENT_DIGITS, REEVE_LEDGER_SEGMENT_SUFFIX) != 0)
    return 0;
  digits = g_strndup (name, REEVE_LEDGER_SEGMENT_DIGITS);
  if (!g_ascii_string_to_unsigned (digits, 10, 1, REEVE_LEDGER_RECORD_MAX_NUMBER, &first, NULL))
    return 0;
  return first;
}

/**
 * reeve_ledger_segment_is_ignored:
 * @name: a file name
 *
 * Returns: whether verification leaves a file of that name out: indexes and files in the making
 */
gboolean
reeve_ledger_segment_is_ignored (const char *name)
{
  return g_str_has_suffix (name, REEVE_LEDGER_SEGMENT_INDEX_SUFFIX)
         || g_str_has_suffix (name, ".lock");
}

/**
 * reeve_ledger_segment_note:
 * @self: a segment whose index is loaded, or that is empty
 * @offset: where its next record begins
 *
 * Counts one more record.
 */
void
reeve_ledger_segment_note (ReeveLedgerSegment *self, guint64 offset)
{
  guint32 short_offset = (guint32) offset;

  if (self->offsets == NULL)
    self->offsets = g_array_new (FALSE, FALSE, sizeof (guint32));
  if (self->count % REEVE_LEDGER_SEGMENT_STRIDE == 0)
    g_array_append_val (self->offsets, short_offset);
  self->count++;
}

/**
 * reeve_ledger_segment_note_block:
 * @self: a packed segment
 * @start: how many of its records stand before the block
 * @offset: where the block begins
 */
void
reeve_ledger_segment_note_block (ReeveLedgerSegment *self, guint32 start, guint32 offset)
{
  if (self->offsets == NULL)
    self->offsets = g_array_new (FALSE, FALSE, sizeof (guint32));
  if (self->starts == NULL)
    self->starts = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_array_append_val (self->offsets, offset);
  g_array_append_val (self->starts, start);
}

static char *
reeve_ledger_segment_index_path (const ReeveLedgerSegment *self)
{
  gsize stem = strlen (self->path) - strlen (REEVE_LEDGER_SEGMENT_SUFFIX);

  return g_strdup_printf ("%.*s" REEVE_LEDGER_SEGMENT_INDEX_SUFFIX, (int) stem, self->path);
}

/**
 * reeve_ledger_segment_remove_index:
 * @self: a segment
 *
 * Removes the cache, if there is one.
 */
void
reeve_ledger_segment_remove_index (const ReeveLedgerSegment *self)
{
  g_autofree char *path = reeve_ledger_segment_index_path (self);

  (void) g_unlink (path);
}

/**
 * reeve_ledger_segment_save_index:
 * @self: a segment whose index is loaded
 * @error: return location
 *
 * Writes the index: magic, first, count, end, the offsets, SHA-256 over all that. Not synced: it
 * may be lost.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_segment_save_index (const ReeveLedgerSegment *self, GError **error)
{
  g_autofree char *path = reeve_ledger_segment_index_path (self);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint64 head[3]
      = { GUINT64_TO_BE (self->first), GUINT64_TO_BE (self->count), GUINT64_TO_BE (self->end) };
  guint8 digest[REEVE_LEDGER_HASH_SIZE];

  if (self->packed)
    return TRUE;
  g_byte_array_append (bytes, (const guint8 *) REEVE_LEDGER_SEGMENT_MAGIC,
                       strlen (REEVE_LEDGER_SEGMENT_MAGIC));
  g_byte_array_append (bytes, (const guint8 *) head, sizeof head);
  for (guint i = 0; i < self->offsets->len; i++)
    {
      guint32 offset = GUINT32_TO_BE (g_array_index (self->offsets, guint32, i));

      g_byte_array_append (bytes, (const guint8 *) &offset, sizeof offset);
    }
  reeve_digests_sha256 (bytes->data, bytes->len, digest);
  g_byte_array_append (bytes, digest, sizeof digest);
  return reeve_ledger_file_save_cache (path, bytes->data, bytes->len, error);
}

/* Reads an index file into @found; %FALSE, without an error, when it is no use. */
static gboolean
reeve_ledger_segment_read_index (const ReeveLedgerSegment *self, ReeveLedgerSegment *found)
{
  g_autofree char *path = reeve_ledger_segment_index_path (self);
  g_autoptr (GBytes) bytes = reeve_ledger_file_read (path, REEVE_LEDGER_SEGMENT_MAX_INDEX, NULL);
  gsize start = strlen (REEVE_LEDGER_SEGMENT_MAGIC);
  guint8 digest[REEVE_LEDGER_HASH_SIZE];
  guint64 head[3];
  const guint8 *data = NULL;
  gsize size = 0;
  gsize offsets = 0;

  if (bytes == NULL)
    return FALSE;
  data = g_bytes_get_data (bytes, &size);
  if (size < start + sizeof head + sizeof digest
      || memcmp (data, REEVE_LEDGER_SEGMENT_MAGIC, start) != 0)
    return FALSE;
  reeve_digests_sha256 (data, size - sizeof digest, digest);
  if (memcmp (digest, data + size - sizeof digest, sizeof digest) != 0)
    return FALSE;
  memcpy (head, data + start, sizeof head);
  found->first = GUINT64_FROM_BE (head[0]);
  found->count = GUINT64_FROM_BE (head[1]);
  found->end = GUINT64_FROM_BE (head[2]);
  offsets = (size - start - sizeof head - sizeof digest) / sizeof (guint32);
  if (found->first != self->first || found->count > self->count || found->end > self->end
      || offsets != (found->count + REEVE_LEDGER_SEGMENT_STRIDE - 1) / REEVE_LEDGER_SEGMENT_STRIDE)
    return FALSE;
  found->offsets = g_array_sized_new (FALSE, FALSE, sizeof (guint32), (guint) offsets);
  for (gsize i = 0; i < offsets; i++)
    {
      guint32 offset = 0;

      memcpy (&offset, data + start + sizeof head + i * sizeof offset, sizeof offset);
      offset = GUINT32_FROM_BE (offset);
      g_array_append_val (found->offsets, offset);
    }
  return TRUE;
}

/* Adds to @found what stands in the file behind it, up to @self's count, by the lengths alone:
 * whoever uses a record looks at its number. */
static gboolean
reeve_ledger_segment_extend (const ReeveLedgerSegment *self, ReeveLedgerSegment *found, int fd,
                             GError **error)
{
  while (found->count < self->count)
    {
      guint32 length = 0;
      gssize n = reeve_ledger_file_read_at (fd, &length, sizeof length, found->end, error);

      if (n < 0)
        return FALSE;
      length = GUINT32_FROM_BE (length);
      if (n != sizeof length || length == 0 || length > REEVE_LEDGER_RECORD_MAX_JSON)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                       "indexing %s: no record at byte %" G_GUINT64_FORMAT, self->path, found->end);
          return FALSE;
        }
      reeve_ledger_segment_note (found, found->end);
      found->end += length + REEVE_LEDGER_SCANNER_OVERHEAD;
    }
  return TRUE;
}

/* The index of a packed segment: the heads of its blocks. */
static gboolean
reeve_ledger_segment_load_blocks (ReeveLedgerSegment *self, int fd, GError **error)
{
  guint64 start = 0;
  guint64 offset = 0;

  while (offset < self->end && start < self->count)
    {
      ReeveLedgerPackHead head = { 0 };

      if (!reeve_ledger_pack_peek (fd, offset, self->end, &head, error))
        {
          g_prefix_error (error, "indexing %s: ", self->path);
          return FALSE;
        }
      reeve_ledger_segment_note_block (self, (guint32) start, (guint32) offset);
      start += head.count;
      offset += head.size;
    }
  if (start == self->count && offset == self->end)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "indexing %s: it has not the records that it had", self->path);
  return FALSE;
}

/* Loads the offsets of a file that is not packed, which @fd is of, from the index file as far as
 * that goes. Under the path another one may stand by now. */
static gboolean
reeve_ledger_segment_load_offsets (ReeveLedgerSegment *self, int fd, GError **error)
{
  g_autoptr (ReeveLedgerSegment) found = g_new0 (ReeveLedgerSegment, 1);

  if (!reeve_ledger_segment_read_index (self, found))
    {
      g_clear_pointer (&found->offsets, g_array_unref);
      found->count = found->end = 0;
      found->offsets = g_array_new (FALSE, FALSE, sizeof (guint32));
    }
  if (!reeve_ledger_segment_extend (self, found, fd, error))
    return FALSE;
  self->offsets = g_steal_pointer (&found->offsets);
  return TRUE;
}

/**
 * reeve_ledger_segment_load_index:
 * @self: a segment that is not packed, whose count and end are known
 * @error: return location
 *
 * Loads the offsets, from the index file as far as that goes, the rest from the segment file
 * itself.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_segment_load_index (ReeveLedgerSegment *self, GError **error)
{
  gboolean ok = FALSE;
  int fd = -1;

  if (self->offsets != NULL)
    return TRUE;
  fd = reeve_ledger_file_open (self->path, O_RDONLY, 0, error);
  if (fd < 0)
    return FALSE;
  ok = reeve_ledger_segment_load_offsets (self, fd, error);
  close (fd);
  return ok;
}

/* Is the file packed, as @self says or not? If it is, @self says so from here on. */
static gboolean
reeve_ledger_segment_look (ReeveLedgerSegment *self, int fd, GError **error)
{
  struct stat status = { 0 };

  if (self->packed || !reeve_ledger_pack_sniff (fd, 0))
    return TRUE;
  if (fstat (fd, &status) != 0)
    {
      reeve_ledger_file_set_error (error, errno, "reading", self->path);
      return FALSE;
    }
  g_clear_pointer (&self->offsets, g_array_unref);
  self->packed = TRUE;
  self->end = (guint64) status.st_size;
  return TRUE;
}

/**
 * reeve_ledger_segment_open:
 * @self: a segment whose count is known, and its end where it is not packed
 * @error: return location
 *
 * Opens the file for reading, whichever form it has by now, and loads the index.
 *
 * Returns: a descriptor, to be closed; -1 with an error
 */
int
reeve_ledger_segment_open (ReeveLedgerSegment *self, GError **error)
{
  gboolean ok = FALSE;
  int fd = reeve_ledger_file_open (self->path, O_RDONLY, 0, error);

  if (fd < 0)
    return -1;
  ok = reeve_ledger_segment_look (self, fd, error);
  if (ok && self->packed && self->offsets == NULL)
    ok = reeve_ledger_segment_load_blocks (self, fd, error);
  else if (ok && self->offsets == NULL)
    ok = reeve_ledger_segment_load_offsets (self, fd, error);
  if (ok)
    return fd;
  close (fd);
  return -1;
}

/**
 * reeve_ledger_segment_locate:
 * @self: a segment whose index is loaded
 * @seq: a sequence number in it
 * @on: does the reader go on behind it?
 *
 * Returns: where the records around @seq stand; with @on also those behind them, as many as are
 * worth opening a file for
 */
ReeveLedgerSegmentBlock
reeve_ledger_segment_locate (const ReeveLedgerSegment *self, guint64 seq, gboolean on)
{
  guint64 number = seq - self->first;
  guint n = (guint) (number / REEVE_LEDGER_SEGMENT_STRIDE);
  guint blocks = on && !self->packed ? REEVE_LEDGER_SEGMENT_STRIDES : 1;
  ReeveLedgerSegmentBlock block = { .end = self->end };

  if (self->packed)
    for (n = self->starts->len - 1; g_array_index (self->starts, guint32, n) > number;)
      n--;
  block.first = self->first
                + (self->packed ? g_array_index (self->starts, guint32, n)
                                : (guint64) n * REEVE_LEDGER_SEGMENT_STRIDE);
  block.offset = g_array_index (self->offsets, guint32, n);
  if (n + blocks < self->offsets->len)
    block.end = g_array_index (self->offsets, guint32, n + blocks);
  return block;
}

/* The bytes of a block behind the chain hash before it, which is @chain where a file begins. */
static GByteArray *
reeve_ledger_segment_read_bytes (const ReeveLedgerSegment *self, int fd,
                                 const ReeveLedgerSegmentBlock *block, const guint8 *chain,
                                 GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gsize skip = block->offset == 0 ? REEVE_LEDGER_HASH_SIZE : 0;
  gssize n = 0;

  g_byte_array_set_size (bytes, (guint) (block->end - block->offset + REEVE_LEDGER_HASH_SIZE));
  memcpy (bytes->data, chain, REEVE_LEDGER_HASH_SIZE);
  n = reeve_ledger_file_read_at (fd, bytes->data + skip, bytes->len - skip,
                                 block->offset + skip - REEVE_LEDGER_HASH_SIZE, error);
  if (n >= 0 && (gsize) n != bytes->len - skip)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s is shorter than it was", self->path);
  return n >= 0 && (gsize) n == bytes->len - skip ? g_steal_pointer (&bytes) : NULL;
}

/**
 * reeve_ledger_segment_read_block:
 * @self: a segment whose index is loaded
 * @fd: from reeve_ledger_segment_open()
 * @block: where to read
 * @chain: the chain hash before the segment; used where its first records are wanted
 * @error: return location
 *
 * Reads records. In front of them stand #REEVE_LEDGER_HASH_SIZE bytes: the chain hash before the
 * first.
 *
 * Returns: (transfer full): the bytes, as they stand in a segment that is not packed, or %NULL with
 * an error
 */
GByteArray *
reeve_ledger_segment_read_block (const ReeveLedgerSegment *self, int fd,
                                 const ReeveLedgerSegmentBlock *block, const guint8 *chain,
                                 GError **error)
{
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GByteArray) records = NULL;
  gboolean chained = FALSE;

  if (block->end < block->offset
      || block->end - block->offset
             > REEVE_LEDGER_PACK_WIDTH
                   * (guint64) (REEVE_LEDGER_RECORD_MAX_JSON + REEVE_LEDGER_SCANNER_OVERHEAD))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the index of %s is damaged",
                   self->path);
      return NULL;
    }
  bytes = reeve_ledger_segment_read_bytes (self, fd, block, chain, error);
  if (bytes == NULL || !self->packed)
    return g_steal_pointer (&bytes);
  records = g_byte_array_new ();
  if (reeve_ledger_pack_open (bytes->data + REEVE_LEDGER_HASH_SIZE,
                              bytes->len - REEVE_LEDGER_HASH_SIZE, bytes->data, records, &chained,
                              error)
      && !chained)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                         "the chain hash of the block does not fit");
  if (chained)
    return g_steal_pointer (&records);
  g_prefix_error (error, "record %" G_GUINT64_FORMAT " in %s: ", block->first, self->path);
  return NULL;
}

/**
 * reeve_ledger_segment_read_last:
 * @self: a segment that is not empty
 * @chain: (out caller-allocates): chain hash of its last record
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_segment_read_last (const ReeveLedgerSegment *self, guint8 *chain, GError **error)
{
  g_autoptr (ReeveLedgerSegment) now = reeve_ledger_segment_copy (self);
  int fd = reeve_ledger_file_open (self->path, O_RDONLY, 0, error);
  gssize n = -1;

  if (fd < 0)
    return FALSE;
  /* in both forms it stands at the end */
  if (reeve_ledger_segment_look (now, fd, error) && now->end >= REEVE_LEDGER_HASH_SIZE)
    n = reeve_ledger_file_read_at (fd, chain, REEVE_LEDGER_HASH_SIZE,
                                   now->end - REEVE_LEDGER_HASH_SIZE, error);
  close (fd);
  if (n >= 0 && n != REEVE_LEDGER_HASH_SIZE)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s is shorter than it was", self->path);
  return n == REEVE_LEDGER_HASH_SIZE;
}
