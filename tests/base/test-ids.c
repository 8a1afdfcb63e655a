/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identifiers: form, alphabet against known values, no repetition. */
#include "base/ids.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* What a thread has in stock is given away once. */
static void
test_ids_name (void)
{
  static const gsize lengths[] = { 16, 8, 16, 1, 500, 512, 3 };
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint8 bytes[512];

  for (guint i = 0; i < 7 * 300; i++)
    {
      gsize length = lengths[i % G_N_ELEMENTS (lengths)];

      memset (bytes, 0, sizeof bytes);
      reeve_ids_fill_name (bytes, length);
      if (length >= 8)
        g_assert_true (g_hash_table_add (seen, reeve_ids_encode (bytes, length)));
    }
}

/* A child has its parent's stock, and must not give the same away. */
static void
test_ids_fork (void)
{
  g_autofree char *first = reeve_ids_new ("run");
  g_autofree char *own = NULL;
  char other[64] = "";
  int ends[2] = { -1, -1 };
  int status = 0;
  pid_t child = 0;

  g_assert_cmpint (pipe (ends), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      own = reeve_ids_new ("run");
      _exit (write (ends[1], own, strlen (own)) == (gssize) strlen (own) ? 0 : 1);
    }
  own = reeve_ids_new ("run");
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (read (ends[0], other, sizeof other - 1), ==, 4 + REEVE_IDS_LENGTH);
  g_assert_true (reeve_ids_is_valid (other, "run"));
  g_assert_cmpstr (own, !=, other);
  close (ends[0]);
  close (ends[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ids/encode", test_ids_encode);
  g_test_add_func ("/ids/new", test_ids_new);
  g_test_add_func ("/ids/name", test_ids_name);
  g_test_add_func ("/ids/fork", test_ids_fork);
  g_test_add_func ("/ids/refused", test_ids_refused);
  g_test_add_func ("/ids/secret", test_ids_secret);
  g_test_add_func ("/ids/uuid", test_ids_uuid);
  return g_test_run ();
}
