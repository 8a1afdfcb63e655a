/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new signing key for the ledger. */
#pragma once

#include "admission.h"
#include "ledger.h"

G_BEGIN_DECLS

/* Worker threads. Consumes @admitted: `audit.rotate_key`. Returns (transfer full) {signer,
 * public_key, previous_signer}. %REEVE_ERROR_BUSY while another one is under way. */
JsonObject *reeve_ledger_rotate_key (ReeveLedger *self, ReeveAdmitted *admitted, GError **error);

G_END_DECLS
