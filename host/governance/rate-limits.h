/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRateLimits: how many requests a minute, counted in memory, for this host alone. Any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveRateLimits ReeveRateLimits;

/* What was found, for the one who asks. */
typedef struct
{
  guint limit;     /* requests a minute */
  guint remaining; /* that may come at once */
  guint reset;     /* seconds until all of them may */
  guint wait;      /* seconds until the next one may; 0: now */
  gboolean first;  /* refused, and the one before was not */
} ReeveRateLimitsState;

ReeveRateLimits *reeve_rate_limits_new (void) G_GNUC_WARN_UNUSED_RESULT;
void reeve_rate_limits_free (ReeveRateLimits *self);
/* May one more request come? kind: what is counted ("key"); subject: which; now: monotonic µs. */
gboolean reeve_rate_limits_take (ReeveRateLimits *self, const char *kind, const char *subject,
                                 guint per_minute, gint64 now, ReeveRateLimitsState *state);
/* How many are counted now. */
guint reeve_rate_limits_get_size (ReeveRateLimits *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRateLimits, reeve_rate_limits_free)

G_END_DECLS
