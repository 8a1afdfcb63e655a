/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes JSON as a tree, so that what a fuzzer tries is JSON still: bytes changed at random hardly
 * ever get past the scanner. Used by a target's LLVMFuzzerCustomMutator. */
#pragma once

#include <reeve-plugin-1.h>
#include <stdint.h>
#include <string.h>

/* of libFuzzer; absent where a target only replays its corpus */
__attribute__ ((weak)) size_t LLVMFuzzerMutate (uint8_t *data, size_t size, size_t max_size);

#define JSON_MUTATOR_MAX_NODES 256

/* json_node_copy() shares what is inside: a tree put into itself would have no end */
static inline JsonNode *
json_mutator_copy (JsonNode *node)
{
  g_autofree char *text = reeve_json_canonical (node);
  JsonNode *copy = text != NULL ? json_from_string (text, NULL) : NULL;

  return copy != NULL ? copy : json_node_init_null (json_node_alloc ());
}

static inline void
json_mutator_collect (JsonNode *node, GPtrArray *nodes)
{
  if (nodes->len == JSON_MUTATOR_MAX_NODES)
    return;
  g_ptr_array_add (nodes, node);
  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObjectIter iter;
      JsonNode *member = NULL;

      json_object_iter_init (&iter, json_node_get_object (node));
      while (json_object_iter_next (&iter, NULL, &member))
        json_mutator_collect (member, nodes);
    }
  else if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      for (guint i = 0; i < json_array_get_length (array); i++)
        json_mutator_collect (json_array_get_element (array, i), nodes);
    }
}

static inline JsonNode *
json_mutator_make (GRand *rand, GPtrArray *nodes, const char *const *words)
{
  static const gint64 numbers[]
      = { 0, 1, -1, 2, 3, 7, 64, 255, 1000000, G_MAXINT32, G_MAXINT64, G_MININT64 };
  static const double reals[] = { 0.5, -0.5, 1e300, 1e-300, 9007199254740993.0 };

  switch (g_rand_int_range (rand, 0, 9))
    {
    case 0:
      return json_node_init_null (json_node_alloc ());
    case 1:
      return json_node_init_boolean (json_node_alloc (), g_rand_boolean (rand));
    case 2:
      return json_node_init_int (json_node_alloc (),
                                 numbers[g_rand_int_range (rand, 0, G_N_ELEMENTS (numbers))]);
    case 3:
      return json_node_init_double (json_node_alloc (),
                                    reals[g_rand_int_range (rand, 0, G_N_ELEMENTS (reals))]);
    case 4:
      return json_node_init_string (
          json_node_alloc (),
          words[g_rand_int_range (rand, 0, (gint) g_strv_length ((char **) words))]);
    case 5:
      {
        g_autoptr (JsonArray) array = json_array_new ();
        return json_node_init_array (json_node_alloc (), array);
      }
    case 6:
      {
        g_autoptr (JsonObject) object = json_object_new ();
        return json_node_init_object (json_node_alloc (), object);
      }
    default:
      return json_mutator_copy (
          g_ptr_array_index (nodes, (guint) g_rand_int_range (rand, 0, (gint) nodes->len)));
    }
}

/* One change somewhere in the tree: a member or element added, replaced or taken away. */
static inline void
json_mutator_change (GRand *rand, JsonNode *root, const char *const *words)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();
  JsonNode *at = NULL;
  JsonNode *other = NULL;

  json_mutator_collect (root, nodes);
  at = g_ptr_array_index (nodes, (guint) g_rand_int_range (rand, 0, (gint) nodes->len));
  /* a copy, made before anything is taken away */
  other = json_mutator_make (rand, nodes, words);
  if (JSON_NODE_HOLDS_OBJECT (at))
    {
      JsonObject *object = json_node_get_object (at);
      g_autoptr (GList) members = json_object_get_members (object);
      guint n = g_list_length (members);
      const char *word = words[g_rand_int_range (rand, 0, (gint) g_strv_length ((char **) words))];

      if (n > 0 && g_rand_int_range (rand, 0, 3) == 0)
        word = g_list_nth_data (members, (guint) g_rand_int_range (rand, 0, (gint) n));
      if (n > 0 && g_rand_int_range (rand, 0, 4) == 0)
        {
          json_object_remove_member (
              object, g_list_nth_data (members, (guint) g_rand_int_range (rand, 0, (gint) n)));
          json_node_unref (other);
        }
      else
        json_object_set_member (object, word, other);
      return;
    }
  if (JSON_NODE_HOLDS_ARRAY (at))
    {
      JsonArray *array = json_node_get_array (at);
      guint n = json_array_get_length (array);

      if (n > 0 && g_rand_int_range (rand, 0, 3) == 0)
        json_array_remove_element (array, (guint) g_rand_int_range (rand, 0, (gint) n));
      json_array_add_element (array, other);
      return;
    }
  /* a scalar: in place */
  if (JSON_NODE_HOLDS_VALUE (other) && JSON_NODE_HOLDS_VALUE (at))
    {
      GValue value = G_VALUE_INIT;

      json_node_get_value (other, &value);
      json_node_set_value (at, &value);
      g_value_unset (&value);
    }
  json_node_unref (other);
}

/* Replaces the JSON in data by a changed one, written canonically. 0: it is none, or there is no
 * room. */
static inline size_t
json_mutator_run (uint8_t *data, size_t size, size_t max_size, GRand *rand,
                  const char *const *words)
{
  g_autoptr (JsonNode) sealed = reeve_json_parse_strict ((const char *) data, size, NULL);
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;

  if (sealed == NULL)
    return 0;
  root = json_mutator_copy (sealed);
  for (gint i = g_rand_int_range (rand, 1, 5); i > 0; i--)
    json_mutator_change (rand, root, words);
  text = reeve_json_canonical (root);
  length = text != NULL ? strlen (text) : 0;
  if (length > max_size)
    return 0;
  memcpy (data, text, length);
  return length;
}
