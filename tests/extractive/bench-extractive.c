/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints how well the engine answers: each set of questions, over manual pages and over help texts,
 * with two tokenizers. */
#include "exam.h"

#include "extractive-engine.h"

static void
bench_exam (ReeveLlmEngine *engine, Corpus *corpus, const gchar *name, const gchar *path)
{
  g_autoptr (Exam) exam = exam_run (engine, corpus, path);
  g_autofree gchar *line = exam_describe (exam);
  g_autofree gchar *file = g_path_get_basename (path);

  g_print ("llm-extractive, %s, %s: %s\n", file, name, line);
  for (guint i = 0; g_getenv ("VERBOSE") != NULL && i < exam->misses->len; i++)
    g_print ("    %s\n", (const gchar *) g_ptr_array_index (exam->misses, i));
}

static void
bench_machine (ReeveLlmEngine *engine, const gchar *name, const gchar *tokenizer, gboolean manuals,
               gchar **paths)
{
  g_autoptr (Corpus) corpus = corpus_new (tokenizer);

  corpus_add_machine (corpus, manuals);
  for (guint i = 0; paths[i] != NULL; i++)
    bench_exam (engine, corpus, name, paths[i]);
}

int
main (int argc, char **argv)
{
  g_autoptr (ReeveLlmEngine) engine = g_object_new (EXTRACTIVE_TYPE_ENGINE, NULL);
  g_autoptr (Corpus) samples = corpus_new ("porter unicode61");

  if (argc < 4)
    {
      g_printerr ("usage: %s SAMPLES QUESTIONS-ABOUT-SAMPLES QUESTIONS-ABOUT-THE-MACHINE…\n",
                  argv[0]);
      return 64;
    }
  bench_machine (engine, "manual pages", "porter unicode61", TRUE, argv + 3);
  bench_machine (engine, "help texts", "porter unicode61", FALSE, argv + 3);
  bench_machine (engine, "manual pages, no stemming in the search", "unicode61", TRUE, argv + 3);
  corpus_add_folder (samples, argv[1]);
  bench_exam (engine, samples, "data/samples", argv[2]);
  return 0;
}
