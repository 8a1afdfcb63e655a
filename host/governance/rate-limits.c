/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Token buckets: one holds as many requests as a minute has, and fills evenly. A bucket that is
 * full is the same as none, so full ones are dropped when there are many. */
#include "rate-limits.h"

#define REEVE_RATE_LIMITS_MINUTE (60 * G_USEC_PER_SEC)
/* looked through for full ones when there are so many, and then when there are twice as many as
 * stayed */
#define REEVE_RATE_LIMITS_MANY 1024

/* Counted in µs of filling: a request costs a minute / limit. */
typedef struct
{
  gint64 missing; /* µs until it is full, at … */
  gint64 at;      /* … monotonic µs */
  gboolean refused;
} ReeveRateLimitsBucket;

struct _ReeveRateLimits
{
  GMutex mutex;
  GHashTable *buckets; /* "kind/subject" -> bucket */
  guint sweep_at;
};

/**
 * reeve_rate_limits_new:
 *
 * Returns: (transfer full): nothing counted yet
 */
ReeveRateLimits *
reeve_rate_limits_new (void)
{
  ReeveRateLimits *self = g_new0 (ReeveRateLimits, 1);

  g_mutex_init (&self->mutex);
  self->buckets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->sweep_at = REEVE_RATE_LIMITS_MANY;
  return self;
}

/**
 * reeve_rate_limits_free:
 * @self: (transfer full): rate limits
 */
void
reeve_rate_limits_free (ReeveRateLimits *self)
{
  g_hash_table_unref (self->buckets);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static gint64
reeve_rate_limits_missing (const ReeveRateLimitsBucket *bucket, gint64 now)
{
  return MAX (bucket->missing - MAX (now - bucket->at, 0), 0);
}

static gboolean
reeve_rate_limits_is_full (gpointer key, gpointer value, gpointer now)
{
  return reeve_rate_limits_missing (value, *(gint64 *) now) == 0;
}

static ReeveRateLimitsBucket *
reeve_rate_limits_find (ReeveRateLimits *self, const char *kind, const char *subject, gint64 now)
{
  g_autofree char *name = g_strconcat (kind, "/", subject, NULL);
  ReeveRateLimitsBucket *bucket = g_hash_table_lookup (self->buckets, name);

  if (bucket != NULL)
    return bucket;
  if (g_hash_table_size (self->buckets) >= self->sweep_at)
    {
      g_hash_table_foreach_remove (self->buckets, reeve_rate_limits_is_full, &now);
      self->sweep_at = MAX (g_hash_table_size (self->buckets) * 2, REEVE_RATE_LIMITS_MANY);
    }
  bucket = g_new0 (ReeveRateLimitsBucket, 1);
  bucket->at = now;
  g_hash_table_insert (self->buckets, g_steal_pointer (&name), bucket);
  return bucket;
}

static guint
reeve_rate_limits_seconds (gint64 us)
{
  return (guint) ((us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
}

/**
 * reeve_rate_limits_take:
 * @self: rate limits
 * @kind: what is counted: `key`
 * @subject: which of them
 * @per_minute: how many requests a minute it may make, at least 1; as many may come at once
 * @now: monotonic µs
 * @state: (out caller-allocates): how it stands afterwards
 *
 * A request that is refused costs nothing. A limit that was changed counts from the next request.
 *
 * Returns: whether one more may come
 */
gboolean
reeve_rate_limits_take (ReeveRateLimits *self, const char *kind, const char *subject,
                        guint per_minute, gint64 now, ReeveRateLimitsState *state)
{
  gint64 cost = REEVE_RATE_LIMITS_MINUTE / MAX (per_minute, 1);
  gint64 whole = cost * MAX (per_minute, 1);
  ReeveRateLimitsBucket *bucket = NULL;
  gint64 missing = 0;
  gboolean good = FALSE;

  g_mutex_lock (&self->mutex);
  bucket = reeve_rate_limits_find (self, kind, subject, now);
  missing = MIN (reeve_rate_limits_missing (bucket, now), whole);
  good = missing + cost <= whole;
  state->first = !good && !bucket->refused;
  bucket->refused = !good;
  bucket->missing = missing + (good ? cost : 0);
  bucket->at = now;
  missing = bucket->missing;
  g_mutex_unlock (&self->mutex);
  state->limit = per_minute;
  state->remaining = (guint) ((whole - missing) / cost);
  state->reset = reeve_rate_limits_seconds (missing);
  state->wait = good ? 0 : reeve_rate_limits_seconds (missing + cost - whole);
  return good;
}

/**
 * reeve_rate_limits_get_size:
 * @self: rate limits
 *
 * Returns: how many buckets there are
 */
guint
reeve_rate_limits_get_size (ReeveRateLimits *self)
{
  guint size = 0;

  g_mutex_lock (&self->mutex);
  size = g_hash_table_size (self->buckets);
  g_mutex_unlock (&self->mutex);
  return size;
}
