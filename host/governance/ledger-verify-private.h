/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that verify a log share: ledger-verify.c (records, and the whole folder),
 * ledger-verify-base.c (records that were dropped), ledger-verify-logs.c (which logs must be
 * there).
 */
#pragma once

#include "checkpoint.h"
#include "ledger-base.h"
#include "ledger-scanner.h"
#include "ledger-state.h"
#include "ledger-verify-tiles.h"
#include "ledger-witnessed.h"

G_BEGIN_DECLS

/* a checkpoint that somebody kept */
typedef struct
{
  char *scope;
  ReeveCheckpoint checkpoint;
} ReeveLedgerVerifySince;

typedef struct
{
  const char *scope;
  ReeveLedgerState *state;
  ReeveLedgerVerifyTiles *tiles;
  ReeveCheckpoint checkpoint;
  ReeveLedgerBase *base;           /* (nullable): what stands for records that were dropped */
  guint left_over;                 /* files of those that are still there */
  ReeveCheckpoint witnessed;       /* of no size: none */
  const ReeveLedgerQuorum *quorum; /* (nullable): who must have cosigned that */
  guint witnesses;                 /* how many of them have */
  const ReeveCheckpoint *known;    /* (nullable): what the host that has the log knows of it */
  GPtrArray *since;                /* (nullable) of ReeveLedgerVerifySince, by size */
  gboolean live;                   /* somebody may be writing the last record now */
  guint64 torn;                    /* bytes of an incomplete last record */
  ReeveLedgerKey *key;
  guint rotations;    /* of the platform's log: by its records, this key of the list signs */
  GPtrArray *created; /* (nullable): scopes whose logs the records say were made */
  GPtrArray *ended;   /* (nullable) of ReeveLedgerEnded: logs that they say went as a whole */
  char *file;         /* name of the file that is bad */
  guint64 bad_seq;
} ReeveLedgerVerify;

/* always FALSE: names what is bad; the error is set already */
gboolean reeve_ledger_verify_bad (ReeveLedgerVerify *self, const char *file, guint64 seq);
gboolean reeve_ledger_verify_bad_tile (ReeveLedgerVerify *self, ReeveLedgerVerifyTilesFault *fault);
gboolean reeve_ledger_verify_check_root (ReeveLedgerVerify *self, GError **error);
/* (transfer full) (nullable) */
char *reeve_ledger_verify_get_event (const ReeveLedgerEntry *entry, const char *action);

gboolean reeve_ledger_verify_base (ReeveLedgerVerify *self, const char *folder, GError **error);
gboolean reeve_ledger_verify_base_moved (ReeveLedgerVerify *self, const char *folder, guint64 size);
GArray *reeve_ledger_verify_list_segments (ReeveLedgerVerify *self, const char *folder,
                                           GError **error);

/* of the platform's log: what a record says of other logs */
void reeve_ledger_verify_note_logs (ReeveLedgerVerify *self, const ReeveLedgerEntry *entry);
/* (transfer full) of ReeveLedgerVerifySince; texts: (nullable) of GBytes */
GPtrArray *reeve_ledger_verify_read_since (GPtrArray *texts, ReeveLedgerKey *key, GError **error);
/* adds to @logs a verdict on each that must be there and is none of @scopes */
void reeve_ledger_verify_add_missing (const ReeveLedgerVerify *platform, JsonArray *logs,
                                      char **scopes);

G_END_DECLS
