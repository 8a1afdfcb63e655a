/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of reeve-plugin-check: values made from schemas, answers put together, samples read,
 * exports of a module. */
#include <math.h>
#include <string.h>

#include "check-answer.h"
#include "check-elf.h"
#include "check-sample.h"
#include "check-samples.h"

/* ---- values from schemas ---- */

static const struct
{
  const char *schema;
  const char *least; /* NULL: none can be made */
  const char *most;
} test_kit_schemas[] = {
  { "{\"type\":\"object\"}", "{}", "{}" },
  { "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{"
    "\"type\":\"boolean\"}}}",
    "{\"a\":\"check\"}", "{\"a\":\"check\",\"b\":true}" },
  { "{\"type\":\"string\",\"minLength\":8}", "\"checkxxx\"", "\"checkxxx\"" },
  { "{\"type\":\"string\",\"maxLength\":2}", "\"ch\"", "\"ch\"" },
  { "{\"type\":\"string\",\"format\":\"date\"}", "\"2026-01-02\"", "\"2026-01-02\"" },
  { "{\"type\":\"string\",\"format\":\"uuid\"}", "\"123e4567-e89b-42d3-a456-426614174000\"",
    "\"123e4567-e89b-42d3-a456-426614174000\"" },
  { "{\"type\":\"string\",\"pattern\":\"^[0-9]+$\"}", NULL, NULL },
  { "{\"type\":\"integer\"}", "1", "1" },
  { "{\"type\":\"integer\",\"minimum\":5}", "5", "5" },
  { "{\"type\":\"integer\",\"maximum\":-3}", "-3", "-3" },
  { "{\"type\":\"number\",\"exclusiveMinimum\":2,\"maximum\":9}", "3", "3" },
  { "{\"type\":\"integer\",\"minimum\":10,\"multipleOf\":7}", "14", "14" },
  { "{\"type\":\"integer\",\"minimum\":5,\"maximum\":4}", NULL, NULL },
  { "{\"type\":\"number\",\"minimum\":1.5}", "1.5", "1.5" },
  { "{\"type\":\"null\"}", "null", "null" },
  { "{\"enum\":[\"C\",\"F\"]}", "\"C\"", "\"C\"" },
  { "{\"const\":{\"a\":[1]}}", "{\"a\":[1]}", "{\"a\":[1]}" },
  { "{\"type\":\"string\",\"default\":\"given\"}", "\"given\"", "\"given\"" },
  { "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}", "[]", "[1]" },
  { "{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":2}", "[null,null]",
    "[null,null]" },
  { "{\"type\":\"array\",\"prefixItems\":[{\"const\":1},{\"const\":2}],\"minItems\":2}", "[1,2]",
    "[1,2]" },
  { "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}", "1", "1" },
  { "{\"$defs\":{\"n\":{\"type\":\"integer\"}},\"$ref\":\"#/$defs/n\"}", "1", "1" },
  { "{\"properties\":{\"a\":{}}}", "{}", "{\"a\":\"check\"}" },
  { "false", NULL, NULL },
  { "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":\"#\"}}}", NULL,
    NULL },
};

static void
test_kit_sample (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (test_kit_schemas); i++)
    for (guint full = 0; full < 2; full++)
      {
        const char *text = test_kit_schemas[i].schema;
        const char *expected = full ? test_kit_schemas[i].most : test_kit_schemas[i].least;
        g_autoptr (JsonNode) json = reeve_json_parse_strict (text, strlen (text), NULL);
        g_autoptr (GError) error = NULL;
        g_autoptr (ReeveSchema) schema = reeve_schema_new_from_json (json, &error);
        g_autoptr (JsonNode) made = NULL;
        g_autofree char *got = NULL;

        g_assert_no_error (error);
        made = check_sample_make (schema, full);
        got = made != NULL ? reeve_json_canonical (made) : NULL;
        g_test_message ("%s", text);
        g_assert_cmpstr (got, ==, expected);
      }
}

/* ---- answers ---- */

static ReeveLlmDelta
test_kit_delta (ReeveLlmDeltaKind kind, const char *text)
{
  ReeveLlmDelta delta = { .struct_size = sizeof delta,
                          .kind = kind,
                          .text = text,
                          .text_length = text != NULL ? strlen (text) : 0,
                          .input_tokens = -1,
                          .output_tokens = -1,
                          .cached_tokens = -1,
                          .reasoning_tokens = -1 };

  return delta;
}

