/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file is read here, by the host's own reader, so that a fault is told with file, line and
 * member, and nothing is sent before all of it is right. */
#include "cli-prices.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/plain.h"
#include "governance/price-list.h"

#include "cli-host.h"

static int
reeve_cli_prices_fail (int exit, const char *message)
{
  g_autofree char *valid = g_utf8_make_valid (message, -1);
  g_autofree char *line = reeve_plain_make_line (valid);

  g_printerr ("reevectl: %s\n", line);
  return exit;
}

/* (transfer full) (nullable): what the file says, once it is known to be right */
static JsonObject *
reeve_cli_prices_read (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (ReevePriceList) list = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (!g_file_get_contents (path, &text, &length, error))
    return NULL;
  list = reeve_price_list_parse (text, length, error);
  if (list != NULL)
    node = reeve_json_parse_strict (text, length, error);
  if (node != NULL)
    return json_object_ref (json_node_get_object (node));
  g_prefix_error (error, "%s: ", path);
  return NULL;
}

static int
reeve_cli_prices_send (ReeveCliOptions *options, const ReeveCliCommand *command, JsonObject *params)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCliHost) host = reeve_cli_host_new (options, &error);
  g_autoptr (ReeveCliAnswer) answer = NULL;

  if (host == NULL)
    return reeve_cli_prices_fail (
        error->code == REEVE_ERROR_INVALID_ARGUMENT ? REEVE_CLI_USAGE : REEVE_CLI_UNREACHABLE,
        error->message);
  answer = reeve_cli_host_call (host, command, params, NULL, NULL);
  if (answer->detail != NULL)
    return reeve_cli_prices_fail (answer->exit != REEVE_CLI_DONE ? answer->exit : REEVE_CLI_FAILED,
                                  answer->detail);
  g_print ("%s\n", answer->body);
  return answer->exit;
}

static void
reeve_cli_prices_print_good (ReeveCliOptions *options, const char *path, guint count)
{
  g_autoptr (JsonObject) verdict = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), verdict);
  g_autofree char *text = NULL;

  if (!options->json)
    {
      g_print (_ ("%s: %u prices, nothing is wrong with them\n"), path, count);
      return;
    }
  json_object_set_boolean_member (verdict, "valid", TRUE);
  json_object_set_string_member (verdict, "file", path);
  json_object_set_int_member (verdict, "prices", count);
  text = reeve_json_text (node);
  g_print ("%s\n", text);
}

/**
 * reeve_cli_prices_import:
 * @options: with the file; --dry-run: it is only checked, without a host
 * @command: of the table
 *
 * Returns: an exit code
 */
int
reeve_cli_prices_import (ReeveCliOptions *options, const ReeveCliCommand *command)
{
  const char *path = reeve_cli_options_get_word (options, 2);
  const char *dry = reeve_cli_options_get (options, "dry_run");
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) file = NULL;

  if (path == NULL || options->words->len > 3 || options->names->len > (dry != NULL ? 1 : 0))
    return reeve_cli_prices_fail (REEVE_CLI_USAGE,
                                  _ ("usage: reevectl prices import FILE [--dry-run]"));
  file = reeve_cli_prices_read (path, &error);
  if (file == NULL)
    return reeve_cli_prices_fail (REEVE_CLI_FAILED, error->message);
  if (dry == NULL || strcmp (dry, "false") == 0)
    return reeve_cli_prices_send (options, command, file);
  reeve_cli_prices_print_good (
      options, path, json_array_get_length (json_object_get_array_member (file, "prices")));
  return REEVE_CLI_DONE;
}
