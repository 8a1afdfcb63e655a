/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One file of a log and the rebuildable index that finds a record in it. */
#pragma once

#include "ledger-scanner.h"

G_BEGIN_DECLS

/* one offset is kept for so many records; so many are read to find one */
#define REEVE_LEDGER_SEGMENT_STRIDE 32
/* and so many times that at once by who goes on */
#define REEVE_LEDGER_SEGMENT_STRIDES 4

#define REEVE_LEDGER_SEGMENT_SUFFIX       ".log"
#define REEVE_LEDGER_SEGMENT_INDEX_SUFFIX ".idx"

/**
 * ReeveLedgerSegment:
 * @path: the file
 * @first: sequence number of its first record
 * @count: records in it that are durable
 * @end: bytes of those
 * @packed: it was packed, for all that is known: reeve_ledger_segment_open() looks
 * @offsets: (nullable) (element-type guint32): where records first, first + stride … begin, of a
 * packed one its blocks; %NULL until loaded
 * @starts: (nullable) (element-type guint32): of a packed one: records before each block
 *
 * Guarded by the log it belongs to. Reads work on a copy.
 */
typedef struct
{
  char *path;
  guint64 first;
  guint64 count;
  guint64 end;
  gboolean packed;
  GArray *offsets;
  GArray *starts;
} ReeveLedgerSegment;

/**
 * ReeveLedgerSegmentBlock:
 * @first: sequence number of its first record
 * @offset: where it begins
 * @end: where it ends
 *
 * Records that are read at once.
 */
typedef struct
{
  guint64 first;
  guint64 offset;
  guint64 end;
} ReeveLedgerSegmentBlock;

ReeveLedgerSegment *reeve_ledger_segment_new (const char *folder, guint64 first);
ReeveLedgerSegment *reeve_ledger_segment_copy (const ReeveLedgerSegment *self);
void reeve_ledger_segment_free (ReeveLedgerSegment *self);
guint64 reeve_ledger_segment_parse_name (const char *name);
gboolean reeve_ledger_segment_is_ignored (const char *name);

void reeve_ledger_segment_note (ReeveLedgerSegment *self, guint64 offset);
gboolean reeve_ledger_segment_load_index (ReeveLedgerSegment *self, GError **error);
void reeve_ledger_segment_remove_index (const ReeveLedgerSegment *self);
gboolean reeve_ledger_segment_save_index (const ReeveLedgerSegment *self, GError **error);
int reeve_ledger_segment_open (ReeveLedgerSegment *self, GError **error);
ReeveLedgerSegmentBlock reeve_ledger_segment_locate (const ReeveLedgerSegment *self, guint64 seq,
                                                     gboolean on);
GByteArray *reeve_ledger_segment_read_block (const ReeveLedgerSegment *self, int fd,
                                             const ReeveLedgerSegmentBlock *block,
                                             const guint8 *chain, GError **error);
gboolean reeve_ledger_segment_read_last (const ReeveLedgerSegment *self, guint8 *chain,
                                         GError **error);
/* one more block of a packed segment */
void reeve_ledger_segment_note_block (ReeveLedgerSegment *self, guint32 start, guint32 offset);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerSegment, reeve_ledger_segment_free)

G_END_DECLS
