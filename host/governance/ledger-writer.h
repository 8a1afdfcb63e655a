/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one thread that writes all logs. */
#pragma once

#include "ledger-log.h"
#include "ledger-port.h"

G_BEGIN_DECLS

/* Jobs that may wait; outcomes may use as many again, for their effects have happened. */
#define REEVE_LEDGER_WRITER_QUEUE 65536

typedef struct _ReeveLedgerWriter ReeveLedgerWriter;

/* what a thread has not told the writer of */
typedef enum
{
  REEVE_LEDGER_HELD_NOTHING,
  REEVE_LEDGER_HELD_OUTCOME, /* one that may wait for the next record, for a moment */
  REEVE_LEDGER_HELD_RECORDS  /* to be released before the thread sleeps */
} ReeveLedgerHeld;

/* (transfer none) the log of a scope, made if need be; on the writer's thread */
typedef ReeveLedgerLog *(*ReeveLedgerWriterResolve) (const char *scope, gpointer user_data,
                                                     GError **error);

/* Something could not be written; @begins: the log of a scope that has none yet. Returns whether it
 * is worth trying again at once: there is more room on the disk. On the writer's thread. */
typedef gboolean (*ReeveLedgerWriterTrouble) (const GError *error, gboolean begins,
                                              gpointer user_data);

/* A log goes on at the second place, from record @from on. On the writer's thread. */
typedef void (*ReeveLedgerWriterLeft) (const char *scope, guint64 from, const GError *why,
                                       gpointer user_data);

ReeveLedgerWriter *reeve_ledger_writer_new (ReeveLedgerWriterResolve resolve,
                                            ReeveLedgerWriterTrouble trouble,
                                            ReeveLedgerWriterLeft left, gpointer user_data,
                                            gint64 delay, ReeveInstruments *instruments,
                                            ReeveLedgerAhead *ahead, ReeveCpuLatency *latency);
/* jobs that wait; any thread */
guint reeve_ledger_writer_get_depth (ReeveLedgerWriter *self);
void reeve_ledger_writer_stop (ReeveLedgerWriter *self);
void reeve_ledger_writer_free (ReeveLedgerWriter *self);
gboolean reeve_ledger_writer_submit (ReeveLedgerWriter *self, const ReeveLedgerRecord *record,
                                     ReeveLedgerPort *port, GTask *task, ReeveLedgerHeld *held,
                                     GError **error);
/* what was held back is written now */
void reeve_ledger_writer_release (ReeveLedgerWriter *self);
/* Opens a log again that could not be written, if it can be now; @record is the first in it. */
gboolean reeve_ledger_writer_try (ReeveLedgerWriter *self, const ReeveLedgerRecord *record,
                                  GError **error);
/* A log that is at the second place comes home if it can. */
void reeve_ledger_writer_bring_home (ReeveLedgerWriter *self, const char *scope);
guint64 reeve_ledger_writer_append (ReeveLedgerWriter *self, const ReeveLedgerRecord *record,
                                    GError **error);
/* Blocks until what was queued before is durable, or refused. */
void reeve_ledger_writer_wait (ReeveLedgerWriter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerWriter, reeve_ledger_writer_free)

G_END_DECLS
