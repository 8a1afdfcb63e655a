/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sent on a thread of its own; whatever happens to it, whoever asked gets his answer. */
#include "opa-request.h"

#include "governance/opa-answer.h"

#define REEVE_OPA_REQUEST_CONNECTIONS 16
#define REEVE_OPA_REQUEST_WAITING     1024
#define REEVE_OPA_REQUEST_KEEP_MS     30000

typedef struct
{
  ReeveOpaRequestSetup setup; /* request is a reference */
  ReeveHttpClient *http;      /* (nullable): after the shutdown */
  guint status;
  GByteArray *body;
} ReeveOpaRequest;

/* (transfer full) self and advice */
static void
reeve_opa_request_end (ReeveOpaRequest *self, ReevePolicyAdvice *advice, gboolean ours)
{
  const ReeveOpaRequestSetup setup = self->setup;

  g_clear_object (&self->http);
  g_byte_array_unref (self->body);
  g_free (self);
  setup.done (advice, ours, setup.user_data);
  reeve_http_request_unref (setup.request);
}

static void
reeve_opa_request_on_head (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data)
{
  ((ReeveOpaRequest *) user_data)->status = reeve_http_response_get_status (head);
}

static void
reeve_opa_request_on_data (ReeveUpstreamCall *call, const guint8 *data, gsize length,
                           gpointer user_data)
{
  g_byte_array_append (((ReeveOpaRequest *) user_data)->body, data, (guint) length);
}

static ReevePolicyAdvice *
reeve_opa_request_read (ReeveOpaRequest *self, const GError *error)
{
  /* one that is too long came all the same */
  if (error != NULL)
    return reeve_policy_advice_new (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE)
                                        ? REEVE_POLICY_ADVICE_UNREADABLE
                                        : REEVE_POLICY_ADVICE_UNREACHABLE,
                                    error->message);
  if (self->setup.health && self->status == 200)
    return reeve_policy_advice_new (REEVE_POLICY_ADVICE_ALLOW, NULL);
  return reeve_opa_answer_read (self->status, (const char *) self->body->data, self->body->len);
}

static void
reeve_opa_request_on_done (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  gboolean ours = g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUSY)
                  || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);

  reeve_opa_request_end (user_data, reeve_opa_request_read (user_data, error), ours);
}

static const ReeveUpstreamHandlers reeve_opa_request_handlers = {
  .head = reeve_opa_request_on_head,
  .data = reeve_opa_request_on_data,
  .done = reeve_opa_request_on_done,
};

/* On the thread. */
static gboolean
reeve_opa_request_start (gpointer user_data)
{
  ReeveOpaRequest **slot = user_data;
  ReeveOpaRequest *self = g_steal_pointer (slot);
  guint timeout = self->setup.timeout_ms;
  const ReeveUpstreamOptions options = { .connect_ms = timeout,
                                         .first_byte_ms = timeout,
                                         .idle_ms = timeout,
                                         .total_ms = timeout,
                                         .max_response = REEVE_OPA_ANSWER_LONGEST };

  reeve_http_client_set_limits (self->http, REEVE_OPA_REQUEST_CONNECTIONS,
                                REEVE_OPA_REQUEST_WAITING, REEVE_OPA_REQUEST_KEEP_MS);
  reeve_upstream_start (REEVE_UPSTREAM (self->http), self->setup.request, &options,
                        &reeve_opa_request_handlers, self);
  return G_SOURCE_REMOVE;
}

/* One that was never started: the host is shutting down. */
static void
reeve_opa_request_drop (gpointer data)
{
  ReeveOpaRequest **slot = data;

  if (*slot != NULL)
    reeve_opa_request_end (
        *slot,
        reeve_policy_advice_new (REEVE_POLICY_ADVICE_UNREACHABLE, "the host is shutting down"),
        TRUE);
  g_free (slot);
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
  ReeveOpaRequest *self = g_new0 (ReeveOpaRequest, 1);
  ReeveOpaRequest **slot = g_new (ReeveOpaRequest *, 1);

  self->setup = *setup;
  reeve_http_request_ref (setup->request);
  self->body = g_byte_array_new ();
  self->http = reeve_http_thread_ref_client (setup->thread, NULL);
  *slot = self;
  if (self->http != NULL)
    reeve_http_thread_submit (setup->thread, reeve_opa_request_start, slot, reeve_opa_request_drop,
                              NULL);
  else
    reeve_opa_request_drop (slot);
}
