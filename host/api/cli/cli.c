/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reevectl: a thin door of one process. Commands come from the table of operations; what has no
 * operation (offline verification, the check of a configuration) has a file of its own. */
#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/plain.h"
#include "cli-commands.h"
#include "cli-config.h"
#include "cli-doctor.h"
#include "cli-export.h"
#include "cli-help.h"
#include "cli-host.h"
#include "cli-options.h"
#include "cli-output.h"
#include "cli-params.h"
#include "cli-grants.h"
#include "cli-policy.h"
#include "cli-prices.h"
#include "cli-settings.h"
#include "cli-verify.h"

static const char *const reeve_cli_own_options[] = { "sort", "filter", "stream", "output", NULL };

/* (transfer full): of what was typed, and of what a host says, nothing moves the cursor */
static char *
reeve_cli_quiet (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);

  return reeve_plain_make_line (valid);
}

static int
reeve_cli_fail (int exit, const char *message)
{
  g_autofree char *line = reeve_cli_quiet (message);

  g_printerr ("reevectl: %s\n", line);
  return exit;
}

/* ---- answers ---- */

static int
reeve_cli_print_answer (ReeveCliOptions *options, const ReeveCliCommand *command,
                        ReeveCliAnswer *answer, gboolean streamed)
{
  g_autoptr (JsonNode) node = NULL;

  if (answer->detail != NULL)
    return reeve_cli_fail (answer->exit, answer->detail);
  if (options->json)
    {
      if (!streamed && *answer->body != '\0')
        g_print ("%s%s", answer->body, g_str_has_suffix (answer->body, "\n") ? "" : "\n");
      return answer->exit;
    }
  node = reeve_json_parse_strict (answer->body, strlen (answer->body), NULL);
  if (node == NULL)
    g_print ("%s%s", answer->body,
             *answer->body == '\0' || g_str_has_suffix (answer->body, "\n") ? "" : "\n");
  else if (strcmp (command->noun, "run") == 0 && JSON_NODE_HOLDS_OBJECT (node))
    reeve_cli_output_print_run (json_node_get_object (node), !streamed);
  else if (strcmp (command->operation, "plugins.get") == 0 && JSON_NODE_HOLDS_OBJECT (node))
    reeve_cli_grants_print_plugin (json_node_get_object (node));
  else
    reeve_cli_output_print (node, command->columns, reeve_cli_options_get (options, "sort"),
                            reeve_cli_options_get (options, "filter"));
  return answer->exit;
}

/* A run that failed is an answer of the host, and a failure of the command. */
static int
reeve_cli_judge_run (ReeveCliAnswer *answer)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (answer->body, strlen (answer->body), NULL);

  if (answer->exit != REEVE_CLI_DONE || node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return answer->exit;
  return reeve_json_get_boolean (json_node_get_object (node), "success", FALSE) ? REEVE_CLI_DONE
                                                                                : REEVE_CLI_FAILED;
}

/* ---- run ---- */

static void
reeve_cli_on_event (const char *event, const char *data, gpointer user_data)
{
  gboolean json = GPOINTER_TO_INT (user_data);
  g_autoptr (JsonNode) node = reeve_json_parse_strict (data, strlen (data), NULL);
  JsonObject *object
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  g_autofree char *shown = NULL;
  g_autofree char *tool = NULL;

  if (json)
    g_print ("{\"event\":\"%s\",\"data\":%s}\n", event, data);
  else if (object != NULL && strcmp (event, "message.delta") == 0)
    shown = reeve_plain_make_text (reeve_json_get_string (object, "delta", ""));
  else if (object != NULL && strcmp (event, "tool.call") == 0)
    tool = reeve_plain_make_line (reeve_json_get_string (object, "name", ""));
  if (shown != NULL)
    g_print ("%s", shown);
  if (tool != NULL)
    g_printerr (_ ("tool %s\n"), tool);
}

