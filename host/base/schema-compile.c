/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a JSON Schema to its compiled form: one table says which keyword fills which member of which
 * group and how. The build's schema_compile.py is the other producer of the same form; tests hold
 * the two to each other. */
#include "schema-internal.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct
{
  JsonNode *root;
  GPtrArray *memory;
  GHashTable *made; /* JsonNode of a schema -> ReeveSchemaNode; so that references may be circles */
  GHashTable *anchors; /* name -> JsonNode; filled when one is asked for */
  guint depth;
} ReeveSchemaCompile;

typedef enum
{
  REEVE_SCHEMA_COMPILE_NUMBER,
  REEVE_SCHEMA_COMPILE_COUNT,
  REEVE_SCHEMA_COMPILE_TEXT,
  REEVE_SCHEMA_COMPILE_BOOLEAN,
  REEVE_SCHEMA_COMPILE_NODE,
  REEVE_SCHEMA_COMPILE_NODES,
  REEVE_SCHEMA_COMPILE_MEMBERS,
  REEVE_SCHEMA_COMPILE_NAMES,
  REEVE_SCHEMA_COMPILE_DEPENDENCIES,
  REEVE_SCHEMA_COMPILE_VALUE,
  REEVE_SCHEMA_COMPILE_VALUES,
  REEVE_SCHEMA_COMPILE_TYPES,
  REEVE_SCHEMA_COMPILE_FORMAT,
  REEVE_SCHEMA_COMPILE_REFERENCE,
  REEVE_SCHEMA_COMPILE_DEFINITIONS
} ReeveSchemaCompileKind;

typedef struct
{
  const char *keyword;
  ReeveSchemaCompileKind kind;
  gsize group; /* offset of the group's pointer in the node; G_MAXSIZE: in the node itself */
  gsize size;  /* of the group */
  gsize member;
} ReeveSchemaCompileRow;

/* schemas within schemas, references followed */
#define REEVE_SCHEMA_COMPILE_DEPTH 256

#define SELF(keyword, kind, member)                                                                \
  {                                                                                                \
    keyword, REEVE_SCHEMA_COMPILE_##kind, G_MAXSIZE, 0, offsetof (ReeveSchemaNode, member)         \
  }
#define GROUP(keyword, kind, group, type, member)                                                  \
  {                                                                                                \
    keyword, REEVE_SCHEMA_COMPILE_##kind, offsetof (ReeveSchemaNode, group), sizeof (type),        \
        offsetof (type, member)                                                                    \
  }

