/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tool-calculate: what expressions come to, and what is said of those that come to nothing. */
#include <string.h>

#include "calculate.h"

extern const ReevePluginDescriptor reeve_plugin_descriptor;

static char *
evaluate (const char *expression)
{
  CalculateNumber number = { 0 };
  g_autoptr (GError) error = NULL;

  if (calculate_evaluate (expression, &number, &error))
    {
      g_assert_no_error (error);
      return calculate_number_format (&number);
    }
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  return g_strdup_printf ("error: %s", error->message);
}

static const char *const values_cases[][2] = {
  { "1+1", "2" },
  { " ( 12.5 + 3 ) * 2^3 / sqrt(16) ", "31" },
  { "0.1+0.2", "0.3" },
  { "0.1*3", "0.3" },
  { "1/3", "0.333333333333333" },
  { "2/4", "0.5" },
  { "6/3", "2" },
  { "10%3", "1" },
  { "-10%3", "-1" },
  { "10.5%3", "1.5" },
  { "-2^2", "-4" },
  { "(-2)^2", "4" },
  { "2^3^2", "512" },
  { "2**10", "1024" },
  { "2^-1", "0.5" },
  { "2^0.5", "1.4142135623731" },
  { "4^0.5", "2" },
  { "- - 3", "3" },
  { "+3 - -3", "6" },
  { "2+3*4-5", "9" },
  { "(2+3)*4", "20" },
  { "100-10-1", "89" },
  { "100/10/2", "5" },
  { ".5 + 5.", "5.5" },
  { "1e3", "1000" },
  { "1.5E-3", "0.0015" },
  { "9999999999*9999999999", "99999999980000000001" },
  { "123456789012345678901234567890 + 1", "123456789012345678901234567891" },
  { "2^100", "1267650600228229401496703205376" },
  { "10^35 - 1", "99999999999999999999999999999999999" },
  { "10^40", "1e+40" },
  { "-10^35 + 10^35", "0" },
  { "0 * -1", "0" },
  { "-0.0", "0" },
  { "1e20 + 0.5", "1e+20" },
  { "max(1, 2.5, -3)", "2.5" },
  { "min(1,2.5,-3)", "-3" },
  { "max(7)", "7" },
  { "abs(-4.25)", "4.25" },
  { "abs(-123456789012345678901)", "123456789012345678901" },
  { "round(2.5)", "3" },
  { "round(-2.5)", "-3" },
  { "round(2.675, 2)", "2.68" },
  { "round(1234.5, -2)", "1200" },
  { "floor(-1.5)", "-2" },
  { "ceil(-1.5)", "-1" },
  { "floor(12345678901234567890)", "12345678901234567890" },
  { "log(1000)", "3" },
  { "log(8, 2)", "3" },
  { "ln(e)", "1" },
  { "exp(0)", "1" },
  { "sin(pi)", "0" },
  { "cos(pi)", "-1" },
  { "cos(pi/2)", "0" },
  { "tan(pi/4)", "1" },
  { "SQRT(2) * PI", "4.44288293815837" },
  { "e", "2.71828182845905" },
  { "sqrt(max(16, abs(-25)))", "5" },
};

static void
test_values (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (values_cases); i++)
    {
      g_autofree char *got = evaluate (values_cases[i][0]);

      if (!g_str_equal (got, values_cases[i][1]))
        g_error ("%s: %s, not %s", values_cases[i][0], got, values_cases[i][1]);
    }
}

