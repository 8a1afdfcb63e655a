/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* llm-openai: what is read of an answer without a tree. */
#include <reeve-plugin-1.h>
#include <string.h>

#include "openai-glance.h"

static JsonNode *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  return node;
}

static gboolean
collect_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  g_string_append_printf (user_data, "%d|%.*s|%d %d %d %d\n", (int) delta->kind,
                          (int) delta->text_length, delta->text != NULL ? delta->text : "",
                          (int) delta->input_tokens, (int) delta->output_tokens,
                          (int) delta->cached_tokens, (int) delta->reasoning_tokens);
  return TRUE;
}

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
      g_auto (OpenaiGlance) glance = { 0 };
      g_autoptr (JsonNode) node = parse (cases[i].text);
      g_autoptr (GString) seen = g_string_new (NULL);
      g_autoptr (GString) meant = g_string_new (NULL);
      gboolean finished[2] = { FALSE, FALSE };

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (openai_glance_read (&glance, cases[i].text, strlen (cases[i].text)), ==,
                       cases[i].read);
      if (!cases[i].read)
        continue;
      g_assert_true (
          openai_glance_emit (&glance, &(OpenaiSink){ collect_delta, seen }, &finished[0], NULL));
      g_assert_true (openai_chunk_emit_chat (&(OpenaiSink){ collect_delta, meant },
                                             json_node_get_object (node), &finished[1], NULL));
      g_assert_cmpstr (seen->str, ==, meant->str);
      g_assert_cmpint (finished[0], ==, finished[1]);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai-glance/usual", test_glance);
  g_test_add_func ("/openai-glance/refuses", test_glance_refuses);
  return g_test_run ();
}
