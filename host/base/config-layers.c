/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads each layer of a configuration and lays one over the other. */
#include "config-layers.h"

#include <string.h>

/* profiles that build on profiles */
#define REEVE_CONFIG_LAYERS_DEPTH 4

/* profiles/dev.yaml and profiles/enterprise.yaml, embedded by the build */
extern const char reeve_config_profile_dev[];
extern const char reeve_config_profile_enterprise[];

static const struct
{
  const char *name;
  const char *text;
} reeve_config_layers_built_in[]
    = { { "dev", reeve_config_profile_dev }, { "enterprise", reeve_config_profile_enterprise } };

/* a section without content, as "budgets:", says nothing */
static gboolean
reeve_config_layers_says_nothing (JsonNode *value, const ReeveSchemaNode *schema)
{
  return JSON_NODE_HOLDS_NULL (value) && schema != NULL && schema->types != 0
         && (schema->types & REEVE_SCHEMA_TYPE_NULL) == 0;
}

/**
 * reeve_config_layers_merge:
 * @base: what there is; changed
 * @over: what goes over it
 * @schema: (nullable): of both
 *
 * Lays @over over @base: objects member by member, everything else as a whole.
 */
void
reeve_config_layers_merge (JsonObject *base, JsonObject *over, const ReeveSchemaNode *schema)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  json_object_iter_init (&iter, over);
  while (json_object_iter_next (&iter, &name, &value))
    {
      const ReeveSchemaNode *inner = reeve_config_values_member_schema (schema, name);
      JsonNode *there = json_object_get_member (base, name);
      if (reeve_config_layers_says_nothing (value, inner))
        continue;
      if (there != NULL && JSON_NODE_HOLDS_OBJECT (there) && JSON_NODE_HOLDS_OBJECT (value))
        reeve_config_layers_merge (json_node_get_object (there), json_node_get_object (value),
                                   inner);
      else
        json_object_set_member (base, name, json_node_copy (value));
    }
}

static void
reeve_config_layers_fill_member (JsonObject *object, const ReeveSchemaMember *member)
{
  JsonNode *value = json_object_get_member (object, member->name);

  if (value == NULL && member->node->fallback != NULL)
    {
      const char *text = member->node->fallback;
      g_autoptr (JsonParser) parser = json_parser_new ();
      /* our own text, written by the build; not sealed, for it is filled in further */
      if (!json_parser_load_from_data (parser, text, -1, NULL))
        g_error ("default of %s: %s", member->name, text);
      value = json_parser_steal_root (parser);
      json_object_set_member (object, member->name, value);
    }
  else if (value == NULL && member->node->object != NULL
           && member->node->object->properties != NULL)
    {
      g_autoptr (JsonObject) empty = json_object_new ();
      value = json_node_init_object (json_node_alloc (), empty);
      json_object_set_member (object, member->name, value);
    }
  if (value != NULL)
    reeve_config_layers_fill (value, member->node);
}

/**
 * reeve_config_layers_fill:
 * @node: a valid value; changed
 * @schema: its schema
 *
 * Adds to objects what is absent and has a default, and sections that have some.
 */
void
reeve_config_layers_fill (JsonNode *node, const ReeveSchemaNode *schema)
{
  if (JSON_NODE_HOLDS_OBJECT (node) && schema->object != NULL)
    {
      JsonObject *object = json_node_get_object (node);
      const ReeveSchemaNode *other = schema->object->additional_properties;
      JsonObjectIter iter;
      JsonNode *value = NULL;
      for (guint i = 0; i < schema->object->n_properties; i++)
        reeve_config_layers_fill_member (object, &schema->object->properties[i]);
      if (other == NULL || other->never)
        return;
      json_object_iter_init (&iter, object);
      while (json_object_iter_next (&iter, NULL, &value))
        reeve_config_layers_fill (value, other);
    }
  else if (JSON_NODE_HOLDS_ARRAY (node) && schema->array != NULL && schema->array->items != NULL)
    {
      JsonArray *array = json_node_get_array (node);
      for (guint i = 0; i < json_array_get_length (array); i++)
        reeve_config_layers_fill (json_array_get_element (array, i), schema->array->items);
    }
}

/* `enterprise: {encryption: …}` stands for `encryption:`, where it stood in other products. */
static gboolean
reeve_config_layers_lift (ReeveConfigNode *root, const char *label, GError **error)
{
  static const char *const outer = "enterprise";
  static const char *const inner = "encryption";
  ReeveConfigNode *section = reeve_config_yaml_get (root, outer);
  ReeveConfigNode *node = section != NULL && section->kind == REEVE_CONFIG_MAP
                              ? reeve_config_yaml_get (section, inner)
                              : NULL;

  if (node == NULL)
    return TRUE;
  if (reeve_config_yaml_get (root, inner) != NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "%s:%u: %s.%s: %s is there too: only one may be", label, node->line, outer,
                   inner, inner);
      return FALSE;
    }
  reeve_config_yaml_lift (root, outer, inner);
  return TRUE;
}

