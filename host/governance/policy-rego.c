/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every denial and every demand of an approval is a member of a set; only what is in neither is
 * allowed, so that nothing which is left out here can widen the policy. Whatever of the input is
 * absent counts against the call. Names without wildcards stand in sets, globs as anchored regular
 * expressions: Rego's own globs know classes, alternatives and delimiters, ours do not. */
#include "policy-rego.h"

#include <string.h>

#include "policy-glob.h"
#include "policy-private.h"

typedef struct
{
  GString *text;
  const ReevePolicy *org;
  const ReevePolicy *agent;
  ReevePolicyLevel level; /* of the policies: the strictest */
  gboolean isolated;
} ReevePolicyRego;

/* Which rules stand in a list. */
typedef gboolean (*ReevePolicyRegoTake) (const ReevePolicyRego *self, const ReevePolicyRule *rule);

/* ---- words ---- */

/* A string of Rego is one of JSON. */
static void
reeve_policy_rego_quote (GString *to, const char *text)
{
  g_string_append_c (to, '"');
  for (const char *at = text; *at != '\0'; at++)
    {
      if (*at == '"' || *at == '\\')
        g_string_append_printf (to, "\\%c", *at);
      else if ((guchar) *at < 0x20 || *at == 0x7f)
        g_string_append_printf (to, "\\u%04x", (guint) (guchar) *at);
      else
        g_string_append_c (to, *at);
    }
  g_string_append_c (to, '"');
}

/* A glob as a regular expression of RE2: all of the text, newlines too. */
static void
reeve_policy_rego_quote_glob (GString *to, const char *glob)
{
  g_autoptr (GString) pattern = g_string_new ("(?s)^");

  for (const char *at = glob; *at != '\0'; at++)
    {
      if (*at == '*')
        g_string_append (pattern, ".*");
      else if (*at == '?')
        g_string_append_c (pattern, '.');
      else
        {
          if (strchr ("\\.+()|[]{}^$", *at) != NULL)
            g_string_append_c (pattern, '\\');
          g_string_append_c (pattern, *at);
        }
    }
  g_string_append_c (pattern, '$');
  reeve_policy_rego_quote (to, pattern->str);
}

static void reeve_policy_rego_add (ReevePolicyRego *self, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

/* A rule, and a blank line before it. */
static void
reeve_policy_rego_add (ReevePolicyRego *self, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_string_append_c (self->text, '\n');
  g_string_append_vprintf (self->text, format, arguments);
  g_string_append_c (self->text, '\n');
  va_end (arguments);
}

/* ---- lists ---- */

static guint
reeve_policy_rego_collect (const ReevePolicyRego *self, const GArray *rules,
                           ReevePolicyRegoTake take, GString *names, GString *patterns)
{
  guint taken = 0;

  for (guint i = 0; i < rules->len; i++)
    {
      const ReevePolicyRule *rule = &g_array_index (rules, ReevePolicyRule, i);
      GString *to = reeve_policy_glob_has_wildcard (rule->name) ? patterns : names;

      if (!take (self, rule))
        continue;
      taken++;
      g_string_append (to, to->len > 0 ? ",\n\t" : "\t");
      if (to == patterns)
        reeve_policy_rego_quote_glob (to, rule->name);
      else
        reeve_policy_rego_quote (to, rule->name);
    }
  return taken;
}

static void
reeve_policy_rego_write_list (ReevePolicyRego *self, const char *name, const GString *names,
                              const GString *patterns)
{
  if (names->len > 0)
    reeve_policy_rego_add (self, "%s := {\n%s,\n}", name, names->str);
  else
    reeve_policy_rego_add (self, "%s := set()", name);
  if (patterns->len > 0)
    reeve_policy_rego_add (self, "%s_patterns := [\n%s,\n]", name, patterns->str);
  else
    reeve_policy_rego_add (self, "%s_patterns := []", name);
}

/* NAME and NAME_patterns, of up to two arrays of rules. FALSE, and nothing is written: there are
 * none. */
static gboolean
reeve_policy_rego_list (ReevePolicyRego *self, const char *name, const GArray *first,
                        const GArray *second, ReevePolicyRegoTake take)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (GString) patterns = g_string_new (NULL);
  guint taken = first != NULL ? reeve_policy_rego_collect (self, first, take, names, patterns) : 0;

  if (second != NULL)
    taken += reeve_policy_rego_collect (self, second, take, names, patterns);
  if (taken == 0)
    return FALSE;
  reeve_policy_rego_write_list (self, name, names, patterns);
  return TRUE;
}

