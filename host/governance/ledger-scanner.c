/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streaming reader of segment files: u32 big-endian length | canonical JSON | chain hash, again and
 * again.
 *
 * The chain hash of a record is SHA-256 (chain hash before | length | JSON), and the chain hash
 * before stands in the file right in front of the length: so what is hashed is one run of bytes,
 * and no byte is copied. The RFC 6962 leaf hash wants a zero in front of the length instead; it is
 * put over the last byte of the hash before and taken back.
 *
 * Of a packed segment (ledger-pack.c) a block at a time is unpacked to the same. Its chain hashes
 * are made, so they fit; the last must be the one that the block has, and is compared when all its
 * records were handed out: whoever knows their leaf hashes can then say which one is bad. */
#include "ledger-scanner.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "ledger-file.h"
#include "ledger-pack.h"
#include "ledger-record.h"

#define REEVE_LEDGER_SCANNER_BUFFER (256 * 1024)
/* every record begins so, because `action` is required and sorts first */
#define REEVE_LEDGER_SCANNER_START "{\"action\":\""

G_STATIC_ASSERT (REEVE_LEDGER_SCANNER_BUFFER
                 > 4 * (REEVE_LEDGER_RECORD_MAX_JSON + REEVE_LEDGER_SCANNER_OVERHEAD));

struct _ReeveLedgerScanner
{
  int fd;
  guint64 offset; /* of the next record in the file */
  guint64 end;    /* the file counts to here */
  guint8 *buffer; /* REEVE_LEDGER_HASH_SIZE bytes of chain in front of the next record, always */
  gsize at;       /* of the next record in the buffer */
  gsize filled;
  gboolean leafless;

  GByteArray *block;    /* (nullable): of a packed segment: what the buffer is in */
  guint64 block_offset; /* where that begins */
  guint count;          /* records of it */
  gboolean unchained;   /* its chain hash does not fit */
  guint doubtful;       /* so many were handed out before that was said */
};

/**
 * reeve_ledger_scanner_seal:
 * @record: a length and its JSON, with #REEVE_LEDGER_HASH_SIZE bytes of the chain hash before in
 * front of it
 * @length: bytes of the JSON
 * @chain: (out caller-allocates): chain hash of the record
 * @leaf: (out caller-allocates): leaf hash of the record
 *
 * Computes both hashes of a record; writer, recovery and verification share it.
 */
void
reeve_ledger_scanner_seal (guint8 *record, gsize length, guint8 chain[REEVE_LEDGER_HASH_SIZE],
                           guint8 leaf[REEVE_LEDGER_HASH_SIZE])
{
  guint8 saved = record[-1];

  reeve_digests_sha256 (record - REEVE_LEDGER_HASH_SIZE,
                        REEVE_LEDGER_HASH_SIZE + REEVE_LEDGER_SCANNER_PREFIX + length, chain);
  record[-1] = 0x00;
  reeve_digests_sha256 (record - 1, 1 + REEVE_LEDGER_SCANNER_PREFIX + length, leaf);
  record[-1] = saved;
}

/**
 * reeve_ledger_scanner_new:
 * @fd: a segment file; stays the caller's
 * @offset: where to begin: the start of a record
 * @end: where to stop
 * @chain: chain hash of the record before
 *
 * What stands at @offset says whether the records are packed.
 *
 * Returns: (transfer full): a scanner
 */
ReeveLedgerScanner *
reeve_ledger_scanner_new (int fd, guint64 offset, guint64 end,
                          const guint8 chain[REEVE_LEDGER_HASH_SIZE])
{
  ReeveLedgerScanner *self = g_new0 (ReeveLedgerScanner, 1);

  self->fd = fd;
  self->offset = offset;
  self->end = end;
  if (offset < end && reeve_ledger_pack_sniff (fd, offset))
    {
      self->block = g_byte_array_new ();
      g_byte_array_set_size (self->block, REEVE_LEDGER_HASH_SIZE);
      self->buffer = self->block->data;
    }
  else
    self->buffer = g_malloc (REEVE_LEDGER_HASH_SIZE + REEVE_LEDGER_SCANNER_BUFFER);
  memcpy (self->buffer, chain, REEVE_LEDGER_HASH_SIZE);
  self->at = self->filled = REEVE_LEDGER_HASH_SIZE;
  return self;
}

/**
 * reeve_ledger_scanner_leave_leaves:
 * @self: a scanner of a packed segment
 *
 * From now on its entries have no leaf hash: whoever only looks whether the chain holds saves half
 * of the hashing.
 */
void
reeve_ledger_scanner_leave_leaves (ReeveLedgerScanner *self)
{
  self->leafless = self->block != NULL;
}

/**
 * reeve_ledger_scanner_free:
 * @self: a scanner
 */
void
reeve_ledger_scanner_free (ReeveLedgerScanner *self)
{
  if (self->block != NULL)
    g_byte_array_unref (self->block);
  else
    g_free (self->buffer);
  g_free (self);
}

/**
 * reeve_ledger_scanner_get_offset:
 * @self: a scanner
 *
 * Returns: where the next record begins, or would; of a packed segment: the next block
 */
