/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads each layer of a configuration and lays one over the other. */
#include "config-layers.h"

#include "config-aliases.h"

#include <string.h>

/* profiles that build on profiles */
#define REEVE_CONFIG_LAYERS_DEPTH 4

/* the files of profiles/, embedded by the build */
extern const char reeve_config_profile_dev[];
extern const char reeve_config_profile_enterprise[];
extern const char reeve_config_profile_prod[];
extern const char reeve_config_profile_staging[];

static const struct
{
  const char *name;
  const char *text;
} reeve_config_layers_built_in[] = { { "dev", reeve_config_profile_dev },
                                     { "enterprise", reeve_config_profile_enterprise },
                                     { "prod", reeve_config_profile_prod },
                                     { "staging", reeve_config_profile_staging } };

/* a section without content, as "budgets:", says nothing */
static gboolean
reeve_config_layers_says_nothing (JsonNode *value, const ReeveSchemaNode *schema)
{
  return JSON_NODE_HOLDS_NULL (value) && schema != NULL && schema->types != 0
         && (schema->types & REEVE_SCHEMA_TYPE_NULL) == 0;
}

/**
 * reeve_config_layers_new:
 *
 * Returns: (transfer full): a layer that says nothing
 */
ReeveConfigLayer *
reeve_config_layers_new (void)
{
  ReeveConfigLayer *layer = g_new0 (ReeveConfigLayer, 1);

  layer->origins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify) reeve_config_values_origin_free);
  return layer;
}

/**
 * reeve_config_layers_free:
 * @layer: (transfer full): a layer
 */
void
reeve_config_layers_free (ReeveConfigLayer *layer)
{
  g_clear_pointer (&layer->tree, json_node_unref);
  g_hash_table_unref (layer->origins);
  g_free (layer->file);
  g_free (layer->digest);
  g_free (layer);
}

/**
 * reeve_config_layers_get_source:
 * @layer: (transfer none): where origins go
 * @like: of whose environment it is
 *
 * Returns: a source without a label, of the built-in or a profile
 */
ReeveConfigSource
reeve_config_layers_get_source (ReeveConfigLayer *layer, const ReeveConfigSource *like)
{
  ReeveConfigSource source = *like;

  source.origins = layer->origins;
  return source;
}

/**
 * reeve_config_layers_has_changed:
 * @layer: a layer
 *
 * Returns: whether it was read from a file that is not as it was then, or not there any more
 */
gboolean
reeve_config_layers_has_changed (const ReeveConfigLayer *layer)
{
  g_autofree char *text = NULL;
  g_autofree char *digest = NULL;
  gsize length = 0;

  if (layer->file == NULL)
    return FALSE;
  if (!g_file_get_contents (layer->file, &text, &length, NULL))
    return TRUE;
  digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, (gssize) length);
  return strcmp (digest, layer->digest) != 0;
}

/* What stood in a value that is replaced came from nowhere that still counts. */
static void
reeve_config_layers_forget (GHashTable *origins, const char *pointer)
{
  g_autofree char *within = g_strconcat (pointer, "/", NULL);
  GHashTableIter iter;
  gpointer at = NULL;

  g_hash_table_iter_init (&iter, origins);
  while (g_hash_table_iter_next (&iter, &at, NULL))
    if (g_str_has_prefix (at, within))
      g_hash_table_iter_remove (&iter);
}

/* Nothing of a layer is shared with what is made of it: that is merged and filled in. */
static JsonNode *
reeve_config_layers_copy (JsonNode *node)
{
  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      g_autoptr (JsonObject) object = json_object_new ();
      JsonObjectIter iter;
      const char *name = NULL;
      JsonNode *value = NULL;
      json_object_iter_init_ordered (&iter, json_node_get_object (node));
      while (json_object_iter_next_ordered (&iter, &name, &value))
        json_object_set_member (object, name, reeve_config_layers_copy (value));
      return json_node_init_object (json_node_alloc (), object);
    }
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return json_node_copy (node);
  g_autoptr (JsonArray) array = json_array_new ();
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
    json_array_add_element (
        array, reeve_config_layers_copy (json_array_get_element (json_node_get_array (node), i)));
  return json_node_init_array (json_node_alloc (), array);
}

static void
reeve_config_layers_merge (JsonObject *base, JsonObject *over, const ReeveSchemaNode *schema,
                           const char *pointer, GHashTable *origins)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  json_object_iter_init_ordered (&iter, over);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      const ReeveSchemaNode *inner = reeve_config_values_member_schema (schema, name);
      JsonNode *there = json_object_get_member (base, name);
      g_autofree char *at = reeve_config_values_join (pointer, name);
      if (reeve_config_layers_says_nothing (value, inner))
        continue;
      if (there != NULL && JSON_NODE_HOLDS_OBJECT (there) && JSON_NODE_HOLDS_OBJECT (value))
        {
          reeve_config_layers_merge (json_node_get_object (there), json_node_get_object (value),
                                     inner, at, origins);
          continue;
        }
      if (there != NULL && !JSON_NODE_HOLDS_VALUE (there))
        reeve_config_layers_forget (origins, at);
      json_object_set_member (base, name, reeve_config_layers_copy (value));
    }
}

