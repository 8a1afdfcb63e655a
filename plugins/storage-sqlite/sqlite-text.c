/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Full-text search. The words of a query are cut by the index's own tokenizer and become quoted
 * terms joined by OR, so that no text of a caller is ever read as query syntax. FTS5 has no
 * pruning: in a big index a term that stands in more than a fifth of the texts costs far more than
 * it tells, so it is left out while rarer ones remain. */
#include "sqlite-text.h"

#include "sqlite-query.h"
#include "sqlite-rank.h"
#include "sqlite-text-groups.h"

#include <string.h>

#define TEXT_MAX_QUERY      8192
#define TEXT_BIG            2000
#define TEXT_COMMON_DIVISOR 5

typedef struct
{
  GHashTable *seen;
  GPtrArray *terms;
} SqliteTextTerms;

static int
sqlite_text_add_term (void *data, int flags, const char *token, int length, int start, int end)
{
  SqliteTextTerms *found = data;
  char *term = NULL;

  if (found->terms->len >= SQLITE_RANK_MAX_TERMS)
    return SQLITE_DONE;
  term = g_strndup (token, (gsize) length);
  if (g_hash_table_contains (found->seen, term))
    {
      g_free (term);
      return SQLITE_OK;
    }
  g_hash_table_add (found->seen, term);
  g_ptr_array_add (found->terms, term);
  return SQLITE_OK;
}

static gboolean
sqlite_text_cut (SqliteConnection *connection, const char *text, SqliteTextTerms *found,
                 GError **error)
{
  fts5_api *api = sqlite_rank_get_api (sqlite_connection_get_db (connection));
  static const char *arguments[] = { "remove_diacritics", "2" };
  fts5_tokenizer tokenizer = { 0 };
  Fts5Tokenizer *instance = NULL;
  gsize length = strnlen (text, TEXT_MAX_QUERY);
  void *context = NULL;
  int code = SQLITE_OK;

  if (api == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "sqlite has no fts5");
      return FALSE;
    }
  code = api->xFindTokenizer (api, "unicode61", &context, &tokenizer);
  if (code == SQLITE_OK)
    code = tokenizer.xCreate (context, arguments, G_N_ELEMENTS (arguments), &instance);
  if (code == SQLITE_OK)
    {
      code = tokenizer.xTokenize (instance, found, FTS5_TOKENIZE_QUERY, text, (int) length,
                                  sqlite_text_add_term);
      tokenizer.xDelete (instance);
    }
  if (code == SQLITE_OK || code == SQLITE_DONE)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "cutting a query into words: %s",
               sqlite3_errstr (code));
  return FALSE;
}

static gboolean
sqlite_text_count_term (SqliteStore *store, SqliteConnection *connection,
                        const SqliteTextIndex *index, const char *term, gint64 texts,
                        gint64 *frequency, GError **error)
{
  sqlite3_stmt *statement = NULL;
  gboolean row = FALSE;

  if (sqlite_store_find_frequency (store, index->name, term, texts, frequency))
    return TRUE;
  statement = sqlite_connection_prepare (connection, index->frequency, error);
  *frequency = 0;
  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, term);
  if (!sqlite_connection_step (connection, statement, &row, error))
    return FALSE;
  if (row)
    *frequency = sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);
  sqlite_store_add_frequency (store, index->name, term, texts, *frequency);
  return TRUE;
}

typedef struct
{
  const char *term;
  gint64 frequency;
} SqliteTextCount;

static int
sqlite_text_compare_counts (gconstpointer a, gconstpointer b)
{
  const SqliteTextCount *left = a;
  const SqliteTextCount *right = b;

  return left->frequency < right->frequency ? -1 : left->frequency > right->frequency;
}

/* the counts of those terms that stand anywhere */
static gboolean
sqlite_text_count_terms (SqliteStore *store, SqliteConnection *connection,
                         const SqliteTextIndex *index, GPtrArray *terms, gint64 texts,
                         GArray *counts, GError **error)
{
  for (guint i = 0; i < terms->len; i++)
    {
      SqliteTextCount count = { g_ptr_array_index (terms, i), 0 };

      if (!sqlite_text_count_term (store, connection, index, count.term, texts, &count.frequency,
                                   error))
        return FALSE;
      if (count.frequency > 0)
        g_array_append_val (counts, count);
    }
  return TRUE;
}

/* leaves the rarest term, and further ones as long as all of them together stand in few enough
 * texts: that bounds the work of a search, whatever is asked */
static void
sqlite_text_drop_common (GArray *counts, gint64 texts)
{
  gint64 sum = 0;

  if (texts < TEXT_BIG)
    return;
  g_array_sort (counts, sqlite_text_compare_counts);
  for (guint i = 0; i < counts->len; i++)
    {
      sum += g_array_index (counts, SqliteTextCount, i).frequency;
      if (i > 0 && sum > texts / TEXT_COMMON_DIVISOR)
        g_array_set_size (counts, i);
    }
}

/* what terms weigh; lengths are looked up text by text, so not where even the rarest word is
 * common: such a search tells little anyway */
