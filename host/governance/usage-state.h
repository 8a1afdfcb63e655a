/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUsageState: how far the sums of a tenant are. A plain value. */
#pragma once

#include "usage-pages.h"

G_BEGIN_DECLS

#define REEVE_USAGE_STATE_ID "state"

/**
 * ReeveUsageState:
 * @seq: number of the last record that is in the sums, or counts for nothing
 * @skipped: records that were dropped from the log before they were summed up
 * @first: the hour of the first sum; -1: there is none
 * @last: the hour of the last
 * @day: days before this one are over, and have tables of their own
 * @month: the same for months
 * @days: (element-type gint64): days with sums that have no table yet
 * @months: (element-type gint64): months whose days have tables, and that have none yet
 * @revision: of its record
 */
typedef struct
{
  guint64 seq;
  guint64 skipped;
  gint64 first;
  gint64 last;
  gint64 day;
  gint64 month;
  GArray *days;
  GArray *months;
  gint64 revision;
} ReeveUsageState;

ReeveUsageState *reeve_usage_state_load (ReeveStore *store, const char *tenant_id,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
void reeve_usage_state_free (ReeveUsageState *self);
void reeve_usage_state_save (ReeveUsageState *self, ReeveBatch *batch);
/* Adds to the tables of an hour: @tables by series. */
gboolean reeve_usage_state_add (ReeveUsageState *self, ReeveUsagePages *pages, gint64 hour,
                                ReeveUsageTable *const *tables, GError **error);
/* Makes the tables of days and months that are over at @hour. */
gboolean reeve_usage_state_close (ReeveUsageState *self, ReeveUsagePages *pages, gint64 hour,
                                  GError **error);
/* Adds the hours from @begin on, @end not included, to @table, by as few tables as there are. */
gboolean reeve_usage_state_sum (const ReeveUsageState *self, ReeveUsagePages *pages,
                                ReeveUsageSeries series, const ReeveUsageChoice *choice,
                                gint64 begin, gint64 end, ReeveUsageTable *table, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveUsageState, reeve_usage_state_free)

G_END_DECLS
