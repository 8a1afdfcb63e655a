/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a unit holds the sort of thing that a question asks for. */
#pragma once

#include "extractive-question.h"
#include "extractive-units.h"

G_BEGIN_DECLS

gboolean extractive_fit_check (const ExtractiveQuestion *question, const ExtractiveUnit *unit);
gdouble extractive_fit_bonus (const ExtractiveQuestion *question, const ExtractiveUnit *unit,
                              gdouble own);
gdouble extractive_fit_tag (const ExtractiveQuestion *question, const ExtractiveUnit *unit,
                            const gdouble *weight, gdouble total);
gdouble extractive_fit_penalty (const ExtractiveUnit *unit);

G_END_DECLS
