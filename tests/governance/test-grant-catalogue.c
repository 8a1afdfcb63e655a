/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an administrator reads of each capability. */
#include <string.h>

#include "governance/grant-catalogue.h"

/* all that a plugin can be granted or has */
static const char *const offered[]
    = { "net.http",   "net.tcp",  "secret.use", "secret.read", "store.kv",    "store.blob",
        "fs.read",    "fs.write", "scratch",    "model.call",  "tool.call",   "identity.read",
        "threads",    "memory",   "cpu",        "jit",         "log",         "metrics",
        "audit.emit", "clock",    "random",     "net.stream",  "interpreter", NULL };
/* what no plugin has by default, not even one that comes with the host */
static const char *const dangerous[]
    = { "fs.write", "interpreter", "jit", "net.tcp", "secret.read", "tool.call", NULL };

/* A sentence's part: it begins small and ends without a dot, as what stands before and behind it
 * asks for. */
static void
assert_words (const char *capability, const char *text, gsize least)
{
  if (text == NULL || strlen (text) < least || !g_ascii_islower (text[0])
      || g_str_has_suffix (text, ".") || strstr (text, "  ") != NULL)
    g_error ("%s: %s", capability, text);
}

static void
test_meanings (void)
{
  for (guint i = 0; offered[i] != NULL; i++)
    {
      if (reeve_grant_catalogue_find (offered[i]) == NULL)
        g_error ("%s is not in the catalogue", offered[i]);
    }
  for (const ReeveGrantCatalogueRow *row = reeve_grant_catalogue_get_rows (); row->name != NULL;
       row++)
    {
      assert_words (row->name, row->meaning, 10);
      g_assert_true (reeve_grant_catalogue_find (row->name) == row);
      g_assert_true (row->parameters[0] == '\0' || row->parameters[0] == ' ');
    }
}

/* Who is asked for something dangerous is told so, here and in the documentation; what is given
 * without a question is not dangerous. */
static void
test_risks (void)
{
  g_autofree char *path
      = g_build_filename (g_getenv ("REEVE_SOURCE_DIR"), "docs", "grants.md", NULL);
  g_autofree char *page = NULL;
  g_auto (GStrv) around = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &page, NULL, &error);
  g_assert_no_error (error);
  around = g_strsplit (page, "a line `RISK` says why: ", 2);
  g_assert_cmpuint (g_strv_length (around), ==, 2);
  /* up to the end of the list */
  around[1][strcspn (around[1], "\n")] = '\0';
  for (const ReeveGrantCatalogueRow *row = reeve_grant_catalogue_get_rows (); row->name != NULL;
       row++)
    {
      g_autofree char *quoted = g_strdup_printf ("`%s`", row->name);
      gboolean risky = g_strv_contains (dangerous, row->name);

      if (!risky && row->risk != NULL)
        g_error ("%s is dangerous, and not in this list", row->name);
      if (risky)
        {
          assert_words (row->name, row->risk, 30);
          g_assert_cmpint (row->kind, ==, REEVE_GRANT_ASKED);
        }
      if (risky != (strstr (around[1], quoted) != NULL))
        g_error ("docs/grants.md and the catalogue differ on the risk of %s", row->name);
    }
}

/* Whatever is received can run. */
static void
test_jit (void)
{
  const ReeveGrantCatalogueRow *row = reeve_grant_catalogue_find ("jit");

  g_assert (row != NULL && row->risk != NULL);
  g_assert_nonnull (strstr (row->meaning, "execute"));
  g_assert_nonnull (strstr (row->risk, "both written and executed"));
  g_assert_nonnull (strstr (row->risk, "whatever bytes it receives"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/grant-catalogue/meanings", test_meanings);
  g_test_add_func ("/grant-catalogue/risks", test_risks);
  g_test_add_func ("/grant-catalogue/jit", test_jit);
  return g_test_run ();
}
