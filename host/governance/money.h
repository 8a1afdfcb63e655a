/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Amounts of money as whole numbers: nano-units (10^-9) of a currency, prices in pico-units
 * (10^-12) for a thousand tokens. No floating point anywhere. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* what one amount may be at most: a milliard units */
#define REEVE_MONEY_MAX (G_GINT64_CONSTANT (1000000000) * G_GINT64_CONSTANT (1000000000))

/* stands for more than can be said: no sum of money ever goes on from there to something less */
#define REEVE_MONEY_TOO_MUCH G_MAXINT64
/* what a record says at most, in words */
#define REEVE_MONEY_MOST_TEXT "9223372036.854775806"

/* Decimal text with at most @digits decimals, times 10^digits. %REEVE_ERROR_INVALID_ARGUMENT */
gboolean reeve_money_parse (const char *text, guint digits, gint64 *amount, GError **error);
/* (transfer full) decimal text of nano-units without needless zeros */
char *reeve_money_format (gint64 nano);
/* The same of pico-units, a price. */
char *reeve_money_format_pico (gint64 pico);
/* (transfer full) {amount, currency} */
JsonObject *reeve_money_show (gint64 nano, const char *currency);
/* What tokens cost, in nano-units, rounded up; held to REEVE_MONEY_TOO_MUCH. */
gint64 reeve_money_cost (gint64 tokens, gint64 pico_per_thousand);
/* How many tokens can be had for an amount. */
gint64 reeve_money_tokens (gint64 nano, gint64 pico_per_thousand);

G_END_DECLS
