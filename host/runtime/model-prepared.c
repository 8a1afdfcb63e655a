/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a provider is to be asked, made of what a caller asks. */
#include "model-prepared.h"

/* The request as the provider understands it: its own name of the model, its defaults. */
static ReeveLlmRequest *
reeve_model_prepared_adapt (ReeveLlmRequest *request, ReeveModelProvider *provider,
                            const char *name)
{
  guint max_tokens = reeve_llm_request_get_max_tokens (request);
  ReeveLlmRequest *adapted = NULL;

  if (reeve_llm_request_get_raw (request) != NULL)
    return reeve_models_readdress (request, name, max_tokens);
  adapted
      = reeve_models_readdress (request, name, max_tokens > 0 ? max_tokens : provider->max_tokens);
  if (reeve_llm_request_get_temperature (request) < 0)
    reeve_llm_request_set_temperature (adapted, provider->temperature);
  return adapted;
}

/**
 * reeve_model_prepared_new:
 * @provider: who is asked
 * @name: the model, as the provider knows it
 * @asked: what is asked
 *
 * Returns: (transfer full): it, not encoded
 */
ReeveModelPrepared *
reeve_model_prepared_new (ReeveModelProvider *provider, const char *name, ReeveLlmRequest *asked)
{
  ReeveModelPrepared *self = g_new0 (ReeveModelPrepared, 1);

  self->provider = reeve_model_provider_ref (provider);
  self->full = g_strconcat (provider->id, "/", name, NULL);
  self->asked = reeve_llm_request_ref (asked);
  self->request = reeve_model_prepared_adapt (asked, provider, name);
  return self;
}

/**
 * reeve_model_prepared_free:
 * @self: (transfer full): what was prepared; nothing of it has left
 */
void
reeve_model_prepared_free (ReeveModelPrepared *self)
{
  g_clear_pointer (&self->http, reeve_http_request_unref);
  g_clear_pointer (&self->text, g_bytes_unref);
  reeve_llm_request_unref (self->request);
  reeve_llm_request_unref (self->asked);
  reeve_model_provider_unref (self->provider);
  g_free (self->full);
  g_free (self);
}

/**
 * reeve_model_prepared_is_of:
 * @self: what was prepared
 * @asked: what was admitted
 *
 * The body of a request is set before anybody is given it, and then is the one whose digest is in
 * the intent; what a budget leaves of the answer's length may be set later.
 *
 * Returns: %FALSE when it was made of something else
 */
gboolean
reeve_model_prepared_is_of (const ReeveModelPrepared *self, ReeveLlmRequest *asked)
{
  guint limit = reeve_llm_request_get_max_tokens (asked);

  if (self->asked != asked
      || reeve_llm_request_get_raw (self->request) != reeve_llm_request_get_raw (asked))
    return FALSE;
  return limit == 0 || limit == reeve_llm_request_get_max_tokens (self->request);
}
