/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exports of the ledger: kept in a file, and verified offline. */
#pragma once

#include "cli-host.h"
#include "cli-options.h"

G_BEGIN_DECLS

/* Exit codes. */
int reeve_cli_export_run (ReeveCliOptions *options, ReeveCliHost *host,
                          const ReeveCliCommand *command, JsonObject *params);
int reeve_cli_export_verify (ReeveCliOptions *options);

G_END_DECLS
