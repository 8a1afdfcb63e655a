/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sliding window of 32 parts a key. The part that is leaving the window counts in full until it
 * has left: in no span of that length are more calls made than were allowed. Counters end with the
 * host, and several hosts count each for itself. */
#include "policy-rates.h"

#include <string.h>

#define REEVE_POLICY_RATES_PARTS 32

typedef struct
{
  gint64 part; /* number of the newest one since the clock's begin */
  gint64 width;
  guint counts[REEVE_POLICY_RATES_PARTS + 1]; /* by number modulo their count */
  guint64 sum;
} ReevePolicyRatesWindow;

struct _ReevePolicyRates
{
  GMutex lock;
  GHashTable *windows;
  guint most;
};

/**
 * reeve_policy_rates_new:
 * @most: keys that are counted at once; when they are all in use, others are refused
 *
 * Returns: (transfer full): nothing is counted yet
 */
ReevePolicyRates *
reeve_policy_rates_new (guint most)
{
  ReevePolicyRates *self = g_new0 (ReevePolicyRates, 1);

  g_mutex_init (&self->lock);
  self->windows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->most = most;
  return self;
}

/**
 * reeve_policy_rates_free:
 * @self: (transfer full): counters
 */
void
reeve_policy_rates_free (ReevePolicyRates *self)
{
  g_hash_table_unref (self->windows);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gint64
reeve_policy_rates_width (guint seconds)
{
  return (gint64) seconds * G_USEC_PER_SEC / REEVE_POLICY_RATES_PARTS;
}

/* Lets go of what has left the window. */
static void
reeve_policy_rates_slide (ReevePolicyRatesWindow *window, gint64 now)
{
  gint64 part = now / window->width;

  if (part - window->part > REEVE_POLICY_RATES_PARTS)
    {
      memset (window->counts, 0, sizeof window->counts);
      window->sum = 0;
      window->part = part;
    }
  while (window->part < part)
    {
      guint *count = &window->counts[++window->part % (REEVE_POLICY_RATES_PARTS + 1)];

      window->sum -= *count;
      *count = 0;
    }
}

static gboolean
reeve_policy_rates_is_idle (gpointer key, gpointer value, gpointer now)
{
  ReevePolicyRatesWindow *window = value;

  reeve_policy_rates_slide (window, *(gint64 *) now);
  return window->sum == 0;
}

/* (nullable): for want of room */
static ReevePolicyRatesWindow *
reeve_policy_rates_find (ReevePolicyRates *self, const ReevePolicyRatesDemand *demand, gint64 now)
{
  ReevePolicyRatesWindow *window = g_hash_table_lookup (self->windows, demand->key);
  gint64 width = reeve_policy_rates_width (demand->seconds);

  if (window == NULL)
    {
      if (g_hash_table_size (self->windows) >= self->most)
        g_hash_table_foreach_remove (self->windows, reeve_policy_rates_is_idle, &now);
      if (g_hash_table_size (self->windows) >= self->most)
        return NULL;
      window = g_new0 (ReevePolicyRatesWindow, 1);
      g_hash_table_insert (self->windows, g_strdup (demand->key), window);
    }
  if (window->width != width) /* new, or the policy counts another time now */
    *window = (ReevePolicyRatesWindow){ .width = width, .part = now / width };
  reeve_policy_rates_slide (window, now);
  return window;
}

static gboolean
reeve_policy_rates_take_locked (ReevePolicyRates *self, const ReevePolicyRatesDemand *demands,
                                guint length, gint64 now, gboolean take, guint *refused)
{
  for (guint i = 0; i < length; i++)
    {
      ReevePolicyRatesWindow *window = reeve_policy_rates_find (self, &demands[i], now);

      if (window != NULL && window->sum < demands[i].limit)
        continue;
      *refused = i;
      return FALSE;
    }
  for (guint i = 0; take && i < length; i++)
    {
      ReevePolicyRatesWindow *window = reeve_policy_rates_find (self, &demands[i], now);

      if (window == NULL)
        continue;
      window->counts[window->part % (REEVE_POLICY_RATES_PARTS + 1)]++;
      window->sum++;
    }
  return TRUE;
}

/**
 * reeve_policy_rates_take:
 * @self: counters
 * @demands: keys with what they are allowed
 * @length: how many
 * @now: monotonic µs
 * @take: whether to count, or only to ask
 * @refused: (out): which one is used up
 *
 * Returns: whether one more call is allowed under all of them
 */
gboolean
reeve_policy_rates_take (ReevePolicyRates *self, const ReevePolicyRatesDemand *demands,
                         guint length, gint64 now, gboolean take, guint *refused)
{
  gboolean free_to = FALSE;

  if (length == 0)
    return TRUE;
  g_mutex_lock (&self->lock);
  free_to = reeve_policy_rates_take_locked (self, demands, length, now, take, refused);
  g_mutex_unlock (&self->lock);
  return free_to;
}
