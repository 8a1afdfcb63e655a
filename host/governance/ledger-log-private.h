/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveLedgerLog share: ledger-log.c (writing, signing),
 * ledger-log-read.c (reading), ledger-log-cure.c (after an error of the disk). */
#pragma once

#include "ledger-log.h"
#include "ledger-segment.h"

G_BEGIN_DECLS

/* a segment in the making; verification does not count it */
#define REEVE_LEDGER_LOG_NEW_SEGMENT "next.lock"

struct _ReeveLedgerLog
{
  char *scope;
  char *folder;
  ReeveLedgerKey *key; /* the ledger's */
  guint64 segment_size;
  guint64 opening_size;

  /* published: under the mutex */
  GMutex mutex;
  GPtrArray *segments;
  ReeveLedgerState *state;
  GError *failure;
  ReeveLedgerLogTrouble trouble; /* why there is a failure */
  guint64 signed_size;

  /* the writer thread's own */
  int fd;
  ReeveLedgerSegment *fresh; /* segment that this batch begins */
  ReeveLedgerBatch *batch;
};

/* the writer thread: nothing of the batch any more */
void reeve_ledger_log_reset_batch (ReeveLedgerLog *self);
/* (nullable) */
ReeveLedgerSegment *reeve_ledger_log_last (ReeveLedgerLog *self);

G_END_DECLS
