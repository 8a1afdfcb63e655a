/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The map itself never changes after it was made, so only the making of a validator is guarded. */
#include "schema-cache.h"

typedef struct
{
  gsize once;
  ReeveSchema *schema;
} ReeveSchemaCacheSlot;

struct _ReeveSchemaCache
{
  GHashTable *slots; /* (element-type ReeveSchemaNode ReeveSchemaCacheSlot) */
};

static void
reeve_schema_cache_slot_free (gpointer data)
{
  ReeveSchemaCacheSlot *slot = data;

  g_clear_pointer (&slot->schema, reeve_schema_unref);
  g_free (slot);
}

/**
 * reeve_schema_cache_new:
 * @operations: the table, ended by a %NULL name
 *
 * Returns: (transfer full): a cache with a place for each schema of @operations
 */
ReeveSchemaCache *
reeve_schema_cache_new (const ReeveOperation *operations)
{
  ReeveSchemaCache *self = g_new0 (ReeveSchemaCache, 1);

  self->slots = g_hash_table_new_full (NULL, NULL, NULL, reeve_schema_cache_slot_free);
  for (const ReeveOperation *row = operations; row->name != NULL; row++)
    {
      g_hash_table_insert (self->slots, (gpointer) row->schema, g_new0 (ReeveSchemaCacheSlot, 1));
      if (row->result != NULL && !g_hash_table_contains (self->slots, row->result))
        g_hash_table_insert (self->slots, (gpointer) row->result, g_new0 (ReeveSchemaCacheSlot, 1));
    }
  return self;
}

void
reeve_schema_cache_free (ReeveSchemaCache *self)
{
  g_hash_table_unref (self->slots);
  g_free (self);
}

/**
 * reeve_schema_cache_get:
 * @self: a cache
 * @node: a schema of the table that it was made for
 *
 * Returns: (transfer none): its validator; lives as long as @self
 */
ReeveSchema *
reeve_schema_cache_get (ReeveSchemaCache *self, const ReeveSchemaNode *node)
{
  ReeveSchemaCacheSlot *slot = g_hash_table_lookup (self->slots, node);

  g_return_val_if_fail (slot != NULL, NULL);
  if (g_once_init_enter (&slot->once))
    {
      slot->schema = reeve_schema_new_from_static (node);
      g_once_init_leave (&slot->once, 1);
    }
  return slot->schema;
}
