/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --help prints, from the table. */
#pragma once

#include "operations/cli-commands.h"

G_BEGIN_DECLS

void reeve_cli_help_print (void);
/* FALSE when there is no such noun */
gboolean reeve_cli_help_print_noun (const char *noun);
void reeve_cli_help_print_command (const ReeveCliCommand *command);

G_END_DECLS
