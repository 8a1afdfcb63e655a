/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of one scope: appended to by the writer thread, read and signed by others. */
#pragma once

#include "checkpoint.h"
#include "ledger-ahead.h"
#include "ledger-base.h"
#include "ledger-batch.h"
#include "ledger-key.h"
#include "ledger-merkle.h"
#include "ledger-second.h"

G_BEGIN_DECLS

/* a new file is begun when the last one has grown to this, and the last is packed then: so much of
 * a log is not packed at most; offsets in a file must fit 32 bits */
#define REEVE_LEDGER_LOG_SEGMENT_SIZE (2 * 1024 * 1024)

typedef struct _ReeveLedgerLog ReeveLedgerLog;

/* what keeps a log from being written, least first */
typedef enum
{
  REEVE_LEDGER_LOG_WELL,
  REEVE_LEDGER_LOG_UNWRITTEN, /* a write did not succeed; may be cured */
  REEVE_LEDGER_LOG_UNSYNCED,  /* a sync did not: only a new start knows what is on the disk */
  REEVE_LEDGER_LOG_DAMAGED    /* found when it was opened, or was to be packed; stays */
} ReeveLedgerLogTrouble;

ReeveLedgerLog *reeve_ledger_log_open (const char *root, const char *scope, ReeveLedgerKey *key,
                                       guint64 segment_size, guint64 *cut);
/* before it is used; second: (transfer full) (nullable) */
void reeve_ledger_log_set_second (ReeveLedgerLog *self, char *second);
void reeve_ledger_log_free (ReeveLedgerLog *self);
const char *reeve_ledger_log_get_scope (ReeveLedgerLog *self);

/* the writer thread */
gboolean reeve_ledger_log_add (ReeveLedgerLog *self, const ReeveLedgerLine *line, guint64 *seq,
                               GError **error);
gboolean reeve_ledger_log_write (ReeveLedgerLog *self, ReeveLedgerLogTrouble *trouble,
                                 GError **error);
gboolean reeve_ledger_log_finish (ReeveLedgerLog *self, GError **error);
gboolean reeve_ledger_log_has_batch (ReeveLedgerLog *self);
/* somebody waits for the batch; may it stay written and not synced? */
void reeve_ledger_log_hurry (ReeveLedgerLog *self);
gboolean reeve_ledger_log_may_wait (ReeveLedgerLog *self);
gboolean reeve_ledger_log_close_file (ReeveLedgerLog *self, GError **error);
void reeve_ledger_log_rest (ReeveLedgerLog *self);
void reeve_ledger_log_start_writeback (ReeveLedgerLog *self);
/* (element-type ReeveLedgerLog) those that are to be durable; all with an open file */
void reeve_ledger_log_send_ahead (GPtrArray *logs, GPtrArray *all, guint most,
                                  ReeveLedgerAhead *ahead);
void reeve_ledger_log_settle (ReeveLedgerLog *self);
void reeve_ledger_log_settle_all (GPtrArray *all, ReeveLedgerAhead *ahead);
void reeve_ledger_log_fail (ReeveLedgerLog *self, ReeveLedgerLogTrouble trouble,
                            const GError *error);
gboolean reeve_ledger_log_cure (ReeveLedgerLog *self);
void reeve_ledger_log_come_home (ReeveLedgerLog *self);
/* (transfer full) (nullable): once, why it has gone to the second place; once, what came home */
GError *reeve_ledger_log_take_left (ReeveLedgerLog *self);
ReeveLedgerBack *reeve_ledger_log_take_back (ReeveLedgerLog *self);
/* the record that says so; it borrows from back */
void reeve_ledger_log_describe_back (ReeveLedgerBack *back, ReeveLedgerRecord *record);

/* any thread */
guint64 reeve_ledger_log_get_size (ReeveLedgerLog *self);
void reeve_ledger_log_get_checkpoint (ReeveLedgerLog *self, ReeveCheckpoint *checkpoint);
guint64 reeve_ledger_log_get_opening_size (ReeveLedgerLog *self);
ReeveLedgerLogTrouble reeve_ledger_log_get_trouble (ReeveLedgerLog *self);
/* is it at the second place? 0: no; else its first record there */
guint64 reeve_ledger_log_get_away (ReeveLedgerLog *self);
/* can it come home without a new start, or is there something to tidy up? */
gboolean reeve_ledger_log_wants_home (ReeveLedgerLog *self);
gboolean reeve_ledger_log_check (ReeveLedgerLog *self, GError **error);
guint64 reeve_ledger_log_get_base (ReeveLedgerLog *self);
ReeveLedgerBase *reeve_ledger_log_dup_base (ReeveLedgerLog *self);
GArray *reeve_ledger_log_list_open (ReeveLedgerLog *self);
GByteArray *reeve_ledger_log_read_block (ReeveLedgerLog *self, guint64 seq, gboolean on,
                                         guint64 *first, GError **error);
gboolean reeve_ledger_log_sign (ReeveLedgerLog *self, GError **error);
/* packs what is complete and signed, unless @stop (atomic) becomes 1 */
gboolean reeve_ledger_log_pack (ReeveLedgerLog *self, gint *stop, GError **error);
gboolean reeve_ledger_log_sign_now (ReeveLedgerLog *self, guint64 seq, GError **error);
char *reeve_ledger_log_read_checkpoint (ReeveLedgerLog *self, ReeveCheckpoint *checkpoint,
                                        GError **error);

/* gets one record */
typedef void (*ReeveLedgerLogScanFunc) (guint64 seq, const ReeveLedgerEntry *entry,
                                        gpointer user_data);
gboolean reeve_ledger_log_scan (ReeveLedgerLog *self, guint64 seq, guint64 count,
                                ReeveLedgerLogScanFunc func, gpointer user_data, GError **error);
gboolean reeve_ledger_log_include (ReeveLedgerLog *self, guint64 seq,
                                   const guint8 leaf[REEVE_LEDGER_HASH_SIZE],
                                   const ReeveCheckpoint *checkpoint, ReeveLedgerMerklePath *path,
                                   GError **error);
gboolean reeve_ledger_log_extend (ReeveLedgerLog *self, guint64 old_size,
                                  const ReeveCheckpoint *checkpoint, ReeveLedgerMerklePath *path,
                                  GError **error);

/* retention; worker threads */
gboolean reeve_ledger_log_plan_retire (ReeveLedgerLog *self, gint64 horizon, guint64 limit,
                                       guint64 *last, GError **error);
gboolean reeve_ledger_log_retire (ReeveLedgerLog *self, guint64 last, guint keys, const char *rule,
                                  gint64 time, GError **error);

/* its end; worker threads. From here on it takes nothing */
gboolean reeve_ledger_log_shut (ReeveLedgerLog *self, guint64 size, GError **error);
gboolean reeve_ledger_log_is_still (ReeveLedgerLog *self, guint64 size);
void reeve_ledger_log_unshut (ReeveLedgerLog *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerLog, reeve_ledger_log_free)

G_END_DECLS
