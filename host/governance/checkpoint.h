/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A signed statement of how long a ledger was and what its Merkle root was: a C2SP checkpoint. */
#pragma once

#include "ledger-frontier.h"
#include "ledger-key.h"

G_BEGIN_DECLS

/* the start of the first line; the scope follows */
#define REEVE_CHECKPOINT_ORIGIN   "reeve-ledger/"
#define REEVE_CHECKPOINT_FILE     "checkpoint"
#define REEVE_CHECKPOINT_MAX_SIZE 4096

/**
 * ReeveCheckpoint:
 * @size: number of records
 * @root: RFC 6962 root over them
 * @key_id: of a checkpoint that was read: which key has signed it
 */
typedef struct
{
  guint64 size;
  guint8 root[REEVE_LEDGER_HASH_SIZE];
  guint32 key_id;
} ReeveCheckpoint;

char *reeve_checkpoint_format (const ReeveCheckpoint *self, const char *scope, ReeveLedgerKey *key,
                               GError **error);
gboolean reeve_checkpoint_parse (ReeveCheckpoint *self, const char *text, gsize length,
                                 const char *scope, ReeveLedgerKey *key, GError **error);
gboolean reeve_checkpoint_parse_any (ReeveCheckpoint *self, const char *text, gsize length,
                                     char **scope, ReeveLedgerKey *key, GError **error);
gboolean reeve_checkpoint_write (const ReeveCheckpoint *self, const char *folder, const char *scope,
                                 ReeveLedgerKey *key, GError **error);
char *reeve_checkpoint_load (ReeveCheckpoint *self, const char *folder, const char *scope,
                             ReeveLedgerKey *key, GError **error);
gboolean reeve_checkpoint_read (ReeveCheckpoint *self, const char *folder, const char *scope,
                                ReeveLedgerKey *key, GError **error);

/* Of any note by the ledger's key. */
char *reeve_checkpoint_sign_note (const char *body, ReeveLedgerKey *key, GError **error);
gboolean reeve_checkpoint_parse_signature (const char *line, ReeveLedgerKey *key, guint32 *id,
                                           guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE],
                                           GError **error);

G_END_DECLS
