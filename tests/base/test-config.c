/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reeve.yaml: layers, types, variables, units, where each fault is said to be, and what is not
 * shown. */
#include "base/config.h"

#include "base/json-schema.h"

#include <glib/gstdio.h>
#include <string.h>

static const char *const environment[]
    = { "PORT=9099", "NAME=plant", "KEY=sk-very-secret-value", "EMPTY=", "NUMBERISH=12345", NULL };

static char *
write_file (const char *name, const char *text)
{
  char *path = g_build_filename (g_get_tmp_dir (), name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static ReeveConfig *
load (const char *text, const char *profile, GError **error)
{
  g_autofree char *path = text != NULL ? write_file ("reeve.yaml", text) : NULL;
  const char *const folders[] = { g_get_tmp_dir (), NULL };
  const ReeveConfigSources sources
      = { .file = path, .profile = profile, .profile_dirs = folders, .environment = environment };

  return reeve_config_load (&sources, error);
}

static ReeveConfig *
load_good (const char *text)
{
  g_autoptr (GError) error = NULL;
  ReeveConfig *config = load (text, NULL, &error);

  g_assert_no_error (error);
  return config;
}

static void
test_config_defaults (void)
{
  g_autoptr (ReeveConfig) config = load_good (NULL);
  g_auto (GStrv) listen = reeve_config_get_strv (config, "server.listen");

  g_assert_cmpstr (reeve_config_get_profile (config), ==, "dev");
  g_assert_cmpuint (g_strv_length (listen), ==, 1);
  g_assert_cmpstr (listen[0], ==, "127.0.0.1:8080");
  g_assert_cmpint (reeve_config_get_int (config, "server.max_body"), ==, 10 * 1024 * 1024);
  g_assert_cmpint (reeve_config_get_int (config, "server.threads"), ==, 0);
  g_assert_cmpstr (reeve_config_get_string (config, "server.threads"), ==, "auto");
  g_assert_cmpstr (reeve_config_get_string (config, "store.plugin"), ==, "storage-sqlite");
  g_assert_null (reeve_config_get_json (config, "llm.default"));
  JsonObject *provider = json_array_get_object_element (
      json_node_get_array (reeve_config_get_json (config, "llm.providers")), 0);
  g_assert_cmpstr (json_object_get_string_member (provider, "plugin"), ==, "llm-extractive");
  g_assert_cmpint (reeve_config_get_int (config, "agents.max_iterations"), ==, 15);
  g_assert_true (reeve_config_get_boolean (config, "agents.auto_publish"));
  g_assert_cmpstr (reeve_config_get_origin (config, "agents.auto_publish"), ==, "profile dev");
  g_assert_cmpint (reeve_config_get_int (config, "limits.requests_per_minute"), ==, 1000);
  g_assert_cmpfloat (reeve_config_get_double (config, "budgets.org.alert_at"), ==, 0.8);
  g_assert_cmpint (reeve_config_get_int (config, "audit.retention_days"), ==, 365);
  g_assert_null (reeve_config_get_json (config, "agents.max_agents"));
  g_assert_null (*reeve_config_get_warnings (config));
  g_assert_cmpstr (reeve_config_get_origin (config, "store.plugin"), ==, "default");
}

/* the sample of the documentation */
static void
test_config_sample (void)
{
  g_autoptr (ReeveConfig) config = load_good (
      "profile: dev                      # dev | enterprise\n"
      "server: {listen: [\"127.0.0.1:8080\", '[::1]:0'], max_body: 10MiB, threads: auto}\n"
      "store: {plugin: storage-sqlite, settings: {}}\n"
      "authentication:\n"
      "  providers:\n"
      "    - {id: keys, plugin: auth-api-key}\n"
      "    - id: idp\n"
      "      plugin: auth-jwt\n"
      "      settings: {issuer: \"https://idp.example\", algorithms: [RS256, ES256], "
      "leeway_seconds: 30, provision: true}\n"
      "llm:\n"
      "  default: local/gpt-4o-mini\n"
      "  providers:\n"
      "    - {id: demo, plugin: llm-extractive}\n"
      "    - {id: local, plugin: llm-openai, settings: {base_url: \"http://127.0.0.1:9000/v1\", "
      "api_key: \"env:KEY\"}}\n"
      "  prices: {local/gpt-4o-mini: {input: \"0.00015\", output: 0.0006, currency: USD}}\n"
      "agents: {max_iterations: 15, auto_publish: true}\n"
      "budgets: {org: {token_limit: 1000000, reset_period_days: 30}}\n"
      "limits: {requests_per_minute: 100, per: [tenant, user, key]}\n"
      "tools: {max_result: 262144}\n"
      "audit: {retention_days: 365, include_request_body: false, checkpoint_seconds: 10}\n");
  JsonObject *local = json_array_get_object_element (
      json_node_get_array (reeve_config_get_json (config, "llm.providers")), 1);
  JsonObject *settings = json_object_get_object_member (local, "settings");
  JsonObject *prices = json_node_get_object (reeve_config_get_json (config, "llm.prices"));
  JsonObject *price = json_object_get_object_member (prices, "local/gpt-4o-mini");

  g_assert_cmpstr (json_object_get_string_member (settings, "api_key"), ==, "sk-very-secret-value");
  g_assert_true (json_object_get_boolean_member (local, "enabled"));
  g_assert_cmpstr (json_object_get_string_member (price, "output"), ==, "0.0006");
  g_assert_cmpint (reeve_config_get_int (config, "budgets.org.token_limit"), ==, 1000000);
  g_assert_cmpint (reeve_config_get_int (config, "limits.requests_per_minute"), ==, 100);
  g_assert_true (g_str_has_suffix (reeve_config_get_origin (config, "limits.requests_per_minute"),
                                   "reeve.yaml:18"));
  /* what is accepted and does nothing yet is told, once */
  const char *const *warnings = reeve_config_get_warnings (config);
  g_assert_nonnull (strstr (warnings[0], "reeve.yaml:1"));
  for (; *warnings != NULL; warnings++)
    g_assert_true (g_str_has_suffix (*warnings, "has no effect yet: its feature is not built"));
}

static void
test_config_values (void)
{
  g_autoptr (ReeveConfig) config = load_good ("server:\n"
                                              "  listen:\n"
                                              "    - 127.0.0.1:${PORT}\n"
                                              "  max_body: ${SIZE:-2 MiB}\n"
                                              "  threads: 0x10\n"
                                              "  keep_alive: 2m\n"
                                              "store:\n"
                                              "  settings:\n"
                                              "    a: ${NAME}-$${NAME}-${NAME}\n"
                                              "    b: \"${NUMBERISH}\"\n"
                                              "    c: ${NUMBERISH}\n"
                                              "    d: env:NUMBERISH\n"
                                              "    e: yes\n"
                                              "    f: True\n"
                                              "    g: ~\n"
                                              "    h: \"\"\n"
                                              "    i: 1e3\n"
                                              "    j: 0o17\n"
                                              "    k: 1.2.3\n"
                                              "    l: .inf\n"
                                              "    m: \"${EMPTY}\"\n"
                                              "    n: &anchor {x: 1}\n"
                                              "    o: *anchor\n"
                                              "agents:\n"
                                              "  execution_timeout: 1h\n"
                                              "tls: {min_version: 1.3}\n"
                                              "budgets:\n");
  g_auto (GStrv) listen = reeve_config_get_strv (config, "server.listen");
  g_autofree char *settings
      = reeve_json_canonical (reeve_config_get_json (config, "store.settings"));

  g_assert_cmpstr (listen[0], ==, "127.0.0.1:9099");
  g_assert_cmpint (reeve_config_get_int (config, "server.max_body"), ==, 2 * 1024 * 1024);
  g_assert_cmpint (reeve_config_get_int (config, "server.threads"), ==, 16);
  g_assert_cmpint (reeve_config_get_int (config, "server.keep_alive"), ==, 120);
  g_assert_cmpint (reeve_config_get_int (config, "agents.execution_timeout"), ==, 3600);
  g_assert_cmpstr (reeve_config_get_string (config, "tls.min_version"), ==, "1.3");
  g_assert_cmpstr (settings, ==,
                   "{\"a\":\"plant-${NAME}-plant\",\"b\":\"12345\",\"c\":12345,\"d\":\"12345\","
                   "\"e\":\"yes\",\"f\":true,"
                   "\"g\":null,\"h\":\"\",\"i\":1000,\"j\":15,\"k\":\"1.2.3\",\"l\":\".inf\",\"m\":"
                   "\"\",\"n\":{\"x\":1},"
                   "\"o\":{\"x\":1}}");
}

/* text, pattern of the error's text behind the folder */
static const char *const refused[][2] = {
  { "serverr: {}\n", "reeve.yaml:1: serverr: is not known here" },
  { "server:\n  listen: [\"127.0.0.1:1\"]\n  colour: red\n",
    "reeve.yaml:3: server.colour: is not known here" },
  { "server:\n  max_body: big\n",
    "reeve.yaml:2: server.max_body: \"big\" is no size, such as 10MiB" },
  { "server:\n  max_body: 10\n", "reeve.yaml:2: server.max_body: must be at least 1024" },
  { "agents:\n  execution_timeout: 5 years\n",
    "reeve.yaml:2: agents.execution_timeout: *no duration*" },
  { "server:\n\n  listen: 127.0.0.1:80\n", "reeve.yaml:3: server.listen: must be an array" },
  { "server: {listen: []}\n", "reeve.yaml:1: server.listen: must have at least 1 items" },
  { "server: {listen: [\"a:70000\"]}\n",
    "reeve.yaml:1: server.listen?0?: the port must be 0 to 65535" },
  { "agents:\n  auto_publish: yes\n", "reeve.yaml:2: agents.auto_publish: must be a boolean" },
  { "agents:\n  max_iterations: 0\n", "reeve.yaml:2: agents.max_iterations: must be at least 1" },
  { "agents: [1]\n", "reeve.yaml:1: agents: must be an object" },
  { "llm:\n  providers:\n    - id: a\n      plugin: x\n    - plugin: y\n",
    "reeve.yaml:5: llm.providers?1?.id: is required" },
  { "llm:\n  providers:\n    - {id: a, plugin: x}\n    - {id: a, plugin: y}\n",
    "reeve.yaml:4: llm.providers?1?.id: stands in this list twice" },
  { "llm:\n  providers:\n    - {id: a, plugin: x, colour: {}}\n",
    "reeve.yaml:3: llm.providers?0?.colour: is not known here" },
  { "llm: {prices: {m: {input: -1, output: \"1\"}}}\n",
    "reeve.yaml:1: llm.prices.m.input: must match *" },
  { "logging: {level: loud}\n", "reeve.yaml:1: logging.level: must match *" },
  { "logging: {format: xml}\n", "reeve.yaml:1: logging.format: must be one of \"json\", \"text\"" },
  { "tls:\n  key: a.pem\n", "reeve.yaml:1: tls: certificate and key belong together" },
  { "knowledge:\n  chunk_size_tokens: 64\n  chunk_overlap_tokens: 64\n",
    "reeve.yaml:3: knowledge.chunk_overlap_tokens: must be less*" },
  { "store:\n  settings:\n    a: ${NO_SUCH_VARIABLE}\n",
    "reeve.yaml:3: store.settings.a: environment variable NO_SUCH_VARIABLE is not set" },
  { "store:\n  settings: {a: \"env:NO_SUCH_VARIABLE\"}\n",
    "reeve.yaml:2: store.settings.a: environment*" },
  { "store:\n  settings: {a: \"${1X}\"}\n",
    "reeve.yaml:2: store.settings.a: \"1X\" is no name of a variable" },
  { "profile: other\n", "reeve.yaml:1: profile: profile \"other\" is neither*" },
  { "profile: ../etc/passwd\n", "reeve.yaml:1: profile: profile \"../etc/passwd\": not a name*" },
  { "profile: [dev]\n", "reeve.yaml:1: profile: must be a string" },
  { "server:\n  threads: 1\n  threads: 2\n", "reeve.yaml:3: key \"threads\" stands here twice" },
  { "server: {listen: [}\n", "reeve.yaml:1: *" },
  { "server:\n\tthreads: 1\n", "reeve.yaml:2: *" },
  { "a: 1\n---\nb: 2\n", "reeve.yaml:2: a second document" },
  { "- a\n- b\n", "reeve.yaml:1: the file must hold sections*" },
  { "just text\n", "reeve.yaml:1: the file must hold sections*" },
  { "store:\n  plugin: !!str a\n", "reeve.yaml:2: tags and NUL are not taken" },
  { "store:\n  settings: !!python/object:os.system {}\n", "reeve.yaml:2: tags are not taken" },
  { "store:\n  settings: *none\n", "reeve.yaml:2: an alias of nothing" },
  { "store:\n  settings: &a {b: *a}\n", "reeve.yaml:2: an alias of nothing" },
  { "store:\n  settings: {[a]: b}\n", "reeve.yaml:2: a key must be a plain word" },
  { "store: {settings: {a: \"\\0\"}}\n", "reeve.yaml:1: tags and NUL are not taken" },
  { "store: \"\xff\"\n", "reeve.yaml:1: the file is too large, or not UTF-8" },
};

static void
assert_refused (const char *text, const char *pattern)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveConfig) config = load (text, NULL, &error);
  g_autofree char *whole = g_strdup_printf ("%s/%s", g_get_tmp_dir (), pattern);

  if (config != NULL)
    g_error ("taken: %s", text);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  if (!g_pattern_match_simple (whole, error->message))
    g_error ("\"%s\" is not \"%s\"", error->message, whole);
}

