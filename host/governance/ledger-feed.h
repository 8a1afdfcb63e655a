/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading on in a log, for those who follow it. */
#pragma once

#include "ledger-format.h"

G_BEGIN_DECLS

/* Which records, written how, how many at once. */
typedef struct
{
  const ReeveLedgerFilter *filter;
  ReeveLedgerFormat format;
  guint max_records;
  gsize max_bytes;   /* not passed but by the first record */
  gboolean unspoken; /* the records alone: no text is made, and bytes are not counted */
} ReeveLedgerFeed;

/* Gets one record: its text is one line without its end; NULL where none is made. */
typedef void (*ReeveLedgerFeedFunc) (const ReeveLedgerRecord *record, const char *text,
                                     gpointer user_data);

gboolean reeve_ledger_feed_read (ReeveLedger *ledger, const char *scope,
                                 const ReeveLedgerFeed *feed, guint64 after,
                                 ReeveLedgerFeedFunc func, gpointer user_data, guint64 *last,
                                 GError **error);

G_END_DECLS
