/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A book of budgets in which one agent and one user spend. */
#pragma once

#include "governance/budget-book.h"

/* limits: JSON, as a request has them */
void budget_book_fixture_set (ReeveBudgetBook *book, const char *key, const char *limits,
                              gint64 now);
gint64 budget_book_fixture_look (ReeveBudgetBook *book, const char *key, const char *member,
                                 gint64 now);
ReeveReservation *budget_book_fixture_reserve (ReeveBudgetBook *book, gint64 input, gint64 output,
                                               gint64 now);
/* Settles and finishes. Returns what was told, of all budgets. */
guint budget_book_fixture_end (ReeveReservation *reservation, gint64 tokens);
