/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host does to carry the bytes of a connection is in the share of the plugin whose it is.
 */
#include "runtime/net-relays.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 100

static void
on_ended (guint64 sent, guint64 received, const char *digest, gpointer user_data)
{
  guint64 *bytes = user_data;

  *bytes = sent + received;
}

static void
test_is_counted (void)
{
  g_autoptr (ReeveNetRelays) relays = reeve_net_relays_new ();
  g_autoptr (ReeveHostTime) payer = reeve_host_time_new ();
  g_autoptr (ReeveNetRelay) relay = NULL;
  g_autoptr (GError) error = NULL;
  int near[2] = { -1, -1 };
  int far[2] = { -1, -1 };
  guint64 bytes = 0;
  char heard[8] = "";

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, near), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, far), ==, 0);
  relay = reeve_net_relay_new (near[1], far[1], 0, payer);
  g_assert_true (reeve_net_relay_begin (relay, relays, on_ended, &bytes, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < ROUNDS; i++)
    {
      g_assert_cmpint (send (near[0], "ask", 3, MSG_NOSIGNAL), ==, 3);
      g_assert_cmpint (recv (far[0], heard, 3, MSG_WAITALL), ==, 3);
    }
  close (near[0]);
  close (far[0]);
  reeve_net_relays_shutdown (relays);
  g_assert_cmpuint (bytes, ==, 3 * ROUNDS);
  /* this thread did nothing of it */
  g_assert_cmpint (reeve_host_time_get_used (payer), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/net-relay/is-counted", test_is_counted);
  return g_test_run ();
}
