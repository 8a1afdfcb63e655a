/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is particular to grants of plugins at the command line. */
#pragma once

#include "cli-commands.h"
#include "cli-options.h"

G_BEGIN_DECLS

/* Is @name (an option) one KEY=VALUE of the member `parameters` of that command? */
gboolean reeve_cli_grants_is_param (const ReeveCliCommand *command, const char *name);
/* %REEVE_ERROR_INVALID_ARGUMENT */
gboolean reeve_cli_grants_add_param (JsonObject *params, const char *text, GError **error);
/* `--tenant T` of `plugins grant` says where the grant holds. */
void reeve_cli_grants_take_tenant (ReeveCliOptions *options, const ReeveCliCommand *command,
                                   JsonObject *params);
/* What else `plugins grant` takes. */
void reeve_cli_grants_help (void);
/* A plugin and what it may do. */
void reeve_cli_grants_print_plugin (JsonObject *plugin);

G_END_DECLS
