/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Setting by setting: name, whether it must be there, meaning, what it may be, what it is where
 * nobody says, and what each instance has, from where. */
#include "cli-setting-words.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/plain.h"

/* schemas within schemas that are told of */
#define REEVE_CLI_SETTING_WORDS_DEPTH 4

static void
reeve_cli_setting_words_line (const char *name, const char *text)
{
  g_autofree char *line = reeve_plain_make_line (text);

  g_print ("    %-10s  %s\n", name, line);
}

static void
reeve_cli_setting_words_add_json (GString *text, JsonNode *node)
{
  g_autofree char *json = reeve_json_text (node);

  g_string_append (text, json);
}

static void
reeve_cli_setting_words_add_list (GString *text, JsonArray *list, const char *between)
{
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonNode *node = json_array_get_element (list, i);

      if (i > 0)
        g_string_append (text, between);
      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        g_string_append (text, json_node_get_string (node));
      else
        reeve_cli_setting_words_add_json (text, node);
    }
}

/* The bounds that there are, each in words. */
static void
reeve_cli_setting_words_add_bounds (GString *text, JsonObject *schema)
{
  static const struct
  {
    const char *keyword;
    const char *words; /* translated */
  } bounds[] = {
    { "minimum", N_ ("at least") },
    { "exclusiveMinimum", N_ ("more than") },
    { "maximum", N_ ("at most") },
    { "exclusiveMaximum", N_ ("less than") },
    { "multipleOf", N_ ("a multiple of") },
    { "minLength", N_ ("shortest length") },
    { "maxLength", N_ ("longest length") },
    { "pattern", N_ ("matches") },
    { "format", N_ ("a") },
    { "minItems", N_ ("at least so many:") },
    { "maxItems", N_ ("at most so many:") },
    { "minProperties", N_ ("at least so many:") },
    { "maxProperties", N_ ("at most so many:") },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bounds); i++)
    {
      JsonNode *node = json_object_get_member (schema, bounds[i].keyword);
      const char *word
          = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;

      if (node == NULL)
        continue;
      g_string_append_printf (text, ", %s ", _ (bounds[i].words));
      if (word != NULL)
        g_string_append (text, word);
      else
        reeve_cli_setting_words_add_json (text, node);
    }
  if (reeve_json_get_boolean (schema, "uniqueItems", FALSE))
    g_string_append (text, _ (", none twice"));
}

static void reeve_cli_setting_words_add_kind (GString *text, JsonNode *node, guint depth);

static const char *
reeve_cli_setting_words_name_type (const char *type)
{
  static const struct
  {
    const char *type;
    const char *words; /* translated */
  } names[] = {
    { "string", N_ ("text") },   { "integer", N_ ("whole number") },
    { "number", N_ ("number") }, { "boolean", N_ ("true or false") },
    { "array", N_ ("list") },    { "object", N_ ("map") },
    { "null", N_ ("nothing") },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i].type, type) == 0)
      return _ (names[i].words);
  return type;
}

/* What stands in a list or a map. */
static void
reeve_cli_setting_words_add_inner (GString *text, JsonObject *schema, guint depth)
{
  JsonObject *properties = reeve_json_get_object (schema, "properties");
  JsonNode *items = json_object_get_member (schema, "items");
  JsonNode *more = json_object_get_member (schema, "additionalProperties");
  g_autoptr (GList) names = properties != NULL ? json_object_get_members (properties) : NULL;

  if (items != NULL)
    {
      g_string_append (text, _ (" of: "));
      reeve_cli_setting_words_add_kind (text, items, depth + 1);
    }
  for (GList *name = names; name != NULL; name = name->next)
    g_string_append_printf (text, "%s%s", name == names ? _ (" with ") : ", ",
                            (const char *) name->data);
  if (more != NULL && JSON_NODE_HOLDS_OBJECT (more))
    {
      g_string_append (text, _ (" of any names to: "));
      reeve_cli_setting_words_add_kind (text, more, depth + 1);
    }
}

static void
reeve_cli_setting_words_add_branches (GString *text, JsonArray *branches, guint depth)
{
  for (guint i = 0; i < json_array_get_length (branches); i++)
    {
      if (i > 0)
        g_string_append (text, _ ("; or "));
      reeve_cli_setting_words_add_kind (text, json_array_get_element (branches, i), depth + 1);
    }
}