static gboolean
reeve_policy_rego_denies (const ReevePolicyRego *self, const ReevePolicyRule *rule)
{
  return rule->kind != REEVE_POLICY_RULE_LIMITS && rule->effect == REEVE_POLICY_DENY;
}

static gboolean
reeve_policy_rego_allows (const ReevePolicyRego *self, const ReevePolicyRule *rule)
{
  return rule->kind != REEVE_POLICY_RULE_LIMITS && rule->effect == REEVE_POLICY_ALLOW;
}

/* What the agent names too is replaced. */
static gboolean
reeve_policy_rego_allows_still (const ReevePolicyRego *self, const ReevePolicyRule *rule)
{
  return reeve_policy_rego_allows (self, rule)
         && (self->agent == NULL || !g_hash_table_contains (self->agent->named, rule->name));
}

/* Shipped lists are for policies that have none. */
static gboolean
reeve_policy_rego_is_of (const ReevePolicyRego *self, const ReevePolicyRule *rule,
                         ReevePolicyRuleKind kind)
{
  guint own = (self->org != NULL ? self->org->own_lists : 0)
              | (self->agent != NULL ? self->agent->own_lists : 0);

  return rule->kind == kind && (!rule->shipped || (own & (1u << kind)) == 0);
}

static gboolean
reeve_policy_rego_is_blocked (const ReevePolicyRego *self, const ReevePolicyRule *rule)
{
  return reeve_policy_rego_is_of (self, rule, REEVE_POLICY_RULE_BLOCKED);
}

static gboolean
reeve_policy_rego_is_approval (const ReevePolicyRego *self, const ReevePolicyRule *rule)
{
  return reeve_policy_rego_is_of (self, rule, REEVE_POLICY_RULE_APPROVAL);
}

static gboolean
reeve_policy_rego_is_allowlist (const ReevePolicyRego *self, const ReevePolicyRule *rule)
{
  return reeve_policy_rego_is_of (self, rule, REEVE_POLICY_RULE_ALLOWLIST);
}

static gboolean
reeve_policy_rego_is_standard (const ReevePolicyRego *self, const ReevePolicyRule *rule)
{
  return reeve_policy_rego_is_of (self, rule, REEVE_POLICY_RULE_STANDARD);
}

static gboolean
reeve_policy_rego_is_trusted (const ReevePolicyRego *self, const ReevePolicyRule *rule)
{
  return reeve_policy_rego_is_of (self, rule, REEVE_POLICY_RULE_TRUSTED);
}

/* A list of patterns of actions, of both policies. */
static gboolean
reeve_policy_rego_actions (ReevePolicyRego *self, const char *name, ReevePolicyRegoTake take)
{
  return reeve_policy_rego_list (self, name, self->org != NULL ? self->org->actions : NULL,
                                 self->agent != NULL ? self->agent->actions : NULL, take);
}

/* ---- the parts of a module ---- */

static void
reeve_policy_rego_write_head (ReevePolicyRego *self, const ReevePolicyRegoSubject *subject)
{
  g_autofree char *package = reeve_policy_rego_name_package (subject->tenant_id);

  g_string_append (self->text, "# Generated by Reeve from the tool policy of tenant ");
  reeve_policy_rego_quote (self->text, subject->tenant_id);
  if (subject->agent_id != NULL)
    {
      g_string_append (self->text, ", agent ");
      reeve_policy_rego_quote (self->text, subject->agent_id);
    }
  g_string_append_printf (self->text, ", revision %" G_GINT64_FORMAT ".\n", subject->revision);
  g_string_append_printf (
      self->text,
      "# Rego of OPA 1.0; the answer is the rule allow, why it is so the rule decision.\n"
      "#\n"
      "# Not here, since Rego has no way to tell: rates are counted by the host. Whether the\n"
      "# arguments keep to the constraints on paths, domains and operations, and which patterns\n"
      "# of actions they match, is told by the host as input.facts; without these facts the\n"
      "# answer is no, or an approval is asked for. The host decides by its own policy too.\n"
      "package %s\n",
      package);
  reeve_policy_rego_add (
      self, "decision := {\"allow\": allow, \"approval_required\": approval_required, "
            "\"reason\": reason}\n\n"
            "default allow := false\n\n"
            "allow if {\n\tcount(denials) == 0\n\tcount(approvals) == 0\n}\n\n"
            "default approval_required := false\n\n"
            "approval_required if {\n\tcount(denials) == 0\n\tcount(approvals) > 0\n}\n\n"
            "reason := concat(\", \", denials) if count(denials) > 0\n\n"
            "reason := \"approval_required\" if approval_required\n\n"
            "reason := \"tool_allowed\" if allow");
  reeve_policy_rego_add (self, "matches(name, exact, _) if name in exact\n\n"
                               "matches(name, _, patterns) if {\n"
                               "\tsome pattern in patterns\n"
                               "\tregex.match(pattern, name)\n}\n\n"
                               "# the tool, and the tool by its kind\n"
                               "names := [input.tool, concat(\":\", [input.kind, input.tool])]");
}