static void
test_config_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    assert_refused (refused[i][0], refused[i][1]);
  /* every fault, not only the first */
  assert_refused ("a: 1\nserver:\n  b: 2\n",
                  "reeve.yaml:1: a: is not known here\n*reeve.yaml:3: server.b: is not known here");
}

static void
test_config_bounds (void)
{
  g_autoptr (GString) deep = g_string_new ("store: {settings: ");
  g_autoptr (GString) laughs
      = g_string_new ("store:\n  settings:\n    a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
  g_autofree char *large = g_strnfill (1024 * 1024 + 1, '#');

  for (guint i = 0; i < 5000; i++)
    g_string_append (deep, "{a: ");
  assert_refused (deep->str, "reeve.yaml:1: nested too deeply");
  for (guint i = 1; i < 9; i++)
    g_string_append_printf (laughs, "    a%u: &a%u [*a%u,*a%u,*a%u,*a%u,*a%u,*a%u,*a%u,*a%u]\n", i,
                            i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
  assert_refused (laughs->str, "reeve.yaml:*: too much in one file");
  assert_refused (large, "reeve.yaml:1: the file is too large*");
}

static void
test_config_profiles (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *base = write_file (
      "plant.yaml", "profile: enterprise\nagents: {max_iterations: 7}\nlogging: {level: error}\n");
  g_autofree char *bad = write_file ("broken.yaml", "\nagents: {max_iteration: 7}\n");
  g_autofree char *circle = write_file ("circle.yaml", "profile: circle2\n");
  g_autofree char *circle2 = write_file ("circle2.yaml", "profile: circle\n");

  g_autoptr (ReeveConfig) config
      = load ("profile: plant.yaml\nlogging: {level: debug}\n", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (reeve_config_get_int (config, "agents.max_iterations"), ==, 7);
  g_assert_false (reeve_config_get_boolean (config, "agents.auto_publish"));
  g_assert_cmpstr (reeve_config_get_origin (config, "agents.auto_publish"), ==,
                   "profile enterprise");
  g_assert_cmpstr (reeve_config_get_string (config, "logging.level"), ==, "debug");
  g_assert_cmpstr (reeve_config_get_profile (config), ==, "plant.yaml");

  /* the command line's profile wins over the file's */
  g_autoptr (ReeveConfig) other = load ("profile: plant\n", "enterprise", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (reeve_config_get_profile (other), ==, "enterprise");
  g_assert_cmpstr (reeve_config_get_origin (other, "profile"), ==, "command line");
  g_assert_cmpint (reeve_config_get_int (other, "agents.max_iterations"), ==, 15);

  g_assert_null (load (NULL, "broken", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_assert_true (
      g_str_has_suffix (error->message, "broken.yaml:2: agents.max_iteration: is not known here"));
  g_clear_error (&error);
  g_assert_null (load (NULL, "circle", &error));
  g_assert_nonnull (strstr (error->message, "a circle of profiles"));
}

static void
test_config_overrides (void)
{
  static const char text[] = "{\"server\":{\"listen\":[\"0.0.0.0:0\"],\"max_body\":\"1MiB\"}}";
  g_autoptr (JsonNode) overrides = reeve_json_parse_strict (text, sizeof text - 1, NULL);
  g_autofree char *path
      = write_file ("reeve.yaml", "server: {listen: [\"127.0.0.1:1\"], workers: 9}\n");
  const ReeveConfigSources sources
      = { .file = path, .overrides = json_node_get_object (overrides), .environment = environment };
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveConfig) config = reeve_config_load (&sources, &error);

  g_assert_no_error (error);
  g_auto (GStrv) listen = reeve_config_get_strv (config, "server.listen");
  g_assert_cmpuint (g_strv_length (listen), ==, 1);
  g_assert_cmpstr (listen[0], ==, "0.0.0.0:0");
  g_assert_cmpint (reeve_config_get_int (config, "server.max_body"), ==, 1024 * 1024);
  g_assert_cmpint (reeve_config_get_int (config, "server.workers"), ==, 9);
  g_assert_cmpstr (reeve_config_get_origin (config, "server.listen"), ==, "command line");

  static const char bad_text[] = "{\"server\":{\"listen\":[\"nonsense\"]}}";
  g_autoptr (JsonNode) bad = reeve_json_parse_strict (bad_text, sizeof bad_text - 1, NULL);
  const ReeveConfigSources bad_sources = { .overrides = json_node_get_object (bad) };
  g_assert_null (reeve_config_load (&bad_sources, &error));
  g_assert_true (g_str_has_prefix (error->message, "command line: server.listen[0]: must match"));

  const ReeveConfigSources absent = { .file = "/nonexistent/reeve.yaml" };
  g_clear_error (&error);
  g_assert_null (reeve_config_load (&absent, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_assert_true (g_str_has_prefix (error->message, "/nonexistent/reeve.yaml: "));
}

/* where the master key is: a variable is named, not expanded; in either of two places */
static void
test_config_encryption (void)
{
  static const char *const texts[] = { "encryption: {key_source: env:KEY, algorithm: aes-gcm}\n",
                                       "enterprise:\n  encryption:\n    key_source: env:KEY\n",
                                       "enterprise: {encryption: {key_source: \"env:KEY\"}}\n" };
  static const char *const bad[][2] = {
    { "encryption: {enabled: true}\nenterprise: {encryption: {enabled: true}}\n",
      "enterprise.encryption: encryption is there too" },
    { "enterprise: {encryption: {enabled: true}, more: 1}\n", ":1: enterprise" },
    { "enterprise: 1\n", ":1: enterprise" },
    { "encryption: {key_source: \"env:not a name\"}\n", "encryption.key_source: must match" },
    { "encryption: {key_source: \"credential:../etc/passwd\"}\n", "encryption.key_source" },
    { "encryption: {algorithm: fernet}\n", "encryption.algorithm" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (ReeveConfig) config = load_good (texts[i]);
      g_autofree char *text = reeve_config_print (config);

      g_assert_cmpstr (reeve_config_get_string (config, "encryption.key_source"), ==, "env:KEY");
      g_assert_true (reeve_config_get_boolean (config, "encryption.enabled"));
      g_assert_nonnull (strstr (text, "key_source: \"env:KEY\""));
      g_assert_null (strstr (text, "very-secret"));
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (load (bad[i][0], NULL, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
      g_assert_nonnull (strstr (error->message, bad[i][1]));
    }
}

static void
test_config_print (void)
{
  g_autoptr (ReeveConfig) config
      = load_good ("server: {listen: [\"127.0.0.1:${PORT}\"]}\n"
                   "encryption: {key_source: \"env:KEY\", settings: {any: topsecret1}}\n"
                   "llm:\n"
                   "  providers:\n"
                   "    - id: a\n"
                   "      plugin: llm-openai\n"
                   "      settings: {api_key: topsecret2, base_url: "
                   "\"https://user:topsecret3@host/v1\", token: \"${KEY}\",\n"
                   "                 other: env:KEY, nested: {client_secret: topsecret4, list: "
                   "[topsecret5]}, max_tokens: 7,\n"
                   "                 hook: "
                   "\"https://u:topsecret7@h/p?sig=topsecret8&v=1.2&topsecret9#x=topsecret10\",\n"
                   "                 bare: \"https://h?page=2&sort=topsecret11\",\n"
                   "                 headers: {X-Auth: topsecret12},\n"
                   "                 code: \"https://h?pwd=12345678\",\n"
                   "                 path: \"https://h/services/T0/topsecret13topsecret13/v1\",\n"
                   "                 credentials: {any: topsecret6}}\n");
  g_autofree char *text = reeve_config_print (config);
  g_autofree char *path = write_file ("printed.yaml", text);
  const ReeveConfigSources again = { .file = path, .environment = environment };
  g_autoptr (GError) error = NULL;

  /* a list named "list" is no secret, the others are */
  g_assert_nonnull (strstr (text, "topsecret5"));
  for (guint i = 1; i <= 13; i++)
    {
      g_autofree char *secret = g_strdup_printf ("topsecret%u", i);
      g_assert_true (i == 5 || strstr (text, secret) == NULL);
    }
  g_assert_null (strstr (text, "very-secret"));
  g_assert_nonnull (strstr (text, "base_url: \"https://***@host/v1\""));
  g_assert_nonnull (strstr (text, "hook: \"https://***@h/p?sig=***&v=1.2&***#x=***\""));
  g_assert_nonnull (strstr (text, "bare: \"https://h?page=2&sort=***\""));
  g_assert_nonnull (strstr (text, "code: \"https://h?pwd=***\""));
  g_assert_nonnull (strstr (text, "path: \"https://h/services/T0/***/v1\""));
  g_assert_nonnull (strstr (text, "other: \"env:KEY\""));
  g_assert_nonnull (strstr (text, "api_key: \"***\""));
  g_assert_nonnull (strstr (text, "max_tokens: 7"));
  g_assert_nonnull (strstr (text, "    - \"127.0.0.1:9099\"  # environment PORT ("));
  g_assert_nonnull (strstr (text, "  auto_publish: true  # profile dev\n"));
  g_assert_nonnull (strstr (text, "  max_body: 10485760  # default\n"));
  g_assert_nonnull (strstr (text, "  key_source: \"env:KEY\"  # "));
  g_assert_nonnull (strstr (text, "reeve.yaml:2\n"));

  /* it is itself a configuration */
  g_autoptr (ReeveConfig) same = reeve_config_load (&again, &error);
  g_assert_no_error (error);
  g_assert_cmpint (reeve_config_get_int (same, "server.max_body"), ==, 10485760);
}

static void
test_config_unknown_path (void)
{
  g_autoptr (ReeveConfig) config = load_good (NULL);

  if (g_test_subprocess ())
    {
      reeve_config_get_string (config, "server.nonsense");
      return;
    }
  /* below a free-form object anything may be asked for */
  g_assert_null (reeve_config_get_string (config, "store.settings.anything"));
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*there is no key server.nonsense*");
}

/* the schema itself: every default is valid where it stands, every key is described */
static void
check_schema_node (const ReeveSchemaNode *node, const char *name)
{
  g_autoptr (ReeveSchema) schema = reeve_schema_new_from_static (node);
  g_autoptr (GError) error = NULL;

  if (node->fallback != NULL)
    {
      g_autoptr (JsonNode) value
          = reeve_json_parse_strict (node->fallback, strlen (node->fallback), &error);
      g_assert_no_error (error);
      reeve_schema_validate (schema, value, NULL, &error);
      g_assert_no_error (error);
    }
  if (node->description == NULL)
    g_error ("%s is not described", name);
  for (guint i = 0; node->object != NULL && i < node->object->n_properties; i++)
    check_schema_node (node->object->properties[i].node, node->object->properties[i].name);
}

extern const ReeveSchemaNode *const reeve_config_schema;

static void
test_config_schema (void)
{
  static const char *const sections[] = {
    "profile",       "server",    "store",   "authentication", "llm",  "agents",    "budgets",
    "limits",        "audit",     "tls",     "encryption",     "rbac", "tools",     "plugins",
    "metrics",       "telemetry", "logging", "knowledge",      "jobs", "approvals", "compliance",
    "notifications", "policy",
  };

  check_schema_node (reeve_config_schema, "the configuration");
  g_assert_cmpuint (reeve_config_schema->object->n_properties, ==, G_N_ELEMENTS (sections));
  for (guint i = 0; i < G_N_ELEMENTS (sections); i++)
    {
      g_autoptr (ReeveConfig) config = load_good (NULL);
      g_assert_nonnull (reeve_config_get_json (config, sections[i]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/defaults", test_config_defaults);
  g_test_add_func ("/config/sample", test_config_sample);
  g_test_add_func ("/config/values", test_config_values);
  g_test_add_func ("/config/refused", test_config_refused);
  g_test_add_func ("/config/bounds", test_config_bounds);
  g_test_add_func ("/config/profiles", test_config_profiles);
  g_test_add_func ("/config/overrides", test_config_overrides);
  g_test_add_func ("/config/print", test_config_print);
  g_test_add_func ("/config/encryption", test_config_encryption);
  g_test_add_func ("/config/unknown-path", test_config_unknown_path);
  g_test_add_func ("/config/schema", test_config_schema);
  return g_test_run ();
}
