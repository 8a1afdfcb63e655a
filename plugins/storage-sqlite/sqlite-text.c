/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Full-text search. The words of a query are cut by the index's own tokenizer and become quoted
 * terms joined by OR, so that no text of a caller is ever read as query syntax. FTS5 has no
 * pruning: in a big index a term that stands in more than a fifth of the texts costs far more than
 * it tells, so it is left out while rarer ones remain. */
#include "sqlite-text.h"

#include "sqlite-query.h"

#include <string.h>

#define TEXT_MAX_TERMS      32
#define TEXT_MAX_QUERY      8192
#define TEXT_BIG            2000
#define TEXT_COMMON_DIVISOR 5

typedef struct
{
  GHashTable *seen;
  GPtrArray *terms;
} SqliteTextTerms;

/* the tokenizers of a connection are reached through a pointer that a query returns */
static fts5_api *
sqlite_text_get_api (SqliteConnection *connection, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (connection, "SELECT fts5 (?1)", error);
  gboolean row = FALSE;
  fts5_api *api = NULL;

  if (statement == NULL)
    return NULL;
  sqlite3_bind_pointer (statement, 1, &api, "fts5_api_ptr", NULL);
  if (!sqlite_connection_step (connection, statement, &row, error))
    return NULL;
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
  if (api == NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "sqlite has no fts5");
  return api;
}

static int
sqlite_text_add_term (void *data, int flags, const char *token, int length, int start, int end)
{
  SqliteTextTerms *found = data;
  char *term = NULL;

  if (found->terms->len >= TEXT_MAX_TERMS)
    return SQLITE_DONE;
  term = g_strndup (token, (gsize) length);
  if (g_hash_table_add (found->seen, term))
    g_ptr_array_add (found->terms, term);
  return SQLITE_OK;
}

static gboolean
sqlite_text_cut (SqliteConnection *connection, const char *text, SqliteTextTerms *found,
                 GError **error)
{
  fts5_api *api = sqlite_text_get_api (connection, error);
  static const char *arguments[] = { "remove_diacritics", "2" };
  fts5_tokenizer tokenizer = { 0 };
  Fts5Tokenizer *instance = NULL;
  gsize length = strnlen (text, TEXT_MAX_QUERY);
  void *context = NULL;
  int code = SQLITE_OK;

  if (api == NULL)
    return FALSE;
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

/* leaves the terms that are rare enough, or else the rarest one */
static gboolean
sqlite_text_drop_common (SqliteStore *store, SqliteConnection *connection,
                         const SqliteTextIndex *index, GPtrArray *terms, GError **error)
{
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  const char *rarest = NULL;
  gint64 least = G_MAXINT64;
  gint64 texts = 0;

  if (!sqlite_connection_get_int (connection, index->count, &texts, error))
    return FALSE;
  if (texts < TEXT_BIG)
    return TRUE;
  for (guint i = 0; i < terms->len; i++)
    {
      const char *term = g_ptr_array_index (terms, i);
      gint64 frequency = 0;

      if (!sqlite_text_count_term (store, connection, index, term, texts, &frequency, error))
        return FALSE;
      if (frequency > 0 && frequency <= texts / TEXT_COMMON_DIVISOR)
        g_ptr_array_add (kept, (gpointer) term);
      if (frequency > 0 && frequency < least)
        {
          least = frequency;
          rarest = term;
        }
    }
  if (kept->len == 0 && rarest != NULL)
    g_ptr_array_add (kept, (gpointer) rarest);
  g_ptr_array_set_size (terms, 0);
  g_ptr_array_extend (terms, kept, NULL, NULL);
  return TRUE;
}

static char *
sqlite_text_write_match (GPtrArray *terms)
{
  GString *match = g_string_new (NULL);

  for (guint i = 0; i < terms->len; i++)
    {
      g_autoptr (GString) term = g_string_new (g_ptr_array_index (terms, i));

      g_string_replace (term, "\"", "\"\"", 0);
      g_string_append_printf (match, "%s\"%s\"", i == 0 ? "" : " OR ", term->str);
    }
  return g_string_free (match, FALSE);
}

static char *
sqlite_text_write_groups (const char *const *groups)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();

  json_node_take_array (node, array);
  for (guint i = 0; groups[i] != NULL; i++)
    json_array_add_string_element (array, groups[i]);
  return json_to_string (node, FALSE);
}

static ReeveTextHit *
sqlite_text_read_hit (sqlite3_stmt *statement, GError **error)
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
                             (const char *) sqlite3_column_text (statement, 2), data,
                             sqlite3_column_double (statement, 4));
}

static GPtrArray *
sqlite_text_run (SqliteConnection *connection, const SqliteTextIndex *index, GPtrArray *terms,
                 const SqliteTextSearch *search, GError **error)
{
  g_autoptr (GPtrArray) hits
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_text_hit_free);
  g_autofree char *match = sqlite_text_write_match (terms);
  g_autofree char *groups = NULL;
  gboolean row = FALSE;
  sqlite3_stmt *statement = sqlite_connection_prepare (
      connection, search->groups != NULL ? index->search_in : index->search, error);

  if (statement == NULL)
    return NULL;
  sqlite_connection_bind_text (statement, 1, match);
  sqlite3_bind_int64 (statement, 2, search->limit);
  if (search->groups != NULL)
    {
      groups = sqlite_text_write_groups (search->groups);
      sqlite_connection_bind_text (statement, 3, groups);
    }
  if (!sqlite_connection_step (connection, statement, &row, error))
    return NULL;
  while (row)
    {
      ReeveTextHit *hit = sqlite_text_read_hit (statement, error);

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
  SqliteTextTerms found = { seen, terms };

  if (index == NULL)
    return NULL;
  if (search->limit < 1 || search->limit > REEVE_QUERY_MAX_LIMIT)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "the limit is not 1 to 500");
      return NULL;
    }
  if (!sqlite_text_cut (connection, search->query, &found, error)
      || !sqlite_text_drop_common (store, connection, index, terms, error))
    return NULL;
  if (terms->len == 0)
    return g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_text_hit_free);
  return sqlite_text_run (connection, index, terms, search, error);
}
