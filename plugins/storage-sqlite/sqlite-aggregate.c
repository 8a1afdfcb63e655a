/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Aggregates by groups and a time bucket. Groups come in the order of bucket and fields; a cursor
 * is the number of groups that went before. */
#include "sqlite-aggregate.h"

#include "sqlite-filter.h"

typedef struct
{
  GPtrArray *names;   /* members of a group, one for each column */
  GPtrArray *columns; /* expressions */
  GArray *types;      /* of ReeveFieldType */
  guint keys;         /* how many of them are grouped by */
} SqliteAggregateShape;

static void
sqlite_aggregate_add (SqliteAggregateShape *shape, const char *name, char *column,
                      ReeveFieldType type)
{
  g_ptr_array_add (shape->names, (gpointer) name);
  g_ptr_array_add (shape->columns, column);
  g_array_append_val (shape->types, type);
}

static gboolean
sqlite_aggregate_add_bucket (SqliteAggregateShape *shape, const SqliteCollection *collection,
                             ReeveQuery *query, GError **error)
{
  gint64 width = 0;
  const char *name = reeve_query_get_bucket (query, &width);
  const SqliteField *field = NULL;
  const char *c = NULL;

  if (name == NULL)
    return TRUE;
  field = sqlite_filter_find_field (collection, name, error);
  if (field == NULL)
    return FALSE;
  if (field->type != REEVE_FIELD_INT)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "buckets of %s: it is no integer field", name);
      return FALSE;
    }
  c = field->column;
  /* % truncates towards zero: this is the floor */
  sqlite_aggregate_add (shape, name,
                        g_strdup_printf ("%s - ((%s %% %" G_GINT64_FORMAT ") + %" G_GINT64_FORMAT
                                         ") %% %" G_GINT64_FORMAT,
                                         c, c, width, width, width),
                        REEVE_FIELD_INT);
  return TRUE;
}

static gboolean
sqlite_aggregate_add_groups (SqliteAggregateShape *shape, const SqliteCollection *collection,
                             ReeveQuery *query, GError **error)
{
  GPtrArray *groups = reeve_query_get_groups (query);

  for (guint i = 0; i < groups->len; i++)
    {
      const char *name = g_ptr_array_index (groups, i);
      const SqliteField *field = sqlite_filter_find_field (collection, name, error);

      if (field == NULL)
        return FALSE;
      sqlite_aggregate_add (shape, name, g_strdup (field->column), field->type);
    }
  return TRUE;
}

static gboolean
sqlite_aggregate_add_value (SqliteAggregateShape *shape, const SqliteCollection *collection,
                            const ReeveQueryAggregate *aggregate, GError **error)
{
  const SqliteField *field = NULL;

  if (aggregate->kind == REEVE_AGGREGATE_COUNT)
    {
      sqlite_aggregate_add (shape, aggregate->name, g_strdup ("count (*)"), REEVE_FIELD_INT);
      return TRUE;
    }
  field = sqlite_filter_find_field (collection, aggregate->field, error);
  if (field == NULL)
    return FALSE;
  if (aggregate->kind != REEVE_AGGREGATE_SUM)
    {
      sqlite_aggregate_add (shape, aggregate->name,
                            g_strdup_printf ("%s (%s)",
                                             aggregate->kind == REEVE_AGGREGATE_MIN ? "min" : "max",
                                             field->column),
                            field->type);
      return TRUE;
    }
  if (field->type != REEVE_FIELD_INT && field->type != REEVE_FIELD_REAL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "sum of %s: it is no number",
                   aggregate->field);
      return FALSE;
    }
  sqlite_aggregate_add (
      shape, aggregate->name,
      g_strdup_printf (field->type == REEVE_FIELD_INT ? "coalesce (sum (%s), 0)" : "total (%s)",
                       field->column),
      field->type);
  return TRUE;
}

static gboolean
sqlite_aggregate_fill (SqliteAggregateShape *shape, const SqliteCollection *collection,
                       ReeveQuery *query, GError **error)
{
  GPtrArray *aggregates = reeve_query_get_aggregates (query);

  if (!sqlite_aggregate_add_bucket (shape, collection, query, error)
      || !sqlite_aggregate_add_groups (shape, collection, query, error))
    return FALSE;
  shape->keys = shape->names->len;
  for (guint i = 0; i < aggregates->len; i++)
    if (!sqlite_aggregate_add_value (shape, collection, g_ptr_array_index (aggregates, i), error))
      return FALSE;
  return TRUE;
}

static void
sqlite_aggregate_write_keys (const SqliteAggregateShape *shape, GString *sql, const char *clause)
{
  for (guint i = 0; i < shape->keys; i++)
    g_string_append_printf (sql, "%s%u", i == 0 ? clause : ", ", i + 1);
}

