/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `reevectl audit export [-o FILE]` and `reevectl audit verify --export FILE --public-key FILE`. */
#include "cli-export.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixoutputstream.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#include <reeve-json.h>
#include "base/plain.h"
#include "governance/ledger-export-verify.h"

static int
reeve_cli_export_fail (int exit, const char *message)
{
  g_autofree char *valid = g_utf8_make_valid (message, -1);
  g_autofree char *line = reeve_plain_make_line (valid);

  g_printerr ("reevectl: %s\n", line);
  return exit;
}

/* A file gets its name when it is complete, and not before; its owner alone reads it. */
static GOutputStream *
reeve_cli_export_open (const char *path, GError **error)
{
  g_autoptr (GFile) file = NULL;

  if (path == NULL || strcmp (path, "-") == 0)
    return g_unix_output_stream_new (STDOUT_FILENO, FALSE);
  file = g_file_new_for_commandline_arg (path);
  return G_OUTPUT_STREAM (g_file_replace (file, NULL, FALSE, G_FILE_CREATE_PRIVATE, NULL, error));
}

/**
 * reeve_cli_export_run:
 * @options: the command line
 * @host: the way to a host
 * @command: audit export
 * @params: members of the operation
 *
 * Returns: an exit code
 */
int
reeve_cli_export_run (ReeveCliOptions *options, ReeveCliHost *host, const ReeveCliCommand *command,
                      JsonObject *params)
{
  const char *path = reeve_cli_options_get (options, "output");
  g_autoptr (GError) error = NULL;
  g_autoptr (GOutputStream) output = reeve_cli_export_open (path, &error);
  g_autoptr (GCancellable) stop = g_cancellable_new ();
  g_autoptr (ReeveCliAnswer) answer = NULL;

  if (output == NULL)
    return reeve_cli_export_fail (REEVE_CLI_FAILED, error != NULL ? error->message : path);
  answer = reeve_cli_host_download (host, command, params, output);
  /* closing it cancelled leaves the file that was there */
  if (answer->exit != REEVE_CLI_DONE)
    g_cancellable_cancel (stop);
  if (!g_output_stream_close (output, stop, &error) && answer->exit == REEVE_CLI_DONE)
    return reeve_cli_export_fail (REEVE_CLI_FAILED, error->message);
  if (answer->detail != NULL)
    return reeve_cli_export_fail (answer->exit, answer->detail);
  return answer->exit;
}

/* ---- verification ---- */

static ReeveLedgerKey *
reeve_cli_export_load_key (ReeveCliOptions *options, GError **error)
{
  const char *path = reeve_cli_options_get (options, "public_key");
  g_autofree char *folder
      = options->state_dir != NULL ? g_build_filename (options->state_dir, "keys", NULL) : NULL;

  if (path == NULL && folder != NULL)
    return reeve_ledger_key_load_public (folder, error);
  if (path == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "public-key: is missing: the file ledger.pub of the host");
      return NULL;
    }
  return reeve_ledger_key_load_public_file (path, error);
}

static void
reeve_cli_export_print (JsonObject *verdict, gboolean json)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), verdict);
  g_autofree char *text = json ? reeve_json_text (node) : NULL;

  if (json)
    g_print ("%s\n", text);
  if (json && !reeve_json_get_boolean (verdict, "valid", FALSE))
    g_printerr (_ ("reevectl: line %" G_GINT64_FORMAT ", record %" G_GINT64_FORMAT ": %s\n"),
                reeve_json_get_int (verdict, "line", 0), reeve_json_get_int (verdict, "bad_seq", 0),
                reeve_json_get_string (verdict, "error", ""));
  if (json)
    return;
  if (reeve_json_get_boolean (verdict, "valid", FALSE))
    g_print (_ ("good  %s  %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " records\n"),
             reeve_json_get_string (verdict, "scope", "?"),
             reeve_json_get_int (verdict, "records", 0), reeve_json_get_int (verdict, "size", 0));
  else
    g_print (_ ("BAD   %s  line %" G_GINT64_FORMAT ", record %" G_GINT64_FORMAT ": %s\n"),
             reeve_json_get_string (verdict, "scope", "?"), reeve_json_get_int (verdict, "line", 0),
             reeve_json_get_int (verdict, "bad_seq", 0),
             reeve_json_get_string (verdict, "error", ""));
}

/**
 * reeve_cli_export_verify:
 * @options: the command line, with --export
 *
 * Returns: an exit code
 */
int
reeve_cli_export_verify (ReeveCliOptions *options)
{
  const char *path = reeve_cli_options_get (options, "export");
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveLedgerKey) key = reeve_cli_export_load_key (options, &error);
  g_autoptr (JsonObject) verdict = NULL;
  FILE *file = NULL;
  int fd = -1;

  if (key == NULL)
    return reeve_cli_export_fail (REEVE_CLI_USAGE, error->message);
  if (reeve_cli_options_get (options, "witness") != NULL)
    return reeve_cli_export_fail (REEVE_CLI_USAGE,
                                  "witness: nobody has cosigned the checkpoint of an export, which "
                                  "is made with it: use --proof or --state-dir");
  fd = strcmp (path, "-") == 0 ? dup (STDIN_FILENO) : open (path, O_RDONLY | O_CLOEXEC);
  file = fd >= 0 ? fdopen (fd, "r") : NULL;
  if (file == NULL)
    {
      g_autofree char *why = g_strdup_printf ("opening %s: %s", path, g_strerror (errno));

      return reeve_cli_export_fail (REEVE_CLI_USAGE, why);
    }
  verdict = reeve_ledger_export_verify (file, key);
  fclose (file);
  reeve_cli_export_print (verdict, options->json);
  return reeve_json_get_boolean (verdict, "valid", FALSE) ? REEVE_CLI_DONE : REEVE_CLI_FAILED;
}
