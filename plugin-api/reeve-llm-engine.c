/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface of engines: models that compute where they are loaded. */
#include "reeve-llm.h"

#include "reeve-outcome.h"

/**
 * ReeveLlmEngine:
 *
 * A model that computes in its own process. Functions block and may be called from several threads
 * at once.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (ReeveLlmEngine, reeve_llm_engine, G_TYPE_OBJECT)

static void
reeve_llm_engine_default_init (ReeveLlmEngineInterface *iface)
{
}

/**
 * reeve_llm_engine_generate:
 * @self: an engine
 * @request: what is asked
 * @context: context of the call
 * @func: (scope call): receives the answer as it comes, on the calling thread
 * @user_data: closure
 * @error: return location
 *
 * Returns: %FALSE with an error; when @func stopped it, with the error that @func set
 *
 * Since: 1.0
 */
gboolean
reeve_llm_engine_generate (ReeveLlmEngine *self, ReeveLlmRequest *request, ReeveContext *context,
                           ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  GError *problem = NULL;
  ReeveLlmEngineInterface *iface = NULL;
  gboolean success = FALSE;

  g_return_val_if_fail (REEVE_IS_LLM_ENGINE (self) && REEVE_IS_CONTEXT (context), FALSE);
  g_return_val_if_fail (request != NULL && func != NULL, FALSE);

  iface = REEVE_LLM_ENGINE_GET_IFACE (self);
  if (iface->generate == NULL)
    {
      reeve_outcome_unsupported (self, "generate", error);
      return FALSE;
    }
  success = iface->generate (self, request, context, func, user_data, &problem);
  return reeve_outcome_settle (success, problem, self, "generate", error);
}
