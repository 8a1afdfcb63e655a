/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers to add-checkpoint by C2SP tlog-witness. Nothing counts but a cosignature that verifies;
 * of what else a witness says only numbers are taken over. */
#include "witness-answer.h"

#include <string.h>

#include <reeve-plugin-1.h>

/**
 * reeve_witness_answer_clear:
 * @self: an answer
 */
void
reeve_witness_answer_clear (ReeveWitnessAnswer *self)
{
  g_clear_pointer (&self->line, g_free);
  g_clear_pointer (&self->text, g_free);
}

static void
reeve_witness_answer_set (ReeveWitnessAnswer *self, ReeveWitnessVerdict verdict, const char *text)
{
  self->verdict = verdict;
  self->text = g_strdup (text);
}

/* Lines of unknown keys are passed over, as the protocol wants. */
static void
reeve_witness_answer_read_lines (ReeveWitnessAnswer *self, const ReeveCosigners *keys, guint number,
                                 const char *note, const char *text)
{
  const char *end = strstr (note, "\n\n");
  g_autofree char *body = end != NULL ? g_strndup (note, (gsize) (end - note) + 1) : g_strdup ("");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GError) error = NULL;
  guint found = 0;

  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++)
    {
      if (!reeve_cosigners_find (keys, lines[i], &found) || found != number)
        continue;
      g_clear_error (&error);
      self->time = reeve_cosigners_check_line (keys, number, body, lines[i], &error);
      if (self->time == 0)
        continue;
      self->verdict = REEVE_WITNESS_COSIGNED;
      self->line = g_strdup (lines[i]);
      return;
    }
  reeve_witness_answer_set (self, REEVE_WITNESS_FAILED,
                            error != NULL ? error->message
                                          : "the answer has no cosignature of the configured key");
}

static void
reeve_witness_answer_read_size (ReeveWitnessAnswer *self, const char *text, gsize length)
{
  g_autofree char *digits = g_strndup (text, length > 0 ? length - 1 : 0);

  if (length >= 2 && length <= 20 && text[length - 1] == '\n'
      && (*digits != '0' || digits[1] == '\0')
      && g_ascii_string_to_unsigned (digits, 10, 0, G_MAXINT64, &self->size, NULL))
    self->verdict = REEVE_WITNESS_ELSEWHERE;
  else
    reeve_witness_answer_set (self, REEVE_WITNESS_FAILED,
                              "status 409 without the size that it has cosigned");
}

/**
 * reeve_witness_answer_read:
 * @self: (out caller-allocates): what it says
 * @keys: keys of witnesses
 * @number: which of them is asked
 * @note: the checkpoint that was sent
 * @status: of HTTP
 * @body: (nullable): of the answer; needs no terminator
 * @length: bytes of it
 */
void
reeve_witness_answer_read (ReeveWitnessAnswer *self, const ReeveCosigners *keys, guint number,
                           const char *note, guint status, const char *body, gsize length)
{
  g_autofree char *text = NULL;

  *self = (ReeveWitnessAnswer){ .verdict = REEVE_WITNESS_FAILED };
  if (length > REEVE_WITNESS_ANSWER_LONGEST || (length > 0 && memchr (body, '\0', length) != NULL))
    {
      reeve_witness_answer_set (self, REEVE_WITNESS_FAILED, "the answer is too long or binary");
      return;
    }
  text = g_strndup (length > 0 ? body : "", length);
  switch (status)
    {
    case 200:
      reeve_witness_answer_read_lines (self, keys, number, note, text);
      break;
    case 409:
      reeve_witness_answer_read_size (self, text, length);
      break;
    case 422:
      reeve_witness_answer_set (self, REEVE_WITNESS_DISAGREES,
                                "it does not find that the log goes on from what it has cosigned");
      break;
    case 404:
      reeve_witness_answer_set (self, REEVE_WITNESS_REFUSED, "it does not know this log");
      break;
    case 403:
      reeve_witness_answer_set (self, REEVE_WITNESS_REFUSED,
                                "it does not trust the key that signs this log");
      break;
    default:
      self->verdict = status == 400 ? REEVE_WITNESS_REFUSED : REEVE_WITNESS_FAILED;
      self->text = g_strdup_printf ("status %u", status);
      break;
    }
}
