/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the engine says next: calls of tools, or the answer.
 *
 * The message is cut into its questions. A question of arithmetic goes to the calculator, any other
 * to the search, all in one message; what the first search does not answer is searched for once
 * more in other words; then the answer is built. */
#include "extractive-turn.h"

#include "extractive-answer.h"
#include "extractive-lexicon.h"
#include "extractive-question.h"
#include "extractive-sums.h"
#include "extractive-words.h"

#include <string.h>

#define MAX_QUESTIONS 4
#define MAX_ROUNDS    2
/* weight of its own words below which a question leans on what was said before */
#define LEANS_BELOW 2.6

/* one question of the message */
typedef struct
{
  gchar *text;
  gchar *sum; /* (nullable): when it is arithmetic */
  ExtractiveQuestion *question;
  ExtractiveAnswer *answer; /* (nullable): until it is worked out */
} Part;

static void
extractive_turn_part_free (gpointer data)
{
  Part *part = data;

  g_free (part->text);
  g_free (part->sum);
  extractive_question_free (part->question);
  extractive_answer_free (part->answer);
  g_free (part);
}

static void
extractive_turn_call_free (gpointer data)
{
  ExtractiveTurnCall *call = data;

  g_free (call->id);
  g_free (call->name);
  g_free (call->arguments);
  g_free (call);
}

/* "…, and how often …" begins a question of its own */
static gsize
extractive_turn_joint (const gchar *text)
{
  static const gchar *const joints[] = { ", and what ", " and what ",   ", and how ",
                                         " and how ",   ", and when ",  " and when ",
                                         ", and who ",  " and who ",    ", and where ",
                                         " and where ", ", and which ", " and which ",
                                         ", and why ",  " and why ",    " und wie ",
                                         " und was ",   " und wann ",   " und wer ",
                                         " und wo ",    " und welche",  NULL };

  for (guint i = 0; joints[i] != NULL; i++)
    if (g_ascii_strncasecmp (text, joints[i], strlen (joints[i])) == 0)
      return (gsize) (strrchr (joints[i], 'd') - joints[i]) + 2;
  return 0;
}

/* cuts at question marks, at full stops and new lines, and where a second question is joined on */
static GPtrArray *
extractive_turn_cut (const gchar *text)
{
  GPtrArray *pieces = g_ptr_array_new_with_free_func (g_free);
  const gchar *start = text;

  for (const gchar *at = text;; at++)
    {
      gboolean mark = *at != '\0' && strchr ("?.!", *at) != NULL
                      && (at[1] == '\0' || g_ascii_isspace (at[1]));
      gboolean sentence = *at == '?' || (mark && at > start + 3 && !g_ascii_isdigit (at[-1]));
      gsize joint = *at == ' ' || *at == ',' ? extractive_turn_joint (at) : 0;

      if (*at == '\0' || *at == '\n' || (mark && sentence) || (joint > 0 && at > start + 8))
        {
          gsize length = (gsize) (at - start) + (mark ? 1 : 0);
          g_autofree gchar *piece = extractive_words_collapse (start, length);

          if (*piece != '\0')
            g_ptr_array_add (pieces, g_steal_pointer (&piece));
          start = at + (joint > 0 ? joint : *at != '\0' ? 1 : 0);
          at = joint > 0 ? start - 1 : at;
        }
      if (*at == '\0')
        return pieces;
    }
}

static gboolean
extractive_turn_is_question (const gchar *piece)
{
  static const gchar *const openings[]
      = { "what ", "which ",    "who ",    "whom ",  "whose ",   "when ", "where ",
          "why ",  "how ",      "list ",   "name ",  "tell ",    "find ", "explain ",
          "give ", "describe ", "define ", "wie ",   "was ",     "wer ",  "wann ",
          "wo ",   "warum ",    "welche",  "nenne ", "erklare ", NULL };

  if (g_str_has_suffix (piece, "?"))
    return TRUE;
  for (guint i = 0; openings[i] != NULL; i++)
    if (g_ascii_strncasecmp (piece, openings[i], strlen (openings[i])) == 0)
      return TRUE;
  return FALSE;
}

static gdouble
extractive_turn_weigh (const ExtractiveQuestion *question)
{
  gdouble weight = 0;

  for (guint i = 0; i < question->terms->len; i++)
    weight += ((ExtractiveTerm *) g_ptr_array_index (question->terms, i))->weight;
  return weight;
}

