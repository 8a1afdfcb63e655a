/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveQuantiles: a log-linear histogram: counts of values by size, from which any quantile is read
 * with a relative error of at most REEVE_QUANTILES_ERROR. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* half a bucket, over the lowest value in it */
#define REEVE_QUANTILES_ERROR (1.0 / 64)
/* greater values count as this one: about 19 hours in microseconds */
#define REEVE_QUANTILES_MAX ((G_GINT64_CONSTANT (1) << 36) - 1)

typedef struct _ReeveQuantiles ReeveQuantiles;

ReeveQuantiles *reeve_quantiles_new (void) G_GNUC_WARN_UNUSED_RESULT;
void reeve_quantiles_free (ReeveQuantiles *self);
/* Any thread; no lock. */
void reeve_quantiles_add (ReeveQuantiles *self, gint64 value);
/* Forgets everything; what is added meanwhile may be forgotten too, or not. */
void reeve_quantiles_clear (ReeveQuantiles *self);
/* Adds what is in @other. */
void reeve_quantiles_merge (ReeveQuantiles *self, ReeveQuantiles *other);
guint64 reeve_quantiles_get_count (ReeveQuantiles *self);
/* quantile: 0 to 1; the value of rank ceil (quantile x count), at least the first. 0 of nothing. */
double reeve_quantiles_get (ReeveQuantiles *self, double quantile);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveQuantiles, reeve_quantiles_free)

G_END_DECLS
