/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The strict scanner: what it takes, what it refuses and where it says the fault is; the tree; the
 * slices; RFC 8785. */
#include <reeve-plugin-1.h>

#include <math.h>
#include <string.h>
#include <time.h>

static JsonNode *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  return node;
}

static void
assert_refused (const char *text, gsize length, const char *pattern)
{
  g_autoptr (GError) error = NULL, tree_error = NULL;

  if (reeve_json_scan (text, length, &error))
    g_error ("taken: %.200s", text);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  if (pattern != NULL && !g_pattern_match_simple (pattern, error->message))
    g_error ("%s: \"%s\" is not \"%s\"", text, error->message, pattern);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_null (reeve_json_parse_strict (text, length, &tree_error));
  g_assert_cmpstr (tree_error->message, ==, error->message);
}

static void
test_json_taken (void)
{
  static const char *const good[] = {
    "null",
    " true ",
    "false",
    "0",
    "-0",
    "-1.5e+10",
    "1e308",
    "0.0000e999999",
    "1e-999999",
    "123456789012345678901234567890",
    "\"\"",
    "\"\\u0041\\ud83d\\ude00\\/\\b\"",
    "[]",
    "[ ]",
    "{}",
    "{ }",
    "[1,2 , 3]",
    "{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]},\"b\":{}}",
    "\t\r\n [\n] ",
    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\"",
    "\"\x7f\"",
    "{\"\":1,\" \":2,\"\\u0020\\u0020\":3}",
    "[[[[[[[[[[]]]]]]]]]]",
    "{\"a\":1,\"A\":2,\"aa\":3}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      if (!reeve_json_scan (good[i], strlen (good[i]), &error))
        g_error ("refused: %s: %s", good[i], error->message);
      g_autoptr (JsonNode) node = parse (good[i]);
      g_assert_true (json_node_is_immutable (node));
    }
}

