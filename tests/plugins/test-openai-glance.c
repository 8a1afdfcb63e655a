/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* llm-openai: what is read of an answer without a tree. */
#include <reeve-plugin-1.h>
#include <string.h>

#include "../helpers/openai-compare.h"

#define CHOICE(rest) "{\"choices\":[{\"index\":0," rest "}]}"
#define USAGE(rest)  "{\"choices\":[{\"message\":{\"content\":\"a\"}}],\"usage\":" rest "}"

static const struct
{
  const char *text;
  gboolean read;
} cases[] = {
  { CHOICE ("\"message\":{\"content\":\"one two\"},\"finish_reason\":\"stop\""), TRUE },
  { CHOICE ("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}"), TRUE },
  { CHOICE ("\"delta\":{},\"finish_reason\":\"length\""), TRUE },
  { CHOICE ("\"delta\":{\"content\":null,\"tool_calls\":null},\"finish_reason\":null"), TRUE },
  { CHOICE ("\"delta\":{\"content\":\"a\\n\\u00e4\\\"\\ud83d\\ude00\"}"), TRUE },
  { " { \"choices\" : [ { \"delta\" : { \"content\" : \" \" } } ] } ", TRUE },
  { CHOICE ("\"delta\":{\"con\\u0074ent\":\"escaped name\"}"), TRUE },
  { USAGE ("{\"prompt_tokens\":3,\"completion_tokens\":0}"), TRUE },
  { USAGE ("{\"prompt_tokens\":3,\"prompt_tokens_details\":{\"cached_tokens\":2},"
           "\"completion_tokens_details\":{\"reasoning_tokens\":1}}"),
    TRUE },
  { USAGE ("{\"prompt_tokens_details\":null,\"completion_tokens_details\":{}}"), TRUE },
  { USAGE ("null"), TRUE },
  { USAGE ("{\"prompt_tokens\":-3}"), FALSE },
  { USAGE ("{\"prompt_tokens\":3.0}"), FALSE },
  { USAGE ("{\"prompt_tokens\":\"3\"}"), FALSE },
  { USAGE ("{\"prompt_tokens\":1234567890123456}"), FALSE },
  { USAGE ("{\"prompt_tokens_details\":[]}"), FALSE },
  { USAGE ("7"), FALSE },
  { CHOICE ("\"delta\":{\"content\":[{\"text\":\"a\"}]}"), FALSE },
  { CHOICE ("\"delta\":{\"content\":7}"), FALSE },
  { CHOICE ("\"delta\":{\"refusal\":\"no\"}"), FALSE },
  { CHOICE ("\"delta\":{\"reasoning\":\"why\",\"content\":\"a\"}"), FALSE },
  { CHOICE ("\"delta\":{\"reasoning_content\":\"why\"}"), FALSE },
  { CHOICE ("\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"x\"}]}"), FALSE },
  { CHOICE ("\"delta\":{\"content\":\"a\"},\"message\":{\"content\":\"b\"}"), FALSE },
  { CHOICE ("\"delta\":\"a\""), FALSE },
  { CHOICE ("\"text\":\"a\""), FALSE },
  { CHOICE ("\"delta\":{},\"finish_reason\":7"), FALSE },
  { CHOICE ("\"delta\":{},\"finish_reason\":\"st\\u006fp\""), FALSE },
  { "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"a\"}}]}", FALSE },
  { "{\"choices\":[{\"delta\":{}},{\"delta\":{}}]}", FALSE },
  { "{\"choices\":[]}", FALSE },
  { "{\"choices\":[null]}", FALSE },
  { "{\"choices\":{}}", FALSE },
  { "{\"usage\":{\"prompt_tokens\":1}}", FALSE },
  { "{\"choices\":[{\"delta\":{}}],\"error\":{}}", FALSE },
};

/* What is read without a tree says the same as the tree does, and what is not usual is left to it.
 */
static void
test_glance (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (openai_compare (cases[i].text, strlen (cases[i].text)), ==, cases[i].read);
    }
}

/* What is no JSON, or not strictly, is none here either. */
static void
test_glance_refuses (void)
{
  static const char *const texts[] = {
    "",
    "{",
    "[]",
    "{\"choices\":[{\"delta\":{}}]",
    "{\"choices\":[{\"delta\":{}}]}x",
    "{\"choices\":[{\"delta\":{}}],\"choices\":[]}",
    "{\"choices\":[{\"delta\":{\"content\":\"a\",\"content\":\"b\"}}]}",
    "{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_auto (OpenaiGlance) glance = { 0 };

      g_assert_false (openai_glance_read (&glance, texts[i], strlen (texts[i])));
    }
}

