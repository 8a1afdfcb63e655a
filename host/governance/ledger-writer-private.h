/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of ReeveLedgerWriter share: ledger-writer.c (the queue, its thread, who waits for
 * it), ledger-writer-batch.c (what becomes of a batch). */
#pragma once

#include "ledger-writer.h"

#include "instruments.h"

G_BEGIN_DECLS

/* a thread that waits */
typedef struct
{
  GMutex mutex;
  GCond cond;
  gboolean done;
  guint64 seq;
  GError *error;
} ReeveLedgerWriterWaiter;

typedef struct _ReeveLedgerWriterJob ReeveLedgerWriterJob;
struct _ReeveLedgerWriterJob
{
  ReeveLedgerWriterJob *next;
  char *scope;
  ReeveLedgerLine line;
  ReeveLedgerPort *port;           /* with a task */
  GTask *task;                     /* or */
  ReeveLedgerWriterWaiter *waiter; /* or neither: nobody waits */
  gboolean trial;                  /* may a log be used that could not be written? */
  gboolean home;                   /* no record: the log comes home if it can */
  gboolean may_wait;               /* for the next sync of its log */
  /* while it is being written */
  ReeveLedgerLog *log;
  guint64 seq;
  GError *error;
};

struct _ReeveLedgerWriter
{
  ReeveLedgerWriterResolve resolve;
  ReeveLedgerWriterTrouble trouble;
  ReeveLedgerWriterLeft left;
  gpointer user_data;
  ReeveInstruments *instruments; /* (nullable) */
  gint64 delay;                  /* µs: how long what may wait is not synced */
  ReeveLedgerAhead *ahead;
  ReeveCpuLatency *latency; /* (nullable): the thread's own, borrowed */
  GThread *thread;

  GMutex mutex;
  GCond cond;
  ReeveLedgerWriterJob *first;
  ReeveLedgerWriterJob *last;
  guint depth;
  gboolean stopping;
  gboolean due;     /* what waits is to be taken */
  gboolean idle;    /* the thread waits for that */
  gboolean crowded; /* the last batch was large */
  guint waiters;    /* who wait for an answer to what was pushed */
  guint64 pushed;   /* jobs so far */
  guint64 taken;
  guint64 through; /* of those that were taken: answered */
  GCond answered;

  /* the thread's own */
  ReeveLedgerWriterJob *written; /* what is written and not synced, oldest first */
  guint n_written;               /* with those of the batch that is being written */
  gint64 sync_at;                /* when that is to be synced; 0: there is none */
  gboolean hurry;                /* nothing waits */
  gint64 awake_until;            /* processors are kept awake: until when; 0: they are not */
  GPtrArray *touched;            /* logs with records that are not synced */
  GPtrArray *syncing;            /* those of them that are now */
  GPtrArray *with_file;
  GQueue kept; /* of ReeveLedgerWriterJob: outcomes that could not be written */
};

/* (transfer full) (nullable) */
ReeveLedgerWriterJob *reeve_ledger_writer_job_new (const ReeveLedgerRecord *record, GError **error);
void reeve_ledger_writer_job_free (ReeveLedgerWriterJob *job);
/* In the thread. jobs: (transfer full) (nullable): NULL: what is written is synced */
void reeve_ledger_writer_run_batch (ReeveLedgerWriter *self, ReeveLedgerWriterJob *jobs);

G_END_DECLS
