/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A question (first line) to any text (the rest): whatever is quoted must stand in the text, white
 * space apart. */
/* covers: plugins/llm-extractive/extractive-answer.c
 * plugins/llm-extractive/extractive-units.c
 * plugins/llm-extractive/extractive-words.c */
#include "extractive-answer.h"
#include "extractive-words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_autofree gchar *valid = g_utf8_make_valid (text, -1);
  gchar *content = strchr (valid, '\n');
  g_autoptr (GPtrArray) hits
      = g_ptr_array_new_with_free_func ((GDestroyNotify) extractive_units_hit_free);
  g_autoptr (ExtractiveQuestion) question = NULL;
  g_autoptr (ExtractiveAnswer) answer = NULL;
  g_autofree gchar *plan = NULL;
  g_autofree gchar *flat = NULL;

  if (content == NULL)
    return 0;
  *content++ = '\0';
  g_ptr_array_add (hits, extractive_units_hit_new ("Title 1", content));
  question = extractive_question_new (valid, NULL);
  plan = extractive_question_plan (question, TRUE);
  answer = extractive_answer_new (question, hits);
  flat = extractive_words_collapse (content, strlen (content));
  for (guint i = 0; i < answer->quotes->len; i++)
    if (strstr (flat, g_ptr_array_index (answer->quotes, i)) == NULL)
      abort ();
  return 0;
}
