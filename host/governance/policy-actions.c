/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call has several names: its tool, kind:tool, and kind:target for each path, domain and command
 * among its arguments. A pattern that blocks or asks matches any of them. One that allows must
 * match the tool, or every single target, and no target that could be read in two ways. One that
 * blocks or asks by its target takes such a target for its own. */
#include "policy-actions.h"

#include <string.h>

#include "policy-arguments.h"
#include "policy-glob.h"

typedef struct
{
  const ReevePolicy *policies[2];
  const ReevePolicy *policy; /* being looked at */
  ReevePolicyActions *found;
  ReevePolicyActions target; /* what matches one target */
  ReevePolicyActions *into;
  const char *kind;
  guint targets;
  guint commands;
  gboolean doubted; /* the patterns of the kind have been taken */
  gboolean doubted_command;
  guint matched[REEVE_POLICY_RULE_TRUSTED + 1]; /* targets, by list */
  ReevePolicyActions all;                       /* what matched them */
} ReevePolicyActionsWork;

static ReevePolicyActionsFound *
reeve_policy_actions_get (ReevePolicyActions *found, ReevePolicyRuleKind kind)
{
  switch (kind)
    {
    case REEVE_POLICY_RULE_BLOCKED:
      return &found->blocked;
    case REEVE_POLICY_RULE_APPROVAL:
      return &found->approval;
    case REEVE_POLICY_RULE_ALLOWLIST:
      return &found->allowlist;
    case REEVE_POLICY_RULE_STANDARD:
      return &found->standard;
    default:
      return &found->trusted;
    }
}

/* The shipped list is for policies that have none: an own one of the other policy goes before. */
static gboolean
reeve_policy_actions_counts (const ReevePolicyActionsWork *work, const ReevePolicyRule *rule)
{
  if (!rule->shipped)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (work->policies); i++)
    if (work->policies[i] != NULL && (work->policies[i]->own_lists & (1u << rule->kind)) != 0)
      return FALSE;
  return TRUE;
}

static gboolean
reeve_policy_actions_on_match (guint value, gpointer user_data)
{
  ReevePolicyActionsWork *work = user_data;
  const ReevePolicyRule *rule = &g_array_index (work->policy->actions, ReevePolicyRule, value);
  ReevePolicyActionsFound *found = reeve_policy_actions_get (work->into, rule->kind);

  if (reeve_policy_actions_counts (work, rule)
      && (found->rule == NULL || rule->weight > found->rule->weight))
    *found = (ReevePolicyActionsFound){ rule, work->policy };
  return TRUE;
}

static void
reeve_policy_actions_look (ReevePolicyActionsWork *work, const char *action,
                           ReevePolicyActions *into)
{
  work->into = into;
  for (guint i = 0; i < G_N_ELEMENTS (work->policies); i++)
    {
      work->policy = work->policies[i];
      if (work->policy != NULL)
        reeve_policy_index_visit (work->policy->action_index, action, reeve_policy_actions_on_match,
                                  work);
    }
}

static void
reeve_policy_actions_refuse (ReevePolicyActions *found, const ReevePolicyActions *by)
{
  if (by->blocked.rule != NULL)
    found->blocked = by->blocked;
  if (by->approval.rule != NULL)
    found->approval = by->approval;
}

/* What cannot be told from the targets of patterns that block or ask is one of them. */
static void
reeve_policy_actions_doubt (ReevePolicyActionsWork *work, const char *kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (work->policies); i++)
    for (guint k = 0; work->policies[i] != NULL && k < work->policies[i]->actions->len; k++)
      {
        const ReevePolicyRule *rule
            = &g_array_index (work->policies[i]->actions, ReevePolicyRule, k);
        ReevePolicyActionsFound *found = reeve_policy_actions_get (work->found, rule->kind);
        const char *colon = strchr (rule->name, ':');
        g_autofree char *of = NULL;

        if (colon == NULL || found->rule != NULL
            || (rule->kind != REEVE_POLICY_RULE_BLOCKED
                && rule->kind != REEVE_POLICY_RULE_APPROVAL))
          continue;
        of = g_strndup (rule->name, (gsize) (colon - rule->name));
        if (reeve_policy_glob_match (of, kind))
          *found = (ReevePolicyActionsFound){ rule, work->policies[i] };
      }
}

