/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of ReeveBudgetLeases share: budget-leases.c (giving and taking back) and
 * budget-leases-show.c (what is seen of it). */
#pragma once

#include "budget-leases-row.h"
#include "budget-leases.h"

G_BEGIN_DECLS

struct _ReeveBudgetLeases
{
  ReeveBudgetLeasesTable table;
  ReeveLedger *ledger;
  ReeveBudget *model; /* limits, period, alert */
  ReeveBudgetPool *pool;
  ReeveBudgetLeasesList list;
  gpointer user_data;
  GAsyncQueue *wishes;
  GThread *thread; /* (nullable): not started, or ended */
  GMutex lock;     /* of stopped */
  gboolean stopped;
  gint64 told_period; /* in which the alert was told; the thread's */
};

G_END_DECLS
