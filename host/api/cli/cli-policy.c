/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents are read here, so that faults are told with file and line; what becomes of them is the
 * host's. Lint and test need none: they use the host's own reader and decisions. */
#include "cli-policy.h"

#include <glib/gi18n.h>
#include <string.h>

#include "base/plain.h"
#include "governance/policy-cases.h"
#include "governance/policy-lint.h"

#include "cli-commands.h"
#include "cli-host.h"
#include "cli-policy-print.h"

typedef int (*ReeveCliPolicyFunc) (ReeveCliOptions *options, ReevePolicyDocument *document);

typedef struct
{
  const char *verb;
  const char *usage;
  const char *summary;
  ReeveCliPolicyFunc func;
  guint least; /* words */
  guint most;
  const char *const *allowed; /* options */
} ReeveCliPolicyVerb;

static int
reeve_cli_policy_fail (int exit, const char *message)
{
  g_autofree char *valid = g_utf8_make_valid (message, -1);
  g_autofree char *line = reeve_plain_make_line (valid);

  g_printerr ("reevectl: %s\n", line);
  return exit;
}

static void
reeve_cli_policy_print_json (JsonNode *node, gboolean pretty)
{
  g_autofree char *text = json_to_string (node, pretty);

  g_print ("%s\n", text);
}

/* An option that stands alone, or with true or false. */
static gboolean
reeve_cli_policy_is_on (ReeveCliOptions *options, const char *name)
{
  const char *value = reeve_cli_options_get (options, name);

  return value != NULL && strcmp (value, "false") != 0;
}

/* ---- findings ---- */

static JsonObject *
reeve_cli_policy_show_finding (const ReevePolicyFinding *finding)
{
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "severity", finding->error ? "error" : "warning");
  json_object_set_string_member (shown, "code", finding->code);
  json_object_set_string_member (shown, "file", finding->file);
  json_object_set_int_member (shown, "line", finding->line);
  json_object_set_string_member (shown, "key", finding->key);
  json_object_set_string_member (shown, "pointer", finding->pointer);
  json_object_set_string_member (shown, "message", finding->message);
  return shown;
}

static void
reeve_cli_policy_print_findings (ReevePolicyDocument *document, gboolean to_errors)
{
  GPtrArray *findings = reeve_policy_document_list_findings (document);

  for (guint i = 0; i < findings->len; i++)
    {
      const ReevePolicyFinding *finding = g_ptr_array_index (findings, i);
      g_autofree char *text
          = g_strdup_printf ("%s:%u: %s: %s: %s%s%s", finding->file, finding->line,
                             finding->error ? _ ("error") : _ ("warning"), finding->code,
                             finding->key, *finding->key != '\0' ? ": " : "", finding->message);
      g_autofree char *valid = g_utf8_make_valid (text, -1);
      g_autofree char *line = reeve_plain_make_line (valid);

      if (to_errors)
        g_printerr ("%s\n", line);
      else
        g_print ("%s\n", line);
    }
}

/* (transfer full) (nullable): what all files say; NULL: what is wrong was printed */
static ReevePolicyDocument *
reeve_cli_policy_read (ReeveCliOptions *options)
{
  ReevePolicyDocument *document = reeve_policy_document_new ();

  for (guint i = 2; i < options->words->len; i++)
    reeve_policy_document_add_file (document, reeve_cli_options_get_word (options, i));
  return document;
}

/* ---- without a host ---- */

static int
reeve_cli_policy_lint (ReeveCliOptions *options, ReevePolicyDocument *document)
{
  gboolean strict = reeve_cli_policy_is_on (options, "strict");
  GPtrArray *findings = NULL;
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *shown = json_array_new ();

  reeve_policy_lint_run (document);
  findings = reeve_policy_document_list_findings (document);
  for (guint i = 0; i < findings->len; i++)
    json_array_add_object_element (shown,
                                   reeve_cli_policy_show_finding (g_ptr_array_index (findings, i)));
  json_node_take_array (node, shown);
  if (options->json)
    reeve_cli_policy_print_json (node, FALSE);
  else
    reeve_cli_policy_print_findings (document, FALSE);
  if (findings->len == 0 && !options->json)
    g_print ("%s\n", _ ("good"));
  return reeve_policy_document_has_errors (document) || (strict && findings->len > 0)
             ? REEVE_CLI_FAILED
             : REEVE_CLI_DONE;
}

static void
reeve_cli_policy_print_trace (JsonArray *trace)
{
  for (guint i = 0; trace != NULL && i < json_array_get_length (trace); i++)
    {
      JsonObject *step = json_array_get_object_element (trace, i);

      g_print ("      %s: %s (%s): %s\n", reeve_json_get_string (step, "stage", "?"),
               reeve_json_get_string (step, "rule", "?"),
               reeve_json_get_string (step, "source", "?"),
               reeve_json_get_string (step, "effect", "?"));
    }
}

