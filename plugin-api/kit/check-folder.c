/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of a plugin's folder: a README that says what an administrator must know, a module
 * that exports one symbol. */
#include "check-folder.h"

#include <string.h>

#include "check-elf.h"

static const char *const check_folder_headings[]
    = { "Purpose", "Permissions", "Network egress", "Data stored", "Surface", "Limits", "Since" };

/* (transfer full) (nullable): the text below a heading, up to the next one; "" when there is none
 */
static char *
check_folder_get_section (const char *readme, const char *heading)
{
  g_autofree char *escaped = g_regex_escape_string (heading, -1);
  g_autofree char *pattern = g_strdup_printf ("^## *%s *$\n((?:(?!^#).*\n?)*)", escaped);
  g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  if (!g_regex_match (regex, readme, 0, &match))
    return NULL;
  return g_strstrip (g_match_info_fetch (match, 1));
}

static void
check_folder_readme (CheckRun *run)
{
  CheckReport *report = check_run_get_report (run);
  const char *const *capabilities = reeve_manifest_get_capabilities (check_run_get_manifest (run));
  g_autofree char *path = g_build_filename (check_run_get_options (run)->folder, "README.md", NULL);
  g_autofree char *readme = NULL;
  g_autofree char *permissions = NULL;

  check_report_begin (report, "README.md: has its headings, each with text");
  if (check_report_expect (report,
                           g_file_get_contents (path, &readme, NULL, NULL)
                               && g_utf8_validate (readme, -1, NULL),
                           "%s cannot be read, or is not UTF-8", path))
    for (guint i = 0; i < G_N_ELEMENTS (check_folder_headings); i++)
      {
        g_autofree char *text = check_folder_get_section (readme, check_folder_headings[i]);

        check_report_expect (report, text != NULL, "the heading '## %s' is missing",
                             check_folder_headings[i]);
        check_report_expect (report, text == NULL || *text != '\0', "nothing stands below '## %s'",
                             check_folder_headings[i]);
      }
  check_report_end (report);

  check_report_begin (report, "README.md: names every capability under Permissions");
  permissions = readme != NULL ? check_folder_get_section (readme, "Permissions") : NULL;
  for (guint i = 0; capabilities[i] != NULL; i++)
    check_report_expect (report,
                         permissions != NULL && strstr (permissions, capabilities[i]) != NULL,
                         "%s is requested by the manifest and not explained", capabilities[i]);
  check_report_end (report);
}

static void
check_folder_exports (CheckRun *run)
{
  CheckReport *report = check_run_get_report (run);
  g_autofree char *data = NULL;
  gsize length = 0;
  g_auto (GStrv) names = NULL;

  check_report_begin (report, "module: exports " REEVE_PLUGIN_SYMBOL " and nothing else");
  if (g_file_get_contents (reeve_manifest_get_module (check_run_get_manifest (run)), &data, &length,
                           NULL))
    names = check_elf_read_exports (data, length);
  if (check_report_expect (report, names != NULL, "it is no shared object"))
    check_report_expect (report, g_strv_contains ((const char *const *) names, REEVE_PLUGIN_SYMBOL),
                         "it does not export it");
  /* names with two underscores are the compiler's: a sanitizer has some */
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    check_report_expect (
        report, strcmp (names[i], REEVE_PLUGIN_SYMBOL) == 0 || g_str_has_prefix (names[i], "__"),
        "it exports %s: compile with -fvisibility=hidden", names[i]);
  check_report_end (report);
}

void
check_folder_run (CheckRun *run)
{
  check_folder_readme (run);
  if (!check_run_is_script (run))
    check_folder_exports (run);
}