/* A command is one whatever kind of tool takes it. */
static void
reeve_policy_actions_on_command (ReevePolicyActionsWork *work, const char *command,
                                 ReevePolicyTarget traits)
{
  const char *execute = reeve_policy_kinds_get_name (REEVE_POLICY_KIND_EXECUTE);
  const char *const kinds[] = { work->kind, execute };
  g_auto (GStrv) spellings = reeve_policy_arguments_spell_command (command);

  for (guint i = 0; spellings[i] != NULL; i++)
    for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
      {
        g_autofree char *action = g_strconcat (kinds[k], ":", spellings[i], NULL);
        ReevePolicyActions spelt = { .blocked = { NULL, NULL } };

        reeve_policy_actions_look (work, action, &spelt);
        reeve_policy_actions_refuse (work->found, &spelt);
      }
  /* several are not one plain command either: they may be the words of it */
  if ((++work->commands == 1 && (traits & REEVE_POLICY_TARGET_DOUBTFUL) == 0)
      || work->doubted_command)
    return;
  work->doubted_command = TRUE;
  reeve_policy_actions_doubt (work, execute);
}

static void
reeve_policy_actions_on_target (const char *target, ReevePolicyTarget traits, gpointer user_data)
{
  ReevePolicyActionsWork *work = user_data;
  g_autofree char *action = g_strconcat (work->kind, ":", target, NULL);

  work->targets++;
  work->target = (ReevePolicyActions){ .blocked = { NULL, NULL } };
  reeve_policy_actions_look (work, action, &work->target);
  reeve_policy_actions_refuse (work->found, &work->target);
  if ((traits & REEVE_POLICY_TARGET_COMMAND) != 0)
    reeve_policy_actions_on_command (work, target, traits);
  if ((traits & REEVE_POLICY_TARGET_DOUBTFUL) != 0 && !work->doubted)
    {
      work->doubted = TRUE;
      reeve_policy_actions_doubt (work, work->kind);
    }
  if ((traits & REEVE_POLICY_TARGET_CERTAIN) == 0)
    return;
  for (guint i = REEVE_POLICY_RULE_ALLOWLIST; i <= REEVE_POLICY_RULE_TRUSTED; i++)
    {
      ReevePolicyActionsFound *one = reeve_policy_actions_get (&work->target, i);

      if (one->rule == NULL)
        continue;
      work->matched[i]++;
      *reeve_policy_actions_get (&work->all, i) = *one;
    }
}

/**
 * reeve_policy_actions_find:
 * @org: (nullable): the tenant's policy
 * @agent: (nullable): the agent's
 * @tool_name: what is called
 * @kind: what kind of work it does
 * @arguments: (nullable): with what
 * @found: (out caller-allocates): the patterns that match
 */
void
reeve_policy_actions_find (const ReevePolicy *org, const ReevePolicy *agent, const char *tool_name,
                           ReevePolicyKind kind, JsonObject *arguments, ReevePolicyActions *found)
{
  const char *word = reeve_policy_kinds_get_name (kind);
  g_autofree char *action = g_strconcat (word, ":", tool_name, NULL);
  ReevePolicyActionsWork work = { .policies = { org, agent }, .found = found, .kind = word };

  *found = (ReevePolicyActions){ .blocked = { NULL, NULL } };
  reeve_policy_actions_look (&work, tool_name, found);
  reeve_policy_actions_look (&work, action, found);
  if (arguments == NULL)
    return;
  reeve_policy_constraints_targets (arguments, reeve_policy_actions_on_target, &work);
  for (guint i = REEVE_POLICY_RULE_ALLOWLIST; i <= REEVE_POLICY_RULE_TRUSTED; i++)
    {
      ReevePolicyActionsFound *by_tool = reeve_policy_actions_get (found, i);

      if (by_tool->rule == NULL && work.targets > 0 && work.matched[i] == work.targets)
        *by_tool = *reeve_policy_actions_get (&work.all, i);
    }
}