/* text, pattern of the error's text */
static const char *const refused[][2] = {
  { "", "line 1, column 1: the text ends too early (in \"\")" },
  { "  ", "line 1, column 3:*" },
  { "nul", "*expected a value*" },
  { "nulll", "line 1, column 5: something behind the end*" },
  { "TRUE", "*expected a value*" },
  { "NaN", "*expected a value*" },
  { "Infinity", "*" },
  { "-Infinity", "*" },
  { "+1", "*" },
  { ".5", "*" },
  { "5.", "*expected a digit after the decimal point*" },
  { "1e", "*exponent*" },
  { "1e+", "*exponent*" },
  { "-", "*" },
  { "--1", "*" },
  { "01", "*leading zero*" },
  { "-012", "*leading zero*" },
  { "0x10", "*behind the end*" },
  { "1 2", "line 1, column 3: something behind*" },
  { "1,", "*behind*" },
  { "1e309", "*out of range*" },
  { "-1e309", "*out of range*" },
  { "[1,\n 17976931348623159e292]", "line 2, column 2: a number out of range (in \"/1\")" },
  { "[1,]", "line 1, column 4: expected a value (in \"/1\")" },
  { "[,1]", "*" },
  { "[1 2]", "*expected \",\" or \"]\"*" },
  { "[1", "*ends too early (in \"/0\")" },
  { "[", "*" },
  { "]", "*" },
  { "{", "*ends too early*" },
  { "}", "*" },
  { "[}", "*" },
  { "{]", "*" },
  { "{\"a\"}", "*expected \":\"*" },
  { "{\"a\":}", "*expected a value (in \"/a\")" },
  { "{\"a\":1,}", "line 1, column 8: expected the name of a member*" },
  { "{a:1}", "*name of a member*" },
  { "{'a':1}", "*name of a member*" },
  { "{\"a\" 1}", "*" },
  { "{1:2}", "*" },
  { "{\"a\":1 \"b\":2}", "*expected \",\" or \"}\"*" },
  { "{\"a\":1,\"a\":1}", "line 1, column 8: a member name twice in one object (in \"/a\")" },
  { "{\"a\":1,\"\\u0061\":1}", "line 1, column 8: a member name twice*" },
  { "{\"\\ud83d\\ude00\":1,\"x\":0,\"\xf0\x9f\x98\x80\":1}", "*twice*" },
  { "{\"b/~\":{\"x\":1,\"y\":2,\"x\":3}}", "*twice in one object (in \"/b~1~0/x\")" },
  { "[{},{\"a\":{\"\":1,\"\":2}}]", "*twice in one object (in \"/1/a/\")" },
  { "\"", "*ends inside a string*" },
  { "\"a", "*" },
  { "\"\\", "*" },
  { "\"\\\"", "*" },
  { "\"\\x41\"", "*unknown escape*" },
  { "\"\\u12\"", "*four hexadecimal*" },
  { "\"\\u12G4\"", "*four hexadecimal*" },
  { "\"\\u0000\"", "*U+0000*" },
  { "\"\\ud800\"", "*lone surrogate*" },
  { "\"\\ud800\\u0041\"", "*lone surrogate*" },
  { "\"\\ud800x\"", "*lone surrogate*" },
  { "\"\\udc00\"", "*lone surrogate*" },
  { "\"\\udc00\\ud800\"", "*lone surrogate*" },
  { "\"a\nb\"", "*control character*" },
  { "\"\t\"", "*control character*" },
  { "\"\x80\"", "*UTF-8*" },
  { "\"\xc0\xaf\"", "*UTF-8*" },
  { "\"\xc1\xbf\"", "*UTF-8*" },
  { "\"\xc3\"", "*UTF-8*" },
  { "\"\xe0\x80\x80\"", "*UTF-8*" },
  { "\"\xe2\x82\"", "*UTF-8*" },
  { "\"\xed\xa0\x80\"", "*UTF-8*" },
  { "\"\xf0\x80\x80\x80\"", "*UTF-8*" },
  { "\"\xf4\x90\x80\x80\"", "*UTF-8*" },
  { "\"\xf5\x80\x80\x80\"", "*UTF-8*" },
  { "\"\xff\"", "*UTF-8*" },
  { "{\"\xff\":1}", "*UTF-8*" },
  { "\xef\xbb\xbf{}", "line 1, column 1: expected a value*" },
  { "// a\n1", "*" },
  { "/* a */ 1", "*" },
  { "1 // a", "*" },
  { "# a\n1", "*" },
  { "\"\xc3\xa4\xc3\xb6\" x", "line 1, column 6:*" },
  { "[\n\n  {\"key\": [true,\n  fals]}]", "line 4, column 3: expected a value (in \"/0/key/1\")" },
  { "\v1", "*" },
  { "\xc2\xa0"
    "1",
    "*" },
  { "[1]\xe2\x80\xa8", "*" },
};

static void
test_json_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    assert_refused (refused[i][0], strlen (refused[i][0]), refused[i][1]);
  assert_refused ("[1]\0", 4, "*behind the end*");
  assert_refused ("\"a\0b\"", 5, "*control character*");
  assert_refused ("[\0]", 3, "*");
  assert_refused ("12", 0, "*");
}

/* every prefix of a text with everything in it is refused, and none reads behind its end */
static void
test_json_prefixes (void)
{
  static const char text[]
      = "{\"n\":[0,-1.25e+3,12],\"s\":\"a\\u00e4\\ud83d\\ude00\xc3\xa4\xf0\x9f\x98\x80\\n\","
        "\"o\":{\"t\":true,\"f\":false,\"z\":null}}";

  for (gsize length = 0; length < sizeof text - 1; length++)
    {
      g_autofree char *copy = g_memdup2 (text, MAX (length, 1));
      assert_refused (copy, length, NULL);
    }
  g_assert_true (reeve_json_scan (text, sizeof text - 1, NULL));
}

static void
test_json_depth (void)
{
  for (guint kind = 0; kind < 2; kind++)
    for (guint depth = REEVE_JSON_MAX_DEPTH; depth <= REEVE_JSON_MAX_DEPTH + 1; depth++)
      {
        g_autoptr (GString) text = g_string_new (NULL);
        for (guint i = 0; i < depth; i++)
          g_string_append (text, kind == 0 ? "[" : "{\"a\":");
        g_string_append (text, kind == 0 ? "" : "1");
        for (guint i = 0; i < depth; i++)
          g_string_append_c (text, kind == 0 ? ']' : '}');
        if (depth > REEVE_JSON_MAX_DEPTH)
          assert_refused (text->str, text->len, "*nested too deeply*");
        else
          g_assert_true (reeve_json_scan (text->str, text->len, NULL));
      }
  g_autofree char *bomb = g_strnfill (10 * 1024 * 1024, '[');
  assert_refused (bomb, 10 * 1024 * 1024, "*nested too deeply*");
}

