/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The question goes as any of the host's own; here is what its answer advises. */
#include "opa-request.h"

#include "governance/opa-answer.h"

#include "http-exchange.h"

#define REEVE_OPA_REQUEST_CONNECTIONS 16
#define REEVE_OPA_REQUEST_WAITING     1024
#define REEVE_OPA_REQUEST_KEEP_MS     30000

static ReevePolicyAdvice *
reeve_opa_request_read (const ReeveOpaRequestSetup *self, guint status, const GByteArray *body,
                        const GError *error)
{
  /* one that is too long came all the same */
  if (error != NULL)
    return reeve_policy_advice_new (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE)
                                        ? REEVE_POLICY_ADVICE_UNREADABLE
                                        : REEVE_POLICY_ADVICE_UNREACHABLE,
                                    error->message);
  if (self->health && status == 200)
    return reeve_policy_advice_new (REEVE_POLICY_ADVICE_ALLOW, NULL);
  return reeve_opa_answer_read (status, (const char *) body->data, body->len);
}

static void
reeve_opa_request_on_done (guint status, const GByteArray *body, const GError *error,
                           gpointer user_data)
{
  g_autofree ReeveOpaRequestSetup *self = user_data;
  gboolean ours = g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUSY)
                  || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);

  self->done (reeve_opa_request_read (self, status, body, error), ours, self->user_data);
}

/**
 * reeve_opa_request_send:
 * @setup: what is sent, and who is told; copied, with a reference on the request
 *
 * Does not block.
 */
void
reeve_opa_request_send (const ReeveOpaRequestSetup *setup)
{
  const ReeveHttpExchangeSetup exchange = {
    .thread = setup->thread,
    .request = setup->request,
    .timeout_ms = setup->timeout_ms,
    .longest = REEVE_OPA_ANSWER_LONGEST,
    .connections = REEVE_OPA_REQUEST_CONNECTIONS,
    .waiting = REEVE_OPA_REQUEST_WAITING,
    .keep_ms = REEVE_OPA_REQUEST_KEEP_MS,
    .done = reeve_opa_request_on_done,
    .user_data = g_memdup2 (setup, sizeof *setup),
  };

  reeve_http_exchange_send (&exchange);
}
