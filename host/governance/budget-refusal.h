/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of a budget that does not leave enough: which limit it is, who set it, what is
 * missing, and when to ask again. Each sets %REEVE_ERROR_BUDGET_EXCEEDED and returns FALSE. */
#pragma once

#include "budget.h"

G_BEGIN_DECLS

/* At least @need tokens are not there. */
gboolean reeve_budget_refusal_set_tokens (GError **error, const ReeveBudget *budget, gint64 need,
                                          gint64 now);
/* No call of @need tokens is allowed. */
gboolean reeve_budget_refusal_set_request (GError **error, const ReeveBudget *budget, gint64 need);
/* At least @need nano-units are not there. */
gboolean reeve_budget_refusal_set_cost (GError **error, const ReeveBudget *budget, gint64 need,
                                        gint64 now);
/* Nobody knows what @model (nullable) costs, or only in another @currency (nullable). */
gboolean reeve_budget_refusal_set_price (GError **error, const ReeveBudget *budget,
                                         const char *model, const char *currency);
/* What cannot be counted in the budget's currency. */
gboolean reeve_budget_refusal_set_currency (GError **error, const ReeveBudget *budget,
                                            const char *currency);

G_END_DECLS
