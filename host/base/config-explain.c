/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every source is kept as it was read, so that a value can be told together with those that it
 * covers: a person who wonders why his line has no effect sees who has the last word. */
#include "config-explain.h"

#include "config-print.h"

#include <string.h>

/* One value on the way down. */
typedef struct
{
  JsonNode *node;
  const ReeveSchemaNode *schema;
  const char *pointer;
  gboolean secret;
} ReeveConfigExplainValue;

typedef struct
{
  const ReeveConfigExplain *from;
  const char *key; /* NULL: everything */
  JsonArray *items;
} ReeveConfigExplainWalk;

static const char *
reeve_config_explain_say (GHashTable *origins, const char *pointer, char **made)
{
  const ReeveConfigOrigin *origin = g_hash_table_lookup (origins, pointer);

  if (origin == NULL)
    return "default";
  *made = origin->variable != NULL
              ? g_strdup_printf ("environment %s (%s)", origin->variable, origin->text)
              : g_strdup (origin->text);
  return *made;
}

static JsonNode *
reeve_config_explain_step (JsonNode *node, const char *part)
{
  guint64 index = 0;

  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_object_get_member (json_node_get_object (node), part);
  if (!JSON_NODE_HOLDS_ARRAY (node) || json_array_get_length (json_node_get_array (node)) == 0
      || !g_ascii_string_to_unsigned (
          part, 10, 0, json_array_get_length (json_node_get_array (node)) - 1, &index, NULL))
    return NULL;
  return json_array_get_element (json_node_get_array (node), (guint) index);
}

/* what a layer says there; NULL when it says nothing */
static JsonNode *
reeve_config_explain_find (JsonNode *tree, const char *pointer)
{
  g_auto (GStrv) parts = g_strsplit (pointer + 1, "/", -1);
  JsonNode *node = tree;

  for (guint i = 0; node != NULL && parts[i] != NULL; i++)
    {
      g_autoptr (GString) part = g_string_new (parts[i]);
      g_string_replace (part, "~1", "/", 0);
      g_string_replace (part, "~0", "~", 0);
      node = reeve_config_explain_step (node, part->str);
    }
  return node;
}

static JsonObject *
reeve_config_explain_said (const ReeveConfigExplainValue *value, JsonNode *node,
                           GHashTable *origins)
{
  JsonObject *said = json_object_new ();
  g_autofree char *made = NULL;

  json_object_set_string_member (said, "origin",
                                 reeve_config_explain_say (origins, value->pointer, &made));
  json_object_set_member (
      said, "value",
      reeve_config_print_mask (node, value->schema, value->pointer, origins, value->secret));
  return said;
}

/* those below who said something, the uppermost one first; the one that counts is not among them */
static JsonArray *
reeve_config_explain_covers (const ReeveConfigExplain *self, const ReeveConfigExplainValue *value)
{
  JsonArray *covers = json_array_new ();
  gboolean counts = FALSE;

  if (g_hash_table_lookup (self->origins, value->pointer) == NULL)
    return covers;
  for (guint i = self->layers->len; i > 0; i--)
    {
      const ReeveConfigLayer *layer = self->layers->pdata[i - 1];
      JsonNode *said = reeve_config_explain_find (layer->tree, value->pointer);

      if (said != NULL && counts)
        json_array_add_object_element (covers,
                                       reeve_config_explain_said (value, said, layer->origins));
      counts = counts || said != NULL;
    }
  if (!counts || value->schema == NULL || value->schema->fallback == NULL)
    return covers;
  g_autoptr (GHashTable) none = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (JsonNode) usual
      = reeve_json_parse_strict (value->schema->fallback, strlen (value->schema->fallback), NULL);
  json_array_add_object_element (covers, reeve_config_explain_said (value, usual, none));
  return covers;
}

