/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what a door was given to one validated object of parameters. */
#pragma once

#include "call-private.h"
#include "schema-cache.h"

G_BEGIN_DECLS

/* Any thread; no I/O. REEVE_ERROR_INVALID_ARGUMENT with the faults in the call,
 * REEVE_ERROR_UNSUPPORTED_MEDIA. */
gboolean reeve_gate_params_prepare (ReeveCall *call, ReeveSchemaCache *schemas, GError **error);
/* (transfer full) parameters that are not secret */
JsonNode *reeve_gate_params_make_public (ReeveCall *call);
/* (transfer full) hexadecimal digest of parameters, body and parts */
char *reeve_gate_params_digest (ReeveCall *call);

G_END_DECLS
