/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard: every form of an internal address is seen through, public ones pass, grants hold for
 * one origin only. */
#include <string.h>

#include "runtime/net-guard.h"

/* addresses and what they are */
static const struct
{
  const char *address;
  ReeveNetGuardRange range;
} addresses[] = {
  { "8.8.8.8", REEVE_NET_GUARD_NONE },
  { "1.1.1.1", REEVE_NET_GUARD_NONE },
  { "172.15.255.255", REEVE_NET_GUARD_NONE },
  { "172.32.0.0", REEVE_NET_GUARD_NONE },
  { "100.63.255.255", REEVE_NET_GUARD_NONE },
  { "100.128.0.0", REEVE_NET_GUARD_NONE },
  { "192.167.255.255", REEVE_NET_GUARD_NONE },
  { "11.0.0.0", REEVE_NET_GUARD_NONE },
  { "223.255.255.255", REEVE_NET_GUARD_NONE },
  { "0.0.0.0", REEVE_NET_GUARD_UNSPECIFIED },
  { "0.1.2.3", REEVE_NET_GUARD_UNSPECIFIED },
  { "10.0.0.0", REEVE_NET_GUARD_PRIVATE },
  { "10.255.255.255", REEVE_NET_GUARD_PRIVATE },
  { "172.16.0.0", REEVE_NET_GUARD_PRIVATE },
  { "172.31.255.255", REEVE_NET_GUARD_PRIVATE },
  { "192.168.0.0", REEVE_NET_GUARD_PRIVATE },
  { "192.168.255.255", REEVE_NET_GUARD_PRIVATE },
  { "100.64.0.0", REEVE_NET_GUARD_SHARED },
  { "100.127.255.255", REEVE_NET_GUARD_SHARED },
  { "100.100.100.200", REEVE_NET_GUARD_METADATA },
  { "127.0.0.1", REEVE_NET_GUARD_LOOPBACK },
  { "127.255.255.255", REEVE_NET_GUARD_LOOPBACK },
  { "169.254.0.1", REEVE_NET_GUARD_LINK_LOCAL },
  { "169.254.169.254", REEVE_NET_GUARD_METADATA },
  { "168.63.129.16", REEVE_NET_GUARD_METADATA },
  { "192.0.0.1", REEVE_NET_GUARD_RESERVED },
  { "192.0.2.1", REEVE_NET_GUARD_RESERVED },
  { "198.18.0.1", REEVE_NET_GUARD_RESERVED },
  { "198.19.255.255", REEVE_NET_GUARD_RESERVED },
  { "198.51.100.1", REEVE_NET_GUARD_RESERVED },
  { "203.0.113.1", REEVE_NET_GUARD_RESERVED },
  { "224.0.0.1", REEVE_NET_GUARD_MULTICAST },
  { "239.255.255.255", REEVE_NET_GUARD_MULTICAST },
  { "240.0.0.1", REEVE_NET_GUARD_RESERVED },
  { "255.255.255.255", REEVE_NET_GUARD_RESERVED },
  { "2606:4700:4700::1111", REEVE_NET_GUARD_NONE },
  { "2a00:1450:4001::1", REEVE_NET_GUARD_NONE },
  { "::", REEVE_NET_GUARD_UNSPECIFIED },
  { "::1", REEVE_NET_GUARD_LOOPBACK },
  { "::127.0.0.1", REEVE_NET_GUARD_LOOPBACK },
  { "::10.0.0.1", REEVE_NET_GUARD_PRIVATE },
  { "::8.8.8.8", REEVE_NET_GUARD_RESERVED },
  { "::ffff:127.0.0.1", REEVE_NET_GUARD_LOOPBACK },
  { "::ffff:10.1.2.3", REEVE_NET_GUARD_PRIVATE },
  { "::ffff:169.254.169.254", REEVE_NET_GUARD_METADATA },
  { "::ffff:8.8.8.8", REEVE_NET_GUARD_RESERVED },
  { "::ffff:0:127.0.0.1", REEVE_NET_GUARD_LOOPBACK },
  { "64:ff9b::127.0.0.1", REEVE_NET_GUARD_LOOPBACK },
  { "64:ff9b::10.0.0.1", REEVE_NET_GUARD_PRIVATE },
  { "64:ff9b::8.8.8.8", REEVE_NET_GUARD_NONE },
  { "64:ff9b:1::10.0.0.1", REEVE_NET_GUARD_PRIVATE },
  { "2002:7f00:1::", REEVE_NET_GUARD_LOOPBACK },
  { "2002:a00:1::1", REEVE_NET_GUARD_PRIVATE },
  { "2002:808:808::1", REEVE_NET_GUARD_RESERVED },
  { "2a00::5efe:10.0.0.1", REEVE_NET_GUARD_PRIVATE },
  { "2001::1", REEVE_NET_GUARD_RESERVED },
  { "2001:db8::1", REEVE_NET_GUARD_RESERVED },
  { "3fff::1", REEVE_NET_GUARD_RESERVED },
  { "100::1", REEVE_NET_GUARD_RESERVED },
  { "fc00::1", REEVE_NET_GUARD_PRIVATE },
  { "fdff::1", REEVE_NET_GUARD_PRIVATE },
  { "fd00:ec2::254", REEVE_NET_GUARD_METADATA },
  { "fe80::1", REEVE_NET_GUARD_LINK_LOCAL },
  { "febf::1", REEVE_NET_GUARD_LINK_LOCAL },
  { "fec0::1", REEVE_NET_GUARD_PRIVATE },
  { "ff02::1", REEVE_NET_GUARD_MULTICAST },
  { "4000::1", REEVE_NET_GUARD_RESERVED },
};

