/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open addressing with linear probing in twice as many places as may be taken: nothing is ever
 * moved or removed, so whoever reads needs no lock, and what was found stays. */
#include "metrics-table.h"

#include <string.h>

struct _ReeveMetricsTable
{
  guint most;
  guint length; /* of a key */
  guint mask;
  gint taken; /* atomic */
  GDestroyNotify free_func;
  gpointer *places;   /* atomic, by hash */
  gpointer *in_order; /* as they came; those below @taken are never written again */
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
  guint size = 2;

  while (size < most * 2)
    size *= 2;
  self->most = most;
  self->length = length;
  self->mask = size - 1;
  self->free_func = free_func;
  self->places = g_new0 (gpointer, size);
  self->in_order = g_new0 (gpointer, MAX (most, 1));
  return self;
}

void
reeve_metrics_table_free (ReeveMetricsTable *self)
{
  for (gint i = 0; i < self->taken; i++)
    self->free_func (self->in_order[i]);
  g_free (self->places);
  g_free (self->in_order);
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

  for (guint place = hash & self->mask;; place = (place + 1) & self->mask)
    {
      gpointer found = g_atomic_pointer_get (&self->places[place]);

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
  const ReeveMetricsKey *key = element;
  guint place = key->hash & self->mask;
  guint taken = (guint) g_atomic_int_get (&self->taken);

  if (taken >= self->most)
    return FALSE;
  while (g_atomic_pointer_get (&self->places[place]) != NULL)
    place = (place + 1) & self->mask;
  self->in_order[taken] = element;
  g_atomic_int_inc (&self->taken);
  g_atomic_pointer_set (&self->places[place], element);
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
  return self->in_order[place];
}
