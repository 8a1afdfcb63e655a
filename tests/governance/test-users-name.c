/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of users: which are one and the same, and which there may not be. */
#include <glib.h>

#include <reeve-error.h>

#include "governance/users-name.h"

static void
test_users_name_fold (void)
{
  /* equal to the first of each row, up to NULL */
  static const char *const rows[][7] = {
    { "admin", "ADMIN",
      "\xef\xbd\x81"
      "dmin",
      "AdMiN", "\xef\xbc\xa1\xef\xbc\xa4\xef\xbc\xad\xef\xbc\xa9\xef\xbc\xae", NULL },
    { "office",
      "o\xef\xac\x83"
      "ce",
      "OFFICE", NULL },
    { "stra\xc3\x9f"
      "e",
      "STRASSE", "strasse", NULL },
    { "gr\xc3\xbc"
      "n",
      "gru\xcc\x88"
      "n",
      "GR\xc3\x9cN", NULL },
    { "\xce\xbf\xce\xb4\xcf\x8c\xcf\x82", "\xce\x9f\xce\x94\xce\x8c\xce\xa3", NULL },
    { "k", "\xe2\x84\xaa", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *first = reeve_users_name_fold (rows[i][0]);
      g_autofree char *twice = reeve_users_name_fold (first);

      g_assert_cmpstr (first, ==, twice);
      for (guint j = 1; rows[i][j] != NULL; j++)
        {
          g_autofree char *other = reeve_users_name_fold (rows[i][j]);

          g_assert_cmpstr (first, ==, other);
        }
    }
}

/* Others are others, and what is no text is its own. */
static void
test_users_name_apart (void)
{
  g_autofree char *latin = reeve_users_name_fold ("admin");
  g_autofree char *cyrillic = reeve_users_name_fold ("\xd0\xb0"
                                                     "dmin");
  g_autofree char *broken = reeve_users_name_fold ("A\xff");
  g_autofree char *long_one = g_strnfill (5000, 'A');
  g_autofree char *longer = reeve_users_name_fold (long_one);

  g_assert_cmpstr (latin, !=, cyrillic);
  g_assert_cmpstr (broken, ==, "A\xff");
  g_assert_cmpstr (longer, ==, long_one);
}

static void
test_users_name_check (void)
{
  static const char *const good[] = { "a",
                                      "a.b@c.example",
                                      "with:colon",
                                      "gr\xc3\xbc"
                                      "n",
                                      "\xe5\xb1\xb1\xe7\x94\xb0",
                                      "o'neil" };
  static const char *const bad[] = {
    "",
    "a b",
    "a/b",
    "a\nb",
    "a\x7f",
    "a\xc2\xa0"
    "b",
    "a\xc2\x85",
    "a\xc2\xad"
    "b",
    "a\xe2\x80\x8b"
    "b",
    "a\xe2\x80\xae"
    "b",
    "a\xe2\x81\xa6"
    "b",
    "a\xef\xbb\xbf",
    "a\xe3\x80\x80"
    "b",
    "a\xef\xbc\x8f"
    "b",
    "a\xe3\x85\xa4"
    "b",
    "a\xef\xbe\xa0",
    "a\xef\xb8\x8f",
    "a\xee\x80\x80",
    "a\xef\xbf\xbf",
    "a\xe2\xa0\x80",
    "a\xe2\x80\xa8",
    "a\xf3\xa0\x81\x81",
  };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (reeve_users_name_check (good[i], NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%u", i);
      g_assert_false (reeve_users_name_check (bad[i], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/users/name/fold", test_users_name_fold);
  g_test_add_func ("/users/name/apart", test_users_name_apart);
  g_test_add_func ("/users/name/check", test_users_name_check);
  return g_test_run ();
}
