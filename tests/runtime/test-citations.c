/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of passages over a run, markers in answers whole and in pieces, the list of references.
 */
#include "runtime/citations.h"

#define HITS                                                                                       \
  "{\"results\":[{\"document_id\":\"d1\",\"document_title\":\"Press\",\"content\":\"80 "           \
  "degrees\",\"score\":2.5,\"page_number\":null},{\"document_id\":\"d2\",\"document_title\":"      \
  "\"Pump\",\"content\":\"2 bar\",\"score\":1.0,\"page_number\":7}]}"
#define MORE                                                                                       \
  "{\"results\":[{\"document_id\":\"d2\",\"document_title\":\"Pump\",\"content\":\"2 bar\"},"      \
  "{\"document_id\":\"d3\",\"document_title\":\"Fan\",\"content\":\"9 rpm\"},{\"no\":1},5]}"

static char *
test_citations_add (ReeveCitations *citations, const char *text)
{
  g_autoptr (JsonNode) node = json_from_string (text, NULL);

  return reeve_citations_add (citations, node);
}

static char *
test_citations_map (ReeveCitations *citations, const char *text, gsize piece)
{
  g_autoptr (GString) out = g_string_new (NULL);

  reeve_citations_restart (citations);
  for (gsize i = 0; i < strlen (text); i += piece)
    reeve_citations_feed (citations, text + i, MIN (piece, strlen (text) - i), out);
  reeve_citations_flush (citations, out);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static ReeveCitations *
test_citations_new (guint most)
{
  ReeveCitations *citations = reeve_citations_new (most);
  g_autofree char *first = test_citations_add (citations, HITS);
  g_autofree char *second = test_citations_add (citations, MORE);

  g_assert_nonnull (strstr (first, "\"citation\":1"));
  g_assert_nonnull (strstr (second, "\"citation\":2"));
  g_assert_nonnull (strstr (second, "\"citation\":3"));
  g_assert_null (strstr (second, "\"citation\":4"));
  return citations;
}

static void
test_citations_markers (void)
{
  static const struct
  {
    const char *in;
    const char *out;
  } cases[] = {
    { "hot [3], wet [1], hot [3].", "hot [1], wet [2], hot [1]." },
    { "[2]", "[1]" },
    { "[9] and [0] and [] and [x] and [12345] [", "[9] and [0] and [] and [x] and [12345] [" },
    { "[[2]]", "[[1]]" },
    { "a[1][2][3]", "a[1][2][3]" },
    { "caf\xc3\xa9 [3", "caf\xc3\xa9 [3" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      for (gsize piece = 1; piece < 8; piece++)
        {
          g_autoptr (ReeveCitations) citations = test_citations_new (10);
          g_autofree char *out = test_citations_map (citations, cases[i].in, piece);

          g_assert_cmpstr (out, ==, cases[i].out);
        }
    }
}

static void
test_citations_list (void)
{
  g_autoptr (ReeveCitations) citations = test_citations_new (2);
  g_autofree char *out = test_citations_map (citations, "x [3] y [2] z [1]", 100);
  g_autoptr (JsonArray) list = reeve_citations_list (citations);
  JsonObject *second = NULL;

  g_assert_cmpstr (out, ==, "x [1] y [2] z ");
  g_assert_cmpuint (json_array_get_length (list), ==, 2);
  second = json_array_get_object_element (list, 1);
  g_assert_cmpstr (json_object_get_string_member (second, "document_id"), ==, "d2");
  g_assert_cmpstr (json_object_get_string_member (second, "title"), ==, "Pump");
  g_assert_cmpstr (json_object_get_string_member (second, "snippet"), ==, "2 bar");
  g_assert_cmpint (json_object_get_int_member (second, "page_number"), ==, 7);
}

static void
test_citations_format (void)
{
  g_autoptr (ReeveCitations) citations = test_citations_new (10);
  g_autofree char *none = reeve_citations_format (citations, "inline", FALSE, TRUE);
  g_autofree char *out = test_citations_map (citations, "[2] [1]", 100);
  g_autofree char *inlined = reeve_citations_format (citations, "inline", TRUE, TRUE);
  g_autofree char *appendix = reeve_citations_format (citations, "appendix", TRUE, FALSE);
  g_autofree char *other = reeve_citations_format (citations, NULL, TRUE, FALSE);

  g_assert_null (none);
  g_assert_null (other);
  g_assert_cmpstr (inlined, ==, "\n\nReferences\n\n[1] Pump p. 7\n[2] Press");
  g_assert_cmpstr (appendix, ==,
                   "\n\n---\n\n**References**\n\n[1] Pump (relevance: 1.00)\n[2] Press "
                   "(relevance: 2.50)");
}

static void
test_citations_snippet (void)
{
  g_autoptr (ReeveCitations) citations = reeve_citations_new (10);
  g_autoptr (GString) text = g_string_new ("{\"results\":[{\"document_id\":\"d\",\"content\":\"");
  g_autofree char *described = NULL;
  g_autofree char *out = NULL;
  g_autoptr (JsonArray) list = NULL;
  const char *snippet = NULL;

  for (guint i = 0; i < 1000; i++)
    g_string_append (text, "\xe2\x82\xac");
  g_string_append (text, "\"}]}");
  described = test_citations_add (citations, text->str);
  out = test_citations_map (citations, "[1]", 1);
  list = reeve_citations_list (citations);
  snippet = json_object_get_string_member (json_array_get_object_element (list, 0), "snippet");
  g_assert_true (g_utf8_validate (snippet, -1, NULL));
  g_assert_cmpuint (strlen (snippet), ==, 600);
}

static void
test_citations_not_hits (void)
{
  g_autoptr (ReeveCitations) citations = reeve_citations_new (10);

  g_assert_null (reeve_citations_add (citations, NULL));
  g_assert_null (test_citations_add (citations, "{\"value\":4}"));
  g_assert_null (test_citations_add (citations, "[1]"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/citations/markers", test_citations_markers);
  g_test_add_func ("/citations/list", test_citations_list);
  g_test_add_func ("/citations/format", test_citations_format);
  g_test_add_func ("/citations/snippet", test_citations_snippet);
  g_test_add_func ("/citations/not-hits", test_citations_not_hits);
  return g_test_run ();
}
