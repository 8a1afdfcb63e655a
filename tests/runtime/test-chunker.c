/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chunker: sizes, overlap, borders, headings, pages, and texts that are no prose. */
#include "runtime/chunker.h"

#include <string.h>

static GPtrArray *
split (const gchar *text, guint max_tokens, guint overlap)
{
  g_autoptr (GError) error = NULL;
  ReeveChunkerOptions options = { max_tokens, overlap };
  GPtrArray *chunks = reeve_chunker_split (text, strlen (text), NULL, 0, &options, &error);

  g_assert_no_error (error);
  return chunks;
}

static const ReeveChunk *
chunk_at (GPtrArray *chunks, guint index)
{
  g_assert_cmpuint (index, <, chunks->len);
  return g_ptr_array_index (chunks, index);
}

static gchar *
chunk_text (const gchar *text, const ReeveChunk *chunk)
{
  return g_strndup (text + chunk->start, chunk->length);
}

/* @sentences sentences of eight words and nine tokens */
static gchar *
prose (guint sentences)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < sentences; i++)
    g_string_append_printf (text, "Valve %03u opens when the oil is warm. ", i % 1000);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* every visible character stands in some chunk, and no chunk is over its size */
static void
assert_covers (const gchar *text, GPtrArray *chunks, guint max_tokens)
{
  gsize covered = 0;

  for (guint i = 0; i < chunks->len; i++)
    {
      const ReeveChunk *chunk = chunk_at (chunks, i);

      g_assert_cmpuint (chunk->length, >, 0);
      g_assert_cmpuint (chunk->tokens, <=, max_tokens);
      g_assert_cmpuint (chunk->start + chunk->length, >, covered);
      for (gsize at = covered; at < chunk->start; at++)
        g_assert_true (g_ascii_isspace (text[at]));
      covered = chunk->start + chunk->length;
    }
  for (; text[covered] != '\0'; covered++)
    g_assert_true (g_ascii_isspace (text[covered]));
}

static void
test_tokens (void)
{
  g_assert_cmpuint (reeve_chunker_count_tokens ("", 0), ==, 0);
  g_assert_cmpuint (reeve_chunker_count_tokens (" \n\t ", 4), ==, 0);
  g_assert_cmpuint (reeve_chunker_count_tokens ("oil", 3), ==, 1);
  g_assert_cmpuint (reeve_chunker_count_tokens ("hydraulic", 9), ==, 2);
  g_assert_cmpuint (reeve_chunker_count_tokens ("1234", 4), ==, 2);
  g_assert_cmpuint (reeve_chunker_count_tokens ("210 bar.", 8), ==, 3);
  g_assert_cmpuint (reeve_chunker_count_tokens ("Öl", 3), ==, 1);
  g_assert_cmpuint (reeve_chunker_count_tokens ("油圧", 6), ==, 2);
  g_assert_cmpuint (reeve_chunker_count_tokens ("a1b2", 4), ==, 4);
}

static void
test_empty (void)
{
  g_autoptr (GPtrArray) nothing = split ("", 64, 8);
  g_autoptr (GPtrArray) blank = split (" \n\n\t ", 64, 8);

  g_assert_cmpuint (nothing->len, ==, 0);
  g_assert_cmpuint (blank->len, ==, 0);
}

static void
test_one (void)
{
  const gchar *text = "\n  One short note.\n\n";
  g_autoptr (GPtrArray) chunks = split (text, 64, 8);
  g_autofree gchar *first = chunk_text (text, chunk_at (chunks, 0));

  g_assert_cmpuint (chunks->len, ==, 1);
  g_assert_cmpstr (first, ==, "One short note.");
  g_assert_cmpstr (chunk_at (chunks, 0)->heading, ==, "");
  g_assert_cmpuint (chunk_at (chunks, 0)->page, ==, 0);
}

