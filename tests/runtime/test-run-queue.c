/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs of an agent: no more go than may, users take turns, nobody waits for ever, no place is lost.
 */
#include "runtime/run-queue.h"

#define SECOND G_USEC_PER_SEC

typedef struct
{
  ReeveRunQueue *queue;
  guint limit;
  guint length;
} World;

static ReeveRunQueueAnswer
enter (World *world, const char *user, const char *run)
{
  const ReeveRunQueueAsk ask = { .tenant_id = "t",
                                 .agent_id = "a",
                                 .user_id = user,
                                 .run_id = run,
                                 .limit = world->limit,
                                 .length = world->length };

  return reeve_run_queue_enter (world->queue, &ask);
}

/* (transfer full): ids with blanks between */
static char *
leave (World *world, const char *run)
{
  g_auto (GStrv) ids = reeve_run_queue_leave (world->queue, "t", "a", run, 0, 0);

  return g_strjoinv (" ", ids);
}

static void
check_leave (World *world, const char *run, const char *next)
{
  g_autofree char *ids = leave (world, run);

  g_assert_cmpstr (ids, ==, next);
}

static guint
place (World *world, const char *run)
{
  ReeveRunQueueState state = { 0 };

  return reeve_run_queue_find (world->queue, "t", "a", run, &state) ? state.place : 0;
}

static void
test_turns (void)
{
  g_autoptr (ReeveRunQueue) queue = reeve_run_queue_new ();
  World world = { queue, 1, 100 };

  g_assert_cmpint (enter (&world, "greedy", "g0"), ==, REEVE_RUN_QUEUE_GO);
  for (guint i = 1; i <= 5; i++)
    {
      g_autofree char *run = g_strdup_printf ("g%u", i);

      g_assert_cmpint (enter (&world, "greedy", run), ==, REEVE_RUN_QUEUE_WAIT);
      g_assert_cmpuint (place (&world, run), ==, i);
    }
  g_assert_cmpint (enter (&world, "ada", "a1"), ==, REEVE_RUN_QUEUE_WAIT);
  g_assert_cmpint (enter (&world, "ada", "a2"), ==, REEVE_RUN_QUEUE_WAIT);
  g_assert_cmpint (enter (&world, "bob", "b1"), ==, REEVE_RUN_QUEUE_WAIT);
  g_assert_cmpuint (place (&world, "a1"), ==, 2);
  g_assert_cmpuint (place (&world, "b1"), ==, 3);
  g_assert_cmpuint (place (&world, "g2"), ==, 4);
  g_assert_cmpuint (place (&world, "a2"), ==, 5);
  g_assert_cmpuint (place (&world, "g5"), ==, 8);
  g_assert_cmpuint (place (&world, "g0"), ==, 0);
  check_leave (&world, "g0", "g1");
  check_leave (&world, "g1", "a1");
  /* who waits no more takes no place with him */
  check_leave (&world, "g2", "");
  check_leave (&world, "nobody", "");
  check_leave (&world, "a1", "b1");
  check_leave (&world, "b1", "g3");
  check_leave (&world, "g3", "a2");
  check_leave (&world, "a2", "g4");
  check_leave (&world, "g4", "g5");
  check_leave (&world, "g5", "");
  g_assert_cmpuint (reeve_run_queue_get_size (queue), ==, 0);
}

static void
test_places (void)
{
  g_autoptr (ReeveRunQueue) queue = reeve_run_queue_new ();
  World world = { queue, 1, 9 };
  guint taken[3] = { 0 };
  const ReeveRunQueueAsk ask = { .tenant_id = "t", .agent_id = "a", .user_id = "u0" };
  guint own = 0;
  guint waiting = 0;
  guint wait = 0;

  g_assert_cmpint (enter (&world, "u0", "first"), ==, REEVE_RUN_QUEUE_GO);
  for (guint user = 0; user < 3; user++)
    for (guint i = 0; i < 20; i++)
      {
        g_autofree char *name = g_strdup_printf ("u%u", user);
        g_autofree char *run = g_strdup_printf ("u%u-%u", user, i);

        taken[user] += enter (&world, name, run) == REEVE_RUN_QUEUE_WAIT ? 1 : 0;
      }
  /* half of them, half of the rest, and so on: there is one for the next user too */
  g_assert_cmpuint (taken[0], ==, 5);
  g_assert_cmpuint (taken[1], ==, 2);
  g_assert_cmpuint (taken[2], ==, 1);
  g_assert_cmpint (enter (&world, "u9", "last"), ==, REEVE_RUN_QUEUE_WAIT);
  g_assert_cmpint (enter (&world, "u10", "late"), ==, REEVE_RUN_QUEUE_FULL);
  reeve_run_queue_describe (queue, &ask, &own, &waiting, &wait);
  g_assert_cmpuint (own, ==, 5);
  g_assert_cmpuint (waiting, ==, 9);
  g_assert_cmpuint (wait, ==, 1);
  check_leave (&world, "first", "u0-0");
  g_assert_cmpint (enter (&world, "u10", "late"), ==, REEVE_RUN_QUEUE_WAIT);
}

