/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scalars get their types from YAML's core schema (1.2: "yes" and "on" are words), unless the
 * configuration's schema wants text or a size or duration there. "${NAME}" anywhere in a scalar and
 * a scalar that is "env:NAME" take the environment's value; a variable that is not set is an error,
 * for an empty password is worse than no start. */
#include "config-values.h"

#include <math.h>
#include <string.h>

static const struct
{
  const char *unit;
  const char *suffix;
  gint64 factor;
} reeve_config_values_units[] = {
  { "bytes", "B", 1 },
  { "bytes", "kB", 1000 },
  { "bytes", "MB", 1000 * 1000 },
  { "bytes", "GB", 1000 * 1000 * 1000 },
  { "bytes", "KiB", 1 << 10 },
  { "bytes", "MiB", 1 << 20 },
  { "bytes", "GiB", 1 << 30 },
  { "seconds", "s", 1 },
  { "seconds", "m", 60 },
  { "seconds", "min", 60 },
  { "seconds", "h", 3600 },
  { "seconds", "d", 86400 },
};

/**
 * reeve_config_values_origin_new:
 * @text: where from
 * @chosen: whether a person chose it
 *
 * Returns: (transfer full): an origin
 */
ReeveConfigOrigin *
reeve_config_values_origin_new (const char *text, gboolean chosen)
{
  ReeveConfigOrigin *origin = g_new0 (ReeveConfigOrigin, 1);

  origin->text = g_strdup (text);
  origin->chosen = chosen;
  return origin;
}

/**
 * reeve_config_values_origin_free:
 * @origin: (transfer full): an origin
 */
void
reeve_config_values_origin_free (ReeveConfigOrigin *origin)
{
  g_free (origin->text);
  g_free (origin->variable);
  g_free (origin->shown);
  g_free (origin);
}

/**
 * reeve_config_values_join:
 * @pointer: a JSON pointer
 * @name: a member
 *
 * Returns: (transfer full): the member's JSON pointer
 */
char *
reeve_config_values_join (const char *pointer, const char *name)
{
  g_autoptr (GString) escaped = g_string_new (name);

  g_string_replace (escaped, "~", "~0", 0);
  g_string_replace (escaped, "/", "~1", 0);
  return g_strconcat (pointer, "/", escaped->str, NULL);
}

/**
 * reeve_config_values_parse_unit:
 * @unit: `bytes` or `seconds`
 * @text: a whole number and a suffix, such as `10MiB` or `5 m`
 * @value: (out): the number of units
 *
 * Returns: whether @text is such an amount
 */
gboolean
reeve_config_values_parse_unit (const char *unit, const char *text, gint64 *value)
{
  gsize digits = strspn (text, "0123456789");
  const char *suffix = text + digits + strspn (text + digits, " ");

  if (digits == 0 || digits > 12)
    return FALSE;
  gint64 number = g_ascii_strtoll (text, NULL, 10);
  for (guint i = 0; i < G_N_ELEMENTS (reeve_config_values_units); i++)
    if (strcmp (unit, reeve_config_values_units[i].unit) == 0
        && g_ascii_strcasecmp (suffix, reeve_config_values_units[i].suffix) == 0)
      {
        gint64 factor = reeve_config_values_units[i].factor;
        *value = number * factor;
        return number <= G_MAXINT64 / factor;
      }
  return FALSE;
}

/**
 * reeve_config_values_member_schema:
 * @schema: (nullable): schema of an object
 * @name: a member
 *
 * Returns: (transfer none) (nullable): the member's schema; %NULL when anything may stand there, or
 * nothing
 */
const ReeveSchemaNode *
reeve_config_values_member_schema (const ReeveSchemaNode *schema, const char *name)
{
  if (schema == NULL || schema->object == NULL)
    return NULL;
  for (guint i = 0; i < schema->object->n_properties; i++)
    if (strcmp (schema->object->properties[i].name, name) == 0)
      return schema->object->properties[i].node;
  const ReeveSchemaNode *other = schema->object->additional_properties;
  return other != NULL && !other->never ? other : NULL;
}

/* ---- variables ---- */

