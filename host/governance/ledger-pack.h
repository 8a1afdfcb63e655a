/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The packed form of records: blocks of up to 256, compressed, their chain hashes left out. */
#pragma once

#include "ledger-frontier.h"

G_BEGIN_DECLS

/* a file whose first record has an impossible length, these four bytes, is packed */
#define REEVE_LEDGER_PACK_TAG      "RVP1"
#define REEVE_LEDGER_PACK_TAG_SIZE 4
/* tag, records, packed bytes, CRC-32 of those; each but the tag 4 bytes, big-endian */
#define REEVE_LEDGER_PACK_HEADER 16
/* the entries of one tile, so that a block is one C2SP entry bundle, or a part of it */
#define REEVE_LEDGER_PACK_WIDTH 256

/**
 * ReeveLedgerPackHead:
 * @count: records, 1 to 256
 * @size: bytes of the whole block: header, packed bytes, chain hash of the last record
 */
typedef struct
{
  guint count;
  gsize size;
} ReeveLedgerPackHead;

gboolean reeve_ledger_pack_is (const guint8 *bytes, gsize length);
gboolean reeve_ledger_pack_read_head (const guint8 header[REEVE_LEDGER_PACK_HEADER],
                                      ReeveLedgerPackHead *head, GError **error);
/* @records: gets chain hash, length, text, chain hash, length, text … chain hash; @chained: whether
 * the last of those is the one that the block says */
gboolean reeve_ledger_pack_open (const guint8 *block, gsize size,
                                 const guint8 chain[REEVE_LEDGER_HASH_SIZE], GByteArray *records,
                                 gboolean *chained, GError **error);
/* @entries: length, text, length, text …; appends to @block */
gboolean reeve_ledger_pack_close (GByteArray *entries, guint count,
                                  const guint8 chain[REEVE_LEDGER_HASH_SIZE], GByteArray *block,
                                  GError **error);
/* The block that begins at @offset of a file; @size: (out): its bytes. */
gboolean reeve_ledger_pack_read (int fd, guint64 offset, guint64 end,
                                 const guint8 chain[REEVE_LEDGER_HASH_SIZE], GByteArray *records,
                                 ReeveLedgerPackHead *head, gboolean *chained, GError **error);
/* Its header alone. */
gboolean reeve_ledger_pack_peek (int fd, guint64 offset, guint64 end, ReeveLedgerPackHead *head,
                                 GError **error);
/* Do packed records stand at @offset of a file? */
gboolean reeve_ledger_pack_sniff (int fd, guint64 offset);

G_END_DECLS
