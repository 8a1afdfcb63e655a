/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLlmEngine over the wire: pieces are handed over on the caller's thread, as they come where
 * somebody reads along. Else a request and its answer go in the messages themselves: a blob, a pipe
 * and who is woken by each cost more than most of them. */
#include "wire-instance.h"

#include <string.h>
#include <unistd.h>

#include "wire/wire-llm.h"
#include "wire/wire-method.h"

#include "wire-delta.h"

#define REEVE_WIRE_ENGINE_INTERFACE WIRE_METHOD_PREFIX "LlmEngine"
/* bytes of a request that goes in a message */
#define REEVE_WIRE_ENGINE_INLINE (256 * 1024)

typedef enum
{
  REEVE_WIRE_ENGINE_ANSWERED,
  REEVE_WIRE_ENGINE_FAILED,
  REEVE_WIRE_ENGINE_TOO_LARGE /* for a message: no error is set, and nothing was handed over */
} ReeveWireEngineEnd;

static ReeveWireEngineEnd
reeve_wire_engine_answer (ReeveLlmEngine *engine, GBytes *text, ReeveContext *context,
                          const ReeveWireStream *stream, GError **error)
{
  const ReeveWireCall call
      = { .interface = REEVE_WIRE_ENGINE_INTERFACE,
          .member = "Answer",
          .context = context,
          .arguments = { g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, text, TRUE) } };
  g_autoptr (WireLetter) answer
      = reeve_wire_instance_ask (REEVE_WIRE_INSTANCE (engine), &call, error);
  WireReader reader = { 0 };
  gconstpointer deltas = NULL;
  gsize length = 0;
  guint32 whole = 0;

  if (answer == NULL)
    return REEVE_WIRE_ENGINE_FAILED;
  /* the rules looked at it, and it is of its method's type */
  reader = wire_letter_get_reader (answer, TRUE);
  deltas = wire_reader_read_array (&reader, &length);
  if (!wire_reader_read_number (&reader, &whole) || whole == 0)
    return REEVE_WIRE_ENGINE_TOO_LARGE;
  return reeve_wire_read_whole (stream, deltas, length, error) ? REEVE_WIRE_ENGINE_ANSWERED
                                                               : REEVE_WIRE_ENGINE_FAILED;
}

static gboolean
reeve_wire_engine_stream (ReeveLlmEngine *engine, GBytes *text, ReeveContext *context,
                          const ReeveWireStream *stream, GError **error)
{
  ReeveWireCall call = { .interface = REEVE_WIRE_ENGINE_INTERFACE,
                         .member = "Generate",
                         .context = context,
                         .blob = text,
                         .stream = stream };
  g_autoptr (GVariant) answer = NULL;

  call.arguments[0] = g_variant_new_handle (0);
  call.arguments[1] = g_variant_new_handle (1);
  answer = reeve_wire_instance_call (REEVE_WIRE_INSTANCE (engine), &call, error);
  return answer != NULL;
}

gboolean
reeve_wire_engine_generate_text (ReeveLlmEngine *engine, ReeveLlmRequest *request, GBytes *text,
                                 ReeveContext *context, ReeveLlmDeltaFunc func, gpointer user_data,
                                 GError **error)
{
  ReeveWireDeltaTaker taker = { func, user_data };
  const ReeveWireStream stream = reeve_wire_delta_stream (&taker);
  ReeveWireEngineEnd end = REEVE_WIRE_ENGINE_TOO_LARGE;

  /* vectors of many texts are large; an answer too large for a message is asked for twice, and so
   * never from who may ask, and pay, somebody else for it */
  if (!reeve_llm_request_get_stream (request)
      && !reeve_wire_get_effects (reeve_wire_instance_get_wire (REEVE_WIRE_INSTANCE (engine)))
      && reeve_llm_request_get_task (request) == REEVE_LLM_TASK_CHAT
      && g_bytes_get_size (text) <= REEVE_WIRE_ENGINE_INLINE)
    end = reeve_wire_engine_answer (engine, text, context, &stream, error);
  return end == REEVE_WIRE_ENGINE_TOO_LARGE
             ? reeve_wire_engine_stream (engine, text, context, &stream, error)
             : end == REEVE_WIRE_ENGINE_ANSWERED;
}

static gboolean
reeve_wire_engine_generate (ReeveLlmEngine *engine, ReeveLlmRequest *request, ReeveContext *context,
                            ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  char *json = wire_llm_request_to_text (request);
  g_autoptr (GBytes) text = g_bytes_new_take (json, strlen (json));

  return reeve_wire_engine_generate_text (engine, request, text, context, func, user_data, error);
}

void
reeve_wire_engine_init (gpointer iface, gpointer data)
{
  ReeveLlmEngineInterface *engine = iface;

  engine->generate = reeve_wire_engine_generate;
}
