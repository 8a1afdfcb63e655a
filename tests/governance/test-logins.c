/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is on the way in: what is asked once for many and what is not, and who waits for whom. The
 * providers are the test's, and answer when the test lets them. */
#include <gio/gio.h>
#include <string.h>

#include <reeve-error.h>

#include "base/digests.h"
#include "governance/authentication-logins.h"

#define CROWD 64

typedef struct
{
  ReeveAuthenticationLogins *logins;
  GMutex lock; /* guards what follows */
  GCond changed;
  gboolean held; /* provider `first` answers nobody */
  gboolean held_second;
  guint asked; /* of provider `first` */
  guint asked_second;
  guint together;
  guint most; /* of those that it was asked about together */
  guint busy; /* how often it says so first */
  gint code;  /* its error; 0: lets in */
  guint warmed;
  guint version;
  guint back; /* main thread: answers */
  guint good;
  guint codes[REEVE_ERROR_CALLER_REVOKED + 64];
  GPtrArray *users; /* main thread: who was let in, in order */
} World;

/* ---- the providers: `first` knows tokens that begin with f, `second` those with s, both g ---- */

static guint
on_get_version (gpointer data)
{
  return (guint) g_atomic_int_get (&((World *) data)->version);
}

static ReeveCaller *
on_look_up (const guint8 *key, gpointer data)
{
  return NULL;
}

static gboolean
on_knows (guint provider, const ReeveCredentials *credentials, gpointer data)
{
  return credentials->token[0] == 'g' || credentials->token[0] == (provider == 0 ? 'f' : 's');
}

static void
on_warm (guint provider, gpointer data)
{
  World *world = data;

  g_mutex_lock (&world->lock);
  world->warmed++;
  g_cond_broadcast (&world->changed);
  g_mutex_unlock (&world->lock);
}

static gboolean
answer_first (World *world, guint turn, GError **error)
{
  gint code = world->busy > 0 ? (gint) REEVE_ERROR_BUSY : world->code;

  world->busy -= world->busy > 0;
  if (code != 0)
    g_set_error (error, REEVE_ERROR, code, "not now");
  return code == 0;
}

static ReeveIdentity *
on_ask (guint provider, const ReeveCredentials *credentials, gpointer data, GError **error)
{
  World *world = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&world->lock);
  guint turn = provider == 0 ? ++world->asked : ++world->asked_second;
  g_autofree char *user_id = g_strdup_printf ("usr_%u", turn);
  gboolean good = TRUE;

  world->together++;
  world->most = MAX (world->most, world->together);
  g_cond_broadcast (&world->changed);
  while (provider == 0 ? world->held : world->held_second)
    g_cond_wait (&world->changed, &world->lock);
  good = provider == 1 || answer_first (world, turn, error);
  world->together--;
  if (!good || (provider == 0 && credentials->token[0] == 'g'))
    return NULL;
  return reeve_identity_new ("default", user_id, NULL, "test");
}

static ReeveCaller *
on_let_in (ReeveIdentity *identity, const ReeveCredentials *credentials, const guint8 *key,
           guint version, gpointer data, GError **error)
{
  return reeve_caller_new (identity, "default", FALSE, 0, "rest", NULL);
}

static void
set_up (World *world, gconstpointer data)
{
  static const ReeveAuthenticationLoginsHooks hooks = { .get_version = on_get_version,
                                                        .look_up = on_look_up,
                                                        .knows = on_knows,
                                                        .warm = on_warm,
                                                        .ask = on_ask,
                                                        .let_in = on_let_in };

  g_mutex_init (&world->lock);
  g_cond_init (&world->changed);
  world->users = g_ptr_array_new_with_free_func (g_free);
  world->logins = reeve_authentication_logins_new (&hooks, world);
  reeve_authentication_logins_add_lane (world->logins, "first");
  reeve_authentication_logins_add_lane (world->logins, "second");
}

static void
tear_down (World *world, gconstpointer data)
{
  reeve_authentication_logins_shutdown (world->logins);
  reeve_authentication_logins_free (world->logins);
  g_ptr_array_unref (world->users);
  g_mutex_clear (&world->lock);
  g_cond_clear (&world->changed);
}

/* ---- callers ---- */

static void
on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  World *world = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCaller) caller = g_task_propagate_pointer (G_TASK (result), &error);

  world->back++;
  if (caller == NULL)
    {
      g_assert_cmpuint (error->domain, ==, REEVE_ERROR);
      world->codes[error->code]++;
      return;
    }
  world->good++;
  g_ptr_array_add (world->users, g_strdup (reeve_caller_get_user_id (caller)));
}

