/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reeve-plugin-check, the conformance test of plugin authors. Each folder is checked in a process
 * of its own, so that a plugin that crashes or hangs is a finding and not the end; what comes out
 * is the Test Anything Protocol. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check-auth.h"
#include "check-codec.h"
#include "check-engine.h"
#include "check-extractor.h"
#include "check-folder.h"
#include "check-sink.h"
#include "check-storage.h"
#include "check-tool.h"

typedef struct
{
  guint n;
  guint failed;
} PluginCheckCount;

static const struct
{
  ReeveKinds kind;
  const char *name;
  GType (*get_type) (void);
  void (*run) (CheckRun *run, ReevePlugin *plugin);
} plugin_check_interfaces[] = {
  { REEVE_KIND_TOOL, "ReeveTool", reeve_tool_get_type, check_tool_run },
  { REEVE_KIND_EXTRACTOR, "ReeveExtractor", reeve_extractor_get_type, check_extractor_run },
  { REEVE_KIND_LLM, "ReeveLlmCodec", reeve_llm_codec_get_type, check_codec_run },
  { REEVE_KIND_LLM, "ReeveLlmEngine", reeve_llm_engine_get_type, check_engine_run },
  { REEVE_KIND_AUTH, "ReeveAuth", reeve_auth_get_type, check_auth_run },
  { REEVE_KIND_SINK, "ReeveSink", reeve_sink_get_type, check_sink_run },
  { REEVE_KIND_STORAGE, "ReeveStorage", reeve_storage_get_type, check_storage_run },
};

/* ---- the checked side ---- */

static gboolean
plugin_check_interface (CheckRun *run, guint i, gboolean declared)
{
  CheckReport *report = check_run_get_report (run);
  ReevePlugin *plugin = NULL;

  /* a kind that was not declared must not be offered; one that was, must; of llm either will do */
  check_report_begin (report, "plugin: %s %s",
                      !declared                                           ? "does not offer"
                      : plugin_check_interfaces[i].kind == REEVE_KIND_LLM ? "may offer"
                                                                          : "offers",
                      plugin_check_interfaces[i].name);
  plugin = check_run_make (run, plugin_check_interfaces[i].get_type (), declared);
  if (plugin_check_interfaces[i].kind != REEVE_KIND_LLM || !declared)
    check_report_expect (report, (plugin != NULL) == declared,
                         declared ? "its manifest names that kind"
                                  : "its manifest does not name that kind");
  check_report_end (report);
  if (plugin != NULL && declared)
    plugin_check_interfaces[i].run (run, plugin);
  return plugin != NULL;
}

static void
plugin_check_kinds (CheckRun *run)
{
  CheckReport *report = check_run_get_report (run);
  ReeveKinds kinds = reeve_manifest_get_kinds (check_run_get_manifest (run));
  ReeveKinds known = 0;
  ReeveKinds found = 0;

  for (guint i = 0; i < G_N_ELEMENTS (plugin_check_interfaces); i++)
    {
      ReeveKinds kind = plugin_check_interfaces[i].kind;

      known |= kind;
      if (plugin_check_interface (run, i, (kinds & kind) != 0))
        found |= kind;
    }
  check_report_begin (report, "plugin: every kind of its manifest has an interface");
  check_report_expect (report, (kinds & ~known) == 0,
                       "a kind that has no interface in version %d.%d", REEVE_API_MAJOR,
                       REEVE_API_MINOR);
  check_report_expect (report, (kinds & known & ~found) == 0, "a kind that it does not offer");
  check_report_end (report);
}

/* What a script prints is told at a level that is not shown otherwise. */
static GLogWriterOutput
plugin_check_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if ((level & G_LOG_LEVEL_INFO) != 0)
    return g_log_writer_standard_streams (level, fields, n_fields, user_data);
  return g_log_writer_default (level, fields, n_fields, user_data);
}