static void
test_defaults (void)
{
  g_autofree gchar *text = prose (400);
  g_autoptr (GPtrArray) chunks = reeve_chunker_split (text, strlen (text), NULL, 0, NULL, NULL);

  assert_covers (text, chunks, 512);
  g_assert_cmpuint (chunks->len, >=, 8);
  for (guint i = 1; i < chunks->len; i++)
    {
      const ReeveChunk *before = chunk_at (chunks, i - 1);
      const ReeveChunk *chunk = chunk_at (chunks, i);
      gsize shared = before->start + before->length - chunk->start;
      guint tokens = reeve_chunker_count_tokens (text + chunk->start, shared);

      g_assert_cmpuint (tokens, >, 30);
      g_assert_cmpuint (tokens, <=, 50);
      /* both cuts fall between sentences */
      g_assert_true (g_str_has_prefix (text + chunk->start, "Valve"));
      g_assert_cmpint (text[before->start + before->length - 1], ==, '.');
    }
}

static void
test_no_overlap (void)
{
  g_autofree gchar *text = prose (60);
  g_autoptr (GPtrArray) chunks = split (text, 64, 0);

  assert_covers (text, chunks, 64);
  for (guint i = 1; i < chunks->len; i++)
    g_assert_cmpuint (chunk_at (chunks, i)->start, >=,
                      chunk_at (chunks, i - 1)->start + chunk_at (chunks, i - 1)->length);
}

static void
test_headings (void)
{
  g_autofree gchar *body = prose (4);
  g_autofree gchar *text
      = g_strdup_printf ("# Press\n\n%s\n\n## Oil ##\n\n%s\n\n## Filter\n\n%s\n\n"
                         "Spare parts\n-----------\n\n%s\n\n"
                         "```\n# no heading\n```\n",
                         body, body, body, body);
  g_autoptr (GPtrArray) chunks = split (text, 56, 8);

  assert_covers (text, chunks, 56);
  g_assert_cmpuint (chunks->len, ==, 4);
  g_assert_cmpstr (chunk_at (chunks, 0)->heading, ==, "Press");
  g_assert_cmpstr (chunk_at (chunks, 1)->heading, ==, "Press > Oil");
  g_assert_cmpstr (chunk_at (chunks, 2)->heading, ==, "Press > Filter");
  g_assert_cmpstr (chunk_at (chunks, 3)->heading, ==, "Press > Spare parts");
  g_assert_true (g_str_has_prefix (text + chunk_at (chunks, 1)->start, "## Oil ##"));
  g_assert_true (g_str_has_prefix (text + chunk_at (chunks, 3)->start, "Spare parts"));
}

static void
test_heading_stays_with_text (void)
{
  g_autofree gchar *before = prose (5);
  g_autofree gchar *after = prose (5);
  g_autofree gchar *text = g_strdup_printf ("%s\n\n# Reset\n\n%s", before, after);
  g_autoptr (GPtrArray) chunks = split (text, 56, 8);

  assert_covers (text, chunks, 56);
  for (guint i = 0; i < chunks->len; i++)
    {
      g_autofree gchar *one = chunk_text (text, chunk_at (chunks, i));

      g_assert_false (g_str_has_suffix (one, "# Reset"));
    }
}

static void
test_table_rows_stay_whole (void)
{
  g_autoptr (GString) text = g_string_new ("| code | meaning |\n|---|---|\n");
  g_autoptr (GPtrArray) chunks = NULL;

  for (guint i = 0; i < 60; i++)
    g_string_append_printf (text, "| E%02u | oil pressure too low |\n", i);
  chunks = split (text->str, 80, 10);
  assert_covers (text->str, chunks, 80);
  g_assert_cmpuint (chunks->len, >, 4);
  for (guint i = 0; i < chunks->len; i++)
    {
      g_assert_cmpint (text->str[chunk_at (chunks, i)->start], ==, '|');
      g_assert_cmpint (text->str[chunk_at (chunks, i)->start + chunk_at (chunks, i)->length - 1],
                       ==, '|');
    }
}