static const ReeveSchemaCompileRow reeve_schema_compile_rows[] = {
  SELF ("$ref", REFERENCE, ref),
  SELF ("$defs", DEFINITIONS, ref),
  SELF ("type", TYPES, types),
  SELF ("const", VALUE, constant),
  SELF ("enum", VALUES, enumeration),
  SELF ("title", TEXT, title),
  SELF ("description", TEXT, description),
  SELF ("default", VALUE, fallback),
  SELF ("x-reeve-unit", TEXT, unit),
  SELF ("x-reeve-variable", TEXT, variable),
  SELF ("x-reeve-secret", BOOLEAN, secret),
  SELF ("x-reeve-verbatim", BOOLEAN, verbatim),
  SELF ("x-reeve-planned", BOOLEAN, planned),
  GROUP ("minimum", NUMBER, numeric, ReeveSchemaNumeric, minimum),
  GROUP ("maximum", NUMBER, numeric, ReeveSchemaNumeric, maximum),
  GROUP ("exclusiveMinimum", NUMBER, numeric, ReeveSchemaNumeric, exclusive_minimum),
  GROUP ("exclusiveMaximum", NUMBER, numeric, ReeveSchemaNumeric, exclusive_maximum),
  GROUP ("multipleOf", NUMBER, numeric, ReeveSchemaNumeric, multiple_of),
  GROUP ("minLength", COUNT, string, ReeveSchemaString, min_length),
  GROUP ("maxLength", COUNT, string, ReeveSchemaString, max_length),
  GROUP ("pattern", TEXT, string, ReeveSchemaString, pattern),
  GROUP ("format", FORMAT, string, ReeveSchemaString, format),
  GROUP ("items", NODE, array, ReeveSchemaArray, items),
  GROUP ("prefixItems", NODES, array, ReeveSchemaArray, prefix_items),
  GROUP ("contains", NODE, array, ReeveSchemaArray, contains),
  GROUP ("unevaluatedItems", NODE, array, ReeveSchemaArray, unevaluated_items),
  GROUP ("minItems", COUNT, array, ReeveSchemaArray, min_items),
  GROUP ("maxItems", COUNT, array, ReeveSchemaArray, max_items),
  GROUP ("minContains", COUNT, array, ReeveSchemaArray, min_contains),
  GROUP ("maxContains", COUNT, array, ReeveSchemaArray, max_contains),
  GROUP ("uniqueItems", BOOLEAN, array, ReeveSchemaArray, unique_items),
  GROUP ("properties", MEMBERS, object, ReeveSchemaObject, properties),
  GROUP ("required", NAMES, object, ReeveSchemaObject, required),
  GROUP ("additionalProperties", NODE, object, ReeveSchemaObject, additional_properties),
  GROUP ("patternProperties", MEMBERS, object, ReeveSchemaObject, pattern_properties),
  GROUP ("propertyNames", NODE, object, ReeveSchemaObject, property_names),
  GROUP ("unevaluatedProperties", NODE, object, ReeveSchemaObject, unevaluated_properties),
  GROUP ("dependentRequired", DEPENDENCIES, object, ReeveSchemaObject, dependent_required),
  GROUP ("dependentSchemas", MEMBERS, object, ReeveSchemaObject, dependent_schemas),
  GROUP ("minProperties", COUNT, object, ReeveSchemaObject, min_properties),
  GROUP ("maxProperties", COUNT, object, ReeveSchemaObject, max_properties),
  GROUP ("allOf", NODES, logic, ReeveSchemaLogic, all_of),
  GROUP ("anyOf", NODES, logic, ReeveSchemaLogic, any_of),
  GROUP ("oneOf", NODES, logic, ReeveSchemaLogic, one_of),
  GROUP ("not", NODE, logic, ReeveSchemaLogic, negated),
  GROUP ("if", NODE, logic, ReeveSchemaLogic, condition),
  GROUP ("then", NODE, logic, ReeveSchemaLogic, consequence),
  GROUP ("else", NODE, logic, ReeveSchemaLogic, alternative),
};

static const ReeveSchemaNode *reeve_schema_compile_node (ReeveSchemaCompile *self, JsonNode *schema,
                                                         GError **error);

static gpointer
reeve_schema_compile_alloc (ReeveSchemaCompile *self, gsize size)
{
  gpointer memory = g_malloc0 (size);

  g_ptr_array_add (self->memory, memory);
  return memory;
}

static gboolean
reeve_schema_compile_refuse (GError **error, const char *what)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, what);
  return FALSE;
}

static const char *
reeve_schema_compile_canonical (ReeveSchemaCompile *self, JsonNode *value)
{
  char *text = reeve_json_canonical (value);

  g_ptr_array_add (self->memory, text);
  return text;
}

/* ---- values of keywords ---- */

static gboolean
reeve_schema_compile_number (JsonNode *value, ReeveSchemaNumber *out, GError **error)
{
  GType type = JSON_NODE_HOLDS_VALUE (value) ? json_node_get_value_type (value) : G_TYPE_INVALID;

  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
    return reeve_schema_compile_refuse (error, "must be a number");
  out->given = TRUE;
  out->whole = type == G_TYPE_INT64;
  out->integer = out->whole ? json_node_get_int (value) : 0;
  out->real = json_node_get_double (value);
  return TRUE;
}