static char *
sqlite_text_write_rank (GArray *counts, gint64 texts)
{
  GString *rank = g_string_new (NULL);
  gint64 least = g_array_index (counts, SqliteTextCount, 0).frequency;
  gboolean lengths = texts < TEXT_BIG || least <= texts / TEXT_COMMON_DIVISOR;
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (rank, "reeve_rank(3.0, 1.0, %d", lengths ? 1 : 0);
  for (guint i = 0; i < counts->len; i++)
    {
      double weight
          = sqlite_rank_weigh (texts, g_array_index (counts, SqliteTextCount, i).frequency);

      g_string_append_printf (rank, ", %s",
                              g_ascii_formatd (number, sizeof number, "%.9f", weight));
    }
  g_string_append_c (rank, ')');
  return g_string_free (rank, FALSE);
}

static char *
sqlite_text_write_match (GArray *counts)
{
  GString *match = g_string_new (NULL);

  for (guint i = 0; i < counts->len; i++)
    {
      g_autoptr (GString) term = g_string_new (g_array_index (counts, SqliteTextCount, i).term);

      g_string_replace (term, "\"", "\"\"", 0);
      g_string_append_printf (match, "%s\"%s\"", i == 0 ? "" : " OR ", term->str);
    }
  return g_string_free (match, FALSE);
}

/**
 * sqlite_text_read_hit:
 * @statement: stands on a row of group, key, text and data
 * @score: how well it answers
 * @error: return location
 *
 * Returns: (transfer full): the hit; %NULL on error
 */
ReeveTextHit *
sqlite_text_read_hit (sqlite3_stmt *statement, double score, GError **error)
{
  const char *text = (const char *) sqlite3_column_text (statement, 3);
  g_autoptr (JsonObject) data = NULL;

  if (text != NULL)
    {
      data = sqlite_query_parse_object (text, error);
      if (data == NULL)
        return NULL;
    }
  return reeve_text_hit_new ((const char *) sqlite3_column_text (statement, 0),
                             (const char *) sqlite3_column_text (statement, 1),
                             (const char *) sqlite3_column_text (statement, 2), data, score);
}

static GPtrArray *
sqlite_text_run (SqliteConnection *connection, const SqliteTextIndex *index, GArray *counts,
                 gint64 texts, const SqliteTextSearch *search, GError **error)
{
  g_autoptr (GPtrArray) hits
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_text_hit_free);
  g_autofree char *match = sqlite_text_write_match (counts);
  g_autofree char *rank = sqlite_text_write_rank (counts, texts);
  gboolean row = FALSE;
  sqlite3_stmt *statement = sqlite_connection_prepare (connection, index->search, error);

  if (statement == NULL)
    return NULL;
  sqlite_connection_bind_text (statement, 1, match);
  sqlite3_bind_int64 (statement, 2, search->limit);
  sqlite_connection_bind_text (statement, 3, rank);
  if (!sqlite_connection_step (connection, statement, &row, error))
    return NULL;
  while (row)
    {
      ReeveTextHit *hit
          = sqlite_text_read_hit (statement, sqlite3_column_double (statement, 4), error);

      if (hit == NULL)
        {
          sqlite3_reset (statement);
          return NULL;
        }
      g_ptr_array_add (hits, hit);
      if (!sqlite_connection_step (connection, statement, &row, error))
        return NULL;
    }
  return g_steal_pointer (&hits);
}

/* As if there were no other groups: what their texts hold counts for nothing. */
static GPtrArray *
sqlite_text_search_in (SqliteConnection *connection, const SqliteTextIndex *index, GPtrArray *terms,
                       const SqliteTextSearch *search, GError **error)
{
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (SqliteTextCount));
  g_autofree char *match = NULL;

  for (guint i = 0; i < terms->len; i++)
    {
      SqliteTextCount count = { g_ptr_array_index (terms, i), 0 };

      g_array_append_val (counts, count);
    }
  if (counts->len == 0 || search->groups[0] == NULL)
    return g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_text_hit_free);
  match = sqlite_text_write_match (counts);
  return sqlite_text_groups_search (connection, index, match, search, error);
}

/**
 * sqlite_text_search:
 * @store: a store
 * @connection: one of its connections
 * @search: what to look for
 * @error: return location
 *
 * Returns: (element-type ReeveTextHit) (transfer full): hits, best first; %NULL on error
 */
GPtrArray *
sqlite_text_search (SqliteStore *store, SqliteConnection *connection,
                    const SqliteTextSearch *search, GError **error)
{
  const SqliteTextIndex *index
      = sqlite_schema_find_text (sqlite_store_get_schema (store), search->index, error);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) terms = g_ptr_array_new ();
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (SqliteTextCount));
  SqliteTextTerms found = { seen, terms };
  gint64 texts = 0;

  if (index == NULL)
    return NULL;
  if (search->limit < 1 || search->limit > REEVE_QUERY_MAX_LIMIT)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "the limit is not 1 to 500");
      return NULL;
    }
  if (!sqlite_text_cut (connection, search->query, &found, error))
    return NULL;
  if (search->groups != NULL)
    return sqlite_text_search_in (connection, index, terms, search, error);
  if (!sqlite_connection_get_int (connection, index->count, &texts, error)
      || !sqlite_text_count_terms (store, connection, index, terms, texts, counts, error))
    return NULL;
  sqlite_text_drop_common (counts, texts);
  if (counts->len == 0)
    return g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_text_hit_free);
  return sqlite_text_run (connection, index, counts, texts, search, error);
}
