/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes the calculator: a finite number that can be written and read again, or an error that says
 * where. */
/* covers: plugins/tool-calculate/calculate.c
 * plugins/tool-calculate/calculate-number.c */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "calculate.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  CalculateNumber number = { 0 };
  CalculateNumber again = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *written = NULL;

  if (!calculate_evaluate (text, &number, &error))
    {
      g_assert (error != NULL);
      g_assert (strstr (error->message, "olumn") != NULL || strlen (text) > CALCULATE_MAX_LENGTH);
      return 0;
    }
  g_assert_no_error (error);
  g_assert (isfinite (number.real));
  written = calculate_number_format (&number);
  g_assert (calculate_evaluate (written, &again, &error));
  g_assert (!number.whole || again.integer == number.integer);
  return 0;
}