static const char *
reeve_config_values_lookup (const ReeveConfigSource *source, const char *name)
{
  gsize length = strlen (name);

  for (const char *const *at = source->environment; at != NULL && *at != NULL; at++)
    if (strncmp (*at, name, length) == 0 && (*at)[length] == '=')
      return *at + length + 1;
  return NULL;
}

static gboolean
reeve_config_values_is_variable (const char *name, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalpha (name[i]) && name[i] != '_' && (i == 0 || !g_ascii_isdigit (name[i])))
      return FALSE;
  return length > 0;
}

static gboolean
reeve_config_values_append_variable (const ReeveConfigSource *source, GString *out, char *name,
                                     ReeveConfigOrigin *origin, GError **error)
{
  char *fallback = strstr (name, ":-");

  if (fallback != NULL)
    *fallback = '\0';
  if (!reeve_config_values_is_variable (name, strlen (name)))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "\"%s\" is no name of a variable",
                   name);
      return FALSE;
    }
  const char *value = reeve_config_values_lookup (source, name);
  g_free (origin->variable);
  origin->variable = g_strdup (name);
  if (value == NULL && fallback == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "environment variable %s is not set", name);
      return FALSE;
    }
  g_string_append (out, value != NULL ? value : fallback + 2);
  return TRUE;
}

/* Expands a scalar; "$${" is "${". What comes from a variable is not expanded again. */
static char *
reeve_config_values_expand (const ReeveConfigSource *source, const char *text,
                            ReeveConfigOrigin *origin, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (g_str_has_prefix (text, "env:")
      && reeve_config_values_is_variable (text + 4, strlen (text + 4)))
    {
      g_autofree char *name = g_strdup (text + 4);
      origin->shown = g_strdup (text);
      return reeve_config_values_append_variable (source, out, name, origin, error)
                 ? g_string_free (g_steal_pointer (&out), FALSE)
                 : NULL;
    }
  for (const char *at = text; *at != '\0';)
    {
      const char *end = g_str_has_prefix (at, "${") ? strchr (at, '}') : NULL;
      if (g_str_has_prefix (at, "$${"))
        {
          g_string_append (out, "${");
          at += 3;
        }
      else if (end == NULL)
        g_string_append_c (out, *at++);
      else
        {
          g_autofree char *name = g_strndup (at + 2, (gsize) (end - at - 2));
          if (!reeve_config_values_append_variable (source, out, name, origin, error))
            return NULL;
          at = end + 1;
        }
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* ---- types ---- */

static gboolean
reeve_config_values_is_word (const char *text, const char *word)
{
  /* YAML's core schema: null, Null, NULL; not nULL */
  g_autofree char *upper = g_ascii_strup (word, -1);

  return strcmp (text, word) == 0 || strcmp (text, upper) == 0
         || (*text == *upper && strcmp (text + 1, word + 1) == 0);
}

static JsonNode *
reeve_config_values_number (const char *text)
{
  static const char *const bases[] = { "0x", "0o" };
  char *end = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (bases); i++)
    if (g_str_has_prefix (text, bases[i]) && g_ascii_isxdigit (text[2]))
      {
        guint64 value = g_ascii_strtoull (text + 2, &end, i == 0 ? 16 : 8);
        return *end == '\0' && value <= G_MAXINT64
                   ? json_node_init_int (json_node_alloc (), (gint64) value)
                   : NULL;
      }
  gsize sign = strspn (text, "+-") <= 1 ? strspn (text, "+-") : 0;
  if (text[sign] != '\0' && strspn (text + sign, "0123456789") == strlen (text + sign)
      && strlen (text) <= 19)
    return json_node_init_int (json_node_alloc (), g_ascii_strtoll (text, NULL, 10));
  if (strspn (text, "+-.0123456789eE") != strlen (text) || strpbrk (text, "0123456789") == NULL)
    return NULL;
  double value = g_ascii_strtod (text, &end);
  return *end == '\0' && isfinite (value) ? json_node_init_double (json_node_alloc (), value)
                                          : NULL;
}

/* whether the schema has text stand here, and nothing that a plain scalar could also be */
static gboolean
reeve_config_values_wants_text (const ReeveSchemaNode *schema, const char *text)
{
  guint types = schema != NULL ? schema->types : 0;

  if ((types & REEVE_SCHEMA_TYPE_STRING) == 0)
    return schema != NULL && schema->enumeration != NULL && types == 0
           && !reeve_config_values_is_word (text, "null");
  return (types & ~(guint) (REEVE_SCHEMA_TYPE_STRING | REEVE_SCHEMA_TYPE_NULL)) == 0
         && !(types & REEVE_SCHEMA_TYPE_NULL && reeve_config_values_is_word (text, "null"));
}

/* told: the text as it may stand in an error; NULL when a variable gave it */
static JsonNode *
reeve_config_values_resolve (const char *text, const char *told, gboolean plain,
                             const ReeveSchemaNode *schema, GError **error)
{
  gint64 amount = 0;

  if (schema != NULL && schema->unit != NULL)
    {
      JsonNode *number = reeve_config_values_number (text);
      if (number != NULL)
        return number;
      if (reeve_config_values_parse_unit (schema->unit, text, &amount))
        return json_node_init_int (json_node_alloc (), amount);
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s%s%sis no %s",
                   told != NULL ? "\"" : "", told != NULL ? told : "", told != NULL ? "\" " : "",
                   strcmp (schema->unit, "bytes") == 0 ? "size, such as 10MiB"
                                                       : "duration, such as 30s, 5m, 2h or 7d");
      return NULL;
    }
  if (!plain)
    return json_node_init_string (json_node_alloc (), text);
  if (*text == '\0' || strcmp (text, "~") == 0)
    return json_node_init_null (json_node_alloc ());
  if (reeve_config_values_wants_text (schema, text))
    return json_node_init_string (json_node_alloc (), text);
  if (reeve_config_values_is_word (text, "null"))
    return json_node_init_null (json_node_alloc ());
  if (reeve_config_values_is_word (text, "true") || reeve_config_values_is_word (text, "false"))
    return json_node_init_boolean (json_node_alloc (), g_ascii_tolower (*text) == 't');
  JsonNode *number = reeve_config_values_number (text);
  return number != NULL ? number : json_node_init_string (json_node_alloc (), text);
}

