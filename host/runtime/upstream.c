/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface behind which an HTTP client for upstream traffic stands. */
#include "upstream.h"

G_DEFINE_INTERFACE (ReeveUpstream, reeve_upstream, G_TYPE_OBJECT)

static void
reeve_upstream_default_init (ReeveUpstreamInterface *iface)
{
}

/**
 * reeve_upstream_warm:
 * @self: an upstream
 * @request: what will be sent there
 * @options: (nullable): its limits
 *
 * Opens a connection to where @request would go, unless one stands there idle or is being opened.
 * Nothing of @request is sent, and nobody is told when that fails: who starts a call is.
 */
void
reeve_upstream_warm (ReeveUpstream *self, ReeveHttpRequest *request,
                     const ReeveUpstreamOptions *options)
{
  g_return_if_fail (REEVE_IS_UPSTREAM (self));
  REEVE_UPSTREAM_GET_IFACE (self)->warm (self, request, options);
}

/**
 * reeve_upstream_start:
 * @self: an upstream
 * @request: the request; kept until the call ends
 * @options: (nullable): limits; copied
 * @handlers: callbacks; the struct must outlive the call
 * @user_data: for the callbacks
 *
 * Sends @request. It is never sent a second time once a byte of it was written, unless it says it
 * is idempotent. Errors are told through done(): %REEVE_ERROR_INVALID_ARGUMENT (the request cannot
 * be sent), %REEVE_ERROR_UNAVAILABLE (nothing was sent), %REEVE_ERROR_UNKNOWN_OUTCOME (sent, no
 * answer), %REEVE_ERROR_TIMEOUT, %REEVE_ERROR_UPSTREAM (a broken answer), %REEVE_ERROR_TOO_LARGE,
 * %REEVE_ERROR_BUSY (too many calls wait), %REEVE_ERROR_CANCELLED (shut down).
 *
 * Returns: (transfer none): the call, never %NULL
 */
ReeveUpstreamCall *
reeve_upstream_start (ReeveUpstream *self, ReeveHttpRequest *request,
                      const ReeveUpstreamOptions *options, const ReeveUpstreamHandlers *handlers,
                      gpointer user_data)
{
  g_return_val_if_fail (REEVE_IS_UPSTREAM (self), NULL);
  return REEVE_UPSTREAM_GET_IFACE (self)->start (self, request, options, handlers, user_data);
}

/**
 * reeve_upstream_call_pause:
 * @call: a call
 *
 * Stops reading its answer, so that the peer is slowed down. Twice is as once.
 */
void
reeve_upstream_call_pause (ReeveUpstreamCall *call)
{
  REEVE_UPSTREAM_GET_IFACE (call->upstream)->pause (call->upstream, call);
}

/**
 * reeve_upstream_call_resume:
 * @call: a call
 *
 * Reads on; callbacks come from the main context, never from within this function.
 */
void
reeve_upstream_call_resume (ReeveUpstreamCall *call)
{
  REEVE_UPSTREAM_GET_IFACE (call->upstream)->resume (call->upstream, call);
}

/**
 * reeve_upstream_call_cancel:
 * @call: a call; invalid afterwards
 *
 * Ends it without any further callback and closes its connection.
 */
void
reeve_upstream_call_cancel (ReeveUpstreamCall *call)
{
  REEVE_UPSTREAM_GET_IFACE (call->upstream)->cancel (call->upstream, call);
}

/**
 * reeve_upstream_call_get_progress:
 * @call: a call
 *
 * Returns: what may have happened on the other side
 */
ReeveUpstreamProgress
reeve_upstream_call_get_progress (ReeveUpstreamCall *call)
{
  return call->progress;
}
