/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface of readers of one model response. */
#include "reeve-llm.h"

#include "reeve-outcome.h"

/**
 * ReeveLlmDecoder:
 *
 * Reads one response of a model service, piece by piece. Used by one thread at a time; never
 * blocks.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (ReeveLlmDecoder, reeve_llm_decoder, G_TYPE_OBJECT)

static void
reeve_llm_decoder_default_init (ReeveLlmDecoderInterface *iface)
{
}

/**
 * reeve_llm_decoder_begin:
 * @self: a reader
 * @head: status and headers; the body is empty as yet
 * @error: return location
 *
 * To be called once, first. A reader without that function takes any head.
 *
 * Returns: %FALSE with an error when the answer cannot be read by it at all; an error status may
 * also wait for the body
 *
 * Since: 1.0
 */
gboolean
reeve_llm_decoder_begin (ReeveLlmDecoder *self, ReeveHttpResponse *head, GError **error)
{
  GError *problem = NULL;
  ReeveLlmDecoderInterface *iface = NULL;
  gboolean success = FALSE;

  g_return_val_if_fail (REEVE_IS_LLM_DECODER (self) && head != NULL, FALSE);

  iface = REEVE_LLM_DECODER_GET_IFACE (self);
  if (iface->begin == NULL)
    return TRUE;
  success = iface->begin (self, head, &problem);
  return reeve_outcome_settle (success, problem, self, "begin", error);
}

/**
 * reeve_llm_decoder_feed:
 * @self: a reader
 * @data: (array length=length): bytes of the body, cut anywhere
 * @length: their number
 * @func: (scope call): receives what the bytes complete
 * @user_data: closure
 * @error: return location
 *
 * Returns: %FALSE with an error, after which nothing more may be fed
 *
 * Since: 1.0
 */
gboolean
reeve_llm_decoder_feed (ReeveLlmDecoder *self, const guint8 *data, gsize length,
                        ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  GError *problem = NULL;
  ReeveLlmDecoderInterface *iface = NULL;
  gboolean success = FALSE;

  g_return_val_if_fail (REEVE_IS_LLM_DECODER (self) && func != NULL, FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);

  iface = REEVE_LLM_DECODER_GET_IFACE (self);
  if (iface->feed == NULL)
    {
      reeve_outcome_unsupported (self, "feed", error);
      return FALSE;
    }
  success = iface->feed (self, data, length, func, user_data, &problem);
  return reeve_outcome_settle (success, problem, self, "feed", error);
}

/**
 * reeve_llm_decoder_finish:
 * @self: a reader
 * @func: (scope call): receives the rest
 * @user_data: closure
 * @error: return location
 *
 * To be called once, when the body ended.
 *
 * Returns: %FALSE with %REEVE_ERROR_UPSTREAM when it ended in mid-answer, or with the error that
 * the service answered
 *
 * Since: 1.0
 */
gboolean
reeve_llm_decoder_finish (ReeveLlmDecoder *self, ReeveLlmDeltaFunc func, gpointer user_data,
                          GError **error)
{
  GError *problem = NULL;
  ReeveLlmDecoderInterface *iface = NULL;
  gboolean success = FALSE;

  g_return_val_if_fail (REEVE_IS_LLM_DECODER (self) && func != NULL, FALSE);

  iface = REEVE_LLM_DECODER_GET_IFACE (self);
  if (iface->finish == NULL)
    {
      reeve_outcome_unsupported (self, "finish", error);
      return FALSE;
    }
  success = iface->finish (self, func, user_data, &problem);
  return reeve_outcome_settle (success, problem, self, "finish", error);
}
