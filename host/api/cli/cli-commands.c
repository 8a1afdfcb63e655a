/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds a command in the generated table. */
#include "cli-commands.h"

#include <string.h>

/**
 * reeve_cli_commands_find:
 * @noun: a noun
 * @verb: (nullable): a verb
 *
 * Returns: (transfer none) (nullable): the command, or the one that is the noun alone
 */
const ReeveCliCommand *
reeve_cli_commands_find (const char *noun, const char *verb)
{
  const ReeveCliCommand *alone = NULL;

  for (const ReeveCliCommand *command = reeve_cli_commands; command->noun != NULL; command++)
    {
      if (strcmp (command->noun, noun) != 0)
        continue;
      if (verb != NULL && strcmp (command->verb, verb) == 0)
        return command;
      if (*command->verb == '\0')
        alone = command;
    }
  return alone;
}
