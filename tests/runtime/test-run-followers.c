/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readers of a run's events that go away: whoever was removed is not called any more, whatever is
 * on its way to him. */
#include "runtime/run-followers.h"

typedef struct
{
  guint events;
  guint ended;
  guint freed;
} TestReader;

static void
test_run_followers_on_event (const char *name, JsonObject *data, gpointer user_data)
{
  ((TestReader *) user_data)->events++;
}

static void
test_run_followers_on_ended (gpointer user_data)
{
  ((TestReader *) user_data)->ended++;
}

static void
test_run_followers_on_freed (gpointer user_data)
{
  ((TestReader *) user_data)->freed++;
}

static guint
test_run_followers_add (ReeveRunFollowers *followers, TestReader *reader)
{
  guint number
      = reeve_run_followers_add (followers, g_main_context_default (), test_run_followers_on_event,
                                 test_run_followers_on_ended, reader, test_run_followers_on_freed);

  reeve_run_followers_set_live (followers, number);
  return number;
}

static void
test_run_followers_turn (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_run_followers_all (void)
{
  ReeveRunFollowers *followers = reeve_run_followers_new ();
  g_autoptr (JsonObject) data = json_object_new ();
  TestReader reader = { 0 };

  test_run_followers_add (followers, &reader);
  reeve_run_followers_send (followers, 0, "step.started", data);
  reeve_run_followers_end (followers, 0);
  g_assert_true (reeve_run_followers_is_empty (followers));
  reeve_run_followers_send (followers, 0, "step.started", data);
  reeve_run_followers_free (followers);
  g_assert_cmpuint (reader.ended, ==, 0);
  test_run_followers_turn ();
  g_assert_cmpuint (reader.events, ==, 1);
  g_assert_cmpuint (reader.ended, ==, 1);
  g_assert_cmpuint (reader.freed, ==, 1);
}

static void
test_run_followers_removed (void)
{
  ReeveRunFollowers *followers = reeve_run_followers_new ();
  g_autoptr (JsonObject) data = json_object_new ();
  TestReader gone = { 0 };
  TestReader stays = { 0 };
  guint number = test_run_followers_add (followers, &gone);

  test_run_followers_add (followers, &stays);
  reeve_run_followers_send (followers, 0, "step.started", data);
  reeve_run_followers_remove (followers, number);
  reeve_run_followers_end (followers, 0);
  test_run_followers_turn ();
  g_assert_cmpuint (gone.events + gone.ended, ==, 0);
  g_assert_cmpuint (gone.freed, ==, 1);
  g_assert_cmpuint (stays.events, ==, 1);
  g_assert_cmpuint (stays.ended, ==, 1);
  reeve_run_followers_free (followers);
  g_assert_cmpuint (stays.freed, ==, 1);
}

static void
test_run_followers_removed_while_the_end_comes (void)
{
  ReeveRunFollowers *followers = reeve_run_followers_new ();
  g_autoptr (JsonObject) data = json_object_new ();
  TestReader gone = { 0 };
  TestReader stays = { 0 };
  guint number = test_run_followers_add (followers, &gone);

  test_run_followers_add (followers, &stays);
  reeve_run_followers_send (followers, 0, "step.started", data);
  reeve_run_followers_end (followers, 0);
  reeve_run_followers_remove (followers, number);
  reeve_run_followers_remove (followers, number);
  test_run_followers_turn ();
  g_assert_cmpuint (gone.events + gone.ended, ==, 0);
  g_assert_cmpuint (gone.freed, ==, 1);
  g_assert_cmpuint (stays.events, ==, 1);
  g_assert_cmpuint (stays.ended, ==, 1);
  reeve_run_followers_free (followers);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run-followers/all", test_run_followers_all);
  g_test_add_func ("/run-followers/removed", test_run_followers_removed);
  g_test_add_func ("/run-followers/removed-while-the-end-comes",
                   test_run_followers_removed_while_the_end_comes);
  return g_test_run ();
}