static void
reeve_cli_policy_print_case (JsonObject *result)
{
  const char *name = reeve_json_get_string (result, "name", NULL);
  const char *agent = reeve_json_get_string (result, "agent", NULL);
  const char *reason = reeve_json_get_string (result, "expect_reason", NULL);
  g_autofree char *call
      = g_strdup_printf ("%s%s%s", agent != NULL ? agent : "", agent != NULL ? " " : "",
                         reeve_json_get_string (result, "tool", ""));
  g_autofree char *line = reeve_plain_make_line (name != NULL ? name : call);

  if (reeve_json_get_boolean (result, "passed", FALSE))
    return;
  g_print (_ ("%s:%" G_GINT64_FORMAT ": FAILED: %s: expected %s%s%s%s, got %s (%s)\n"),
           reeve_json_get_string (result, "file", ""), reeve_json_get_int (result, "line", 0), line,
           reeve_json_get_string (result, "expect", ""), reason != NULL ? " (" : "",
           reason != NULL ? reason : "", reason != NULL ? ")" : "",
           reeve_json_get_string (result, "decision", ""),
           reeve_json_get_string (result, "reason", ""));
  reeve_cli_policy_print_trace (reeve_json_get_array (result, "trace"));
}

static int
reeve_cli_policy_test (ReeveCliOptions *options, ReevePolicyDocument *document)
{
  guint failed = 0;
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *results = NULL;

  if (reeve_policy_document_has_errors (document))
    {
      reeve_cli_policy_print_findings (document, TRUE);
      return REEVE_CLI_FAILED;
    }
  results = reeve_policy_cases_run (document, &failed);
  json_node_take_array (node, results);
  if (options->json)
    reeve_cli_policy_print_json (node, FALSE);
  for (guint i = 0; !options->json && i < json_array_get_length (results); i++)
    reeve_cli_policy_print_case (json_array_get_object_element (results, i));
  if (!options->json)
    g_print (_ ("%u tests, %u failed\n"), json_array_get_length (results), failed);
  return failed > 0 ? REEVE_CLI_FAILED : REEVE_CLI_DONE;
}

/* ---- with a host ---- */

/* (transfer full) (nullable): the answer; @exit: why there is none */
static JsonNode *
reeve_cli_policy_ask (ReeveCliOptions *options, const char *verb, JsonObject *params, int *exit)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCliHost) host = reeve_cli_host_new (options, &error);
  g_autoptr (ReeveCliAnswer) answer = NULL;
  JsonNode *node = NULL;

  if (host == NULL)
    {
      *exit = reeve_cli_policy_fail (
          error->code == REEVE_ERROR_INVALID_ARGUMENT ? REEVE_CLI_USAGE : REEVE_CLI_UNREACHABLE,
          error->message);
      return NULL;
    }
  answer = reeve_cli_host_call (host, reeve_cli_commands_find ("policy", verb), params, NULL, NULL);
  if (answer->detail == NULL)
    node = reeve_json_parse_strict (answer->body, strlen (answer->body), &error);
  if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node))
    g_clear_pointer (&node, json_node_unref);
  if (node == NULL)
    *exit = reeve_cli_policy_fail (answer->exit != REEVE_CLI_DONE ? answer->exit : REEVE_CLI_FAILED,
                                   answer->detail != NULL ? answer->detail
                                                          : _ ("the host answers no JSON object"));
  return node;
}

/* (transfer full) (nullable): parameters of policies.apply; NULL: what is wrong was printed */
static JsonObject *
reeve_cli_policy_make_params (ReeveCliOptions *options, ReevePolicyDocument *document, int *exit)
{
  const char *revision = reeve_cli_options_get (options, "expected_revision");
  const char *reason = reeve_cli_options_get (options, "reason");
  g_autoptr (JsonObject) params = json_object_new ();
  gint64 number = 0;

  if (reeve_policy_document_has_errors (document))
    {
      reeve_cli_policy_print_findings (document, TRUE);
      *exit = REEVE_CLI_FAILED;
      return NULL;
    }
  if (revision != NULL && !g_ascii_string_to_signed (revision, 10, 0, G_MAXINT64, &number, NULL))
    {
      *exit = reeve_cli_policy_fail (REEVE_CLI_USAGE,
                                     _ ("option --expected-revision needs a whole number"));
      return NULL;
    }
  json_object_set_object_member (params, "policies", reeve_policy_document_dup_policies (document));
  if (revision != NULL)
    json_object_set_int_member (params, "expected_revision", number);
  if (reason != NULL && *reason != '\0')
    json_object_set_string_member (params, "reason", reason);
  return g_steal_pointer (&params);
}