guint64
reeve_ledger_scanner_get_offset (ReeveLedgerScanner *self)
{
  return self->offset;
}

/**
 * reeve_ledger_scanner_get_chain:
 * @self: a scanner
 *
 * Returns: (transfer none): chain hash of the last record that was read
 */
const guint8 *
reeve_ledger_scanner_get_chain (ReeveLedgerScanner *self)
{
  return self->buffer + self->at - REEVE_LEDGER_HASH_SIZE;
}

/**
 * reeve_ledger_scanner_get_doubtful:
 * @self: a scanner
 *
 * Returns: how many of the records that were handed out last do not stand any more, when the last
 * answer was #REEVE_LEDGER_SCAN_BAD: those of a packed block whose chain hash does not fit
 */
guint
reeve_ledger_scanner_get_doubtful (ReeveLedgerScanner *self)
{
  return self->doubtful;
}

/* Makes the largest possible record, or all that is left, stand in the buffer. */
static gboolean
reeve_ledger_scanner_fill (ReeveLedgerScanner *self, GError **error)
{
  guint64 ahead = self->offset + (self->filled - self->at);
  gsize room = 0;
  gssize n = 0;

  if (self->filled - self->at >= REEVE_LEDGER_RECORD_MAX_JSON + REEVE_LEDGER_SCANNER_OVERHEAD
      || ahead >= self->end)
    return TRUE;
  memmove (self->buffer, self->buffer + self->at - REEVE_LEDGER_HASH_SIZE,
           self->filled - self->at + REEVE_LEDGER_HASH_SIZE);
  self->filled -= self->at - REEVE_LEDGER_HASH_SIZE;
  self->at = REEVE_LEDGER_HASH_SIZE;
  room = REEVE_LEDGER_HASH_SIZE + REEVE_LEDGER_SCANNER_BUFFER - self->filled;
  if (room > self->end - ahead)
    room = (gsize) (self->end - ahead);
  n = reeve_ledger_file_read_at (self->fd, self->buffer + self->filled, room, ahead, error);
  if (n < 0)
    return FALSE;
  if ((gsize) n < room)
    self->end = ahead + (guint64) n;
  self->filled += (gsize) n;
  return TRUE;
}

/* Could @text, cut off at @length, be the beginning of a record? Hashes of records behind it could
 * not. */
static gboolean
reeve_ledger_scanner_plausible (const char *text, gsize length)
{
  gsize start = strlen (REEVE_LEDGER_SCANNER_START);
  const char *valid_to = NULL;

  if (memcmp (text, REEVE_LEDGER_SCANNER_START, MIN (length, start)) != 0)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if ((guchar) text[i] < 0x20)
      return FALSE;
  /* a cut may go through one character, of four bytes at most */
  return g_utf8_validate_len (text, length, &valid_to) || (gsize) (text + length - valid_to) < 4;
}

/* Is what is left, too short for a record, what a crash in the middle of a write leaves? Else a
 * length was changed, and cutting it off would drop complete records. */
static gboolean
reeve_ledger_scanner_is_torn (const guint8 *bytes, gsize left, gsize length)
{
  ReeveLedgerRecord record;
  g_autofree char *arena = NULL;

  if (left < REEVE_LEDGER_SCANNER_PREFIX)
    return TRUE;
  if (left - REEVE_LEDGER_SCANNER_PREFIX < length)
    return reeve_ledger_scanner_plausible ((const char *) bytes + REEVE_LEDGER_SCANNER_PREFIX,
                                           left - REEVE_LEDGER_SCANNER_PREFIX);
  arena = g_malloc (length + 1);
  return reeve_ledger_record_parse (
      &record, arena, (const char *) bytes + REEVE_LEDGER_SCANNER_PREFIX, length, NULL);
}

/* A file system may have made the file longer and not yet written: all the rest is zero. */
static gboolean
reeve_ledger_scanner_is_blank (ReeveLedgerScanner *self)
{
  guint8 block[4096];
  guint64 at = self->offset;

  while (at < self->end)
    {
      gsize wanted = (gsize) MIN (sizeof block, self->end - at);
      gssize n = reeve_ledger_file_read_at (self->fd, block, wanted, at, NULL);

      if (n <= 0)
        return FALSE;
      for (gssize i = 0; i < n; i++)
        if (block[i] != 0)
          return FALSE;
      at += (guint64) n;
    }
  return TRUE;
}

static ReeveLedgerScan
reeve_ledger_scanner_bad (const char *why, GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, why);
  return REEVE_LEDGER_SCAN_BAD;
}