static gboolean
reeve_schema_compile_count (JsonNode *value, ReeveSchemaCount *out, GError **error)
{
  ReeveSchemaNumber number = { 0 };

  if (!reeve_schema_compile_number (value, &number, error))
    return FALSE;
  if (number.real < 0 || number.real != floor (number.real) || number.real > 0x1p53)
    return reeve_schema_compile_refuse (error, "must be a whole number from 0");
  out->given = TRUE;
  out->value = (guint64) number.real;
  return TRUE;
}

static gboolean
reeve_schema_compile_text (JsonNode *value, const char **out, GError **error)
{
  if (!JSON_NODE_HOLDS_VALUE (value) || json_node_get_value_type (value) != G_TYPE_STRING)
    return reeve_schema_compile_refuse (error, "must be a string");
  *out = json_node_get_string (value);
  return TRUE;
}

static gboolean
reeve_schema_compile_boolean (JsonNode *value, gboolean *out, GError **error)
{
  if (!JSON_NODE_HOLDS_VALUE (value) || json_node_get_value_type (value) != G_TYPE_BOOLEAN)
    return reeve_schema_compile_refuse (error, "must be true or false");
  *out = json_node_get_boolean (value);
  return TRUE;
}

static gboolean
reeve_schema_compile_names (ReeveSchemaCompile *self, JsonNode *value, const char *const **out,
                            GError **error)
{
  if (!JSON_NODE_HOLDS_ARRAY (value))
    return reeve_schema_compile_refuse (error, "must be an array of strings");
  JsonArray *array = json_node_get_array (value);
  guint n = json_array_get_length (array);
  const char **names = reeve_schema_compile_alloc (self, (n + 1) * sizeof *names);
  for (guint i = 0; i < n; i++)
    if (!reeve_schema_compile_text (json_array_get_element (array, i), &names[i], error))
      return FALSE;
  *out = names;
  return TRUE;
}

static gboolean
reeve_schema_compile_values (ReeveSchemaCompile *self, JsonNode *value, const char *const **out,
                             GError **error)
{
  if (!JSON_NODE_HOLDS_ARRAY (value))
    return reeve_schema_compile_refuse (error, "must be an array");
  JsonArray *array = json_node_get_array (value);
  guint n = json_array_get_length (array);
  const char **texts = reeve_schema_compile_alloc (self, (n + 1) * sizeof *texts);
  for (guint i = 0; i < n; i++)
    texts[i] = reeve_schema_compile_canonical (self, json_array_get_element (array, i));
  *out = texts;
  return TRUE;
}

static gboolean
reeve_schema_compile_nodes (ReeveSchemaCompile *self, JsonNode *value,
                            const ReeveSchemaNode *const **out, GError **error)
{
  if (!JSON_NODE_HOLDS_ARRAY (value) || json_array_get_length (json_node_get_array (value)) == 0)
    return reeve_schema_compile_refuse (error, "must be an array of at least one schema");
  JsonArray *array = json_node_get_array (value);
  guint n = json_array_get_length (array);
  const ReeveSchemaNode **nodes = reeve_schema_compile_alloc (self, (n + 1) * sizeof *nodes);
  for (guint i = 0; i < n; i++)
    {
      nodes[i] = reeve_schema_compile_node (self, json_array_get_element (array, i), error);
      if (nodes[i] == NULL)
        {
          g_prefix_error (error, "%u: ", i);
          return FALSE;
        }
    }
  *out = nodes;
  return TRUE;
}

static int
reeve_schema_compile_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (((const ReeveSchemaMember *) a)->name, ((const ReeveSchemaMember *) b)->name);
}

static gboolean
reeve_schema_compile_members (ReeveSchemaCompile *self, JsonNode *value,
                              const ReeveSchemaMember **out, GError **error)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *schema = NULL;
  guint n = 0;

  if (!JSON_NODE_HOLDS_OBJECT (value))
    return reeve_schema_compile_refuse (error, "must be an object of schemas");
  JsonObject *object = json_node_get_object (value);
  ReeveSchemaMember *members
      = reeve_schema_compile_alloc (self, (json_object_get_size (object) + 1) * sizeof *members);
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &schema))
    {
      members[n].name = name;
      members[n].node = reeve_schema_compile_node (self, schema, error);
      if (members[n++].node == NULL)
        {
          g_prefix_error (error, "%s: ", name);
          return FALSE;
        }
    }
  qsort (members, n, sizeof *members, reeve_schema_compile_compare);
  *out = members;
  return TRUE;
}

