/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The content of one scope: an ordered map from composite keys to immutable values. A batch notes
 * what was there before each change, so that a refused one leaves nothing. */
#include "memory-map.h"

#include <string.h>

struct _MemoryMap
{
  GTree *tree;
  GPtrArray *undo; /* of MemoryMapChange; NULL outside a batch */
};

typedef struct
{
  char *key;
  MemoryValue *before; /* NULL: it was not there */
} MemoryMapChange;

static void
memory_map_change_free (MemoryMapChange *change)
{
  g_free (change->key);
  g_clear_pointer (&change->before, memory_map_value_unref);
  g_free (change);
}

static int
memory_map_compare (gconstpointer a, gconstpointer b, gpointer data)
{
  return strcmp (a, b);
}

/**
 * memory_map_value_new:
 *
 * Returns: (transfer full): a value to be filled
 */
MemoryValue *
memory_map_value_new (void)
{
  MemoryValue *value = g_new0 (MemoryValue, 1);

  g_atomic_ref_count_init (&value->refs);
  return value;
}

/**
 * memory_map_value_ref:
 * @value: a value
 *
 * Returns: (transfer full): @value
 */
MemoryValue *
memory_map_value_ref (MemoryValue *value)
{
  g_atomic_ref_count_inc (&value->refs);
  return value;
}

/**
 * memory_map_value_unref:
 * @value: (transfer full): a value
 *
 * Drops a reference.
 */
void
memory_map_value_unref (MemoryValue *value)
{
  if (!g_atomic_ref_count_dec (&value->refs))
    return;
  g_free (value->id);
  g_free (value->group);
  g_free (value->title);
  g_free (value->text);
  g_free (value->data);
  g_clear_pointer (&value->bytes, g_bytes_unref);
  g_free (value);
}

/**
 * memory_map_new:
 *
 * Returns: (transfer full): an empty map
 */
MemoryMap *
memory_map_new (void)
{
  MemoryMap *self = g_new0 (MemoryMap, 1);

  self->tree
      = g_tree_new_full (memory_map_compare, NULL, g_free, (GDestroyNotify) memory_map_value_unref);
  return self;
}

/**
 * memory_map_free:
 * @self: (transfer full): a map
 *
 * Frees it.
 */
void
memory_map_free (MemoryMap *self)
{
  g_tree_unref (self->tree);
  g_clear_pointer (&self->undo, g_ptr_array_unref);
  g_free (self);
}

/* every part ends with a separator, which names are escaped from: no two names give one key */
static void
memory_map_add_part (GString *key, const char *part)
{
  for (const char *at = part; *at != '\0'; at++)
    {
      if (*at == 0x01)
        g_string_append (key, "\x01\x02");
      else if (*at == 0x1f)
        g_string_append (key, "\x01\x03");
      else
        g_string_append_c (key, *at);
    }
  g_string_append_c (key, 0x1f);
}

/**
 * memory_map_key:
 * @kind: of what: r(ecord), c(ounter), s(tream), e(ntry), q(ueue item), b(lob), t(ext)
 * @first: (nullable): first part
 * @second: (nullable): second part
 * @third: (nullable): third part
 *
 * Returns: (transfer full): the key; with fewer parts, the prefix of all keys that begin with them
 */
char *
memory_map_key (char kind, const char *first, const char *second, const char *third)
{
  GString *key = g_string_new (NULL);
  const char *const parts[] = { first, second, third };

  g_string_append_c (key, kind);
  for (guint i = 0; i < G_N_ELEMENTS (parts) && parts[i] != NULL; i++)
    memory_map_add_part (key, parts[i]);
  return g_string_free (key, FALSE);
}

/**
 * memory_map_get:
 * @self: a map
 * @key: a whole key
 *
 * Returns: (transfer none) (nullable): its value
 */
MemoryValue *
memory_map_get (MemoryMap *self, const char *key)
{
  return g_tree_lookup (self->tree, key);
}

static void
memory_map_write (MemoryMap *self, const char *key, MemoryValue *value)
{
  if (value != NULL)
    g_tree_replace (self->tree, g_strdup (key), memory_map_value_ref (value));
  else
    g_tree_remove (self->tree, key);
}

/**
 * memory_map_set:
 * @self: a map
 * @key: a whole key
 * @value: (nullable) (transfer none): its new value; %NULL removes it
 *
 * Changes one value.
 */
void
memory_map_set (MemoryMap *self, const char *key, MemoryValue *value)
{
  if (self->undo != NULL)
    {
      MemoryMapChange *change = g_new0 (MemoryMapChange, 1);
      MemoryValue *before = memory_map_get (self, key);

      change->key = g_strdup (key);
      change->before = before != NULL ? memory_map_value_ref (before) : NULL;
      g_ptr_array_add (self->undo, change);
    }
  memory_map_write (self, key, value);
}

/**
 * memory_map_each:
 * @self: a map
 * @prefix: a key with fewer parts
 * @func: called for each value whose key begins with it, in order; must not change the map
 * @user_data: closure
 *
 * Visits values.
 */
void
memory_map_each (MemoryMap *self, const char *prefix, MemoryMapFunc func, gpointer user_data)
{
  GTreeNode *node = g_tree_lower_bound (self->tree, prefix);

  while (node != NULL && g_str_has_prefix (g_tree_node_key (node), prefix))
    {
      if (func (g_tree_node_key (node), g_tree_node_value (node), user_data))
        break;
      node = g_tree_node_next (node);
    }
}

static gboolean
memory_map_collect_key (const char *key, MemoryValue *value, gpointer user_data)
{
  g_ptr_array_add (user_data, g_strdup (key));
  return FALSE;
}

/**
 * memory_map_remove_prefix:
 * @self: a map
 * @prefix: a key with fewer parts
 *
 * Removes every value whose key begins with it.
 *
 * Returns: how many there were
 */
guint
memory_map_remove_prefix (MemoryMap *self, const char *prefix)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);

  memory_map_each (self, prefix, memory_map_collect_key, keys);
  for (guint i = 0; i < keys->len; i++)
    memory_map_set (self, g_ptr_array_index (keys, i), NULL);
  return keys->len;
}

/**
 * memory_map_begin:
 * @self: a map
 *
 * From now on changes can be undone.
 */
void
memory_map_begin (MemoryMap *self)
{
  self->undo = g_ptr_array_new_with_free_func ((GDestroyNotify) memory_map_change_free);
}

/**
 * memory_map_end:
 * @self: a map that was begun
 * @keep: whether the changes stand
 *
 * Ends it.
 */
void
memory_map_end (MemoryMap *self, gboolean keep)
{
  g_autoptr (GPtrArray) undo = g_steal_pointer (&self->undo);

  for (guint i = undo->len; !keep && i > 0; i--)
    {
      const MemoryMapChange *change = g_ptr_array_index (undo, i - 1);

      memory_map_write (self, change->key, change->before);
    }
}
