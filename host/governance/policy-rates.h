/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePolicyRates: how often was called what may be called so many times in a time. In memory, of
 * this host alone. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReevePolicyRates ReevePolicyRates;

typedef struct
{
  char *key; /* whose and of what; owned by the one who asks */
  guint limit;
  guint seconds;
} ReevePolicyRatesDemand;

/* @most: keys that are counted at once */
ReevePolicyRates *reeve_policy_rates_new (guint most);
void reeve_policy_rates_free (ReevePolicyRates *self);
/* Counts one call under each key, or none where one of them is used up: FALSE with its number.
 * @take FALSE only asks. @now: monotonic µs. */
gboolean reeve_policy_rates_take (ReevePolicyRates *self, const ReevePolicyRatesDemand *demands,
                                  guint length, gint64 now, gboolean take, guint *refused);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePolicyRates, reeve_policy_rates_free)

G_END_DECLS
