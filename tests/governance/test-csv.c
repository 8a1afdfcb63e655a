/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cells of tables: what a spreadsheet would calculate is told to be text. */
#include "governance/csv.h"

static const struct
{
  const char *value;
  const char *cell;
} cells[] = {
  { "", "" },
  { "plain", "plain" },
  { "a = b", "a = b" },
  { "1-2", "1-2" },
  { " plain", " plain" },
  { "=1+2", "'=1+2" },
  { "+49 30", "'+49 30" },
  { "-2", "'-2" },
  { "@cmd", "'@cmd" },
  { "'quoted", "''quoted" },
  { "\ttab", "'\ttab" },
  { "\rreturn", "\"'\rreturn\"" },
  { "\nfeed", "\"'\nfeed\"" },
  { " =1+2", "' =1+2" },
  { " \t @cmd", "' \t @cmd" },
  { "\v-2", "'\v-2" },
  { "\x01+1", "'\x01+1" },
  { "\xc2\xa0=1", "'\xc2\xa0=1" },         /* no-break space */
  { "\xe3\x80\x80=1", "'\xe3\x80\x80=1" }, /* ideographic space */
  { "\xe2\x80\x8b=1", "'\xe2\x80\x8b=1" }, /* zero width space */
  { "\xef\xbb\xbf=1", "'\xef\xbb\xbf=1" }, /* byte order mark */
  { "\xef\xbc\x9d"
    "1",
    "'\xef\xbc\x9d"
    "1" },
  { "\xef\xbc\x8b"
    "1",
    "'\xef\xbc\x8b"
    "1" },
  { "\xef\xbc\x8d"
    "1",
    "'\xef\xbc\x8d"
    "1" },
  { "\xef\xbc\xa0"
    "SUM",
    "'\xef\xbc\xa0"
    "SUM" },
  { " \xef\xbc\x9d"
    "1",
    "' \xef\xbc\x9d"
    "1" },
  { "\xe2\x88\x92"
    "1",
    "'\xe2\x88\x92"
    "1" },
  { "\xc3\xa4=1", "\xc3\xa4=1" },
  { " =1,\"2\"", "\"' =1,\"\"2\"\"\"" },
  /* no UTF-8: what comes behind is not looked at */
  { " \xff=1", " \xff=1" },
  { "\xe3\x80", "\xe3\x80" },
};

static void
test_cells (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cells); i++)
    {
      g_autoptr (GString) out = g_string_new ("1,");
      g_autofree char *wanted = g_strconcat ("1,", cells[i].cell, NULL);

      reeve_csv_append (out, cells[i].value);
      g_assert_cmpstr (out->str, ==, wanted);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/csv/cells", test_cells);
  return g_test_run ();
}
