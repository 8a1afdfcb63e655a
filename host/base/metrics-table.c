/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open addressing with linear probing in at least twice as many places as are taken. A table that
 * fills up is copied into one of twice the size; those before it stay until the end, together no
 * larger than the last. No element is ever moved or removed, so whoever reads needs no lock, and
 * what was found stays. */
#include "metrics-table.h"

#include <string.h>

#define REEVE_METRICS_TABLE_PLACES 8

typedef struct _ReeveMetricsTablePage ReeveMetricsTablePage;

struct _ReeveMetricsTablePage
{
  ReeveMetricsTablePage *before; /* smaller, for those who still look into it */
  guint mask;
  gpointer *in_order; /* as they came; those below @taken are never written again */
  gpointer places[];  /* atomic, by hash */
};

struct _ReeveMetricsTable
{
  guint most;
  guint length; /* of a key */
  gint taken;   /* atomic */
  GDestroyNotify free_func;
  ReeveMetricsTablePage *page; /* atomic, the largest */
};

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/; the end of each string counts. */
static guint32
reeve_metrics_table_key_hash (const char *const *values, guint length)
{
  guint32 hash = 2166136261u;

  for (guint i = 0; i < length; i++)
    {
      for (const char *p = values[i]; *p != '\0'; p++)
        hash = (hash ^ (guchar) *p) * 16777619u;
      hash = (hash ^ 0xffu) * 16777619u;
    }
  return hash;
}

/**
 * reeve_metrics_table_key_init:
 * @key: (out): filled in
 * @values: @length strings, copied
 * @length: how many
 */
void
reeve_metrics_table_key_init (ReeveMetricsKey *key, const char *const *values, guint length)
{
  key->hash = reeve_metrics_table_key_hash (values, length);
  key->length = length;
  key->values = g_new0 (char *, length + 1);
  for (guint i = 0; i < length; i++)
    key->values[i] = g_strdup (values[i]);
}

void
reeve_metrics_table_key_clear (ReeveMetricsKey *key)
{
  g_clear_pointer (&key->values, g_strfreev);
}

static ReeveMetricsTablePage *
reeve_metrics_table_page_new (guint size, ReeveMetricsTablePage *before)
{
  ReeveMetricsTablePage *page = g_malloc0 (sizeof *page + size * sizeof (gpointer));

  page->before = before;
  page->mask = size - 1;
  page->in_order = g_new0 (gpointer, size / 2);
  return page;
}

static void
reeve_metrics_table_page_put (ReeveMetricsTablePage *page, gpointer element)
{
  const ReeveMetricsKey *key = element;
  guint place = key->hash & page->mask;

  while (g_atomic_pointer_get (&page->places[place]) != NULL)
    place = (place + 1) & page->mask;
  g_atomic_pointer_set (&page->places[place], element);
}

/* Room for one more than @taken. */
static ReeveMetricsTablePage *
reeve_metrics_table_make_room (ReeveMetricsTable *self, guint taken)
{
  ReeveMetricsTablePage *page = g_atomic_pointer_get (&self->page);
  ReeveMetricsTablePage *larger = NULL;

  if (taken < (page->mask + 1) / 2)
    return page;
  larger = reeve_metrics_table_page_new ((page->mask + 1) * 2, page);
  for (guint i = 0; i < taken; i++)
    {
      larger->in_order[i] = page->in_order[i];
      reeve_metrics_table_page_put (larger, page->in_order[i]);
    }
  g_atomic_pointer_set (&self->page, larger);
  return larger;
}

/**
 * reeve_metrics_table_new:
 * @most: how many elements it takes
 * @length: how many strings name one
 * @free_func: frees an element
 *
 * Returns: (transfer full): an empty table
 */
ReeveMetricsTable *
reeve_metrics_table_new (guint most, guint length, GDestroyNotify free_func)
{
  ReeveMetricsTable *self = g_new0 (ReeveMetricsTable, 1);

  self->most = most;
  self->length = length;
  self->free_func = free_func;
  self->page = reeve_metrics_table_page_new (REEVE_METRICS_TABLE_PLACES, NULL);
  return self;
}

void
reeve_metrics_table_free (ReeveMetricsTable *self)
{
  ReeveMetricsTablePage *page = self->page;

  for (gint i = 0; i < self->taken; i++)
    self->free_func (page->in_order[i]);
  while (page != NULL)
    {
      ReeveMetricsTablePage *before = page->before;

      g_free (page->in_order);
      g_free (page);
      page = before;
    }
  g_free (self);
}

static gboolean
reeve_metrics_table_is (ReeveMetricsTable *self, const ReeveMetricsKey *key, guint32 hash,
                        const char *const *values)
{
  if (key->hash != hash)
    return FALSE;
  for (guint i = 0; i < self->length; i++)
    if (strcmp (key->values[i], values[i]) != 0)
      return FALSE;
  return TRUE;
}

/**
 * reeve_metrics_table_lookup:
 * @self: a table
 * @values: as many strings as name an element
 *
 * Returns: (transfer none) (nullable): the element of that name
 */
gpointer
reeve_metrics_table_lookup (ReeveMetricsTable *self, const char *const *values)
{
  guint32 hash = reeve_metrics_table_key_hash (values, self->length);
  ReeveMetricsTablePage *page = g_atomic_pointer_get (&self->page);

  for (guint place = hash & page->mask;; place = (place + 1) & page->mask)
    {
      gpointer found = g_atomic_pointer_get (&page->places[place]);

      if (found == NULL || reeve_metrics_table_is (self, found, hash, values))
        return found;
    }
}

/**
 * reeve_metrics_table_add:
 * @self: a table
 * @element: (transfer full): something that is not in it, beginning with a #ReeveMetricsKey
 *
 * Returns: %FALSE when there are as many as may be; @element is the caller's still
 */
gboolean
reeve_metrics_table_add (ReeveMetricsTable *self, gpointer element)
{
  guint taken = (guint) g_atomic_int_get (&self->taken);
  ReeveMetricsTablePage *page = NULL;

  if (taken >= self->most)
    return FALSE;
  page = reeve_metrics_table_make_room (self, taken);
  page->in_order[taken] = element;
  g_atomic_int_inc (&self->taken);
  reeve_metrics_table_page_put (page, element);
  return TRUE;
}

gboolean
reeve_metrics_table_is_full (ReeveMetricsTable *self)
{
  return reeve_metrics_table_get_length (self) >= self->most;
}

guint
reeve_metrics_table_get_length (ReeveMetricsTable *self)
{
  return (guint) g_atomic_int_get (&self->taken);
}

gpointer
reeve_metrics_table_get (ReeveMetricsTable *self, guint place)
{
  ReeveMetricsTablePage *page = g_atomic_pointer_get (&self->page);

  return page->in_order[place];
}
