/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ranking functions of text indexes: BM25 (Robertson and Walker 1994, k1 = 1.2, b = 0.75).
 * FTS5's own one counts every term again for each query, by walking all texts that hold it; this
 * one is told what terms weigh, for that is counted once and remembered, so that a search walks its
 * terms once and not twice. */
#include "sqlite-rank.h"

#include <math.h>

#define RANK_K1        1.2
#define RANK_B         0.75
#define RANK_LEAST_IDF 1e-6
/* title weight, text weight, whether lengths count; weights of the terms follow */
#define RANK_FIRST_TERM 3
#define RANK_COLUMNS    2

/**
 * sqlite_rank_get_api:
 * @db: a connection
 *
 * Returns: (transfer none) (nullable): its full-text module, reached through a pointer that a query
 * fills
 */
fts5_api *
sqlite_rank_get_api (sqlite3 *db)
{
  sqlite3_stmt *statement = NULL;
  fts5_api *api = NULL;

  if (sqlite3_prepare_v2 (db, "SELECT fts5 (?1)", -1, &statement, NULL) != SQLITE_OK)
    return NULL;
  sqlite3_bind_pointer (statement, 1, &api, "fts5_api_ptr", NULL);
  sqlite3_step (statement);
  sqlite3_finalize (statement);
  return api;
}

/**
 * sqlite_rank_weigh:
 * @texts: how many texts there are
 * @frequency: how many of them hold a term
 *
 * Returns: what the term weighs: the rarer the more
 */
double
sqlite_rank_weigh (gint64 texts, gint64 frequency)
{
  double idf = log (((double) (texts - frequency) + 0.5) / ((double) frequency + 0.5));

  return MAX (idf, RANK_LEAST_IDF);
}

/**
 * sqlite_rank_score:
 * @weight: of a term
 * @frequency: how often a text holds it, its title counting more
 * @length: of the text, in average texts
 *
 * Returns: what the term adds to the score of the text
 */
double
sqlite_rank_score (double weight, double frequency, double length)
{
  return weight * frequency * (RANK_K1 + 1)
         / (frequency + RANK_K1 * (1 - RANK_B + RANK_B * length));
}

/* length of a text in average texts; computed once a query: the average is kept with the cursor */
static int
sqlite_rank_get_length (const Fts5ExtensionApi *api, Fts5Context *fts, double *length)
{
  double *average = api->xGetAuxdata (fts, 0);
  int words = 0;
  int code = SQLITE_OK;

  if (average == NULL)
    {
      sqlite3_int64 rows = 0;
      sqlite3_int64 total = 0;

      code = api->xRowCount (fts, &rows);
      if (code == SQLITE_OK)
        code = api->xColumnTotalSize (fts, -1, &total);
      if (code != SQLITE_OK)
        return code;
      average = g_new (double, 1);
      *average = rows > 0 && total > 0 ? (double) total / (double) rows : 1;
      code = api->xSetAuxdata (fts, average, g_free);
      if (code != SQLITE_OK)
        return code;
    }
  code = api->xColumnSize (fts, -1, &words);
  *length = words / *average;
  return code;
}

static int
sqlite_rank_count (const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_value **values,
                   double *frequencies)
{
  int instances = 0;
  int code = api->xInstCount (fts, &instances);

  for (int i = 0; i < instances && code == SQLITE_OK; i++)
    {
      int phrase = 0;
      int column = 0;
      int offset = 0;

      code = api->xInst (fts, i, &phrase, &column, &offset);
      if (code == SQLITE_OK && phrase < SQLITE_RANK_MAX_TERMS && column < RANK_COLUMNS)
        frequencies[phrase] += sqlite3_value_double (values[column]);
    }
  return code;
}

static void
sqlite_rank_on_rank (const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *context, int n,
                     sqlite3_value **values)
{
  double frequencies[SQLITE_RANK_MAX_TERMS] = { 0 };
  double length = 1;
  double score = 0;
  int code = SQLITE_OK;

  if (n < RANK_FIRST_TERM)
    {
      sqlite3_result_error_code (context, SQLITE_MISUSE);
      return;
    }
  code = sqlite_rank_count (api, fts, values, frequencies);
  if (code == SQLITE_OK && sqlite3_value_int (values[2]) != 0)
    code = sqlite_rank_get_length (api, fts, &length);
  if (code != SQLITE_OK)
    {
      sqlite3_result_error_code (context, code);
      return;
    }
  for (int i = 0; i < MIN (n - RANK_FIRST_TERM, SQLITE_RANK_MAX_TERMS); i++)
    if (frequencies[i] > 0)
      score += sqlite_rank_score (sqlite3_value_double (values[RANK_FIRST_TERM + i]),
                                  frequencies[i], length);
  /* the best first in ascending order, as FTS5 sorts */
  sqlite3_result_double (context, -score);
}

/* reeve_counts (title weight, text weight): a blob of floats, the words of a text and how often it
 * holds each term */
static void
sqlite_rank_on_counts (const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *context,
                       int n, sqlite3_value **values)
{
  double frequencies[SQLITE_RANK_MAX_TERMS] = { 0 };
  float counts[SQLITE_RANK_MAX_TERMS + 1] = { 0 };
  int terms = MIN (api->xPhraseCount (fts), SQLITE_RANK_MAX_TERMS);
  int words = 0;
  int code = n == RANK_COLUMNS ? sqlite_rank_count (api, fts, values, frequencies) : SQLITE_MISUSE;

  if (code == SQLITE_OK)
    code = api->xColumnSize (fts, -1, &words);
  if (code != SQLITE_OK)
    {
      sqlite3_result_error_code (context, code);
      return;
    }
  counts[0] = (float) words;
  for (int i = 0; i < terms; i++)
    counts[i + 1] = (float) frequencies[i];
  sqlite3_result_blob (context, counts, (terms + 1) * (int) sizeof (float), SQLITE_TRANSIENT);
}

/**
 * sqlite_rank_register:
 * @db: a new connection
 * @error: return location
 *
 * Makes the functions known to it, as `reeve_rank` and `reeve_counts`.
 *
 * Returns: %FALSE with %REEVE_ERROR_UNSUPPORTED when SQLite has no full-text module
 */
gboolean
sqlite_rank_register (sqlite3 *db, GError **error)
{
  fts5_api *api = sqlite_rank_get_api (db);

  if (api != NULL
      && api->xCreateFunction (api, "reeve_rank", NULL, sqlite_rank_on_rank, NULL) == SQLITE_OK
      && api->xCreateFunction (api, "reeve_counts", NULL, sqlite_rank_on_counts, NULL) == SQLITE_OK)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "sqlite has no fts5");
  return FALSE;
}
