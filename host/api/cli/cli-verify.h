/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Offline verification of a copied state: no host, no store's key, only the ledger's files and its
 * public key. */
#pragma once

#include "cli-options.h"

G_BEGIN_DECLS

/* Exit code: REEVE_CLI_DONE when all logs verify, REEVE_CLI_FAILED naming the first bad record. */
int reeve_cli_verify_run (ReeveCliOptions *options);

G_END_DECLS
