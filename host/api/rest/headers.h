/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers that every answer has, those that libsoup gives by itself among them. */
#pragma once

#include "connection.h"
#include "thread.h"

G_BEGIN_DECLS

/* nothing but what a document of ours needs */
#define REEVE_REST_HEADERS_POLICY                                                                  \
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/* What every answer has, as lines; the policy, which a page has another one of, comes besides. */
#define REEVE_REST_HEADERS_STANDING                                                                \
  "X-Content-Type-Options: nosniff\r\n"                                                            \
  "X-Frame-Options: DENY\r\n"                                                                      \
  "Referrer-Policy: no-referrer\r\n"                                                               \
  "Cache-Control: no-store\r\n"                                                                    \
  "Cross-Origin-Resource-Policy: same-origin\r\n"
#define REEVE_REST_HEADERS_POLICY_LINE "Content-Security-Policy: " REEVE_REST_HEADERS_POLICY "\r\n"

/* For an answer that libsoup does not write: those that are not the same in every one. */
void reeve_rest_headers_set (SoupMessageHeaders *headers, ReeveRestConnection *connection,
                             ReeveRestThread *thread);
/* (transfer none): those that are, to go before @headers */
const char *reeve_rest_headers_get_standing (SoupMessageHeaders *headers);
void reeve_rest_headers_install (SoupServer *server, const ReeveRestShared *shared);
/* The answer is a page: it may load its own script and style. */
void reeve_rest_headers_set_page (SoupMessageHeaders *headers);

G_END_DECLS
