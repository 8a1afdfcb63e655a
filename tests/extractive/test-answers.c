/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The goals of llm-extractive, over texts that every Debian machine has and over data/samples:
 * right passage cited first in at least 80 % of the answers, among the first three in 95 %, and 90
 * % of what no document answers declined. */
#include "exam.h"

#include <string.h>

#include "extractive-engine.h"

#define GOAL_FIRST    80
#define GOAL_THREE    95
#define GOAL_DECLINED 90

typedef struct
{
  ReeveLlmEngine *engine;
  Corpus *machine;
  Corpus *samples;
} Fixture;

static gchar *
find_file (const gchar *path)
{
  return g_build_filename (g_getenv ("REEVE_SOURCE_DIR"), path, NULL);
}

static Exam *
examine (ReeveLlmEngine *engine, Corpus *corpus, const gchar *questions)
{
  g_autofree gchar *path = find_file (questions);
  Exam *exam = exam_run (engine, corpus, path);
  g_autofree gchar *figures = exam_describe (exam);

  g_test_message ("%s: %s", questions, figures);
  for (guint i = 0; i < exam->misses->len; i++)
    g_test_message ("%s", (const gchar *) g_ptr_array_index (exam->misses, i));
  return exam;
}

static void
check_goals (const Exam *exam)
{
  g_assert_cmpuint (100 * exam->first, >=, GOAL_FIRST * exam->answerable);
  g_assert_cmpuint (100 * exam->among_three, >=, GOAL_THREE * exam->answerable);
  g_assert_cmpuint (100 * exam->declined, >=, GOAL_DECLINED * exam->unanswerable);
}

/* the questions it was tuned on, and these together with those it was not */
static void
test_machine (gconstpointer data)
{
  const Fixture *fixture = data;
  g_autoptr (Exam) tuned
      = examine (fixture->engine, fixture->machine, "tests/extractive/questions-tuned.tsv");
  g_autoptr (Exam) fresh
      = examine (fixture->engine, fixture->machine, "tests/extractive/questions-fresh.tsv");

  check_goals (tuned);
  g_assert_cmpuint (fresh->answerable + fresh->unanswerable, >=, 20);
  fresh->answerable += tuned->answerable;
  fresh->first += tuned->first;
  fresh->among_three += tuned->among_three;
  fresh->unanswerable += tuned->unanswerable;
  fresh->declined += tuned->declined;
  check_goals (fresh);
}

static void
test_samples (gconstpointer data)
{
  const Fixture *fixture = data;
  g_autoptr (Exam) exam
      = examine (fixture->engine, fixture->samples, "tests/extractive/questions-samples.tsv");

  check_goals (exam);
}

/* the same question gets the same answer, to the byte */
static void
test_deterministic (gconstpointer data)
{
  const Fixture *fixture = data;
  const gchar *question = "Who may cut the lock of somebody who has left the plant?";
  g_autoptr (Asked) first = asker_ask (fixture->engine, fixture->samples, question);
  g_autoptr (Asked) again = asker_ask (fixture->engine, fixture->samples, question);

  g_assert_cmpstr (first->answer, ==, again->answer);
  g_assert_nonnull (strstr (first->answer, "LOTO coordinator"));
}

static void
test_two_questions (gconstpointer data)
{
  const Fixture *fixture = data;
  g_autoptr (Asked) asked = asker_ask (
      fixture->engine, fixture->samples,
      "What does alarm A-107 mean, and how often must the oil of the press be changed?");

  g_assert_nonnull (strstr (asked->answer, "Oil temperature above 60 °C"));
  g_assert_nonnull (strstr (asked->answer, "every 4,000 operating hours"));
}

/* a sentence that goes on with "it" belongs to the one before */
static void
test_next_sentence (gconstpointer data)
{
  const Fixture *fixture = data;
  g_autoptr (Asked) asked
      = asker_ask (fixture->engine, fixture->samples, "Where does the condensate go?");

  g_assert_cmpuint (asked->passages->len, ==, 1);
  g_assert_nonnull (strstr (asked->answer, "It goes to the oil-water separator"));
}

static void
test_steps (gconstpointer data)
{
  const Fixture *fixture = data;
  g_autoptr (Asked) asked
      = asker_ask (fixture->engine, fixture->samples, "How do I change the coolant?");
  const gchar *first = strstr (asked->answer, "1. Add 2 % of system cleaner");
  const gchar *last = strstr (asked->answer, "5. Fill with fresh coolant");

  g_assert_nonnull (first);
  g_assert_nonnull (last);
  g_assert_true (first < last);
}

int
main (int argc, char **argv)
{
  Fixture fixture = { 0 };
  g_autofree gchar *folder = find_file ("data/samples");
  gint result;

  g_test_init (&argc, &argv, NULL);
  fixture.engine = g_object_new (EXTRACTIVE_TYPE_ENGINE, NULL);
  fixture.machine = corpus_new ("porter unicode61");
  fixture.samples = corpus_new ("porter unicode61");
  corpus_add_machine (fixture.machine, TRUE);
  corpus_add_folder (fixture.samples, folder);
  g_test_add_data_func ("/extractive/answers/machine", &fixture, test_machine);
  g_test_add_data_func ("/extractive/answers/samples", &fixture, test_samples);
  g_test_add_data_func ("/extractive/answers/deterministic", &fixture, test_deterministic);
  g_test_add_data_func ("/extractive/answers/two-questions", &fixture, test_two_questions);
  g_test_add_data_func ("/extractive/answers/next-sentence", &fixture, test_next_sentence);
  g_test_add_data_func ("/extractive/answers/steps", &fixture, test_steps);
  result = g_test_run ();
  corpus_free (fixture.machine);
  corpus_free (fixture.samples);
  g_object_unref (fixture.engine);
  return result;
}