/* ---- answers made at random ---- */

#define DOCUMENTS 20000

static const char *
pick (GRand *rand, const char *const *list)
{
  return list[g_rand_int_range (rand, 0, (gint) g_strv_length ((char **) list))];
}

static gboolean
one_in (GRand *rand, gint n)
{
  return g_rand_int_range (rand, 0, n) == 0;
}

static const char *const any_values[] = { "null",
                                          "true",
                                          "false",
                                          "0",
                                          "1",
                                          "-1",
                                          "-0",
                                          "7",
                                          "0.5",
                                          "5.0",
                                          "1e2",
                                          "1e999",
                                          "1E-9",
                                          "007",
                                          "999999999999999",
                                          "1234567890123456",
                                          "9007199254740993",
                                          "9223372036854775807",
                                          "9223372036854775808",
                                          "18446744073709551621",
                                          "99999999999999999999999999",
                                          "NaN",
                                          "Infinity",
                                          "+1",
                                          "0x1",
                                          "\"\"",
                                          "\"a\"",
                                          "\"stop\"",
                                          "\"3\"",
                                          "\"\\n\"",
                                          "\"\\u0000\"",
                                          "\"\\u0041\"",
                                          "\"\\ud83d\\ude00\"",
                                          "\"\\ud83d\"",
                                          "\"\\q\"",
                                          "\"\xc3\xa4\"",
                                          "\"\xff\"",
                                          "\"\xed\xa0\x80\"",
                                          "\"\x7f\"",
                                          "\"\x01\"",
                                          "\"",
                                          "[]",
                                          "{}",
                                          "",
                                          "nul",
                                          "[null]",
                                          "[{}]",
                                          NULL };

static const char *const any_names[]
    = { "content", "text", "choices", "usage", "index", "x", NULL };

/* Of any type, right or wrong. */
static void
make_any (GRand *rand, GString *text, guint depth)
{
  if (depth > 3 || !one_in (rand, 6))
    g_string_append (text, pick (rand, any_values));
  else if (one_in (rand, 2))
    {
      g_string_append_c (text, '[');
      make_any (rand, text, depth + 1);
      g_string_append_c (text, ']');
    }
  else
    {
      g_string_append_printf (text, "{\"%s\":", pick (rand, any_names));
      make_any (rand, text, depth + 1);
      g_string_append_c (text, '}');
    }
}

typedef void (*MakeFunc) (GRand *rand, GString *text);

/* a member of an object: how often it is there, and what it usually is */
typedef struct
{
  const char *name;
  gint one_in;
  MakeFunc make; /* (nullable): any */
} Member;

static void
make_object (GRand *rand, GString *text, const Member *members)
{
  static const char *const spaces[] = { "", "", "", " ", "\n", "\t ", NULL };
  const char *comma = "";

  g_string_append_c (text, '{');
  for (const Member *member = members; member->name != NULL; member++)
    for (gboolean again = one_in (rand, member->one_in); again; again = one_in (rand, 200))
      {
        gboolean escaped = one_in (rand, 60);

        g_string_append_printf (text, "%s%s\"", comma, pick (rand, spaces));
        if (escaped)
          g_string_append_printf (text, "\\u%04x", (guint) *member->name);
        g_string_append_printf (text, "%s\"%s:%s", member->name + escaped, pick (rand, spaces),
                                pick (rand, spaces));
        if (member->make == NULL || one_in (rand, 25))
          make_any (rand, text, 0);
        else
          member->make (rand, text);
        g_string_append (text, pick (rand, spaces));
        comma = ",";
      }
  g_string_append_c (text, '}');
}

static void
make_text (GRand *rand, GString *text)
{
  static const char *const pieces[] = { "a",
                                        " ",
                                        "one two",
                                        "\\n",
                                        "\\\"",
                                        "\\\\",
                                        "\\/",
                                        "\\u00e4",
                                        "\\ud83d\\ude00",
                                        "\xc3\xa4",
                                        "\xf0\x9f\x98\x80",
                                        NULL };

  if (one_in (rand, 8))
    {
      g_string_append (text, "null");
      return;
    }
  g_string_append_c (text, '"');
  for (gint i = g_rand_int_range (rand, 0, 6); i > 0; i--)
    g_string_append (text, pick (rand, pieces));
  g_string_append_c (text, '"');
}

static void
make_reason (GRand *rand, GString *text)
{
  static const char *const values[]
      = { "null", "\"stop\"", "\"length\"", "\"\"", "\"st\\u006fp\"", NULL };

  g_string_append (text, pick (rand, values));
}

