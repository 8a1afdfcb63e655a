/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is shown is read back as it was: numbers by their shortest digits, members in their order.
 */

#include <reeve-json.h>
#include <string.h>

static void
test_json_text_same (void)
{
  static const char *const texts[] = {
    "{\"z\":0.8,\"a\":[1,-2,9223372036854775807,true,false,null],\"m\":{},\"e\":[]}",
    "[0.1,1.0,-0.5,1e+21,1e-7,1.7976931348623157e+308,5e-324,0.30000000000000004,100000.0]",
    "\"a\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u000b\\u001f\x7f\xc3\xa9\xe2\x80\xa8<>&\"",
    "{\"a\\nb\":\"\",\"\":0}",
    "null",
    "[[[[]]]]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (JsonNode) node = reeve_json_parse_strict (texts[i], strlen (texts[i]), NULL);
      g_autofree char *text = NULL;

      g_assert_nonnull (node);
      text = reeve_json_text (node);
      g_assert_cmpstr (text, ==, texts[i]);
    }
}

/* What JSON has no word for, and what is 0 from below. */
static void
test_json_text_odd (void)
{
  const struct
  {
    double number;
    const char *text;
  } rows[] = { { -0.0, "0.0" }, { 1e308 * 10, "null" }, { 1e20, "100000000000000000000.0" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (JsonNode) node = json_node_init_double (json_node_alloc (), rows[i].number);
      g_autofree char *text = reeve_json_text (node);

      g_assert_cmpstr (text, ==, rows[i].text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-text/same", test_json_text_same);
  g_test_add_func ("/json-text/odd", test_json_text_odd);
  return g_test_run ();
}
