/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decimal arithmetic in whole numbers: sums are exact, and what has to be rounded is rounded up, so
 * that a limit is never passed by what was cut off. */
#include "money.h"

#include <reeve-error.h>

/* pico-units for a thousand tokens are this much finer than nano-units for one */
#define REEVE_MONEY_FINER 1000000

__extension__ typedef __int128 ReeveMoneyWide;

/**
 * reeve_money_parse:
 * @text: a decimal number without sign and exponent
 * @digits: how many decimals it may have
 * @amount: (out): the number times ten to the power of @digits
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
reeve_money_parse (const char *text, guint digits, gint64 *amount, GError **error)
{
  gint64 value = 0;
  guint decimals = 0;
  gboolean point = FALSE;
  gboolean good = g_ascii_isdigit (*text);

  for (const char *at = text; good && *at != '\0'; at++)
    {
      if (*at == '.')
        {
          good = !point && g_ascii_isdigit (at[1]);
          point = TRUE;
          continue;
        }
      decimals += point;
      /* zeros behind the last decimal that counts say nothing */
      if (point && decimals > digits && *at == '0')
        continue;
      good = g_ascii_isdigit (*at) && decimals <= digits
             && !__builtin_mul_overflow (value, 10, &value)
             && !__builtin_add_overflow (value, *at - '0', &value);
    }
  for (guint i = MIN (decimals, digits); good && i < digits; i++)
    good = !__builtin_mul_overflow (value, 10, &value);
  *amount = good ? value : 0;
  if (!good)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                 "no decimal number with at most %u decimals, or too large", digits);
  return good;
}

/* Without the zeros that say nothing. */
static char *
reeve_money_trim (char *text)
{
  gsize length = strlen (text);

  while (text[length - 1] == '0')
    text[--length] = '\0';
  if (text[length - 1] == '.')
    text[length - 1] = '\0';
  return text;
}

/**
 * reeve_money_format:
 * @nano: an amount in nano-units
 *
 * Returns: (transfer full): it as a decimal number
 */
char *
reeve_money_format (gint64 nano)
{
  guint64 size = nano < 0 ? 0 - (guint64) nano : (guint64) nano;

  return reeve_money_trim (g_strdup_printf ("%s%" G_GUINT64_FORMAT ".%09" G_GUINT64_FORMAT,
                                            nano < 0 ? "-" : "", size / 1000000000,
                                            size % 1000000000));
}

/**
 * reeve_money_format_pico:
 * @pico: a price in pico-units, not negative
 *
 * Returns: (transfer full): it as a decimal number
 */
char *
reeve_money_format_pico (gint64 pico)
{
  guint64 size = (guint64) MAX (pico, 0);

  return reeve_money_trim (g_strdup_printf ("%" G_GUINT64_FORMAT ".%012" G_GUINT64_FORMAT,
                                            size / G_GUINT64_CONSTANT (1000000000000),
                                            size % G_GUINT64_CONSTANT (1000000000000)));
}

/**
 * reeve_money_show:
 * @nano: an amount in nano-units
 * @currency: ISO 4217
 *
 * Returns: (transfer full): {amount, currency}
 */
JsonObject *
reeve_money_show (gint64 nano, const char *currency)
{
  g_autofree char *amount = reeve_money_format (nano);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "amount", amount);
  json_object_set_string_member (shown, "currency", currency);
  return shown;
}

/**
 * reeve_money_cost:
 * @tokens: how many
 * @pico_per_thousand: price of a thousand in pico-units
 *
 * Returns: what they cost, in nano-units, rounded up; %REEVE_MONEY_TOO_MUCH: that or more
 */
gint64
reeve_money_cost (gint64 tokens, gint64 pico_per_thousand)
{
  ReeveMoneyWide wide = (ReeveMoneyWide) MAX (tokens, 0) * MAX (pico_per_thousand, 0);

  wide = (wide + REEVE_MONEY_FINER - 1) / REEVE_MONEY_FINER;
  return wide > REEVE_MONEY_TOO_MUCH ? REEVE_MONEY_TOO_MUCH : (gint64) wide;
}

/**
 * reeve_money_tokens:
 * @nano: an amount in nano-units
 * @pico_per_thousand: price of a thousand in pico-units
 *
 * Returns: how many tokens cost no more than that
 */
gint64
reeve_money_tokens (gint64 nano, gint64 pico_per_thousand)
{
  ReeveMoneyWide wide = (ReeveMoneyWide) MAX (nano, 0) * REEVE_MONEY_FINER;

  if (pico_per_thousand <= 0)
    return G_MAXINT64;
  wide /= pico_per_thousand;
  return wide > G_MAXINT64 ? G_MAXINT64 : (gint64) wide;
}