static void
test_classify (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      g_autoptr (GInetAddress) address = g_inet_address_new_from_string (addresses[i].address);
      ReeveNetGuardRange range = reeve_net_guard_classify (address);

      if (range != addresses[i].range)
        g_error ("%s is %s", addresses[i].address, reeve_net_guard_range_get_name (range));
    }
}

/* hosts that are addresses to some reader, and which; NULL: names */
static const char *const forms[][2] = {
  { "127.0.0.1", "127.0.0.1" },
  { "127.1", "127.0.0.1" },
  { "127.0.1", "127.0.0.1" },
  { "2130706433", "127.0.0.1" },
  { "0x7f000001", "127.0.0.1" },
  { "0x7F.0.0.0x1", "127.0.0.1" },
  { "0177.0.0.1", "127.0.0.1" },
  { "017700000001", "127.0.0.1" },
  { "00000177.0.0.01", "127.0.0.1" },
  { "0", "0.0.0.0" },
  { "0x", "0.0.0.0" },
  { "10.1.257", "10.1.1.1" },
  { "4294967295", "255.255.255.255" },
  { "::1", "::1" },
  { "::ffff:127.0.0.1", "::ffff:127.0.0.1" },
  { "4294967296", NULL },
  { "256.1.1.1", NULL },
  { "1.2.3.4.5", NULL },
  { "1.2.3.x", NULL },
  { "127.0.0.1.example", NULL },
  { "x127.0.0.1", NULL },
  { "example.org", NULL },
  { "1..2", NULL },
};

static void
test_forms (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_autoptr (GInetAddress) address = reeve_net_guard_parse_address (forms[i][0]);
      g_autofree char *text = address != NULL ? g_inet_address_to_string (address) : NULL;

      g_assert_cmpstr (text, ==, forms[i][1]);
    }
}

/* addresses and their origins; NULL: refused, for readers differ about them */
static const char *const targets[][2] = {
  { "http://example.org", "http://example.org:80" },
  { "HTTPS://Example.ORG/a?b#c", "https://example.org:443" },
  { "https://example.org:8443/", "https://example.org:8443" },
  { "http://example.org./", "http://example.org:80" },
  { "http://[::1]:80/", "http://::1:80" },
  { "http://example.org/a@b", "http://example.org:80" },
  { "http://user@example.org/", NULL },
  { "http://user:pw@example.org/", NULL },
  { "http://@example.org/", NULL },
  { "http://example.org\\@127.0.0.1/", NULL },
  { "http://127.0.0.1\\.example.org/", NULL },
  { "http://example.org /", NULL },
  { " http://example.org/", NULL },
  { "http://exa\tmple.org/", NULL },
  { "http://example.org/\r\nX: y", NULL },
  { "http://ex\xc3\xa4mple.org/", NULL },
  { "http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa7.0.0.1/", NULL },
  { "http://ex%61mple.org/", NULL },
  { "http://127%2e0.0.1/", NULL },
  { "http://[fe80::1%25eth0]/", NULL },
  { "http://[fe80::1%eth0]/", NULL },
  { "http://[::1/", NULL },
  { "http://[::gg]/", NULL },
  { "http:///path", NULL },
  { "http://", NULL },
  { "http:example.org", NULL },
  { "//example.org/", NULL },
  { "example.org", NULL },
  { "", NULL },
  { "ftp://example.org/", NULL },
  { "file:///etc/passwd", NULL },
  { "gopher://127.0.0.1:11211/_x", NULL },
  { "javascript:alert(1)", NULL },
  { "http://example.org:0/", NULL },
  { "http://example.org:65536/", NULL },
  { "http://example.org:80x/", NULL },
  { "http://a..b/", NULL },
  { "http://.example.org/", NULL },
  { "http://exa_mple.org/", "http://exa_mple.org:80" },
  { "http://a$b.org/", NULL },
  { "http://a.org;b/", NULL },
};

