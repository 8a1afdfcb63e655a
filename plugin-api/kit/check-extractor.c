/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind extractor: bytes that are no document at all, or pretend to be one. */
#include "check-extractor.h"

#include <string.h>

/* more text than this for a byte of document is a bomb */
#define CHECK_EXTRACTOR_GROWTH 64
#define CHECK_EXTRACTOR_SLACK  65536

typedef struct
{
  const char *name;
  const char *pattern; /* repeated to the length; NULL: pseudo-random */
  gsize length;
} CheckExtractorCase;

static const CheckExtractorCase check_extractor_cases[] = {
  { "no bytes", "", 0 },
  { "a zero byte", "\0", 1 },
  { "a line", "Dry the seed at 43 degrees.\n", 28 },
  { "no line break", "x", 1 << 20 },
  { "line breaks only", "\n", 65536 },
  { "carriage returns", "a\r", 4096 },
  { "not UTF-8", "\xff\xfe\xc0\x80", 65536 },
  { "half a character at the end", "ab\xc3", 3 },
  { "a lone surrogate", "\xed\xa0\x80", 3 },
  { "controls", "\x01\x1b[2J\x7f", 4096 },
  { "open brackets", "[", 65536 },
  { "open tags", "<a>", 65536 },
  { "headings", "# ", 65536 },
  { "a torn PDF", "%PDF-1.7\n1 0 obj\n<</Length 999999999>>stream\n", 45 },
  { "a torn ZIP", "PK\x03\x04\x14\x00\x08\x08\x08", 30 },
  { "few random bytes", NULL, 257 },
  { "many random bytes", NULL, 65536 },
};

static GBytes *
check_extractor_bytes (const CheckExtractorCase *c)
{
  guint8 *data = g_malloc (c->length + 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (4711);
  gsize period = c->pattern != NULL ? MAX (strlen (c->pattern), 1) : 1;

  for (gsize i = 0; i < c->length; i++)
    data[i] = c->pattern != NULL ? (guint8) c->pattern[i % period] : (guint8) g_rand_int (rand);
  return g_bytes_new_take (data, c->length);
}

static char *
check_extractor_text (CheckReport *report, ReeveExtract *extract)
{
  g_autoptr (GString) all = g_string_new (reeve_extract_get_title (extract));
  guint last = 0;

  for (guint i = 0; i < reeve_extract_get_n_pages (extract); i++)
    {
      guint number = 0;
      const char *text = reeve_extract_get_page (extract, i, &number);

      check_report_expect (report, i == 0 || (number > last) == (last > 0),
                           "page %u comes after page %u", number, last);
      last = number;
      g_string_append_printf (all, "\f%u\n%s", number, text);
    }
  return g_string_free (g_steal_pointer (&all), FALSE);
}

/* (nullable) what was read; NULL when it was refused as it should be */
static char *
check_extractor_once (CheckRun *run, ReevePlugin *plugin, GBytes *bytes, const char *type)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveExtract) extract = reeve_extractor_extract (REEVE_EXTRACTOR (plugin), bytes, type,
                                                              "check.bin", context, &error);
  char *text = NULL;

  check_report_expect_error (report, error, "extracting");
  if (extract == NULL)
    return NULL;
  text = check_extractor_text (report, extract);
  check_report_expect (report,
                       strlen (text) <= g_bytes_get_size (bytes) * CHECK_EXTRACTOR_GROWTH
                                            + CHECK_EXTRACTOR_SLACK,
                       "%zu bytes became %zu", g_bytes_get_size (bytes), strlen (text));
  return text;
}

static void
check_extractor_hostile (CheckRun *run, ReevePlugin *plugin, const char *type)
{
  CheckReport *report = check_run_get_report (run);

  for (guint i = 0; i < G_N_ELEMENTS (check_extractor_cases); i++)
    {
      g_autoptr (GBytes) bytes = check_extractor_bytes (&check_extractor_cases[i]);
      g_autofree char *first = NULL;
      g_autofree char *second = NULL;

      check_report_begin (report, "extractor %s: %s", type, check_extractor_cases[i].name);
      first = check_extractor_once (run, plugin, bytes, type);
      second = check_extractor_once (run, plugin, bytes, type);
      check_report_expect (report, g_strcmp0 (first, second) == 0,
                           "the same bytes were read differently the second time");
      check_report_end (report);
    }
}

static void
check_extractor_types (CheckRun *run, ReevePlugin *plugin, const char *const *types)
{
  CheckReport *report = check_run_get_report (run);

  check_report_begin (report, "extractor: its media types");
  check_report_expect (report, types[0] != NULL, "it reads none");
  for (guint i = 0; types[i] != NULL; i++)
    check_report_expect (
        report, g_regex_match_simple ("^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$", types[i], 0, 0),
        "'%s' is not type/subtype in lower case without parameters", types[i]);
  check_report_end (report);
}

static void
check_extractor_foreign (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, NULL, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveExtract) extract = NULL;

  check_report_begin (report, "extractor: a media type that it does not read is refused");
  extract = reeve_extractor_extract (REEVE_EXTRACTOR (plugin), bytes,
                                     "application/x-reeve-plugin-check", NULL, context, &error);
  check_report_expect (report, extract == NULL, "it read it");
  check_report_expect (report, g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED),
                       "its error is not REEVE_ERROR_UNSUPPORTED");
  check_report_end (report);
}

typedef struct
{
  ReevePlugin *plugin;
  GBytes *bytes;
  const char *type;
} CheckExtractorShared;

static gpointer
check_extractor_thread (gpointer data)
{
  CheckExtractorShared *shared = data;
  g_autoptr (ReeveContext) context = reeve_context_new (NULL, NULL, NULL);

  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (ReeveExtract) extract = reeve_extractor_extract (
          REEVE_EXTRACTOR (shared->plugin), shared->bytes, shared->type, NULL, context, NULL);
    }
  return NULL;
}

void
check_extractor_run (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);
  const char *const *types = reeve_extractor_media_types (REEVE_EXTRACTOR (plugin));

  check_extractor_types (run, plugin, types);
  check_extractor_foreign (run, plugin);
  for (guint i = 0; types[i] != NULL; i++)
    {
      g_autoptr (GBytes) bytes = check_extractor_bytes (&check_extractor_cases[2]);
      CheckExtractorShared shared = { plugin, bytes, types[i] };

      check_extractor_hostile (run, plugin, types[i]);
      check_report_begin (report, "extractor %s: four threads at once", types[i]);
      check_run_parallel (check_extractor_thread, &shared);
      check_report_end (report);
    }
}