static void
plugin_check_child (const CheckOptions *options, int fd)
{
  g_autoptr (CheckReport) report = check_report_new (fd, (guint) options->seconds);
  g_autoptr (CheckRun) run = check_run_new (options, report);

  /* a wrong call of GLib is a finding, and standard output belongs to the report */
  g_log_set_writer_func (plugin_check_log, NULL, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  dup2 (STDERR_FILENO, STDOUT_FILENO);
  if (check_run_load (run))
    {
      check_folder_run (run);
      plugin_check_kinds (run);
      check_run_shutdown (run);
    }
  check_report_done (report);
}

/* ---- the side that looks on ---- */

static void
plugin_check_print (PluginCheckCount *count, gboolean good, const char *folder, const char *name,
                    const char *why)
{
  g_autofree char *id = g_path_get_basename (folder);

  count->n++;
  count->failed += good ? 0 : 1;
  printf ("%s %u %s: %s\n", good ? "ok" : "not ok", count->n, id, name);
  if (!good)
    printf ("# %s\n", why);
  fflush (stdout);
}

/* One line of the report; TRUE when it was the last. */
static gboolean
plugin_check_line (PluginCheckCount *count, const char *folder, const char *line, char **open)
{
  const char *text = line + 2;

  switch (line[0])
    {
    case 'B':
      g_free (*open);
      *open = g_strdup (text);
      break;
    case 'P':
    case 'F':
      plugin_check_print (count, line[0] == 'P', folder, *open != NULL ? *open : "", text);
      g_clear_pointer (open, g_free);
      break;
    case 'N':
      printf ("# %s\n", text);
      break;
    default:
      break;
    }
  return line[0] == 'D';
}

static void
plugin_check_watch (PluginCheckCount *count, const char *folder, int fd, pid_t pid)
{
  g_autofree char *open = NULL;
  g_autofree char *why = NULL;
  char *line = NULL;
  size_t size = 0;
  gboolean done = FALSE;
  int status = 0;
  FILE *lines = fdopen (fd, "r");

  while (lines != NULL && !done && getline (&line, &size, lines) > 2)
    done = plugin_check_line (count, folder, g_strchomp (line), &open);
  free (line);
  if (lines != NULL)
    fclose (lines);
  waitpid (pid, &status, 0);
  if (done && WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return;
  if (WIFSIGNALED (status))
    why = g_strdup_printf ("it was killed by signal %d (%s)", WTERMSIG (status),
                           strsignal (WTERMSIG (status)));
  else
    why = g_strdup_printf ("it ended the process with status %d", WEXITSTATUS (status));
  plugin_check_print (count, FALSE, folder, open != NULL ? open : "all checks are made", why);
}

static void
plugin_check_folder (PluginCheckCount *count, const CheckOptions *options)
{
  int ends[2] = { -1, -1 };
  pid_t pid = -1;

  /* what a plugin starts does not keep the report open */
  if (pipe2 (ends, O_CLOEXEC) == 0)
    pid = fork ();
  if (pid < 0)
    {
      plugin_check_print (count, FALSE, options->folder, "starts", g_strerror (errno));
      return;
    }
  if (pid == 0)
    {
      close (ends[0]);
      plugin_check_child (options, ends[1]);
      exit (0);
    }
  close (ends[1]);
  plugin_check_watch (count, options->folder, ends[0], pid);
}

/* ---- the command line ---- */

static gboolean
plugin_check_read_file (char **text, GError **error)
{
  g_autofree char *path = NULL;

  if (*text == NULL || **text != '@')
    return TRUE;
  path = g_strdup (*text + 1);
  g_clear_pointer (text, g_free);
  return g_file_get_contents (path, text, NULL, error);
}

static gboolean
plugin_check_parse (int *argc, char ***argv, CheckOptions *options, char ***folders, GError **error)
{
  gboolean version = FALSE;
  g_autoptr (GOptionContext) context = g_option_context_new (N_ ("FOLDER…"));
  const GOptionEntry entries[] = {
    { "settings", 's', 0, G_OPTION_ARG_STRING, &options->settings,
      N_ ("Settings of the plugin, as JSON or @FILE"), "JSON" },
    { "arguments", 'a', 0, G_OPTION_ARG_STRING_ARRAY, &options->arguments,
      N_ ("Arguments to call a tool with"), "TOOL=JSON" },
    { "answer", 'A', 0, G_OPTION_ARG_STRING_ARRAY, &options->answers,
      N_ ("What a capability answers"), "CAPABILITY=JSON" },
    { "samples", 'S', 0, G_OPTION_ARG_FILENAME, &options->samples,
      N_ ("Sample responses for a codec (FOLDER/samples)"), "DIR" },
    { "destructive", 0, 0, G_OPTION_ARG_NONE, &options->destructive,
      N_ ("Call tools that say they may destroy, too"), NULL },
    { "timeout", 't', 0, G_OPTION_ARG_INT, &options->seconds,
      N_ ("Longest time for one check, in seconds (10)"), "SECONDS" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, N_ ("Show the version and stop"), NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, folders, NULL, NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  g_option_context_set_summary (
      context, N_ ("Checks plugins of Reeve as a host would use them, and worse.\n"
                   "It runs their code with your rights: check only what you would run."));
  g_option_context_set_description (
      context, N_ ("Example:\n  reeve-plugin-check build/tool-hello\n\n"
                   "Exits 0 when all is right, 1 when a check failed, 2 when it was called "
                   "wrongly.\n"));
  if (!g_option_context_parse (context, argc, argv, error)
      || !plugin_check_read_file (&options->settings, error))
    return FALSE;
  if (version)
    {
      printf ("reeve-plugin-check %s (plugin interface %d.%d)\n", REEVE_VERSION, REEVE_API_MAJOR,
              REEVE_API_MINOR);
      exit (0);
    }
  if (*folders == NULL || options->seconds < 1 || options->seconds > 3600)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                           *folders == NULL ? _ ("no folder was given")
                                            : _ ("--timeout takes 1 to 3600 seconds"));
      return FALSE;
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  CheckOptions options = { .seconds = 10 };
  PluginCheckCount count = { 0 };
  g_auto (GStrv) folders = NULL;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, REEVE_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  if (!plugin_check_parse (&argc, &argv, &options, &folders, &error))
    {
      fprintf (stderr, "reeve-plugin-check: %s\n", error->message);
      return 2;
    }
  for (guint i = 0; folders[i] != NULL; i++)
    {
      g_autofree char *folder = g_canonicalize_filename (folders[i], NULL);

      options.folder = folder;
      plugin_check_folder (&count, &options);
    }
  printf ("1..%u\n", count.n);
  g_free (options.settings);
  g_free (options.samples);
  g_strfreev (options.arguments);
  g_strfreev (options.answers);
  return count.failed > 0 ? 1 : 0;
}