static void
make_nothing (GRand *rand, GString *text)
{
  g_string_append (text, "null");
}

static void
make_zero (GRand *rand, GString *text)
{
  g_string_append (text, one_in (rand, 10) ? "1" : "0");
}

static void
make_count (GRand *rand, GString *text)
{
  g_string_append_printf (text, "%d", g_rand_int_range (rand, 0, 1000));
}

static void
make_details (GRand *rand, GString *text)
{
  static const Member members[] = { { "cached_tokens", 2, make_count },
                                    { "reasoning_tokens", 2, make_count },
                                    { "audio_tokens", 3, NULL },
                                    { NULL, 0, NULL } };

  make_object (rand, text, members);
}

static void
make_usage (GRand *rand, GString *text)
{
  static const Member members[] = { { "prompt_tokens", 1, make_count },
                                    { "completion_tokens", 2, make_count },
                                    { "total_tokens", 2, make_count },
                                    { "prompt_tokens_details", 3, make_details },
                                    { "completion_tokens_details", 3, make_details },
                                    { "cost", 6, NULL },
                                    { NULL, 0, NULL } };

  make_object (rand, text, members);
}

static void
make_message (GRand *rand, GString *text)
{
  static const Member members[]
      = { { "role", 2, make_text },         { "content", 1, make_text },
          { "refusal", 4, make_nothing },   { "reasoning_content", 8, make_nothing },
          { "reasoning", 8, make_nothing }, { "tool_calls", 8, make_nothing },
          { "annotations", 9, NULL },       { NULL, 0, NULL } };

  make_object (rand, text, members);
}

static void
make_choice (GRand *rand, GString *text)
{
  static const Member whole[]
      = { { "index", 2, make_zero },       { "message", 1, make_message },
          { "delta", 30, make_message },   { "finish_reason", 2, make_reason },
          { "logprobs", 8, make_nothing }, { NULL, 0, NULL } };
  static const Member part[] = { { "finish_reason", 2, make_reason },
                                 { "delta", 1, make_message },
                                 { "index", 2, make_zero },
                                 { NULL, 0, NULL } };

  make_object (rand, text, one_in (rand, 2) ? whole : part);
}

static void
make_choices (GRand *rand, GString *text)
{
  g_string_append_c (text, '[');
  make_choice (rand, text);
  for (; one_in (rand, 12); make_choice (rand, text))
    g_string_append_c (text, ',');
  g_string_append (text, one_in (rand, 60) ? ",]" : one_in (rand, 60) ? " ] " : "]");
}

static void
make_answer (GRand *rand, GString *text)
{
  static const Member members[] = { { "id", 2, make_text },
                                    { "created", 3, NULL },
                                    { "choices", 1, make_choices },
                                    { "error", 9, make_nothing },
                                    { "usage", 2, make_usage },
                                    { "object", 3, make_text },
                                    { NULL, 0, NULL } };

  make_object (rand, text, members);
}

static void
damage (GRand *rand, GString *text)
{
  static const char bytes[] = "\"\\{}[]:,0-9eE.ntu \xff\x01\xe2";
  gssize at = g_rand_int_range (rand, 0, (gint) text->len);

  switch (g_rand_int_range (rand, 0, 4))
    {
    case 0:
      g_string_truncate (text, (gsize) at);
      break;
    case 1:
      g_string_erase (text, at, 1);
      break;
    case 2:
      g_string_insert_c (text, at, bytes[g_rand_int_range (rand, 0, sizeof bytes)]);
      break;
    default:
      text->str[at] = bytes[g_rand_int_range (rand, 0, sizeof bytes)];
      break;
    }
}

/* Of a grammar that goes astray, a third of them damaged: whatever is read at a glance says what
 * the tree says. */
static void
test_glance_random (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20261122);
  guint read = 0;

  for (guint i = 0; i < DOCUMENTS; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autofree char *exact = NULL;

      make_answer (rand, text);
      if (one_in (rand, 3))
        damage (rand, text);
      /* not terminated: what is read behind the end is seen */
      exact = g_memdup2 (text->str, text->len);
      read += openai_compare (exact, text->len);
    }
  g_test_message ("%u of %d were read at a glance", read, DOCUMENTS);
  /* else it would say nothing */
  g_assert_cmpuint (read, >, DOCUMENTS / 10);
  g_assert_cmpuint (read, <, DOCUMENTS * 9 / 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai-glance/usual", test_glance);
  g_test_add_func ("/openai-glance/refuses", test_glance_refuses);
  g_test_add_func ("/openai-glance/random", test_glance_random);
  return g_test_run ();
}