static void
test_kit_answer_cuts (void)
{
  g_autoptr (CheckAnswer) whole = check_answer_new ();
  g_autoptr (CheckAnswer) cut = check_answer_new ();
  ReeveLlmDelta text = test_kit_delta (REEVE_LLM_DELTA_TEXT, "Good day.");
  ReeveLlmDelta one = test_kit_delta (REEVE_LLM_DELTA_TEXT, "Good ");
  ReeveLlmDelta two = test_kit_delta (REEVE_LLM_DELTA_TEXT, "day.");
  ReeveLlmDelta call = test_kit_delta (REEVE_LLM_DELTA_TOOL_CALL, "{\"a\":1}");
  ReeveLlmDelta head = test_kit_delta (REEVE_LLM_DELTA_TOOL_CALL, "{\"a\"");
  ReeveLlmDelta tail = test_kit_delta (REEVE_LLM_DELTA_TOOL_CALL, ":1}");
  g_autofree char *a = NULL;
  g_autofree char *b = NULL;

  call.id = head.id = "c1";
  call.name = head.name = "sum";
  g_assert_true (check_answer_add (&text, whole, NULL));
  g_assert_true (check_answer_add (&call, whole, NULL));
  g_assert_true (check_answer_add (&one, cut, NULL));
  g_assert_true (check_answer_add (&head, cut, NULL));
  g_assert_true (check_answer_add (&two, cut, NULL));
  g_assert_true (check_answer_add (&tail, cut, NULL));
  g_assert_null (check_answer_get_fault (whole));
  g_assert_null (check_answer_get_fault (cut));
  g_assert_cmpuint (check_answer_get_n_pieces (cut), ==, 4);
  a = check_answer_describe (whole);
  b = check_answer_describe (cut);
  g_assert_cmpstr (a, ==, b);
  g_assert_nonnull (strstr (a, "Good day."));
  g_assert_nonnull (strstr (a, "call 0 c1 sum {\"a\":1}"));
}

static void
test_kit_expect_fault (ReeveLlmDelta delta, const char *fault)
{
  g_autoptr (CheckAnswer) answer = check_answer_new ();

  check_answer_add (&delta, answer, NULL);
  g_assert_nonnull (check_answer_get_fault (answer));
  g_assert_nonnull (strstr (check_answer_get_fault (answer), fault));
}

static void
test_kit_answer_faults (void)
{
  const float wild[] = { 1, INFINITY };
  ReeveLlmDelta delta = test_kit_delta (REEVE_LLM_DELTA_TEXT, NULL);

  delta.text_length = 3;
  test_kit_expect_fault (delta, "3 bytes without them");
  delta = test_kit_delta (REEVE_LLM_DELTA_TEXT, "\xff");
  test_kit_expect_fault (delta, "not UTF-8");
  delta.struct_size = 0;
  test_kit_expect_fault (delta, "struct_size");
  test_kit_expect_fault (test_kit_delta ((ReeveLlmDeltaKind) 99, "x"), "unknown kind 99");
  test_kit_expect_fault (test_kit_delta (REEVE_LLM_DELTA_TOOL_CALL, "{}"), "no id or no name");
  test_kit_expect_fault (test_kit_delta (REEVE_LLM_DELTA_RAW, "{"), "not JSON");
  test_kit_expect_fault (test_kit_delta (REEVE_LLM_DELTA_MODEL, NULL), "without a name");
  test_kit_expect_fault (test_kit_delta (REEVE_LLM_DELTA_EMBEDDING, NULL), "without values");
  delta = test_kit_delta (REEVE_LLM_DELTA_EMBEDDING, NULL);
  delta.values = wild;
  delta.n_values = G_N_ELEMENTS (wild);
  test_kit_expect_fault (delta, "no number");
  delta = test_kit_delta (REEVE_LLM_DELTA_TOOL_CALL, "{}");
  delta.index = 1000000;
  test_kit_expect_fault (delta, "number 1000000");
  delta = test_kit_delta (REEVE_LLM_DELTA_USAGE, NULL);
  delta.output_tokens = -2;
  test_kit_expect_fault (delta, "below -1");
}

