/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine that the plugin offers: answers by quoting. It computes in its own process, keeps no
 * state, reaches no network, and says the same to the same conversation every time. */
#include "extractive-engine.h"

#include "extractive-dialog.h"
#include "extractive-turn.h"

#include <string.h>

#define MODEL_NAME      "extractive"
#define PIECE_BYTES     64 /* about how much text one delta carries */
#define BYTES_PER_TOKEN 4

struct _ExtractiveEngine
{
  ReevePlugin parent_instance;
};

typedef struct
{
  ReeveLlmDeltaFunc func;
  gpointer user_data;
  ReeveContext *context;
  gsize written; /* bytes */
} Writer;

static void extractive_engine_iface_init (ReeveLlmEngineInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ExtractiveEngine, extractive_engine, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_ENGINE,
                                                      extractive_engine_iface_init))

static gint64
extractive_engine_tokens (gsize bytes)
{
  return (gint64) ((bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
}

static gboolean
extractive_engine_emit (Writer *self, ReeveLlmDeltaKind kind, const gchar *text, gsize length,
                        GError **error)
{
  ReeveLlmDelta delta
      = { .struct_size = sizeof delta, .kind = kind, .text = text, .text_length = length };

  if (kind != REEVE_LLM_DELTA_FINISH)
    self->written += length;
  return self->func (&delta, self->user_data, error);
}

/* the answer in pieces that end between words, as a model would write it */
static gboolean
extractive_engine_write_text (Writer *self, const gchar *text, gsize length, GError **error)
{
  for (gsize at = 0; at < length;)
    {
      gsize end = MIN (at + PIECE_BYTES, length);

      while (end < length && text[end] != ' ' && text[end] != '\n')
        end++;
      if (!reeve_context_check (self->context, error))
        return FALSE;
      if (!extractive_engine_emit (self, REEVE_LLM_DELTA_TEXT, text + at, end - at, error))
        return FALSE;
      at = end;
    }
  return TRUE;
}

static gboolean
extractive_engine_write_calls (Writer *self, const ExtractiveTurn *turn, GError **error)
{
  if (turn->thought != NULL
      && !extractive_engine_emit (self, REEVE_LLM_DELTA_THOUGHT, turn->thought,
                                  strlen (turn->thought), error))
    return FALSE;
  for (guint i = 0; i < turn->calls->len; i++)
    {
      const ExtractiveTurnCall *call = g_ptr_array_index (turn->calls, i);
      ReeveLlmDelta delta = { .struct_size = sizeof delta,
                              .kind = REEVE_LLM_DELTA_TOOL_CALL,
                              .index = i,
                              .id = call->id,
                              .name = call->name,
                              .text = call->arguments,
                              .text_length = strlen (call->arguments) };

      self->written += strlen (call->name) + delta.text_length;
      if (!self->func (&delta, self->user_data, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
extractive_engine_end (Writer *self, const ExtractiveDialog *dialog, const gchar *reason,
                       GError **error)
{
  ReeveLlmDelta usage = { .struct_size = sizeof usage,
                          .kind = REEVE_LLM_DELTA_USAGE,
                          .input_tokens = extractive_engine_tokens (dialog->length),
                          .output_tokens = extractive_engine_tokens (self->written),
                          .cached_tokens = 0,
                          .reasoning_tokens = 0 };

  return self->func (&usage, self->user_data, error)
         && extractive_engine_emit (self, REEVE_LLM_DELTA_FINISH, reason, strlen (reason), error);
}

/* bytes of the answer that the caller's bound on tokens leaves: whole lines if one fits, else whole
 * words */
static gsize
extractive_engine_bound (const gchar *text, guint max_tokens)
{
  gsize length = strlen (text);
  gsize most = (gsize) max_tokens * BYTES_PER_TOKEN;
  const gchar *cut = NULL;

  if (max_tokens == 0 || length <= most)
    return length;
  cut = g_strrstr_len (text, (gssize) most, "\n");
  if (cut == NULL)
    cut = g_strrstr_len (text, (gssize) most, " ");
  return cut != NULL ? (gsize) (cut - text) : 0;
}

static gboolean
extractive_engine_chat (ReeveLlmRequest *request, Writer *writer, GError **error)
{
  g_autoptr (ExtractiveDialog) dialog = extractive_dialog_new (
      reeve_llm_request_get_messages (request), reeve_llm_request_get_tools (request));
  g_autoptr (ExtractiveTurn) turn = NULL;
  gsize length;

  if (!reeve_context_check (writer->context, error))
    return FALSE;
  turn = extractive_turn_new (dialog);
  if (turn->calls->len > 0)
    return extractive_engine_write_calls (writer, turn, error)
           && extractive_engine_end (writer, dialog, "tool_calls", error);
  length = extractive_engine_bound (turn->text, reeve_llm_request_get_max_tokens (request));
  return extractive_engine_write_text (writer, turn->text, length, error)
         && extractive_engine_end (writer, dialog, length < strlen (turn->text) ? "length" : "stop",
                                   error);
}

static gboolean
extractive_engine_list (Writer *writer, GError **error)
{
  ReeveLlmDelta delta
      = { .struct_size = sizeof delta, .kind = REEVE_LLM_DELTA_MODEL, .id = MODEL_NAME };

  return writer->func (&delta, writer->user_data, error);
}

static gboolean
extractive_engine_generate (ReeveLlmEngine *engine, ReeveLlmRequest *request, ReeveContext *context,
                            ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  Writer writer = { .func = func, .user_data = user_data, .context = context };

  switch (reeve_llm_request_get_task (request))
    {
    case REEVE_LLM_TASK_CHAT:
      return extractive_engine_chat (request, &writer, error);
    case REEVE_LLM_TASK_MODELS:
      return extractive_engine_list (&writer, error);
    case REEVE_LLM_TASK_EMBED:
    default:
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED,
                           "this model makes no embeddings");
      return FALSE;
    }
}

static void
extractive_engine_iface_init (ReeveLlmEngineInterface *iface)
{
  iface->generate = extractive_engine_generate;
}

static void
extractive_engine_class_init (ExtractiveEngineClass *klass)
{
}

static void
extractive_engine_init (ExtractiveEngine *self)
{
}
