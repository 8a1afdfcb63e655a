/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One block of a packed segment:
 *
 *   "RVP1" | records | packed bytes | CRC-32 of them | zlib (length | text, again and again) |
 * chain hash of the last record
 *
 * A chain hash follows from the text and the one before, so only the last is kept: whoever reads a
 * block finds the hash before it right in front of it, as in a segment that is not packed. The CRC
 * is there because other bytes may unpack to the same. */
#include "ledger-pack.h"

#include <string.h>
#include <zlib.h>

#include <reeve-plugin-1.h>

#include "ledger-file.h"
#include "ledger-record.h"
#include "ledger-scanner.h"

/* measured: 6 makes what is packed 12 % smaller, and takes twice the time */
#define REEVE_LEDGER_PACK_LEVEL 3
#define REEVE_LEDGER_PACK_MAX_RAW                                                                  \
  (REEVE_LEDGER_PACK_WIDTH * (REEVE_LEDGER_RECORD_MAX_JSON + REEVE_LEDGER_SCANNER_PREFIX))
#define REEVE_LEDGER_PACK_MAX_PACKED (REEVE_LEDGER_PACK_MAX_RAW + 128 * 1024)

/**
 * reeve_ledger_pack_is:
 * @bytes: beginning of a segment
 * @length: of it
 *
 * Returns: whether it is a packed one
 */
gboolean
reeve_ledger_pack_is (const guint8 *bytes, gsize length)
{
  return length >= REEVE_LEDGER_PACK_TAG_SIZE
         && memcmp (bytes, REEVE_LEDGER_PACK_TAG, REEVE_LEDGER_PACK_TAG_SIZE) == 0;
}

static guint32
reeve_ledger_pack_get (const guint8 *at)
{
  guint32 number = 0;

  memcpy (&number, at, sizeof number);
  return GUINT32_FROM_BE (number);
}

static void
reeve_ledger_pack_put (GByteArray *block, guint32 number)
{
  number = GUINT32_TO_BE (number);
  g_byte_array_append (block, (const guint8 *) &number, sizeof number);
}

static gboolean
reeve_ledger_pack_bad (const char *why, GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, why);
  return FALSE;
}

/**
 * reeve_ledger_pack_read_head:
 * @header: the first bytes of a block
 * @head: (out caller-allocates): what they say
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT
 */
gboolean
reeve_ledger_pack_read_head (const guint8 header[REEVE_LEDGER_PACK_HEADER],
                             ReeveLedgerPackHead *head, GError **error)
{
  guint32 count = reeve_ledger_pack_get (header + 4);
  guint32 packed = reeve_ledger_pack_get (header + 8);

  if (!reeve_ledger_pack_is (header, REEVE_LEDGER_PACK_HEADER) || count == 0
      || count > REEVE_LEDGER_PACK_WIDTH || packed > REEVE_LEDGER_PACK_MAX_PACKED)
    return reeve_ledger_pack_bad ("the head of the block is wrong", error);
  head->count = count;
  head->size = (gsize) REEVE_LEDGER_PACK_HEADER + packed + REEVE_LEDGER_HASH_SIZE;
  return TRUE;
}

/* Unpacks all of @packed to all of what comes out, which is bounded. */
static gboolean
reeve_ledger_pack_inflate (const guint8 *packed, gsize length, GByteArray *raw)
{
  z_stream stream = { .next_in = (Bytef *) packed, .avail_in = (uInt) length };
  int result = Z_OK;

  if (inflateInit (&stream) != Z_OK)
    return FALSE;
  g_byte_array_set_size (raw, 0);
  while (result == Z_OK && raw->len <= REEVE_LEDGER_PACK_MAX_RAW)
    {
      guint done = raw->len;
      guint room = MAX (64 * 1024, done);

      g_byte_array_set_size (raw, done + room);
      stream.next_out = raw->data + done;
      stream.avail_out = room;
      result = inflate (&stream, Z_NO_FLUSH);
      g_byte_array_set_size (raw, done + room - stream.avail_out);
    }
  (void) inflateEnd (&stream);
  return result == Z_STREAM_END && stream.avail_in == 0 && raw->len <= REEVE_LEDGER_PACK_MAX_RAW;
}

