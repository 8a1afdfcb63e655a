/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which names are one line that says what it shows. */
#include "base/plain.h"

static void
test_plain_lines (void)
{
  static const char *const good[] = { "", "a b", "\xc3\xa4\xe2\x82\xac", "\xd7\x90\xd7\x91",
                                      "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb" };
  static const char *const odd[][2] = {
    { "a\tb", "a b" },
    { "a\r\nb", "a  b" },
    { "\x1b[2Jx", " [2Jx" },
    { "x\x7f", "x " },
    { "x\xc2\x9b"
      "y",
      "x y" },
    { "x\xe2\x80\xa8y", "x y" },
    { "x\xe2\x80\xaegpj.exe", "x gpj.exe" },
    { "x\xe2\x81\xa6y", "x y" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *made = reeve_plain_make_line (good[i]);

      g_assert_true (reeve_plain_is_line (good[i]));
      g_assert_cmpstr (made, ==, good[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      g_autofree char *made = reeve_plain_make_line (odd[i][0]);

      g_assert_false (reeve_plain_is_line (odd[i][0]));
      g_assert_cmpstr (made, ==, odd[i][1]);
    }
}

static void
test_plain_texts (void)
{
  g_autofree char *made = reeve_plain_make_text ("a\n\tb\r\x1b[2J");

  g_assert_cmpstr (made, ==, "a\n\tb  [2J");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plain/lines", test_plain_lines);
  g_test_add_func ("/plain/texts", test_plain_texts);
  return g_test_run ();
}