static void
reeve_policy_rego_write_subject (ReevePolicyRego *self, const ReevePolicyRegoSubject *subject)
{
  g_autoptr (GString) tenant = g_string_new (NULL);
  g_autoptr (GString) agents = g_string_new (NULL);

  reeve_policy_rego_quote (tenant, subject->tenant_id);
  reeve_policy_rego_add (self, "denials contains \"other_tenant\" if not input.tenant_id == %s",
                         tenant->str);
  if (subject->agent_id != NULL)
    {
      reeve_policy_rego_quote (agents, subject->agent_id);
      reeve_policy_rego_add (self, "denials contains \"other_agent\" if not input.agent.id == %s",
                             agents->str);
    }
  for (guint i = 0;
       subject->agent_id == NULL && subject->others != NULL && subject->others[i] != NULL; i++)
    {
      g_string_append (agents, i > 0 ? ",\n\t" : "\t");
      reeve_policy_rego_quote (agents, subject->others[i]);
    }
  if (subject->agent_id == NULL && agents->len > 0)
    reeve_policy_rego_add (self,
                           "# these have modules of their own\nother_agents := {\n%s,\n}\n\n"
                           "denials contains \"other_agent\" if input.agent.id in other_agents",
                           agents->str);
}

static void
reeve_policy_rego_write_input (ReevePolicyRego *self)
{
  reeve_policy_rego_add (
      self,
      "denials contains \"input_incomplete\" if not complete\n\n"
      "complete if {\n\tis_string(input.tool)\n\tis_string(input.kind)\n"
      "\tis_number(input.estimated_tokens)\n"
      "\tinput.sandbox_level in {null, \"isolated\", \"standard\", \"strict\", \"trusted\"}\n}");
  reeve_policy_rego_add (self,
                         "denials contains \"tool_not_in_definition\" if not in_definition\n\n"
                         "in_definition if input.agent_tools == null\n\n"
                         "in_definition if input.tool in input.agent_tools");
}

/* They are there in any case, for whoever reads them. */
static void
reeve_policy_rego_write_limits (ReevePolicyRego *self)
{
  reeve_policy_rego_add (self,
                         "# tokens of an execution; 0: no limit\ntoken_limit := %" G_GINT64_FORMAT,
                         reeve_policy_merge_token_limit (self->org, self->agent));
  reeve_policy_rego_add (self, "denials contains \"token_limit_exceeded\" if {\n"
                               "\ttoken_limit > 0\n"
                               "\tnot input.estimated_tokens <= token_limit\n}");
  reeve_policy_rego_add (self,
                         "# seconds; 0: no limit; the host ends an execution that takes longer\n"
                         "execution_timeout := %" G_GINT64_FORMAT,
                         reeve_policy_merge_timeout (self->org, self->agent));
}

/* A list of tools that both policies name, there even where it is empty. */
static void
reeve_policy_rego_write_tools (ReevePolicyRego *self, const char *name, ReevePolicyRegoTake of_org,
                               ReevePolicyRegoTake of_agent)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (GString) patterns = g_string_new (NULL);

  if (self->org != NULL)
    reeve_policy_rego_collect (self, self->org->tools, of_org, names, patterns);
  if (self->agent != NULL)
    reeve_policy_rego_collect (self, self->agent->tools, of_agent, names, patterns);
  reeve_policy_rego_write_list (self, name, names, patterns);
}

