/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read out of a header `Authorization: Basic`, and what is refused. */
#include <glib.h>
#include <string.h>

#include "basic-header.h"

static gboolean
parse (BasicHeader *header, const char *text, gsize length)
{
  g_autofree char *token = g_base64_encode ((const guchar *) text, length);

  return basic_header_parse (header, token);
}

static void
test_basic_good (void)
{
  static const struct
  {
    const char *text;
    const char *tenant;
    const char *user;
    const char *password;
  } good[] = {
    { "Aladdin:open sesame", NULL, "Aladdin", "open sesame" }, /* RFC 7617, 2 */
    { "test:123\xc2\xa3", NULL, "test", "123\xc2\xa3" },       /* RFC 7617, 2.1 */
    { "plant/mira:a:b/c:", "plant", "mira", "a:b/c:" },
    { "m\xc3\xbcller:x", NULL, "m\xc3\xbcller", "x" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_auto (BasicHeader) header = { NULL };

      g_assert_true (parse (&header, good[i].text, strlen (good[i].text)));
      g_assert_cmpstr (header.tenant, ==, good[i].tenant);
      g_assert_cmpstr (header.user, ==, good[i].user);
      g_assert_cmpstr (header.password, ==, good[i].password);
    }
}

static void
test_basic_bad (void)
{
  g_autofree char *long_user = g_strnfill (513, 'u');
  g_autofree char *long_text = g_strconcat (long_user, ":x", NULL);
  g_autofree char *long_tenant = g_strnfill (65, 't');
  g_autofree char *long_both = g_strconcat (long_tenant, "/a:x", NULL);
  g_autofree char *long_password = g_strnfill (4000, 'p');
  g_autofree char *long_all = g_strconcat ("a:", long_password, NULL);
  const char *const bad[]
      = { "",      "a",      ":",      "a:",   ":a",      "/a:b",    "a/:b",   "a/b/c:d",   "a:b\n",
          "a\t:b", "a:\x7f", "a:\xff", "//:x", long_text, long_both, long_all, "a:\xc2\x85" };
  static const char *const tokens[]
      = { "",      "=",     "YTpi=",  "YTpi==", "YTpiYg=", "YTpiYg===",
          "YTpiY", "YT pi", "YTpi\n", "YTp_",   "YTp-",    "YTpi.YTpi" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      BasicHeader header = { NULL };

      g_test_message ("text %u", i);
      g_assert_false (parse (&header, bad[i], strlen (bad[i])));
      g_assert_null (header.user);
    }
  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++)
    {
      BasicHeader header = { NULL };

      g_test_message ("token %u", i);
      g_assert_false (basic_header_parse (&header, tokens[i]));
    }
}

static void
test_basic_nul (void)
{
  BasicHeader header = { NULL };

  g_assert_false (parse (&header, "a:b\0c", 5));
  g_assert_false (parse (&header, "a\0:b", 4));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/basic/good", test_basic_good);
  g_test_add_func ("/basic/bad", test_basic_bad);
  g_test_add_func ("/basic/nul", test_basic_nul);
  return g_test_run ();
}