static gboolean
extractive_turn_refers_back (const gchar *text)
{
  g_autoptr (GArray) split = extractive_words_split (text, EXTRACTIVE_LANGUAGE_ENGLISH);

  for (guint i = 0; i < split->len; i++)
    if (extractive_lexicon_is_pronoun (g_array_index (split, ExtractiveWord, i).word))
      return TRUE;
  return FALSE;
}

static void
extractive_turn_add_part (GPtrArray *parts, const gchar *text, const gchar *context, gboolean sums)
{
  Part *part;

  if (parts->len >= MAX_QUESTIONS)
    return;
  part = g_new0 (Part, 1);
  part->text = g_strdup (text);
  part->sum = sums ? extractive_sums_find (text) : NULL;
  part->question = extractive_question_new (text, NULL);
  if (context != NULL && part->sum == NULL
      && (extractive_turn_weigh (part->question) < LEANS_BELOW
          || extractive_turn_refers_back (text)))
    {
      extractive_question_free (part->question);
      part->question = extractive_question_new (text, context);
    }
  g_ptr_array_add (parts, part);
}

/* is there a calculator, or was there one when the calls were made: the last step of a run offers
 * no tools */
static gboolean
extractive_turn_has_calculator (const ExtractiveDialog *dialog)
{
  for (guint i = 0; i < dialog->calls->len; i++)
    if (strstr (((ExtractiveCall *) g_ptr_array_index (dialog->calls, i))->name, "calculat")
        != NULL)
      return TRUE;
  return dialog->calculate != NULL;
}

/* the questions of the message; what else it says, and the message before, is context for those
 * that lean on it */
static GPtrArray *
extractive_turn_read_parts (const ExtractiveDialog *dialog)
{
  GPtrArray *parts = g_ptr_array_new_with_free_func (extractive_turn_part_free);
  g_autoptr (GPtrArray) pieces = extractive_turn_cut (dialog->question);
  g_autoptr (GString) context = g_string_new (dialog->before);
  gboolean sums = extractive_turn_has_calculator (dialog);
  guint questions = 0;

  for (guint i = 0; i < pieces->len; i++)
    questions += extractive_turn_is_question (g_ptr_array_index (pieces, i)) ? 1 : 0;
  if (questions == 0)
    {
      extractive_turn_add_part (parts, dialog->question, context->len > 0 ? context->str : NULL,
                                sums);
      return parts;
    }
  for (guint i = 0; i < pieces->len; i++)
    {
      const gchar *piece = g_ptr_array_index (pieces, i);
      g_autofree gchar *sum = sums ? extractive_sums_find (piece) : NULL;

      if (sum != NULL || extractive_turn_is_question (piece))
        extractive_turn_add_part (parts, piece, context->len > 0 ? context->str : NULL, sums);
      g_string_append_printf (context, " %s", piece);
    }
  return parts;
}

static const ExtractiveCall *
extractive_turn_find_call (const ExtractiveDialog *dialog, const gchar *query)
{
  for (guint i = 0; i < dialog->calls->len; i++)
    {
      const ExtractiveCall *call = g_ptr_array_index (dialog->calls, i);

      if (strcmp (call->query, query) == 0)
        return call;
    }
  return NULL;
}

static void
extractive_turn_add_call (ExtractiveTurn *self, const ExtractiveDialog *dialog, const gchar *name,
                          const gchar *member, const gchar *value, gint64 limit)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  ExtractiveTurnCall *call = g_new0 (ExtractiveTurnCall, 1);

  json_object_set_string_member (object, member, value);
  if (limit > 0)
    json_object_set_int_member (object, "limit", limit);
  json_node_set_object (node, object);
  call->id = g_strdup_printf ("call_%u", dialog->all_calls + self->calls->len + 1);
  call->name = g_strdup (name);
  call->arguments = reeve_json_canonical (node);
  g_ptr_array_add (self->calls, call);
}

static void
extractive_turn_plan_part (ExtractiveTurn *self, const ExtractiveDialog *dialog, const Part *part)
{
  g_autofree gchar *query = NULL;

  if (part->sum != NULL)
    {
      if (dialog->calculate != NULL && extractive_turn_find_call (dialog, part->sum) == NULL)
        extractive_turn_add_call (self, dialog, dialog->calculate, "expression", part->sum, 0);
      return;
    }
  if (dialog->search == NULL
      || (part->answer != NULL && part->answer->found && !part->answer->unsure))
    return;
  query = extractive_question_plan (part->question, dialog->rounds > 0);
  if (*query != '\0' && extractive_turn_find_call (dialog, query) == NULL)
    extractive_turn_add_call (self, dialog, dialog->search, "query", query, dialog->search_limit);
}