static void
test_kit_answer_stop (void)
{
  g_autoptr (CheckAnswer) answer = check_answer_new ();
  ReeveLlmDelta delta = test_kit_delta (REEVE_LLM_DELTA_FINISH, "stop");
  g_autoptr (GError) error = NULL;

  check_answer_stop (answer);
  g_assert_false (check_answer_add (&delta, answer, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_assert_cmpuint (check_answer_get_n_pieces (answer), ==, 1);
  g_assert_null (check_answer_get_fault (answer));
  check_answer_add (&delta, answer, NULL);
  g_assert_cmpstr (check_answer_get_fault (answer), ==, "it ended twice");
}

/* ---- sample responses ---- */

static void
test_kit_samples (void)
{
  static const char text[] = "HTTP/1.1 429 Too Many\nRetry-After:  7\nx-reeve-task: embed\n"
                             "X-Reeve-Stream: true\nX-Reeve-Error: rate_limited\n\nbody\n\n";
  static const char *const bad[] = {
    "",
    "HTTP/1.1 200 OK\n",
    "HTTP/2 200 OK\n\n",
    "HTTP/1.1 99 Low\n\n",
    "HTTP/1.1 600 High\n\n",
    "HTTP/1.1 200 OK\nno header\n\n",
    "HTTP/1.1 200 OK\nX-Reeve-Task: dance\n\n",
  };
  g_autoptr (CheckSamplesEntry) entry = check_samples_parse ("a", text, strlen (text), NULL);
  g_autoptr (GBytes) body = g_bytes_new_static ("body\n\n", 6);

  g_assert_cmpint (entry->task, ==, REEVE_LLM_TASK_EMBED);
  g_assert_true (entry->stream);
  g_assert_cmpstr (entry->error, ==, "rate_limited");
  g_assert_cmpuint (reeve_http_response_get_status (entry->head), ==, 429);
  g_assert_cmpstr (reeve_http_response_get_header (entry->head, "retry-after"), ==, "7");
  g_assert_null (reeve_http_response_get_header (entry->head, "x-reeve-task"));
  g_assert_true (g_bytes_equal (entry->body, body));

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (check_samples_parse ("bad", bad[i], strlen (bad[i]), &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      g_assert_true (g_str_has_prefix (error->message, "sample bad: "));
    }
}

static void
test_kit_samples_folder (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (check_samples_load ("/nothing/here", &error));
  g_assert_nonnull (error);
}

/* ---- exports ---- */

static void
test_kit_elf (void)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  g_file_get_contents (g_getenv ("REEVE_TEST_MODULE"), &data, &length, &error);
  g_assert_no_error (error);
  names = check_elf_read_exports (data, length);
  g_assert_nonnull (names);
  g_assert_true (g_strv_contains ((const char *const *) names, REEVE_PLUGIN_SYMBOL));

  g_assert_null (check_elf_read_exports ("", 0));
  g_assert_null (check_elf_read_exports ("\x7f"
                                         "ELF",
                                         4));
  /* cut off and garbled, none of it is read past its end */
  for (gsize end = 0; end < length; end += 97)
    {
      g_autofree char *part = g_memdup2 (data, end);
      g_auto (GStrv) some = check_elf_read_exports (part, end);
    }
  for (guint round = 0; round < 3000; round++)
    {
      g_autofree char *garbled = g_memdup2 (data, length);
      gsize table = length - MIN (length, 4096);
      g_auto (GStrv) some = NULL;

      garbled[g_rand_int_range (rand, 16, 64)] = (char) g_rand_int (rand);
      garbled[table + g_rand_int_range (rand, 0, (int) (length - table))]
          = (char) g_rand_int (rand);
      some = check_elf_read_exports (garbled, length);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kit/sample", test_kit_sample);
  g_test_add_func ("/kit/answer-cuts", test_kit_answer_cuts);
  g_test_add_func ("/kit/answer-faults", test_kit_answer_faults);
  g_test_add_func ("/kit/answer-stop", test_kit_answer_stop);
  g_test_add_func ("/kit/samples", test_kit_samples);
  g_test_add_func ("/kit/samples-folder", test_kit_samples_folder);
  g_test_add_func ("/kit/elf", test_kit_elf);
  return g_test_run ();
}