/* An agent may be named by its name where that is clear. */
static gboolean
reeve_cli_find_agent (ReeveCliHost *host, JsonObject *params, GError **error)
{
  const char *given = reeve_json_get_string (params, "agent_id", "");
  g_autoptr (JsonObject) query = json_object_new ();
  g_autoptr (ReeveCliAnswer) answer = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonArray *items = NULL;
  const char *found = NULL;

  if (g_str_has_prefix (given, "agt_"))
    return TRUE;
  json_object_set_int_member (query, "limit", 500);
  answer
      = reeve_cli_host_call (host, reeve_cli_commands_find ("agents", "list"), query, NULL, NULL);
  node = reeve_json_parse_strict (answer->body, strlen (answer->body), NULL);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    items = reeve_json_get_array (json_node_get_object (node), "items");
  for (guint i = 0; items != NULL && i < json_array_get_length (items); i++)
    {
      JsonObject *agent = json_array_get_object_element (items, i);

      if (strcmp (reeve_json_get_string (agent, "name", ""), given) != 0)
        continue;
      if (found != NULL)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "there are several agents \"%s\": give an id", given);
          return FALSE;
        }
      found = reeve_json_get_string (agent, "agent_id", NULL);
    }
  if (found != NULL)
    json_object_set_string_member (params, "agent_id", found);
  return TRUE;
}

static int
reeve_cli_run_mission (ReeveCliOptions *options, ReeveCliHost *host, const ReeveCliCommand *command,
                       JsonObject *params)
{
  gboolean stream = reeve_cli_options_get (options, "stream") != NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCliAnswer) answer = NULL;
  int exit = 0;

  if (!reeve_cli_find_agent (host, params, &error))
    return reeve_cli_fail (REEVE_CLI_USAGE, error->message);
  if (stream)
    json_object_set_boolean_member (params, "stream", TRUE);
  answer = reeve_cli_host_call (host, command, params, stream ? reeve_cli_on_event : NULL,
                                GINT_TO_POINTER (options->json));
  exit = reeve_cli_print_answer (options, command, answer, stream);
  return exit == REEVE_CLI_DONE ? reeve_cli_judge_run (answer) : exit;
}

/* ---- commands of the table ---- */

static int
reeve_cli_upload (ReeveCliOptions *options, ReeveCliHost *host, const ReeveCliCommand *command,
                  guint first)
{
  const char *path = reeve_cli_options_get_word (options, first);
  g_autoptr (JsonObject) form = json_object_new ();
  g_autoptr (ReeveCliAnswer) answer = NULL;

  if (path == NULL)
    return reeve_cli_fail (REEVE_CLI_USAGE, _ ("file: is missing"));
  for (guint i = 0; i < options->names->len; i++)
    json_object_set_string_member (form, g_ptr_array_index (options->names, i),
                                   g_ptr_array_index (options->values, i));
  answer = reeve_cli_host_upload (host, command, path, form);
  return reeve_cli_print_answer (options, command, answer, FALSE);
}

/* An answer that is a file: to the one that --output names, or as it is. */
static int
reeve_cli_save_answer (ReeveCliOptions *options, ReeveCliAnswer *answer)
{
  const char *path = reeve_cli_options_get (options, "output");
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    {
      g_print ("%s", answer->body);
      return REEVE_CLI_DONE;
    }
  if (!g_file_set_contents (path, answer->body, -1, &error))
    return reeve_cli_fail (REEVE_CLI_FAILED, error->message);
  return REEVE_CLI_DONE;
}

static int
reeve_cli_run_command (ReeveCliOptions *options, const ReeveCliCommand *command)
{
  guint first = *command->verb != '\0' ? 2 : 1;
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCliHost) host = NULL;
  g_autoptr (JsonObject) params = NULL;
  g_autoptr (ReeveCliAnswer) answer = NULL;

  if (!command->multipart)
    {
      params = reeve_cli_params_new (options, command, first, reeve_cli_own_options, &error);
      if (params == NULL)
        return reeve_cli_fail (REEVE_CLI_USAGE, error->message);
    }
  host = reeve_cli_host_new (options, &error);
  if (host == NULL)
    return reeve_cli_fail (error->code == REEVE_ERROR_INVALID_ARGUMENT ? REEVE_CLI_USAGE
                                                                       : REEVE_CLI_UNREACHABLE,
                           error->message);
  if (command->multipart)
    return reeve_cli_upload (options, host, command, first);
  if (strcmp (command->operation, "audit.export") == 0)
    return reeve_cli_export_run (options, host, command, params);
  if (strcmp (command->noun, "run") == 0)
    return reeve_cli_run_mission (options, host, command, params);
  answer = reeve_cli_host_call (host, command, params, NULL, NULL);
  if (strcmp (command->noun, "doctor") == 0 && answer->exit == REEVE_CLI_DONE)
    return reeve_cli_doctor_print_answer (answer, options->json);
  if (strcmp (command->operation, "audit.proof") == 0 && answer->exit == REEVE_CLI_DONE)
    return reeve_cli_save_answer (options, answer);
  return reeve_cli_print_answer (options, command, answer, FALSE);
}

