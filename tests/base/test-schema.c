/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Schema: the cases of schema-cases.json by both producers of the compiled form, what a fault
 * says, bad schemas, bounds. */
#include "base/json-schema.h"

#include <string.h>

/* generated from schema-cases.json */
extern const ReeveSchemaNode *const schema_cases[];
extern const unsigned n_schema_cases;

static JsonNode *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  return node;
}

static ReeveSchema *
schema_new (const char *text)
{
  g_autoptr (JsonNode) node = parse (text);
  g_autoptr (GError) error = NULL;
  ReeveSchema *schema = reeve_schema_new_from_json (node, &error);

  g_assert_no_error (error);
  return schema;
}

static char *
describe (GPtrArray *faults)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; faults != NULL && i < faults->len; i++)
    {
      const ReeveSchemaFault *fault = faults->pdata[i];
      g_string_append_printf (text, "%s [%s] %s\n", fault->pointer, fault->keyword, fault->message);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
validate (ReeveSchema *schema, JsonNode *instance, gboolean *valid)
{
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) error = NULL;

  *valid = reeve_schema_validate (schema, instance, &faults, &error);
  g_assert_true (*valid == (error == NULL) && *valid == (faults == NULL));
  if (!*valid)
    g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  return describe (faults);
}

static void
check_instances (JsonObject *row, guint index, ReeveSchema *made, ReeveSchema *fixed,
                 gboolean expected)
{
  JsonArray *instances = json_object_get_array_member (row, expected ? "valid" : "invalid");

  for (guint i = 0; i < json_array_get_length (instances); i++)
    {
      JsonNode *instance = json_array_get_element (instances, i);
      gboolean valid = FALSE, fixed_valid = FALSE;
      g_autofree char *faults = validate (made, instance, &valid);
      g_autofree char *fixed_faults = validate (fixed, instance, &fixed_valid);
      g_autofree char *text = reeve_json_canonical (instance);
      if (valid != expected)
        g_error ("case %u (%s): %s is %s: %s", index,
                 json_object_get_string_member (row, "keyword"), text, valid ? "taken" : "refused",
                 faults);
      g_assert_cmpint (valid, ==, fixed_valid);
      g_assert_cmpstr (faults, ==, fixed_faults);
    }
}

static void
test_schema_cases (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("REEVE_SOURCE_DIR"), "tests", "base",
                                            "schema-cases.json", NULL);
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  g_autoptr (JsonNode) root = reeve_json_parse_strict (text, length, &error);
  g_assert_no_error (error);
  JsonArray *cases = json_node_get_array (root);
  g_assert_cmpuint (json_array_get_length (cases), ==, n_schema_cases);
  for (guint i = 0; i < n_schema_cases; i++)
    {
      JsonObject *row = json_array_get_object_element (cases, i);
      g_autoptr (ReeveSchema) made
          = reeve_schema_new_from_json (json_object_get_member (row, "schema"), &error);
      g_assert_no_error (error);
      g_autoptr (ReeveSchema) fixed = reeve_schema_new_from_static (schema_cases[i]);
      check_instances (row, i, made, fixed, TRUE);
      check_instances (row, i, made, fixed, FALSE);
    }
}

static void
test_schema_faults (void)
{
  g_autoptr (ReeveSchema) schema
      = schema_new ("{\"type\":\"object\",\"required\":[\"name\",\"id\"],\"additionalProperties\":"
                    "false,\"properties\":{"
                    "\"name\":{\"type\":\"string\"},\"id\":{\"type\":\"string\",\"maxLength\":2},"
                    "\"a/b\":{\"items\":{\"minimum\":5}},"
                    "\"kind\":{\"enum\":[\"x\",1]}}}");
  g_autoptr (JsonNode) bad
      = parse ("{\"id\":\"abc\",\"a/b\":[5,4,\"x\",3],\"kind\":\"y\",\"more~\":1}");
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_schema_validate (schema, bad, &faults, &error));
  g_assert_cmpstr (error->message, ==, "/name: is required (and 5 more faults)");
  g_autofree char *text = describe (faults);
  g_assert_cmpuint (faults->len, ==, 6);
  g_assert_nonnull (strstr (text, "/id [maxLength] must have at most 2 characters\n"));
  g_assert_nonnull (strstr (text, "/a~1b/1 [minimum] must be at least 5\n"));
  g_assert_nonnull (strstr (text, "/a~1b/3 [minimum] must be at least 5\n"));
  g_assert_nonnull (strstr (text, "/kind [enum] must be one of \"x\", 1\n"));
  g_assert_nonnull (strstr (text, "/more~0 [additionalProperties] is not known here\n"));

  g_clear_error (&error);
  g_autoptr (JsonNode) wrong = parse ("[1]");
  g_assert_false (reeve_schema_validate (schema, wrong, NULL, &error));
  g_assert_cmpstr (error->message, ==, "the value: must be an object");
}

