/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface of codecs: remote model services, without any input or output of their own. */
#include "reeve-llm.h"

#include "reeve-outcome.h"

/**
 * ReeveLlmCodec:
 *
 * A remote model service, sans I/O: turns requests into bytes and bytes into pieces of an answer.
 * Pure, bounded and thread-safe; the host owns sockets, TLS and credentials.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (ReeveLlmCodec, reeve_llm_codec, G_TYPE_OBJECT)

static void
reeve_llm_codec_default_init (ReeveLlmCodecInterface *iface)
{
}

/**
 * reeve_llm_codec_encode:
 * @self: a codec
 * @request: what is asked
 * @error: return location
 *
 * Returns: (transfer full): the HTTP request that asks it, without credentials where the host holds
 * them; %NULL with %REEVE_ERROR_UNSUPPORTED for a task that the service does not offer, or
 * %REEVE_ERROR_INVALID_ARGUMENT
 *
 * Since: 1.0
 */
ReeveHttpRequest *
reeve_llm_codec_encode (ReeveLlmCodec *self, ReeveLlmRequest *request, GError **error)
{
  g_autoptr (ReeveHttpRequest) encoded = NULL;
  GError *problem = NULL;
  ReeveLlmCodecInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_LLM_CODEC (self) && request != NULL, NULL);

  iface = REEVE_LLM_CODEC_GET_IFACE (self);
  if (iface->encode == NULL)
    {
      reeve_outcome_unsupported (self, "encode", error);
      return NULL;
    }
  encoded = iface->encode (self, request, &problem);
  if (!reeve_outcome_settle (encoded != NULL, problem, self, "encode", error))
    return NULL;
  return g_steal_pointer (&encoded);
}

/**
 * reeve_llm_codec_decoder:
 * @self: a codec
 * @request: what was asked
 *
 * Returns: (transfer full): a reader of the response to @request
 *
 * Since: 1.0
 */
ReeveLlmDecoder *
reeve_llm_codec_decoder (ReeveLlmCodec *self, ReeveLlmRequest *request)
{
  ReeveLlmCodecInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_LLM_CODEC (self) && request != NULL, NULL);

  iface = REEVE_LLM_CODEC_GET_IFACE (self);
  g_return_val_if_fail (iface->decoder != NULL, NULL);
  return iface->decoder (self, request);
}
