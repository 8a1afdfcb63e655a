/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic that stays exact as long as numbers are whole and short enough, and says so when it
 * cannot go on. */
#include "calculate-number.h"

#include <math.h>
#include <string.h>

#define CALCULATE_NUMBER_DIGITS 36

/* largest whole number kept exactly: 10^36 */
static CalculateWide
calculate_number_limit (void)
{
  CalculateWide limit = 1;

  for (guint i = 0; i < CALCULATE_NUMBER_DIGITS; i++)
    limit *= 10;
  return limit;
}

/**
 * calculate_number_from_real:
 * @real: a value
 *
 * Returns: it, as a whole number where a double still tells neighbours apart
 */
CalculateNumber
calculate_number_from_real (double real)
{
  if (isfinite (real) && fabs (real) < 9007199254740992.0 && real == floor (real))
    return calculate_number_from_integer ((CalculateWide) real);
  return (CalculateNumber){ FALSE, 0, real };
}

/**
 * calculate_number_from_integer:
 * @integer: a value
 *
 * Returns: it
 */
CalculateNumber
calculate_number_from_integer (CalculateWide integer)
{
  return (CalculateNumber){ TRUE, integer, (double) integer };
}

/**
 * calculate_number_parse:
 * @text: digits, with an optional point and an optional exponent; not terminated
 * @length: its bytes
 * @number: (out): the value
 *
 * Returns: whether it is a finite number
 */
gboolean
calculate_number_parse (const char *text, gsize length, CalculateNumber *number)
{
  g_autofree char *copy = g_strndup (text, length);
  char *end = NULL;

  if (strspn (copy, "0123456789") == length && length <= CALCULATE_NUMBER_DIGITS)
    {
      CalculateWide integer = 0;

      for (gsize i = 0; i < length; i++)
        integer = integer * 10 + (copy[i] - '0');
      *number = calculate_number_from_integer (integer);
      return TRUE;
    }
  *number = calculate_number_from_real (g_ascii_strtod (copy, &end));
  return end == copy + length && isfinite (number->real);
}

static gboolean
calculate_number_fail (GError **error, const char *what)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, what);
  return FALSE;
}

/**
 * calculate_number_check:
 * @a: a result
 * @error: return location
 *
 * Returns: whether it is a finite number
 */
gboolean
calculate_number_check (const CalculateNumber *a, GError **error)
{
  if (isnan (a->real))
    return calculate_number_fail (error, "the result is not a real number");
  if (isinf (a->real))
    return calculate_number_fail (error, "the result is too large");
  return TRUE;
}

/* The exact result of + - * where it stays within bounds. */
static gboolean
calculate_number_exact (char operator, CalculateWide a, CalculateWide b, CalculateWide *result)
{
  CalculateWide limit = calculate_number_limit ();
  gboolean overflow = FALSE;

  if (operator== '+')
    overflow = __builtin_add_overflow (a, b, result);
  else if (operator== '-')
    overflow = __builtin_sub_overflow (a, b, result);
  else
    overflow = __builtin_mul_overflow (a, b, result);
  return !overflow && *result<limit && * result> - limit;
}

static double
calculate_number_approximate (char operator, double a, double b)
{
  switch (operator)
    {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return fmod (a, b);
    default:
      return pow (a, b);
    }
}

/* Whole powers by repeated multiplication; FALSE when the result is no whole number within bounds.
 */
static gboolean
calculate_number_power (CalculateWide base, CalculateWide exponent, CalculateWide *result)
{
  *result = 1;
  if (exponent < 0 || exponent > 1000)
    return FALSE;
  for (; exponent > 0; exponent--)
    if (!calculate_number_exact ('*', *result, base, result))
      return FALSE;
  return TRUE;
}

static gboolean
calculate_number_try_exact (char operator, CalculateWide a, CalculateWide b, CalculateWide *result)
{
  switch (operator)
    {
    case '/':
      *result = a / b;
      return a % b == 0;
    case '%':
      *result = a % b;
      return TRUE;
    case '^':
      return calculate_number_power (a, b, result);
    default:
      return calculate_number_exact (operator, a, b, result);
    }
}

/**
 * calculate_number_operate:
 * @operator: one of + - * / % ^; % is the remainder with the sign of @a
 * @a: left operand
 * @b: right operand
 * @result: (out): what it comes to
 * @error: return location
 *
 * Returns: %FALSE when there is no finite real result
 */
gboolean
calculate_number_operate (char operator, const CalculateNumber * a, const CalculateNumber *b,
                          CalculateNumber *result, GError **error)
{
  CalculateWide integer = 0;

  if ((operator== '/' || operator== '%') && b->real == 0)
    return calculate_number_fail (error, "division by zero");
  if (operator== '^' && a->real == 0 && b->real<0)
    return calculate_number_fail (error, "division by zero");
  if (a->whole && b->whole
      && calculate_number_try_exact (operator, a->integer, b->integer, &integer))
    *result = calculate_number_from_integer (integer);
  else
    *result
        = calculate_number_from_real (calculate_number_approximate (operator, a->real, b->real));
  return calculate_number_check (result, error);
}

/**
 * calculate_number_negate:
 * @a: a number
 *
 * Returns: its negative
 */
CalculateNumber
calculate_number_negate (const CalculateNumber *a)
{
  return a->whole ? calculate_number_from_integer (-a->integer)
                  : calculate_number_from_real (-a->real);
}

/**
 * calculate_number_compare:
 * @a: a number
 * @b: another
 *
 * Returns: as strcmp()
 */
int
calculate_number_compare (const CalculateNumber *a, const CalculateNumber *b)
{
  if (a->whole && b->whole)
    return a->integer < b->integer ? -1 : a->integer > b->integer;
  return a->real < b->real ? -1 : a->real > b->real;
}

static char *
calculate_number_format_whole (CalculateWide integer)
{
  char digits[48];
  guint at = sizeof digits;
  gboolean negative = integer < 0;

  digits[--at] = '\0';
  do
    {
      int digit = (int) (integer % 10);

      digits[--at] = (char) ('0' + (negative ? -digit : digit));
      integer /= 10;
    }
  while (integer != 0);
  if (negative)
    digits[--at] = '-';
  return g_strdup (digits + at);
}

/**
 * calculate_number_format:
 * @a: a finite number
 *
 * Fifteen significant digits, so that 0.1 + 0.2 reads 0.3; whole numbers in full.
 *
 * Returns: (transfer full): it, as people write it
 */
char *
calculate_number_format (const CalculateNumber *a)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (a->whole)
    return calculate_number_format_whole (a->integer);
  g_ascii_formatd (text, sizeof text, "%.15g", a->real);
  return g_strdup (g_str_equal (text, "-0") ? "0" : text);
}
