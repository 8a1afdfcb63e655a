/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of ReeveBudgetBook share: budget-book.c (budgets), budget-book-reserve.c,
 * budget-book-check.c (asking without reserving) and budget-book-save.c (what the store keeps). */
#pragma once

#include "budget-book.h"

G_BEGIN_DECLS

typedef enum
{
  REEVE_RESERVATION_UNNUMBERED, /* its intent is on the way to the disk */
  REEVE_RESERVATION_OPEN,
  REEVE_RESERVATION_SETTLING, /* its outcome is on the way to the disk */
  REEVE_RESERVATION_LOST      /* its outcome could not be written */
} ReeveReservationState;

struct _ReeveReservation
{
  ReeveBudgetBook *book;
  ReeveReservation *next; /* of the book's */
  ReeveReservation *previous;
  ReeveReservationState state;
  guint64 intent; /* 0: not numbered */
  guint64 size;   /* of the log before the record that is on its way */
  gint64 time;
  gint64 input;
  gint64 output;
  gint64 cost;
  gboolean priced;
  ReevePrice price; /* where it is */
  char currency[4]; /* of the cost */
  char spent_in[4]; /* of what its outcome adds */
  guint n_budgets;
  ReeveBudget *budgets[REEVE_RESERVATION_SCOPES];
  gint64 periods[REEVE_RESERVATION_SCOPES];
  gint64 spent_tokens[REEVE_RESERVATION_SCOPES]; /* what its outcome adds to the counters */
  gint64 spent_cost[REEVE_RESERVATION_SCOPES];
  gint64 ended_tokens; /* what its outcome says */
  gint64 ended_cost;
  char who[]; /* the members of ReeveBudgetWho, each with its end */
};

struct _ReeveBudgetBook
{
  gatomicrefcount references;
  char *tenant_id;
  GMutex lock;
  GHashTable *budgets; /* key -> ReeveBudget */
  ReeveReservation *reservations;
  GHashTable *deltas;     /* counter -> gint64*: not saved yet */
  GHashTable *sent;       /* the same: on its way */
  guint64 seq;            /* as it was saved last */
  GHashTable *currencies; /* interned: of all money that its counters may have */
  GArray *finished; /* guint64: intents that are in the counters and that a restart might read */
  guint unsaved;
  gboolean saving;
  gboolean changing;  /* somebody sets one of its budgets */
  GCond saved;        /* what was on its way is in the store, or is not; a change has ended */
  gboolean refilling; /* its slice of the platform's budget */
  gboolean blind;     /* its budgets could not be read: nothing is reserved */
};

/* (transfer full): not on the list of its book yet */
ReeveReservation *reeve_reservation_new (const ReeveBudgetWho *who) G_GNUC_WARN_UNUSED_RESULT;
/* Under the lock. */
void reeve_reservation_free (ReeveReservation *self);
void reeve_budget_book_add (ReeveBudgetBook *self, const ReeveBudget *budget, gint64 period,
                            gint64 tokens, gint64 cost, const char *currency);
void reeve_budget_book_roll (ReeveBudgetBook *self, ReeveBudget *budget, gint64 now);
/* It was in period @before: what the store keeps of it is to change. */
void reeve_budget_book_note_period (ReeveBudgetBook *self, const ReeveBudget *budget,
                                    gint64 before);
/* When what spends of these is said to be: no earlier than their periods began. A clock may have
 * been set back since, and what began them may never have come to the disk; so the first record
 * that is there says which period it is, and a restart counts in the same one. */
gint64 reeve_budget_book_find_time (ReeveBudget **found, guint n, gint64 now);
/* (transfer full): as it stands at @now. Only what is recorded begins a period: whoever merely
 * looks, or is refused, leaves no trace in the log that a restart could begin it by. */
ReeveBudget *reeve_budget_book_look (ReeveBudget *budget, gint64 now);
/* (transfer full): a copy as it stands then, with its windows */
ReeveBudget *reeve_budget_book_dup (const ReeveBudget *budget, gint64 now);
gboolean reeve_budget_book_can_see (ReeveBudgetBook *self, GError **error);
/* Money of it is or will be in the counters, which a restart must find. */
void reeve_budget_book_note_currency (ReeveBudgetBook *self, const char *currency);
/* A counter is to rise by so much. */
void reeve_budget_book_change (GHashTable *deltas, const char *counter, gint64 by);
ReeveReservation *reeve_budget_book_make (ReeveBudgetBook *self, const ReeveBudgetWho *who,
                                          ReeveBudget **found, guint n, gint64 input, gint64 output,
                                          gint64 cost, const char *currency);
/* Under the lock: is it of the budget of that key, whether there is one or not? */
gboolean reeve_reservation_is_of (const ReeveReservation *self, const char *key);
/* Under the lock (nullable): one that the store has. */
ReeveBudget *reeve_budget_book_get (ReeveBudgetBook *self, const char *key);
/* How long the answer may be: *@output is lowered to what @budget leaves. */
gboolean reeve_budget_book_fit (const ReeveBudget *budget, const ReeveBudgetAsk *ask,
                                gint64 *output, GError **error);
/* An intent that cannot say what it reserves holds nobody to anything. */
gboolean reeve_budget_book_can_record (const ReeveBudgetAsk *ask, gint64 output, GError **error);
guint reeve_budget_book_find (ReeveBudgetBook *self, const ReeveBudgetWho *who,
                              ReeveBudget **found);

G_END_DECLS
