/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestAddresses: the bound of all, of an address, of a network. */
#include "api/rest/addresses.h"

static GSocketAddress *
address (const char *text)
{
  return g_inet_socket_address_new_from_string (text, 1234);
}

static void
test_counts (void)
{
  g_autoptr (ReeveRestAddresses) addresses = reeve_rest_addresses_new (3, 2);
  g_autoptr (GSocketAddress) a = address ("192.0.2.1");
  g_autoptr (GSocketAddress) b = address ("192.0.2.2");
  g_autoptr (GSocketAddress) c = address ("192.0.2.3");

  g_assert_cmpint (reeve_rest_addresses_enter (addresses, a, 0), ==, REEVE_REST_ADDRESSES_WELCOME);
  g_assert_cmpint (reeve_rest_addresses_enter (addresses, a, 0), ==, REEVE_REST_ADDRESSES_WELCOME);
  g_assert_cmpint (reeve_rest_addresses_enter (addresses, a, 9), ==, REEVE_REST_ADDRESSES_GREEDY);
  g_assert_cmpint (reeve_rest_addresses_enter (addresses, b, 0), ==, REEVE_REST_ADDRESSES_WELCOME);
  g_assert_cmpint (reeve_rest_addresses_enter (addresses, c, 0), ==, REEVE_REST_ADDRESSES_FULL);
  g_assert_cmpint (reeve_rest_addresses_enter (addresses, c, 1), ==, REEVE_REST_ADDRESSES_WELCOME);
  reeve_rest_addresses_leave (addresses, a);
  reeve_rest_addresses_leave (addresses, a);
  g_assert_cmpint (reeve_rest_addresses_enter (addresses, a, 0), ==, REEVE_REST_ADDRESSES_WELCOME);
}

static void
test_networks (void)
{
  g_autoptr (ReeveRestAddresses) addresses = reeve_rest_addresses_new (10, 1);
  g_autoptr (GSocketAddress) here = address ("2001:db8::1");
  g_autoptr (GSocketAddress) neighbour = address ("2001:db8::ffff:2");
  g_autoptr (GSocketAddress) there = address ("2001:db8:0:1::1");

  g_assert_cmpint (reeve_rest_addresses_enter (addresses, here, 0), ==,
                   REEVE_REST_ADDRESSES_WELCOME);
  g_assert_cmpint (reeve_rest_addresses_enter (addresses, neighbour, 0), ==,
                   REEVE_REST_ADDRESSES_GREEDY);
  g_assert_cmpint (reeve_rest_addresses_enter (addresses, there, 0), ==,
                   REEVE_REST_ADDRESSES_WELCOME);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rest-addresses/counts", test_counts);
  g_test_add_func ("/rest-addresses/networks", test_networks);
  return g_test_run ();
}
