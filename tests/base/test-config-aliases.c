/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that were written for other products: taken where they mean the same, refused with what to
 * write where they do not. */
#include "base/config.h"

#include <string.h>

static const char *const environment[] = { "KEY=of thirty-two bytes", NULL };

static ReeveConfig *
load (const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "reeve.yaml", NULL);
  const ReeveConfigSources sources = { .file = path, .environment = environment };

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return reeve_config_load (&sources, error);
}

/* text, our key, its value as canonical JSON, the line that it is said to be from */
static const struct
{
  const char *text, *key, *value;
  guint line;
} taken[] = {
  { "enterprise:\n  encryption: {enabled: false}\n", "encryption.enabled", "false", 2 },
  { "encryption: {enabled: false}\n", "encryption.enabled", "false", 1 },
  { "enterprise:\n  rbac:\n    default_role: operator\n", "rbac.default_role", "\"operator\"", 3 },
  { "enterprise:\n  security:\n    rbac:\n      enabled: false\n      roles: [{name: a, "
    "permissions: [\"agent:read\"]}]\n",
    "rbac.enabled", "false", 4 },
  { "enterprise:\n  security:\n    rbac:\n      roles: []\n", "rbac.custom_roles", "[]", 4 },
  { "enterprise:\n  audit: {enabled: true, retention_days: 400}\n  multi_tenant: true\n",
    "audit.retention_days", "400", 2 },
  { "enterprise: {compliance: {evidence_collection: true}}\n", "compliance.evidence_collection",
    "true", 1 },
  { "agent:\n  max_iterations: 7\n", "agents.max_iterations", "7", 2 },
  { "audit: {enabled: True, checkpoint_seconds: 3}\n", "audit.checkpoint_seconds", "3", 1 },
  { "llm: {max_tokens: 4097}\n", "agents.max_tokens", "4097", 1 },
  { "persistence:\n  type: memory\n", "store.plugin", "\"storage-memory\"", 2 },
  { "persistence: {type: sqlite}\n", "store.plugin", "\"storage-sqlite\"", 1 },
  { "rate_limiting:\n  enabled: true\n  default_limit: 40\n", "limits.requests_per_minute", "40",
    3 },
  { "rate_limiting:\n  enabled: false\n", "limits.requests_per_minute", "0", 2 },
  { "rate_limiting:\n\n  by_tenant: true\n", "limits.per", "[\"tenant\"]", 3 },
  { "rate_limiting: {by_tenant: FALSE}\n", "limits.per", "[\"user\"]", 1 },
  { "enable_audit: true\nenable_session_management: false\nenable_rbac: true\n", "rbac.enabled",
    "true", 3 },
  { "logging: {level: WARNING}\n", "logging.level", "\"WARNING\"", 1 },
  { "enterprise:\n  security:\n    authentication:\n      providers:\n"
    "        - {type: api_key}\n"
    "        - {type: jwt, id: idp, issuer: \"https://i\", algorithms: [RS256], leeway_seconds: "
    "9}\n"
    "        - {type: basic, settings: {a: b}, enabled: false}\n"
    "        - {id: own, plugin: auth-own, settings: {type: x}}\n",
    "authentication.providers",
    "[{\"enabled\":true,\"id\":\"api-key\",\"plugin\":\"auth-api-key\",\"settings\":{}},"
    "{\"enabled\":true,\"id\":\"idp\",\"plugin\":\"auth-jwt\",\"settings\":{\"algorithms\":["
    "\"RS256\"],\"issuer\":\"https://i\",\"leeway_seconds\":9}},"
    "{\"enabled\":false,\"id\":\"basic\",\"plugin\":\"auth-basic\",\"settings\":{\"a\":\"b\"}},"
    "{\"enabled\":true,\"id\":\"own\",\"plugin\":\"auth-own\",\"settings\":{\"type\":\"x\"}}]",
    4 },
};

static void
test_config_aliases_taken (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (taken); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveConfig) config = load (taken[i].text, &error);
      g_autofree char *end = g_strdup_printf ("reeve.yaml:%u", taken[i].line);

      g_assert_no_error (error);
      g_autofree char *value = reeve_json_canonical (reeve_config_get_json (config, taken[i].key));
      g_assert_cmpstr (value, ==, taken[i].value);
      if (!g_str_has_suffix (reeve_config_get_origin (config, taken[i].key), end))
        g_error ("%s: %s is said to be from %s", taken[i].text, taken[i].key,
                 reeve_config_get_origin (config, taken[i].key));
    }
}

