/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reevectl prices import FILE. */
#pragma once

#include "operations/cli-commands.h"
#include "cli-options.h"

G_BEGIN_DECLS

/* Returns an exit code. */
int reeve_cli_prices_import (ReeveCliOptions *options, const ReeveCliCommand *command);

G_END_DECLS
