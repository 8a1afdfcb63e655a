/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identifiers: form, alphabet against known values, no repetition. */
#include "base/ids.h"

#include <string.h>

static void
test_ids_encode (void)
{
  /* RFC 4648 section 10, in lower case and without padding */
  static const char *const pairs[][2] = { { "", "" },
                                          { "f", "my" },
                                          { "fo", "mzxq" },
                                          { "foo", "mzxw6" },
                                          { "foob", "mzxw6yq" },
                                          { "fooba", "mzxw6ytb" },
                                          { "foobar", "mzxw6ytboi" } };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree char *text = reeve_ids_encode (pairs[i][0], strlen (pairs[i][0]));
      g_assert_cmpstr (text, ==, pairs[i][1]);
    }
}

static void
test_ids_new (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < 1000; i++)
    {
      char *id = reeve_ids_new ("run");
      g_assert_cmpuint (strlen (id), ==, 4 + REEVE_IDS_LENGTH);
      g_assert_true (reeve_ids_is_valid (id, "run"));
      g_assert_false (reeve_ids_is_valid (id, "agt"));
      g_assert_true (g_hash_table_add (seen, id));
    }
}

static void
test_ids_refused (void)
{
  static const char *const bad[] = { NULL,
                                     "",
                                     "run",
                                     "run_",
                                     "run_abc",
                                     "run_aaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                     "run-aaaaaaaaaaaaaaaaaaaaaaaaaa",
                                     "run_AAAAAAAAAAAAAAAAAAAAAAAAAA",
                                     "run_aaaaaaaaaaaaaaaaaaaaaaaaa1",
                                     "run_../../../../../../etcpw",
                                     "runaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                     "xrun_aaaaaaaaaaaaaaaaaaaaaaaaaa",
                                     "run_aaaaaaaaaaaaaaaaaaaaaaaa\n",
                                     "run_abcdefghijklmnop2345",
                                     "run_aaaaaaaaaaaaaaaaaaaaaaaaa" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (reeve_ids_is_valid (bad[i], "run"));
  g_assert_true (reeve_ids_is_valid ("run_abcdefghijklmnopqrstuvwxyz", "run"));
}

static void
test_ids_secret (void)
{
  g_autofree char *a = reeve_ids_new_secret ();
  g_autofree char *b = reeve_ids_new_secret ();

  g_assert_cmpuint (strlen (a), ==, 52);
  g_assert_cmpstr (a, !=, b);
}

static void
test_ids_uuid (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < 1000; i++)
    {
      char *id = reeve_ids_new_uuid ();

      g_assert_true (g_uuid_string_is_valid (id));
      g_assert_cmpint (id[14], ==, '4');
      g_assert_nonnull (strchr ("89ab", id[19]));
      g_assert_cmpuint (strspn (id, "0123456789abcdef-"), ==, 36);
      g_assert_true (g_hash_table_add (seen, id));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ids/encode", test_ids_encode);
  g_test_add_func ("/ids/new", test_ids_new);
  g_test_add_func ("/ids/refused", test_ids_refused);
  g_test_add_func ("/ids/secret", test_ids_secret);
  g_test_add_func ("/ids/uuid", test_ids_uuid);
  return g_test_run ();
}
