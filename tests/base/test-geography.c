/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Countries of addresses, by databases that tests/helpers/mmdb.py wrote: REEVE_TEST_MMDB and
 * REEVE_TEST_MMDB_OTHER. */
#include "base/geography.h"

#include <glib/gstdio.h>
#include <reeve-error.h>
#include <string.h>
#include <unistd.h>

#include "base/address-list.h"

static const char *database = NULL;
static const char *other = NULL;

typedef struct
{
  char *folder;
  char *path;
} Fixture;

static void
copy_file (const char *from, const char *to)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (from, &text, &length, NULL));
  g_assert_true (g_file_set_contents (to, text, (gssize) length, NULL));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("reeve-geography-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, "countries.mmdb", NULL);
  copy_file (database, fixture->path);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->path);
  g_rmdir (fixture->folder);
  g_free (fixture->path);
  g_free (fixture->folder);
}

/* (nullable) */
static const char *
find (ReeveGeography *geography, const char *text, char country[REEVE_GEOGRAPHY_CODE])
{
  g_autoptr (GInetAddress) address = reeve_address_list_parse (text);

  g_assert_nonnull (address);
  return reeve_geography_find (geography, address, country) ? country : NULL;
}

static void
test_geography_find (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *address;
    const char *country;
  } cases[] = {
    { "192.0.2.1", "DE" },
    { "192.0.2.255", "DE" },
    { "192.0.3.1", NULL },
    { "198.51.100.7", "FR" },
    { "198.51.100.200", "CH" }, /* a part of it */
    { "203.0.113.1", NULL }, /* known, in no country: where its owner is registered says nothing */
    { "::ffff:192.0.2.1", "DE" },  /* through an IPv6 socket */
    { "64:ff9b::c000:201", "DE" }, /* through a translator */
    { "::192.0.2.1", NULL },       /* nobody has it, and the tree has IPv4 there */
    { "::1", NULL },
    { "2001:db8::1", "AT" },
    { "2001:db8:ffff::1", "AT" },
    { "2001:db9::1", NULL },
    { "127.0.0.1", NULL },
    { "10.0.0.1", NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveGeography) geography = reeve_geography_new (fixture->path, &error);
  char country[REEVE_GEOGRAPHY_CODE];

  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpstr (find (geography, cases[i].address, country), ==, cases[i].country);
  g_assert_cmpint (reeve_geography_get_made_at (geography), >, 0);
  g_assert_cmpstr (reeve_geography_get_path (geography), ==, fixture->path);
}

/* What is mapped is a copy: a file that is cut short ends nobody, and one that is bad changes
 * nothing. */
static void
test_geography_reload (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveGeography) geography = reeve_geography_new (fixture->path, &error);
  char country[REEVE_GEOGRAPHY_CODE];
  g_autofree char *good = NULL;
  gsize length = 0;

  g_assert_false (reeve_geography_has_news (geography));
  g_assert_true (g_file_get_contents (fixture->path, &good, &length, NULL));
  for (gsize size = 0; size < length; size += 97)
    {
      g_assert_cmpint (truncate (fixture->path, (off_t) (length - 1 - size)), ==, 0);
      g_assert_cmpstr (find (geography, "192.0.2.1", country), ==, "DE");
      g_assert_false (reeve_geography_reload (geography, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, fixture->path));
      g_clear_error (&error);
    }
  g_assert_cmpstr (find (geography, "192.0.2.1", country), ==, "DE");
  g_unlink (fixture->path);
  g_assert_false (reeve_geography_reload (geography, NULL));
  copy_file (other, fixture->path);
  g_assert_false (reeve_geography_has_news (geography)); /* it may still be written */
  g_assert_true (reeve_geography_has_news (geography));
  g_assert_true (reeve_geography_reload (geography, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (find (geography, "192.0.2.1", country), ==, "JP");
  g_assert_false (reeve_geography_has_news (geography));
}

/* No byte of a file that is changed ends the process, and none makes more of it than countries. */
static void
test_geography_damaged (Fixture *fixture, gconstpointer data)
{
  g_autofree char *good = NULL;
  gsize length = 0;
  guint refused = 0;

  g_assert_true (g_file_get_contents (fixture->path, &good, &length, NULL));
  for (gsize i = 0; i < length; i += 7)
    {
      g_autofree char *bad = g_memdup2 (good, length);
      g_autoptr (ReeveGeography) geography = NULL;
      char country[REEVE_GEOGRAPHY_CODE];

      bad[i] = (char) ~bad[i];
      g_assert_true (g_file_set_contents (fixture->path, bad, (gssize) length, NULL));
      geography = reeve_geography_new (fixture->path, NULL);
      refused += geography == NULL;
      if (geography != NULL && find (geography, "192.0.2.1", country) != NULL)
        g_assert_cmpuint (strlen (country), ==, 2);
    }
  g_assert_cmpuint (refused, >, 0);
}

static void
test_geography_not_there (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_geography_new (fixture->folder, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_assert_null (reeve_geography_new ("/nowhere/countries.mmdb", NULL));
}

static void
test_geography_codes (void)
{
  static const char *const good[] = { "AD", "DE", "GB", "US", "XK", "ZW" };
  static const char *const bad[] = { "", "D", "de", "DEU", "UK", "EU", "XX", "ZZ", "DA", "WZ" };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (reeve_geography_is_country (good[i]));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (reeve_geography_is_country (bad[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  database = g_getenv ("REEVE_TEST_MMDB");
  other = g_getenv ("REEVE_TEST_MMDB_OTHER");
  g_assert_nonnull (database);
  g_assert_nonnull (other);
  g_test_add ("/geography/find", Fixture, NULL, set_up, test_geography_find, tear_down);
  g_test_add ("/geography/reload", Fixture, NULL, set_up, test_geography_reload, tear_down);
  g_test_add ("/geography/damaged", Fixture, NULL, set_up, test_geography_damaged, tear_down);
  g_test_add ("/geography/not-there", Fixture, NULL, set_up, test_geography_not_there, tear_down);
  g_test_add_func ("/geography/codes", test_geography_codes);
  return g_test_run ();
}
