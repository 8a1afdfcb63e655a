/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `reevectl audit verify --state-dir DIR`. */
#include "cli-verify.h"

#include <glib/gi18n.h>

#include "governance/ledger-verify.h"

static void
reeve_cli_verify_print_log (JsonObject *log)
{
  gboolean valid = reeve_json_get_boolean (log, "valid", FALSE);

  g_print ("%s  %s  %" G_GINT64_FORMAT " %s\n", valid ? _ ("good") : _ ("BAD "),
           reeve_json_get_string (log, "scope", "?"), reeve_json_get_int (log, "size", 0),
           _ ("records"));
  if (!valid)
    g_print (_ ("      first bad record %" G_GINT64_FORMAT ": %s\n"),
             reeve_json_get_int (log, "bad_seq", 0), reeve_json_get_string (log, "error", ""));
}

static void
reeve_cli_verify_print (JsonObject *report, gboolean json)
{
  JsonArray *logs = reeve_json_get_array (report, "logs");
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;

  if (json)
    {
      json_node_set_object (node, report);
      text = json_to_string (node, FALSE);
      g_print ("%s\n", text);
      return;
    }
  for (guint i = 0; logs != NULL && i < json_array_get_length (logs); i++)
    reeve_cli_verify_print_log (json_array_get_object_element (logs, i));
}

/**
 * reeve_cli_verify_run:
 * @options: the command line, with --state-dir
 *
 * Returns: an exit code
 */
int
reeve_cli_verify_run (ReeveCliOptions *options)
{
  g_autofree char *ledger = g_build_filename (options->state_dir, "ledger", NULL);
  g_autofree char *keys = g_build_filename (options->state_dir, "keys", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) report = reeve_ledger_verify_folder (ledger, keys, &error);

  if (report == NULL)
    {
      g_printerr ("reevectl: %s\n", error->message);
      return REEVE_CLI_FAILED;
    }
  reeve_cli_verify_print (report, options->json);
  return reeve_json_get_boolean (report, "valid", FALSE) ? REEVE_CLI_DONE : REEVE_CLI_FAILED;
}
