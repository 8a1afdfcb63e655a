/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of ReeveBudgetLeases share: budget-leases.c (giving and taking back),
 * budget-leases-ask.c (what is wanted of it) and budget-leases-show.c (what is seen of it). */
#pragma once

#include "budget-leases-row.h"
#include "budget-leases.h"

G_BEGIN_DECLS

/* What somebody wants of the thread. */
typedef struct
{
  ReeveBudgetBook *book; /* NULL: the thread ends */
  gint64 tokens;
  gint64 cost;
  gint64 now;  /* µs since 1970: of the call; time that no call has seen begins no period */
  GTask *task; /* (nullable): somebody waits */
  gboolean ahead;
  gboolean going; /* the tenant goes: all that is not used comes back */
} ReeveBudgetLeasesWish;

struct _ReeveBudgetLeases
{
  ReeveBudgetLeasesTable table;
  ReeveLedger *ledger;
  ReeveBudget *model; /* limits, length of a period, alert; as it was made */
  ReeveBudgetPool *pool;
  ReeveBudgetLeasesList list;
  gpointer user_data;
  GAsyncQueue *wishes;
  GThread *thread; /* (nullable): not started, or ended */
  GMutex lock;     /* of stopped */
  gboolean stopped;
  gint64 told_period; /* in which the alert was told; the thread's */
  guint told;
  gint64 idle;  /* µs: what was not touched for so long comes back */
  gint64 sweep; /* µs: looked at so often */
};

void reeve_budget_leases_wish_free (ReeveBudgetLeasesWish *wish);

G_END_DECLS