static void
reeve_config_explain_add (ReeveConfigExplainWalk *self, const ReeveConfigExplainValue *value)
{
  g_autofree char *key = reeve_config_values_key (value->pointer);
  JsonObject *item = reeve_config_explain_said (value, value->node, self->from->origins);

  json_object_set_string_member (item, "key", key);
  json_object_set_boolean_member (item, "secret", value->secret);
  json_object_set_array_member (item, "covers", reeve_config_explain_covers (self->from, value));
  json_array_add_object_element (self->items, item);
}

/* whether a key is, or stands in, the one that is asked for; *below: that stands in it */
static gboolean
reeve_config_explain_matches (const char *wanted, const char *pointer, gboolean *below)
{
  g_autofree char *key = reeve_config_values_key (pointer);
  gsize length = strlen (key);

  *below = length == 0
           || (wanted != NULL && g_str_has_prefix (wanted, key)
               && strchr (".[", wanted[length]) != NULL);
  return wanted == NULL || strcmp (wanted, key) == 0;
}

static void reeve_config_explain_walk (ReeveConfigExplainWalk *self,
                                       const ReeveConfigExplainValue *value, gboolean wanted);

static void
reeve_config_explain_walk_list (ReeveConfigExplainWalk *self, const ReeveConfigExplainValue *value)
{
  JsonArray *array = json_node_get_array (value->node);

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      g_autofree char *pointer = g_strdup_printf ("%s/%u", value->pointer, i);
      const ReeveSchemaNode *items = value->schema != NULL && value->schema->array != NULL
                                         ? value->schema->array->items
                                         : NULL;
      const ReeveConfigExplainValue item
          = { json_array_get_element (array, i), items, pointer, value->secret };

      reeve_config_explain_walk (self, &item, FALSE);
    }
}

static void
reeve_config_explain_walk_object (ReeveConfigExplainWalk *self,
                                  const ReeveConfigExplainValue *value, gboolean wanted)
{
  JsonObject *object = json_node_get_object (value->node);
  g_autoptr (GList) names
      = g_list_sort (json_object_get_members (object), (GCompareFunc) g_strcmp0);

  for (GList *at = names; at != NULL; at = at->next)
    {
      g_autofree char *pointer = reeve_config_values_join (value->pointer, at->data);
      const ReeveSchemaNode *schema = reeve_config_values_member_schema (value->schema, at->data);
      const ReeveConfigExplainValue item
          = { json_object_get_member (object, at->data), schema, pointer,
              value->secret || reeve_config_print_hides (value->schema, at->data) };

      reeve_config_explain_walk (self, &item, wanted);
    }
}

/* A list is one value, unless somebody asks for what is in it. */
static void
reeve_config_explain_walk (ReeveConfigExplainWalk *self, const ReeveConfigExplainValue *value,
                           gboolean wanted)
{
  gboolean below = FALSE;

  wanted |= reeve_config_explain_matches (self->key, value->pointer, &below);
  if (JSON_NODE_HOLDS_OBJECT (value->node)
      && json_object_get_size (json_node_get_object (value->node)) > 0)
    {
      if (wanted || below)
        reeve_config_explain_walk_object (self, value, wanted);
    }
  else if (wanted)
    reeve_config_explain_add (self, value);
  else if (below && JSON_NODE_HOLDS_ARRAY (value->node))
    reeve_config_explain_walk_list (self, value);
}

/**
 * reeve_config_explain_list:
 * @self: what is explained
 * @key: (nullable): such as `llm.default` or `llm.providers[0].settings`; %NULL: everything
 *
 * Returns: (transfer full): `[{key, value, origin, secret, covers[{origin, value}]}]`, by key;
 * empty when there is no such key
 */
JsonArray *
reeve_config_explain_list (const ReeveConfigExplain *self, const char *key)
{
  ReeveConfigExplainWalk walk = { self, key, json_array_new () };
  const ReeveConfigExplainValue root = { self->root, self->schema, "", FALSE };

  reeve_config_explain_walk (&walk, &root, FALSE);
  return walk.items;
}
