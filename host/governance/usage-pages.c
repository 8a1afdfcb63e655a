/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table is a blob of the tenant's store, under span, series and number. */
#include "usage-pages.h"

struct _ReeveUsagePages
{
  ReeveStore *store;
  char *tenant_id;
  GHashTable *changed; /* id -> ReeveUsageTable */
};

ReeveUsagePages *
reeve_usage_pages_new (ReeveStore *store, const char *tenant_id)
{
  ReeveUsagePages *self = g_new0 (ReeveUsagePages, 1);

  self->store = g_object_ref (store);
  self->tenant_id = g_strdup (tenant_id);
  self->changed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) reeve_usage_table_free);
  return self;
}

void
reeve_usage_pages_free (ReeveUsagePages *self)
{
  g_object_unref (self->store);
  g_hash_table_unref (self->changed);
  g_free (self->tenant_id);
  g_free (self);
}

static char *
reeve_usage_pages_name (const ReeveUsagePage *page)
{
  static const char *const spans[] = { "hour", "day", "month" };

  return g_strdup_printf ("usage/%s/%s%s/%" G_GINT64_FORMAT, spans[page->span],
                          reeve_usage_series_name (page->series), page->flat ? ".flat" : "",
                          page->number);
}

static gboolean
reeve_usage_pages_load (ReeveUsagePages *self, const char *name, const ReeveUsageChoice *choice,
                        ReeveUsageTable *table, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = reeve_store_get_blob (self->store, self->tenant_id, name, &local);

  if (bytes != NULL && reeve_usage_table_read (table, bytes, choice, &local))
    return TRUE;
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&local), "%s: ", name);
  return FALSE;
}

/**
 * reeve_usage_pages_change:
 * @self: pages
 * @page: which
 * @error: return location
 *
 * Returns: (transfer none): its table; %NULL with an error
 */
ReeveUsageTable *
reeve_usage_pages_change (ReeveUsagePages *self, const ReeveUsagePage *page, GError **error)
{
  g_autofree char *name = reeve_usage_pages_name (page);
  ReeveUsageTable *known = g_hash_table_lookup (self->changed, name);
  g_autoptr (ReeveUsageTable) table = NULL;

  if (known != NULL)
    return known;
  table = reeve_usage_table_new ();
  if (!reeve_usage_pages_load (self, name, NULL, table, error))
    return NULL;
  known = table;
  g_hash_table_insert (self->changed, g_steal_pointer (&name), g_steal_pointer (&table));
  return known;
}

/**
 * reeve_usage_pages_add_to:
 * @self: pages
 * @page: which
 * @choice: (nullable): which rows of it; all
 * @table: where it is added
 * @error: return location
 *
 * Returns: %FALSE when it cannot be read
 */
gboolean
reeve_usage_pages_add_to (ReeveUsagePages *self, const ReeveUsagePage *page,
                          const ReeveUsageChoice *choice, ReeveUsageTable *table, GError **error)
{
  g_autofree char *name = reeve_usage_pages_name (page);
  ReeveUsageTable *known = g_hash_table_lookup (self->changed, name);

  if (known == NULL)
    return reeve_usage_pages_load (self, name, choice, table, error);
  reeve_usage_table_merge (table, known, choice);
  return TRUE;
}

/**
 * reeve_usage_pages_save:
 * @self: pages
 * @batch: where what was changed is put
 */
void
reeve_usage_pages_save (ReeveUsagePages *self, ReeveBatch *batch)
{
  GHashTableIter iter;
  gpointer name = NULL;
  gpointer table = NULL;

  g_hash_table_iter_init (&iter, self->changed);
  while (g_hash_table_iter_next (&iter, &name, &table))
    if (reeve_usage_table_get_size (table) > 0)
      {
        g_autoptr (GBytes) bytes = reeve_usage_table_write (table);

        reeve_batch_blob_put (batch, name, bytes);
      }
}
