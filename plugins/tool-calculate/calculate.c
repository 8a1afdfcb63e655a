/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recursive-descent evaluator, bounded in length and depth:
 *
 *   sum     = product { ("+" | "-") product }
 *   product = sign { ("*" | "/" | "%") sign }
 *   sign    = { "+" | "-" } power
 *   power   = value [ ("^" | "**") sign ]          (so -2^2 is -4, and 2^3^2 is 2^9)
 *   value   = number | constant | function "(" sum { "," sum } ")" | "(" sum ")"
 */
#include "calculate.h"

#include <math.h>
#include <string.h>

#define CALCULATE_MAX_ARGUMENTS 64

typedef struct
{
  const char *start;
  const char *at;
  guint depth;
} CalculateParser;

static gboolean calculate_sum (CalculateParser *self, CalculateNumber *result, GError **error);
static gboolean calculate_sign (CalculateParser *self, CalculateNumber *result, GError **error);

static void
calculate_skip_blanks (CalculateParser *self)
{
  while (g_ascii_isspace (*self->at))
    self->at++;
}

static gboolean
calculate_fail (CalculateParser *self, const char *what, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s at column %u", what,
               (guint) (self->at - self->start) + 1);
  return FALSE;
}

static gboolean
calculate_take (CalculateParser *self, char wanted)
{
  calculate_skip_blanks (self);
  if (*self->at != wanted)
    return FALSE;
  self->at++;
  return TRUE;
}

static gboolean
calculate_enter (CalculateParser *self, GError **error)
{
  if (++self->depth <= CALCULATE_MAX_DEPTH)
    return TRUE;
  return calculate_fail (self, "nested too deeply", error);
}

static gboolean
calculate_number (CalculateParser *self, CalculateNumber *result, GError **error)
{
  const char *p = self->at;
  const char *exponent = NULL;

  while (g_ascii_isdigit (*p))
    p++;
  if (*p == '.')
    p++;
  while (g_ascii_isdigit (*p))
    p++;
  exponent = p;
  if (*exponent == 'e' || *exponent == 'E')
    {
      exponent++;
      if (*exponent == '+' || *exponent == '-')
        exponent++;
      /* without digits it is the constant e, which cannot follow a number */
      while (g_ascii_isdigit (*exponent))
        p = ++exponent;
    }
  if (!calculate_number_parse (self->at, (gsize) (p - self->at), result))
    return calculate_fail (self, "not a number within range", error);
  self->at = p;
  return TRUE;
}

/* Near a zero of the function the rounding of pi shows; nobody means that. */
static double
calculate_round_zero (double result, double argument)
{
  return fabs (argument) > 1e-3 && fabs (result) < 1e-15 * fmax (1, fabs (argument)) ? 0 : result;
}

static double
calculate_sine (double x)
{
  return calculate_round_zero (sin (x), x);
}

static double
calculate_cosine (double x)
{
  return calculate_round_zero (cos (x), x);
}

static double
calculate_tangent (double x)
{
  return calculate_cosine (x) == 0 ? (double) NAN : calculate_round_zero (tan (x), x);
}

static const struct
{
  const char *name;
  double (*func) (double);
} calculate_functions[] = {
  { "sqrt", sqrt },
  { "log", log10 },
  { "ln", log },
  { "exp", exp },
  { "sin", calculate_sine },
  { "cos", calculate_cosine },
  { "tan", calculate_tangent },
  { "floor", floor },
  { "ceil", ceil },
};

static gboolean
calculate_round (const CalculateNumber *arguments, guint n, CalculateNumber *result)
{
  double digits = n == 2 ? arguments[1].real : 0;
  double scale = 1;

  if (n > 2 || digits != floor (digits) || fabs (digits) > 15)
    return FALSE;
  *result = arguments[0];
  if (arguments[0].whole && digits >= 0)
    return TRUE;
  scale = pow (10, digits);
  /* what people see is what is rounded: 2.675 counts as 2.675, not as the double below it */
  if (fabs (arguments[0].real) * scale < 1e15)
    *result = calculate_number_from_real (round (arguments[0].real * scale * (1 + 1e-15)) / scale);
  return TRUE;
}

