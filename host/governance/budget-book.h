/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveBudgetBook: the budgets of one tenant and what is reserved of them. Any thread; no I/O. */
#pragma once

#include "budget.h"
#include "prices.h"
#include "reservation.h"

G_BEGIN_DECLS

/* for @now: no period begins */
#define REEVE_BUDGET_AS_IT_IS 0

typedef struct _ReeveBudgetBook ReeveBudgetBook;
typedef struct _ReeveReservation ReeveReservation;

/* domain of an error, without codes: the tenant must be given more of the platform's budget first
 */
#define REEVE_BUDGET_SHORT (reeve_budget_short_quark ())
GQuark reeve_budget_short_quark (void);

/* Who would spend it; what is NULL has no budget. */
typedef struct
{
  const char *agent_id;
  const char *user_id;
  const char *delegated_user_id;
  const char *key_id;
  const char *workspace_id;
} ReeveBudgetWho;

typedef struct
{
  gint64 input;            /* tokens: upper estimate */
  gint64 output;           /* tokens that the answer may take at most; 0: it takes none */
  const ReevePrice *price; /* (nullable): not known */
  const char *model;       /* (nullable): for words */
  gboolean free;           /* of a run: its model costs nothing, or that is not known yet */
  gint64 now;              /* µs since 1970 */
  guint64 size;            /* records in the tenant's log */
  gboolean last;           /* the platform gives no more: what the slice leaves is all there is */
  gint64 spare_tokens;     /* of a check: what other tenants would give back */
  gint64 spare_cost;
} ReeveBudgetAsk;

/* What a tenant was given of the platform's budget, in its period; REEVE_BUDGET_NONE: no limit. */
typedef struct
{
  gint64 period;
  gint64 tokens;       /* what was given */
  gint64 tokens_taken; /* spent and reserved */
  gint64 tokens_spent;
  gint64 cost;
  gint64 cost_taken;
  gint64 cost_spent;
  gint64 touched; /* monotonic µs */
} ReeveBudgetSlice;

ReeveBudgetBook *reeve_budget_book_new (const char *tenant_id) G_GNUC_WARN_UNUSED_RESULT;
ReeveBudgetBook *reeve_budget_book_ref (ReeveBudgetBook *self);
void reeve_budget_book_unref (ReeveBudgetBook *self);
const char *reeve_budget_book_get_tenant_id (ReeveBudgetBook *self);
/* One that is blind is not. */
gboolean reeve_budget_book_is_empty (ReeveBudgetBook *self);
/* Its budgets cannot be read: everything is refused with %REEVE_ERROR_UNAVAILABLE. */
void reeve_budget_book_set_blind (ReeveBudgetBook *self);

/* ---- budgets ---- */

/* (transfer full) budget: as it is in the store */
void reeve_budget_book_take (ReeveBudgetBook *self, ReeveBudget *budget);
gboolean reeve_budget_book_remove (ReeveBudgetBook *self, const char *key);
/* (transfer full) (nullable) */
ReeveBudget *reeve_budget_book_copy (ReeveBudgetBook *self, const char *key, gint64 now);
/* (transfer full) all, as they are shown outside */
JsonArray *reeve_budget_book_list (ReeveBudgetBook *self, gint64 now);
/* (transfer full) (nullable): as it is shown outside */
JsonObject *reeve_budget_book_show (ReeveBudgetBook *self, const char *key, gint64 now);
/* (transfer full) every budget that @who spends of, as it is shown outside */
JsonArray *reeve_budget_book_explain (ReeveBudgetBook *self, const ReeveBudgetWho *who, gint64 now);

/* ---- one in the place of another: budget-book-heir.c ---- */

/* Changes wait for each other, no longer than so many µs. FALSE: it is not this one's turn. Blocks.
 */
gboolean reeve_budget_book_begin_change (ReeveBudgetBook *self, gint64 most);
void reeve_budget_book_end_change (ReeveBudgetBook *self);
/* (transfer full): @draft with what it takes over, as it is to be written; from here on what is
 * reserved of the budget of that key, or would be if there was one, is reserved of it too. */
