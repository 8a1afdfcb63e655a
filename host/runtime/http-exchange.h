/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request to a service that the host itself asks, with an end to its time and to its answer. */
#pragma once

#include "http-thread.h"

G_BEGIN_DECLS

/* @body: borrowed, what came of it. @error: (nullable): why there is no answer, or not all of it;
 * %REEVE_ERROR_CANCELLED: the host is shutting down. */
typedef void (*ReeveHttpExchangeDone) (guint status, const GByteArray *body, const GError *error,
                                       gpointer user_data);

typedef struct
{
  ReeveHttpThread *thread; /* outlives the request */
  ReeveHttpRequest *request;
  guint timeout_ms;  /* for all of it */
  gsize longest;     /* an answer that is longer is an error */
  guint connections; /* to such services, with the next two; 0: as the client has them */
  guint waiting;
  guint keep_ms;
  ReeveHttpExchangeDone done;
  gpointer user_data;
} ReeveHttpExchangeSetup;

/* done() is called exactly once, on any thread, also before this returns. */
void reeve_http_exchange_send (const ReeveHttpExchangeSetup *setup);

G_END_DECLS
