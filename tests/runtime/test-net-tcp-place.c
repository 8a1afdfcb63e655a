/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a connection of net.tcp may lead to, once its name is looked up. */
#include "runtime/net-tcp-place.h"

/* What a name may come to: as net.http, and what nobody in the world is at, not. */
static void
test_addresses (void)
{
  static const struct
  {
    const char *host;
    const char *address;
    gboolean good;
  } rows[] = {
    { "db.example.com", "8.8.8.8", TRUE },
    { "db.example.com", "10.1.2.3", TRUE },
    { "db.example.com", "100.64.0.1", TRUE },
    { "db.example.com", "127.0.0.1", FALSE },
    { "db.example.com", "169.254.169.254", FALSE },
    { "db.example.com", "::1", FALSE },
    { "db.example.com", "::ffff:127.0.0.1", FALSE },
    { "db.example.com", "0.0.0.0", FALSE },
    { "db.example.com", "224.0.0.1", FALSE },
    { "db.example.com", "fe80::1", FALSE },
    { "localhost", "127.0.0.1", TRUE },
    { "db.internal", "127.0.0.1", TRUE },
    { "127.0.0.1", "127.0.0.1", TRUE },
    { "::1", "::1", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveNetTcpPlace) place = reeve_net_tcp_place_new (rows[i].host, 5432, &error);
      g_autoptr (GPtrArray) addresses = g_ptr_array_new_with_free_func (g_object_unref);
      gboolean good = FALSE;

      g_assert_no_error (error);
      g_ptr_array_add (addresses, g_inet_address_new_from_string ("8.8.4.4"));
      g_ptr_array_add (addresses, g_inet_address_new_from_string (rows[i].address));
      good = reeve_net_tcp_place_check (place, addresses, &error);
      if (good != rows[i].good)
        g_error ("%s at %s", rows[i].host, rows[i].address);
      if (!good)
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/net-tcp-place/addresses", test_addresses);
  return g_test_run ();
}
