/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds a command in the generated table. */
#pragma once

#include "operations/cli-commands.h"

G_BEGIN_DECLS

/* (nullable) verb NULL or unknown: the command that is the noun alone, where there is one */
const ReeveCliCommand *reeve_cli_commands_find (const char *noun, const char *verb);

G_END_DECLS
