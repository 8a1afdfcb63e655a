/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `reevectl audit verify --state-dir DIR [--since CHECKPOINT]…` and
 * `reevectl audit verify --proof FILE --public-key FILE`,
 * both with `[--witness KEY]… [--quorum N]`. */
#include "cli-verify.h"

#include <glib/gi18n.h>

#include <reeve-json.h>
#include "governance/ledger-file.h"
#include "governance/ledger-proof.h"
#include "governance/ledger-verify.h"

static void
reeve_cli_verify_print_log (JsonObject *log)
{
  gboolean valid = reeve_json_get_boolean (log, "valid", FALSE);

  g_print ("%s  %s  %" G_GINT64_FORMAT " %s", valid ? _ ("good") : _ ("BAD "),
           reeve_json_get_string (log, "scope", "?"), reeve_json_get_int (log, "size", 0),
           _ ("records"));
  if (json_object_has_member (log, "witnesses"))
    g_print (_ (", %" G_GINT64_FORMAT " of them witnessed by %" G_GINT64_FORMAT),
             reeve_json_get_int (log, "witnessed_size", 0),
             reeve_json_get_int (log, "witnesses", 0));
  g_print ("\n");
  if (!valid)
    g_print (_ ("      first bad record %" G_GINT64_FORMAT ": %s\n"),
             reeve_json_get_int (log, "bad_seq", 0), reeve_json_get_string (log, "error", ""));
}

/* Whoever pipes the report is told, too. */
static void
reeve_cli_verify_print_bad (JsonObject *log)
{
  if (!reeve_json_get_boolean (log, "valid", FALSE))
    g_printerr (_ ("reevectl: %s: first bad record %" G_GINT64_FORMAT ": %s\n"),
                reeve_json_get_string (log, "scope", "?"), reeve_json_get_int (log, "bad_seq", 0),
                reeve_json_get_string (log, "error", ""));
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
      text = reeve_json_text (node);
      g_print ("%s\n", text);
    }
  for (guint i = 0; json && logs != NULL && i < json_array_get_length (logs); i++)
    reeve_cli_verify_print_bad (json_array_get_object_element (logs, i));
  for (guint i = 0; !json && logs != NULL && i < json_array_get_length (logs); i++)
    reeve_cli_verify_print_log (json_array_get_object_element (logs, i));
}

static int
reeve_cli_verify_fail (const GError *error)
{
  if (error != NULL)
    g_printerr ("reevectl: %s\n", error->message);
  return REEVE_CLI_FAILED;
}

/* (transfer full) (element-type GBytes) the files that --since names; %NULL with an error */
static GPtrArray *
reeve_cli_verify_read_since (ReeveCliOptions *options, GError **error)
{
  g_autoptr (GPtrArray) since = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  for (guint i = 0; i < options->names->len; i++)
    {
      const char *path = g_ptr_array_index (options->values, i);
      GBytes *bytes = NULL;

      if (g_strcmp0 (g_ptr_array_index (options->names, i), "since") != 0)
        continue;
      bytes = reeve_ledger_file_read (path != NULL ? path : "", REEVE_CHECKPOINT_MAX_SIZE, error);
      if (bytes == NULL)
        return NULL;
      g_ptr_array_add (since, bytes);
    }
  return g_steal_pointer (&since);
}

/* (transfer full) the keys that --witness gives; NULL: none, or an error */
static ReeveCosigners *
reeve_cli_verify_read_witnesses (ReeveCliOptions *options, ReeveLedgerQuorum *quorum,
                                 GError **error)
{
  const char *needed = reeve_cli_options_get (options, "quorum");
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_autoptr (ReeveCosigners) cosigners = NULL;
  guint64 number = 0;

  for (guint i = 0; i < options->names->len; i++)
    if (g_strcmp0 (g_ptr_array_index (options->names, i), "witness") == 0)
      g_ptr_array_add (keys, options->values->pdata[i] != NULL ? options->values->pdata[i]
                                                               : (gpointer) "");
  number = keys->len;
  if (needed != NULL && !g_ascii_string_to_unsigned (needed, 10, 1, keys->len, &number, NULL))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "quorum: is not a number from 1 to that of --witness");
      return NULL;
    }
  if (keys->len == 0)
    return NULL;
  g_ptr_array_add (keys, NULL);
  cosigners = reeve_cosigners_new ((const char *const *) keys->pdata, error);
  *quorum = (ReeveLedgerQuorum){ cosigners, (guint) number };
  return g_steal_pointer (&cosigners);
}