static gboolean
sqlite_aggregate_write (const SqliteAggregateShape *shape, const SqliteCollection *collection,
                        ReeveQuery *query, GString *sql, GPtrArray *values, GError **error)
{
  for (guint i = 0; i < shape->columns->len; i++)
    g_string_append_printf (sql, "%s%s", i == 0 ? "SELECT " : ", ",
                            (const char *) g_ptr_array_index (shape->columns, i));
  g_string_append_printf (sql, " FROM \"c_%s\" WHERE TRUE", collection->name);
  if (!sqlite_filter_write (collection, query, sql, values, error))
    return FALSE;
  sqlite_aggregate_write_keys (shape, sql, " GROUP BY ");
  sqlite_aggregate_write_keys (shape, sql, " ORDER BY ");
  g_string_append_printf (sql, " LIMIT ?%u OFFSET ?%u", values->len + 1, values->len + 2);
  return TRUE;
}

static JsonObject *
sqlite_aggregate_read (const SqliteAggregateShape *shape, sqlite3_stmt *statement)
{
  JsonObject *group = json_object_new ();

  for (guint i = 0; i < shape->names->len; i++)
    {
      const char *name = g_ptr_array_index (shape->names, i);
      ReeveFieldType type = g_array_index (shape->types, ReeveFieldType, i);
      int column = (int) i;

      if (sqlite3_column_type (statement, column) == SQLITE_NULL)
        json_object_set_null_member (group, name);
      else if (type == REEVE_FIELD_TEXT)
        json_object_set_string_member (group, name,
                                       (const char *) sqlite3_column_text (statement, column));
      else if (type == REEVE_FIELD_REAL)
        json_object_set_double_member (group, name, sqlite3_column_double (statement, column));
      else if (type == REEVE_FIELD_BOOLEAN)
        json_object_set_boolean_member (group, name, sqlite3_column_int (statement, column) != 0);
      else
        json_object_set_int_member (group, name, sqlite3_column_int64 (statement, column));
    }
  return group;
}

static ReeveQueryResult *
sqlite_aggregate_collect (SqliteConnection *connection, sqlite3_stmt *statement,
                          const SqliteAggregateShape *shape, guint limit, guint64 offset,
                          GError **error)
{
  g_autoptr (ReeveQueryResult) result = reeve_query_result_new ();
  gboolean row = FALSE;

  if (!sqlite_connection_step (connection, statement, &row, error))
    return NULL;
  for (guint n = 0; row && n < limit; n++)
    {
      g_autoptr (JsonObject) group = sqlite_aggregate_read (shape, statement);

      reeve_query_result_add_group (result, group);
      if (!sqlite_connection_step (connection, statement, &row, error))
        return NULL;
    }
  if (row)
    {
      g_autofree char *cursor = g_strdup_printf ("%" G_GUINT64_FORMAT, offset + limit);

      reeve_query_result_set_cursor (result, cursor);
      sqlite3_reset (statement);
    }
  return g_steal_pointer (&result);
}

static ReeveQueryResult *
sqlite_aggregate_run_shape (SqliteConnection *connection, const SqliteAggregateShape *shape,
                            const SqliteCollection *collection, ReeveQuery *query, GError **error)
{
  g_autoptr (GString) sql = g_string_new (NULL);
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  const char *cursor = reeve_query_get_cursor (query);
  guint limit = reeve_query_get_limit (query);
  guint64 offset = 0;
  sqlite3_stmt *statement = NULL;

  if (cursor != NULL && !g_ascii_string_to_unsigned (cursor, 10, 1, G_MAXINT, &offset, NULL))
    {
      reeve_error_set_member (error, "/cursor", "the cursor is not of this query");
      return NULL;
    }
  if (!sqlite_aggregate_write (shape, collection, query, sql, values, error))
    return NULL;
  statement = sqlite_connection_prepare (connection, sql->str, error);
  if (statement == NULL)
    return NULL;
  sqlite_filter_bind (statement, values);
  sqlite3_bind_int64 (statement, (int) values->len + 1, (gint64) limit + 1);
  sqlite3_bind_int64 (statement, (int) values->len + 2, (gint64) offset);
  return sqlite_aggregate_collect (connection, statement, shape, limit, offset, error);
}

/**
 * sqlite_aggregate_run:
 * @connection: to a store
 * @collection: a collection
 * @query: a query of valid shape with aggregates
 * @error: return location
 *
 * Returns: (transfer full): one page of groups; %NULL on error
 */
ReeveQueryResult *
sqlite_aggregate_run (SqliteConnection *connection, const SqliteCollection *collection,
                      ReeveQuery *query, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GPtrArray) columns = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) types = g_array_new (FALSE, FALSE, sizeof (ReeveFieldType));
  SqliteAggregateShape shape = { names, columns, types, 0 };

  if (!sqlite_aggregate_fill (&shape, collection, query, error))
    return NULL;
  return sqlite_aggregate_run_shape (connection, &shape, collection, query, error);
}
