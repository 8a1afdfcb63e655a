/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log: every line is one strict JSON object whatever the message holds; context, levels, masks.
 */
#include "base/log-pseudonyms.h"
#include "base/log-task.h"

#include <reeve-json.h>
#include <string.h>
#include <unistd.h>

static char *
format_line (ReeveLogFormat format, GLogLevelFlags level, const char *message, const char *run)
{
  const GLogField fields[] = { { "MESSAGE", message, -1 },
                               { "GLIB_DOMAIN", "reeve-test", -1 },
                               { "REEVE_RUN_ID", run, -1 } };

  return reeve_log_format_line (format, level, fields, run != NULL ? 3 : 2,
                                G_GINT64_CONSTANT (1795315078123456));
}

static JsonObject *
parse_line (const char *line, JsonNode **node)
{
  g_autoptr (GError) error = NULL;
  gsize length = strlen (line);

  g_assert_true (g_str_has_suffix (line, "\n"));
  g_assert_true (strchr (line, '\n') == line + length - 1);
  *node = reeve_json_parse_strict (line, length, &error);
  g_assert_no_error (error);
  return json_node_get_object (*node);
}

static void
test_log_json (void)
{
  g_autofree char *line
      = format_line (REEVE_LOG_JSON, G_LOG_LEVEL_CRITICAL,
                     "a \"quoted\" \\ line\nwith\tcontrols\x01 \x1b[31m \xc3\xa4\xff end", NULL);
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object = parse_line (line, &node);

  g_assert_cmpstr (json_object_get_string_member (object, "time"), ==, "2026-11-22T02:37:58.123Z");
  g_assert_cmpstr (json_object_get_string_member (object, "level"), ==, "error");
  g_assert_cmpstr (json_object_get_string_member (object, "domain"), ==, "reeve-test");
  g_assert_cmpstr (json_object_get_string_member (object, "message"), ==,
                   "a \"quoted\" \\ line\nwith\tcontrols\x01 \x1b[31m \xc3\xa4\xef\xbf\xbd end");
  g_assert_cmpuint (json_object_get_size (object), ==, 4);
}

static void
test_log_text (void)
{
  g_autofree char *line
      = format_line (REEVE_LOG_TEXT, G_LOG_LEVEL_WARNING, "two\nlines \x1b[2J", "run_1");

  g_assert_cmpstr (line, ==,
                   "2026-11-22T02:37:58.123Z warning  two\\x0alines \\x1b[2J run_id=run_1\n");
}

static gpointer
other_thread (gpointer saved)
{
  g_autofree char *before = format_line (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, "x", NULL);
  g_assert_null (strstr (before, "tenant_id"));
  reeve_log_restore_context (saved);
  return format_line (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, "x", NULL);
}

static void
test_log_context (void)
{
  g_autoptr (JsonNode) node = NULL, other_node = NULL;

  reeve_log_bind_context (REEVE_LOG_TENANT_ID, "acme", REEVE_LOG_RUN_ID, "run_a",
                          REEVE_LOG_N_FIELDS);
  reeve_log_bind_context (REEVE_LOG_TRACE_ID, "0af7", REEVE_LOG_SESSION_ID, "ses_1",
                          REEVE_LOG_N_FIELDS);
  reeve_log_bind_context (REEVE_LOG_SESSION_ID, NULL, REEVE_LOG_N_FIELDS);
  g_autofree char *line = format_line (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, "x", "run_b");
  JsonObject *object = parse_line (line, &node);
  g_assert_cmpstr (json_object_get_string_member (object, "tenant_id"), ==, "acme");
  g_assert_cmpstr (json_object_get_string_member (object, "trace_id"), ==, "0af7");
  /* what a record says of itself wins */
  g_assert_cmpstr (json_object_get_string_member (object, "run_id"), ==, "run_b");
  g_assert_false (json_object_has_member (object, "session_id"));

  g_autoptr (ReeveLogContext) saved = reeve_log_save_context ();
  GThread *thread = g_thread_new ("other", other_thread, saved);
  g_autofree char *other = g_thread_join (thread);
  JsonObject *other_object = parse_line (other, &other_node);
  g_assert_cmpstr (json_object_get_string_member (other_object, "tenant_id"), ==, "acme");
  g_assert_cmpstr (json_object_get_string_member (other_object, "run_id"), ==, "run_a");

  /* a piece of work within */
  ReeveLogContext *before
      = reeve_log_enter (REEVE_LOG_RUN_ID, "run_c", REEVE_LOG_TENANT_ID, NULL, REEVE_LOG_N_FIELDS);
  g_autofree char *inner = format_line (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, "x", NULL);
  g_assert_nonnull (strstr (inner, "run_c"));
  g_assert_null (strstr (inner, "acme"));
  reeve_log_leave (before);
  g_autofree char *after = format_line (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, "x", NULL);
  g_assert_nonnull (strstr (after, "run_a"));
  g_assert_nonnull (strstr (after, "acme"));

  reeve_log_clear_context ();
  g_assert_null (reeve_log_save_context ());
  g_autofree char *cleared = format_line (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, "x", NULL);
  g_assert_null (strstr (cleared, "_id"));
}