/* Of what was typed wrong the help is no answer. */
static void
reeve_cli_print_error (const char *text)
{
  fputs (text, stderr);
}

static int
reeve_cli_usage (ReeveCliOptions *options, const char *noun, const char *verb)
{
  g_autofree char *words = g_strconcat (noun, verb != NULL ? " " : "", verb, NULL);
  g_autofree char *line = reeve_cli_quiet (words);

  g_set_print_handler (reeve_cli_print_error);
  g_printerr (_ ("reevectl: there is no command \"%s\"\n"), line);
  if (!reeve_cli_help_print_noun (noun))
    g_printerr ("%s\n", _ ("reevectl --help lists all."));
  return REEVE_CLI_USAGE;
}

static int
reeve_cli_dispatch (ReeveCliOptions *options)
{
  const char *noun = reeve_cli_options_get_word (options, 0);
  const char *verb = reeve_cli_options_get_word (options, 1);
  const ReeveCliCommand *command = NULL;

  if (noun == NULL)
    {
      if (!options->help)
        g_set_print_handler (reeve_cli_print_error);
      reeve_cli_help_print ();
      return options->help ? REEVE_CLI_DONE : REEVE_CLI_USAGE;
    }
  if (strcmp (noun, "config") == 0 && g_strcmp0 (verb, "check") == 0 && !options->help)
    return reeve_cli_config_check (options);
  if (reeve_cli_policy_takes (options))
    {
      if (!options->help)
        return reeve_cli_policy_run (options);
      reeve_cli_policy_help ();
      return REEVE_CLI_DONE;
    }
  if (reeve_cli_settings_takes (options))
    {
      if (!options->help)
        return reeve_cli_settings_run (options);
      reeve_cli_settings_help ();
      return REEVE_CLI_DONE;
    }
  command = reeve_cli_commands_find (noun, verb);
  if (command == NULL)
    return options->help && reeve_cli_help_print_noun (noun)
               ? REEVE_CLI_DONE
               : reeve_cli_usage (options, noun, verb);
  if (options->help)
    {
      reeve_cli_help_print_command (command);
      return REEVE_CLI_DONE;
    }
  if (strcmp (command->operation, "audit.verify") == 0
      && reeve_cli_options_get (options, "export") != NULL)
    return reeve_cli_export_verify (options);
  if (strcmp (command->operation, "prices.import") == 0
      && reeve_cli_options_get_word (options, 2) != NULL)
    return reeve_cli_prices_import (options, command);
  if (strcmp (command->operation, "audit.verify") == 0 && reeve_cli_verify_is_offline (options))
    return reeve_cli_verify_run (options);
  return reeve_cli_run_command (options, command);
}

/* JSON and files are UTF-8, whatever the locale of who asks is: g_print would put marks of question
 * in the place of what that has no letter for. */
static void
reeve_cli_print_unchanged (const char *text)
{
  fputs (text, stdout);
  fflush (stdout);
}

/* What did not arrive whole is no success: a full disk behind a redirection is seen here alone. */
static int
reeve_cli_finish (int exit)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return exit;
  return reeve_cli_fail (exit == REEVE_CLI_DONE ? REEVE_CLI_FAILED : exit,
                         _ ("the answer could not be written"));
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCliOptions) options = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, REEVE_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  options = reeve_cli_options_parse (argc, argv, &error);
  if (options == NULL)
    return reeve_cli_fail (REEVE_CLI_USAGE, error->message);
  if (options->version)
    {
      g_print ("reevectl %s\n", REEVE_VERSION);
      return REEVE_CLI_DONE;
    }
  if (options->json)
    g_set_print_handler (reeve_cli_print_unchanged);
  return reeve_cli_finish (reeve_cli_dispatch (options));
}
