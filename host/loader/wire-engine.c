/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLlmEngine over the wire: pieces are handed over on the caller's thread, as they come. */
#include "wire-instance.h"

#include <string.h>
#include <unistd.h>

#include "wire/wire-blob.h"
#include "wire/wire-llm.h"
#include "wire/wire-method.h"

#define REEVE_WIRE_ENGINE_MAX_DELTA (16 * 1024 * 1024)
#define REEVE_WIRE_ENGINE_MAX_TOTAL (256 * 1024 * 1024)

typedef struct
{
  ReeveLlmDeltaFunc func;
  gpointer user_data;
} ReeveWireEngineTaker;

static gboolean
reeve_wire_engine_take (JsonObject *header, const guint8 *payload, gsize length, gpointer user_data,
                        GError **error)
{
  ReeveWireEngineTaker *taker = user_data;
  ReeveLlmDelta delta = { 0 };

  return wire_llm_read_delta (header, payload, length, &delta, error)
         && taker->func (&delta, taker->user_data, error);
}

static gboolean
reeve_wire_engine_generate (ReeveLlmEngine *engine, ReeveLlmRequest *request, ReeveContext *context,
                            ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  ReeveWireEngineTaker taker = { func, user_data };
  const ReeveWireStream stream = { .most = REEVE_WIRE_ENGINE_MAX_DELTA,
                                   .total = REEVE_WIRE_ENGINE_MAX_TOTAL,
                                   .func = reeve_wire_engine_take,
                                   .user_data = &taker };
  g_autofree char *text = wire_llm_request_to_text (request);
  int asked = wire_blob_new (text, strlen (text), error);
  ReeveWireCall call = { .interface = WIRE_METHOD_PREFIX "LlmEngine",
                         .member = "Generate",
                         .context = context,
                         .fds = &asked,
                         .n_fds = 1,
                         .stream = &stream };
  g_autoptr (GVariant) answer = NULL;

  if (asked < 0)
    return FALSE;
  call.arguments[0] = g_variant_new_handle (0);
  call.arguments[1] = g_variant_new_handle (1);
  answer = reeve_wire_instance_call (REEVE_WIRE_INSTANCE (engine), &call, error);
  close (asked);
  return answer != NULL;
}

void
reeve_wire_engine_init (gpointer iface, gpointer data)
{
  ReeveLlmEngineInterface *engine = iface;

  engine->generate = reeve_wire_engine_generate;
}
