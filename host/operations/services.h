/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveServices: what operations work with; made by main.c, immutable afterwards. */
#pragma once

#include "base/config.h"
#include "base/tracer.h"
#include "base/workers.h"
#include "loader/registry.h"
#include "store/store.h"
#include "governance/admission.h"
#include "governance/api-keys.h"
#include "governance/authentication.h"
#include "governance/budgets.h"
#include "governance/elevations.h"
#include "governance/grants.h"
#include "governance/idempotency.h"
#include "governance/instruments.h"
#include "governance/kept-values.h"
#include "governance/ledger.h"
#include "governance/model-allow.h"
#include "governance/network.h"
#include "governance/passwords.h"
#include "governance/plugin-secrets.h"
#include "governance/policies.h"
#include "governance/policy-question.h"
#include "governance/overrides.h"
#include "governance/protection.h"
#include "governance/rate-limits.h"
#include "governance/role-book.h"
#include "governance/tenants.h"
#include "governance/usage.h"
#include "governance/users.h"
#include "governance/workspaces.h"
#include "runtime/agents.h"
#include "runtime/audit-retention.h"
#include "runtime/conversations.h"
#include "runtime/extraction.h"
#include "runtime/knowledge.h"
#include "runtime/models.h"
#include "runtime/runs.h"
#include "runtime/net-tcp.h"
#include "runtime/otlp-exporter.h"
#include "runtime/sinks.h"
#include "runtime/witnesses.h"
#include "runtime/tools.h"
#include "schema-cache.h"

G_BEGIN_DECLS

struct _ReeveServices
{
  ReeveConfig *config;
  ReeveWorkers *workers;
  ReeveRegistry *registry;
  ReeveTracer *tracer;         /* (nullable): no traces are sent */
  ReeveOtlpExporter *exporter; /* (nullable): there is no collector */
  ReeveStore *store;
  ReeveLedger *ledger;
  ReeveAdmission *admission;
  ReeveAuthentication *authentication;
  ReeveBudgets *budgets;
  ReeveIdempotency *idempotency;
  ReeveKeptValues *kept_values;
  ReeveTenants *tenants;
  ReevePolicies *policies;
  ReevePolicyAdviser *adviser;       /* (nullable): of the startup */
  ReevePolicyQuestionSetup question; /* what it is asked */
  ReeveProtection *protection;
  ReeveUsage *usage;
  ReeveUsers *users;
  ReeveRoleBook *role_book;
  ReeveElevations *elevations;
  ReeveGrants *grants;
  ReevePluginSecrets *plugin_secrets;
  ReeveCapabilities *capabilities; /* of the startup */
  ReeveNetTcp *tcp;                /* the same */
  ReeveOverrides *overrides;
  ReeveModelAllow *model_allow;
  ReeveApiKeys *api_keys;
  ReeveNetwork *network;
  ReeveWorkspaces *workspaces;
  ReevePasswords *passwords;
  ReeveRateLimits *rate_limits;
  ReeveAgents *agents;
  ReeveKnowledge *knowledge;
  ReeveExtraction *extraction; /* of the startup */
  ReeveModels *models;
  ReeveTools *tools;
  ReeveRuns *runs;
  ReeveSinks *sinks;
  ReeveWitnesses *witnesses;
  ReeveAuditRetention *audit_retention;
  ReeveConversations *conversations;
  ReeveSchemaCache *schemas;     /* of the table */
  ReeveMetrics *metrics;         /* (nullable): metrics.enabled is false */
  ReeveInstruments *instruments; /* the same */
  gint64 started_at;             /* µs since the epoch */
  gint64 started;                /* monotonic µs: how long it has run does not hang on a clock */
  char *address;                 /* first one listened on */
  gboolean self_tested;          /* the gate refused at the start what it must, on the record */
  gint64 self_test_us;           /* how long that took */
  gint ready;                    /* atomic: every door is open */
};

G_END_DECLS