/* Do @raw's lengths make up @count records? */
static gboolean
reeve_ledger_pack_count (const GByteArray *raw, guint count)
{
  gsize at = 0;
  guint n = 0;

  while (at < raw->len)
    {
      guint32 length = 0;

      if (raw->len - at < REEVE_LEDGER_SCANNER_PREFIX)
        return FALSE;
      length = reeve_ledger_pack_get (raw->data + at);
      if (length == 0 || length > REEVE_LEDGER_RECORD_MAX_JSON
          || length > raw->len - at - REEVE_LEDGER_SCANNER_PREFIX)
        return FALSE;
      at += REEVE_LEDGER_SCANNER_PREFIX + length;
      n++;
    }
  return n == count;
}

/* Puts the records as they stand in a segment that is not packed: with their chain hashes. */
static void
reeve_ledger_pack_chain (const GByteArray *raw, guint count, const guint8 *chain,
                         GByteArray *records)
{
  gsize from = 0;
  gsize to = REEVE_LEDGER_HASH_SIZE;

  g_byte_array_set_size (records,
                         (guint) (raw->len + (count + 1) * (gsize) REEVE_LEDGER_HASH_SIZE));
  memcpy (records->data, chain, REEVE_LEDGER_HASH_SIZE);
  while (from < raw->len)
    {
      gsize length = REEVE_LEDGER_SCANNER_PREFIX + reeve_ledger_pack_get (raw->data + from);

      memcpy (records->data + to, raw->data + from, length);
      reeve_digests_sha256 (records->data + to - REEVE_LEDGER_HASH_SIZE,
                            REEVE_LEDGER_HASH_SIZE + length, records->data + to + length);
      from += length;
      to += length + REEVE_LEDGER_HASH_SIZE;
    }
}

/**
 * reeve_ledger_pack_open:
 * @block: a block
 * @size: all bytes of it
 * @chain: chain hash before its first record
 * @records: gets the chain hash before, then the records as they stand in a segment that is not
 * packed
 * @chained: (out): whether the last chain hash is the one that the block has
 * @error: return location
 *
 * What does not hold, holds for the block as a whole, or is found record by record: so that
 * whoever knows more of them can say which one is bad, a wrong chain hash is told by @chained.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when it cannot be unpacked
 */
gboolean
reeve_ledger_pack_open (const guint8 *block, gsize size, const guint8 chain[REEVE_LEDGER_HASH_SIZE],
                        GByteArray *records, gboolean *chained, GError **error)
{
  g_autoptr (GByteArray) raw = NULL;
  ReeveLedgerPackHead head = { 0 };
  const guint8 *packed = block + REEVE_LEDGER_PACK_HEADER;
  gsize length = 0;

  if (size < REEVE_LEDGER_PACK_HEADER)
    return reeve_ledger_pack_bad ("the block is incomplete", error);
  if (!reeve_ledger_pack_read_head (block, &head, error))
    return FALSE;
  if (head.size != size)
    return reeve_ledger_pack_bad ("the block is incomplete", error);
  length = size - REEVE_LEDGER_PACK_HEADER - REEVE_LEDGER_HASH_SIZE;
  if (crc32_z (0, packed, length) != reeve_ledger_pack_get (block + 12))
    return reeve_ledger_pack_bad ("the checksum of the block is wrong", error);
  raw = g_byte_array_new ();
  if (!reeve_ledger_pack_inflate (packed, length, raw)
      || !reeve_ledger_pack_count (raw, head.count))
    return reeve_ledger_pack_bad ("the block cannot be unpacked", error);
  reeve_ledger_pack_chain (raw, head.count, chain, records);
  *chained = memcmp (records->data + records->len - REEVE_LEDGER_HASH_SIZE, packed + length,
                     REEVE_LEDGER_HASH_SIZE)
             == 0;
  return TRUE;
}