/* ---- tree ---- */

static JsonNode *
reeve_config_values_scalar (const ReeveConfigSource *source, ReeveConfigNode *node,
                            const ReeveSchemaNode *schema, ReeveConfigOrigin *origin,
                            GError **error)
{
  /* who names a variable instead of taking its value reads it himself */
  g_autofree char *text = source->literal || (schema != NULL && schema->verbatim)
                              ? g_strdup (node->text)
                              : reeve_config_values_expand (source, node->text, origin, error);

  /* where no schema says that it is none, what a variable gave may be a secret */
  if (schema == NULL && origin->variable != NULL && origin->shown == NULL)
    origin->shown = g_strdup (node->text);
  /* what "env:NAME" gives is text whatever it looks like, unless the schema wants a number */
  gboolean plain = node->plain
                   && (!g_str_has_prefix (node->text, "env:") || origin->variable == NULL
                       || (schema != NULL && schema->types != 0));
  const char *told = source->literal || origin->variable != NULL ? NULL : node->text;
  return text == NULL ? NULL : reeve_config_values_resolve (text, told, plain, schema, error);
}

static JsonNode *
reeve_config_values_list (const ReeveConfigSource *source, ReeveConfigNode *node,
                          const ReeveSchemaNode *schema, const char *pointer, GError **error)
{
  const ReeveSchemaNode *items
      = schema != NULL && schema->array != NULL ? schema->array->items : NULL;
  g_autoptr (JsonArray) array = json_array_new ();

  for (guint i = 0; i < node->children->len; i++)
    {
      g_autofree char *child = g_strdup_printf ("%s/%u", pointer, i);
      JsonNode *value
          = reeve_config_values_convert (source, node->children->pdata[i], items, child, error);
      if (value == NULL)
        return NULL;
      json_array_add_element (array, value);
    }
  return json_node_init_array (json_node_alloc (), array);
}