static void
show_from (World *world, const char *token, const char *address)
{
  const ReeveCredentials credentials = { .struct_size = sizeof credentials,
                                         .scheme = "test",
                                         .token = token,
                                         .peer_address = address,
                                         .door = "rest" };
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_done, world);
  guint8 key[REEVE_AUTHENTICATION_CACHE_KEY] = { 0 };

  reeve_digests_hmac_sha256 ((const guint8 *) "x", 1, (const guint8 *) token, strlen (token), key);
  reeve_authentication_logins_begin (world->logins, key, &credentials, task);
}

static void
show (World *world, const char *token)
{
  show_from (world, token, "192.0.2.1");
}

static void
show_many (World *world, const char *token, guint count)
{
  for (guint i = 0; i < count; i++)
    show (world, token);
}

static void
wait_for_asked (World *world, guint *counter, guint count)
{
  g_mutex_lock (&world->lock);
  while (*counter < count)
    g_cond_wait (&world->changed, &world->lock);
  g_mutex_unlock (&world->lock);
}

static void
hold (World *world, gboolean held)
{
  g_mutex_lock (&world->lock);
  world->held = held;
  g_cond_broadcast (&world->changed);
  g_mutex_unlock (&world->lock);
}

static void
wait_for_back (World *world, guint count)
{
  while (world->back < count)
    g_main_context_iteration (NULL, TRUE);
}

/* ---- what is joined ---- */

static void
test_logins_one_for_all (World *world, gconstpointer data)
{
  hold (world, TRUE);
  show_many (world, "f", CROWD);
  wait_for_asked (world, &world->asked, 1);
  show_many (world, "f", CROWD);
  hold (world, FALSE);
  wait_for_back (world, 2 * CROWD);
  g_assert_cmpuint (world->good, ==, 2 * CROWD);
  g_assert_cmpuint (world->asked, ==, 1);
  /* it is over: who comes then asks anew */
  show (world, "f");
  wait_for_back (world, 2 * CROWD + 1);
  g_assert_cmpuint (world->asked, ==, 2);
}

/* As zero trust wants it: one answer, one request. */
static void
test_logins_each_alone (World *world, gconstpointer data)
{
  reeve_authentication_logins_set_alone (world->logins, TRUE);
  hold (world, TRUE);
  show_many (world, "f", CROWD);
  wait_for_asked (world, &world->asked, 1);
  show_many (world, "f", CROWD);
  hold (world, FALSE);
  wait_for_back (world, 2 * CROWD);
  g_assert_cmpuint (world->good, ==, 2 * CROWD);
  g_assert_cmpuint (world->asked, ==, 2 * CROWD);
}

/* Whoever counts failed logins sees each, and one after the other. */
static void
test_logins_refusals (World *world, gconstpointer data)
{
  world->code = REEVE_ERROR_UNAUTHENTICATED;
  hold (world, TRUE);
  show_many (world, "f", CROWD);
  hold (world, FALSE);
  wait_for_back (world, CROWD);
  g_assert_cmpuint (world->codes[REEVE_ERROR_UNAUTHENTICATED], ==, CROWD);
  g_assert_cmpuint (world->asked, ==, CROWD);
  g_assert_cmpuint (world->most, ==, 1);
}

/* What keeps the provider from answering one keeps it from answering all. */
static void
test_logins_trouble (World *world, gconstpointer data)
{
  world->code = REEVE_ERROR_UNAVAILABLE;
  hold (world, TRUE);
  show_many (world, "f", CROWD);
  hold (world, FALSE);
  wait_for_back (world, CROWD);
  g_assert_cmpuint (world->codes[REEVE_ERROR_UNAVAILABLE], ==, CROWD);
  g_assert_cmpuint (world->asked, ==, 1);
}

/* Something was taken back while one was asked about: its answer is for that one alone. */
static void
test_logins_revoked_meanwhile (World *world, gconstpointer data)
{
  hold (world, TRUE);
  show_many (world, "f", CROWD);
  wait_for_asked (world, &world->asked, 1);
  g_atomic_int_inc (&world->version);
  hold (world, FALSE);
  wait_for_back (world, CROWD);
  g_assert_cmpuint (world->good, ==, CROWD);
  g_assert_cmpuint (world->asked, ==, 2);
  g_assert_cmpstr (g_ptr_array_index (world->users, 0), ==, "usr_1");
  for (guint i = 1; i < CROWD; i++)
    g_assert_cmpstr (g_ptr_array_index (world->users, i), ==, "usr_2");
}

/* Who comes after something was taken back joins nobody who was asked about before. */
static void
test_logins_revoked_before (World *world, gconstpointer data)
{
  hold (world, TRUE);
  show_many (world, "f", 2);
  wait_for_asked (world, &world->asked, 1);
  g_atomic_int_inc (&world->version);
  show_many (world, "f", CROWD);
  wait_for_asked (world, &world->asked, 2);
  hold (world, FALSE);
  wait_for_back (world, CROWD + 2);
  g_assert_cmpuint (world->good, ==, CROWD + 2);
  /* the second of the first two joins those, or is asked about once more */
  g_assert_cmpuint (world->asked, <=, 3);
  g_assert_cmpuint (world->most, ==, 2);
}

