/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a log begins whose first records were dropped: a note signed by the ledger's key. */
#pragma once

#include "ledger-frontier.h"
#include "ledger-key.h"

G_BEGIN_DECLS

/* the start of the first line; the scope follows. No checkpoint begins so */
#define REEVE_LEDGER_BASE_ORIGIN   "reeve-ledger-base/"
#define REEVE_LEDGER_BASE_FILE     "base"
#define REEVE_LEDGER_BASE_MAX_SIZE (24 * 1024)
#define REEVE_LEDGER_BASE_MAX_RULE 64
/* leaves of a tile that is not full */
#define REEVE_LEDGER_BASE_LEAVES 255

/**
 * ReeveLedgerBase:
 * @chain: chain hash before the first record that is kept
 * @frontier: of the Merkle tree over what was dropped; its size is the number of those records
 * @leaves: leaf hashes of the last records that were dropped, behind the last full tile
 * @time: when it was made, µs
 * @keys: changes of the signing key among what was dropped; of the platform's log
 * @rule: what asked for it, no spaces: `audit.retention_days=365`
 * @key_id: of a base that was read: which key has signed it
 *
 * A plain value.
 */
typedef struct
{
  guint8 chain[REEVE_LEDGER_HASH_SIZE];
  ReeveLedgerFrontier frontier;
  guint8 leaves[REEVE_LEDGER_BASE_LEAVES][REEVE_LEDGER_HASH_SIZE];
  gint64 time;
  guint keys;
  char rule[REEVE_LEDGER_BASE_MAX_RULE + 1];
  guint32 key_id;
} ReeveLedgerBase;

guint reeve_ledger_base_count_leaves (const ReeveLedgerBase *self);
char *reeve_ledger_base_format (const ReeveLedgerBase *self, const char *scope, ReeveLedgerKey *key,
                                GError **error);
gboolean reeve_ledger_base_parse (ReeveLedgerBase *self, const char *text, gsize length,
                                  const char *scope, ReeveLedgerKey *key, GError **error);
gboolean reeve_ledger_base_write (const ReeveLedgerBase *self, const char *folder,
                                  const char *scope, ReeveLedgerKey *key, GError **error);
/* *base (out) (nullable) (transfer full): g_free(); NULL: the log begins with its first record */
gboolean reeve_ledger_base_load (ReeveLedgerBase **base, const char *folder, const char *scope,
                                 ReeveLedgerKey *key, GError **error);

G_END_DECLS