ReeveBudget *reeve_budget_book_begin_heir (ReeveBudgetBook *self, const ReeveBudget *draft,
                                           guint64 size, gint64 now);
/* It takes its place, or (FALSE) never was. */
void reeve_budget_book_end_heir (ReeveBudgetBook *self, const char *key, gboolean good);

/* ---- reserving ---- */

/* All of its budgets or none. NULL without an error: it has none. %REEVE_ERROR_BUDGET_EXCEEDED */
ReeveReservation *reeve_budget_book_reserve (ReeveBudgetBook *self, const ReeveBudgetWho *who,
                                             const ReeveBudgetAsk *ask, GError **error);
/* What was used elsewhere cannot be refused any more: limits are not asked. NULL without an error:
 * no budget bounds it. %REEVE_ERROR_INVALID_ARGUMENT: @currency (nullable) is not the one that a
 * budget of money counts. */
ReeveReservation *reeve_budget_book_charge (ReeveBudgetBook *self, const ReeveBudgetWho *who,
                                            const ReeveBudgetAsk *ask, gint64 cost,
                                            const char *currency, GError **error);
/* Would it be reserved now? Nothing is. */
gboolean reeve_budget_book_check (ReeveBudgetBook *self, const ReeveBudgetWho *who,
                                  const ReeveBudgetAsk *ask, GError **error);
/* ---- its slice of the platform's budget: budget-book-slice.c ---- */

/* FALSE: it has none. @now: of the call that wants of it. */
gboolean reeve_budget_book_get_slice (ReeveBudgetBook *self, gint64 now, ReeveBudgetSlice *slice);
/* The same as it would stand then: nothing begins. */
gboolean reeve_budget_book_see_slice (ReeveBudgetBook *self, gint64 now, ReeveBudgetSlice *slice);
/* A call had begun this period before the host was started. */
void reeve_budget_book_begin_slice (ReeveBudgetBook *self, gint64 period);
/* From here on it has no more than what is spent and reserved; so it is told. */
gboolean reeve_budget_book_cut_slice (ReeveBudgetBook *self, ReeveBudgetSlice *slice);
/* What it was given, unless the period has changed meanwhile. */
void reeve_budget_book_put_slice (ReeveBudgetBook *self, const ReeveBudgetSlice *slice);
/* Is there less than so much in it, and was that not said already? */
gboolean reeve_budget_book_is_low (ReeveBudgetBook *self, gint64 tokens, gint64 cost);
/* Whoever was told so has done what he could. */
void reeve_budget_book_was_refilled (ReeveBudgetBook *self);

/* ---- what the store keeps ---- */

/* What an earlier host had reserved: (transfer full) (nullable), with its intent durable. @time: of
 * the intent. Limits are not asked. */
ReeveReservation *reeve_budget_book_recall (ReeveBudgetBook *self, const ReeveBudgetWho *who,
                                            gint64 time, gint64 tokens, gint64 cost,
                                            const char *currency, guint64 intent);
guint reeve_budget_book_get_unsaved (ReeveBudgetBook *self);
/* (transfer full) (nullable): a batch that brings the store up to date; NULL: nothing to save, or
 * one is on its way. Answered by reeve_budget_book_saved(). @size: records in the log. */
ReeveBatch *reeve_budget_book_save (ReeveBudgetBook *self, guint64 size, gboolean even_nothing);
void reeve_budget_book_saved (ReeveBudgetBook *self, gboolean good);
/* Until none is on its way, or so many µs have passed. Blocks. */
void reeve_budget_book_wait (ReeveBudgetBook *self, gint64 most);
/* Names of a budget's counters. */
char *reeve_budget_book_counter (const ReeveBudget *budget, gint64 period, const char *what);
/* That of money in a currency. */
char *reeve_budget_book_money_counter (const ReeveBudget *budget, gint64 period,
                                       const char *currency);
/* Which currencies its counters may have money of, as the store keeps it. */
void reeve_budget_book_set_currencies (ReeveBudgetBook *self, JsonArray *currencies);
/* (transfer container) (element-type utf8): static texts */
GList *reeve_budget_book_list_currencies (ReeveBudgetBook *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveBudgetBook, reeve_budget_book_unref)

G_END_DECLS
