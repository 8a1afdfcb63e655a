/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model's answer put together from its pieces, and what can be wrong with a piece. */
#include "check-answer.h"

#include <math.h>

#define CHECK_ANSWER_CALLS 128

struct _CheckAnswer
{
  guint n_pieces;
  gboolean stopped;
  gboolean finished;
  char *fault;
  GString *text;
  GString *thought;
  GString *rest;    /* usage, reason of the end, raw frames, vectors, models, in their order */
  GPtrArray *calls; /* GString of each tool call, by index */
};

static void
check_answer_free_string (gpointer string)
{
  if (string != NULL)
    g_string_free (string, TRUE);
}

CheckAnswer *
check_answer_new (void)
{
  CheckAnswer *self = g_new0 (CheckAnswer, 1);

  self->text = g_string_new (NULL);
  self->thought = g_string_new (NULL);
  self->rest = g_string_new (NULL);
  self->calls = g_ptr_array_new_with_free_func (check_answer_free_string);
  return self;
}

void
check_answer_free (CheckAnswer *self)
{
  g_free (self->fault);
  g_string_free (self->text, TRUE);
  g_string_free (self->thought, TRUE);
  g_string_free (self->rest, TRUE);
  g_ptr_array_unref (self->calls);
  g_free (self);
}

static void check_answer_blame (CheckAnswer *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
check_answer_blame (CheckAnswer *self, const char *format, ...)
{
  va_list args;

  if (self->fault != NULL)
    return;
  va_start (args, format);
  self->fault = g_strdup_vprintf (format, args);
  va_end (args);
}

static void
check_answer_add_call (CheckAnswer *self, const ReeveLlmDelta *delta)
{
  GString *call = NULL;

  if (delta->index >= CHECK_ANSWER_CALLS)
    {
      check_answer_blame (self, "tool call number %u", delta->index);
      return;
    }
  if (delta->index >= self->calls->len)
    g_ptr_array_set_size (self->calls, (int) delta->index + 1);
  call = g_ptr_array_index (self->calls, delta->index);
  if (call == NULL)
    {
      if (delta->name == NULL || delta->id == NULL)
        check_answer_blame (self, "the first piece of a tool call has no id or no name");
      call = g_string_new (NULL);
      g_string_append_printf (call, "%s %s ", delta->id, delta->name);
      self->calls->pdata[delta->index] = call;
    }
  if (delta->text != NULL)
    g_string_append_len (call, delta->text, (gssize) delta->text_length);
}

static void
check_answer_add_usage (CheckAnswer *self, const ReeveLlmDelta *delta)
{
  const gint64 counts[] = { delta->input_tokens, delta->output_tokens, delta->cached_tokens,
                            delta->reasoning_tokens };

  g_string_append (self->rest, "usage");
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      if (counts[i] < -1)
        check_answer_blame (self, "a token count below -1");
      g_string_append_printf (self->rest, " %" G_GINT64_FORMAT, counts[i]);
    }
  g_string_append_c (self->rest, '\n');
}

static void
check_answer_add_embedding (CheckAnswer *self, const ReeveLlmDelta *delta)
{
  if (delta->values == NULL || delta->n_values == 0)
    check_answer_blame (self, "a vector without values");
  g_string_append_printf (self->rest, "vector %u", delta->index);
  for (gsize i = 0; delta->values != NULL && i < delta->n_values; i++)
    {
      if (!isfinite (delta->values[i]))
        check_answer_blame (self, "a value of a vector is no number");
      g_string_append_printf (self->rest, " %a", (double) delta->values[i]);
    }
  g_string_append_c (self->rest, '\n');
}

static void
check_answer_add_rest (CheckAnswer *self, const char *name, const char *text, gsize length)
{
  g_string_append_printf (self->rest, "%s ", name);
  if (text != NULL)
    g_string_append_len (self->rest, text, (gssize) length);
  g_string_append_c (self->rest, '\n');
}

static void
check_answer_add_raw (CheckAnswer *self, const ReeveLlmDelta *delta)
{
  if (!reeve_json_scan (delta->text, delta->text_length, NULL))
    check_answer_blame (self, "a raw frame that is not JSON");
  check_answer_add_rest (self, "raw", delta->text, delta->text_length);
}

static void
check_answer_take (CheckAnswer *self, const ReeveLlmDelta *delta)
{
  if (delta->struct_size == 0)
    check_answer_blame (self, "a piece without struct_size");
  if (delta->text == NULL && delta->text_length > 0)
    {
      check_answer_blame (self, "a piece of %zu bytes without them", delta->text_length);
      return;
    }
  switch (delta->kind)
    {
    case REEVE_LLM_DELTA_TEXT:
      g_string_append_len (self->text, delta->text != NULL ? delta->text : "",
                           (gssize) delta->text_length);
      break;
    case REEVE_LLM_DELTA_THOUGHT:
      g_string_append_len (self->thought, delta->text != NULL ? delta->text : "",
                           (gssize) delta->text_length);
      break;
    case REEVE_LLM_DELTA_TOOL_CALL:
      check_answer_add_call (self, delta);
      break;
    case REEVE_LLM_DELTA_USAGE:
      check_answer_add_usage (self, delta);
      break;
    case REEVE_LLM_DELTA_FINISH:
      if (self->finished)
        check_answer_blame (self, "it ended twice");
      self->finished = TRUE;
      check_answer_add_rest (self, "finish", delta->text, delta->text_length);
      break;
    case REEVE_LLM_DELTA_RAW:
      check_answer_add_raw (self, delta);
      break;
    case REEVE_LLM_DELTA_EMBEDDING:
      check_answer_add_embedding (self, delta);
      break;
    case REEVE_LLM_DELTA_MODEL:
      if (delta->id == NULL || *delta->id == '\0')
        check_answer_blame (self, "a model without a name");
      g_string_append_printf (self->rest, "model %s\n", delta->id);
      break;
    default:
      check_answer_blame (self, "a piece of unknown kind %d", (int) delta->kind);
      break;
    }
}

gboolean
check_answer_add (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  CheckAnswer *self = user_data;

  self->n_pieces++;
  check_answer_take (self, delta);
  if (self->stopped)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the answer is not wanted");
      return FALSE;
    }
  return TRUE;
}

const char *
check_answer_get_fault (CheckAnswer *self)
{
  if (!g_utf8_validate_len (self->text->str, self->text->len, NULL)
      || !g_utf8_validate_len (self->thought->str, self->thought->len, NULL))
    check_answer_blame (self, "the text is not UTF-8");
  return self->fault;
}

guint
check_answer_get_n_pieces (CheckAnswer *self)
{
  return self->n_pieces;
}

void
check_answer_stop (CheckAnswer *self)
{
  self->stopped = TRUE;
}

char *
check_answer_describe (CheckAnswer *self)
{
  GString *all = g_string_new (NULL);

  g_string_append_printf (all, "text %s\nthought %s\n", self->text->str, self->thought->str);
  for (guint i = 0; i < self->calls->len; i++)
    {
      GString *call = g_ptr_array_index (self->calls, i);

      g_string_append_printf (all, "call %u %s\n", i, call != NULL ? call->str : "(none)");
    }
  g_string_append (all, self->rest->str);
  return g_string_free (all, FALSE);
}
