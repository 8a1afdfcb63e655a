/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hashes, places and counters, without a store and with a clock of the test's own. */
#include <glib.h>
#include <string.h>

#include <reeve-error.h>

#include "governance/passwords-hash.h"
#include "governance/passwords-locks.h"

#define SECOND G_TIME_SPAN_SECOND

/* ---- hashes ---- */

static char *
make (ReevePasswordsHash *hash, const char *password)
{
  g_autoptr (GError) error = NULL;
  char *kept = NULL;

  g_assert_true (reeve_passwords_hash_enter (hash, &error));
  g_assert_no_error (error);
  kept = reeve_passwords_hash_make (hash, password, &error);
  g_assert_no_error (error);
  reeve_passwords_hash_leave (hash);
  return kept;
}

static void
test_passwords_hash (void)
{
  g_autoptr (ReevePasswordsHash) hash = reeve_passwords_hash_new (65536, 2, 1);
  g_autoptr (ReevePasswordsHash) other = reeve_passwords_hash_new (131072, 2, 1);
  g_autofree char *kept = make (hash, "secret");
  g_autofree char *again = make (hash, "secret");

  g_assert_true (g_str_has_prefix (kept, "$argon2id$v=19$m=64,t=2,p=1$"));
  g_assert_cmpstr (kept, !=, again);
  g_assert_true (reeve_passwords_hash_is_one (kept));
  g_assert_true (reeve_passwords_hash_verify (hash, kept, "secret"));
  g_assert_true (reeve_passwords_hash_verify (other, kept, "secret"));
  g_assert_false (reeve_passwords_hash_verify (hash, kept, "Secret"));
  g_assert_false (reeve_passwords_hash_verify (hash, kept, ""));
  g_assert_false (reeve_passwords_hash_verify (hash, NULL, "secret"));
  g_assert_false (reeve_passwords_hash_verify (hash, "", "secret"));
  g_assert_false (reeve_passwords_hash_is_old (hash, kept));
  g_assert_true (reeve_passwords_hash_is_old (other, kept));
}

/* Reference: the test of libargon2's argon2id, version 19, t = 2, m = 65536, p = 1. */
static void
test_passwords_known (void)
{
  g_autoptr (ReevePasswordsHash) hash = reeve_passwords_hash_new (65536, 2, 1);
  static const char known[] = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
                              "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

  g_assert_true (reeve_passwords_hash_verify (hash, known, "password"));
  g_assert_false (reeve_passwords_hash_verify (hash, known, "passwore"));
}

static void
test_passwords_foreign_hashes (void)
{
  static const char *const none[] = {
    "",
    "secret",
    "$argon2i$v=19$m=64,t=2,p=1$c29tZXNhbHQ$aaaa",
    "$argon2id$v=16$m=64,t=2,p=1$c29tZXNhbHQ$aaaa",
    "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$aaaa",
    "$argon2id$v=19$m=2097152,t=2,p=1$c29tZXNhbHQ$aaaa",
    "$argon2id$v=19$m=64,t=1000000,p=1$c29tZXNhbHQ$aaaa",
    "$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$aaaa",
    "$argon2id$v=19$m=64,t=2,p=4$c29tZXNhbHQ$aaaa",
    "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m",
  };

  for (guint i = 0; i < G_N_ELEMENTS (none); i++)
    {
      g_test_message ("%s", none[i]);
      g_assert_false (reeve_passwords_hash_is_one (none[i]));
    }
}

static void
test_passwords_prepare (void)
{
  g_autofree char *long_one = g_strnfill (REEVE_PASSWORDS_HASH_MAX, 'x');
  g_autofree char *longer = g_strnfill (REEVE_PASSWORDS_HASH_MAX + 1, 'x');
  const char *const none[] = { "", "a\nb", "a\x7f", "\xff", longer };
  char *composed = reeve_passwords_hash_prepare ("Gr\xc3\xbc\xc3\x9f"
                                                 "e");
  char *decomposed = reeve_passwords_hash_prepare ("Gru\xcc\x88\xc3\x9f"
                                                   "e");
  char *longest = reeve_passwords_hash_prepare (long_one);

  g_assert_cmpstr (composed, ==, decomposed);
  g_assert_nonnull (longest);
  for (guint i = 0; i < G_N_ELEMENTS (none); i++)
    g_assert_null (reeve_passwords_hash_prepare (none[i]));
  reeve_passwords_hash_wipe (composed);
  reeve_passwords_hash_wipe (decomposed);
  reeve_passwords_hash_wipe (longest);
}

/* ---- places ---- */

typedef struct
{
  ReevePasswordsHash *hash;
  gint in;   /* atomic */
  gint most; /* atomic: ever in at once */
  gint busy;
} Crowd;

