/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which tools may be called: what is not allowed is denied, and what is denied stays so whatever
 * else allows it. */
#include "tool-policy.h"

#include <string.h>

/* the tools that come with the host */
static const char *const reeve_tool_policy_first_party[]
    = { "semantic_search", "calculate", "http_request" };

typedef struct
{
  char *name;
  ReeveToolPolicyEffect effect;
} ReeveToolPolicyRule;

struct _ReeveToolPolicy
{
  int references;
  GArray *rules;
};

static void
reeve_tool_policy_rule_clear (gpointer rule)
{
  g_free (((ReeveToolPolicyRule *) rule)->name);
}

/**
 * reeve_tool_policy_new:
 *
 * Returns: (transfer full): a policy without rules
 */
ReeveToolPolicy *
reeve_tool_policy_new (void)
{
  ReeveToolPolicy *self = g_new0 (ReeveToolPolicy, 1);

  self->references = 1;
  self->rules = g_array_new (FALSE, FALSE, sizeof (ReeveToolPolicyRule));
  g_array_set_clear_func (self->rules, reeve_tool_policy_rule_clear);
  return self;
}

/**
 * reeve_tool_policy_new_for_profile:
 * @profile: (nullable): name of the profile
 *
 * Returns: (transfer full): the org policy that comes with @profile
 */
ReeveToolPolicy *
reeve_tool_policy_new_for_profile (const char *profile)
{
  ReeveToolPolicy *self = reeve_tool_policy_new ();

  if (g_strcmp0 (profile, "dev") == 0)
    for (guint i = 0; i < G_N_ELEMENTS (reeve_tool_policy_first_party); i++)
      reeve_tool_policy_add (self, reeve_tool_policy_first_party[i], REEVE_TOOL_POLICY_ALLOW);
  return self;
}

/**
 * reeve_tool_policy_ref:
 * @self: a policy
 *
 * Returns: (transfer full): @self
 */
ReeveToolPolicy *
reeve_tool_policy_ref (ReeveToolPolicy *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

/**
 * reeve_tool_policy_unref:
 * @self: (transfer full): a policy
 */
void
reeve_tool_policy_unref (ReeveToolPolicy *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_array_unref (self->rules);
  g_free (self);
}

/**
 * reeve_tool_policy_add:
 * @self: a policy that is not shared yet
 * @tool_name: a tool, or a prefix and `*`
 * @effect: what is said of it
 */
void
reeve_tool_policy_add (ReeveToolPolicy *self, const char *tool_name, ReeveToolPolicyEffect effect)
{
  ReeveToolPolicyRule rule = { g_strdup (tool_name), effect };

  g_array_append_val (self->rules, rule);
}

static gboolean
reeve_tool_policy_rule_matches (const ReeveToolPolicyRule *rule, const char *tool_name)
{
  gsize length = strlen (rule->name);

  if (length > 0 && rule->name[length - 1] == '*')
    return strncmp (rule->name, tool_name, length - 1) == 0;
  return strcmp (rule->name, tool_name) == 0;
}

/**
 * reeve_tool_policy_evaluate:
 * @self: (nullable): a policy; %NULL is closed
 * @tool_name: which tool
 * @agent_tools: (nullable): tools of the agent's definition; %NULL when no agent is concerned
 * @reason: (out): word for the record
 *
 * Returns: whether the tool may be called
 */
gboolean
reeve_tool_policy_evaluate (ReeveToolPolicy *self, const char *tool_name,
                            const char *const *agent_tools, const char **reason)
{
  gboolean allowed = FALSE;

  if (agent_tools != NULL && !g_strv_contains (agent_tools, tool_name))
    {
      *reason = "tool_not_in_definition";
      return FALSE;
    }
  for (guint i = 0; self != NULL && i < self->rules->len; i++)
    {
      const ReeveToolPolicyRule *rule = &g_array_index (self->rules, ReeveToolPolicyRule, i);

      if (!reeve_tool_policy_rule_matches (rule, tool_name))
        continue;
      if (rule->effect == REEVE_TOOL_POLICY_DENY)
        {
          *reason = "tool_denied";
          return FALSE;
        }
      allowed = TRUE;
    }
  *reason = allowed ? "tool_allowed" : "tool_not_allowed";
  return allowed;
}
