/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers that every answer has, those that libsoup gives by itself among them. */
#pragma once

#include "connection.h"
#include "thread.h"

G_BEGIN_DECLS

/* nothing but what a document of ours needs */
#define REEVE_REST_HEADERS_POLICY                                                                  \
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/* The same for an answer that libsoup does not write. */
void reeve_rest_headers_set (SoupMessageHeaders *headers, ReeveRestConnection *connection,
                             ReeveRestThread *thread);
void reeve_rest_headers_install (SoupServer *server, const ReeveRestShared *shared);
/* The answer is a page: it may load its own script and style. */
void reeve_rest_headers_set_page (SoupMessageHeaders *headers);

G_END_DECLS
