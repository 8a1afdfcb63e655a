/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passages are numbered over a whole run, so that two searches do not both have a [1]; an answer is
 * renumbered by first use, so that its markers count 1, 2, 3 and index its list of citations. */
#include "citations.h"

#include <string.h>

#define REEVE_CITATIONS_SNIPPET 600 /* bytes of a passage that are shown */
#define REEVE_CITATIONS_DIGITS  4   /* longest marker: [9999] */

typedef struct
{
  JsonObject *hit;
  guint shown; /* number in the answer; 0: not cited */
} ReeveCitationsHit;

struct _ReeveCitations
{
  GArray *hits;      /* ReeveCitationsHit */
  GHashTable *known; /* document id and content -> position + 1 */
  GPtrArray *cited;  /* JsonObject, borrowed, in order of first use */
  guint max_citations;
  char held[REEVE_CITATIONS_DIGITS + 2]; /* "[12", the beginning of a marker */
  gsize n_held;
};

static void
reeve_citations_clear_hit (gpointer data)
{
  ReeveCitationsHit *hit = data;

  json_object_unref (hit->hit);
}

/**
 * reeve_citations_new:
 * @max_citations: most passages an answer may cite; further markers are left out
 *
 * Returns: (transfer full): without passages
 */
ReeveCitations *
reeve_citations_new (guint max_citations)
{
  ReeveCitations *self = g_new0 (ReeveCitations, 1);

  self->hits = g_array_new (FALSE, TRUE, sizeof (ReeveCitationsHit));
  g_array_set_clear_func (self->hits, reeve_citations_clear_hit);
  self->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->cited = g_ptr_array_new ();
  self->max_citations = max_citations;
  return self;
}

/**
 * reeve_citations_free:
 * @self: (transfer full): citations
 */
void
reeve_citations_free (ReeveCitations *self)
{
  g_ptr_array_unref (self->cited);
  g_hash_table_unref (self->known);
  g_array_unref (self->hits);
  g_free (self);
}

/* Number of a hit, from 1: the old one for a passage that was found before. */
static guint
reeve_citations_number (ReeveCitations *self, JsonObject *hit)
{
  g_autofree char *key = g_strdup_printf ("%s\n%s", reeve_json_get_string (hit, "document_id", ""),
                                          reeve_json_get_string (hit, "content", ""));
  guint number = GPOINTER_TO_UINT (g_hash_table_lookup (self->known, key));
  ReeveCitationsHit added = { 0 };

  if (number != 0)
    return number;
  added.hit = json_object_ref (hit);
  g_array_append_val (self->hits, added);
  g_hash_table_insert (self->known, g_steal_pointer (&key), GUINT_TO_POINTER (self->hits->len));
  return self->hits->len;
}

static void
reeve_citations_copy_member (JsonObject *from, JsonObject *to, const char *member, const char *as)
{
  JsonNode *node = json_object_get_member (from, member);

  if (node != NULL)
    json_object_set_member (to, as, json_node_ref (node));
  else
    json_object_set_null_member (to, as);
}

static JsonObject *
reeve_citations_describe (JsonObject *hit, guint number)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "citation", number);
  reeve_citations_copy_member (hit, object, "document_title", "document_title");
  reeve_citations_copy_member (hit, object, "page_number", "page_number");
  reeve_citations_copy_member (hit, object, "score", "score");
  reeve_citations_copy_member (hit, object, "heading", "heading");
  reeve_citations_copy_member (hit, object, "content", "content");
  return object;
}

/**
 * reeve_citations_add:
 * @self: citations
 * @data: (nullable): structured result of a tool
 *
 * Takes up the hits of a result: objects in its member `results` that have a `document_id`.
 *
 * Returns: (transfer full) (nullable): the result as JSON text with the number of each hit, or
 * %NULL when it holds no hits
 */
char *
reeve_citations_add (ReeveCitations *self, JsonNode *data)
{
  JsonArray *results = NULL;
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonArray *described = NULL;

  if (data != NULL && JSON_NODE_HOLDS_OBJECT (data))
    results = reeve_json_get_array (json_node_get_object (data), "results");
  if (results == NULL)
    return NULL;
  described = json_array_new ();
  json_object_set_array_member (object, "results", described);
  for (guint i = 0; i < json_array_get_length (results); i++)
    {
      JsonNode *element = json_array_get_element (results, i);
      JsonObject *hit = JSON_NODE_HOLDS_OBJECT (element) ? json_node_get_object (element) : NULL;

      if (hit == NULL || reeve_json_get_string (hit, "document_id", NULL) == NULL)
        continue;
      json_array_add_object_element (
          described, reeve_citations_describe (hit, reeve_citations_number (self, hit)));
    }
  json_node_set_object (node, object);
  return reeve_json_text (node);
}

/**
 * reeve_citations_restart:
 * @self: citations
 *
 * A new answer begins: nothing is cited yet. The numbers of passages stay.
 */
