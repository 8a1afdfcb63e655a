/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a request says, in the words of a call. */
#include "fill.h"

#include <string.h>

#include "forwarded.h"
#include "multipart.h"
#include "operations/call-trace.h"
#include "query.h"

static void
reeve_rest_fill_credentials (ReeveCall *call, ReeveRestMessage *msg, const ReeveRestShared *shared)
{
  SoupMessageHeaders *headers = reeve_rest_message_get_request_headers (msg);
  ReeveRestConnection *connection = reeve_rest_message_get_connection (msg);
  const char *authorization = soup_message_headers_get_one (headers, "Authorization");
  /* a list: two of them are no key, not one of the two */
  const char *key = soup_message_headers_get_list (headers, shared->key_header);
  const char *bearer = reeve_call_skip_scheme (authorization, "Bearer");
  const char *basic = reeve_call_skip_scheme (authorization, "Basic");
  const char *forwarded = soup_message_headers_get_list (headers, "X-Forwarded-For");
  g_autofree char *connected
      = connection == NULL ? reeve_rest_forwarded_dup_peer (reeve_rest_message_get_remote (msg))
                           : NULL;
  const char *peer = connection != NULL ? reeve_rest_connection_get_peer (connection) : connected;
  g_autofree char *caller = NULL;

  /* where nobody says otherwise, who is connected is who asks */
  if (forwarded != NULL)
    peer = caller = reeve_rest_forwarded_find (peer, forwarded, shared->proxies);
  if (bearer != NULL)
    reeve_call_set_credentials (call, "bearer", bearer, peer);
  else if (basic != NULL)
    reeve_call_set_credentials (call, "basic", basic, peer);
  else if (key != NULL)
    reeve_call_set_credentials (call, "api-key", key, peer);
  else if (authorization == NULL && connection != NULL
           && reeve_rest_connection_get_channel (connection)->peer != NULL)
    reeve_call_set_credentials (call, "certificate",
                                reeve_rest_connection_get_channel (connection)->peer, peer);
  else
    reeve_call_set_credentials (call, NULL, NULL, peer);
}

void
reeve_rest_fill_head (ReeveCall *call, ReeveRestMessage *msg, const ReeveRestShared *shared)
{
  SoupMessageHeaders *headers = reeve_rest_message_get_request_headers (msg);

  reeve_rest_fill_credentials (call, msg, shared);
  reeve_call_set_local (
      call, reeve_rest_forwarded_is_local (reeve_rest_message_get_remote (msg), headers));
  reeve_call_set_accept (call, soup_message_headers_get_list (headers, "Accept"));
  reeve_call_set_tenant_header (call, soup_message_headers_get_one (headers, "X-Tenant-ID"));
  reeve_call_set_idempotency_key (call, soup_message_headers_get_one (headers, "Idempotency-Key"));
  /* a list: two of them are none */
  reeve_call_trace_set (call, soup_message_headers_get_list (headers, "traceparent"),
                        soup_message_headers_get_list (headers, "tracestate"));
}

void
reeve_rest_fill_parameters (ReeveCall *call, const ReeveRestMatch *match, const char *target)
{
  g_autofree char *path = g_strndup (target, strcspn (target, "?"));

  reeve_call_set_instance (call, path);
  for (guint i = 0; i < match->length; i++)
    reeve_call_set_path_member (call, match->names[i], match->values[i]);
  reeve_rest_query_give (target, call);
}

void
reeve_rest_fill_call (ReeveCall *call, ReeveRestMessage *msg, const ReeveRestShared *shared,
                      const ReeveRestMatch *match, const char *target, GBytes *body)
{
  SoupMessageHeaders *headers = reeve_rest_message_get_request_headers (msg);
  const char *media_type = soup_message_headers_get_one (headers, "Content-Type");

  reeve_rest_fill_head (call, msg, shared);
  reeve_rest_fill_parameters (call, match, target);
  reeve_call_set_body (call, media_type, body);
  if (match->operation->flags & REEVE_OPERATION_MULTIPART)
    reeve_rest_multipart_read (call, media_type, body);
}
