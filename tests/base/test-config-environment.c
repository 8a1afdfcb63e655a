/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which profile counts, what the built-in ones say, and variables that set keys. */
#include "base/config.h"

#include <string.h>

static char *
write_file (const char *name, const char *text)
{
  char *path = g_build_filename (g_get_tmp_dir (), name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static ReeveConfig *
load_with (const char *text, const char *profile, const char *const *variables, GError **error)
{
  static const char *const none[] = { NULL };
  g_autofree char *path = text != NULL ? write_file ("reeve.yaml", text) : NULL;
  const char *const folders[] = { g_get_tmp_dir (), NULL };
  const ReeveConfigSources sources = { .file = path,
                                       .profile = profile,
                                       .profile_dirs = folders,
                                       .environment = variables != NULL ? variables : none };

  return reeve_config_load (&sources, error);
}

/* the table of profiles: what each says, and that of two the one above wins with its own origin */
static void
test_config_environment_profiles (void)
{
  static const struct
  {
    const char *profile;
    gint64 rate;
    const char *level, *limits_from;
    gboolean is_dev;
  } rows[] = {
    { "dev", 1000, "debug", "profile dev", TRUE },
    { "enterprise", 100, "warning", "profile enterprise", FALSE },
    { "staging", 100, "info", "profile staging", FALSE },
    { "prod", 60, "warning", "profile prod", FALSE },
  };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (ReeveConfig) config = load_with (NULL, rows[i].profile, NULL, &error);
      g_assert_no_error (error);
      g_auto (GStrv) origins = reeve_config_get_strv (config, "server.cors.origins");
      g_assert_cmpint (reeve_config_get_int (config, "limits.requests_per_minute"), ==,
                       rows[i].rate);
      g_assert_cmpstr (reeve_config_get_string (config, "logging.level"), ==, rows[i].level);
      g_assert_cmpstr (reeve_config_get_origin (config, "limits.requests_per_minute"), ==,
                       rows[i].limits_from);
      g_assert_cmpstr (reeve_config_get_origin (config, "agents.auto_publish"), ==,
                       rows[i].is_dev ? "profile dev" : "profile enterprise");
      g_assert_cmpint (reeve_config_is_dev (config), ==, rows[i].is_dev);
      g_assert_cmpuint (g_strv_length (origins), ==, rows[i].is_dev ? 1 : 0);
    }

  /* one that builds on nothing is no developer's */
  g_autofree char *alone = write_file ("alone.yaml", "agents: {max_iterations: 7}\n");
  g_autofree char *desk = write_file ("desk.yaml", "profile: dev\nlogging: {level: info}\n");
  g_autoptr (ReeveConfig) plant = load_with (NULL, "alone", NULL, &error);
  g_assert_no_error (error);
  g_assert_false (reeve_config_is_dev (plant));
  g_autoptr (ReeveConfig) own = load_with (NULL, "desk", NULL, &error);
  g_assert_no_error (error);
  g_assert_true (reeve_config_is_dev (own));
  g_assert_true (g_str_has_suffix (reeve_config_get_origin (own, "logging.level"), "desk.yaml:2"));
}

/* over the file, under the command line; text as it stands */
static void
test_config_environment_variables (void)
{
  static const char *const given[] = { "REEVE_LISTEN=127.0.0.1:1, [::1]:2",
                                       "REEVE_MAX_BODY=2MiB",
                                       "REEVE_LOG_LEVEL=",
                                       "REEVE_LLM_DEFAULT=a/${HOME}",
                                       "REEVE_REQUESTS_PER_MINUTE=7",
                                       "REEVE_ALLOW_CLEARTEXT=false",
                                       "REEVE_ENCRYPTION_KEY_SOURCE=env:MY",
                                       "HOME=x",
                                       "REEVE_NOTHING_OF_OURS=1",
                                       NULL };
  static const char *const bad[][2] = {
    { "REEVE_MAX_BODY=big", "environment REEVE_MAX_BODY: server.max_body: is no size*" },
    { "REEVE_LOG_LEVEL=loud", "environment REEVE_LOG_LEVEL: logging.level: must match*" },
    { "REEVE_LISTEN=nonsense", "environment REEVE_LISTEN: server.listen?0?: must match*" },
    { "REEVE_PROFILE=nowhere", "environment REEVE_PROFILE: profile: profile \"nowhere\"*" },
    { "REEVE_ALLOW_CLEARTEXT=yes", "environment REEVE_ALLOW_CLEARTEXT: *must be a boolean" },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveConfig) config
      = load_with ("server: {listen: [\"127.0.0.1:9\", \"127.0.0.1:10\", \"127.0.0.1:11\"]}\n"
                   "limits: {requests_per_minute: 5}\n",
                   NULL, given, &error);
  g_assert_no_error (error);
  g_auto (GStrv) listen = reeve_config_get_strv (config, "server.listen");
  g_autofree char *text = reeve_config_print (config);

  g_assert_cmpuint (g_strv_length (listen), ==, 2);
  g_assert_cmpstr (listen[1], ==, "[::1]:2");
  g_assert_cmpint (reeve_config_get_int (config, "server.max_body"), ==, 2 * 1024 * 1024);
  g_assert_cmpint (reeve_config_get_int (config, "limits.requests_per_minute"), ==, 7);
  g_assert_cmpstr (reeve_config_get_origin (config, "limits.requests_per_minute"), ==,
                   "environment REEVE_REQUESTS_PER_MINUTE");
  g_assert_cmpstr (reeve_config_get_string (config, "llm.default"), ==, "a/${HOME}");
  g_assert_cmpstr (reeve_config_get_string (config, "encryption.key_source"), ==, "env:MY");
  g_assert_cmpstr (reeve_config_get_string (config, "logging.level"), ==, "debug");
  g_assert_nonnull (
      strstr (text, "  requests_per_minute: 7  # environment REEVE_REQUESTS_PER_MINUTE\n"));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const char *const variables[] = { bad[i][0], NULL };
      g_assert_null (load_with (NULL, NULL, variables, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
      if (!g_pattern_match_simple (bad[i][1], error->message))
        g_error ("\"%s\" is not \"%s\"", error->message, bad[i][1]);
      g_clear_error (&error);
    }
}

/* who chooses the profile */
static void
test_config_environment_choice (void)
{
  static const struct
  {
    const char *file, *option, *own, *name;
    const char *profile, *origin;
    gboolean warned;
  } rows[] = {
    { NULL, NULL, "REEVE_X=", "ENVIRONMENT=prod", "prod", "environment ENVIRONMENT", FALSE },
    { NULL, NULL, "REEVE_X=", "ENVIRONMENT=staging", "staging", "environment ENVIRONMENT", FALSE },
    { NULL, NULL, "REEVE_X=", "ENVIRONMENT=dev", "dev", "environment ENVIRONMENT", FALSE },
    { NULL, NULL, "REEVE_X=", "ENVIRONMENT=production", "dev", "default", TRUE },
    { NULL, NULL, "REEVE_X=", "ENVIRONMENT=enterprise", "dev", "default", TRUE },
    { NULL, NULL, "REEVE_X=", "ENVIRONMENT=", "dev", "default", FALSE },
    { NULL, NULL, "REEVE_X=", "ENVIRONMENT=development", "dev", "default", FALSE },
    { NULL, NULL, "REEVE_X=", "ENVIRONMENT=test", "dev", "default", FALSE },
    { NULL, NULL, "REEVE_PROFILE=enterprise", "ENVIRONMENT=dev", "enterprise",
      "environment REEVE_PROFILE", FALSE },
    { NULL, "dev", "REEVE_PROFILE=enterprise", "ENVIRONMENT=prod", "dev", "command line", TRUE },
    { "profile: prod\n", NULL, "REEVE_X=", "ENVIRONMENT=dev", "prod", "*reeve.yaml:1", FALSE },
    { "profile: dev\n", NULL, "REEVE_X=", "ENVIRONMENT=prod", "dev", "*reeve.yaml:1", TRUE },
    { "profile: dev\n", NULL, "REEVE_PROFILE=prod", "X=", "prod", "environment REEVE_PROFILE",
      FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const char *const variables[] = { rows[i].own, rows[i].name, NULL };
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveConfig) config = load_with (rows[i].file, rows[i].option, variables, &error);
      g_assert_no_error (error);
      const char *const *warnings = reeve_config_get_warnings (config);
      g_assert_cmpstr (reeve_config_get_profile (config), ==, rows[i].profile);
      g_assert_true (
          g_pattern_match_simple (rows[i].origin, reeve_config_get_origin (config, "profile")));
      g_assert_cmpint (*warnings != NULL, ==, rows[i].warned);
      g_assert_true (!rows[i].warned || g_str_has_prefix (*warnings, "environment ENVIRONMENT: "));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-environment/profiles", test_config_environment_profiles);
  g_test_add_func ("/config-environment/variables", test_config_environment_variables);
  g_test_add_func ("/config-environment/choice", test_config_environment_choice);
  return g_test_run ();
}
