/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWitnessLog: which witness has cosigned what of one log. A plain value; what is shared of it
 * is under the lock of who has it. */
#pragma once

#include "governance/checkpoint.h"
#include "governance/cosigners.h"

G_BEGIN_DECLS

/* How a witness stands with a log. */
typedef enum
{
  REEVE_WITNESS_LOG_WAITING,    /* was not asked yet, or there is something new */
  REEVE_WITNESS_LOG_CURRENT,    /* has cosigned the last checkpoint */
  REEVE_WITNESS_LOG_FAILING,    /* gives no answer that says anything */
  REEVE_WITNESS_LOG_REFUSING,   /* does not serve this log */
  REEVE_WITNESS_LOG_CONFLICTING /* has cosigned what this log does not go on from */
} ReeveWitnessLogState;

/**
 * ReeveWitnessLogEntry:
 * @state: how it stands
 * @cosigned: how many records it has cosigned last, as far as is known
 * @time: when, seconds since 1970; 0: it did not
 * @line: (nullable): its cosignature over the note
 * @next_try: monotonic µs
 * @failures: tries in a row that did not succeed
 * @alarmed: that it conflicts is on record
 * @last_error: (nullable): of the last try that did not succeed
 * @next_look: monotonic µs: of who asks it
 */
typedef struct
{
  ReeveWitnessLogState state;
  guint64 cosigned;
  guint64 time;
  char *line;
  gint64 next_try;
  guint failures;
  gboolean alarmed;
  char *last_error;
  gint64 next_look;
} ReeveWitnessLogEntry;

/**
 * ReeveWitnessLog:
 * @note: (nullable): the checkpoint that is to be cosigned
 * @checkpoint: what it says
 * @stored: how many have cosigned what is kept
 * @begun_at: since when it is to be cosigned, monotonic µs; 0: it was read from the disk
 * @storing: somebody writes what was cosigned
 * @changed: there is something new for him
 * @gone: there is no such log any more
 * @entries: one for each witness
 */
typedef struct
{
  char *note;
  ReeveCheckpoint checkpoint;
  guint stored;
  gint64 begun_at;
  gboolean storing;
  gboolean changed;
  gboolean gone;
  guint count;
  ReeveWitnessLogEntry entries[REEVE_COSIGNERS_MAX];
} ReeveWitnessLog;

ReeveWitnessLog *reeve_witness_log_new (guint count);
void reeve_witness_log_free (ReeveWitnessLog *self);
void reeve_witness_log_recall (ReeveWitnessLog *self, const ReeveCosigners *keys, const char *note,
                               const ReeveCheckpoint *checkpoint);
void reeve_witness_log_begin (ReeveWitnessLog *self, char *note, const ReeveCheckpoint *checkpoint);
char *reeve_witness_log_make_note (const ReeveWitnessLog *self, guint quorum, guint *count);
void reeve_witness_log_fail (ReeveWitnessLogEntry *entry, ReeveWitnessLogState state,
                             const char *why, gint64 now);
void reeve_witness_log_succeed (ReeveWitnessLogEntry *entry, guint64 size, guint64 time,
                                const char *line);
void reeve_witness_log_outrun (ReeveWitnessLogEntry *entry);
gint64 reeve_witness_log_back_off (guint failures);
const char *reeve_witness_log_get_state_name (ReeveWitnessLogState state);

G_END_DECLS
