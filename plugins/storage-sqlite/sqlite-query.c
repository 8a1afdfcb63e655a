/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers queries. Only names of declared fields get into the text of a statement; every value is a
 * numbered parameter, so that statements are few and are kept. Records without the field of the
 * order come last: two statements, each of which an index answers, in one read transaction.
 * Aggregates are in sqlite-aggregate.c. */
#include "sqlite-query.h"

#include "sqlite-aggregate.h"
#include "sqlite-cursor.h"
#include "sqlite-filter.h"

#include <string.h>

typedef struct
{
  SqliteConnection *connection;
  const SqliteCollection *collection;
  ReeveQuery *query;
  const char *order; /* column */
  gboolean by_id;
  gboolean descending;
  const SqliteCursor *cursor;
  ReeveQueryResult *result;
  char *last; /* cursor behind the last record of a full page */
} SqliteQueryRun;

/**
 * sqlite_query_parse_object:
 * @text: a stored object
 * @error: return location
 *
 * Returns: (transfer full): it; %NULL with %REEVE_ERROR_CORRUPT
 */
JsonObject *
sqlite_query_parse_object (const char *text, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (text != NULL)
    node = reeve_json_parse_strict (text, strlen (text), &failure);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return json_node_dup_object (node);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "a stored object cannot be read: %s",
               failure != NULL ? failure->message : "it is none");
  return NULL;
}

/* where the page begins, for one of the two parts */
static void
sqlite_query_write_start (SqliteQueryRun *run, GString *sql, GPtrArray *values, gboolean absent)
{
  const char *op = run->descending ? "<" : ">";

  if (run->cursor == NULL || run->cursor->absent != absent)
    return;
  if (run->by_id || absent)
    {
      g_ptr_array_add (values, json_node_init_string (json_node_alloc (), run->cursor->id));
      g_string_append_printf (sql, " AND id %s ?%u", op, values->len);
      return;
    }
  g_ptr_array_add (values, json_node_copy (run->cursor->value));
  g_ptr_array_add (values, json_node_init_string (json_node_alloc (), run->cursor->id));
  g_string_append_printf (sql, " AND (%s, id) %s (?%u, ?%u)", run->order, op, values->len - 1,
                          values->len);
}

static gboolean
sqlite_query_read_rows (SqliteQueryRun *run, sqlite3_stmt *statement, guint limit, gboolean absent,
                        GError **error)
{
  gboolean row = FALSE;

  if (!sqlite_connection_step (run->connection, statement, &row, error))
    return FALSE;
  for (guint n = 0; row; n++)
    {
      g_autoptr (JsonObject) fields = NULL;
      g_autoptr (ReeveRecord) record = NULL;

      if (n == limit)
        {
          /* one more than asked for: there is a next page */
          reeve_query_result_set_cursor (run->result, run->last);
          sqlite3_reset (statement);
          return TRUE;
        }
      fields = sqlite_query_parse_object ((const char *) sqlite3_column_text (statement, 2), error);
      if (fields == NULL)
        {
          sqlite3_reset (statement);
          return FALSE;
        }
      record = reeve_record_new ((const char *) sqlite3_column_text (statement, 0),
                                 sqlite3_column_int64 (statement, 1), fields);
      reeve_query_result_add (run->result, record);
      if (n + 1 == limit)
        run->last = sqlite_cursor_write (run->query, statement, absent);
      if (!sqlite_connection_step (run->connection, statement, &row, error))
        return FALSE;
    }
  return TRUE;
}

/* @absent: the records without the field of the order */
static gboolean
sqlite_query_run_part (SqliteQueryRun *run, gboolean absent, GError **error)
{
  guint limit = reeve_query_get_limit (run->query);
  guint have = reeve_query_result_get_records (run->result)->len;
  g_autoptr (GString) sql = g_string_new (NULL);
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  const char *direction = run->descending ? "DESC" : "ASC";
  sqlite3_stmt *statement = NULL;

  g_string_append_printf (sql, "SELECT id, revision, body, %s FROM \"c_%s\" WHERE ",
                          absent ? "NULL" : run->order, run->collection->name);
  g_string_append_printf (sql,
                          run->by_id ? "TRUE"
                          : absent   ? "%s IS NULL"
                                     : "%s IS NOT NULL",
                          run->order);
  if (!sqlite_filter_write (run->collection, run->query, sql, values, error))
    return FALSE;
  sqlite_query_write_start (run, sql, values, absent);
  if (run->by_id || absent)
    g_string_append_printf (sql, " ORDER BY id %s", direction);
  else
    g_string_append_printf (sql, " ORDER BY %s %s, id %s", run->order, direction, direction);
  g_string_append_printf (sql, " LIMIT ?%u", values->len + 1);
  statement = sqlite_connection_prepare (run->connection, sql->str, error);
  if (statement == NULL)
    return FALSE;
  sqlite_filter_bind (statement, values);
  sqlite3_bind_int64 (statement, (int) values->len + 1, (gint64) limit - have + 1);
  return sqlite_query_read_rows (run, statement, limit - have, absent, error);
}

static gboolean
sqlite_query_run_parts (SqliteQueryRun *run, GError **error)
{
  if ((run->cursor == NULL || !run->cursor->absent) && !sqlite_query_run_part (run, FALSE, error))
    return FALSE;
  if (run->by_id || reeve_query_result_get_cursor (run->result) != NULL)
    return TRUE;
  /* on a full page too: whether there is a next one */
  return sqlite_query_run_part (run, TRUE, error);
}

static ReeveQueryResult *
sqlite_query_run_records (SqliteConnection *connection, const SqliteCollection *collection,
                          ReeveQuery *query, GError **error)
{
  g_autoptr (ReeveQueryResult) result = reeve_query_result_new ();
  g_autoptr (SqliteCursor) cursor = NULL;
  gboolean descending = FALSE;
  const char *order = reeve_query_get_order (query, &descending);
  const SqliteField *field = sqlite_filter_find_field (collection, order, error);
  gboolean done = FALSE;
  SqliteQueryRun run = { .connection = connection,
                         .collection = collection,
                         .query = query,
                         .by_id = g_str_equal (order, "@id"),
                         .descending = descending,
                         .result = result };

  if (field == NULL)
    return NULL;
  run.order = field->column;
  if (reeve_query_get_cursor (query) != NULL)
    {
      cursor = sqlite_cursor_read (query, field, error);
      if (cursor == NULL)
        return NULL;
      run.cursor = cursor;
    }
  done = sqlite_query_run_parts (&run, error);
  g_free (run.last);
  return done ? g_steal_pointer (&result) : NULL;
}

/**
 * sqlite_query_run:
 * @connection: to a store
 * @schema: what is declared in it
 * @query: what to ask
 * @error: return location
 *
 * Returns: (transfer full): one page; %NULL on error
 */
ReeveQueryResult *
sqlite_query_run (SqliteConnection *connection, SqliteSchema *schema, ReeveQuery *query,
                  GError **error)
{
  const SqliteCollection *collection = NULL;
  ReeveQueryResult *result = NULL;

  if (!reeve_query_validate (query, error))
    return NULL;
  collection = sqlite_schema_find_collection (schema, reeve_query_get_collection (query), error);
  if (collection == NULL)
    return NULL;
  if (reeve_query_get_aggregates (query)->len > 0)
    return sqlite_aggregate_run (connection, collection, query, error);
  if (!sqlite_connection_exec (connection, "BEGIN", error))
    return NULL;
  result = sqlite_query_run_records (connection, collection, query, error);
  /* nothing was written: this only ends the snapshot */
  sqlite_connection_rollback (connection);
  return result;
}
