/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reevectl policy apply|diff|export of documents, and lint|test without a host. */
#pragma once

#include "cli-options.h"

G_BEGIN_DECLS

/* Is that verb of noun `policy` one of these? @verb (nullable). */
gboolean reeve_cli_policy_has (const char *verb);
gboolean reeve_cli_policy_takes (ReeveCliOptions *options);
/* Prints what they are for. */
void reeve_cli_policy_help (void);
/* Returns an exit code. */
int reeve_cli_policy_run (ReeveCliOptions *options);

G_END_DECLS
