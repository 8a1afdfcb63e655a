/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUsagePages: the tables of a tenant, as its store keeps them: one for each hour, each day and
 * month that is over, and each series. A plain value of one thread. */
#pragma once

#include "store/store.h"

#include "usage-event.h"
#include "usage-span.h"
#include "usage-table.h"

G_BEGIN_DECLS

/* flat: models are not told apart; of days and months only */
typedef struct
{
  ReeveUsageSpan span;
  gint64 number;
  ReeveUsageSeries series;
  gboolean flat;
} ReeveUsagePage;

typedef struct _ReeveUsagePages ReeveUsagePages;

ReeveUsagePages *reeve_usage_pages_new (ReeveStore *store,
                                        const char *tenant_id) G_GNUC_WARN_UNUSED_RESULT;
void reeve_usage_pages_free (ReeveUsagePages *self);
/* (transfer none): the table, to be changed; an empty one where none is kept. Blocks. */
ReeveUsageTable *reeve_usage_pages_change (ReeveUsagePages *self, const ReeveUsagePage *page,
                                           GError **error);
/* Adds a table, as it is kept or was changed, to another. Blocks. */
gboolean reeve_usage_pages_add_to (ReeveUsagePages *self, const ReeveUsagePage *page,
                                   const ReeveUsageChoice *choice, ReeveUsageTable *table,
                                   GError **error);
/* What was changed goes into a batch. */
void reeve_usage_pages_save (ReeveUsagePages *self, ReeveBatch *batch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveUsagePages, reeve_usage_pages_free)

G_END_DECLS
