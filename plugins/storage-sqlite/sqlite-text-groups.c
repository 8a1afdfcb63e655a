/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Search in some groups. Who may not see the others must not learn of them by what words weigh, by
 * the order of what he finds or by what is left out: everything is counted over these groups alone.
 * So the index is walked once, for what each text holds of the words; BM25 (Robertson and Walker
 * 1994) is computed when all are known, with the average length of those that were found. No word
 * is passed over: that bounds a search by the index, not by what is seen of it. */
#include "sqlite-text-groups.h"

#include "sqlite-query.h"
#include "sqlite-rank.h"

#include <string.h>

typedef struct
{
  gint64 row;
  double score;
  guint8 terms;        /* how many */
  float frequencies[]; /* length in words, then one for each term */
} SqliteTextGroupsHit;

typedef struct
{
  SqliteConnection *connection;
  const SqliteTextIndex *index;
  GPtrArray *hits; /* of SqliteTextGroupsHit */
  gint64 texts;    /* of the groups */
} SqliteTextGroups;

static char *
sqlite_text_groups_write (const char *const *groups)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();

  json_node_take_array (node, array);
  for (guint i = 0; groups[i] != NULL; i++)
    json_array_add_string_element (array, groups[i]);
  return reeve_json_text (node);
}

/* What the function of sqlite-rank.c found in a text. */
static SqliteTextGroupsHit *
sqlite_text_groups_read (sqlite3_stmt *statement)
{
  const float *counts = sqlite3_column_blob (statement, 1);
  gsize n = (gsize) sqlite3_column_bytes (statement, 1) / sizeof (float);
  SqliteTextGroupsHit *hit = NULL;

  if (counts == NULL || n < 1 || n > SQLITE_RANK_MAX_TERMS + 1)
    return NULL;
  hit = g_malloc0 (sizeof (SqliteTextGroupsHit) + n * sizeof (float));
  hit->row = sqlite3_column_int64 (statement, 0);
  hit->terms = (guint8) (n - 1);
  memcpy (hit->frequencies, counts, n * sizeof (float));
  return hit;
}

static gboolean
sqlite_text_groups_gather (SqliteTextGroups *self, const char *match, const char *groups,
                           GError **error)
{
  sqlite3_stmt *statement
      = sqlite_connection_prepare (self->connection, self->index->search_in, error);
  gboolean row = FALSE;

  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, match);
  sqlite_connection_bind_text (statement, 2, groups);
  if (!sqlite_connection_step (self->connection, statement, &row, error))
    return FALSE;
  while (row)
    {
      SqliteTextGroupsHit *hit = sqlite_text_groups_read (statement);

      if (hit != NULL)
        g_ptr_array_add (self->hits, hit);
      if (!sqlite_connection_step (self->connection, statement, &row, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
sqlite_text_groups_count (SqliteTextGroups *self, const char *groups, GError **error)
{
  sqlite3_stmt *statement
      = sqlite_connection_prepare (self->connection, self->index->count_in, error);
  gboolean row = FALSE;

  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, groups);
  if (!sqlite_connection_step (self->connection, statement, &row, error))
    return FALSE;
  self->texts = row ? sqlite3_column_int64 (statement, 0) : 0;
  sqlite3_reset (statement);
  return TRUE;
}

static void
sqlite_text_groups_score (SqliteTextGroups *self)
{
  gint64 holding[SQLITE_RANK_MAX_TERMS] = { 0 };
  double weights[SQLITE_RANK_MAX_TERMS] = { 0 };
  double words = 0;

  for (guint i = 0; i < self->hits->len; i++)
    {
      const SqliteTextGroupsHit *hit = g_ptr_array_index (self->hits, i);

      words += hit->frequencies[0];
      for (guint t = 0; t < hit->terms; t++)
        holding[t] += hit->frequencies[1 + t] > 0;
    }
  /* a text that was added since they were counted */
  self->texts = MAX (self->texts, self->hits->len);
  for (guint t = 0; t < SQLITE_RANK_MAX_TERMS; t++)
    weights[t] = sqlite_rank_weigh (self->texts, holding[t]);
  for (guint i = 0; i < self->hits->len; i++)
    {
      SqliteTextGroupsHit *hit = g_ptr_array_index (self->hits, i);
      double length = words > 0 ? hit->frequencies[0] * self->hits->len / words : 1;

      for (guint t = 0; t < hit->terms; t++)
        hit->score += sqlite_rank_score (weights[t], hit->frequencies[1 + t], length);
    }
}

static int
sqlite_text_groups_compare (gconstpointer a, gconstpointer b)
{
  const SqliteTextGroupsHit *left = *(SqliteTextGroupsHit *const *) a;
  const SqliteTextGroupsHit *right = *(SqliteTextGroupsHit *const *) b;

  if (left->score != right->score)
    return left->score > right->score ? -1 : 1;
  return left->row < right->row ? -1 : left->row > right->row;
}

/* One that has gone meanwhile is left out. */
static gboolean
sqlite_text_groups_look_up (SqliteTextGroups *self, const SqliteTextGroupsHit *hit,
                            GPtrArray *found, GError **error)
{
  sqlite3_stmt *statement
      = sqlite_connection_prepare (self->connection, self->index->look_up, error);
  ReeveTextHit *shown = NULL;
  gboolean row = FALSE;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, hit->row);
  if (!sqlite_connection_step (self->connection, statement, &row, error))
    return FALSE;
  if (!row)
    return TRUE;
  shown = sqlite_text_read_hit (statement, hit->score, error);
  sqlite3_reset (statement);
  if (shown != NULL)
    g_ptr_array_add (found, shown);
  return shown != NULL;
}

/**
 * sqlite_text_groups_search:
 * @connection: a connection
 * @index: of its schema
 * @match: the words, as FTS5 takes them
 * @search: what to look for, with groups
 * @error: return location
 *
 * Returns: (element-type ReeveTextHit) (transfer full): hits, best first; %NULL on error
 */
GPtrArray *
sqlite_text_groups_search (SqliteConnection *connection, const SqliteTextIndex *index,
                           const char *match, const SqliteTextSearch *search, GError **error)
{
  g_autoptr (GPtrArray) hits = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) found
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_text_hit_free);
  g_autofree char *groups = sqlite_text_groups_write (search->groups);
  SqliteTextGroups self = { .connection = connection, .index = index, .hits = hits };

  if (!sqlite_text_groups_count (&self, groups, error)
      || !sqlite_text_groups_gather (&self, match, groups, error))
    return NULL;
  sqlite_text_groups_score (&self);
  g_ptr_array_sort (hits, sqlite_text_groups_compare);
  for (guint i = 0; i < MIN (hits->len, search->limit); i++)
    if (!sqlite_text_groups_look_up (&self, g_ptr_array_index (hits, i), found, error))
      return NULL;
  return g_steal_pointer (&found);
}
