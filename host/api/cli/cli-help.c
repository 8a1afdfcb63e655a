/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Help from the table of operations, so that it cannot drift. */
#include "cli-help.h"

#include <string.h>

#include "cli-grants.h"
#include "cli-policy.h"
#include "cli-settings.h"

/* The tenant, where it is no member of the operation, and members that need not be there. */
static gboolean
reeve_cli_help_may_lack (const ReeveCliCommand *command, const char *argument)
{
  for (const ReeveParameter *parameter = command->parameters; parameter->name != NULL; parameter++)
    {
      if (strcmp (parameter->name, argument) == 0)
        return !parameter->required;
    }
  return strcmp (argument, "tenant_id") == 0;
}

static void
reeve_cli_help_row (const ReeveCliCommand *command)
{
  g_autoptr (GString) usage = g_string_new (command->noun);

  if (strcmp (command->noun, "policy") == 0 && reeve_cli_policy_has (command->verb))
    return; /* of files: it tells of itself */
  if (*command->verb != '\0')
    g_string_append_printf (usage, " %s", command->verb);
  for (guint i = 0; command->arguments[i] != NULL; i++)
    {
      g_autofree char *upper = g_ascii_strup (command->arguments[i], -1);
      gboolean optional = reeve_cli_help_may_lack (command, command->arguments[i]);

      g_string_append_printf (usage, optional ? " [%s]" : " %s", upper);
    }
  g_print ("  %-44s %s\n", usage->str, _ (command->summary));
}

/**
 * reeve_cli_help_print:
 *
 * Prints all commands.
 */
void
reeve_cli_help_print (void)
{
  g_print ("%s\n\n", _ ("Usage: reevectl [OPTIONS] NOUN VERB [ARGUMENTS]"));
  g_print ("%s\n", _ ("Options:"));
  g_print ("  --url URL --token T    %s\n", _ ("a host by its address"));
  g_print ("  --ca FILE              %s\n", _ ("who may sign an https host's certificate, PEM"));
  g_print ("  --bus session|system   %s\n", _ ("a host by D-Bus"));
  g_print ("  --state-dir DIR        %s\n", _ ("a host by its state folder"));
  g_print ("  --tenant T             %s\n", _ ("act in that tenant (platform admin)"));
  g_print ("  --json                 %s\n", _ ("the answer unchanged, as when it is piped"));
  g_print ("  --human                %s\n", _ ("tables and words, also when it is piped"));
  g_print ("  --sort MEMBER --filter MEMBER=TEXT  %s\n", _ ("of lists"));
  g_print ("  --help, --version\n\n%s\n", _ ("Commands:"));
  for (const ReeveCliCommand *command = reeve_cli_commands; command->noun != NULL; command++)
    reeve_cli_help_row (command);
  reeve_cli_policy_help ();
  g_print ("  %-44s %s\n", "doctor", _ ("Check what this host needs"));
  g_print ("\n%s\n",
           _ ("Exit: 0 done, 1 failed, 2 usage, 3 refused, 4 not found, 5 host unreachable"));
}

/**
 * reeve_cli_help_print_noun:
 * @noun: a noun
 *
 * Prints its commands.
 *
 * Returns: whether there are any
 */
gboolean
reeve_cli_help_print_noun (const char *noun)
{
  gboolean found = FALSE;

  for (const ReeveCliCommand *command = reeve_cli_commands; command->noun != NULL; command++)
    {
      if (strcmp (command->noun, noun) != 0)
        continue;
      reeve_cli_help_row (command);
      found = TRUE;
    }
  if (strcmp (noun, "policy") == 0)
    reeve_cli_policy_help ();
  if (strcmp (noun, "plugins") == 0)
    reeve_cli_settings_help ();
  return found;
}

/* How the value of an option is written. */
static const char *
reeve_cli_help_value (char type)
{
  switch (type)
    {
    case 'i':
    case 'n':
      return " N";
    case 'b':
      return " true|false";
    case 'l':
      return _ (" WORD,WORD");
    case 'j':
      return _ (" JSON|FILE");
    case 'm':
      return _ (" \"AMOUNT CURRENCY\"");
    case 'f':
      return _ (" FILE  a file that holds it; - for standard input");
    default:
      return _ (" TEXT");
    }
}

/**
 * reeve_cli_help_print_command:
 * @command: a command
 *
 * Prints what it does, its options and an example.
 */
void
reeve_cli_help_print_command (const ReeveCliCommand *command)
{
  reeve_cli_help_row (command);
  g_print ("\n%s\n", _ ("Options:"));
  for (const ReeveParameter *parameter = command->parameters; parameter->name != NULL; parameter++)
    {
      g_autofree char *name = g_strdelimit (g_strdup (parameter->name), "_", '-');

      g_print ("  --%s%s%s\n", name, reeve_cli_help_value (parameter->type),
               parameter->required ? _ ("  (required)") : "");
    }
  if (reeve_cli_grants_is_param (command, "param"))
    reeve_cli_grants_help ();
  g_print ("\n%s\n  %s\n", _ ("Example:"), command->example);
}