static gboolean
reeve_schema_compile_dependencies (ReeveSchemaCompile *self, JsonNode *value,
                                   const ReeveSchemaDependency **out, GError **error)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *names = NULL;
  guint n = 0;

  if (!JSON_NODE_HOLDS_OBJECT (value))
    return reeve_schema_compile_refuse (error, "must be an object of arrays");
  JsonObject *object = json_node_get_object (value);
  ReeveSchemaDependency *rows
      = reeve_schema_compile_alloc (self, (json_object_get_size (object) + 1) * sizeof *rows);
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &names))
    {
      rows[n].name = name;
      if (!reeve_schema_compile_names (self, names, &rows[n++].required, error))
        return FALSE;
    }
  *out = rows;
  return TRUE;
}

static gboolean
reeve_schema_compile_type (const char *name, guint *types, GError **error)
{
  static const char *const names[]
      = { "null", "boolean", "integer", "number", "string", "array", "object" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i]) == 0)
      {
        *types |= 1u << i;
        return TRUE;
      }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "\"%s\" is no type", name);
  return FALSE;
}

static gboolean
reeve_schema_compile_types (ReeveSchemaCompile *self, JsonNode *value, guint *types, GError **error)
{
  const char *name = NULL;
  const char *const *names = NULL;

  if (!JSON_NODE_HOLDS_ARRAY (value))
    return reeve_schema_compile_text (value, &name, error)
           && reeve_schema_compile_type (name, types, error);
  if (!reeve_schema_compile_names (self, value, &names, error))
    return FALSE;
  for (; *names != NULL; names++)
    if (!reeve_schema_compile_type (*names, types, error))
      return FALSE;
  return *types != 0 || reeve_schema_compile_refuse (error, "must not be empty");
}

/* ---- references ---- */

/* collects the anchors that are declared at and below @node; the text's depth bounds the recursion
 */
static void
reeve_schema_compile_collect (ReeveSchemaCompile *self, JsonNode *node)
{
  JsonObjectIter iter;
  JsonNode *child = NULL;

  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);
      for (guint i = 0; i < json_array_get_length (array); i++)
        reeve_schema_compile_collect (self, json_array_get_element (array, i));
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return;
  JsonObject *object = json_node_get_object (node);
  const char *name = reeve_json_get_string (object, "$anchor", NULL);
  if (name != NULL)
    g_hash_table_insert (self->anchors, (gpointer) name, node);
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, NULL, &child))
    reeve_schema_compile_collect (self, child);
}

static JsonNode *
reeve_schema_compile_step (JsonNode *node, const char *part)
{
  char *end = NULL;

  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_object_get_member (json_node_get_object (node), part);
  guint64 index = g_ascii_strtoull (part, &end, 10);
  if (!JSON_NODE_HOLDS_ARRAY (node) || !g_ascii_isdigit (*part) || *end != '\0'
      || index >= json_array_get_length (json_node_get_array (node)))
    return NULL;
  return json_array_get_element (json_node_get_array (node), (guint) index);
}

/* what a URI fragment points to: "", "/a/b" (RFC 6901, section 6) or the name of an anchor */
static JsonNode *
reeve_schema_compile_resolve (ReeveSchemaCompile *self, const char *reference)
{
  g_autofree char *fragment
      = *reference == '#' ? g_uri_unescape_string (reference + 1, NULL) : NULL;
  JsonNode *node = self->root;

  if (fragment == NULL)
    return NULL;
  if (*fragment == '\0')
    return node;
  if (*fragment != '/')
    {
      if (g_hash_table_size (self->anchors) == 0)
        reeve_schema_compile_collect (self, node);
      return g_hash_table_lookup (self->anchors, fragment);
    }
  g_auto (GStrv) parts = g_strsplit (fragment + 1, "/", -1);
  for (guint i = 0; node != NULL && parts[i] != NULL; i++)
    {
      g_autoptr (GString) part = g_string_new (parts[i]);
      g_string_replace (part, "~1", "/", 0);
      g_string_replace (part, "~0", "~", 0);
      node = reeve_schema_compile_step (node, part->str);
    }
  return node;
}

