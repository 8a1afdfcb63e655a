/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Merkle tree of RFC 6962: proofs made from any source of hashes, and their verification. */
#pragma once

#include "ledger-frontier.h"

G_BEGIN_DECLS

/* more than any tree of ours has levels; the most that C2SP lets one send */
#define REEVE_LEDGER_MERKLE_PATH 63

/**
 * ReeveLedgerMerklePath:
 * @count: number of hashes
 * @hashes: in the order of RFC 6962, from the leaf up
 *
 * An inclusion or consistency proof.
 */
typedef struct
{
  guint count;
  guint8 hashes[REEVE_LEDGER_MERKLE_PATH][REEVE_LEDGER_HASH_SIZE];
} ReeveLedgerMerklePath;

/* The root of the perfect subtree number @index of 2^@height leaves. */
typedef gboolean (*ReeveLedgerMerkleGet) (guint height, guint64 index,
                                          guint8 hash[REEVE_LEDGER_HASH_SIZE], gpointer user_data,
                                          GError **error);

void reeve_ledger_merkle_join (const guint8 *left, const guint8 *right, guint8 *node);
void reeve_ledger_merkle_fold (const guint8 *hashes, guint count,
                               guint8 root[REEVE_LEDGER_HASH_SIZE]);
gboolean reeve_ledger_merkle_root (ReeveLedgerMerkleGet get, gpointer user_data, guint64 size,
                                   guint8 root[REEVE_LEDGER_HASH_SIZE], GError **error);
gboolean reeve_ledger_merkle_include (ReeveLedgerMerkleGet get, gpointer user_data, guint64 index,
                                      guint64 size, ReeveLedgerMerklePath *path, GError **error);
gboolean reeve_ledger_merkle_extend (ReeveLedgerMerkleGet get, gpointer user_data, guint64 old_size,
                                     guint64 size, ReeveLedgerMerklePath *path, GError **error);
gboolean reeve_ledger_merkle_check_inclusion (const ReeveLedgerMerklePath *path, guint64 index,
                                              guint64 size,
                                              const guint8 leaf[REEVE_LEDGER_HASH_SIZE],
                                              const guint8 root[REEVE_LEDGER_HASH_SIZE]);
gboolean reeve_ledger_merkle_check_extension (const ReeveLedgerMerklePath *path, guint64 old_size,
                                              const guint8 old_root[REEVE_LEDGER_HASH_SIZE],
                                              guint64 size,
                                              const guint8 root[REEVE_LEDGER_HASH_SIZE]);

G_END_DECLS