/* What a value may be. */
static void
reeve_cli_setting_words_add_kind (GString *text, JsonNode *node, guint depth)
{
  JsonObject *schema
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonArray *types = schema != NULL ? reeve_json_get_array (schema, "type") : NULL;
  JsonArray *values = schema != NULL ? reeve_json_get_array (schema, "enum") : NULL;
  JsonArray *any = schema != NULL ? reeve_json_get_array (schema, "anyOf") : NULL;

  if (schema == NULL || depth > REEVE_CLI_SETTING_WORDS_DEPTH)
    {
      g_string_append (text, _ ("anything"));
      return;
    }
  any = any != NULL ? any : reeve_json_get_array (schema, "oneOf");
  if (values != NULL)
    {
      g_string_append (text, _ ("one of: "));
      reeve_cli_setting_words_add_list (text, values, ", ");
    }
  else if (any != NULL)
    reeve_cli_setting_words_add_branches (text, any, depth);
  else if (types != NULL)
    reeve_cli_setting_words_add_list (text, types, _ (" or "));
  else
    g_string_append (text, reeve_cli_setting_words_name_type (
                               reeve_json_get_string (schema, "type", _ ("anything"))));
  reeve_cli_setting_words_add_inner (text, schema, depth);
  reeve_cli_setting_words_add_bounds (text, schema);
}

static gboolean
reeve_cli_setting_words_is_required (JsonObject *schema, const char *name)
{
  JsonArray *required = reeve_json_get_array (schema, "required");

  for (guint i = 0; required != NULL && i < json_array_get_length (required); i++)
    if (g_strcmp0 (json_array_get_string_element (required, i), name) == 0)
      return TRUE;
  return FALSE;
}

/* What each instance has. */
static void
reeve_cli_setting_words_print_values (JsonArray *instances, const char *name)
{
  for (guint i = 0; instances != NULL && i < json_array_get_length (instances); i++)
    {
      JsonObject *instance = json_array_get_object_element (instances, i);
      JsonObject *settings = reeve_json_get_object (instance, "settings");
      JsonNode *value = settings != NULL ? json_object_get_member (settings, name) : NULL;
      g_autoptr (GString) text = g_string_new (NULL);

      if (value == NULL)
        g_string_append_printf (text, _ ("not set, in %s"),
                                reeve_json_get_string (instance, "key", "?"));
      else
        {
          reeve_cli_setting_words_add_json (text, value);
          g_string_append_printf (
              text, _ (", by %s, %s.%s"),
              reeve_json_get_string (reeve_json_get_object (instance, "origins"), name, "?"),
              reeve_json_get_string (instance, "key", "?"), name);
        }
      reeve_cli_setting_words_line (_ ("in force"), text->str);
    }
}

static void
reeve_cli_setting_words_print_one (JsonObject *schema, JsonArray *instances, const char *name,
                                   JsonNode *node)
{
  JsonObject *one = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *title = one != NULL ? reeve_json_get_string (one, "title", NULL) : NULL;
  const char *meaning = one != NULL ? reeve_json_get_string (one, "description", NULL) : NULL;
  JsonNode *usual = one != NULL ? json_object_get_member (one, "default") : NULL;
  g_autoptr (GString) kind = g_string_new (NULL);
  g_autofree char *line = reeve_plain_make_line (name);

  g_print ("\n%s%s\n", line,
           reeve_cli_setting_words_is_required (schema, name) ? _ ("  (required)") : "");
  if (title != NULL)
    reeve_cli_setting_words_line (_ ("is"), title);
  if (meaning != NULL)
    reeve_cli_setting_words_line (_ ("means"), meaning);
  reeve_cli_setting_words_add_kind (kind, node, 0);
  reeve_cli_setting_words_line (_ ("may be"), kind->str);
  if (usual != NULL)
    {
      g_autofree char *text = reeve_json_text (usual);

      reeve_cli_setting_words_line (_ ("default"), text);
    }
  reeve_cli_setting_words_print_values (instances, name);
}

/**
 * reeve_cli_setting_words_print:
 * @plugin: answer of plugins.get
 *
 * Prints the form.
 */
void
reeve_cli_setting_words_print (JsonObject *plugin)
{
  JsonObject *schema = reeve_json_get_object (plugin, "settings_schema");
  JsonObject *properties = schema != NULL ? reeve_json_get_object (schema, "properties") : NULL;
  JsonArray *instances = reeve_json_get_array (plugin, "instances");
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *node = NULL;
  g_autofree char *id = reeve_plain_make_line (reeve_json_get_string (plugin, "plugin_id", "?"));

  if (properties == NULL || json_object_get_size (properties) == 0)
    {
      g_print (_ ("%s has no settings\n"), id);
      return;
    }
  g_print ("%s\n", id);
  json_object_iter_init_ordered (&iter, properties);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    reeve_cli_setting_words_print_one (schema, instances, name, node);
}