static const char *
bound_run (void)
{
  g_autoptr (ReeveLogContext) context = reeve_log_save_context ();

  return g_intern_string (context != NULL ? reeve_log_context_get (context, REEVE_LOG_RUN_ID)
                                          : NULL);
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(const char **) user_data = bound_run ();
}

static gboolean
on_later (gpointer user_data)
{
  *(const char **) user_data = bound_run ();
  return G_SOURCE_REMOVE;
}

static gpointer
answer_elsewhere (gpointer data)
{
  reeve_log_bind_context (REEVE_LOG_RUN_ID, "of another thread", REEVE_LOG_N_FIELDS);
  g_task_return_boolean (data, TRUE);
  return NULL;
}

/* What waits goes on for whom it began, whoever answers; and leaves nothing behind. */
static void
test_log_waits (void)
{
  const char *waited = "never";
  const char *later = "never";
  const char *nobody = "never";
  g_autoptr (GSource) source = g_idle_source_new ();
  GTask *task = NULL;
  GTask *bare = reeve_log_task_new (NULL, NULL, on_waited, &nobody);

  reeve_log_bind_context (REEVE_LOG_RUN_ID, "run_a", REEVE_LOG_N_FIELDS);
  task = reeve_log_task_new (NULL, NULL, on_waited, &waited);
  reeve_log_task_set_callback (source, on_later, &later, NULL);
  reeve_log_clear_context ();
  g_source_attach (source, NULL);
  g_thread_join (g_thread_new ("other", answer_elsewhere, task));
  g_thread_join (g_thread_new ("other", answer_elsewhere, bare));
  while (g_strcmp0 (waited, "never") == 0 || g_strcmp0 (later, "never") == 0
         || g_strcmp0 (nobody, "never") == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (waited, ==, "run_a");
  g_assert_cmpstr (later, ==, "run_a");
  g_assert_null (nobody);
  g_assert_null (bound_run ());
  g_object_unref (task);
  g_object_unref (bare);
}

/* What is done for a tenant as a whole names no one else. */
static void
test_log_tenant (void)
{
  g_autofree char *outside = NULL;

  reeve_log_bind_context (REEVE_LOG_RUN_ID, "run_a", REEVE_LOG_N_FIELDS);
  {
    g_auto (ReeveLogScope) scope = reeve_log_scope_tenant ("acme");
    g_autofree char *inside = format_line (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, "x", NULL);

    g_assert_nonnull (strstr (inside, "\"tenant_id\":\"acme\""));
    g_assert_null (strstr (inside, "run_a"));
  }
  {
    g_auto (ReeveLogScope) scope = reeve_log_scope_tenant ("@platform");
    g_autofree char *inside = format_line (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, "x", NULL);

    g_assert_null (strstr (inside, "_id"));
  }
  outside = format_line (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, "x", NULL);
  g_assert_nonnull (strstr (outside, "run_a"));
  reeve_log_clear_context ();
}

static void
test_log_levels (void)
{
  static const struct
  {
    const char *text;
    GLogLevelFlags level;
  } good[] = { { "DEBUG", G_LOG_LEVEL_DEBUG },    { "Info", G_LOG_LEVEL_INFO },
               { "notice", G_LOG_LEVEL_MESSAGE }, { "WARNING", G_LOG_LEVEL_WARNING },
               { "warn", G_LOG_LEVEL_WARNING },   { "eRRor", G_LOG_LEVEL_CRITICAL },
               { "critical", G_LOG_LEVEL_ERROR } };
  GLogLevelFlags level = 0;
  ReeveLogFormat format = REEVE_LOG_JSON;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_assert_true (reeve_log_parse_level (good[i].text, &level, NULL));
      g_assert_cmpint (level, ==, good[i].level);
    }
  g_assert_false (reeve_log_parse_level ("verbose", &level, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_true (reeve_log_parse_format ("TEXT", &format, NULL));
  g_assert_cmpint (format, ==, REEVE_LOG_TEXT);
  g_assert_false (reeve_log_parse_format ("xml", &format, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
}

static void
test_log_masks (void)
{
  static const char *const pairs[][2] = {
    { "header Authorization: Bearer abcdefghijkl.mnop", "header Authorization: Bearer ***" },
    { "key rv_abcdefghijklmnop refused", "key rv_*** refused" },
    { "url ?api_key=x&y=1", "url ?api_key=***&y=1" },
    { "password=hunter2 given", "password=*** given" },
    { "sk-1234567890abcdef", "sk-***" },
    { "eyJhbGciOiJIUzI1NiJ9.e30.abc", "eyJ***" },
    { "basic settings", "basic settings" },
    { "serv_abcdefghijklmnop", "serv_abcdefghijklmnop" },
    { "risk-abcdefghijklm", "risk-abcdefghijklm" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autoptr (JsonNode) node = NULL;
      g_autofree char *line = format_line (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, pairs[i][0], NULL);
      JsonObject *object = parse_line (line, &node);
      g_assert_cmpstr (json_object_get_string_member (object, "message"), ==, pairs[i][1]);
    }
}

static void
test_log_process (void)
{
  if (g_test_subprocess ())
    {
      reeve_log_setup (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, TRUE, FALSE, STDERR_FILENO);
      reeve_log_bind_context (REEVE_LOG_TENANT_ID, "acme", REEVE_LOG_N_FIELDS);
      g_info ("shown");
      g_debug ("hidden");
      g_log ("Old", G_LOG_LEVEL_MESSAGE, "old interface");
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr (
      "{\"time\":\"*\"level\":\"info\",\"message\":\"shown\",*\"tenant_id\":\"acme\"}\n"
      "{\"time\":\"*\"level\":\"notice\",\"message\":\"old interface\",\"domain\":\"Old\",*}\n");
  g_test_trap_assert_stderr_unmatched ("*hidden*");
}

static void
test_log_fatal (void)
{
  if (g_test_subprocess ())
    {
      g_setenv ("G_DEBUG", "fatal-criticals", TRUE);
      reeve_log_setup (REEVE_LOG_TEXT, G_LOG_LEVEL_WARNING, FALSE, FALSE, STDERR_FILENO);
      reeve_log_bind_context (REEVE_LOG_TENANT_ID, "acme", REEVE_LOG_N_FIELDS);
      g_warning ("goes on");
      g_critical ("ends it");
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*goes on*ends it*");
  g_test_trap_assert_stderr_unmatched ("*acme*");
}

static void
test_log_anonymous (void)
{
  if (g_test_subprocess ())
    {
      reeve_log_setup (REEVE_LOG_JSON, G_LOG_LEVEL_INFO, TRUE, TRUE, STDERR_FILENO);
      reeve_log_bind_context (REEVE_LOG_USER_ID, "anna", REEVE_LOG_N_FIELDS);
      g_info ("of anna and usr_01ab, not of joanna");
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*\"of anon_* and anon_*, not of joanna\"*\"user_id\":\"anon_*\"}\n");
  g_test_trap_assert_stderr_unmatched ("*usr_*");
}

static void
test_log_pseudonyms (void)
{
  g_autoptr (ReeveLogPseudonyms) ours = reeve_log_pseudonyms_new ();
  g_autoptr (ReeveLogPseudonyms) theirs = reeve_log_pseudonyms_new ();
  g_autofree char *one = reeve_log_pseudonyms_name (ours, "usr_1");
  g_autofree char *same = reeve_log_pseudonyms_name (ours, "usr_1");
  g_autofree char *other = reeve_log_pseudonyms_name (ours, "usr_2");
  g_autofree char *foreign = reeve_log_pseudonyms_name (theirs, "usr_1");
  g_autofree char *text = reeve_log_pseudonyms_replace (ours, "usr_1, (usr_1) xusr_1", NULL);
  g_autofree char *wanted = g_strdup_printf ("%s, (%s) xusr_1", one, one);
  g_autofree char *plain = reeve_log_pseudonyms_replace (ours, "nobody", "");

  g_assert_cmpstr (one, ==, same);
  g_assert_cmpstr (one, !=, other);
  g_assert_cmpstr (one, !=, foreign);
  g_assert_cmpuint (strlen (one), ==, strlen ("anon_") + 16);
  g_assert_cmpstr (text, ==, wanted);
  g_assert_cmpstr (plain, ==, "nobody");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/json", test_log_json);
  g_test_add_func ("/log/text", test_log_text);
  g_test_add_func ("/log/context", test_log_context);
  g_test_add_func ("/log/waits", test_log_waits);
  g_test_add_func ("/log/tenant", test_log_tenant);
  g_test_add_func ("/log/levels", test_log_levels);
  g_test_add_func ("/log/masks", test_log_masks);
  g_test_add_func ("/log/process", test_log_process);
  g_test_add_func ("/log/fatal", test_log_fatal);
  g_test_add_func ("/log/anonymous", test_log_anonymous);
  g_test_add_func ("/log/pseudonyms", test_log_pseudonyms);
  return g_test_run ();
}
