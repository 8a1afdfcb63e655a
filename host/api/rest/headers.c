/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Set when libsoup begins to read a request, so that a refusal of what is no HTTP has them too. */
#include "headers.h"

/* the page /docs loads its own script and style */
#define REEVE_REST_HEADERS_PAGE_POLICY                                                             \
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "                  \
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

void
reeve_rest_headers_set_page (SoupMessageHeaders *headers)
{
  soup_message_headers_replace (headers, "Content-Security-Policy", REEVE_REST_HEADERS_PAGE_POLICY);
  soup_message_headers_replace (headers, "Cross-Origin-Opener-Policy", "same-origin");
  soup_message_headers_replace (headers, "Permissions-Policy",
                                "camera=(), geolocation=(), microphone=()");
}

/* Only an encrypted answer may ask for encryption (RFC 6797, 7.2). */
static void
reeve_rest_headers_set_transport (SoupMessageHeaders *headers, ReeveRestConnection *connection,
                                  const ReeveRestShared *shared)
{
  gint64 seconds = shared->tls != NULL ? reeve_rest_tls_get_hsts (shared->tls) : 0;
  char value[64] = { 0 };

  if (seconds <= 0 || connection == NULL
      || !reeve_rest_connection_get_channel (connection)->encrypted)
    return;
  g_snprintf (value, sizeof value, "max-age=%" G_GINT64_FORMAT, seconds);
  soup_message_headers_append (headers, "Strict-Transport-Security", value);
}

static void
reeve_rest_headers_on_started (SoupServer *server, SoupServerMessage *msg, gpointer user_data)
{
  /* what stands before the first line break is skipped */
  static const char lines[] = "\r\n" REEVE_REST_HEADERS_STANDING REEVE_REST_HEADERS_POLICY_LINE;
  const ReeveRestShared *shared = user_data;
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (msg);
  GSocketAddress *remote = soup_server_message_get_remote_address (msg);

  (void) soup_headers_parse (lines, sizeof lines - 1, headers);
  reeve_rest_headers_set_transport (
      headers, remote != NULL ? reeve_rest_connection_from_address (remote) : NULL, shared);
}

void
reeve_rest_headers_set (SoupMessageHeaders *headers, ReeveRestConnection *connection,
                        ReeveRestThread *thread)
{
  reeve_rest_headers_set_transport (headers, connection, reeve_rest_thread_get_shared (thread));
  soup_message_headers_append (headers, "Date", reeve_rest_thread_get_date (thread));
}

const char *
reeve_rest_headers_get_standing (SoupMessageHeaders *headers)
{
  return soup_message_headers_get_one (headers, "Content-Security-Policy") != NULL
             ? REEVE_REST_HEADERS_STANDING
             : REEVE_REST_HEADERS_STANDING REEVE_REST_HEADERS_POLICY_LINE;
}

void
reeve_rest_headers_install (SoupServer *server, const ReeveRestShared *shared)
{
  g_signal_connect (server, "request-started", G_CALLBACK (reeve_rest_headers_on_started),
                    (gpointer) shared);
}