/* text, pattern of the error behind the file's name */
static const char *const refused[][2] = {
  { "enterprise:\n  multi_tenant: false\n", ":2: enterprise.multi_tenant: tenants are always*" },
  { "enterprise: {enabled: true}\n", ":1: enterprise.enabled: *profile: enterprise*" },
  { "enterprise: {nonsense: true}\n", ":1: enterprise: is not known here" },
  { "enterprise: {security: {authentication: {providers: [], more: 1}}}\n",
    "*:1: enterprise: is not known here" },
  { "authentication:\n  type: jwt\n", ":2: authentication.type: write authentication.providers*" },
  { "authentication:\n  jwt: {issuer: x}\n", ":2: authentication.jwt: write *auth-jwt*" },
  { "agent: {planning_strategy: react}\n", ":1: agent.planning_strategy: *definition*" },
  { "agent: {type: x}\n", ":1: agent.type: *definition*" },
  { "audit: {enabled: false}\n", ":1: audit.enabled: the ledger cannot be switched off*" },
  { "encryption: {algorithm: Fernet}\n", ":1: encryption.algorithm: *aes-256-gcm*" },
  { "llm:\n  provider: openai\n", ":2: llm.provider: write llm.providers*llm.default*" },
  { "llm: {deployment_name: x}\n", ":1: llm.deployment_name: write llm.providers*" },
  { "llm: {temperature: 0.5}\n", ":1: llm.temperature: *definition*" },
  { "persistence: {type: postgres}\n", ":1: persistence.type: *store.plugin*" },
  { "persistence:\n  database_url: \"postgres://u:geheim@h/d\"\n",
    ":2: persistence.database_url: *store.plugin*" },
  { "persistence: {connection_pool_size: 20}\n", ":1: persistence.connection_pool_size: *" },
  { "persistence: {ssl_mode: require}\n", ":1: persistence.ssl_mode: *" },
  { "persistence: {colour: red}\n", ":1: persistence: is not known here" },
  { "rate_limiting: {enabled: maybe}\n", ":1: rate_limiting.enabled: *limits*" },
  { "rate_limiting: {by_tenant: [a]}\n", ":1: rate_limiting.by_tenant: *limits.per*" },
  { "rate_limiting: {default_limit: many}\n",
    ":1: limits.requests_per_minute: must be an integer" },
  { "limits: {requests_per_minute: 1}\nrate_limiting:\n  default_limit: 2\n",
    ":3: rate_limiting.default_limit: limits.requests_per_minute is there too*" },
  { "rate_limiting:\n  enabled: false\n  default_limit: 2\n",
    ":3: rate_limiting.default_limit: limits.requests_per_minute is there too*" },
  { "limits: 1\nrate_limiting:\n  default_limit: 2\n", ":3: rate_limiting.default_limit: *" },
  { "rbac: {}\nenterprise: {rbac: {enabled: true}}\n", ":2: enterprise.rbac: rbac is there too*" },
  { "authentication: &x {foo: 1}\nenterprise: {security: {authentication: {providers: *x}}}\n",
    ":1: enterprise.security.authentication.providers: *is there too*" },
  { "enterprise:\n  security: &s\n    authentication: {providers: [*e]}\n",
    ":3: an alias of nothing" },
  { "enable_audit: false\n", ":1: enable_audit: the ledger*" },
  { "enable_session_management: true\n", ":1: enable_session_management: *" },
  { "compliance_policies: []\n", ":1: compliance_policies: *compliance.frameworks" },
  { "authentication:\n  providers:\n    - {type: saml}\n",
    ":3: authentication.providers?0?.type: must be jwt, api_key or basic*" },
  { "authentication:\n  providers:\n    - {type: [jwt]}\n",
    ":3: authentication.providers?0?.type: must be*" },
  { "authentication:\n  providers:\n    - {type: jwt, plugin: auth-jwt, id: a}\n",
    ":3: authentication.providers?0?.type: is not known here" },
  { "authentication:\n  providers:\n    - {type: jwt, issuer: a, settings: {issuer: b}}\n",
    ":3: settings.issuer: is there twice" },
  /* names are taken as they are, with a dot or nothing in them */
  { "authentication:\n  providers:\n    - {type: jwt, issuer: a, \"a.b\": 1, settings: {a.b: 2}}\n",
    ":3: settings.a.b: is there twice" },
  { "authentication:\n  providers:\n    - {type: jwt, issuer: a, \"\": 1, settings: {\"\": 2}}\n",
    ":3: settings.: is there twice" },
  { "authentication: {providers: [jwt]}\n", ":1: authentication.providers?0?: must be an object" },
};

static void
test_config_aliases_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveConfig) config = load (refused[i][0], &error);
      g_autofree char *pattern
          = g_strdup_printf ("%s/reeve.yaml%s", g_get_tmp_dir (), refused[i][1]);

      if (config != NULL)
        g_error ("taken: %s", refused[i][0]);
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
      if (!g_pattern_match_simple (pattern, error->message))
        g_error ("\"%s\" is not \"%s\"", error->message, pattern);
      g_assert_null (strstr (error->message, "geheim"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-aliases/taken", test_config_aliases_taken);
  g_test_add_func ("/config-aliases/refused", test_config_aliases_refused);
  return g_test_run ();
}
