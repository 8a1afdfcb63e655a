/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what a door was given to one validated object of parameters. */
#pragma once

#include "call-private.h"
#include "schema-cache.h"

G_BEGIN_DECLS

/* a longer body of a compatible door is not kept */
#define REEVE_GATE_PARAMS_KEPT (256 * 1024)

/* Any thread; no I/O. REEVE_ERROR_INVALID_ARGUMENT with the faults in the call,
 * REEVE_ERROR_UNSUPPORTED_MEDIA. */
gboolean reeve_gate_params_prepare (ReeveCall *call, ReeveSchemaCache *schemas, GError **error);
/* (transfer full) (nullable): what the ledger is to keep of the arguments, where it keeps any */
JsonNode *reeve_gate_params_make_body (ReeveCall *call);
gboolean reeve_gate_params_has_secrets (const ReeveOperation *operation);
/* (transfer full) hexadecimal digest of parameters, body and parts */
char *reeve_gate_params_digest (ReeveCall *call);
/* The same of a call that is not prepared: of what was written. Any thread; no I/O. */
char *reeve_gate_params_digest_told (ReeveCall *call);

G_END_DECLS
