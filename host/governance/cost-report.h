/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a time cost, line by line, and who it is charged to. Kept in whole numbers (10^-9 of the
 * currency), shown as decimals. */
#pragma once

#include "prices.h"
#include "usage-groups.h"
#include "usage.h"

G_BEGIN_DECLS

/* (transfer full) {begin, end, complete, currency, allocate_by, lines[], allocations[], unpriced[],
 * other_currencies[], adjustments[]} of the rows of @table, which are by @series. @currency
 * (nullable): the only one there is, else USD. @sees (nullable): what it hides has no name. */
JsonObject *reeve_cost_report_draft (ReeveUsageTable *table, const ReeveUsageSpread *spread,
                                     ReeveUsageSeries series, const char *currency,
                                     ReevePrices *prices, ReeveUsageGroupsSees sees,
                                     gpointer user_data);
/* (transfer full) as it is shown outside: members are added to @shown */
void reeve_cost_report_show (JsonObject *draft, JsonObject *shown);
/* (transfer full) RFC 4180, of what reeve_cost_report_show() made */
char *reeve_cost_report_print_csv (JsonObject *shown);
/* Exact decimals of nano-units, at least four of them where @short: rounded, half away from zero.
 */
char *reeve_cost_report_format (gint64 nano, gboolean four) G_GNUC_WARN_UNUSED_RESULT;
/* Adds {amount, reason, by, at}. @amount: decimal text with a sign or without.
 * %REEVE_ERROR_INVALID_ARGUMENT */
gboolean reeve_cost_report_adjust (JsonObject *draft, const char *amount, const char *reason,
                                   const char *user_id, gint64 time, GError **error);

G_END_DECLS
