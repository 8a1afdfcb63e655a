/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces go out as they come where somebody reads along; else together, for each that goes alone
 * wakes the host. Where the host is slower the plugin waits in its own call. */
#include "runner-engine.h"

#include <unistd.h>

#include "wire/wire-blob.h"
#include "wire/wire-llm.h"
#include "wire/wire-method.h"
#include "wire/wire-stream.h"

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

GVariant *
runner_engine_perform (const RunnerServeCall *call, GError **error)
{
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
  if (request < 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there is no request");
  return good ? g_variant_new ("()") : NULL;
}