static void
extractive_turn_plan (ExtractiveTurn *self, const ExtractiveDialog *dialog, GPtrArray *parts)
{
  if (dialog->rounds >= MAX_ROUNDS)
    return;
  for (guint i = 0; i < parts->len; i++)
    extractive_turn_plan_part (self, dialog, g_ptr_array_index (parts, i));
  if (self->calls->len > 0)
    self->thought = g_strdup (dialog->rounds > 0
                                  ? "The first search did not answer; searching in other words."
                                  : "Looking it up.");
}

/* "12*7 = 84", from what the calculator answered */
static gchar *
extractive_turn_say_sum (const ExtractiveDialog *dialog, const Part *part)
{
  const ExtractiveCall *call = extractive_turn_find_call (dialog, part->sum);
  g_autoptr (JsonNode) node = NULL;
  g_autofree gchar *result = NULL;

  if (call == NULL || call->result == NULL)
    return g_strdup_printf ("%s was not calculated: no tool for it is at hand.", part->sum);
  node = reeve_json_parse_strict (call->result, strlen (call->result), NULL);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node)
      && json_object_has_member (json_node_get_object (node), "result"))
    {
      JsonNode *member = json_object_get_member (json_node_get_object (node), "result");

      result = JSON_NODE_HOLDS_VALUE (member) && json_node_get_value_type (member) == G_TYPE_STRING
                   ? g_strdup (json_node_get_string (member))
                   : reeve_json_canonical (member);
    }
  else
    result = extractive_words_collapse (call->result, strlen (call->result));
  return g_str_has_prefix (result, part->sum) ? g_steal_pointer (&result)
                                              : g_strdup_printf ("%s = %s", part->sum, result);
}

static gchar *
extractive_turn_say_part (const ExtractiveDialog *dialog, const Part *part, GPtrArray *hits,
                          gboolean alone)
{
  gboolean searched = dialog->hits->len > 0 || dialog->rounds > 0;

  if (part->sum != NULL)
    return extractive_turn_say_sum (dialog, part);
  if (part->answer->found)
    return extractive_answer_to_text (part->answer, hits);
  if (alone)
    return g_strdup (extractive_answer_decline (part->question->language, searched));
  return g_strdup_printf ("%s\n%s", part->text,
                          extractive_answer_decline (part->question->language, searched));
}

static void
extractive_turn_say (ExtractiveTurn *self, const ExtractiveDialog *dialog, GPtrArray *parts,
                     GPtrArray *hits)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean any = FALSE;

  for (guint i = 0; i < parts->len; i++)
    {
      const Part *part = g_ptr_array_index (parts, i);

      any = any || part->sum != NULL || part->answer->found;
    }
  for (guint i = 0; i < (any ? parts->len : MIN (parts->len, 1)); i++)
    {
      g_autofree gchar *piece = extractive_turn_say_part (dialog, g_ptr_array_index (parts, i),
                                                          hits, !any || parts->len == 1);

      g_string_append_printf (text, "%s%s", i > 0 ? "\n\n" : "", piece);
    }
  self->text = g_string_free (g_steal_pointer (&text), FALSE);
}

/**
 * extractive_turn_new:
 * @dialog: a conversation
 *
 * Returns: (transfer full): what to say next in it
 */
ExtractiveTurn *
extractive_turn_new (const ExtractiveDialog *dialog)
{
  ExtractiveTurn *self = g_new0 (ExtractiveTurn, 1);
  g_autoptr (GPtrArray) parts = extractive_turn_read_parts (dialog);
  /* texts in the messages are quoted only where nothing can be searched */
  GPtrArray *hits = dialog->search == NULL && dialog->rounds == 0 && dialog->hits->len == 0
                        ? dialog->given
                        : dialog->hits;

  self->calls = g_ptr_array_new_with_free_func (extractive_turn_call_free);
  for (guint i = 0; i < parts->len; i++)
    {
      Part *part = g_ptr_array_index (parts, i);

      if (part->sum == NULL)
        part->answer = extractive_answer_new (part->question, hits);
    }
  extractive_turn_plan (self, dialog, parts);
  if (self->calls->len == 0)
    extractive_turn_say (self, dialog, parts, hits);
  return self;
}

/**
 * extractive_turn_free:
 * @self: (transfer full) (nullable): a turn
 */
void
extractive_turn_free (ExtractiveTurn *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->calls);
  g_free (self->thought);
  g_free (self->text);
  g_free (self);
}
