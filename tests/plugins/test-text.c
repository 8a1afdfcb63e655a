/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* extractor-text: what is read, what is refused and why, titles. */
#include "text-decode.h"
#include "text-extractor.h"

#include <string.h>

static ReeveExtract *
extract (const gchar *data, gsize length, GError **error)
{
  g_autoptr (ReeveExtractor) extractor = g_object_new (TEXT_TYPE_EXTRACTOR, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);

  return reeve_extractor_extract (extractor, bytes, "text/plain", "a.txt", context, error);
}

static void
assert_text (const gchar *data, gsize length, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveExtract) read = extract (data, length, &error);
  guint number = 7;

  g_assert_no_error (error);
  g_assert_cmpuint (reeve_extract_get_n_pages (read), ==, 1);
  g_assert_cmpstr (reeve_extract_get_page (read, 0, &number), ==, text);
  g_assert_cmpuint (number, ==, 0);
}

static void
test_reads (void)
{
  assert_text ("", 0, "");
  assert_text ("Öl", 3, "Öl");
  assert_text ("\xef\xbb\xbfOil", 6, "Oil");
  assert_text ("a\r\nb\rc\n", 7, "a\nb\nc\n");
  assert_text ("a\fb\tc\x07"
               "d",
               7, "a\nb\tc d");
}

static void
assert_refused (const gchar *data, gsize length, const gchar *why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveExtract) read = extract (data, length, &error);

  g_assert_null (read);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, why));
}

static void
test_refuses (void)
{
  assert_refused ("\xff\xfeO\0", 4, "UTF-16");
  assert_refused ("\xfe\xff\0O", 4, "UTF-16");
  assert_refused ("\xff\xfe\0\0", 4, "UTF-32");
  assert_refused ("Oil\0", 4, "offset 3");
  assert_refused ("\xd6l", 2, "0xD6 at offset 0");
  assert_refused ("Oil \xc3", 5, "offset 4");
}

static void
assert_title (const gchar *text, const gchar *title)
{
  g_autofree gchar *found = text_decode_title (text);

  g_assert_cmpstr (found, ==, title);
}

static void
test_titles (void)
{
  assert_title ("", NULL);
  assert_title ("No heading here.\n", NULL);
  assert_title ("intro\n\n## The Press ##\n\n# Other\n", "The Press");
  assert_title ("The Press\n=========\n", "The Press");
  assert_title ("```\n# code\n```\n# Text\n", "Text");
  assert_title ("#tag\n####### seven\n# Real", "Real");
  assert_title ("# \n## Second", "Second");
}

static void
test_title_of_extract (void)
{
  g_autoptr (ReeveExtract) read = extract ("# Press\n\nText", 13, NULL);

  g_assert_cmpstr (reeve_extract_get_title (read), ==, "Press");
}

static void
test_long_title (void)
{
  g_autoptr (GString) text = g_string_new ("# ");
  g_autofree gchar *title = NULL;

  for (guint i = 0; i < 300; i++)
    g_string_append (text, "ö");
  title = text_decode_title (text->str);
  g_assert_cmpuint (strlen (title), ==, 200);
  g_assert_true (g_utf8_validate (title, -1, NULL));
}

static void
test_media_types (void)
{
  g_autoptr (ReeveExtractor) extractor = g_object_new (TEXT_TYPE_EXTRACTOR, NULL);

  g_assert_true (g_strv_contains (reeve_extractor_media_types (extractor), "text/plain"));
  g_assert_true (g_strv_contains (reeve_extractor_media_types (extractor), "text/markdown"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plugins/text/reads", test_reads);
  g_test_add_func ("/plugins/text/refuses", test_refuses);
  g_test_add_func ("/plugins/text/titles", test_titles);
  g_test_add_func ("/plugins/text/title-of-extract", test_title_of_extract);
  g_test_add_func ("/plugins/text/long-title", test_long_title);
  g_test_add_func ("/plugins/text/media-types", test_media_types);
  return g_test_run ();
}
