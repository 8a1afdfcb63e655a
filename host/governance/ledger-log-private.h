/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveLedgerLog share: ledger-log.c (writing, signing),
 * ledger-log-read.c (reading), ledger-log-cure.c (after an error of the disk). */
#pragma once

#include "ledger-base.h"
#include "ledger-leaves.h"
#include "ledger-log.h"
#include "ledger-segment.h"
#include "ledger-tiles.h"

G_BEGIN_DECLS

/* a segment in the making; verification does not count it */
#define REEVE_LEDGER_LOG_NEW_SEGMENT "next.lock"

struct _ReeveLedgerLog
{
  char *scope;
  char *folder;
  ReeveLedgerKey *key; /* the ledger's */
  char *second;        /* (nullable): where it goes on while its folder cannot be written */
  guint64 segment_size;
  guint64 opening_size;

  /* published: under the mutex */
  GMutex mutex;
  GPtrArray *segments;
  ReeveLedgerBase *base; /* (nullable): what stands before the first of them */
  ReeveLedgerState *state;
  ReeveLedgerLeaves *leaves; /* of what is not in a full tile yet */
  GError *failure;
  ReeveLedgerLogTrouble trouble; /* why there is a failure */
  guint64 away;               /* from this record on it is at the second place; 0: it is at home */
  ReeveLedgerLogTrouble home; /* why */
  gboolean leftover;          /* what came home lies there too */
  guint64 signed_size;
  guint32 signed_by; /* id of the key */
  gboolean signing;  /* somebody has the turn */
  GCond turn;        /* to sign */
  gint64 demand_due; /* when all that was signed on demand is paid for, monotonic µs */

  /* who has the turn to sign */
  guint64 tiles; /* full tiles of level 0 that are on the disk */

  /* the packer's own */
  gboolean blocked; /* something is in the way, and it was said */

  /* the writer thread's own */
  int fd;
  ReeveLedgerSegment *fresh; /* segment that this batch begins */
  ReeveLedgerBatch *batch;
  gsize written;    /* bytes of it that are in the file, perhaps not on the disk */
  gboolean hurried; /* somebody waits for it */
  gboolean sent;    /* it is durable in the write-ahead file */
  gint owed;        /* atomic: what was sent before is not certain to be durable in the segment */
  ReeveLedgerAhead *ahead; /* (nullable): where it was sent; the writer's */
  GError *left;            /* (nullable): why it has left home, until somebody is told */
  gboolean told;           /* that the second place fails as well */
  ReeveLedgerBack *back;   /* (nullable): what came home, until it is written down */
  gint64 month_from;       /* µs: the month in which the last segment was begun */
  gint64 month_to;         /* 0: not known yet */
};

/* a segment that is being packed */
#define REEVE_LEDGER_LOG_NEW_PACK "pack.lock"

/* the writer thread: nothing of the batch any more */
void reeve_ledger_log_reset_batch (ReeveLedgerLog *self);
/* up to so many records, full tiles are made durable; who has the turn to sign */
gboolean reeve_ledger_log_write_tiles (ReeveLedgerLog *self, guint64 size, GError **error);
/* (transfer full) a copy of the segment with record @seq, its index loaded, its file open in @fd;
 * @block: around @seq; @chain: the chain hash before that */
ReeveLedgerSegment *reeve_ledger_log_open_block (ReeveLedgerLog *self, guint64 seq,
                                                 ReeveLedgerSegmentBlock *block, guint8 *chain,
                                                 int *fd, GError **error);
/* the chain hash before the first record of @segment; @before: (nullable): the one before it */
gboolean reeve_ledger_log_read_chain (ReeveLedgerLog *self, const ReeveLedgerSegment *segment,
                                      const ReeveLedgerSegment *before, guint8 *chain,
                                      GError **error);
/* the writer thread, ledger-log-second.c: it goes on elsewhere; FALSE: it does not */
gboolean reeve_ledger_log_leave (ReeveLedgerLog *self, ReeveLedgerLogTrouble trouble,
                                 const GError *why);
/* says once that it cannot be written there either */
void reeve_ledger_log_tell (ReeveLedgerLog *self, const GError *why);
/* nothing was written there; trouble: becomes what leaving has found besides */
void reeve_ledger_log_stay (ReeveLedgerLog *self, ReeveLedgerLogTrouble *trouble);
/* (transfer none): where new files go */
const char *reeve_ledger_log_get_place (ReeveLedgerLog *self);
/* hashes of the records with number from @index * 256 + 1 on, @width of them */
gboolean reeve_ledger_log_read_leaves (ReeveLedgerLog *self, guint64 index, guint width,
                                       guint8 *hashes, GError **error);
/* when that record was made, at least 1; 0 with an error */
gint64 reeve_ledger_log_read_time (ReeveLedgerLog *self, guint64 seq, GError **error);
/* any thread: it is damaged, and takes nothing more; FALSE: it does not go on already */
gboolean reeve_ledger_log_close_damaged (ReeveLedgerLog *self, const GError *why);
void reeve_ledger_log_take_turn (ReeveLedgerLog *self);
void reeve_ledger_log_give_turn (ReeveLedgerLog *self);
gboolean reeve_ledger_log_sign_in_turn (ReeveLedgerLog *self, GError **error);
/* @firsts: (element-type guint64): files that the base has made superfluous */
gboolean reeve_ledger_log_remove_files (ReeveLedgerLog *self, GArray *firsts, GError **error);
/* (nullable) */
ReeveLedgerSegment *reeve_ledger_log_last (ReeveLedgerLog *self);

G_END_DECLS
