/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sent on the thread of the connections; whatever happens to it, whoever asked is told. */
#include "http-exchange.h"

typedef struct
{
  ReeveHttpExchangeSetup setup; /* request is a reference */
  ReeveHttpClient *http;        /* (nullable): after the shutdown */
  guint status;
  GByteArray *body;
} ReeveHttpExchange;

/* (transfer full) self */
static void
reeve_http_exchange_end (ReeveHttpExchange *self, const GError *error)
{
  const ReeveHttpExchangeSetup setup = self->setup;
  g_autoptr (GByteArray) body = self->body;
  guint status = self->status;

  g_clear_object (&self->http);
  g_free (self);
  setup.done (status, body, error, setup.user_data);
  reeve_http_request_unref (setup.request);
}

static void
reeve_http_exchange_on_head (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data)
{
  ((ReeveHttpExchange *) user_data)->status = reeve_http_response_get_status (head);
}

static void
reeve_http_exchange_on_data (ReeveUpstreamCall *call, const guint8 *data, gsize length,
                             gpointer user_data)
{
  g_byte_array_append (((ReeveHttpExchange *) user_data)->body, data, (guint) length);
}

static void
reeve_http_exchange_on_done (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  reeve_http_exchange_end (user_data, error);
}

static const ReeveUpstreamHandlers reeve_http_exchange_handlers = {
  .head = reeve_http_exchange_on_head,
  .data = reeve_http_exchange_on_data,
  .done = reeve_http_exchange_on_done,
};

/* On the thread. */
static gboolean
reeve_http_exchange_start (gpointer user_data)
{
  ReeveHttpExchange **slot = user_data;
  ReeveHttpExchange *self = g_steal_pointer (slot);
  guint timeout = self->setup.timeout_ms;
  const ReeveUpstreamOptions options = { .connect_ms = timeout,
                                         .first_byte_ms = timeout,
                                         .idle_ms = timeout,
                                         .total_ms = timeout,
                                         .max_response = self->setup.longest };

  if (self->setup.connections > 0)
    reeve_http_client_set_limits (self->http, self->setup.connections, self->setup.waiting,
                                  self->setup.keep_ms);
  reeve_upstream_start (REEVE_UPSTREAM (self->http), self->setup.request, &options,
                        &reeve_http_exchange_handlers, self);
  return G_SOURCE_REMOVE;
}

/* One that was never started: the host is shutting down. */
static void
reeve_http_exchange_drop (gpointer data)
{
  ReeveHttpExchange **slot = data;

  if (*slot != NULL)
    {
      g_autoptr (GError) error
          = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CANCELLED, "the host is shutting down");

      reeve_http_exchange_end (*slot, error);
    }
  g_free (slot);
}

/**
 * reeve_http_exchange_send:
 * @setup: what is sent, and who is told; copied, with a reference on the request
 *
 * Does not block.
 */
void
reeve_http_exchange_send (const ReeveHttpExchangeSetup *setup)
{
  ReeveHttpExchange *self = g_new0 (ReeveHttpExchange, 1);
  ReeveHttpExchange **slot = g_new (ReeveHttpExchange *, 1);

  self->setup = *setup;
  reeve_http_request_ref (setup->request);
  self->body = g_byte_array_new ();
  self->http = reeve_http_thread_ref_client (setup->thread, NULL);
  *slot = self;
  if (self->http != NULL)
    reeve_http_thread_submit (setup->thread, reeve_http_exchange_start, slot,
                              reeve_http_exchange_drop, NULL);
  else
    reeve_http_exchange_drop (slot);
}