static JsonNode *
reeve_config_layers_read_text (const char *text, gsize length, const ReeveConfigSource *source,
                               GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveConfigNode) node = reeve_config_yaml_parse (text, length, source->label, &local);

  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  if (node == NULL)
    return json_node_init_object (json_node_alloc (), json_object_new ());
  if (node->kind != REEVE_CONFIG_MAP)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "%s:%u: the file must hold sections such as \"server:\"", source->label,
                   node->line);
      return NULL;
    }
  return reeve_config_layers_lift (node, source->label, error)
             ? reeve_config_values_convert (source, node, reeve_config_schema, "", error)
             : NULL;
}

/**
 * reeve_config_layers_read_file:
 * @path: a file
 * @source: with the file's name as label
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the object in it, or %NULL with %REEVE_ERROR_CONFIGURATION
 */
JsonNode *
reeve_config_layers_read_file (const char *path, const ReeveConfigSource *source, GError **error)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (GError) local = NULL;

  if (!g_file_get_contents (path, &text, &length, &local))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s: %s", source->label,
                   local->message);
      return NULL;
    }
  return reeve_config_layers_read_text (text, length, source, error);
}

/* the text of a profile, from the folders first; NULL with an error when there is none */
static JsonNode *
reeve_config_layers_find_profile (const char *name, const char *const *folders,
                                  ReeveConfigSource *source, char **label, GError **error)
{
  g_autofree char *file = g_strconcat (name, ".yaml", NULL);

  for (; folders != NULL && *folders != NULL; folders++)
    {
      g_autofree char *path = g_build_filename (*folders, file, NULL);
      if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
        continue;
      source->label = *label = g_steal_pointer (&path);
      source->with_lines = TRUE;
      return reeve_config_layers_read_file (*label, source, error);
    }
  for (guint i = 0; i < G_N_ELEMENTS (reeve_config_layers_built_in); i++)
    {
      const char *text = reeve_config_layers_built_in[i].text;
      if (strcmp (name, reeve_config_layers_built_in[i].name) != 0)
        continue;
      source->label = *label = g_strdup_printf ("profile %s", name);
      source->with_lines = FALSE;
      return reeve_config_layers_read_text (text, strlen (text), source, error);
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "profile \"%s\" is neither dev nor enterprise nor a file in profiles/", name);
  return NULL;
}

static gboolean
reeve_config_layers_add_profile (JsonObject *base, const char *name, const char *const *folders,
                                 const ReeveConfigSource *like, guint depth, GError **error)
{
  ReeveConfigSource source = *like;
  g_autofree char *label = NULL;
  g_autofree char *stem
      = g_str_has_suffix (name, ".yaml") ? g_strndup (name, strlen (name) - 5) : g_strdup (name);

  if (strspn (stem, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
          != strlen (stem)
      || *stem == '\0' || depth > REEVE_CONFIG_LAYERS_DEPTH)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "profile \"%s\": not a name, or a circle of profiles", name);
      return FALSE;
    }
  source.chosen = FALSE;
  g_autoptr (JsonNode) node
      = reeve_config_layers_find_profile (stem, folders, &source, &label, error);
  if (node == NULL)
    return FALSE;
  JsonObject *object = json_node_get_object (node);
  const char *ground = reeve_json_get_string (object, "profile", stem);
  if (strcmp (ground, stem) != 0
      && !reeve_config_layers_add_profile (base, ground, folders, like, depth + 1, error))
    return FALSE;
  reeve_config_layers_merge (base, object, reeve_config_schema);
  return TRUE;
}

/**
 * reeve_config_layers_read_profile:
 * @base: what there is; changed
 * @name: dev, enterprise, or the name of a file in @folders, with or without `.yaml`
 * @folders: (nullable): where further profiles lie
 * @source: how to read them
 * @error: return location
 *
 * A profile whose own key `profile` names another builds on that one.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION
 */
gboolean
reeve_config_layers_read_profile (JsonObject *base, const char *name, const char *const *folders,
                                  const ReeveConfigSource *source, GError **error)
{
  return reeve_config_layers_add_profile (base, name, folders, source, 0, error);
}

/**
 * reeve_config_layers_convert_overrides:
 * @node: a value from the command line
 * @schema: (nullable): what may stand there
 * @pointer: where it stands
 * @origins: JSON pointer to ReeveConfigOrigin; added to
 *
 * Returns: (transfer full): the value, with sizes and durations as numbers
 */
JsonNode *
reeve_config_layers_convert_overrides (JsonNode *node, const ReeveSchemaNode *schema,
                                       const char *pointer, GHashTable *origins)
{
  gint64 amount = 0;
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  g_hash_table_replace (origins, g_strdup (pointer),
                        reeve_config_values_origin_new ("command line", TRUE));
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
      && schema != NULL && schema->unit != NULL
      && reeve_config_values_parse_unit (schema->unit, json_node_get_string (node), &amount))
    return json_node_init_int (json_node_alloc (), amount);
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return json_node_copy (node);
  g_autoptr (JsonObject) object = json_object_new ();
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &name, &value))
    {
      g_autofree char *inner = reeve_config_values_join (pointer, name);
      json_object_set_member (
          object, name,
          reeve_config_layers_convert_overrides (
              value, reeve_config_values_member_schema (schema, name), inner, origins));
    }
  return json_node_init_object (json_node_alloc (), object);
}