static void
test_schema_many_faults (void)
{
  g_autoptr (ReeveSchema) schema = schema_new ("{\"items\":{\"type\":\"string\"}}");
  g_autoptr (GString) text = g_string_new ("[0");
  g_autoptr (GPtrArray) faults = NULL;

  for (guint i = 0; i < 1000; i++)
    g_string_append (text, ",1");
  g_string_append_c (text, ']');
  g_autoptr (JsonNode) node = parse (text->str);
  g_assert_false (reeve_schema_validate (schema, node, &faults, NULL));
  g_assert_cmpuint (faults->len, ==, 32);
}

static void
test_schema_refused (void)
{
  static const char *const bad[][2] = {
    { "1", "schema: a schema must be an object or a boolean" },
    { "{\"type\":\"text\"}", "schema: type: \"text\" is no type" },
    { "{\"type\":[]}", "schema: type: must not be empty" },
    { "{\"type\":1}", "schema: type: must be a string" },
    { "{\"properties\":{\"a\":{\"minimum\":\"1\"}}}",
      "schema: properties: a: minimum: must be a number" },
    { "{\"properties\":[]}", "*must be an object of schemas" },
    { "{\"minLength\":-1}", "*must be a whole number from 0" },
    { "{\"maxItems\":1.5}", "*must be a whole number from 0" },
    { "{\"multipleOf\":0}", "*greater than 0" },
    { "{\"multipleOf\":-1.5}", "*greater than 0" },
    { "{\"pattern\":\"(\"}", "*is no pattern*" },
    { "{\"patternProperties\":{\"[\":{}}}", "*is no pattern*" },
    { "{\"required\":\"a\"}", "*must be an array of strings" },
    { "{\"required\":[1]}", "*must be a string" },
    { "{\"enum\":1}", "*must be an array" },
    { "{\"anyOf\":[]}", "*at least one schema" },
    { "{\"anyOf\":[{},1]}", "*anyOf: 1: a schema must be*" },
    { "{\"items\":[{}]}", "*items: a schema must be an object or a boolean" },
    { "{\"$ref\":\"#/$defs/x\"}", "*is not in this schema" },
    { "{\"$ref\":\"http://example.com/s\"}", "*is not in this schema" },
    { "{\"$ref\":\"#none\"}", "*is not in this schema" },
    { "{\"prefixItems\":[{}],\"$ref\":\"#/prefixItems/1\"}", "*is not in this schema" },
    { "{\"$dynamicRef\":\"#x\"}", "*is not supported" },
    { "{\"properties\":{\"a\":{\"$id\":\"http://x\"}}}", "*$id below the root*" },
    { "{\"$defs\":{\"a\":{\"type\":\"x\"}}}", "*$defs: a: type:*" },
    { "{\"uniqueItems\":1}", "*must be true or false" },
    { "{\"dependentRequired\":{\"a\":1}}", "*must be an array of strings" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (JsonNode) node = parse (bad[i][0]);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveSchema) schema = reeve_schema_new_from_json (node, &error);
      g_assert_null (schema);
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      if (!g_pattern_match_simple (bad[i][1], error->message))
        g_error ("\"%s\" is not \"%s\"", error->message, bad[i][1]);
    }
}

