/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Full-text search by looking at every text: words are runs of letters and digits without case and
 * accents, hits are ranked by BM25 (Robertson and Walker 1994, k1 = 1.2, b = 0.75) where a word of
 * the title counts three times. */
#include "memory-text.h"

#include "memory-query.h"

#include <math.h>
#include <string.h>

#define TEXT_K1           1.2
#define TEXT_B            0.75
#define TEXT_TITLE_WEIGHT 3.0
#define TEXT_MAX_TERMS    32
#define TEXT_LEAST_IDF    1e-6

typedef struct
{
  MemoryValue *value;
  double *frequencies; /* by term, weighted */
  guint words;
  double score;
} MemoryTextEntry;

typedef struct
{
  const char *const *groups; /* (nullable): others count for nothing */
  GPtrArray *terms;
  GPtrArray *entries; /* of MemoryTextEntry */
  guint64 words;
} MemoryTextScan;

static void
memory_text_entry_free (MemoryTextEntry *entry)
{
  memory_map_value_unref (entry->value);
  g_free (entry->frequencies);
  g_free (entry);
}

/* (transfer full) the words of a text */
static GPtrArray *
memory_text_cut (const char *text)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *folded = g_utf8_casefold (text, -1);
  g_autofree char *plain = g_utf8_normalize (folded, -1, G_NORMALIZE_ALL);
  g_autoptr (GString) word = g_string_new (NULL);

  for (const char *at = plain; at != NULL; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if (g_unichar_ismark (c))
        continue;
      if (g_unichar_isalnum (c))
        g_string_append_unichar (word, c);
      else if (word->len > 0)
        {
          g_ptr_array_add (words, g_strdup (word->str));
          g_string_truncate (word, 0);
        }
      if (c == 0)
        break;
    }
  return words;
}

static guint
memory_text_count (MemoryTextScan *scan, MemoryTextEntry *entry, const char *text, double weight)
{
  g_autoptr (GPtrArray) words = NULL;

  if (text == NULL)
    return 0;
  words = memory_text_cut (text);
  for (guint i = 0; i < words->len; i++)
    for (guint t = 0; t < scan->terms->len; t++)
      if (strcmp (g_ptr_array_index (words, i), g_ptr_array_index (scan->terms, t)) == 0)
        entry->frequencies[t] += weight;
  return words->len;
}

static gboolean
memory_text_scan_one (const char *key, MemoryValue *value, gpointer user_data)
{
  MemoryTextScan *scan = user_data;
  MemoryTextEntry *entry = NULL;

  if (scan->groups != NULL && !g_strv_contains (scan->groups, value->group))
    return FALSE;
  entry = g_new0 (MemoryTextEntry, 1);
  entry->value = memory_map_value_ref (value);
  entry->frequencies = g_new0 (double, scan->terms->len);
  entry->words = memory_text_count (scan, entry, value->title, TEXT_TITLE_WEIGHT)
                 + memory_text_count (scan, entry, value->text, 1);
  scan->words += entry->words;
  g_ptr_array_add (scan->entries, entry);
  return FALSE;
}

static void
memory_text_score (MemoryTextScan *scan)
{
  double total = scan->entries->len;
  double average = total > 0 ? (double) scan->words / total : 0;

  for (guint t = 0; t < scan->terms->len; t++)
    {
      double holding = 0;
      double idf = 0;

      for (guint i = 0; i < scan->entries->len; i++)
        if (((MemoryTextEntry *) g_ptr_array_index (scan->entries, i))->frequencies[t] > 0)
          holding++;
      idf = MAX (log ((total - holding + 0.5) / (holding + 0.5)), TEXT_LEAST_IDF);
      for (guint i = 0; i < scan->entries->len; i++)
        {
          MemoryTextEntry *entry = g_ptr_array_index (scan->entries, i);
          double f = entry->frequencies[t];
          double length = 1 - TEXT_B + TEXT_B * entry->words / average;

          if (f > 0)
            entry->score += idf * f * (TEXT_K1 + 1) / (f + TEXT_K1 * length);
        }
    }
}

static int
memory_text_compare (gconstpointer a, gconstpointer b)
{
  const MemoryTextEntry *left = *(MemoryTextEntry *const *) a;
  const MemoryTextEntry *right = *(MemoryTextEntry *const *) b;
  int order = 0;

  if (left->score != right->score)
    return left->score > right->score ? -1 : 1;
  order = strcmp (left->value->group, right->value->group);
  return order != 0 ? order : strcmp (left->value->id, right->value->id);
}

static GPtrArray *
memory_text_collect (MemoryTextScan *scan, guint limit, GError **error)
{
  g_autoptr (GPtrArray) hits
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_text_hit_free);

  g_ptr_array_sort (scan->entries, memory_text_compare);
  for (guint i = 0; i < scan->entries->len && hits->len < limit; i++)
    {
      const MemoryTextEntry *entry = g_ptr_array_index (scan->entries, i);
      const MemoryValue *value = entry->value;
      g_autoptr (JsonObject) data = NULL;

      if (entry->score <= 0)
        continue;
      if (value->data != NULL)
        {
          data = memory_query_parse (value->data, error);
          if (data == NULL)
            return NULL;
        }
      g_ptr_array_add (
          hits, reeve_text_hit_new (value->group, value->id, value->text, data, entry->score));
    }
  return g_steal_pointer (&hits);
}

/**
 * memory_text_search:
 * @scope: a scope
 * @index: a text index
 * @query: plain words
 * @groups: (nullable): only texts of these
 * @limit: most hits
 * @error: return location
 *
 * Returns: (element-type ReeveTextHit) (transfer full): hits, best first; %NULL on error
 */
GPtrArray *
memory_text_search (MemoryScope *scope, const char *index, const char *query,
                    const char *const *groups, guint limit, GError **error)
{
  g_autoptr (GPtrArray) words = memory_text_cut (query);
  g_autoptr (GPtrArray) terms = g_ptr_array_new ();
  g_autoptr (GPtrArray) entries
      = g_ptr_array_new_with_free_func ((GDestroyNotify) memory_text_entry_free);
  g_autofree char *prefix = memory_map_key ('t', index, NULL, NULL);
  MemoryTextScan scan = { groups, terms, entries, 0 };

  if (!memory_schema_has (scope->migrations, scope->number, REEVE_STEP_TEXT, index, error))
    return NULL;
  if (limit < 1 || limit > REEVE_QUERY_MAX_LIMIT)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "the limit is not 1 to 500");
      return NULL;
    }
  for (guint i = 0; i < words->len && terms->len < TEXT_MAX_TERMS; i++)
    if (!g_ptr_array_find_with_equal_func (terms, words->pdata[i], g_str_equal, NULL))
      g_ptr_array_add (terms, words->pdata[i]);
  memory_map_each (scope->map, prefix, memory_text_scan_one, &scan);
  memory_text_score (&scan);
  return memory_text_collect (&scan, limit, error);
}
