/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStore: the host's collections over a storage plugin. Knows scopes, no users. */
#pragma once

#include <reeve-plugin-1.h>

#include "store-keys.h"

G_BEGIN_DECLS

/* What is said of a record that is not there, at every door: its collection goes in. */
#define REEVE_STORE_MISSING "no such thing among the %s"

#define REEVE_TYPE_STORE (reeve_store_get_type ())
G_DECLARE_FINAL_TYPE (ReeveStore, reeve_store, REEVE, STORE, GObject)

/* Platform scope: tenants {name, created_at}, api_keys {tenant_id, user_id, created_at, expires_at,
 * revoked_at}, idempotency, budget_leases {host, epoch,
 * created_at}, grants {plugin_id, tenant_id, created_at}, grant_consents {created_at}. Tenant
 * scope: users {username, kind, status, manager_id, created_at}, agents {name, category,
 * created_at}, agent_versions {agent_id, version_number, status, created_at}, documents {title,
 * classification, created_at}, runs {agent_id, session_id, user_id, status, created_at,
 * updated_at}, conversations {user_id, agent_id, created_at, updated_at, deleted}, idempotency
 * {expires_at}; workspaces {name, created_at}, workspace_members {workspace_id, user_id,
 * created_at}, roles {name, created_at}, elevations {user_id, until, created_at}, overrides
 * {resource_type, resource_id, subject, created_at}, policies {kind, agent_id, created_at,
 * updated_at}, policy_revisions {revision, created_at}, passwords {created_at}, identities
 * {user_id, created_at}, budgets {kind, subject, created_at}, usage {seq}, cost_reports
 * {created_at}, subjects {created_at}, kept_values {subject, created_at}, plugin_values
 * {updated_at}, plugin_blobs {updated_at}; text index "chunks"
 * (group: document id); streams "run/<run_id>"; blobs "document/<id>/<version>",
 * "plugin/<plugin>/<id>". */
#define REEVE_STORE_TENANTS           "tenants"
#define REEVE_STORE_API_KEYS          "api_keys"
#define REEVE_STORE_USERS             "users"
#define REEVE_STORE_AGENTS            "agents"
#define REEVE_STORE_AGENT_VERSIONS    "agent_versions"
#define REEVE_STORE_DOCUMENTS         "documents"
#define REEVE_STORE_RUNS              "runs"
#define REEVE_STORE_CONVERSATIONS     "conversations"
#define REEVE_STORE_IDEMPOTENCY       "idempotency"
#define REEVE_STORE_CHUNKS            "chunks"
#define REEVE_STORE_WORKSPACES        "workspaces"
#define REEVE_STORE_WORKSPACE_MEMBERS "workspace_members"
#define REEVE_STORE_ROLES             "roles"
#define REEVE_STORE_ELEVATIONS        "elevations"
#define REEVE_STORE_OVERRIDES         "overrides"
#define REEVE_STORE_POLICIES          "policies"
#define REEVE_STORE_POLICY_REVISIONS  "policy_revisions"
#define REEVE_STORE_PASSWORDS         "passwords"  /* id: the user's */
#define REEVE_STORE_IDENTITIES        "identities" /* id: digest of issuer and subject */
#define REEVE_STORE_BUDGETS           "budgets"
#define REEVE_STORE_BUDGET_LEASES     "budget_leases" /* of the platform; id: the tenant's */
#define REEVE_STORE_USAGE             "usage"         /* how far the sums of usage are */
#define REEVE_STORE_COST_REPORTS      "cost_reports"
#define REEVE_STORE_PRICE_IMPORTS     "price_imports"  /* of the platform */
#define REEVE_STORE_GRANTS            "grants"         /* of the platform */
#define REEVE_STORE_GRANT_CONSENTS    "grant_consents" /* of the platform; id: the plugin's */
#define REEVE_STORE_PLUGIN_SECRETS    "plugin_secrets" /* of the platform; id: plugin/slot/tenant */
#define REEVE_STORE_SUBJECTS          "subjects"       /* id: the user's; half of his key */
#define REEVE_STORE_KEPT_VALUES       "kept_values"    /* id: salted digest, as in the ledger */
#define REEVE_STORE_PLUGIN_VALUES     "plugin_values"  /* id: plugin/key */
#define REEVE_STORE_PLUGIN_BLOBS      "plugin_blobs"   /* id: plugin/key */
/* of the platform: counts how often a store was tried that could not be written */
#define REEVE_STORE_COUNTER_TRIAL "store.trial"

ReeveStore *reeve_store_new (ReeveStorage *storage);
/* Before reeve_store_open(). */
gboolean reeve_store_set_keys (ReeveStore *self, ReeveStoreKeys *keys, GError **error);
ReeveStoreKeys *reeve_store_get_keys (ReeveStore *self); /* NULL: nothing is encrypted */
gboolean reeve_store_open (ReeveStore *self, const char *path, GError **error);
void reeve_store_close (ReeveStore *self);
/* With @try it blocks. */
gboolean reeve_store_is_writable (ReeveStore *self, gboolean try);
ReeveStorage *reeve_store_get_storage (ReeveStore *self);

/* Any thread; the callback comes in the caller's thread-default context. */
void reeve_store_commit_async (ReeveStore *self, ReeveBatch *batch, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
ReeveBatchResult *reeve_store_commit_finish (ReeveStore *self, GAsyncResult *result,
                                             GError **error);

/* Worker threads only: these block. */
ReeveBatchResult *reeve_store_commit (ReeveStore *self, ReeveBatch *batch, GError **error);
ReeveRecord *reeve_store_get (ReeveStore *self, const char *scope, const char *collection,
                              const char *id, GError **error);
gboolean reeve_store_exists (ReeveStore *self, const char *scope, const char *collection,
                             const char *id, gboolean *exists, GError **error);
ReeveQueryResult *reeve_store_query (ReeveStore *self, ReeveQuery *query, GError **error);
GPtrArray *reeve_store_read_stream (ReeveStore *self, const char *scope, const char *stream,
                                    gint64 after, guint limit, GError **error);
GBytes *reeve_store_get_blob (ReeveStore *self, const char *scope, const char *id, GError **error);
GPtrArray *reeve_store_search_text (ReeveStore *self, const char *scope, const char *index,
                                    const char *query, const char *const *groups, guint limit,
                                    GError **error);
gboolean reeve_store_create_scope (ReeveStore *self, const char *scope, GError **error);
gboolean reeve_store_has_scope (ReeveStore *self, const char *scope);
gboolean reeve_store_drop_scope (ReeveStore *self, const char *scope, GError **error);
char **reeve_store_list_scopes (ReeveStore *self, GError **error);
gboolean reeve_store_rotate (ReeveStore *self, const char *scope, ReeveRotation how,
                             GCancellable *cancellable, GError **error);
gboolean reeve_store_get_protection (ReeveStore *self, const char *scope,
                                     ReeveStorageProtection *protection, GError **error);

G_END_DECLS
