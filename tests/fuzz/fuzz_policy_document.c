/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy document of any bytes, as YAML and as JSON: findings with a line or policies, lints and
 * tests that end; what was read is written and read again as the same. */
/* covers: host/governance/policy-document.c
 * host/governance/policy-lint.c
 * host/governance/policy-cases.c */
#include "governance/policy-cases.h"
#include "governance/policy-lint.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static char *
write_policies (ReevePolicyDocument *document)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, reeve_policy_document_dup_policies (document));
  return reeve_json_canonical (node);
}

static void
check (ReevePolicyDocument *document)
{
  g_autofree char *text = write_policies (document);
  g_autoptr (ReevePolicyDocument) again = reeve_policy_document_new ();
  g_autofree char *other = NULL;
  guint failed = 0;
  g_autoptr (JsonArray) results = reeve_policy_cases_run (document, &failed);

  if (failed > json_array_get_length (results))
    g_error ("more tests failed than there are");
  /* not as JSON: YAML need not take every escape of it */
  if (!reeve_policy_document_add (again, "again.yaml", text, strlen (text)))
    return;
  other = write_policies (again);
  if (strcmp (text, other) != 0)
    g_error ("%s is read as %s", text, other);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *const names[] = { "f.yaml", "f.json" };

  for (guint i = 0; size <= 65536 && i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (ReevePolicyDocument) document = reeve_policy_document_new ();
      gboolean good = reeve_policy_document_add (document, names[i], (const char *) data, size);
      GPtrArray *findings = NULL;

      if (good == reeve_policy_document_has_errors (document))
        g_error ("faults are not told");
      reeve_policy_lint_run (document);
      findings = reeve_policy_document_list_findings (document);
      for (guint k = 0; k < findings->len; k++)
        if (((ReevePolicyFinding *) findings->pdata[k])->line == 0)
          g_error ("a finding stands nowhere");
      if (good)
        check (document);
    }
  return 0;
}
