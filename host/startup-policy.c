/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tool policy, and policy.opa of the configuration. */
#include "startup-policy.h"

#include "governance/policy-question.h"
#include "runtime/opa-client.h"

static guint
reeve_startup_policy_get_int (ReeveServices *services, const char *name)
{
  g_autofree char *path = g_strconcat ("policy.opa.", name, NULL);

  return (guint) reeve_config_get_int (services->config, path);
}

static const char *
reeve_startup_policy_get_string (ReeveServices *services, const char *name)
{
  g_autofree char *path = g_strconcat ("policy.opa.", name, NULL);

  return reeve_config_get_string (services->config, path);
}

/**
 * reeve_startup_policy_open:
 * @services: of the host, with its store and its gate
 */
void
reeve_startup_policy_open (ReeveServices *services)
{
  g_autoptr (ReevePolicy) shipped = reeve_policy_new_for_profile (
      reeve_config_is_dev (services->config) ? "dev" : "enterprise");

  services->policies = reeve_policies_new (services->store, shipped);
  reeve_admission_set_tool_check (services->admission, reeve_policies_check, services->policies);
}

/**
 * reeve_startup_policy_advise:
 * @services: of the host, with policies, agents and models
 */
void
reeve_startup_policy_advise (ReeveServices *services)
{
  const ReeveOpaClientSettings settings = {
    .url = reeve_startup_policy_get_string (services, "url"),
    .path = reeve_startup_policy_get_string (services, "path"),
    .token = reeve_startup_policy_get_string (services, "token"),
    .ca = reeve_startup_policy_get_string (services, "ca"),
    .timeout_ms = reeve_startup_policy_get_int (services, "timeout_ms"),
    .backoff_ms = reeve_startup_policy_get_int (services, "backoff_ms"),
    .closed = g_strcmp0 (reeve_startup_policy_get_string (services, "unreachable"), "deny") == 0,
  };

  if (g_strcmp0 (reeve_startup_policy_get_string (services, "mode"), "also") != 0)
    return;
  services->adviser = REEVE_POLICY_ADVISER (
      reeve_opa_client_new (&settings, reeve_models_get_trust (services->models)));
  services->question = (ReevePolicyQuestionSetup){
    .policies = services->policies,
    .agents = reeve_agents_get_book (services->agents),
    .with_arguments = reeve_config_get_boolean (services->config, "policy.opa.include_arguments")
  };
  reeve_policies_need_advice (services->policies);
  reeve_admission_set_adviser (services->admission, services->adviser, reeve_policy_question_new,
                               &services->question);
}

/**
 * reeve_startup_policy_close:
 * @services: of the host
 *
 * Answers whoever still waits for an advice.
 */
void
reeve_startup_policy_close (ReeveServices *services)
{
  if (services->adviser != NULL)
    reeve_opa_client_shutdown (REEVE_OPA_CLIENT (services->adviser));
  g_clear_object (&services->adviser);
}
