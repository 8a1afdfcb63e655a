/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's collections as numbered migrations. A migration that has been in a release is never
 * changed: what comes later is a new number. Times are µs since the epoch. */
#include "schema.h"

#include "store.h"

/* clang-format off */
#define SCHEMA_TEXT(field)    { (field), REEVE_FIELD_TEXT }
#define SCHEMA_INT(field)     { (field), REEVE_FIELD_INT }
#define SCHEMA_BOOLEAN(field) { (field), REEVE_FIELD_BOOLEAN }
#define SCHEMA_END            { NULL, REEVE_FIELD_TEXT }
#define SCHEMA_STEP(what, collection, ...)                                                         \
  { .kind = (what), .name = (collection), .fields = (const ReeveField[]) { __VA_ARGS__, SCHEMA_END } }
#define SCHEMA_COLLECTION(collection, ...) SCHEMA_STEP (REEVE_STEP_COLLECTION, collection, __VA_ARGS__)
#define SCHEMA_FIELDS(collection, ...)     SCHEMA_STEP (REEVE_STEP_FIELD, collection, __VA_ARGS__)
#define SCHEMA_INDEX(collection, ...)      SCHEMA_STEP (REEVE_STEP_INDEX, collection, __VA_ARGS__)

static const ReeveStep reeve_schema_platform_1[] = {
  SCHEMA_COLLECTION (REEVE_STORE_TENANTS, SCHEMA_TEXT ("name"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_TENANTS, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_API_KEYS, SCHEMA_TEXT ("tenant_id"), SCHEMA_TEXT ("user_id"),
                     SCHEMA_INT ("created_at"), SCHEMA_INT ("expires_at"),
                     SCHEMA_INT ("revoked_at")),
  SCHEMA_INDEX (REEVE_STORE_API_KEYS, SCHEMA_TEXT ("tenant_id"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_API_KEYS, SCHEMA_TEXT ("tenant_id"), SCHEMA_TEXT ("user_id")),
  SCHEMA_COLLECTION (REEVE_STORE_IDEMPOTENCY, SCHEMA_INT ("expires_at")),
  SCHEMA_INDEX (REEVE_STORE_IDEMPOTENCY, SCHEMA_INT ("expires_at")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_tenant_1[] = {
  SCHEMA_COLLECTION (REEVE_STORE_USERS, SCHEMA_TEXT ("username"), SCHEMA_TEXT ("kind"),
                     SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_USERS, SCHEMA_TEXT ("username")),
  SCHEMA_INDEX (REEVE_STORE_USERS, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_AGENTS, SCHEMA_TEXT ("name"), SCHEMA_TEXT ("category"),
                     SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_AGENTS, SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_AGENTS, SCHEMA_TEXT ("category"), SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_AGENT_VERSIONS, SCHEMA_TEXT ("agent_id"),
                     SCHEMA_TEXT ("version_number"), SCHEMA_TEXT ("status"),
                     SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_AGENT_VERSIONS, SCHEMA_TEXT ("agent_id"), SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_DOCUMENTS, SCHEMA_TEXT ("title"), SCHEMA_TEXT ("classification"),
                     SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_DOCUMENTS, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_RUNS, SCHEMA_TEXT ("agent_id"), SCHEMA_TEXT ("session_id"),
                     SCHEMA_TEXT ("user_id"), SCHEMA_TEXT ("status"), SCHEMA_INT ("created_at"),
                     SCHEMA_INT ("updated_at")),
  SCHEMA_INDEX (REEVE_STORE_RUNS, SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_RUNS, SCHEMA_TEXT ("agent_id"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_RUNS, SCHEMA_TEXT ("session_id"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_RUNS, SCHEMA_TEXT ("status"), SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_CONVERSATIONS, SCHEMA_TEXT ("user_id"), SCHEMA_TEXT ("agent_id"),
                     SCHEMA_INT ("created_at"), SCHEMA_INT ("updated_at"),
                     SCHEMA_BOOLEAN ("deleted")),
  SCHEMA_INDEX (REEVE_STORE_CONVERSATIONS, SCHEMA_TEXT ("user_id"), SCHEMA_BOOLEAN ("deleted"),
                SCHEMA_INT ("updated_at")),
  SCHEMA_COLLECTION (REEVE_STORE_IDEMPOTENCY, SCHEMA_INT ("expires_at")),
  SCHEMA_INDEX (REEVE_STORE_IDEMPOTENCY, SCHEMA_INT ("expires_at")),
  { .kind = REEVE_STEP_TEXT, .name = REEVE_STORE_CHUNKS },
  { .name = NULL },
};

static const ReeveStep reeve_schema_platform_2[] = {
  SCHEMA_INDEX (REEVE_STORE_API_KEYS, SCHEMA_INT ("expires_at")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_platform_3[] = {
  SCHEMA_COLLECTION (REEVE_STORE_BUDGET_LEASES, SCHEMA_TEXT ("host"), SCHEMA_INT ("epoch"),
                     SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_BUDGET_LEASES, SCHEMA_INT ("created_at")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_tenant_2[] = {
  SCHEMA_FIELDS (REEVE_STORE_USERS, SCHEMA_TEXT ("status"), SCHEMA_TEXT ("manager_id"),
                 SCHEMA_TEXT ("folded_name")),
  SCHEMA_INDEX (REEVE_STORE_USERS, SCHEMA_TEXT ("folded_name")),
  SCHEMA_INDEX (REEVE_STORE_USERS, SCHEMA_TEXT ("status"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_USERS, SCHEMA_TEXT ("manager_id"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_RUNS, SCHEMA_INT ("updated_at")),
  SCHEMA_INDEX (REEVE_STORE_CONVERSATIONS, SCHEMA_INT ("updated_at")),
  SCHEMA_COLLECTION (REEVE_STORE_WORKSPACES, SCHEMA_TEXT ("name"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_WORKSPACES, SCHEMA_TEXT ("name")),
  SCHEMA_INDEX (REEVE_STORE_WORKSPACES, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_WORKSPACE_MEMBERS, SCHEMA_TEXT ("workspace_id"),
                     SCHEMA_TEXT ("user_id"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_WORKSPACE_MEMBERS, SCHEMA_TEXT ("workspace_id"),
                SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_WORKSPACE_MEMBERS, SCHEMA_TEXT ("user_id"),
                SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_ROLES, SCHEMA_TEXT ("name"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_ROLES, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_ELEVATIONS, SCHEMA_TEXT ("user_id"), SCHEMA_INT ("until"),
                     SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_ELEVATIONS, SCHEMA_TEXT ("user_id"), SCHEMA_INT ("until")),
  SCHEMA_INDEX (REEVE_STORE_ELEVATIONS, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_OVERRIDES, SCHEMA_TEXT ("resource_type"),
                     SCHEMA_TEXT ("resource_id"), SCHEMA_TEXT ("subject"),
                     SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_OVERRIDES, SCHEMA_TEXT ("resource_type"), SCHEMA_TEXT ("resource_id")),
  SCHEMA_INDEX (REEVE_STORE_OVERRIDES, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_POLICIES, SCHEMA_TEXT ("kind"), SCHEMA_TEXT ("agent_id"),
                     SCHEMA_INT ("created_at"), SCHEMA_INT ("updated_at")),
  SCHEMA_INDEX (REEVE_STORE_POLICIES, SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_POLICIES, SCHEMA_TEXT ("kind"), SCHEMA_TEXT ("agent_id")),
  SCHEMA_COLLECTION (REEVE_STORE_POLICY_REVISIONS, SCHEMA_INT ("revision"),
                     SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_POLICY_REVISIONS, SCHEMA_INT ("revision")),
  SCHEMA_INDEX (REEVE_STORE_POLICY_REVISIONS, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_PASSWORDS, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_IDENTITIES, SCHEMA_TEXT ("user_id"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_IDENTITIES, SCHEMA_TEXT ("user_id")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_tenant_3[] = {
  SCHEMA_COLLECTION (REEVE_STORE_BUDGETS, SCHEMA_TEXT ("kind"), SCHEMA_TEXT ("subject"),
                     SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_BUDGETS, SCHEMA_INT ("created_at")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_tenant_usage[] = {
  SCHEMA_COLLECTION (REEVE_STORE_USAGE, SCHEMA_INT ("seq")),
  SCHEMA_COLLECTION (REEVE_STORE_COST_REPORTS, SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_COST_REPORTS, SCHEMA_INT ("created_at")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_tenant_personal[] = {
  SCHEMA_COLLECTION (REEVE_STORE_SUBJECTS, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_KEPT_VALUES, SCHEMA_TEXT ("subject"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_KEPT_VALUES, SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_KEPT_VALUES, SCHEMA_TEXT ("subject"), SCHEMA_INT ("created_at")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_tenant_answers[] = {
  SCHEMA_FIELDS (REEVE_STORE_IDEMPOTENCY, SCHEMA_TEXT ("subject")),
  SCHEMA_INDEX (REEVE_STORE_IDEMPOTENCY, SCHEMA_TEXT ("subject")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_tenant_plugins[] = {
  SCHEMA_COLLECTION (REEVE_STORE_PLUGIN_VALUES, SCHEMA_INT ("updated_at")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_tenant_plugin_blobs[] = {
  SCHEMA_COLLECTION (REEVE_STORE_PLUGIN_BLOBS, SCHEMA_INT ("updated_at")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_platform_prices[] = {
  SCHEMA_COLLECTION (REEVE_STORE_PRICE_IMPORTS, SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_PRICE_IMPORTS, SCHEMA_INT ("created_at")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_platform_grants[] = {
  SCHEMA_COLLECTION (REEVE_STORE_GRANTS, SCHEMA_TEXT ("plugin_id"), SCHEMA_TEXT ("tenant_id"),
                     SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_GRANTS, SCHEMA_TEXT ("plugin_id"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_GRANTS, SCHEMA_TEXT ("tenant_id"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_GRANTS, SCHEMA_INT ("created_at")),
  SCHEMA_COLLECTION (REEVE_STORE_GRANT_CONSENTS, SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_GRANT_CONSENTS, SCHEMA_INT ("created_at")),
  { .name = NULL },
};

static const ReeveStep reeve_schema_platform_secrets[] = {
  SCHEMA_COLLECTION (REEVE_STORE_PLUGIN_SECRETS, SCHEMA_TEXT ("plugin_id"),
                     SCHEMA_TEXT ("tenant_id"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_PLUGIN_SECRETS, SCHEMA_TEXT ("plugin_id"), SCHEMA_INT ("created_at")),
  SCHEMA_INDEX (REEVE_STORE_PLUGIN_SECRETS, SCHEMA_TEXT ("tenant_id"), SCHEMA_INT ("created_at")),
  { .name = NULL },
};

static const ReeveMigration reeve_schema_platform[] = {
  { 1, "tenants, API keys, idempotency", reeve_schema_platform_1 },
  { 2, "keys by their end", reeve_schema_platform_2 },
  { 3, "slices of the platform's budget", reeve_schema_platform_3 },
  { 4, "prices that were imported", reeve_schema_platform_prices },
  { 5, "grants of plugins", reeve_schema_platform_grants },
  { 6, "secrets of plugins", reeve_schema_platform_secrets },
  { 0, NULL, NULL },
};

static const ReeveMigration reeve_schema_tenant[] = {
  { 1, "users, agents, documents, runs, conversations, idempotency", reeve_schema_tenant_1 },
  { 2, "workspaces, roles, policies, passwords, identities", reeve_schema_tenant_2 },
  { 3, "budgets", reeve_schema_tenant_3 },
  { 4, "usage, cost reports", reeve_schema_tenant_usage },
  { 5, "subjects, what is kept of them", reeve_schema_tenant_personal },
  { 6, "kept answers by who asked", reeve_schema_tenant_answers },
  { 7, "what plugins keep", reeve_schema_tenant_plugins },
  { 8, "blobs that plugins keep", reeve_schema_tenant_plugin_blobs },
  { 0, NULL, NULL },
};
/* clang-format on */

/**
 * reeve_schema_get_platform:
 *
 * Returns: (transfer none): the migrations of the platform scope, ended by number 0
 */
const ReeveMigration *
reeve_schema_get_platform (void)
{
  return reeve_schema_platform;
}

/**
 * reeve_schema_get_tenant:
 *
 * Returns: (transfer none): the migrations of tenant scopes, ended by number 0
 */
const ReeveMigration *
reeve_schema_get_tenant (void)
{
  return reeve_schema_tenant;
}
