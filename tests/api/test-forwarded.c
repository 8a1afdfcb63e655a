/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asks behind proxies, and lists of addresses. */
#include "api/rest/forwarded.h"

#include <reeve-error.h>
#include <string.h>

static const char *const proxies[] = { "127.0.0.1", "10.0.0.0/8", "fd00::/8", NULL };

static void
test_forwarded_chain (void)
{
  static const struct
  {
    const char *peer;
    const char *field;
    const char *caller;
  } cases[] = {
    { "192.0.2.1", NULL, "192.0.2.1" },
    { "192.0.2.1", "10.0.0.1", "192.0.2.1" },
    { "127.0.0.1", NULL, "127.0.0.1" },
    { "127.0.0.1", "192.0.2.9", "192.0.2.9" },
    { "::ffff:127.0.0.1", "192.0.2.9", "192.0.2.9" },
    { "127.0.0.1", "10.1.1.1, 192.0.2.9", "192.0.2.9" },
    { "127.0.0.1", "203.0.113.5, 192.0.2.9 ,10.1.1.1", "192.0.2.9" },
    { "127.0.0.1", "10.1.1.1", "10.1.1.1" },
    { "fd00::1", "2001:db8::1", "2001:db8::1" },
    { "127.0.0.1", "192.0.2.9:80", "192.0.2.9" },
    { "127.0.0.1", "[2001:db8::1]:443", "2001:db8::1" },
    { "127.0.0.1", "[2001:db8::1]", "2001:db8::1" },
    { "127.0.0.1", "::ffff:192.0.2.9", "192.0.2.9" },
    { "127.0.0.1", "192.0.2.9,::ffff:10.1.1.1", "192.0.2.9" },
    { "127.0.0.1", "2002:a00:1::", "2002:a00:1::" },
    { "127.0.0.1", "10.1.1.1,2002:a00:1::", "2002:a00:1::" },
    /* a proxy that is trusted, and does not know: never the proxy itself */
    { "127.0.0.1", "192.0.2.9, unknown", "unknown" },
    { "127.0.0.1", "192.0.2.9,", "unknown" },
    { "127.0.0.1", "", "unknown" },
    { "127.0.0.1", "192.0.2.9:", "unknown" },
    { "127.0.0.1", "192.0.2.9:80x", "unknown" },
    { "127.0.0.1", "[192.0.2.9", "unknown" },
    { "127.0.0.1", "[2001:db8::1]443", "unknown" },
    { "127.0.0.1", "fe80::1%lo", "unknown" },
    { "127.0.0.1", "192.0.2.9%lo", "unknown" },
    { "127.0.0.1", "192.0.2", "unknown" },
    { "127.0.0.1", "0300.0.2.9", "unknown" },
    { "127.0.0.1", "_hidden", "unknown" },
    { NULL, "192.0.2.9", NULL },
  };
  g_autoptr (ReeveAddressList) list = reeve_address_list_new (proxies, NULL);
  g_autoptr (ReeveAddressList) none = reeve_address_list_new (NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *caller = reeve_rest_forwarded_find (cases[i].peer, cases[i].field, list);
      g_autofree char *untrusted = reeve_rest_forwarded_find (cases[i].peer, cases[i].field, none);

      g_assert_cmpstr (caller, ==, cases[i].caller);
      if (g_strcmp0 (cases[i].peer, "::ffff:127.0.0.1") == 0)
        g_assert_cmpstr (untrusted, ==, "127.0.0.1");
      else
        g_assert_cmpstr (untrusted, ==, cases[i].peer);
    }
}

/* However much somebody writes, what the proxies wrote to the right of it counts. */
static void
test_forwarded_long (void)
{
  g_autoptr (ReeveAddressList) list = reeve_address_list_new (proxies, NULL);
  g_autofree char *rubbish = g_strnfill (30000, 'x');
  g_autofree char *commas = g_strnfill (30000, ',');
  g_autoptr (GString) chain = g_string_new ("10.1.1.1");
  const char *const begins[] = { rubbish, commas };

  for (guint i = 0; i < G_N_ELEMENTS (begins); i++)
    {
      g_autofree char *field = g_strconcat (begins[i], ", 192.0.2.9, 10.1.1.1", NULL);
      g_autofree char *caller = reeve_rest_forwarded_find ("127.0.0.1", field, list);
      g_autofree char *alone = reeve_rest_forwarded_find ("127.0.0.1", begins[i], list);

      g_assert_cmpstr (caller, ==, "192.0.2.9");
      g_assert_cmpstr (alone, ==, "unknown");
    }
  for (guint i = 0; i < 1000; i++)
    g_string_append (chain, ",10.1.1.1");
  g_free (commas);
  commas = reeve_rest_forwarded_find ("127.0.0.1", chain->str, list);
  g_assert_cmpstr (commas, ==, "unknown");
}

static void
test_forwarded_lists (void)
{
  static const char *const bad[] = { "127.0.0.1", "nowhere", NULL };
  g_autoptr (ReeveAddressList) list = reeve_address_list_new (proxies, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_address_list_contains (list, "10.255.0.1"));
  g_assert_true (reeve_address_list_contains (list, "::ffff:10.255.0.1"));
  g_assert_false (reeve_address_list_contains (list, "11.0.0.1"));
  g_assert_false (reeve_address_list_contains (list, "nowhere"));
  g_assert_false (reeve_address_list_contains (list, NULL));
  g_assert_false (reeve_address_list_is_empty (list));
  g_assert_null (reeve_address_list_new (bad, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "nowhere"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/forwarded/chain", test_forwarded_chain);
  g_test_add_func ("/forwarded/long", test_forwarded_long);
  g_test_add_func ("/forwarded/lists", test_forwarded_lists);
  return g_test_run ();
}