/* many names: right verdicts, and a time that a quadratic comparison would not meet */
static void
test_json_many_names (void)
{
  g_autoptr (GString) text = g_string_new ("{");
  const guint n = 200000;

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "\"member-with-a-common-beginning-%06u\":%u,", (i * 7919) % n, i);
  gsize length = text->len;
  g_string_append (text, "\"last\":0}");
  /* the processor's time: what others make it wait for does not count */
  clock_t before = clock ();
  g_assert_true (reeve_json_scan (text->str, text->len, NULL));
  g_assert_cmpint (clock () - before, <, 20 * CLOCKS_PER_SEC);
  g_string_truncate (text, length);
  g_string_append (text, "\"member-with-a-common-beginning-0\\u00315838\":0}");
  assert_refused (text->str, text->len,
                  "*twice in one object (in \"/member-with-a-common-beginning-015838\")");
  g_string_truncate (text, length);
  g_string_append (text, "\"member-with-a-common-beginning-000000\":0}");
  assert_refused (text->str, text->len, "*twice*");
}

static void
test_json_tree (void)
{
  g_autoptr (JsonNode) node = parse ("{\"s\":\"a\\u00e4\\ud83d\\ude00\\n\\\"\\\\\\/"
                                     "\",\"i\":9223372036854775807,\"j\":-9223372036854775808,"
                                     "\"k\":9223372036854775808,\"d\":1.0,\"e\":-2.5e-3,\"t\":true,"
                                     "\"f\":false,\"z\":null,\"a\":[1,[],{}],\"o\":{}}");
  JsonObject *object = json_node_get_object (node);

  g_assert_cmpstr (reeve_json_get_string (object, "s", NULL), ==,
                   "a\xc3\xa4\xf0\x9f\x98\x80\n\"\\/");
  g_assert_cmpint (reeve_json_get_int (object, "i", 0), ==, G_MAXINT64);
  g_assert_cmpint (reeve_json_get_int (object, "j", 0), ==, G_MININT64);
  g_assert_cmpint (reeve_json_get_int (object, "k", 7), ==, 7);
  g_assert_cmpfloat (json_object_get_double_member (object, "k"), ==, 9223372036854775808.0);
  g_assert_cmpint (reeve_json_get_int (object, "d", 7), ==, 1);
  g_assert_cmpint (reeve_json_get_int (object, "e", 7), ==, 7);
  g_assert_cmpint (reeve_json_get_int (object, "s", 7), ==, 7);
  g_assert_cmpint (reeve_json_get_int (object, "absent", 7), ==, 7);
  g_assert_cmpfloat (json_object_get_double_member (object, "e"), ==, -0.0025);
  g_assert_true (reeve_json_get_boolean (object, "t", FALSE));
  g_assert_false (reeve_json_get_boolean (object, "f", TRUE));
  g_assert_true (reeve_json_get_boolean (object, "z", TRUE));
  g_assert_true (json_object_get_null_member (object, "z"));
  g_assert_cmpuint (json_array_get_length (reeve_json_get_array (object, "a")), ==, 3);
  g_assert_null (reeve_json_get_array (object, "o"));
  g_assert_nonnull (reeve_json_get_object (object, "o"));
  g_assert_null (reeve_json_get_object (object, "a"));
  g_assert_cmpstr (reeve_json_get_string (object, "i", "other"), ==, "other");
  g_assert_cmpstr (reeve_json_get_string (NULL, "i", "other"), ==, "other");
  g_assert_cmpuint (json_object_get_size (object), ==, 11);
}

static void
assert_slice (const ReeveJsonSlice *slice, const char *expected)
{
  if (expected == NULL)
    g_assert_null (slice->start);
  else
    g_assert_cmpmem (slice->start, slice->length, expected, strlen (expected));
}

