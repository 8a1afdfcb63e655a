/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has the last word on a key, whom it goes over, and what is never told. */
#include "base/config.h"

#include <string.h>

static const char *const environment[]
    = { "REEVE_REQUESTS_PER_MINUTE=7", "KEY=sk-very-secret-value", "PORT=9099", NULL };

static char *
write_file (const char *name, const char *text)
{
  char *path = g_build_filename (g_get_tmp_dir (), name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static ReeveConfig *
load (const char *text)
{
  g_autofree char *path = write_file ("reeve.yaml", text);
  g_autofree char *own
      = write_file ("plant.yaml", "profile: dev\nlimits: {requests_per_minute: 5}\n");
  const char *const folders[] = { g_get_tmp_dir (), NULL };
  const ReeveConfigSources sources
      = { .file = path, .profile = "plant", .profile_dirs = folders, .environment = environment };
  g_autoptr (GError) error = NULL;
  ReeveConfig *config = reeve_config_load (&sources, &error);

  g_assert_no_error (error);
  return config;
}

static char *
explain (ReeveConfig *config, const char *key)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);

  json_node_take_array (node, reeve_config_explain (config, key));
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *canonical = reeve_json_canonical (node);
  g_autofree char *folder = g_strconcat (g_get_tmp_dir (), "/", NULL);
  g_string_assign (text, canonical);
  g_string_replace (text, folder, "", 0);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
assert_explained (ReeveConfig *config, const char *key, const char *wanted)
{
  g_autofree char *text = explain (config, key);

  g_assert_cmpstr (text, ==, wanted);
}

static void
test_config_explain_origins (void)
{
  g_autoptr (ReeveConfig) config
      = load ("limits:\n  requests_per_minute: 6\n"
              "server: {listen: [\"127.0.0.1:${PORT}\"]}\n"
              "llm: {providers: [{id: a, plugin: b, settings: {api_key: sk-literal, url: "
              "\"https://u:pw@h/\", other: \"x${KEY}\", third: \"env:KEY\"}}]}\n");

  assert_explained (
      config, "limits.requests_per_minute",
      "[{\"covers\":[{\"origin\":\"reeve.yaml:2\",\"value\":6},{\"origin\":\"plant.yaml:2\","
      "\"value\":5},{\"origin\":\"profile dev\",\"value\":1000},{\"origin\":\"default\","
      "\"value\":100}],\"key\":\"limits.requests_per_minute\",\"origin\":\"environment "
      "REEVE_REQUESTS_PER_MINUTE\",\"secret\":false,\"value\":7}]");
  assert_explained (config, "audit.checkpoint_seconds",
                    "[{\"covers\":[],\"key\":\"audit.checkpoint_seconds\",\"origin\":\"default\","
                    "\"secret\":false,\"value\":10}]");
  assert_explained (config, "server.listen[0]",
                    "[{\"covers\":[],\"key\":\"server.listen[0]\",\"origin\":\"environment PORT "
                    "(reeve.yaml:3)\",\"secret\":false,\"value\":\"127.0.0.1:9099\"}]");
  assert_explained (
      config, "llm.providers",
      "[{\"covers\":[{\"origin\":\"default\",\"value\":[{\"enabled\":true,\"id\":\"extractive\","
      "\"plugin\":\"llm-extractive\",\"settings\":{}}]}],\"key\":\"llm.providers\",\"origin\":"
      "\"reeve.yaml:4\",\"secret\":false,\"value\":[{\"enabled\":true,\"id\":\"a\",\"plugin\":"
      "\"b\",\"settings\":{\"api_key\":\"***\",\"other\":\"x${KEY}\",\"third\":\"env:KEY\",\"url\":"
      "\"https://***@h/\"}}]}]");
  assert_explained (config, "llm.providers[0].settings.api_key",
                    "[{\"covers\":[],\"key\":\"llm.providers[0].settings.api_key\",\"origin\":"
                    "\"reeve.yaml:4\",\"secret\":true,\"value\":\"***\"}]");
  assert_explained (config, "llm.nonsense", "[]");
  assert_explained (config, "limits.requests_per_minut", "[]");
  assert_explained (config, "llm.providers[1]", "[]");
}

static void
test_config_explain_everything (void)
{
  g_autoptr (ReeveConfig) config = load ("encryption: {settings: {any: sk-literal}}\n");
  g_autofree char *text = explain (config, NULL);
  g_autofree char *section = explain (config, "audit");
  g_autofree char *hidden = explain (config, "encryption");

  g_assert_nonnull (strstr (text, "\"key\":\"agents.auto_publish\",\"origin\":\"profile dev\""));
  g_assert_nonnull (strstr (text, "\"key\":\"profile\",\"origin\":\"command line\""));
  g_assert_null (strstr (text, "sk-"));
  g_assert_nonnull (strstr (section, "audit.retention_days"));
  g_assert_null (strstr (section, "limits."));
  g_assert_nonnull (strstr (hidden, "\"key\":\"encryption.settings.any\",\"origin\":\"reeve.yaml:1"
                                    "\",\"secret\":true,\"value\":\"***\""));
}

static void
test_config_explain_files (void)
{
  g_autoptr (ReeveConfig) config = load ("limits: {requests_per_minute: 6}\n");
  g_auto (GStrv) files = reeve_config_list_files (config, FALSE);
  g_auto (GStrv) none = reeve_config_list_files (config, TRUE);

  g_assert_cmpuint (g_strv_length (files), ==, 2);
  g_assert_true (g_str_has_suffix (files[0], "/plant.yaml"));
  g_assert_cmpuint (g_strv_length (none), ==, 0);
  g_autofree char *path = write_file ("reeve.yaml", "limits: {requests_per_minute: 8}\n");
  g_auto (GStrv) changed = reeve_config_list_files (config, TRUE);
  g_assert_cmpuint (g_strv_length (changed), ==, 1);
  g_assert_cmpstr (changed[0], ==, path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-explain/origins", test_config_explain_origins);
  g_test_add_func ("/config-explain/everything", test_config_explain_everything);
  g_test_add_func ("/config-explain/files", test_config_explain_files);
  return g_test_run ();
}
