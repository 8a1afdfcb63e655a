/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The set of members and items of one instance that schemas have looked at; nothing is allocated
 * until one has. A NULL set means that nobody asks. */
#include "schema-seen.h"

void
reeve_schema_seen_clear (ReeveSchemaSeen *seen)
{
  g_clear_pointer (&seen->names, g_hash_table_unref);
  g_clear_pointer (&seen->items, g_hash_table_unref);
}

void
reeve_schema_seen_add_name (ReeveSchemaSeen *seen, const char *name)
{
  if (seen == NULL)
    return;
  if (seen->names == NULL)
    seen->names = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_add (seen->names, (gpointer) name);
}

void
reeve_schema_seen_add_item (ReeveSchemaSeen *seen, guint index)
{
  if (seen == NULL)
    return;
  if (seen->items == NULL)
    seen->items = g_hash_table_new (NULL, NULL);
  g_hash_table_add (seen->items, GUINT_TO_POINTER (index + 1));
}

void
reeve_schema_seen_merge (ReeveSchemaSeen *into, const ReeveSchemaSeen *from)
{
  GHashTableIter iter;
  gpointer key = NULL;

  if (into == NULL)
    return;
  into->all |= from->all;
  into->prefix = MAX (into->prefix, from->prefix);
  if (from->names != NULL)
    {
      g_hash_table_iter_init (&iter, from->names);
      while (g_hash_table_iter_next (&iter, &key, NULL))
        reeve_schema_seen_add_name (into, key);
    }
  if (from->items != NULL)
    {
      g_hash_table_iter_init (&iter, from->items);
      while (g_hash_table_iter_next (&iter, &key, NULL))
        reeve_schema_seen_add_item (into, GPOINTER_TO_UINT (key) - 1);
    }
}