/**
 * reeve_config_layers_lay:
 * @base: what there is; changed
 * @origins: JSON pointer to ReeveConfigOrigin of it; borrows both from the layers
 * @over: what goes over it
 *
 * Lays @over over @base: objects member by member, everything else as a whole.
 */
void
reeve_config_layers_lay (JsonObject *base, GHashTable *origins, const ReeveConfigLayer *over)
{
  GHashTableIter iter;
  gpointer pointer = NULL, origin = NULL;

  reeve_config_layers_merge (base, json_node_get_object (over->tree), reeve_config_schema, "",
                             origins);
  g_hash_table_iter_init (&iter, over->origins);
  while (g_hash_table_iter_next (&iter, &pointer, &origin))
    g_hash_table_replace (origins, pointer, origin);
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

/**
 * reeve_config_layers_make_empty:
 *
 * Returns: (transfer full): an object without members
 */
JsonNode *
reeve_config_layers_make_empty (void)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, json_object_new ());
  return node;
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
    return reeve_config_layers_make_empty ();
  if (node->kind != REEVE_CONFIG_MAP)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "%s:%u: the file must hold sections such as \"server:\"", source->label,
                   node->line);
      return NULL;
    }
  return reeve_config_aliases_apply (node, source->label, error)
             ? reeve_config_values_convert (source, node, reeve_config_schema, "", error)
             : NULL;
}

/**
 * reeve_config_layers_read_file:
 * @layer: where it is read into
 * @path: a file
 * @like: how; its label is the file's name
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION
 */
gboolean
reeve_config_layers_read_file (ReeveConfigLayer *layer, const char *path,
                               const ReeveConfigSource *like, GError **error)
{
  ReeveConfigSource source = reeve_config_layers_get_source (layer, like);
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (GError) local = NULL;

  source.label = path;
  source.with_lines = TRUE;
  if (g_file_get_contents (path, &text, &length, &local))
    {
      layer->file = g_strdup (path);
      layer->digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, (gssize) length);
      layer->tree = reeve_config_layers_read_text (text, length, &source, error);
    }
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s: %s", path, local->message);
  return layer->tree != NULL;
}

/* the text of a profile, from the folders first; FALSE with an error when there is none */
static gboolean
reeve_config_layers_find_profile (ReeveConfigLayer *layer, const char *name,
                                  const char *const *folders, const ReeveConfigSource *like,
                                  GError **error)
{
  g_autofree char *file = g_strconcat (name, ".yaml", NULL);
  g_autofree char *label = g_strdup_printf ("profile %s", name);
  ReeveConfigSource source = reeve_config_layers_get_source (layer, like);

  for (; folders != NULL && *folders != NULL; folders++)
    {
      g_autofree char *path = g_build_filename (*folders, file, NULL);
      if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
        return reeve_config_layers_read_file (layer, path, like, error);
    }
  source.label = label;
  for (guint i = 0; i < G_N_ELEMENTS (reeve_config_layers_built_in); i++)
    {
      const char *text = reeve_config_layers_built_in[i].text;
      if (strcmp (name, reeve_config_layers_built_in[i].name) != 0)
        continue;
      layer->tree = reeve_config_layers_read_text (text, strlen (text), &source, error);
      return layer->tree != NULL;
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "profile \"%s\" is neither dev, staging, prod nor enterprise, nor a file in "
               "profiles/",
               name);
  return FALSE;
}

static gboolean
reeve_config_layers_add_profile (GPtrArray *layers, const char *name, const char *const *folders,
                                 const ReeveConfigSource *like, guint depth, gboolean *is_dev,
                                 GError **error)
{
  g_autoptr (ReeveConfigLayer) layer = reeve_config_layers_new ();
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
  if (!reeve_config_layers_find_profile (layer, stem, folders, like, error))
    return FALSE;
  JsonObject *object = json_node_get_object (layer->tree);
  const char *ground = reeve_json_get_string (object, "profile", stem);
  *is_dev = strcmp (ground, "dev") == 0;
  if (strcmp (ground, stem) != 0
      && !reeve_config_layers_add_profile (layers, ground, folders, like, depth + 1, is_dev, error))
    return FALSE;
  /* which one it builds on is not which one counts */
  json_object_remove_member (object, "profile");
  g_hash_table_remove (layer->origins, "/profile");
  g_ptr_array_add (layers, g_steal_pointer (&layer));
  return TRUE;
}

/**
 * reeve_config_layers_read_profile:
 * @layers: (element-type ReeveConfigLayer): added to, the lowest one first
 * @name: dev, staging, prod, enterprise, or the name of a file in @folders, with or without `.yaml`
 * @folders: (nullable): where further profiles lie
 * @like: how to read them
 * @is_dev: (out): whether it is dev, or builds on that
 * @error: return location
 *
 * A profile whose own key `profile` names another builds on that one.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION
 */
gboolean
reeve_config_layers_read_profile (GPtrArray *layers, const char *name, const char *const *folders,
                                  const ReeveConfigSource *like, gboolean *is_dev, GError **error)
{
  return reeve_config_layers_add_profile (layers, name, folders, like, 0, is_dev, error);
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
