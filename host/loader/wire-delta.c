/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One frame is one piece. */
#include "wire-delta.h"

#include <string.h>

#include "wire/wire-llm.h"

#define REEVE_WIRE_DELTA_MAX       (16 * 1024 * 1024)
#define REEVE_WIRE_DELTA_MAX_TOTAL (256 * 1024 * 1024)

static gboolean
reeve_wire_delta_take (JsonObject *header, const guint8 *payload, gsize length, gpointer user_data,
                       GError **error)
{
  ReeveWireDeltaTaker *taker = user_data;
  ReeveLlmDelta delta = { 0 };

  return wire_llm_read_delta (header, payload, length, &delta, error)
         && taker->func (&delta, taker->user_data, error);
}

ReeveWireStream
reeve_wire_delta_stream (ReeveWireDeltaTaker *taker)
{
  return (ReeveWireStream){ .most = REEVE_WIRE_DELTA_MAX,
                            .total = REEVE_WIRE_DELTA_MAX_TOTAL,
                            .func = reeve_wire_delta_take,
                            .user_data = taker };
}

GBytes *
reeve_wire_delta_write_request (ReeveLlmRequest *request)
{
  char *text = wire_llm_request_to_text (request);

  return g_bytes_new_take (text, strlen (text));
}
