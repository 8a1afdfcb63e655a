/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A JSON Schema from outside (a tool's, say), and a value that is held to it: the first line is the
 * schema, the rest the value. What the validator says is the same twice, the opposite inside `not`,
 * and the same inside what changes nothing. */
/* covers: host/base/schema-compile.c
 * host/base/schema-check.c
 * host/base/schema-items.c
 * host/base/schema-members.c
 * host/base/schema-pattern.c
 * host/base/schema-format.c */
#include "base/json-schema.h"

#include "json-mutator.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static const char *const words[] = { "type",
                                     "object",
                                     "array",
                                     "string",
                                     "integer",
                                     "number",
                                     "boolean",
                                     "null",
                                     "properties",
                                     "required",
                                     "items",
                                     "prefixItems",
                                     "contains",
                                     "minContains",
                                     "maxContains",
                                     "enum",
                                     "const",
                                     "allOf",
                                     "anyOf",
                                     "oneOf",
                                     "not",
                                     "if",
                                     "then",
                                     "else",
                                     "minimum",
                                     "maximum",
                                     "exclusiveMinimum",
                                     "multipleOf",
                                     "minLength",
                                     "maxLength",
                                     "pattern",
                                     "format",
                                     "date-time",
                                     "uniqueItems",
                                     "minItems",
                                     "maxItems",
                                     "minProperties",
                                     "$ref",
                                     "#",
                                     "#/$defs/a",
                                     "$defs",
                                     "a",
                                     "b",
                                     "^a",
                                     "patternProperties",
                                     "propertyNames",
                                     "additionalProperties",
                                     "unevaluatedProperties",
                                     "unevaluatedItems",
                                     "dependentSchemas",
                                     "dependentRequired",
                                     "[a-z]+$",
                                     NULL };

/* The schema line is changed as a tree, or the value, or all of it as bytes. */
size_t
LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  uint8_t *line = size > 0 ? memchr (data, '\n', size) : NULL;
  gint what = g_rand_int_range (rand, 0, 4);
  size_t first = line != NULL ? (size_t) (line - data) : size;
  g_autofree uint8_t *part = g_malloc (max_size);
  size_t length = 0;

  if (what == 0)
    return LLVMFuzzerMutate (data, size, max_size);
  if (what == 1 && line != NULL)
    {
      length = json_mutator_run (line + 1, size - first - 1, max_size - first - 1, rand, words);
      return length > 0 ? first + 1 + length : LLVMFuzzerMutate (data, size, max_size);
    }
  memcpy (part, data, first);
  length = json_mutator_run (part, first, max_size, rand, words);
  if (length == 0 || length + (size - first) > max_size)
    return LLVMFuzzerMutate (data, size, max_size);
  memmove (data + length, data + first, size - first);
  memcpy (data, part, length);
  return length + (size - first);
}

/* what a validation said: -1 when the schema is none */
static gint
judge (const char *before, const char *text, gsize length, const char *behind, JsonNode *value)
{
  g_autoptr (GString) whole = g_string_new (before);
  g_autoptr (GError) error = NULL;

  g_string_append_len (whole, text, (gssize) length);
  g_string_append (whole, behind);
  g_autoptr (JsonNode) node = reeve_json_parse_strict (whole->str, whole->len, NULL);
  g_autoptr (ReeveSchema) schema = node != NULL ? reeve_schema_new_from_json (node, NULL) : NULL;
  if (schema == NULL)
    return -1;
  if (reeve_schema_validate (schema, value, NULL, &error))
    return 1;
  /* too much work is neither right nor wrong */
  return g_error_matches (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT) ? 0 : -1;
}

static void
compare (const char *text, gsize length, JsonNode *value, gboolean valid)
{
  static const struct
  {
    const char *before;
    const char *behind;
    gboolean opposite;
  } wraps[] = {
    { "{\"not\":", "}", TRUE },
    { "{\"not\":{\"not\":", "}}", FALSE },
    { "{\"allOf\":[true,", "]}", FALSE },
    { "{\"anyOf\":[false,", "]}", FALSE },
    { "{\"oneOf\":[false,", "]}", FALSE },
    { "{\"if\":true,\"then\":", "}", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wraps); i++)
    {
      gint said = judge (wraps[i].before, text, length, wraps[i].behind, value);

      if (said >= 0 && (said == 1) != (valid != wraps[i].opposite))
        g_error ("%s%.*s%s says otherwise", wraps[i].before, (int) length, text, wraps[i].behind);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *text = (const char *) data;
  const char *line = size > 0 ? memchr (text, '\n', size) : NULL;
  gsize length = line != NULL ? (gsize) (line - text) : size;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, length, NULL);
  g_autoptr (ReeveSchema) schema = node != NULL ? reeve_schema_new_from_json (node, NULL) : NULL;
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) error = NULL;

  if (schema == NULL)
    return 0;
  /* a schema is a value too */
  g_autoptr (JsonNode) rest
      = line != NULL ? reeve_json_parse_strict (line + 1, size - length - 1, NULL) : NULL;
  JsonNode *value = rest != NULL ? rest : node;
  gboolean valid = reeve_schema_validate (schema, value, &faults, &error);
  g_assert_true (valid == (error == NULL));
  g_assert_true (!valid || faults == NULL);
  g_assert_true (reeve_schema_validate (schema, value, NULL, NULL) == valid);
  /* references and names of a schema mean something else inside another one */
  if (memchr (text, '$', length) == NULL
      && (valid || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT)))
    compare (text, length, value, valid);
  return 0;
}
