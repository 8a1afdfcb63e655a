/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What grants are made of: names of capabilities, origins, the ceiling's section. */
#include <string.h>

#include "governance/grants-ceiling.h"
#include "loader/capabilities-basic.h"
#include "loader/manifest.h"

static void
test_ceiling_faults (void)
{
  const char *text = "{\"origins\":[\"https://a.example/path\"]}";
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_grants_ceiling_new (json_node_get_object (node), &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_assert_nonnull (strstr (error->message, "origins/0"));
}

/* Every capability that a manifest may name can be told of. */
static void
test_catalogue (void)
{
  for (const ReeveGrantCatalogueRow *row = reeve_grant_catalogue_get_rows (); row->name != NULL;
       row++)
    {
      g_autofree char *text
          = g_strconcat ("[Plugin]\nId=a\nVersion=1.0.0\nName=n\nDescription=d\nKinds=tool\n"
                         "Api=1.0\n[Capabilities]\n",
                         row->name, "=why\n", NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveManifest) manifest
          = reeve_manifest_new_from_data (text, strlen (text), "/a/a.plugin", &error);

      g_assert_no_error (error);
      g_assert_true (strlen (row->meaning) > 10);
    }
}

static void
test_origins (void)
{
  static const struct
  {
    const char *text;
    const char *origin;
  } cases[] = {
    { "https://A.example", "https://a.example:443" },
    { "http://a.example/", "http://a.example:80" },
    { "http://10.0.0.7:8080", "http://10.0.0.7:8080" },
    { "http://[::1]:80", "http://[::1]:80" },
    { "https://a.example/x", NULL },
    { "https://u@a.example", NULL },
    { "https://a.example?x", NULL },
    { "https://*.example", NULL },
    { "ftp://a.example", NULL },
    { "a.example", NULL },
    { "https://", NULL },
    { "https://a.example:99999", NULL },
    { "HTTPS://a.example.", "https://a.example:443" },
    { "https://[2001:DB8::1]", "https://[2001:db8::1]:443" },
    { "https://a.example:0", NULL },
    { "https://a b.example", NULL },
    { " https://a.example", NULL },
    { "https://a%2eexample", NULL },
    { "https://a%20b.example", NULL },
    { "https://a\\b.example", NULL },
    { "https://a,b", NULL },
    { "https://a..b", NULL },
    { "https://.", NULL },
    { "https://.a", NULL },
    { "https://a\u3002example", NULL },
    { "https://[fe80::1%25eth0]", NULL },
    { "https://[::1", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *origin = reeve_grant_parameters_normalise_origin (cases[i].text);

      g_assert_cmpstr (origin, ==, cases[i].origin);
    }
}

static void
test_models (void)
{
  static const struct
  {
    const char *pattern;
    const char *model;
    gboolean covers;
  } rows[] = { { "a/b", "a/b", TRUE },    { "a/b", "a/c", FALSE },  { "a/b", "a/bc", FALSE },
               { "a/*", "a/b", TRUE },    { "a/*", "a/b/c", TRUE }, { "a/*", "a/*", TRUE },
               { "a/b", "a/*", FALSE },   { "a/*", "ab/c", FALSE }, { "a/*", "b/a/c", FALSE },
               { "/*", "a/b", FALSE },    { "*", "a/b", FALSE },    { "a/b*", "a/bc", FALSE },
               { "a/b/*", "a/b", FALSE }, { "b", "a/b", FALSE },    { "a/B", "a/b", FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (reeve_capability_terms_covers_model (rows[i].pattern, rows[i].model) != rows[i].covers)
      g_error ("%s, %s", rows[i].pattern, rows[i].model);
}

/* What the broker gives to everybody is what the catalogue says that everybody has. */
static void
test_always (void)
{
  for (const ReeveGrantCatalogueRow *row = reeve_grant_catalogue_get_rows (); row->name != NULL;
       row++)
    g_assert_cmpint (row->kind == REEVE_GRANT_ALWAYS, ==, reeve_capabilities_basic_has (row->name));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/grant-parameters/always", test_always);
  g_test_add_func ("/grant-parameters/catalogue", test_catalogue);
  g_test_add_func ("/grant-parameters/origins", test_origins);
  g_test_add_func ("/grant-parameters/ceiling-faults", test_ceiling_faults);
  g_test_add_func ("/grant-parameters/models", test_models);
  return g_test_run ();
}
