/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One file of a log and the rebuildable index that finds a record in it. */
#pragma once

#include "ledger-scanner.h"

G_BEGIN_DECLS

/* one offset is kept for so many records; so many are read to find one */
#define REEVE_LEDGER_SEGMENT_STRIDE 32

#define REEVE_LEDGER_SEGMENT_SUFFIX       ".log"
#define REEVE_LEDGER_SEGMENT_INDEX_SUFFIX ".idx"

/**
 * ReeveLedgerSegment:
 * @path: the file
 * @first: sequence number of its first record
 * @count: records in it that are durable
 * @end: bytes of those
 * @offsets: (nullable) (element-type guint32): where records first, first + stride … begin; %NULL
 * until loaded
 *
 * Guarded by the log it belongs to. Reads work on a copy.
 */
typedef struct
{
  char *path;
  guint64 first;
  guint64 count;
  guint64 end;
  GArray *offsets;
} ReeveLedgerSegment;

ReeveLedgerSegment *reeve_ledger_segment_new (const char *folder, guint64 first);
ReeveLedgerSegment *reeve_ledger_segment_copy (const ReeveLedgerSegment *self);
void reeve_ledger_segment_free (ReeveLedgerSegment *self);
guint64 reeve_ledger_segment_parse_name (const char *name);
gboolean reeve_ledger_segment_is_ignored (const char *name);

void reeve_ledger_segment_note (ReeveLedgerSegment *self, guint64 offset);
gboolean reeve_ledger_segment_load_index (ReeveLedgerSegment *self, GError **error);
void reeve_ledger_segment_remove_index (const ReeveLedgerSegment *self);
gboolean reeve_ledger_segment_save_index (const ReeveLedgerSegment *self, GError **error);
GByteArray *reeve_ledger_segment_read_block (const ReeveLedgerSegment *self, guint64 seq,
                                             guint64 *first, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerSegment, reeve_ledger_segment_free)

G_END_DECLS
