/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After HdrHistogram (Gil Tene, https://hdrhistogram.github.io/HdrHistogram/): values below 32 have
 * a bucket each; from there on every power of two is cut into 32 buckets of one width. A quantile
 * is the middle of the bucket in which the value of that rank lies, so it is off by at most half a
 * bucket: 1/64 of the value. Merging adds counts, so quantiles of several together are as right as
 * those of one.
 *
 * The counts of a power of two lie in a page of their own, made when it is first needed: latencies
 * fill a few of them. */
#include "quantiles.h"

#include <math.h>

#define REEVE_QUANTILES_BITS  5
#define REEVE_QUANTILES_WIDTH (1 << REEVE_QUANTILES_BITS)
#define REEVE_QUANTILES_PAGES (36 - REEVE_QUANTILES_BITS + 1)

typedef struct
{
  guint32 counts[REEVE_QUANTILES_WIDTH]; /* atomic */
} ReeveQuantilesPage;

struct _ReeveQuantiles
{
  ReeveQuantilesPage *pages[REEVE_QUANTILES_PAGES]; /* atomic; once there they stay */
};

/**
 * reeve_quantiles_new:
 *
 * Returns: (transfer full): an empty histogram
 */
ReeveQuantiles *
reeve_quantiles_new (void)
{
  return g_new0 (ReeveQuantiles, 1);
}

void
reeve_quantiles_free (ReeveQuantiles *self)
{
  for (guint i = 0; i < REEVE_QUANTILES_PAGES; i++)
    g_free (self->pages[i]);
  g_free (self);
}

/* The first page holds 0 to 31, page n the values from 2^(n+4) on. */
static void
reeve_quantiles_locate (gint64 value, guint *page, guint *place)
{
  guint64 bounded = (guint64) CLAMP (value, 0, REEVE_QUANTILES_MAX);
  guint length = bounded > 0 ? 64 - (guint) __builtin_clzll (bounded) : 0;

  *page = length > REEVE_QUANTILES_BITS ? length - REEVE_QUANTILES_BITS : 0;
  *place = *page > 0 ? (guint) (bounded >> (*page - 1)) - REEVE_QUANTILES_WIDTH : (guint) bounded;
}

/* The middle of a bucket. */
static double
reeve_quantiles_get_middle (guint page, guint place)
{
  double width = page > 0 ? (double) (G_GUINT64_CONSTANT (1) << (page - 1)) : 1;

  if (page == 0)
    return place;
  /* the values in it are whole: from the lowest to one below the next bucket's */
  return (REEVE_QUANTILES_WIDTH + place) * width + (width - 1) / 2;
}

static ReeveQuantilesPage *
reeve_quantiles_need_page (ReeveQuantiles *self, guint number)
{
  ReeveQuantilesPage *page = g_atomic_pointer_get (&self->pages[number]);
  ReeveQuantilesPage *fresh = NULL;

  if (page != NULL)
    return page;
  fresh = g_new0 (ReeveQuantilesPage, 1);
  if (g_atomic_pointer_compare_and_exchange (&self->pages[number], NULL, fresh))
    return fresh;
  g_free (fresh);
  return g_atomic_pointer_get (&self->pages[number]);
}

/**
 * reeve_quantiles_add:
 * @self: a histogram
 * @value: one more; below 0 counts as 0, above %REEVE_QUANTILES_MAX as that
 */
void
reeve_quantiles_add (ReeveQuantiles *self, gint64 value)
{
  guint number = 0;
  guint place = 0;

  reeve_quantiles_locate (value, &number, &place);
  __atomic_fetch_add (&reeve_quantiles_need_page (self, number)->counts[place], 1,
                      __ATOMIC_RELAXED);
}

static guint32
reeve_quantiles_read (ReeveQuantiles *self, guint number, guint place)
{
  ReeveQuantilesPage *page = g_atomic_pointer_get (&self->pages[number]);

  return page != NULL ? __atomic_load_n (&page->counts[place], __ATOMIC_RELAXED) : 0;
}

void
reeve_quantiles_clear (ReeveQuantiles *self)
{
  for (guint number = 0; number < REEVE_QUANTILES_PAGES; number++)
    {
      ReeveQuantilesPage *page = g_atomic_pointer_get (&self->pages[number]);

      for (guint place = 0; page != NULL && place < REEVE_QUANTILES_WIDTH; place++)
        __atomic_store_n (&page->counts[place], 0, __ATOMIC_RELAXED);
    }
}

void
reeve_quantiles_merge (ReeveQuantiles *self, ReeveQuantiles *other)
{
  for (guint number = 0; number < REEVE_QUANTILES_PAGES; number++)
    for (guint place = 0; place < REEVE_QUANTILES_WIDTH; place++)
      {
        guint32 count = reeve_quantiles_read (other, number, place);

        if (count > 0)
          __atomic_fetch_add (&reeve_quantiles_need_page (self, number)->counts[place], count,
                              __ATOMIC_RELAXED);
      }
}

guint64
reeve_quantiles_get_count (ReeveQuantiles *self)
{
  guint64 count = 0;

  for (guint number = 0; number < REEVE_QUANTILES_PAGES; number++)
    for (guint place = 0; place < REEVE_QUANTILES_WIDTH; place++)
      count += reeve_quantiles_read (self, number, place);
  return count;
}

/**
 * reeve_quantiles_get:
 * @self: a histogram
 * @quantile: 0 to 1
 *
 * Returns: the value of rank ceil (@quantile x count), off by at most %REEVE_QUANTILES_ERROR of
 * itself; 0 when there is none
 */
double
reeve_quantiles_get (ReeveQuantiles *self, double quantile)
{
  guint64 count = reeve_quantiles_get_count (self);
  double rank = MAX (ceil (CLAMP (quantile, 0, 1) * (double) count), 1);
  guint64 below = 0;

  for (guint number = 0; count > 0 && number < REEVE_QUANTILES_PAGES; number++)
    for (guint place = 0; place < REEVE_QUANTILES_WIDTH; place++)
      {
        below += reeve_quantiles_read (self, number, place);
        if ((double) below >= rank)
          return reeve_quantiles_get_middle (number, place);
      }
  return 0;
}
