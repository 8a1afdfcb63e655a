/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The days and months of a budget: each bounds tokens by itself, in the calendar of UTC, and is a
 * ReeveBudget within the one that it was set with. */
#pragma once

#include "budget.h"

G_BEGIN_DECLS

/* Number of the day since 1970-01-01, of the month since January 1970. */
gint64 reeve_budget_window_find (ReeveBudgetWindow window, gint64 now);
/* µs since 1970: when the one of that number begins */
gint64 reeve_budget_window_get_begin (ReeveBudgetWindow window, gint64 number);
/* The member that sets its limit: token_limit, tokens_per_day, tokens_per_month. */
const char *reeve_budget_window_get_member (const ReeveBudget *budget);
/* (transfer full): org, org/day, agents/ID/month … */
char *reeve_budget_window_dup_name (const ReeveBudget *budget);
/* {tokens_per_request?, tokens_per_day?, tokens_per_month?} */
void reeve_budget_window_set_limits (ReeveBudget *self, JsonObject *limits, gint64 now);
/* Who has set it. */
void reeve_budget_window_set_author (ReeveBudget *self, const char *user_id);
void reeve_budget_window_adopt (ReeveBudget *self, ReeveBudget *from);
/* What @old has spent is spent of @self, which takes its place. */
void reeve_budget_window_carry (ReeveBudget *self, const ReeveBudget *old);
void reeve_budget_window_show (const ReeveBudget *self, JsonObject *shown);
void reeve_budget_window_save (const ReeveBudget *self, JsonObject *fields);
void reeve_budget_window_load (ReeveBudget *self, JsonObject *fields);

G_END_DECLS
