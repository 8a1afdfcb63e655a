/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that proves one record: C2SP tlog-proof, with the record itself as its extra data. */
#pragma once

#include "checkpoint.h"
#include "ledger-merkle.h"
#include "ledger-witnessed.h"

G_BEGIN_DECLS

/* a record of 16 KiB in base64, the path, the checkpoint */
#define REEVE_LEDGER_PROOF_MAX_SIZE (64 * 1024)

/**
 * ReeveLedgerProof:
 * @index: of the record, from 0: its number less one
 * @entry: what the leaf hash is over: length and text of the record
 * @path: inclusion proof
 * @checkpoint: the signed note
 */
typedef struct
{
  guint64 index;
  GBytes *entry;
  ReeveLedgerMerklePath path;
  char *checkpoint;
} ReeveLedgerProof;

ReeveLedgerProof *reeve_ledger_proof_parse (const char *text, gsize length, GError **error);
void reeve_ledger_proof_free (ReeveLedgerProof *self);
char *reeve_ledger_proof_format (const ReeveLedgerProof *self);
JsonObject *reeve_ledger_proof_verify (const ReeveLedgerProof *self, ReeveLedgerKey *key,
                                       const ReeveLedgerQuorum *quorum, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerProof, reeve_ledger_proof_free)

G_END_DECLS