static JsonNode *
reeve_config_values_map (const ReeveConfigSource *source, ReeveConfigNode *node,
                         const ReeveSchemaNode *schema, const char *pointer, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();

  for (guint i = 0; i < node->names->len; i++)
    {
      const char *name = node->names->pdata[i];
      g_autofree char *child = reeve_config_values_join (pointer, name);
      JsonNode *value = reeve_config_values_convert (
          source, node->children->pdata[i], reeve_config_values_member_schema (schema, name), child,
          error);
      if (value == NULL)
        return NULL;
      json_object_set_member (object, name, value);
    }
  return json_node_init_object (json_node_alloc (), object);
}

/**
 * reeve_config_values_key:
 * @pointer: a JSON pointer
 *
 * Returns: (transfer full): it as people write it: `llm.providers[0].id`
 */
char *
reeve_config_values_key (const char *pointer)
{
  g_autoptr (GString) key = g_string_new (NULL);
  g_auto (GStrv) parts = g_strsplit (*pointer == '/' ? pointer + 1 : pointer, "/", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      g_autoptr (GString) part = g_string_new (parts[i]);
      gboolean index = *parts[i] != '\0' && strspn (parts[i], "0123456789") == strlen (parts[i]);
      g_string_replace (part, "~1", "/", 0);
      g_string_replace (part, "~0", "~", 0);
      if (index)
        g_string_append_printf (key, "[%s]", part->str);
      else
        g_string_append_printf (key, "%s%s", key->len > 0 ? "." : "", part->str);
    }
  return g_string_free (g_steal_pointer (&key), FALSE);
}

/**
 * reeve_config_values_blame:
 * @origins: JSON pointer -> ReeveConfigOrigin
 * @path: of a value, such as `llm.providers.0.settings`
 * @message: what is wrong with it
 *
 * Returns: (transfer full): where the value, or what it stands in, came from, its key, the message
 */
char *
reeve_config_values_blame (GHashTable *origins, const char *path, const char *message)
{
  g_auto (GStrv) parts = g_strsplit (path, ".", -1);
  g_autofree char *pointer = g_strjoinv ("/", parts);
  g_autofree char *key = reeve_config_values_key (pointer);
  const ReeveConfigOrigin *origin = NULL;

  for (guint n = g_strv_length (parts); n > 0 && origin == NULL; n--)
    {
      g_autofree char *joined = g_strjoinv ("/", parts);
      g_autofree char *at = g_strconcat ("/", joined, NULL);

      origin = g_hash_table_lookup (origins, at);
      g_clear_pointer (&parts[n - 1], g_free);
    }
  return g_strdup_printf ("%s: %s: %s", origin != NULL ? origin->text : "default", key, message);
}

/**
 * reeve_config_values_convert:
 * @source: where @node is from
 * @node: a value as it was read
 * @schema: (nullable): what may stand there
 * @pointer: where it stands
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the value, or %NULL with %REEVE_ERROR_CONFIGURATION, whose
 * text names file, line and key
 */
JsonNode *
reeve_config_values_convert (const ReeveConfigSource *source, ReeveConfigNode *node,
                             const ReeveSchemaNode *schema, const char *pointer, GError **error)
{
  g_autofree char *where = source->with_lines ? g_strdup_printf ("%s:%u", source->label, node->line)
                                              : g_strdup (source->label);
  ReeveConfigOrigin *origin = reeve_config_values_origin_new (where, source->chosen);
  g_autoptr (GError) local = NULL;

  g_hash_table_replace (source->origins, g_strdup (pointer), origin);
  if (schema != NULL && schema->ref != NULL)
    schema = schema->ref;
  switch (node->kind)
    {
    case REEVE_CONFIG_LIST:
      return reeve_config_values_list (source, node, schema, pointer, error);
    case REEVE_CONFIG_MAP:
      return reeve_config_values_map (source, node, schema, pointer, error);
    case REEVE_CONFIG_SCALAR:
    default:
      break;
    }
  JsonNode *value = reeve_config_values_scalar (source, node, schema, origin, &local);
  if (value == NULL)
    {
      g_autofree char *key = reeve_config_values_key (pointer);
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s: %s: %s", where, key,
                   local->message);
    }
  return value;
}