static void
test_limits (void)
{
  g_autoptr (ReeveRunQueue) queue = reeve_run_queue_new ();
  World world = { queue, 0, 0 };
  const ReeveRunQueueAsk begun = { .tenant_id = "t", .agent_id = "a", .run_id = "old", .limit = 1 };
  const ReeveRunQueueAsk other
      = { .tenant_id = "t2", .agent_id = "a", .user_id = "u", .run_id = "x", .limit = 1 };

  /* none */
  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *run = g_strdup_printf ("r%u", i);

      g_assert_cmpint (enter (&world, "u", run), ==, REEVE_RUN_QUEUE_GO);
    }
  /* one that was lowered stops nobody; without a queue nobody waits */
  world.limit = 2;
  g_assert_cmpint (enter (&world, "u", "more"), ==, REEVE_RUN_QUEUE_FULL);
  world.length = 4;
  g_assert_cmpint (enter (&world, "u", "more"), ==, REEVE_RUN_QUEUE_WAIT);
  for (guint i = 0; i < 8; i++)
    {
      g_autofree char *run = g_strdup_printf ("r%u", i);

      check_leave (&world, run, "");
    }
  check_leave (&world, "r8", "more");
  /* one that was raised lets those in front go first */
  g_assert_cmpint (enter (&world, "u", "second"), ==, REEVE_RUN_QUEUE_WAIT);
  world.limit = 4;
  g_assert_cmpint (enter (&world, "v", "third"), ==, REEVE_RUN_QUEUE_WAIT);
  check_leave (&world, "r9", "second third");
  /* of another tenant */
  g_assert_cmpint (reeve_run_queue_enter (queue, &other), ==, REEVE_RUN_QUEUE_GO);
  /* what goes already has a place, one too many if need be */
  reeve_run_queue_add_going (queue, &begun);
  g_assert_cmpint (reeve_run_queue_get_size (queue), ==, 2);
}

/* Whatever comes and goes: no more go than may, who waits for a free place is not forgotten, and
 * nobody is passed by more runs than users were there. */
static void
test_random (void)
{
  g_autoptr (ReeveRunQueue) queue = reeve_run_queue_new ();
  g_autoptr (GHashTable) going = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) waiting = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  World world = { queue, 3, 40 };
  guint serial = 0;

  for (guint step = 0; step < 20000; step++)
    {
      if (g_test_rand_int_range (0, 2) == 0)
        {
          g_autofree char *user = g_strdup_printf ("u%d", g_test_rand_int_range (0, 6));
          char *run = g_strdup_printf ("%s-%u", user, serial++);
          ReeveRunQueueAnswer answer = enter (&world, user, run);

          if (answer == REEVE_RUN_QUEUE_FULL)
            g_free (run);
          else
            g_hash_table_add (answer == REEVE_RUN_QUEUE_GO ? going : waiting, run);
        }
      else if (g_hash_table_size (going) + g_hash_table_size (waiting) > 0)
        {
          GHashTable *from
              = g_hash_table_size (going) == 0 || (g_hash_table_size (waiting) > 0 && step % 7 == 0)
                    ? waiting
                    : going;
          GHashTableIter iter;
          gpointer run = NULL;
          g_auto (GStrv) ids = NULL;

          g_hash_table_iter_init (&iter, from);
          g_assert_true (g_hash_table_iter_next (&iter, &run, NULL));
          ids = reeve_run_queue_leave (queue, "t", "a", run, 0, (gint64) step * SECOND);
          g_hash_table_iter_remove (&iter);
          for (guint i = 0; ids[i] != NULL; i++)
            {
              g_assert_true (g_hash_table_remove (waiting, ids[i]));
              g_hash_table_add (going, g_strdup (ids[i]));
            }
        }
      g_assert_cmpuint (g_hash_table_size (going), <=, 3);
      g_assert_cmpuint (g_hash_table_size (waiting), <=, 40);
      g_assert_true (g_hash_table_size (waiting) == 0 || g_hash_table_size (going) == 3);
    }
}

/* A stream of new users, one after the other, does not keep a run waiting. */
static void
test_no_starvation (void)
{
  g_autoptr (ReeveRunQueue) queue = reeve_run_queue_new ();
  World world = { queue, 1, 20 };
  g_autofree char *going = g_strdup ("start");
  guint turns = 0;

  g_assert_cmpint (enter (&world, "x", "start"), ==, REEVE_RUN_QUEUE_GO);
  for (guint i = 0; i < 8; i++)
    {
      g_autofree char *user = g_strdup_printf ("before%u", i);

      g_assert_cmpint (enter (&world, user, user), ==, REEVE_RUN_QUEUE_WAIT);
    }
  g_assert_cmpint (enter (&world, "patient", "patient"), ==, REEVE_RUN_QUEUE_WAIT);
  while (g_strcmp0 (going, "patient") != 0)
    {
      g_autofree char *user = g_strdup_printf ("new%u", turns++);
      char *next = NULL;

      enter (&world, user, user);
      next = leave (&world, going);
      g_free (going);
      going = next;
      g_assert_cmpuint (turns, <=, 9);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run-queue/turns", test_turns);
  g_test_add_func ("/run-queue/places", test_places);
  g_test_add_func ("/run-queue/limits", test_limits);
  g_test_add_func ("/run-queue/random", test_random);
  g_test_add_func ("/run-queue/no-starvation", test_no_starvation);
  return g_test_run ();
}
