/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots that a plugin's request names, filled by the host: which secret, whether it is for that
 * place, and what becomes of the request. */
#pragma once

#include "governance/plugin-secrets.h"
#include "loader/capabilities.h"

#include "credential-scheme.h"
#include "net-guard.h"
#include "oauth-tokens.h"

G_BEGIN_DECLS

/* slots that a request may name */
#define REEVE_NET_CREDENTIAL_MAX 8

/* Where secrets come from. */
typedef struct
{
  ReevePluginSecrets *secrets; /* (nullable): there is no store */
  ReeveOauthTokens *tokens;
} ReeveNetCredentialSource;

/* (transfer full) (nullable): what the slots of @request put into it; empty where it names none.
 * %REEVE_ERROR_CAPABILITY: the slot is empty; %REEVE_ERROR_PERMISSION_DENIED: it is not for that
 * place. No message has anything of a secret. */
ReeveCredentialHeaders *reeve_net_credential_find (const ReeveCapabilityCaller *caller,
                                                   ReeveHttpRequest *request,
                                                   const ReeveNetCredentialSource *source,
                                                   GError **error);
/* The server did not take what was attached. */
void reeve_net_credential_forget (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request,
                                  const ReeveNetCredentialSource *source);

G_END_DECLS