static int
reeve_cli_policy_apply (ReeveCliOptions *options, ReevePolicyDocument *document)
{
  int exit = REEVE_CLI_DONE;
  g_autoptr (JsonObject) params = reeve_cli_policy_make_params (options, document, &exit);
  g_autoptr (JsonNode) answer = NULL;

  if (params == NULL)
    return exit;
  json_object_set_boolean_member (params, "dry_run", reeve_cli_policy_is_on (options, "dry_run"));
  answer = reeve_cli_policy_ask (options, "apply", params, &exit);
  if (answer == NULL)
    return exit;
  if (options->json)
    reeve_cli_policy_print_json (answer, FALSE);
  else
    reeve_cli_policy_print_changes (json_node_get_object (answer), FALSE);
  return REEVE_CLI_DONE;
}

static int
reeve_cli_policy_diff (ReeveCliOptions *options, ReevePolicyDocument *document)
{
  int exit = REEVE_CLI_DONE;
  g_autoptr (JsonObject) params = reeve_cli_policy_make_params (options, document, &exit);
  g_autoptr (JsonNode) answer = NULL;
  JsonObject *draft = NULL;

  if (params == NULL)
    return exit;
  answer = reeve_cli_policy_ask (options, "analyze", params, &exit);
  if (answer == NULL)
    return exit;
  draft = reeve_json_get_object (json_node_get_object (answer), "draft");
  if (options->json || draft == NULL)
    {
      reeve_cli_policy_print_json (answer, FALSE);
      return REEVE_CLI_DONE;
    }
  reeve_cli_policy_print_changes (draft, TRUE);
  reeve_cli_policy_print_decisions (draft);
  return REEVE_CLI_DONE;
}

/* The document alone, for a file; with --json the answer as it came. */
static int
reeve_cli_policy_export (ReeveCliOptions *options, ReevePolicyDocument *document)
{
  int exit = REEVE_CLI_DONE;
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonNode) answer = reeve_cli_policy_ask (options, "export", params, &exit);
  JsonNode *inner = NULL;

  (void) document;
  if (answer == NULL)
    return exit;
  inner = json_object_get_member (json_node_get_object (answer), "document");
  if (options->unchanged || inner == NULL)
    reeve_cli_policy_print_json (answer, FALSE);
  else
    reeve_cli_policy_print_json (inner, TRUE);
  return REEVE_CLI_DONE;
}

/* @role (nullable): all */
static JsonNode *
reeve_cli_policy_ask_access (ReeveCliOptions *options, const char *role, const char *operation,
                             int *exit)
{
  const char *type = reeve_cli_options_get (options, "resource_type");
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonNode) answer = NULL;
  JsonObject *access = NULL;

  json_object_set_string_member (params, "operation", operation);
  if (role != NULL)
    json_object_set_string_member (params, "role", role);
  if (type != NULL)
    json_object_set_string_member (params, "resource_type", type);
  answer = reeve_cli_policy_ask (options, "analyze", params, exit);
  access = answer != NULL ? reeve_json_get_object (json_node_get_object (answer), "access") : NULL;
  if (access == NULL)
    return NULL;
  if (options->json)
    reeve_cli_policy_print_json (answer, FALSE);
  else
    reeve_cli_policy_print_access (access);
  return g_steal_pointer (&answer);
}

static int
reeve_cli_policy_who_can (ReeveCliOptions *options, ReevePolicyDocument *document)
{
  int exit = REEVE_CLI_FAILED;
  g_autoptr (JsonNode) answer
      = reeve_cli_policy_ask_access (options, NULL, reeve_cli_options_get_word (options, 2), &exit);

  (void) document;
  return answer != NULL ? REEVE_CLI_DONE : exit;
}

/* For scripts: failed when the role cannot. */
static int
reeve_cli_policy_can (ReeveCliOptions *options, ReevePolicyDocument *document)
{
  int exit = REEVE_CLI_FAILED;
  g_autoptr (JsonNode) answer
      = reeve_cli_policy_ask_access (options, reeve_cli_options_get_word (options, 2),
                                     reeve_cli_options_get_word (options, 3), &exit);
  JsonObject *access
      = answer != NULL ? reeve_json_get_object (json_node_get_object (answer), "access") : NULL;
  const char *word = reeve_json_get_string (access, "answer", "");

  (void) document;
  if (access == NULL)
    return exit;
  return strcmp (word, "yes") == 0 || strcmp (word, "somewhere") == 0 ? REEVE_CLI_DONE
                                                                      : REEVE_CLI_FAILED;
}

/* ---- which ---- */