static int
reeve_cli_verify_state (ReeveCliOptions *options, const ReeveLedgerQuorum *quorum)
{
  g_autofree char *ledger = g_build_filename (options->state_dir, "ledger", NULL);
  g_autofree char *keys = g_build_filename (options->state_dir, "keys", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) since = reeve_cli_verify_read_since (options, &error);
  g_autoptr (JsonObject) report = NULL;

  if (since != NULL)
    report = reeve_ledger_verify_folder_witnessed (ledger, keys, since, quorum, &error);
  if (report == NULL)
    return reeve_cli_verify_fail (error);
  reeve_cli_verify_print (report, options->json);
  return reeve_json_get_boolean (report, "valid", FALSE) ? REEVE_CLI_DONE : REEVE_CLI_FAILED;
}

/* Says what a good proof proves. */
static void
reeve_cli_verify_print_proof (JsonObject *verdict, gboolean json)
{
  g_autofree char *record = NULL;

  if (json)
    {
      reeve_cli_verify_print (verdict, TRUE);
      return;
    }
  record = reeve_json_text (json_object_get_member (verdict, "record"));
  g_print (_ ("good  %s  record %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " that were signed\n"),
           reeve_json_get_string (verdict, "scope", "?"), reeve_json_get_int (verdict, "seq", 0),
           reeve_json_get_int (verdict, "size", 0));
  if (json_object_has_member (verdict, "witnesses"))
    g_print (_ ("      witnessed by %" G_GINT64_FORMAT "\n"),
             reeve_json_get_int (verdict, "witnesses", 0));
  g_print ("%s\n", record);
}

static int
reeve_cli_verify_proof (ReeveCliOptions *options, const char *path, const ReeveLedgerQuorum *quorum)
{
  const char *key_path = reeve_cli_options_get (options, "public_key");
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveLedgerKey) key = NULL;
  g_autoptr (ReeveLedgerProof) proof = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (JsonObject) verdict = NULL;
  gsize length = 0;
  const char *text = NULL;

  if (key_path == NULL)
    {
      g_printerr ("reevectl: %s\n", _ ("public-key: is missing"));
      return REEVE_CLI_USAGE;
    }
  key = reeve_ledger_key_load_public_file (key_path, &error);
  bytes = key != NULL ? reeve_ledger_file_read (path, REEVE_LEDGER_PROOF_MAX_SIZE, &error) : NULL;
  text = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;
  proof = bytes != NULL ? reeve_ledger_proof_parse (text, length, &error) : NULL;
  verdict = proof != NULL ? reeve_ledger_proof_verify (proof, key, quorum, &error) : NULL;
  if (verdict == NULL)
    return reeve_cli_verify_fail (error);
  reeve_cli_verify_print_proof (verdict, options->json);
  return REEVE_CLI_DONE;
}

/**
 * reeve_cli_verify_is_offline:
 * @options: the command line
 *
 * Returns: whether files are to be verified, not a host asked
 */
gboolean
reeve_cli_verify_is_offline (ReeveCliOptions *options)
{
  return options->state_dir != NULL || reeve_cli_options_get (options, "proof") != NULL;
}

/**
 * reeve_cli_verify_run:
 * @options: the command line, with --state-dir or --proof
 *
 * Returns: an exit code
 */
int
reeve_cli_verify_run (ReeveCliOptions *options)
{
  const char *proof = reeve_cli_options_get (options, "proof");
  ReeveLedgerQuorum quorum = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCosigners) witnesses = reeve_cli_verify_read_witnesses (options, &quorum, &error);
  const ReeveLedgerQuorum *wanted = witnesses != NULL ? &quorum : NULL;

  if (error != NULL)
    {
      reeve_cli_verify_fail (error);
      return REEVE_CLI_USAGE;
    }
  return proof != NULL ? reeve_cli_verify_proof (options, proof, wanted)
                       : reeve_cli_verify_state (options, wanted);
}
