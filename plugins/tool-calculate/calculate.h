/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic expressions: + - * / % ^, brackets, functions, pi and e. */
#pragma once

#include "calculate-number.h"

G_BEGIN_DECLS

#define CALCULATE_MAX_LENGTH 1000
#define CALCULATE_MAX_DEPTH  64

gboolean calculate_evaluate (const char *expression, CalculateNumber *result, GError **error);

G_END_DECLS
