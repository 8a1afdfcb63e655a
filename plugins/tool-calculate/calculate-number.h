/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of the calculator: whole ones are exact up to 36 digits, all others are doubles. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

__extension__ typedef __int128 CalculateWide;

typedef struct
{
  gboolean whole;
  CalculateWide integer; /* when whole */
  double real;
} CalculateNumber;

CalculateNumber calculate_number_from_real (double real);
CalculateNumber calculate_number_from_integer (CalculateWide integer);
gboolean calculate_number_parse (const char *text, gsize length, CalculateNumber *number);
gboolean calculate_number_operate (char operator, const CalculateNumber * a,
                                   const CalculateNumber *b, CalculateNumber *result,
                                   GError **error);
CalculateNumber calculate_number_negate (const CalculateNumber *a);
int calculate_number_compare (const CalculateNumber *a, const CalculateNumber *b);
gboolean calculate_number_check (const CalculateNumber *a, GError **error);
char *calculate_number_format (const CalculateNumber *a);

G_END_DECLS