/* Functions of one or several numbers; FALSE when the arguments do not fit. */
static gboolean
calculate_apply (const char *name, const CalculateNumber *arguments, guint n,
                 CalculateNumber *result)
{
  gboolean smallest = g_str_equal (name, "min");

  if (smallest || g_str_equal (name, "max"))
    {
      *result = arguments[0];
      for (guint i = 1; i < n; i++)
        if ((calculate_number_compare (&arguments[i], result) < 0) == smallest)
          *result = arguments[i];
      return TRUE;
    }
  if (g_str_equal (name, "round"))
    return calculate_round (arguments, n, result);
  if (n == 2 && g_str_equal (name, "log"))
    {
      *result = calculate_number_from_real (log (arguments[0].real) / log (arguments[1].real));
      return TRUE;
    }
  if (n != 1)
    return FALSE;
  if (g_str_equal (name, "abs"))
    {
      *result = arguments[0].real < 0 ? calculate_number_negate (&arguments[0]) : arguments[0];
      return TRUE;
    }
  *result = arguments[0];
  if (arguments[0].whole && (g_str_equal (name, "floor") || g_str_equal (name, "ceil")))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (calculate_functions); i++)
    if (g_str_equal (name, calculate_functions[i].name))
      *result = calculate_number_from_real (calculate_functions[i].func (arguments[0].real));
  return TRUE;
}

static gboolean
calculate_is_function (const char *name)
{
  static const char *const others[] = { "abs", "min", "max", "round", NULL };

  for (guint i = 0; i < G_N_ELEMENTS (calculate_functions); i++)
    if (g_str_equal (name, calculate_functions[i].name))
      return TRUE;
  return g_strv_contains (others, name);
}

static gboolean
calculate_call (CalculateParser *self, const char *name, CalculateNumber *result, GError **error)
{
  g_autofree CalculateNumber *arguments = g_new0 (CalculateNumber, CALCULATE_MAX_ARGUMENTS);
  const char *where = self->at;
  guint n = 0;

  if (!calculate_take (self, '('))
    return calculate_fail (self, "a function needs its arguments in brackets", error);
  do
    {
      if (n == CALCULATE_MAX_ARGUMENTS)
        return calculate_fail (self, "too many arguments", error);
      if (!calculate_sum (self, &arguments[n++], error))
        return FALSE;
    }
  while (calculate_take (self, ','));
  if (!calculate_take (self, ')'))
    return calculate_fail (self, "a closing bracket is missing", error);
  if (calculate_apply (name, arguments, n, result) && calculate_number_check (result, error))
    return TRUE;
  if (error != NULL && *error == NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "wrong arguments");
  g_prefix_error (error, "%s () at column %u: ", name, (guint) (where - self->start) + 1);
  return FALSE;
}

