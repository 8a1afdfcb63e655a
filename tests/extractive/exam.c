/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts a set of questions to the engine and counts how it did.
 *
 * A set is a file of lines: documents, words by which the passage is known, question. A passage
 * counts as right when it is of one of the documents and holds the words. */
#include "exam.h"

#include <string.h>

static gboolean
exam_holds (const gchar *text, gchar **words)
{
  g_autoptr (GRegex) spaces = g_regex_new ("\\s+", 0, 0, NULL);
  g_autofree gchar *flat = g_regex_replace_literal (spaces, text, -1, 0, " ", 0, NULL);

  for (guint i = 0; words[i] != NULL; i++)
    if (strcasestr (flat, words[i]) != NULL)
      return TRUE;
  return FALSE;
}

/* every quote stands word for word in a passage that the answer cites */
static void
exam_check_quotes (const Asked *asked)
{
  for (guint q = 0; q < asked->quotes->len; q++)
    {
      gchar *quote[] = { g_ptr_array_index (asked->quotes, q), NULL };
      gboolean verbatim = FALSE;

      for (guint p = 0; p < asked->passages->len; p++)
        verbatim = verbatim || exam_holds (g_ptr_array_index (asked->passages, p), quote);
      g_assert_true (verbatim);
    }
}

static void
exam_miss (Exam *self, const gchar *what, const gchar *question, const Asked *asked)
{
  g_ptr_array_add (self->misses,
                   g_strdup_printf ("%s: %s -> %s: %.300s", what, question,
                                    asked->titles->len > 0
                                        ? (const gchar *) g_ptr_array_index (asked->titles, 0)
                                        : "-",
                                    asked->answer));
}

static void
exam_mark (Exam *self, gchar **row, const Asked *asked)
{
  g_auto (GStrv) documents = g_strsplit (row[0], "|", -1);
  g_auto (GStrv) words = g_strsplit (row[1], "|", -1);
  guint place = 0;
  gboolean sentence = FALSE;

  for (guint i = 0; i < asked->passages->len && place == 0; i++)
    if (g_strv_contains ((const gchar *const *) documents, g_ptr_array_index (asked->titles, i))
        && exam_holds (g_ptr_array_index (asked->passages, i), words))
      place = i + 1;
  sentence = place == 1 && asked->quotes->len > 0
             && exam_holds (g_ptr_array_index (asked->quotes, 0), words);
  self->answerable++;
  self->first += place == 1;
  self->among_three += place >= 1 && place <= 3;
  self->sentence_first += sentence;
  if (place != 1)
    exam_miss (self, place == 0 ? "missed" : "not first", row[2], asked);
  else if (!sentence)
    exam_miss (self, "other sentence", row[2], asked);
}

static void
exam_ask (Exam *self, ReeveLlmEngine *engine, Corpus *corpus, gchar **row)
{
  g_autoptr (Asked) asked = asker_ask (engine, corpus, row[2]);

  self->searches += asked->searches;
  g_assert_cmpuint (strlen (asked->answer), >, 0);
  exam_check_quotes (asked);
  if (strcmp (row[0], "-") != 0)
    {
      exam_mark (self, row, asked);
      return;
    }
  self->unanswerable++;
  if (asked->passages->len == 0)
    self->declined++;
  else
    exam_miss (self, "not declined", row[2], asked);
}

/**
 * exam_run:
 * @engine: who is examined
 * @corpus: the books on the table
 * @path: of the questions
 *
 * Returns: (transfer full): how it went
 */
Exam *
exam_run (ReeveLlmEngine *engine, Corpus *corpus, const gchar *path)
{
  Exam *self = g_new0 (Exam, 1);
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();

  self->misses = g_ptr_array_new_with_free_func (g_free);
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) row = g_strsplit (lines[i], "\t", 3);

      if (*lines[i] == '\0' || *lines[i] == '#')
        continue;
      g_assert_cmpuint (g_strv_length (row), ==, 3);
      exam_ask (self, engine, corpus, row);
    }
  self->seconds = (gdouble) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  return self;
}

/**
 * exam_free:
 * @self: (transfer full) (nullable): an exam
 */
void
exam_free (Exam *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->misses);
  g_free (self);
}

static gdouble
exam_percent (guint part, guint whole)
{
  return whole > 0 ? 100.0 * part / whole : 0;
}

/**
 * exam_describe:
 * @self: an exam
 *
 * Returns: (transfer full): its figures on one line
 */
gchar *
exam_describe (const Exam *self)
{
  return g_strdup_printf (
      "%u answerable: right passage first %u (%.1f %%), among three %u (%.1f %%), right sentence "
      "first %u "
      "(%.1f %%); %u unanswerable: declined %u (%.1f %%); %u searches; %.1f ms a question",
      self->answerable, self->first, exam_percent (self->first, self->answerable),
      self->among_three, exam_percent (self->among_three, self->answerable), self->sentence_first,
      exam_percent (self->sentence_first, self->answerable), self->unanswerable, self->declined,
      exam_percent (self->declined, self->unanswerable), self->searches,
      1000 * self->seconds / MAX (self->answerable + self->unanswerable, 1));
}
