/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Offline verification of a copied state or of one proof: no host, no store's key, only the
 * ledger's files and its public key. */
#pragma once

#include "cli-options.h"

G_BEGIN_DECLS

/* Does the command line name what needs no host? */
gboolean reeve_cli_verify_is_offline (ReeveCliOptions *options);
/* Exit code: REEVE_CLI_DONE when all logs verify, REEVE_CLI_FAILED naming the first bad record. */
int reeve_cli_verify_run (ReeveCliOptions *options);

G_END_DECLS
