/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each call of a capability asks, so nothing here takes I/O. */
#include "grants-page.h"

#include <string.h>

struct _ReeveGrantsPage
{
  gatomicrefcount refs;
  GHashTable *by_id; /* grant id -> ReeveGrantsPageRow, which it owns */
  GHashTable *rows;  /* "plugin capability" -> GPtrArray of rows */
};

static void
reeve_grants_page_row_free (gpointer data)
{
  ReeveGrantsPageRow *row = data;

  g_free (row->tenant_id);
  reeve_capability_terms_unref (row->terms);
  g_free (row);
}

ReeveGrantsPage *
reeve_grants_page_new (void)
{
  ReeveGrantsPage *self = g_new0 (ReeveGrantsPage, 1);

  g_atomic_ref_count_init (&self->refs);
  self->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, reeve_grants_page_row_free);
  self->rows
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  return self;
}

ReeveGrantsPage *
reeve_grants_page_ref (ReeveGrantsPage *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
reeve_grants_page_unref (ReeveGrantsPage *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_hash_table_unref (self->rows);
  g_hash_table_unref (self->by_id);
  g_free (self);
}

void
reeve_grants_page_add (ReeveGrantsPage *self, ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  g_autofree char *key = g_strconcat (reeve_json_get_string (fields, "plugin_id", ""), " ",
                                      reeve_json_get_string (fields, "capability", ""), NULL);
  ReeveGrantsPageRow *row = g_new0 (ReeveGrantsPageRow, 1);
  GPtrArray *rows = g_hash_table_lookup (self->rows, key);

  row->tenant_id = g_strdup (reeve_json_get_string (fields, "tenant_id", NULL));
  row->until = reeve_json_get_int (fields, "until", 0);
  row->revoked_at = reeve_json_get_int (fields, "revoked_at", 0);
  row->terms = reeve_grant_parameters_to_terms (
      reeve_record_get_id (record), reeve_json_get_object (fields, "parameters"), row->until);
  g_hash_table_replace (self->by_id, row->terms->grant_id, row);
  if (rows == NULL)
    {
      rows = g_ptr_array_new ();
      g_hash_table_insert (self->rows, g_steal_pointer (&key), rows);
    }
  g_ptr_array_add (rows, row);
}

GPtrArray *
reeve_grants_page_find (ReeveGrantsPage *self, const char *plugin_id, const char *capability)
{
  g_autofree char *key = g_strconcat (plugin_id, " ", capability, NULL);

  return g_hash_table_lookup (self->rows, key);
}

gboolean
reeve_grants_page_row_holds (const ReeveGrantsPageRow *row, gint64 now)
{
  return row->revoked_at == 0 && (row->until == 0 || row->until > now);
}

gboolean
reeve_grants_page_row_concerns (const ReeveGrantsPageRow *row, const char *tenant_id)
{
  return row->tenant_id == NULL || g_strcmp0 (row->tenant_id, tenant_id) == 0;
}

gint64
reeve_grants_page_get_next_end (ReeveGrantsPage *self, gint64 now)
{
  GHashTableIter iter;
  gpointer value = NULL;
  gint64 next = 0;

  g_hash_table_iter_init (&iter, self->by_id);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const ReeveGrantsPageRow *row = value;

      if (row->until != 0 && reeve_grants_page_row_holds (row, now)
          && (next == 0 || row->until < next))
        next = row->until;
    }
  return next;
}

gboolean
reeve_grants_page_holds (ReeveGrantsPage *self, const char *grant_id, gint64 now)
{
  const ReeveGrantsPageRow *row = g_hash_table_lookup (self->by_id, grant_id);

  return row != NULL && reeve_grants_page_row_holds (row, now);
}
