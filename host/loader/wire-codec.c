/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLlmCodec over the wire: an HTTP request comes back as one frame, for it may be large. */
#include "wire-instance.h"

#include <unistd.h>

#include "wire/wire-http.h"
#include "wire/wire-method.h"

#include "wire-decoder.h"
#include "wire-delta.h"

#define REEVE_WIRE_CODEC_MAX_BODY (64 * 1024 * 1024)

static gboolean
reeve_wire_codec_take (JsonObject *header, const guint8 *payload, gsize length, gpointer user_data,
                       GError **error)
{
  ReeveHttpRequest **request = user_data;
  g_autoptr (GBytes) body = g_bytes_new (payload, length);

  if (*request != NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "it encodes one request as two");
      return FALSE;
    }
  *request = wire_http_request_from_object (header, error);
  if (*request == NULL)
    return FALSE;
  if (length > 0)
    reeve_http_request_set_body (*request, NULL, body);
  return TRUE;
}

static ReeveHttpRequest *
reeve_wire_codec_encode (ReeveLlmCodec *codec, ReeveLlmRequest *request, GError **error)
{
  g_autoptr (ReeveContext) context = reeve_wire_decoder_make_context ();
  g_autoptr (ReeveHttpRequest) encoded = NULL;
  g_autoptr (GVariant) answer = NULL;
  const ReeveWireStream stream = { .most = REEVE_WIRE_CODEC_MAX_BODY,
                                   .total = REEVE_WIRE_CODEC_MAX_BODY + WIRE_STREAM_MAX_HEADER,
                                   .func = reeve_wire_codec_take,
                                   .user_data = &encoded };
  g_autoptr (GBytes) asked = reeve_wire_delta_write_request (request);
  ReeveWireCall call = { .interface = WIRE_METHOD_PREFIX "LlmCodec",
                         .member = "Encode",
                         .context = context,
                         .blob = asked,
                         .stream = &stream };

  call.arguments[0] = g_variant_new_handle (0);
  call.arguments[1] = g_variant_new_handle (1);
  answer = reeve_wire_instance_call (REEVE_WIRE_INSTANCE (codec), &call, error);
  if (answer == NULL)
    return NULL;
  if (encoded == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "it encodes a request as nothing");
  return g_steal_pointer (&encoded);
}

static ReeveLlmDecoder *
reeve_wire_codec_decoder (ReeveLlmCodec *codec, ReeveLlmRequest *request)
{
  return reeve_wire_decoder_new (REEVE_WIRE_INSTANCE (codec), request);
}

void
reeve_wire_codec_init (gpointer iface, gpointer data)
{
  ReeveLlmCodecInterface *codec = iface;

  codec->encode = reeve_wire_codec_encode;
  codec->decoder = reeve_wire_codec_decoder;
}