/**
 * reeve_ledger_pack_close:
 * @entries: lengths and texts, one behind the other
 * @count: how many
 * @chain: chain hash of the last
 * @block: the block is appended to it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_FAILED
 */
gboolean
reeve_ledger_pack_close (GByteArray *entries, guint count,
                         const guint8 chain[REEVE_LEDGER_HASH_SIZE], GByteArray *block,
                         GError **error)
{
  uLongf length = compressBound (entries->len);
  g_autofree guint8 *packed = g_malloc (length);

  if (compress2 (packed, &length, entries->data, entries->len, REEVE_LEDGER_PACK_LEVEL) != Z_OK)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED, "compressing failed");
      return FALSE;
    }
  g_byte_array_append (block, (const guint8 *) REEVE_LEDGER_PACK_TAG, REEVE_LEDGER_PACK_TAG_SIZE);
  reeve_ledger_pack_put (block, count);
  reeve_ledger_pack_put (block, (guint32) length);
  reeve_ledger_pack_put (block, (guint32) crc32_z (0, packed, length));
  g_byte_array_append (block, packed, (guint) length);
  g_byte_array_append (block, chain, REEVE_LEDGER_HASH_SIZE);
  return TRUE;
}

/**
 * reeve_ledger_pack_peek:
 * @fd: a packed segment
 * @offset: where a block begins
 * @end: where the file ends
 * @head: (out caller-allocates): what its header says
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT, which a block is too that goes beyond @end, or a file
 * error
 */
gboolean
reeve_ledger_pack_peek (int fd, guint64 offset, guint64 end, ReeveLedgerPackHead *head,
                        GError **error)
{
  guint8 header[REEVE_LEDGER_PACK_HEADER];
  gssize n = reeve_ledger_file_read_at (fd, header, sizeof header, offset, error);

  if (n < 0)
    return FALSE;
  if (n != sizeof header)
    return reeve_ledger_pack_bad ("the block is incomplete", error);
  return reeve_ledger_pack_read_head (header, head, error)
         && (head->size <= end - offset
             || reeve_ledger_pack_bad ("the block is incomplete", error));
}

/**
 * reeve_ledger_pack_read:
 * @fd: a packed segment
 * @offset: where a block begins, before @end
 * @end: where the file ends
 * @chain: chain hash before its first record
 * @records: as reeve_ledger_pack_open()
 * @head: (out caller-allocates): what its header says
 * @chained: (out): as reeve_ledger_pack_open()
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT or a file error
 */
gboolean
reeve_ledger_pack_read (int fd, guint64 offset, guint64 end,
                        const guint8 chain[REEVE_LEDGER_HASH_SIZE], GByteArray *records,
                        ReeveLedgerPackHead *head, gboolean *chained, GError **error)
{
  g_autofree guint8 *block = NULL;
  gssize n = 0;

  if (!reeve_ledger_pack_peek (fd, offset, end, head, error))
    return FALSE;
  block = g_malloc (head->size);
  n = reeve_ledger_file_read_at (fd, block, head->size, offset, error);
  return n >= 0 && reeve_ledger_pack_open (block, (gsize) n, chain, records, chained, error);
}

/**
 * reeve_ledger_pack_sniff:
 * @fd: a segment
 * @offset: where records begin
 *
 * Returns: whether those are packed; what cannot be read is not
 */
gboolean
reeve_ledger_pack_sniff (int fd, guint64 offset)
{
  guint8 tag[REEVE_LEDGER_PACK_TAG_SIZE];
  gssize n = reeve_ledger_file_read_at (fd, tag, sizeof tag, offset, NULL);

  return n > 0 && reeve_ledger_pack_is (tag, (gsize) n);
}
