/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request to an Open Policy Agent, and what its answer advises. Any thread. */
#pragma once

#include "governance/policy-advice.h"

#include "http-thread.h"

G_BEGIN_DECLS

/* @advice: (transfer full). @ours: that there is none tells of this host, not of the other side. */
typedef void (*ReeveOpaRequestDone) (ReevePolicyAdvice *advice, gboolean ours, gpointer user_data);

typedef struct
{
  ReeveHttpThread *thread; /* outlives the request */
  ReeveHttpRequest *request;
  guint timeout_ms;
  gboolean health; /* status 200 is all that is asked for */
  ReeveOpaRequestDone done;
  gpointer user_data;
} ReeveOpaRequestSetup;

/* done() is called exactly once, on any thread, also before this returns. */
void reeve_opa_request_send (const ReeveOpaRequestSetup *setup);

G_END_DECLS