static void
test_json_members (void)
{
  static const char *const names[]
      = { "model", "messages", "stream", "\xc3\xa4", "absent", "a\\u0062", NULL };
  static const char text[]
      = "\n{ \"x\":{\"model\":0}, \"model\" : \"gpt\" ,\"str\\u0065am\":true, \"\\u00e4\":-1.5e3\n,"
        "\"messages\":[{\"model\":\"no\",\"stream\":[1, 2]} , {} ],\"ab\":1} ";
  ReeveJsonSlice slices[6];
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_json_find_members (text, sizeof text - 1, names, slices, &error));
  g_assert_no_error (error);
  assert_slice (&slices[0], "\"gpt\"");
  assert_slice (&slices[1], "[{\"model\":\"no\",\"stream\":[1, 2]} , {} ]");
  assert_slice (&slices[2], "true");
  assert_slice (&slices[3], "-1.5e3");
  assert_slice (&slices[4], NULL);
  assert_slice (&slices[5], NULL);

  static const char *const bad[] = { "[]",
                                     "1",
                                     "\"a\"",
                                     "",
                                     "{\"model\":1,\"model\":2}",
                                     "{\"model\":1} x",
                                     "{\"model\":1,\"y\":{\"z\":1,\"z\":2}}",
                                     "{\"model\":1" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_clear_error (&error);
      g_assert_false (reeve_json_find_members (bad[i], strlen (bad[i]), names, slices, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      for (guint j = 0; j < 6; j++)
        assert_slice (&slices[j], NULL);
    }
}

static void
test_json_canonical (void)
{
  static const char *const pairs[][2] = {
    { "{\"b\":1,\"a\":[ true , null ]}", "{\"a\":[true,null],\"b\":1}" },
    /* RFC 8785, 3.2.3: order of UTF-16 code units */
    { "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,"
      "\"\\u00f6\":7}",
      "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,"
      "\"\xef\xac\xb3\":3}" },
    /* RFC 8785, 3.2.2 */
    { "{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],\"string\":"
      "\"\\u20ac$\\u000F\\u000a"
      "A'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\"literals\":[null,true,false]}",
      "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
      "\"string\":\"\xe2\x82\xac$"
      "\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}" },
    { "[-0,-0.0,0e5,1.0,100,1e2]", "[0,0,0,1,100,100]" },
    { "[9007199254740993,9223372036854775807,-9223372036854775808]",
      "[9007199254740993,9223372036854775807,-9223372036854775808]" },
    { "\"\\b\\t\\n\\f\\r\\u001f\\u007f\"", "\"\\b\\t\\n\\f\\r\\u001f\x7f\"" },
    { "{}", "{}" },
    { "[]", "[]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autoptr (JsonNode) node = parse (pairs[i][0]);
      g_autofree char *text = reeve_json_canonical (node);
      g_assert_cmpstr (text, ==, pairs[i][1]);
      g_autoptr (JsonNode) again = parse (text);
      g_autofree char *second = reeve_json_canonical (again);
      g_assert_cmpstr (second, ==, text);
    }
}

static void
test_json_numbers (void)
{
  /* RFC 8785, appendix B, and the borders of ECMAScript's notations */
  static const struct
  {
    guint64 bits;
    const char *text;
  } known[] = {
    { 0x0000000000000000, "0" },
    { 0x8000000000000000, "0" },
    { 0x0000000000000001, "5e-324" },
    { 0x8000000000000001, "-5e-324" },
    { 0x7fefffffffffffff, "1.7976931348623157e+308" },
    { 0xffefffffffffffff, "-1.7976931348623157e+308" },
    { 0x4340000000000000, "9007199254740992" },
    { 0xc340000000000000, "-9007199254740992" },
    { 0x4430000000000000, "295147905179352830000" },
    { 0x44b52d02c7e14af5, "9.999999999999997e+22" },
    { 0x44b52d02c7e14af6, "1e+23" },
    { 0x44b52d02c7e14af7, "1.0000000000000001e+23" },
    { 0x444b1ae4d6e2ef4e, "999999999999999700000" },
    { 0x444b1ae4d6e2ef4f, "999999999999999900000" },
    { 0x444b1ae4d6e2ef50, "1e+21" },
    { 0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7" },
    { 0x3eb0c6f7a0b5ed8d, "0.000001" },
    { 0x41b3de4355555553, "333333333.3333332" },
    { 0x41b3de4355555554, "333333333.33333325" },
    { 0x41b3de4355555555, "333333333.3333333" },
    { 0x41b3de4355555556, "333333333.3333334" },
    { 0x41b3de4355555557, "333333333.33333343" },
    { 0xbecbf647612f3696, "-0.0000033333333333333333" },
    { 0x43143ff3c1cb0959, "1424953923781206.2" },
    { 0x000fffffffffffff, "2.225073858507201e-308" },
    { 0x0010000000000000, "2.2250738585072014e-308" },
    { 0x7ff0000000000000, "null" },
    { 0x7fffffffffffffff, "null" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    {
      double value = 0;
      memcpy (&value, &known[i].bits, sizeof value);
      g_autoptr (JsonNode) node = json_node_init_double (json_node_alloc (), value);
      g_autofree char *text = reeve_json_canonical (node);
      g_assert_cmpstr (text, ==, known[i].text);
    }
  for (guint i = 0; i < 20000; i++)
    {
      guint64 bits = (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
      double value = 0;
      memcpy (&value, &bits, sizeof value);
      if (!isfinite (value))
        continue;
      g_autoptr (JsonNode) node = json_node_init_double (json_node_alloc (), value);
      g_autofree char *text = reeve_json_canonical (node);
      g_assert_cmpfloat (g_ascii_strtod (text, NULL), ==, value);
      g_assert_true (reeve_json_scan (text, strlen (text), NULL));
    }
}

static void
test_json_bad_utf8_out (void)
{
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), "a\xff"
                                                                         "b");
  g_autofree char *text = reeve_json_canonical (node);

  g_assert_cmpstr (text, ==,
                   "\"a\xef\xbf\xbd"
                   "b\"");
}

/* Texts and numbers around the length from which on they take memory of their own; nothing behind
 * the text is read, whatever it ends with. */
static void
test_lengths (void)
{
  for (gsize length = 250; length < 262; length++)
    {
      g_autofree char *text = g_strnfill (length, 'x');
      g_autofree char *digits = g_strnfill (length, '0');
      g_autofree char *array
          = g_strdup_printf ("[\"%s\",\"%s\\n\\u00fc\\\"\",{\"%s\":\"\\\\%s\"},0.%s5,\"\"]", text,
                             text, text, text, digits);
      /* without a zero behind it */
      g_autofree char *bytes = g_memdup2 (array, strlen (array));
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = reeve_json_parse_strict (bytes, strlen (array), &error);
      g_autofree char *broken = g_strconcat (text, "\n\u00fc\"", NULL);
      g_autofree char *slashed = g_strconcat ("\\", text, NULL);
      JsonArray *values = NULL;

      g_assert_no_error (error);
      values = json_node_get_array (node);
      g_assert_cmpstr (json_array_get_string_element (values, 0), ==, text);
      g_assert_cmpstr (json_array_get_string_element (values, 1), ==, broken);
      g_assert_cmpstr (
          reeve_json_get_string (json_array_get_object_element (values, 2), text, NULL), ==,
          slashed);
      g_assert_cmpfloat (json_array_get_double_element (values, 3), ==,
                         g_ascii_strtod (strstr (array, "0."), NULL));
      g_assert_cmpstr (json_array_get_string_element (values, 4), ==, "");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/taken", test_json_taken);
  g_test_add_func ("/json/refused", test_json_refused);
  g_test_add_func ("/json/prefixes", test_json_prefixes);
  g_test_add_func ("/json/depth", test_json_depth);
  g_test_add_func ("/json/many-names", test_json_many_names);
  g_test_add_func ("/json/tree", test_json_tree);
  g_test_add_func ("/json/members", test_json_members);
  g_test_add_func ("/json/canonical", test_json_canonical);
  g_test_add_func ("/json/numbers", test_json_numbers);
  g_test_add_func ("/json/lengths", test_lengths);
  g_test_add_func ("/json/bad-utf8-out", test_json_bad_utf8_out);
  return g_test_run ();
}