static const char *const errors_cases[][2] = {
  { "1/0", "column 2: division by zero" },
  { "5%0", "column 2: division by zero" },
  { "1/(2-2)", "column 2: division by zero" },
  { "0^-1", "column 2: division by zero" },
  { "10^400", "column 3: the result is too large" },
  { "1e308*10", "column 6: the result is too large" },
  { "exp(1000)", "exp () at column 4: the result is too large" },
  { "1e999", "not a number within range at column 1" },
  { "sqrt(-1)", "sqrt () at column 5: the result is not a real number" },
  { "(-8)^(1/3)", "column 5: the result is not a real number" },
  { "ln(-1)", "ln () at column 3: the result is not a real number" },
  { "ln(0)", "ln () at column 3: the result is too large" },
  { "tan(pi/2)", "tan () at column 4: the result is not a real number" },
  { "", "a number is missing at column 1" },
  { "1+", "a number is missing at column 3" },
  { "1 2", "an operator or the end should stand at column 3" },
  { "2pi", "an operator or the end should stand at column 2" },
  { "2e", "an operator or the end should stand at column 2" },
  { "(1", "a closing bracket is missing at column 3" },
  { "1)", "an operator or the end should stand at column 2" },
  { "*1", "a number, a function or a bracket should stand at column 1" },
  { "system(1)", "unknown name at column 1" },
  { "x", "unknown name at column 1" },
  { "sqrt 4", "a function needs its arguments in brackets at column 6" },
  { "sqrt()", "a number, a function or a bracket should stand at column 6" },
  { "sqrt(1,2)", "sqrt () at column 5: wrong arguments" },
  { "round(1.5, 0.5)", "round () at column 6: wrong arguments" },
  { "round(1, 2, 3)", "round () at column 6: wrong arguments" },
  { "1;2", "an operator or the end should stand at column 2" },
  { "\xc3\xa9", "a number, a function or a bracket should stand at column 1" },
  { ".", "a number, a function or a bracket should stand at column 1" },
  { "1..2", "an operator or the end should stand at column 3" },
};

static void
test_errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (errors_cases); i++)
    {
      g_autofree char *got = evaluate (errors_cases[i][0]);
      g_autofree char *wanted = g_strconcat ("error: ", errors_cases[i][1], NULL);

      if (!g_str_equal (got, wanted))
        g_error ("%s: %s, not %s", errors_cases[i][0], got, wanted);
    }
}

static void
test_bounds (void)
{
  g_autofree char *longest = g_strnfill (CALCULATE_MAX_LENGTH + 1, '1');
  g_autofree char *deep = g_strnfill (500, '(');
  g_autofree char *signs = g_strnfill (999, '-');
  g_autofree char *refused = evaluate (longest);
  g_autofree char *nested = evaluate (deep);
  g_autofree char *signed_deep = evaluate (signs);
  g_autofree char *powers = NULL;
  g_autoptr (GString) chain = g_string_new ("2");

  g_assert_nonnull (strstr (refused, "longer than"));
  g_assert_nonnull (strstr (nested, "nested too deeply"));
  g_assert_nonnull (strstr (signed_deep, "nested too deeply"));
  for (guint i = 0; i < 400; i++)
    g_string_append (chain, "^1");
  powers = evaluate (chain->str);
  g_assert_nonnull (strstr (powers, "nested too deeply"));
  /* a long flat one is fine */
  g_string_assign (chain, "1");
  for (guint i = 0; i < 499; i++)
    g_string_append (chain, "+1");
  g_free (g_steal_pointer (&powers));
  powers = evaluate (chain->str);
  g_assert_cmpstr (powers, ==, "500");
}

static void
test_tool (void)
{
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  g_autoptr (ReevePlugin) plugin = g_object_new (reeve_plugin_descriptor.query_types ()[0], NULL);
  g_autoptr (JsonObject) settings = json_object_new ();
  g_autoptr (JsonObject) arguments = json_object_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (ReeveToolResult) good = NULL;
  g_autoptr (ReeveToolResult) bad = NULL;
  JsonObject *data = NULL;

  g_assert_true (reeve_plugin_setup (plugin, settings, context, &error));
  list = reeve_tool_list (REEVE_TOOL (plugin), context, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (list->len, ==, 1);
  g_assert_cmpstr (reeve_tool_info_get_name (g_ptr_array_index (list, 0)), ==, "calculate");
  json_object_set_string_member (arguments, "expression", "6*7");
  good = reeve_tool_call (REEVE_TOOL (plugin), "calculate", arguments, context, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (reeve_tool_result_get_text (good), ==, "42");
  g_assert_false (reeve_tool_result_get_is_error (good));
  data = json_node_get_object (reeve_tool_result_get_data (good));
  g_assert_cmpint (json_object_get_int_member (data, "result"), ==, 42);
  json_object_set_string_member (arguments, "expression", "6/0");
  bad = reeve_tool_call (REEVE_TOOL (plugin), "calculate", arguments, context, &error);
  g_assert_no_error (error);
  g_assert_true (reeve_tool_result_get_is_error (bad));
  g_assert_null (reeve_tool_call (REEVE_TOOL (plugin), "other", arguments, context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/calculate/values", test_values);
  g_test_add_func ("/calculate/errors", test_errors);
  g_test_add_func ("/calculate/bounds", test_bounds);
  g_test_add_func ("/calculate/tool", test_tool);
  return g_test_run ();
}
