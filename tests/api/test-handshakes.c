/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestHandshakes: one step a turn, those half-way first, the oldest gives way, the late go. */
#include "api/rest/handshakes.h"

typedef struct
{
  ReeveRestHandshake handshake;
  ReeveRestHandshakes *set;
  GString *log;
  char name;
} Client;

static void
on_step (ReeveRestHandshake *handshake)
{
  Client *client = (Client *) handshake;

  g_string_append_c (client->log, client->name);
}

static void
on_give_up (ReeveRestHandshake *handshake)
{
  Client *client = (Client *) handshake;

  g_string_append_c (client->log, g_ascii_toupper (client->name));
  reeve_rest_handshakes_end (client->set, handshake);
}

static void
begin (Client *client, ReeveRestHandshakes *set, GString *log, char name, gint64 expires_at)
{
  client->handshake.step = on_step;
  client->handshake.give_up = on_give_up;
  client->handshake.expires_at = expires_at;
  client->set = set;
  client->log = log;
  client->name = name;
  reeve_rest_handshakes_begin (set, &client->handshake);
}

static void
test_turns (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ReeveRestHandshakes) set = reeve_rest_handshakes_new (context, 8);
  g_autoptr (GString) log = g_string_new (NULL);
  Client clients[3] = { 0 };

  for (guint i = 0; i < 3; i++)
    begin (&clients[i], set, log, (char) ('a' + i), 0);
  g_assert_false (g_main_context_iteration (context, FALSE));
  for (guint i = 0; i < 3; i++)
    reeve_rest_handshakes_want (set, &clients[i].handshake);
  reeve_rest_handshakes_want (set, &clients[2].handshake);
  g_main_context_iteration (context, FALSE);
  g_assert_cmpstr (log->str, ==, "a");
  /* a is half-way: before b and c */
  reeve_rest_handshakes_want (set, &clients[0].handshake);
  for (guint i = 0; i < 8; i++)
    g_main_context_iteration (context, FALSE);
  g_assert_cmpstr (log->str, ==, "aabc");
  reeve_rest_handshakes_want (set, &clients[1].handshake);
  reeve_rest_handshakes_end (set, &clients[1].handshake);
  reeve_rest_handshakes_want (set, &clients[1].handshake);
  g_assert_false (g_main_context_iteration (context, FALSE));
  g_assert_cmpuint (reeve_rest_handshakes_count (set), ==, 2);
}

static void
test_bounds (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ReeveRestHandshakes) set = reeve_rest_handshakes_new (context, 3);
  g_autoptr (GString) log = g_string_new (NULL);
  Client clients[5] = { 0 };

  for (guint i = 0; i < 5; i++)
    {
      begin (&clients[i], set, log, (char) ('a' + i), i == 3 ? 50 : 100);
      reeve_rest_handshakes_want (set, &clients[i].handshake);
    }
  g_assert_cmpstr (log->str, ==, "AB");
  g_assert_cmpuint (reeve_rest_handshakes_count (set), ==, 3);
  reeve_rest_handshakes_sweep (set, 60);
  g_assert_cmpstr (log->str, ==, "ABD");
  reeve_rest_handshakes_sweep (set, G_MAXINT64);
  g_assert_cmpstr (log->str, ==, "ABDCE");
  g_assert_cmpuint (reeve_rest_handshakes_count (set), ==, 0);
  g_assert_false (g_main_context_iteration (context, FALSE));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handshakes/turns", test_turns);
  g_test_add_func ("/handshakes/bounds", test_bounds);
  return g_test_run ();
}
