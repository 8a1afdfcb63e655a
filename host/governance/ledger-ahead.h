/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The write-ahead file of a ledger: batches that are durable before their segments are. */
#pragma once

#include <glib.h>

#include "ledger-merkle.h"

G_BEGIN_DECLS

/* beside the logs; a name that verification leaves out */
#define REEVE_LEDGER_AHEAD_FILE "ahead.lock"
/* some thousand records: their segments are synced once for all of them */
#define REEVE_LEDGER_AHEAD_SIZE (1024 * 1024)
/* what is synced at once begins where one does: at least as long as one of any disk */
#define REEVE_LEDGER_AHEAD_BLOCK 4096
/* a ledger that was synced so often since its start is written often */
#define REEVE_LEDGER_AHEAD_AFTER 64
/* bytes of a frame besides its scope and its records */
#define REEVE_LEDGER_AHEAD_HEAD  80
#define REEVE_LEDGER_AHEAD_FRAME (REEVE_LEDGER_AHEAD_HEAD + REEVE_LEDGER_HASH_SIZE)

/**
 * ReeveLedgerAheadFrame:
 * @scope: whose log
 * @scope_length: bytes of it
 * @first: number of the first record in the segment
 * @offset: where in that file the records begin
 * @chain: chain hash of the record before them
 * @bytes: the records as they stand in the file
 * @length: bytes of them
 * @round: which use of the file, from its beginning, it belongs to
 * @number: its place in that, from 0
 *
 * A batch of one log. Borrows everything.
 */
typedef struct
{
  const char *scope;
  gsize scope_length;
  guint64 first;
  guint64 offset;
  const guint8 *chain;
  const guint8 *bytes;
  gsize length;
  guint64 round;
  guint64 number;
} ReeveLedgerAheadFrame;

typedef struct _ReeveLedgerAhead ReeveLedgerAhead;

ReeveLedgerAhead *reeve_ledger_ahead_new (const char *folder, guint after);
void reeve_ledger_ahead_free (ReeveLedgerAhead *self);
/* is it to be used for the next sync? */
gboolean reeve_ledger_ahead_begin (ReeveLedgerAhead *self);
gboolean reeve_ledger_ahead_add (ReeveLedgerAhead *self, const ReeveLedgerAheadFrame *frame);
gboolean reeve_ledger_ahead_commit (ReeveLedgerAhead *self, GError **error);
gboolean reeve_ledger_ahead_is_full (ReeveLedgerAhead *self);
void reeve_ledger_ahead_restart (ReeveLedgerAhead *self);
void reeve_ledger_ahead_keep (ReeveLedgerAhead *self);
void reeve_ledger_ahead_end (ReeveLedgerAhead *self);

/* reads the frame at @data; 0: there is none; else its bytes */
gsize reeve_ledger_ahead_parse (const guint8 *data, gsize length, ReeveLedgerAheadFrame *frame);
gsize reeve_ledger_ahead_go_on (const guint8 *data, gsize length, gsize at);
gboolean reeve_ledger_ahead_replay (const char *folder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerAhead, reeve_ledger_ahead_free)

G_END_DECLS