static void
reeve_policy_rego_write_allowed (ReevePolicyRego *self)
{
  const ReevePolicy *said = self->agent;

  if ((self->org != NULL && self->org->security == REEVE_POLICY_SECURITY_DENY)
      || (self->agent != NULL && self->agent->security == REEVE_POLICY_SECURITY_DENY))
    reeve_policy_rego_add (self, "# security_level deny\ndenials contains \"tool_denied\"");
  reeve_policy_rego_write_tools (self, "denied_tools", reeve_policy_rego_denies,
                                 reeve_policy_rego_denies);
  reeve_policy_rego_add (self, "denials contains \"tool_denied\" if matches(input.tool, "
                               "denied_tools, denied_tools_patterns)");
  reeve_policy_rego_add (self, "default allowed := false");
  reeve_policy_rego_write_tools (self, "allowed_tools", reeve_policy_rego_allows_still,
                                 reeve_policy_rego_allows);
  reeve_policy_rego_add (self,
                         "allowed if matches(input.tool, allowed_tools, allowed_tools_patterns)");
  if (said == NULL || said->security == REEVE_POLICY_SECURITY_UNSET)
    said = self->org;
  if (said != NULL && said->security == REEVE_POLICY_SECURITY_FULL)
    reeve_policy_rego_add (self, "# security_level full\nallowed if is_string(input.tool)");
}

static void
reeve_policy_rego_find_level (ReevePolicyRego *self)
{
  const ReevePolicy *sides[] = { self->org, self->agent };

  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    if (sides[i] != NULL)
      {
        self->level = MAX (self->level, sides[i]->level);
        self->isolated = self->isolated || sides[i]->level == REEVE_POLICY_LEVEL_ISOLATED;
      }
}

/* A definition makes the level stricter. */
static void
reeve_policy_rego_write_level (ReevePolicyRego *self)
{
  if (self->isolated)
    reeve_policy_rego_add (self,
                           "denials contains \"external_access\" if not input.external == false");
  else
    reeve_policy_rego_add (self, "denials contains \"external_access\" if {\n"
                                 "\tinput.sandbox_level == \"isolated\"\n"
                                 "\tnot input.external == false\n}");
  if (self->level == REEVE_POLICY_LEVEL_STRICT)
    reeve_policy_rego_add (self, "# sandbox_level strict\napprovals contains \"sandbox_level\"");
  else
    reeve_policy_rego_add (
        self, "approvals contains \"sandbox_level\" if input.sandbox_level == \"strict\"");
}

static gboolean
reeve_policy_rego_has_constraints (const ReevePolicy *side)
{
  for (guint i = 0; side != NULL && i < side->tools->len; i++)
    {
      const ReevePolicyRule *rule = &g_array_index (side->tools, ReevePolicyRule, i);

      if (rule->constraints != NULL && reeve_policy_constraints_has_arguments (rule->constraints))
        return TRUE;
    }
  return FALSE;
}

static void
reeve_policy_rego_write_thresholds (ReevePolicyRego *self)
{
  static const char *const within[]
      = { "\"low\"", "\"low\", \"medium\"", "\"high\", \"low\", \"medium\"" };
  const ReevePolicy *sides[] = { self->org, self->agent };
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  gdouble cost = -1;
  int risk = -1;

  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    {
      if (sides[i] != NULL && sides[i]->cost >= 0)
        cost = cost < 0 ? sides[i]->cost : MIN (cost, sides[i]->cost);
      if (sides[i] != NULL && sides[i]->risk >= 0)
        risk = risk < 0 ? sides[i]->risk : MIN (risk, sides[i]->risk);
    }
  if (cost >= 0)
    reeve_policy_rego_add (self,
                           "affordable if {\n\tis_number(input.cost)\n\tinput.cost <= %s\n}\n\n"
                           "approvals contains \"cost\" if not affordable",
                           g_ascii_dtostr (number, sizeof number, cost));
  if (risk >= 0)
    reeve_policy_rego_add (self, "approvals contains \"risk\" if not input.risk in {%s}",
                           within[risk]);
}

static void
reeve_policy_rego_write_actions (ReevePolicyRego *self)
{
  if (reeve_policy_rego_has_constraints (self->org)
      || reeve_policy_rego_has_constraints (self->agent))
    reeve_policy_rego_add (self, "denials contains \"constraints_broken\" if not "
                                 "input.facts.constraints in {\"held\", \"unchecked\"}");
  if (reeve_policy_rego_actions (self, "blocked", reeve_policy_rego_is_blocked))
    reeve_policy_rego_add (self, "denials contains \"action_blocked\" if {\n"
                                 "\tsome name in names\n"
                                 "\tmatches(name, blocked, blocked_patterns)\n}\n\n"
                                 "denials contains \"action_blocked\" if not "
                                 "input.facts.blocked == false");
  reeve_policy_rego_add (self, "default asked := false\n\n"
                               "approvals contains \"action\" if asked");
  if (reeve_policy_rego_actions (self, "approval", reeve_policy_rego_is_approval))
    reeve_policy_rego_add (self, "asked if {\n\tsome name in names\n"
                                 "\tmatches(name, approval, approval_patterns)\n}\n\n"
                                 "asked if not input.facts.approval == false");
  if (reeve_policy_rego_actions (self, "allowlist", reeve_policy_rego_is_allowlist))
    reeve_policy_rego_add (self, "allowed if {\n\tsome name in names\n"
                                 "\tmatches(name, allowlist, allowlist_patterns)\n}\n\n"
                                 "allowed if input.facts.allowlist == true");
}

