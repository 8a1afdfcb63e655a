/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces go out as they come; where the host is slower the plugin waits in its own call. */
#include "runner-engine.h"

#include <unistd.h>

#include "wire/wire-blob.h"
#include "wire/wire-llm.h"
#include "wire/wire-method.h"

static gboolean
runner_engine_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  return wire_llm_write_delta (*(const int *) user_data, delta, error);
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
  gboolean good
      = asked != NULL
        && reeve_llm_engine_generate (REEVE_LLM_ENGINE (call->instance), asked, call->context,
                                      runner_engine_on_delta, &deltas, error);

  if (deltas >= 0)
    close (deltas);
  if (request < 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there is no request");
  return good ? g_variant_new ("()") : NULL;
}