static gboolean
reeve_schema_compile_reference (ReeveSchemaCompile *self, JsonNode *value,
                                const ReeveSchemaNode **out, GError **error)
{
  const char *reference = NULL;

  if (!reeve_schema_compile_text (value, &reference, error))
    return FALSE;
  JsonNode *target = reeve_schema_compile_resolve (self, reference);
  if (target == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "\"%s\" is not in this schema",
                   reference);
      return FALSE;
    }
  *out = reeve_schema_compile_node (self, target, error);
  return *out != NULL;
}

/* ---- a schema ---- */

static gboolean
reeve_schema_compile_keyword (ReeveSchemaCompile *self, const ReeveSchemaCompileRow *row,
                              JsonNode *value, gpointer out, GError **error)
{
  const ReeveSchemaMember *definitions = NULL;
  const char *text = NULL;

  switch (row->kind)
    {
    case REEVE_SCHEMA_COMPILE_NUMBER:
      return reeve_schema_compile_number (value, out, error);
    case REEVE_SCHEMA_COMPILE_COUNT:
      return reeve_schema_compile_count (value, out, error);
    case REEVE_SCHEMA_COMPILE_TEXT:
      return reeve_schema_compile_text (value, out, error);
    case REEVE_SCHEMA_COMPILE_BOOLEAN:
      return reeve_schema_compile_boolean (value, out, error);
    case REEVE_SCHEMA_COMPILE_NODE:
      *(const ReeveSchemaNode **) out = reeve_schema_compile_node (self, value, error);
      return *(const ReeveSchemaNode **) out != NULL;
    case REEVE_SCHEMA_COMPILE_NODES:
      return reeve_schema_compile_nodes (self, value, out, error);
    case REEVE_SCHEMA_COMPILE_MEMBERS:
      return reeve_schema_compile_members (self, value, out, error);
    case REEVE_SCHEMA_COMPILE_NAMES:
      return reeve_schema_compile_names (self, value, out, error);
    case REEVE_SCHEMA_COMPILE_DEPENDENCIES:
      return reeve_schema_compile_dependencies (self, value, out, error);
    case REEVE_SCHEMA_COMPILE_VALUE:
      *(const char **) out = reeve_schema_compile_canonical (self, value);
      return TRUE;
    case REEVE_SCHEMA_COMPILE_VALUES:
      return reeve_schema_compile_values (self, value, out, error);
    case REEVE_SCHEMA_COMPILE_TYPES:
      return reeve_schema_compile_types (self, value, out, error);
    case REEVE_SCHEMA_COMPILE_FORMAT:
      if (!reeve_schema_compile_text (value, &text, error))
        return FALSE;
      *(ReeveSchemaFormat *) out = reeve_schema_format_from_name (text);
      return TRUE;
    case REEVE_SCHEMA_COMPILE_REFERENCE:
      return reeve_schema_compile_reference (self, value, out, error);
    case REEVE_SCHEMA_COMPILE_DEFINITIONS:
    default:
      /* compiled only to tell their faults */
      return reeve_schema_compile_members (self, value, &definitions, error);
    }
}

static gboolean
reeve_schema_compile_row (ReeveSchemaCompile *self, ReeveSchemaNode *node,
                          const ReeveSchemaCompileRow *row, JsonNode *value, GError **error)
{
  guint8 *base = (guint8 *) node;

  if (row->group != G_MAXSIZE)
    {
      gpointer *group = (gpointer *) (base + row->group);
      if (*group == NULL)
        *group = reeve_schema_compile_alloc (self, row->size);
      base = *group;
    }
  if (reeve_schema_compile_keyword (self, row, value, base + row->member, error))
    return TRUE;
  g_prefix_error (error, "%s: ", row->keyword);
  return FALSE;
}

