/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tool policy written in Rego, for an Open Policy Agent (OPA 1.0 syntax): the module decides
 * about an input of policy-question.h as the policy does, never more. Pure. */
#pragma once

#include "policy.h"

G_BEGIN_DECLS

/* The tenant comes after it. */
#define REEVE_POLICY_REGO_PACKAGE "agent_platform.policy"

/* Whose policies they are. */
typedef struct
{
  const char *tenant_id;
  const char *agent_id;      /* (nullable): for every agent that has none of its own */
  const char *const *others; /* (nullable): without agent_id: agents that have one */
  gint64 revision;
} ReevePolicyRegoSubject;

/* (transfer full): of a tenant's modules, as Rego writes it */
char *reeve_policy_rego_name_package (const char *tenant_id);
/* Policies (nullable). (transfer full): text of a module */
char *reeve_policy_rego_write (const ReevePolicyRegoSubject *subject, const ReevePolicy *org,
                               const ReevePolicy *agent);

G_END_DECLS