static void
assert_exhausted (const char *schema_text, const char *instance_text)
{
  g_autoptr (ReeveSchema) schema = schema_new (schema_text);
  g_autoptr (JsonNode) node = parse (instance_text);
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) error = NULL;
  gint64 before = g_get_monotonic_time ();

  g_assert_false (reeve_schema_validate (schema, node, &faults, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
  g_assert_null (faults);
  g_assert_cmpint (g_get_monotonic_time () - before, <, 10 * G_TIME_SPAN_SECOND);
}

static void
test_schema_bounds (void)
{
  assert_exhausted ("{\"$ref\":\"#\"}", "1");
  assert_exhausted ("{\"not\":{\"$ref\":\"#\"}}", "1");
  assert_exhausted ("{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/"
                    "a\"}},\"$ref\":\"#/$defs/a\"}",
                    "1");
  /* exponential in the depth */
  assert_exhausted ("{\"$defs\":{\"a\":{\"anyOf\":[{\"allOf\":[{\"$ref\":\"#/$defs/"
                    "b\"},false]},{\"allOf\":[{\"$ref\":\"#/$defs/b\"},"
                    "false]},{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"properties\":{\"x\":{\"$ref\":\"#/"
                    "$defs/a\"}}}},\"$ref\":\"#/$defs/a\"}",
                    "{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{"
                    "\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{"
                    "\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{}}}}}}}}}}}}}}}}}}}}}}}}");
  /* catastrophic backtracking */
  assert_exhausted ("{\"pattern\":\"^(a+)+$\"}",
                    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"");
}

static void
test_schema_deep_references (void)
{
  g_autoptr (GString) text = g_string_new ("{\"$ref\":\"#/$defs/0\",\"$defs\":{");
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (text, "\"%u\":{\"$ref\":\"#/$defs/%u\"},", i, i + 1);
  g_string_append (text, "\"5000\":{}}}");
  g_autoptr (JsonNode) node = parse (text->str);
  g_autoptr (ReeveSchema) schema = reeve_schema_new_from_json (node, &error);
  g_assert_null (schema);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
}

static gpointer
validator_thread (gpointer data)
{
  g_autoptr (JsonNode) good = parse ("{\"abc\":\"x1\",\"n\":[1,2]}");
  g_autoptr (JsonNode) bad = parse ("{\"abc\":\"1x\"}");

  for (guint i = 0; i < 2000; i++)
    {
      g_assert_true (reeve_schema_validate (data, good, NULL, NULL));
      g_assert_false (reeve_schema_validate (data, bad, NULL, NULL));
    }
  return NULL;
}

static void
test_schema_threads (void)
{
  g_autoptr (ReeveSchema) schema
      = schema_new ("{\"patternProperties\":{\"^a\":{\"pattern\":\"^[a-z]\\\\d\"}},"
                    "\"propertyNames\":{\"pattern\":\"^[a-z]+$\"}}");
  GThread *threads[4];

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("validator", validator_thread, schema);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
}

static void
test_schema_annotations (void)
{
  g_autoptr (ReeveSchema) schema
      = schema_new ("{\"title\":\"T\",\"description\":\"D\",\"default\":{\"b\":1,\"a\":2},\"x-"
                    "reeve-unit\":\"bytes\",\"x-reeve-secret\":true}");
  const ReeveSchemaNode *root = reeve_schema_get_root (schema);

  g_assert_cmpstr (root->title, ==, "T");
  g_assert_cmpstr (root->description, ==, "D");
  g_assert_cmpstr (root->fallback, ==, "{\"a\":2,\"b\":1}");
  g_assert_cmpstr (root->unit, ==, "bytes");
  g_assert_true (root->secret);
}

static void
test_mask (void)
{
  static const struct
  {
    const char *schema;
    const char *instance;
    const char *shown;
  } rows[] = {
    { "{\"properties\":{\"a\":{\"writeOnly\":true},\"b\":{\"format\":\"password\"},\"c\":{"
      "\"x-reeve-secret\":true},\"d\":{\"writeOnly\":false},\"e\":{}}}",
      "{\"a\":\"s\",\"b\":7,\"c\":[1],\"d\":\"x\",\"e\":null,\"f\":{\"g\":1}}",
      "{\"a\":\"***\",\"b\":\"***\",\"c\":\"***\",\"d\":\"x\",\"e\":null,\"f\":{\"g\":1}}" },
    /* one branch alone is enough, be it the one that is not taken */
    { "{\"properties\":{\"a\":{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/"
      "s\"}]}},\"$defs\":{"
      "\"s\":{\"writeOnly\":true}}}",
      "{\"a\":\"s\"}", "{\"a\":\"***\"}" },
    { "{\"if\":{},\"then\":{},\"else\":{\"properties\":{\"a\":{\"writeOnly\":true}}}}",
      "{\"a\":\"s\"}", "{\"a\":\"***\"}" },
    { "{\"additionalProperties\":{\"writeOnly\":true}}", "{\"a\":{\"b\":1}}", "{\"a\":\"***\"}" },
    { "{\"patternProperties\":{\"^k\":{\"writeOnly\":true}}}", "{\"k1\":1}", "{\"k1\":\"***\"}" },
    { "{\"items\":{\"properties\":{\"a\":{\"writeOnly\":true}}}}", "[{\"a\":1,\"b\":2}]",
      "[{\"a\":\"***\",\"b\":2}]" },
    { "{\"prefixItems\":[{},{\"writeOnly\":true}]}", "[1,2]", "[\"***\",\"***\"]" },
    { "{\"writeOnly\":true}", "{\"a\":1}", "\"***\"" },
    /* one that speaks of itself */
    { "{\"properties\":{\"a\":{\"$ref\":\"#\"},\"b\":{\"writeOnly\":true}}}",
      "{\"a\":{\"a\":{\"b\":1}}}", "{\"a\":{\"a\":{\"b\":\"***\"}}}" },
    { "true", "{\"a\":1}", "{\"a\":1}" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) schema
          = reeve_json_parse_strict (rows[i].schema, strlen (rows[i].schema), &error);
      g_autoptr (JsonNode) instance
          = reeve_json_parse_strict (rows[i].instance, strlen (rows[i].instance), &error);
      g_autoptr (ReeveSchema) compiled = reeve_schema_new_from_json (schema, &error);
      g_autoptr (JsonNode) shown = NULL;
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      shown = reeve_schema_mask (compiled, instance);
      text = reeve_json_canonical (shown);
      g_assert_cmpstr (text, ==, rows[i].shown);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/schema/cases", test_schema_cases);
  g_test_add_func ("/schema/faults", test_schema_faults);
  g_test_add_func ("/schema/many-faults", test_schema_many_faults);
  g_test_add_func ("/schema/refused", test_schema_refused);
  g_test_add_func ("/schema/bounds", test_schema_bounds);
  g_test_add_func ("/schema/deep-references", test_schema_deep_references);
  g_test_add_func ("/schema/threads", test_schema_threads);
  g_test_add_func ("/schema/annotations", test_schema_annotations);
  g_test_add_func ("/schema/mask", test_mask);
  return g_test_run ();
}
