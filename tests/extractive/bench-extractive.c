/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints how well the engine answers: each set of questions, over manual pages and over help texts,
 * with two tokenizers. */
#include "exam.h"

#include "extractive-engine.h"

static void
bench_run (ReeveLlmEngine *engine, const gchar *name, const gchar *tokenizer, gboolean manuals,
           gchar **paths, gboolean verbose)
{
  g_autoptr (Corpus) corpus = corpus_new (tokenizer);

  corpus_add_machine (corpus, manuals);
  for (guint i = 0; paths[i] != NULL; i++)
    {
      g_autoptr (Exam) exam = exam_run (engine, corpus, paths[i]);
      g_autofree gchar *line = exam_describe (exam);
      g_autofree gchar *file = g_path_get_basename (paths[i]);

      g_print ("llm-extractive, %s, %s: %s\n", file, name, line);
      for (guint k = 0; verbose && k < exam->misses->len; k++)
        g_print ("    %s\n", (const gchar *) g_ptr_array_index (exam->misses, k));
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (ReeveLlmEngine) engine = g_object_new (EXTRACTIVE_TYPE_ENGINE, NULL);
  gboolean verbose = g_getenv ("VERBOSE") != NULL;

  if (argc < 2)
    {
      g_printerr ("usage: %s QUESTIONS…\n", argv[0]);
      return 64;
    }
  bench_run (engine, "manual pages", "porter unicode61", TRUE, argv + 1, verbose);
  bench_run (engine, "help texts", "porter unicode61", FALSE, argv + 1, verbose);
  bench_run (engine, "manual pages, no stemming in the search", "unicode61", TRUE, argv + 1,
             verbose);
  return 0;
}
