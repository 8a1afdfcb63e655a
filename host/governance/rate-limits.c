/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Token buckets: one holds as many requests as a minute, or an hour, has, and fills evenly. A
 * bucket that is full is the same as none, so full ones are dropped when there are many. */
#include "rate-limits.h"

#include <reeve-error.h>

#define REEVE_RATE_LIMITS_MINUTE 60 /* seconds */
#define REEVE_RATE_LIMITS_HOUR   3600
/* looked through for full ones when there are so many, and then when there are twice as many as
 * stayed */
#define REEVE_RATE_LIMITS_MANY 1024

/* Counted in µs of filling: a request costs the time / limit. */
typedef struct
{
  gint64 missing; /* µs until it is full, at … */
  gint64 at;      /* … monotonic µs */
  gboolean refused;
} ReeveRateLimitsBucket;

struct _ReeveRateLimits
{
  GMutex mutex;
  GHashTable *buckets; /* "kind/seconds/subject" -> bucket */
  guint sweep_at;
  guint per_minute; /* of everybody; 0: none */
  guint per_hour;
  guint burst;
  gboolean tenants, users, keys;
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

/* Before buckets are looked at: none of those goes. */
static void
reeve_rate_limits_sweep (ReeveRateLimits *self, gint64 now)
{
  if (g_hash_table_size (self->buckets) < self->sweep_at)
    return;
  g_hash_table_foreach_remove (self->buckets, reeve_rate_limits_is_full, &now);
  self->sweep_at = MAX (g_hash_table_size (self->buckets) * 2, REEVE_RATE_LIMITS_MANY);
}

/* (nullable): who only looks makes none */
static ReeveRateLimitsBucket *
reeve_rate_limits_find (ReeveRateLimits *self, const ReeveRateLimitsAsk *ask, guint seconds,
                        gint64 now, gboolean make)
{
  const char *span = seconds == REEVE_RATE_LIMITS_MINUTE ? "/minute/" : "/hour/";
  g_autofree char *name = g_strconcat (ask->kind, span, ask->subject, NULL);
  ReeveRateLimitsBucket *bucket = g_hash_table_lookup (self->buckets, name);

  if (bucket != NULL || !make)
    return bucket;
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

/* Where a bucket stands, and where it would be with one more request. */
typedef struct
{
  ReeveRateLimitsBucket *bucket;
  guint seconds;
  gint64 cost;
  gint64 whole;
  gint64 missing;
  gboolean good;
} ReeveRateLimitsLook;

/* Under the lock. */
static void
reeve_rate_limits_measure (ReeveRateLimits *self, const ReeveRateLimitsAsk *ask, gint64 now,
                           gboolean make, ReeveRateLimitsLook *look)
{
  guint limit = MAX (ask->limit, 1);

  look->seconds = ask->seconds > 0 ? ask->seconds : REEVE_RATE_LIMITS_MINUTE;
  look->cost = (gint64) look->seconds * G_USEC_PER_SEC / limit;
  look->whole = look->cost * (ask->burst > 0 ? ask->burst : limit);
  look->bucket = reeve_rate_limits_find (self, ask, look->seconds, now, make);
  look->missing
      = look->bucket != NULL ? MIN (reeve_rate_limits_missing (look->bucket, now), look->whole) : 0;
  look->good = look->missing + look->cost <= look->whole;
}

static void
reeve_rate_limits_tell (const ReeveRateLimitsAsk *ask, const ReeveRateLimitsLook *look,
                        ReeveRateLimitsState *state)
{
  state->kind = ask->kind;
  state->name = ask->name;
  state->limit = ask->limit;
  state->seconds = look->seconds;
  state->remaining = (guint) ((look->whole - look->missing) / look->cost);
  state->reset = reeve_rate_limits_seconds (look->missing);
  state->wait
      = look->good ? 0 : reeve_rate_limits_seconds (look->missing + look->cost - look->whole);
}

/* The one that refuses longest, else the one that leaves least. */
static gboolean
reeve_rate_limits_is_stricter (const ReeveRateLimitsState *a, const ReeveRateLimitsState *b)
{
  return a->wait != b->wait ? a->wait > b->wait : a->remaining < b->remaining;
}

/**
 * reeve_rate_limits_take_all:
 * @self: rate limits
 * @asks: what the request is held to
 * @n_asks: how many, at least 1, at most %REEVE_RATE_LIMITS_KINDS
 * @now: monotonic µs
 * @state: (out caller-allocates): how the strictest stands afterwards
 *
 * A request that is refused costs nothing. A limit that was changed counts from the next request.
 *
 * Returns: whether one more may come
 */
gboolean
reeve_rate_limits_take_all (ReeveRateLimits *self, const ReeveRateLimitsAsk *asks, guint n_asks,
                            gint64 now, ReeveRateLimitsState *state)
{
  ReeveRateLimitsLook looks[REEVE_RATE_LIMITS_KINDS];
  ReeveRateLimitsState told = { 0 };
  gboolean good = TRUE;
  gboolean first = FALSE;

  g_mutex_lock (&self->mutex);
  reeve_rate_limits_sweep (self, now);
  for (guint i = 0; i < n_asks; i++)
    {
      reeve_rate_limits_measure (self, &asks[i], now, TRUE, &looks[i]);
      good = good && looks[i].good;
    }
  for (guint i = 0; i < n_asks; i++)
    {
      first = first || (!looks[i].good && !looks[i].bucket->refused);
      looks[i].bucket->refused = !looks[i].good;
      looks[i].missing += good ? looks[i].cost : 0;
      looks[i].bucket->missing = looks[i].missing;
      looks[i].bucket->at = now;
      reeve_rate_limits_tell (&asks[i], &looks[i], &told);
      if (i == 0 || reeve_rate_limits_is_stricter (&told, state))
        *state = told;
    }
  g_mutex_unlock (&self->mutex);
  state->first = first;
  return good;
}

/**
 * reeve_rate_limits_take:
 * @self: rate limits
 * @kind: what is counted: `key`; static
 * @subject: which of them
 * @per_minute: how many requests a minute it may make, at least 1; as many may come at once
 * @now: monotonic µs
 * @state: (out caller-allocates): how it stands afterwards
 *
 * As reeve_rate_limits_take_all() with one limit.
 *
 * Returns: whether one more may come
 */
gboolean
reeve_rate_limits_take (ReeveRateLimits *self, const char *kind, const char *subject,
                        guint per_minute, gint64 now, ReeveRateLimitsState *state)
{
  const ReeveRateLimitsAsk ask = { .kind = kind, .subject = subject, .limit = per_minute };

  return reeve_rate_limits_take_all (self, &ask, 1, now, state);
}

/**
 * reeve_rate_limits_configure:
 * @self: rate limits
 * @per_minute: how many requests each of them may make; 0: no limit
 * @burst: how many may come at once; 0: as many as a minute has
 * @per_hour: how many each of them may make in an hour, besides; 0: no limit
 * @kinds: (nullable): tenant, user, key
 */
void
reeve_rate_limits_configure (ReeveRateLimits *self, guint per_minute, guint burst, guint per_hour,
                             const char *const *kinds)
{
  self->per_minute = kinds != NULL ? per_minute : 0;
  self->per_hour = kinds != NULL ? per_hour : 0;
  self->burst = burst;
  if (kinds == NULL)
    return;
  self->tenants = g_strv_contains (kinds, "tenant");
  self->users = g_strv_contains (kinds, "user");
  self->keys = g_strv_contains (kinds, "key");
}

/* What the configuration says of one of them. Returns how many asks there are then. */
static guint
reeve_rate_limits_add (ReeveRateLimits *self, const char *kind, const char *subject,
                       ReeveRateLimitsAsk *asks, guint n)
{
  if (self->per_minute > 0)
    asks[n++] = (ReeveRateLimitsAsk){ .kind = kind,
                                      .subject = subject,
                                      .limit = self->per_minute,
                                      .burst = self->burst,
                                      .name = "limits.requests_per_minute" };
  if (self->per_hour > 0)
    asks[n++] = (ReeveRateLimitsAsk){ .kind = kind,
                                      .subject = subject,
                                      .limit = self->per_hour,
                                      .seconds = REEVE_RATE_LIMITS_HOUR,
                                      .name = "limits.requests_per_hour" };
  return n;
}

/* A key's own limit of a minute, where it is the stricter one, is in the place of the other. */
static guint
reeve_rate_limits_add_key (ReeveRateLimits *self, const char *key_id, guint limit,
                           ReeveRateLimitsAsk *asks)
{
  const ReeveRateLimitsAsk own
      = { .kind = "key", .subject = key_id, .limit = limit, .name = "rate_limit of the key" };
  guint n = self->keys ? reeve_rate_limits_add (self, "key", key_id, asks, 0) : 0;

  if (limit == 0)
    return n;
  if (!self->keys || self->per_minute == 0)
    asks[n++] = own;
  else if (limit <= self->per_minute)
    asks[0] = own;
  return n;
}

/* What a request is held to; *user (transfer full) is what one of them counts. Returns how many. */
static guint
reeve_rate_limits_list (ReeveRateLimits *self, const char *tenant_id, const char *user_id,
                        const char *key_id, guint key_limit, char **user,
                        ReeveRateLimitsAsk asks[REEVE_RATE_LIMITS_KINDS])
{
  guint n = key_id != NULL ? reeve_rate_limits_add_key (self, key_id, key_limit, asks) : 0;

  if (self->users && user_id != NULL)
    {
      *user = g_strconcat (tenant_id, "/", user_id, NULL);
      n = reeve_rate_limits_add (self, "user", *user, asks, n);
    }
  return self->tenants ? reeve_rate_limits_add (self, "tenant", tenant_id, asks, n) : n;
}

/**
 * reeve_rate_limits_admit:
 * @self: rate limits
 * @tenant_id: of the caller
 * @user_id: of the caller
 * @key_id: (nullable): what was shown
 * @key_limit: requests a minute of that key; 0: none of its own
 * @now: monotonic µs
 * @state: (out caller-allocates): how the strictest stands afterwards; its limit is 0 when there is
 * none
 *
 * Returns: whether the request may come
 */
gboolean
reeve_rate_limits_admit (ReeveRateLimits *self, const char *tenant_id, const char *user_id,
                         const char *key_id, guint key_limit, gint64 now,
                         ReeveRateLimitsState *state)
{
  g_autofree char *user = NULL;
  ReeveRateLimitsAsk asks[REEVE_RATE_LIMITS_KINDS];
  guint n = reeve_rate_limits_list (self, tenant_id, user_id, key_id, key_limit, &user, asks);

  *state = (ReeveRateLimitsState){ 0 };
  return n == 0 || reeve_rate_limits_take_all (self, asks, n, now, state);
}

/**
 * reeve_rate_limits_look:
 * @self: rate limits
 * @tenant_id: of the caller
 * @user_id: (nullable): of the caller
 * @key_id: (nullable): what would be shown
 * @key_limit: requests a minute of that key; 0: none of its own
 * @now: monotonic µs
 * @states: (out caller-allocates): how each of the limits stands, the strictest first
 *
 * What reeve_rate_limits_admit() would find. Nothing is counted.
 *
 * Returns: how many limits there are
 */
guint
reeve_rate_limits_look (ReeveRateLimits *self, const char *tenant_id, const char *user_id,
                        const char *key_id, guint key_limit, gint64 now,
                        ReeveRateLimitsState states[REEVE_RATE_LIMITS_KINDS])
{
  g_autofree char *user = NULL;
  ReeveRateLimitsAsk asks[REEVE_RATE_LIMITS_KINDS];
  guint n = reeve_rate_limits_list (self, tenant_id, user_id, key_id, key_limit, &user, asks);

  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < n; i++)
    {
      ReeveRateLimitsLook look = { 0 };
      ReeveRateLimitsState told = { 0 };
      guint place = i;

      reeve_rate_limits_measure (self, &asks[i], now, FALSE, &look);
      reeve_rate_limits_tell (&asks[i], &look, &told);
      for (; place > 0 && reeve_rate_limits_is_stricter (&told, &states[place - 1]); place--)
        states[place] = states[place - 1];
      states[place] = told;
    }
  g_mutex_unlock (&self->mutex);
  return n;
}

/**
 * reeve_rate_limits_refuse:
 * @state: how the strictest limit stands
 * @error: return location
 *
 * Says which limit it is, and when the next request may come.
 */
void
reeve_rate_limits_refuse (const ReeveRateLimitsState *state, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED,
               "this %s may make %u requests in %u s (%s); the next one in %u s", state->kind,
               state->limit, state->seconds, state->name, state->wait);
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
