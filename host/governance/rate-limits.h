/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRateLimits: how many requests a minute and an hour, counted in memory, for this host alone.
 * Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveRateLimits ReeveRateLimits;

/* What was found, for the one who asks. */
typedef struct
{
  guint limit;      /* requests in … */
  guint seconds;    /* … so long a time */
  guint remaining;  /* that may come at once */
  guint reset;      /* seconds until all of them may */
  guint wait;       /* seconds until the next one may; 0: now */
  gboolean first;   /* refused, and the one before was not */
  const char *kind; /* what was counted; static */
  const char *name; /* the setting that says so; static */
} ReeveRateLimitsState;

/* One of the limits that a request is held to. */
typedef struct
{
  const char *kind; /* key, user, tenant; static */
  const char *subject;
  guint limit;      /* at least 1, in … */
  guint seconds;    /* … so long a time: an hour has 3600; 0: a minute */
  guint burst;      /* how many may come at once; 0: as many as @limit */
  const char *name; /* (nullable): the setting that says so; static */
} ReeveRateLimitsAsk;

#define REEVE_RATE_LIMITS_KINDS 6

ReeveRateLimits *reeve_rate_limits_new (void) G_GNUC_WARN_UNUSED_RESULT;
void reeve_rate_limits_free (ReeveRateLimits *self);
/* May one more request come? kind: what is counted ("key"); subject: which; now: monotonic µs. */
gboolean reeve_rate_limits_take (ReeveRateLimits *self, const char *kind, const char *subject,
                                 guint per_minute, gint64 now, ReeveRateLimitsState *state);
/* May one more request come by all of them? The strictest is told; what is refused costs nothing.
 */
gboolean reeve_rate_limits_take_all (ReeveRateLimits *self, const ReeveRateLimitsAsk *asks,
                                     guint n_asks, gint64 now, ReeveRateLimitsState *state);
/* Before the first request: what the configuration holds everybody to. kinds (nullable): tenant,
 * user, key; per_minute, per_hour 0: nothing. */
void reeve_rate_limits_configure (ReeveRateLimits *self, guint per_minute, guint burst,
                                  guint per_hour, const char *const *kinds);
/* One request of somebody. key_id is nullable; key_limit: its own, 0: none. TRUE with
 * state->limit 0: held to none. */
gboolean reeve_rate_limits_admit (ReeveRateLimits *self, const char *tenant_id, const char *user_id,
                                  const char *key_id, guint key_limit, gint64 now,
                                  ReeveRateLimitsState *state);
/* How the same limits stand, the strictest first; user_id too is nullable: of nobody in particular.
 * Nothing is counted. Returns how many there are. */
guint reeve_rate_limits_look (ReeveRateLimits *self, const char *tenant_id, const char *user_id,
                              const char *key_id, guint key_limit, gint64 now,
                              ReeveRateLimitsState states[REEVE_RATE_LIMITS_KINDS]);
/* %REEVE_ERROR_RATE_LIMITED: which limit it is, and when to come again */
void reeve_rate_limits_refuse (const ReeveRateLimitsState *state, GError **error);
/* How many are counted now. */
guint reeve_rate_limits_get_size (ReeveRateLimits *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRateLimits, reeve_rate_limits_free)

G_END_DECLS
