/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AWS Signature Version 4 of a request, in the header Authorization: what S3, Bedrock and all other
 * services of that maker, and many that speak like them, know a caller by. Pure. */
#pragma once

#include "credential-headers.h"

G_BEGIN_DECLS

typedef struct
{
  const char *access_key_id;
  const char *secret_access_key;
  const char *session_token; /* (nullable): of a temporary key */
  const char *region;
  const char *service;
} ReeveAwsSignatureKey;

/* What @request lacks to be taken at @now (seconds since the epoch): date, digest, token,
 * signature. %REEVE_ERROR_INVALID_ARGUMENT: no such address can be signed */
gboolean reeve_aws_signature_add (const ReeveAwsSignatureKey *key, ReeveHttpRequest *request,
                                  gint64 now, ReeveCredentialHeaders *headers, GError **error);

G_END_DECLS
