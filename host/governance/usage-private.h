/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of ReeveUsage share. */
#pragma once

#include "ledger-feed.h"
#include "usage-labels.h"
#include "usage-state.h"
#include "usage.h"

G_BEGIN_DECLS

/* One tenant; under the mutex but for what only its reader touches. */
typedef struct
{
  gboolean busy;    /* somebody reads on */
  gboolean stuck;   /* that it cannot was said; the reader's */
  guint64 position; /* what was looked at; the reader's */
  GHashTable *open; /* seq -> ReeveUsageIntent: without an outcome so far; the reader's */
} ReeveUsageBook;

struct _ReeveUsage
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveLedger *ledger;
  ReevePrices *prices;
  GMutex mutex;
  GCond wake;
  GHashTable *books; /* tenant id -> ReeveUsageBook: never removed */
  GThread *thread;
  gboolean stopping;
};

/* usage-read.c: one batch of the log; @book is this thread's alone */
gboolean reeve_usage_read_on (ReeveUsage *self, ReeveUsageBook *book, const char *tenant_id,
                              gboolean *ended, GError **error);

/* As reeve_ledger_feed_read(), of @tenant_id's log. %REEVE_ERROR_CONFLICT where that is damaged:
 * whose it is may know, and has something to do. */
gboolean reeve_usage_read_feed (ReeveUsage *self, const char *tenant_id,
                                const ReeveLedgerFeed *feed, guint64 after,
                                ReeveLedgerFeedFunc func, gpointer user_data, guint64 *last,
                                GError **error);

G_END_DECLS
