/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What profile enterprise refuses, each with its safe twin, and what it only tells. */
#include "base/config-guard.h"
#include "base/config.h"

#include <glib/gstdio.h>
#include <string.h>

static const char *const environment[] = { "GOOD=7f3a09c1e5b84d2a", "KNOWN=Password123", NULL };

static ReeveConfig *
load (const char *profile, const char *text, int mode, GError **error)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "reeve.yaml", NULL);
  const ReeveConfigSources sources
      = { .file = path, .profile = profile, .environment = environment };

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (g_chmod (path, mode), ==, 0);
  return reeve_config_load (&sources, error);
}

#define JWT(settings)                                                                              \
  "authentication:\n  providers:\n    - id: idp\n      plugin: auth-jwt\n      settings: "         \
  "{issuer: \"https://i\", " settings "}\n"
#define LLM(settings)                                                                              \
  "llm:\n  providers:\n    - id: a\n      plugin: llm-openai\n      settings: " settings "\n"

typedef struct
{
  const char *id;
  const char *text;
  const char *place; /* line and key */
  const char *twin;  /* safe */
  int mode;          /* of the file with text; the twin has 0600 where this is 0644 */
} Row;

static const Row refused[] = {
  { "authentication.nobody",
    "authentication:\n  providers: [{id: keys, plugin: auth-api-key, enabled: false}]\n",
    "2: authentication.providers",
    "authentication:\n  providers: [{id: keys, plugin: auth-api-key, enabled: true}]\n", 0600 },
  { "authentication.shared-secret", JWT ("algorithms: [RS256, HS256], secret_key: env:GOOD"),
    "5: authentication.providers[0].settings.algorithms[1]", JWT ("algorithms: [RS256, PS512]"),
    0600 },
  { "authentication.shared-secret", JWT ("algorithm: hs512, secret_key: env:GOOD"),
    "5: authentication.providers[0].settings.algorithm", JWT ("algorithm: EdDSA"), 0600 },
  { "authentication.shared-secret", JWT ("secret_key: env:GOOD"),
    "5: authentication.providers[0].settings.secret_key",
    JWT ("secret_key: env:GOOD, algorithms: [ES256]"), 0600 },
  { "secrets.known", LLM ("{api_key: changeme}"), "5: llm.providers[0].settings.api_key",
    LLM ("{api_key: 9c1f5d7e}"), 0600 },
  { "secrets.known", LLM ("{nested: {password: env:KNOWN}}"),
    "5: llm.providers[0].settings.nested.password", LLM ("{nested: {password: env:GOOD}}"), 0644 },
  { "secrets.readable", LLM ("{api_key: 9c1f5d7e}"), "5: llm.providers[0].settings.api_key",
    LLM ("{api_key: 9c1f5d7e}"), 0644 },
  { "secrets.readable", "encryption: {settings: {any: 9c1f5d7e}}\n", "1: encryption.settings.any",
    "encryption: {settings: {any: env:GOOD}}\n", 0604 },
  { "tls.key-readable", "tls:\n  certificate: any.pem\n  key: open.key\n", "3: tls.key",
    "tls:\n  certificate: any.pem\n  key: closed.key\n", 0600 },
  { "cors.any", "server:\n  cors:\n    origins: [\"https://a.example\", \"*\"]\n",
    "3: server.cors.origins[1]", "server:\n  cors:\n    origins: [\"https://a.example\"]\n", 0600 },
  { "encryption.off", "encryption:\n  enabled: false\n", "2: encryption.enabled",
    "encryption:\n  enabled: true\n", 0600 },
  { "encryption.off", "enterprise: {encryption: {enabled: false}}\n", "1: encryption.enabled",
    "enterprise: {encryption: {enabled: true}}\n", 0600 },
  { "rbac.off", "rbac: {enabled: false}\n", "1: rbac.enabled", "rbac: {enabled: true}\n", 0600 },
  { "audit.retention", "audit:\n  retention_days: 364\n", "2: audit.retention_days",
    "audit:\n  retention_days: 365\n", 0600 },
  { "policy.opa-cleartext",
    "policy:\n  opa:\n    mode: also\n    url: \"http://opa.example:8181\"\n", "4: policy.opa.url",
    "policy:\n  opa:\n    mode: also\n    url: \"http://127.0.0.1:8181\"\n", 0600 },
  { "policy.opa-cleartext", "policy: {opa: {mode: also, url: \"http://opa.localhost:8181\"}}\n",
    "1: policy.opa.url", "policy: {opa: {mode: also}}\n", 0600 },
  { "policy.opa-cleartext", "policy: {opa: {mode: also, url: \"http://192.0.2.1\"}}\n",
    "1: policy.opa.url", "policy: {opa: {mode: off, url: \"http://192.0.2.1\"}}\n", 0600 },
  { "telemetry.cleartext", "telemetry:\n  otlp: {endpoint: \"http://collector.example:4318\"}\n",
    "2: telemetry.otlp.endpoint",
    "telemetry:\n  otlp: {endpoint: \"http://[::1]:4318\", headers: {x-key: env:GOOD}}\n", 0600 },
  { "telemetry.cleartext", "telemetry: {otlp: {endpoint: \"http://192.0.2.1\"}}\n",
    "1: telemetry.otlp.endpoint",
    "telemetry: {otlp: {endpoint: \"http://192.0.2.1\", allow_cleartext: true}}\n", 0600 },
  { "secrets.readable", "telemetry: {otlp: {headers: {x-key: 9c1f5d7e}}}\n",
    "1: telemetry.otlp.headers.x-key", "telemetry: {otlp: {headers: {x-key: env:GOOD}}}\n", 0644 },
};

