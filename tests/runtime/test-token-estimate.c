/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The estimate against what tokenizers count: texts in 28 languages, code, JSON, data and emoji,
 * counted by those of seven families of models (token-counts.mjs made token-corpus.json). It is
 * never below the greatest count, and how far it is above is measured. */
#include <string.h>

#include <reeve-plugin-1.h>

#include "runtime/token-estimate.h"

/* hundredths of the greatest count: what docs/budgets.md says of mean and worst */
#define MEAN_AT_MOST  150
#define WORST_AT_MOST 320

static JsonNode *corpus;

static gint64
greatest_of (JsonObject *counts)
{
  gint64 greatest = 0;
  g_autoptr (GList) names = json_object_get_members (counts);

  g_assert_cmpuint (g_list_length (names), ==, 7);
  for (GList *l = names; l != NULL; l = l->next)
    greatest = MAX (greatest, json_object_get_int_member (counts, l->data));
  return greatest;
}

static void
test_estimate_corpus (void)
{
  JsonArray *texts = json_node_get_array (corpus);
  guint n = json_array_get_length (texts);
  gint64 sum = 0;
  gint64 worst = 0;

  g_assert_cmpuint (n, >=, 45);
  for (guint i = 0; i < n; i++)
    {
      JsonObject *one = json_array_get_object_element (texts, i);
      const char *text = json_object_get_string_member (one, "text");
      gint64 greatest = greatest_of (json_object_get_object_member (one, "counts"));
      gint64 estimate = reeve_token_estimate_text (text, strlen (text));

      if (estimate < greatest)
        g_error ("%s: estimated %" G_GINT64_FORMAT ", counted %" G_GINT64_FORMAT,
                 json_object_get_string_member (one, "name"), estimate, greatest);
      sum += estimate * 100 / greatest;
      worst = MAX (worst, estimate * 100 / greatest);
    }
  g_test_message ("of the greatest count: %" G_GINT64_FORMAT " %% on average, %" G_GINT64_FORMAT
                  " %% at worst",
                  sum / n, worst);
  g_assert_cmpint (sum / n, <=, MEAN_AT_MOST);
  g_assert_cmpint (worst, <=, WORST_AT_MOST);
}

/* A message is never less than its text, and the parts that it is put together of never less than
 * what they are together. */
static void
test_estimate_messages (void)
{
  JsonArray *texts = json_node_get_array (corpus);

  for (guint i = 0; i < json_array_get_length (texts); i++)
    {
      JsonObject *one = json_array_get_object_element (texts, i);
      JsonObject *message = json_object_new ();
      g_autoptr (JsonArray) messages = json_array_new ();

      json_object_set_string_member (message, "role", "user");
      json_object_set_string_member (message, "content",
                                     json_object_get_string_member (one, "text"));
      json_array_add_object_element (messages, message);
      /* the chat formats that are published put four to seven tokens around a message */
      g_assert_cmpint (reeve_token_estimate_chat (messages, NULL), >=,
                       greatest_of (json_object_get_object_member (one, "counts")) + 7);
    }
  g_assert_cmpint (reeve_token_estimate_chat (NULL, NULL), >, 0);
}

static void
test_estimate_edges (void)
{
  g_assert_cmpint (reeve_token_estimate_text ("", 0), ==, 0);
  g_assert_cmpint (reeve_token_estimate_text (" ", 1), ==, 1);
  g_assert_cmpint (reeve_token_estimate_text ("a", 1), ==, 1);
  g_assert_cmpint (reeve_token_estimate_text ("the", 3), ==, 1);
  /* bytes that are no text are one each */
  g_assert_cmpint (reeve_token_estimate_text ("\xff\x00\xfe", 3), ==, 3);
  /* what is no word may be one letter a token */
  g_assert_cmpint (reeve_token_estimate_text ("aBcDeFgHiJ", 10), ==, 10);
}

int
main (int argc, char **argv)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize length = 0;
  int result = 0;

  g_test_init (&argc, &argv, NULL);
  g_assert_true (g_file_get_contents (TOKEN_CORPUS, &text, &length, &error));
  corpus = reeve_json_parse_strict (text, length, &error);
  g_assert_no_error (error);
  g_test_add_func ("/token-estimate/corpus", test_estimate_corpus);
  g_test_add_func ("/token-estimate/messages", test_estimate_messages);
  g_test_add_func ("/token-estimate/edges", test_estimate_edges);
  result = g_test_run ();
  json_node_unref (corpus);
  return result;
}