/* ---- who waits ---- */

/* A provider that hangs keeps nobody out whom another lets in. */
static void
test_logins_lanes (World *world, gconstpointer data)
{
  hold (world, TRUE);
  for (guint i = 0; i < CROWD; i++)
    {
      g_autofree char *slow = g_strdup_printf ("f%u", i);

      show (world, slow);
    }
  wait_for_asked (world, &world->asked, 4);
  for (guint i = 0; i < CROWD; i++)
    {
      g_autofree char *quick = g_strdup_printf ("s%u", i);

      show (world, quick);
    }
  wait_for_back (world, CROWD);
  g_assert_cmpuint (world->good, ==, CROWD);
  g_assert_cmpuint (world->asked, ==, 4);
  hold (world, FALSE);
  wait_for_back (world, 2 * CROWD);
  g_assert_cmpuint (world->good, ==, 2 * CROWD);
}

/* One that says it is busy is asked again, and nobody waits on a thread for it. */
static void
test_logins_busy (World *world, gconstpointer data)
{
  world->busy = 3 * CROWD;
  for (guint i = 0; i < CROWD; i++)
    {
      g_autofree char *token = g_strdup_printf ("f%u", i);

      show (world, token);
    }
  wait_for_back (world, CROWD);
  g_assert_cmpuint (world->good, ==, CROWD);
  g_assert_cmpuint (world->asked, ==, 4 * CROWD);
}

/* What the first leaves to others goes to the next; what nobody may know is refused at once. */
static void
test_logins_order (World *world, gconstpointer data)
{
  show (world, "g");
  show (world, "x");
  wait_for_back (world, 2);
  g_assert_cmpuint (world->good, ==, 1);
  g_assert_cmpuint (world->codes[REEVE_ERROR_UNAUTHENTICATED], ==, 1);
  g_assert_cmpuint (world->asked, ==, 1);
  g_assert_cmpuint (world->asked_second, ==, 1);
}

/* One address fills no lane, and there is an end for all of them. */
static void
test_logins_bounds (World *world, gconstpointer data)
{
  guint refused = 0;

  hold (world, TRUE);
  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *token = g_strdup_printf ("f%u", i);

      show (world, token);
    }
  wait_for_back (world, 300 - 256);
  g_assert_cmpuint (world->codes[REEVE_ERROR_BUSY], ==, 300 - 256);
  show_from (world, "fother", "192.0.2.2");
  for (guint i = 0; i < 600; i++)
    {
      g_autofree char *token = g_strdup_printf ("fs%u", i);
      g_autofree char *address = g_strdup_printf ("198.51.%u.%u", i / 256, i % 256);

      show_from (world, token, address);
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
  refused = world->codes[REEVE_ERROR_BUSY];
  g_assert_cmpuint (refused, >=, 901 - 512 - 4);
  hold (world, FALSE);
  wait_for_back (world, 901);
  g_assert_cmpuint (world->good, ==, 901 - refused);
}

static void
test_logins_warm (World *world, gconstpointer data)
{
  reeve_authentication_logins_warm (world->logins);
  wait_for_asked (world, &world->warmed, 2);
}

/* The end of the host is the end of all that wait, also of those that were put off. */
static void
test_logins_shutdown (World *world, gconstpointer data)
{
  world->busy = 10000;
  show_many (world, "f1", 3);
  show_many (world, "f2", 3);
  wait_for_asked (world, &world->asked, 2);
  reeve_authentication_logins_shutdown (world->logins);
  wait_for_back (world, 6);
  g_assert_cmpuint (world->codes[REEVE_ERROR_UNAVAILABLE], ==, 6);
  show (world, "f3");
  wait_for_back (world, 7);
  g_assert_cmpuint (world->codes[REEVE_ERROR_UNAVAILABLE], ==, 7);
}

static void
add (const char *path, void (*test) (World *, gconstpointer))
{
  g_test_add (path, World, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/logins/one-for-all", test_logins_one_for_all);
  add ("/logins/each-alone", test_logins_each_alone);
  add ("/logins/refusals", test_logins_refusals);
  add ("/logins/trouble", test_logins_trouble);
  add ("/logins/revoked-meanwhile", test_logins_revoked_meanwhile);
  add ("/logins/revoked-before", test_logins_revoked_before);
  add ("/logins/lanes", test_logins_lanes);
  add ("/logins/busy", test_logins_busy);
  add ("/logins/order", test_logins_order);
  add ("/logins/bounds", test_logins_bounds);
  add ("/logins/warm", test_logins_warm);
  add ("/logins/shutdown", test_logins_shutdown);
  return g_test_run ();
}