static gpointer
come (gpointer data)
{
  Crowd *crowd = data;
  g_autoptr (GError) error = NULL;
  gint in = 0;

  if (!reeve_passwords_hash_enter (crowd->hash, &error))
    {
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_BUSY);
      g_atomic_int_inc (&crowd->busy);
      return NULL;
    }
  in = g_atomic_int_add (&crowd->in, 1) + 1;
  while (in > g_atomic_int_get (&crowd->most))
    g_atomic_int_compare_and_exchange (&crowd->most, g_atomic_int_get (&crowd->most), in);
  g_free (reeve_passwords_hash_make (crowd->hash, "secret", NULL));
  g_atomic_int_add (&crowd->in, -1);
  reeve_passwords_hash_leave (crowd->hash);
  return NULL;
}

static void
test_passwords_places (void)
{
  g_autoptr (ReevePasswordsHash) hash = reeve_passwords_hash_new (8192, 1, 2);
  Crowd crowd = { .hash = hash };
  GThread *threads[12] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("come", come, &crowd);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (crowd.most, <=, 2);
  g_assert_cmpint (crowd.in, ==, 0);
  /* both places are free again */
  g_assert_true (reeve_passwords_hash_enter (hash, NULL));
  g_assert_true (reeve_passwords_hash_enter (hash, NULL));
  reeve_passwords_hash_leave (hash);
  reeve_passwords_hash_leave (hash);
}