static void
test_targets (void)
{
  g_autofree char *path = g_strnfill (9000, 'a');
  g_autofree char *longest = g_strconcat ("http://a/", path, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveNetGuardTarget) target = reeve_net_guard_target_new (targets[i][0], &error);

      if (g_strcmp0 (target != NULL ? target->origin : NULL, targets[i][1]) != 0)
        g_error ("%s: %s", targets[i][0], target != NULL ? target->origin : error->message);
      if (target == NULL)
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
    }
  g_assert_null (reeve_net_guard_target_new (longest, NULL));
}

static void
test_resolve (void)
{
  static const char *const refused[] = {
    "http://127.0.0.1/",
    "http://127.1:8080/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://017700000001/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::]/",
    "http://0/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://172.20.0.1/",
    "http://169.254.169.254/",
    "http://100.64.0.1/",
    "http://[fd00::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://224.0.0.1/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://x.localhost/",
    "http://metadata/",
    "http://printer/",
    "http://metadata.google.internal/",
    "http://db.internal/",
    "http://nas.local/",
    "http://kubernetes.default.svc/",
    "http://router.home.arpa/",
  };
  g_autoptr (GPtrArray) literal
      = reeve_net_guard_resolve ("https://8.8.8.8:444/", NULL, NULL, NULL);
  g_autofree char *text = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (reeve_net_guard_resolve (refused[i], NULL, NULL, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
    }
  g_assert_cmpuint (literal->len, ==, 1);
  text = g_inet_address_to_string (g_ptr_array_index (literal, 0));
  g_assert_cmpstr (text, ==, "8.8.8.8");
}

/* A name that comes to a public and to an internal address is refused. */
static void
test_mixed (void)
{
  g_autoptr (ReeveNetGuardTarget) target = reeve_net_guard_target_new ("http://a.example/", NULL);
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_net_guard_check_addresses (target, list, NULL));
  g_ptr_array_add (list, g_inet_address_new_from_string ("8.8.8.8"));
  g_assert_true (reeve_net_guard_check_addresses (target, list, NULL));
  g_ptr_array_add (list, g_inet_address_new_from_string ("192.168.0.1"));
  g_assert_false (reeve_net_guard_check_addresses (target, list, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, "private"));
}

static void
test_grants (void)
{
  static const char *const origins[]
      = { "http://127.0.0.1:9000/v1", "https://localhost", "nonsense", NULL };
  static const struct
  {
    const char *url;
    gboolean granted;
  } cases[] = {
    { "http://127.0.0.1:9000/other", TRUE }, { "http://127.0.0.1:9001/", FALSE },
    { "https://127.0.0.1:9000/", FALSE },    { "http://127.0.0.1/", FALSE },
    { "https://localhost/", TRUE },          { "http://localhost/", FALSE },
    { "https://localhost:443/", TRUE },      { "http://127.0.0.2:9000/", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ReeveNetGuardTarget) target = reeve_net_guard_target_new (cases[i].url, NULL);
      g_autoptr (GPtrArray) found = reeve_net_guard_resolve (cases[i].url, origins, NULL, NULL);

      g_assert_cmpint (reeve_net_guard_is_granted (target, origins), ==, cases[i].granted);
      g_assert_cmpint (found != NULL, ==, cases[i].granted);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/net-guard/classify", test_classify);
  g_test_add_func ("/net-guard/forms", test_forms);
  g_test_add_func ("/net-guard/targets", test_targets);
  g_test_add_func ("/net-guard/resolve", test_resolve);
  g_test_add_func ("/net-guard/mixed", test_mixed);
  g_test_add_func ("/net-guard/grants", test_grants);
  return g_test_run ();
}
