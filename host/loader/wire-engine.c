/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLlmEngine over the wire: pieces are handed over on the caller's thread, as they come. */
#include "wire-instance.h"

#include <unistd.h>

#include "wire/wire-method.h"

#include "wire-delta.h"

static gboolean
reeve_wire_engine_generate (ReeveLlmEngine *engine, ReeveLlmRequest *request, ReeveContext *context,
                            ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  ReeveWireDeltaTaker taker = { func, user_data };
  const ReeveWireStream stream = reeve_wire_delta_stream (&taker);
  int asked = reeve_wire_delta_write_request (request, error);
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
