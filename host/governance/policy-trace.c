/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Explanations are made only when somebody asks: a decision itself allocates nothing for them. */
#include "policy-trace.h"

#include <string.h>

static char *
reeve_policy_trace_rule (const ReevePolicyStep *step)
{
  return step->name != NULL ? g_strdup_printf ("%s[%s]", step->rule, step->name)
                            : g_strdup (step->rule);
}

static JsonObject *
reeve_policy_trace_step (const ReevePolicyStep *step)
{
  JsonObject *object = json_object_new ();
  g_autofree char *rule = reeve_policy_trace_rule (step);
  const char *set_by = step->policy != NULL ? reeve_policy_get_set_by (step->policy) : NULL;

  json_object_set_string_member (object, "stage", step->stage);
  json_object_set_string_member (object, "rule", rule);
  json_object_set_string_member (object, "source", step->source);
  if (step->policy != NULL)
    json_object_set_int_member (object, "revision", reeve_policy_get_revision (step->policy));
  else
    json_object_set_null_member (object, "revision");
  if (set_by != NULL)
    json_object_set_string_member (object, "set_by", set_by);
  else
    json_object_set_null_member (object, "set_by");
  json_object_set_string_member (object, "effect", step->effect);
  if (step->reason != NULL)
    json_object_set_string_member (object, "reason", step->reason);
  return object;
}

/**
 * reeve_policy_trace_new:
 * @decision: a decision
 *
 * Returns: (transfer full): its steps
 */
JsonArray *
reeve_policy_trace_new (const ReevePolicyDecision *decision)
{
  JsonArray *trace = json_array_new ();

  for (guint i = 0; i < decision->steps; i++)
    json_array_add_object_element (trace, reeve_policy_trace_step (&decision->trace[i]));
  return trace;
}

/* The last step with the decision's own effect. */
static const ReevePolicyStep *
reeve_policy_trace_find (const ReevePolicyDecision *decision)
{
  const char *effect = reeve_policy_get_effect_name (decision->effect);

  for (guint i = decision->steps; i > 0; i--)
    if (strcmp (decision->trace[i - 1].effect, effect) == 0)
      return &decision->trace[i - 1];
  return NULL;
}

/**
 * reeve_policy_trace_new_rule:
 * @decision: a decision
 *
 * Returns: (transfer full): the step that decided
 */
JsonObject *
reeve_policy_trace_new_rule (const ReevePolicyDecision *decision)
{
  const ReevePolicyStep *step = reeve_policy_trace_find (decision);

  return step != NULL ? reeve_policy_trace_step (step) : json_object_new ();
}

/**
 * reeve_policy_trace_describe:
 * @decision: a decision
 *
 * Returns: (transfer full): what decided, such as `org policy, revision 3, tools[mes_*]: deny`
 */
char *
reeve_policy_trace_describe (const ReevePolicyDecision *decision)
{
  const ReevePolicyStep *step = reeve_policy_trace_find (decision);
  g_autofree char *rule = step != NULL ? reeve_policy_trace_rule (step) : NULL;

  if (step == NULL)
    return g_strdup (decision->reason);
  if (step->policy == NULL)
    return g_strdup_printf ("%s, %s: %s%s%s", step->source, rule, step->effect,
                            step->reason != NULL ? ", " : "",
                            step->reason != NULL ? step->reason : "");
  return g_strdup_printf ("%s policy, revision %" G_GINT64_FORMAT ", %s: %s", step->source,
                          reeve_policy_get_revision (step->policy), rule, step->effect);
}

static JsonObject *
reeve_policy_trace_find_approvers (const ReevePolicy *policy)
{
  g_autoptr (JsonObject) document = policy != NULL ? reeve_policy_dup_document (policy) : NULL;
  JsonObject *approval = document != NULL ? reeve_json_get_object (document, "approval") : NULL;
  JsonObject *approvers = approval != NULL ? reeve_json_get_object (approval, "approvers") : NULL;

  return approvers != NULL ? json_object_ref (approvers) : NULL;
}

/**
 * reeve_policy_trace_approvers:
 * @decision: a decision
 *
 * Returns: (transfer full) (nullable): who may approve; %NULL when no approval is asked for, or
 * nobody is named
 */
JsonObject *
reeve_policy_trace_approvers (const ReevePolicyDecision *decision)
{
  JsonObject *approvers = NULL;

  if (decision->effect != REEVE_POLICY_APPROVAL_REQUIRED)
    return NULL;
  approvers = reeve_policy_trace_find_approvers (decision->agent);
  return approvers != NULL ? approvers : reeve_policy_trace_find_approvers (decision->org);
}
