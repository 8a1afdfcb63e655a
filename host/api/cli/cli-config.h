/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reevectl config check FILE: is a configuration good, without a host. */
#pragma once

#include "cli-options.h"

G_BEGIN_DECLS

/* Returns an exit code: failed when a host would not start with it. */
int reeve_cli_config_check (ReeveCliOptions *options);

G_END_DECLS
