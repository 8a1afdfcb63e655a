/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces go out as they come where somebody reads along; else together, for each that goes alone
 * wakes the host. Where the host is slower the plugin waits in its own call. */
#include "runner-engine.h"

#include <string.h>
#include <unistd.h>

#include "wire/wire-blob.h"
#include "wire/wire-llm.h"
#include "wire/wire-method.h"
#include "wire/wire-stream.h"

/* bytes of an answer that go in the message itself */
#define RUNNER_ENGINE_INLINE (768 * 1024)
/* of most answers */
#define RUNNER_ENGINE_USUAL 4096

typedef struct
{
  int fd;
  gboolean alone;  /* each piece by itself */
  GByteArray *out; /* what waits */
} RunnerEngineStream;

static gboolean
runner_engine_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  RunnerEngineStream *stream = user_data;

  return wire_llm_append_delta (stream->out, stream->fd, delta, error)
         && (!stream->alone || wire_stream_flush (stream->out, stream->fd, error));
}

static GVariant *
runner_engine_generate (const RunnerServeCall *call, GError **error)
{
  gboolean read = wire_letter_read_call_body (call->message, error);
  int request = wire_method_take_fd (call->message, 2);
  int deltas = wire_method_take_fd (call->message, 3);
  g_autoptr (GBytes) text = request >= 0 ? wire_blob_map (request, error) : NULL;
  g_autoptr (ReeveLlmRequest) asked
      = text != NULL ? wire_llm_request_from_text (g_bytes_get_data (text, NULL),
                                                   g_bytes_get_size (text), error)
                     : NULL;
  g_autoptr (GByteArray) out = g_byte_array_new ();
  RunnerEngineStream stream
      = { deltas, asked != NULL && reeve_llm_request_get_stream (asked), out };
  gboolean good
      = asked != NULL
        && reeve_llm_engine_generate (REEVE_LLM_ENGINE (call->instance), asked, call->context,
                                      runner_engine_on_delta, &stream, error)
        && wire_stream_flush (out, deltas, error);

  if (deltas >= 0)
    close (deltas);
  if (read && request < 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there is no request");
  return good ? g_variant_new ("()") : NULL;
}

/* ---- in one message ---- */

typedef struct
{
  GByteArray *out;
  gboolean whole;
} RunnerEngineAnswer;

/* What does not go in a message is of no use here, and the plugin may stop. */
static gboolean
runner_engine_gather (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  RunnerEngineAnswer *answer = user_data;

  answer->whole = answer->whole && delta->text_length <= RUNNER_ENGINE_INLINE;
  if (answer->whole && !wire_llm_append_delta (answer->out, -1, delta, error))
    return FALSE;
  answer->whole = answer->whole && answer->out->len <= RUNNER_ENGINE_INLINE;
  if (answer->whole)
    return TRUE;
  g_byte_array_set_size (answer->out, 0);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "the answer is too large for a message");
  return FALSE;
}

static GVariant *
runner_engine_answer (const RunnerServeCall *call, GError **error)
{
  WireReader reader = call->arguments;
  gsize length = 0;
  const char *text = wire_reader_read_array (&reader, &length);
  ReeveLlmRequest *asked = NULL;
  /* before the engine: behind it malloc() would join all that it gave back */
  g_autoptr (GByteArray) out = g_byte_array_sized_new (RUNNER_ENGINE_USUAL);
  g_autoptr (GBytes) bytes = NULL;
  GVariant *reply[2] = { NULL, NULL };
  RunnerEngineAnswer answer = { out, TRUE };
  g_autoptr (GError) failed = NULL;

  if (text == NULL)
    runner_serve_fail_form (error);
  else
    asked = wire_llm_request_from_text (text, length, error);
  if (asked == NULL)
    return NULL;
  runner_serve_spend (call, asked, (GDestroyNotify) reeve_llm_request_unref);
  if (!reeve_llm_engine_generate (REEVE_LLM_ENGINE (call->instance), asked, call->context,
                                  runner_engine_gather, &answer, &failed)
      && answer.whole)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return NULL;
    }
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&out));
  reply[0] = g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
  reply[1] = g_variant_new_boolean (answer.whole);
  return g_variant_new_tuple (reply, G_N_ELEMENTS (reply));
}

GVariant *
runner_engine_perform (const RunnerServeCall *call, GError **error)
{
  return strcmp (call->member, "Answer") == 0 ? runner_engine_answer (call, error)
                                              : runner_engine_generate (call, error);
}
