/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A finding is made only where it is certain by the order of decisions: denials win over
 * allowances, the org's over the agent's, of limits the least holds, what blocks wins over what
 * asks, and that over what allows. */
#include "policy-lint.h"

#include <string.h>

#include "base/config-values.h"

#include "policy-decision.h"
#include "policy-glob.h"
#include "policy-kinds.h"

typedef struct
{
  ReevePolicyDocument *document;
  const ReevePolicyDocumentEntry *entry;
  const ReevePolicyDocumentEntry *org; /* (nullable): above it; NULL for the org's own */
} ReevePolicyLint;

/* Names and globs of which one can be asked whether it covers another. */
typedef struct
{
  GHashTable *exact; /* name -> the same */
  GPtrArray *globs;
} ReevePolicyLintNames;

/* An entry of tools or a row of the matrix. */
typedef struct
{
  const char *name;
  gboolean deny;
  gboolean decides;
  const char *list; /* tools or matrix */
  char *pointer;
} ReevePolicyLintRule;

static void reeve_policy_lint_warn (ReevePolicyLint *self, const char *pointer, const char *code,
                                    const char *format, ...) G_GNUC_PRINTF (4, 5);

static void
reeve_policy_lint_warn (ReevePolicyLint *self, const char *pointer, const char *code,
                        const char *format, ...)
{
  g_autofree char *whole = g_strconcat (self->entry->pointer, pointer, NULL);
  va_list arguments;

  va_start (arguments, format);
  reeve_policy_document_report (self->document, self->entry->file, whole, FALSE, code,
                                g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/* ---- names ---- */

static void
reeve_policy_lint_names_init (ReevePolicyLintNames *self)
{
  self->exact = g_hash_table_new (g_str_hash, g_str_equal);
  self->globs = g_ptr_array_new ();
}

static void
reeve_policy_lint_names_clear (ReevePolicyLintNames *self)
{
  g_hash_table_unref (self->exact);
  g_ptr_array_unref (self->globs);
}

/* FALSE: it is there already */
static gboolean
reeve_policy_lint_names_add (ReevePolicyLintNames *self, const char *name)
{
  if (!g_hash_table_add (self->exact, (gpointer) name))
    return FALSE;
  if (reeve_policy_glob_has_wildcard (name))
    g_ptr_array_add (self->globs, (gpointer) name);
  return TRUE;
}

/* (nullable): which one covers @name; @other: not by itself */
static const char *
reeve_policy_lint_names_cover (const ReevePolicyLintNames *self, const char *name, gboolean other)
{
  const char *same = g_hash_table_lookup (self->exact, name);

  if (same != NULL && !other)
    return same;
  for (guint i = 0; i < self->globs->len; i++)
    {
      const char *glob = g_ptr_array_index (self->globs, i);

      if (strcmp (glob, name) != 0 && reeve_policy_glob_covers (glob, name))
        return glob;
    }
  return NULL;
}

/* ---- tools and matrix ---- */

static void
reeve_policy_lint_rule_clear (gpointer data)
{
  ReevePolicyLintRule *rule = data;

  g_free (rule->pointer);
}

/* (transfer full): of a policy */
static GArray *
reeve_policy_lint_list_rules (const ReevePolicyDocumentEntry *entry)
{
  GArray *rules = g_array_new (FALSE, FALSE, sizeof (ReevePolicyLintRule));
  JsonArray *tools = reeve_json_get_array (entry->object, "tools");
  JsonObject *matrix = reeve_json_get_object (entry->object, "matrix");
  g_autoptr (GList) names = matrix != NULL ? json_object_get_members (matrix) : NULL;

  g_array_set_clear_func (rules, reeve_policy_lint_rule_clear);
  for (guint i = 0; tools != NULL && i < json_array_get_length (tools); i++)
    {
      JsonObject *tool = json_array_get_object_element (tools, i);
      ReevePolicyLintRule rule
          = { .name = reeve_json_get_string (tool, "tool_name", ""),
              .deny = strcmp (reeve_json_get_string (tool, "effect", ""), "deny") == 0,
              .decides = TRUE,
              .list = "tools",
              .pointer = g_strdup_printf ("/tools/%u", i) };

      g_array_append_val (rules, rule);
    }
  for (GList *l = names; l != NULL; l = l->next)
    {
      JsonObject *row = json_object_get_object_member (matrix, l->data);
      ReevePolicyLintRule rule = { .name = l->data,
                                   .deny = !reeve_json_get_boolean (row, "allowed", TRUE),
                                   .decides = json_object_has_member (row, "allowed"),
                                   .list = "matrix",
                                   .pointer = reeve_config_values_join ("/matrix", l->data) };

      g_array_append_val (rules, rule);
    }
  return rules;
}

static void
reeve_policy_lint_collect_denials (const ReevePolicyDocumentEntry *entry, GArray *rules,
                                   ReevePolicyLintNames *denials)
{
  const char *security = reeve_json_get_string (entry->object, "security_level", NULL);

  for (guint i = 0; i < rules->len; i++)
    {
      const ReevePolicyLintRule *rule = &g_array_index (rules, ReevePolicyLintRule, i);

      if (rule->deny && rule->decides)
        reeve_policy_lint_names_add (denials, rule->name);
    }
  if (g_strcmp0 (security, "deny") == 0)
    reeve_policy_lint_names_add (denials, "*");
}

/* Does an allowance of exactly this tool come to nothing for another reason: the level? */
static void
reeve_policy_lint_decide (ReevePolicyLint *self, const ReevePolicyLintRule *rule)
{
  const ReevePolicyDocumentEntry *org = self->org != NULL ? self->org : self->entry;
  ReevePolicyAsk ask = { .tool_name = rule->name };
  g_auto (ReevePolicyDecision) decision = { 0 };

  if (reeve_policy_glob_has_wildcard (rule->name))
    return;
  reeve_policy_decision_make (org->agent == NULL ? org->policy : NULL,
                              self->entry->agent != NULL ? self->entry->policy : NULL, &ask,
                              &decision);
  if (decision.effect == REEVE_POLICY_DENY)
    reeve_policy_lint_warn (self, rule->pointer, "never-allowed",
                            "%s is denied all the same (%s), unless the tool says of itself that "
                            "it is of another kind",
                            rule->name, decision.reason);
}

static void
reeve_policy_lint_allowance (ReevePolicyLint *self, const ReevePolicyLintRule *rule,
                             const ReevePolicyLintNames *own, const ReevePolicyLintNames *above)
{
  const char *by = reeve_policy_lint_names_cover (above, rule->name, FALSE);

  if (by != NULL)
    {
      reeve_policy_lint_warn (self, rule->pointer, "org-denies",
                              "%s is never allowed: the org denies %s", rule->name, by);
      return;
    }
  by = reeve_policy_lint_names_cover (own, rule->name, FALSE);
  if (by != NULL)
    {
      reeve_policy_lint_warn (self, rule->pointer, "shadowed",
                              "%s is never allowed: the same policy denies %s", rule->name, by);
      return;
    }
  if (reeve_policy_glob_covers (rule->name, "*"))
    reeve_policy_lint_warn (self, rule->pointer, "allows-all",
                            "%s allows every tool that is not denied, also those to come",
                            rule->name);
  reeve_policy_lint_decide (self, rule);
}

static void
reeve_policy_lint_denial (ReevePolicyLint *self, const ReevePolicyLintRule *rule,
                          const ReevePolicyLintNames *own, const ReevePolicyLintNames *above)
{
  const char *by = reeve_policy_lint_names_cover (above, rule->name, FALSE);

  if (by != NULL)
    reeve_policy_lint_warn (self, rule->pointer, "redundant", "%s is denied by the org already: %s",
                            rule->name, by);
  else if ((by = reeve_policy_lint_names_cover (own, rule->name, TRUE)) != NULL)
    reeve_policy_lint_warn (self, rule->pointer, "redundant",
                            "%s is denied by the same policy already: %s", rule->name, by);
}

static void
reeve_policy_lint_tools (ReevePolicyLint *self)
{
  g_autoptr (GArray) rules = reeve_policy_lint_list_rules (self->entry);
  g_autoptr (GArray) others = self->org != NULL ? reeve_policy_lint_list_rules (self->org) : NULL;
  ReevePolicyLintNames own = { 0 };
  ReevePolicyLintNames above = { 0 };
  ReevePolicyLintNames seen[2] = { 0 };

  reeve_policy_lint_names_init (&own);
  reeve_policy_lint_names_init (&above);
  reeve_policy_lint_names_init (&seen[0]);
  reeve_policy_lint_names_init (&seen[1]);
  reeve_policy_lint_collect_denials (self->entry, rules, &own);
  if (others != NULL)
    reeve_policy_lint_collect_denials (self->org, others, &above);
  for (guint i = 0; i < rules->len; i++)
    {
      const ReevePolicyLintRule *rule = &g_array_index (rules, ReevePolicyLintRule, i);

      if (!rule->decides)
        continue;
      if (!reeve_policy_lint_names_add (&seen[rule->deny], rule->name))
        reeve_policy_lint_warn (self, rule->pointer, "duplicate", "%s is %s here already",
                                rule->name, rule->deny ? "denied" : "allowed");
      else if (rule->deny)
        reeve_policy_lint_denial (self, rule, &own, &above);
      else
        reeve_policy_lint_allowance (self, rule, &own, &above);
    }
  reeve_policy_lint_names_clear (&own);
  reeve_policy_lint_names_clear (&above);
  reeve_policy_lint_names_clear (&seen[0]);
  reeve_policy_lint_names_clear (&seen[1]);
}

/* A row that says nothing, and one that limits what is only denied. */
static void
reeve_policy_lint_rows (ReevePolicyLint *self)
{
  JsonObject *matrix = reeve_json_get_object (self->entry->object, "matrix");
  g_autoptr (GList) names = matrix != NULL ? json_object_get_members (matrix) : NULL;

  for (GList *l = names; l != NULL; l = l->next)
    {
      JsonObject *row = json_object_get_object_member (matrix, l->data);
      g_autofree char *pointer = reeve_config_values_join ("/matrix", l->data);

      if (json_object_get_size (row) == 0)
        reeve_policy_lint_warn (self, pointer, "empty", "the row says nothing");
      else if (json_object_get_size (row) > 1 && !reeve_json_get_boolean (row, "allowed", TRUE))
        reeve_policy_lint_warn (self, pointer, "shadowed",
                                "it limits the arguments of a tool that it denies");
    }
}

/* ---- limits and levels ---- */

static void
reeve_policy_lint_limits (ReevePolicyLint *self)
{
  static const char *const members[] = { "token_limit", "execution_timeout_seconds" };
  const char *level = reeve_json_get_string (self->entry->object, "sandbox_level", NULL);
  const char *above
      = self->org != NULL ? reeve_json_get_string (self->org->object, "sandbox_level", NULL) : NULL;

  if (g_strcmp0 (reeve_json_get_string (self->entry->object, "security_level", NULL), "full") == 0)
    reeve_policy_lint_warn (self, "/security_level", "allows-all",
                            "full allows every tool that is not denied, also those to come");
  for (guint i = 0; self->org != NULL && i < G_N_ELEMENTS (members); i++)
    {
      gint64 own = reeve_json_get_int (self->entry->object, members[i], 0);
      gint64 most = reeve_json_get_int (self->org->object, members[i], 0);
      g_autofree char *pointer = g_strconcat ("/", members[i], NULL);

      if (most > 0 && own > most)
        reeve_policy_lint_warn (self, pointer, "wider-than-org",
                                "%" G_GINT64_FORMAT " is more than the org's %" G_GINT64_FORMAT
                                ", which holds",
                                own, most);
    }
  if (level != NULL && reeve_policy_parse_level (above) > reeve_policy_parse_level (level))
    reeve_policy_lint_warn (self, "/sandbox_level", "wider-than-org",
                            "%s is milder than the org's %s, which holds", level, above);
}

static gboolean
reeve_policy_lint_has_level (const ReevePolicyDocumentEntry *entry)
{
  return reeve_json_get_string (entry->object, "sandbox_level", NULL) != NULL;
}

/* Lists of levels where no policy sets a level. */
static void
reeve_policy_lint_levels (ReevePolicyLint *self)
{
  GPtrArray *entries = reeve_policy_document_list_entries (self->document);
  gboolean used = reeve_policy_lint_has_level (self->entry)
                  || (self->org != NULL && reeve_policy_lint_has_level (self->org));

  if (reeve_json_get_object (self->entry->object, "levels") == NULL)
    return;
  for (guint i = 0; self->entry->agent == NULL && !used && i < entries->len; i++)
    used = reeve_policy_lint_has_level (g_ptr_array_index (entries, i));
  if (!used)
    reeve_policy_lint_warn (self, "/levels", "unused",
                            "lists of levels count only where a policy sets sandbox_level");
}

/* ---- patterns of approval ---- */

/* Whether a pattern's word before the colon is a kind, or a glob that means one. */
static gboolean
reeve_policy_lint_is_kind (const char *pattern, gsize length)
{
  g_autofree char *kind = g_strndup (pattern, length);

  for (guint i = 0; i <= REEVE_POLICY_KIND_UNKNOWN; i++)
    if (reeve_policy_glob_match (kind, reeve_policy_kinds_get_name ((ReevePolicyKind) i)))
      return TRUE;
  return FALSE;
}

static void
reeve_policy_lint_pattern (ReevePolicyLint *self, const char *pointer, const char *pattern)
{
  const char *colon = strchr (pattern, ':');
  gboolean kind = colon != NULL && reeve_policy_lint_is_kind (pattern, (gsize) (colon - pattern));
  /* a star before the colon may take it in */
  gboolean star = colon != NULL && memchr (pattern, '*', (gsize) (colon - pattern)) != NULL;

  if (kind || star || pattern[0] == '*')
    return;
  if (strpbrk (pattern, " @") != NULL && strchr (pattern, '*') == NULL)
    reeve_policy_lint_warn (self, pointer, "never-matches",
                            "\"%s\" matches nothing: no tool is called so, and it names no kind",
                            pattern);
  else if (strpbrk (pattern, " @") != NULL)
    reeve_policy_lint_warn (self, pointer, "never-matches",
                            "\"%s\" matches nothing: it names no kind (compute, read, network, "
                            "write, delete, execute, unknown)",
                            pattern);
  else if (colon != NULL)
    reeve_policy_lint_warn (self, pointer, "unknown-kind",
                            "\"%s\" matches only tools that are called so: %.*s is no kind "
                            "(compute, read, network, write, delete, execute, unknown)",
                            pattern, (int) (colon - pattern), pattern);
}

/* @strong: what wins over the list; added to as the lists go from strong to weak */
static void
reeve_policy_lint_list (ReevePolicyLint *self, const char *member, ReevePolicyLintNames *strong)
{
  JsonObject *approval = reeve_json_get_object (self->entry->object, "approval");
  JsonArray *list = reeve_json_get_array (approval, member);
  ReevePolicyLintNames seen = { 0 };

  reeve_policy_lint_names_init (&seen);
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      const char *pattern = json_array_get_string_element (list, i);
      const char *by = reeve_policy_lint_names_cover (strong, pattern, FALSE);
      g_autofree char *pointer = g_strdup_printf ("/approval/%s/%u", member, i);

      if (!reeve_policy_lint_names_add (&seen, pattern))
        reeve_policy_lint_warn (self, pointer, "duplicate", "\"%s\" stands in this list twice",
                                pattern);
      else if (by != NULL)
        reeve_policy_lint_warn (self, pointer, "shadowed", "\"%s\" has no effect: \"%s\" wins",
                                pattern, by);
      reeve_policy_lint_pattern (self, pointer, pattern);
    }
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    reeve_policy_lint_names_add (strong, json_array_get_string_element (list, i));
  reeve_policy_lint_names_clear (&seen);
}

static void
reeve_policy_lint_approval (ReevePolicyLint *self)
{
  static const char *const lists[] = { "blocked", "approval_required", "allowlist" };
  JsonObject *above
      = self->org != NULL ? reeve_json_get_object (self->org->object, "approval") : NULL;
  ReevePolicyLintNames strong = { 0 };

  reeve_policy_lint_names_init (&strong);
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      JsonArray *of_org = reeve_json_get_array (above, lists[i]);

      reeve_policy_lint_list (self, lists[i], &strong);
      for (guint k = 0; of_org != NULL && i < 2 && k < json_array_get_length (of_org); k++)
        reeve_policy_lint_names_add (&strong, json_array_get_string_element (of_org, k));
    }
  reeve_policy_lint_names_clear (&strong);
}