/* what contradicts itself is refused to a developer, too */
static const Row always[] = {
  { "zero-trust.mfa", "rbac:\n  zero_trust:\n    require_mfa: true\n",
    "3: rbac.zero_trust.require_mfa", "rbac: {zero_trust: {require_mfa: false}}\n", 0600 },
  { "zero-trust.encryption",
    "encryption: {enabled: false}\nrbac:\n  zero_trust: {encrypt_all_data: true}\n",
    "3: rbac.zero_trust.encrypt_all_data", "rbac: {zero_trust: {encrypt_all_data: true}}\n", 0600 },
  { "zero-trust.network", "rbac: {zero_trust: {network_segmentation: true}}\n",
    "1: rbac.zero_trust.network_segmentation",
    "server: {ip_allow: [10.0.0.0/8]}\nrbac: {zero_trust: {network_segmentation: true}}\n", 0600 },
  { "zero-trust.network",
    "server: {ip_allow: [10.0.0.0/8, \"::/0\"]}\n"
    "rbac: {zero_trust: {network_segmentation: true}}\n",
    "2: rbac.zero_trust.network_segmentation",
    "server: {ip_allow: [10.0.0.0/8, \"2001:db8::/32\", 192.0.2.1]}\n"
    "rbac: {zero_trust: {network_segmentation: true}}\n",
    0600 },
  { "zero-trust.network",
    "server: {ip_allow: [128.0.0.0/1, 0.0.0.0/2, 64.0.0.0/2]}\n"
    "rbac: {zero_trust: {network_segmentation: true}}\n",
    "2: rbac.zero_trust.network_segmentation",
    "server: {ip_allow: [128.0.0.0/1, 0.0.0.0/2, 64.0.0.0/3]}\n"
    "rbac: {zero_trust: {network_segmentation: true}}\n",
    0600 },
  { "zero-trust.network",
    "server: {ip_allow: [\"8000::/1\", \"::/1\"]}\n"
    "rbac: {zero_trust: {network_segmentation: true}}\n",
    "2: rbac.zero_trust.network_segmentation",
    "server: {ip_allow: [\"8000::/1\", 10.0.0.0/8]}\n"
    "rbac: {zero_trust: {network_segmentation: true}}\n",
    0600 },
};

static const Row told[] = {
  { "listen.cleartext", "server:\n  allow_cleartext: true\n  listen: [\"0.0.0.0:0\"]\n",
    "3: server.listen[0]", "server:\n  allow_cleartext: true\n  listen: [\"127.0.0.1:0\"]\n",
    0600 },
  { "providers.cleartext", LLM ("{base_url: \"http://model.example:9000/v1\"}"),
    "5: llm.providers[0].settings.base_url", LLM ("{base_url: \"https://model.example/v1\"}"),
    0600 },
  { "providers.cleartext", LLM ("{base_url: \"http://[2001:db8::1]/v1\"}"),
    "5: llm.providers[0].settings.base_url", LLM ("{base_url: \"http://[::1]:9000/v1\"}"), 0600 },
  { "limits.none", "limits: {requests_per_minute: 0}\n", "1: limits.requests_per_minute",
    "limits: {requests_per_minute: 1}\n", 0600 },
  { "agents.auto-publish", "agents: {auto_publish: true}\n", "1: agents.auto_publish",
    "agents: {auto_publish: false}\n", 0600 },
  { "audit.bodies", "audit: {include_request_body: true}\n", "1: audit.include_request_body",
    "audit: {include_request_body: false}\n", 0600 },
  { "network.unknown", "server:\n  geography:\n    unknown: allow\n", "3: server.geography.unknown",
    "server: {geography: {unknown: deny}}\n", 0600 },
  { "logging.debug", "logging: {level: DEBUG}\n", "1: logging.level", "logging: {level: Info}\n",
    0600 },
};

static gboolean
has (ReeveConfig *config, const Row *row)
{
  GPtrArray *findings = reeve_config_get_findings (config);

  for (guint i = 0; i < findings->len; i++)
    {
      const ReeveConfigFinding *finding = findings->pdata[i];
      g_autofree char *end = g_strconcat ("/reeve.yaml:", row->place, NULL);
      if (strcmp (finding->rule->id, row->id) == 0 && g_str_has_suffix (finding->where, end))
        return TRUE;
    }
  return FALSE;
}

