/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveReservation: what one effect may take of all the budgets that bound it. Made by
 * ReeveBudgetBook. Any thread. */
#pragma once

#include <glib.h>

#include "price-list.h"

G_BEGIN_DECLS

#define REEVE_RESERVATION_SCOPES 24 /* seven scopes, each with its day and its month */

typedef struct _ReeveBudgetBook ReeveBudgetBook;
typedef struct _ReeveReservation ReeveReservation;

/* What is to be told of a budget; @key is owned. */
typedef struct
{
  char *key;
  guint told; /* REEVE_BUDGET_TOLD_… */
} ReeveBudgetNotice;

/* The intent that it belongs to is durable. */
void reeve_reservation_number (ReeveReservation *self, guint64 intent);
gint64 reeve_reservation_get_input (ReeveReservation *self);
/* How many tokens the answer may have; what was asked, or less. */
gint64 reeve_reservation_get_output (ReeveReservation *self);
gint64 reeve_reservation_get_cost (ReeveReservation *self);
/* (nullable) static: of the cost; NULL: it costs nothing, or nobody knows */
const char *reeve_reservation_get_currency (ReeveReservation *self);
/* µs since 1970: what its intent says */
gint64 reeve_reservation_get_time (ReeveReservation *self);
/* (transfer none) (nullable): what it was reserved at, which is what it is settled at */
const ReevePrice *reeve_reservation_get_price (ReeveReservation *self);
/* (transfer full) */
ReeveBudgetBook *reeve_reservation_dup_book (ReeveReservation *self);
/* The effect has ended: what it took is spent from here on. Notices (out): at most
 * REEVE_RESERVATION_SCOPES, how many is returned. @currency (nullable): that of what is reserved.
 */
guint reeve_reservation_settle (ReeveReservation *self, gint64 tokens, gint64 cost,
                                const char *currency, guint64 size, ReeveBudgetNotice *notices);
/* Its outcome is durable (transfer full), or it never was (FALSE): then only a restart can say. */
void reeve_reservation_finish (ReeveReservation *self, gboolean durable);
/* Its intent was never written (transfer full). */
void reeve_reservation_release (ReeveReservation *self);

G_END_DECLS
