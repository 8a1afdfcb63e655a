/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveOpaClient: asks an Open Policy Agent over its REST API; a ReevePolicyAdviser. All its calls
 * stand on one thread of its own, so that there is one bound on connections, and one memory of when
 * it was not reached. Any thread. */
#pragma once

#include "governance/policy-adviser.h"

#include "http-trust.h"

G_BEGIN_DECLS

#define REEVE_TYPE_OPA_CLIENT (reeve_opa_client_get_type ())
G_DECLARE_FINAL_TYPE (ReeveOpaClient, reeve_opa_client, REEVE, OPA_CLIENT, GObject)

/* longest question, in bytes; a longer one is answered with no */
#define REEVE_OPA_CLIENT_LONGEST ((gsize) 1024 * 1024)

/* As of the configuration, policy.opa. Everything is copied. */
typedef struct
{
  const char *url;
  const char *path;  /* {tenant} stands for the tenant whose call it is */
  const char *token; /* (nullable) */
  const char *ca;    /* (nullable): file; else the trust that is given besides */
  guint timeout_ms;
  guint backoff_ms;
  gboolean closed; /* not reached: no */
} ReeveOpaClientSettings;

ReeveOpaClient *reeve_opa_client_new (const ReeveOpaClientSettings *settings,
                                      ReeveHttpTrust *trust);
/* Answers what is under way: not reached. */
void reeve_opa_client_shutdown (ReeveOpaClient *self);

G_END_DECLS
