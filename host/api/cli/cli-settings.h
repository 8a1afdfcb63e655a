/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `reevectl plugins settings`: what a plugin can be set to, in words; and whether a file of
 * settings is right, without a host. */
#pragma once

#include "cli-options.h"

G_BEGIN_DECLS

gboolean reeve_cli_settings_takes (ReeveCliOptions *options);
/* Prints what it found; returns an exit code. */
int reeve_cli_settings_run (ReeveCliOptions *options);
void reeve_cli_settings_help (void);

G_END_DECLS