/* Unpacks the next block. @ended: whether there was none. */
static gboolean
reeve_ledger_scanner_unpack (ReeveLedgerScanner *self, gboolean *ended, GError **error)
{
  guint8 chain[REEVE_LEDGER_HASH_SIZE];
  ReeveLedgerPackHead head = { 0 };
  gboolean chained = FALSE;
  guint8 more = 0;
  gssize n = 0;

  *ended = FALSE;
  if (self->unchained)
    {
      self->doubtful = self->count;
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                           "the chain hash of the block does not fit");
      return FALSE;
    }
  n = self->offset < self->end
          ? reeve_ledger_file_read_at (self->fd, &more, sizeof more, self->offset, error)
          : 0;
  *ended = n == 0;
  if (n <= 0)
    return n == 0;
  memcpy (chain, reeve_ledger_scanner_get_chain (self), sizeof chain);
  if (!reeve_ledger_pack_read (self->fd, self->offset, self->end, chain, self->block, &head,
                               &chained, error))
    return FALSE;
  self->block_offset = self->offset;
  self->offset += head.size;
  self->count = head.count;
  self->unchained = !chained;
  self->buffer = self->block->data;
  self->at = REEVE_LEDGER_HASH_SIZE;
  self->filled = self->block->len;
  return TRUE;
}

/* The next record of a packed segment; its length and chain hash are known to be right. */
static ReeveLedgerScan
reeve_ledger_scanner_next_packed (ReeveLedgerScanner *self, ReeveLedgerEntry *entry, GError **error)
{
  g_autoptr (GError) local = NULL;
  guint8 *record = NULL;
  guint8 saved = 0;
  guint32 length = 0;
  gboolean ended = FALSE;

  if (self->at == self->filled && !reeve_ledger_scanner_unpack (self, &ended, &local))
    {
      ReeveLedgerScan scan
          = local->code == REEVE_ERROR_CORRUPT ? REEVE_LEDGER_SCAN_BAD : REEVE_LEDGER_SCAN_ERROR;

      g_propagate_error (error, g_steal_pointer (&local));
      return scan;
    }
  if (ended)
    return REEVE_LEDGER_SCAN_END;
  record = self->buffer + self->at;
  memcpy (&length, record, sizeof length);
  length = GUINT32_FROM_BE (length);
  if (!self->leafless)
    {
      saved = record[-1];
      record[-1] = 0x00;
      reeve_digests_sha256 (record - 1, 1 + REEVE_LEDGER_SCANNER_PREFIX + length, entry->leaf);
      record[-1] = saved;
    }
  entry->offset = self->block_offset;
  entry->json = (const char *) record + REEVE_LEDGER_SCANNER_PREFIX;
  entry->length = length;
  self->at += length + REEVE_LEDGER_SCANNER_OVERHEAD;
  return REEVE_LEDGER_SCAN_ENTRY;
}

/**
 * reeve_ledger_scanner_next:
 * @self: a scanner
 * @entry: (out caller-allocates): the record, when there is one
 * @error: return location; set unless the answer is an entry or the end
 *
 * Goes to the next record. The text is not parsed; length, chain hash and completeness are checked.
 *
 * Returns: what there is
 */
ReeveLedgerScan
reeve_ledger_scanner_next (ReeveLedgerScanner *self, ReeveLedgerEntry *entry, GError **error)
{
  guint8 chain[REEVE_LEDGER_HASH_SIZE];
  guint8 *record = NULL;
  gsize left = 0;
  guint32 length = 0;

  if (self->block != NULL)
    return reeve_ledger_scanner_next_packed (self, entry, error);
  if (!reeve_ledger_scanner_fill (self, error))
    return REEVE_LEDGER_SCAN_ERROR;
  record = self->buffer + self->at;
  left = self->filled - self->at;
  if (left == 0)
    return REEVE_LEDGER_SCAN_END;
  if (left >= REEVE_LEDGER_SCANNER_PREFIX)
    {
      memcpy (&length, record, sizeof length);
      length = GUINT32_FROM_BE (length);
      if (length == 0 && reeve_ledger_scanner_is_blank (self))
        {
          reeve_ledger_scanner_bad ("the file ends in zeros", error);
          return REEVE_LEDGER_SCAN_TORN;
        }
      if (length == 0 || length > REEVE_LEDGER_RECORD_MAX_JSON)
        return reeve_ledger_scanner_bad ("the length is impossible", error);
    }
  if (left < length + REEVE_LEDGER_SCANNER_OVERHEAD)
    {
      gboolean torn = reeve_ledger_scanner_is_torn (record, left, length);

      reeve_ledger_scanner_bad (
          torn ? "the record is incomplete" : "the length does not fit what follows", error);
      return torn ? REEVE_LEDGER_SCAN_TORN : REEVE_LEDGER_SCAN_BAD;
    }
  reeve_ledger_scanner_seal (record, length, chain, entry->leaf);
  if (memcmp (chain, record + REEVE_LEDGER_SCANNER_PREFIX + length, sizeof chain) != 0)
    return reeve_ledger_scanner_bad ("the chain hash does not fit", error);
  entry->offset = self->offset;
  entry->json = (const char *) record + REEVE_LEDGER_SCANNER_PREFIX;
  entry->length = length;
  self->at += length + REEVE_LEDGER_SCANNER_OVERHEAD;
  self->offset += length + REEVE_LEDGER_SCANNER_OVERHEAD;
  return REEVE_LEDGER_SCAN_ENTRY;
}