/* what one keyword's value alone does not tell */
static gboolean
reeve_schema_compile_verify (ReeveSchemaCompile *self, JsonNode *schema, ReeveSchemaNode *node,
                             GError **error)
{
  static const char *const refused[] = { "$dynamicRef", "$recursiveRef" };
  JsonObject *object = json_node_get_object (schema);

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    if (json_object_has_member (object, refused[i]))
      {
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s is not supported",
                     refused[i]);
        return FALSE;
      }
  if (schema != self->root && json_object_has_member (object, "$id"))
    return reeve_schema_compile_refuse (error, "$id below the root is not supported");
  node->secret |= reeve_schema_mask_is_marked (object);
  if (node->numeric != NULL && node->numeric->multiple_of.given
      && !(node->numeric->multiple_of.real > 0))
    return reeve_schema_compile_refuse (error, "multipleOf: must be greater than 0");
  ReeveSchemaObject *members = (ReeveSchemaObject *) node->object;
  while (members != NULL && members->properties != NULL
         && members->properties[members->n_properties].name != NULL)
    members->n_properties++;
  return TRUE;
}

static gboolean
reeve_schema_compile_patterns (const ReeveSchemaNode *node, GError **error)
{
  const ReeveSchemaMember *member = node->object != NULL ? node->object->pattern_properties : NULL;

  if (node->string != NULL && node->string->pattern != NULL)
    {
      g_autoptr (GRegex) regex = reeve_schema_pattern_compile (node->string->pattern, error);
      if (regex == NULL)
        return FALSE;
    }
  for (; member != NULL && member->name != NULL; member++)
    {
      g_autoptr (GRegex) regex = reeve_schema_pattern_compile (member->name, error);
      if (regex == NULL)
        return FALSE;
    }
  return TRUE;
}

static const ReeveSchemaNode *
reeve_schema_compile_node (ReeveSchemaCompile *self, JsonNode *schema, GError **error)
{
  ReeveSchemaNode *node = g_hash_table_lookup (self->made, schema);

  if (node != NULL)
    return node;
  node = reeve_schema_compile_alloc (self, sizeof *node);
  g_hash_table_insert (self->made, schema, node);
  if (JSON_NODE_HOLDS_VALUE (schema) && json_node_get_value_type (schema) == G_TYPE_BOOLEAN)
    {
      node->never = !json_node_get_boolean (schema);
      return node;
    }
  if (!JSON_NODE_HOLDS_OBJECT (schema))
    {
      reeve_schema_compile_refuse (error, "a schema must be an object or a boolean");
      return NULL;
    }
  if (self->depth == REEVE_SCHEMA_COMPILE_DEPTH)
    {
      reeve_schema_compile_refuse (error, "nested too deeply");
      return NULL;
    }
  JsonObject *object = json_node_get_object (schema);
  self->depth++;
  for (guint i = 0; i < G_N_ELEMENTS (reeve_schema_compile_rows); i++)
    {
      const ReeveSchemaCompileRow *row = &reeve_schema_compile_rows[i];
      JsonNode *value = json_object_get_member (object, row->keyword);
      if (value != NULL && !reeve_schema_compile_row (self, node, row, value, error))
        return NULL;
    }
  self->depth--;
  if (!reeve_schema_compile_verify (self, schema, node, error)
      || !reeve_schema_compile_patterns (node, error))
    return NULL;
  return node;
}

/*
 * reeve_schema_compile_run:
 * @schema: a JSON Schema that outlives the result
 * @memory: receives everything that is allocated
 * @error: return location
 *
 * Returns: (nullable): its compiled form
 */
const ReeveSchemaNode *
reeve_schema_compile_run (JsonNode *schema, GPtrArray *memory, GError **error)
{
  g_autoptr (GHashTable) made = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) anchors = g_hash_table_new (g_str_hash, g_str_equal);
  ReeveSchemaCompile self = { schema, memory, made, anchors, 0 };

  return reeve_schema_compile_node (&self, schema, error);
}