static const ReeveConfigGuardRule *
find_rule (const char *id)
{
  for (const ReeveConfigGuardRule *rule = reeve_config_guard_get_rules (); rule->id != NULL; rule++)
    if (strcmp (rule->id, id) == 0)
      return rule;
  g_error ("there is no rule %s", id);
}

static void
assert_twin (const Row *row)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveConfig) twin = load (
      "enterprise", row->twin,
      row->mode != 0600 && strstr (row->twin, "9c1f5d7e") == NULL ? row->mode : 0600, &error);

  g_assert_no_error (error);
  g_assert_false (has (twin, row));
}

static void
test_config_guard_refused (void)
{
  static const char *const profiles[] = { "enterprise", "staging", "prod" };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      const Row *row = &refused[i];
      const ReeveConfigGuardRule *rule = find_rule (row->id);
      g_autoptr (GError) error = NULL;

      g_assert_true (rule->refused);
      for (guint j = 0; j < G_N_ELEMENTS (profiles); j++)
        {
          g_autofree char *line
              = g_strdup_printf ("/reeve.yaml:%s: %s, which profile %s refuses: %s", row->place,
                                 rule->what, profiles[j], rule->remedy);
          g_assert_null (load (profiles[j], row->text, row->mode, &error));
          g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
          if (strstr (error->message, line) == NULL)
            g_error ("\"%s\" is not in \"%s\"", line, error->message);
          g_clear_error (&error);
        }
      assert_twin (row);
      /* one developer may, and is told by the doctor */
      g_autoptr (ReeveConfig) own = load ("dev", row->text, row->mode, &error);
      g_assert_no_error (error);
      g_assert_true (has (own, row));
    }
}

static void
test_config_guard_always (void)
{
  static const char *const profiles[] = { "dev", "enterprise" };

  for (guint i = 0; i < G_N_ELEMENTS (always); i++)
    {
      const Row *row = &always[i];
      const ReeveConfigGuardRule *rule = find_rule (row->id);

      g_assert_true (rule->always);
      assert_twin (row);
      for (guint j = 0; j < G_N_ELEMENTS (profiles); j++)
        {
          g_autoptr (GError) error = NULL;
          g_autofree char *line
              = g_strdup_printf ("/reeve.yaml:%s: %s: %s", row->place, rule->what, rule->remedy);

          g_assert_null (load (profiles[j], row->text, row->mode, &error));
          g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
          if (strstr (error->message, line) == NULL)
            g_error ("\"%s\" is not in \"%s\"", line, error->message);
        }
    }
}

static void
test_config_guard_told (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (told); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveConfig) config = load ("enterprise", told[i].text, told[i].mode, &error);

      g_assert_no_error (error);
      g_assert_false (find_rule (told[i].id)->refused);
      g_assert_true (has (config, &told[i]));
      assert_twin (&told[i]);
    }
}

static gboolean
is_tested (const char *id)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    if (strcmp (refused[i].id, id) == 0)
      return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (told); i++)
    if (strcmp (told[i].id, id) == 0)
      return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (always); i++)
    if (strcmp (always[i].id, id) == 0)
      return TRUE;
  return FALSE;
}

/* no rule without a case, and what is built in breaks none that is refused */
static void
test_config_guard_complete (void)
{
  static const char *const profiles[] = { "enterprise", "staging", "prod" };

  for (const ReeveConfigGuardRule *rule = reeve_config_guard_get_rules (); rule->id != NULL; rule++)
    if (!is_tested (rule->id))
      g_error ("rule %s has no case", rule->id);
  for (guint i = 0; i < G_N_ELEMENTS (profiles); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveConfig) config = load (profiles[i], "", 0644, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (reeve_config_get_findings (config)->len, ==, 0);
    }
}

/* all of them at once, and a secret is in no line */
static void
test_config_guard_all_lines (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (load ("prod",
                       "encryption: {enabled: false}\n"
                       "rbac: {enabled: false}\n" LLM ("{api_key: supersecret}"),
                       0644, &error));
  g_assert_nonnull (strstr (error->message, "reeve.yaml:1: encryption.enabled: "));
  g_assert_nonnull (strstr (error->message, "\n"));
  g_assert_nonnull (strstr (error->message, "reeve.yaml:2: rbac.enabled: "));
  g_assert_nonnull (strstr (error->message, "everybody knows this secret"));
  g_assert_nonnull (strstr (error->message, "can read"));
  g_assert_null (strstr (error->message, "supersecret"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (g_chdir (g_get_tmp_dir ()), ==, 0);
  g_assert_true (g_file_set_contents_full ("open.key", "", 0, 0, 0604, NULL));
  g_assert_true (g_file_set_contents_full ("closed.key", "", 0, 0, 0600, NULL));
  g_assert_cmpint (g_chmod ("open.key", 0604), ==, 0);
  g_test_add_func ("/config-guard/refused", test_config_guard_refused);
  g_test_add_func ("/config-guard/always", test_config_guard_always);
  g_test_add_func ("/config-guard/told", test_config_guard_told);
  g_test_add_func ("/config-guard/complete", test_config_guard_complete);
  g_test_add_func ("/config-guard/all-lines", test_config_guard_all_lines);
  return g_test_run ();
}