/* ---- tests ---- */

static void
reeve_policy_lint_tests (ReevePolicyDocument *document)
{
  GPtrArray *tests = reeve_policy_document_list_tests (document);

  for (guint i = 0; i < tests->len; i++)
    {
      const ReevePolicyDocumentTest *row = g_ptr_array_index (tests, i);
      const char *agent = reeve_json_get_string (row->test, "agent", NULL);
      g_autofree char *pointer = g_strconcat (row->pointer, "/agent", NULL);

      if (agent != NULL && reeve_policy_document_find (document, agent) == NULL)
        reeve_policy_document_report (
            document, row->file, pointer, FALSE, "unknown-agent",
            g_strdup_printf ("%s has no policy in the document: the test is of the org's alone",
                             agent));
    }
}

/**
 * reeve_policy_lint_run:
 * @document: a document
 *
 * Adds warnings to its findings.
 */
void
reeve_policy_lint_run (ReevePolicyDocument *document)
{
  GPtrArray *entries = reeve_policy_document_list_entries (document);

  for (guint i = 0; i < entries->len; i++)
    {
      ReevePolicyLint self = { .document = document, .entry = g_ptr_array_index (entries, i) };

      if (self.entry->agent != NULL)
        self.org = reeve_policy_document_find (document, NULL);
      reeve_policy_lint_tools (&self);
      reeve_policy_lint_rows (&self);
      reeve_policy_lint_limits (&self);
      reeve_policy_lint_levels (&self);
      reeve_policy_lint_approval (&self);
    }
  reeve_policy_lint_tests (document);
}