static const char *const reeve_cli_policy_no_options[] = { NULL };
static const char *const reeve_cli_policy_lint_options[] = { "strict", NULL };
static const char *const reeve_cli_policy_access_options[] = { "resource_type", NULL };
static const char *const reeve_cli_policy_apply_options[]
    = { "expected_revision", "reason", "dry_run", NULL };

static const ReeveCliPolicyVerb reeve_cli_policy_verbs[] = {
  { "apply", "apply FILE… [--dry-run] [--expected-revision N] [--reason TEXT]",
    N_ ("Make the policies equal to a document"), reeve_cli_policy_apply, 1, G_MAXUINT,
    reeve_cli_policy_apply_options },
  { "diff", "diff FILE…", N_ ("Show what applying a document would change"), reeve_cli_policy_diff,
    1, G_MAXUINT, reeve_cli_policy_no_options },
  { "lint", "lint FILE… [--strict]", N_ ("Check a document, without a host"), reeve_cli_policy_lint,
    1, G_MAXUINT, reeve_cli_policy_lint_options },
  { "test", "test FILE…", N_ ("Run a document's tests, without a host"), reeve_cli_policy_test, 1,
    G_MAXUINT, reeve_cli_policy_no_options },
  { "export", "export", N_ ("Show all policies as one document"), reeve_cli_policy_export, 0, 0,
    reeve_cli_policy_no_options },
  { "who-can", "who-can OPERATION [--resource-type TYPE]",
    N_ ("Show which roles can ever do an operation, and by what"), reeve_cli_policy_who_can, 1, 1,
    reeve_cli_policy_access_options },
  { "can", "can ROLE OPERATION [--resource-type TYPE]",
    N_ ("Ask whether a role can ever do an operation"), reeve_cli_policy_can, 2, 2,
    reeve_cli_policy_access_options },
};

static const ReeveCliPolicyVerb *
reeve_cli_policy_find (const char *verb)
{
  for (guint i = 0; verb != NULL && i < G_N_ELEMENTS (reeve_cli_policy_verbs); i++)
    if (strcmp (reeve_cli_policy_verbs[i].verb, verb) == 0)
      return &reeve_cli_policy_verbs[i];
  return NULL;
}

/**
 * reeve_cli_policy_has:
 * @verb: (nullable): a verb of noun `policy`
 *
 * Returns: whether it is one of documents
 */
gboolean
reeve_cli_policy_has (const char *verb)
{
  return reeve_cli_policy_find (verb) != NULL;
}

/**
 * reeve_cli_policy_takes:
 * @options: the command line
 *
 * Returns: whether it means documents; without a file `apply --policies JSON` is the operation as
 * it is
 */
gboolean
reeve_cli_policy_takes (ReeveCliOptions *options)
{
  return g_strcmp0 (reeve_cli_options_get_word (options, 0), "policy") == 0
         && reeve_cli_policy_has (reeve_cli_options_get_word (options, 1))
         && (options->words->len > 2 || reeve_cli_options_get (options, "policies") == NULL);
}

/**
 * reeve_cli_policy_help:
 *
 * Prints what may be done with documents.
 */
void
reeve_cli_policy_help (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_cli_policy_verbs); i++)
    {
      const ReeveCliPolicyVerb *verb = &reeve_cli_policy_verbs[i];

      g_print ("  policy %s\n      %s\n", verb->usage, _ (verb->summary));
    }
}

static gboolean
reeve_cli_policy_check (ReeveCliOptions *options, const ReeveCliPolicyVerb *verb)
{
  for (guint i = 0; i < options->names->len; i++)
    {
      const char *name = g_ptr_array_index (options->names, i);

      if (g_strv_contains (verb->allowed, name))
        continue;
      g_printerr (_ ("reevectl: %s: is no option of this command\n"), name);
      return FALSE;
    }
  if (options->words->len >= 2 + verb->least && options->words->len - 2 <= verb->most)
    return TRUE;
  g_printerr (_ ("reevectl: usage: reevectl policy %s\n"), verb->usage);
  return FALSE;
}

/**
 * reeve_cli_policy_run:
 * @options: the command line, of a verb that reeve_cli_policy_has()
 *
 * Returns: an exit code
 */
int
reeve_cli_policy_run (ReeveCliOptions *options)
{
  const ReeveCliPolicyVerb *verb = reeve_cli_policy_find (reeve_cli_options_get_word (options, 1));
  g_autoptr (ReevePolicyDocument) document = NULL;

  if (verb == NULL || !reeve_cli_policy_check (options, verb))
    return REEVE_CLI_USAGE;
  if (verb->most == G_MAXUINT)
    document = reeve_cli_policy_read (options);
  return verb->func (options, document);
}