/* What no rule names: denied, or as the level's lists say. */
static void
reeve_policy_rego_write_default (ReevePolicyRego *self)
{
  if (self->level == REEVE_POLICY_LEVEL_UNSET)
    {
      reeve_policy_rego_add (self, "denials contains \"%s\" if {\n\tnot allowed\n\tnot asked\n}",
                             self->org == NULL && self->agent == NULL ? "policy_unset"
                                                                      : "tool_not_allowed");
      return;
    }
  reeve_policy_rego_add (self, "approvals contains \"unknown_tool\" if {\n\tnot allowed\n"
                               "\tnot asked\n\tnot listed\n}\n\n"
                               "default listed := false");
  if (reeve_policy_rego_actions (self, "standard", reeve_policy_rego_is_standard))
    reeve_policy_rego_add (self, "listed if {\n\tsome name in names\n"
                                 "\tmatches(name, standard, standard_patterns)\n}\n\n"
                                 "listed if input.facts.standard == true");
  if (self->level == REEVE_POLICY_LEVEL_TRUSTED
      && reeve_policy_rego_actions (self, "trusted", reeve_policy_rego_is_trusted))
    reeve_policy_rego_add (self, "listed if {\n\tinput.sandbox_level in {null, \"trusted\"}\n"
                                 "\tsome name in names\n"
                                 "\tmatches(name, trusted, trusted_patterns)\n}\n\n"
                                 "listed if {\n\tinput.sandbox_level in {null, \"trusted\"}\n"
                                 "\tinput.facts.trusted == true\n}");
}

/* Whether a dot and the text are a part of a reference: no keyword, only what names are made of. */
static gboolean
reeve_policy_rego_is_name (const char *text)
{
  static const char *const keywords[]
      = { "as", "contains", "data", "default", "else",    "every", "false", "if",   "import",
          "in", "input",    "not",  "null",    "package", "some",  "true",  "with", NULL };

  return !g_ascii_isdigit (*text) && *text != '\0' && !g_strv_contains (keywords, text)
         && text[strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_")] == '\0';
}

/**
 * reeve_policy_rego_name_package:
 * @tenant_id: whose
 *
 * Returns: (transfer full): the package of the tenant's modules, as Rego writes it: what is no name
 *   there stands in brackets
 */
char *
reeve_policy_rego_name_package (const char *tenant_id)
{
  g_autoptr (GString) package = g_string_new (REEVE_POLICY_REGO_PACKAGE);

  if (reeve_policy_rego_is_name (tenant_id))
    g_string_append_printf (package, ".%s", tenant_id);
  else
    {
      g_string_append_c (package, '[');
      reeve_policy_rego_quote (package, tenant_id);
      g_string_append_c (package, ']');
    }
  return g_string_free (g_steal_pointer (&package), FALSE);
}

/**
 * reeve_policy_rego_write:
 * @subject: whose policies they are
 * @org: (nullable): the tenant's policy
 * @agent: (nullable): the agent's
 *
 * Returns: (transfer full): a module in Rego
 */
char *
reeve_policy_rego_write (const ReevePolicyRegoSubject *subject, const ReevePolicy *org,
                         const ReevePolicy *agent)
{
  ReevePolicyRego self = { .text = g_string_new (NULL), .org = org, .agent = agent };

  reeve_policy_rego_find_level (&self);
  reeve_policy_rego_write_head (&self, subject);
  reeve_policy_rego_write_subject (&self, subject);
  reeve_policy_rego_write_input (&self);
  reeve_policy_rego_write_limits (&self);
  reeve_policy_rego_write_level (&self);
  reeve_policy_rego_write_allowed (&self);
  reeve_policy_rego_write_actions (&self);
  reeve_policy_rego_write_thresholds (&self);
  reeve_policy_rego_write_default (&self);
  return g_string_free (self.text, FALSE);
}