/* Two are in and four wait: the next one is not kept waiting. */
static void
test_passwords_full (void)
{
  g_autoptr (ReevePasswordsHash) hash = reeve_passwords_hash_new (8192, 1, 2);
  Crowd crowd = { .hash = hash };
  GThread *threads[16] = { NULL };

  g_assert_true (reeve_passwords_hash_enter (hash, NULL));
  g_assert_true (reeve_passwords_hash_enter (hash, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("come", come, &crowd);
  while (g_atomic_int_get (&crowd.busy) < (gint) G_N_ELEMENTS (threads) - 4)
    g_usleep (1000);
  reeve_passwords_hash_leave (hash);
  reeve_passwords_hash_leave (hash);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (crowd.busy, >=, (gint) G_N_ELEMENTS (threads) - 4);
}

/* ---- counters ---- */

static gboolean
is_open (ReevePasswordsLocks *locks, const char *user, const char *address, gint64 now)
{
  ReevePasswordsLocksState state = { 0 };

  return reeve_passwords_locks_check (locks, user, address, now, &state);
}

static ReevePasswordsLocksState
fail (ReevePasswordsLocks *locks, const char *user, const char *address, gint64 now)
{
  ReevePasswordsLocksState state = { 0 };

  reeve_passwords_locks_fail (locks, user, address, now, &state);
  return state;
}

static void
test_passwords_lock_user (void)
{
  g_autoptr (ReevePasswordsLocks) locks = reeve_passwords_locks_new (5, 0, 3600);
  gint64 now = SECOND;

  for (guint i = 0; i < 5; i++)
    g_assert_false (fail (locks, "a/mira", "10.0.0.1", now).user);
  g_assert_true (is_open (locks, "a/mira", "10.0.0.1", now));
  g_assert_true (fail (locks, "a/mira", "10.0.0.1", now).user);
  g_assert_false (is_open (locks, "a/mira", "10.0.0.2", now));
  g_assert_true (is_open (locks, "b/mira", "10.0.0.1", now));
  g_assert_cmpint (reeve_passwords_locks_get_end (locks, "a/mira", now), ==, now + 3600 * SECOND);
  /* locked once, said once a minute */
  g_assert_false (fail (locks, "a/mira", "10.0.0.1", now).user);
  g_assert_false (is_open (locks, "a/mira", NULL, now + 3600 * SECOND - 1));
  g_assert_true (is_open (locks, "a/mira", NULL, now + 3600 * SECOND));
  g_assert_false (fail (locks, "a/mira", NULL, now + 3600 * SECOND).user);
}

static void
test_passwords_forget (void)
{
  g_autoptr (ReevePasswordsLocks) locks = reeve_passwords_locks_new (1, 1, 10);

  fail (locks, "a", "10.0.0.1", SECOND);
  g_assert_true (fail (locks, "a", "10.0.0.2", 2 * SECOND).user);
  reeve_passwords_locks_lift (locks, "a");
  g_assert_true (is_open (locks, "a", "10.0.0.1", 2 * SECOND));
  fail (locks, "a", NULL, 3 * SECOND);
  reeve_passwords_locks_succeed (locks, "a");
  g_assert_false (fail (locks, "a", NULL, 4 * SECOND).user);
  /* old failures count no more */
  g_assert_false (fail (locks, "a", NULL, 14 * SECOND).user);
  g_assert_true (fail (locks, "a", NULL, 15 * SECOND).user);
}

static void
test_passwords_lock_address (void)
{
  g_autoptr (ReevePasswordsLocks) locks = reeve_passwords_locks_new (0, 2, 60);
  static const char *const same[] = { "10.1.2.3", "::ffff:10.1.2.3", "10.1.2.3" };
  static const char *const net[] = { "2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:2::3" };
  ReevePasswordsLocksState state = { 0 };

  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *user = g_strdup_printf ("u%u", i);

      state = fail (locks, user, same[i], SECOND);
      g_assert_cmpint (state.address, ==, i == 2);
      g_assert_cmpint (fail (locks, user, net[i], SECOND).address, ==, i == 2);
      g_assert_false (state.user);
    }
  g_assert_false (is_open (locks, "other", "::ffff:10.1.2.3", SECOND));
  g_assert_true (is_open (locks, "other", "10.1.2.4", SECOND));
  g_assert_false (is_open (locks, "other", "2001:db8:1:2:3:4:5:6", SECOND));
  g_assert_true (is_open (locks, "other", "2001:db8:1:3::1", SECOND));
  /* who got in does not wash an address clean */
  reeve_passwords_locks_succeed (locks, "u0");
  g_assert_false (is_open (locks, "u0", "10.1.2.3", SECOND));
  reeve_passwords_locks_check (locks, "u0", "10.1.2.3", SECOND, &state);
  g_assert_false (state.say);
  reeve_passwords_locks_check (locks, "u0", "10.1.2.3", 62 * SECOND - 1, &state);
}

static void
test_passwords_said (void)
{
  g_autoptr (ReevePasswordsLocks) locks = reeve_passwords_locks_new (1, 0, 3600);
  ReevePasswordsLocksState state = { 0 };

  fail (locks, "a", NULL, SECOND);
  g_assert_true (fail (locks, "a", NULL, SECOND).say);
  reeve_passwords_locks_check (locks, "a", NULL, 60 * SECOND, &state);
  g_assert_false (state.say);
  reeve_passwords_locks_check (locks, "a", NULL, 61 * SECOND, &state);
  g_assert_true (state.say);
  g_assert_true (reeve_passwords_locks_may_say (locks, SECOND));
  g_assert_false (reeve_passwords_locks_may_say (locks, 2 * SECOND));
  g_assert_true (reeve_passwords_locks_may_say (locks, 61 * SECOND));
}

/* However many names are tried, what is counted is bounded; what is locked lately stays. */
static void
test_passwords_bounded (void)
{
  g_autoptr (ReevePasswordsLocks) locks = reeve_passwords_locks_new (1, 0, 3600);

  for (guint i = 0; i < 8192 + 200; i++)
    {
      g_autofree char *user = g_strdup_printf ("u%u", i);

      fail (locks, user, NULL, SECOND + i);
      if (i == 8191)
        g_assert_true (fail (locks, user, NULL, SECOND + i).user);
    }
  g_assert_false (is_open (locks, "u8191", NULL, 2 * SECOND));
  g_assert_true (fail (locks, "u8300", NULL, 2 * SECOND).user);
  /* the first ones were dropped */
  g_assert_false (fail (locks, "u0", NULL, 2 * SECOND).user);
}

/* As many at once as may still fail, and not one more. */
static void
test_passwords_locks_together (void)
{
  g_autoptr (ReevePasswordsLocks) locks = reeve_passwords_locks_new (2, 0, 60);
  g_autoptr (ReevePasswordsLocks) none = reeve_passwords_locks_new (0, 0, 60);
  ReevePasswordsLocksState state = { 0 };

  for (guint i = 0; i < 3; i++)
    g_assert_true (reeve_passwords_locks_begin (locks, "a", "192.0.2.1", 1));
  g_assert_false (reeve_passwords_locks_begin (locks, "a", "192.0.2.2", 1));
  g_assert_true (reeve_passwords_locks_begin (locks, "b", "192.0.2.1", 1));
  reeve_passwords_locks_fail (locks, "a", "192.0.2.1", 1, &state);
  g_assert_false (state.user);
  reeve_passwords_locks_end (locks, "a", "192.0.2.1");
  g_assert_false (reeve_passwords_locks_begin (locks, "a", "192.0.2.1", 1));
  /* one that is right is no failure */
  reeve_passwords_locks_succeed (locks, "a");
  reeve_passwords_locks_end (locks, "a", "192.0.2.1");
  g_assert_true (reeve_passwords_locks_begin (locks, "a", "192.0.2.1", 1));
  for (guint i = 0; i < 100; i++)
    g_assert_true (reeve_passwords_locks_begin (none, "a", "192.0.2.1", 1));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/passwords/hash", test_passwords_hash);
  g_test_add_func ("/passwords/known", test_passwords_known);
  g_test_add_func ("/passwords/foreign-hashes", test_passwords_foreign_hashes);
  g_test_add_func ("/passwords/prepare", test_passwords_prepare);
  g_test_add_func ("/passwords/places", test_passwords_places);
  g_test_add_func ("/passwords/full", test_passwords_full);
  g_test_add_func ("/passwords/lock-user", test_passwords_lock_user);
  g_test_add_func ("/passwords/forget", test_passwords_forget);
  g_test_add_func ("/passwords/lock-address", test_passwords_lock_address);
  g_test_add_func ("/passwords/said", test_passwords_said);
  g_test_add_func ("/passwords/bounded", test_passwords_bounded);
  g_test_add_func ("/passwords/locks/together", test_passwords_locks_together);
  return g_test_run ();
}