static void
test_words_stay_whole (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) chunks = NULL;

  for (guint i = 0; i < 500; i++)
    g_string_append_printf (text, "part%u-of/one.line ", i);
  chunks = split (text->str, 40, 9);
  assert_covers (text->str, chunks, 40);
  for (guint i = 0; i < chunks->len; i++)
    {
      const ReeveChunk *chunk = chunk_at (chunks, i);

      g_assert_true (g_str_has_prefix (text->str + chunk->start, "part"));
      g_assert_true (text->str[chunk->start + chunk->length] == ' ');
    }
}

static void
test_endless_word (void)
{
  g_autofree gchar *text = g_strnfill (5000, 'x');
  g_autoptr (GPtrArray) chunks = split (text, 32, 4);

  assert_covers (text, chunks, 32);
}

static void
test_dense_script (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) chunks = NULL;

  for (guint i = 0; i < 200; i++)
    g_string_append (text, "油圧を確認する。");
  chunks = split (text->str, 64, 16);
  assert_covers (text->str, chunks, 64);
  for (guint i = 0; i < chunks->len; i++)
    g_assert_true (g_str_has_prefix (text->str + chunk_at (chunks, i)->start, "油圧"));
}

static void
test_pages (void)
{
  g_autofree gchar *text = prose (40);
  gsize starts[3] = { 0, 400, 1100 };
  ReeveChunkerOptions options = { 32, 0 };
  g_autoptr (GPtrArray) chunks
      = reeve_chunker_split (text, strlen (text), starts, 3, &options, NULL);

  g_assert_cmpuint (chunk_at (chunks, 0)->page, ==, 1);
  g_assert_cmpuint (chunk_at (chunks, chunks->len - 1)->page, ==, 3);
  for (guint i = 0; i < chunks->len; i++)
    {
      gsize start = chunk_at (chunks, i)->start;

      g_assert_cmpuint (chunk_at (chunks, i)->page, ==, start < 400 ? 1 : start < 1100 ? 2 : 3);
    }
}

static void
test_refuses (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_chunker_split ("a\xff b", 4, NULL, 0, NULL, &error));
  g_assert_error (error, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE);
  g_clear_error (&error);
  g_assert_null (reeve_chunker_split ("a\0b", 3, NULL, 0, NULL, &error));
  g_assert_error (error, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE);
}

/* sizes out of range are brought into it */
static void
test_odd_options (void)
{
  g_autofree gchar *text = prose (30);
  g_autoptr (GPtrArray) tiny = split (text, 0, 0);
  g_autoptr (GPtrArray) greedy = split (text, 16, 1000);

  assert_covers (text, tiny, 16);
  assert_covers (text, greedy, 16);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/runtime/chunker/tokens", test_tokens);
  g_test_add_func ("/runtime/chunker/empty", test_empty);
  g_test_add_func ("/runtime/chunker/one", test_one);
  g_test_add_func ("/runtime/chunker/defaults", test_defaults);
  g_test_add_func ("/runtime/chunker/no-overlap", test_no_overlap);
  g_test_add_func ("/runtime/chunker/headings", test_headings);
  g_test_add_func ("/runtime/chunker/heading-stays-with-text", test_heading_stays_with_text);
  g_test_add_func ("/runtime/chunker/table-rows-stay-whole", test_table_rows_stay_whole);
  g_test_add_func ("/runtime/chunker/words-stay-whole", test_words_stay_whole);
  g_test_add_func ("/runtime/chunker/endless-word", test_endless_word);
  g_test_add_func ("/runtime/chunker/dense-script", test_dense_script);
  g_test_add_func ("/runtime/chunker/pages", test_pages);
  g_test_add_func ("/runtime/chunker/refuses", test_refuses);
  g_test_add_func ("/runtime/chunker/odd-options", test_odd_options);
  return g_test_run ();
}
