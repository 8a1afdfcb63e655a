/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wait doubles with each end that follows another soon, and chance takes up to a quarter of it,
 * so that plugins that fell together do not come back together. */
#include "crashes.h"

/* the memory of inputs is for one plugin that goes on, not for an attack on the host's memory */
#define REEVE_CRASHES_MAX_INPUTS 256

typedef struct
{
  guint times;
  guint process; /* the last one that it ended */
} ReeveCrashesInput;

void
reeve_crashes_init (ReeveCrashes *self)
{
  *self = (ReeveCrashes){ 0 };
  self->inputs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

void
reeve_crashes_clear (ReeveCrashes *self)
{
  g_clear_pointer (&self->inputs, g_hash_table_unref);
}

void
reeve_crashes_delay (ReeveCrashes *self, gint64 now, double chance)
{
  self->wait_us = self->wait_us == 0 ? REEVE_CRASHES_FIRST_US
                                     : MIN (2 * self->wait_us, REEVE_CRASHES_LAST_US);
  self->not_before = now + self->wait_us - (gint64) ((double) self->wait_us / 4 * chance);
}

gboolean
reeve_crashes_add (ReeveCrashes *self, gint64 now, double chance)
{
  self->times[self->n % REEVE_CRASHES_MOST] = now;
  self->n++;
  reeve_crashes_delay (self, now, chance);
  return reeve_crashes_count (self, now) >= REEVE_CRASHES_MOST;
}

void
reeve_crashes_calm (ReeveCrashes *self, gint64 now)
{
  guint last = self->n > 0 ? (self->n - 1) % REEVE_CRASHES_MOST : 0;

  /* one that works between two crashes has not recovered */
  if (self->n == 0 || now - self->times[last] > REEVE_CRASHES_LAST_US)
    self->wait_us = 0;
}

void
reeve_crashes_blame (ReeveCrashes *self, const char *input, guint process)
{
  ReeveCrashesInput *one = g_hash_table_lookup (self->inputs, input);

  if (one == NULL && g_hash_table_size (self->inputs) >= REEVE_CRASHES_MAX_INPUTS)
    return;
  if (one == NULL)
    {
      one = g_new0 (ReeveCrashesInput, 1);
      g_hash_table_insert (self->inputs, g_strdup (input), one);
    }
  one->times += one->process != process;
  one->process = process;
}

gboolean
reeve_crashes_is_blamed (const ReeveCrashes *self, const char *input)
{
  const ReeveCrashesInput *one = g_hash_table_lookup (self->inputs, input);

  return one != NULL && one->times >= REEVE_CRASHES_OF_INPUT;
}

gboolean
reeve_crashes_has_blamed (const ReeveCrashes *self)
{
  return g_hash_table_size (self->inputs) > 0;
}

guint
reeve_crashes_count (const ReeveCrashes *self, gint64 now)
{
  guint count = 0;

  for (guint i = 0; i < MIN (self->n, REEVE_CRASHES_MOST); i++)
    count += self->times[i] > now - REEVE_CRASHES_WINDOW_US;
  return count;
}