static gboolean
calculate_name (CalculateParser *self, CalculateNumber *result, GError **error)
{
  gsize length
      = strspn (self->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
  g_autofree char *name = g_ascii_strdown (self->at, (gssize) length);

  if (g_str_equal (name, "pi") || g_str_equal (name, "e"))
    {
      *result = calculate_number_from_real (g_str_equal (name, "pi") ? G_PI : G_E);
      self->at += length;
      return TRUE;
    }
  if (!calculate_is_function (name))
    return calculate_fail (self, "unknown name", error);
  self->at += length;
  return calculate_call (self, name, result, error);
}

static gboolean
calculate_value (CalculateParser *self, CalculateNumber *result, GError **error)
{
  calculate_skip_blanks (self);
  if (g_ascii_isdigit (*self->at) || (*self->at == '.' && g_ascii_isdigit (self->at[1])))
    return calculate_number (self, result, error);
  if (g_ascii_isalpha (*self->at))
    return calculate_name (self, result, error);
  if (*self->at == '\0')
    return calculate_fail (self, "a number is missing", error);
  if (!calculate_take (self, '('))
    return calculate_fail (self, "a number, a function or a bracket should stand", error);
  if (!calculate_sum (self, result, error))
    return FALSE;
  return calculate_take (self, ')') || calculate_fail (self, "a closing bracket is missing", error);
}

static gboolean
calculate_operate (CalculateParser *self, const char *where, char operator, CalculateNumber * left,
                   const CalculateNumber *right, GError **error)
{
  const CalculateNumber a = *left;

  if (calculate_number_operate (operator, & a, right, left, error))
    return TRUE;
  g_prefix_error (error, "column %u: ", (guint) (where - self->start) + 1);
  return FALSE;
}

static gboolean
calculate_power (CalculateParser *self, CalculateNumber *result, GError **error)
{
  CalculateNumber exponent = { 0 };
  const char *where = NULL;

  if (!calculate_value (self, result, error))
    return FALSE;
  calculate_skip_blanks (self);
  where = self->at;
  if (*self->at == '^')
    self->at++;
  else if (self->at[0] == '*' && self->at[1] == '*')
    self->at += 2;
  else
    return TRUE;
  return calculate_sign (self, &exponent, error)
         && calculate_operate (self, where, '^', result, &exponent, error);
}

static gboolean
calculate_sign (CalculateParser *self, CalculateNumber *result, GError **error)
{
  gboolean ok = FALSE;

  if (!calculate_enter (self, error))
    return FALSE;
  if (calculate_take (self, '-'))
    {
      ok = calculate_sign (self, result, error);
      if (ok)
        *result = calculate_number_negate (result);
    }
  else if (calculate_take (self, '+'))
    ok = calculate_sign (self, result, error);
  else
    ok = calculate_power (self, result, error);
  self->depth--;
  return ok;
}

static gboolean
calculate_product (CalculateParser *self, CalculateNumber *result, GError **error)
{
  if (!calculate_sign (self, result, error))
    return FALSE;
  for (;;)
    {
      CalculateNumber right = { 0 };
      const char *where = NULL;

      calculate_skip_blanks (self);
      where = self->at;
      if (*where != '*' && *where != '/' && *where != '%')
        return TRUE;
      self->at++;
      if (!calculate_sign (self, &right, error)
          || !calculate_operate (self, where, *where, result, &right, error))
        return FALSE;
    }
}

static gboolean
calculate_sum (CalculateParser *self, CalculateNumber *result, GError **error)
{
  if (!calculate_enter (self, error) || !calculate_product (self, result, error))
    return FALSE;
  for (;;)
    {
      CalculateNumber right = { 0 };
      const char *where = NULL;

      calculate_skip_blanks (self);
      where = self->at;
      if (*where != '+' && *where != '-')
        {
          self->depth--;
          return TRUE;
        }
      self->at++;
      if (!calculate_product (self, &right, error)
          || !calculate_operate (self, where, *where, result, &right, error))
        return FALSE;
    }
}

/**
 * calculate_evaluate:
 * @expression: text
 * @result: (out): its value, finite
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT, whose text says what is wrong and where
 */
gboolean
calculate_evaluate (const char *expression, CalculateNumber *result, GError **error)
{
  CalculateParser parser = { expression, expression, 0 };

  if (strlen (expression) > CALCULATE_MAX_LENGTH)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "the expression is longer than %d bytes", CALCULATE_MAX_LENGTH);
      return FALSE;
    }
  if (!calculate_sum (&parser, result, error))
    return FALSE;
  calculate_skip_blanks (&parser);
  return *parser.at == '\0'
         || calculate_fail (&parser, "an operator or the end should stand", error);
}