void
reeve_citations_restart (ReeveCitations *self)
{
  for (guint i = 0; i < self->hits->len; i++)
    g_array_index (self->hits, ReeveCitationsHit, i).shown = 0;
  g_ptr_array_set_size (self->cited, 0);
  self->n_held = 0;
}

/* The marker that is held is whole: writes it in the answer's numbering. */
static void
reeve_citations_mark (ReeveCitations *self, GString *out)
{
  guint64 number = 0;
  ReeveCitationsHit *hit = NULL;

  self->held[self->n_held] = '\0';
  number = g_ascii_strtoull (self->held + 1, NULL, 10);
  self->n_held = 0;
  if (number == 0 || number > self->hits->len)
    {
      g_string_append_printf (out, "%s]", self->held);
      return;
    }
  hit = &g_array_index (self->hits, ReeveCitationsHit, number - 1);
  if (hit->shown == 0)
    {
      if (self->cited->len >= self->max_citations)
        return;
      g_ptr_array_add (self->cited, hit->hit);
      hit->shown = self->cited->len;
    }
  g_string_append_printf (out, "[%u]", hit->shown);
}

/**
 * reeve_citations_feed:
 * @self: citations
 * @text: a piece of an answer, not terminated
 * @length: its bytes
 * @out: where the mapped text is appended
 *
 * Maps the markers of a piece; the beginning of a marker at its end is held back.
 */
void
reeve_citations_feed (ReeveCitations *self, const char *text, gsize length, GString *out)
{
  for (gsize i = 0; i < length; i++)
    {
      char c = text[i];

      if (self->n_held > 1 && c == ']')
        {
          reeve_citations_mark (self, out);
          continue;
        }
      if (self->n_held > 0 && g_ascii_isdigit (c) && self->n_held <= REEVE_CITATIONS_DIGITS)
        {
          self->held[self->n_held++] = c;
          continue;
        }
      reeve_citations_flush (self, out);
      if (c == '[')
        self->held[self->n_held++] = c;
      else
        g_string_append_c (out, c);
    }
}

/**
 * reeve_citations_flush:
 * @self: citations
 * @out: where what was held back is appended
 *
 * The answer has ended, or what was held is no marker.
 */
void
reeve_citations_flush (ReeveCitations *self, GString *out)
{
  g_string_append_len (out, self->held, (gssize) self->n_held);
  self->n_held = 0;
}

static char *
reeve_citations_snippet (const char *content)
{
  gsize length = strlen (content);
  const char *end = content + length;

  if (length > REEVE_CITATIONS_SNIPPET)
    end = g_utf8_find_prev_char (content, content + REEVE_CITATIONS_SNIPPET + 1);
  return g_strndup (content, end != NULL ? (gsize) (end - content) : 0);
}

/**
 * reeve_citations_list:
 * @self: citations
 *
 * Returns: (transfer full): the cited passages, in the order of their markers
 */
JsonArray *
reeve_citations_list (ReeveCitations *self)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < self->cited->len; i++)
    {
      JsonObject *hit = g_ptr_array_index (self->cited, i);
      JsonObject *citation = json_object_new ();
      g_autofree char *snippet
          = reeve_citations_snippet (reeve_json_get_string (hit, "content", ""));

      reeve_citations_copy_member (hit, citation, "document_id", "document_id");
      reeve_citations_copy_member (hit, citation, "document_title", "title");
      json_object_set_string_member (citation, "snippet", snippet);
      reeve_citations_copy_member (hit, citation, "score", "score");
      reeve_citations_copy_member (hit, citation, "page_number", "page_number");
      json_array_add_object_element (array, citation);
    }
  return array;
}

/**
 * reeve_citations_format:
 * @self: citations
 * @style: (nullable): `inline` or `appendix`
 * @include_score: show how relevant each is (appendix)
 * @include_page: show pages
 *
 * Returns: (transfer full) (nullable): the list of references to append to the answer
 */
char *
reeve_citations_format (ReeveCitations *self, const char *style, gboolean include_score,
                        gboolean include_page)
{
  gboolean appendix = g_strcmp0 (style, "appendix") == 0;
  g_autoptr (GString) text = g_string_new (NULL);

  if ((!appendix && g_strcmp0 (style, "inline") != 0) || self->cited->len == 0)
    return NULL;
  g_string_append (text, appendix ? "\n\n---\n\n**References**\n" : "\n\nReferences\n");
  for (guint i = 0; i < self->cited->len; i++)
    {
      JsonObject *hit = g_ptr_array_index (self->cited, i);
      gint64 page = reeve_json_get_int (hit, "page_number", 0);

      g_string_append_printf (text, "\n[%u] %s", i + 1,
                              reeve_json_get_string (hit, "document_title", ""));
      if (include_page && page > 0)
        g_string_append_printf (text, " p. %" G_GINT64_FORMAT, page);
      if (appendix && include_score && json_object_has_member (hit, "score"))
        g_string_append_printf (text, " (relevance: %.2f)",
                                json_object_get_double_member (hit, "score"));
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}
